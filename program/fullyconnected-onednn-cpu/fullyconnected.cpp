// Fully connected layer by oneDNN's inner product.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class FullyConnected final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,NHWC,auto", kFusions, describe};

  static void check(const Question& question) {
    const auto output = question.dims(NNTEST_OUTPUT);
    if (question.channels_last() && output[2] * output[3] != 1) {
      throw nntest::Unsupported("layout NHWC with an output that has rows and columns");
    }
  }

  explicit FullyConnected(const Question& question) {
    // Images in row-major order are rows of a matrix; else the product runs over channels, rows and columns.
    const bool images = question.channels_last();
    const auto plain = question.dims(NNTEST_INPUT);
    const std::int64_t inner = plain[1] * plain[2] * plain[3], outer = question.elements(NNTEST_BIAS);
    const Desc input = images ? plain_desc(question.tensor(NNTEST_INPUT)) : row_major({plain[0], inner});
    const Desc weights = images ? plain_desc(question.tensor(NNTEST_WEIGHTS)) : row_major({outer, inner});
    const Desc bias = plain_desc(question.tensor(NNTEST_BIAS)), output = row_major({plain[0], outer});
    using ProductDesc = dnnl::inner_product_forward::primitive_desc;
    const auto described = describe_primitive([&] {
      return ProductDesc(engine(), dnnl::prop_kind::forward_inference, activation_desc(question, input),
                         any_layout(weights), bias, activation_desc(question, output), attributes(question, output));
    });
    use(described, dnnl::inner_product_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_WEIGHTS, DNNL_ARG_WEIGHTS, weights, described.weights_desc());
    bind(NNTEST_BIAS, DNNL_ARG_BIAS, bias, described.bias_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
    bind_fused(question, output, described);
  }
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
