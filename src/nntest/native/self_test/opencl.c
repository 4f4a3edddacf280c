/* Self-test of an OpenCL device: compiles a kernel and runs it; prints the device, its driver, and the layer between (an
 * empty line where there is none). */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <CL/cl_layer.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define COUNT 16

static const char *source =
    "__kernel void twice(__global float *values) { size_t at = get_global_id(0); values[at] = 2.0f * values[at]; }";

static int failed(const char *what, cl_int error) {
  fprintf(stderr, "%s: OpenCL error %d\n", what, (int)error);
  return 1;
}

/* The layer's own name, so that what points say and what is altered stand in one file. */
static const char *layer_name(char *name, size_t size) {
  const char *path = getenv("OPENCL_LAYERS");
  void *layer = path == NULL ? NULL : dlopen(path, RTLD_NOW);
  pfn_clGetLayerInfo ask = layer == NULL ? NULL : (pfn_clGetLayerInfo)dlsym(layer, "clGetLayerInfo");
  return ask != NULL && ask(CL_LAYER_NAME, size, name, NULL) == CL_SUCCESS ? name : "";
}

int main(void) {
  cl_platform_id platform;
  cl_device_id device;
  cl_int error = clGetPlatformIDs(1, &platform, NULL);
  if (error != CL_SUCCESS) return failed("no platform", error);
  error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL);
  if (error != CL_SUCCESS) return failed("no device", error);
  float values[COUNT];
  for (int at = 0; at < COUNT; ++at) values[at] = (float)at;
  cl_context context = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
  if (error != CL_SUCCESS) return failed("context", error);
  cl_command_queue queue = clCreateCommandQueue(context, device, 0, &error);
  if (error != CL_SUCCESS) return failed("queue", error);
  cl_mem memory = clCreateBuffer(context, CL_MEM_COPY_HOST_PTR, sizeof values, values, &error);
  if (error != CL_SUCCESS) return failed("buffer", error);
  cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &error);
  if (error == CL_SUCCESS) error = clBuildProgram(program, 1, &device, "", NULL, NULL);
  if (error != CL_SUCCESS) return failed("compiling a kernel", error);
  cl_kernel kernel = clCreateKernel(program, "twice", &error);
  if (error == CL_SUCCESS) error = clSetKernelArg(kernel, 0, sizeof memory, &memory);
  const size_t size = COUNT;
  if (error == CL_SUCCESS) error = clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &size, NULL, 0, NULL, NULL);
  if (error == CL_SUCCESS) {
    error = clEnqueueReadBuffer(queue, memory, CL_TRUE, 0, sizeof values, values, 0, NULL, NULL);
  }
  if (error != CL_SUCCESS) return failed("running a kernel", error);
  for (int at = 0; at < COUNT; ++at) {
    if (values[at] != 2.0f * (float)at) {
      fprintf(stderr, "value %d is %g; expected %g\n", at, values[at], 2.0 * at);
      return 1;
    }
  }
  char name[256] = "", driver[256] = "", version[256] = "", layer[512] = "";
  clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name, name, NULL);
  clGetDeviceInfo(device, CL_DRIVER_VERSION, sizeof driver, driver, NULL);
  clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof version, version, NULL);
  printf("%s\n%s %s\n%s\n", name, version, driver, layer_name(layer, sizeof layer));
  return 0;
}
