#include "peak.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>
#include <utility>

#include "clock.h"
#include "cpu_features.h"
#include "failure.h"
#include "fma_kernel.h"
#include "threads.h"
#include "watch.h"

namespace nntest {
namespace {

// Fourteen accumulators cover two pipes of latency 4 (8) and 5 (10) with some in hand, and with the two factors they
// fit the 16 registers of AVX2. All values are zero: neither denormals nor infinities can come up.
#if defined(__x86_64__)

#define NNTEST_FMA(reg, n) "vfmadd231ps %%" reg "15, %%" reg "14, %%" reg #n "\n\t"
#define NNTEST_FMA_14(reg)                                                                                    \
  NNTEST_FMA(reg, 0) NNTEST_FMA(reg, 1) NNTEST_FMA(reg, 2) NNTEST_FMA(reg, 3) NNTEST_FMA(reg, 4)              \
  NNTEST_FMA(reg, 5) NNTEST_FMA(reg, 6) NNTEST_FMA(reg, 7) NNTEST_FMA(reg, 8) NNTEST_FMA(reg, 9)              \
  NNTEST_FMA(reg, 10) NNTEST_FMA(reg, 11) NNTEST_FMA(reg, 12) NNTEST_FMA(reg, 13)
#define NNTEST_CHAIN_14 ".rept 14\n\tadd %2, %1\n\t.endr\n\t"
#define NNTEST_FMA_KERNEL(name, isa, reg, chain)                                                              \
  __attribute__((target(isa))) void name(long turns) {                                                        \
    long sum = 1;                                                                                             \
    const long step = 3;                                                                                      \
    asm volatile(                                                                                             \
        "vzeroall\n"                                                                                          \
        "1:\n\t" NNTEST_FMA_14(reg) chain NNTEST_FMA_14(reg) chain "dec %0\n\t"                               \
        "jnz 1b\n\t"                                                                                          \
        "vzeroupper"                                                                                          \
        : "+r"(turns), "+r"(sum)                                                                              \
        : "r"(step)                                                                                           \
        : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",      \
          "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");                                                       \
  }
NNTEST_FMA_KERNEL(fma_avx512, "avx512f", "zmm", "")
NNTEST_FMA_KERNEL(fma_avx512_chain, "avx512f", "zmm", NNTEST_CHAIN_14)
NNTEST_FMA_KERNEL(fma_avx2, "avx2,fma", "ymm", "")
NNTEST_FMA_KERNEL(fma_avx2_chain, "avx2,fma", "ymm", NNTEST_CHAIN_14)

// Without FMA: as many multiplications as additions, in pairs that do not depend on each other.
void mul_add_sse(long turns) {
  asm volatile(
      "xorps %%xmm14, %%xmm14\n\txorps %%xmm15, %%xmm15\n"
      "1:\n\t"
      "mulps %%xmm15, %%xmm0\n\taddps %%xmm14, %%xmm1\n\tmulps %%xmm15, %%xmm2\n\taddps %%xmm14, %%xmm3\n\t"
      "mulps %%xmm15, %%xmm4\n\taddps %%xmm14, %%xmm5\n\tmulps %%xmm15, %%xmm6\n\taddps %%xmm14, %%xmm7\n\t"
      "mulps %%xmm15, %%xmm8\n\taddps %%xmm14, %%xmm9\n\tmulps %%xmm15, %%xmm10\n\taddps %%xmm14, %%xmm11\n\t"
      "dec %0\n\tjnz 1b"
      : "+r"(turns)
      :
      : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11",
        "xmm14", "xmm15");
}

}  // namespace

FmaKernel widest_kernel() {
  const CpuFeatures features = cpu_features();
  if (features.avx512f) return {"avx512f", fma_avx512, 2 * 16, 28, fma_avx512_chain, 28};
  if (features.avx2_fma) return {"avx2+fma", fma_avx2, 2 * 8, 28, fma_avx2_chain, 28};
  return {"sse2", mul_add_sse, 4, 12};
}

#elif defined(__aarch64__)

#define NNTEST_FMLA(n) "fmla v" #n ".4s, v30.4s, v31.4s\n\t"

// Four pipes of latency 4 need sixteen accumulators; the 32 registers hold thirty.
void fma_neon(long turns) {
  asm volatile(
      "movi v30.4s, #0\n\tmovi v31.4s, #0\n"
      "1:\n\t" NNTEST_FMLA(0) NNTEST_FMLA(1) NNTEST_FMLA(2) NNTEST_FMLA(3) NNTEST_FMLA(4) NNTEST_FMLA(5)
      NNTEST_FMLA(6) NNTEST_FMLA(7) NNTEST_FMLA(16) NNTEST_FMLA(17) NNTEST_FMLA(18) NNTEST_FMLA(19) NNTEST_FMLA(20)
      NNTEST_FMLA(21) NNTEST_FMLA(22) NNTEST_FMLA(23) NNTEST_FMLA(24) NNTEST_FMLA(25) NNTEST_FMLA(26)
      NNTEST_FMLA(27)
      "subs %0, %0, #1\n\t"
      "b.ne 1b"
      : "+r"(turns)
      :
      : "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23",
        "v24", "v25", "v26", "v27", "v30", "v31");
}

}  // namespace

FmaKernel widest_kernel() { return {"neon", fma_neon, 2 * 4, 20}; }

#else

}  // namespace

FmaKernel widest_kernel() { throw Unsupported("peak: no kernel for this kind of processor"); }

#endif

namespace {

// Clocks before and after a slice that differ by no more than this belong to a clock that stood still.
constexpr double kSteadyClock = 0.005;
// Where others run too, whole slices are rare: each thread goes on until it has some, up to so many times as long.
constexpr int kEnough = 3;
constexpr double kLongest = 5;

struct Slice {
  double gflops = 0;
  double core_ghz = -1;  // around it; negative where it was not looked at, moved, or the slice was interrupted
};

// How often this thread had to give way to another.
long interruptions() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

double ghz_under_load(const FmaKernel& kernel) {
  if (kernel.run_with_chain == nullptr) return measure_core_ghz();
  // Short beside a slice, and twice: an interruption only ever adds time.
  constexpr long kCycles = 300000;
  constexpr int kAttempts = 2;
  const long turns = kCycles / kernel.chain_per_turn;
  double best_s = 1e9;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double start = now_s();
    kernel.run_with_chain(turns);
    best_s = std::min(best_s, now_s() - start);
  }
  return static_cast<double>(turns * kernel.chain_per_turn) / best_s * 1e-9;
}

// The slices of one thread. The clock of a shared machine moves from one millisecond to the next, so it is read between
// all slices: a speed means nothing beside the clock of another moment.
// All threads go on until the last one has enough.
std::vector<Slice> run_slices(const FmaKernel& kernel, double seconds, double slice_s, std::atomic<int>& wanting) {
  long turns = 1000;
  for (double took = 0;;) {  // also wakes the vector units
    const double start = now_s();
    kernel.run(turns);
    took = now_s() - start;
    if (took >= slice_s) break;
    turns *= 2;
  }
  // Not between short slices: the chain takes longer than the clock that they look for lasts.
  double before = slice_s >= kSliceS ? ghz_under_load(kernel) : -1;
  const bool clocked = before > 0;
  std::vector<Slice> slices;
  const double began = now_s();
  int whole = 0;
  if (!clocked) --wanting;
  for (;;) {
    const long interrupted = interruptions();
    const double start = now_s();
    kernel.run(turns);
    const double operations = static_cast<double>(turns) * kernel.per_turn * kernel.lanes;
    Slice slice;
    slice.gflops = operations / (now_s() - start) * 1e-9;
    if (clocked) {
      const double after = ghz_under_load(kernel);
      if (std::fabs(after - before) <= kSteadyClock * after && interruptions() == interrupted) {
        slice.core_ghz = (before + after) / 2;
        if (++whole == kEnough) --wanting;
      }
      before = after;
    }
    slices.push_back(slice);
    const double passed = now_s() - began;
    if (passed >= kLongest * seconds || (passed >= seconds && wanting.load() <= 0)) return slices;
  }
}

// The fastest slice of those with a known clock, or of all where none has one.
Slice best_of(const std::vector<Slice>& slices) {
  return *std::max_element(slices.begin(), slices.end(), [](const Slice& one, const Slice& other) {
    return std::make_pair(one.core_ghz > 0, one.gflops) < std::make_pair(other.core_ghz > 0, other.gflops);
  });
}

double median_of(const std::vector<Slice>& slices) {
  std::vector<double> speeds;
  for (const Slice& slice : slices) speeds.push_back(slice.gflops);
  std::sort(speeds.begin(), speeds.end());
  return speeds[speeds.size() / 2];
}

}  // namespace

