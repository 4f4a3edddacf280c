// An OpenCL layer (OPENCL_LAYERS; ocl-icd 2.3 and later) that takes down every kernel which a library runs, whatever
// library it is: when it was queued, submitted, started and ended, by the device's own clock, and how large it was.
//
// Queues are made with profiling enabled. The driver, in whose process the layer is, calls nntest_profile_begin before
// a block and nntest_profile_end after it.
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "../clock.h"
#include "../json.h"

namespace {

constexpr char kName[] = "nntest-profile 1";

const cl_icd_dispatch* next = nullptr;
cl_icd_dispatch ours;

struct Call {
  std::string kernel;
  double enqueued_s;
  cl_event event;
  std::vector<std::size_t> global, local;
};

std::mutex access;
bool recording = false;
std::vector<Call> calls;
std::string account;

cl_int answer(const void* found, std::size_t length, std::size_t size, void* value, std::size_t* needed) {
  if (needed != nullptr) *needed = length;
  if (value == nullptr) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  std::memcpy(value, found, length);
  return CL_SUCCESS;
}

std::string name_of(cl_kernel kernel) {
  char name[256] = "";
  next->clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, nullptr);
  name[sizeof name - 1] = '\0';
  return name;
}

cl_command_queue CL_API_CALL create_queue(cl_context context, cl_device_id device, cl_command_queue_properties properties,
                                          cl_int* error) {
  return next->clCreateCommandQueue(context, device, properties | CL_QUEUE_PROFILING_ENABLE, error);
}

cl_command_queue CL_API_CALL create_queue_with(cl_context context, cl_device_id device,
                                               const cl_queue_properties* properties, cl_int* error) {
  std::vector<cl_queue_properties> wanted;
  bool known = false;
  for (const cl_queue_properties* at = properties; at != nullptr && at[0] != 0; at += 2) {
    const bool flags = at[0] == CL_QUEUE_PROPERTIES;
    wanted.insert(wanted.end(), {at[0], flags ? at[1] | CL_QUEUE_PROFILING_ENABLE : at[1]});
    known = known || flags;
  }
  if (!known) wanted.insert(wanted.end(), {CL_QUEUE_PROPERTIES, CL_QUEUE_PROFILING_ENABLE});
  wanted.push_back(0);
  return next->clCreateCommandQueueWithProperties(context, device, wanted.data(), error);
}

cl_int CL_API_CALL enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const std::size_t* offset,
                           const std::size_t* global, const std::size_t* local, cl_uint waits,
                           const cl_event* wait_list, cl_event* event) {
  const std::lock_guard<std::mutex> guard(access);
  if (!recording) {
    return next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, waits, wait_list, event);
  }
  const double now_s = nntest::session_now_s();
  cl_event own = nullptr;
  cl_event* used = event != nullptr ? event : &own;
  const cl_int status =
      next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, waits, wait_list, used);
  if (status != CL_SUCCESS) return status;
  if (event != nullptr) next->clRetainEvent(*event);
  Call call{name_of(kernel), now_s, *used, {}, {}};
  call.global.assign(global, global + dimensions);
  if (local != nullptr) call.local.assign(local, local + dimensions);
  calls.push_back(std::move(call));
  return status;
}

cl_int CL_API_CALL enqueue_task(cl_command_queue queue, cl_kernel kernel, cl_uint waits, const cl_event* wait_list,
                                cl_event* event) {
  const std::size_t one = 1;
  return enqueue(queue, kernel, 1, nullptr, &one, &one, waits, wait_list, event);
}

// Microseconds of the device's clock, -1 where it does not tell.
double moment_us(cl_event event, cl_profiling_info what) {
  cl_ulong nanoseconds = 0;
  const cl_int status = next->clGetEventProfilingInfo(event, what, sizeof nanoseconds, &nanoseconds, nullptr);
  return status == CL_SUCCESS ? static_cast<double>(nanoseconds) / 1e3 : -1;
}

struct Times {
  double queued_us, submit_us, start_us, end_us;
};

Times times_of(const Call& call) {
  return {moment_us(call.event, CL_PROFILING_COMMAND_QUEUED), moment_us(call.event, CL_PROFILING_COMMAND_SUBMIT),
          moment_us(call.event, CL_PROFILING_COMMAND_START), moment_us(call.event, CL_PROFILING_COMMAND_END)};
}

nntest::JsonObject in_full(const Call& call, const Times& times, double origin_us) {
  return nntest::JsonObject()
      .add("kernel", call.kernel)
      .add("queued_us", times.queued_us - origin_us)
      .add("submit_us", times.submit_us - origin_us)
      .add("start_us", times.start_us - origin_us)
      .add("end_us", times.end_us - origin_us)
      .add("global_size", call.global)
      .add("local_size", call.local);
}

void forget() {
  for (const Call& call : calls) next->clReleaseEvent(call.event);
  calls.clear();
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) void nntest_profile_begin() {
  const std::lock_guard<std::mutex> guard(access);
  forget();
  recording = true;
}

// What was enqueued since a moment of the driver's clock: by kernel the microseconds of one of `loops` equal runs, and
// the last run's calls in full. The text is valid until the next call.
__attribute__((visibility("default"))) const char* nntest_profile_end(double since_s, long loops) {
  const std::lock_guard<std::mutex> guard(access);
  recording = false;
  std::vector<std::pair<const Call*, Times>> seen;
  for (const Call& call : calls) {
    if (call.enqueued_s >= since_s) seen.emplace_back(&call, times_of(call));
  }
  std::map<std::string, double> kernels;
  for (const auto& [call, times] : seen) kernels[call->kernel] += (times.end_us - times.start_us) / static_cast<double>(loops);
  nntest::JsonObject sums;
  for (const auto& [kernel, microseconds] : kernels) sums.add(kernel, microseconds);
  const std::size_t of_a_run = (seen.size() + static_cast<std::size_t>(loops) - 1) / static_cast<std::size_t>(loops);
  std::string last;
  for (std::size_t at = seen.size() - of_a_run; at < seen.size(); ++at) {
    const double origin_us = seen[seen.size() - of_a_run].second.queued_us;
    last += (last.empty() ? "" : ",") + in_full(*seen[at].first, seen[at].second, origin_us).text();
  }
  account = nntest::JsonObject().add("kernels_us", sums).raw("calls", "[" + last + "]").text();
  forget();
  return account.c_str();
}

__attribute__((visibility("default"))) CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, std::size_t size, void* value, std::size_t* needed) {
  static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  if (what == CL_LAYER_API_VERSION) return answer(&version, sizeof version, size, value, needed);
  if (what == CL_LAYER_NAME) return answer(kName, sizeof kName, size, value, needed);
  return CL_INVALID_VALUE;
}

__attribute__((visibility("default"))) CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch* target, cl_uint* our_count,
                                            const cl_icd_dispatch** layer) {
  if (target == nullptr || our_count == nullptr || layer == nullptr) return CL_INVALID_VALUE;
  if (count < sizeof ours / sizeof(void*)) return CL_INVALID_VALUE;
  next = target;
  ours = *target;
  ours.clCreateCommandQueue = create_queue;
  ours.clCreateCommandQueueWithProperties = create_queue_with;
  ours.clEnqueueNDRangeKernel = enqueue;
  ours.clEnqueueTask = enqueue_task;
  *our_count = sizeof ours / sizeof(void*);
  *layer = &ours;
  return CL_SUCCESS;
}

}  // extern "C"
