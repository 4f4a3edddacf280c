// What programs of OpenCL libraries share: the device that was asked for, its description, and the tensors' memory.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
#include <CL/cl.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "json.h"
#include "nntest_program.h"

namespace nntest::opencl {

inline void require(cl_int status, const char* what) {
  if (status != CL_SUCCESS) throw Failure(std::string("OpenCL: ") + what + " failed with status " + std::to_string(status));
}

// The number of a platform or device, as CK's variables give it; the first where none is given.
inline std::size_t chosen(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr || *text == '\0') return 0;
  char* end = nullptr;
  const long number = std::strtol(text, &end, 10);
  if (*end != '\0' || number < 0) throw Failure(std::string(variable) + ": '" + text + "'; expected a number from 0");
  return static_cast<std::size_t>(number);
}

template <class Item>
Item pick(const std::vector<Item>& items, const char* variable, const char* what) {
  const std::size_t number = chosen(variable);
  if (number < items.size()) return items[number];
  if (items.empty()) throw Failure(std::string("no OpenCL ") + what + " was found");
  throw Failure("there is no OpenCL " + std::string(what) + " " + std::to_string(number) + "; this machine has " +
                std::to_string(items.size()) + ", numbered from 0");
}

// One device with a context and an in-order queue, for the life of the process.
class Device {
 public:
  static const Device& get() {
    static const Device device;
    return device;
  }

  cl_device_id id() const { return id_; }
  cl_context context() const { return context_; }
  cl_command_queue queue() const { return queue_; }
  void finish() const { require(clFinish(queue_), "clFinish"); }

  // Host and device work on the same memory: a tensor needs one place only.
  bool shares_memory() const { return shares_memory_; }

  std::string info(cl_device_info what) const {
    std::size_t size = 0;
    if (clGetDeviceInfo(id_, what, 0, nullptr, &size) != CL_SUCCESS || size == 0) return "";
    std::string text(size, '\0');
    require(clGetDeviceInfo(id_, what, size, &text[0], nullptr), "clGetDeviceInfo");
    return tidy(text);
  }

  std::string platform_name() const {
    std::size_t size = 0;
    if (clGetPlatformInfo(platform_, CL_PLATFORM_NAME, 0, nullptr, &size) != CL_SUCCESS || size == 0) return "";
    std::string text(size, '\0');
    require(clGetPlatformInfo(platform_, CL_PLATFORM_NAME, size, &text[0], nullptr), "clGetPlatformInfo");
    return tidy(text);
  }

 private:
  Device() {
    cl_uint count = 0;
    clGetPlatformIDs(0, nullptr, &count);  // an answer without any platform is an error of the loader's
    std::vector<cl_platform_id> platforms(count);
    if (count > 0) require(clGetPlatformIDs(count, platforms.data(), nullptr), "clGetPlatformIDs");
    platform_ = pick(platforms, "CK_COMPUTE_PLATFORM_ID", "platform");
    count = 0;
    clGetDeviceIDs(platform_, CL_DEVICE_TYPE_ALL, 0, nullptr, &count);
    std::vector<cl_device_id> devices(count);
    if (count > 0) {
      require(clGetDeviceIDs(platform_, CL_DEVICE_TYPE_ALL, count, devices.data(), nullptr), "clGetDeviceIDs");
    }
    id_ = pick(devices, "CK_COMPUTE_DEVICE_ID", "device");
    cl_bool shares = CL_FALSE;
    clGetDeviceInfo(id_, CL_DEVICE_HOST_UNIFIED_MEMORY, sizeof shares, &shares, nullptr);
    const char* memory = std::getenv("NNTEST_OPENCL_MEMORY");
    shares_memory_ = memory != nullptr && *memory != '\0' ? std::strcmp(memory, "shared") == 0 : shares == CL_TRUE;
    cl_int status = CL_SUCCESS;
    context_ = clCreateContext(nullptr, 1, &id_, nullptr, nullptr, &status);
    require(status, "clCreateContext");
    queue_ = clCreateCommandQueue(context_, id_, 0, &status);
    require(status, "clCreateCommandQueue");
  }

  static std::string tidy(const std::string& text) {
    const std::string whole = text.c_str();  // without the zero at the end
    const std::size_t first = whole.find_first_not_of(' '), last = whole.find_last_not_of(' ');
    return first == std::string::npos ? "" : whole.substr(first, last - first + 1);
  }

  cl_platform_id platform_ = nullptr;
  cl_device_id id_ = nullptr;
  cl_context context_ = nullptr;
  cl_command_queue queue_ = nullptr;
  bool shares_memory_ = false;
};

// What `describe` says of the device, or why there is none.
inline void add_device(JsonObject& description) {
  try {
    const Device& device = Device::get();
    description.add("device", device.info(CL_DEVICE_NAME))
        .add("driver", device.platform_name() + ", driver " + device.info(CL_DRIVER_VERSION))
        .add("device_version", device.info(CL_DEVICE_VERSION))
        .add("shares_memory", device.shares_memory());
  } catch (const std::exception& missing) {
    description.add("device_missing", missing.what());
  }
}

