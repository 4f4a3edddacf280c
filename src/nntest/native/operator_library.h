// A program's shared object, loaded; the interface's functions as C++ with errors as exceptions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "case.h"
#include "nntest_operator.h"

namespace nntest {

class OperatorLibrary {
 public:
  explicit OperatorLibrary(const std::string& path);

  const nntest_operator_api& api() const { return *api_; }
  std::string species() const;

 private:
  const nntest_operator_api* api_;
};

// One case made by the operator; destroyed with it.
class OperatorInstance {
 public:
  // Asks first, then creates. Throws Unsupported when the operator cannot do the case.
  OperatorInstance(const OperatorLibrary& library, const nntest_request* request);
  ~OperatorInstance();
  OperatorInstance(const OperatorInstance&) = delete;
  OperatorInstance& operator=(const OperatorInstance&) = delete;

  std::vector<nntest_native> natives() const;
  void reorder_in(int role, const void* plain, void* native) const;
  void reorder_out(int role, const void* native, void* plain) const;
  void run(void* const* buffers) const {
    if (api_.run(op_, buffers, &message_) != NNTEST_OK) fail("run");
  }
  // How many calls run_batch does at once; 1 where there is none.
  std::int64_t prepare_batch(void* const* buffers) const;
  void run_batch(void* const* buffers) const {
    if (api_.run_batch(op_, buffers, &message_) != NNTEST_OK) fail("run_batch");
  }
  double query_s() const { return query_s_; }
  double create_s() const { return create_s_; }
  const char* implementation() const { return api_.implementation(op_); }

 private:
  [[noreturn]] void fail(const char* function) const;

  const nntest_operator_api& api_;
  nntest_op* op_ = nullptr;
  double query_s_ = 0;
  double create_s_ = 0;
  mutable nntest_message message_{};
};

}  // namespace nntest
