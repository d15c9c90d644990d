/* SPDX-License-Identifier: MIT
 *
 * vgg.c - VGG16 and VGG19 (Simonyan and Zisserman, 2014), and LeNet-5 (LeCun et al., 1998).
 */
#include "train/applications/build.h"

static nacre_model *vgg(const nacre_application_options *o, const char *name, int deep)
{
	static const int64_t filters[] = {64, 128, 256, 512, 512};
	const nacre_application_options standard = {.input_shape = {224, 224, 3}, .name = name};
	nc_builder b;
	if (!nc_builder_start(&b, o, &standard))
		return NULL;
	for (int block = 0; block < 5; block++) {
		int n = block < 2 ? 2 : deep;
		for (int i = 0; i < n; i++)
			nc_builder_add(&b,
				       nacre_conv2d(filters[block], {3}, .padding = NACRE_SAME,
						    .activation = nacre_relu,
						    .name = nc_builder_name(&b, "block%d_conv%d",
									    block + 1, i + 1)));
		nc_builder_add(&b, nacre_max_pooling2d(.name = nc_builder_name(&b, "block%d_pool",
									       block + 1)));
	}
	if (b.o.no_top) {
		nc_builder_pool(&b, NULL, NULL);
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_flatten(.name = "flatten"));
	nc_builder_add(&b, nacre_dense(4096, nacre_relu, .name = "fc1"));
	nc_builder_add(&b, nacre_dense(4096, nacre_relu, .name = "fc2"));
	nc_builder_add(&b,
		       nacre_dense(b.o.classes, b.o.classifier_activation, .name = "predictions"));
	return nc_builder_finish(&b);
}

nacre_model *nacre_vgg16_new(nacre_application_options options)
{
	return vgg(&options, "vgg16", 3);
}

nacre_model *nacre_vgg19_new(nacre_application_options options)
{
	return vgg(&options, "vgg19", 4);
}

nacre_model *nacre_lenet5_new(nacre_application_options options)
{
	const nacre_application_options standard = {
	    .input_shape = {28, 28, 1}, .classes = 10, .name = "lenet5"};
	nc_builder b;
	if (!nc_builder_start(&b, &options, &standard))
		return NULL;
	nc_builder_add(&b, nacre_conv2d(6, {5}, .padding = NACRE_SAME, .activation = nacre_tanh,
					.name = "c1"));
	nc_builder_add(&b, nacre_average_pooling2d(.name = "s2"));
	nc_builder_add(&b, nacre_conv2d(16, {5}, .activation = nacre_tanh, .name = "c3"));
	nc_builder_add(&b, nacre_average_pooling2d(.name = "s4"));
	if (b.o.no_top) {
		nc_builder_pool(&b, NULL, NULL);
		return nc_builder_finish(&b);
	}
	nc_builder_add(&b, nacre_flatten(.name = "flatten"));
	nc_builder_add(&b, nacre_dense(120, nacre_tanh, .name = "c5"));
	nc_builder_add(&b, nacre_dense(84, nacre_tanh, .name = "f6"));
	nc_builder_add(&b, nacre_dense(b.o.classes, b.o.classifier_activation, .name = "output"));
	return nc_builder_finish(&b);
}
