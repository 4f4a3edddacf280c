// What the OpenVINO programs share: a model of one layer, compiled and bound to the driver's buffers. Convolutions of its
// CPU plugin compute with channels innermost, so that a layer from and to NHWC runs without a reorder.
#pragma once

#include <openvino/c/openvino.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "nntest_program.h"
#include "onnx_model.h"
#include "openvino_counters.h"
#include "profile_twins.h"

namespace nntest::openvino {

using onnx::Dims;

inline void require(ov_status_e status, const char* what) {
  if (status == OK) return;
  const char* text = ov_get_last_err_msg();
  throw Failure(std::string("OpenVINO: ") + what + ": " + (text == nullptr ? "" : text));
}

inline const char* describe() {
  static const std::string text = [] {
    ov_version_t version{};
    require(ov_get_openvino_version(&version), "version");
    const std::string build = version.buildNumber == nullptr ? "" : version.buildNumber;
    ov_version_free(&version);
    return R"({"library":"openvino-cpu","version":")" + build.substr(0, build.find('-')) + R"(","build":")" + build +
           R"(","threading":"tbb","isa":""})";
  }();
  return text.c_str();
}

inline ov_core_t* core() {
  static ov_core_t* const made = [] {
    ov_core_t* core = nullptr;
    require(ov_core_create(&core), "core");
    return core;
  }();
  return made;
}

// A tensor over a buffer of ours.
class Tensor {
 public:
  Tensor(void* data, const Dims& dims) : data_(data) {
    ov_shape_t shape{};
    require(ov_shape_create(static_cast<std::int64_t>(dims.size()), dims.data(), &shape), "shape");
    const ov_status_e status = ov_tensor_create_from_host_ptr(F32, shape, data, &tensor_);
    ov_shape_free(&shape);
    require(status, "tensor");
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  ~Tensor() { ov_tensor_free(tensor_); }

  const void* data() const { return data_; }
  const ov_tensor_t* get() const { return tensor_; }

 private:
  void* data_;
  ov_tensor_t* tensor_ = nullptr;
};

// A compiled model; all of its inputs are bound to one buffer, and all of its outputs to another.
class Compiled {
 public:
  Compiled(const std::string& model, int threads, std::size_t copies, Dims input, Dims output, bool profiled = false)
      : copies_(copies), input_(std::move(input)), output_(std::move(output)) {
    require(ov_core_read_model_from_memory_buffer(core(), model.data(), model.size(), nullptr, &model_), "model");
    const std::string count = std::to_string(threads);
    constexpr std::size_t kWords = 12;
    require(ov_core_compile_model(core(), model_, "CPU", kWords, &compiled_, "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS",
                                  count.c_str(), "INFERENCE_PRECISION_HINT", "f32", "ENABLE_CPU_PINNING", "NO",
                                  "CPU_DENORMALS_OPTIMIZATION", "YES", "PERF_COUNT", profiled ? "YES" : "NO"),
            "compile");
    require(ov_compiled_model_create_infer_request(compiled_, &request_), "request");
  }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;
  ~Compiled() {
    if (request_ != nullptr) ov_infer_request_free(request_);
    if (compiled_ != nullptr) ov_compiled_model_free(compiled_);
    if (model_ != nullptr) ov_model_free(model_);
  }

  void run(const void* input, void* output) {
    bind(const_cast<void*>(input), output);
    require(ov_infer_request_infer(request_), "infer");
  }

  // Everything that is done, by the library's own account, where it was asked to keep one. Reorders that it calls fake
  // only rename an axis, and what has no kernel was fused.
  std::vector<Counted> counted() const {
    ov_profiling_info_list_t list{};
    require(ov_infer_request_get_profiling_info(request_, &list), "profile");
    std::vector<Counted> all;
    for (std::size_t at = 0; at < list.size; ++at) {
      const std::string type = list.profiling_infos[at].node_type, name = list.profiling_infos[at].node_name;
      const bool fake = type == "Reorder" && name.size() > 5 && name.compare(name.size() - 5, 5, "_fake") == 0;
      const std::string kernel = list.profiling_infos[at].exec_type;
      if (type == "Parameter" || type == "Result" || type == "Constant" || kernel == "undef" || fake) continue;
      const bool convolution = type == "Convolution" || type == "GroupConvolution";
      all.push_back({(convolution ? "" : type + ":") + kernel,
                     static_cast<double>(list.profiling_infos[at].real_time)});
    }
    ov_profiling_info_list_free(&list);
    return all;
  }

