// Fully connected layer by OpenBLAS: a matrix-vector product for one image, a matrix product for a batch.
#include <algorithm>

#include "openblas_program.h"

namespace {

using namespace nntest::openblas;
using nntest::Native;
using nntest::Question;

class FullyConnected final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"fullyconnected", "NCHW,NHWC,auto", "", describe};

  static void check(const Question& question) {
    const auto output = question.dims(NNTEST_OUTPUT);
    if (question.channels_last() && output[2] * output[3] != 1) {
      throw nntest::Unsupported("layout NHWC with an output that has rows and columns");
    }
  }

  explicit FullyConnected(const Question& question) : natives_(nntest::plain_natives(question)) {
    const auto input = question.dims(NNTEST_INPUT);
    batch_ = input[0], channels_ = input[1], pixels_ = input[2] * input[3];
    inner_ = channels_ * pixels_, outer_ = question.elements(NNTEST_BIAS);
    narrow(std::max(inner_, outer_));
    for (Native& native : natives_) {
      if (native.role == NNTEST_WEIGHTS && question.channels_last()) {
        native.plain = pixels_ == 1 || channels_ == 1, native.tag = "ohwi";
      }
    }
    use_threads(question);
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
    for (std::int64_t image = 0; image < batch_; ++image) std::copy_n(bias, outer_, output + image * outer_);
    if (batch_ == 1) {
      scipy_cblas_sgemv(CblasRowMajor, CblasNoTrans, narrow(outer_), narrow(inner_), 1, weights, narrow(inner_), input,
                        1, 1, output, 1);
    } else {
      multiply(batch_, outer_, inner_, 1, {input, inner_}, {weights, inner_, true}, 1, output, outer_);
    }
  }

  const char* implementation() const override { return batch_ == 1 ? "sgemv" : "sgemm"; }

 private:
  std::vector<Native> natives_;
  std::int64_t batch_, channels_, pixels_, inner_, outer_;
};

}  // namespace

NNTEST_PROGRAM(FullyConnected)
