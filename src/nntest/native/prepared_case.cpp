#include "prepared_case.h"

#include <algorithm>
#include <utility>

#include "cache.h"
#include "clock.h"
#include "failure.h"
#include "threads.h"

namespace nntest {
namespace {

template <class Function>
double seconds_of(Function&& function) {
  const double start = now_s();
  function();
  return now_s() - start;
}

// Reorders are part of end-to-end rankings: the first call, which pays for page faults, does not count.
template <class Function>
double median_seconds_of(Function&& function) {
  function();
  std::array<double, 3> seconds{};
  for (double& value : seconds) value = seconds_of(function);
  std::sort(seconds.begin(), seconds.end());
  return seconds[1];
}

// Visit all elements as (logical row-major index, offset by strides).
template <class Visit>
void for_each_element(const Dims& dims, const Dims& strides, Visit&& visit) {
  const std::int64_t count = element_count(dims);
  if (strides == dense_strides(dims, false)) {  // the usual layout: a loop that the compiler and the core like
    for (std::int64_t index = 0; index < count; ++index) visit(index, index);
    return;
  }
  Dims at(dims.size(), 0);
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

std::size_t plain_bytes(const Dims& dims) { return static_cast<std::size_t>(element_count(dims)) * sizeof(float); }

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
  cores_ = pin_threads(conditions.cores);  // the first run has made the library's threads
  times_.reorder_out_s = measure_reorder_out();
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
    Buffer buffer(bytes, placement);
    buffer.clear();  // the pinned thread touches it first; padding of blocked layouts must be zero
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
    const std::vector<float> plain = plain_input(role);
    if (plain_.at(role)) {
      std::copy(plain.begin(), plain.end(), native(role).floats());
      continue;
    }
    const auto reorder = [this, role = role, &plain] {
      instance_.reorder_in(role, plain.data(), native(role).data());
    };
    if (is_parameter_role(role)) {
      times_.prepare_weights_s += seconds_of(reorder);
    } else {
      times_.reorder_in_s += median_seconds_of(reorder);
    }
  }
}

double PreparedCase::measure_reorder_out() const {
  if (plain_.at(NNTEST_OUTPUT)) return 0;
  std::vector<float> plain(plain_bytes(case_.tensors.at(NNTEST_OUTPUT)) / sizeof(float));
  return median_seconds_of(
      [&] { instance_.reorder_out(NNTEST_OUTPUT, native(NNTEST_OUTPUT).data(), plain.data()); });
}

std::vector<float> PreparedCase::plain_input(int role) const {
  const Dims& dims = case_.tensors.at(role);
  const InputStream stream = case_.stream(role);
  std::vector<float> values(static_cast<std::size_t>(element_count(dims)));
  for_each_element(dims, case_.strides(role), [&](std::int64_t index, std::int64_t offset) {
    values[static_cast<std::size_t>(offset)] = stream(static_cast<std::uint64_t>(index));
  });
  return values;
}

std::vector<float> PreparedCase::generated(int role) const {
  if (role == NNTEST_OUTPUT || case_.tensors.count(role) == 0) {
    throw Failure(std::string("dump: the case has no generated tensor '") + role_name(role) + "'");
  }
  const InputStream stream = case_.stream(role);
  std::vector<float> values(static_cast<std::size_t>(element_count(case_.tensors.at(role))));
  for (std::size_t index = 0; index < values.size(); ++index) values[index] = stream(index);
  return values;
}

std::vector<float> PreparedCase::compute_output() const {
  const Dims& dims = case_.tensors.at(NNTEST_OUTPUT);
  const Buffer& output = native(NNTEST_OUTPUT);
  output.poison();
  run();
  std::vector<float> plain(static_cast<std::size_t>(element_count(dims)));
  if (plain_.at(NNTEST_OUTPUT)) {
    std::copy_n(output.floats(), plain.size(), plain.begin());
  } else {
    instance_.reorder_out(NNTEST_OUTPUT, output.data(), plain.data());
  }
  if (case_.strides(NNTEST_OUTPUT) == dense_strides(dims, false)) return plain;
  std::vector<float> logical(plain.size());
  for_each_element(dims, case_.strides(NNTEST_OUTPUT), [&](std::int64_t index, std::int64_t offset) {
    logical[static_cast<std::size_t>(index)] = plain[static_cast<std::size_t>(offset)];
  });
  return logical;
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
