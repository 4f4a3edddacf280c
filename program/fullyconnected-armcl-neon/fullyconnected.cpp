// Fully connected layer by Arm Compute Library on Neon.
#include "armcl_neon.h"

namespace {

using namespace nntest::armcl;
using nntest::Question;
using nntest::Unsupported;

class FullyConnected final : public Function<Neon> {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,NHWC,auto", "", describe_neon, "float32,uint8"};

  static void check(const Question&) {}

  explicit FullyConnected(const Question& question) : Function(question) {
    const acl::DataLayout layout = data_layout(question);
    const auto filters = question.dims(NNTEST_WEIGHTS);  // outputs, C, H, W
    const auto results = question.dims(NNTEST_OUTPUT);
    if (question.channels_last() && results[2] * results[3] != 1) {
      throw Unsupported("layout NHWC with an output that is no row of channels");
    }
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* weights =
        bind(question, NNTEST_WEIGHTS, {filters[0], filters[1] * filters[2] * filters[3]}, {1, 0}, layout);
    Tensor* bias = bind(question, NNTEST_BIAS, {0}, layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, {results[0], filters[0]}, {1, 0}, layout);
    // the weights are those of an NCHW image; the library turns them where the input is NHWC
    require(acl::NEFullyConnectedLayer::validate(input->info(), weights->info(), bias->info(), output->info()));
    auto function = std::make_unique<acl::NEFullyConnectedLayer>();
    function->configure(input, weights, bias, output);
    use(std::move(function), "NEFullyConnectedLayer");
  }
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
