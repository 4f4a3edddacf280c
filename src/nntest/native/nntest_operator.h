/* The operator interface: what a program's shared object offers to the driver.
 *
 * A program implements these functions for one operator of one library and exports one symbol, nntest_operator().
 * The driver owns everything that operators share: parameters, inputs, buffers, timing, cache state, threads.
 * Plain C, so that one process can load operators built by different compilers against different versions.
 *
 * Version rule: fields and functions are only ever appended; a reader looks at `size` before it touches them.
 */
#ifndef NNTEST_OPERATOR_H
#define NNTEST_OPERATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NNTEST_ABI_VERSION 1u
#define NNTEST_MAX_RANK 6
#define NNTEST_MAX_TENSORS 8
#define NNTEST_TEXT 512

typedef enum nntest_status {
  NNTEST_OK = 0,
  NNTEST_UNSUPPORTED = 1, /* a well-formed case that this operator cannot do; an answer, not a failure */
  NNTEST_ERROR = 2
} nntest_status;

typedef enum nntest_dtype {
  NNTEST_F32 = 0,
  NNTEST_F64 = 1,
  NNTEST_F16 = 2,
  NNTEST_BF16 = 3,
  NNTEST_S8 = 4,
  NNTEST_U8 = 5,
  NNTEST_S32 = 6
} nntest_dtype;

/* Direction and meaning of a tensor. input1 to input3 are further operands: the second of a sum, what a fused sum
 * adds, the parts of a concatenation. */
typedef enum nntest_role {
  NNTEST_INPUT = 0,
  NNTEST_WEIGHTS = 1,
  NNTEST_BIAS = 2,
  NNTEST_OUTPUT = 3,
  NNTEST_INPUT1 = 4,
  NNTEST_WORKSPACE = 5,
  NNTEST_INPUT2 = 6,
  NNTEST_INPUT3 = 7
} nntest_role;

/* A tensor as the case describes it. dims are logical (activations N,C,H,W; weights O,I/groups,H,W; matrices
 * rows,columns; weights of batchnorm scale,mean,spread by channels); strides are in elements and say the plain layout
 * (NCHW or NHWC, OIHW). */
typedef struct nntest_tensor {
  uint32_t size; /* sizeof(nntest_tensor) */
  int32_t role;
  int32_t dtype;
  int32_t rank;
  int64_t dims[NNTEST_MAX_RANK];
  int64_t strides[NNTEST_MAX_RANK];
  const float *scales; /* quantised tensors: one, or one per output channel; else NULL */
  const int32_t *zero_points;
  int64_t scale_count;
} nntest_tensor;

/* One CK_* parameter of the case. */
typedef struct nntest_parameter {
  const char *name;
  const char *value;
} nntest_parameter;

typedef struct nntest_request {
  uint32_t size; /* sizeof(nntest_request) */
  const char *species; /* "conv", "depthwiseconv", ... */
  const nntest_tensor *tensors;
  int32_t tensor_count;
  const nntest_parameter *parameters; /* normalised: pads as T,L,B,R, groups, strides, dilations */
  int32_t parameter_count;
  const char *layout; /* "NCHW", "NHWC" (plain, strides tell), or "auto": described as NCHW, the library may choose its own */
  const char *post_ops; /* "", or fused operations in order: "relu", "sum+relu"; what a sum adds is input1 */
  int32_t threads;
  const char *cache; /* "warm", "cold_weights", "cold_all": what the driver evicts before each call */
} nntest_request;

/* What the operator wants for one tensor. layout_tag names the native layout ("nchw", "aBcd16b"); two operators
 * with equal tags can be chained without a reorder. bytes may exceed the plain size (padding). plain is 1 when
 * native equals the described layout, so that no reorder is needed. */
typedef struct nntest_native {
  uint32_t size;
  int32_t role;
  int64_t bytes;
  int32_t plain;
  char layout_tag[64];
} nntest_native;

typedef struct nntest_message {
  uint32_t size;
  char text[NNTEST_TEXT];
} nntest_message;

typedef struct nntest_op nntest_op; /* the program's own */

typedef struct nntest_operator_api {
  uint32_t size;
  uint32_t abi_version;

  /* One JSON object, static: {"library","version","build","threading","isa"}. Called after the library is loaded. */
  const char *(*describe)(void);

  /* Can you? NNTEST_UNSUPPORTED with a reason is an answer. fusions is a comma list ("relu,sum"), layouts too;
   * both have room for NNTEST_TEXT characters. */
  nntest_status (*query)(const nntest_request *request, char *layouts, char *fusions, nntest_message *message);

  nntest_status (*create)(const nntest_request *request, nntest_op **op, nntest_message *message);

  /* Native form of each tensor (and of the workspace, if any); at most NNTEST_MAX_TENSORS; sets *count. */
  nntest_status (*natives)(nntest_op *op, nntest_native *natives, int32_t *count, nntest_message *message);

  /* Plain to native: weights and bias once (counts as set-up), activations on the way in. Called only when not plain. */
  nntest_status (*reorder_in)(nntest_op *op, int32_t role, const void *plain, void *native, nntest_message *message);
  nntest_status (*reorder_out)(nntest_op *op, int32_t role, const void *native, void *plain, nntest_message *message);

  /* The computation, on native buffers indexed by role (NULL where absent). The only function that is timed.
   * It returns when the output is complete. */
  nntest_status (*run)(nntest_op *op, void *const *buffers, nntest_message *message);

  /* Name of the kernel that the library chose ("jit:avx512_core"); static or owned by op. */
  const char *(*implementation)(nntest_op *op);

  void (*destroy)(nntest_op *op);

  /* What is computed ("conv"), so that the driver can run a case by hand from CK_* variables alone. */
  const char *(*species)(void);

  /* For a library that is entered through a session, whose toll is no part of the computation; else both are NULL.
   * prepare_batch, called once after the first run, makes ready to compute several times within one entry and says in
   * *calls how many times that is (1: not worth it). run_batch then does *calls times what run does. A block of warm
   * calls is made of batches; nothing else is. */
  nntest_status (*prepare_batch)(nntest_op *op, void *const *buffers, int64_t *calls, nntest_message *message);
  nntest_status (*run_batch)(nntest_op *op, void *const *buffers, nntest_message *message);
} nntest_operator_api;

/* The only exported symbol of a program. */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const nntest_operator_api *nntest_operator(void);

#ifdef __cplusplus
}
#endif
#endif
