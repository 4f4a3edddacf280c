// Prints a lot, where answers must not be disturbed.
#include <cstdio>

#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const* buffers) override {
    // More than a pipe holds, on both streams, some of it looking like an answer, without a line end at its end.
    for (int line = 0; line < 2000; ++line) {
      std::printf("{\"ok\":true,\"seconds\":0.0} \xff\x01 garbage %d\n", line);
      std::fprintf(stderr, "warning: \x1b[31m%d\x1b[0m from the library\n", line);
    }
    std::printf("no line end");
    TinyConv::run(buffers);
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
