// Reshape by Arm Compute Library on OpenCL: the same elements in other dimensions.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Unsupported;

class Reshape : public OpenClFunction {
 public:
  static constexpr nntest::ProgramTraits traits{"reshape", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Reshape(const Question& question) : OpenClFunction(question) {
    if (question.channels_last()) throw Unsupported("layout NHWC: elements keep their order in NCHW only");
    constexpr auto layout = acl::DataLayout::NCHW;
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    require(acl::CLReshapeLayer::validate(input->info(), output->info()));
    auto function = std::make_unique<acl::CLReshapeLayer>();
    function->configure(input, output);
    use(std::move(function), "CLReshapeLayer");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Reshape)
