// Convolution by LiteRT.
#include "litert_program.h"

namespace {

using namespace nntest::litert;
using nntest::Question;

class Conv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NHWC,auto", "relu", describe};

  static void check(const Question& question) {
    write_ahead(question, "CK_CONV", question.parameter("CK_CONV_GROUPS"));
  }

  explicit Conv(const Question& question) : Convolution(question) {}
};

}  // namespace

NNTEST_PROGRAM(Conv)
