/* SPDX-License-Identifier: MIT
 *
 * save.c - weights to a file and back; files that do not fit change nothing.
 */
#include <unistd.h>

#include "help.h"

static const char *file(const char *name)
{
	static char path[200];
	snprintf(path, sizeof path, "/tmp/nacre-save-%d-%s", (int)getpid(), name);
	return path;
}

TEST(round_trip)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 50, 6, 3);
	nacre_model *a = classifier(rt, 6, 20, 3), *b = nacre_sequential_in(rt, "b");
	nacre_fit(a, d, .epochs = 2);
	CHECK_EQ(nacre_save(a, file("a.safetensors")), NACRE_OK);
	nacre_add(b, nacre_input(6));
	nacre_add(b, nacre_dense(20, .activation = nacre_relu));
	nacre_add(b, nacre_dense(3, .activation = nacre_softmax));
	CHECK_EQ(nacre_load_weights(b, file("a.safetensors")), NACRE_OK);
	CHECK_EQ(nacre_set_seed(b, 7), NACRE_OK); /* nothing was drawn */
	nacre_tensor *p = nacre_predict(a, d), *q = nacre_predict(b, d);
	CHECK(p && q &&
	      memcmp(nacre_tensor_data(p), nacre_tensor_data(q), 150 * sizeof(float)) == 0);
	/* training from there on: the optimizer begins anew, the weights do not */
	nacre_compile(b, .loss = nacre_categorical_crossentropy);
	CHECK_NEAR(nacre_evaluate(a, d).loss, nacre_evaluate(b, d).loss, 1e-6);
	CHECK_FINE(a);
	CHECK_FINE(b);
	nacre_tensor_free(p);
	nacre_tensor_free(q);
	nacre_model_free(a);
	nacre_model_free(b);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	unlink(file("a.safetensors"));
}

/* Loads a file of the given tensors into a model of one dense layer [2, 3]. */
static void try_load(int n, const nacre_named_tensor *t, const char *want)
{
	const char *path = file("b.safetensors");
	char text[600];
	nacre_error e = {0};
	CHECK_EQ(nacre_safetensors_save(path, n, t, 0, NULL, &e), NACRE_OK);
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(3));
	nacre_tensor *before = nacre_get_weight(m, "dense/kernel");
	nacre_load_weights(m, path);
	snprintf(text, sizeof text, "load_weights: %s%s", want[0] == '"' ? "" : path, want);
	CHECK_STR(nacre_model_error(m)->text, text);
	CHECK_EQ(nacre_clear_error(m), NACRE_OK);
	nacre_tensor *after = nacre_get_weight(m, "dense/kernel");
	CHECK(memcmp(nacre_tensor_data(before), nacre_tensor_data(after), 6 * sizeof(float)) == 0);
	nacre_tensor_free(before);
	nacre_tensor_free(after);
	nacre_model_free(m);
	unlink(path);
}

TEST(does_not_fit)
{
	nacre_tensor *k = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){2, 3}, NULL);
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_F32, 1, (int64_t[]){3}, NULL);
	try_load(2, (nacre_named_tensor[]){{"dense/kernel", k}, {"dense/bias", k}},
		 ": dense/bias is [2, 3] there, [3] in the model");
	try_load(3, (nacre_named_tensor[]){{"dense/kernel", k}, {"dense/bias", b}, {"more", b}},
		 ": the model has no weight \"more\"");
	nacre_tensor_free(k);
	nacre_tensor_free(b);
}

TEST(missing)
{
	nacre_tensor *k = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){2, 3}, NULL);
	CHECK_EQ(nacre_safetensors_save(file("c.safetensors"), 1,
					(nacre_named_tensor[]){{"dense/kernel", k}}, 0, NULL, NULL),
		 NACRE_OK);
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(3));
	CHECK(nacre_load_weights(m, file("c.safetensors")) != NACRE_OK);
	CHECK(strstr(nacre_model_error(m)->text, "dense/bias"));
	nacre_tensor_free(k);
	nacre_model_free(m);
	unlink(file("c.safetensors"));
}

/* Other types of floats are converted. */
TEST(half_precision)
{
	nacre_tensor *k = nacre_tensor_new(NULL, NACRE_F16, 2, (int64_t[]){2, 3}, NULL);
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_F64, 1, (int64_t[]){3}, NULL);
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(k, i, i * 0.25);
	nacre_named_tensor all[] = {{"dense/kernel", k}, {"dense/bias", b}};
	CHECK_EQ(nacre_safetensors_save(file("d.safetensors"), 2, all, 0, NULL, NULL), NACRE_OK);
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(3));
	CHECK_EQ(nacre_load_weights(m, file("d.safetensors")), NACRE_OK);
	nacre_tensor *w = nacre_get_weight(m, "dense/kernel");
	for (int i = 0; i < 6; i++)
		CHECK(nacre_tensor_get(w, i) == i * 0.25);
	nacre_tensor_free(w);
	nacre_tensor_free(k);
	nacre_tensor_free(b);
	nacre_model_free(m);
	unlink(file("d.safetensors"));
}

TEST(nowhere)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(3));
	CHECK_EQ(nacre_save(m, "/nowhere/at/all.safetensors"), NACRE_IO);
	CHECK(strstr(nacre_model_error(m)->text, "/nowhere/at/all.safetensors"));
	nacre_model_free(m);
}