 private:
  void bind(void* input, void* output) {
    if (!read_ || read_->data() != input) {
      read_ = std::make_unique<Tensor>(input, input_);
      for (std::size_t at = 0; at < copies_; ++at) {
        require(ov_infer_request_set_input_tensor_by_index(request_, at, read_->get()), "input");
      }
    }
    if (!written_ || written_->data() != output) {
      written_ = std::make_unique<Tensor>(output, output_);
      for (std::size_t at = 0; at < copies_; ++at) {
        require(ov_infer_request_set_output_tensor_by_index(request_, at, written_->get()), "output");
      }
    }
  }

  std::size_t copies_;
  Dims input_, output_;
  ov_model_t* model_ = nullptr;
  ov_compiled_model_t* compiled_ = nullptr;
  ov_infer_request_t* request_ = nullptr;
  std::unique_ptr<Tensor> read_, written_;
};

// A model that counts. Its first runs are in the library's means too and have to be taken off again.
class Counting final : public CountingSession {
 public:
  explicit Counting(std::unique_ptr<Compiled> model) : model_(std::move(model)) {}

  void run(const std::vector<const void*>& inputs, void* output) override {
    ++runs_;
    model_->run(inputs.front(), output);
  }

  void settled() override {
    before_ = model_->counted();
    runs_before_ = runs_;
  }

  Kernels kernels(std::size_t runs) override {
    if (runs != runs_ - runs_before_) return {};  // others would be in the mean
    return kernels_between(before_, runs_before_, model_->counted(), runs_);
  }

 private:
  std::unique_ptr<Compiled> model_;
  std::size_t runs_ = 0, runs_before_ = 0;
  std::vector<Counted> before_;
};

// A model that moves the channels of an image inwards or outwards, and nothing else.
inline std::unique_ptr<Compiled> transposition(const Dims& from, const Dims& to, const Dims& order, int threads) {
  onnx::Node node("Transpose", {"input"}, "output");
  node.integers("perm", order);
  onnx::Graph graph;
  graph.add(node).input("input", from).output("output", to);
  return std::make_unique<Compiled>(graph.model(), threads, 1, from, to);
}

// A convolution from NHWC to NHWC, on the driver's buffers.
class Convolution : public BatchedOperator {
 public:
  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    if (role == NNTEST_INPUT) return into_->run(plain, native);
    // Constants are part of a model: they are handed over as if they had to be reordered, and it is compiled then.
    const std::size_t bytes = elements(role == NNTEST_WEIGHTS ? weights_ : bias_) * sizeof(float);
    std::memcpy(native, plain, bytes);
    (role == NNTEST_WEIGHTS ? weights_at_ : bias_at_) = static_cast<const char*>(native);
    if (weights_at_ != nullptr && bias_at_ != nullptr) single_ = compile(1);
  }

  void reorder_out(nntest_role, const void* native, void* plain) override { out_of_->run(native, plain); }

  void run(void* const* buffers) override { run_in(*single_, 1, buffers); }

  // An inference costs some microseconds beside the computation. Where that counts, the model of a batch has the layer
  // many times; each has an input of its own, else they would be taken for one, and all are bound to the same buffers.
  std::int64_t prepare_batch(void* const* buffers) override {
    constexpr double kLongRunS = 3e-4;
    run(buffers);
    const double start = now_s();
    run(buffers);
    const bool long_run = now_s() - start > kLongRunS;
    name_kernel(buffers);
    if (long_run) return 1;
    batch_ = compile(kLayers);
    return kLayers;
  }

  void run_batch(void* const* buffers) override { run_in(*batch_, kLayers, buffers); }

  const char* implementation() const override { return implementation_.c_str(); }

 protected:
  Convolution(const Question& question, const std::string& prefix, std::int64_t groups)
      : threads_(question.threads()),
        window_(Window::of(question, prefix)),
        groups_(groups),
        relu_(question.post_ops() == "relu"),
        input_(question.dims(NNTEST_INPUT)),
        weights_(question.dims(NNTEST_WEIGHTS)),
        bias_{question.elements(NNTEST_BIAS)},
        output_(question.dims(NNTEST_OUTPUT)),
        natives_(plain_natives(question)) {
    for (Native& native : natives_) {
      const bool activation = native.role == NNTEST_INPUT || native.role == NNTEST_OUTPUT;
      if (activation && question.free_layout()) native.plain = false, native.tag = "acdb";
      if (!activation) native.plain = false;
    }
    if (!question.free_layout()) return;
    into_ = transposition(input_, nhwc(input_), kInwards, threads_);
    out_of_ = transposition(nhwc(output_), output_, kOutwards, threads_);
  }

