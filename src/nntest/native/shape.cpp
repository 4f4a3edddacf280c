#include "shape.h"

#include <cstdint>

#include "failure.h"
#include "protocol.h"

namespace nntest {
namespace {

// Reads CK_* variables and remembers them as the case's normalised parameters.
class Reader {
 public:
  Reader(Case& asked, const Lookup& variable) : case_(asked), variable_(variable) {}

  // The long name wins over the short one ("CK_CONV_PAD_T" over "CK_CONV_PAD").
  std::int64_t read(const std::string& name, std::int64_t minimum, std::optional<std::int64_t> otherwise,
                    const std::string& short_name = "") {
    auto text = variable_(name);
    if (!text && !short_name.empty()) text = variable_(short_name);
    if (!text && !otherwise) throw Failure((short_name.empty() ? name : short_name) + " is missing");
    const std::int64_t value = text ? parse_integer(name, *text) : *otherwise;
    if (value < minimum || value > INT32_MAX) {
      throw Failure(name + " is " + std::to_string(value) + "; expected " + std::to_string(minimum) + " to " +
                    std::to_string(INT32_MAX));
    }
    case_.parameters[name] = std::to_string(value);
    return value;
  }
  std::int64_t required(const std::string& name) { return read(name, 1, std::nullopt); }

  Dims input(std::optional<std::int64_t> size = std::nullopt) {
    return {batch(), required("CK_IN_SHAPE_C"), read("CK_IN_SHAPE_H", 1, size), read("CK_IN_SHAPE_W", 1, size)};
  }
  Dims flat_output() {
    return {batch(), required("CK_OUT_SHAPE_C"), read("CK_OUT_SHAPE_H", 1, 1), read("CK_OUT_SHAPE_W", 1, 1)};
  }
  std::int64_t batch() {
    const std::int64_t size = read("CK_IN_SHAPE_N", 1, 1);
    case_.parameters.erase("CK_IN_SHAPE_N");  // part of the tensors, no parameter
    return size;
  }

  struct Window {
    std::int64_t kernel_h, kernel_w, out_h, out_w;
  };
  Window window(const std::string& prefix, const Dims& input, std::optional<std::int64_t> kernel, bool dilates) {
    const auto along = [&](const char* axis, const char* before, const char* after, std::int64_t size) {
      const auto pair = [&](const char* what, std::int64_t minimum, std::optional<std::int64_t> otherwise) {
        return read(prefix + what + "_" + axis, minimum, otherwise, prefix + what);
      };
      const std::int64_t taps = pair("_KERNEL", 1, kernel);
      const std::int64_t stride = pair("_STRIDE", 1, 1);
      const std::int64_t dilation = dilates ? pair("_DILATION", 1, 1) : 1;
      const std::int64_t padded =
          size + read(prefix + "_PAD_" + before, 0, 0, prefix + "_PAD") + read(prefix + "_PAD_" + after, 0, 0, prefix + "_PAD");
      const std::int64_t extent = (taps - 1) * dilation + 1;
      if (extent > padded) {
        throw Failure(prefix + "_KERNEL spans " + std::to_string(extent) + ", more than the padded input's " +
                      std::to_string(padded) + "; expected a kernel that fits");
      }
      return std::pair<std::int64_t, std::int64_t>{taps, (padded - extent) / stride + 1};
    };
    const auto [kernel_h, out_h] = along("H", "T", "B", input[2]);
    const auto [kernel_w, out_w] = along("W", "L", "R", input[3]);
    return {kernel_h, kernel_w, out_h, out_w};
  }

  // What a fused sum adds, once the output is known.
  void operands_of_post_ops() {
    if (("+" + case_.post_ops + "+").find("+sum+") == std::string::npos) return;
    case_.tensors[NNTEST_INPUT1] = case_.tensors.at(NNTEST_OUTPUT);
  }

  std::map<int, Dims>& tensors() { return case_.tensors; }

