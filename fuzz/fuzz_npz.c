/* SPDX-License-Identifier: MIT
 *
 * fuzz_npz.c - fuzz target: NPZ from memory; the arrays that were read are written and read again.
 */
#include <string.h>

#include "format/npz.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_npz_again(nacre_runtime *rt, const nc_buffer *b, size_t n,
			    const nacre_named_tensor *array)
{
	nc_npz z;
	FUZZ_CHECK(!nc_npz_open(nc_runtime_memory(rt), b->data, b->size, &z, NULL));
	FUZZ_CHECK(z.zip.n == n);
	for (size_t i = 0; i < n; i++) {
		nacre_tensor *t = nc_npz_tensor(rt, &z, i, NULL);
		nacre_tensor *flat =
		    nacre_tensor_convert(array[i].tensor, array[i].tensor->dtype, NULL);
		FUZZ_CHECK(t && flat && !strcmp(z.name[i], array[i].name));
		FUZZ_CHECK(t->dtype == flat->dtype && t->rank == flat->rank);
		FUZZ_CHECK(!memcmp(t->shape, flat->shape, (size_t)t->rank * sizeof *t->shape));
		FUZZ_CHECK(!memcmp(t->data, flat->data,
				   (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype)));
		nacre_tensor_free(t);
		nacre_tensor_free(flat);
	}
	nc_npz_close(&z);
}

/* Reads all; true if every array was good. */
static bool read_npz_again(nacre_runtime *rt, const nc_npz *z)
{
	nc_memory *m = nc_runtime_memory(rt);
	size_t room = (z->zip.n + 1) * sizeof(nacre_named_tensor), n = 0;
	nacre_named_tensor *array = nc_zero_alloc(m, room);
	FUZZ_CHECK(array);
	for (; n < z->zip.n; n++) {
		nacre_error e = {0};
		array[n] = (nacre_named_tensor){z->name[n], nc_npz_tensor(rt, z, n, &e)};
		FUZZ_CHECK(!array[n].tensor == (e.status != NACRE_OK));
		if (!array[n].tensor)
			break;
	}
	bool good = n == z->zip.n;
	if (good) {
		nc_buffer b;
		nc_buffer_init(&b, m, NULL);
		FUZZ_CHECK(!nc_npz_write(m, (int64_t)n, array, nc_sink_buffer(&b), NULL));
		check_npz_again(rt, &b, n, array);
		nc_buffer_free(&b);
	}
	for (size_t i = 0; i < n; i++)
		nacre_tensor_free((nacre_tensor *)(uintptr_t)array[i].tensor);
	nc_free(m, array, room);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nc_npz z;
	nacre_error e = {0};
	nacre_status s = nc_npz_open(nc_runtime_memory(rt), data, size, &z, &e);
	FUZZ_CHECK(s == e.status);
	bool accepted = !s && read_npz_again(rt, &z);
	if (!s)
		nc_npz_close(&z);
	return fuzz_done(accepted);
}
