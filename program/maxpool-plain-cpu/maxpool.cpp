// Maximum pooling without any library; padding never wins.
#include <limits>

#include "plain_pooling.h"

namespace {

using nntest::Question;

struct Maximum {
  float first() const { return -std::numeric_limits<float>::infinity(); }
  float join(float largest, float value) const { return value > largest ? value : largest; }
  float finish(float largest, std::int64_t, std::int64_t) const { return largest; }
};

class MaxPool final : public nntest::PlainPooling<Maximum> {
 public:
  static constexpr nntest::ProgramTraits traits{"maxpool", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit MaxPool(const Question& question) : PlainPooling(question, Maximum{}) {}
};

}  // namespace

NNTEST_PROGRAM(MaxPool)
