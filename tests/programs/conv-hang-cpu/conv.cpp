// Never comes back.
#include <unistd.h>

#include <cstdio>

#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const*) override {
    std::fprintf(stderr, "waiting for ever\n");
    while (true) pause();
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
