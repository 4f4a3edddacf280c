// What is asked of an operator: tensors, parameters and the conditions of the measurement.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "inputs.h"
#include "nntest_operator.h"

namespace nntest {

enum class CacheState { kWarm, kColdWeights, kColdAll };

CacheState parse_cache_state(std::string_view name);
const char* cache_state_name(CacheState state);

using Dims = std::vector<std::int64_t>;

// Roles that a case describes; the workspace belongs to the operator.
struct RoleName {
  nntest_role role;
  const char* name;
};
inline constexpr std::array<RoleName, 8> kRoleNames{{{NNTEST_INPUT, "input"},
                                                     {NNTEST_WEIGHTS, "weights"},
                                                     {NNTEST_BIAS, "bias"},
                                                     {NNTEST_OUTPUT, "output"},
                                                     {NNTEST_INPUT1, "input1"},
                                                     {NNTEST_WORKSPACE, "workspace"},
                                                     {NNTEST_INPUT2, "input2"},
                                                     {NNTEST_INPUT3, "input3"}}};

const char* role_name(int role);
int parse_role(std::string_view name);

inline bool is_parameter_role(int role) { return role == NNTEST_WEIGHTS || role == NNTEST_BIAS; }

std::int64_t element_count(const Dims& dims);

// Strides in elements of a dense tensor: channels innermost for four-dimensional activations in NHWC, else row-major.
Dims dense_strides(const Dims& dims, bool channels_last);

// What a stored number stands for: scale * (stored - zero_point). Weights, activations and outputs are stored as uint8,
// biases as int32.
struct Quantisation {
  float scale = 0;
  std::int32_t zero_point = 0;
};

struct Case {
  std::string species;
  std::map<int, Dims> tensors;  // by role
  std::map<int, Quantisation> quantisation;  // by role; all roles, or none: then all is float32
  std::map<std::string, std::string> parameters;
  std::string layout = "auto";
  std::string post_ops;
  CacheState cache = CacheState::kWarm;
  Fill fill = Fill::kNormal;
  std::uint64_t seed = 42;
  int threads = 1;

  bool is_quantised() const { return !quantisation.empty(); }
  nntest_dtype dtype(int role) const;
  std::size_t element_bytes(int role) const;
  std::size_t plain_bytes(int role) const;  // of the tensor as the case describes it
  Dims strides(int role) const;
  InputStream stream(int role) const;
};

// The case in the terms of the operator interface; points into the case, which must outlive it.
class OperatorRequest {
 public:
  explicit OperatorRequest(const Case& asked);
  OperatorRequest(const OperatorRequest&) = delete;
  OperatorRequest& operator=(const OperatorRequest&) = delete;

  const nntest_request* get() const { return &request_; }

 private:
  std::vector<nntest_tensor> tensors_;
  std::vector<nntest_parameter> parameters_;
  nntest_request request_{};
};

}  // namespace nntest
