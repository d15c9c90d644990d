/* SPDX-License-Identifier: MIT
 *
 * copy.c - copies of tensors with any strides, converted on the way.
 */
#include <string.h>

#include "tensor/tensor.h"

enum { TILE = 256 }; /* elements that go through a buffer at a time */

/* y[i] = x[i * stride], elements of `size` bytes */
static void gather(void *y, const uint8_t *x, int64_t stride, int64_t n, size_t size)
{
	uint8_t *to = y;
	for (int64_t i = 0; i < n; i++)
		memcpy(to + (size_t)i * size, x + i * stride * (int64_t)size, size);
}

static void scatter(uint8_t *y, int64_t stride, const void *x, int64_t n, size_t size)
{
	const uint8_t *from = x;
	for (int64_t i = 0; i < n; i++)
		memcpy(y + i * stride * (int64_t)size, from + (size_t)i * size, size);
}

/* one row: n elements, each side with its own stride */
static void copy_row(nacre_dtype to, uint8_t *y, int64_t y_stride, nacre_dtype from,
		     const uint8_t *x, int64_t x_stride, int64_t n)
{
	_Alignas(NC_ALIGN) uint8_t read[TILE * 8], written[TILE * 8];
	int64_t y_size = (int64_t)nacre_dtype_size(to), x_size = (int64_t)nacre_dtype_size(from);
	if (x_stride == 1 && y_stride == 1) {
		nc_convert(to, y, from, x, n);
		return;
	}
	for (int64_t i = 0; i < n; i += TILE) {
		int64_t part = nc_min(TILE, n - i);
		const void *in = x + i * x_size;
		if (x_stride != 1) {
			gather(read, x + i * x_stride * x_size, x_stride, part, (size_t)x_size);
			in = read;
		}
		if (y_stride == 1) {
			nc_convert(to, y + i * y_size, from, in, part);
		} else {
			nc_convert(to, written, from, in, part);
			scatter(y + i * y_stride * y_size, y_stride, written, part, (size_t)y_size);
		}
	}
}

/* Axes that lie behind one another on both sides, as one; sizes of 1 are left out. */
static int merge_axes(const nacre_tensor *dst, const nacre_tensor *src, int64_t *shape, int64_t *y,
		      int64_t *x)
{
	int n = 0;
	for (int i = 0; i < dst->rank; i++) {
		int64_t size = dst->shape[i];
		if (size == 1)
			continue;
		if (n && y[n - 1] == dst->stride[i] * size && x[n - 1] == src->stride[i] * size) {
			shape[n - 1] *= size;
		} else {
			shape[n] = size;
			n++;
		}
		y[n - 1] = dst->stride[i];
		x[n - 1] = src->stride[i];
	}
	if (!n) {
		shape[0] = 1;
		x[0] = y[0] = 1;
		n = 1;
	}
	return n;
}

/* dst and src have one shape and no memory in common */
static void copy_apart(nacre_tensor *dst, const nacre_tensor *src)
{
	if (!nacre_tensor_size(dst))
		return;
	int64_t shape[NACRE_MAX_RANK], y[NACRE_MAX_RANK], x[NACRE_MAX_RANK];
	int64_t index[NACRE_MAX_RANK] = {0};
	int rank = merge_axes(dst, src, shape, y, x);
	int64_t y_size = (int64_t)nacre_dtype_size(dst->dtype);
	int64_t x_size = (int64_t)nacre_dtype_size(src->dtype);
	for (;;) {
		int64_t to = 0, from = 0;
		for (int i = 0; i < rank - 1; i++) {
			to += index[i] * y[i];
			from += index[i] * x[i];
		}
		copy_row(dst->dtype, dst->data + to * y_size, y[rank - 1], src->dtype,
			 src->data + from * x_size, x[rank - 1], shape[rank - 1]);
		int axis = rank - 2;
		while (axis >= 0 && ++index[axis] == shape[axis])
			index[axis--] = 0;
		if (axis < 0)
			return;
	}
}

/* The bytes [begin, end) that the elements of a tensor lie in. */
static void extent(const nacre_tensor *t, uintptr_t *begin, uintptr_t *end)
{
	int64_t low = 0, high = 1, size = (int64_t)nacre_dtype_size(t->dtype);
	for (int i = 0; i < t->rank; i++) {
		int64_t span = (t->shape[i] - 1) * t->stride[i];
		low += nc_min(span, 0);
		high += nc_max(span, 0);
	}
	*begin = (uintptr_t)t->data + (uintptr_t)(low * size);
	*end = (uintptr_t)t->data + (uintptr_t)(high * size);
}

static bool overlap(const nacre_tensor *a, const nacre_tensor *b)
{
	uintptr_t a_begin, a_end, b_begin, b_end;
	if (!nacre_tensor_size(a))
		return false;
	extent(a, &a_begin, &a_end);
	extent(b, &b_begin, &b_end);
	return a_begin < b_end && b_begin < a_end;
}

nacre_tensor *nacre_tensor_convert(const nacre_tensor *tensor, nacre_dtype dtype,
				   nacre_error *error)
{
	if (!tensor)
		return NULL;
	nacre_tensor *t =
	    nacre_tensor_new(tensor->runtime, dtype, tensor->rank, tensor->shape, error);
	if (t)
		copy_apart(t, tensor);
	return t;
}

nacre_status nacre_tensor_copy(nacre_tensor *dst, const nacre_tensor *src, nacre_error *error)
{
	char to[128], from[128];
	if (!dst || !src)
		return nc_fail(error, NACRE_INVALID, "copy: a tensor is NULL");
	if (dst->rank != src->rank ||
	    memcmp(dst->shape, src->shape, (size_t)dst->rank * sizeof *dst->shape))
		return nc_fail(error, NACRE_INVALID, "copy: expected a tensor of shape %s, got %s",
			       nc_shape_text(to, dst->rank, dst->shape),
			       nc_shape_text(from, src->rank, src->shape));
	if (!overlap(dst, src)) {
		copy_apart(dst, src);
		return NACRE_OK;
	}
	nacre_error e = {0};
	nacre_tensor *apart = nacre_tensor_convert(src, dst->dtype, &e);
	if (!apart)
		return nc_fail(error, e.status, "copy: %s", e.text);
	copy_apart(dst, apart);
	nacre_tensor_free(apart);
	return NACRE_OK;
}
