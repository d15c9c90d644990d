/* SPDX-License-Identifier: MIT
 *
 * random_models.c - models made at random, some of them impossible: whatever is drawn ends in an
 * error that names a layer, or trains to the same losses on the fast backend, on it without
 * optional passes, and on the reference one.
 */
#include "help.h"

enum { MODELS = 60, SAMPLES = 13 };

static uint64_t state;

static int pick(int n) /* 0 .. n-1, the same again for the same state */
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (int)((state >> 33) % (uint64_t)n);
}

static nacre_activation_function *any_activation(void)
{
	static const char *const names[] = {"linear",  "relu",     "sigmoid",   "tanh",
					    "softmax", "gelu",     "elu",       "selu",
					    "silu",    "softplus", "leaky_relu"};
	return nacre_activation_named(names[pick(11)]);
}

static nacre_layer *any_layer(void)
{
	switch (pick(10)) {
	case 0:
	case 1:
		return nacre_dense(pick(20), any_activation(), .no_bias = pick(2),
				   .kernel_regularizer = nacre_l2(pick(2) * 0.01));
	case 2:
		return nacre_activation(any_activation());
	case 3:
		return nacre_dropout(pick(12) / 10.0);
	case 4:
		return nacre_flatten();
	case 5:
		return nacre_reshape_layer(pick(3) + 1, -1);
	case 6:
		return nacre_batch_normalization(.axis = pick(3) - 1, .no_scale = pick(2));
	case 7:
		return nacre_layer_normalization(.axis = {pick(3) - 1}, .no_center = pick(2));
	case 8:
		return nacre_reshape_layer(-1, pick(4) + 1, 1);
	default:
		return nacre_dense(6, any_activation(), .kernel_initializer = nacre_orthogonal);
	}
}

static nacre_value *any_joint(nacre_value *const *v, int n)
{
	nacre_value *two[] = {v[pick(n)], v[pick(n)]};
	nacre_layer *l = pick(2) ? nacre_add_layer() : nacre_concatenate(.axis = pick(3) - 1);
	return nacre_apply_n(l, 2, two);
}

static nacre_optimizer any_optimizer(void)
{
	switch (pick(5)) {
	case 0:
		return nacre_sgd(0.01, .momentum = 0.9, .nesterov = pick(2));
	case 1:
		return nacre_rmsprop();
	case 2:
		return nacre_adam(.clipnorm = 1);
	case 3:
		return nacre_adamw();
	default:
		return nacre_sgd(0.01, .global_clipnorm = 0.5);
	}
}

/* The model of a seed, trained for two epochs of uneven batches; its losses, or its error. */
static nacre_error train(nacre_runtime *rt, uint64_t seed, const char *backend, int plain,
			 double loss[2])
{
	state = seed;
	nacre_model *m = nacre_functional_in(rt, "random");
	nacre_value *v[12] = {nacre_model_input(m, pick(2) ? nacre_input(6) : nacre_input(3, 4))};
	int n = 1;
	while (n < 3 + pick(8))
		n++;
	for (int i = 1; i < n; i++)
		v[i] = pick(4) ? nacre_apply(any_layer(), v[i - 1]) : any_joint(v, i);
	nacre_model_output(m, nacre_apply(nacre_dense(2), nacre_apply(nacre_flatten(), v[n - 1])));
	nacre_compile(m, .optimizer = any_optimizer(), .loss = pick(2) ? nacre_mse : nacre_huber,
		      .metrics = {nacre_mae}, .backend = backend, .no_optimize = plain);
	int64_t in = nacre_value_rank(v[0]) == 3 ? 12 : 6;
	nacre_tensor *x = numbers(rt, SAMPLES, in), *y = numbers(rt, SAMPLES, 2);
	nacre_tensor *s = in == 6 ? nacre_tensor_reshape(x, 2, (int64_t[]){SAMPLES, 6}, NULL)
				  : nacre_tensor_reshape(x, 3, (int64_t[]){SAMPLES, 3, 4}, NULL);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, s, y);
	nacre_fit(m, d, .epochs = 2, .batch_size = 5);
	loss[0] = nacre_history(m, "loss", 1);
	loss[1] = nacre_evaluate(m, d, .batch_size = 4).loss;
	nacre_error e = *nacre_model_error(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_tensor_free(s);
	nacre_tensor_free(y);
	return e;
}

TEST(train_or_tell)
{
	nacre_runtime *rt = quiet(NULL, 0);
	int trained = 0, refused = 0;
	for (int i = 0; i < MODELS || trained < MODELS / 4; i++) {
		uint64_t seed = test_random();
		double fast[2], plain[2], exact[2];
		nacre_error e = train(rt, seed, NULL, 0, fast);
		nacre_error f = train(rt, seed, NULL, 1, plain);
		nacre_error g = train(rt, seed, "reference", 0, exact);
		if (strcmp(e.text, f.text) || strcmp(e.text, g.text))
			test_failed(__FILE__, __LINE__, "%llu: \"%s\", \"%s\", \"%s\"",
				    (unsigned long long)seed, e.text, f.text, g.text);
		refused += e.status != NACRE_OK;
		if (e.status && (e.status != NACRE_INVALID || !strchr(e.text, ':')))
			test_failed(__FILE__, __LINE__, "%llu: %s", (unsigned long long)seed,
				    e.text);
		if (e.status)
			continue;
		trained++;
		for (int k = 0; k < 2; k++) {
			double tolerance = 2e-3 * fmax(1, fabs(exact[k]));
			if (!(fabs(fast[k] - exact[k]) <= tolerance) ||
			    !(fabs(plain[k] - exact[k]) <= tolerance))
				test_failed(__FILE__, __LINE__, "%llu: %.9g, %.9g, %.9g",
					    (unsigned long long)seed, fast[k], plain[k], exact[k]);
		}
	}
	CHECK(trained > 0 && refused > 0);
	nacre_runtime_free(rt);
}
