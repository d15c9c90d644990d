/* SPDX-License-Identifier: MIT
 *
 * cut.c - another top for a trained network: cut, freeze, put together, train, thaw, train on.
 */
#include "help.h"

static nacre_model *base(void)
{
	nacre_model *m = nacre_functional("base");
	nacre_value *x = nacre_model_input(m, nacre_input(6, 6, 1));
	x = nacre_apply(nacre_conv2d(4, {3}, .name = "conv"), x);
	x = nacre_apply(nacre_batch_normalization(.name = "bn"), x);
	nacre_value *features = nacre_apply(nacre_activation(nacre_relu, .name = "relu"), x);
	nacre_value *aside = nacre_model_input(m, nacre_input(2));
	x = nacre_apply(nacre_flatten(), features);
	x = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){x, aside});
	x = nacre_apply(nacre_dense(5, nacre_softmax, .name = "top"), x);
	nacre_model_output(m, x);
	nacre_model_output(m, nacre_apply(nacre_dense(1, .name = "second"), x));
	CHECK_STR(nacre_model_error(m)->text, "");
	return m;
}

TEST(functional)
{
	nacre_model *m = base();
	nacre_value *v = nacre_cut(m, "relu");
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK_EQ(nacre_value_shape(v)[3], 4);
	CHECK_EQ(nacre_model_outputs(m), 1);
	CHECK_EQ(nacre_model_layers(m), 4);
	CHECK(!nacre_get_layer(m, "top") && nacre_get_layer(m, "conv"));
	CHECK(nacre_get_layer(m, "flatten") == NULL);
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){2, 6, 6, 1}, NULL);
	nacre_tensor *y = nacre_predict_tensor(m, x);
	CHECK(y && nacre_tensor_rank(y) == 4);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_cut(m, "nothing");
	CHECK(strstr(nacre_model_error(m)->text, "nothing"));
	nacre_model_free(m);
	CHECK(nacre_cut(NULL, "x") == NULL);
}

TEST(sequential)
{
	nacre_model *m = nacre_sequential(NULL);
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(3, .name = "a"));
	nacre_add(m, nacre_dense(2, .name = "b"));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_mean_squared_error);
	nacre_cut(m, "a");
	nacre_add(m, nacre_dense(7, .name = "c"));
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK_EQ(nacre_model_parameters(m), 4 * 3 + 3 + 3 * 7 + 7);
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_mean_squared_error);
	CHECK_STR(nacre_model_error(m)->text, "");
	nacre_model_free(m);
}

static nacre_tensor *weight(nacre_model *m, const char *name)
{
	nacre_tensor *t = nacre_get_weight(m, name);
	CHECK(t);
	return t;
}

static bool same(const nacre_tensor *a, const nacre_tensor *b)
{
	return a && b &&
	       memcmp(nacre_tensor_data(a), nacre_tensor_data(b),
		      (size_t)nacre_tensor_size(a) * sizeof(float)) == 0;
}

static nacre_dataset *pictures(void)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){24, 6, 6, 1}, NULL);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){24, 2}, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(x); i++)
		nacre_tensor_set(x, i, (double)((i * 7919) % 101) / 50 - 1);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, (i / 2 + i) % 2 ? 1 : 0);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, t);
	CHECK(d);
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	return d;
}

/* Names of weights whose layers are frozen, then thawed; moving averages stand still as well. */
TEST(fine_tuning)
{
	static const char *const names[] = {"base/conv/kernel", "base/bn/gamma",
					    "base/bn/moving_mean", "base/bn/moving_variance"};
	nacre_model *b = base(), *m = nacre_sequential("fine");
	nacre_dataset *d = pictures();
	nacre_tensor *before[4], *after;
	nacre_cut(b, "relu");
	nacre_layer *body = nacre_nested(b);
	nacre_layer_set_trainable(body, false);
	nacre_add(m, nacre_input(6, 6, 1));
	nacre_add(m, body);
	nacre_add(m, nacre_global_average_pooling2d());
	nacre_add(m, nacre_dense(2, nacre_softmax));
	nacre_compile(m, .optimizer = nacre_sgd(.learning_rate = 0.1),
		      .loss = nacre_categorical_crossentropy);
	CHECK_STR(nacre_model_error(m)->text, "");
	for (int i = 0; i < 4; i++)
		before[i] = weight(m, names[i]);
	nacre_fit(m, d, .epochs = 2, .verbose = NACRE_SILENT);
	CHECK_STR(nacre_model_error(m)->text, "");
	for (int i = 0; i < 4; i++) {
		after = weight(m, names[i]);
		CHECK(same(before[i], after));
		nacre_tensor_free(after);
	}
	nacre_layer_set_trainable(body, true);
	nacre_compile(m, .optimizer = nacre_sgd(.learning_rate = 0.01),
		      .loss = nacre_categorical_crossentropy);
	nacre_fit(m, d, .epochs = 1, .verbose = NACRE_SILENT);
	CHECK_STR(nacre_model_error(m)->text, "");
	for (int i = 0; i < 4; i++) {
		after = weight(m, names[i]);
		CHECK(!same(before[i], after));
		nacre_tensor_free(after);
		nacre_tensor_free(before[i]);
	}
	nacre_model_free(m);
	nacre_dataset_free(d);
}
