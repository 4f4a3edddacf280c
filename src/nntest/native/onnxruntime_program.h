// What the ONNX Runtime programs share: the layer that the library makes of a model. It is optimised as in a network;
// reorders that this puts around it become those of the interface.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "clock.h"
#include "nntest_program.h"
#include "onnx_model.h"
#include "onnxruntime_session.h"
#include "onnxruntime_trace.h"

namespace nntest::onnxruntime {

inline const char* describe() {
  static const std::string text = [] {
    char json[256];
    std::snprintf(json, sizeof json,
                  R"({"library":"onnxruntime-cpu","version":"%s","build":"","threading":"own","isa":""})",
                  Library::get().version());
    return std::string(json);
  }();
  return text.c_str();
}

// Channels in a block of ONNX Runtime's own layout on this processor; 0 where it has none.
inline std::int64_t channels_in_block(int threads) {
  static const std::int64_t channels = [threads] {
    const Dims input{1, 3, 4, 4}, output{1, 4, 4, 4}, weights{4, 3, 1, 1};
    onnx::Graph graph;
    graph.constant(onnx::tensor("weights", weights, std::string(48, '\0')));
    graph.add(onnx::Node("Conv", {"input", "weights"}, "output").integers("kernel_shape", {1, 1}));
    graph.input("input", input).output("output", output);
    std::string optimized;
    const Session probe(graph.model(), threads, {{"input", input}}, {{"output", output}}, kAllOptimization, nullptr,
                        &optimized);
    const onnx::ReadGraph read = onnx::read_model(optimized);
    const bool blocked = !read.nodes.empty() && read.nodes.back().kind == "ReorderOutput" && !read.constants.empty();
    return blocked ? read.constants.front().dims.front() : 0;
  }();
  return channels;
}

// A layer as its program writes it: nodes from "input" (and "input1") with the constants "weights" and "bias" to
// "output", and the dimensions of these tensors where the model has others than the case.
struct LayerModel {
  std::vector<onnx::Node> nodes;
  std::map<nntest_role, Dims> dims;
};

// What ONNX Runtime makes of a layer: the nodes that compute, and the reorders around them.
struct Plan {
  std::vector<onnx::ReadNode> nodes;
  std::optional<onnx::ReadNode> reorder_in, reorder_out;
  std::string input = "input", output = "output";
  std::map<nntest_role, onnx::ReadTensor> constants;  // those with a role, under the names that the nodes have for them
};

inline bool is_parameter(nntest_role role) { return role == NNTEST_WEIGHTS || role == NNTEST_BIAS; }

inline std::size_t elements(const Dims& dims) {
  std::size_t count = 1;
  for (const std::int64_t dim : dims) count *= static_cast<std::size_t>(dim);
  return count;
}

// A layer before the library has seen it.
class Draft {
 public:
  // `layered`: the library may put reorders around the layer, or fuse its nodes; else it is taken as it is.
  Draft(const Question& question, LayerModel model, bool layered)
      : threads_(question.threads()),
        model_(std::move(model)),
        level_(!layered ? kNoOptimization : question.free_layout() ? kAllOptimization : kExtendedOptimization) {
    for (const nntest_role role : question.roles()) {
      const auto own = model_.dims.find(role);
      dims_[role] = own != model_.dims.end() ? own->second : question.dims(role);
    }
  }

  const std::map<nntest_role, Dims>& dims() const { return dims_; }

  // Two drafts with one key get one plan.
  std::string key() const {
    std::string key = std::to_string(level_);
    for (const onnx::Node& node : model_.nodes) key += "|" + node.message().bytes();
    for (const auto& [role, dims] : dims_) {
      key += "|" + std::to_string(role);
      for (const std::int64_t dim : dims) key += "," + std::to_string(dim);
    }
    return key;
  }

  // Which layout and kernel the library chooses does not depend on the values, so zeros will do.
  Plan plan_with_any_weights() const {
    std::map<nntest_role, std::string> zeros;
    for (const auto& [role, dims] : dims_) {
      const bool needed = level_ != kNoOptimization;  // else nobody looks at them
      if (is_parameter(role)) zeros[role] = std::string(needed ? elements(dims) * sizeof(float) : 0, '\0');
    }
    Plan made = plan(zeros);
    for (auto& [role, constant] : made.constants) constant.floats = {};
    return made;
  }

