/* An OpenCL layer (OPENCL_LAYERS; ocl-icd 2.3 and later) that lets Arm Compute Library 20.08 run on PoCL.
 *
 * The library was written for Mali, and PoCL is none. What is altered here is altered in the program under test: so it is
 * for emulation only, and every point of such a run names this layer.
 */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_0_APIS
#define CL_USE_DEPRECATED_OPENCL_1_1_APIS
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#define CL_USE_DEPRECATED_OPENCL_2_0_APIS
#include <CL/cl.h>
#include <CL/cl_icd.h>
#include <CL/cl_layer.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* What the points say; a change of what is altered is a new number. */
static const char name[] =
    "nntest-alter 1 (reports OpenCL 2.0; compiles kernels as CL1.2; makes local sizes divide the global ones; "
    "divides by 1 where CONVERT_TO_TENSOR4D_STRUCT_NO_STEP divides by 0; half is float where the device has none)";

static const cl_icd_dispatch *next;
static cl_icd_dispatch ours;

static cl_int answer(const void *found, size_t length, size_t size, void *value, size_t *needed) {
  if (needed != NULL) *needed = length;
  if (value == NULL) return CL_SUCCESS;
  if (size < length) return CL_INVALID_VALUE;
  memcpy(value, found, length);
  return CL_SUCCESS;
}

/* The library does not know 3.0, and then misses non-uniform work groups. */
static cl_int CL_API_CALL get_device_info(cl_device_id device, cl_device_info what, size_t size, void *value,
                                          size_t *needed) {
  static const char version[] = "OpenCL 2.0 (altered)";
  if (what == CL_DEVICE_VERSION) return answer(version, sizeof version, size, value, needed);
  return next->clGetDeviceInfo(device, what, size, value, needed);
}

/* A copy of `text` in which every `from` is `to`; NULL when there is no memory. */
static char *replaced(const char *text, const char *from, const char *to) {
  const size_t old = strlen(from), new = strlen(to);
  size_t count = 0;
  for (const char *at = strstr(text, from); at != NULL; at = strstr(at + old, from)) ++count;
  char *copy = malloc(strlen(text) + count * new + 1);
  if (copy == NULL) return NULL;
  char *out = copy;
  for (const char *at; (at = strstr(text, from)) != NULL; text = at + old) {
    memcpy(out, text, (size_t)(at - text));
    out += at - text;
    memcpy(out, to, new);
    out += new;
  }
  strcpy(out, text);
  return copy;
}

/* PoCL's vload and vstore have no generic address space, and it does not know Arm's option. */
static cl_int CL_API_CALL build_program(cl_program program, cl_uint count, const cl_device_id *devices,
                                        const char *options,
                                        void(CL_CALLBACK *notify)(cl_program program, void *data), void *data) {
  char *older = replaced(options == NULL ? "" : options, "-cl-std=CL2.0", "-cl-std=CL1.2");
  char *plain = older == NULL ? NULL : replaced(older, "-cl-arm-non-uniform-work-group-size", "");
  const cl_int error = plain == NULL ? CL_OUT_OF_HOST_MEMORY
                                     : next->clBuildProgram(program, count, devices, plain, notify, data);
  free(older);
  free(plain);
  return error;
}

/* Pooling has kernels for half beside those for float and does not ask for the extension; all are compiled, and only
 * those of the case's own type run. */
static const char stand_in[] =
    "#ifndef cl_khr_fp16\n"
    "#define half float\n#define half2 float2\n#define half3 float3\n"
    "#define half4 float4\n#define half8 float8\n#define half16 float16\n"
    "#define convert_half convert_float\n#define convert_half2 convert_float2\n#define convert_half3 convert_float3\n"
    "#define convert_half4 convert_float4\n#define convert_half8 convert_float8\n"
    "#define convert_half16 convert_float16\n"
    "#endif\n"
    "#line 1\n";

/* x / 0 * 0 is undefined: the compiler deletes the kernel around it. Divided by 1 it is what was meant. */
static void divide_by_one(char *source) {
  static const char macro[] = "CONVERT_TO_TENSOR4D_STRUCT_NO_STEP(";
  for (char *at = strstr(source, macro); at != NULL; at = strstr(at + 1, macro)) {
    char *end = at + strlen(macro);
    while (*end == '_' || isalnum((unsigned char)*end)) ++end;
    if (strncmp(end, ", 0)", 4) == 0) end[2] = '1';
  }
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **strings,
                                             const size_t *lengths, cl_int *error) {
  const char **sources = calloc(count + 1, sizeof *sources);
  cl_program program = NULL;
  cl_uint done = 0;
  if (sources != NULL) sources[0] = stand_in;
  for (; sources != NULL && done < count; ++done) {
    const size_t length = lengths == NULL || lengths[done] == 0 ? strlen(strings[done]) : lengths[done];
    char *source = calloc(length + 1, 1);
    if (source == NULL) break;
    memcpy(source, strings[done], length);
    divide_by_one(source);
    sources[done + 1] = source;
  }
  if (sources != NULL && done == count) {
    program = next->clCreateProgramWithSource(context, count + 1, sources, NULL, error);
  } else if (error != NULL) {
    *error = CL_OUT_OF_HOST_MEMORY;
  }
  for (cl_uint at = 0; at < done; ++at) free((char *)sources[at + 1]);
  free(sources);
  return program;
}

/* Without non-uniform work groups a local size has to divide the global one: the largest that does, not above it. */
static cl_int CL_API_CALL enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                                  const size_t *global, const size_t *local, cl_uint waits, const cl_event *wait_list,
                                  cl_event *event) {
  size_t fitting[3];
  if (local != NULL && dimensions <= 3) {
    for (cl_uint at = 0; at < dimensions; ++at) {
      fitting[at] = local[at] == 0 || local[at] > global[at] ? global[at] : local[at];
      while (fitting[at] > 1 && global[at] % fitting[at] != 0) --fitting[at];
    }
    local = fitting;
  }
  return next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local, waits, wait_list, event);
}

CL_API_ENTRY cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *needed) {
  static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
  if (what == CL_LAYER_API_VERSION) return answer(&version, sizeof version, size, value, needed);
  if (what == CL_LAYER_NAME) return answer(name, sizeof name, size, value, needed);
  return CL_INVALID_VALUE;
}

CL_API_ENTRY cl_int CL_API_CALL clInitLayer(cl_uint count, const cl_icd_dispatch *target, cl_uint *our_count,
                                            const cl_icd_dispatch **layer) {
  if (target == NULL || our_count == NULL || layer == NULL) return CL_INVALID_VALUE;
  if (count < sizeof ours / sizeof(void *)) return CL_INVALID_VALUE;
  next = target;
  ours = *target;
  ours.clGetDeviceInfo = get_device_info;
  ours.clBuildProgram = build_program;
  ours.clCreateProgramWithSource = create_program;
  ours.clEnqueueNDRangeKernel = enqueue;
  *our_count = sizeof ours / sizeof(void *);
  *layer = &ours;
  return CL_SUCCESS;
}
