#include "case.h"

#include <algorithm>
#include <limits>

namespace nntest {

CacheState parse_cache_state(std::string_view name) {
  if (name == "warm") return CacheState::kWarm;
  if (name == "cold_weights") return CacheState::kColdWeights;
  if (name == "cold_all") return CacheState::kColdAll;
  throw Failure("cache: '" + std::string(name) + "' is unknown; expected warm, cold_weights or cold_all");
}

const char* cache_state_name(CacheState state) {
  switch (state) {
    case CacheState::kColdWeights: return "cold_weights";
    case CacheState::kColdAll: return "cold_all";
    default: return "warm";
  }
}

const char* role_name(int role) {
  for (const auto& known : kRoleNames) {
    if (known.role == role) return known.name;
  }
  return "unknown";
}

int parse_role(std::string_view name) {
  for (const auto& known : kRoleNames) {
    if (known.name == name) return known.role;
  }
  throw Failure("role: '" + std::string(name) +
                "' is unknown; expected input, weights, bias, output or input1 to input3");
}

std::int64_t element_count(const Dims& dims) {
  // Byte counts of float64 must fit as well, hence the margin.
  constexpr std::int64_t kLimit = std::numeric_limits<std::int64_t>::max() / 64;
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim <= 0) throw Failure("tensor: a dimension is " + std::to_string(dim) + "; expected at least 1");
    if (count > kLimit / dim) throw Failure("tensor: its size overflows");
    count *= dim;
  }
  return count;
}

Dims dense_strides(const Dims& dims, bool channels_last) {
  if (channels_last && dims.size() == 4) {
    const std::int64_t c = dims[1], h = dims[2], w = dims[3];
    return {h * w * c, 1, w * c, c};
  }
  Dims strides(dims.size(), 1);
  for (std::size_t axis = dims.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * dims[axis];
  return strides;
}

nntest_dtype Case::dtype(int role) const {
  if (!is_quantised()) return NNTEST_F32;
  return role == NNTEST_BIAS ? NNTEST_S32 : NNTEST_U8;
}

std::size_t Case::element_bytes(int role) const { return dtype(role) == NNTEST_U8 ? 1 : 4; }

std::size_t Case::plain_bytes(int role) const {
  return static_cast<std::size_t>(element_count(tensors.at(role))) * element_bytes(role);
}

Dims Case::strides(int role) const {
  return dense_strides(tensors.at(role), layout == "NHWC" && !is_parameter_role(role));
}

InputStream Case::stream(int role) const {
  return {seed, static_cast<std::uint64_t>(role), fill_of(!is_parameter_role(role), fill)};
}

OperatorRequest::OperatorRequest(const Case& asked) {
  for (const auto& [role, dims] : asked.tensors) {
    if (dims.empty() || dims.size() > NNTEST_MAX_RANK) {
      throw Failure(std::string(role_name(role)) + ": rank " + std::to_string(dims.size()) + "; expected 1 to " +
                    std::to_string(NNTEST_MAX_RANK));
    }
    element_count(dims);
    const Dims strides = asked.strides(role);
    nntest_tensor tensor{};
    tensor.size = sizeof tensor;
    tensor.role = role;
    tensor.dtype = asked.dtype(role);
    if (asked.is_quantised()) {
      const Quantisation& quantised = asked.quantisation.at(role);
      tensor.scales = &quantised.scale;
      tensor.zero_points = &quantised.zero_point;
      tensor.scale_count = 1;
    }
    tensor.rank = static_cast<std::int32_t>(dims.size());
    std::copy(dims.begin(), dims.end(), tensor.dims);
    std::copy(strides.begin(), strides.end(), tensor.strides);
    tensors_.push_back(tensor);
  }
  for (const auto& [name, value] : asked.parameters) parameters_.push_back({name.c_str(), value.c_str()});
  request_.size = sizeof request_;
  request_.species = asked.species.c_str();
  request_.tensors = tensors_.data();
  request_.tensor_count = static_cast<std::int32_t>(tensors_.size());
  request_.parameters = parameters_.data();
  request_.parameter_count = static_cast<std::int32_t>(parameters_.size());
  request_.layout = asked.layout.c_str();
  request_.post_ops = asked.post_ops.c_str();
  request_.threads = asked.threads;
  request_.cache = cache_state_name(asked.cache);
}

}  // namespace nntest
