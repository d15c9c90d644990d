/* SPDX-License-Identifier: MIT
 *
 * layers.c - each layer inside a model: shapes, defaults, numbers; graphs of layers.
 */
#include "help.h"
#include "nn/layer.h"

static nacre_tensor *predict(nacre_model *m, int rank, const int64_t *shape, const float *x)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, NULL);
	memcpy(nacre_tensor_data(t), x, (size_t)nacre_tensor_size(t) * sizeof *x);
	nacre_tensor *y = nacre_predict_tensor(m, t);
	CHECK_FINE(m);
	nacre_tensor_free(t);
	return y;
}

static void check_shape(nacre_layer *l, int rank, const int64_t *in, const char *want)
{
	nacre_model *m = nacre_functional("m");
	nacre_input_options o = {.shape = {0}};
	memcpy(o.shape, in, (size_t)rank * sizeof *in);
	nacre_value *y = nacre_apply(l, nacre_model_input(m, nacre_input_new(o)));
	char text[128];
	CHECK_FINE(m);
	CHECK_STR(nc_shape_text(text, nacre_value_rank(y), nacre_value_shape(y)), want);
	nacre_model_free(m);
}

TEST(shapes)
{
	int64_t a[] = {6}, b[] = {4, 6}, c[] = {2, 3, 4, 6};
	check_shape(nacre_dense(3), 1, a, "[None, 3]");
	check_shape(nacre_dense(3), 2, b, "[None, 4, 3]");
	check_shape(nacre_dense(3), 4, c, "[None, 2, 3, 4, 3]");
	check_shape(nacre_flatten(), 1, a, "[None, 6]");
	check_shape(nacre_flatten(), 4, c, "[None, 144]");
	check_shape(nacre_flatten(), 0, a, "[None, 1]");
	check_shape(nacre_reshape_layer(2, -1), 1, a, "[None, 2, 3]");
	check_shape(nacre_reshape_layer(24), 2, b, "[None, 24]");
	check_shape(nacre_reshape_layer(-1), 4, c, "[None, 144]");
	check_shape(nacre_dropout(0.5), 2, b, "[None, 4, 6]");
	check_shape(nacre_batch_normalization(), 2, b, "[None, 4, 6]");
	check_shape(nacre_layer_normalization(), 2, b, "[None, 4, 6]");
	check_shape(nacre_activation(nacre_softmax), 2, b, "[None, 4, 6]");
	check_shape(nacre_embedding(10, 5), 1, a, "[None, 6, 5]");
	check_shape(nacre_embedding(10, 5), 2, b, "[None, 4, 6, 5]");
}

TEST(texts)
{
	static const char *const want[] = {
	    "Dense(units=3)",
	    ("Dense(units=4, activation=relu, kernel_initializer=he_normal, "
	     "kernel_regularizer=l1_l2(0, 0.01))"),
	    "Dropout(rate=0.25)",
	    "InputLayer(shape=[28, 28])",
	    "BatchNormalization()",
	    "BatchNormalization(momentum=0.9, no_scale=1)",
	    "Embedding(input_dim=7, output_dim=2)",
	    "Reshape(target_shape=[2, None])",
	    "Concatenate(axis=1)",
	};
	nacre_layer *l[] = {
	    nacre_dense(3),
	    nacre_dense(4, nacre_relu, .kernel_initializer = nacre_he_normal,
			.kernel_regularizer = nacre_l2(0.01)),
	    nacre_dropout(0.25),
	    nacre_input(28, 28),
	    nacre_batch_normalization(),
	    nacre_batch_normalization(.momentum = 0.9, .no_scale = 1),
	    nacre_embedding(7, 2),
	    nacre_reshape_layer(2, -1),
	    nacre_concatenate(.axis = 1),
	};
	for (size_t i = 0; i < sizeof l / sizeof *l; i++) {
		nc_text t;
		nc_text_init(&t, &nc_runtime(NULL)->memory);
		nc_layer_text(l[i], &t);
		CHECK_STR(t.data, want[i]);
		nc_text_free(&t);
		nacre_layer_free(l[i]);
	}
}

