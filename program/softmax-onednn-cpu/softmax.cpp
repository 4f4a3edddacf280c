// Softmax over the channels by oneDNN.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Softmax final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"softmax", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Softmax(const Question& question) {
    constexpr int kChannels = 1;
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    using SoftmaxDesc = dnnl::softmax_forward::primitive_desc;
    const auto described = describe_primitive([&] {
      return SoftmaxDesc(engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, native,
                         activation_desc(question, output), kChannels, attributes(question));
    });
    use(described, dnnl::softmax_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace

NNTEST_PROGRAM(Softmax)
