// Pooling without any library, for the programs that differ in what they do with a window's values.
#pragma once

#include "plain_program.h"

namespace nntest {

// Rule: static `first()` (the value of an empty window), `join(sum, value)`, `finish(sum, real, taps)`.
template <class Rule>
class PlainPooling : public Operator {
 public:
  explicit PlainPooling(const Question& question, const Rule& rule)
      : rule_(rule),
        window_(Window::of(question, "CK_POOL", false)),
        in_(question.tensor(NNTEST_INPUT)),
        out_(question.tensor(NNTEST_OUTPUT)),
        channels_last_(question.channels_last()),
        natives_(plain_natives(question)) {}

  std::vector<Native> natives() const override { return natives_; }

  void run(void* const* buffers) override {
    const auto* input = static_cast<const float*>(buffers[NNTEST_INPUT]);
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    // The innermost loop runs over what lies side by side: the channels of a pixel, or nothing.
    const std::int64_t planes = channels_last_ ? 1 : in_.dims[1], lanes = channels_last_ ? in_.dims[1] : 1;
    for (std::int64_t image = 0; image < in_.dims[0]; ++image) {
      for (std::int64_t plane = 0; plane < planes; ++plane) {
        pool_plane(input + image * in_.strides[0] + plane * in_.strides[1],
                   output + image * out_.strides[0] + plane * out_.strides[1], lanes);
      }
    }
  }

  const char* implementation() const override { return channels_last_ ? "direct:nhwc" : "direct:nchw"; }

 private:
  void pool_plane(const float* in, float* plane, std::int64_t lanes) const {
    for (std::int64_t y = 0; y < out_.dims[2]; ++y) {
      const std::int64_t top = y * window_.stride_h - window_.top;
      const Range rows{std::max<std::int64_t>(top, 0), std::min(top + window_.kernel_h, in_.dims[2])};
      for (std::int64_t x = 0; x < out_.dims[3]; ++x) {
        const std::int64_t left = x * window_.stride_w - window_.left;
        const Range columns{std::max<std::int64_t>(left, 0), std::min(left + window_.kernel_w, in_.dims[3])};
        float* out = plane + y * out_.strides[2] + x * out_.strides[3];
        std::fill_n(out, lanes, rule_.first());
        for (std::int64_t row = rows.begin; row < rows.end; ++row) {
          for (std::int64_t column = columns.begin; column < columns.end; ++column) {
            const float* pixel = in + row * in_.strides[2] + column * in_.strides[3];
            for (std::int64_t lane = 0; lane < lanes; ++lane) out[lane] = rule_.join(out[lane], pixel[lane]);
          }
        }
        const std::int64_t real = (rows.end - rows.begin) * (columns.end - columns.begin);
        const std::int64_t taps = window_.kernel_h * window_.kernel_w;
        for (std::int64_t lane = 0; lane < lanes; ++lane) out[lane] = rule_.finish(out[lane], real, taps);
      }
    }
  }

  Rule rule_;
  Window window_;
  nntest_tensor in_, out_;
  bool channels_last_;
  std::vector<Native> natives_;
};

}  // namespace nntest
