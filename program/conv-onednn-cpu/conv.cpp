// Convolution by oneDNN, by the algorithm and the kernel that the library chooses.
#include "onednn_convolution.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

class Conv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", kFusions, describe};

  static void check(const Question&) {}

  explicit Conv(const Question& question) {
    const ConvolutionDims dims{nntest::Window::of(question, "CK_CONV"), question.parameter("CK_CONV_GROUPS")};
    constexpr auto kLibrarysChoice = dnnl::algorithm::convolution_auto;
    use_convolution(question, dims, describe_convolution(question, dims, kLibrarysChoice, question.free_layout()));
  }
};

}  // namespace

NNTEST_PROGRAM(Conv)
