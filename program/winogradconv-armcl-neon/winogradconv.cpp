// Winograd convolution by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class WinogradConv final : public NeonConvolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit WinogradConv(const Question& question) : NeonConvolution(question) {
    require_undilated_ungrouped();
    const acl::PadStrideInfo info = pad_stride(window_);
    // the library compares the bias's type before it refuses its input's
    const auto* bias = question.dtype() == "float32" ? bias_->info() : nullptr;
    require(acl::NEWinogradConvolutionLayer::validate(input_->info(), weights_->info(), bias, output_->info(), info));
    auto function = std::make_unique<acl::NEWinogradConvolutionLayer>();
    function->configure(input_, weights_, bias_, output_, info);
    use(std::move(function), "NEWinogradConvolutionLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(WinogradConv)
