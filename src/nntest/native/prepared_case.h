// A case ready to run: the operator's instance, its native buffers filled with the case's inputs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "buffer.h"
#include "case.h"
#include "operator_library.h"

namespace nntest {

struct Conditions {
  std::vector<int> cores;         // empty: unpinned
  std::uint64_t heap_offset = 0;  // differs per process, places the buffers
};

struct SetupTimes {
  double create_s = 0;
  double prepare_weights_s = 0;
  double reorder_in_s = 0;
  double reorder_out_s = 0;
  double first_run_s = 0;
  double library_s = 0;  // inside the library, all calls of the set-up together
};

// An output in logical row-major order (NCHW), and the seconds that it took inside the library. The values stay where
// they are until the next output of the process, or the next run of the case.
struct Output {
  const void* values;
  std::size_t bytes;
  double library_s;
};

class PreparedCase {
 public:
  // Create, allocate, fill, prepare weights, reorder in, poison the output, run once, reorder out, pin the threads.
  PreparedCase(const OperatorLibrary& library, Case asked, const Conditions& conditions);
  PreparedCase(const PreparedCase&) = delete;
  PreparedCase& operator=(const PreparedCase&) = delete;

  const Case& asked() const { return case_; }
  const SetupTimes& times() const { return times_; }
  const std::vector<int>& cores() const { return cores_; }
  const std::map<std::string, std::string>& native_layouts() const { return native_layouts_; }
  std::string implementation() const { return instance_.implementation(); }
  std::size_t memory_bytes() const;
  std::size_t weights_bytes() const;

  void run() const { instance_.run(arguments_.data()); }

  // Calls that run_batch does at once; 1 where it is no other than run.
  long batch() const { return batch_; }
  void run_batch() const {
    if (batch_ == 1) return run();
    instance_.run_batch(arguments_.data());
  }

  // Evict what the case's cache state says should be cold; nothing when warm.
  void evict() const;

  // What the first run left in the poisoned output; before any other run.
  Output first_output() const;

  // Run once more into a poisoned output.
  Output compute_output() const;

  // A tensor as the driver generated it, in logical row-major order.
  std::vector<std::byte> generated(int role) const;

 private:
  void allocate(const Conditions& conditions);
  void fill_inputs();
  bool is_dense(int role) const;  // described in row-major order
  const void* logical_input(int role) const;  // until the next of its kind
  const void* plain_input(int role) const;    // until the next of its kind
  Output in_logical_order(const void* plain, double library_s) const;
  void poison(void* values, std::size_t bytes) const;
  void measure_reorder_out();
  void prepare_batch();
  const Buffer& native(int role) const { return buffers_.at(role); }

  Case case_;
  OperatorRequest request_;
  OperatorInstance instance_;
  SetupTimes times_;
  std::map<int, Buffer> buffers_;  // native, by role
  std::map<int, bool> plain_;      // native equals the described layout
  std::map<std::string, std::string> native_layouts_;
  std::array<void*, NNTEST_MAX_TENSORS> arguments_{};
  std::vector<int> cores_;
  long batch_ = 1;
};

}  // namespace nntest
