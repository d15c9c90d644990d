/* SPDX-License-Identifier: MIT
 *
 * safetensors.c - reading: the checks on a file, and tensors as views of its mapping.
 *
 * The names in parentheses at the end of error texts are those of the errors of the original
 * implementation (safetensors/src/tensor.rs), whose rules these are; names that occur twice, which
 * it accepted for a long time, are refused.
 */
#include "format/safetensors.h"

#include <string.h>

#include "format/load.h"

/* X(name, bits): every type that a file may have; NACRE_DTYPE_LIST says which are ours */
#define DTYPES(X)                                                                                  \
	X("BOOL", 8)                                                                               \
	X("U8", 8) X("I8", 8) X("F8_E4M3", 8) X("F8_E5M2", 8) X("F8_E8M0", 8) X("F8_E4M3FNUZ", 8)  \
	    X("F8_E5M2FNUZ", 8) X("F4", 4) X("F6_E2M3", 6) X("F6_E3M2", 6) X("I16", 16)            \
		X("U16", 16) X("F16", 16) X("BF16", 16) X("I32", 32) X("U32", 32) X("F32", 32)     \
		    X("I64", 64) X("U64", 64) X("F64", 64) X("C64", 64)

static const struct {
	const char *name;
	int bits;
} dtypes[] = {
#define X(name, bits) {name, bits},
    DTYPES(X)
#undef X
};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

static int native_dtype(const char *name)
{
	static const char *const names[NACRE_DTYPES] = {
#define X(NAME, name, bytes, kind, safetensors, numpy) [NACRE_##NAME] = safetensors,
	    NACRE_DTYPE_LIST(X)
#undef X
	};
	for (int d = 0; d < NACRE_DTYPES; d++)
		if (!strcmp(names[d], name))
			return d;
	return -1;
}

/* -- lists of named items */
static int compare_names(const nc_json_string *a, const nc_json_string *b)
{
	int c = memcmp(a->data, b->data, a->size < b->size ? a->size : b->size);
	return c ? c : (a->size > b->size) - (a->size < b->size);
}

static int by_name(const void *a, const void *b) /* the name is an item's first member */
{
	return compare_names(a, b);
}

static int by_offset(const void *a, const void *b)
{
	const nc_safetensors_entry *x = a, *y = b;
	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return compare_names(&x->name, &y->name);
}

static nacre_status list_add(nc_memory *m, nc_item_list *list, void *item, nacre_error *e)
{
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		void **p = nc_realloc(m, list->item, list->room * sizeof *p, room * sizeof *p);
		if (!p)
			return nc_no_memory(e, room * sizeof *p);
		list->item = p;
		list->room = room;
	}
	list->item[list->n++] = item;
	return NACRE_OK;
}

/* Makes the index by name; a name that occurs twice is an error. */
static nacre_status list_index(nc_memory *m, nc_item_list *list, const char *what, nacre_error *e)
{
	if (!list->n)
		return NACRE_OK;
	list->by_name = nc_alloc(m, list->room * sizeof *list->by_name);
	if (!list->by_name)
		return nc_no_memory(e, list->room * sizeof *list->by_name);
	memcpy(list->by_name, list->item, list->n * sizeof *list->item);
	nc_sort(list->by_name, list->n, by_name);
	for (size_t i = 1; i < list->n; i++) {
		const nc_json_string *a = list->by_name[i - 1], *b = list->by_name[i];
		if (!compare_names(a, b))
			return nc_fail(
			    e, NACRE_BAD_DATA,
			    "safetensors header: %s %s occurs twice, at bytes %zu and %zu", what,
			    nc_quote(a->data, a->size).text, a->at < b->at ? a->at : b->at,
			    a->at < b->at ? b->at : a->at);
	}
	return NACRE_OK;
}

static void list_free(nc_memory *m, nc_item_list *list)
{
	nc_free(m, list->item, list->room * sizeof *list->item);
	nc_free(m, list->by_name, list->by_name ? list->room * sizeof *list->by_name : 0);
}

