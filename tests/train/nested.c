/* SPDX-License-Identifier: MIT
 *
 * nested.c - models as layers, layers with several outputs, masks that reach the loss, layers of
 * one's own.
 */
#include "help.h"
#include "nn/layer.h"

/* dense(3), batch normalization; the caller's until it is nested */
static nacre_model *encoder(nacre_runtime *rt)
{
	nacre_model *m = nacre_sequential_in(rt, "encoder");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(3, nacre_tanh));
	nacre_add(m, nacre_batch_normalization());
	return m;
}

static bool same_numbers(const nacre_tensor *a, const nacre_tensor *b)
{
	size_t size = a && b ? (size_t)nacre_tensor_size(a) * sizeof(float) : 0;
	return size && nacre_tensor_size(a) == nacre_tensor_size(b) &&
	       memcmp(nacre_tensor_data(a), nacre_tensor_data(b), size) == 0;
}

TEST(model_as_layer)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 24, 4);
	nacre_tensor *x = numbers(rt, 24, 4);
	nacre_model *inner = encoder(rt), *m = nacre_functional_in(rt, "m");
	nacre_value *v = nacre_apply(nacre_nested(inner), nacre_model_input(m, nacre_input(4)));
	nacre_model_output(m, nacre_apply(nacre_dense(1), v));
	CHECK_EQ(nacre_value_shape(v)[1], 3);
	CHECK_EQ(nacre_model_layers(m), 3);
	CHECK_EQ(nacre_model_parameters(m), 4 * 3 + 3 + 12 + 4);
	CHECK_STR(nacre_layer_class(nacre_get_layer(m, "encoder")), "Sequential");
	nacre_compile(m, .optimizer = nacre_adam(0.05), .loss = nacre_mse);
	nacre_tensor *a = nacre_get_weight(m, "encoder/dense/kernel");
	double before = nacre_evaluate(m, d).loss;
	nacre_fit(m, d, .epochs = 40, .batch_size = 8);
	CHECK(nacre_evaluate(m, d).loss < before / 2);
	nacre_tensor *b = nacre_get_weight(m, "encoder/dense/kernel");
	nacre_tensor *moved = nacre_get_weight(m, "encoder/batch_normalization/moving_mean");
	CHECK(!same_numbers(a, b));
	CHECK(moved && nacre_tensor_get(moved, 0) != 0);
	/* by itself it has the same weights */
	nacre_tensor *c = nacre_get_weight(inner, "encoder/dense/kernel");
	CHECK(same_numbers(b, c));
	nacre_tensor *y = nacre_predict_tensor(inner, x);
	CHECK(y && nacre_tensor_shape(y)[1] == 3);
	nacre_tensor *all[] = {a, b, c, moved, x, y};
	CHECK_FINE(m);
	CHECK_FINE(inner);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		nacre_tensor_free(all[i]);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* A frozen part keeps its weights and averages; a part of it may learn again after a new compile.
 */
TEST(frozen_part)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 24, 4);
	nacre_model *inner = encoder(rt), *m = nacre_sequential_in(rt, "m");
	nacre_layer *part = nacre_nested(inner);
	nacre_add(m, nacre_input(4));
	nacre_add(m, part);
	nacre_add(m, nacre_dense(1));
	nacre_layer_set_trainable(part, false);
	CHECK(!nacre_layer_trainable(nacre_get_layer(inner, "batch_normalization")));
	static const char *const names[] = {"encoder/dense/kernel",
					    "encoder/batch_normalization/gamma",
					    "encoder/batch_normalization/moving_mean"};
	for (int step = 0; step < 2; step++) {
		nacre_compile(m, .optimizer = nacre_adam(0.1), .loss = nacre_mse);
		nacre_tensor *before[3];
		for (int i = 0; i < 3; i++)
			before[i] = nacre_get_weight(m, names[i]);
		nacre_fit(m, d, .epochs = 2);
		for (int i = 0; i < 3; i++) {
			nacre_tensor *after = nacre_get_weight(m, names[i]);
			CHECK_EQ(same_numbers(before[i], after), step == 0 || i > 0);
			nacre_tensor_free(before[i]);
			nacre_tensor_free(after);
		}
		nacre_layer_set_trainable(part, true);
		nacre_layer_set_trainable(nacre_get_layer(inner, "batch_normalization"), false);
	}
	CHECK_FINE(m);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* One block twice, models three deep, two inputs and two outputs: y = (a + 2 b, a - 2 b). */