TEST(dense_numbers)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(3, .bias_initializer = nacre_ones));
	nacre_tensor *w = nacre_tensor_new(NULL, NACRE_F64, 2, (int64_t[]){2, 3}, NULL);
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(w, i, i + 1);
	CHECK_EQ(nacre_set_weight(m, "dense/kernel", w), NACRE_OK);
	nacre_tensor *y = predict(m, 2, (int64_t[]){2, 2}, (float[]){1, 0, 1, -1});
	double want[] = {2, 3, 4, -2, -2, -2};
	for (int i = 0; i < 6; i++)
		CHECK_NEAR(nacre_tensor_get(y, i), want[i], 1e-6);
	CHECK_EQ(nacre_model_parameters(m), 9);
	nacre_tensor_free(y);
	nacre_tensor_free(w);
	nacre_model_free(m);
}

TEST(embedding_numbers)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_embedding(4, 2));
	nacre_tensor *w = nacre_get_weight(m, "embedding/embeddings");
	nacre_tensor *y = predict(m, 2, (int64_t[]){1, 3}, (float[]){3, 0, 9});
	for (int i = 0; i < 2; i++) {
		CHECK(nacre_tensor_get(y, i) == nacre_tensor_get(w, 6 + i));
		CHECK(nacre_tensor_get(y, 2 + i) == nacre_tensor_get(w, i));
		CHECK(nacre_tensor_get(y, 4 + i) == 0);
		CHECK(fabs(nacre_tensor_get(w, i)) <= 0.05 && nacre_tensor_get(w, i) != 0);
	}
	nacre_tensor_free(y);
	nacre_tensor_free(w);
	nacre_model_free(m);
}

TEST(layer_normalization_numbers)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_layer_normalization());
	nacre_tensor *y = predict(m, 2, (int64_t[]){1, 4}, (float[]){1, 2, 3, 6});
	for (int i = 0; i < 4; i++)
		CHECK_NEAR(nacre_tensor_get(y, i), ((double[]){1, 2, 3, 6}[i] - 3) / sqrt(3.501),
			   1e-5);
	nacre_tensor_free(y);
	nacre_model_free(m);
}

