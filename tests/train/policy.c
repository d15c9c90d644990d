/* SPDX-License-Identifier: MIT
 *
 * policy.c - dtype policies: what models compute in, the same bits on any number of threads, the
 * loss beside that of f32, files that say the policy.
 */
#include <unistd.h>

#include "nacre/save.h"
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
