// One value of its output is wrong.
#include "../tiny_conv.h"

namespace {

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const* buffers) override {
    TinyConv::run(buffers);
    static_cast<float*>(buffers[NNTEST_OUTPUT])[outputs() - 1] += 1.0f;
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
