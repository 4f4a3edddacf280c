// An image as one row in NCHW order, without any library: a copy, or from NHWC a transposition.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class Flatten final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"flatten", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Flatten(const Question& question)
      : shape_(question.tensor(NNTEST_INPUT)),
        channels_last_(question.channels_last()),
        natives_(nntest::plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    const std::int64_t channels = shape_.dims[1], pixels = shape_.dims[2] * shape_.dims[3];
    if (!channels_last_) {
      std::copy_n(input, shape_.dims[0] * channels * pixels, output);
      return;
    }
    for (std::int64_t image = 0; image < shape_.dims[0]; ++image, input += channels * pixels) {
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        for (std::int64_t pixel = 0; pixel < pixels; ++pixel) *output++ = input[pixel * channels + channel];
      }
    }
  }

  const char* implementation() const override { return channels_last_ ? "transpose" : "copy"; }

 private:
  nntest_tensor shape_;
  bool channels_last_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Flatten)
