#include "bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <exception>
#include <string>
#include <thread>

#include "clock.h"
#include "failure.h"
#include "threads.h"

#if defined(__x86_64__)
#include "cpu_features.h"
#endif

namespace nntest {
namespace {

struct Kernels {
  const char* isa;
  float (*read)(const float* a, std::size_t count);
  void (*copy)(float* to, const float* from, std::size_t count);
  void (*triad)(float* to, const float* a, const float* b, std::size_t count);
};

// Eight independent vectors a turn; counts are multiples of kStep.
constexpr std::size_t kStep = 128;

#define NNTEST_KERNELS(suffix, bytes, attribute)                                                              \
  typedef float V##suffix __attribute__((vector_size(bytes), may_alias));                                     \
  attribute float read_##suffix(const float* a, std::size_t count) {                                          \
    constexpr std::size_t lanes = bytes / sizeof(float);                                                      \
    V##suffix sums[8] = {};                                                                                   \
    for (std::size_t at = 0; at < count; at += 8 * lanes) {                                                   \
      const auto* vectors = reinterpret_cast<const V##suffix*>(a + at);                                       \
      for (int number = 0; number < 8; ++number) sums[number] += vectors[number];                             \
    }                                                                                                         \
    V##suffix sum = {};                                                                                       \
    for (const auto& part : sums) sum += part;                                                                \
    return sum[0];                                                                                            \
  }                                                                                                           \
  attribute void copy_##suffix(float* to, const float* from, std::size_t count) {                             \
    constexpr std::size_t lanes = bytes / sizeof(float);                                                      \
    for (std::size_t at = 0; at < count; at += 4 * lanes) {                                                   \
      auto* targets = reinterpret_cast<V##suffix*>(to + at);                                                  \
      const auto* sources = reinterpret_cast<const V##suffix*>(from + at);                                    \
      for (int number = 0; number < 4; ++number) targets[number] = sources[number];                           \
      asm volatile("" : : "r"(targets) : "memory"); /* else it becomes a call of memcpy */                    \
    }                                                                                                         \
  }                                                                                                           \
  attribute void triad_##suffix(float* to, const float* a, const float* b, std::size_t count) {               \
    constexpr std::size_t lanes = bytes / sizeof(float);                                                      \
    for (std::size_t at = 0; at < count; at += 4 * lanes) {                                                   \
      auto* targets = reinterpret_cast<V##suffix*>(to + at);                                                  \
      const auto* first = reinterpret_cast<const V##suffix*>(a + at);                                         \
      const auto* second = reinterpret_cast<const V##suffix*>(b + at);                                        \
      for (int number = 0; number < 4; ++number) targets[number] = first[number] + 3.0f * second[number];     \
    }                                                                                                         \
  }

#if defined(__x86_64__)

NNTEST_KERNELS(512, 64, __attribute__((target("avx512f"))))
NNTEST_KERNELS(256, 32, __attribute__((target("avx2,fma"))))
NNTEST_KERNELS(128, 16, )

Kernels widest() {
  const CpuFeatures features = cpu_features();
  if (features.avx512f) return {"avx512f", read_512, copy_512, triad_512};
  if (features.avx2_fma) return {"avx2", read_256, copy_256, triad_256};
  return {"sse2", read_128, copy_128, triad_128};
}

#else

NNTEST_KERNELS(128, 16, )

Kernels widest() { return {"128 bit", read_128, copy_128, triad_128}; }

#endif

// Best speed of one thread, in GB/s; `pass` goes once through `bytes`.
template <typename Pass>
double best_speed(const Pass& pass, double bytes, double seconds) {
  constexpr double kSliceS = 1e-3;
  long passes = 1;
  for (double took = 0; took < kSliceS; passes *= 2) {
    const double start = now_s();
    for (long turn = 0; turn < passes; ++turn) pass();
    took = now_s() - start;
  }
  double best = 0;
  const double end = now_s() + seconds;
  do {
    const double start = now_s();
    for (long turn = 0; turn < passes; ++turn) pass();
    best = std::max(best, bytes * static_cast<double>(passes) / (now_s() - start) * 1e-9);
  } while (now_s() < end);
  return best;
}

