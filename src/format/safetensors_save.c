/* SPDX-License-Identifier: MIT
 *
 * safetensors_save.c - writing: the header's text, then the tensors.
 *
 * Tensors lie by (element size descending, name), so that every one is aligned to its elements when
 * the header's length is a multiple of 8, which spaces at its end see to.
 */
#include <string.h>

#include "format/load.h"
#include "format/safetensors.h"

static const char *const dtype_names[NACRE_DTYPES] = {
#define X(NAME, name, bytes, kind, safetensors, numpy) [NACRE_##NAME] = safetensors,
    NACRE_DTYPE_LIST(X)
#undef X
};

static int by_size_and_name(const void *a, const void *b)
{
	const nacre_named_tensor *x = a, *y = b;
	size_t m = nacre_dtype_size(x->tensor->dtype), n = nacre_dtype_size(y->tensor->dtype);
	return m != n ? (m > n ? -1 : 1) : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const nacre_named_tensor *)a)->name, ((const nacre_named_tensor *)b)->name);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const nacre_metadata *)a)->key, ((const nacre_metadata *)b)->key);
}

static void add_string(nc_text *out, const char *s)
{
	nc_text_add(out, "\"");
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			nc_text_add(out, "\\%c", c);
		else if (c < 0x20)
			nc_text_add(out, "\\u%04x", c);
		else
			nc_text_add(out, "%c", c);
	}
	nc_text_add(out, "\"");
}

static nacre_status check_string(const char *s, const char *what, int64_t i, nacre_error *e)
{
	if (!s)
		return nc_fail(e, NACRE_INVALID, "safetensors_save: the %s %lld is NULL", what,
			       (long long)i);
	if (!nc_utf8_valid(s, strlen(s)))
		return nc_fail(e, NACRE_INVALID, "safetensors_save: the %s %lld is not UTF-8", what,
			       (long long)i);
	return NACRE_OK;
}

static nacre_status twice(const char *what, const char *name, nacre_error *e)
{
	return nc_fail(e, NACRE_INVALID, "safetensors_save: the %s %s occurs twice", what,
		       nc_quote(name, strlen(name)).text);
}

static nacre_status order_tensors(int64_t n, const nacre_named_tensor *tensors,
				  const nacre_named_tensor **order, nacre_error *e)
{
	for (int64_t i = 0; i < n; i++) {
		const nacre_named_tensor *t = order[i] = &tensors[i];
		nacre_status s = check_string(t->name, "name of tensor", i, e);
		if (s)
			return s;
		if (!strcmp(t->name, "__metadata__"))
			return nc_fail(e, NACRE_INVALID,
				       "safetensors_save: \"__metadata__\" is no name of a tensor");
		if (!t->tensor)
			return nc_fail(e, NACRE_INVALID, "safetensors_save: the tensor %s is NULL",
				       nc_quote(t->name, strlen(t->name)).text);
	}
	void **p = (void **)(uintptr_t)order;
	nc_sort(p, (size_t)n, by_name);
	for (int64_t i = 1; i < n; i++)
		if (!by_name(order[i - 1], order[i]))
			return twice("name", order[i]->name, e);
	nc_sort(p, (size_t)n, by_size_and_name);
	return NACRE_OK;
}

static nacre_status order_metadata(int64_t n, const nacre_metadata *metadata,
				   const nacre_metadata **order, nacre_error *e)
{
	for (int64_t i = 0; i < n; i++) {
		order[i] = &metadata[i];
		nacre_status s = check_string(metadata[i].key, "key of metadata", i, e);
		s = s ? s : check_string(metadata[i].value, "value of metadata", i, e);
		if (s)
			return s;
	}
	nc_sort((void **)(uintptr_t)order, (size_t)n, by_key);
	for (int64_t i = 1; i < n; i++)
		if (!by_key(order[i - 1], order[i]))
			return twice("metadata key", order[i]->key, e);
	return NACRE_OK;
}

static size_t tensor_bytes(const nacre_tensor *t)
{
	return (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype);
}

static void add_metadata(nc_text *out, int64_t n, const nacre_metadata **sorted)
{
	if (!n)
		return;
	nc_text_add(out, "\"__metadata__\":{");
	for (int64_t i = 0; i < n; i++) {
		nc_text_add(out, i ? "," : "");
		add_string(out, sorted[i]->key);
		nc_text_add(out, ":");
		add_string(out, sorted[i]->value);
	}
	nc_text_add(out, "}");
}

