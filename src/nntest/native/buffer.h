// Memory of one tensor: 64-byte aligned, at a place within its page that the launch decides.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "failure.h"
#include "inputs.h"

namespace nntest {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kPage = 4096;

class Buffer {
 public:
  Buffer() = default;

  // Large allocations all start at the same offset of a page, so that which buffers alias in the caches would be
  // the same in every process; `placement` (launch and role mixed) picks another of the 64 lines each time.
  Buffer(std::size_t bytes, std::uint64_t placement) : bytes_(bytes) {
    const std::size_t shift = placement == 0 ? 0 : splitmix64(placement) % (kPage / kCacheLine) * kCacheLine;
    void* memory = nullptr;
    if (posix_memalign(&memory, kPage, shift + bytes + kCacheLine) != 0) {
      throw Failure("memory: " + std::to_string(bytes) + " bytes were refused by the system");
    }
    memory_ = memory;
    populate(memory, shift + bytes);
    data_ = static_cast<std::byte*>(memory) + shift;
  }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Buffer() { std::free(memory_); }

  void* data() const { return data_; }
  float* floats() const { return reinterpret_cast<float*>(data_); }
  std::size_t bytes() const { return bytes_; }

  // All ones is a NaN in every floating-point type: what an operator leaves unwritten fails the check.
  void poison() const { std::memset(data_, 0xff, bytes_); }
  void clear() const { std::memset(data_, 0, bytes_); }

 private:
  // Have all pages at once, on behalf of this thread: one by one, each costs a trap of its own.
  static void populate([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) {
#if defined(MADV_POPULATE_WRITE)
    if (bytes >= kPage) madvise(memory, bytes / kPage * kPage, MADV_POPULATE_WRITE);  // older kernels refuse: no harm
#endif
  }

  void swap(Buffer& other) {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  void* memory_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace nntest
