// Direct convolution by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Unsupported;

class DirectConv : public OpenClConvolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit DirectConv(const Question& question) : OpenClConvolution(question) {
    require_undilated_ungrouped();
    // validate() lets larger strides pass in NHWC, and configure() then knows no kernel
    const std::int64_t stride = std::max(window_.stride_h, window_.stride_w);
    if (question.channels_last() && stride > 2) {
      throw Unsupported("Arm Compute Library: stride " + std::to_string(stride) + " in NHWC; it has 1 and 2");
    }
    const acl::PadStrideInfo info = pad_stride(window_);
    require(acl::CLDirectConvolutionLayer::validate(input_->info(), weights_->info(), bias_->info(), output_->info(),
                                                    info));
    auto function = std::make_unique<acl::CLDirectConvolutionLayer>();
    function->configure(input_, weights_, bias_, output_, info);
    use(std::move(function), "CLDirectConvolutionLayer");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(DirectConv)
