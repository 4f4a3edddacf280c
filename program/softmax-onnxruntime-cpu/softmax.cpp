// Softmax over the channels by ONNX Runtime.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;
namespace onnx = nntest::onnx;

class Softmax final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"softmax", "NCHW,auto", "", describe};

  static void check(const Question& question) { plan_ahead(question, model(), false); }

  explicit Softmax(const Question& question) : Layer(question, model(), false) {}

 private:
  static LayerModel model() {
    onnx::Node node("Softmax", {"input"}, "output");
    node.integer("axis", 1);
    return {{node}, {}};
  }
};

}  // namespace

NNTEST_PROGRAM(Softmax)
