/* SPDX-License-Identifier: MIT
 *
 * explain.c - saliency against central differences, hand-made maps and the theorem of integrated
 * gradients; which layer, class and output are meant; the same bits; what is refused.
 */
#include "help.h"

static nacre_tensor *images(int64_t n, int64_t h, int64_t w, int64_t c)
{
	nacre_tensor *flat = numbers(NULL, n, h * w * c);
	nacre_tensor *t = nacre_tensor_reshape(flat, 4, (int64_t[]){n, h, w, c}, NULL);
	for (int64_t i = 0; i < n * h * w * c; i++) /* differences of 2^-10 are exact */
		nacre_tensor_set(t, i, round(nacre_tensor_get(t, i) * 1024) / 1024);
	nacre_tensor_free(flat);
	return t;
}

static nacre_dataset *data_of(const nacre_tensor *x)
{
	return nacre_dataset_from_tensors(NULL, x, NULL);
}

/* A tensor of f32 with these numbers. */
static nacre_tensor *tensor(int rank, const int64_t *shape, const double *v)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, v[i]);
	return t;
}

static void set(nacre_model *m, const char *name, int rank, const int64_t *shape, const double *v)
{
	nacre_tensor *t = tensor(rank, shape, v);
	CHECK_EQ(nacre_set_weight(m, name, t), NACRE_OK);
	nacre_tensor_free(t);
}

/* Convolutions, normalization, pools and dropout on [5, 6, 2], three classes, in f64. */
static nacre_model *smooth(nacre_activation_function *last)
{
	nacre_model *m = nacre_sequential("smooth");
	nacre_set_policy(m, NACRE_FLOAT64);
	nacre_add(m, nacre_input(5, 6, 2));
	nacre_add(m, nacre_conv2d(4, {3}, .activation = nacre_tanh, .name = "first"));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_average_pooling2d({2}, .strides = {1}, .name = "pool"));
	nacre_add(m, nacre_dropout(0.5));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(7, .activation = nacre_gelu));
	nacre_add(m, nacre_dense(3, .activation = last, .name = "top"));
	CHECK_FINE(m);
	return m;
}

static double score(nacre_model *m, const nacre_tensor *x, int64_t sample, int class)
{
	nacre_tensor *y = nacre_predict_tensor(m, x);
	double s = nacre_tensor_get(y, sample * nacre_tensor_shape(y)[1] + class);
	nacre_tensor_free(y);
	return s;
}

