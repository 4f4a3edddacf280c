// Warm-up with calibration, and the timed block: the only place where a call of an operator is timed for a sample.
#pragma once

#include <cstdint>
#include <vector>

#include "instructions.h"
#include "prepared_case.h"
#include "watch.h"

namespace nntest {

struct WarmUpRules {
  double max_s = 0.25;
  double tolerance = 0.02;
  double block_min_s = 1e-3;
};

struct WarmUp {
  std::vector<double> values_s;  // seconds of one call, in order
  bool settled = false;
  long loops = 1;
  double spent_s = 0;
};

struct Block {
  double seconds = 0;  // all loops together
  long loops = 1;
  long prime_calls = 0;
  double prime_s = 0;
  double start_s = 0;  // CLOCK_MONOTONIC
  Watched watched;
  double core_ghz = -1;
  std::int64_t instructions = -1;  // of the loops, all together; negative where nobody counts
};

// Call until call times stop drifting, at least twice and for no more than max_s once that is done; then choose the
// loops so that a block lasts block_min_s and 1000 clock reads, or is one call.
WarmUp warm_up(const PreparedCase& prepared, const WarmUpRules& rules);

// Prime (untimed), then time `loops` calls: back to back when warm, singly after an eviction each when cold. Their
// instructions are counted by `count`, where it is on.
Block run_block(const PreparedCase& prepared, long loops, InstructionCount* count = nullptr);

}  // namespace nntest
