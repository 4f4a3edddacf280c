// The most that the cores can do: fused multiply-adds without memory, by default in single precision and the widest
// vectors there are.
#pragma once

#include <string>
#include <vector>

namespace nntest {

struct Peak {
  double gflops = 0;         // all threads together, of each its best slice
  double gflops_median = 0;  // of the slices
  double core_ghz = -1;      // under the same load, around these slices; mean of the threads
  std::string isa;
  int lanes = 0;  // operations of one vector instruction
  int threads = 1;
};

// Long enough for the clock to find its place under this load.
inline constexpr double kSliceS = 2e-3;

}  // namespace nntest
