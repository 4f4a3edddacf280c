// Matrix product by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Gemm final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit Gemm(const Question& question) : Function(question) {
    constexpr auto layout = acl::DataLayout::NCHW;
    const auto alpha = static_cast<float>(question.parameter("CK_GEMM_ALPHA"));
    const auto beta = static_cast<float>(question.parameter("CK_GEMM_BETA"));
    Tensor* left = bind(question, NNTEST_INPUT, {1, 0}, layout);
    Tensor* right = bind(question, NNTEST_WEIGHTS, {1, 0}, layout);
    Tensor* added = question.has(NNTEST_INPUT1) ? bind(question, NNTEST_INPUT1, {1, 0}, layout) : nullptr;
    Tensor* output = bind(question, NNTEST_OUTPUT, {1, 0}, layout);
    if (question.dtype() == "uint8") {
      using Product = acl::NEGEMMLowpMatrixMultiplyCore;
      use(quantised_product<Product>(question, left, right, output), "NEGEMMLowpMatrixMultiplyCore");
      return;
    }
    const auto* added_info = added == nullptr ? nullptr : added->info();
    // Prepared once, the library takes what is added for one row of biases; so with it, `right` is prepared in each call.
    const acl::GEMMInfo info(false, false, added == nullptr);
    require(acl::NEGEMM::validate(left->info(), right->info(), added_info, output->info(), alpha, beta, info));
    auto function = std::make_unique<acl::NEGEMM>();
    function->configure(left, right, added, output, alpha, beta, info);
    use(std::move(function), "NEGEMM");
  }
};

}  // namespace

NNTEST_PROGRAM(Gemm)
