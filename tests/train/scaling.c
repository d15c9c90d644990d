/* SPDX-License-Identifier: MIT
 *
 * scaling.c - dynamic loss scaling: what Keras's LossScaleOptimizer does, step by step, and through
 * a file.
 */
#include <unistd.h>

#include "help.h"

enum { N = 24, BATCH = 8 };

static nacre_model *reduced(nacre_runtime *rt, nacre_optimizer o, nacre_reduction by)
{
	nacre_model *m = nacre_sequential_in(rt, "linear");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(3, .activation = nacre_tanh));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = o, .loss = nacre_mse, .loss_options = {.reduction = by},
		      .metrics = {nacre_mae});
	return m;
}

static nacre_model *linear(nacre_runtime *rt, nacre_optimizer o)
{
	return reduced(rt, o, NACRE_REDUCE_MEAN);
}

static double distance(nacre_model *a, nacre_model *b)
{
	double most = 0;
	for (int i = 0; i < nacre_model_weights(a); i++) {
		nacre_tensor *p = nacre_get_weight(a, nacre_model_weight_name(a, i));
		nacre_tensor *q = nacre_get_weight(b, nacre_model_weight_name(b, i));
		for (int64_t k = 0; k < nacre_tensor_size(p); k++)
			most = fmax(most, fabs(nacre_tensor_get(p, k) - nacre_tensor_get(q, k)));
		nacre_tensor_free(p);
		nacre_tensor_free(q);
	}
	return most;
}

/* A power of two changes no bit of a gradient that it does not overflow. */
TEST(scaled_and_plain)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	const nacre_optimizer plain[] = {
	    nacre_sgd(0.05, .momentum = 0.9),
	    nacre_adam(0.01, .clipnorm = 0.5),
	    nacre_adam(0.01, .amsgrad = 1, .use_ema = 1, .ema_overwrite_frequency = 2),
	    nacre_adafactor(0.02),
	    nacre_rmsprop(0.01, .gradient_accumulation_steps = 2),
	    nacre_adamw(0.01, .use_ema = 1, .gradient_accumulation_steps = 3),
	};
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		nacre_optimizer scaled = plain[i];
		scaled.dynamic_loss_scale = 1;
		scaled.initial_scale = 1024;
		scaled.dynamic_growth_steps = 4;
		nacre_model *a = linear(rt, plain[i]), *b = linear(rt, scaled);
		nacre_fit(a, d, .epochs = 3, .batch_size = BATCH, .verbose = -1);
		nacre_fit(b, d, .epochs = 3, .batch_size = BATCH, .verbose = -1);
		CHECK_FINE(a);
		CHECK_FINE(b);
		CHECK_EQ(nacre_iterations(b), 9);
		CHECK_EQ(nacre_loss_scale(a), 1);
		CHECK_EQ(nacre_loss_scale(b), 4096); /* doubled after steps 4 and 8 */
		CHECK(distance(a, b) <= 1e-6);
		CHECK(nacre_history(a, "loss", 2) > 0);
		CHECK_NEAR(nacre_history(a, "loss", 2), nacre_history(b, "loss", 2), 1e-6);
		nacre_model_free(a);
		nacre_model_free(b);
	}
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* Gradients that overflow make no step and halve the scale, until they are finite. */
TEST(overflow)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	nacre_model *m = reduced(rt,
				 nacre_adam(0.01, .dynamic_loss_scale = 1, .initial_scale = 0x1p127,
					    .dynamic_growth_steps = 3),
				 NACRE_REDUCE_SUM);
	nacre_model *before = reduced(rt, nacre_adam(0.01), NACRE_REDUCE_SUM);
	int skipped = 0;
	double scale = 0x1p127;
	while (nacre_iterations(m) == 0 && skipped < 20) {
		CHECK(distance(m, before) == 0);
		nacre_result r = nacre_train_on_batch(m, d);
		CHECK(isfinite(r.loss)); /* that which is shown is not scaled */
		if (nacre_iterations(m) == 0) {
			scale /= 2;
			skipped++;
		}
		CHECK_EQ(nacre_loss_scale(m), scale);
	}
	CHECK(skipped > 0 && skipped < 20);
	CHECK(distance(m, before) > 0);
	nacre_train_on_batch(before, d);
	CHECK(distance(m, before) <= 1e-6);
	for (int i = 0; i < 2; i++)
		nacre_train_on_batch(m, d);
	CHECK_EQ(nacre_loss_scale(m), 2 * scale); /* three steps in a row */
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_model_free(before);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(through_a_file)
{
	char path[200];
	snprintf(path, sizeof path, "/tmp/nacre-scaling-%d.keras", (int)getpid());
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, N, 4);
	for (int steps = 0; steps < 6; steps += 5) {
		nacre_error e = {0};
		nacre_model *m =
		    linear(rt, nacre_adam(0.01, .dynamic_loss_scale = 1, .initial_scale = 0x1p126,
					  .dynamic_growth_steps = 3, .use_ema = 1));
		for (int i = 0; i < steps; i++)
			nacre_train_on_batch(m, d);
		CHECK_EQ(nacre_save(m, path), NACRE_OK);
		nacre_model *again = nacre_load(rt, path, &e);
		CHECK_STR(e.text, "");
		CHECK_EQ(nacre_loss_scale(again), nacre_loss_scale(m));
		CHECK_EQ(nacre_iterations(again), nacre_iterations(m));
		CHECK_EQ(nacre_learning_rate(again), nacre_learning_rate(m));
		for (int i = 0; i < 5; i++) {
			nacre_train_on_batch(m, d);
			nacre_train_on_batch(again, d);
			CHECK_EQ(nacre_loss_scale(again), nacre_loss_scale(m));
		}
		CHECK(distance(m, again) == 0);
		CHECK_FINE(m);
		CHECK_FINE(again);
		nacre_model_free(m);
		nacre_model_free(again);
	}
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	unlink(path);
}

TEST(refusals)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = linear(rt, nacre_sgd(.dynamic_loss_scale = 1, .loss_scale_factor = 8));
	CHECK_STR(nacre_model_error(m)->text,
		  "compile: sgd: expected only one of loss_scale_factor and dynamic_loss_scale");
	nacre_model_free(m);
	m = linear(rt, nacre_sgd(.dynamic_loss_scale = 1, .initial_scale = -1));
	CHECK_STR(nacre_model_error(m)->text,
		  "compile: sgd: initial_scale: expected 0 to 3e+38, got -1");
	nacre_model_free(m);
	nacre_runtime_free(rt);
}