  Plan plan(const std::map<nntest_role, std::string>& values) const {
    onnx::Graph graph;
    for (const auto& [role, floats] : values) {
      graph.constant(onnx::tensor(constant_name(role), dims_.at(role), floats));
    }
    for (const onnx::Node& node : model_.nodes) graph.add(node);
    std::vector<Port> inputs{{"input", dims_.at(NNTEST_INPUT)}};
    if (dims_.count(NNTEST_INPUT1) != 0) inputs.push_back({"input1", dims_.at(NNTEST_INPUT1)});
    for (const Port& input : inputs) graph.input(input.name, input.dims);
    const Port output{"output", dims_.at(NNTEST_OUTPUT)};
    graph.output(output.name, output.dims);
    std::string changed = graph.model();
    if (level_ != kNoOptimization) {
      const std::string original = std::exchange(changed, {});
      const Session session(original, threads_, inputs, {output}, level_, nullptr, &changed);
    }
    return plan_of(onnx::read_model(changed));
  }

  static Plan plan_of(onnx::ReadGraph graph) {
    Plan plan;
    plan.nodes = std::move(graph.nodes);
    if (plan.nodes.size() > 1 && plan.nodes.front().kind == "ReorderInput") {
      plan.reorder_in = plan.nodes.front();
      plan.nodes.erase(plan.nodes.begin());
      plan.input = plan.reorder_in->outputs.at(0);
    }
    if (plan.nodes.size() > 1 && plan.nodes.back().kind == "ReorderOutput") {
      plan.reorder_out = plan.nodes.back();
      plan.nodes.pop_back();
      plan.output = plan.reorder_out->inputs.at(0);
    }
    if (plan.nodes.empty()) throw Failure("ONNX Runtime: nothing is left of the layer");
    const std::vector<std::string>& inputs = plan.nodes.front().inputs;
    for (onnx::ReadTensor& constant : graph.constants) {
      const auto at = std::find(inputs.begin(), inputs.end(), constant.name) - inputs.begin();
      if (at != 1 && at != 2) throw Failure("ONNX Runtime: the layer has a constant of its own, " + constant.name);
      plan.constants[at == 1 ? NNTEST_WEIGHTS : NNTEST_BIAS] = std::move(constant);
    }
    return plan;
  }

 private:
  static const char* constant_name(nntest_role role) { return role == NNTEST_WEIGHTS ? "weights" : "bias"; }

  int threads_;
  LayerModel model_;
  int level_;
  std::map<nntest_role, Dims> dims_;
};

// An operator in a session of one node (or of the few that the library makes of one), over buffers of the driver's.
class Layer : public BatchedOperator {
 public:
  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    if (role == NNTEST_INPUT) return into_->run({plain}, native);
    const std::size_t bytes = elements(dims_.at(role)) * sizeof(float);
    given_[role] = {std::string(static_cast<const char*>(plain), bytes), native};
    if (given_.size() == parameters_) compile_with_weights();
  }

  void reorder_out(nntest_role, const void* native, void* plain) override { out_of_->run({native}, plain); }

  void run(void* const* buffers) override { run_in(*single_, 1, buffers); }

  // A call of a session costs about a microsecond beside the computation. Where that counts, the session of a batch has
  // the node many times, all of them with the same inputs and the same buffer for their outputs.
  std::int64_t prepare_batch(void* const* buffers) override {
    constexpr double kLongRunS = 3e-4;
    const double start = now_s();
    run(buffers);
    if (now_s() - start > kLongRunS) return 1;
    batch_ = compile(kNodes);
    return kNodes;
  }

  void run_batch(void* const* buffers) override { run_in(*batch_, kNodes, buffers); }

  const char* implementation() const override { return implementation_.c_str(); }

  // What the library makes of the layer is found out while the case is asked for: no application pays for that.
  static void plan_ahead(const Question& question, const LayerModel& model, bool layered) {
    const Draft draft(question, model, layered);
    if (layered) channels_in_block(question.threads());  // asked once
    if (last_plan().key != draft.key()) last_plan() = {draft.key(), draft.plan_with_any_weights()};
  }

