// Keeps account of itself in twins (profile_twins.h), which leave another output; the first of them fails.
#include <stdexcept>

#include "../tiny_conv.h"
#include "profile_twins.h"

namespace {

class Twin final : public nntest::CountingSession {
 public:
  void run(const std::vector<const void*>&, void* output) override {
    static_cast<float*>(output)[0] += 1;
  }

  nntest::Kernels kernels(std::size_t runs) override { return {{"twin", static_cast<double>(runs)}}; }

 private:
};

class Conv final : public nntest::TinyConv {
 public:
  using TinyConv::TinyConv;

  void run(void* const* buffers) override {
    nntest::Twins& twins = nntest::Twins::get();
    if (!twins.wanted()) return TinyConv::run(buffers);
    twins.run(this, {buffers[NNTEST_INPUT]}, buffers[NNTEST_OUTPUT], [] {
      static int made = 0;
      if (++made == 1) throw std::runtime_error("the library returned status 7");
      return std::make_unique<Twin>();
    });
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
