// Ends the process by itself.
#include <cstdlib>

#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const*) override { std::exit(3); }
};

}  // namespace

NNTEST_PROGRAM(Conv)