// Memory in large pages where the system has them, first touched by the thread that makes it: with small ones it is
// the page tables that are measured.
class LargePages {
 public:
  explicit LargePages(std::size_t bytes) : bytes_((bytes + kLargePage - 1) / kLargePage * kLargePage + kLargePage) {
    memory_ = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw Failure("memory: " + std::to_string(bytes) + " bytes were refused by the system");
#if defined(MADV_HUGEPAGE)
    madvise(memory_, bytes_, MADV_HUGEPAGE);  // a wish
#endif
    std::memset(data(), 0, bytes);
  }
  LargePages(const LargePages&) = delete;
  LargePages& operator=(const LargePages&) = delete;
  ~LargePages() { munmap(memory_, bytes_); }

  float* data() const {
    const auto address = reinterpret_cast<std::uintptr_t>(memory_);
    return reinterpret_cast<float*>((address + kLargePage - 1) / kLargePage * kLargePage);
  }

 private:
  static constexpr std::size_t kLargePage = std::size_t{2} << 20;
  std::size_t bytes_;
  void* memory_ = nullptr;
};

// All threads begin each of the three together.
class Start {
 public:
  explicit Start(int threads) : threads_(threads) {}
  void meet(int round) {
    ++arrived_;
    while (arrived_.load() < threads_ * round) std::this_thread::yield();
  }

 private:
  int threads_;
  std::atomic<int> arrived_{0};
};

}  // namespace

Bandwidth measure_bandwidth(const std::vector<int>& cores, int threads, std::size_t bytes, double seconds) {
  if (threads < 1 || (!cores.empty() && static_cast<std::size_t>(threads) > cores.size())) {
    throw Failure("bandwidth: " + std::to_string(threads) + " threads; expected 1 to the number of pinned cores");
  }
  const std::size_t count = bytes / sizeof(float) / (3 * kStep) * (3 * kStep);
  if (count == 0) throw Failure("bandwidth: " + std::to_string(bytes) + " bytes; expected at least 1536");
  const Kernels kernels = widest();
  std::vector<Bandwidth> found(static_cast<std::size_t>(threads));
  std::vector<std::string> failures(found.size());
  Start start(threads);
  std::atomic<float> sink{0};
  const auto work = [&](std::size_t index) {
    try {
      if (!cores.empty()) restrict_to({cores[index]});
      const LargePages buffer(count * sizeof(float));
      float* all = buffer.data();
      const std::size_t half = count / 2 / kStep * kStep, third = count / 3;
      const auto total = [](std::size_t floats) { return static_cast<double>(floats * sizeof(float)); };
      start.meet(1);
      found[index].read_gb_s =
          best_speed([&] { sink.store(kernels.read(all, count), std::memory_order_relaxed); }, total(count), seconds);
      start.meet(2);
      found[index].copy_gb_s = best_speed([&] { kernels.copy(all + half, all, half); }, total(2 * half), seconds);
      start.meet(3);
      found[index].triad_gb_s =
          best_speed([&] { kernels.triad(all, all + third, all + 2 * third, third); }, total(3 * third), seconds);
    } catch (const std::exception& failed) {
      failures[index] = failed.what();
      for (int round = 1; round <= 3; ++round) start.meet(0);  // nobody waits for it
    }
  };
  std::vector<std::thread> others;
  for (std::size_t index = 1; index < found.size(); ++index) others.emplace_back(work, index);
  work(0);
  for (auto& other : others) other.join();
  Bandwidth sum;
  for (const auto& part : found) {
    sum.read_gb_s += part.read_gb_s;
    sum.copy_gb_s += part.copy_gb_s;
    sum.triad_gb_s += part.triad_gb_s;
  }
  for (const auto& failure : failures) {
    if (!failure.empty()) throw Failure("bandwidth: " + failure);
  }
  sum.isa = kernels.isa;
  return sum;
}

}  // namespace nntest
