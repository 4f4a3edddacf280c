// What a library does within a block, in its own or its device's words, where the session asks for it.
#pragma once

#include <string>

#include "timing.h"

namespace nntest {

// NNTEST_PROFILE_LAYER names what takes kernels down, an OpenCL layer or the program itself (profile_twins.h);
// NNTEST_PROFILE_PRINTED says that the library prints its account, which is then marked off by lines of ours. Without
// either, nothing is done.
class Profiler {
 public:
  Profiler();

  void begin();

  // The account of the block's timed calls as JSON; empty where there is none, or where it was printed.
  std::string end(const Block& block);

  // In place of `end` where the block has failed: what is run from now on must not be taken down.
  void abandon();

 private:
  std::string layer_;
  bool printed_;
  void* loaded_ = nullptr;
  const char* (*end_)(double since_s, long loops) = nullptr;
};

}  // namespace nntest
