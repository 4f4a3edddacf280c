#include "watch.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>

#include "clock.h"

namespace nntest {
namespace {

// Column 8 of the cores' lines "cpuN user nice system idle iowait irq softirq steal ...", in clock ticks.
double read_steal_s(const std::vector<int>& cores) {
  static const int file = open("/proc/stat", O_RDONLY | O_CLOEXEC);
  static const double tick_s = 1.0 / static_cast<double>(sysconf(_SC_CLK_TCK));
  static std::string text(1 << 16, '\0');
  if (file < 0) return -1;
  const ssize_t length = pread(file, text.data(), text.size() - 1, 0);
  if (length <= 0) return -1;
  text[static_cast<std::size_t>(length)] = '\0';
  double steal = 0;
  for (const int core : cores) {
    const std::string label = "\ncpu" + std::to_string(core) + " ";
    const char* line = std::strstr(text.c_str(), label.c_str());
    unsigned long long ticks = 0;
    if (line == nullptr ||
        std::sscanf(line + label.size(), "%*u %*u %*u %*u %*u %*u %*u %llu", &ticks) != 1) {
      return -1;
    }
    steal += static_cast<double>(ticks) * tick_s;
  }
  return steal;
}

}  // namespace

Watch::Watch(const std::vector<int>& cores) : cores_(cores), start_(read(cores)) {}

Watched Watch::read(const std::vector<int>& cores) {
  Watched now;
  now.steal_s = read_steal_s(cores);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  now.involuntary_switches = usage.ru_nivcsw;
  now.minor_faults = usage.ru_minflt;
  now.major_faults = usage.ru_majflt;
  return now;
}

Watched Watch::finish() const {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double steal_s = read_steal_s(cores_);
  return {usage.ru_nivcsw - start_.involuntary_switches, usage.ru_minflt - start_.minor_faults,
          usage.ru_majflt - start_.major_faults,
          steal_s < 0 || start_.steal_s < 0 ? -1 : std::max(0.0, steal_s - start_.steal_s)};
}

double measure_core_ghz() {
  constexpr int kAdditions = 64, kTurns = 200, kAttempts = 4;
  double best_s = 1e9;
  std::uint64_t sum = 1;
  const std::uint64_t step = 3;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const double start = now_s();
    for (int turn = 0; turn < kTurns; ++turn) {
      // Register to register: recent cores execute additions of constants while renaming, in no time at all.
#if defined(__x86_64__)
      asm volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(step) : "cc");
#elif defined(__aarch64__)
      asm volatile(".rept 64\n\tadd %0, %0, %1\n\t.endr" : "+r"(sum) : "r"(step));
#else
      return -1;
#endif
    }
    best_s = std::min(best_s, now_s() - start);  // an interruption only ever adds time
  }
  return kAdditions * kTurns / best_s * 1e-9;
}

}  // namespace nntest
