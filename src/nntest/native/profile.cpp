#include "profile.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>

#include "failure.h"

namespace nntest {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <class Function>
Function* function_of(void* layer, const char* name) {
  void* found = dlsym(layer, name);
  if (found == nullptr) throw Failure(std::string("profile: ") + name + " is not exported by NNTEST_PROFILE_LAYER");
  return reinterpret_cast<Function*>(found);
}

}  // namespace

Profiler::Profiler()
    : layer_(environment("NNTEST_PROFILE_LAYER")), printed_(!environment("NNTEST_PROFILE_PRINTED").empty()) {}

void Profiler::begin() {
  if (printed_) {
    std::printf("nntest-profile begin\n");
    return;
  }
  if (layer_.empty()) return;
  // The loader of OpenCL has loaded it into this process, if it knows layers at all.
  if (loaded_ == nullptr) loaded_ = dlopen(layer_.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (loaded_ == nullptr) {
    throw Failure("profile: the OpenCL loader took no layer; expected ocl-icd 2.3 or later, or leave --profile out");
  }
  function_of<void()>(loaded_, "nntest_profile_begin")();
}

std::string Profiler::end(const Block& block) {
  if (printed_) {
    std::printf("nntest-profile end %ld %ld\n", static_cast<long>(block.prime_calls), block.loops);
    return "";
  }
  if (loaded_ == nullptr) return "";
  return function_of<const char*(double, long)>(loaded_, "nntest_profile_end")(block.start_s, block.loops);
}

}  // namespace nntest
