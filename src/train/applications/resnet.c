/* SPDX-License-Identifier: MIT
 *
 * resnet.c - residual networks (He et al., 2015): ResNet-50, and ResNet-20 for small pictures.
 */
#include <stdio.h>

#include "train/applications/build.h"

static void conv(nc_builder *b, int64_t filters, int64_t size, int64_t stride, int padding,
		 const char *where, const char *part)
{
	nc_builder_add(b, nacre_conv2d(filters, {size}, {stride}, padding,
				       .name = nc_builder_name(b, "%s%s_conv", where, part)));
	nc_builder_add(
	    b, nacre_batch_normalization(.epsilon = 1.001e-5,
					 .name = nc_builder_name(b, "%s%s_bn", where, part)));
}

static void relu(nc_builder *b, const char *where, const char *part)
{
	nc_builder_add(
	    b, nacre_activation(nacre_relu, .name = nc_builder_name(b, "%s%s", where, part)));
}

static void bottleneck(nc_builder *b, int64_t filters, int64_t stride, bool shortcut, int stack,
		       int block)
{
	char where[32];
	nacre_value *x = b->x, *aside = x;
	snprintf(where, sizeof where, "conv%d_block%d", stack, block);
	if (shortcut) {
		conv(b, 4 * filters, 1, stride, NACRE_VALID, where, "_0");
		aside = b->x;
	}
	b->x = x;
	conv(b, filters, 1, stride, NACRE_VALID, where, "_1");
	relu(b, where, "_1_relu");
	conv(b, filters, 3, 1, NACRE_SAME, where, "_2");
	relu(b, where, "_2_relu");
	conv(b, 4 * filters, 1, 1, NACRE_VALID, where, "_3");
	nc_builder_merge(b, nacre_add_layer(.name = nc_builder_name(b, "%s_add", where)), aside,
			 b->x);
	relu(b, where, "_out");
}

nacre_model *nacre_resnet50_new(nacre_application_options options)
{
	static const int blocks[] = {3, 4, 6, 3};
	const nacre_application_options standard = {.input_shape = {224, 224, 3},
						    .name = "resnet50"};
	nc_builder b;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	nc_builder_add(&b, nacre_zero_padding2d_new((nacre_padding_options){
			       .padding = {{3, 3}, {3, 3}}, .name = "conv1_pad"}));
	conv(&b, 64, 7, 2, NACRE_VALID, "conv1", "");
	relu(&b, "conv1", "_relu");
	nc_builder_add(&b, nacre_zero_padding2d_new((nacre_padding_options){
			       .padding = {{1, 1}, {1, 1}}, .name = "pool1_pad"}));
	nc_builder_add(&b, nacre_max_pooling2d({3}, {2}, .name = "pool1_pool"));
	for (int stack = 0; stack < 4; stack++)
		for (int i = 0; i < blocks[stack]; i++)
			bottleneck(&b, (int64_t)64 << stack, i == 0 && stack ? 2 : 1, i == 0,
				   stack + 2, i + 1);
	if (b.o.no_top) {
		nc_builder_pool(&b, "avg_pool", "max_pool");
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_global_average_pooling2d(.name = "avg_pool"));
	nc_builder_add(&b,
		       nacre_dense(b.o.classes, b.o.classifier_activation, .name = "predictions"));
	return nc_builder_finish(&b);
}

/* -- for CIFAR: three stacks of three blocks of two 3x3 convolutions, names given by order --------
 */
static void small_conv(nc_builder *b, int64_t filters, int64_t size, int64_t stride, bool normalize,
		       bool activate)
{
	nc_builder_add(b, nacre_conv2d(filters, {size}, {stride}, NACRE_SAME,
				       .kernel_initializer = nacre_he_normal,
				       .kernel_regularizer = nacre_l2(1e-4)));
	if (normalize)
		nc_builder_add(b, nacre_batch_normalization());
	if (activate)
		nc_builder_add(b, nacre_activation(nacre_relu));
}

nacre_model *nacre_resnet20_new(nacre_application_options options)
{
	const nacre_application_options standard = {
	    .input_shape = {32, 32, 3}, .classes = 10, .name = "resnet20"};
	nc_builder b;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	small_conv(&b, 16, 3, 1, true, true);
	for (int stack = 0; stack < 3; stack++)
		for (int block = 0; block < 3; block++) {
			int64_t filters = (int64_t)16 << stack;
			bool down = stack && block == 0;
			nacre_value *x = b.x, *y;
			small_conv(&b, filters, 3, down ? 2 : 1, true, true);
			small_conv(&b, filters, 3, 1, true, false);
			y = b.x;
			b.x = x;
			if (down)
				small_conv(&b, filters, 1, 2, false, false);
			nc_builder_merge(&b, nacre_add_layer(), b.x, y);
			nc_builder_add(&b, nacre_activation(nacre_relu));
		}
	if (b.o.no_top) {
		nc_builder_pool(&b, NULL, NULL);
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_average_pooling2d({8}));
	nc_builder_add(&b, nacre_flatten());
	nc_builder_add(&b, nacre_dense(b.o.classes, b.o.classifier_activation,
				       .kernel_initializer = nacre_he_normal));
	return nc_builder_finish(&b);
}
