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
  void* of(std::size_t bytes) {
    if (buffer_.bytes() < bytes || buffer_.data() == nullptr) {
      buffer_ = Buffer();
      buffer_ = Buffer(bytes, 0);
    }
    return buffer_.data();
  }

 private:
  Buffer buffer_;
};

Room described_order;  // an input or output as the case describes it
Room logical_order;    // an output whose description is not in logical order
Room quantised_order;  // a quantised input in logical order

// A tensor's elements from the order of `from` to that of `to`, one of which is row-major.
template <class Element>
void gather(const Dims& dims, const Dims& strides, const void* from, void* to) {
  for_each_element(dims, strides, [&](std::int64_t index, std::int64_t offset) {
    static_cast<Element*>(to)[index] = static_cast<const Element*>(from)[offset];
  });
}

template <class Element>
void scatter(const Dims& dims, const Dims& strides, const void* from, void* to) {
  for_each_element(dims, strides, [&](std::int64_t index, std::int64_t offset) {
    static_cast<Element*>(to)[offset] = static_cast<const Element*>(from)[index];
  });
}

void quantise(const Case& asked, int role, const float* values, void* stored) {
  const auto count = static_cast<std::size_t>(element_count(asked.tensors.at(role)));
  const float steps = steps_of(role == NNTEST_BIAS, asked.fill);
  const std::int32_t zero_point = asked.quantisation.at(role).zero_point;
  if (asked.dtype(role) == NNTEST_S32) {
    auto* whole = static_cast<std::int32_t*>(stored);
    for (std::size_t at = 0; at < count; ++at) whole[at] = quantised(values[at], steps, zero_point);
    return;
  }
  auto* bytes = static_cast<std::uint8_t*>(stored);
  for (std::size_t at = 0; at < count; ++at) {
    bytes[at] = static_cast<std::uint8_t>(std::clamp(quantised(values[at], steps, zero_point), 0, 255));
  }
}

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
  times_.library_s += instance_.query_s() + times_.create_s + times_.first_run_s;
}

void PreparedCase::allocate(const Conditions& conditions) {
  for (const nntest_native& wanted : instance_.natives()) {
    const bool workspace = wanted.role == NNTEST_WORKSPACE;
    if (wanted.bytes < 0 || wanted.role < 0 || wanted.role >= NNTEST_MAX_TENSORS ||
        (!workspace && case_.tensors.count(wanted.role) == 0)) {
      throw Failure(std::string("natives: the operator wants an unexpected tensor, ") + role_name(wanted.role));
    }
    const auto bytes = static_cast<std::size_t>(wanted.bytes);
    if (!workspace && wanted.plain != 0 && bytes < case_.plain_bytes(wanted.role)) {
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
    const void* plain = plain_input(role);
    if (plain_.at(role)) {
      std::memcpy(native(role).data(), plain, case_.plain_bytes(role));
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
  void* plain = described_order.of(case_.plain_bytes(NNTEST_OUTPUT));
  std::memset(plain, 0xff, case_.plain_bytes(NNTEST_OUTPUT));
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

const void* PreparedCase::logical_input(int role) const {
  const auto count = static_cast<std::size_t>(element_count(case_.tensors.at(role)));
  const float* values = first_values(case_.stream(role), count);
  if (!case_.is_quantised()) return values;
  void* stored = quantised_order.of(case_.plain_bytes(role));
  quantise(case_, role, values, stored);
  return stored;
}

const void* PreparedCase::plain_input(int role) const {
  const void* logical = logical_input(role);
  if (is_dense(role)) return logical;
  void* values = described_order.of(case_.plain_bytes(role));
  const auto place = case_.element_bytes(role) == 1 ? scatter<std::uint8_t> : scatter<std::uint32_t>;
  place(case_.tensors.at(role), case_.strides(role), logical, values);
  return values;
}

std::vector<std::byte> PreparedCase::generated(int role) const {
  if (role == NNTEST_OUTPUT || case_.tensors.count(role) == 0) {
    throw Failure(std::string("dump: the case has no generated tensor '") + role_name(role) + "'");
  }
  std::vector<float> values(static_cast<std::size_t>(element_count(case_.tensors.at(role))));
  generate(case_.stream(role), values.data(), values.size());
  std::vector<std::byte> stored(case_.plain_bytes(role));
  if (case_.is_quantised()) {
    quantise(case_, role, values.data(), stored.data());
  } else {
    std::memcpy(stored.data(), values.data(), stored.size());
  }
  return stored;
}

Output PreparedCase::first_output() const {
  // Measuring the reorder has left the plain output behind.
  const bool plain = plain_.at(NNTEST_OUTPUT);
  return in_logical_order(plain ? native(NNTEST_OUTPUT).data() : described_order.of(0), 0);
}

Output PreparedCase::compute_output() const {
  const Buffer& output = native(NNTEST_OUTPUT);
  poison(output.data(), output.bytes());
  double library_s = seconds_of([this] { run(); });
  if (plain_.at(NNTEST_OUTPUT)) return in_logical_order(output.data(), library_s);
  void* plain = described_order.of(case_.plain_bytes(NNTEST_OUTPUT));
  poison(plain, case_.plain_bytes(NNTEST_OUTPUT));
  library_s += seconds_of([&] { instance_.reorder_out(NNTEST_OUTPUT, output.data(), plain); });
  return in_logical_order(plain, library_s);
}

Output PreparedCase::in_logical_order(const void* plain, double library_s) const {
  const std::size_t bytes = case_.plain_bytes(NNTEST_OUTPUT);
  if (!is_dense(NNTEST_OUTPUT)) {
    void* logical = logical_order.of(bytes);
    const auto place = case_.element_bytes(NNTEST_OUTPUT) == 1 ? gather<std::uint8_t> : gather<std::uint32_t>;
    place(case_.tensors.at(NNTEST_OUTPUT), case_.strides(NNTEST_OUTPUT), plain, logical);
    plain = logical;
  }
  return {plain, bytes, library_s};
}

// What a run or a reorder leaves unwritten must show. All ones is no number where numbers are floats; a byte has no such
// value, so that later outputs begin with zeros, the first one with ones: unwritten bytes differ from one to the other.
void PreparedCase::poison(void* values, std::size_t bytes) const {
  std::memset(values, case_.is_quantised() ? 0 : 0xff, bytes);
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
