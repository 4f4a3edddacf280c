// Fully connected layer without any library: one dot product per output.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

// Several sums at once, so that a compiler may use vectors without changing the order of any of them.
float dot(const float* left, const float* right, std::int64_t count) {
  constexpr std::int64_t kSums = 16;
  float sums[kSums] = {};
  std::int64_t at = 0;
  for (; at + kSums <= count; at += kSums) {
    for (std::int64_t lane = 0; lane < kSums; ++lane) sums[lane] += left[at + lane] * right[at + lane];
  }
  float rest = 0;
  for (; at < count; ++at) rest += left[at] * right[at];
  for (const float sum : sums) rest += sum;
  return rest;
}

class FullyConnected final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,NHWC,auto", nntest::kFusions,
                                                nntest::describe_plain};

  static void check(const Question& question) {
    nntest::require_one_thread(question);
    const auto output = question.dims(NNTEST_OUTPUT);
    if (question.channels_last() && output[2] * output[3] != 1) {
      throw nntest::Unsupported("layout NHWC with an output that has rows and columns");
    }
  }

  explicit FullyConnected(const Question& question)
      : post_ops_(question), natives_(nntest::plain_natives(question)) {
    const auto input = question.dims(NNTEST_INPUT);
    batch_ = input[0], channels_ = input[1], pixels_ = input[2] * input[3];
    inner_ = channels_ * pixels_, outer_ = question.elements(NNTEST_BIAS);
    for (Native& native : natives_) {
      if (native.role == NNTEST_WEIGHTS && question.channels_last()) {
        native.plain = pixels_ == 1 || channels_ == 1, native.tag = "ohwi";
      }
    }
  }

  std::vector<Native> natives() const override { return natives_; }

  // Weights in the order of an NHWC image.
  void reorder_in(nntest_role, const void* plain, void* native) override {
    const auto* oihw = static_cast<const float*>(plain);
    auto* ohwi = static_cast<float*>(native);
    for (std::int64_t k = 0; k < outer_; ++k) {
      for (std::int64_t c = 0; c < channels_; ++c) {
        for (std::int64_t pixel = 0; pixel < pixels_; ++pixel) ohwi[(k * pixels_ + pixel) * channels_ + c] = *oihw++;
      }
    }
  }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    const auto* weights = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    const auto* bias = static_cast<const float*>(buffers[NNTEST_BIAS]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    for (std::int64_t image = 0; image < batch_; ++image) {
      for (std::int64_t k = 0; k < outer_; ++k) {
        *output++ = bias[k] + dot(input + image * inner_, weights + k * inner_, inner_);
      }
    }
    post_ops_.apply(buffers);
  }

  const char* implementation() const override { return "dot"; }

 private:
  nntest::PostOps post_ops_;
  std::vector<Native> natives_;
  std::int64_t batch_, channels_, pixels_, inner_, outer_;
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
