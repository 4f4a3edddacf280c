// What this processor and its system can do. Asked of the processor itself: the compilers' built-in question needs a
// run-time library that not every one of them brings along.
#pragma once

#if defined(__x86_64__)

#include <cpuid.h>

#include <cstdint>

namespace nntest {

struct CpuFeatures {
  bool clflushopt = false;
  bool avx2_fma = false;
  bool avx512f = false;
  bool avx512dq = false;
};

inline CpuFeatures cpu_features() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  CpuFeatures features;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return features;
  const bool fma = (ecx & (1u << 12)) != 0, saves_wide_registers = (ecx & (1u << 27)) != 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return features;
  features.clflushopt = (ebx & (1u << 23)) != 0;
  if (!saves_wide_registers) return features;
  std::uint32_t saved = 0, unused = 0;  // which registers the system keeps for each thread
  asm volatile("xgetbv" : "=a"(saved), "=d"(unused) : "c"(0));
  constexpr std::uint32_t kYmm = 0x06, kZmm = 0xe6;
  features.avx2_fma = fma && (ebx & (1u << 5)) != 0 && (saved & kYmm) == kYmm;
  features.avx512f = (ebx & (1u << 16)) != 0 && (saved & kZmm) == kZmm;
  features.avx512dq = features.avx512f && (ebx & (1u << 17)) != 0;
  return features;
}

}  // namespace nntest

#endif
