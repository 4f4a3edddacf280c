// Depthwise convolution by OpenVINO: as many groups as channels.
#include "openvino_program.h"

namespace {

using namespace nntest::openvino;
using nntest::Question;

class DepthwiseConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NHWC,auto", "relu", describe};

  static void check(const Question& question) { require_measurable(question); }

  explicit DepthwiseConv(const Question& question)
      : Convolution(question, "CK_DEPTHWISE", question.dims(NNTEST_WEIGHTS)[0]) {}
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
