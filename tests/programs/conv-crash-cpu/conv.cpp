// Crashes in its first run.
#include <csignal>

#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const*) override { std::raise(SIGSEGV); }
};

}  // namespace

NNTEST_PROGRAM(Conv)
