// Depthwise convolution by ncnn: as many groups as channels.
#include "ncnn_program.h"

namespace {

using namespace nntest::ncnn;
using nntest::Question;

class DepthwiseConv final : public Convolution {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,auto", "relu", describe};

  static void check(const Question& question) { require_warm(question); }

  explicit DepthwiseConv(const Question& question)
      : Convolution(question, "CK_DEPTHWISE", question.dims(NNTEST_WEIGHTS)[0]) {}
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
