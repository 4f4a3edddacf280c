// Batch normalisation with known statistics, without any library: scale * (x - mean) / sqrt(variance + epsilon) + bias.
#include <cmath>

#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class BatchNorm final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"batchnorm", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit BatchNorm(const Question& question)
      : shape_(question.tensor(NNTEST_INPUT)),
        channels_last_(question.channels_last()),
        epsilon_(static_cast<float>(question.parameter("CK_BATCHNORM_EPSILON_PPM")) * 1e-6f),
        natives_(nntest::plain_natives(question)) {
    for (Native& native : natives_) {
      if (native.role == NNTEST_WEIGHTS) native.plain = false, native.tag = "factor,mean";
    }
  }

  std::vector<Native> natives() const override { return natives_; }

  // Scale, mean and spread become one factor and the mean; variance = 1/2 + spread^2.
  void reorder_in(nntest_role, const void* plain, void* native) override {
    const std::int64_t channels = shape_.dims[1];
    const auto* scale = static_cast<const float*>(plain);
    const float *mean = scale + channels, *spread = mean + channels;
    auto* factor = static_cast<float*>(native);
    for (std::int64_t c = 0; c < channels; ++c) {
      factor[c] = scale[c] / std::sqrt(0.5f + spread[c] * spread[c] + epsilon_);
      factor[channels + c] = mean[c];
    }
  }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    const auto* factor = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    const auto* bias = static_cast<const float*>(buffers[NNTEST_BIAS]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    const std::int64_t channels = shape_.dims[1], pixels = shape_.dims[2] * shape_.dims[3];
    const float* mean = factor + channels;
    if (channels_last_) {
      for (std::int64_t pixel = 0; pixel < shape_.dims[0] * pixels; ++pixel) {
        for (std::int64_t c = 0; c < channels; ++c) *output++ = (*input++ - mean[c]) * factor[c] + bias[c];
      }
      return;
    }
    for (std::int64_t plane = 0; plane < shape_.dims[0] * channels; ++plane) {
      const std::int64_t c = plane % channels;
      const float own_mean = mean[c], own_factor = factor[c], own_bias = bias[c];
      for (std::int64_t pixel = 0; pixel < pixels; ++pixel) *output++ = (*input++ - own_mean) * own_factor + own_bias;
    }
  }

  const char* implementation() const override { return channels_last_ ? "loop:nhwc" : "loop:nchw"; }

 private:
  nntest_tensor shape_;
  bool channels_last_;
  float epsilon_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(BatchNorm)
