#include "reserve.h"

#include <sys/mman.h>

#include "buffer.h"

namespace nntest {
namespace {

std::byte* next_free = nullptr;
std::size_t bytes_left = 0;

}  // namespace

void reserve_memory(std::size_t bytes) {
  if (bytes == 0) return;
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | kPopulate, -1, 0);
  if (memory == MAP_FAILED) return;
  next_free = static_cast<std::byte*>(memory);
  bytes_left = bytes;
}

void* take_reserved(std::size_t bytes) {
  const std::size_t taken = (bytes + kPage - 1) / kPage * kPage;
  if (taken > bytes_left) return nullptr;
  std::byte* piece = next_free;
  next_free += taken;
  bytes_left -= taken;
  return piece;
}

}  // namespace nntest