Peak measure_kernel(const FmaKernel& kernel, const std::vector<int>& cores, int threads, double seconds,
                    double slice_s) {
  if (threads < 1 || (!cores.empty() && static_cast<std::size_t>(threads) > cores.size())) {
    throw Failure("peak: " + std::to_string(threads) + " threads; expected 1 to the number of pinned cores");
  }
  std::vector<std::vector<Slice>> slices(static_cast<std::size_t>(threads));
  std::atomic<int> ready{0}, wanting{threads};
  const auto work = [&](std::size_t index) {
    if (!cores.empty()) restrict_to({cores[index]});
    if (kernel.prepare != nullptr) kernel.prepare();
    ++ready;
    while (ready.load() < threads) std::this_thread::yield();
    slices[index] = run_slices(kernel, seconds, slice_s, wanting);
  };
  std::vector<std::thread> others;
  for (std::size_t index = 1; index < slices.size(); ++index) others.emplace_back(work, index);
  work(0);
  for (auto& other : others) other.join();
  Peak peak;
  double ghz = 0;
  bool known = true;
  for (const auto& own : slices) {
    const Slice best = best_of(own);
    peak.gflops += best.gflops;
    peak.gflops_median += median_of(own);
    ghz += best.core_ghz;
    known = known && best.core_ghz > 0;
  }
  if (known) peak.core_ghz = ghz / threads;
  peak.isa = kernel.isa;
  peak.lanes = kernel.lanes;
  peak.threads = threads;
  return peak;
}

}  // namespace nntest
