// LiteRT's C interface, as much of it as we call. Its wheel holds libLiteRt.so, which exports these functions by name,
// without headers: what is needed of these is declared here (litert/c in LiteRT's sources, as of 2.2 and 2.3).
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
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

  // For what is called often.
  template <class Function>
  Function* function(const char* name) const {
    return reinterpret_cast<Function*>(find(name));
  }

 private:
  Library() : handle_(dlopen(NNTEST_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) throw Failure(std::string("LiteRT: ") + dlerror());
    // One of those that 2.2 brought; functions had other arguments before.
    if (dlsym(handle_, "LiteRtGetCompiledModelEnvironment") == nullptr) {
      throw Failure("LiteRT: " NNTEST_LIBRARY_FILE " is older than 2.2; a model is made without an environment there");
    }
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

// An object of the library that is ours to destroy.
class Owned {
 public:
  explicit Owned(const char* destroy) : destroy_(Library::get().function<void(Handle)>(destroy)) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (handle_ != nullptr) destroy_(handle_);
  }

  Handle get() const { return handle_; }
  Handle* place() { return &handle_; }
  void release() { handle_ = nullptr; }  // it belongs to another object now

 private:
  void (*destroy_)(Handle);
  Handle handle_ = nullptr;
};

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
                        static_cast<void (*)(void*)>(nullptr), buffer_.place());
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  const void* data() const { return data_; }
  Handle get() const { return buffer_.get(); }

 private:
  void* data_;
  TensorType type_;
  Owned buffer_{"LiteRtDestroyTensorBuffer"};
};

// A model that is ready to compute; its bytes must outlive it.
class Model {
 public:
  Model(const void* bytes, std::size_t size, int threads) {
    const Library& library = Library::get();
    library.call("LiteRtCreateModelFromBuffer", environment(), bytes, size, model_.place());
    Owned options("LiteRtDestroyOptions");
    library.call("LiteRtCreateOptions", options.place());
    library.call("LiteRtSetOptionsHardwareAccelerators", options.get(), static_cast<int>(kCpu));
    add_threads(options.get(), threads);
    library.call("LiteRtCreateCompiledModel", environment(), model_.get(), options.get(), compiled_.place());
  }

  Handle get() const { return compiled_.get(); }

 private:
  static void add_threads(Handle options, int threads) {
    const Library& library = Library::get();
    const std::string text = "num_threads = " + std::to_string(threads) + "\n";
    std::unique_ptr<char, void (*)(void*)> words(strdup(text.c_str()), std::free);
    if (words == nullptr) throw std::bad_alloc();
    Owned of_cpu("LiteRtDestroyOpaqueOptions");
    library.call("LiteRtCreateOpaqueOptions", "xnnpack", static_cast<void*>(words.get()),
                 static_cast<void (*)(void*)>(std::free), of_cpu.place());
    words.release();
    library.call("LiteRtAddOpaqueOptions", options, of_cpu.get());
    of_cpu.release();
  }

  Owned model_{"LiteRtDestroyModel"}, compiled_{"LiteRtDestroyCompiledModel"};
};

}  // namespace nntest::litert
