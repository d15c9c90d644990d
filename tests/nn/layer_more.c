/* SPDX-License-Identifier: MIT
 *
 * layer_more.c - layers without numbers of Keras: noise by its statistics, lookup, errors of
 * options and shapes, text of options.
 */
#include <stdio.h>

#include "nn/layer.h"
#include "run.h"

/* Calls a layer on a constant in training; the value, to be freed. */
static nacre_tensor *train(nacre_layer *l, int rank, const int64_t *shape, const float *x,
			   uint64_t seed)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_error e = {0};
	nc_call c = {.runtime = nc_runtime(NULL), .graph = g, .error = &e, .training = true};
	c.effects_end = &c.effects;
	nacre_node *in = nacre_constant(g, NACRE_F32, rank, shape, x);
	nacre_node *y = nc_layer_call(&c, l, 1, &in);
	nacre_program_options o = {.seed = seed};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, &e);
	nacre_program *p = y ? nacre_program_new(NULL, 0, NULL, 1, &y, &o, &e) : NULL;
	if (p && t)
		nacre_program_run(p, NULL, &t, &e);
	CHECK_STR(e.text, "");
	nacre_program_free(p);
	nacre_graph_free(g);
	return t;
}

/* Mean and variance of what becomes of many equal numbers; equal seeds give equal bits. */
static void check_noise(nacre_layer *l, float x, double mean, double variance)
{
	enum { N = 40000 };
	static float in[N];
	for (int i = 0; i < N; i++)
		in[i] = x;
	int64_t shape[] = {40, N / 40};
	nacre_tensor *a = train(l, 2, shape, in, 1), *b = train(l, 2, shape, in, 1);
	nacre_tensor *c = train(l, 2, shape, in, 2);
	size_t bytes = N * sizeof(float);
	double sum = 0, square = 0;
	CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(b), bytes) == 0);
	CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(c), bytes) != 0);
	for (int64_t i = 0; i < N; i++)
		sum += nacre_tensor_get(a, i) / N;
	for (int64_t i = 0; i < N; i++)
		square += pow(nacre_tensor_get(a, i) - sum, 2) / N;
	CHECK_NEAR(sum, mean, 0.03);
	CHECK_NEAR(square, variance, 0.05 * variance);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(c);
	nacre_layer_free(l);
}

TEST(noise)
{
	check_noise(nacre_dropout(0.25), 1, 1, 1 / 0.75 - 1);
	check_noise(nacre_gaussian_noise(0.5), 2, 2, 0.25);
	check_noise(nacre_gaussian_dropout(0.2), 2, 2, 4 * 0.25);
	/* x = 0: a p r + b = 0 on average, variance a^2 p^2 r (1 - r), with a^2 p^2 as below */
	double p2 = pow(1.6732632423543772 * 1.0507009873554805, 2), r = 0.3;
	double a2 = 1 / ((1 - r) * (1 + r * p2));
	check_noise(nacre_alpha_dropout(0.3), 0, 0, a2 * p2 * r * (1 - r));
}

/* -- numbers ----------------------------------------------------------------------------------- */
static void check_numbers(nacre_layer *l, int64_t n, const int32_t *x, int count,
			  const double *want)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_error e = {0};
	nc_call c = {.runtime = nc_runtime(NULL), .graph = g, .error = &e};
	nacre_node *in = nacre_constant(g, NACRE_I32, 2, (int64_t[]){n, 1}, x);
	nacre_node *y = nc_layer_call(&c, l, 1, &in);
	CHECK_STR(e.text, "");
	check_node(__FILE__, __LINE__, y, count, want, 0);
	nacre_graph_free(g);
	nacre_layer_free(l);
}
#define WORDS                                                                                      \
	{                                                                                          \
		3, (double[])                                                                      \
		{                                                                                  \
			7, 3, 5                                                                    \
		}                                                                                  \
	}

TEST(integer_lookup)
{
	static const int32_t x[] = {3, 5, 0, 9, 7};
	check_numbers(nacre_integer_lookup(WORDS), 5, x, 5, (double[]){2, 3, 0, 0, 1});
	check_numbers(nacre_integer_lookup(WORDS, .num_oov_indices = 2), 5, x, 5,
		      (double[]){3, 4, 0, 1, 2});
	check_numbers(nacre_integer_lookup(WORDS, .masks = 1), 5, x, 5, (double[]){3, 4, 0, 1, 2});
	check_numbers(nacre_integer_lookup(WORDS, .output_mode = NACRE_OUTPUT_ONE_HOT), 2, x, 8,
		      (double[]){0, 0, 1, 0, 0, 0, 0, 1});
	static const int32_t y[] = {0, 1, 2, 3, 4, -1};
	check_numbers(nacre_integer_lookup(WORDS, .invert = 1), 6, y, 6,
		      (double[]){-1, 7, 3, 5, -1, -1});
	check_numbers(nacre_integer_lookup(WORDS, .invert = 1, .masks = 1, .oov_token = -9), 6, y,
		      6, (double[]){0, -9, 7, 3, 5, -9});
}

