// What caches and memory deliver to all cores at once: reading, copying, and STREAM's triad.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace nntest {

struct Bandwidth {
  // All threads together, best slice of each; bytes that the program names, as STREAM counts them: what a cache reads
  // before it is written to does not count.
  double read_gb_s = 0;
  double copy_gb_s = 0;
  double triad_gb_s = 0;
  std::string isa;
};

// Each thread works on `bytes` of its own (one to three arrays together), one thread per core of the list (unpinned
// where it is empty), each of the three for about `seconds`.
Bandwidth measure_bandwidth(const std::vector<int>& cores, int threads, std::size_t bytes, double seconds);

}  // namespace nntest
