// How a peak is measured, whatever the operations: a kernel that does nothing else, on all cores at once.
#pragma once

#include <string>
#include <vector>

#include "peak.h"

namespace nntest {

struct FmaKernel {
  const char* isa = "";
  void (*run)(long turns) = nullptr;
  int lanes = 0;     // operations of one vector instruction
  int per_turn = 0;  // vector instructions
  // The same with a chain of dependent additions beside, which takes longer and so shows the clock under vector load:
  // wide vectors can lower it.
  void (*run_with_chain)(long turns) = nullptr;
  int chain_per_turn = 0;
  // Called by each thread before its first turn; may be none.
  void (*prepare)() = nullptr;
};

// One thread per core of the list (unpinned where it is empty) for about `seconds`, in slices of `slice_s` or more.
// Work that also moves data draws more current, and some processors lower their clock for it for milliseconds; slices
// much shorter than those see the clock that the work before them had.
Peak measure_kernel(const FmaKernel& kernel, const std::vector<int>& cores, int threads, double seconds,
                    double slice_s = kSliceS);

// The widest kernel in single precision.
FmaKernel widest_kernel();

// The fastest kernel of a datatype ("float64", "float32", "float16", "bfloat16", "int8"); throws Unsupported where this
// processor, or the compiler, has none.
FmaKernel kernel_of(const std::string& dtype);

}  // namespace nntest
