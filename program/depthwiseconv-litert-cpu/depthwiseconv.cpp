// Depthwise convolution by LiteRT: as many groups as channels.
#include "litert_program.h"

namespace {

using namespace nntest::litert;
using nntest::Question;

class DepthwiseConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NHWC,auto", "relu", describe};

  static void check(const Question& question) {
    write_ahead(question, "CK_DEPTHWISE", question.dims(NNTEST_WEIGHTS)[0]);
  }

  explicit DepthwiseConv(const Question& question) : Convolution(question) {}
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