/* -- gradients --------------------------------------------------------------------------------- */
TEST(central_differences)
{
	enum { N = 2, SIZE = 60 };
	nacre_model *m = smooth(nacre_linear);
	nacre_tensor *x = images(N, 5, 6, 2), *g = NULL;
	nacre_dataset *d = data_of(x);
	CHECK_EQ(nacre_input_gradients(m, &g, d, .target = NACRE_CLASS(1)), NACRE_OK);
	CHECK_EQ(nacre_tensor_rank(g), 4);
	CHECK_EQ(nacre_tensor_size(g), N * SIZE);
	for (int64_t i = 0; i < N * SIZE; i += 7) {
		double at = nacre_tensor_get(x, i), h = 0x1p-10;
		nacre_tensor_set(x, i, at + h);
		double above = score(m, x, i / SIZE, 1);
		nacre_tensor_set(x, i, at - h);
		double below = score(m, x, i / SIZE, 1);
		nacre_tensor_set(x, i, at);
		CHECK_NEAR(nacre_tensor_get(g, i), (above - below) / (2 * h), 2e-7);
	}
	/* the map is the larger of the channels */
	nacre_tensor *map = nacre_saliency(m, d, .target = NACRE_CLASS(1));
	CHECK_EQ(nacre_tensor_rank(map), 3);
	CHECK_EQ(nacre_tensor_shape(map)[2], 6);
	for (int64_t i = 0; i < nacre_tensor_size(map); i++)
		CHECK_NEAR(
		    nacre_tensor_get(map, i),
		    fmax(fabs(nacre_tensor_get(g, 2 * i)), fabs(nacre_tensor_get(g, 2 * i + 1))),
		    0);
	CHECK_FINE(m);
	nacre_tensor_free(map);
	nacre_tensor_free(g);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

static void same(const nacre_tensor *a, const nacre_tensor *b, double tolerance)
{
	CHECK(a && b && nacre_tensor_size(a) == nacre_tensor_size(b));
	for (int64_t i = 0; a && b && i < nacre_tensor_size(a); i++)
		CHECK_NEAR(nacre_tensor_get(a, i), nacre_tensor_get(b, i), tolerance);
}

/* The score is what goes into softmax or sigmoid, also behind a reshape, and the predicted class of
 * each sample is the standard. */
TEST(before_softmax)
{
	nacre_model *plain = smooth(nacre_linear), *soft = smooth(nacre_softmax);
	nacre_model *sigmoid = smooth(nacre_sigmoid), *wrapped = nacre_sequential("wrapped");
	nacre_tensor *x = images(5, 5, 6, 2), *g[4] = {NULL}, *of[3] = {NULL};
	nacre_dataset *d = data_of(x);
	nacre_model *m[4] = {plain, soft, sigmoid, wrapped};
	nacre_add(wrapped, nacre_input(5, 6, 2));
	nacre_add(wrapped, nacre_nested(smooth(nacre_linear)));
	nacre_add(wrapped, nacre_reshape_layer(1, 3));
	nacre_add(wrapped, nacre_activation(nacre_softmax));
	nacre_add(wrapped, nacre_reshape_layer(3));
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(nacre_input_gradients(m[i], &g[i], d), NACRE_OK);
		CHECK_FINE(m[i]);
		same(g[0], g[i], 1e-7);
	}
	nacre_tensor *y = nacre_predict_tensor(plain, x);
	for (int c = 0; c < 3; c++)
		nacre_input_gradients(soft, &of[c], d, .target = NACRE_CLASS(c), .batch_size = 2);
	for (int64_t i = 0; i < 5; i++) {
		int best = 0;
		for (int c = 1; c < 3; c++)
			if (nacre_tensor_get(y, i * 3 + c) > nacre_tensor_get(y, i * 3 + best))
				best = c;
		for (int64_t k = i * 60; k < i * 60 + 60; k++)
			CHECK_NEAR(nacre_tensor_get(g[1], k), nacre_tensor_get(of[best], k), 1e-7);
	}
	nacre_tensor_free(y);
	for (int i = 0; i < 4; i++) {
		nacre_model_free(m[i]);
		nacre_tensor_free(g[i]);
	}
	for (int c = 0; c < 3; c++)
		nacre_tensor_free(of[c]);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}

/* -- integrated gradients ---------------------------------------------------------------------- */
/* How far the sum of the attributions of a sample is from S(x) - S(baseline). */
static double gap(nacre_model *m, const nacre_tensor *x, const nacre_tensor *baseline,
		  int64_t steps)
{
	nacre_tensor *g = NULL,
		     *base = nacre_tensor_new(NULL, NACRE_F32, 4, nacre_tensor_shape(x), NULL);
	nacre_dataset *d = data_of(x);
	for (int64_t i = 0; i < nacre_tensor_size(x); i++)
		nacre_tensor_set(base, i,
				 !baseline ? 0
				 : nacre_tensor_size(baseline) == 1
				     ? nacre_tensor_get(baseline, 0)
				     : nacre_tensor_get(baseline, i));
	nacre_tensor *both = NULL;
	nacre_input_gradients(m, &g, d, .method = NACRE_INTEGRATED_GRADIENTS,
			      .target = NACRE_CLASS(2), .steps = steps, .baseline = {baseline},
			      .completeness = &both);
	CHECK_FINE(m);
	double sum = 0, out = score(m, x, 0, 2) - score(m, base, 0, 2);
	for (int64_t i = 0; g && i < nacre_tensor_size(g); i++)
		sum += nacre_tensor_get(g, i);
	CHECK_NEAR(nacre_tensor_get(both, 0), sum, 1e-6); /* it says so itself */
	CHECK_NEAR(nacre_tensor_get(both, 1), out, 1e-6);
	nacre_tensor_free(both);
	nacre_tensor_free(g);
	nacre_tensor_free(base);
	nacre_dataset_free(d);
	return fabs(sum - out);
}

