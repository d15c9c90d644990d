/* SPDX-License-Identifier: MIT
 *
 * fuzz_npy.c - fuzz target: NPY from memory; what was read is written as version 1.0 and read
 * again.
 */
#include <string.h>

#include "format/npy.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_tensor(const nacre_tensor *a, const nacre_tensor *b)
{
	return a->dtype == b->dtype && a->rank == b->rank &&
	       !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) &&
	       !memcmp(a->data, b->data, (size_t)nacre_tensor_size(a) * nacre_dtype_size(a->dtype));
}

static void write_npy_again(nacre_runtime *rt, const nacre_tensor *t)
{
	nc_memory *m = nc_runtime_memory(rt);
	char header[NC_NPY_HEADER];
	nacre_tensor *flat = nacre_tensor_convert(t, t->dtype, NULL); /* contiguous */
	FUZZ_CHECK(flat);
	size_t n = nc_npy_header(t->dtype, t->rank, t->shape, header);
	size_t bytes = (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype);
	FUZZ_CHECK(n && n % 64 == 0 && n < sizeof header);
	uint8_t *file = nc_alloc(m, n + bytes);
	FUZZ_CHECK(file);
	memcpy(file, header, n);
	memcpy(file + n, flat->data, bytes);
	nacre_tensor *again = nc_npy_decode(rt, file, n + bytes, NULL);
	FUZZ_CHECK(again && same_tensor(again, flat));
	nc_free(m, file, n + bytes);
	nacre_tensor_free(again);
	nacre_tensor_free(flat);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nacre_error e = {0};
	nacre_tensor *t = nc_npy_decode(rt, data, size, &e);
	FUZZ_CHECK(!t == (e.status != NACRE_OK));
	if (t)
		write_npy_again(rt, t);
	bool accepted = t;
	nacre_tensor_free(t);
	return fuzz_done(accepted);
}