void *nc_item_find(const nc_item_list *list, const char *name, size_t size)
{
	const nc_json_string key = {.data = name, .size = size};
	for (size_t low = 0, high = list->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		int c = compare_names(list->by_name[middle], &key);
		if (!c)
			return list->by_name[middle];
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* -- the header */
static bool key_is(const nc_json_string *s, const char *text)
{
	return s->size == strlen(text) && !memcmp(s->data, text, s->size);
}

static bool no_memory(nc_json *j, size_t n)
{
	if (!j->failed)
		nc_no_memory(j->error, n);
	j->failed = true;
	return false;
}

static bool keep(nc_json *j, nc_memory *m, nc_item_list *list, void *item)
{
	if (!j->failed && list_add(m, list, item, j->error))
		j->failed = true;
	return !j->failed;
}

/* Tensor names and metadata are handed out as C strings. */
static bool check_name(nc_json *j, const nc_json_string *s)
{
	if (memchr(s->data, 0, s->size))
		return nc_json_fail(j, s->at, "a NUL inside a string");
	return true;
}

static bool read_dtype(nc_json *j, nc_safetensors_entry *t)
{
	nc_json_string s;
	if (!nc_json_text(j, &s))
		return false;
	for (int d = 0; d < N_DTYPES; d++)
		if (key_is(&s, dtypes[d].name)) {
			t->dtype = dtypes[d].name;
			t->bits = dtypes[d].bits;
			t->native = native_dtype(t->dtype);
			return true;
		}
	return nc_json_fail(j, s.at, "unknown dtype %s", nc_quote(s.data, s.size).text);
}

static bool read_shape(nc_json *j, nc_safetensors_entry *t)
{
	int64_t shape[NC_SAFETENSORS_RANK];
	uint64_t size;
	if (!nc_json_array(j))
		return false;
	t->rank = 0;
	while (nc_json_item(j)) {
		size_t at = j->at;
		if (t->rank == NC_SAFETENSORS_RANK)
			return nc_json_fail(j, at, "more than %d dimensions", NC_SAFETENSORS_RANK);
		if (!nc_json_u64(j, &size))
			return false;
		if (size > INT64_MAX)
			return nc_json_fail(j, at, "size %llu is 2^63 or more (ValidationOverflow)",
					    (unsigned long long)size);
		shape[t->rank++] = (int64_t)size;
	}
	if (j->failed)
		return false;
	size_t bytes = (size_t)t->rank * sizeof *shape;
	t->shape = nc_arena_copy(j->arena, shape, bytes ? bytes : sizeof *shape);
	return t->shape || no_memory(j, bytes);
}

static bool read_offsets(nc_json *j, nc_safetensors_entry *t)
{
	uint64_t offset[2];
	int n = 0;
	if (!nc_json_array(j))
		return false;
	while (nc_json_item(j)) {
		if (n == 2)
			return nc_json_fail(j, j->at, "data_offsets with more than two numbers");
		if (!nc_json_u64(j, &offset[n++]))
			return false;
	}
	if (n < 2)
		return nc_json_fail(j, j->at, "data_offsets with %d numbers, expected 2", n);
	t->begin = offset[0];
	t->end = offset[1];
	return !j->failed;
}

static bool read_tensor(nc_json *j, nc_safetensors_entry *t)
{
	static const struct {
		const char *key;
		bool (*read)(nc_json *, nc_safetensors_entry *);
	} fields[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
	unsigned seen = 0;
	nc_json_string key;
	if (!nc_json_object(j))
		return false;
	while (nc_json_member(j, &key)) {
		unsigned i = 0;
		while (i < 3 && !key_is(&key, fields[i].key))
			i++;
		if (i == 3)
			return nc_json_fail(j, key.at,
					    "unknown key %s, expected dtype, shape, data_offsets",
					    nc_quote(key.data, key.size).text);
		if (seen >> i & 1)
			return nc_json_fail(j, key.at, "key \"%s\" occurs twice", fields[i].key);
		seen |= 1u << i;
		if (!fields[i].read(j, t))
			return false;
	}
	for (unsigned i = 0; i < 3; i++)
		if (!(seen >> i & 1))
			return nc_json_fail(j, t->name.at, "tensor %s has no \"%s\"",
					    nc_quote(t->name.data, t->name.size).text,
					    fields[i].key);
	return !j->failed;
}

static bool read_metadata(nc_json *j, nc_safetensors *d)
{
	nc_json_string key;
	if (!nc_json_object(j))
		return false;
	while (nc_json_member(j, &key)) {
		nc_safetensors_string *s = nc_arena_alloc(j->arena, sizeof *s);
		if (!s)
			return no_memory(j, sizeof *s);
		s->key = key;
		if (!nc_json_text(j, &s->value) || !check_name(j, &s->key) ||
		    !check_name(j, &s->value) || !keep(j, d->memory, &d->metadata, s))
			return false;
	}
	return !j->failed;
}

static bool read_header(nc_json *j, nc_safetensors *d)
{
	nc_json_string key;
	bool metadata = false;
	if (!nc_json_object(j))
		return false;
	while (nc_json_member(j, &key)) {
		if (key_is(&key, "__metadata__")) {
			if (metadata)
				return nc_json_fail(j, key.at, "key \"__metadata__\" occurs twice");
			metadata = true;
			if (!read_metadata(j, d))
				return false;
			continue;
		}
		nc_safetensors_entry *t = nc_arena_alloc(j->arena, sizeof *t);
		if (!t)
			return no_memory(j, sizeof *t);
		t->name = key;
		if (!check_name(j, &key) || !read_tensor(j, t) ||
		    !keep(j, d->memory, &d->tensors, t))
			return false;
	}
	return nc_json_end(j);
}

/* -- offsets and sizes */
static nacre_status check_size(const nc_safetensors_entry *t, nacre_error *e)
{
	int64_t count;
	uint64_t n;
	nc_quoted name = nc_quote(t->name.data, t->name.size);
	if (!nc_shape_size(t->rank, t->shape, &count) ||
	    __builtin_mul_overflow((uint64_t)count, (uint64_t)t->bits, &n))
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: tensor %s: the product of its shape overflows "
			       "(ValidationOverflow)",
			       name.text);
	if (n % 8)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: tensor %s: %llu bits are no whole number of bytes "
			       "(MisalignedSlice)",
			       name.text, (unsigned long long)n);
	if (n / 8 != t->end - t->begin)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: tensor %s: its %s and shape need %llu bytes, its "
			       "data_offsets [%llu, %llu] have %llu (TensorInvalidInfo)",
			       name.text, t->dtype, (unsigned long long)(n / 8),
			       (unsigned long long)t->begin, (unsigned long long)t->end,
			       (unsigned long long)(t->end - t->begin));
	return NACRE_OK;
}

