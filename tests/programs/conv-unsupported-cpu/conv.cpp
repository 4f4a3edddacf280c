// Cannot do any case, and says so.
#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  static void check(const nntest::Question&) { throw nntest::Unsupported("this operator supports nothing"); }

};

}  // namespace

NNTEST_PROGRAM(Conv)
