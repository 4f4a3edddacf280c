// Local response normalisation across channels by oneDNN.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Lrn final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"lrn", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Lrn(const Question& question) {
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    // The input must have a layout of its own; in a network a blocked one comes from the layer before.
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    // alpha is divided by the size there too.
    const auto alpha = static_cast<float>(static_cast<double>(question.parameter("CK_LRN_ALPHA_PPM")) / 1e6);
    const float beta = static_cast<float>(question.parameter("CK_LRN_BETA_PERCENT")) / 100.0f;
    const auto k = static_cast<float>(question.parameter("CK_LRN_K"));
    using LrnDesc = dnnl::lrn_forward::primitive_desc;
    const auto described = describe_primitive([&] {
      return LrnDesc(engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels, native,
                     activation_desc(question, output), question.parameter("CK_LRN_SIZE"), alpha, beta, k,
                     attributes(question));
    });
    use(described, dnnl::lrn_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace

NNTEST_PROGRAM(Lrn)
