// Arm Compute Library on an OpenCL device that shares the processor's memory, as on boards and under PoCL.
#pragma once

#define ARM_COMPUTE_CL  // as the library was built

#include <arm_compute/core/CL/OpenCL.h>
#include <arm_compute/runtime/CL/CLFunctions.h>
#include <arm_compute/runtime/CL/CLScheduler.h>
#include <arm_compute/runtime/CL/CLTensor.h>
#include <arm_compute/runtime/CL/CLTuner.h>

#include <cstdlib>
#include <map>
#include <unordered_map>

#include "armcl_program.h"
#include "json.h"
#include "opencl_program.h"

namespace nntest::armcl {

// The device that CK's variables name, the first where they name none.
struct Chosen {
  cl::Platform platform;
  cl::Device device;

  static const Chosen& get() {
    static const Chosen chosen = [] {
      if (!acl::opencl_is_available()) throw Failure("libOpenCL.so was not found");
      std::vector<cl::Platform> platforms;
      cl::Platform::get(&platforms);  // an answer without any platform is an error of the loader's
      Chosen found;
      found.platform = opencl::pick(platforms, "CK_COMPUTE_PLATFORM_ID", "platform");
      std::vector<cl::Device> devices;
      found.platform.getDevices(CL_DEVICE_TYPE_ALL, &devices);
      found.device = opencl::pick(devices, "CK_COMPUTE_DEVICE_ID", "device");
      return found;
    }();
    return chosen;
  }
};

inline const char* describe_opencl() {
  static const std::string text = [] {
    JsonObject description;
    description.add("library", "arm-compute-library-opencl")
        .add("version", version())
        .add("build", "")
        .add("threading", "opencl")
        .add("isa", "");
    try {
      const Chosen& chosen = Chosen::get();
      // the platform's own name is out of reach: the library hands on only the calls that it uses itself
      const auto name = [](const std::string& padded) { return std::string(padded.c_str()); };
      description.add("device", name(chosen.device.getInfo<CL_DEVICE_NAME>()))
          .add("driver", name(chosen.device.getInfo<CL_DEVICE_VERSION>()) + ", driver " +
                             name(chosen.device.getInfo<CL_DRIVER_VERSION>()));
    } catch (const std::exception& missing) {
      description.add("device_missing", missing.what());
    }
    return description.text();
  }();
  return text.c_str();
}

// CK_LWS_TUNER_TYPE of the original: NONE, the library's own local sizes, or DEFAULT, its tuner in the mode of its choice.
inline acl::CLTuner* tuner() {
  static const std::unique_ptr<acl::CLTuner> made = [] {
    const char* chosen = std::getenv("CK_LWS_TUNER_TYPE");
    const std::string type = chosen == nullptr ? "NONE" : chosen;
    if (type != "NONE" && type != "DEFAULT") {
      throw Unsupported("CK_LWS_TUNER_TYPE " + type + "; expected NONE or DEFAULT");
    }
    return type == "DEFAULT" ? std::make_unique<acl::CLTuner>() : nullptr;
  }();
  return made.get();
}

struct OpenCl {
  using Tensor = acl::CLTensor;

  static void prepare(const Question& question) {
    if (question.threads() != 1) {
      throw Unsupported("threads " + std::to_string(question.threads()) + "; an OpenCL device has threads of its own");
    }
    static const bool ready = [] {
      cl::Device device = Chosen::get().device;
      cl::Context context(device);
      acl::CLScheduler::get().default_init_with_context(device, context, tuner());
      return true;
    }();
    static_cast<void>(ready);
  }

  static acl::Status import(Tensor& tensor, void* buffer) {
    cl_int error = CL_SUCCESS;
    const cl::Buffer memory(acl::CLScheduler::get().context(), CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR,
                            tensor.info()->total_size(), buffer, &error);
    if (error != CL_SUCCESS) throw Failure("OpenCL: clCreateBuffer answered " + std::to_string(error));
    return tensor.allocator()->import_memory(memory);
  }

  // Memory of the caller's that a device uses is the caller's to read only while it is mapped.
  static void lend(Tensor& tensor) {
    if (tensor.buffer() != nullptr) tensor.unmap();
  }
  static void fetch(Tensor& tensor) { tensor.map(true); }
};

// Compiles its kernels, and tunes their local sizes, in a rehearsal: the runs that count do neither.
class OpenClFunction : public Function<OpenCl> {
 public:
  const char* implementation() const override { return name_.empty() ? Function::implementation() : name_.c_str(); }

