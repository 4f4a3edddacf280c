// Matrix product by oneDNN: output = alpha * input * weights + beta * input1.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Gemm final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,auto", "", describe};

  static void check(const Question&) {}

  explicit Gemm(const Question& question) {
    const auto alpha = static_cast<float>(question.parameter("CK_GEMM_ALPHA"));
    const auto beta = static_cast<float>(question.parameter("CK_GEMM_BETA"));
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), weights = plain_desc(question.tensor(NNTEST_WEIGHTS));
    const Desc output = plain_desc(question.tensor(NNTEST_OUTPUT));
    dnnl::primitive_attr attributes = nntest::onednn::attributes(question);
    attributes.set_post_ops(scaled_sum(alpha, beta, output));
    using ProductDesc = dnnl::matmul::primitive_desc;
    const auto described = describe_primitive([&] {
      return ProductDesc(engine(), activation_desc(question, input), any_layout(weights),
                         beta == 0 ? activation_desc(question, output) : output, attributes);
    });
    use(described, dnnl::matmul(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_WEIGHTS, DNNL_ARG_WEIGHTS, weights, described.weights_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
    if (beta != 0) {
      const int position = alpha == beta ? 0 : 1;
      bind(NNTEST_INPUT1, DNNL_ARG_ATTR_MULTIPLE_POST_OP(position) | DNNL_ARG_SRC_1, output, output);
    }
  }

 private:
  // An operand of its own, because the fused sum would add to what the previous call left in the output:
  // alpha * product + beta * operand = beta * (alpha / beta * product + operand).
  static dnnl::post_ops scaled_sum(float alpha, float beta, const Desc& operand) {
    constexpr auto kLinear = dnnl::algorithm::eltwise_linear;
    dnnl::post_ops fused;
    if (beta == 0) {
      if (alpha != 1) fused.append_eltwise(kLinear, alpha, 0.0f);
      return fused;
    }
    if (alpha != beta) fused.append_eltwise(kLinear, alpha / beta, 0.0f);
    fused.append_binary(dnnl::algorithm::binary_add, operand);
    if (beta != 1) fused.append_eltwise(kLinear, beta, 0.0f);
    return fused;
  }
};

}  // namespace

NNTEST_PROGRAM(Gemm)
