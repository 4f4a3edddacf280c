#include "cache.h"

#if defined(__x86_64__)
#include "cpu_features.h"
#elif !defined(__aarch64__)
#include <vector>
#endif

namespace nntest {

#if defined(__x86_64__)

const char* eviction_method() { return cpu_features().clflushopt ? "clflushopt" : "clflush"; }

void evict(const void* data, std::size_t bytes) {
  static const bool unordered = cpu_features().clflushopt;
  const auto* line = static_cast<const char*>(data);
  asm volatile("mfence" : : : "memory");
  if (unordered) {
    for (std::size_t at = 0; at < bytes; at += kCacheLine) asm volatile("clflushopt (%0)" : : "r"(line + at) : "memory");
  } else {
    for (std::size_t at = 0; at < bytes; at += kCacheLine) asm volatile("clflush (%0)" : : "r"(line + at) : "memory");
  }
  asm volatile("mfence" : : : "memory");
}

#elif defined(__aarch64__)

const char* eviction_method() { return "dc civac"; }

void evict(const void* data, std::size_t bytes) {
  std::uint64_t cache_type;
  asm volatile("mrs %0, ctr_el0" : "=r"(cache_type));
  const std::size_t line_bytes = std::size_t{4} << ((cache_type >> 16) & 0xf);
  const auto start = reinterpret_cast<std::uintptr_t>(data);
  for (std::uintptr_t line = start & ~(line_bytes - 1); line < start + bytes; line += line_bytes) {
    asm volatile("dc civac, %0" : : "r"(line) : "memory");
  }
  asm volatile("dsb sy" : : : "memory");
}

#else

const char* eviction_method() { return "stream"; }

// No flush instruction is known here: other memory, larger than any cache of such machines, takes the place.
void evict(const void*, std::size_t) {
  constexpr std::size_t kStreamBytes = std::size_t{64} << 20;
  static std::vector<char> other(kStreamBytes, 1);
  for (std::size_t offset = 0; offset < other.size(); offset += kCacheLine) {
    volatile char* line = &other[offset];
    *line = static_cast<char>(*line + 1);
  }
}

#endif

}  // namespace nntest