/* Two channels: batch mean and biased variance move the averages; a frozen layer keeps them. */
TEST(batch_normalization_averages)
{
	nacre_runtime *rt = quiet(NULL, 0);
	float x[] = {1, 10, 3, 10, 5, 40}, t[6] = {0};
	nacre_tensor *tx = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){3, 2}, NULL);
	nacre_tensor *ty = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){3, 2}, NULL);
	memcpy(nacre_tensor_data(tx), x, sizeof x);
	memcpy(nacre_tensor_data(ty), t, sizeof t);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, tx, ty);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_layer *bn = nacre_batch_normalization(.momentum = 0.9);
	nacre_add(m, nacre_input(2));
	nacre_add(m, bn);
	nacre_compile(m, .optimizer = nacre_sgd(NACRE_ZERO), .loss = nacre_mse);
	CHECK_EQ(nacre_layer_weights(bn), 4);
	nacre_result r = nacre_train_on_batch(m, d);
	/* of the batch: mean 3, 20; variance 8/3, 200; the output has mean 0, variance v / (v + e)
	 */
	CHECK_NEAR(r.loss, (8 / 3. / (8 / 3. + 1e-3) + 200 / 200.001) / 2, 1e-5);
	nacre_tensor *mean = nacre_get_weight(m, "batch_normalization/moving_mean");
	nacre_tensor *variance = nacre_get_weight(m, "batch_normalization/moving_variance");
	CHECK_NEAR(nacre_tensor_get(mean, 0), 0.3, 1e-6);
	CHECK_NEAR(nacre_tensor_get(mean, 1), 2, 1e-6);
	CHECK_NEAR(nacre_tensor_get(variance, 0), 0.9 + 0.8 / 3, 1e-6);
	CHECK_NEAR(nacre_tensor_get(variance, 1), 0.9 + 20, 1e-5);
	/* evaluation uses them and leaves them alone */
	double a = (1 - 0.3) / sqrt(0.9 + 0.8 / 3 + 1e-3);
	nacre_tensor *y = nacre_predict(m, d);
	CHECK_NEAR(nacre_tensor_get(y, 0), a, 1e-5);
	CHECK_FINE(m);
	nacre_tensor_free(y);
	nacre_tensor_free(mean);
	nacre_tensor_free(variance);
	nacre_tensor_free(tx);
	nacre_tensor_free(ty);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(frozen_layers_stay)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 20, 3);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_layer *first = nacre_dense(4), *bn = nacre_batch_normalization();
	nacre_add(m, nacre_input(3));
	nacre_add(m, first);
	nacre_add(m, bn);
	nacre_add(m, nacre_dense(1));
	nacre_layer_set_trainable(first, false);
	nacre_layer_set_trainable(bn, false);
	CHECK(!nacre_layer_trainable(bn));
	nacre_compile(m, .optimizer = nacre_adam(0.1), .loss = nacre_mse);
	static const char *const names[] = {"dense/kernel", "dense/bias",
					    "batch_normalization/gamma",
					    "batch_normalization/moving_mean", "dense_1/kernel"};
	nacre_tensor *before[5], *after[5];
	for (int i = 0; i < 5; i++)
		before[i] = nacre_get_weight(m, names[i]);
	nacre_fit(m, d, .epochs = 2);
	for (int i = 0; i < 5; i++) {
		after[i] = nacre_get_weight(m, names[i]);
		size_t size = (size_t)nacre_tensor_size(before[i]) * sizeof(float);
		bool same =
		    memcmp(nacre_tensor_data(before[i]), nacre_tensor_data(after[i]), size) == 0;
		CHECK_EQ(same, i < 4);
		nacre_tensor_free(before[i]);
		nacre_tensor_free(after[i]);
	}
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* A mean over ones after dropout: 1 on average in training, exactly 1 otherwise. */
TEST(dropout_statistics)
{
	enum { N = 200, WIDTH = 500 };
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){N, WIDTH}, NULL);
	for (int64_t i = 0; i < N * WIDTH; i++)
		nacre_tensor_set(x, i, 1);
	nacre_tensor *y = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){N, WIDTH}, NULL);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(WIDTH));
	nacre_add(m, nacre_dropout(0.2));
	nacre_add(m,
		  nacre_batch_normalization()); /* something to train; its input is the metric's */
	nacre_compile(m, .optimizer = nacre_sgd(NACRE_ZERO), .loss = nacre_mse);
	nacre_train_on_batch(m, d);
	nacre_tensor *mean = nacre_get_weight(m, "batch_normalization/moving_mean");
	nacre_tensor *variance = nacre_get_weight(m, "batch_normalization/moving_variance");
	double a = 0, b = 0;
	for (int i = 0; i < WIDTH; i++) {
		a += nacre_tensor_get(mean, i) / 0.01 / WIDTH;
		b += (nacre_tensor_get(variance, i) - 0.99) / 0.01 / WIDTH;
	}
	CHECK_NEAR(a, 1, 0.01);    /* kept numbers are divided by 0.8 */
	CHECK_NEAR(b, 0.25, 0.01); /* 1.25^2 0.8 - 1 */
	nacre_tensor *p = nacre_predict(m, d);
	double first = nacre_tensor_get(p, 0);
	CHECK(first != 0 && nacre_tensor_get(p, WIDTH) == first);
	CHECK_FINE(m);
	nacre_tensor_free(p);
	nacre_tensor_free(mean);
	nacre_tensor_free(variance);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* y = concat(d(a), d(b)) + concat(d(b), d(a)), d shared: symmetric in a and b. */