// Values that stay on the device as they are.
class Constant {
 public:
  explicit Constant(const std::vector<float>& values) {
    cl_int status = CL_SUCCESS;
    memory_ = clCreateBuffer(Device::get().context(), CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                             values.size() * sizeof(float), const_cast<float*>(values.data()), &status);
    require(status, "clCreateBuffer");
  }
  ~Constant() { clReleaseMemObject(memory_); }
  Constant(const Constant&) = delete;
  Constant& operator=(const Constant&) = delete;

  cl_mem get() const { return memory_; }

 private:
  cl_mem memory_ = nullptr;
};

// An operator whose tensors are the device's. The driver's buffers are the host's side of them: the same memory where
// host and device share it, else copied on the way in and out, which is what the reorders' times are then of.
class DeviceOperator : public Operator {
 public:
  std::vector<Native> natives() const override { return natives_; }

  void reorder_in(nntest_role role, const void* plain, void* native) override {
    Slot& slot = bound(role, native);
    require(clEnqueueWriteBuffer(Device::get().queue(), slot.memory, CL_TRUE, 0, slot.bytes, plain, 0, nullptr, nullptr),
            "clEnqueueWriteBuffer");
  }

  void reorder_out(nntest_role role, const void* native, void* plain) override {
    Slot& slot = bound(role, const_cast<void*>(native));
    require(clEnqueueReadBuffer(Device::get().queue(), slot.memory, CL_TRUE, 0, slot.bytes, plain, 0, nullptr, nullptr),
            "clEnqueueReadBuffer");
  }

  void run(void* const* buffers) override {
    for (Slot& slot : slots_) {
      if (slot.host != buffers[slot.role]) bound(slot.role, buffers[slot.role]);
    }
    carry_poison(buffers[NNTEST_OUTPUT]);
    compute();
    Device::get().finish();
  }

 protected:
  explicit DeviceOperator(const Question& question) : natives_(plain_natives(question)) {
    for (Native& native : natives_) {
      native.plain = false;
      native.tag += ":opencl";
      slots_.push_back({native.role, static_cast<std::size_t>(native.bytes), nullptr, nullptr});
    }
  }
  ~DeviceOperator() override {
    for (Slot& slot : slots_) release(slot);
  }
  DeviceOperator(const DeviceOperator&) = delete;
  DeviceOperator& operator=(const DeviceOperator&) = delete;

  // Enqueue the computation on `memory(role)`.
  virtual void compute() = 0;

  cl_mem memory(nntest_role role) { return slot_of(role).memory; }

  // To be called by the constructor of a program: kernels are compiled when they are first run, which is set-up.
  void compile() {
    for (Slot& slot : slots_) slot.memory = create(0, slot.bytes, nullptr);
    compute();
    Device::get().finish();
    for (Slot& slot : slots_) release(slot);
  }

 private:
  struct Slot {
    nntest_role role;
    std::size_t bytes;
    void* host;
    cl_mem memory;
  };

  static cl_mem create(cl_mem_flags flags, std::size_t bytes, void* host) {
    cl_int status = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(Device::get().context(), CL_MEM_READ_WRITE | flags, bytes, host, &status);
    require(status, "clCreateBuffer");
    return memory;
  }

  static void release(Slot& slot) {
    if (slot.memory != nullptr) clReleaseMemObject(slot.memory);
    slot.memory = nullptr;
    slot.host = nullptr;
  }

  Slot& slot_of(nntest_role role) {
    for (Slot& slot : slots_) {
      if (slot.role == role) return slot;
    }
    throw Failure("OpenCL: this tensor is unknown: role " + std::to_string(role));
  }

  Slot& bound(nntest_role role, void* host) {
    Slot& slot = slot_of(role);
    if (slot.host == host && slot.memory != nullptr) return slot;
    release(slot);
    const bool shared = Device::get().shares_memory();
    slot.memory = create(shared ? CL_MEM_USE_HOST_PTR : 0, slot.bytes, shared ? host : nullptr);
    slot.host = host;
    return slot;
  }

  // The driver poisons its buffer to find what a run leaves unwritten; a device with memory of its own must see it too.
  void carry_poison(void* output) {
    constexpr std::uint32_t kPoison = 0xffffffff;
    if (Device::get().shares_memory()) return;
    auto* first = static_cast<std::uint32_t*>(output);
    if (*first != kPoison) return;
    *first = 0;
    const Slot& slot = slot_of(NNTEST_OUTPUT);
    require(clEnqueueFillBuffer(Device::get().queue(), slot.memory, &kPoison, sizeof kPoison, 0, slot.bytes, 0, nullptr,
                                nullptr),
            "clEnqueueFillBuffer");
  }

  std::vector<Native> natives_;
  std::vector<Slot> slots_;
};

}  // namespace nntest::opencl
