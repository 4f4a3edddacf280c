// Does what it should.
#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;
};

}  // namespace

NNTEST_PROGRAM(Conv)
