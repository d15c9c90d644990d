/* SPDX-License-Identifier: MIT
 *
 * tensor.c - storage, tensors and what can be asked of them.  Views: view.c, copies: copy.c.
 */
#include <string.h>

#include "tensor/tensor.h"

/* -- storage ------------------------------------------------------------------------------------*/
nc_storage *nc_storage_wrap(nc_memory *m, void *data, size_t size, void (*release)(void *, void *),
			    void *context, nacre_error *e)
{
	nc_storage *s = nc_zero_alloc(m, sizeof *s);
	if (!s) {
		nc_no_memory(e, sizeof *s);
		return NULL;
	}
	s->count = 1;
	s->memory = m;
	s->data = data;
	s->size = size;
	s->release = release;
	s->context = context;
	return s;
}

nc_storage *nc_storage_new(nc_memory *m, size_t size, nacre_error *e)
{
	void *data = nc_zero_alloc(m, size);
	if (!data) {
		nc_no_memory(e, size);
		return NULL;
	}
	nc_storage *s = nc_storage_wrap(m, data, size, NULL, NULL, e);
	if (s)
		s->owned = true;
	else
		nc_free(m, data, size);
	return s;
}

void nc_storage_keep(nc_storage *s)
{
	atomic_fetch_add_explicit(&s->count, 1, memory_order_relaxed);
}

void nc_storage_drop(nc_storage *s)
{
	if (!s || atomic_fetch_sub_explicit(&s->count, 1, memory_order_acq_rel) != 1)
		return;
	if (s->release)
		s->release(s->context, s->data);
	else if (s->owned)
		nc_free(s->memory, s->data, s->size);
	nc_free(s->memory, s, sizeof *s);
}

/* -- making tensors -----------------------------------------------------------------------------*/
/* Checks what a caller gave and finds the size in bytes. */
static nacre_status check_shape(const char *what, nacre_dtype dtype, int rank, const int64_t *shape,
				size_t *bytes, nacre_error *e)
{
	char text[128];
	int64_t n, size;
	if (!nc_dtype_valid(dtype))
		return nc_fail(e, NACRE_INVALID, "%s: no data type has the number %d", what,
			       (int)dtype);
	if (rank < 0 || rank > NACRE_MAX_RANK)
		return nc_fail(e, NACRE_INVALID, "%s: expected a rank of 0 to %d, got %d", what,
			       NACRE_MAX_RANK, rank);
	if (rank && !shape)
		return nc_fail(e, NACRE_INVALID, "%s: shape is NULL", what);
	for (int i = 0; i < rank; i++)
		if (shape[i] < 0)
			return nc_fail(e, NACRE_INVALID, "%s: expected sizes of 0 and more, got %s",
				       what, nc_shape_text(text, rank, shape));
	if (!nc_shape_size(rank, shape, &n) ||
	    !nc_mul_i64(n, (int64_t)nacre_dtype_size(dtype), &size) || (uint64_t)size > SIZE_MAX)
		return nc_fail(e, NACRE_INVALID, "%s: too large: %s of %s", what,
			       nc_shape_text(text, rank, shape), nacre_dtype_name(dtype));
	*bytes = (size_t)size;
	return NACRE_OK;
}

static void set_row_major(nacre_tensor *t, int rank, const int64_t *shape)
{
	t->rank = rank;
	int64_t stride = 1;
	for (int i = rank - 1; i >= 0; i--) {
		t->shape[i] = shape[i];
		t->stride[i] = stride;
		stride *= shape[i] ? shape[i] : 1;
	}
}

/* Takes over one count of s; drops it on failure. */
static nacre_tensor *take(nacre_runtime *rt, nc_storage *s, size_t offset, nacre_dtype dtype,
			  int rank, const int64_t *shape, nacre_error *e)
{
	if (!s)
		return NULL;
	nacre_tensor *t = nc_zero_alloc(&rt->memory, sizeof *t);
	if (!t) {
		nc_no_memory(e, sizeof *t);
		nc_storage_drop(s);
		return NULL;
	}
	t->runtime = rt;
	t->storage = s;
	t->data = offset ? (uint8_t *)s->data + offset : s->data;
	t->dtype = dtype;
	set_row_major(t, rank, shape);
	return t;
}

nacre_tensor *nc_tensor_view(nacre_runtime *rt, nc_storage *s, size_t offset, nacre_dtype dtype,
			     int rank, const int64_t *shape, nacre_error *e)
{
	char text[128];
	size_t bytes, end;
	if (!s || check_shape("view", dtype, rank, shape, &bytes, e))
		return NULL;
	if (!nc_add(offset, bytes, &end) || end > s->size) {
		nc_fail(e, NACRE_BAD_DATA, "%s of %s at %zu does not fit into %zu bytes",
			nc_shape_text(text, rank, shape), nacre_dtype_name(dtype), offset, s->size);
		return NULL;
	}
	if (((uintptr_t)s->data + offset) % nacre_dtype_size(dtype)) {
		nc_fail(e, NACRE_BAD_DATA, "%s of %s at %zu is not aligned to %zu bytes",
			nc_shape_text(text, rank, shape), nacre_dtype_name(dtype), offset,
			nacre_dtype_size(dtype));
		return NULL;
	}
	nc_storage_keep(s);
	return take(rt, s, offset, dtype, rank, shape, e);
}

