// Rectified linear unit without any library.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class Relu final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"relu", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Relu(const Question& question)
      : count_(question.elements(NNTEST_OUTPUT)), natives_(nntest::plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    for (std::int64_t at = 0; at < count_; ++at) output[at] = input[at] > 0.0f ? input[at] : 0.0f;
  }

  const char* implementation() const override { return "loop"; }

 private:
  std::int64_t count_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Relu)
