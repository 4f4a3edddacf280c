// Matrix product by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class Gemm : public OpenClFunction {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit Gemm(const Question& question) : OpenClFunction(question) {
    constexpr auto layout = acl::DataLayout::NCHW;
    const auto alpha = static_cast<float>(question.parameter("CK_GEMM_ALPHA"));
    const auto beta = static_cast<float>(question.parameter("CK_GEMM_BETA"));
    Tensor* left = bind(question, NNTEST_INPUT, {1, 0}, layout);
    Tensor* right = bind(question, NNTEST_WEIGHTS, {1, 0}, layout);
    Tensor* added = question.has(NNTEST_INPUT1) ? bind(question, NNTEST_INPUT1, {1, 0}, layout) : nullptr;
    Tensor* output = bind(question, NNTEST_OUTPUT, {1, 0}, layout);
    if (question.dtype() == "uint8") {
      using Product = acl::CLGEMMLowpMatrixMultiplyCore;
      use(quantised_product<Product>(question, left, right, output), "CLGEMMLowpMatrixMultiplyCore");
      return;
    }
    const auto* added_info = added == nullptr ? nullptr : added->info();
    constexpr bool prepare_once = true;
    const acl::GEMMInfo info(false, false, prepare_once);
    require(acl::CLGEMM::validate(left->info(), right->info(), added_info, output->info(), alpha, beta, info));
    auto function = std::make_unique<acl::CLGEMM>();
    function->configure(left, right, added, output, alpha, beta, info);
    use(std::move(function), "CLGEMM");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(Gemm)
