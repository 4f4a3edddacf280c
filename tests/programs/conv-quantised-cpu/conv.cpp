// A convolution of uint8, exact but for the rounding of its results, in either layout.
#include <cmath>

#include "../tiny_conv.h"

namespace {

using nntest::Native;
using nntest::Question;

class Conv final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", nntest::describe_tiny, "uint8"};

  static void check(const Question&) {}

  explicit Conv(const Question& question)
      : window_(nntest::Window::of(question, "CK_CONV")),
        in_(question.tensor(NNTEST_INPUT)),
        weights_(question.tensor(NNTEST_WEIGHTS)),
        out_(question.tensor(NNTEST_OUTPUT)),
        input_zero_(in_.zero_points[0]),
        weights_zero_(weights_.zero_points[0]),
        output_zero_(out_.zero_points[0]),
        factor_(double{in_.scales[0]} * weights_.scales[0] / out_.scales[0]),
        natives_(plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* bias = static_cast<const std::int32_t*>(buffers[NNTEST_BIAS]);
    auto* out = static_cast<std::uint8_t*>(buffers[NNTEST_OUTPUT]);
    const auto& [n, k, h, w] = *reinterpret_cast<const std::int64_t(*)[4]>(out_.dims);
    for (std::int64_t at = 0; at < n * k * h * w; ++at) {
      const std::int64_t x = at % w, y = at / w % h, filter = at / (w * h) % k, image = at / (w * h * k);
      const double sum = static_cast<double>(bias[filter] + window_sum(buffers, image, filter, y, x));
      const double stored = std::round(sum * factor_) + output_zero_;
      out[place(out_, image, filter, y, x)] = static_cast<std::uint8_t>(std::min(255.0, std::max(0.0, stored)));
    }
  }

  const char* implementation() const override { return "tiny quantised"; }

 private:
  static std::int64_t place(const nntest_tensor& t, std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
    return a * t.strides[0] + b * t.strides[1] + c * t.strides[2] + d * t.strides[3];
  }

  std::int64_t window_sum(void* const* buffers, std::int64_t image, std::int64_t filter, std::int64_t y,
                          std::int64_t x) const {
    const auto* input = static_cast<const std::uint8_t*>(buffers[NNTEST_INPUT]);
    const auto* weights = static_cast<const std::uint8_t*>(buffers[NNTEST_WEIGHTS]);
    std::int64_t sum = 0;
    for (std::int64_t c = 0; c < in_.dims[1]; ++c) {
      for (std::int64_t row = 0; row < window_.kernel_h; ++row) {
        for (std::int64_t column = 0; column < window_.kernel_w; ++column) {
          const std::int64_t in_y = y * window_.stride_h - window_.top + row * window_.dilation_h;
          const std::int64_t in_x = x * window_.stride_w - window_.left + column * window_.dilation_w;
          if (in_y < 0 || in_y >= in_.dims[2] || in_x < 0 || in_x >= in_.dims[3]) continue;
          sum += (input[place(in_, image, c, in_y, in_x)] - input_zero_) *
                 (weights[place(weights_, filter, c, row, column)] - weights_zero_);
        }
      }
    }
    return sum;
  }

  nntest::Window window_;
  nntest_tensor in_, weights_, out_;
  int input_zero_, weights_zero_, output_zero_;
  double factor_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Conv)
