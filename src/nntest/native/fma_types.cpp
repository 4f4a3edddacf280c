// Kernels of further datatypes: the same fused multiply-adds in other widths, dot products, and matrix tiles.
#include <cstdint>
#include <cstring>

#include "cpu_features.h"
#include "failure.h"
#include "fma_kernel.h"

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Which mnemonics the compiler's assembler knows.
#if defined(__clang__)
#define NNTEST_KNOWS_AVX512_FP16 (__clang_major__ >= 14)
#define NNTEST_KNOWS_AMX (__clang_major__ >= 12)
#elif defined(__GNUC__)
#define NNTEST_KNOWS_AVX512_FP16 (__GNUC__ >= 12)
#define NNTEST_KNOWS_AMX (__GNUC__ >= 11)
#endif

namespace nntest {
namespace {

#if defined(__x86_64__)

#define NNTEST_OP(op, reg, n) op " %%" reg "15, %%" reg "14, %%" reg #n "\n\t"
#define NNTEST_OP_14(op, reg)                                                                             \
  NNTEST_OP(op, reg, 0) NNTEST_OP(op, reg, 1) NNTEST_OP(op, reg, 2) NNTEST_OP(op, reg, 3)                 \
  NNTEST_OP(op, reg, 4) NNTEST_OP(op, reg, 5) NNTEST_OP(op, reg, 6) NNTEST_OP(op, reg, 7)                 \
  NNTEST_OP(op, reg, 8) NNTEST_OP(op, reg, 9) NNTEST_OP(op, reg, 10) NNTEST_OP(op, reg, 11)               \
  NNTEST_OP(op, reg, 12) NNTEST_OP(op, reg, 13)
#define NNTEST_KERNEL(name, isa, op, reg, chain)                                                          \
  __attribute__((target(isa))) void name(long turns) {                                                    \
    long sum = 1;                                                                                         \
    const long step = 3;                                                                                  \
    asm volatile(                                                                                         \
        "vzeroall\n"                                                                                      \
        "1:\n\t" NNTEST_OP_14(op, reg) chain NNTEST_OP_14(op, reg) chain "dec %0\n\t"                     \
        "jnz 1b\n\t"                                                                                      \
        "vzeroupper"                                                                                      \
        : "+r"(turns), "+r"(sum)                                                                          \
        : "r"(step)                                                                                       \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",  \
          "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                                                   \
  }
#define NNTEST_CHAIN ".rept 14\n\tadd %2, %1\n\t.endr\n\t"
#define NNTEST_KERNELS(name, isa, op, reg) \
  NNTEST_KERNEL(name, isa, op, reg, "")    \
  NNTEST_KERNEL(name##_chain, isa, op, reg, NNTEST_CHAIN)

NNTEST_KERNELS(fma64_avx512, "avx512f", "vfmadd231pd", "zmm")
NNTEST_KERNELS(fma64_avx2, "avx2,fma", "vfmadd231pd", "ymm")
NNTEST_KERNELS(dot_int8_avx512, "avx512f,avx512vnni", "vpdpbusd", "zmm")
NNTEST_KERNELS(dot_bf16_avx512, "avx512f,avx512bf16", "vdpbf16ps", "zmm")
#if NNTEST_KNOWS_AVX512_FP16
NNTEST_KERNELS(fma16_avx512, "avx512f,avx512fp16", "vfmadd231ph", "zmm")
#endif

struct Extensions {
  bool vnni = false, bf16 = false, fp16 = false, amx_int8 = false, amx_bf16 = false;
};

Extensions extensions() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  Extensions found;
  if (!cpu_features().avx512f || __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return found;
  found.vnni = (ecx & (1u << 11)) != 0;
  found.fp16 = (edx & (1u << 23)) != 0;
  found.amx_bf16 = (edx & (1u << 22)) != 0;
  found.amx_int8 = (edx & (1u << 25)) != 0;
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) found.bf16 = (eax & (1u << 5)) != 0;
  return found;
}

#if NNTEST_KNOWS_AMX && defined(__linux__)

// The system hands the tiles' registers out on request only.
bool tiles_allowed() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

// Eight tiles of 16 rows of 64 bytes; all zero.
__attribute__((target("amx-tile"))) void prepare_tiles() {
  struct alignas(64) {
    std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  asm volatile("ldtilecfg %0" : : "m"(config));
  asm volatile(
      "tilezero %tmm0\n\ttilezero %tmm1\n\ttilezero %tmm2\n\ttilezero %tmm3\n\t"
      "tilezero %tmm4\n\ttilezero %tmm5\n\ttilezero %tmm6\n\ttilezero %tmm7");
}

#define NNTEST_TILES(op)                                                                             \
  op " %%tmm7, %%tmm6, %%tmm0\n\t" op " %%tmm7, %%tmm6, %%tmm1\n\t" op " %%tmm7, %%tmm6, %%tmm2\n\t" \
  op " %%tmm7, %%tmm6, %%tmm3\n\t" op " %%tmm7, %%tmm6, %%tmm4\n\t" op " %%tmm7, %%tmm6, %%tmm5\n\t"
#define NNTEST_TILE_KERNEL(name, isa, op, chain)                                                          \
  __attribute__((target(isa))) void name(long turns) {                                                    \
    long sum = 1;                                                                                         \
    const long step = 3;                                                                                  \
    asm volatile("1:\n\t" NNTEST_TILES(op) chain "dec %0\n\tjnz 1b"                                       \
                 : "+r"(turns), "+r"(sum)                                                                 \
                 : "r"(step)                                                                              \
                 : "cc");                                                                                 \
  }
// Six tile products take 96 clocks; a chain of 192 is the longer of the two.
#define NNTEST_TILE_CHAIN ".rept 192\n\tadd %2, %1\n\t.endr\n\t"
NNTEST_TILE_KERNEL(tiles_int8, "amx-tile,amx-int8", "tdpbssd", "")
NNTEST_TILE_KERNEL(tiles_int8_chain, "amx-tile,amx-int8", "tdpbssd", NNTEST_TILE_CHAIN)
NNTEST_TILE_KERNEL(tiles_bf16, "amx-tile,amx-bf16", "tdpbf16ps", "")
NNTEST_TILE_KERNEL(tiles_bf16_chain, "amx-tile,amx-bf16", "tdpbf16ps", NNTEST_TILE_CHAIN)

constexpr int kTileOps8 = 2 * 16 * 16 * 64, kTileOps16 = 2 * 16 * 16 * 32;

#endif

FmaKernel native_kernel(const std::string& dtype) {
  const CpuFeatures features = cpu_features();
  const Extensions more = extensions();
  if (dtype == "float64") {
    if (features.avx512f) return {"avx512f", fma64_avx512, 2 * 8, 28, fma64_avx512_chain, 28};
    if (features.avx2_fma) return {"avx2+fma", fma64_avx2, 2 * 4, 28, fma64_avx2_chain, 28};
  }
#if NNTEST_KNOWS_AMX && defined(__linux__)
  if (dtype == "int8" && more.amx_int8 && tiles_allowed()) {
    return {"amx-int8", tiles_int8, kTileOps8, 6, tiles_int8_chain, 192, prepare_tiles};
  }
  if (dtype == "bfloat16" && more.amx_bf16 && tiles_allowed()) {
    return {"amx-bf16", tiles_bf16, kTileOps16, 6, tiles_bf16_chain, 192, prepare_tiles};
  }
#endif
  if (dtype == "int8" && more.vnni) return {"avx512_vnni", dot_int8_avx512, 128, 28, dot_int8_avx512_chain, 28};
  if (dtype == "bfloat16" && more.bf16) return {"avx512_bf16", dot_bf16_avx512, 64, 28, dot_bf16_avx512_chain, 28};
#if NNTEST_KNOWS_AVX512_FP16
  if (dtype == "float16" && more.fp16) return {"avx512_fp16", fma16_avx512, 64, 28, fma16_avx512_chain, 28};
#endif
  return {};
}

#elif defined(__aarch64__)

#define NNTEST_OP(n) "fmla v" #n ".2d, v30.2d, v31.2d\n\t"

void fma64_neon(long turns) {
  asm volatile(
      "movi v30.2d, #0\n\tmovi v31.2d, #0\n"
      "1:\n\t" NNTEST_OP(0) NNTEST_OP(1) NNTEST_OP(2) NNTEST_OP(3) NNTEST_OP(4) NNTEST_OP(5) NNTEST_OP(6)
      NNTEST_OP(7) NNTEST_OP(16) NNTEST_OP(17) NNTEST_OP(18) NNTEST_OP(19) NNTEST_OP(20) NNTEST_OP(21)
      NNTEST_OP(22) NNTEST_OP(23) NNTEST_OP(24) NNTEST_OP(25) NNTEST_OP(26) NNTEST_OP(27)
      "subs %0, %0, #1\n\t"
      "b.ne 1b"
      : "+r"(turns)
      :
      : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v30", "v31");
}

FmaKernel native_kernel(const std::string& dtype) {
  if (dtype == "float64") return {"neon", fma64_neon, 2 * 2, 20};
  return {};
}

#else

FmaKernel native_kernel(const std::string&) { return {}; }

#endif

}  // namespace

FmaKernel kernel_of(const std::string& dtype) {
  if (dtype == "float32") return widest_kernel();
  const FmaKernel kernel = native_kernel(dtype);
  if (kernel.run == nullptr) throw Unsupported("peak: this processor has no fused multiply-add of " + dtype);
  return kernel;
}

}  // namespace nntest