/* The midpoint rule: a fourth of the error with twice the steps. */
TEST(completeness)
{
	nacre_model *m = smooth(nacre_linear);
	nacre_tensor *x = images(1, 5, 6, 2), *number = tensor(0, NULL, (double[]){0.5});
	nacre_tensor *other = images(2, 5, 6, 2);
	nacre_tensor *second = nacre_tensor_slice(other, 0, 1, 2, 1, NULL);
	nacre_tensor *sample = nacre_tensor_reshape(second, 3, (int64_t[]){5, 6, 2}, NULL);
	const nacre_tensor *baseline[] = {NULL, number, sample};
	for (int i = 0; i < 3; i++) {
		double coarse = gap(m, x, baseline[i], 4), fine = gap(m, x, baseline[i], 8);
		CHECK(coarse > 3 * fine && coarse < 5 * fine);
		CHECK(gap(m, x, baseline[i], 200) < 2e-5);
		CHECK(gap(m, x, baseline[i], 0) < 2e-4);
	}
	nacre_tensor_free(number);
	nacre_tensor_free(sample);
	nacre_tensor_free(second);
	nacre_tensor_free(other);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* Without biases a network of relus is homogeneous: any number of steps is exact from zero, and the
 * map has the sums over the channels, signs and all. */
TEST(integrated_relu)
{
	nacre_model *m = nacre_sequential("relu");
	nacre_add(m, nacre_input(4, 4, 2));
	nacre_add(m, nacre_conv2d(3, {3}, .activation = nacre_relu, .no_bias = 1));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(4, .no_bias = 1));
	nacre_tensor *x = images(1, 4, 4, 2), *g = NULL;
	nacre_dataset *d = data_of(x);
	CHECK(gap(m, x, NULL, 1) < 1e-6);
	nacre_input_gradients(m, &g, d, .method = NACRE_INTEGRATED_GRADIENTS);
	nacre_tensor *map = nacre_saliency(m, d, .method = NACRE_INTEGRATED_GRADIENTS);
	int negative = 0;
	for (int64_t i = 0; i < 16; i++) {
		CHECK_NEAR(nacre_tensor_get(map, i),
			   nacre_tensor_get(g, 2 * i) + nacre_tensor_get(g, 2 * i + 1), 1e-7);
		negative += nacre_tensor_get(map, i) < 0;
	}
	CHECK(negative > 0);
	CHECK_FINE(m);
	nacre_tensor_free(map);
	nacre_tensor_free(g);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* -- SmoothGrad -------------------------------------------------------------------------------- */
static nacre_node *cube(nacre_node *x)
{
	return nacre_times(x, nacre_square(x));
}

/* S = x^3: the mean of 3 (x + e)^2 is 3 x^2 + 3 s^2, where s is noise * (max - min). */
TEST(smooth_grad)
{
	enum { SAMPLES = 4000 };
	nacre_model *m = nacre_sequential("cube");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_dense(1, .activation = cube, .no_bias = 1));
	set(m, "dense/kernel", 2, (int64_t[]){3, 1}, (double[]){1, 0, 0});
	nacre_tensor *x = tensor(2, (int64_t[]){2, 3}, (double[]){0.5, -1, 1, 0.5, 0.25, 0.25}),
		     *g = NULL;
	nacre_dataset *d = data_of(x);
	nacre_input_gradients(m, &g, d, .method = NACRE_SMOOTH_GRAD, .samples = SAMPLES,
			      .noise = 0.25);
	CHECK_FINE(m);
	/* the deviation of a mean of 4000 is 1.6 % of that of 3 (x + e)^2: about 2.2, 0.26 */
	CHECK_NEAR(nacre_tensor_get(g, 0), 3 * (0.25 + 0.25), 5 * 2.2 / sqrt(SAMPLES));
	CHECK_NEAR(nacre_tensor_get(g, 3), 3 * (0.25 + 0.0625 * 0.0625), 5 * 0.26 / sqrt(SAMPLES));
	CHECK_NEAR(nacre_tensor_get(g, 1), 0, 0);
	nacre_tensor_free(g);
	/* without noise it is the gradient */
	nacre_input_gradients(m, &g, d, .method = NACRE_SMOOTH_GRAD, .samples = 3,
			      .noise = NACRE_ZERO);
	CHECK_NEAR(nacre_tensor_get(g, 0), 0.75, 1e-6);
	nacre_tensor_free(g);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* -- Grad-CAM ---------------------------------------------------------------------------------- */
/* Two maps, x and -2x + 1, behind relus; S = 3 * mean of the first - 0.5 * mean of the second. */
static nacre_model *two_maps(int64_t side, int64_t stride)
{
	nacre_model *m = nacre_sequential("maps");
	nacre_add(m, nacre_input(side, side, 1));
	nacre_add(
	    m, nacre_conv2d(2, {1}, .strides = {stride}, .activation = nacre_relu, .name = "maps"));
	nacre_add(m, nacre_global_average_pooling2d(.keepdims = 1));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(1, .no_bias = 1, .name = "top"));
	set(m, "maps/kernel", 4, (int64_t[]){1, 1, 1, 2}, (double[]){1, -2});
	set(m, "maps/bias", 1, (int64_t[]){2}, (double[]){0, 1});
	set(m, "top/kernel", 2, (int64_t[]){2, 1}, (double[]){3, -0.5});
	CHECK_FINE(m);
	return m;
}