static nacre_node *twice(int n, nacre_node *const *x, void *context)
{
	(void)n;
	return nacre_scale(x[0], *(const double *)context);
}

TEST(several_inputs_and_outputs)
{
	static double two = 2;
	nacre_model *low = nacre_sequential("low");
	nacre_add(low, nacre_input(2));
	nacre_add(low, nacre_lambda(twice, &two));
	nacre_model *block = nacre_functional("block");
	nacre_value *a = nacre_model_input(block, nacre_input(2));
	nacre_value *b = nacre_apply(nacre_nested(low), nacre_model_input(block, nacre_input(2)));
	nacre_model_output(block, nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){a, b}));
	nacre_model_output(block, nacre_apply_n(nacre_subtract(), 2, (nacre_value *[]){a, b}));
	nacre_model *m = nacre_functional("m");
	nacre_value *x[2] = {nacre_model_input(m, nacre_input(2)),
			     nacre_model_input(m, nacre_input(2))};
	nacre_layer *l = nacre_nested(block);
	nacre_value *p = nacre_apply_n(l, 2, x);
	nacre_value *q = nacre_value_output(p, 1);
	nacre_value *again = nacre_apply_n(l, 2, (nacre_value *[]){p, q});
	CHECK(nacre_value_output(p, 0) == p);
	nacre_model_output(m, q);
	nacre_model_output(m, nacre_value_output(again, 1));
	nacre_tensor *in[2];
	float data[2][2] = {{1, 2}, {10, 20}};
	for (int i = 0; i < 2; i++) {
		in[i] = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){1, 2}, NULL);
		memcpy(nacre_tensor_data(in[i]), data[i], sizeof data[i]);
	}
	nacre_dataset *d =
	    nacre_dataset_new(NULL, 2, (const nacre_tensor *[]){in[0], in[1]}, 0, NULL);
	nacre_tensor *out[8] = {NULL};
	nacre_predict(m, d, .outputs = out);
	CHECK_FINE(m);
	/* p = a + 2 b = (21, 42), q = a - 2 b = (-19, -38); again: p - 2 q = (59, 118) */
	for (int i = 0; i < 2 && out[0] && out[1]; i++) {
		CHECK_NEAR(nacre_tensor_get(out[0], i), -19 * (i + 1), 1e-6);
		CHECK_NEAR(nacre_tensor_get(out[1], i), 59 * (i + 1), 1e-5);
	}
	for (int i = 0; i < 2; i++) {
		nacre_tensor_free(in[i]);
		nacre_tensor_free(out[i]);
	}
	nacre_dataset_free(d);
	nacre_model_free(m);
}

TEST(refused)
{
	nacre_model *inner = encoder(NULL), *m = nacre_sequential("m");
	nacre_add(m, nacre_input(5));
	CHECK(nacre_add(m, nacre_nested(inner)) != NACRE_OK);
	CHECK_STR(nacre_model_error(m)->text,
		  "encoder: input 0: expected f32 [4] a sample, got f32 [5]");
	CHECK(nacre_nested(inner) == NULL);
	CHECK_STR(nacre_model_error(inner)->text, "nested: the model is a layer already");
	nacre_model_free(m);
	nacre_model *empty = nacre_sequential("empty");
	m = nacre_sequential("m");
	nacre_add(m, nacre_input(5));
	CHECK(nacre_add(m, nacre_nested(empty)) != NACRE_OK);
	CHECK_STR(nacre_model_error(m)->text, "empty: the model has no input");
	nacre_model_free(m);
	CHECK(nacre_nested(NULL) == NULL);
	m = nacre_functional("m");
	nacre_value *v = nacre_apply(nacre_dense(2), nacre_model_input(m, nacre_input(3)));
	nacre_value_output(v, 1);
	CHECK_STR(nacre_model_error(m)->text, "dense: it has no output 1");
	CHECK(nacre_value_output(NULL, 0) == NULL);
	nacre_model_free(m);
}