 private:
  Case& case_;
  const Lookup& variable_;
};

void conv(Reader& reader) {
  const Dims input = reader.input();
  const std::int64_t channels = reader.required("CK_OUT_SHAPE_C");
  const std::int64_t groups = reader.read("CK_CONV_GROUPS", 1, 1);
  if (input[1] % groups != 0 || channels % groups != 0) throw Failure("CK_CONV_GROUPS does not divide the channels");
  const auto window = reader.window("CK_CONV", input, std::nullopt, true);
  reader.tensors() = {{NNTEST_INPUT, input},
                      {NNTEST_WEIGHTS, {channels, input[1] / groups, window.kernel_h, window.kernel_w}},
                      {NNTEST_BIAS, {channels}},
                      {NNTEST_OUTPUT, {input[0], channels, window.out_h, window.out_w}}};
}

void depthwiseconv(Reader& reader) {
  const Dims input = reader.input();
  const auto window = reader.window("CK_DEPTHWISE", input, 3, true);
  reader.tensors() = {{NNTEST_INPUT, input},
                      {NNTEST_WEIGHTS, {input[1], 1, window.kernel_h, window.kernel_w}},
                      {NNTEST_BIAS, {input[1]}},
                      {NNTEST_OUTPUT, {input[0], input[1], window.out_h, window.out_w}}};
}

void fullyconnected(Reader& reader) {
  const Dims input = reader.input(1), output = reader.flat_output();
  const std::int64_t outputs = output[1] * output[2] * output[3];
  reader.tensors() = {{NNTEST_INPUT, input},
                      {NNTEST_WEIGHTS, {outputs, input[1], input[2], input[3]}},
                      {NNTEST_BIAS, {outputs}},
                      {NNTEST_OUTPUT, output}};
}

void gemm(Reader& reader) {
  const std::int64_t rows = reader.batch() * reader.required("CK_GEMM_M");
  const std::int64_t inner = reader.required("CK_GEMM_K"), columns = reader.required("CK_GEMM_N");
  reader.read("CK_GEMM_ALPHA", -1024, 1);
  reader.tensors() = {
      {NNTEST_INPUT, {rows, inner}}, {NNTEST_WEIGHTS, {inner, columns}}, {NNTEST_OUTPUT, {rows, columns}}};
  if (reader.read("CK_GEMM_BETA", -1024, 0) != 0) reader.tensors()[NNTEST_INPUT1] = {rows, columns};
}

void pool(Reader& reader) {
  const Dims input = reader.input();
  const auto window = reader.window("CK_POOL", input, std::nullopt, false);
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_OUTPUT, {input[0], input[1], window.out_h, window.out_w}}};
}

void avgpool(Reader& reader) {
  reader.read("CK_EXCLUDE_PADDING", 0, 0);
  pool(reader);
}

void same_shape(Reader& reader) {
  const Dims input = reader.input(1);
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_OUTPUT, input}};
}

void reshape(Reader& reader) {
  const Dims input = reader.input(1), output = reader.flat_output();
  if (element_count(input) != element_count(output)) throw Failure("reshape: numbers of elements differ");
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_OUTPUT, output}};
}

void add(Reader& reader) {
  const Dims input = reader.input(1);
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_INPUT1, input}, {NNTEST_OUTPUT, input}};
}

void concat(Reader& reader) {
  const Dims input = reader.input();
  const std::int64_t second = reader.required("CK_CONCAT_C1");
  const std::int64_t third = reader.read("CK_CONCAT_C2", 0, 0), fourth = reader.read("CK_CONCAT_C3", 0, 0);
  if (fourth != 0 && third == 0) throw Failure("CK_CONCAT_C3 is given without CK_CONCAT_C2; expected no gap");
  const auto part = [&](std::int64_t channels) { return Dims{input[0], channels, input[2], input[3]}; };
  reader.tensors() = {{NNTEST_INPUT, input},
                      {NNTEST_INPUT1, part(second)},
                      {NNTEST_OUTPUT, part(input[1] + second + third + fourth)}};
  if (third != 0) reader.tensors()[NNTEST_INPUT2] = part(third);
  if (fourth != 0) reader.tensors()[NNTEST_INPUT3] = part(fourth);
}

void lrn(Reader& reader) {
  const Dims input = reader.input();
  if (reader.read("CK_LRN_SIZE", 1, 5) % 2 == 0) throw Failure("CK_LRN_SIZE is even; expected an odd number");
  reader.read("CK_LRN_ALPHA_PPM", 1, 100);
  reader.read("CK_LRN_BETA_PERCENT", 1, 75);
  reader.read("CK_LRN_K", 1, 1);
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_OUTPUT, input}};
}

void batchnorm(Reader& reader) {
  const Dims input = reader.input(1);
  reader.read("CK_BATCHNORM_EPSILON_PPM", 0, 10);
  reader.tensors() = {{NNTEST_INPUT, input},
                      {NNTEST_WEIGHTS, {3, input[1]}},
                      {NNTEST_BIAS, {input[1]}},
                      {NNTEST_OUTPUT, input}};
}

void flatten(Reader& reader) {
  const Dims input = reader.input();
  reader.tensors() = {{NNTEST_INPUT, input}, {NNTEST_OUTPUT, {input[0], input[1] * input[2] * input[3], 1, 1}}};
}

const std::map<std::string, void (*)(Reader&)> kShapes = {
    {"conv", conv},       {"depthwiseconv", depthwiseconv}, {"fullyconnected", fullyconnected},
    {"gemm", gemm},       {"avgpool", avgpool},             {"maxpool", pool},
    {"softmax", same_shape}, {"reorder", same_shape},       {"reshape", reshape},
    {"add", add},         {"concat", concat},               {"relu", same_shape},
    {"lrn", lrn},         {"batchnorm", batchnorm},         {"flatten", flatten}};

}  // namespace

void describe_shape(Case& asked, const Lookup& variable) {
  const auto found = kShapes.find(asked.species);
  if (found == kShapes.end()) throw Failure("species '" + asked.species + "' is unknown");
  Reader reader(asked, variable);
  found->second(reader);
  reader.operands_of_post_ops();
}

}  // namespace nntest