TEST(grad_cam)
{
	/* w_k = v_k / 4 where the relu passes; of the layer's output it always does */
	nacre_model *m = two_maps(2, 1);
	nacre_tensor *x = tensor(4, (int64_t[]){1, 2, 2, 1}, (double[]){2, -1, 0.25, 1});
	nacre_dataset *d = data_of(x);
	nacre_tensor *map = nacre_saliency(m, d, .method = NACRE_GRAD_CAM);
	const double want[] = {1.5, 0, 0.1875 - 0.0625, 0.75};
	CHECK_EQ(nacre_tensor_rank(map), 3);
	for (int i = 0; i < 4; i++)
		CHECK_NEAR(nacre_tensor_get(map, i), want[i], 1e-6);
	CHECK_FINE(m);
	nacre_tensor_free(map);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);

	/* brought to the size of the input, 4 x 4, with the middles of places where they are */
	m = two_maps(4, 2);
	x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){1, 4, 4, 1}, NULL);
	nacre_tensor_set(x, 0, 4);
	nacre_tensor_set(x, 10, 0.5);
	nacre_tensor_set(x, 2, 0.5);
	nacre_tensor_set(x, 8, 0.5);
	d = data_of(x);
	map = nacre_saliency(m, d, .method = NACRE_GRAD_CAM, .layer = "maps");
	CHECK_FINE(m);
	const double row[] = {1, 0.75, 0.25, 0}, low = 0.375, high = 3;
	for (int i = 0; i < 16; i++)
		CHECK_NEAR(nacre_tensor_get(map, i), low + (high - low) * row[i / 4] * row[i % 4],
			   1e-6);
	nacre_tensor_free(map);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* Which layer is meant: the last that has places and that the score depends on, also in a model
 * inside; by its name, alone or with that model's. */
TEST(which_layer)
{
	nacre_model *flat = smooth(nacre_softmax), *base = smooth(nacre_softmax);
	nacre_cut(base, "pool");
	nacre_model *outer = nacre_functional("outer");
	nacre_value *in = nacre_model_input(outer, nacre_input(5, 6, 2));
	nacre_value *v = nacre_apply(nacre_nested(base), in);
	nacre_set_policy(outer, NACRE_FLOAT64);
	nacre_value *aside = nacre_apply(nacre_conv2d(2, {2}, .name = "aside"), v);
	v = nacre_apply(nacre_dense(7, .activation = nacre_gelu),
			nacre_apply(nacre_flatten(), nacre_apply(nacre_dropout(0.5), v)));
	nacre_model_output(outer, nacre_apply(nacre_dense(3, nacre_softmax, .name = "top"), v));
	nacre_model_output(outer, nacre_apply(nacre_global_average_pooling2d(), aside));
	CHECK_FINE(outer);
	int n = nacre_model_weights(flat);
	for (int i = 0; i < n; i++) { /* the same names but for the model's in front of some */
		const char *name = nacre_model_weight_name(flat, i);
		char inside[128];
		nacre_tensor *w = nacre_get_weight(flat, name);
		snprintf(inside, sizeof inside, "smooth/%s", name);
		nacre_set_weight(outer,
				 strstr(name, "dense") || strstr(name, "top") ? name : inside, w);
		nacre_tensor_free(w);
	}
	CHECK_FINE(outer);
	nacre_tensor *x = images(3, 5, 6, 2);
	nacre_dataset *d = data_of(x);
	static const char *const names[][2] = {
	    {NULL, NULL},       {"pool", "pool"},          {"pool", "smooth"},
	    {"first", "first"}, {"first", "smooth/first"}, {"dropout", NULL},
	};
	for (int i = 0; i < 6; i++) {
		nacre_tensor *a = nacre_saliency(flat, d, .method = NACRE_GRAD_CAM,
						 .layer = names[i][0], .batch_size = 1);
		nacre_tensor *b =
		    nacre_saliency(outer, d, .method = NACRE_GRAD_CAM, .layer = names[i][1]);
		CHECK_FINE(flat);
		CHECK_FINE(outer);
		same(a, b, 1e-6);
		nacre_tensor_free(a);
		nacre_tensor_free(b);
	}
	nacre_tensor *b =
	    nacre_saliency(outer, d, .method = NACRE_GRAD_CAM, .layer = "aside", .output = 1);
	CHECK_EQ(nacre_tensor_size(b), 90);
	nacre_tensor_free(b);
	b = nacre_saliency(outer, d, .method = NACRE_GRAD_CAM, .layer = "aside");
	CHECK(!b);
	CHECK_STR(nacre_model_error(outer)->text,
		  "saliency: the score does not depend on layer \"aside\"");
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(flat);
	nacre_model_free(outer);
}

