#include "prepared_case.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "bulk.h"
#include "cache.h"
#include "clock.h"
#include "failure.h"
#include "input_values.h"
#include "threads.h"

namespace nntest {
namespace {

struct Repeated {
  double median_s;
  double total_s;
};

template <class Function>
double seconds_of(Function&& function) {
  const double start = now_s();
  function();
  return now_s() - start;
}

// Reorders are part of end-to-end rankings: the first call, which pays for page faults, does not count.
template <class Function>
Repeated repeat(Function&& function) {
  const double first_s = seconds_of(function);
  std::array<double, 3> seconds{};
  for (double& value : seconds) value = seconds_of(function);
  std::sort(seconds.begin(), seconds.end());
  return {seconds[1], first_s + seconds[0] + seconds[1] + seconds[2]};
}

// Visit all elements as (logical row-major index, offset by strides).
template <class Visit>
void for_each_element(const Dims& dims, const Dims& strides, Visit&& visit) {
  Dims at(dims.size(), 0);
  const std::int64_t count = element_count(dims);
  std::int64_t offset = 0;
  for (std::int64_t index = 0; index < count; ++index) {
    visit(index, offset);
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      offset += strides[axis];
      if (++at[axis] < dims[axis]) break;
      offset -= strides[axis] * dims[axis];
      at[axis] = 0;
    }
  }
}

// Room for one plain tensor, kept for the next: touching fresh pages costs more than filling them.
class Room {
 public:
  float* of(std::int64_t count) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
    if (buffer_.bytes() < bytes || buffer_.data() == nullptr) {
      buffer_ = Buffer();
      buffer_ = Buffer(bytes, 0);
    }
    return buffer_.floats();
  }

 private:
  Buffer buffer_;
};

Room described_order;  // an input or output as the case describes it
Room logical_order;    // an output whose description is not in logical order

std::size_t plain_bytes(const Dims& dims) { return static_cast<std::size_t>(element_count(dims)) * sizeof(float); }

// A reorder that leaves something unwritten must not show what another case has left there.
void poison_values(float* values, const Dims& dims) { std::memset(values, 0xff, plain_bytes(dims)); }

}  // namespace

PreparedCase::PreparedCase(const OperatorLibrary& library, Case asked, const Conditions& conditions)
    : case_(std::move(asked)),
      request_(case_),
      instance_(library, request_.get()) {
  times_.create_s = instance_.create_s();
  if (case_.tensors.count(NNTEST_OUTPUT) == 0) throw Failure("setup: the case has no output tensor");
  allocate(conditions);
  fill_inputs();
  native(NNTEST_OUTPUT).poison();
  times_.first_run_s = seconds_of([this] { run(); });
  prepare_batch();
  cores_ = pin_threads(conditions.cores);  // these runs have made the library's threads
  measure_reorder_out();
  times_.library_s += times_.create_s + times_.first_run_s;
}

void PreparedCase::allocate(const Conditions& conditions) {
  for (const nntest_native& wanted : instance_.natives()) {
    const bool workspace = wanted.role == NNTEST_WORKSPACE;
    if (wanted.bytes < 0 || wanted.role < 0 || wanted.role >= NNTEST_MAX_TENSORS ||
        (!workspace && case_.tensors.count(wanted.role) == 0)) {
      throw Failure(std::string("natives: the operator wants an unexpected tensor, ") + role_name(wanted.role));
    }
    const auto bytes = static_cast<std::size_t>(wanted.bytes);
    if (!workspace && wanted.plain != 0 && bytes < plain_bytes(case_.tensors.at(wanted.role))) {
      throw Failure(std::string("natives: ") + role_name(wanted.role) + ": fewer bytes than its elements take");
    }
    const auto role = static_cast<std::uint64_t>(wanted.role);
    const std::uint64_t placement = conditions.heap_offset == 0 ? 0 : conditions.heap_offset * kGolden + role;
    Buffer buffer(bytes, placement);  // zero, as the padding of blocked layouts must be
    arguments_[role] = buffer.data();
    plain_[wanted.role] = wanted.plain != 0;
    native_layouts_[role_name(wanted.role)] = wanted.layout_tag;
    buffers_[wanted.role] = std::move(buffer);
  }
  for (const auto& [role, dims] : case_.tensors) {
    if (buffers_.count(role) == 0) throw Failure(std::string("natives: the operator left out ") + role_name(role));
  }
}

