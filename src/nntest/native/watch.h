// What the machine did to this process while a block ran.
#pragma once

#include <vector>

namespace nntest {

struct Watched {
  long involuntary_switches = 0;
  long minor_faults = 0;
  long major_faults = 0;
  double steal_s = -1;  // of the pinned cores, from /proc/stat; negative where it cannot be read
};

// Counts between construction and finish(); reads /proc/stat outside of the block.
class Watch {
 public:
  explicit Watch(const std::vector<int>& cores);
  Watched finish() const;

 private:
  static Watched read(const std::vector<int>& cores);

  const std::vector<int>& cores_;
  Watched start_;
};

// Frequency of the calling thread's core, from the length of a chain of dependent additions (one cycle each).
double measure_core_ghz();

}  // namespace nntest
