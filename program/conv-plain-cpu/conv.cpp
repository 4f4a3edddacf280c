// Direct convolution without any library: the baseline that everyone can read and that runs everywhere.
#include "plain_program.h"

namespace {

using nntest::Native;
using nntest::Question;
using nntest::Window;

struct Shape {
  explicit Shape(const Question& question) : window(Window::of(question, "CK_CONV")) {
    const auto input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
    batch = input[0], in_c = input[1], in_h = input[2], in_w = input[3];
    out_c = output[1], out_h = output[2], out_w = output[3];
    groups = question.parameter("CK_CONV_GROUPS");
    group_in = in_c / groups, group_out = out_c / groups;
  }
  std::int64_t batch, in_c, in_h, in_w, out_c, out_h, out_w, groups, group_in, group_out;
  Window window;
};

// One output plane after the other; the innermost loop runs along a row.
void conv_nchw(const Shape& shape, const float* input, const float* weights, const float* bias, float* output) {
  const Window& window = shape.window;
  const std::int64_t in_plane = shape.in_h * shape.in_w, out_plane = shape.out_h * shape.out_w;
  const std::int64_t taps = window.kernel_h * window.kernel_w;
  for (std::int64_t plane = 0; plane < shape.batch * shape.out_c; ++plane) {
    const std::int64_t image = plane / shape.out_c, channel = plane % shape.out_c;
    float* out = output + plane * out_plane;
    std::fill(out, out + out_plane, bias[channel]);
    const std::int64_t first_in = channel / shape.group_out * shape.group_in;
    for (std::int64_t c = 0; c < shape.group_in; ++c) {
      const float* in = input + (image * shape.in_c + first_in + c) * in_plane;
      const float* taps_of_c = weights + (channel * shape.group_in + c) * taps;
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        const float weight = taps_of_c[tap];
        const std::int64_t row = tap / window.kernel_w * window.dilation_h - window.top;
        const std::int64_t column = tap % window.kernel_w * window.dilation_w - window.left;
        const auto rows = nntest::valid_outputs(row, window.stride_h, shape.in_h, shape.out_h);
        const auto columns = nntest::valid_outputs(column, window.stride_w, shape.in_w, shape.out_w);
        for (std::int64_t y = rows.begin; y < rows.end; ++y) {
          const float* in_row = in + (y * window.stride_h + row) * shape.in_w + column;
          float* out_row = out + y * shape.out_w;
          if (window.stride_w == 1) {
            for (std::int64_t x = columns.begin; x < columns.end; ++x) out_row[x] += weight * in_row[x];
          } else {
            for (std::int64_t x = columns.begin; x < columns.end; ++x) {
              out_row[x] += weight * in_row[x * window.stride_w];
            }
          }
        }
      }
    }
  }
}

// One output pixel after the other; weights as HWIO per group, so that the innermost loop runs over output channels.
void conv_nhwc(const Shape& shape, const float* input, const float* weights, const float* bias, float* output) {
  const Window& window = shape.window;
  for (std::int64_t pixel = 0; pixel < shape.batch * shape.out_h * shape.out_w; ++pixel) {
    const std::int64_t image = pixel / (shape.out_h * shape.out_w);
    const std::int64_t y = pixel / shape.out_w % shape.out_h, x = pixel % shape.out_w;
    for (std::int64_t group = 0; group < shape.groups; ++group) {
      float* out = output + pixel * shape.out_c + group * shape.group_out;
      std::copy_n(bias + group * shape.group_out, shape.group_out, out);
      for (std::int64_t tap = 0; tap < window.kernel_h * window.kernel_w; ++tap) {
        const std::int64_t in_y =
            y * window.stride_h - window.top + tap / window.kernel_w * window.dilation_h;
        const std::int64_t in_x =
            x * window.stride_w - window.left + tap % window.kernel_w * window.dilation_w;
        if (in_y < 0 || in_y >= shape.in_h || in_x < 0 || in_x >= shape.in_w) continue;
        const float* in = input + ((image * shape.in_h + in_y) * shape.in_w + in_x) * shape.in_c +
                          group * shape.group_in;
        const float* row =
            weights + (group * window.kernel_h * window.kernel_w + tap) * shape.group_in * shape.group_out;
        for (std::int64_t c = 0; c < shape.group_in; ++c, row += shape.group_out) {
          const float value = in[c];
          for (std::int64_t k = 0; k < shape.group_out; ++k) out[k] += value * row[k];
        }
      }
    }
  }
}

class Conv final : public nntest::Operator {
 public:
  static constexpr nntest::ProgramTraits traits{"conv", "NCHW,NHWC,auto", nntest::kFusions, nntest::describe_plain};

  static void check(const Question& question) { nntest::require_one_thread(question); }

  explicit Conv(const Question& question)
      : shape_(question),
        channels_last_(question.channels_last()),
        post_ops_(question),
        natives_(nntest::plain_natives(question)) {
    if (!channels_last_) return;
    for (Native& native : natives_) {
      if (native.role == NNTEST_WEIGHTS) native.plain = false, native.tag = "ghwio";
    }
  }

  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role, const void* plain, void* native) override {
    const auto* oihw = static_cast<const float*>(plain);
    auto* ghwio = static_cast<float*>(native);
    const std::int64_t taps = shape_.window.kernel_h * shape_.window.kernel_w;
    for (std::int64_t channel = 0; channel < shape_.out_c; ++channel) {
      const std::int64_t group = channel / shape_.group_out, within = channel % shape_.group_out;
      for (std::int64_t c = 0; c < shape_.group_in; ++c) {
        for (std::int64_t tap = 0; tap < taps; ++tap) {
          ghwio[((group * taps + tap) * shape_.group_in + c) * shape_.group_out + within] = *oihw++;
        }
      }
    }
  }

  void run(void* const* buffers) override {
    (channels_last_ ? conv_nhwc : conv_nchw)(
        shape_, static_cast<const float*>(buffers[NNTEST_INPUT]), static_cast<const float*>(buffers[NNTEST_WEIGHTS]),
        static_cast<const float*>(buffers[NNTEST_BIAS]), static_cast<float*>(buffers[NNTEST_OUTPUT]));
    post_ops_.apply(buffers);
  }

  const char* implementation() const override { return channels_last_ ? "direct:nhwc" : "direct:nchw"; }

 private:
  Shape shape_;
  bool channels_last_;
  nntest::PostOps post_ops_;
  std::vector<Native> natives_;
};

}  // namespace

NNTEST_PROGRAM(Conv)
