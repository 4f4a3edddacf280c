// How many instructions a block's calls are, where an emulator counts them (plugins/count_instructions.cpp).
#pragma once

#include <cstdint>

namespace nntest {

// Counts of all threads of this process between begin() and end(), without those of asking. NNTEST_COUNT_INSTRUCTIONS
// in the environment says that there is an emulator that counts; without it nothing is done.
class InstructionCount {
 public:
  InstructionCount();
  ~InstructionCount();
  InstructionCount(const InstructionCount&) = delete;
  InstructionCount& operator=(const InstructionCount&) = delete;

  bool on() const { return pipe_[0] >= 0; }
  void begin();

  // Since begin(). Throws Failure where nobody counts.
  std::int64_t end();

 private:
  void ask() const;
  std::int64_t answer() const;

  int pipe_[2] = {-1, -1};
  std::int64_t own_ = 0;
};

}  // namespace nntest
