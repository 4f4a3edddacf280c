// LiteRT's C interface, as much of it as we call. Its wheel holds libLiteRt.so, which exports these functions by name,
// without headers: what is needed of these is declared here (litert/c in LiteRT's sources, version 2).
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <string>
#include <vector>

#include "failure.h"

namespace nntest::litert {

using Dims = std::vector<std::int64_t>;

// Objects of the library that we only ever hand back to it.
using Handle = void*;

enum : int { kOk = 0, kFloat32 = 1, kCpu = 1 };

// A tensor of known rank. Strides follow in some versions as numbers, in others as a pointer: none are given in either.
struct TensorType {
  std::int32_t element = kFloat32;
  std::uint32_t rank = 0;
  std::int32_t dims[8] = {};
  std::uint32_t strides[8] = {};
};

// The loaded library: functions by name, errors as exceptions.
class Library {
 public:
  static const Library& get() {
    static const Library library;
    return library;
  }

  template <class... Arguments>
  void call(const char* name, Arguments... arguments) const {
    const int status = reinterpret_cast<int (*)(Arguments...)>(find(name))(arguments...);
    if (status != kOk) throw Failure(std::string("LiteRT: ") + name + ": status " + std::to_string(status));
  }

  void destroy(const char* name, Handle object) const {
    if (object != nullptr) reinterpret_cast<void (*)(Handle)>(find(name))(object);
  }

  // For what is called often.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(find(name));
  }

 private:
  Library() : handle_(dlopen(NNTEST_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw Failure(std::string("LiteRT: ") + dlerror());
  }

  void* find(const char* name) const {
    void* const symbol = dlsym(handle_, name);
    if (symbol == nullptr) throw Failure(std::string("LiteRT: ") + name + " is not exported by " NNTEST_LIBRARY_FILE);
    return symbol;
  }

  void* handle_;
};

using RunModel = int(Handle model, std::size_t signature, std::size_t inputs, Handle* input, std::size_t outputs,
                     Handle* output);

inline Handle environment() {
  static const Handle made = [] {
    Handle environment = nullptr;
    Library::get().call("LiteRtCreateEnvironment", 0, static_cast<const void*>(nullptr), &environment);
    return environment;
  }();
  return made;
}

// A tensor over a buffer of ours.
class Buffer {
 public:
  Buffer(void* data, const Dims& dims) : data_(data) {
    type_.rank = static_cast<std::uint32_t>(dims.size());
    std::size_t bytes = sizeof(float);
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
      type_.dims[axis] = static_cast<std::int32_t>(dims[axis]);
      bytes *= static_cast<std::size_t>(dims[axis]);
    }
    Library::get().call("LiteRtCreateTensorBufferFromHostMemory", static_cast<const TensorType*>(&type_), data, bytes,
                        static_cast<void (*)(void*)>(nullptr), &handle_);
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { Library::get().destroy("LiteRtDestroyTensorBuffer", handle_); }

  const void* data() const { return data_; }
  Handle get() const { return handle_; }

 private:
  void* data_;
  TensorType type_;
  Handle handle_ = nullptr;
};

}  // namespace nntest::litert
