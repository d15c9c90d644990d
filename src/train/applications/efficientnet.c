/* SPDX-License-Identifier: MIT
 *
 * efficientnet.c - EfficientNet-B0 (Tan and Le, 2019).
 */
#include <stdio.h>

#include "train/applications/build.h"

static const nacre_initializer_options by_fan_out = {.scale = 2, .fan = NACRE_FAN_OUT};

static void conv(nc_builder *b, int64_t filters, const char *where, const char *part)
{
	nc_builder_add(b, nacre_conv2d(filters, {1}, .padding = NACRE_SAME, .no_bias = 1,
				       .kernel_initializer = nacre_variance_scaling,
				       .kernel_initializer_options = by_fan_out,
				       .name = nc_builder_name(b, "%s%sconv", where, part)));
	nc_builder_add(
	    b, nacre_batch_normalization(.name = nc_builder_name(b, "%s%sbn", where, part)));
}

static void swish(nc_builder *b, const char *where, const char *part)
{
	nc_builder_add(b, nacre_activation(nacre_silu, .name = nc_builder_name(b, "%s%sactivation",
									       where, part)));
}

/* Each channel times a number that is made of the means of all. */
static void squeeze(nc_builder *b, int64_t filters, int64_t inner, const char *where)
{
	nacre_value *x = b->x;
	nc_builder_add(
	    b, nacre_global_average_pooling2d(.name = nc_builder_name(b, "%sse_squeeze", where)));
	nc_builder_add(b, nacre_reshape_layer_new((nacre_reshape_options){
			      .target_shape = {1, 1, filters},
			      .name = nc_builder_name(b, "%sse_reshape", where)}));
	nc_builder_add(b, nacre_conv2d(inner, {1}, .padding = NACRE_SAME, .activation = nacre_silu,
				       .kernel_initializer = nacre_variance_scaling,
				       .kernel_initializer_options = by_fan_out,
				       .name = nc_builder_name(b, "%sse_reduce", where)));
	nc_builder_add(b, nacre_conv2d(filters, {1}, .padding = NACRE_SAME,
				       .activation = nacre_sigmoid,
				       .kernel_initializer = nacre_variance_scaling,
				       .kernel_initializer_options = by_fan_out,
				       .name = nc_builder_name(b, "%sse_expand", where)));
	nc_builder_merge(b, nacre_multiply(.name = nc_builder_name(b, "%sse_excite", where)), x,
			 b->x);
}

/* rate: of dropping the block's work for a sample, so that only the way past it is left */
static void block(nc_builder *b, int64_t out, int64_t size, int64_t stride, int64_t expand,
		  double rate, const char *where)
{
	int64_t in = nc_builder_channels(b), filters = in * expand;
	nacre_value *x = b->x;
	if (expand != 1) {
		conv(b, filters, where, "expand_");
		swish(b, where, "expand_");
	}
	if (stride == 2)
		nc_builder_add(b,
			       nc_builder_pad(b, size, nc_builder_name(b, "%sdwconv_pad", where)));
	nc_builder_add(
	    b, nacre_depthwise_conv2d({size}, {stride}, stride == 2 ? NACRE_VALID : NACRE_SAME,
				      .no_bias = 1, .depthwise_initializer = nacre_variance_scaling,
				      .depthwise_initializer_options = by_fan_out,
				      .name = nc_builder_name(b, "%sdwconv", where)));
	nc_builder_add(b, nacre_batch_normalization(.name = nc_builder_name(b, "%sbn", where)));
	swish(b, where, "");
	squeeze(b, filters, nc_max(in / 4, 1), where);
	conv(b, out, where, "project_");
	if (stride != 1 || in != out)
		return;
	if (rate > 0)
		nc_builder_add(b, nacre_dropout(rate, {-1, 1, 1, 1},
						.name = nc_builder_name(b, "%sdrop", where)));
	nc_builder_merge(b, nacre_add_layer(.name = nc_builder_name(b, "%sadd", where)), b->x, x);
}

static void stem(nc_builder *b)
{
	nc_builder_add(b, nacre_rescaling(1.0 / 255));
	nc_builder_add(b, nacre_normalization(.axis = 3));
	nc_builder_add(b, nc_builder_pad(b, 3, "stem_conv_pad"));
	nc_builder_add(b,
		       nacre_conv2d(32, {3}, {2}, NACRE_VALID, .no_bias = 1,
				    .kernel_initializer = nacre_variance_scaling,
				    .kernel_initializer_options = by_fan_out, .name = "stem_conv"));
	nc_builder_add(b, nacre_batch_normalization(.name = "stem_bn"));
	swish(b, "stem_", "");
}

nacre_model *nacre_efficientnet_b0_new(nacre_application_options options)
{
	static const struct {
		int64_t size, out, expand, stride;
		int n;
	} stack[] = {{3, 16, 1, 1, 1},  {3, 24, 6, 2, 2},  {5, 40, 6, 2, 2}, {3, 80, 6, 2, 3},
		     {5, 112, 6, 1, 3}, {5, 192, 6, 2, 4}, {3, 320, 6, 1, 1}};
	const nacre_application_options standard = {
	    .input_shape = {224, 224, 3}, .dropout = 0.2, .name = "efficientnetb0"};
	const int blocks = 16;
	char where[32];
	nc_builder b;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	stem(&b);
	for (int i = 0, k = 0; i < (int)(sizeof stack / sizeof *stack); i++)
		for (int j = 0; j < stack[i].n; j++, k++) {
			snprintf(where, sizeof where, "block%d%c_", i + 1, 'a' + j);
			block(&b, stack[i].out, stack[i].size, j ? 1 : stack[i].stride,
			      stack[i].expand, 0.2 * k / blocks, where);
		}
	conv(&b, 1280, "top_", "");
	swish(&b, "top_", "");
	if (b.o.no_top) {
		nc_builder_pool(&b, "avg_pool", "max_pool");
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_global_average_pooling2d(.name = "avg_pool"));
	if (b.o.dropout > 0 && b.o.dropout != NACRE_ZERO)
		nc_builder_add(&b, nacre_dropout(b.o.dropout, .name = "top_dropout"));
	const nacre_initializer_options uniform = {
	    .scale = 1.0 / 3, .fan = NACRE_FAN_OUT, .distribution = NACRE_SCALED_UNIFORM};
	nc_builder_add(&b,
		       nacre_dense(b.o.classes, b.o.classifier_activation,
				   .kernel_initializer = nacre_variance_scaling,
				   .kernel_initializer_options = uniform, .name = "predictions"));
	return nc_builder_finish(&b);
}
