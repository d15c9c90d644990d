/* SPDX-License-Identifier: MIT
 *
 * view.c - views: other shapes and strides over the same storage.
 */
#include <string.h>

#include "tensor/tensor.h"

/* The same view once more, for the caller to change. */
static nacre_tensor *again(const nacre_tensor *t, nacre_error *e)
{
	nacre_tensor *view = nc_alloc(&t->runtime->memory, sizeof *view);
	if (!view) {
		nc_no_memory(e, sizeof *view);
		return NULL;
	}
	*view = *t;
	nc_storage_keep(t->storage);
	return view;
}

/* The number of places of start:stop:step on an axis of n; -1: there is no such slice. */
static int64_t slice_size(int64_t n, int64_t start, int64_t stop, int64_t step)
{
	if (step > 0 && 0 <= start && start <= stop && stop <= n)
		return (stop - start) / step + ((stop - start) % step != 0);
	if (step < 0 && -1 <= stop && stop <= start && start < n) {
		uint64_t by = 0 - (uint64_t)step, span = (uint64_t)(start - stop);
		return (int64_t)(span / by + (span % by != 0));
	}
	return -1;
}

nacre_tensor *nacre_tensor_slice(const nacre_tensor *tensor, int axis, int64_t start, int64_t stop,
				 int64_t step, nacre_error *error)
{
	char text[128];
	if (!tensor)
		return NULL;
	int a = axis < 0 ? axis + tensor->rank : axis;
	if (a < 0 || a >= tensor->rank) {
		nc_fail(error, NACRE_INVALID, "slice: no axis %d in %s", axis,
			nc_shape_text(text, tensor->rank, tensor->shape));
		return NULL;
	}
	int64_t n = slice_size(tensor->shape[a], start, stop, step);
	if (n < 0) {
		nc_fail(error, NACRE_INVALID,
			"slice: expected %s, got start %lld, stop %lld, step %lld on axis %d of %s",
			!step      ? "a step that is not 0"
			: step > 0 ? "0 <= start <= stop <= size"
				   : "-1 <= stop <= start < size for a negative step",
			(long long)start, (long long)stop, (long long)step, a,
			nc_shape_text(text, tensor->rank, tensor->shape));
		return NULL;
	}
	nacre_tensor *view = again(tensor, error);
	if (!view)
		return NULL;
	view->shape[a] = n;
	if (n > 1) /* then the step is smaller than the axis, and the product fits */
		view->stride[a] = tensor->stride[a] * step;
	if (nacre_tensor_size(view)) /* else start may lie past the end */
		view->data += start * tensor->stride[a] * (int64_t)nacre_dtype_size(tensor->dtype);
	return view;
}

nacre_tensor *nacre_tensor_transpose(const nacre_tensor *tensor, const int *order,
				     nacre_error *error)
{
	if (!tensor)
		return NULL;
	unsigned seen = 0;
	for (int i = 0; i < tensor->rank; i++) {
		if (!order || order[i] < 0 || order[i] >= tensor->rank || seen >> order[i] & 1) {
			nc_fail(error, NACRE_INVALID,
				"transpose: expected each axis of 0 to %d once, got %d at place %d",
				tensor->rank - 1, order ? order[i] : -1, i);
			return NULL;
		}
		seen |= 1u << order[i];
	}
	nacre_tensor *view = again(tensor, error);
	for (int i = 0; view && i < tensor->rank; i++) {
		view->shape[i] = tensor->shape[order[i]];
		view->stride[i] = tensor->stride[order[i]];
	}
	return view;
}

/* Replaces a size of -1 by what the others leave of n elements; false if there is no such shape. */
static bool infer(int rank, const int64_t *shape, int64_t n, int64_t *out)
{
	int unknown = -1;
	int64_t known = 1;
	for (int i = 0; i < rank; i++) {
		out[i] = shape[i];
		if (shape[i] == -1) {
			if (unknown >= 0)
				return false;
			unknown = i;
			out[i] = 1;
		}
	}
	if (!nc_shape_size(rank, out, &known))
		return false;
	if (unknown < 0)
		return known == n;
	if (!known || n % known)
		return false;
	out[unknown] = n / known;
	return nc_shape_size(rank, out, &known); /* n may be 0: do the strides still fit? */
}

nacre_tensor *nacre_tensor_reshape(const nacre_tensor *tensor, int rank, const int64_t *shape,
				   nacre_error *error)
{
	char from[128], to[128];
	if (!tensor)
		return NULL;
	if (rank < 0 || rank > NACRE_MAX_RANK || (rank && !shape)) {
		nc_fail(error, NACRE_INVALID, "reshape: expected a rank of 0 to %d, got %d%s",
			NACRE_MAX_RANK, rank, shape ? "" : " and no shape");
		return NULL;
	}
	if (!nacre_tensor_contiguous(tensor)) {
		nc_fail(error, NACRE_INVALID, "reshape: a view of %s that is not contiguous",
			nc_shape_text(from, tensor->rank, tensor->shape));
		return NULL;
	}
	int64_t sizes[NACRE_MAX_RANK];
	if (!infer(rank, shape, nacre_tensor_size(tensor), sizes)) {
		nc_fail(error, NACRE_INVALID, "reshape: %s cannot become %s",
			nc_shape_text(from, tensor->rank, tensor->shape),
			nc_shape_text(to, rank, shape));
		return NULL;
	}
	nacre_tensor *view = again(tensor, error);
	if (!view)
		return NULL;
	view->rank = rank;
	int64_t stride = 1;
	for (int i = rank - 1; i >= 0; i--) {
		view->shape[i] = sizes[i];
		view->stride[i] = stride;
		stride *= sizes[i] ? sizes[i] : 1;
	}
	return view;
}