 protected:
  Layer(const Question& question, const LayerModel& model, bool layered)
      : threads_(question.threads()), draft_(question, model, layered), dims_(draft_.dims()) {
    for (const auto& [role, dims] : dims_) parameters_ += is_parameter(role) ? 1 : 0;
    plan_ = last_plan().key == draft_.key() ? last_plan().plan : draft_.plan_with_any_weights();
    natives_ = plain_natives(question);
    for (Native& native : natives_) {
      if (native.role == NNTEST_INPUT && plan_.reorder_in) block(native);
      if (native.role == NNTEST_OUTPUT && plan_.reorder_out) block(native);
      if (is_parameter(native.role)) keep_constant(native);
    }
    for (const onnx::ReadNode& node : plan_.nodes) {
      implementation_ += (implementation_.empty() ? "" : "+") + (domain() + node.kind);
    }
    const Port input{"input", dims_.at(NNTEST_INPUT)}, output{"output", dims_.at(NNTEST_OUTPUT)};
    if (plan_.reorder_in) into_ = reorder(*plan_.reorder_in, input, {plan_.input, native_dims(NNTEST_INPUT)});
    if (plan_.reorder_out) out_of_ = reorder(*plan_.reorder_out, {plan_.output, native_dims(NNTEST_OUTPUT)}, output);
    if (parameters_ == 0) single_ = compile(1);
  }

 private:
  static constexpr std::int64_t kNodes = 64;  // in the session of a batch

  struct Given {
    std::string floats;
    void* native;
  };

  struct LastPlan {
    std::string key;
    Plan plan;
  };

  static LastPlan& last_plan() {
    static LastPlan last;
    return last;
  }

  bool has_input1() const { return dims_.count(NNTEST_INPUT1) != 0; }

  std::vector<const void*> inputs_of(void* const* buffers) const {
    std::vector<const void*> inputs{buffers[NNTEST_INPUT]};
    if (has_input1()) inputs.push_back(buffers[NNTEST_INPUT1]);
    return inputs;
  }

  // What stands before the names of operators in the library's own layout.
  std::string domain() const { return plan_.reorder_in || plan_.reorder_out ? "nchwc." : ""; }

  // Where the session asks for an account of a block, a session that writes a trace takes the place of the usual one.
  void run_in(Session& usual, std::int64_t copies, void* const* buffers) {
    Twins& twins = Twins::get();
    if (!twins.wanted()) return usual.run(inputs_of(buffers), buffers[NNTEST_OUTPUT]);
    twins.run(&usual, inputs_of(buffers), buffers[NNTEST_OUTPUT], [&] {
      return std::make_unique<TracedSession>(
          domain(), [&](const std::string& trace) { return compile(copies, trace); });
    });
  }

  Dims native_dims(nntest_role role) const {
    Dims dims = dims_.at(role);
    const bool blocked = role == NNTEST_INPUT ? plan_.reorder_in.has_value() : plan_.reorder_out.has_value();
    if (!blocked) return dims;
    const std::int64_t channels = channels_in_block(threads_);
    if (channels <= 0) throw Failure("ONNX Runtime: reorders without a layout of its own");
    dims[1] = (dims[1] + channels - 1) / channels * channels;
    return dims;
  }

  void block(Native& native) const {
    native.plain = false;
    native.bytes = static_cast<std::int64_t>(elements(native_dims(native.role)) * sizeof(float));
    const std::string channels = std::to_string(channels_in_block(threads_));
    native.tag = "aBcd" + channels + "b";
  }

  // Constants are part of a session: they are handed over as if they had to be reordered, and it is made then.
  void keep_constant(Native& native) const {
    native.plain = false;
    const auto constant = plan_.constants.find(native.role);
    if (constant == plan_.constants.end()) throw Failure("ONNX Runtime: the layer has lost a constant");
    native.bytes = static_cast<std::int64_t>(elements(constant->second.dims) * sizeof(float));
    if (native.role == NNTEST_WEIGHTS && (plan_.reorder_in || plan_.reorder_out)) native.tag = "nchwc";
  }

  std::unique_ptr<Session> reorder(const onnx::ReadNode& node, const Port& from, const Port& to) const {
    onnx::Graph graph;
    graph.body.message(1, onnx::renamed(node, {from.name}, to.name));
    graph.input(from.name, from.dims).output(to.name, to.dims);
    return std::make_unique<Session>(graph.model(), threads_, std::vector<Port>{from}, std::vector<Port>{to});
  }

