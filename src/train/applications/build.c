/* SPDX-License-Identifier: MIT
 *
 * build.c - what the builders of applications share: see build.h.
 */
#include "train/applications/build.h"

#include <stdio.h>
#include <string.h>

bool nc_builder_start(nc_builder *b, const nacre_application_options *o,
		      const nacre_application_options *standard)
{
	*b = (nc_builder){.o = *o};
	for (int i = 0; i < 3; i++)
		if (!o->input_shape[i])
			b->o.input_shape[i] = standard->input_shape[i];
	if (!o->classes)
		b->o.classes = standard->classes ? standard->classes : 1000;
	if (!o->classifier_activation)
		b->o.classifier_activation = nacre_softmax;
	if (o->alpha == 0)
		b->o.alpha = 1;
	if (!o->depth_multiplier)
		b->o.depth_multiplier = 1;
	if (o->dropout == 0)
		b->o.dropout = standard->dropout;
	if (!o->name)
		b->o.name = standard->name;
	b->model = nacre_functional_in(b->o.runtime, b->o.name);
	if (!b->model)
		return false;
	nacre_input_options in = {.dtype = NACRE_F32};
	memcpy(in.shape, b->o.input_shape, sizeof b->o.input_shape);
	b->x = nacre_model_input(b->model, nacre_input_new(in));
	return true;
}

nacre_model *nc_builder_finish(nc_builder *b)
{
	nacre_model_output(b->model, b->x);
	if (b->o.weights)
		nacre_load_weights(b->model, b->o.weights);
	return b->model;
}

const char *nc_builder_name(nc_builder *b, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(b->name, sizeof b->name, format, args);
	va_end(args);
	return b->name;
}

nacre_value *nc_builder_add(nc_builder *b, nacre_layer *layer)
{
	return b->x = nacre_apply(layer, b->x);
}

nacre_value *nc_builder_merge(nc_builder *b, nacre_layer *layer, nacre_value *x, nacre_value *y)
{
	return b->x = nacre_apply_n(layer, 2, (nacre_value *[]){x, y});
}

void nc_builder_pool(nc_builder *b, const char *average, const char *max)
{
	if (b->o.pooling == NACRE_TOP_AVERAGE)
		nc_builder_add(b, nacre_global_average_pooling2d(.name = average));
	else if (b->o.pooling == NACRE_TOP_MAX)
		nc_builder_add(b, nacre_global_max_pooling2d(.name = max));
}

int64_t nc_builder_channels(const nc_builder *b)
{
	int rank = nacre_value_rank(b->x);
	return rank ? nacre_value_shape(b->x)[rank - 1] : 0;
}

nacre_layer *nc_builder_pad(const nc_builder *b, int64_t size, const char *name)
{
	nacre_padding_options o = {.name = name};
	for (int i = 0; i < 2 && nacre_value_rank(b->x) == 4; i++) {
		o.padding[i][1] = size / 2;
		o.padding[i][0] = size / 2 - (1 - nacre_value_shape(b->x)[i + 1] % 2);
	}
	return nacre_zero_padding2d_new(o);
}

int64_t nc_builder_round(double v)
{
	int64_t n = (int64_t)(v + 4) / 8 * 8;
	n = nc_max(n, 8);
	return (double)n < 0.9 * v ? n + 8 : n;
}
