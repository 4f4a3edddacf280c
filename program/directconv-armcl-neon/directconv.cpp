// Direct convolution by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Unsupported;

class DirectConv final : public NeonConvolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit DirectConv(const Question& question) : NeonConvolution(question) {
    require_undilated_ungrouped();
    // validate() lets other sizes pass in NCHW, and configure() then knows no kernel
    const std::int64_t size = window_.kernel_w;
    if (!question.channels_last() && size != 1 && size != 3 && size != 5) {
      throw Unsupported("Arm Compute Library: kernel " + std::to_string(size) + " in NCHW; it has 1, 3 and 5");
    }
    const acl::PadStrideInfo info = pad_stride(window_);
    require(acl::NEDirectConvolutionLayer::validate(input_->info(), weights_->info(), bias_->info(), output_->info(),
                                                    info));
    auto function = std::make_unique<acl::NEDirectConvolutionLayer>();
    function->configure(input_, weights_, bias_, output_, info);
    use(std::move(function), "NEDirectConvolutionLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(DirectConv)