nacre_status nc_safetensors_header(int64_t n, const nacre_named_tensor *tensors,
				   const nacre_named_tensor **order, int64_t n_metadata,
				   const nacre_metadata *metadata, const nacre_metadata **sorted,
				   nc_text *out, nacre_error *e)
{
	nacre_status s = order_tensors(n, tensors, order, e);
	s = s ? s : order_metadata(n_metadata, metadata, sorted, e);
	if (s)
		return s;
	nc_text_add(out, "LENGTH  {"); /* 8 bytes for N */
	add_metadata(out, n_metadata, sorted);
	size_t at = 0;
	for (int64_t i = 0; i < n; i++) {
		const nacre_tensor *t = order[i]->tensor;
		nc_text_add(out, i || n_metadata ? "," : "");
		add_string(out, order[i]->name);
		nc_text_add(out, ":{\"dtype\":\"%s\",\"shape\":[", dtype_names[t->dtype]);
		for (int d = 0; d < t->rank; d++)
			nc_text_add(out, d ? ",%lld" : "%lld", (long long)t->shape[d]);
		size_t end;
		if (!nc_add(at, tensor_bytes(t), &end))
			return nc_fail(e, NACRE_INVALID, "safetensors_save: the sizes overflow");
		nc_text_add(out, "],\"data_offsets\":[%zu,%zu]}", at, end);
		at = end;
	}
	nc_text_add(out, "}");
	nc_text_add(out, "%*s", (int)(nc_round_up(out->size, 8) - out->size), "");
	if (out->failed)
		return nc_no_memory(e, out->size);
	uint64_t length = out->size - 8;
	if (length > NC_SAFETENSORS_HEADER_LIMIT)
		return nc_fail(e, NACRE_INVALID,
			       "safetensors_save: a header of %zu bytes, at most %d", out->size - 8,
			       NC_SAFETENSORS_HEADER_LIMIT);
	for (int i = 0; i < 8; i++)
		out->data[i] = (char)(length >> 8 * i);
	return NACRE_OK;
}

static nacre_status write_tensor(nc_writer *w, const nacre_tensor *t, nacre_error *e)
{
	if (nacre_tensor_contiguous(t))
		return nc_writer_write(w, t->data, tensor_bytes(t));
	nacre_tensor *copy = nacre_tensor_convert(t, t->dtype, e);
	if (!copy)
		return e->status;
	nacre_status s = nc_writer_write(w, copy->data, tensor_bytes(copy));
	nacre_tensor_free(copy);
	return s;
}

static nacre_status write_file(const char *path, const nc_text *header, int64_t n,
			       const nacre_named_tensor **order, nacre_error *e)
{
	nc_writer w;
	nacre_status s = nc_writer_open(&w, path, e);
	if (s)
		return s;
	s = nc_writer_write(&w, header->data, header->size);
	for (int64_t i = 0; i < n && !s; i++)
		s = write_tensor(&w, order[i]->tensor, e);
	if (s) {
		nc_writer_abandon(&w);
		return s;
	}
	return nc_writer_finish(&w);
}

nacre_status nacre_safetensors_save(const char *path, int64_t n, const nacre_named_tensor *tensors,
				    int64_t n_metadata, const nacre_metadata *metadata,
				    nacre_error *error)
{
	if (!path || n < 0 || (n && !tensors) || n_metadata < 0 || (n_metadata && !metadata))
		return nc_fail(error, NACRE_INVALID,
			       "safetensors_save: a path, tensors and metadata are needed");
	nacre_runtime *rt = nc_runtime(n && tensors[0].tensor ? tensors[0].tensor->runtime : NULL);
	if (!rt)
		return nc_fail(error, NACRE_INVALID, "there is no default runtime");
	nc_memory *m = nc_runtime_memory(rt);
	nacre_error own = {0};
	size_t slots, bytes;
	if (!nc_add((size_t)n, (size_t)n_metadata, &slots) ||
	    !nc_mul(slots, sizeof(void *), &bytes))
		return nc_fail(error, NACRE_INVALID, "safetensors_save: too many tensors");
	const void **order = nc_alloc(m, bytes);
	if (!order)
		return nc_no_memory(error, bytes);
	const nacre_named_tensor **sorted = (const nacre_named_tensor **)order;
	nc_text header;
	nc_text_init(&header, m);
	nacre_status s = nc_safetensors_header(n, tensors, sorted, n_metadata, metadata,
					       (const nacre_metadata **)(order + n), &header, &own);
	if (!s)
		s = write_file(path, &header, n, sorted, &own);
	nc_text_free(&header);
	nc_free(m, order, bytes);
	return s ? nc_fail(error, s, "%s", own.text) : NACRE_OK;
}
