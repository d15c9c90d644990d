/* SPDX-License-Identifier: MIT
 *
 * keras_file.c - models in Keras's files: those that Keras wrote (tests/fixtures/keras_files), and
 * back again.
 */
#include <unistd.h>

#include "help.h"

static const char *fixture(const char *name)
{
	static char path[4][600];
	static int next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof path[0], "%s/tests/fixtures/keras_files/%s", NACRE_SOURCE_DIR, name);
	return p;
}

static const char *file(const char *name)
{
	static char path[4][200];
	static int next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof path[0], "/tmp/nacre-keras-%d-%s", (int)getpid(), name);
	return p;
}

static nacre_tensor *array(const char *name)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_npy_load(NULL, fixture(name), &e);
	CHECK_STR(e.text, "");
	return t;
}

static nacre_model *load_path(nacre_runtime *rt, const char *path)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, path, &e);
	CHECK_STR(e.text, "");
	CHECK(m);
	return m;
}

static void check_near(const nacre_tensor *a, const nacre_tensor *b, double tolerance)
{
	CHECK(a && b);
	if (!a || !b)
		return;
	CHECK_EQ(nacre_tensor_size(a), nacre_tensor_size(b));
	for (int64_t i = 0; i < nacre_tensor_size(a) && i < nacre_tensor_size(b); i++)
		CHECK_NEAR(nacre_tensor_get(a, i), nacre_tensor_get(b, i), tolerance);
}

static void check_same(const nacre_tensor *a, const nacre_tensor *b)
{
	CHECK(a && b && nacre_tensor_size(a) == nacre_tensor_size(b) &&
	      memcmp(nacre_tensor_data(a), nacre_tensor_data(b),
		     (size_t)nacre_tensor_size(a) * sizeof(float)) == 0);
}

static bool same_file(const char *a, const char *b)
{
	FILE *f = fopen(a, "rb"), *g = fopen(b, "rb");
	bool same = f && g;
	for (int c = 0; same && c != EOF;) {
		c = getc(f);
		same = c == getc(g);
	}
	if (f)
		fclose(f);
	if (g)
		fclose(g);
	return same;
}

/* Loads, predicts as Keras did, saves, loads, predicts the same bits, saves the same bytes. */
static void round_trip(const char *stem, const char *extension)
{
	char name[100];
	nacre_runtime *rt = quiet(NULL, 0);
	snprintf(name, sizeof name, "%s.%s", stem, extension);
	nacre_model *m = load_path(rt, fixture(name)), *again = NULL;
	snprintf(name, sizeof name, "%s_x.npy", stem);
	nacre_tensor *x = array(name);
	snprintf(name, sizeof name, "%s_y.npy", stem);
	nacre_tensor *want = array(name), *y = nacre_predict_tensor(m, x), *z = NULL;
	check_near(y, want, 1e-5);
	CHECK_EQ(nacre_save(m, file("a.keras")), NACRE_OK);
	again = load_path(rt, file("a.keras"));
	z = nacre_predict_tensor(again, x);
	check_same(y, z);
	CHECK_EQ(nacre_save(again, file("b.keras")), NACRE_OK);
	CHECK(same_file(file("a.keras"), file("b.keras")));
	CHECK_FINE(m);
	CHECK_FINE(again);
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(z);
	nacre_tensor_free(want);
	nacre_runtime_free(rt);
	unlink(file("a.keras"));
	unlink(file("b.keras"));
}

TEST(sequential)
{
	round_trip("sequential", "keras");
}

TEST(embedding)
{
	round_trip("embedding", "keras");
}

TEST(keras_2)
{
	round_trip("sequential", "h5");
}

TEST(functional)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = load_path(rt, fixture("functional.keras"));
	const nacre_tensor *in[] = {array("functional_b.npy"), array("functional_a.npy")};
	nacre_tensor *y = array("functional_y.npy"), *z = array("functional_z.npy");
	nacre_dataset *d = nacre_dataset_new(rt, 2, in, 0, NULL);
	nacre_tensor *out[2] = {0}, *again[2] = {0};
	CHECK_EQ(nacre_model_outputs(m), 2);
	nacre_predict(m, d, .outputs = out);
	check_near(out[0], y, 1e-5);
	check_near(out[1], z, 1e-5);
	CHECK_EQ(nacre_save(m, file("f.keras")), NACRE_OK);
	nacre_model *n = load_path(rt, file("f.keras"));
	nacre_predict(n, d, .outputs = again);
	check_same(out[0], again[0]);
	check_same(out[1], again[1]);
	CHECK_FINE(m);
	CHECK_FINE(n);
	for (int i = 0; i < 2; i++) {
		nacre_tensor_free((nacre_tensor *)(uintptr_t)in[i]);
		nacre_tensor_free(out[i]);
		nacre_tensor_free(again[i]);
	}
	nacre_tensor_free(y);
	nacre_tensor_free(z);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_model_free(n);
	nacre_runtime_free(rt);
	unlink(file("f.keras"));
}

