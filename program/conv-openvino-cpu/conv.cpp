// Convolution by OpenVINO.
#include "openvino_program.h"

namespace {

using namespace nntest::openvino;
using nntest::Question;

class Conv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NHWC,auto", "relu", describe};

  static void check(const Question& question) { require_measurable(question); }

  explicit Conv(const Question& question)
      : Convolution(question, "CK_CONV", question.parameter("CK_CONV_GROUPS")) {}
};

}  // namespace

NNTEST_PROGRAM(Conv)