  void rehearse() {
    constexpr int kSomeValue = 0x3f;  // as bytes of a float: 0.747
    for (auto& bound : bound()) {
      Tensor& tensor = *bound.get();
      tensor.allocator()->allocate();
      tensor.map(true);
      std::memset(tensor.buffer(), kSomeValue, tensor.info()->total_size());
      tensor.unmap();
    }
    if (tuner() != nullptr) tuner()->import_lws_table({});
    function().run();
    acl::CLScheduler::get().sync();
  }

  // With the tuner, the local sizes that it has chosen for this function are part of the name, so that points keep them.
  void keep_tuned() {
    if (tuner() == nullptr) return;
    static std::unordered_map<std::string, cl::NDRange> all;  // of all cases: each call of a kernel looks its size up
    std::map<std::string, cl::NDRange> sizes;
    for (const auto& [kernel, size] : tuner()->lws_table()) sizes[kernel] = all.emplace(kernel, size).first->second;
    tuner()->import_lws_table(all);
    name_ = Function::implementation();
    for (const auto& [kernel, size] : sizes) {
      name_ += " " + kernel + "=";
      // none: the driver chooses
      if (size.dimensions() == 0) name_ += "driver";
      for (std::size_t at = 0; at < size.dimensions(); ++at) name_ += (at ? "x" : "") + std::to_string(size.get()[at]);
    }
  }

 protected:
  using Function::Function;

 private:
  std::string name_;
};

// A program's operator with a rehearsal before: by a twin, since a function takes its weights in at its first run.
template <class Op>
class Rehearsed final : public Op {
 public:
  explicit Rehearsed(const Question& question) : Op(rehearsed(question)) { this->keep_tuned(); }

 private:
  static const Question& rehearsed(const Question& question) {
    Op(question).rehearse();
    return question;
  }
};

#define NNTEST_ARMCL_OPENCL_PROGRAM(Op) NNTEST_PROGRAM(nntest::armcl::Rehearsed<Op>)

// The tensors of a convolution: weights as O, I, H, W.
class OpenClConvolution : public OpenClFunction {
 protected:
  explicit OpenClConvolution(const Question& question)
      : OpenClFunction(question),
        window_(Window::of(question, "CK_CONV")),
        groups_(static_cast<unsigned>(question.parameter("CK_CONV_GROUPS"))),
        input_(bind(question, NNTEST_INPUT, image_order(question), data_layout(question))),
        weights_(bind(question, NNTEST_WEIGHTS, image_order(question), data_layout(question))),
        bias_(bind(question, NNTEST_BIAS, {0}, data_layout(question))),
        output_(bind(question, NNTEST_OUTPUT, image_order(question), data_layout(question))) {}

  void require_undilated_ungrouped() const {
    if (groups_ != 1) throw Unsupported("Arm Compute Library: groups " + std::to_string(groups_) + "; it has 1 here");
    if (window_.dilation_h != 1 || window_.dilation_w != 1) {
      throw Unsupported("Arm Compute Library: dilation; it has none here");
    }
  }

  Window window_;
  unsigned groups_;
  Tensor *input_, *weights_, *bias_, *output_;
};

// Pooling; programs differ in what they do with a window.
class OpenClPooling : public OpenClFunction {
 protected:
  OpenClPooling(const Question& question, acl::PoolingType type, bool exclude_padding) : OpenClFunction(question) {
    const Window window = Window::of(question, "CK_POOL", false);
    const acl::DataLayout layout = data_layout(question);
    Tensor* input = bind(question, NNTEST_INPUT, image_order(question), layout);
    Tensor* output = bind(question, NNTEST_OUTPUT, image_order(question), layout);
    const acl::Size2D size(static_cast<std::size_t>(window.kernel_w), static_cast<std::size_t>(window.kernel_h));
    const acl::PoolingLayerInfo info(type, size, layout, pad_stride(window), exclude_padding);
    require(acl::CLPoolingLayer::validate(input->info(), output->info(), info));
    auto function = std::make_unique<acl::CLPoolingLayer>();
    function->configure(input, output, info);
    use(std::move(function), "CLPoolingLayer");
  }
};

}  // namespace nntest::armcl
