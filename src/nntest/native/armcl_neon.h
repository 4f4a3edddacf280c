// Arm Compute Library on the processor (Neon), and the operators that several programs share.
#pragma once

#include <arm_compute/runtime/NEON/NEFunctions.h>
#include <arm_compute/runtime/Scheduler.h>
#include <arm_compute/runtime/Tensor.h>

#include "armcl_program.h"

namespace nntest::armcl {

inline const char* describe_neon() {
  static const std::string text =
      R"({"library":"arm-compute-library-neon","version":")" + version() + R"(","build":"","threading":"cpp","isa":""})";
  return text.c_str();
}

struct Neon {
  using Tensor = acl::Tensor;

  static void prepare(const Question& question) {
    acl::Scheduler::get().set_num_threads(static_cast<unsigned>(question.threads()));
  }
  static acl::Status import(Tensor& tensor, void* buffer) { return tensor.allocator()->import_memory(buffer); }
  static void lend(Tensor&) {}
  static void fetch(Tensor&) {}
};

// The tensors of a convolution: weights as O, I, H, W.
class NeonConvolution : public Function<Neon> {
 protected:
  explicit NeonConvolution(const Question& question)
      : Function(question),
        window_(Window::of(question, "CK_CONV")),
        groups_(static_cast<unsigned>(question.parameter("CK_CONV_GROUPS"))),
        input_(bind(question, NNTEST_INPUT, image_order(question), data_layout(question))),
        weights_(bind(question, NNTEST_WEIGHTS, image_order(question), data_layout(question))),
        bias_(bind(question, NNTEST_BIAS, {0}, data_layout(question))),
        output_(bind(question, NNTEST_OUTPUT, image_order(question), data_layout(question))) {}

  void require_undilated_ungrouped() const {
    if (groups_ != 1) throw Unsupported("Arm Compute Library: groups " + std::to_string(groups_) + "; it has 1 here");
    if (window_.dilation_h != 1 || window_.dilation_w != 1) {
      throw Unsupported("Arm Compute Library: dilation; it has none here");
    }
  }

  Window window_;
  unsigned groups_;
  Tensor *input_, *weights_, *bias_, *output_;
};

// Pooling; programs differ in what they do with a window.
class NeonPooling : public Function<Neon> {
 protected:
  NeonPooling(const Question& question, acl::PoolingType type, bool exclude_padding) : Function(question) {
    const Window window = Window::of(question, "CK_POOL", false);
    const acl::DataLayout layout = data_layout(question);
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const acl::Size2D size(static_cast<std::size_t>(window.kernel_w), static_cast<std::size_t>(window.kernel_h));
    const acl::PoolingLayerInfo info(type, size, layout, pad_stride(window), exclude_padding);
    require(acl::NEPoolingLayer::validate(input->info(), output->info(), info));
    auto function = std::make_unique<acl::NEPoolingLayer>();
    function->configure(input, output, info);
    use(std::move(function), "NEPoolingLayer");
  }
};

}  // namespace nntest::armcl
