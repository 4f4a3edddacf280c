// What the Arm Compute Library programs share: tensors in the library's terms, their padding, and how they are handed on.
//
// The library names dimensions innermost first, wants room around a tensor that depends on the kernels it has chosen
// (known once a function is configured), and reads and writes memory that is not its own when told to import it.
#pragma once

#include <arm_compute/core/Error.h>
#include <arm_compute/core/TensorInfo.h>
#include <arm_compute/core/Types.h>
#include <arm_compute/core/Version.h>
#include <arm_compute/core/utils/quantization/AsymmHelpers.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nntest_program.h"

namespace nntest::armcl {

namespace acl = arm_compute;

// "v20.08" out of the library's account of its build.
inline std::string version() {
  const std::string text = acl::build_information();
  const std::size_t begin = text.find("=v");
  return begin == std::string::npos ? "unknown" : text.substr(begin + 2, text.find(' ', begin) - begin - 2);
}

// The library has no layout of its own: left free, tensors stay as the case describes them.
inline acl::DataLayout data_layout(const Question& question) {
  return question.channels_last() ? acl::DataLayout::NHWC : acl::DataLayout::NCHW;
}

// Which logical axis stands at each of the library's dimensions.
using Order = std::vector<int>;

inline Order image_order(const Question& question) {
  return question.channels_last() ? Order{1, 3, 2, 0} : Order{3, 2, 1, 0};
}

inline acl::PadStrideInfo pad_stride(const Window& window) {
  const auto narrow = [](std::int64_t value) { return static_cast<unsigned>(value); };
  return {narrow(window.stride_w), narrow(window.stride_h), narrow(window.left),   narrow(window.right),
          narrow(window.top),      narrow(window.bottom),   acl::DimensionRoundingType::FLOOR};
}

inline acl::Size2D dilation(const Window& window) {
  return {static_cast<std::size_t>(window.dilation_w), static_cast<std::size_t>(window.dilation_h)};
}

// What the library cannot do is an answer, in its own words without the place in its sources.
inline void require(const acl::Status& status) {
  if (bool(status)) return;
  const std::string text = status.error_description();
  const std::size_t place = text.rfind(".cpp:");
  const std::size_t reason = place == std::string::npos ? std::string::npos : text.find(": ", place);
  throw Unsupported("Arm Compute Library: " + (reason == std::string::npos ? text : text.substr(reason + 2)));
}

// float32, or with the tensor's scale and zero point QASYMM8; biases of a quantised case are plain int32.
inline acl::TensorInfo tensor_info(const nntest_tensor& given, const acl::TensorShape& shape) {
  if (given.dtype == NNTEST_F32) return {shape, 1, acl::DataType::F32};
  const acl::QuantizationInfo quantisation(given.scales[0], given.zero_points[0]);
  if (given.dtype == NNTEST_U8) return {shape, 1, acl::DataType::QASYMM8, quantisation};
  if (given.dtype == NNTEST_S32) return {shape, 1, acl::DataType::S32};
  throw Unsupported("dtype number " + std::to_string(given.dtype) + "; Arm Compute Library has no such tensor here");
}

// For products of QASYMM8 matrices: whole sums are brought into the output's scale within the function. It adds the
// operands' zero points to what is stored, where all other functions take them off: so they are negated.
inline acl::GEMMInfo requantising(acl::ITensorInfo& left, acl::ITensorInfo& right, const acl::ITensorInfo& output) {
  acl::GEMMLowpOutputStageInfo stage;
  stage.type = acl::GEMMLowpOutputStageType::QUANTIZE_DOWN_FIXEDPOINT;
  stage.gemmlowp_offset = output.quantization_info().uniform().offset;
  stage.gemmlowp_min_bound = 0;
  stage.gemmlowp_max_bound = 255;
  stage.output_data_type = acl::DataType::QASYMM8;
  require(acl::quantization::calculate_quantized_multipliers(left.quantization_info(), right.quantization_info(),
                                                             output.quantization_info(), stage));
  stage.gemmlowp_multiplier = stage.gemmlowp_multipliers.at(0);
  stage.gemmlowp_shift = stage.gemmlowp_shifts.at(0);
  for (acl::ITensorInfo* operand : {&left, &right}) {
    const acl::UniformQuantizationInfo stored = operand->quantization_info().uniform();
    operand->set_quantization_info({stored.scale, -stored.offset});
  }
  constexpr bool prepare_once = true;
  return {false, false, prepare_once, 0, false, false, stage};
}

// A product of QASYMM8 matrices by the function of a backend that is for them, configured.
template <class LowpProduct, class Tensor>
std::unique_ptr<LowpProduct> quantised_product(const Question& question, Tensor* left, Tensor* right, Tensor* output) {
  if (question.parameter("CK_GEMM_ALPHA") != 1 || question.parameter("CK_GEMM_BETA") != 0) {
    throw Unsupported("Arm Compute Library: a product of QASYMM8 that is scaled or added to; it has none");
  }
  const acl::GEMMInfo info = requantising(*left->info(), *right->info(), *output->info());
  require(LowpProduct::validate(left->info(), right->info(), nullptr, output->info(), info));
  auto function = std::make_unique<LowpProduct>();
  function->configure(left, right, nullptr, output, info);
  return function;
}

// One tensor of the case: dims and strides as the case has them, the library's own beside it.
template <class Tensor>
class Bound {
 public:
  Bound(const Question& question, nntest_role role, const Order& order, acl::DataLayout layout)
      : Bound(question, role, question.dims(role), order, layout) {}

