// Rectified linear unit by oneDNN.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Relu final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"relu", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Relu(const Question& question) {
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    // The input must have a layout of its own; in a network a blocked one comes from the layer before.
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    using EltwiseDesc = dnnl::eltwise_forward::primitive_desc;
    const auto described = describe_primitive([&] {
      return EltwiseDesc(engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::eltwise_relu, native,
                         activation_desc(question, output), 0.0f, 0.0f, attributes(question));
    });
    use(described, dnnl::eltwise_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace

NNTEST_PROGRAM(Relu)
