/* SPDX-License-Identifier: MIT
 *
 * fuzz_hdf5.c - fuzz target: HDF5 from memory.  The groups, and the data sets that can be read, are
 * written and read again, and must be the same.
 */
#include <string.h>

#include "format/hdf5_read.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HDF5_TENSORS = 64, HDF5_PATH = 2000 };

typedef struct hdf5_copy {
	nc_hdf5_tree tree;
	nacre_tensor *tensor[HDF5_TENSORS];
	size_t n;
	bool ok; /* no data set is damaged */
} hdf5_copy;

static bool hdf5_path(const nc_hdf5_object *o, char *path)
{
	size_t n = strlen(o->name);
	path[0] = '\0';
	if (!o->parent)
		return true;
	if (!hdf5_path(o->parent, path) || strlen(path) + n + 2 > HDF5_PATH)
		return false;
	size_t at = strlen(path);
	snprintf(path + at, HDF5_PATH - at, at ? "/%s" : "%s", o->name);
	return true;
}

static void read_attributes(const nc_hdf5 *f, const nc_hdf5_object *o)
{
	for (const nc_hdf5_attribute *a = o->attribute; a; a = a->next)
		for (int64_t i = 0; i < a->type.count && i < 10; i++) {
			const char *s;
			size_t n;
			double v;
			volatile char sum = 0;
			nacre_error e = {0};
			FUZZ_CHECK(nc_hdf5_string(f, a, i, &s, &n, &e) == e.status);
			for (size_t k = 0; !e.status && k < n; k++)
				sum = (char)(sum + s[k]);
			e = (nacre_error){0};
			FUZZ_CHECK(nc_hdf5_number(a, i, &v, &e) == e.status);
		}
}

static void copy_object(hdf5_copy *c, const nc_hdf5 *f, const nc_hdf5_object *o)
{
	char path[HDF5_PATH];
	bool named = hdf5_path(o, path);
	FUZZ_CHECK(!named || nc_hdf5_find(f, NULL, path) == o);
	read_attributes(f, o);
	if (o->group) {
		if (named)
			FUZZ_CHECK(!nc_hdf5_put_group(&c->tree, path));
		return;
	}
	nacre_error e = {0};
	nacre_tensor *t = nc_hdf5_tensor(f, o, fuzz_runtime(), NULL, &e);
	FUZZ_CHECK(!t == (e.status != NACRE_OK));
	c->ok = c->ok && e.status != NACRE_BAD_DATA;
	if (t && named && c->n < HDF5_TENSORS) {
		FUZZ_CHECK(!nc_hdf5_put_tensor(&c->tree, path, t));
		c->tensor[c->n++] = t;
	} else {
		nacre_tensor_free(t);
	}
}

static void check_hdf5_copy(hdf5_copy *c, const nc_hdf5 *f)
{
	nc_buffer b;
	nc_hdf5 again;
	nacre_error e = {0};
	nc_buffer_init(&b, f->memory, &e);
	nc_sink sink = nc_sink_buffer(&b);
	FUZZ_CHECK(!nc_hdf5_write(&c->tree, &sink) && nc_hdf5_size(&c->tree) == b.size);
	FUZZ_CHECK(!nc_hdf5_open(f->memory, b.data, b.size, &again, &e));
	size_t found = 0;
	for (const nc_hdf5_object *o = again.root; o; o = o->next) {
		char path[HDF5_PATH];
		FUZZ_CHECK(hdf5_path(o, path) && nc_hdf5_find(f, NULL, path));
		if (o->group)
			continue;
		const nc_hdf5_object *from = nc_hdf5_find(f, NULL, path);
		nacre_tensor *x = nc_hdf5_tensor(&again, o, fuzz_runtime(), NULL, &e);
		nacre_tensor *y = nc_hdf5_tensor(f, from, fuzz_runtime(), NULL, &e);
		FUZZ_CHECK(x && y && x->dtype == y->dtype && x->rank == y->rank);
		FUZZ_CHECK(!memcmp(x->shape, y->shape, (size_t)x->rank * sizeof *x->shape));
		FUZZ_CHECK(!memcmp(x->data, y->data, o->size));
		nacre_tensor_free(x);
		nacre_tensor_free(y);
		found++;
	}
	FUZZ_CHECK(found == c->n);
	nc_hdf5_close(&again);
	nc_buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nc_memory *m = nc_runtime_memory(fuzz_runtime());
	nc_hdf5 f;
	nacre_error e = {0};
	nacre_status s = nc_hdf5_open(m, data, size, &f, &e);
	FUZZ_CHECK(s == e.status);
	hdf5_copy c = {.ok = !s};
	if (c.ok) {
		nc_hdf5_tree_init(&c.tree, m, &e);
		for (const nc_hdf5_object *o = f.root; o; o = o->next)
			copy_object(&c, &f, o);
		check_hdf5_copy(&c, &f);
		for (size_t i = 0; i < c.n; i++)
			nacre_tensor_free(c.tensor[i]);
		nc_hdf5_tree_free(&c.tree);
		nc_hdf5_close(&f);
	}
	return fuzz_done(c.ok);
}

#ifndef LLVMFuzzerTestOneInput /* the fuzzer's own build, not the replay of the corpus */
/* Mutations with right checksums, which else would stop nearly all of them. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

static void repair(uint8_t *p, size_t left, size_t n)
{
	if (n < 4 || n > left)
		return;
	uint32_t sum = nc_lookup3(p, n - 4);
	for (int i = 0; i < 4; i++)
		p[n - 4 + (size_t)i] = (uint8_t)(sum >> 8 * i);
}

/* Bytes of an object header, by its own account. */
static size_t header_size(const uint8_t *p, size_t left)
{
	if (left < 32)
		return 0;
	size_t at = 6u + (p[5] & 0x20 ? 16u : 0) + (p[5] & 0x10 ? 4u : 0), n = 0;
	size_t width = (size_t)1 << (p[5] & 3);
	for (size_t i = width; at + width <= left && i-- > 0;)
		n = n << 8 | p[at + i];
	return at + width + (n & 0xffffff) + 4;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
	static const struct {
		const char *magic;
		size_t n;
	} fixed[] = {{"\x89HDF", 48}, {"FRHP", 146}, {"BTHD", 38}, {"FAHD", 28}};
	size = LLVMFuzzerMutate(data, size, room);
	if (seed % 8 == 0)
		return size;
	for (size_t at = 0; at + 9 <= size; at++) {
		uint8_t *p = data + at;
		if (!memcmp(p, "OHDR", 4))
			repair(p, size - at, header_size(p, size - at));
		for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
			if (!memcmp(p, fixed[i].magic, 4) && (i || (p[8] >= 2 && p[8] <= 3)))
				repair(p, size - at, fixed[i].n);
	}
	return size;
}
#endif
