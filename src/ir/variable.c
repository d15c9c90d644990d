/* SPDX-License-Identifier: MIT
 *
 * variable.c - numbers that stay from run to run, and their two layouts.
 *
 * Logical: row-major.  Panels of width nr, of the matrix [k, n] (n the last axis, k all others):
 * [ceil(n/nr)][k][nr], columns past n zero.
 */
#include <string.h>

#include "base/transfer.h"
#include "ir/ir.h"

static int64_t columns(const nacre_variable *v)
{
	return v->rank ? v->shape[v->rank - 1] : 1;
}

static int64_t rows(const nacre_variable *v)
{
	int64_t k = 1;
	for (int i = 0; i + 1 < v->rank; i++)
		k *= v->shape[i];
	return k;
}

bool nc_variable_bytes(const nacre_variable *v, int panel, size_t *out)
{
	int64_t shape[NACRE_MAX_RANK] = {0}, size;
	memcpy(shape, v->shape, (size_t)v->rank * sizeof(*shape));
	if (panel > 0 && v->rank) {
		int64_t n = shape[v->rank - 1];
		if (n > INT64_MAX - panel)
			return false;
		shape[v->rank - 1] = (n + panel - 1) / panel * panel;
	} else if (panel > 0) {
		*out = (size_t)panel * nacre_dtype_size(v->dtype);
		return true;
	}
	return nc_shape_size(v->rank, shape, &size) &&
	       nc_mul((size_t)size, nacre_dtype_size(v->dtype), out);
}

/* between row-major and panels; to_panels says which way */
static void convert(const nacre_variable *v, int panel, uint8_t *plain, uint8_t *panels,
		    bool to_panels)
{
	size_t unit = nacre_dtype_size(v->dtype);
	int64_t n = columns(v), k = rows(v);
	for (int64_t j = 0; j < n; j += panel) {
		size_t run = (size_t)nc_min(panel, n - j) * unit;
		for (int64_t i = 0; i < k; i++) {
			uint8_t *p = plain + (size_t)(i * n + j) * unit;
			uint8_t *q = panels + (size_t)(j * k + i * panel) * unit;
			memcpy(to_panels ? q : p, to_panels ? p : q, run);
		}
	}
}

static void to_plain(const nacre_variable *v, void *plain)
{
	if (v->panel)
		convert(v, v->panel, plain, v->data, false);
	else if (v->size)
		memcpy(plain, v->data, v->size);
}

static void from_plain(nacre_variable *v, void *plain)
{
	if (v->panel)
		convert(v, v->panel, plain, v->data, true);
	else if (v->size)
		memcpy(v->data, plain, v->size);
}

static void changed(nacre_variable *v)
{
	v->written = true;
	v->version++;
}

static nacre_status check(nacre_dtype dtype, int rank, const int64_t *shape, const char *name,
			  nacre_error *e)
{
	char text[128];
	int64_t size;
	size_t bytes;
	if (!nc_dtype_valid(dtype))
		return nc_fail(e, NACRE_INVALID, "variable \"%s\": %d is no data type", name,
			       (int)dtype);
	if (rank < 0 || rank > NACRE_MAX_RANK || (rank && !shape))
		return nc_fail(e, NACRE_INVALID,
			       "variable \"%s\": a rank of 0 to %d expected, got %d%s", name,
			       NACRE_MAX_RANK, rank, rank && !shape ? " without a shape" : "");
	if (!nc_shape_size(rank, shape, &size) ||
	    !nc_mul((size_t)size, nacre_dtype_size(dtype), &bytes))
		return nc_fail(e, NACRE_INVALID, "variable \"%s\": impossible shape %s", name,
			       nc_shape_text(text, rank, shape));
	return NACRE_OK;
}

nacre_variable *nacre_variable_new(nacre_runtime *runtime, const char *name, nacre_dtype dtype,
				   int rank, const int64_t *shape, const nacre_tensor *value,
				   nacre_error *error)
{
	nacre_error local = {0}, *e = error ? error : &local;
	name = name ? name : "variable";
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt) {
		nc_no_memory(e, sizeof(nacre_variable));
		return NULL;
	}
	if (check(dtype, rank, shape, name, e))
		return NULL;
	nc_memory *m = nc_runtime_memory(rt);
	nacre_variable *v = nc_zero_alloc(m, sizeof(*v));
	if (!v) {
		nc_no_memory(e, sizeof(*v));
		return NULL;
	}
	v->runtime = rt;
	v->dtype = dtype;
	v->version = 1;
	v->rank = rank;
	if (rank)
		memcpy(v->shape, shape, (size_t)rank * sizeof(*shape));
	nc_variable_bytes(v, 0, &v->size);
	v->name_size = strlen(name) + 1;
	v->name = nc_alloc(m, v->name_size);
	v->data = nc_zero_alloc(m, v->size);
	if (!v->name || !v->data) {
		nc_no_memory(e, v->size + v->name_size);
		nacre_variable_free(v);
		return NULL;
	}
	memcpy(v->name, name, v->name_size);
	if (value && nacre_variable_write(v, value, e)) {
		nacre_variable_free(v);
		return NULL;
	}
	return v;
}

