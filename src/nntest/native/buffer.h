// Memory of one tensor, zero at first: 64-byte aligned, at a place within its page that the launch decides.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "failure.h"
#include "inputs.h"
#include "reserve.h"

namespace nntest {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kPage = 4096;
#if defined(MAP_POPULATE)
inline constexpr int kPopulate = MAP_POPULATE;
#else
inline constexpr int kPopulate = 0;
#endif

class Buffer {
 public:
  Buffer() = default;

  // Large allocations all start at the same offset of a page, so that which buffers alias in the caches would be
  // the same in every process; `placement` (launch and role mixed) picks another of the 64 lines each time.
  Buffer(std::size_t bytes, std::uint64_t placement) : bytes_(bytes) {
    const std::size_t shift = placement == 0 ? 0 : splitmix64(placement) % (kPage / kCacheLine) * kCacheLine;
    const std::size_t room = shift + bytes + kCacheLine;
    void* memory = take_reserved(room);
    if (memory == nullptr) {
      // Fresh pages, zeroed by the system on behalf of this thread, and all at once: one by one, each costs a trap.
      memory = mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kPopulate, -1, 0);
      if (memory == MAP_FAILED) throw Failure("memory: " + std::to_string(bytes) + " bytes were refused by the system");
      mapped_ = memory;
      mapped_bytes_ = room;
    }
    data_ = static_cast<std::byte*>(memory) + shift;
  }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() {
    if (mapped_ != nullptr) munmap(mapped_, mapped_bytes_);
  }

  void* data() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }
  std::size_t bytes() const { return bytes_; }

  // All ones is a NaN in every floating-point type: what an operator leaves unwritten fails the check.
  void poison() const { std::memset(data_, 0xff, bytes_); }

 private:
  void swap(Buffer& other) {
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  void* mapped_ = nullptr;  // none where the bytes are of the reserve
  std::size_t mapped_bytes_ = 0;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace nntest
