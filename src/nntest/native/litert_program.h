// What the LiteRT programs share. A model of one layer is written by a Python module (measure/hosted/litert_model.py, by
// means of the schema in LiteRT's wheel), but it is compiled and run through LiteRT's C interface: no call of Python is
// in any time. Images have their channels innermost, in the driver's buffers.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "json.h"
#include "litert_api.h"
#include "nntest_program.h"
#include "python_host.h"

namespace nntest::litert {

inline const python::Object& writer() {
  static const python::Object module = python::Object::module("litert_model");
  return module;
}

// A model as its writer has made it.
class Written {
 public:
  Written() = default;
  explicit Written(python::Object object) : object_(std::move(object)) {}

  char* bytes() const { return reinterpret_cast<char*>(number("address")); }
  std::size_t size() const { return static_cast<std::size_t>(number("size")); }
  float* constants(const char* position) const { return reinterpret_cast<float*>(bytes() + number(position)); }
  std::string kernel() const { return object_.attribute("kernel").text(); }

 private:
  std::int64_t number(const char* name) const { return object_.attribute(name).integer(); }

  python::Object object_;
};

// A compiled model with one input and one output.
class Compiled {
 public:
  Compiled(Written written, int threads, Dims input, Dims output)
      : written_(std::move(written)),
        input_(std::move(input)),
        output_(std::move(output)),
        model_(written_.bytes(), written_.size(), threads) {}

  void run(const void* input, void* output) {
    static RunModel* const run = Library::get().function<RunModel>("LiteRtRunCompiledModel");
    if (!read_ || read_->data() != input) read_ = std::make_unique<Buffer>(const_cast<void*>(input), input_);
    if (!wrote_ || wrote_->data() != output) wrote_ = std::make_unique<Buffer>(output, output_);
    Handle in = read_->get(), out = wrote_->get();
    const int status = run(model_.get(), 0, 1, &in, 1, &out);
    if (status != kOk) throw Failure("LiteRT: the inference failed: status " + std::to_string(status));
  }

  // Who computes: the delegate that LiteRT makes for processors, if it took all operators, else LiteRT's own kernels.
  std::string implementation() const {
    bool all = false;
    Library::get().call("LiteRtCompiledModelIsFullyAccelerated", model_.get(), &all);
    return (all ? "XNNPACK:" : "builtin:") + written_.kernel();
  }

 private:
  Written written_;
  Dims input_, output_;
  Model model_;
  std::unique_ptr<Buffer> read_, wrote_;
};

inline std::unique_ptr<Compiled> transposition(const Dims& from, const Dims& to, const Dims& order, int threads) {
  Written written(writer().call("Transposition", "(LLLL)(LLLL)(LLLL)", from[0], from[1], from[2], from[3], to[0], to[1],
                                to[2], to[3], order[0], order[1], order[2], order[3]));
  return std::make_unique<Compiled>(std::move(written), threads, from, to);
}

inline Written written_convolution(const Dims& input, const Dims& output, const Window& window, std::int64_t groups,
                                   bool relu) {
  return Written(writer().call("Convolution", "(LLLLLLLL)(LLLLLLLLLL)Li", input[0], input[2], input[3], input[1],
                               output[0], output[2], output[3], output[1], window.kernel_h, window.kernel_w,
                               window.stride_h, window.stride_w, window.dilation_h, window.dilation_w, window.top,
                               window.left, window.bottom, window.right, groups, relu ? 1 : 0));
}

// Seconds of an inference that multiplies one number: what entering the library costs. It is a trial as well: nobody
// promises that versions to come have the interface that is declared here.
inline double call_s() {
  const Dims one{1, 1, 1, 1};
  alignas(64) static float memory[64] = {3};
  float& result = memory[32];
  Written written = written_convolution(one, one, {1, 1, 1, 1, 0, 0, 0, 0, 1, 1}, 1, false);
  *written.constants("weights_at") = 2, *written.constants("bias_at") = 1;
  Compiled model(std::move(written), 1, one, one);
  const double seconds = python::seconds_of_call([&] { model.run(memory, &result); });
  if (result != 7) {
    throw Failure("LiteRT: 3 x 2 + 1 is " + std::to_string(result) + " here; " NNTEST_LIBRARY_FILE
                  " has another interface than 2.2 and 2.3, which programs are written for");
  }
  return seconds;
}

inline const char* describe() {
  static const std::string text = JsonObject()
                                      .add("library", "litert-cpu")
                                      .add("version", writer().call("version", "").text())
                                      .add("build", "")
                                      .add("threading", "pthreadpool")
                                      .add("isa", "")
                                      .add("call_s", call_s())
                                      .text();
  return text.c_str();
}

// A convolution from NHWC to NHWC, on the driver's buffers.
class Convolution : public Operator {
 public:
  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    if (role == NNTEST_INPUT) return into_->run(plain, native);
    // Constants are part of a model: they are handed over as if they had to be reordered, and it is compiled then.
    const auto* values = static_cast<const float*>(plain);
    if (role == NNTEST_WEIGHTS) {
      fill_weights(values);
    } else {
      std::memcpy(written_.constants("bias_at"), values, static_cast<std::size_t>(output_[1]) * sizeof(float));
    }
    if (++filled_ < 2) return;
    layer_ = std::make_unique<Compiled>(std::move(written_), threads_, nhwc(input_), nhwc(output_));
    implementation_ = layer_->implementation();
  }

