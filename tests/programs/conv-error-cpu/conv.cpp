// Answers with an error.
#include <stdexcept>

#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const*) override { throw std::runtime_error("the library returned status 7"); }
};

}  // namespace

NNTEST_PROGRAM(Conv)
