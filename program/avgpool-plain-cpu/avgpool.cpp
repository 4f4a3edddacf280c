// Average pooling without any library.
#include "plain_pooling.h"

namespace {

using nntest::Question;

// The divisor is the kernel's size, or the number of elements that are no padding.
struct Average {
  bool excludes_padding;

  float first() const { return 0.0f; }
  float join(float sum, float value) const { return sum + value; }
  float finish(float sum, std::int64_t real, std::int64_t taps) const {
    return sum / static_cast<float>(excludes_padding ? real : taps);
  }
};

class AvgPool final : public nntest::PlainPooling<Average> {
 public:
  static constexpr nntest::ProgramTraits traits{"avgpool", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit AvgPool(const Question& question)
      : PlainPooling(question, Average{question.parameter("CK_EXCLUDE_PADDING") != 0}) {}
};

}  // namespace

NNTEST_PROGRAM(AvgPool)
