#include "instructions.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>

#include "clock.h"
#include "count_request.h"
#include "failure.h"

namespace nntest {

InstructionCount::InstructionCount() {
  if (std::getenv("NNTEST_COUNT_INSTRUCTIONS") == nullptr) return;
  if (pipe2(pipe_, O_CLOEXEC | O_NONBLOCK) != 0) throw Failure("instructions: the system gives no pipe");
  // What asking and reading the clock take, the same every time; at the first, functions are still being looked up.
  for (int time = 0; time < 2; ++time) {
    own_ = 0;
    begin();
    now_s();
    now_s();
    own_ = end();
  }
}

InstructionCount::~InstructionCount() {
  if (!on()) return;
  close(pipe_[0]);
  close(pipe_[1]);
}

void InstructionCount::begin() {
  std::int64_t stale;
  while (read(pipe_[0], &stale, sizeof stale) > 0) continue;
  ask();
}

std::int64_t InstructionCount::end() {
  ask();
  const std::int64_t first = answer();
  return answer() - first - own_;
}

void InstructionCount::ask() const { syscall(SYS_prctl, kCountRequest, pipe_[1], 0, 0, 0); }

std::int64_t InstructionCount::answer() const {
  std::int64_t sum = 0;
  if (read(pipe_[0], &sum, sizeof sum) != sizeof sum) {
    throw Failure("instructions: nobody counts them; expected an emulator with the plugin that does");
  }
  return sum;
}

}  // namespace nntest
