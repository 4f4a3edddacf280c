// Its output is a product too small for a normal number, computed by the driver's thread and by one of its own.
#include <algorithm>
#include <thread>

#include "../tiny_conv.h"

namespace {

float tiny_product() {
  volatile float small = 1e-30f;
  return small * 1e-9f;
}

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const* buffers) override {
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    std::fill_n(output, outputs() / 2, tiny_product());
    std::thread([&] { std::fill(output + outputs() / 2, output + outputs(), tiny_product()); }).join();
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
