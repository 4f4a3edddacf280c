// Pooling by oneDNN, for the programs that differ in what they do with a window.
#pragma once

#include "onednn_program.h"

namespace nntest::onednn {

class Pooling : public Primitive {
 protected:
  Pooling(const Question& question, dnnl::algorithm algorithm) {
    const Window window = Window::of(question, "CK_POOL", false);
    const Desc input = plain_desc(question.tensor(NNTEST_INPUT)), output = plain_desc(question.tensor(NNTEST_OUTPUT));
    using PoolingDesc = dnnl::pooling_forward::primitive_desc;
    // The input must have a layout of its own; in a network a blocked one comes from the layer before.
    const Desc native = question.free_layout() ? channel_blocked(input) : input;
    const auto described = describe_primitive([&] {
      return PoolingDesc(engine(), dnnl::prop_kind::forward_inference, algorithm, native,
                         activation_desc(question, output), {window.stride_h, window.stride_w},
                         {window.kernel_h, window.kernel_w}, {0, 0}, {window.top, window.left},
                         {window.bottom, window.right}, attributes(question));
    });
    use(described, dnnl::pooling_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, input, described.src_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, output, described.dst_desc());
  }
};

}  // namespace nntest::onednn
