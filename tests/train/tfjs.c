/* SPDX-License-Identifier: MIT
 *
 * tfjs.c - models of TensorFlow.js: the corpus of its fuzz target, files, memory that runs out, and
 * nacre_cut() on what was loaded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/replay.h"
#include "help.h"
#include "sweep.h"

#include "../../fuzz/fuzz_tfjs.c"

TEST(corpus)
{
	replay("tfjs", LLVMFuzzerTestOneInput, 8, 40);
}

static char folder[200];

static const char *in_folder(const char *name)
{
	static char path[2][300];
	static int next;
	char *p = path[next++ % 2];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static void put(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(in_folder(name), "wb");
	CHECK(f && fwrite(data, 1, size, f) == size);
	if (f)
		fclose(f);
}

/* y = x [[-1, -0.5], [0, 0.5]] + [1, -2]: the kernel in uint8, the bias in float16, cut in the
 * middle of a number */
static void write_model(void)
{
	static const char json[] =
	    ("{\"format\": \"layers-model\", \"modelTopology\": {\"class_name\": \"Sequential\","
	     "\"config\": {\"name\": \"m\", \"layers\": [{\"class_name\": \"Dense\", \"config\": "
	     "{\"name\": \"dense\", \"units\": 2, \"activation\": \"linear\", \"use_bias\": true,"
	     "\"batch_input_shape\": [null, 2]}}]}}, \"weightsManifest\": [{\"paths\": [\"a.bin\","
	     "\"b.bin\"], \"weights\": [{\"name\": \"dense/kernel\", \"shape\": [2, 2], "
	     "\"dtype\": \"float32\", \"quantization\": {\"dtype\": \"uint8\", \"scale\": 0.5, "
	     "\"min\": -1}}, {\"name\": \"dense/bias\", \"shape\": [2], \"dtype\": \"float32\", "
	     "\"quantization\": {\"dtype\": \"float16\"}}]}]}");
	static const uint8_t bytes[] = {0, 1, 2, 3, 0x00, 0x3c, 0x00, 0xc0};
	snprintf(folder, sizeof folder, "/tmp/nacre-tfjs-%d", (int)getpid());
	mkdir(folder, 0700);
	put("model.json", json, sizeof json - 1);
	put("a.bin", bytes, 5);
	put("b.bin", bytes + 5, 3);
}

static void remove_model(void)
{
	unlink(in_folder("a.bin"));
	unlink(in_folder("b.bin"));
	unlink(in_folder("model.json"));
	rmdir(folder);
}

static void check_answer(nacre_model *m)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){1, 2}, NULL);
	nacre_tensor_set(x, 0, 2);
	nacre_tensor_set(x, 1, 4);
	nacre_tensor *y = nacre_predict_tensor(m, x);
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK(y && nacre_tensor_get(y, 0) == -1 && nacre_tensor_get(y, 1) == -1);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

TEST(files)
{
	nacre_error e = {0};
	write_model();
	nacre_model *m = nacre_load(NULL, in_folder("model.json"), &e);
	CHECK_STR(e.text, "");
	check_answer(m);
	nacre_model_free(m);

	m = nacre_sequential("other");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(2, .name = "dense"));
	CHECK_EQ(nacre_load_weights(m, in_folder("model.json")), NACRE_OK);
	check_answer(m);
	CHECK(nacre_save(m, in_folder("model.json")) == NACRE_UNSUPPORTED);
	nacre_clear_error(m);

	unlink(in_folder("b.bin"));
	CHECK(nacre_load_weights(m, in_folder("model.json")) != NACRE_OK);
	CHECK(strstr(nacre_model_error(m)->text, "b.bin"));
	nacre_clear_error(m);
	check_answer(m); /* nothing was changed */
	nacre_model_free(m);
	m = nacre_load(NULL, in_folder("model.json"), &e);
	CHECK(!m && strstr(e.text, "b.bin"));
	remove_model();
}

static nacre_status load_and_cut(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, in_folder("model.json"), &e);
	CHECK((m != NULL) == !e.status);
	nacre_cut(m, "dense");
	nacre_status status = m ? nacre_model_error(m)->status : e.status;
	nacre_model_free(m);
	return status;
}

TEST(memory)
{
	write_model();
	every_allocation(load_and_cut, false, 20);
	every_allocation(load_and_cut, true, 20);
	remove_model();
}

/* A folder with mobilenet, if there is one: as many classes and numbers as it should have. */
TEST(mobilenet)
{
	const char *path = getenv("NACRE_TFJS_MOBILENET");
	nacre_error e = {0};
	nacre_model *m = path ? nacre_load(NULL, path, &e) : NULL;
	CHECK_STR(e.text, "");
	if (!m)
		return;
	CHECK_EQ(nacre_model_parameters(m), 475544);
	CHECK_STR(nacre_model_name(m), "mobilenet_0.25_224");
	nacre_model_free(m);
}
