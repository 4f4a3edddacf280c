// Convolution by ONNX Runtime.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;

class Conv final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,auto", "relu", describe};

  static void check(const Question& question) {
    plan_ahead(question, convolution_model(question, "CK_CONV", question.parameter("CK_CONV_GROUPS")), true);
  }

  explicit Conv(const Question& question)
      : Layer(question, convolution_model(question, "CK_CONV", question.parameter("CK_CONV_GROUPS")), true) {}
};

}  // namespace

NNTEST_PROGRAM(Conv)
