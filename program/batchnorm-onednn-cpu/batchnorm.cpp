// Batch normalisation by oneDNN with known statistics: scale * (x - mean) / sqrt(variance + epsilon) + bias.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class BatchNorm final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"batchnorm", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit BatchNorm(const Question& question) : channels_(question.elements(NNTEST_BIAS)) {
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    const Desc bias = plain_desc(question.tensor(NNTEST_BIAS));
    // The input must have a layout of its own; in a network a blocked one comes from the layer before.
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    const float epsilon = static_cast<float>(question.parameter("CK_BATCHNORM_EPSILON_PPM")) * 1e-6f;
    using Flags = dnnl::normalization_flags;
    using NormalisationDesc = dnnl::batch_normalization_forward::primitive_desc;
    const auto described = describe_primitive([&] {
      return NormalisationDesc(engine(), dnnl::prop_kind::forward_inference, native, activation_desc(question, output),
                               epsilon, Flags::use_global_stats | Flags::use_scale | Flags::use_shift,
                               attributes(question));
    });
    use(described, dnnl::batch_normalization_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
    bind(NNTEST_BIAS, DNNL_ARG_SHIFT, bias, bias);
    constexpr int kRows[] = {DNNL_ARG_SCALE, DNNL_ARG_MEAN, DNNL_ARG_VARIANCE};
    for (std::size_t row = 0; row < std::size(kRows); ++row) {
      bind_part(NNTEST_WEIGHTS, kRows[row], bias, row * static_cast<std::size_t>(step()) * sizeof(float));
    }
  }

  std::vector<nntest::Native> natives() const override {
    auto natives = Primitive::natives();
    const auto bytes = 3 * step() * static_cast<std::int64_t>(sizeof(float));
    natives.push_back({NNTEST_WEIGHTS, bytes, false, "scale,mean,variance"});
    return natives;
  }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    if (role != NNTEST_WEIGHTS) {
      Primitive::reorder_in(role, plain, native);
      return;
    }
    const auto* rows = static_cast<const float*>(plain);
    auto* scale = static_cast<float*>(native);
    float *mean = scale + step(), *variance = mean + step();
    std::copy_n(rows, channels_, scale);
    std::copy_n(rows + channels_, channels_, mean);
    // The case gives the spread; variance = 1/2 + spread^2.
    const float* spread = rows + 2 * channels_;
    for (std::int64_t c = 0; c < channels_; ++c) variance[c] = 0.5f + spread[c] * spread[c];
  }

 private:
  // Each row begins at a cache line.
  std::int64_t step() const { return (channels_ + 15) / 16 * 16; }

  std::int64_t channels_;
};

}  // namespace

NNTEST_PROGRAM(BatchNorm)
