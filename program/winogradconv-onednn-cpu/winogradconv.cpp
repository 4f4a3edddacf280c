// Convolution by oneDNN's Winograd algorithm, where this version has a kernel of it.
#include "onednn_convolution.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

// Version 3 has none for x86-64 any more; on 64-bit ARM the library may pass the case on to the Compute Library.
[[noreturn]] void refuse() {
  const dnnl_version_t* version = dnnl_version();
  char text[128];
  std::snprintf(text, sizeof text, "oneDNN %d.%d.%d has no Winograd kernel for this case on this processor",
                version->major, version->minor, version->patch);
  throw nntest::Unsupported(text);
}

ConvolutionDesc find_winograd(const Question& question, const ConvolutionDims& dims) {
  try {
    return describe_convolution(question, dims, dnnl::algorithm::convolution_winograd, question.free_layout());
  } catch (const nntest::Unsupported&) {
    refuse();
  }
}

class WinogradConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", kFusions, describe};

  static void check(const Question&) {}

  explicit WinogradConv(const Question& question) {
    const ConvolutionDims dims{nntest::Window::of(question, "CK_CONV"), question.parameter("CK_CONV_GROUPS")};
    use_convolution(question, dims, find_winograd(question, dims));
  }
};

}  // namespace

NNTEST_PROGRAM(WinogradConv)
