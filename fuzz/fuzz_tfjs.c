/* SPDX-License-Identifier: MIT
 *
 * fuzz_tfjs.c - fuzz target: a model.json, a zero byte, and the bytes of every shard that it names.
 */
#include <string.h>

#include "fuzz.h"
#include "train/keras/tfjs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static nacre_status open_rest(void *context, const char *name, nc_bytes *out, nacre_error *e)
{
	(void)e;
	FUZZ_CHECK(!strchr(name, '/') && strcmp(name, "..") != 0);
	*out = *(const nc_bytes *)context;
	if (out->size) { /* it will be freed */
		uint8_t *copy = nc_alloc(&fuzz_runtime()->memory, out->size);
		if (!copy)
			return nc_no_memory(e, out->size);
		memcpy(copy, out->data, out->size);
		out->data = copy;
	}
	return NACRE_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t text = end ? (size_t)(end - data) : size;
	nc_bytes rest = {.size = end ? size - text - 1 : 0};
	rest.data = rest.size ? end + 1 : NULL;
	nacre_error e = {0};
	const nc_tfjs_source source = {open_rest, &rest};
	nacre_model *m = nc_tfjs_decode(fuzz_runtime(), data, text, &source, &e);
	FUZZ_CHECK((m != NULL) == !e.status);
	bool accepted = m;
	nacre_model_free(m);
	return fuzz_done(accepted);
}
