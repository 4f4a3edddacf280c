// Depthwise convolution by ONNX Runtime: as many groups as channels.
#include "onnxruntime_program.h"

namespace {

using namespace nntest::onnxruntime;
using nntest::Question;

class DepthwiseConv final : public Layer {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,auto", "relu", describe};

  static void check(const Question& question) {
    plan_ahead(question, convolution_model(question, "CK_DEPTHWISE", question.dims(NNTEST_WEIGHTS)[0]), true);
  }

  explicit DepthwiseConv(const Question& question)
      : Layer(question, convolution_model(question, "CK_DEPTHWISE", question.dims(NNTEST_WEIGHTS)[0]), true) {}
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