  void reorder_out(nntest_role, const void* native, void* plain) override { out_of_->run(native, plain); }

  void run(void* const* buffers) override { layer_->run(buffers[NNTEST_INPUT], buffers[NNTEST_OUTPUT]); }

  const char* implementation() const override { return implementation_.c_str(); }

  // A model is written, with zeros for constants, while the case is asked for: applications have it in a file.
  static void write_ahead(const Question& question, const char* prefix, std::int64_t groups) {
    require_measurable(question);
    const Window window = Window::of(question, prefix);
    const Dims input = question.dims(NNTEST_INPUT), output = question.dims(NNTEST_OUTPUT);
    Dims key = input;
    key.insert(key.end(), output.begin(), output.end());
    const bool relu = question.post_ops() == "relu";
    for (const std::int64_t value : {window.kernel_h, window.kernel_w, window.stride_h, window.stride_w,
                                     window.dilation_h, window.dilation_w, window.top, window.left, window.bottom,
                                     window.right, groups, std::int64_t{relu}}) {
      key.push_back(value);
    }
    if (ahead().key != key) ahead() = {key, written_convolution(input, output, window, groups, relu)};
  }

 protected:
  explicit Convolution(const Question& question)
      : threads_(question.threads()),
        input_(question.dims(NNTEST_INPUT)),
        weights_(question.dims(NNTEST_WEIGHTS)),
        output_(question.dims(NNTEST_OUTPUT)),
        natives_(plain_natives(question)),
        written_(std::exchange(ahead(), Ahead()).written) {
    constexpr std::int64_t kReadBeyond = 128;  // XNNPACK reads whole vectors, also past the end
    for (Native& native : natives_) {
      const bool activation = native.role == NNTEST_INPUT || native.role == NNTEST_OUTPUT;
      if (activation && question.free_layout()) native.plain = false, native.tag = "acdb";
      if (activation) native.bytes += kReadBeyond;
      if (!activation) native.plain = false;
    }
    if (!question.free_layout()) return;
    into_ = transposition(input_, nhwc(input_), kInwards, threads_);
    out_of_ = transposition(nhwc(output_), output_, kOutwards, threads_);
  }

 private:
  struct Ahead {
    Dims key;
    Written written;
  };

  static Ahead& ahead() {
    static Ahead last;
    return last;
  }

  // Each model has threads of its own: those of the second case would be held to the core of the first thread, because
  // the cores of the others are taken. And the packed copy of the weights lies in memory out of the driver's reach.
  static void require_measurable(const Question& question) {
    if (question.threads() != 1) {
      throw Unsupported("threads " + std::to_string(question.threads()) + "; LiteRT is measured with one");
    }
    if (!question.warm()) throw Unsupported("cold caches: LiteRT keeps packed weights where they cannot be evicted");
  }

  // From OIHW to OHWI; those of a depthwise convolution to HWO, which is the same where there is one I.
  void fill_weights(const float* plain) const {
    float* to = written_.constants("weights_at");
    const bool depthwise = weights_[1] == 1 && input_[1] > 1;
    const std::int64_t outer = depthwise ? 1 : weights_[0], inner = depthwise ? weights_[0] : weights_[1];
    const std::int64_t window = weights_[2] * weights_[3];
    for (std::int64_t o = 0; o < outer; ++o) {
      for (std::int64_t at = 0; at < window; ++at) {
        for (std::int64_t i = 0; i < inner; ++i) *to++ = plain[(o * inner + i) * window + at];
      }
    }
  }

  int threads_;
  Dims input_, weights_, output_;
  std::vector<Native> natives_;
  Written written_;
  int filled_ = 0;
  std::string implementation_ = "convolution";
  std::unique_ptr<Compiled> into_, out_of_, layer_;
};

}  // namespace nntest::litert
