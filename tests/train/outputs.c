/* SPDX-License-Identifier: MIT
 *
 * outputs.c - losses, their options and metrics of each of several outputs: numbers, names in the
 * logs, errors, and the way through a file of Keras.
 */
#include <unistd.h>

#include "help.h"

enum { N = 24 };

/* inputs 4 -> "value" 1 number, "label" 3 logits */
static nacre_model *forked(nacre_runtime *rt)
{
	nacre_model *m = nacre_functional_in(rt, "forked");
	nacre_value *x = nacre_model_input(m, nacre_input(4));
	nacre_value *h = nacre_apply(nacre_dense(5, .activation = nacre_tanh), x);
	nacre_model_output(m, nacre_apply(nacre_dense(1, .name = "value"), h));
	nacre_model_output(m, nacre_apply(nacre_dense(3, .name = "label"), h));
	return m;
}

static nacre_dataset *data(nacre_runtime *rt)
{
	nacre_dataset *a = sums(rt, N, 4), *b = classes(rt, N, 4, 3);
	const nacre_tensor *x = nacre_dataset_input(a, 0);
	const nacre_tensor *y[] = {nacre_dataset_target(a, 0), nacre_dataset_target(b, 0)};
	nacre_dataset *d = nacre_dataset_new(rt, 1, &x, 2, y);
	nacre_dataset_free(a);
	nacre_dataset_free(b);
	return d;
}

static void compile(nacre_model *m)
{
	nacre_compile(m, .optimizer = nacre_adam(0.01),
		      .losses = {nacre_mse, nacre_sparse_categorical_crossentropy},
		      .losses_options = {{0}, {.from_logits = 1}}, .loss_weights = {2, 0.5},
		      .metrics = {nacre_mae, nacre_accuracy, nacre_mae},
		      .metric_options = {{.output = NACRE_OUTPUT(0)},
					 {.output = NACRE_OUTPUT(1)},
					 {.output = NACRE_OUTPUT(0), .weighted = 1}});
}

/* What they should be, from the outputs. */
typedef struct wanted {
	double square, absolute, entropy, right;
} wanted;

static wanted by_hand(nacre_model *m, nacre_dataset *d)
{
	wanted w = {0};
	nacre_tensor *out[2];
	nacre_predict(m, d, .outputs = out);
	for (int i = 0; i < N; i++) {
		double e =
		    nacre_tensor_get(out[0], i) - nacre_tensor_get(nacre_dataset_target(d, 0), i);
		double sum = 0, z[3];
		int label = (int)nacre_tensor_get(nacre_dataset_target(d, 1), i), best = 0;
		for (int k = 0; k < 3; k++) {
			z[k] = nacre_tensor_get(out[1], 3 * i + k);
			sum += exp(z[k]);
			best = z[k] > z[best] ? k : best;
		}
		w.square += e * e / N;
		w.absolute += fabs(e) / N;
		w.entropy += (log(sum) - z[label]) / N;
		w.right += (best == label) / (double)N;
	}
	nacre_tensor_free(out[0]);
	nacre_tensor_free(out[1]);
	return w;
}

static void check_result(nacre_model *m, nacre_dataset *d)
{
	wanted w = by_hand(m, d);
	nacre_result r = nacre_evaluate(m, d, .batch_size = 7, .verbose = -1);
	CHECK_FINE(m);
	CHECK_NEAR(r.output_loss[0], w.square, 1e-5);
	CHECK_NEAR(r.output_loss[1], w.entropy, 1e-5);
	CHECK_NEAR(r.loss, 2 * w.square + 0.5 * w.entropy, 1e-5);
	CHECK(isnan(r.output_loss[2]));
}

static const char *const names[] = {"loss",      "value_loss",     "label_loss",
				    "value_mae", "label_accuracy", "value_weighted_mae"};

TEST(numbers_and_names)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = data(rt);
	nacre_model *m = forked(rt);
	compile(m);
	check_result(m, d);
	wanted w = by_hand(m, d);
	nacre_result r = nacre_test_on_batch(m, d);
	CHECK_NEAR(r.metric[0], w.absolute, 1e-5);
	CHECK_NEAR(r.metric[1], w.right, 1e-6);
	CHECK_NEAR(r.metric[2], w.absolute, 1e-5);
	nacre_fit(m, d, .epochs = 2, .batch_size = 7, .validation_data = d, .verbose = -1);
	CHECK_FINE(m);
	for (int i = 0; i < 6; i++) {
		char name[64];
		CHECK_STR(nacre_history_name(m, i), names[i]);
		snprintf(name, sizeof name, "val_%s", names[i]);
		CHECK_STR(nacre_history_name(m, 6 + i), name);
	}
	CHECK(nacre_history_name(m, 12) == NULL);
	r = nacre_evaluate(m, d, .verbose = -1);
	CHECK_NEAR(nacre_history(m, "val_label_loss", 1), r.output_loss[1], 1e-5);
	CHECK_NEAR(nacre_history(m, "val_value_mae", 1), r.metric[0], 1e-5);
	CHECK_NEAR(nacre_history(m, "val_label_accuracy", 1), r.metric[1], 1e-6);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* A metric of every output is the mean over them, under its own name. */
