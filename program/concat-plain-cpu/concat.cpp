// Concatenation along the channels without any library.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class Concat final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"concat", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Concat(const Question& question)
      : channels_last_(question.channels_last()), natives_(nntest::plain_natives(question)) {
    // What an input has side by side also lies side by side in the output: its channels of one pixel, or of one image.
    const auto output = question.dims(NNTEST_OUTPUT);
    const std::int64_t pixels = output[2] * output[3];
    runs_ = channels_last_ ? output[0] * pixels : output[0];
    for (const nntest_role role : {NNTEST_INPUT, NNTEST_INPUT1, NNTEST_INPUT2, NNTEST_INPUT3}) {
      if (question.has(role)) parts_.push_back({role, question.dims(role)[1] * (channels_last_ ? 1 : pixels)});
    }
  }

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    for (std::int64_t run = 0; run < runs_; ++run) {
      for (const Part& part : parts_) {
        output = std::copy_n(static_cast<const float*>(buffers[part.role]) + run * part.length, part.length, output);
      }
    }
  }

  const char* implementation() const override { return channels_last_ ? "copy:nhwc" : "copy:nchw"; }

 private:
  struct Part {
    nntest_role role;
    std::int64_t length;
  };

  bool channels_last_;
  std::int64_t runs_;
  std::vector<Part> parts_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Concat)
