// What the dependency-free programs share: how they describe themselves, and the loops over a window's valid part.
#pragma once

#include <algorithm>
#include <cstdint>

#include "nntest_program.h"

namespace nntest {

inline const char* describe_plain() {
  return R"({"library":"plain-cpu","version":"1.0.0","build":"","threading":"none","isa":""})";
}

inline void require_one_thread(const Question& question) {
  if (question.threads() != 1) throw Unsupported("threads " + std::to_string(question.threads()) + "; plain-cpu has 1");
}

// For programs that fuse what kFusions says, in a pass over the output while it may still lie in a cache.
inline constexpr const char* kFusions = "relu,sum,sum+relu";

class PostOps {
 public:
  explicit PostOps(const Question& question)
      : operations_(question.post_op_list()), count_(question.elements(NNTEST_OUTPUT)) {}

  void apply(void* const* buffers) const {
    auto* output = static_cast<float*>(buffers[NNTEST_OUTPUT]);
    const auto* addend = static_cast<const float*>(buffers[NNTEST_INPUT1]);  // laid out as the output
    for (const std::string& operation : operations_) {
      if (operation == "sum") {
        for (std::int64_t at = 0; at < count_; ++at) output[at] += addend[at];
      } else {
        for (std::int64_t at = 0; at < count_; ++at) output[at] = output[at] > 0.0f ? output[at] : 0.0f;
      }
    }
  }

 private:
  std::vector<std::string> operations_;
  std::int64_t count_;
};

// Outputs [begin, end) along one axis whose input index `out * stride + offset` lies inside [0, size).
struct Range {
  std::int64_t begin, end;
};

inline Range valid_outputs(std::int64_t offset, std::int64_t stride, std::int64_t size, std::int64_t outputs) {
  const std::int64_t begin = offset >= 0 ? 0 : (-offset + stride - 1) / stride;
  const std::int64_t end = size - offset <= 0 ? 0 : (size - offset + stride - 1) / stride;
  return {std::min(begin, outputs), std::max(std::min(end, outputs), std::min(begin, outputs))};
}

}  // namespace nntest
