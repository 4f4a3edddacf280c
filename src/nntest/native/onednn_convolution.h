// Convolution by oneDNN, for the programs that differ in how the algorithm is chosen.
#pragma once

#include "onednn_program.h"

namespace nntest::onednn {

struct ConvolutionDims {
  Window window;
  std::int64_t groups;
};

inline Desc grouped_weights(const Question& question, std::int64_t groups) {
  const auto oihw = question.dims(NNTEST_WEIGHTS);
  if (groups == 1) return row_major(oihw);
  return row_major({groups, oihw[0] / groups, oihw[1], oihw[2], oihw[3]});
}

using ConvolutionDesc = dnnl::convolution_forward::primitive_desc;

// The kernels for this case, the library's favourite first; `free_layout` leaves the activations' layout to it.
inline ConvolutionDesc describe_convolution(const Question& question, const ConvolutionDims& dims,
                                            dnnl::algorithm algorithm, bool free_layout) {
  const Window& window = dims.window;
  const auto activation = [&](nntest_role role) {
    const Desc plain = plain_desc(question.tensor(role));
    return free_layout ? any_layout(plain) : plain;
  };
  return describe_primitive([&] {
    return ConvolutionDesc(engine(), dnnl::prop_kind::forward_inference, algorithm, activation(NNTEST_INPUT),
                           any_layout(grouped_weights(question, dims.groups)),
                           plain_desc(question.tensor(NNTEST_BIAS)), activation(NNTEST_OUTPUT),
                           {window.stride_h, window.stride_w}, {window.dilation_h - 1, window.dilation_w - 1},
                           {window.top, window.left}, {window.bottom, window.right},
                           attributes(question, plain_desc(question.tensor(NNTEST_OUTPUT))));
  });
}

class Convolution : public Primitive {
 protected:
  void use_convolution(const Question& question, const ConvolutionDims& dims, const ConvolutionDesc& described) {
    use(described, dnnl::convolution_forward(described));
    bind(NNTEST_INPUT, DNNL_ARG_SRC, plain_desc(question.tensor(NNTEST_INPUT)), described.src_desc());
    bind(NNTEST_WEIGHTS, DNNL_ARG_WEIGHTS, grouped_weights(question, dims.groups), described.weights_desc());
    bind(NNTEST_BIAS, DNNL_ARG_BIAS, plain_desc(question.tensor(NNTEST_BIAS)), described.bias_desc());
    bind(NNTEST_OUTPUT, DNNL_ARG_DST, plain_desc(question.tensor(NNTEST_OUTPUT)), described.dst_desc());
    bind_fused(question, plain_desc(question.tensor(NNTEST_OUTPUT)), described);
  }
};

}  // namespace nntest::onednn
