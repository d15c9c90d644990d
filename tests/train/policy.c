/* SPDX-License-Identifier: MIT
 *
 * policy.c - dtype policies: what models compute in, the same bits on any number of threads, the
 * loss beside that of f32, files that say the policy.
 */
#include <unistd.h>

#include <nacre.h>

#include "nn/policy.h"
#include "test.h"
#include "train/model.h"

enum { N = 64, IN = 20, OUT = 5 };

static nacre_dataset *data(nacre_runtime *rt)
{
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){N, IN}, NULL);
	nacre_tensor *y = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){N, OUT}, NULL);
	for (int i = 0; i < N * IN; i++)
		nacre_tensor_set(x, i, (double)(i * 37 % 101) / 50 - 1);
	for (int i = 0; i < N * OUT; i++)
		nacre_tensor_set(y, i, i % OUT == i / OUT % OUT);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return d;
}

static nacre_model *model(nacre_runtime *rt, nacre_policy policy, nacre_optimizer o)
{
	nacre_model *m = nacre_sequential_in(rt, "policy");
	nacre_set_seed(m, 3);
	CHECK_EQ(nacre_set_policy(m, policy), NACRE_OK);
	nacre_add(m, nacre_input(IN));
	nacre_add(m, nacre_dense(48, .activation = nacre_relu));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_dropout(0.1));
	nacre_layer *last = nacre_dense(OUT, .activation = nacre_softmax);
	if (policy == NACRE_MIXED_BFLOAT16)
		nacre_layer_set_policy(last, NACRE_FLOAT32);
	nacre_add(m, last);
	nacre_compile(m, .optimizer = o, .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	CHECK_STR(nacre_model_error(m)->text, "");
	return m;
}

static double train(nacre_model *m, nacre_dataset *d)
{
	double loss = 0;
	for (int i = 0; i < 12; i++)
		loss = nacre_train_on_batch(m, d).loss;
	CHECK_STR(nacre_model_error(m)->text, "");
	return loss;
}

TEST(types_of_weights_and_values)
{
	static const struct {
		nacre_policy policy;
		nacre_dtype weight, value;
	} rows[] = {{NACRE_FLOAT32, NACRE_F32, NACRE_F32},
		    {NACRE_FLOAT64, NACRE_F64, NACRE_F64},
		    {NACRE_MIXED_BFLOAT16, NACRE_F32, NACRE_BF16}};
	for (int i = 0; i < 3; i++) {
		nacre_model *m = model(NULL, rows[i].policy, nacre_adam());
		nacre_layer *first = nacre_model_layer(m, 1), *norm = nacre_model_layer(m, 2);
		CHECK_EQ(nacre_layer_policy(first), rows[i].policy);
		CHECK_EQ(first->weight[0].variable->dtype, rows[i].weight);
		CHECK_EQ(norm->weight[2].variable->dtype, rows[i].weight);
		CHECK_EQ(m->calls->y->dtype, rows[i].value);
		CHECK_EQ(m->calls->next->y->dtype, rows[i].value);
		nacre_dataset *d = data(NULL);
		nacre_tensor *y = nacre_predict(m, d);
		CHECK_EQ(nacre_tensor_dtype(y), rows[i].weight);
		nacre_tensor_free(y);
		nacre_dataset_free(d);
		nacre_model_free(m);
	}
}

TEST(losses_beside_those_of_f32)
{
	const nacre_optimizer optimizers[] = {nacre_adam(), nacre_sgd(.momentum = 0.9),
					      nacre_rmsprop(), nacre_adagrad(), nacre_nadam()};
	nacre_dataset *d = data(NULL);
	for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
		double loss[NACRE_POLICIES];
		for (int p = NACRE_FLOAT32; p < NACRE_POLICIES; p++) {
			nacre_model *m = model(NULL, (nacre_policy)p, optimizers[i]);
			loss[p] = train(m, d);
			nacre_model_free(m);
		}
		CHECK_NEAR(loss[NACRE_FLOAT64], loss[NACRE_FLOAT32], 1e-4 * loss[NACRE_FLOAT32]);
		CHECK_NEAR(loss[NACRE_MIXED_BFLOAT16], loss[NACRE_FLOAT32],
			   0.02 * loss[NACRE_FLOAT32]);
	}
	nacre_dataset_free(d);
}

