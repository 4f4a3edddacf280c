// Fully connected layer by ONNX Runtime: a matrix product with the image as a row.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;
namespace onnx = nntest::onnx;

class FullyConnected final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,auto", "", describe};

  static void check(const Question& question) {
    require_warm(question);
    plan_ahead(question, model(question), false);
  }

  explicit FullyConnected(const Question& question) : Layer(question, model(question), false) {}

 private:
  static LayerModel model(const Question& question) {
    const auto input = question.dims(NNTEST_INPUT);
    const std::int64_t inner = input[1] * input[2] * input[3], outer = question.elements(NNTEST_BIAS);
    onnx::Node node("Gemm", {"input", "weights", "bias"}, "output");
    node.integer("transB", 1);
    return {{node},
            {{NNTEST_INPUT, {input[0], inner}},
             {NNTEST_WEIGHTS, {outer, inner}},
             {NNTEST_BIAS, {outer}},
             {NNTEST_OUTPUT, {input[0], outer}}}};
  }
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
