// What the ncnn programs share. ncnn's wheel holds one extension module, which exports nothing but its entry for Python:
// so these programs run inside a Python process and enter the library as its users do (measure/hosted/ncnn_layer.py).
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "json.h"
#include "nntest_program.h"
#include "python_host.h"

namespace nntest::ncnn {

inline const python::Object& library() {
  static const python::Object module = python::Object::module("ncnn_layer");
  return module;
}

// call_s: what an inference costs that computes nothing.
inline const char* describe() {
  static const std::string text = JsonObject()
                                      .add("library", "ncnn-cpu")
                                      .add("version", library().call("version", "").text())
                                      .add("build", "")
                                      .add("threading", "openmp")
                                      .add("isa", "")
                                      .add("call_s", python::seconds_of_call(library().call("nothing", "")))
                                      .text();
  return text.c_str();
}

// The library's packed weights and its images lie in memory of its own, out of the driver's reach.
inline void require_warm(const Question& question) {
  if (!question.warm()) throw Unsupported("cold caches: ncnn keeps weights and images where they cannot be evicted");
}

// A convolution between images in ncnn's own memory: the native buffers are only as large as these.
class Convolution : public BatchedOperator {
 public:
  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role role, const void* plain, void*) override {
    if (role == NNTEST_INPUT) {
      layer_.call("read", "(K)", address(plain));
      return;
    }
    // Constants are part of a network: they are handed over as if they had to be reordered, and it is made then.
    (role == NNTEST_WEIGHTS ? weights_ : bias_) = plain_of(role, plain);
    if (weights_.empty() || bias_.empty()) return;
    layer_.call("load", "KLKL", address(weights_.data()), size_of(weights_), address(bias_.data()), size_of(bias_));
    weights_.clear(), bias_.clear();
    run_ = layer_.attribute("run");
  }

  void reorder_out(nntest_role, const void*, void* plain) override { layer_.call("write", "(K)", address(plain)); }

  void run(void* const*) override { run_(); }

  // An inference costs some microseconds beside the computation. Where that counts, there is a network that has the
  // layer many times. That these compute what the single one does is seen by the module: the driver's own comparison of
  // a batch with a call finds nothing here, because results lie in the library's memory and no run writes its buffers.
  std::int64_t prepare_batch(void* const* buffers) override {
    constexpr double kLongRunS = 3e-4;
    implementation_ = layer_.call("kernel", "").text();
    const double start = now_s();
    run(buffers);
    if (now_s() - start > kLongRunS) return 1;
    const std::int64_t copies = layer_.call("batch", "").integer();
    run_batch_ = layer_.attribute("run_batch");
    return copies;
  }

  void run_batch(void* const* buffers) override {
    if (run_batch_) return run_batch_();
    run(buffers);
  }

  const char* implementation() const override { return implementation_.c_str(); }

 protected:
  Convolution(const Question& question, const std::string& prefix, std::int64_t groups) : natives_(plain_natives(question)) {
    const Window window = Window::of(question, prefix);
    const auto input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
    elements_of_weights_ = question.elements(NNTEST_WEIGHTS), elements_of_bias_ = question.elements(NNTEST_BIAS);
    layer_ = library().call("Convolution", "(LLLLLLLL)(LLLLLLLLLL)L(iii)", input[0], input[1], input[2], input[3], output[0],
                            output[1], output[2], output[3], window.kernel_h, window.kernel_w, window.stride_h,
                            window.stride_w, window.dilation_h, window.dilation_w, window.top, window.left,
                            window.bottom, window.right, groups, question.post_ops() == "relu" ? 1 : 0,
                            question.threads(), question.free_layout() ? 1 : 0);
    for (Native& native : natives_) {
      native.plain = false;
      if (native.role == NNTEST_INPUT) native.tag = tag_of(layer_.attribute("input_pack").integer());
      if (native.role == NNTEST_OUTPUT) native.tag = tag_of(layer_.attribute("output_pack").integer());
    }
  }

 private:
  static unsigned long long address(const void* memory) { return reinterpret_cast<std::uintptr_t>(memory); }
  static long long size_of(const std::vector<float>& values) {
    return static_cast<long long>(values.size() * sizeof(float));
  }

  static std::string tag_of(std::int64_t pack) {
    return pack == 1 ? "nchw" : "aBcd" + std::to_string(pack) + "b";
  }

  std::vector<float> plain_of(nntest_role role, const void* plain) const {
    const auto* values = static_cast<const float*>(plain);
    return {values, values + (role == NNTEST_WEIGHTS ? elements_of_weights_ : elements_of_bias_)};
  }

  std::vector<Native> natives_;
  std::int64_t elements_of_weights_ = 0, elements_of_bias_ = 0;
  std::vector<float> weights_, bias_;
  python::Object layer_, run_, run_batch_;
  std::string implementation_ = "Convolution";
};

}  // namespace nntest::ncnn
