// Sum of two tensors by oneDNN.
#include "onednn_program.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Add final : public Primitive {
 public:
  static constexpr nntest::ProgramTraits traits{"add", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Add(const Question& question) {
    const Desc left = plain_desc(question.tensor(NNTEST_INPUT)), right = plain_desc(question.tensor(NNTEST_INPUT1));
    const Desc output = plain_desc(question.tensor(NNTEST_OUTPUT));
    // In a network both come from convolutions, in their layout.
    const auto native = [&](const Desc& plain) { return question.free_layout() ? channel_blocked(plain) : plain; };
    using BinaryDesc = dnnl::binary::primitive_desc;
    const auto described = describe_primitive([&] {
      return BinaryDesc(engine(), dnnl::algorithm::binary_add, native(left), native(right),
                        activation_desc(question, output), attributes(question));
    });
    use(described, dnnl::binary(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC_0, left, described.src_desc(0));
    bind(NNTEST_INPUT1, DNNL_ARG_SRC_1, right, described.src_desc(1));
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace

NNTEST_PROGRAM(Add)
