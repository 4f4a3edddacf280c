// Depthwise convolution by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Window;

class DepthwiseConv final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit DepthwiseConv(const Question& question) : Function(question) {
    const Window window = Window::of(question, "CK_DEPTHWISE");
    const acl::DataLayout layout = data_layout(question);
    const auto filters = question.dims(NNTEST_WEIGHTS);  // C, 1, H, W
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* weights = bind(question, NNTEST_WEIGHTS, {filters[0], filters[2], filters[3]},
                           question.channels_last() ? Order{0, 2, 1} : Order{2, 1, 0}, layout);
    Tensor* bias = bind(question, NNTEST_BIAS, {0}, layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const acl::PadStrideInfo info = pad_stride(window);
    require(acl::NEDepthwiseConvolutionLayer::validate(input->info(), weights->info(), bias->info(), output->info(),
                                                       info, 1, acl::ActivationLayerInfo(), dilation(window)));
    auto function = std::make_unique<acl::NEDepthwiseConvolutionLayer>();
    function->configure(input, weights, bias, output, info, 1, acl::ActivationLayerInfo(), dilation(window));
    use(std::move(function), "NEDepthwiseConvolutionLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
