#include "timing.h"

#include <algorithm>
#include <cmath>

#include "clock.h"

namespace nntest {
namespace {

// A neighbour may have filled the caches since this case last ran: one call, and at least as long as it takes to
// bring some megabytes back from memory.
constexpr double kPrimeMinS = 3e-4;

// Warm-up values are parts of a block, so that settling does not take longer than measuring.
constexpr int kValuesPerBlock = 4;
constexpr std::size_t kWindow = 3;

double shortest_block_s(double block_min_s) { return std::max(block_min_s, 1000 * clock_read_s()); }

// Adds up the instructions of what it is told, or does nothing.
class Counting {
 public:
  explicit Counting(InstructionCount* count) : count_(count != nullptr && count->on() ? count : nullptr) {}
  bool on() const { return count_ != nullptr; }
  void begin() {
    if (count_ != nullptr) count_->begin();
  }
  void end() {
    if (count_ != nullptr) sum_ += count_->end();
  }
  std::int64_t sum() const { return sum_; }

 private:
  InstructionCount* count_;
  std::int64_t sum_ = 0;
};

double time_calls(const PreparedCase& prepared, long loops, Counting& counting) {
  if (prepared.asked().cache == CacheState::kWarm) {
    counting.begin();
    const double start = now_s();
    const long batches = loops / prepared.batch();
    for (long done = 0; done < batches; ++done) prepared.run_batch();
    for (long call = batches * prepared.batch(); call < loops; ++call) prepared.run();
    const double seconds = now_s() - start;
    counting.end();
    return seconds;
  }
  double seconds = 0;
  for (long call = 0; call < loops; ++call) {
    prepared.evict();
    counting.begin();
    const double start = now_s();
    prepared.run();
    seconds += now_s() - start;
    counting.end();
  }
  return seconds;
}

double time_calls(const PreparedCase& prepared, long loops) {
  Counting nothing(nullptr);
  return time_calls(prepared, loops, nothing);
}

long loops_for(double wanted_s, double call_s, long batch) {
  constexpr double kMostLoops = 1e9;
  if (call_s >= wanted_s) return batch;
  // 10 % in hand: the call may turn out faster than now, the block must not turn out shorter.
  const double loops = std::min(kMostLoops, std::ceil(1.1 * wanted_s / std::max(call_s, 1e-12)));
  return (static_cast<long>(loops) + batch - 1) / batch * batch;
}

// Double the loops until the time of one call can be read off the clock.
double estimate_call_s(const PreparedCase& prepared, double enough_s) {
  for (long loops = prepared.batch();; loops *= 2) {
    const double seconds = time_calls(prepared, loops);
    if (seconds >= enough_s || loops >= (1L << 30)) return seconds / static_cast<double>(loops);
  }
}

double median_of(std::vector<double>::const_iterator first, std::size_t count) {
  std::vector<double> values(first, first + static_cast<std::ptrdiff_t>(count));
  std::sort(values.begin(), values.end());
  return values[count / 2];
}

// The median of the last values against the median of those before: noise passes, a drift does not.
bool has_settled(const std::vector<double>& values, std::size_t window, double tolerance) {
  if (values.size() < 2 * window) return false;
  const auto width = static_cast<std::ptrdiff_t>(window);
  const double last = median_of(values.end() - width, window);
  const double before = median_of(values.end() - 2 * width, window);
  return std::fabs(last - before) <= tolerance * last;
}

}  // namespace

double clock_read_s() {
  static const double seconds = [] {
    constexpr int kReads = 200, kBatches = 5;
    double best = 1;
    for (int batch = 0; batch < kBatches; ++batch) {
      const double start = now_s();
      double last = start;
      for (int read = 0; read < kReads; ++read) last = now_s();
      best = std::min(best, (last - start) / kReads);
    }
    return best;
  }();
  return seconds;
}

WarmUp warm_up(const PreparedCase& prepared, const WarmUpRules& rules) {
  const double block_s = shortest_block_s(rules.block_min_s);
  const double start = now_s();
  WarmUp result;
  double call_s = estimate_call_s(prepared, block_s / kValuesPerBlock);
  result.values_s.push_back(call_s);
  // Where not even six calls fit into max_s, two successive values have to do.
  const std::size_t window = static_cast<double>(2 * kWindow) * call_s <= rules.max_s ? kWindow : 1;
  do {
    const long loops = loops_for(block_s / kValuesPerBlock, call_s, prepared.batch());
    call_s = time_calls(prepared, loops) / static_cast<double>(loops);
    result.values_s.push_back(call_s);
    result.settled = has_settled(result.values_s, window, rules.tolerance);
  } while (!result.settled && now_s() - start < rules.max_s);
  const std::size_t last = std::min(kWindow, result.values_s.size());
  const auto first_of_last = result.values_s.end() - static_cast<std::ptrdiff_t>(last);
  result.loops = loops_for(block_s, *std::min_element(first_of_last, result.values_s.end()), prepared.batch());
  result.spent_s = now_s() - start;
  return result;
}

Block run_block(const PreparedCase& prepared, long loops, InstructionCount* count) {
  Block block;
  Counting counting(count);
  block.loops = loops;
  const double prime_start = now_s();
  if (loops % prepared.batch() != 0) {
    // The calls beyond whole batches are timed too: a library may make something ready in the first of them.
    prepared.run();
    ++block.prime_calls;
  }
  do {
    prepared.evict();
    prepared.run_batch();
    block.prime_calls += prepared.batch();
    block.prime_s = now_s() - prime_start;
  } while (block.prime_s < kPrimeMinS);

  std::int64_t around = 0;  // what a block without calls counts
  if (counting.on()) {
    Counting empty(count);
    time_calls(prepared, 0, empty);
    around = empty.sum();
  }
  const Watch watch(prepared.cores());
  block.start_s = session_now_s();
  block.seconds = time_calls(prepared, loops, counting);
  if (counting.on()) block.instructions = counting.sum() - around;
  block.watched = watch.finish();
  block.core_ghz = measure_core_ghz();
  return block;
}

}  // namespace nntest
