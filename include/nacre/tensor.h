/* SPDX-License-Identifier: MIT
 *
 * nacre/tensor.h - concrete numbers in memory.
 *
 * A tensor is a view: a data type, a shape, strides, and a place in counted storage.  Several
 * tensors can share one storage (slices, transposes, reshapes), and the storage can be memory
 * of our own, a mapped file, or memory of the caller's with a function that releases it.
 * Rank 0 (a single number) to 8; a size may be 0; row-major unless made otherwise.
 */
#ifndef NACRE_TENSOR_H
#define NACRE_TENSOR_H

#include <stdbool.h>

#include "runtime.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { NACRE_MAX_RANK = 8 };

/* X(NAME, name, bytes, kind, safetensors name, NumPy descr) */
#define NACRE_DTYPE_LIST(X)                                                                        \
	X(F32, f32, 4, FLOAT, "F32", "<f4")                                                        \
	X(F64, f64, 8, FLOAT, "F64", "<f8")                                                        \
	X(F16, f16, 2, FLOAT, "F16", "<f2")                                                        \
	X(BF16, bf16, 2, FLOAT, "BF16", NULL)                                                      \
	X(I8, i8, 1, INT, "I8", "|i1")                                                             \
	X(U8, u8, 1, INT, "U8", "|u1")                                                             \
	X(I32, i32, 4, INT, "I32", "<i4")                                                          \
	X(I64, i64, 8, INT, "I64", "<i8")                                                          \
	X(BOOL, bool, 1, BOOL, "BOOL", "|b1")

typedef enum nacre_dtype { /* f32 is 0: the default */
#define X(NAME, name, bytes, kind, safetensors, numpy) NACRE_##NAME,
	NACRE_DTYPE_LIST(X)
#undef X
	NACRE_DTYPES
} nacre_dtype;

const char *nacre_dtype_name(nacre_dtype dtype); /* "f32"; "?" for a value that is none */
size_t nacre_dtype_size(nacre_dtype dtype);      /* bytes an element; 0 for a value that is none */

typedef struct nacre_tensor nacre_tensor;

/* New tensors.  NULL when there is no memory or an argument cannot be (rank outside 0..8, a
 * negative size, a size in bytes that overflows); `error`, if not NULL, says which.
 *   new    zeros
 *   wrap   `data` of the caller's, row-major; release(context, data) is called exactly once,
 *          when the last view goes (release may be NULL); on failure it is not called */
nacre_tensor *nacre_tensor_new(nacre_runtime *runtime, nacre_dtype dtype, int rank,
			       const int64_t *shape, nacre_error *error);
nacre_tensor *nacre_tensor_wrap(nacre_runtime *runtime, nacre_dtype dtype, int rank,
				const int64_t *shape, void *data,
				void (*release)(void *context, void *data), void *context,
				nacre_error *error);
void nacre_tensor_free(nacre_tensor *tensor);

/* Views: share the storage of `tensor`.
 *   slice     [start, stop) of one axis, every step-th (step may be negative: then from start
 *             down to stop, exclusive; stop -1 means "down to 0")
 *   transpose axes in a new order: result.shape[i] = tensor.shape[order[i]]
 *   reshape   only of contiguous tensors; at most one size may be -1 (the rest decides) */
nacre_tensor *nacre_tensor_slice(const nacre_tensor *tensor, int axis, int64_t start, int64_t stop,
				 int64_t step, nacre_error *error);
nacre_tensor *nacre_tensor_transpose(const nacre_tensor *tensor, const int *order,
				     nacre_error *error);
nacre_tensor *nacre_tensor_reshape(const nacre_tensor *tensor, int rank, const int64_t *shape,
				   nacre_error *error);

/* A new contiguous tensor with the same numbers in another type.  Floats go to the nearest, ties
 * to even; to an integer type: towards zero, clamped to its range, NaN to 0; bool: x != 0. */
nacre_tensor *nacre_tensor_convert(const nacre_tensor *tensor, nacre_dtype dtype,
				   nacre_error *error);
/* dst = src, converted; the shapes must be equal. */
nacre_status nacre_tensor_copy(nacre_tensor *dst, const nacre_tensor *src, nacre_error *error);

nacre_dtype nacre_tensor_dtype(const nacre_tensor *tensor);
int nacre_tensor_rank(const nacre_tensor *tensor);
const int64_t *nacre_tensor_shape(const nacre_tensor *tensor);   /* borrowed, rank entries */
const int64_t *nacre_tensor_strides(const nacre_tensor *tensor); /* borrowed, in elements */
int64_t nacre_tensor_size(const nacre_tensor *tensor);           /* number of elements */
bool nacre_tensor_contiguous(const nacre_tensor *tensor);
void *nacre_tensor_data(const nacre_tensor *tensor); /* the first element; may be read-only */

/* One element as a double, by its index in row-major order; 0 when out of range. */
double nacre_tensor_get(const nacre_tensor *tensor, int64_t index);
void nacre_tensor_set(nacre_tensor *tensor, int64_t index, double value);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
