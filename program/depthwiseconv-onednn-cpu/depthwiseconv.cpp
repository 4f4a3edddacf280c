// Depthwise convolution by oneDNN: as many groups as channels.
#include "onednn_convolution.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class DepthwiseConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,NHWC,auto", kFusions, describe};

  static void check(const Question&) {}

  explicit DepthwiseConv(const Question& question) {
    const ConvolutionDims dims{nntest::Window::of(question, "CK_DEPTHWISE"), question.dims(NNTEST_WEIGHTS)[0]};
    constexpr auto kLibrarysChoice = dnnl::algorithm::convolution_auto;
    use_convolution(question, dims, describe_convolution(question, dims, kLibrarysChoice, question.free_layout()));
  }
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
