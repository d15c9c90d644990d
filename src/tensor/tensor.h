/* SPDX-License-Identifier: MIT
 *
 * tensor.h - the inside of nacre_tensor, and conversions between data types.
 */
#ifndef NC_TENSOR_H
#define NC_TENSOR_H

#include "base/base.h"
#include "base/runtime.h"
#include "nacre/tensor.h"

/* Counted memory: of ours, a mapped file, or the caller's. */
typedef struct nc_storage {
	atomic_int count;
	nc_memory *memory; /* the struct's own memory, and `data`'s if release is NULL and owned */
	void *data;
	size_t size;
	bool owned;
	void (*release)(void *context, void *data);
	void *context;
} nc_storage;

nc_storage *nc_storage_new(nc_memory *m, size_t size, nacre_error *e); /* zeroed */
nc_storage *nc_storage_wrap(nc_memory *m, void *data, size_t size,
			    void (*release)(void *, void *), void *context, nacre_error *e);
void nc_storage_keep(nc_storage *s);
void nc_storage_drop(nc_storage *s); /* s may be NULL */

struct nacre_tensor {
	nacre_runtime *runtime;
	nc_storage *storage;
	uint8_t *data; /* the first element, inside the storage */
	nacre_dtype dtype;
	int rank;
	int64_t shape[NACRE_MAX_RANK], stride[NACRE_MAX_RANK]; /* strides in elements */
};

/* A view into a storage (which it keeps), row-major, at `offset` bytes.  NACRE_BAD_DATA if it does
 * not fit into the storage or its place is not a multiple of the element size (then copy). */
nacre_tensor *nc_tensor_view(nacre_runtime *rt, nc_storage *s, size_t offset, nacre_dtype dtype,
			     int rank, const int64_t *shape, nacre_error *e);

bool nc_dtype_is_float(nacre_dtype d);
bool nc_dtype_valid(nacre_dtype d);

/* n contiguous elements; the rules of nacre_tensor_convert.  src and dst do not overlap. */
void nc_convert(nacre_dtype to, void *dst, nacre_dtype from, const void *src, int64_t n);
double nc_element(nacre_dtype d, const void *data, int64_t i);
void nc_element_set(nacre_dtype d, void *data, int64_t i, double value);

static inline float nc_f16_to_f32(uint16_t h);
uint16_t nc_f32_to_f16(float f);
uint16_t nc_f32_to_bf16(float f);

static inline float nc_f16_to_f32(uint16_t h)
{
	/* The exponent is rebased.  A denormal then lacks the leading 1 that f32 adds by itself: it
	 * is put in and subtracted again, in a way that flushing denormals does not disturb. */
	union {
		uint32_t u;
		float f;
	} o = {((uint32_t)(h & 0x7fff) << 13) + (112u << 23)}, one = {113u << 23};
	if (!(h & 0x7c00)) {
		o.u += 1u << 23;
		o.f -= one.f;
	} else if ((h & 0x7c00) == 0x7c00) {
		o.u += 112u << 23;
	}
	o.u |= (uint32_t)(h & 0x8000) << 16;
	return o.f;
}

#endif
