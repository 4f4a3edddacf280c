// Bilinear interpolation by Arm Compute Library on OpenCL.
#include "armcl_opencl.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class ResizeBilinear : public OpenClFunction {
 public:
  static constexpr nntest::ProgramTraits traits{"resizebilinear", "NCHW,NHWC,auto", "", describe_opencl, "float32,uint8"};

  static void check(const Question&) {}

  explicit ResizeBilinear(const Question& question) : OpenClFunction(question) {
    const acl::DataLayout layout = data_layout(question);
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const bool centers = question.parameter("CK_HALF_PIXEL_CENTERS") != 0;
    constexpr auto method = acl::InterpolationPolicy::BILINEAR;
    constexpr auto border = acl::BorderMode::REPLICATE;
    const auto policy = centers ? acl::SamplingPolicy::CENTER : acl::SamplingPolicy::TOP_LEFT;
    require(acl::CLScale::validate(input->info(), output->info(), method, border, acl::PixelValue(), policy));
    auto function = std::make_unique<acl::CLScale>();
    function->configure(input, output, method, border, acl::PixelValue(), policy);
    use(std::move(function), "CLScale");
  }
};

}  // namespace

NNTEST_ARMCL_OPENCL_PROGRAM(ResizeBilinear)
