// Softmax over the channels without any library.
#include <cmath>

#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class Softmax final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"softmax", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Softmax(const Question& question)
      : shape_(question.tensor(NNTEST_INPUT)), natives_(nntest::plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    for (std::int64_t image = 0; image < shape_.dims[0]; ++image) {
      for (std::int64_t y = 0; y < shape_.dims[2]; ++y) {
        for (std::int64_t x = 0; x < shape_.dims[3]; ++x) {
          const std::int64_t pixel = image * shape_.strides[0] + y * shape_.strides[2] + x * shape_.strides[3];
          softmax(input + pixel, output + pixel);
        }
      }
    }
  }

  const char* implementation() const override { return "three passes"; }

 private:
  // The largest value is taken off first, so that no exponential overflows.
  void softmax(const float* in, float* out) const {
    const std::int64_t channels = shape_.dims[1], step = shape_.strides[1];
    float largest = in[0];
    for (std::int64_t c = 1; c < channels; ++c) largest = std::max(largest, in[c * step]);
    float sum = 0;
    for (std::int64_t c = 0; c < channels; ++c) sum += out[c * step] = std::exp(in[c * step] - largest);
    for (std::int64_t c = 0; c < channels; ++c) out[c * step] /= sum;
  }

  nntest_tensor shape_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Softmax)
