/* SPDX-License-Identifier: MIT
 *
 * keras_legacy.c - whole models of Keras 2 in .h5, as tf_keras left them in the middle of a
 * training (tests/fixtures/keras_files/make_legacy.py): they predict the same, and train on the
 * same.
 */
#include <unistd.h>

#include "help.h"
#include "train/keras/keras.h"

#define FOLDER NACRE_SOURCE_DIR "/tests/fixtures/keras_files/legacy_"

static nacre_tensor *array(const char *name)
{
	char path[600];
	nacre_error e = {0};
	snprintf(path, sizeof path, FOLDER "%s.npy", name);
	nacre_tensor *t = nacre_npy_load(NULL, path, &e);
	CHECK_STR(e.text, "");
	return t;
}

/* Every output against what Keras wrote under <stem>_<kind><i>. */
static void predicts(nacre_model *m, nacre_dataset *d, const char *stem, char kind,
		     double tolerance)
{
	nacre_tensor *y[NACRE_MAX_PORTS] = {0};
	CHECK(nacre_predict(m, d, .outputs = y));
	CHECK_FINE(m);
	for (int i = 0; i < nacre_model_outputs(m) && y[i]; i++) {
		char name[100];
		snprintf(name, sizeof name, "%s_%c%d", stem, kind, i);
		nacre_tensor *want = array(name);
		CHECK_EQ(nacre_tensor_size(y[i]), nacre_tensor_size(want));
		for (int64_t k = 0; k < nacre_tensor_size(want); k++) {
			double difference = nacre_tensor_get(y[i], k) - nacre_tensor_get(want, k);
			if (!(fabs(difference) <= tolerance)) {
				test_failed(__FILE__, __LINE__, "%s[%lld]: off by %.3g", name,
					    (long long)k, difference);
				break;
			}
		}
		nacre_tensor_free(want);
		nacre_tensor_free(y[i]);
	}
}

/* The samples: inputs x, and x in reverse order for a second input; t for each output. */
static nacre_dataset *samples(const nacre_model *m, const char *input, int inputs)
{
	nacre_error e = {0};
	nacre_tensor *x = array(input), *t = array("t");
	nacre_tensor *turned = nacre_tensor_slice(x, 0, nacre_tensor_shape(x)[0] - 1, -1, -1, &e);
	CHECK_STR(e.text, "");
	const nacre_tensor *in[] = {x, turned}, *out[] = {t, t};
	nacre_dataset *d = nacre_dataset_new(NULL, inputs, in, nacre_model_outputs(m), out);
	CHECK_STR(nacre_dataset_error(d)->text, "");
	nacre_tensor_free(x);
	nacre_tensor_free(turned);
	nacre_tensor_free(t);
	return d;
}

static void check_model(const char *stem, const char *input, int inputs)
{
	char path[600];
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	snprintf(path, sizeof path, FOLDER "%s.h5", stem);
	nacre_model *m = nacre_load(rt, path, &e);
	if (!m) {
		test_failed(__FILE__, __LINE__, "%s", e.text);
		nacre_runtime_free(rt);
		return;
	}
	nacre_dataset *d = samples(m, input, inputs);
	predicts(m, d, stem, 'y', 2e-6);
	/* as a file of Keras 3, with the optimizer's state */
	snprintf(path, sizeof path, "/tmp/nacre-legacy-%d.keras", (int)getpid());
	CHECK_EQ(nacre_save(m, path), NACRE_OK);
	CHECK_FINE(m);
	nacre_model *again = nacre_load(rt, path, &e);
	CHECK_STR(e.text, "");
	/* a product of Nadam's is not in the file: nobody goes on with the same numbers from there
	 */
	double tolerance = strcmp(stem, "nadam") ? 1e-5 : 1e-3;
	nacre_fit(m, d, .epochs = 1, .batch_size = 8, .no_shuffle = 1);
	CHECK_FINE(m);
	predicts(m, d, stem, 'z', tolerance);
	nacre_fit(again, d, .epochs = 1, .batch_size = 8, .no_shuffle = 1);
	predicts(again, d, stem, 'z', tolerance);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_runtime_free(rt);
	unlink(path);
}

TEST(models)
{
	check_model("sequential", "x", 1);
	check_model("functional", "x", 2);
	check_model("nested", "x", 1);
	check_model("options", "x", 1);
	check_model("embedding", "ids", 1);
}

/* The names of the variables are what tells Keras 3's from those of others. */
TEST(loss_scale)
{
	check_model("loss_scale", "x", 1);
	nacre_error e = {0};
	nc_memory memory;
	nc_bytes file;
	nc_memory_init(&memory, NULL);
	CHECK_EQ(nc_file_read(&memory, FOLDER "loss_scale.h5", 0, &file, &e), NACRE_OK);
	uint8_t *copy = malloc(file.size);
	memcpy(copy, file.data, file.size);
	nacre_model *m = nc_keras_decode(nc_runtime(NULL), copy, file.size,
					 &(nacre_load_options){0}, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_iterations(m), 4);
	CHECK(nacre_loss_scale(m) > 0x1p110 && nacre_loss_scale(m) != 0x1p120);
	nacre_model_free(m);
	for (size_t i = 0; i + 12 < file.size; i++)
		if (memcmp(copy + i, "step_counter", 12) == 0)
			memcpy(copy + i, "some_counter", 12);
	m = nc_keras_decode(nc_runtime(NULL), copy, file.size, &(nacre_load_options){0}, &e);
	CHECK(!m);
	CHECK_EQ(e.status, NACRE_UNSUPPORTED);
	CHECK_STR(e.text, "model_weights: the state of a LossScaleOptimizer is read as Keras 3 "
			  "writes it, with step_counter and dynamic_scale");
	nacre_model_free(m);
	free(copy);
	nc_bytes_free(&memory, &file);
}

TEST(optimizers)
{
	static const char *const stems[] = {"adamax",   "nadam",   "adadelta",
					    "ftrl",     "adamw",   "schedule",
					    "old_adam", "old_sgd", "old_rmsprop"};
	for (size_t i = 0; i < sizeof stems / sizeof *stems; i++)
		check_model(stems[i], "x", 1);
}