/* Sorted by offset, the tensors must fill the data without hole or overlap. */
static nacre_status check_layout(nc_safetensors *d, uint64_t size, nacre_error *e)
{
	uint64_t at = 0;
	nc_sort(d->tensors.item, d->tensors.n, by_offset);
	for (size_t i = 0; i < d->tensors.n; i++) {
		const nc_safetensors_entry *t = d->tensors.item[i];
		if (t->begin != at || t->end < t->begin)
			return nc_fail(
			    e, NACRE_BAD_DATA,
			    "safetensors: tensor %s: data_offsets [%llu, %llu], expected "
			    "[%llu, ...] (InvalidOffset)",
			    nc_quote(t->name.data, t->name.size).text, (unsigned long long)t->begin,
			    (unsigned long long)t->end, (unsigned long long)at);
		nacre_status s = check_size(t, e);
		if (s)
			return s;
		at = t->end;
	}
	if (at != size)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: the tensors need %llu bytes, the file has %llu "
			       "(MetadataIncompleteBuffer)",
			       (unsigned long long)at, (unsigned long long)size);
	return NACRE_OK;
}

static nacre_status parse(const uint8_t *bytes, size_t size, nc_safetensors *d, nacre_error *e)
{
	if (size < 8)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: expected at least 8 bytes, got %zu (HeaderTooSmall)",
			       size);
	uint64_t n = nc_little64(bytes);
	if (n > NC_SAFETENSORS_HEADER_LIMIT)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: a header of %llu bytes, at most %d (HeaderTooLarge)",
			       (unsigned long long)n, NC_SAFETENSORS_HEADER_LIMIT);
	if (n > size - 8)
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: a header of %llu bytes, the file has %zu more "
			       "(InvalidHeaderLength)",
			       (unsigned long long)n, size - 8);
	if (!nc_utf8_valid(bytes + 8, (size_t)n))
		return nc_fail(e, NACRE_BAD_DATA,
			       "safetensors: the header is not UTF-8 (InvalidHeader)");
	nc_json j;
	nc_json_init(&j, bytes + 8, (size_t)n, &d->arena, "safetensors header", e);
	if (!read_header(&j, d))
		return e->status;
	d->data = 8 + (size_t)n;
	nacre_status s = list_index(d->memory, &d->tensors, "tensor", e);
	s = s ? s : list_index(d->memory, &d->metadata, "metadata key", e);
	return s ? s : check_layout(d, size - d->data, e);
}

nacre_status nc_safetensors_parse(nc_memory *m, const uint8_t *bytes, size_t size,
				  nc_safetensors *out, nacre_error *e)
{
	nacre_error own = {0};
	*out = (nc_safetensors){.memory = m};
	nc_arena_init(&out->arena, m);
	nacre_status s = parse(bytes, size, out, &own);
	if (s) {
		nc_safetensors_clear(out);
		nc_fail(e, s, "%s", own.text);
	}
	return s;
}

void nc_safetensors_clear(nc_safetensors *d)
{
	list_free(d->memory, &d->tensors);
	list_free(d->memory, &d->metadata);
	nc_arena_free(&d->arena);
	*d = (nc_safetensors){0};
}