  void compile_with_weights() {
    std::map<nntest_role, std::string> values;
    for (auto& [role, given] : given_) values[role] = std::move(given.floats);
    Plan made = draft_.plan(values);
    for (auto& [role, constant] : made.constants) {
      const auto expected = plan_.constants.find(role);
      if (expected == plan_.constants.end() || expected->second.dims != constant.dims) {
        throw Failure("ONNX Runtime: the layer has other constants than with zeros for weights");
      }
      void* native = given_.at(role).native;
      std::memcpy(native, constant.floats.data(), constant.floats.size());
      kept_[constant.name] = std::make_unique<Tensor>(native, constant.dims);
      constant.floats = {};
    }
    plan_ = std::move(made);
    single_ = compile(1);
  }

  // The nodes that compute, `copies` times on the same inputs.
  std::unique_ptr<Session> compile(std::int64_t copies, const std::string& trace = "") const {
    onnx::Graph graph;
    for (const auto& [role, constant] : plan_.constants) {
      // The values are used where they lie, in the driver's buffer, but a model without them would be refused.
      const auto* values = static_cast<const char*>(kept_.at(constant.name)->data());
      graph.constant(onnx::tensor(constant.name, constant.dims, {values, elements(constant.dims) * sizeof(float)}));
    }
    std::vector<Port> outputs;
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      const std::string suffix = copy == 0 ? "" : "_" + std::to_string(copy);
      std::map<std::string, std::string> names;
      for (const onnx::ReadNode& node : plan_.nodes) {
        std::vector<std::string> inputs = node.inputs;
        for (std::string& input : inputs) {
          if (const auto own = names.find(input); own != names.end()) input = own->second;
        }
        const std::string& output = node.outputs.at(0);
        graph.body.message(1, onnx::renamed(node, inputs, names[output] = output + suffix));
      }
      outputs.push_back({plan_.output + suffix, native_dims(NNTEST_OUTPUT)});
    }
    std::vector<Port> inputs{{plan_.input, native_dims(NNTEST_INPUT)}};
    if (has_input1()) inputs.push_back({"input1", dims_.at(NNTEST_INPUT1)});
    for (const Port& input : inputs) graph.input(input.name, input.dims);
    for (const Port& output : outputs) graph.output(output.name, output.dims);
    return std::make_unique<Session>(graph.model(), threads_, inputs, outputs, kNoOptimization, &kept_, nullptr, trace);
  }

  int threads_;
  Draft draft_;
  std::map<nntest_role, Dims> dims_;
  std::size_t parameters_ = 0;
  Plan plan_;
  std::vector<Native> natives_;
  std::string implementation_;
  std::map<nntest_role, Given> given_;
  Constants kept_;
  std::unique_ptr<Session> into_, out_of_, single_, batch_;
};

// Attributes of a sliding window, as convolutions and pooling have them.
inline onnx::Node& add_window(onnx::Node& node, const Window& window) {
  return node.integers("kernel_shape", {window.kernel_h, window.kernel_w})
      .integers("strides", {window.stride_h, window.stride_w})
      .integers("pads", {window.top, window.left, window.bottom, window.right});
}

// The packed copy that a matrix product makes of its weights lies in memory of the session's, out of the driver's reach.
inline void require_warm(const Question& question) {
  if (!question.warm()) throw Unsupported("cold caches: ONNX Runtime keeps packed weights where they cannot be evicted");
}

// Convolution with relu behind it, which the library fuses.
inline LayerModel convolution_model(const Question& question, const std::string& prefix, std::int64_t groups) {
  const Window window = Window::of(question, prefix);
  const bool relu = question.post_ops() == "relu";
  onnx::Node node("Conv", {"input", "weights", "bias"}, relu ? "sum" : "output");
  add_window(node, window).integers("dilations", {window.dilation_h, window.dilation_w}).integer("group", groups);
  LayerModel model{{node}, {}};
  if (relu) model.nodes.push_back(onnx::Node("Relu", {"sum"}, "output"));
  return model;
}

}  // namespace nntest::onnxruntime
