// Convolution by Arm Compute Library on OpenCL, with the algorithm of its own choice.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

const char* method_name(acl::ConvolutionMethod method) {
  switch (method) {
    case acl::ConvolutionMethod::GEMM: return "CLConvolutionLayer:gemm";
    case acl::ConvolutionMethod::DIRECT: return "CLConvolutionLayer:direct";
    case acl::ConvolutionMethod::WINOGRAD: return "CLConvolutionLayer:winograd";
    case acl::ConvolutionMethod::FFT: return "CLConvolutionLayer:fft";
    default: return "CLConvolutionLayer";
  }
}

class Conv : public OpenClConvolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Conv(const Question& question) : OpenClConvolution(question) {
    const acl::PadStrideInfo info = pad_stride(window_);
    const acl::Size2D spread = dilation(window_);
    require(acl::CLConvolutionLayer::validate(input_->info(), weights_->info(), bias_->info(), output_->info(), info,
                                              acl::WeightsInfo(), spread, acl::ActivationLayerInfo(), false, groups_));
    const auto method = acl::CLConvolutionLayer::get_convolution_method(
        input_->info(), weights_->info(), output_->info(), info, acl::WeightsInfo(), acl::ActivationLayerInfo(),
        acl::CLScheduler::get().target(), spread);
    auto function = std::make_unique<acl::CLConvolutionLayer>();
    function->configure(input_, weights_, bias_, output_, info, acl::WeightsInfo(), spread, acl::ActivationLayerInfo(),
                        false, groups_);
    use(std::move(function), method_name(method));
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Conv)
