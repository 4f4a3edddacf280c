// Softmax over the channels by Arm Compute Library on OpenCL, which wants them innermost.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Softmax : public OpenClFunction {
 public:
  static constexpr nntest::ProgramTraits traits{"softmax", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Softmax(const Question& question) : OpenClFunction(question) {
    const Order channels_innermost{1, 3, 2, 0};
    Tensor* input = bind(question, NNTEST_INPUT, channels_innermost, acl::DataLayout::NHWC);
    Tensor* output = bind(question, NNTEST_OUTPUT, channels_innermost, acl::DataLayout::NHWC);
    require(acl::CLSoftmaxLayer::validate(input->info(), output->info()));
    auto function = std::make_unique<acl::CLSoftmaxLayer>();
    function->configure(input, output);
    use(std::move(function), "CLSoftmaxLayer");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Softmax)
