// Does not compile.
#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const*) override { this is no C++; }
};

}  // namespace

NNTEST_PROGRAM(Conv)
