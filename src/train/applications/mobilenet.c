/* SPDX-License-Identifier: MIT
 *
 * mobilenet.c - MobileNet (Howard et al., 2017) and MobileNetV2 (Sandler et al., 2018).
 */
#include <stdio.h>

#include "train/applications/build.h"

/* The name of the model as Keras makes it: the width by which the files are called. */
static nacre_application_options named(nacre_application_options o, char *text, size_t size,
				       const char *format)
{
	int64_t rows = o.input_shape[0] ? o.input_shape[0] : 224;
	snprintf(text, size, format, o.alpha != 0 ? o.alpha : 1.0, (long long)rows);
	return (nacre_application_options){.input_shape = {224, 224, 3}, .name = text};
}

/* -- version 1 --------------------------------------------------------------------------------- */
static void normalize(nc_builder *b, const char *what)
{
	nc_builder_add(b, nacre_batch_normalization(.name = nc_builder_name(b, "%s_bn", what)));
	nc_builder_add(
	    b, nacre_relu_layer(.max_value = 6, .name = nc_builder_name(b, "%s_relu", what)));
}

static void depthwise(nc_builder *b, int64_t filters, int64_t stride, int id)
{
	char what[32];
	if (stride == 2)
		nc_builder_add(b, nacre_zero_padding2d_new((nacre_padding_options){
				      .padding = {{0, 1}, {0, 1}},
				      .name = nc_builder_name(b, "conv_pad_%d", id)}));
	snprintf(what, sizeof what, "conv_dw_%d", id);
	nc_builder_add(b,
		       nacre_depthwise_conv2d({3}, {stride}, stride == 1 ? NACRE_SAME : NACRE_VALID,
					      .depth_multiplier = b->o.depth_multiplier,
					      .no_bias = 1, .name = what));
	normalize(b, what);
	snprintf(what, sizeof what, "conv_pw_%d", id);
	nc_builder_add(b, nacre_conv2d((int64_t)((double)filters * b->o.alpha), {1},
				       .padding = NACRE_SAME, .no_bias = 1, .name = what));
	normalize(b, what);
}

nacre_model *nacre_mobilenet_new(nacre_application_options options)
{
	static const struct {
		int64_t filters, stride;
	} block[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
		     {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
	char text[64];
	nacre_application_options standard =
	    named(options, text, sizeof text, "mobilenet_%0.2f_%lld");
	nc_builder b;
	standard.dropout = 1e-3;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	nc_builder_add(&b, nacre_conv2d((int64_t)(32 * b.o.alpha), {3}, {2}, NACRE_SAME,
					.no_bias = 1, .name = "conv1"));
	normalize(&b, "conv1");
	for (int i = 0; i < (int)(sizeof block / sizeof *block); i++)
		depthwise(&b, block[i].filters, block[i].stride, i + 1);
	if (b.o.no_top) {
		nc_builder_pool(&b, NULL, NULL);
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_global_average_pooling2d(.keepdims = 1));
	nc_builder_add(&b, nacre_dropout(b.o.dropout, .name = "dropout"));
	nc_builder_add(&b,
		       nacre_conv2d(b.o.classes, {1}, .padding = NACRE_SAME, .name = "conv_preds"));
	nc_builder_add(&b, nacre_reshape_layer_new((nacre_reshape_options){
			       .target_shape = {b.o.classes}, .name = "reshape_2"}));
	nc_builder_add(&b, nacre_activation(b.o.classifier_activation, .name = "predictions"));
	return nc_builder_finish(&b);
}

/* -- version 2 --------------------------------------------------------------------------------- */
static void conv_v2(nc_builder *b, int64_t filters, const char *name, const char *bn,
		    const char *relu)
{
	char text[64];
	snprintf(text, sizeof text, "%s", name);
	nc_builder_add(
	    b, nacre_conv2d(filters, {1}, .padding = NACRE_SAME, .no_bias = 1, .name = text));
	nc_builder_add(b,
		       nacre_batch_normalization(.epsilon = 1e-3, .momentum = 0.999, .name = bn));
	if (relu)
		nc_builder_add(b, nacre_relu_layer(.max_value = 6, .name = relu));
}

static void inverted(nc_builder *b, int64_t filters, int64_t stride, int id)
{
	char where[32], bn[64], relu[64];
	int64_t in = nc_builder_channels(b);
	int64_t out = nc_builder_round((double)(int64_t)((double)filters * b->o.alpha));
	nacre_value *x = b->x;
	if (id)
		snprintf(where, sizeof where, "block_%d_", id);
	else
		snprintf(where, sizeof where, "expanded_conv_");
	if (id) {
		snprintf(bn, sizeof bn, "%sexpand_BN", where);
		snprintf(relu, sizeof relu, "%sexpand_relu", where);
		conv_v2(b, 6 * in, nc_builder_name(b, "%sexpand", where), bn, relu);
	}
	if (stride == 2)
		nc_builder_add(b, nc_builder_pad(b, 3, nc_builder_name(b, "%spad", where)));
	nc_builder_add(b, nacre_depthwise_conv2d(
			      {3}, {stride}, stride == 1 ? NACRE_SAME : NACRE_VALID, .no_bias = 1,
			      .name = nc_builder_name(b, "%sdepthwise", where)));
	nc_builder_add(
	    b, nacre_batch_normalization(.epsilon = 1e-3, .momentum = 0.999,
					 .name = nc_builder_name(b, "%sdepthwise_BN", where)));
	nc_builder_add(b, nacre_relu_layer(.max_value = 6,
					   .name = nc_builder_name(b, "%sdepthwise_relu", where)));
	snprintf(bn, sizeof bn, "%sproject_BN", where);
	conv_v2(b, out, nc_builder_name(b, "%sproject", where), bn, NULL);
	if (in == out && stride == 1)
		nc_builder_merge(b, nacre_add_layer(.name = nc_builder_name(b, "%sadd", where)), x,
				 b->x);
}

nacre_model *nacre_mobilenet_v2_new(nacre_application_options options)
{
	static const struct {
		int64_t filters;
		int n, stride;
	} stack[] = {{16, 1, 1}, {24, 2, 2},  {32, 3, 2}, {64, 4, 2},
		     {96, 3, 1}, {160, 3, 2}, {320, 1, 1}};
	char text[64];
	nacre_application_options standard =
	    named(options, text, sizeof text, "mobilenetv2_%0.2f_%lld");
	nc_builder b;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	nc_builder_add(&b, nacre_conv2d(nc_builder_round(32 * b.o.alpha), {3}, {2}, NACRE_SAME,
					.no_bias = 1, .name = "Conv1"));
	nc_builder_add(
	    &b, nacre_batch_normalization(.epsilon = 1e-3, .momentum = 0.999, .name = "bn_Conv1"));
	nc_builder_add(&b, nacre_relu_layer(.max_value = 6, .name = "Conv1_relu"));
	for (int i = 0, id = 0; i < (int)(sizeof stack / sizeof *stack); i++)
		for (int k = 0; k < stack[i].n; k++)
			inverted(&b, stack[i].filters, k ? 1 : stack[i].stride, id++);
	conv_v2(&b, b.o.alpha > 1 ? nc_builder_round(1280 * b.o.alpha) : 1280, "Conv_1",
		"Conv_1_bn", "out_relu");
	if (b.o.no_top) {
		nc_builder_pool(&b, NULL, NULL);
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_global_average_pooling2d());
	nc_builder_add(&b,
		       nacre_dense(b.o.classes, b.o.classifier_activation, .name = "predictions"));
	return nc_builder_finish(&b);
}
