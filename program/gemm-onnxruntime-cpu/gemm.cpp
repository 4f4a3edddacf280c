// Matrix product by ONNX Runtime: output = alpha * input * weights + beta * input1.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;
namespace onnx = nntest::onnx;

class Gemm final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"gemm", "NCHW,auto", "", describe};

  static void check(const Question& question) {
    require_warm(question);
    plan_ahead(question, model(question), false);
  }

  explicit Gemm(const Question& question) : Layer(question, model(question), false) {}

 private:
  static LayerModel model(const Question& question) {
    std::vector<std::string> inputs{"input", "weights"};
    if (question.has(NNTEST_INPUT1)) inputs.push_back("input1");
    onnx::Node node("Gemm", inputs, "output");
    node.real("alpha", static_cast<float>(question.parameter("CK_GEMM_ALPHA")))
        .real("beta", static_cast<float>(question.parameter("CK_GEMM_BETA")));
    return {{node}, {}};
  }
};

}  // namespace

NNTEST_PROGRAM(Gemm)