 private:
  static constexpr std::int64_t kLayers = 16;  // in the model of a batch

  // Where the session asks for an account of a block, a model that counts takes the place of the usual one.
  void run_in(Compiled& usual, std::int64_t copies, void* const* buffers) {
    Twins& twins = Twins::get();
    if (!twins.wanted()) return usual.run(buffers[NNTEST_INPUT], buffers[NNTEST_OUTPUT]);
    twins.run(&usual, {buffers[NNTEST_INPUT]}, buffers[NNTEST_OUTPUT],
              [&] { return std::make_unique<Counting>(compile(copies, true)); });
  }

  static std::size_t elements(const Dims& dims) {
    std::size_t count = 1;
    for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
    return count;
  }

  std::string model(std::int64_t copies) const {
    onnx::Graph graph;
    graph.constant(onnx::tensor("weights", weights_, {weights_at_, elements(weights_) * sizeof(float)}));
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      const std::string suffix = "_" + std::to_string(copy);
      // A bias that several layers share would not be fused into them: the library would add it in a kernel of its own.
      graph.constant(onnx::tensor("bias" + suffix, bias_, {bias_at_, elements(bias_) * sizeof(float)}));
      // The transpositions say that the image lies with its channels inwards; they vanish when the model is compiled.
      onnx::Node before("Transpose", {"input" + suffix}, "image" + suffix);
      onnx::Node layer("Conv", {"image" + suffix, "weights", "bias" + suffix}, "sum" + suffix);
      onnx::Node after("Transpose", {(relu_ ? "positive" : "sum") + suffix}, "output" + suffix);
      layer.integers("kernel_shape", {window_.kernel_h, window_.kernel_w})
          .integers("strides", {window_.stride_h, window_.stride_w})
          .integers("dilations", {window_.dilation_h, window_.dilation_w})
          .integers("pads", {window_.top, window_.left, window_.bottom, window_.right})
          .integer("group", groups_);
      graph.add(before.integers("perm", kOutwards)).add(layer);
      if (relu_) graph.add(onnx::Node("Relu", {"sum" + suffix}, "positive" + suffix));
      graph.add(after.integers("perm", kInwards));
      graph.input("input" + suffix, nhwc(input_)).output("output" + suffix, nhwc(output_));
    }
    return graph.model();
  }

  std::unique_ptr<Compiled> compile(std::int64_t copies, bool profiled = false) const {
    return std::make_unique<Compiled>(model(copies), threads_, static_cast<std::size_t>(copies), nhwc(input_),
                                      nhwc(output_), profiled);
  }

  // Which kernel it is, only a model that counts tells.
  void name_kernel(void* const* buffers) {
    const std::unique_ptr<Compiled> counting = compile(1, true);
    counting->run(buffers[NNTEST_INPUT], buffers[NNTEST_OUTPUT]);
    implementation_.clear();
    for (const Counted& one : counting->counted()) {
      implementation_ += (implementation_.empty() ? "" : "+") + one.kernel;
    }
  }

  int threads_;
  Window window_;
  std::int64_t groups_;
  bool relu_;
  Dims input_, weights_, bias_, output_;
  std::vector<Native> natives_;
  const char* weights_at_ = nullptr;
  const char* bias_at_ = nullptr;
  std::string implementation_ = "convolution";
  std::unique_ptr<Compiled> into_, out_of_, single_, batch_;
};

// The packed copy of the weights lies in memory of the model's, out of the driver's reach. And a model that was told to
// use two threads was seen to compute with one, also where nothing held it to a core.
inline void require_measurable(const Question& question) {
  if (question.threads() != 1) {
    throw Unsupported("threads " + std::to_string(question.threads()) + "; OpenVINO is measured with one");
  }
  if (!question.warm()) throw Unsupported("cold caches: OpenVINO keeps packed weights where they cannot be evicted");
}

}  // namespace nntest::openvino