void PreparedCase::fill_inputs() {
  for (const auto& [role, dims] : case_.tensors) {
    if (role == NNTEST_OUTPUT) continue;
    const float* plain = plain_input(role);
    if (plain_.at(role)) {
      std::copy_n(plain, element_count(dims), native(role).floats());
      continue;
    }
    const auto reorder = [this, role = role, plain] { instance_.reorder_in(role, plain, native(role).data()); };
    if (is_parameter_role(role)) {
      const double seconds = seconds_of(reorder);
      times_.prepare_weights_s += seconds;
      times_.library_s += seconds;
    } else {
      const Repeated reorders = repeat(reorder);
      times_.reorder_in_s += reorders.median_s;
      times_.library_s += reorders.total_s;
    }
  }
}

void PreparedCase::measure_reorder_out() {
  if (plain_.at(NNTEST_OUTPUT)) return;
  float* plain = described_order.of(element_count(case_.tensors.at(NNTEST_OUTPUT)));
  poison_values(plain, case_.tensors.at(NNTEST_OUTPUT));
  const Repeated reorders =
      repeat([&] { instance_.reorder_out(NNTEST_OUTPUT, native(NNTEST_OUTPUT).data(), plain); });
  times_.reorder_out_s = reorders.median_s;
  times_.library_s += reorders.total_s;
}

// A batch must leave what a single call has left, because the output is checked after single calls only; where it does
// not, to the last bit, the library computes it by other means there, and calls are timed singly.
void PreparedCase::prepare_batch() {
  if (case_.cache != CacheState::kWarm) return;  // cold calls are timed singly
  batch_ = instance_.prepare_batch(arguments_.data());
  if (batch_ == 1) return;
  const Buffer& output = native(NNTEST_OUTPUT);
  const std::string single(static_cast<const char*>(output.data()), output.bytes());
  output.poison();
  run_batch();
  if (std::memcmp(single.data(), output.data(), output.bytes()) == 0) return;
  batch_ = 1;
  std::memcpy(output.data(), single.data(), output.bytes());
}

bool PreparedCase::is_dense(int role) const {
  return case_.strides(role) == dense_strides(case_.tensors.at(role), false);
}

const float* PreparedCase::plain_input(int role) const {
  const Dims& dims = case_.tensors.at(role);
  const float* logical = first_values(case_.stream(role), static_cast<std::size_t>(element_count(dims)));
  if (is_dense(role)) return logical;
  float* values = described_order.of(element_count(dims));
  for_each_element(dims, case_.strides(role),
                   [&](std::int64_t index, std::int64_t offset) { values[offset] = logical[index]; });
  return values;
}

std::vector<float> PreparedCase::generated(int role) const {
  if (role == NNTEST_OUTPUT || case_.tensors.count(role) == 0) {
    throw Failure(std::string("dump: the case has no generated tensor '") + role_name(role) + "'");
  }
  std::vector<float> values(static_cast<std::size_t>(element_count(case_.tensors.at(role))));
  generate(case_.stream(role), values.data(), values.size());
  return values;
}

Output PreparedCase::first_output() const {
  // Measuring the reorder has left the plain output behind.
  const bool plain = plain_.at(NNTEST_OUTPUT);
  return in_logical_order(plain ? native(NNTEST_OUTPUT).floats() : described_order.of(0), 0);
}

Output PreparedCase::compute_output() const {
  const Buffer& output = native(NNTEST_OUTPUT);
  output.poison();
  double library_s = seconds_of([this] { run(); });
  if (plain_.at(NNTEST_OUTPUT)) return in_logical_order(output.floats(), library_s);
  float* plain = described_order.of(element_count(case_.tensors.at(NNTEST_OUTPUT)));
  poison_values(plain, case_.tensors.at(NNTEST_OUTPUT));
  library_s += seconds_of([&] { instance_.reorder_out(NNTEST_OUTPUT, output.data(), plain); });
  return in_logical_order(plain, library_s);
}

Output PreparedCase::in_logical_order(const float* plain, double library_s) const {
  const Dims& dims = case_.tensors.at(NNTEST_OUTPUT);
  const std::int64_t count = element_count(dims);
  if (!is_dense(NNTEST_OUTPUT)) {
    float* logical = logical_order.of(count);
    for_each_element(dims, case_.strides(NNTEST_OUTPUT),
                     [&](std::int64_t index, std::int64_t offset) { logical[index] = plain[offset]; });
    plain = logical;
  }
  return {plain, static_cast<std::size_t>(count), library_s};
}

void PreparedCase::evict() const {
  if (case_.cache == CacheState::kWarm) return;
  for (const auto& [role, buffer] : buffers_) {
    if (case_.cache == CacheState::kColdAll || is_parameter_role(role)) nntest::evict(buffer.data(), buffer.bytes());
  }
}

std::size_t PreparedCase::memory_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [role, buffer] : buffers_) bytes += buffer.bytes();
  return bytes;
}

std::size_t PreparedCase::weights_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [role, buffer] : buffers_) bytes += is_parameter_role(role) ? buffer.bytes() : 0;
  return bytes;
}

}  // namespace nntest