TEST(the_same_bits_on_any_number_of_threads)
{
	static float first[IN * 48];
	for (int threads = 1; threads <= 4; threads++) {
		nacre_runtime_options o = {.threads = threads};
		nacre_runtime *rt = nacre_runtime_new(&o, NULL);
		nacre_dataset *d = data(rt);
		nacre_model *m = model(rt, NACRE_MIXED_BFLOAT16, nacre_adam());
		train(m, d);
		nacre_tensor *w = nacre_get_weight(m, "dense/kernel");
		CHECK(w != NULL);
		if (threads == 1 && w)
			memcpy(first, nacre_tensor_data(w), sizeof first);
		CHECK(w && !memcmp(nacre_tensor_data(w), first, sizeof first));
		nacre_tensor_free(w);
		nacre_model_free(m);
		nacre_dataset_free(d);
		nacre_runtime_free(rt);
	}
}

TEST(files_say_the_policy)
{
	char path[600];
	snprintf(path, sizeof path, "policy-%d.keras", (int)getpid());
	nacre_dataset *d = data(NULL);
	for (int p = NACRE_FLOAT32; p < NACRE_POLICIES; p++) {
		nacre_model *m = model(NULL, (nacre_policy)p, nacre_adam());
		train(m, d);
		CHECK_EQ(nacre_save(m, path), NACRE_OK);
		nacre_error e = {0};
		nacre_model *n = nacre_load(NULL, path, &e);
		CHECK_STR(e.text, "");
		for (int i = 1; i < nacre_model_layers(m); i++)
			CHECK_EQ(nacre_layer_policy(nacre_model_layer(n, i)),
				 nacre_layer_policy(nacre_model_layer(m, i)));
		nacre_tensor *a = nacre_predict(m, d), *b = nacre_predict(n, d);
		for (int64_t i = 0; i < nacre_tensor_size(a); i++)
			CHECK_NEAR(nacre_tensor_get(a, i), nacre_tensor_get(b, i), 1e-6);
		nacre_tensor_free(a);
		nacre_tensor_free(b);
		nacre_model_free(m);
		nacre_model_free(n);
	}
	remove(path);
	nacre_dataset_free(d);
}

/* -- against Keras ------------------------------------------------------------------------------
 * A file of tests/fixtures/make_policy.py: a small network's outputs, and its weights and losses
 * after each of three steps.
 *
 * bf16 keeps 8 bits: a rounding is off by 2^-9 of a number at most.  From an input to the softmax a
 * value goes through five layers whose inputs, weights and outputs are rounded, back again as many;
 * Keras rounds after each op, here a group of ops keeps f32 until it stores.  The roundings of one
 * side are independent of those of the other: outputs (of at most 1) may be 2^-7 apart (seen is
 * 0.005), the loss, a mean of 16, 2^-8 (0.0012), a weight an eighth of what the largest of its
 * tensor has moved by (0.07).  In f64 all is near 1e-15 (outputs: 3e-16), but the loss and its
 * gradient by the output, which are of f32 in both: 2^-24 each (seen is 2e-7), here some ten. */
typedef struct keras_case {
	const char *name;
	nacre_policy policy;
	double output, loss, moved;
} keras_case;