/* max_pool is built on what comes before a relu and a bias: the layer's output is looked at all the
 * same.  S = 2 * largest of relu(3x + 1), whose map has a place that counts. */
TEST(before_a_pool)
{
	nacre_model *m = nacre_sequential("pool");
	nacre_add(m, nacre_input(2, 2, 1));
	nacre_add(m, nacre_conv2d(1, {1}, .activation = nacre_relu, .name = "conv"));
	nacre_add(m, nacre_max_pooling2d({2}));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(1, .name = "top"));
	set(m, "conv/kernel", 4, (int64_t[]){1, 1, 1, 1}, (double[]){3});
	set(m, "conv/bias", 1, (int64_t[]){1}, (double[]){1});
	set(m, "top/kernel", 2, (int64_t[]){1, 1}, (double[]){2});
	nacre_tensor *x = tensor(4, (int64_t[]){1, 2, 2, 1}, (double[]){1, -2, 0.5, 0});
	nacre_dataset *d = data_of(x);
	for (int i = 0; i < 2; i++) { /* the pool gives one place: conv is the last with more */
		nacre_tensor *map =
		    nacre_saliency(m, d, .method = NACRE_GRAD_CAM, .layer = i ? "conv" : NULL);
		const double want[] = {0.5 * 4, 0, 0.5 * 2.5, 0.5};
		CHECK_FINE(m);
		for (int k = 0; k < 4; k++)
			CHECK_NEAR(nacre_tensor_get(map, k), want[k], 1e-6);
		nacre_tensor_free(map);
	}
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* An input that is no picture: the layer's own size. */
TEST(flat_input)
{
	nacre_model *m = nacre_sequential(NULL);
	nacre_add(m, nacre_input(48));
	nacre_add(m, nacre_reshape_layer(6, 8, 1));
	nacre_add(m, nacre_conv2d(2, {3}));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(2));
	nacre_tensor *x = numbers(NULL, 2, 48);
	nacre_dataset *d = data_of(x);
	nacre_tensor *map = nacre_saliency(m, d, .method = NACRE_GRAD_CAM);
	CHECK_EQ(nacre_tensor_shape(map)[1], 4);
	CHECK_EQ(nacre_tensor_shape(map)[2], 6);
	nacre_tensor_free(map);
	map = nacre_saliency(m, d);
	CHECK_EQ(nacre_tensor_rank(map), 2);
	CHECK_EQ(nacre_tensor_shape(map)[1], 48);
	nacre_tensor_free(map);
	CHECK_FINE(m);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
}

