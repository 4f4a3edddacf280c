// Local response normalisation across channels without any library.
#include <cmath>

#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;

class Lrn final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"lrn", "NCHW,NHWC,auto", "", nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Lrn(const Question& question)
      : shape_(question.tensor(NNTEST_INPUT)),
        channels_last_(question.channels_last()),
        natives_(nntest::plain_natives(question)) {
    const std::int64_t size = question.parameter("CK_LRN_SIZE");
    reach_ = size / 2;
    factor_ = static_cast<float>(static_cast<double>(question.parameter("CK_LRN_ALPHA_PPM")) / 1e6 /
                                 static_cast<double>(size));
    beta_ = static_cast<float>(question.parameter("CK_LRN_BETA_PERCENT")) / 100.0f;
    k_ = static_cast<float>(question.parameter("CK_LRN_K"));
  }

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    // The pixels of a plane lie side by side in NCHW, one alone in NHWC.
    const std::int64_t pixels = shape_.dims[2] * shape_.dims[3];
    const std::int64_t places = channels_last_ ? pixels : 1, lanes = channels_last_ ? 1 : pixels;
    for (std::int64_t image = 0; image < shape_.dims[0]; ++image) {
      for (std::int64_t place = 0; place < places; ++place) {
        const std::int64_t offset = image * shape_.strides[0] + place * shape_.dims[1];
        normalise(input + offset, output + offset, lanes);
      }
    }
  }

  const char* implementation() const override { return channels_last_ ? "direct:nhwc" : "direct:nchw"; }

 private:
  // The sums of squares grow in the output itself.
  void normalise(const float* in, float* out, std::int64_t lanes) const {
    const std::int64_t channels = shape_.dims[1], step = shape_.strides[1];
    for (std::int64_t c = 0; c < channels; ++c) {
      float* sums = out + c * step;
      std::fill_n(sums, lanes, 0.0f);
      const std::int64_t last = std::min(c + reach_, channels - 1);
      for (std::int64_t near = std::max<std::int64_t>(c - reach_, 0); near <= last; ++near) {
        const float* values = in + near * step;
        for (std::int64_t lane = 0; lane < lanes; ++lane) sums[lane] += values[lane] * values[lane];
      }
      const float* values = in + c * step;
      for (std::int64_t lane = 0; lane < lanes; ++lane) {
        sums[lane] = values[lane] / std::pow(k_ + factor_ * sums[lane], beta_);
      }
    }
  }

  nntest_tensor shape_;
  bool channels_last_;
  std::vector<Native> natives_;
  std::int64_t reach_;
  float factor_, beta_, k_;
};

}  // namespace

NNTEST_PROGRAM(Lrn)