static nacre_model *keras_model(const keras_case *k, nacre_optimizer o)
{
	nacre_model *m = nacre_sequential(k->name);
	nacre_set_policy(m, k->policy);
	nacre_layer *last = nacre_dense(3, .activation = nacre_softmax);
	nacre_add(m, nacre_input(6, 6, 2));
	nacre_add(m, nacre_conv2d(4, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(12, .activation = nacre_tanh));
	nacre_add(m, nacre_layer_normalization());
	if (k->policy == NACRE_MIXED_BFLOAT16)
		nacre_layer_set_policy(last, NACRE_FLOAT32);
	nacre_add(m, last);
	nacre_compile(m, .optimizer = o, .loss = nacre_categorical_crossentropy);
	CHECK_STR(nacre_model_error(m)->text, "");
	return m;
}

static nacre_tensor *of_keras(const nacre_safetensors *f, const char *prefix, const char *name)
{
	char path[200];
	nacre_error e = {0};
	snprintf(path, sizeof path, "%s%s", prefix, name);
	nacre_tensor *t = nacre_safetensors_tensor(f, path, &e);
	CHECK_STR(e.text, "");
	return t;
}

/* The largest |a - b|; b NULL: |a|. */
static double largest(const nacre_tensor *a, const nacre_tensor *b)
{
	double most = 0;
	CHECK(a && (!b || nacre_tensor_size(a) == nacre_tensor_size(b)));
	for (int64_t i = 0; i < nacre_tensor_size(a); i++)
		most = fmax(most, fabs(nacre_tensor_get(a, i) - (b ? nacre_tensor_get(b, i) : 0)));
	return most;
}

static void check_step(const keras_case *k, nacre_model *m, const nacre_safetensors *f, int step)
{
	char prefix[] = {'w', (char)('0' + step), '/', 0};
	for (int i = 0; i < nacre_model_weights(m); i++) {
		const char *name = nacre_model_weight_name(m, i);
		nacre_tensor *before = of_keras(f, "w/", name), *want = of_keras(f, prefix, name);
		nacre_tensor *got = nacre_get_weight(m, name);
		double off = largest(got, want), moved = largest(want, before);
		if (!(off <= k->moved * moved))
			test_failed(__FILE__, __LINE__, "%s: step %d: %s: off by %g of %g", k->name,
				    step, name, off, moved);
		nacre_tensor_free(before);
		nacre_tensor_free(want);
		nacre_tensor_free(got);
	}
}

static void check_keras(const keras_case *k)
{
	char path[600];
	nacre_error e = {0};
	snprintf(path, sizeof path, "%s/tests/fixtures/policy/%s.safetensors", NACRE_SOURCE_DIR,
		 k->name);
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	CHECK_STR(e.text, "");
	nacre_model *m = keras_model(k, nacre_sgd(0.05, .momentum = 0.9));
	for (int i = 0; i < nacre_model_weights(m); i++) {
		nacre_tensor *w = of_keras(f, "w/", nacre_model_weight_name(m, i));
		CHECK_EQ(nacre_set_weight(m, nacre_model_weight_name(m, i), w), NACRE_OK);
		nacre_tensor_free(w);
	}
	nacre_tensor *x = of_keras(f, "x", ""), *y = of_keras(f, "y", "");
	nacre_tensor *want = of_keras(f, "predict", ""), *got = nacre_predict_tensor(m, x);
	CHECK_NEAR(largest(got, want), 0, k->output);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	for (int step = 1; step <= 3; step++) {
		char name[] = {'l', 'o', 's', 's', (char)('0' + step), 0};
		nacre_tensor *loss = of_keras(f, name, "");
		CHECK_NEAR(nacre_train_on_batch(m, d).loss, nacre_tensor_get(loss, 0), k->loss);
		check_step(k, m, f, step);
		nacre_tensor_free(loss);
	}
	CHECK_STR(nacre_model_error(m)->text, "");
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(want);
	nacre_tensor_free(got);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_safetensors_free(f);
}

TEST(numbers_of_keras)
{
	check_keras(&(keras_case){"float64", NACRE_FLOAT64, 1e-12, 1e-6, 1e-6});
	check_keras(
	    &(keras_case){"mixed_bfloat16", NACRE_MIXED_BFLOAT16, 0x1p-7, 0x1p-8, 0x1p-3});
}

/* A layer of each policy: weights of f64 beside those of f32. */
static nacre_model *of_all(bool plain, nacre_optimizer o)
{
	nacre_model *m = nacre_sequential("all");
	nacre_set_seed(m, 3);
	nacre_add(m, nacre_input(IN));
	for (int p = NACRE_FLOAT32; p < NACRE_POLICIES; p++)
		nacre_add(m, nacre_layer_set_policy(nacre_dense(24, .activation = nacre_tanh),
						    plain ? NACRE_FLOAT32 : (nacre_policy)p));
	nacre_add(m, nacre_dense(OUT, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = o, .loss = nacre_categorical_crossentropy);
	return m;
}

/* The length of what a step changed, over all weights. */
static double step_length(nacre_model *m, nacre_dataset *d)
{
	enum { WEIGHTS = 8 };
	nacre_tensor *before[WEIGHTS], *after[WEIGHTS];
	double sum = 0;
	CHECK_EQ(nacre_model_weights(m), WEIGHTS);
	nacre_get_weights(m, before);
	nacre_train_on_batch(m, d);
	nacre_get_weights(m, after);
	CHECK_STR(nacre_model_error(m)->text, "");
	for (int i = 0; i < WEIGHTS; i++) {
		for (int64_t k = 0; k < nacre_tensor_size(before[i]); k++) {
			double by =
			    nacre_tensor_get(after[i], k) - nacre_tensor_get(before[i], k);
			sum += by * by;
		}
		nacre_tensor_free(before[i]);
		nacre_tensor_free(after[i]);
	}
	return sqrt(sum);
}

/* As Keras on JAX; on TensorFlow it refuses to multiply a gradient of f32 by a norm of f64. */
TEST(one_norm_of_weights_of_all_types)
{
	nacre_dataset *d = data(NULL);
	nacre_model *m = of_all(false, nacre_sgd(1, .global_clipnorm = 0.02));
	CHECK_EQ(nacre_model_layer(m, 2)->weight[0].variable->dtype, NACRE_F64);
	CHECK_EQ(nacre_model_layer(m, 3)->weight[0].variable->dtype, NACRE_F32);
	CHECK_NEAR(step_length(m, d), 0.02, 1e-6);
	nacre_model_free(m);
	m = of_all(false, nacre_sgd(1, .global_clipnorm = 1e6)); /* leaves them as they are */
	nacre_model *free_of_it = of_all(false, nacre_sgd(1));
	CHECK_NEAR(step_length(m, d), step_length(free_of_it, d), 1e-7);
	nacre_model_free(m);
	nacre_model_free(free_of_it);
	nacre_dataset_free(d);
}

TEST(options_of_weights_of_all_types)
{
	const nacre_optimizer optimizers[] = {
	    nacre_sgd(0.1, .clipnorm = 0.1),
	    nacre_adam(0.01, .global_clipnorm = 0.1),
	    nacre_rmsprop(0.01, .clipvalue = 0.01, .centered = 1, .momentum = 0.5),
	    nacre_adam(0.01, .amsgrad = 1, .use_ema = 1, .ema_overwrite_frequency = 2),
	    nacre_adamw(0.01, .gradient_accumulation_steps = 2),
	    nacre_adagrad(0.1, .loss_scale_factor = 64),
	    nacre_adam(0.01, .dynamic_loss_scale = 1, .global_clipnorm = 0.1),
	    nacre_adadelta(1),
	    nacre_adamax(0.01),
	    nacre_nadam(0.01, .use_ema = 1, .gradient_accumulation_steps = 2),
	    nacre_lion(0.001),
	    nacre_lamb(0.01),
	    nacre_ftrl(0.1),
	    nacre_adafactor(0.01),
	    nacre_muon(0.01),
	    nacre_schedule_free_adamw(0.01),
	};
	nacre_dataset *d = data(NULL);
	for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++) {
		nacre_model *m = of_all(false, optimizers[i]), *plain = of_all(true, optimizers[i]);
		double loss = train(m, d), want = train(plain, d);
		CHECK_NEAR(loss, want, 0.02 * want);
		nacre_model_free(m);
		nacre_model_free(plain);
	}
	nacre_dataset_free(d);
}

TEST(misuse)
{
	nacre_layer *l = nacre_layer_set_policy(nacre_dense(3), (nacre_policy)77);
	CHECK_STR(nacre_layer_error(l)->text, "dense: policy: 77 is none");
	nacre_layer_free(l);
	nacre_model *m = nacre_sequential("m");
	CHECK_EQ(nacre_set_policy(m, NACRE_POLICY_DEFAULT), NACRE_INVALID);
	CHECK_STR(nacre_model_error(m)->text, "set_policy: 0 is none");
	nacre_model_free(m);
	CHECK(!nacre_layer_set_policy(NULL, NACRE_FLOAT32));
	CHECK(!nacre_policy_name((nacre_policy)-1));
}
