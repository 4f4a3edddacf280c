// Reshape by Arm Compute Library on Neon: the same elements in other dimensions.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Unsupported;

class Reshape final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"reshape", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Reshape(const Question& question) : Function(question) {
    if (question.channels_last()) throw Unsupported("layout NHWC: elements keep their order in NCHW only");
    constexpr auto layout = acl::DataLayout::NCHW;
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    require(acl::NEReshapeLayer::validate(input->info(), output->info()));
    auto function = std::make_unique<acl::NEReshapeLayer>();
    function->configure(input, output);
    use(std::move(function), "NEReshapeLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(Reshape)
