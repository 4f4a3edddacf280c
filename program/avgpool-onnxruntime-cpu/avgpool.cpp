// Average pooling by ONNX Runtime.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;
namespace onnx = nntest::onnx;

class AvgPool final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"avgpool", "NCHW,auto", "", describe};

  static void check(const Question& question) { plan_ahead(question, model(question), true); }

  explicit AvgPool(const Question& question) : Layer(question, model(question), true) {}

 private:
  static LayerModel model(const Question& question) {
    onnx::Node node("AveragePool", {"input"}, "output");
    add_window(node, nntest::Window::of(question, "CK_POOL", false));
    node.integer("count_include_pad", question.parameter("CK_EXCLUDE_PADDING") == 0 ? 1 : 0);
    return {{node}, {}};
  }
};

}  // namespace

NNTEST_PROGRAM(AvgPool)