/* -- errors ------------------------------------------------------------------------------------ */
static void check_refused(nacre_layer *l, const char *text)
{
	CHECK_STR(nacre_layer_error(l)->text, text);
	nacre_layer_free(l);
}

TEST(options_refused)
{
	check_refused(nacre_alpha_dropout(1), "alpha_dropout: rate: expected less than 1, got 1");
	check_refused(nacre_gaussian_noise(-0.1),
		      "gaussian_noise: stddev: expected 0 to 1, got -0.1");
	check_refused(nacre_permute(1, 3),
		      "permute: dims: expected the numbers 1 to 2 in some order, got [1, 3]");
	check_refused(nacre_repeat_vector(0), "repeat_vector: n: expected 1 to 1e+09, got 0");
	check_refused(nacre_zero_padding1d({-1, 0}),
		      "zero_padding1d: padding: expected 0 or more, got -1");
	check_refused(nacre_up_sampling3d(2, 3),
		      "up_sampling3d: size: expected one or 3 positive sizes, got [2, 3]");
	check_refused(nacre_resizing(5, 4, .interpolation = 9),
		      "resizing: interpolation: expected one of default|nearest|bilinear|bicubic|"
		      "area|lanczos3|lanczos5, got 9");
	check_refused(nacre_dot_new((nacre_dot_options){.normalize = 1}),
		      "dot: axes: expected one or two, none of them the batch's, got 0");
	check_refused(nacre_group_normalization(-2),
		      "group_normalization: groups: expected -1 to 1e+09, got -2");
	check_refused(nacre_einsum_dense(NULL), "einsum_dense: equation: expected one, got NULL");
	check_refused(nacre_time_distributed(NULL),
		      "time_distributed: layer: expected a layer, got NULL");
	check_refused(nacre_time_distributed(nacre_dropout(2)),
		      "time_distributed: layer: dropout: rate: expected 0 to 1, got 2");
	check_refused(nacre_normalization(.mean = {1, (double[]){1}}),
		      "normalization: mean has 1 numbers, variance 0");
	check_refused(nacre_discretization({2, (double[]){1, 0}}),
		      "discretization: bin_boundaries: expected rising numbers, got 0 at place 1");
	check_refused(nacre_discretization({0}),
		      "discretization: expected bin_boundaries or num_bins, got neither");
	check_refused(
	    nacre_category_encoding(3, NACRE_OUTPUT_INT),
	    "category_encoding: output_mode: expected one_hot, multi_hot or count, got int");
	check_refused(nacre_integer_lookup({1, (double[]){0.5}}),
		      "integer_lookup: vocabulary: expected whole numbers, got 0.5");
	check_refused(nacre_lambda(NULL), "lambda: function: expected a function, got NULL");
	check_refused(nacre_own(NULL),
		      "own: functions: expected a table with a name and a call function");
	nacre_layer *inner = nacre_dense(2), *outer = nacre_time_distributed(inner);
	check_refused(nacre_time_distributed(inner),
		      "time_distributed: layer: belongs to a model or a layer already");
	nacre_layer_free(outer);
}

/* Inputs of the given shapes, batch 2. */
static void check_shapes(nacre_layer *l, const char *text, int n, const int *rank,
			 const int64_t shape[][NACRE_MAX_RANK])
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_error e = {0};
	nc_call c = {.runtime = nc_runtime(NULL), .graph = g, .error = &e};
	nacre_node *x[2] = {NULL};
	snprintf(l->name, sizeof l->name, "l");
	for (int i = 0; i < n; i++)
		x[i] = nacre_placeholder(g, "x", NACRE_F32, rank[i], shape[i]);
	CHECK(nc_layer_call(&c, l, n, x) == NULL);
	CHECK_STR(e.text, text);
	nacre_graph_free(g);
	nacre_layer_free(l);
}
#define CHECK_SHAPE(layer, text, rank, ...)                                                        \
	check_shapes(layer, text, 1, (int[]){rank},                                                \
		     (const int64_t[][NACRE_MAX_RANK]){{2, __VA_ARGS__}})

