// Depthwise convolution by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Window;

class DepthwiseConv : public OpenClFunction {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit DepthwiseConv(const Question& question) : OpenClFunction(question) {
    const Window window = Window::of(question, "CK_DEPTHWISE");
    const acl::DataLayout layout = data_layout(question);
    const auto filters = question.dims(NNTEST_WEIGHTS);  // C, 1, H, W
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* weights = bind(question, NNTEST_WEIGHTS, {filters[0], filters[2], filters[3]},
                           question.channels_last() ? Order{0, 2, 1} : Order{2, 1, 0}, layout);
    Tensor* bias = bind(question, NNTEST_BIAS, {0}, layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const acl::PadStrideInfo info = pad_stride(window);
    require(acl::CLDepthwiseConvolutionLayer::validate(input->info(), weights->info(), bias->info(), output->info(),
                                                       info, 1, acl::ActivationLayerInfo(), dilation(window)));
    auto function = std::make_unique<acl::CLDepthwiseConvolutionLayer>();
    function->configure(input, weights, bias, output, info, 1, acl::ActivationLayerInfo(), dilation(window));
    use(std::move(function), "CLDepthwiseConvolutionLayer");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(DepthwiseConv)
