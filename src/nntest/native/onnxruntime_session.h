// Sessions of ONNX Runtime over buffers of ours: one environment for the process, tensors without a copy, inputs and
// output bound once.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "onnx_model.h"
#include "onnxruntime_api.h"

namespace nntest::onnxruntime {

using onnx::Dims;

// One environment for the process, with one pool of threads for all of its sessions.
class Environment {
 public:
  static Env* with(int threads) {
    static const Environment environment(threads);
    if (environment.threads_ != threads) throw Failure("ONNX Runtime: a process has one number of threads");
    return environment.env_;
  }

 private:
  explicit Environment(int threads) : threads_(threads) {
    const Library& library = Library::get();
    ThreadingOptions* options = nullptr;
    library.call(Place::kCreateThreadingOptions, &options);
    library.call(Place::kSetGlobalIntraOpNumThreads, options, threads);
    library.call(Place::kSetGlobalInterOpNumThreads, options, 1);
    library.call(Place::kSetGlobalDenormalAsZero, options);
    library.call(Place::kCreateEnvWithGlobalThreadPools, static_cast<int>(kError), "nntest",
                 static_cast<const ThreadingOptions*>(options), &env_);
  }

  int threads_;
  Env* env_ = nullptr;
};

// A tensor in a buffer of ours.
class Tensor {
 public:
  Tensor(const void* data, const Dims& dims) : data_(data) {
    static MemoryInfo* const memory = [] {
      MemoryInfo* made = nullptr;
      const int allocator = kArenaAllocator, kind = kDefaultMemory;
      Library::get().call(Place::kCreateCpuMemoryInfo, allocator, kind, &made);
      return made;
    }();
    std::size_t bytes = sizeof(float);
    for (const std::int64_t dim : dims) bytes *= static_cast<std::size_t>(dim);
    const int type = kFloat;
    Library::get().call(Place::kCreateTensorWithDataAsOrtValue, static_cast<const MemoryInfo*>(memory),
                        const_cast<void*>(data), bytes, dims.data(), dims.size(), type, value_.out());
  }
  const void* data() const { return data_; }
  const Value* value() const { return value_.get(); }

 private:
  const void* data_;
  Owned<Value, Place::kReleaseValue> value_;
};

// A tensor that a session reads or writes.
struct Port {
  std::string name;
  Dims dims;
};

using Constants = std::map<std::string, std::unique_ptr<Tensor>>;

// A compiled model with its inputs and its outputs bound to buffers: all outputs to the same one.
class Session {
 public:
  // `constants` stay in their buffers, else they are copied. `optimized` takes the model as ONNX Runtime has changed it.
  // `trace`, where it is not empty, is how the name of a file begins in which the session writes what it does.
  Session(const std::string& model, int threads, std::vector<Port> inputs, std::vector<Port> outputs,
          int level = kNoOptimization, const Constants* constants = nullptr, std::string* optimized = nullptr,
          const std::string& trace = "")
      : outputs_(std::move(outputs)) {
    for (Port& input : inputs) inputs_.push_back({std::move(input), nullptr});
    const Library& library = Library::get();
    Owned<SessionOptions, Place::kReleaseSessionOptions> options;
    library.call(Place::kCreateSessionOptions, options.out());
    library.call(Place::kDisablePerSessionThreads, options.get());
    library.call(Place::kSetSessionGraphOptimizationLevel, options.get(), level);
    library.call(Place::kSetSessionLogSeverityLevel, options.get(), static_cast<int>(kError));
    if (constants != nullptr) {
      for (const auto& [name, tensor] : *constants) {
        library.call(Place::kAddInitializer, options.get(), name.c_str(), tensor->value());
      }
    }
    if (!trace.empty()) library.call(Place::kEnableProfiling, options.get(), trace.c_str());
    std::optional<MemoryFile> file;
    if (optimized != nullptr) {
      file.emplace();
      library.call(Place::kSetOptimizedModelFilePath, options.get(), file->path());
    }
    // Nodes with the same constants share what they pack of them, as one node in a loop would.
    library.call(Place::kCreatePrepackedWeightsContainer, packed_.out());
    library.call(Place::kCreateSessionFromArrayWithPrepackedWeightsContainer, Environment::with(threads),
                 static_cast<const void*>(model.data()), model.size(),
                 static_cast<const SessionOptions*>(options.get()), packed_.get(), session_.out());
    if (optimized != nullptr) *optimized = file->content();
  }

  void run(const std::vector<const void*>& inputs, const void* output) {
    bind(inputs, output);
    Library::get().call(Place::kRunWithBinding, session_.get(), static_cast<const RunOptions*>(nullptr),
                        static_cast<const Binding*>(binding_.get()));
  }

  // The trace is written when it ends.
  void end_trace() {
    const Library& library = Library::get();
    Allocator* allocator = nullptr;
    char* file = nullptr;
    library.call(Place::kGetAllocatorWithDefaultOptions, &allocator);
    library.call(Place::kSessionEndProfiling, session_.get(), allocator, &file);
    library.call(Place::kAllocatorFree, allocator, static_cast<void*>(file));
  }

 private:
  // A file that exists in memory only: ONNX Runtime writes its optimised model to a path.
  class MemoryFile {
   public:
    MemoryFile() : descriptor_(memfd_create("nntest-model", MFD_CLOEXEC)) {
      if (descriptor_ < 0) throw Failure("onnx: no room for the optimised model");
      path_ = "/proc/self/fd/" + std::to_string(descriptor_);
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { close(descriptor_); }

    const char* path() const { return path_.c_str(); }
    std::string content() const {
      std::string bytes(static_cast<std::size_t>(lseek(descriptor_, 0, SEEK_END)), '\0');
      for (std::size_t at = 0; at < bytes.size();) {
        const ssize_t count = pread(descriptor_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
        if (count <= 0) throw Failure("onnx: the optimised model could not be read");
        at += static_cast<std::size_t>(count);
      }
      return bytes;
    }

   private:
    int descriptor_;
    std::string path_;
  };

  struct Bound {
    Port port;
    std::unique_ptr<Tensor> tensor;
  };

  void bind(const std::vector<const void*>& inputs, const void* output) {
    const Library& library = Library::get();
    if (binding_.get() == nullptr) library.call(Place::kCreateIoBinding, session_.get(), binding_.out());
    for (std::size_t at = 0; at < inputs_.size(); ++at) {
      Bound& bound = inputs_[at];
      if (bound.tensor && bound.tensor->data() == inputs[at]) continue;
      bound.tensor = std::make_unique<Tensor>(inputs[at], bound.port.dims);
      library.call(Place::kBindInput, binding_.get(), bound.port.name.c_str(), bound.tensor->value());
    }
    if (written_ && written_->data() == output) return;
    written_ = std::make_unique<Tensor>(output, outputs_.front().dims);
    for (const Port& port : outputs_) {
      library.call(Place::kBindOutput, binding_.get(), port.name.c_str(), written_->value());
    }
  }

  std::vector<Bound> inputs_;
  std::vector<Port> outputs_;
  std::unique_ptr<Tensor> written_;
  Owned<Prepacked, Place::kReleasePrepackedWeightsContainer> packed_;
  Owned<onnxruntime::SessionHandle, Place::kReleaseSession> session_;
  Owned<Binding, Place::kReleaseIoBinding> binding_;
};

}  // namespace nntest::onnxruntime