TEST(shapes_refused)
{
	CHECK_SHAPE(nacre_repeat_vector(3),
		    "l: expected an input of [None, size], got [None, 3, 4]", 3, 3, 4);
	CHECK_SHAPE(nacre_permute(2, 1), "l: dims: expected 1 numbers, one for each axis, got 2", 2,
		    3);
	CHECK_SHAPE(nacre_cropping1d({2, 1}),
		    "l: cropping [2, 1] leaves nothing of axis 1, which is 3", 3, 3, 1);
	CHECK_SHAPE(nacre_zero_padding2d({1, 1}, {1, 1}),
		    "l: expected an input of [None, height, width, channels], got [None, 3, 1]", 3,
		    3, 1);
	CHECK_SHAPE(nacre_group_normalization(4),
		    "l: groups: 6 channels cannot be parted in 4 groups", 2, 6);
	CHECK_SHAPE(nacre_softmax_layer(3),
		    "l: axis: expected 1 to 2, or the same from the end, got 3", 3, 3, 4);
	CHECK_SHAPE(nacre_masking(0), "l: expected an input of [None, steps, ...], got [None, 4]",
		    2, 4);
	CHECK_SHAPE(nacre_time_distributed(nacre_repeat_vector(2)),
		    "repeat_vector: expected an input of [None, size], got [None, 4, 5]", 4, 3, 4,
		    5);
	CHECK_SHAPE(nacre_einsum_dense("ab,bc", {3}),
		    "l: equation: expected \"x,y->z\", \"...x,y->...z\" or \"x...,y->z...\", got "
		    "\"ab,bc\"",
		    2, 4);
	CHECK_SHAPE(nacre_einsum_dense("abc,cd->abd", {3, 4}),
		    "l: equation: \"abc,cd->abd\" does not fit an input of 2 axes", 2, 4);
	CHECK_SHAPE(nacre_einsum_dense("abc,cd->abd", {5, 4}),
		    "l: output_shape: axis 'b' is 3, given is 5", 3, 3, 4);
	CHECK_SHAPE(nacre_einsum_dense("ab,bc->ac", {3}, .bias_axes = "z"),
		    "l: bias_axes: 'z' is no axis of the output", 2, 4);
	CHECK_SHAPE(
	    nacre_normalization(.mean = {2, (double[]){1, 2}}, .variance = {2, (double[]){1, 2}}),
	    "l: mean: expected 1 or 3 numbers, got 2", 2, 3);
	CHECK_SHAPE(nacre_discretization({0}, .num_bins = 3),
		    "l: has no boundaries yet: adapt it before it is applied", 2, 3);
	CHECK_SHAPE(nacre_spectral_normalization(nacre_flatten()),
		    "l: Flatten has neither a kernel nor embeddings", 2, 3);
	check_shapes(nacre_subtract(), "l: input 1 is f32 [4] a sample, those before f32 [3]", 2,
		     (int[]){2, 2}, (const int64_t[][NACRE_MAX_RANK]){{2, 3}, {2, 4}});
	check_shapes(nacre_dot(2, 1), "l: axis 2 of input 0 is 4, axis 1 of input 1 is 5", 2,
		     (int[]){3, 3}, (const int64_t[][NACRE_MAX_RANK]){{2, 3, 4}, {2, 5, 4}});
}

TEST(adapt_refused)
{
	nacre_error e = {0};
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){2, 3}, NULL);
	nacre_layer *l = nacre_normalization();
	CHECK(nacre_adapt(l, x, &e) != NACRE_OK);
	CHECK_STR(e.text, "adapt: normalization: it must have been applied first");
	e = (nacre_error){0};
	CHECK(nacre_adapt(l, NULL, &e) != NACRE_OK);
	nacre_layer_free(l);
	l = nacre_flatten();
	e = (nacre_error){0};
	CHECK(nacre_adapt(l, x, &e) != NACRE_OK);
	CHECK_STR(e.text, "adapt: Flatten learns nothing from data");
	CHECK(nacre_adapt(NULL, x, NULL) != NACRE_OK);
	nacre_layer_free(l);
	nacre_tensor_free(x);
}

/* -- text -------------------------------------------------------------------------------------- */
TEST(texts)
{
	nacre_layer *l[] = {
	    nacre_relu_layer(.max_value = 6),
	    nacre_zero_padding2d({1, 0}, {2, 3}),
	    nacre_up_sampling2d(.interpolation = NACRE_BILINEAR),
	    nacre_softmax_layer(1, 2),
	    nacre_discretization({2, (double[]){0, 1.5}}, .output_mode = NACRE_OUTPUT_COUNT),
	    nacre_time_distributed(nacre_dense(3)),
	    nacre_einsum_dense("ab,bc->ac", {3}),
	};
	static const char *const want[] = {
	    "ReLU(max_value=6)",
	    "ZeroPadding2D(padding=[1, 0], [2, 3])",
	    "UpSampling2D(interpolation=bilinear)",
	    "Softmax(axis=[1, 2])",
	    "Discretization(bin_boundaries=[0, 1.5], output_mode=count)",
	    "TimeDistributed(layer=Dense(units=3))",
	    "EinsumDense(equation=ab,bc->ac, output_shape=[3])",
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