/* Weights alone, of both kinds, into a model of one's own. */
TEST(weights)
{
	static const char *const files[] = {"sequential.weights.h5", "sequential.h5",
					    "sequential.keras"};
	nacre_tensor *x = array("sequential_x.npy"), *want = array("sequential_y.npy");
	for (int i = 0; i < 3; i++) {
		nacre_runtime *rt = quiet(NULL, 0);
		nacre_model *m = load_path(rt, fixture("sequential.keras"));
		nacre_tensor *bias = nacre_get_weight(m, "dense/bias");
		for (int64_t k = 0; bias && k < nacre_tensor_size(bias); k++)
			nacre_tensor_set(bias, k, 7);
		CHECK_EQ(nacre_set_weight(m, "dense/bias", bias), NACRE_OK);
		CHECK_EQ(nacre_load_weights(m, fixture(files[i])), NACRE_OK);
		nacre_tensor *y = nacre_predict_tensor(m, x);
		check_near(y, want, 1e-5);
		CHECK_EQ(nacre_save(m, file("w.weights.h5")), NACRE_OK);
		CHECK_EQ(nacre_set_weight(m, "dense/bias", bias), NACRE_OK);
		CHECK_EQ(nacre_load_weights(m, file("w.weights.h5")), NACRE_OK);
		nacre_tensor *z = nacre_predict_tensor(m, x);
		check_same(y, z);
		CHECK_EQ(nacre_save(m, file("w.h5")), NACRE_UNSUPPORTED);
		CHECK(strstr(nacre_model_error(m)->text, "read alone"));
		nacre_tensor_free(bias);
		nacre_tensor_free(y);
		nacre_tensor_free(z);
		nacre_model_free(m);
		nacre_runtime_free(rt);
	}
	nacre_tensor_free(x);
	nacre_tensor_free(want);
	unlink(file("w.weights.h5"));
}

/* Keras trained, saved and trained on; from its file training leads to the same weights here, also
 * with a save in between. */
static void go_on(const char *stem, const char *samples, int64_t steps)
{
	char name[100];
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_tensor *x = array(samples), *t = array("targets.npy");
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, t);
	snprintf(name, sizeof name, "%s_before.keras", stem);
	nacre_model *m = load_path(rt, fixture(name));
	snprintf(name, sizeof name, "%s_after.keras", stem);
	nacre_model *after = load_path(rt, fixture(name));
	snprintf(name, sizeof name, "%s_loss.npy", stem);
	nacre_tensor *loss = array(name);
	CHECK_EQ(nacre_iterations(m), steps);
	for (int epoch = 0; epoch < 2; epoch++) {
		CHECK_EQ(nacre_fit(m, d, .batch_size = 8, .no_shuffle = 1), NACRE_OK);
		CHECK_NEAR(nacre_history(m, "loss", 0), nacre_tensor_get(loss, epoch), 1e-5);
		CHECK(nacre_history(m, "accuracy", 0) >= 0);
		CHECK_EQ(nacre_save(m, file("t.keras")), NACRE_OK);
		nacre_model_free(m);
		m = load_path(rt, file("t.keras"));
	}
	CHECK_EQ(nacre_iterations(m), nacre_iterations(after));
	CHECK_NEAR(nacre_learning_rate(m), nacre_learning_rate(after), 1e-8);
	for (int i = 0; i < nacre_model_layers(m); i++) {
		const nacre_layer *l = nacre_model_layer(m, i);
		for (int k = 0; k < nacre_layer_weights(l); k++) {
			const char *full = nacre_variable_name(nacre_layer_weight(l, k));
			nacre_tensor *a = nacre_get_weight(m, full);
			nacre_tensor *b = nacre_get_weight(after, full);
			check_near(a, b, 2e-5);
			nacre_tensor_free(a);
			nacre_tensor_free(b);
		}
	}
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	nacre_tensor_free(loss);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_model_free(after);
	nacre_runtime_free(rt);
	unlink(file("t.keras"));
}

/* What a model may be told beside its layers, made here: saved, loaded, saved to the same bytes,
 * and trained to the same bits. */
static void told(nacre_model *m)
{
	nacre_layer *d = nacre_dense(
	    6, .activation = nacre_leaky_relu, .kernel_initializer = nacre_random_normal,
	    .kernel_initializer_options = {.stddev = 0.3},
	    .kernel_regularizer = nacre_orthogonal_rows(0.01),
	    .bias_initializer = nacre_constant_value, .bias_initializer_options = {.value = 0.5});
	nacre_layer_set_activity_regularizer(d, nacre_l1_l2(0.001, 0.002));
	nacre_add(m, nacre_input(5));
	nacre_add(m, nacre_constrain(d, "kernel", nacre_max_norm(1.5, 0)));
	nacre_add(m, nacre_constrain(nacre_dense(4), "bias", nacre_non_neg()));
	nacre_add(m, nacre_batch_normalization(.no_scale = 1, .momentum = 0.8));
	nacre_add(m, nacre_dense(3, .activation = nacre_softmax, .no_bias = 1));
	nacre_compile(
	    m, .optimizer = nacre_adam(.schedule = nacre_polynomial_decay(0.02, 50), .clipnorm = 2),
	    .loss = nacre_huber, .loss_options = {.delta = 0.4},
	    .metrics = {nacre_accuracy, nacre_mse, nacre_precision},
	    .metric_options = {{0}, {.name = "far"}, {.threshold = 0.3}});
}

