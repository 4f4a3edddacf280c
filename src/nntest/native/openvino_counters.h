// OpenVINO's account of itself: by node the mean of all inferences since a model was made, in whole microseconds, cut off.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "profile_twins.h"

namespace nntest::openvino {

// A node that computes.
struct Counted {
  std::string kernel;
  double mean_us;
};

// Microseconds by kernel of all inferences between two accounts of a model: the first was taken after `runs_before`
// inferences, the second after `runs`. Empty where they do not tell: a mean that was cut off by up to a microsecond stands
// for as many microseconds as there were inferences, which is much where only few of them belong to the block.
inline Kernels kernels_between(const std::vector<Counted>& before, std::size_t runs_before,
                               const std::vector<Counted>& after, std::size_t runs) {
  constexpr double kUnsureUs = 2, kUnsureShare = 0.1;  // of a node and an inference: one of these must hold
  if (runs <= runs_before || before.size() != after.size()) return {};
  const auto all = static_cast<double>(runs), first = static_cast<double>(runs_before);
  const double unsure_us = all / (all - first);
  Kernels sums, nodes;
  double total = 0;
  for (std::size_t at = 0; at < after.size(); ++at) {
    if (before[at].kernel != after[at].kernel) return {};
    const double taken = after[at].mean_us * all - before[at].mean_us * first;
    sums[after[at].kernel] += taken;
    nodes[after[at].kernel] += 1;
    total += taken;
  }
  for (const auto& [kernel, microseconds] : sums) {
    const double of_a_node = microseconds / (all - first) / nodes[kernel];
    if (of_a_node < 0 || (unsure_us > kUnsureUs && unsure_us > kUnsureShare * of_a_node)) return {};
  }
  return total > 0 ? sums : Kernels();
}

}  // namespace nntest::openvino
