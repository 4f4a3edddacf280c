// Maximum pooling by ONNX Runtime.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;
namespace onnx = nntest::onnx;

class MaxPool final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"maxpool", "NCHW,auto", "", describe};

  static void check(const Question& question) { plan_ahead(question, model(question), true); }

  explicit MaxPool(const Question& question) : Layer(question, model(question), true) {}

 private:
  static LayerModel model(const Question& question) {
    onnx::Node node("MaxPool", {"input"}, "output");
    add_window(node, nntest::Window::of(question, "CK_POOL", false));
    return {{node}, {}};
  }
};

}  // namespace

NNTEST_PROGRAM(MaxPool)
