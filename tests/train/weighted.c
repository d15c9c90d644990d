/* SPDX-License-Identifier: MIT
 *
 * weighted.c - weights of samples and of classes in fit and evaluate, and metrics that are made of
 * sums: they do not depend on how an epoch is cut into batches.
 */
#include "help.h"

enum { N = 23 };

static nacre_model *linear(nacre_runtime *rt, nacre_loss_options o)
{
	nacre_model *m = nacre_sequential_in(rt, "linear");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = nacre_sgd(0.1), .loss = nacre_mse, .loss_options = o,
		      .metrics = {nacre_mae, nacre_mae, nacre_root_mean_squared_error},
		      .metric_options = {{0}, {.weighted = 1}, {.weighted = 1}});
	return m;
}

static nacre_tensor *weights(nacre_runtime *rt)
{
	nacre_tensor *w = nacre_tensor_new(rt, NACRE_F32, 1, (int64_t[]){N}, NULL);
	for (int i = 0; i < N; i++)
		nacre_tensor_set(w, i, i % 3 * 0.75);
	return w;
}

/* errors[i] = output - target; biases begin at 0, so the output is x kernel */
static void errors(nacre_model *m, nacre_dataset *d, double *e)
{
	nacre_tensor *y = nacre_predict(m, d);
	for (int i = 0; i < N; i++)
		e[i] = nacre_tensor_get(y, i) - nacre_tensor_get(nacre_dataset_target(d, 0), i);
	nacre_tensor_free(y);
}

TEST(evaluate_with_weights)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	nacre_tensor *w = weights(rt);
	double e[N], loss = 0, mean = 0, weighted = 0, square = 0, sum = 0;
	nacre_model *m = linear(rt, (nacre_loss_options){0});
	errors(m, d, e);
	for (int i = 0; i < N; i++) {
		double v = nacre_tensor_get(w, i);
		loss += v * e[i] * e[i] / N;
		mean += fabs(e[i]) / N;
		weighted += v * fabs(e[i]);
		square += v * e[i] * e[i];
		sum += v;
	}
	for (int64_t batch = 5; batch < 30; batch += 6) {
		nacre_result r =
		    nacre_evaluate(m, d, .batch_size = batch, .sample_weight = w, .verbose = -1);
		CHECK_NEAR(r.loss, loss, 1e-5);
		CHECK_NEAR(r.metric[0], mean, 1e-5);
		CHECK_NEAR(r.metric[1], weighted / sum, 1e-5);
		CHECK_NEAR(r.metric[2], sqrt(square / sum), 1e-5);
	}
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_tensor_free(w);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

static double bias_after(nacre_model *m, nacre_dataset *d, nacre_fit_options o)
{
	o.data = d;
	o.verbose = -1;
	o.batch_size = N;
	nacre_fit_with(m, o);
	CHECK_FINE(m);
	nacre_tensor *b = nacre_get_weight(m, "dense/bias");
	double v = b ? nacre_tensor_get(b, 0) : NAN;
	nacre_tensor_free(b);
	nacre_model_free(m);
	return v;
}

TEST(a_step_with_weights)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	nacre_tensor *w = weights(rt);
	double e[N], g = 0, sum = 0;
	nacre_model *m = linear(rt, (nacre_loss_options){0});
	errors(m, d, e);
	nacre_model_free(m);
	for (int i = 0; i < N; i++) {
		g += 2 * e[i] * nacre_tensor_get(w, i);
		sum += nacre_tensor_get(w, i);
	}
	nacre_fit_options o = {.sample_weight = w};
	CHECK_NEAR(bias_after(linear(rt, (nacre_loss_options){0}), d, o), -0.1 * g / N, 1e-5);
	nacre_loss_options by = {.reduction = NACRE_REDUCE_WEIGHTED_MEAN};
	CHECK_NEAR(bias_after(linear(rt, by), d, o), -0.1 * g / sum, 1e-5);
	by.reduction = NACRE_REDUCE_SUM;
	CHECK_NEAR(bias_after(linear(rt, by), d, o), -0.1 * g, 1e-4);
	nacre_tensor_free(w);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(classes_with_weights)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, N, 4, 3);
	const double by_class[] = {0.5, 2, 3};
	nacre_tensor *w = nacre_tensor_new(rt, NACRE_F32, 1, (int64_t[]){N}, NULL);
	for (int i = 0; i < N; i++)
		nacre_tensor_set(w, i, by_class[nacre_dataset_label(d, i)]);
	double loss[2];
	for (int k = 0; k < 2; k++) {
		nacre_model *m = classifier(rt, 4, 5, 3);
		nacre_fit_options o = {.data = d, .epochs = 2, .batch_size = 7, .verbose = -1};
		o.sample_weight = k ? NULL : w;
		o.class_weight = k ? by_class : NULL;
		o.n_class_weights = k ? 3 : 0;
		nacre_fit_with(m, o);
		CHECK_FINE(m);
		loss[k] = nacre_history(m, "loss", 1);
		nacre_model_free(m);
	}
	CHECK(loss[0] == loss[1] && loss[0] > 0);
	nacre_model *m = classifier(rt, 4, 5, 3);
	nacre_fit(m, d, .sample_weight = w, .class_weight = by_class, .n_class_weights = 3);
	CHECK_STR(nacre_model_error(m)->text,
		  "fit: expected sample_weight or class_weight, got both");
	nacre_model_free(m);
	nacre_tensor_free(w);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}
