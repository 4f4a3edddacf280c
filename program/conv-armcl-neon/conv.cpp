// Convolution by Arm Compute Library on Neon, with the algorithm of its own choice.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

const char* method_name(acl::ConvolutionMethod method) {
  switch (method) {
    case acl::ConvolutionMethod::GEMM: return "NEConvolutionLayer:gemm";
    case acl::ConvolutionMethod::DIRECT: return "NEConvolutionLayer:direct";
    case acl::ConvolutionMethod::WINOGRAD: return "NEConvolutionLayer:winograd";
    case acl::ConvolutionMethod::FFT: return "NEConvolutionLayer:fft";
    default: return "NEConvolutionLayer";
  }
}

class Conv final : public NeonConvolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Conv(const Question& question) : NeonConvolution(question) {
    const acl::PadStrideInfo info = pad_stride(window_);
    const acl::Size2D spread = dilation(window_);
    require(acl::NEConvolutionLayer::validate(input_->info(), weights_->info(), bias_->info(), output_->info(), info,
                                              acl::WeightsInfo(), spread, acl::ActivationLayerInfo(), false, groups_));
    const auto method = acl::NEConvolutionLayer::get_convolution_method(input_->info(), weights_->info(),
                                                                        output_->info(), info, acl::WeightsInfo(), spread);
    auto function = std::make_unique<acl::NEConvolutionLayer>();
    function->configure(input_, weights_, bias_, output_, info, acl::WeightsInfo(), spread, acl::ActivationLayerInfo(),
                        false, groups_);
    use(std::move(function), method_name(method));
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