TEST(of_every_output)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = data(rt);
	nacre_model *m = forked(rt);
	nacre_tensor *y[2] = {numbers(rt, N, 1), numbers(rt, N, 3)};
	nacre_dataset *e =
	    nacre_dataset_new(rt, 1, (const nacre_tensor *[]){nacre_dataset_input(d, 0)}, 2,
			      (const nacre_tensor *const *)y);
	nacre_compile(
	    m, .loss = nacre_mse, .metrics = {nacre_mae, nacre_mae, nacre_mae},
	    .metric_options = {{0}, {.output = NACRE_OUTPUT(0)}, {.output = NACRE_OUTPUT(1)}});
	nacre_result r = nacre_evaluate(m, e, .batch_size = 7, .verbose = -1);
	CHECK_FINE(m);
	CHECK_NEAR(r.loss, r.output_loss[0] + r.output_loss[1], 1e-5);
	CHECK_NEAR(r.metric[0], (r.metric[1] + r.metric[2]) / 2, 1e-6);
	CHECK(fabs(r.metric[1] - r.metric[2]) > 1e-4);
	nacre_fit(m, e, .verbose = -1);
	CHECK_NEAR(nacre_history(m, "mae", 0),
		   (nacre_history(m, "value_mae", 0) + nacre_history(m, "label_mae", 0)) / 2, 1e-6);
	nacre_model_free(m);
	nacre_tensor_free(y[0]);
	nacre_tensor_free(y[1]);
	nacre_dataset_free(e);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* The same losses, weights, options and names out of a file. */
TEST(through_a_file)
{
	char path[200];
	snprintf(path, sizeof path, "/tmp/nacre-outputs-%d.keras", (int)getpid());
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = data(rt);
	nacre_model *m = forked(rt);
	nacre_error e = {0};
	compile(m);
	nacre_fit(m, d, .epochs = 2, .verbose = -1);
	CHECK_EQ(nacre_save(m, path), NACRE_OK);
	nacre_model *again = nacre_load(rt, path, &e);
	CHECK_STR(e.text, "");
	check_result(again, d);
	nacre_fit(m, d, .epochs = 1, .no_shuffle = 1, .verbose = -1);
	nacre_fit(again, d, .epochs = 1, .no_shuffle = 1, .verbose = -1);
	for (int i = 0; i < 6; i++) {
		CHECK_STR(nacre_history_name(again, i), names[i]);
		CHECK(nacre_history(again, names[i], 0) == nacre_history(m, names[i], 0));
	}
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	unlink(path);
}

TEST(refusals)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = forked(rt);
	nacre_compile(m, .loss = nacre_mse, .metrics = {nacre_mae},
		      .metric_options = {{.output = NACRE_OUTPUT(2)}});
	CHECK_STR(nacre_model_error(m)->text, "compile: metric 0 is of output 2, the model has 2");
	nacre_model_free(m);
	m = forked(rt);
	nacre_compile(m, .losses = {nacre_mse});
	CHECK_STR(nacre_model_error(m)->text, "compile: output 1 has no loss");
	nacre_model_free(m);
	m = forked(rt);
	nacre_compile(m, .losses = {nacre_mse, nacre_binary_crossentropy},
		      .losses_options = {{0}, {.label_smoothing = 2}});
	CHECK_EQ(nacre_model_error(m)->status, NACRE_INVALID);
	CHECK(strstr(nacre_model_error(m)->text, "label_smoothing") != NULL);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* Keras: a weighted metric of a name that is there already, and others by number. */
TEST(names_that_occur_twice)
{
	static const char *const want[] = {
	    "loss", "mae", "mae_1", "weighted_mae", "weighted_mae_1", "mse", "mse_1_is_not_there"};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(1));
	nacre_compile(
	    m, .loss = nacre_mse,
	    .metrics = {nacre_mae, nacre_mae, nacre_mae, nacre_mae, nacre_mse},
	    .metric_options = {{0}, {0}, {.weighted = 1}, {.weighted = 1}, {.weighted = 1}});
	nacre_fit(m, d, .verbose = -1);
	for (int i = 0; i < 6; i++)
		CHECK_STR(nacre_history_name(m, i), want[i]);
	CHECK(isnan(nacre_evaluate(m, d, .verbose = -1).output_loss[0]));
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}
