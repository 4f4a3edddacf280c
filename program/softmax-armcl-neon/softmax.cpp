// Softmax over the channels by Arm Compute Library on Neon, which wants them innermost.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Softmax final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"softmax", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Softmax(const Question& question) : Function(question) {
    const Order channels_innermost{1, 3, 2, 0};
    Tensor* input = bind(question, NNTEST_INPUT, channels_innermost, acl::DataLayout::NHWC);
    Tensor* output = bind(question, NNTEST_OUTPUT, channels_innermost, acl::DataLayout::NHWC);
    require(acl::NESoftmaxLayer::validate(input->info(), output->info()));
    auto function = std::make_unique<acl::NESoftmaxLayer>();
    function->configure(input, output);
    use(std::move(function), "NESoftmaxLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(Softmax)
