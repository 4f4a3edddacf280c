// Bilinear interpolation by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;

class ResizeBilinear final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"resizebilinear", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit ResizeBilinear(const Question& question) : Function(question) {
    const acl::DataLayout layout = data_layout(question);
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const bool centers = question.parameter("CK_HALF_PIXEL_CENTERS") != 0;
    const acl::ScaleKernelInfo info(acl::InterpolationPolicy::BILINEAR, acl::BorderMode::REPLICATE, acl::PixelValue(),
                                    centers ? acl::SamplingPolicy::CENTER : acl::SamplingPolicy::TOP_LEFT);
    require(acl::NEScale::validate(input->info(), output->info(), info));
    auto function = std::make_unique<acl::NEScale>();
    function->configure(input, output, info);
    use(std::move(function), "NEScale");
  }
};

}  // namespace

NNTEST_PROGRAM(ResizeBilinear)
