/* SPDX-License-Identifier: MIT
 *
 * spatial.c - layers of space beside Keras's numbers (layers.c): what they refuse and say, dropout
 * of whole channels.
 */
#include <stdio.h>

#include "nn/layer.h"
#include "run.h"

static void refused(nacre_layer *l, const char *text)
{
	CHECK_STR(nacre_layer_error(l)->text, text);
	nacre_layer_free(l);
}

TEST(options)
{
	refused(nacre_conv2d(0, {3}), "conv2d: filters: expected 1 to 1e+09, got 0");
	refused(nacre_conv2d(4, {3, 3, 3}),
		"conv2d: kernel_size: expected one or 2 positive sizes, got [3, 3, 3]");
	refused(nacre_conv2d(4, {-2}),
		"conv2d: kernel_size: expected one or 2 positive sizes, got [-2]");
	refused(nacre_conv1d(4, {3, 3}),
		"conv1d: kernel_size: expected one positive size, got [3, 3]");
	refused(nacre_conv3d(4, {3}, {2, 2}),
		"conv3d: strides: expected one or 3 positive sizes, got [2, 2]");
	refused(nacre_conv2d(4, {3}, {2}, .dilation_rate = {2}),
		"conv2d: strides above 1 and dilation_rate above 1 exclude each other");
	refused(nacre_conv2d(4, {3}, .padding = NACRE_CAUSAL),
		"conv2d: padding: expected valid or same, got causal");
	refused(nacre_conv2d(4, {3}, .padding = 7),
		"conv2d: padding: expected one of valid|same|causal, got 7");
	refused(nacre_conv2d(4, {3}, .groups = 3),
		"conv2d: filters: expected a multiple of 3 groups, got 4");
	refused(
	    nacre_conv2d_transpose(4, {3}, {2}, .output_padding = {2}),
	    "conv2d_transpose: output_padding: expected one or 2 numbers below the strides, got "
	    "[2]");
	refused(nacre_max_pooling2d({2, 2, 2}),
		"max_pooling2d: pool_size: expected one or 2 positive sizes, got [2, 2, 2]");
	refused(nacre_adaptive_max_pooling1d({0}),
		"adaptive_max_pooling1d: output_size: expected one positive size, got []");
	refused(nacre_spatial_dropout2d(1), "spatial_dropout2d: rate: expected less than 1, got 1");
}

/* Calls a layer, built for inputs of `first`, on `shape`; the error's text. */
static void called(nacre_layer *l, int rank, const int64_t *first, int rank2, const int64_t *shape,
		   const char *text)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_error e = {0};
	nc_call c = {.runtime = nc_runtime(NULL), .graph = g, .error = &e};
	c.effects_end = &c.effects;
	snprintf(l->name, sizeof l->name, "l");
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, rank, first);
	nacre_node *y = nc_layer_call(&c, l, 1, &x);
	if (shape) {
		CHECK(y && !e.status);
		x = nacre_placeholder(g, "z", NACRE_F32, rank2, shape);
		y = nc_layer_call(&c, l, 1, &x);
	}
	CHECK(!y);
	CHECK_STR(e.text, text);
	nacre_graph_free(g);
	nacre_layer_free(l);
}
#define SHAPE(...)                                                                                 \
	(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

TEST(inputs)
{
	called(nacre_conv2d(2, {3}), SHAPE(1, 5, 5), 0, NULL,
	       "l: expected an input of [None, height, width, channels], got [None, 5, 5]");
	called(nacre_conv2d(2, {3}, .data_format = NACRE_CHANNELS_FIRST), SHAPE(1, 5), 0, NULL,
	       "l: expected an input of [None, channels, height, width], got [None, 5]");
	called(nacre_conv2d(2, {3}), SHAPE(1, 5, 5, 3), SHAPE(1, 5, 5, 4),
	       "l: kernel expects 3 channels, got 4");
	called(nacre_separable_conv1d(2, {3}), SHAPE(1, 5, 3), SHAPE(1, 5, 4),
	       "l: depthwise_kernel expects 3 channels, got 4");
	called(nacre_conv1d_transpose(2, {3}), SHAPE(1, 5, 3), SHAPE(1, 5, 4),
	       "l: kernel expects 3 channels, got 4");
	called(nacre_conv2d(2, {3}, .groups = 2), SHAPE(1, 5, 5, 3), 0, NULL,
	       "l: expected channels that 2 groups divide, got 3");
	called(nacre_conv2d_transpose(2, {2}, .padding = NACRE_SAME, .output_padding = {-1}),
	       SHAPE(1, 1, 1, 3), 0, NULL, "l: nothing would be left of axis 1");
}

TEST(whole_channels)
{
	enum { N = 200, H = 3, C = 5 };
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_error e = {0};
	nc_call c = {.runtime = nc_runtime(NULL), .graph = g, .error = &e, .training = true};
	nacre_layer *l = nacre_spatial_dropout2d(0.25);
	c.effects_end = &c.effects;
	int64_t shape[] = {N, H, H, C};
	nacre_node *x = nacre_broadcast(nacre_scalar(g, NACRE_F32, 1), 4, shape);
	nacre_tensor *t = run_node(nc_layer_call(&c, l, 1, &x));
	double sum = 0;
	for (int n = 0; t && n < N; n++)
		for (int k = 0; k < C; k++) {
			double first = nacre_tensor_get(t, n * H * H * C + k);
			for (int i = 1; i < H * H; i++)
				CHECK(nacre_tensor_get(t, (n * H * H + i) * C + k) == first);
			CHECK(first == 0 || fabs(first - 4.0 / 3) < 1e-6);
			sum += first / (N * C);
		}
	CHECK_NEAR(sum, 1, 0.1);
	nacre_tensor_free(t);
	nacre_graph_free(g);
	nacre_layer_free(l);
}