  // With other dims than the case's own: axes flattened or left out, which changes no element's place.
  Bound(const Question& question, nntest_role role, std::vector<std::int64_t> dims, const Order& order,
        acl::DataLayout layout)
      : role_(role), dims_(std::move(dims)), order_(order), tensor_(std::make_unique<Tensor>()) {
    const nntest_tensor& given = question.tensor(role);
    if (dims_ == question.dims(role)) {
      plain_strides_.assign(given.strides, given.strides + given.rank);
    } else {
      plain_strides_.assign(dims_.size(), 1);
      for (std::size_t axis = dims_.size(); axis-- > 1;) plain_strides_[axis - 1] = plain_strides_[axis] * dims_[axis];
    }
    acl::TensorShape shape;
    for (std::size_t at = 0; at < order_.size(); ++at) {
      shape.set(at, static_cast<std::size_t>(dims_[static_cast<std::size_t>(order_[at])]), false);
    }
    acl::TensorInfo info = tensor_info(given, shape);
    info.set_data_layout(layout);
    tensor_->allocator()->init(info);
  }

  nntest_role role() const { return role_; }
  Tensor* get() const { return tensor_.get(); }
  acl::ITensorInfo* info() const { return tensor_->info(); }

  // The native form, once the function that uses the tensor is configured.
  Native native() const {
    const auto bytes = static_cast<std::int64_t>(info()->total_size());
    return {role_, bytes, is_plain(), is_plain() ? plain_tag() : plain_tag() + ":padded"};
  }

  void read(const void* plain, void* native) const {
    std::memset(native, 0, info()->total_size());
    visit([&](std::int64_t from, std::int64_t to, std::int64_t count, std::int64_t step, std::int64_t native_step) {
      copy(static_cast<char*>(native) + to, native_step, static_cast<const char*>(plain) + from, step, count);
    });
  }

  void write(const void* native, void* plain) const {
    visit([&](std::int64_t from, std::int64_t to, std::int64_t count, std::int64_t step, std::int64_t native_step) {
      copy(static_cast<char*>(plain) + from, step, static_cast<const char*>(native) + to, native_step, count);
    });
  }

  bool imported(const void* buffer) {
    if (buffer == data_) return true;
    data_ = buffer;
    return false;
  }

 private:
  // Elements of 4 bytes or of 1, by steps in bytes.
  void copy(char* target, std::int64_t target_step, const char* source, std::int64_t source_step,
            std::int64_t count) const {
    if (info()->element_size() == 1) {
      for (std::int64_t at = 0; at < count; ++at) target[at * target_step] = source[at * source_step];
      return;
    }
    for (std::int64_t at = 0; at < count; ++at) {
      std::memcpy(target + at * target_step, source + at * source_step, sizeof(float));
    }
  }

