// Convolution as a matrix product by OpenBLAS: the input is unfolded (im2col) into the workspace, window by window.
#include <algorithm>

#include "openblas_program.h"

namespace {

using namespace nntest::openblas;
using nntest::Native;
using nntest::Question;
using nntest::Window;

class Conv final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", "", describe};

  static void check(const Question&) {}

  explicit Conv(const Question& question)
      : window_(Window::of(question, "CK_CONV")),
        channels_last_(question.channels_last()),
        natives_(nntest::plain_natives(question)) {
    const auto input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
    batch_ = input[0], in_c_ = input[1], in_h_ = input[2], in_w_ = input[3];
    out_c_ = output[1], out_h_ = output[2], out_w_ = output[3];
    groups_ = question.parameter("CK_CONV_GROUPS");
    group_in_ = in_c_ / groups_, group_out_ = out_c_ / groups_;
    taps_ = window_.kernel_h * window_.kernel_w;
    pixels_ = out_h_ * out_w_;
    narrow(pixels_ * std::max(group_in_ * taps_, out_c_));
    // Windows of one pixel, one beside the other: the input is the matrix already.
    unfolds_ = taps_ != 1 || window_.stride_h != 1 || window_.stride_w != 1 || pixels_ != in_h_ * in_w_;
    if (unfolds_) {
      const std::int64_t bytes = group_in_ * taps_ * pixels_ * static_cast<std::int64_t>(sizeof(float));
      natives_.push_back({NNTEST_WORKSPACE, bytes, true, ""});
    }
    for (Native& native : natives_) {
      if (channels_last_ && native.role == NNTEST_WEIGHTS) native.plain = false, native.tag = "gohwi";
    }
    use_threads(question);
  }

  std::vector<Native> natives() const override { return natives_; }

  // OIHW to OHWI: the order in which NHWC windows unfold.
  void reorder_in(nntest_role, const void* plain, void* native) override {
    const auto* oihw = static_cast<const float*>(plain);
    auto* ohwi = static_cast<float*>(native);
    for (std::int64_t channel = 0; channel < out_c_; ++channel) {
      for (std::int64_t c = 0; c < group_in_; ++c) {
        for (std::int64_t tap = 0; tap < taps_; ++tap) ohwi[(channel * taps_ + tap) * group_in_ + c] = *oihw++;
      }
    }
  }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    const auto* weights = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    const auto* bias = static_cast<const float*>(buffers[NNTEST_BIAS]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    auto* columns = static_cast<float*>(buffers[NNTEST_WORKSPACE]);
    for (std::int64_t image = 0; image < batch_; ++image) {
      for (std::int64_t group = 0; group < groups_; ++group) {
        const float* in = input + image * in_c_ * in_h_ * in_w_;
        const float* filters = weights + group * group_out_ * group_in_ * taps_;
        float* out = output + image * out_c_ * pixels_;
        if (channels_last_) {
          run_nhwc(in + group * group_in_, filters, bias + group * group_out_, columns, out + group * group_out_);
        } else {
          run_nchw(in + group * group_in_ * in_h_ * in_w_, filters, bias + group * group_out_, columns,
                   out + group * group_out_ * pixels_);
        }
      }
    }
  }

  const char* implementation() const override { return unfolds_ ? "im2col+sgemm" : "sgemm"; }

 private:
  void run_nchw(const float* in, const float* filters, const float* bias, float* columns, float* out) const {
    if (unfolds_) unfold_nchw(in, columns);
    for (std::int64_t k = 0; k < group_out_; ++k) std::fill_n(out + k * pixels_, pixels_, bias[k]);
    const std::int64_t inner = group_in_ * taps_;
    multiply(group_out_, pixels_, inner, 1, {filters, inner}, {unfolds_ ? columns : in, pixels_}, 1, out, pixels_);
  }

  void run_nhwc(const float* in, const float* filters, const float* bias, float* columns, float* out) const {
    if (unfolds_) unfold_nhwc(in, columns);
    for (std::int64_t pixel = 0; pixel < pixels_; ++pixel) std::copy_n(bias, group_out_, out + pixel * out_c_);
    const std::int64_t inner = group_in_ * taps_;
    const nntest::openblas::Matrix unfolded{unfolds_ ? columns : in, unfolds_ ? inner : in_c_};
    multiply(pixels_, group_out_, inner, 1, unfolded, {filters, inner, true}, 1, out, out_c_);
  }

  // One row per channel and tap, one column per output pixel.
  void unfold_nchw(const float* in, float* columns) const {
    for (std::int64_t c = 0; c < group_in_; ++c, in += in_h_ * in_w_) {
      for (std::int64_t tap = 0; tap < taps_; ++tap) {
        for (std::int64_t y = 0; y < out_h_; ++y) {
          const std::int64_t in_y = row_of(tap, y);
          for (std::int64_t x = 0; x < out_w_; ++x) {
            const std::int64_t in_x = column_of(tap, x);
            *columns++ = inside(in_y, in_x) ? in[in_y * in_w_ + in_x] : 0.0f;
          }
        }
      }
    }
  }

  // One row per output pixel, holding its window: taps, then channels.
  void unfold_nhwc(const float* in, float* columns) const {
    for (std::int64_t y = 0; y < out_h_; ++y) {
      for (std::int64_t x = 0; x < out_w_; ++x) {
        for (std::int64_t tap = 0; tap < taps_; ++tap, columns += group_in_) {
          const std::int64_t in_y = row_of(tap, y), in_x = column_of(tap, x);
          if (inside(in_y, in_x)) {
            std::copy_n(in + (in_y * in_w_ + in_x) * in_c_, group_in_, columns);
          } else {
            std::fill_n(columns, group_in_, 0.0f);
          }
        }
      }
    }
  }

  std::int64_t row_of(std::int64_t tap, std::int64_t y) const {
    return y * window_.stride_h - window_.top + tap / window_.kernel_w * window_.dilation_h;
  }
  std::int64_t column_of(std::int64_t tap, std::int64_t x) const {
    return x * window_.stride_w - window_.left + tap % window_.kernel_w * window_.dilation_w;
  }
  bool inside(std::int64_t y, std::int64_t x) const { return y >= 0 && y < in_h_ && x >= 0 && x < in_w_; }

  Window window_;
  bool channels_last_;
  std::vector<Native> natives_;
  bool unfolds_;
  std::int64_t batch_, in_c_, in_h_, in_w_, out_c_, out_h_, out_w_, groups_, group_in_, group_out_, taps_, pixels_;
};

}  // namespace

NNTEST_PROGRAM(Conv)