TEST(shared_layer_two_inputs)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_functional_in(rt, "m");
	nacre_value *a = nacre_model_input(m, nacre_input(2)),
		    *b = nacre_model_input(m, nacre_input(2));
	nacre_layer *l = nacre_dense(3, .bias_initializer = nacre_ones);
	nacre_value *p = nacre_apply(l, a), *q = nacre_apply(l, b);
	nacre_value *u = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){p, q});
	nacre_value *v = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){q, p});
	nacre_value *s = nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){u, v});
	nacre_model_output(m, s);
	nacre_model_output(m, nacre_apply(nacre_dense(1), s));
	CHECK_EQ(nacre_model_parameters(m), 9 + 7);
	CHECK_EQ(nacre_model_layers(m), 7);
	CHECK_EQ(nacre_model_outputs(m), 2);
	CHECK_EQ(nacre_value_shape(nacre_model_output_value(m, 0))[1], 6);
	nacre_tensor *x = numbers(rt, 10, 2);
	nacre_tensor *y[2] = {numbers(rt, 10, 6), numbers(rt, 10, 1)};
	const nacre_tensor *in[] = {x, x}, *target[] = {y[0], y[1]};
	nacre_dataset *d = nacre_dataset_new(rt, 2, in, 2, target);
	nacre_tensor *out[8] = {NULL};
	nacre_tensor *first = nacre_predict(m, d, .outputs = out, .batch_size = 3);
	CHECK(first == out[0] && out[1] && !out[2]);
	for (int i = 0; first && i < 3; i++)
		CHECK_NEAR(nacre_tensor_get(first, i), nacre_tensor_get(first, 3 + i), 1e-6);
	nacre_compile(m, .optimizer = nacre_adam(0.02), .losses = {nacre_mse, nacre_mae},
		      .loss_weights = {2, 0.5}, .metrics = {nacre_mse});
	nacre_result r = nacre_evaluate(m, d);
	double mse = 0, mae = 0, mse1 = 0;
	for (int i = 0; i < 60; i++)
		mse += pow(nacre_tensor_get(out[0], i) - nacre_tensor_get(y[0], i), 2) / 60;
	for (int i = 0; i < 10; i++) {
		double e = nacre_tensor_get(out[1], i) - nacre_tensor_get(y[1], i);
		mae += fabs(e) / 10;
		mse1 += e * e / 10;
	}
	CHECK_NEAR(r.loss, 2 * mse + 0.5 * mae, 1e-5 * r.loss);
	CHECK_NEAR(r.metric[0], (mse + mse1) / 2, 1e-5 * r.metric[0]);
	nacre_fit(m, d, .epochs = 50, .batch_size = 4);
	CHECK(nacre_evaluate(m, d).loss < r.loss);
	CHECK_FINE(m);
	nacre_tensor_free(out[0]);
	nacre_tensor_free(out[1]);
	nacre_tensor_free(x);
	nacre_tensor_free(y[0]);
	nacre_tensor_free(y[1]);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(names)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(4, .name = "dense_1"));
	nacre_add(m, nacre_dense(4));
	nacre_add(m, nacre_dense(4));
	nacre_add(m, nacre_dropout(0.1));
	static const char *const want[] = {"input_layer", "dense_1", "dense", "dense_2", "dropout"};
	for (int i = 0; i < 5; i++)
		CHECK_STR(nacre_layer_name(nacre_model_layer(m, i)), want[i]);
	CHECK(!nacre_model_layer(m, 5) && !nacre_model_layer(m, -1));
	CHECK_STR(nacre_layer_class(nacre_get_layer(m, "dropout")), "Dropout");
	CHECK_STR(nacre_variable_name(nacre_layer_weight(nacre_get_layer(m, "dense_2"), 1)),
		  "dense_2/bias");
	CHECK_FINE(m);
	nacre_model_free(m);
}

/* Layers may be added after a look at the model; what was built is made anew. */
TEST(grows_after_predict)
{
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(2));
	float x[] = {1, 2};
	nacre_tensor *a = predict(m, 2, (int64_t[]){1, 2}, x);
	nacre_add(m, nacre_activation(nacre_exp));
	nacre_tensor *b = predict(m, 2, (int64_t[]){1, 2}, x);
	CHECK_NEAR(nacre_tensor_get(b, 1), exp(nacre_tensor_get(a, 1)), 1e-5);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_model_free(m);
}
