/* SPDX-License-Identifier: MIT
 *
 * fuzz_keras.c - fuzz target: the config.json of a .keras as a model; what was accepted is written,
 * read again, and written to the same text.
 */
#include <string.h>

#include "fuzz.h"
#include "train/keras/keras.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static nacre_model *read_model(nacre_runtime *rt, const void *text, size_t size, nacre_error *e)
{
	nc_arena a;
	nc_arena_init(&a, &rt->memory);
	nc_keras k = {
	    .runtime = rt, .arena = &a, .error = e, .part = "config.json", .room = 1 << 20};
	const nc_json_value *top = nc_json_tree(text, size, &a, k.part, e);
	bool good = top && nc_keras_read_model(&k, top);
	const nc_json_value *training = good ? nc_json_get(top, "compile_config") : NULL;
	const nc_json_value *loss = nc_json_get(training, "loss");
	if (loss && loss->kind != NC_JSON_NULL)
		good = nc_keras_read_training(&k, training);
	nc_arena_free(&a);
	FUZZ_CHECK(good == !e->status);
	if (good)
		return k.model;
	nacre_model_free(k.model);
	return NULL;
}

static bool write_model(nacre_model *m, nc_text *out)
{
	nc_arena a;
	nacre_error e = {0};
	nc_json_out w = {.out = out};
	nc_text_init(out, &m->runtime->memory);
	nc_arena_init(&a, &m->runtime->memory);
	bool good = nc_keras_write_model(m, &a, &w, &e);
	nc_arena_free(&a);
	FUZZ_CHECK(good == !e.status && !out->failed);
	return good && !w.wrong;
}

static void again(nacre_runtime *rt, nacre_model *m)
{
	nc_text text, more;
	nacre_error e = {0};
	if (write_model(m, &text)) {
		nacre_model *n = read_model(rt, text.data, text.size, &e);
		FUZZ_CHECK(n);
		FUZZ_CHECK(write_model(n, &more));
		FUZZ_CHECK(more.size == text.size && !memcmp(more.data, text.data, text.size));
		nc_text_free(&more);
		nacre_model_free(n);
	}
	nc_text_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nacre_error e = {0};
	nacre_model *m = read_model(rt, data, size, &e);
	if (m)
		again(rt, m);
	bool accepted = m;
	nacre_model_free(m);
	return fuzz_done(accepted);
}
