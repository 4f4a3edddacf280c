// ONNX Runtime's C interface, as much of it as we call. Its wheels carry libonnxruntime.so without headers, but the
// interface is a table of functions whose order never changes: new ones are appended, and a table of version N holds
// those of all versions before. So a function is known by its place; what a place means is written down here.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "failure.h"

namespace nntest::onnxruntime {

// Objects of the library that we only ever hand back to it.
struct Status;
struct Env;
struct ThreadingOptions;
struct SessionOptions;
struct RunOptions;
struct SessionHandle;
struct MemoryInfo;
struct Value;
struct Binding;
struct Prepacked;
struct Allocator;

// Version 8 has all that is called here (ONNX Runtime 1.8); later ones contain it.
inline constexpr std::uint32_t kInterface = 8;

enum : int { kWarning = 2, kError = 3 };
enum : int { kNoOptimization = 0, kExtendedOptimization = 2, kAllOptimization = 99 };
enum : int { kArenaAllocator = 1, kDefaultMemory = 0, kFloat = 1 };

// Places in the table.
enum class Place : std::size_t {
  kGetErrorMessage = 2,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetOptimizedModelFilePath = 11,
  kEnableProfiling = 14,
  kSetSessionLogSeverityLevel = 22,
  kSetSessionGraphOptimizationLevel = 23,
  kCreateTensorWithDataAsOrtValue = 49,
  kCreateCpuMemoryInfo = 69,
  kAllocatorFree = 76,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseStatus = 93,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
  kSessionEndProfiling = 110,
  kCreateEnvWithGlobalThreadPools = 119,
  kDisablePerSessionThreads = 120,
  kCreateThreadingOptions = 121,
  kAddSessionConfigEntry = 130,
  kRunWithBinding = 133,
  kCreateIoBinding = 134,
  kReleaseIoBinding = 135,
  kBindInput = 136,
  kBindOutput = 137,
  kSetGlobalIntraOpNumThreads = 147,
  kSetGlobalInterOpNumThreads = 148,
  kAddInitializer = 150,
  kSetGlobalDenormalAsZero = 155,
  kCreatePrepackedWeightsContainer = 166,
  kReleasePrepackedWeightsContainer = 167,
  kCreateSessionFromArrayWithPrepackedWeightsContainer = 169,
};

// The loaded library: calls by place, errors as exceptions.
class Library {
 public:
  static const Library& get() {
    static const Library library;
    return library;
  }

  const char* version() const { return version_; }

  template <class... Arguments>
  void call(Place place, Arguments... arguments) const {
    using Function = Status* (*)(Arguments...);
    Status* status = reinterpret_cast<Function>(at(place))(arguments...);
    if (status == nullptr) return;
    const std::string text = reinterpret_cast<const char* (*)(const Status*)>(at(Place::kGetErrorMessage))(status);
    release(Place::kReleaseStatus, status);
    throw Failure("ONNX Runtime: " + text);
  }

  template <class Object>
  void release(Place place, Object* object) const {
    if (object != nullptr) reinterpret_cast<void (*)(Object*)>(at(place))(object);
  }

 private:
  struct Base {
    void* const* (*table)(std::uint32_t version);
    const char* (*version)();
  };

  Library() {
    // By its full path: the wheel's file does not bear the name that the library has for the linker.
    void* handle = dlopen(NNTEST_LIBRARY_FILE, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw Failure(std::string("ONNX Runtime: ") + dlerror());
    const auto base = reinterpret_cast<const Base* (*)()>(dlsym(handle, "OrtGetApiBase"));
    if (base == nullptr) throw Failure("ONNX Runtime: OrtGetApiBase is not exported by " NNTEST_LIBRARY_FILE);
    version_ = base()->version();
    table_ = base()->table(kInterface);
    if (table_ == nullptr) throw Failure(std::string("ONNX Runtime ") + version_ + " is too old; expected 1.8 or later");
  }

  void* at(Place place) const { return table_[static_cast<std::size_t>(place)]; }

  const char* version_;
  void* const* table_;
};

// An object of the library with the function that frees it.
template <class Object, Place kRelease>
class Owned {
 public:
  Owned() = default;
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  Owned(Owned&& other) noexcept : object_(other.object_) { other.object_ = nullptr; }
  ~Owned() { Library::get().release(kRelease, object_); }

  Object* get() const { return object_; }
  Object** out() { return &object_; }

 private:
  Object* object_ = nullptr;
};

}  // namespace nntest::onnxruntime