static nacre_runtime *check_runtime(const char *what, nacre_runtime *runtime, nacre_error *e)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		nc_fail(e, NACRE_FAILED, "%s: there is no default runtime", what);
	return rt;
}

nacre_tensor *nacre_tensor_new(nacre_runtime *runtime, nacre_dtype dtype, int rank,
			       const int64_t *shape, nacre_error *error)
{
	size_t bytes;
	nacre_runtime *rt = check_runtime("tensor", runtime, error);
	if (!rt || check_shape("tensor", dtype, rank, shape, &bytes, error))
		return NULL;
	return take(rt, nc_storage_new(&rt->memory, bytes, error), 0, dtype, rank, shape, error);
}

nacre_tensor *nacre_tensor_wrap(nacre_runtime *runtime, nacre_dtype dtype, int rank,
				const int64_t *shape, void *data,
				void (*release)(void *context, void *data), void *context,
				nacre_error *error)
{
	size_t bytes;
	nacre_runtime *rt = check_runtime("wrap", runtime, error);
	if (!rt || check_shape("wrap", dtype, rank, shape, &bytes, error))
		return NULL;
	if (bytes && !data) {
		nc_fail(error, NACRE_INVALID, "wrap: data is NULL");
		return NULL;
	}
	if ((uintptr_t)data % nacre_dtype_size(dtype)) {
		nc_fail(error, NACRE_INVALID, "wrap: data of %s must be aligned to %zu bytes",
			nacre_dtype_name(dtype), nacre_dtype_size(dtype));
		return NULL;
	}
	/* the release comes last: until then a failure must not call it */
	nc_storage *s = nc_storage_wrap(&rt->memory, data, bytes, NULL, context, error);
	nacre_tensor *t = take(rt, s, 0, dtype, rank, shape, error);
	if (t)
		s->release = release;
	return t;
}

void nacre_tensor_free(nacre_tensor *tensor)
{
	if (!tensor)
		return;
	nc_storage_drop(tensor->storage);
	nc_free(&tensor->runtime->memory, tensor, sizeof *tensor);
}

/* -- asking -------------------------------------------------------------------------------------*/
nacre_dtype nacre_tensor_dtype(const nacre_tensor *tensor)
{
	return tensor ? tensor->dtype : NACRE_F32;
}

int nacre_tensor_rank(const nacre_tensor *tensor)
{
	return tensor ? tensor->rank : 0;
}

const int64_t *nacre_tensor_shape(const nacre_tensor *tensor)
{
	return tensor ? tensor->shape : NULL;
}

const int64_t *nacre_tensor_strides(const nacre_tensor *tensor)
{
	return tensor ? tensor->stride : NULL;
}

int64_t nacre_tensor_size(const nacre_tensor *tensor)
{
	int64_t n = 0; /* a tensor's size does not overflow */
	if (tensor && !nc_shape_size(tensor->rank, tensor->shape, &n))
		n = 0;
	return n;
}

bool nacre_tensor_contiguous(const nacre_tensor *tensor)
{
	if (!tensor || !nacre_tensor_size(tensor))
		return true;
	int64_t stride = 1;
	for (int i = tensor->rank - 1; i >= 0; i--) {
		if (tensor->shape[i] != 1 && tensor->stride[i] != stride)
			return false;
		stride *= tensor->shape[i];
	}
	return true;
}

void *nacre_tensor_data(const nacre_tensor *tensor)
{
	return tensor ? tensor->data : NULL;
}

/* Where element `index` lies, in elements from the first; false: out of range. */
static bool place(const nacre_tensor *t, int64_t index, int64_t *at)
{
	if (index < 0 || index >= nacre_tensor_size(t))
		return false;
	*at = 0;
	for (int i = t->rank - 1; i >= 0; i--) {
		*at += index % t->shape[i] * t->stride[i];
		index /= t->shape[i];
	}
	return true;
}

double nacre_tensor_get(const nacre_tensor *tensor, int64_t index)
{
	int64_t at;
	return place(tensor, index, &at) ? nc_element(tensor->dtype, tensor->data, at) : 0;
}

void nacre_tensor_set(nacre_tensor *tensor, int64_t index, double value)
{
	int64_t at;
	if (place(tensor, index, &at))
		nc_element_set(tensor->dtype, tensor->data, at, value);
}
