/* SPDX-License-Identifier: MIT
 *
 * fuzz_safetensors.c - fuzz target: safetensors from memory.  If all types are Nacre's own, the
 * tensors and strings that were read are written and read again, and must be the same.
 */
#include <string.h>

#include "format/safetensors.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_ITEMS = 64 };

/* A file written from `d`, whose data begin at `data`. */
typedef struct rewritten {
	nacre_named_tensor tensor[FUZZ_ITEMS];
	const nacre_named_tensor *order[FUZZ_ITEMS];
	nacre_metadata metadata[FUZZ_ITEMS];
	const nacre_metadata *sorted[FUZZ_ITEMS];
	nc_text header;
} rewritten;

static bool can_rewrite(const nc_safetensors *d)
{
	if (d->tensors.n > FUZZ_ITEMS || d->metadata.n > FUZZ_ITEMS)
		return false;
	for (size_t i = 0; i < d->tensors.n; i++) {
		const nc_safetensors_entry *t = d->tensors.item[i];
		if (t->native < 0 || t->rank > NACRE_MAX_RANK)
			return false;
	}
	return true;
}

static void check_same(const nc_safetensors *a, const uint8_t *a_data, const nc_safetensors *b,
		       const uint8_t *b_data)
{
	FUZZ_CHECK(a->tensors.n == b->tensors.n && a->metadata.n == b->metadata.n);
	for (size_t i = 0; i < a->tensors.n; i++) {
		const nc_safetensors_entry *t = a->tensors.item[i];
		const nc_safetensors_entry *u =
		    nc_item_find(&b->tensors, t->name.data, t->name.size);
		FUZZ_CHECK(u && u->native == t->native && u->rank == t->rank);
		FUZZ_CHECK(!memcmp(u->shape, t->shape, (size_t)t->rank * sizeof *t->shape));
		FUZZ_CHECK(u->end - u->begin == t->end - t->begin);
		FUZZ_CHECK(!memcmp(a_data + t->begin, b_data + u->begin, t->end - t->begin));
	}
	for (size_t i = 0; i < a->metadata.n; i++) {
		const nc_safetensors_string *s = a->metadata.item[i];
		const nc_safetensors_string *u =
		    nc_item_find(&b->metadata, s->key.data, s->key.size);
		FUZZ_CHECK(u && !strcmp(u->value.data, s->value.data));
	}
}

static void write_safetensors_again(nacre_runtime *rt, const nc_safetensors *d, const uint8_t *data)
{
	nc_memory *m = nc_runtime_memory(rt);
	rewritten *w = nc_zero_alloc(m, sizeof *w);
	FUZZ_CHECK(w);
	nc_text_init(&w->header, m);
	for (size_t i = 0; i < d->tensors.n; i++) {
		const nc_safetensors_entry *t = d->tensors.item[i];
		nacre_tensor *copy =
		    nacre_tensor_new(rt, (nacre_dtype)t->native, t->rank, t->shape, NULL);
		FUZZ_CHECK(copy);
		memcpy(copy->data, data + t->begin, t->end - t->begin);
		w->tensor[i] = (nacre_named_tensor){t->name.data, copy};
	}
	for (size_t i = 0; i < d->metadata.n; i++) {
		const nc_safetensors_string *s = d->metadata.item[i];
		w->metadata[i] = (nacre_metadata){s->key.data, s->value.data};
	}
	nacre_error e = {0};
	nc_safetensors_header((int64_t)d->tensors.n, w->tensor, w->order, (int64_t)d->metadata.n,
			      w->metadata, w->sorted, &w->header, &e);
	FUZZ_CHECK(!e.status && w->header.size % 8 == 0);
	size_t size = w->header.size, at = size;
	for (size_t i = 0; i < d->tensors.n; i++)
		size += (size_t)nacre_tensor_size(w->tensor[i].tensor) *
			nacre_dtype_size(w->tensor[i].tensor->dtype);
	uint8_t *file = nc_alloc(m, size);
	FUZZ_CHECK(file);
	memcpy(file, w->header.data, at);
	for (size_t i = 0; i < d->tensors.n; i++) {
		const nacre_tensor *t = w->order[i]->tensor;
		size_t n = (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype);
		FUZZ_CHECK(!n || (at - w->header.size) % nacre_dtype_size(t->dtype) == 0);
		memcpy(file + at, t->data, n);
		at += n;
	}
	nc_safetensors again;
	FUZZ_CHECK(!nc_safetensors_parse(m, file, size, &again, &e));
	check_same(d, data, &again, file + again.data);
	nc_safetensors_clear(&again);
	nc_free(m, file, size);
	nc_text_free(&w->header);
	for (size_t i = 0; i < d->tensors.n; i++)
		nacre_tensor_free((nacre_tensor *)(uintptr_t)w->tensor[i].tensor);
	nc_free(m, w, sizeof *w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nc_safetensors d;
	nacre_error e = {0};
	nacre_status s = nc_safetensors_parse(nc_runtime_memory(rt), data, size, &d, &e);
	FUZZ_CHECK(s == e.status);
	if (!s && can_rewrite(&d))
		write_safetensors_again(rt, &d, data + d.data);
	if (!s)
		nc_safetensors_clear(&d);
	return fuzz_done(!s);
}
