// Convolution by oneDNN's direct algorithm: no Winograd, and no kernel that unfolds the input for a matrix product.
#include "onednn_convolution.h"

namespace {

using namespace nntest::onednn;
using nntest::Question;

bool is_direct(const ConvolutionDesc& described) {
  const std::string kernel = described.impl_info_str();
  return kernel.find("gemm") == std::string::npos && kernel.rfind("ref", 0) != 0;
}

// The first kernel that is direct and meant for use; the reference is neither fast nor ever chosen.
std::optional<ConvolutionDesc> find_direct(const Question& question, const ConvolutionDims& dims, bool free_layout) {
  ConvolutionDesc described = describe_convolution(question, dims, dnnl::algorithm::convolution_direct, free_layout);
  while (!is_direct(described)) {
    if (!described.next_impl()) return std::nullopt;
  }
  return described;
}

class DirectConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", kFusions, describe};

  static void check(const Question&) {}

  explicit DirectConv(const Question& question) {
    const ConvolutionDims dims{nntest::Window::of(question, "CK_CONV"), question.parameter("CK_CONV_GROUPS")};
    auto described = find_direct(question, dims, question.free_layout());
    if (!described) {
      throw nntest::Unsupported("oneDNN has no direct kernel for this case" +
                                std::string(question.free_layout() ? "" : " in " + question.layout() + "; try layout auto"));
    }
    use_convolution(question, dims, *described);
  }
};

}  // namespace

NNTEST_PROGRAM(DirectConv)