/* -- several inputs and outputs ---------------------------------------------------------------- */
static nacre_model *mixed(void)
{
	nacre_model *m = nacre_functional("mixed");
	nacre_value *a = nacre_model_input(m, nacre_input(4));
	nacre_value *b = nacre_model_input(
	    m, nacre_input_new((nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
	nacre_value *c = nacre_model_input(m, nacre_input(3));
	nacre_value *e = nacre_apply(nacre_flatten(), nacre_apply(nacre_embedding(5, 2), b));
	nacre_value *all[] = {a, e, c};
	nacre_value *x = nacre_apply_n(nacre_concatenate(), 3, all);
	nacre_model_output(m, nacre_apply(nacre_dense(2, nacre_softmax, .name = "two"), x));
	nacre_model_output(m, nacre_apply(nacre_dense(1, .name = "one"), x));
	CHECK_FINE(m);
	return m;
}

TEST(several_inputs)
{
	nacre_model *m = mixed();
	nacre_tensor *a = numbers(NULL, 3, 4), *c = numbers(NULL, 3, 3), *g[3] = {NULL};
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_I32, 2, (int64_t[]){3, 2}, NULL);
	const nacre_tensor *in[] = {a, b, c};
	nacre_dataset *d = nacre_dataset_new(NULL, 3, in, 0, NULL);
	CHECK_EQ(nacre_input_gradients(m, g, d, .output = 1), NACRE_OK);
	CHECK(g[0] && !g[1] && g[2]);
	nacre_tensor *w = nacre_get_weight(m, "one/kernel");
	for (int64_t i = 0; i < 12; i++)
		CHECK_NEAR(nacre_tensor_get(g[0], i), nacre_tensor_get(w, i % 4), 0);
	for (int64_t i = 0; i < 9; i++)
		CHECK_NEAR(nacre_tensor_get(g[2], i), nacre_tensor_get(w, 8 + i % 3), 0);
	/* over all inputs, in batches, from the predicted class of each sample; exact: it is linear
	 */
	nacre_tensor *both = NULL;
	nacre_tensor *map = nacre_saliency(m, d, .method = NACRE_INTEGRATED_GRADIENTS, .output = 1,
					   .steps = 1, .batch_size = 2, .completeness = &both);
	CHECK_EQ(nacre_tensor_size(both), 6);
	for (int64_t i = 0; i < 3; i++) {
		double sum = 0;
		for (int64_t k = 0; k < 4; k++)
			sum += nacre_tensor_get(w, k) * nacre_tensor_get(a, i * 4 + k);
		for (int64_t k = 0; k < 3; k++)
			sum += nacre_tensor_get(w, 8 + k) * nacre_tensor_get(c, i * 3 + k);
		CHECK_NEAR(nacre_tensor_get(both, 2 * i), sum, 1e-6);
		CHECK_NEAR(nacre_tensor_get(both, 2 * i + 1), sum, 1e-6);
	}
	nacre_tensor_free(both);
	nacre_tensor_free(map);
	map = nacre_saliency(m, d, .output = 1);
	for (int64_t i = 0; i < 12; i++)
		CHECK_NEAR(nacre_tensor_get(map, i), fabs(nacre_tensor_get(w, i % 4)), 0);
	nacre_tensor_free(map);
	nacre_tensor_free(w);
	nacre_tensor_free(g[0]);
	nacre_tensor_free(g[2]);
	CHECK_EQ(nacre_input_gradients(m, g, d, .output = 2), NACRE_INVALID);
	CHECK(!g[0] && !g[1] && !g[2]);
	CHECK_STR(nacre_model_error(m)->text, "input_gradients: output: expected 0 to 1, got 2");
	nacre_dataset_free(d);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(c);
	nacre_model_free(m);
}

/* -- bits -------------------------------------------------------------------------------------- */
static nacre_tensor *run(int threads, nacre_saliency_method method, uint64_t seed)
{
	nacre_runtime_options o = {.threads = threads, .output.silent = 1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	nacre_model *m = nacre_sequential_in(rt, "bits");
	nacre_add(m, nacre_input(19, 23, 3));
	nacre_add(m, nacre_conv2d(17, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d({2}));
	nacre_add(m, nacre_conv2d(9, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(5, .activation = nacre_softmax));
	nacre_tensor *x = images(7, 19, 23, 3);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, NULL);
	nacre_tensor *map = nacre_saliency(m, d, .method = method, .samples = 5, .steps = 5,
					   .seed = seed, .batch_size = 4);
	CHECK_FINE(m);
	nacre_tensor *out = nacre_tensor_new(NULL, NACRE_F32, 3, (int64_t[]){7, 19, 23}, NULL);
	nacre_tensor_copy(out, map, NULL);
	nacre_tensor_free(map);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_model_free(m);
	nacre_runtime_free(rt);
	return out;
}

static bool equal(const nacre_tensor *a, const nacre_tensor *b)
{
	return memcmp(nacre_tensor_data(a), nacre_tensor_data(b),
		      (size_t)nacre_tensor_size(a) * sizeof(float)) == 0;
}

TEST(same_bits)
{
	for (int method = 0; method < NACRE_SALIENCY_METHODS; method++) {
		nacre_tensor *one = run(1, (nacre_saliency_method)method, 1);
		for (int threads = 2; threads <= 7; threads++) {
			nacre_tensor *more = run(threads, (nacre_saliency_method)method, 1);
			CHECK(equal(one, more));
			nacre_tensor_free(more);
		}
		nacre_tensor *other = run(1, (nacre_saliency_method)method, 2);
		CHECK_EQ(equal(one, other), method != NACRE_SMOOTH_GRAD);
		nacre_tensor_free(other);
		nacre_tensor_free(one);
	}
}

/* A saliency changes nothing of the model: training goes on as if there had been none. */
TEST(between_steps)
{
	double loss[2];
	for (int i = 0; i < 2; i++) {
		nacre_dataset *d = classes(NULL, 40, 6, 3);
		nacre_model *m = classifier(NULL, 6, 8, 3);
		nacre_fit(m, d, .verbose = NACRE_SILENT);
		if (i)
			nacre_tensor_free(nacre_saliency(m, d, .method = NACRE_SMOOTH_GRAD));
		nacre_fit(m, d, .verbose = NACRE_SILENT);
		CHECK_FINE(m);
		loss[i] = nacre_history(m, "loss", 0);
		nacre_model_free(m);
		nacre_dataset_free(d);
	}
	CHECK(loss[0] == loss[1]);
}

/* -- what is refused --------------------------------------------------------------------------- */
static void refused(nacre_model *m, const char *text, nacre_saliency_options o)
{
	CHECK(!nacre_saliency_with(m, o));
	CHECK_STR(nacre_model_error(m)->text, text);
	nacre_clear_error(m);
}

#define CAM .method = NACRE_GRAD_CAM
TEST(misuse)
{
	nacre_model *m = smooth(nacre_softmax), *none = nacre_sequential("none");
	nacre_tensor *x = images(2, 5, 6, 2), *wrong = images(2, 6, 5, 2), *g = NULL;
	nacre_tensor *three = tensor(1, (int64_t[]){3}, (double[]){1, 2, 3});
	nacre_dataset *d = data_of(x), *other = data_of(wrong);
	refused(m, "saliency: there is no layer \"nowhere\"",
		(nacre_saliency_options){d, CAM, .layer = "nowhere"});
	refused(m, "saliency: there is no layer \"smooth/pool\"",
		(nacre_saliency_options){d, CAM, .layer = "smooth/pool"});
	refused(m,
		"saliency: grad_cam needs a layer that gives [height, width, channels], \"top\" "
		"gives [3] of f64",
		(nacre_saliency_options){d, CAM, .layer = "top"});
	refused(m, "saliency: target: expected a class from 0 to 2, got 3",
		(nacre_saliency_options){d, .target = NACRE_CLASS(3)});
	refused(m, "saliency: target: expected a class from 0 to 2, got -1",
		(nacre_saliency_options){d, .target = NACRE_CLASS(-1)});
	refused(m, "saliency: output: expected 0 to 0, got -1",
		(nacre_saliency_options){d, .output = -1});
	refused(m, "saliency: method: 4 is none", (nacre_saliency_options){d, .method = 4});
	refused(m, "saliency: samples: expected at least 1, got -2",
		(nacre_saliency_options){d, .samples = -2});
	refused(m, "saliency: steps: expected at least 1, got -3",
		(nacre_saliency_options){d, .steps = -3});
	refused(m, "saliency: noise: expected a number from 0, got -1",
		(nacre_saliency_options){d, .noise = -1});
	refused(m, "saliency: noise: expected a number from 0, got nan",
		(nacre_saliency_options){d, .noise = (double)NAN});
	refused(m, "saliency: batch_size: expected at least 1, got -1",
		(nacre_saliency_options){d, .batch_size = -1});
	refused(
	    m, "saliency: baseline 0: expected [5, 6, 2] or one number, got [3]",
	    (nacre_saliency_options){d, .method = NACRE_INTEGRATED_GRADIENTS, .baseline = {three}});
	refused(m, "saliency: baseline 1: the model has no such input of f32",
		(nacre_saliency_options){d, .baseline = {NULL, three}});
	refused(m, "saliency: the data set is NULL", (nacre_saliency_options){.data = NULL});
	refused(m, "saliency: input_layer expects samples of [5, 6, 2], the data has [6, 5, 2]",
		(nacre_saliency_options){.data = other});
	refused(none, "saliency: the model has no input", (nacre_saliency_options){.data = d});
	nacre_tensor *both = x;
	refused(m, "saliency: completeness: only integrated_gradients has it",
		(nacre_saliency_options){d, .completeness = &both});
	CHECK(!both);
	CHECK_EQ(nacre_input_gradients(m, NULL, d), NACRE_INVALID);
	CHECK_STR(nacre_model_error(m)->text,
		  "input_gradients: the room for the gradients is NULL");
	nacre_clear_error(m);
	CHECK_EQ(nacre_input_gradients(m, &g, d, CAM), NACRE_INVALID);
	CHECK_STR(nacre_model_error(m)->text,
		  "input_gradients: grad_cam is about a layer, not about inputs: use saliency");
	CHECK(!nacre_saliency(m, d)); /* the error stays until it is cleared */
	CHECK(!nacre_saliency(NULL, d));
	CHECK_EQ(nacre_input_gradients(NULL, &g, d), NACRE_NO_MEMORY);
	nacre_clear_error(m);
	nacre_tensor *map = nacre_saliency(m, d);
	CHECK(map != NULL);
	nacre_tensor_free(map);
	nacre_tensor_free(three);
	nacre_tensor_free(x);
	nacre_tensor_free(wrong);
	nacre_dataset_free(d);
	nacre_dataset_free(other);
	nacre_model_free(m);
	nacre_model_free(none);
}

TEST(no_picture)
{
	nacre_model *m = nacre_sequential(NULL), *words = nacre_sequential(NULL);
	nacre_model *map = nacre_sequential(NULL), *labels = nacre_sequential(NULL);
	nacre_tensor *x = numbers(NULL, 2, 6);
	nacre_tensor *ids = nacre_tensor_new(NULL, NACRE_I32, 2, (int64_t[]){2, 4}, NULL);
	nacre_dataset *d = data_of(x), *text = data_of(ids);
	nacre_add(m, nacre_input(6));
	nacre_add(m, nacre_dense(2, nacre_softmax));
	refused(m,
		"saliency: no layer before the score gives [height, width, channels] of more than "
		"one place, which grad_cam needs",
		(nacre_saliency_options){d, CAM});
	nacre_add(words, nacre_input_new((nacre_input_options){
			     .shape = {4}, .dtype = NACRE_I32, .name = "ids"}));
	nacre_add(words, nacre_embedding(5, 3));
	nacre_add(words, nacre_flatten());
	nacre_add(words, nacre_dense(2));
	refused(words, "saliency: ids is of i32, which has no gradient",
		(nacre_saliency_options){.data = text});
	nacre_add(labels, nacre_input(6));
	nacre_add(labels, nacre_discretization({1, (double[]){0}}));
	refused(labels, "saliency: output 0 is of i32, which has no gradient",
		(nacre_saliency_options){.data = d});
	nacre_add(map, nacre_input(6));
	nacre_dataset_map(d, map);
	refused(m, "saliency: the data has a map: the gradient would not be by what it holds",
		(nacre_saliency_options){.data = d});
	CHECK_STR(nacre_saliency_name(NACRE_SMOOTH_GRAD), "smooth_grad");
	CHECK(!nacre_saliency_name(NACRE_SALIENCY_METHODS));
	nacre_dataset_free(d);
	nacre_dataset_free(text);
	nacre_tensor_free(x);
	nacre_tensor_free(ids);
	nacre_model_free(m);
	nacre_model_free(words);
	nacre_model_free(labels);
	nacre_model_free(map);
}