/* -- masks ------------------------------------------------------------------------------------- */
/* Steps of padding count for nothing: the loss is the mean over the others. */
TEST(mask_reaches_the_loss)
{
	enum { N = 2, STEPS = 3, SIZE = 2 };
	float x[N * STEPS * SIZE] = {1, 2, 0, 0, 3, 4, 5, 6, 0, 0, 0, 0};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_tensor *tx = nacre_tensor_new(rt, NACRE_F32, 3, (int64_t[]){N, STEPS, SIZE}, NULL);
	nacre_tensor *ty = nacre_tensor_new(rt, NACRE_F32, 3, (int64_t[]){N, STEPS, 1}, NULL);
	memcpy(nacre_tensor_data(tx), x, sizeof x);
	for (int i = 0; i < N * STEPS; i++)
		nacre_tensor_set(ty, i, i);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, tx, ty);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(STEPS, SIZE));
	nacre_add(m, nacre_masking(0));
	nacre_add(m, nacre_time_distributed(nacre_dense(3)));
	nacre_add(m, nacre_dropout(0.5));
	nacre_add(m, nacre_dense(1, .bias_initializer = nacre_ones));
	nacre_compile(m, .optimizer = nacre_sgd(0.1), .loss = nacre_mse);
	nacre_tensor *p = nacre_predict(m, d);
	double want = 0;
	static const int real[] = {0, 2, 3};
	for (int i = 0; p && i < 3; i++)
		want += pow(nacre_tensor_get(p, real[i]) - real[i], 2) / 3;
	CHECK_NEAR(nacre_evaluate(m, d).loss, want, 1e-5 * want);
	CHECK_EQ(nacre_model_parameters(m), 2 * 3 + 3 + 3 + 1);
	nacre_fit(m, d, .epochs = 2);
	CHECK_FINE(m);
	nacre_tensor_free(p);
	nacre_tensor_free(tx);
	nacre_tensor_free(ty);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* -- layers of one's own ----------------------------------------------------------------------- */
static bool scale_build(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n;
	int64_t size = nacre_node_shape(x[0])[nacre_node_rank(x[0]) - 1];
	return nacre_layer_add(c, (nacre_own_weight){.name = "scale",
						     .rank = 1,
						     .shape = {size},
						     .initializer = nacre_ones}) &&
	       nacre_layer_add(c, (nacre_own_weight){.name = "calls", .fixed = true});
}

static nacre_node *scale_call(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n;
	const double *penalty = nacre_layer_context(c);
	nacre_node *w = nacre_layer_use(c, 0), *calls = nacre_layer_use(c, 1);
	if (nacre_layer_training(c))
		nacre_layer_assign(c, 1, nacre_add_number(calls, 1));
	nacre_layer_add_loss(
	    c, nacre_scale(nacre_sum(nacre_square(w), NACRE_ALL_AXES, false), *penalty));
	return nacre_times(x[0], w);
}

static void count_release(void *context)
{
	*(double *)context = -1;
}

static const nacre_layer_functions scale_functions = {
    .name = "MyScale", .build = scale_build, .call = scale_call, .release = count_release};

TEST(own_layer)
{
	double penalty = 0.5;
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 20, 3);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_own(&scale_functions, &penalty));
	nacre_add(m, nacre_dense(1));
	CHECK_STR(nacre_layer_name(nacre_model_layer(m, 1)), "my_scale");
	CHECK_STR(nacre_layer_class(nacre_model_layer(m, 1)), "MyScale");
	nacre_compile(m, .optimizer = nacre_sgd(0.05), .loss = nacre_mse);
	double loss = nacre_evaluate(m, d).loss;
	CHECK(loss > 1.5); /* 0.5 (1 + 1 + 1) and more */
	nacre_fit(m, d, .epochs = 3, .batch_size = 5);
	CHECK(nacre_evaluate(m, d).loss < loss);
	nacre_tensor *calls = nacre_get_weight(m, "my_scale/calls");
	CHECK_NEAR(nacre_tensor_get(calls, 0), 12, 0);
	nacre_tensor *scale = nacre_get_weight(m, "my_scale/scale");
	CHECK(nacre_tensor_get(scale, 0) < 0.9);
	CHECK_FINE(m);
	CHECK(nacre_save(m, "/nowhere/own.keras") != NACRE_OK);
	nacre_tensor_free(calls);
	nacre_tensor_free(scale);
	nacre_dataset_free(d);
	nacre_model_free(m);
	CHECK(penalty == -1);
	nacre_runtime_free(rt);
}