/* third: the name of the third number of the history, or NULL */
static void there_and_back(void (*add)(nacre_model *), const char *samples, const char *third)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_tensor *x = array(samples), *t = array("targets.npy");
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, t);
	nacre_model *m = nacre_sequential_in(rt, "told");
	add(m);
	nacre_fit(m, d, .batch_size = 8, .no_shuffle = 1);
	CHECK_EQ(nacre_save(m, file("c.keras")), NACRE_OK);
	nacre_model *n = load_path(rt, file("c.keras"));
	CHECK_EQ(nacre_save(n, file("d.keras")), NACRE_OK);
	CHECK(same_file(file("c.keras"), file("d.keras")));
	nacre_fit(m, d, .epochs = 3, .batch_size = 8, .no_shuffle = 1);
	nacre_fit(n, d, .epochs = 3, .batch_size = 8, .no_shuffle = 1);
	CHECK_FINE(m);
	CHECK_FINE(n);
	for (int i = 0; nacre_history_name(m, i); i++) {
		CHECK_STR(nacre_history_name(m, i), nacre_history_name(n, i));
		CHECK(nacre_history(m, nacre_history_name(m, i), 2) ==
		      nacre_history(n, nacre_history_name(m, i), 2));
	}
	CHECK(nacre_history(m, "loss", 2) < nacre_history(m, "loss", 0));
	if (third)
		CHECK_STR(nacre_history_name(n, 2), third);
	CHECK_EQ(nacre_save(m, file("c.keras")), NACRE_OK);
	CHECK_EQ(nacre_save(n, file("d.keras")), NACRE_OK);
	CHECK(same_file(file("c.keras"), file("d.keras")));
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_model_free(n);
	nacre_runtime_free(rt);
	unlink(file("c.keras"));
	unlink(file("d.keras"));
}

TEST(all_that_is_told)
{
	there_and_back(told, "sequential_x.npy", "far");
}

/* What cannot be said in a file is refused, and the old file stands. */
static nacre_node *own(nacre_node *x)
{
	return nacre_times(x, x);
}

TEST(own_functions_are_not_saved)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_sequential_in(rt, "own");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(2, .activation = own));
	CHECK_EQ(nacre_save(m, file("own.keras")), NACRE_UNSUPPORTED);
	CHECK_STR(nacre_model_error(m)->text,
		  "save: dense: activation: an activation of one's own cannot be saved");
	CHECK(access(file("own.keras"), F_OK) != 0);
	nacre_clear_error(m);
	CHECK_EQ(nacre_save(m, file("own.weights.h5")), NACRE_OK);
	unlink(file("own.weights.h5"));
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(adam_goes_on)
{
	go_on("adam", "sequential_x.npy", 6);
}

TEST(sgd_with_a_schedule_goes_on)
{
	go_on("sgd", "sequential_x.npy", 6);
}

TEST(nested_models_go_on)
{
	go_on("nested", "sequential_x.npy", 6);
}

TEST(rmsprop_goes_on)
{
	go_on("rmsprop", "sequential_x.npy", 6);
}

/* Each constraint and each regularizer, of kernels of every form, of biases and of an output. */
TEST(convolutions_with_constraints_go_on)
{
	go_on("conv", "conv_x.npy", 6);
}

static void conv_layers(nacre_model *m)
{
	nacre_add(m, nacre_input(6, 6, 2));
	nacre_add(m, nacre_conv2d(3, {3}, .padding = NACRE_SAME,
				  .kernel_constraint = nacre_max_norm(0.6, 0),
				  .bias_constraint = nacre_non_neg(),
				  .kernel_regularizer = nacre_l2(0.01),
				  .bias_regularizer = nacre_l1(0.02),
				  .activity_regularizer = nacre_l1_l2(0.001, 0.002)));
	nacre_add(m, nacre_depthwise_conv2d({3}, .depthwise_constraint = nacre_unit_norm(0),
					    .depthwise_regularizer = nacre_l1(0.01),
					    .bias_regularizer = nacre_l2(0.01)));
	nacre_add(m, nacre_separable_conv2d(4, {2},
					    .depthwise_constraint =
						nacre_min_max_norm(0.3, 0.9, 0.5, 0),
					    .pointwise_constraint = nacre_max_norm(1.1, 0),
					    .pointwise_regularizer = nacre_l1_l2(0.01, 0.02),
					    .bias_constraint = nacre_non_neg()));
	nacre_add(m, nacre_conv2d_transpose(2, {2}, {2}, .kernel_constraint = nacre_non_neg(),
					    .kernel_regularizer = nacre_l2(0.03)));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(3, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_sgd(0.05), .loss = nacre_categorical_crossentropy);
}

TEST(convolutions_with_constraints)
{
	there_and_back(conv_layers, "conv_x.npy", NULL);
}
