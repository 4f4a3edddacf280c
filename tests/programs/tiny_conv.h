// A correct convolution for programs that go wrong in one way each.
#pragma once

#include "nntest_program.h"

namespace nntest {

inline const char* describe_tiny() {
  return R"({"library":"plain-cpu","version":"1.0.0","build":"test","threading":"none","isa":""})";
}

class TinyConv : public Operator {
 public:
  static constexpr ProgramTraits traits{"conv", "NCHW,auto", "", describe_tiny};

  static void check(const Question&) {}

  explicit TinyConv(const Question& question)
      : window_(Window::of(question, "CK_CONV")),
        in_(question.tensor(NNTEST_INPUT)),
        out_(question.tensor(NNTEST_OUTPUT)),
        groups_(question.parameter("CK_CONV_GROUPS")),
        natives_(plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* weights = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    const auto* bias = static_cast<const float*>(buffers[NNTEST_BIAS]);
    auto* out = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    const std::int64_t* dims = out_.dims;
    for (std::int64_t at = 0; at < dims[0] * dims[1] * dims[2] * dims[3]; ++at) {
      const std::int64_t x = at % dims[3], y = at / dims[3] % dims[2], k = at / (dims[3] * dims[2]) % dims[1];
      const auto* image = static_cast<const float*>(buffers[NNTEST_INPUT]) + at / (dims[3] * dims[2] * dims[1]) * in_.strides[0];
      out[at] = bias[k] + window_sum(image, weights, k, y, x);
    }
  }

  const char* implementation() const override { return "tiny"; }

 protected:
  std::int64_t outputs() const { return out_.dims[0] * out_.strides[0]; }

 private:
  float window_sum(const float* image, const float* weights, std::int64_t k, std::int64_t y, std::int64_t x) const {
    const std::int64_t group_in = in_.dims[1] / groups_, first = k / (out_.dims[1] / groups_) * group_in;
    float sum = 0;
    for (std::int64_t c = 0; c < group_in; ++c) {
      for (std::int64_t tap = 0; tap < window_.kernel_h * window_.kernel_w; ++tap) {
        const std::int64_t in_y = y * window_.stride_h - window_.top + tap / window_.kernel_w * window_.dilation_h;
        const std::int64_t in_x = x * window_.stride_w - window_.left + tap % window_.kernel_w * window_.dilation_w;
        if (in_y < 0 || in_y >= in_.dims[2] || in_x < 0 || in_x >= in_.dims[3]) continue;
        sum += image[(first + c) * in_.strides[1] + in_y * in_.strides[2] + in_x] *
               weights[(k * group_in + c) * window_.kernel_h * window_.kernel_w + tap];
      }
    }
    return sum;
  }

  Window window_;
  nntest_tensor in_, out_;
  std::int64_t groups_;
  std::vector<Native> natives_;
};

}  // namespace nntest