void nacre_variable_free(nacre_variable *v)
{
	if (!v)
		return;
	nc_memory *m = nc_runtime_memory(v->runtime);
	nc_free(m, v->name, v->name_size);
	nc_free(m, v->data, v->size);
	nc_free(m, v, sizeof(*v));
}

const char *nacre_variable_name(const nacre_variable *v)
{
	return v ? v->name : "";
}

nacre_dtype nacre_variable_dtype(const nacre_variable *v)
{
	return v ? v->dtype : NACRE_F32;
}

int nacre_variable_rank(const nacre_variable *v)
{
	return v ? v->rank : 0;
}

const int64_t *nacre_variable_shape(const nacre_variable *v)
{
	return v ? v->shape : NULL;
}

nacre_tensor *nacre_variable_read(const nacre_variable *v, nacre_error *error)
{
	if (!v) {
		nc_fail(error, NACRE_INVALID, "variable: NULL cannot be read");
		return NULL;
	}
	nacre_tensor *t = nacre_tensor_new(v->runtime, v->dtype, v->rank, v->shape, error);
	if (t)
		to_plain(v, nacre_tensor_data(t));
	return t;
}

nacre_status nacre_variable_write(nacre_variable *v, const nacre_tensor *value, nacre_error *error)
{
	char want[128], got[128];
	if (!v || !value)
		return nc_fail(error, NACRE_INVALID, "variable: %s is NULL",
			       v ? "the value" : "it");
	bool fits = value->rank == v->rank;
	for (int i = 0; fits && i < v->rank; i++)
		fits = value->shape[i] == v->shape[i];
	if (!fits)
		return nc_fail(error, NACRE_INVALID, "variable \"%s\": shape %s expected, got %s",
			       v->name, nc_shape_text(want, v->rank, v->shape),
			       nc_shape_text(got, value->rank, value->shape));
	if (value->dtype == v->dtype && nacre_tensor_contiguous(value)) {
		from_plain(v, value->data);
		changed(v);
		return NACRE_OK;
	}
	nacre_error local = {0}, *e = error ? error : &local;
	nacre_tensor *plain = nacre_tensor_convert(value, v->dtype, e);
	if (!plain)
		return e->status;
	from_plain(v, plain->data);
	changed(v);
	nacre_tensor_free(plain);
	return NACRE_OK;
}

void nc_variable_set(nacre_variable *v, const void *plain, const nc_bytes *file, uint32_t *crc)
{
	size_t n = v->size;
	changed(v);
	if (!v->panel) {
		nc_transfer(v->runtime->pool, v->data, plain, n, file, crc);
		return;
	}
	nc_variable_bytes(v, 0, &n);
	if (crc)
		nc_transfer(v->runtime->pool, NULL, plain, n, NULL, crc);
	from_plain(v, (void *)(uintptr_t)plain); /* which is read alone */
	nc_file_forget(file, plain, n);
}

nacre_status nc_variable_relayout(nacre_variable *v, int panel, nacre_error *e)
{
	size_t size;
	if (panel == v->panel)
		return NACRE_OK;
	if (v->programs || panel < 0)
		return nc_fail(e, NACRE_INVALID,
			       "variable \"%s\": its layout cannot change: a program uses it",
			       v->name);
	if (!nc_variable_bytes(v, panel, &size))
		return nc_fail(e, NACRE_INVALID, "variable \"%s\": too large in panels of %d",
			       v->name, panel);
	nc_memory *m = nc_runtime_memory(v->runtime);
	size_t plain_size = v->size;
	if (v->panel)
		nc_variable_bytes(v, 0, &plain_size);
	void *plain = v->data, *data = nc_zero_alloc(m, size);
	if (v->panel && panel)
		plain = nc_alloc(m, plain_size);
	else if (v->panel)
		plain = data;
	if (!data || !plain) {
		if (v->panel && panel)
			nc_free(m, plain, plain_size);
		nc_free(m, data, size);
		return nc_no_memory(e, size);
	}
	if (v->panel)
		to_plain(v, plain);
	if (panel)
		convert(v, panel, plain, data, true);
	if (v->panel && panel)
		nc_free(m, plain, plain_size);
	nc_free(m, v->data, v->size);
	v->data = data;
	v->size = size;
	v->panel = panel;
	return NACRE_OK;
}
