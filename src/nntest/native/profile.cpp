#include "profile.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

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

std::string why_not_loaded(const std::string& layer) {
  const std::string layers = ":" + environment("OPENCL_LAYERS") + ":";
  if (layers.find(":" + layer + ":") != std::string::npos) {
    return "the OpenCL loader took no layer; expected ocl-icd 2.3 or later";
  }
  return "NNTEST_PROFILE_LAYER is " + layer + "; expected the program that runs here, or one of OPENCL_LAYERS";
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
  // The loader of OpenCL has loaded it into this process, if it knows layers at all; a program is there already.
  if (loaded_ == nullptr) loaded_ = dlopen(layer_.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (loaded_ == nullptr) throw Failure("profile: " + why_not_loaded(layer_) + ", or leave --profile out");
  end_ = function_of<const char*(double, long)>(loaded_, "nntest_profile_end");
  function_of<void()>(loaded_, "nntest_profile_begin")();
}

std::string Profiler::end(const Block& block) {
  if (printed_) {
    std::printf("nntest-profile end %ld %ld\n", static_cast<long>(block.prime_calls), block.loops);
    return "";
  }
  return end_ == nullptr ? "" : end_(block.start_s, block.loops);
}

void Profiler::abandon() {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  if (end_ != nullptr) end_(kNever, 1);  // nothing was run since then: there is no account, and it is over
}

}  // namespace nntest
