// Depthwise convolution without any library.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;
using nntest::Window;

class DepthwiseConv final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"depthwiseconv", "NCHW,NHWC,auto", nntest::kFusions,
                                                nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit DepthwiseConv(const Question& question)
      : window_(Window::of(question, "CK_DEPTHWISE")),
        channels_last_(question.channels_last()),
        post_ops_(question),
        natives_(nntest::plain_natives(question)) {
    const auto input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
    batch_ = input[0], channels_ = input[1], in_h_ = input[2], in_w_ = input[3];
    out_h_ = output[2], out_w_ = output[3];
    taps_ = window_.kernel_h * window_.kernel_w;
    for (Native& native : natives_) {
      if (channels_last_ && native.role == NNTEST_WEIGHTS) native.plain = false, native.tag = "hwc";
    }
  }

  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role, const void* plain, void* native) override {
    for (std::int64_t c = 0; c < channels_; ++c) {
      for (std::int64_t tap = 0; tap < taps_; ++tap) {
        static_cast<float*>(native)[tap * channels_ + c] = static_cast<const float*>(plain)[c * taps_ + tap];
      }
    }
  }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    const auto* weights = static_cast<const float*>(buffers[NNTEST_WEIGHTS]);
    const auto* bias = static_cast<const float*>(buffers[NNTEST_BIAS]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    if (channels_last_) {
      run_nhwc(input, weights, bias, output);
    } else {
      for (std::int64_t plane = 0; plane < batch_ * channels_; ++plane) {
        const std::int64_t c = plane % channels_;
        run_plane(input + plane * in_h_ * in_w_, weights + c * taps_, bias[c], output + plane * out_h_ * out_w_);
      }
    }
    post_ops_.apply(buffers);
  }

  const char* implementation() const override { return channels_last_ ? "direct:nhwc" : "direct:nchw"; }

 private:
  void run_plane(const float* in, const float* weights, float bias, float* out) const {
    std::fill_n(out, out_h_ * out_w_, bias);
    for (std::int64_t tap = 0; tap < taps_; ++tap) {
      const float weight = weights[tap];
      const std::int64_t row = tap / window_.kernel_w * window_.dilation_h - window_.top;
      const std::int64_t column = tap % window_.kernel_w * window_.dilation_w - window_.left;
      const auto rows = nntest::valid_outputs(row, window_.stride_h, in_h_, out_h_);
      const auto columns = nntest::valid_outputs(column, window_.stride_w, in_w_, out_w_);
      for (std::int64_t y = rows.begin; y < rows.end; ++y) {
        const float* in_row = in + (y * window_.stride_h + row) * in_w_ + column;
        float* out_row = out + y * out_w_;
        for (std::int64_t x = columns.begin; x < columns.end; ++x) out_row[x] += weight * in_row[x * window_.stride_w];
      }
    }
  }

  void run_nhwc(const float* input, const float* weights, const float* bias, float* out) const {
    for (std::int64_t pixel = 0; pixel < batch_ * out_h_ * out_w_; ++pixel, out += channels_) {
      const std::int64_t image = pixel / (out_h_ * out_w_), y = pixel / out_w_ % out_h_, x = pixel % out_w_;
      std::copy_n(bias, channels_, out);
      for (std::int64_t tap = 0; tap < taps_; ++tap) {
        const std::int64_t in_y = y * window_.stride_h - window_.top + tap / window_.kernel_w * window_.dilation_h;
        const std::int64_t in_x = x * window_.stride_w - window_.left + tap % window_.kernel_w * window_.dilation_w;
        if (in_y < 0 || in_y >= in_h_ || in_x < 0 || in_x >= in_w_) continue;
        const float* in = input + ((image * in_h_ + in_y) * in_w_ + in_x) * channels_;
        const float* row = weights + tap * channels_;
        for (std::int64_t c = 0; c < channels_; ++c) out[c] += in[c] * row[c];
      }
    }
  }

  Window window_;
  bool channels_last_;
  nntest::PostOps post_ops_;
  std::vector<Native> natives_;
  std::int64_t batch_, channels_, in_h_, in_w_, out_h_, out_w_, taps_;
};

}  // namespace

NNTEST_PROGRAM(DepthwiseConv)
