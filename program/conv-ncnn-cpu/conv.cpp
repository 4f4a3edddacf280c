// Convolution by ncnn.
#include "ncnn_program.h"

namespace {

using namespace nntest::ncnn;
using nntest::Question;

class Conv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,auto", "relu", describe};

  static void check(const Question& question) { require_warm(question); }

  explicit Conv(const Question& question)
      : Convolution(question, "CK_CONV", question.parameter("CK_CONV_GROUPS")) {}
};

}  // namespace

NNTEST_PROGRAM(Conv)