  // Calls action(plain offset, native offset, count, plain step, native step), all in bytes, for each row of the
  // library's innermost dimension.
  template <class Action>
  void visit(Action&& action) const {
    const auto& strides = info()->strides_in_bytes();
    const auto axis_of = [this](std::size_t at) { return static_cast<std::size_t>(order_[at]); };
    const auto step_of = [&](std::size_t at) { return static_cast<std::int64_t>(strides[at]); };
    std::vector<std::int64_t> index(order_.size(), 0);
    const auto width = static_cast<std::int64_t>(info()->element_size());
    std::int64_t plain = 0, native = static_cast<std::int64_t>(info()->offset_first_element_in_bytes());
    while (true) {
      action(plain * width, native, dims_[axis_of(0)], plain_strides_[axis_of(0)] * width, step_of(0));
      std::size_t at = 1;
      for (; at < order_.size(); ++at) {
        plain += plain_strides_[axis_of(at)], native += step_of(at);
        if (++index[at] < dims_[axis_of(at)]) break;
        plain -= plain_strides_[axis_of(at)] * dims_[axis_of(at)], native -= step_of(at) * dims_[axis_of(at)];
        index[at] = 0;
      }
      if (at >= order_.size()) return;
    }
  }

  bool is_plain() const {
    if (info()->offset_first_element_in_bytes() != 0) return false;
    const auto& strides = info()->strides_in_bytes();
    for (std::size_t at = 0; at < order_.size(); ++at) {
      const auto axis = static_cast<std::size_t>(order_[at]);
      const auto bytes = static_cast<std::size_t>(plain_strides_[axis]) * info()->element_size();
      if (dims_[axis] != 1 && strides[at] != bytes) return false;
    }
    return true;
  }

  // Dimensions as letters, outermost first, as the case's axes are called: "abcd" is NCHW, "acdb" NHWC.
  std::string plain_tag() const {
    std::string tag;
    for (std::size_t at = order_.size(); at-- > 0;) tag += static_cast<char>('a' + order_[at]);
    return tag;
  }

  nntest_role role_;
  std::vector<std::int64_t> dims_, plain_strides_;
  Order order_;
  std::unique_ptr<Tensor> tensor_;
  const void* data_ = nullptr;
};

// An operator of the library: `Backend` says what a tensor is, how memory is imported, and how a tensor's memory goes over
// to the library (`lend`) and comes back with what it has computed (`fetch`).
template <class Backend>
class Function : public Operator {
 public:
  using Tensor = typename Backend::Tensor;

  std::vector<Native> natives() const override {
    std::vector<Native> natives;
    for (const auto& bound : bound_) natives.push_back(bound.native());
    return natives;
  }

  void reorder_in(nntest_role role, const void* plain, void* native) override { find(role).read(plain, native); }
  void reorder_out(nntest_role role, const void* native, void* plain) override { find(role).write(native, plain); }

  void run(void* const* buffers) override {
    Tensor& output = *find(NNTEST_OUTPUT).get();
    Backend::lend(output);
    for (auto& bound : bound_) {
      if (bound.imported(buffers[bound.role()])) continue;
      require(Backend::import(*bound.get(), buffers[bound.role()]));
    }
    function_->run();
    Backend::fetch(output);
  }

  const char* implementation() const override { return implementation_.c_str(); }

 protected:
  explicit Function(const Question& question) { Backend::prepare(question); }

  Tensor* bind(const Question& question, nntest_role role, const Order& order, acl::DataLayout layout) {
    bound_.emplace_back(question, role, order, layout);
    return bound_.back().get();
  }

  Tensor* bind(const Question& question, nntest_role role, std::vector<std::int64_t> dims, const Order& order,
               acl::DataLayout layout) {
    bound_.emplace_back(question, role, std::move(dims), order, layout);
    return bound_.back().get();
  }

  // The function is kept; it must have been configured with tensors of `bind`.
  void use(std::unique_ptr<acl::IFunction> function, std::string implementation) {
    function_ = std::move(function);
    implementation_ = std::move(implementation);
  }

  acl::IFunction& function() { return *function_; }
  std::vector<Bound<Tensor>>& bound() { return bound_; }

 private:
  Bound<Tensor>& find(nntest_role role) {
    for (auto& bound : bound_) {
      if (bound.role() == role) return bound;
    }
    throw Failure("reorder: this tensor is unknown: role " + std::to_string(role));
  }

  std::vector<Bound<Tensor>> bound_;
  std::unique_ptr<acl::IFunction> function_;  // after the tensors that it points to: destroyed before them
  std::string implementation_;
};

}  // namespace nntest::armcl
