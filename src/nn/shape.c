/* SPDX-License-Identifier: MIT
 *
 * shape.c - layers that move numbers: identity, permute, repeat_vector, zero_padding, cropping,
 * up_sampling1d and 3d.
 */
#include <string.h>

#include "nn/resize.h"
#include "nn/spatial.h"

#define BIG 1e9 /* of sizes: far from an overflow of their products */

static nacre_node *identity_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)l, (void)n;
	return x[0];
}

static const nc_option identity_options[] = {
    NC_OPT_END,
};
const nc_layer_class nc_class_identity = {
    .id = NC_LAYER_identity,
    .name = "Identity",
    .snake = "identity",
    .options_size = sizeof(nacre_plain_options),
    .options = identity_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = identity_call,
};

nacre_layer *nacre_identity_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_identity, &options, options.name);
}

/* -- permute, repeat_vector -------------------------------------------------------------------- */
static const int64_t *dims(const nacre_layer *l)
{
	return ((const nacre_permute_options *)l->options)->dims;
}

static bool permute_check(nacre_layer *l)
{
	char text[128];
	int rank = nc_shape_rank(dims(l));
	unsigned seen = 0;
	for (int i = 0; i < rank; i++)
		if (dims(l)[i] >= 1 && dims(l)[i] <= rank)
			seen |= 1u << (dims(l)[i] - 1);
	return seen == (1u << rank) - 1 ||
	       nc_layer_refuse(l, "dims: expected the numbers 1 to %d in some order, got %s", rank,
			       nc_shape_text(text, rank, dims(l)));
}

static nacre_node *permute_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	int rank = nc_shape_rank(dims(l)), order[NACRE_MAX_RANK + 1] = {0};
	if (rank != x[0]->rank - 1) {
		nc_layer_fail(c, l, "dims: expected %d numbers, one for each axis, got %d",
			      x[0]->rank - 1, rank);
		return NULL;
	}
	for (int i = 0; i < rank; i++)
		order[i + 1] = (int)dims(l)[i];
	return nacre_transpose(x[0], order);
}

static const nc_option permute_options[] = {
    NC_OPT_SHAPE(nacre_permute_options, dims),
    NC_OPT_END,
};
const nc_layer_class nc_class_permute = {
    .id = NC_LAYER_permute,
    .name = "Permute",
    .snake = "permute",
    .options_size = sizeof(nacre_permute_options),
    .options = permute_options,
    .min_in = 1,
    .max_in = 1,
    .check = permute_check,
    .call = permute_call,
};

nacre_layer *nacre_permute_new(nacre_permute_options options)
{
	return nc_layer_new(&nc_class_permute, &options, options.name);
}

static nacre_node *repeat_vector_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	if (!nc_layer_rank(c, l, x[0], 2, "[None, size]"))
		return NULL;
	int64_t times = ((const nacre_repeat_vector_options *)l->options)->n;
	int64_t shape[] = {x[0]->shape[0], times, x[0]->shape[1]};
	return nacre_broadcast(nacre_expand_dims(x[0], 1), 3, shape);
}

static const nc_option repeat_vector_options[] = {
    NC_OPT_NUMBER(I64, nacre_repeat_vector_options, n, 0, 1, BIG),
    NC_OPT_END,
};
const nc_layer_class nc_class_repeat_vector = {
    .id = NC_LAYER_repeat_vector,
    .name = "RepeatVector",
    .snake = "repeat_vector",
    .options_size = sizeof(nacre_repeat_vector_options),
    .options = repeat_vector_options,
    .min_in = 1,
    .max_in = 1,
    .call = repeat_vector_call,
};

nacre_layer *nacre_repeat_vector_new(nacre_repeat_vector_options options)
{
	return nc_layer_new(&nc_class_repeat_vector, &options, options.name);
}

/* -- zero_padding, cropping -------------------------------------------------------------------- */
static const char *const images[] = {NULL, "[None, steps, channels]",
				     "[None, height, width, channels]",
				     "[None, depth, height, width, channels]"};

/* Both option structs begin with their pairs, and then have a data_format. */
static int first_axis(const nacre_layer *l)
{
	const nacre_padding_options *o = (const nacre_padding_options *)l->options;
	return o->data_format == NACRE_CHANNELS_FIRST ? 2 : 1;
}

static bool pairs_check(nacre_layer *l)
{
	const nc_option *o = &l->class->options[0];
	const int64_t(*p)[2] = (const int64_t(*)[2])l->options;
	for (int i = 0; i < (int)o->number; i++)
		for (int j = 0; j < 2; j++)
			if (p[i][j] < 0 || p[i][j] > (int64_t)BIG)
				return nc_layer_refuse(l, "%s: expected 0 or more, got %lld",
						       o->name, (long long)p[i][j]);
	return true;
}

static nacre_node *padding_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const int64_t(*p)[2] = (const int64_t(*)[2])l->options;
	int axes = (int)l->class->options[0].number;
	int64_t before[NACRE_MAX_RANK] = {0}, after[NACRE_MAX_RANK] = {0};
	if (!nc_layer_rank(c, l, x[0], axes + 2, images[axes]))
		return NULL;
	for (int i = 0; i < axes; i++) {
		before[i + first_axis(l)] = p[i][0];
		after[i + first_axis(l)] = p[i][1];
	}
	return nacre_pad(x[0], before, after, NULL, 0);
}

static nacre_node *cropping_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const int64_t(*p)[2] = (const int64_t(*)[2])l->options;
	int axes = (int)l->class->options[0].number;
	int64_t start[NACRE_MAX_RANK] = {0}, stop[NACRE_MAX_RANK], step[NACRE_MAX_RANK];
	if (!nc_layer_rank(c, l, x[0], axes + 2, images[axes]))
		return NULL;
	memcpy(stop, x[0]->shape, sizeof stop);
	for (int i = 0; i < x[0]->rank; i++)
		step[i] = 1;
	for (int i = 0; i < axes; i++) {
		int axis = i + first_axis(l);
		start[axis] = p[i][0];
		stop[axis] -= p[i][1];
		if (start[axis] < stop[axis])
			continue;
		nc_layer_fail(
		    c, l, "cropping [%lld, %lld] leaves nothing of axis %d, which is %lld",
		    (long long)p[i][0], (long long)p[i][1], axis, (long long)x[0]->shape[axis]);
		return NULL;
	}
	return nacre_slice(x[0], start, stop, step);
}

static const nc_option zero_padding1d_options[] = {
    NC_OPT_PAIRS(nacre_padding_options, padding, 1),
    NC_OPT_DATA_FORMAT(nacre_padding_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_zero_padding1d = {
    .id = NC_LAYER_zero_padding1d,
    .name = "ZeroPadding1D",
    .snake = "zero_padding1d",
    .options_size = sizeof(nacre_padding_options),
    .options = zero_padding1d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = padding_call,
};

nacre_layer *nacre_zero_padding1d_new(nacre_padding_options options)
{
	return nc_layer_new(&nc_class_zero_padding1d, &options, options.name);
}

static const nc_option zero_padding2d_options[] = {
    NC_OPT_PAIRS(nacre_padding_options, padding, 2),
    NC_OPT_DATA_FORMAT(nacre_padding_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_zero_padding2d = {
    .id = NC_LAYER_zero_padding2d,
    .name = "ZeroPadding2D",
    .snake = "zero_padding2d",
    .options_size = sizeof(nacre_padding_options),
    .options = zero_padding2d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = padding_call,
};

nacre_layer *nacre_zero_padding2d_new(nacre_padding_options options)
{
	return nc_layer_new(&nc_class_zero_padding2d, &options, options.name);
}

static const nc_option zero_padding3d_options[] = {
    NC_OPT_PAIRS(nacre_padding_options, padding, 3),
    NC_OPT_DATA_FORMAT(nacre_padding_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_zero_padding3d = {
    .id = NC_LAYER_zero_padding3d,
    .name = "ZeroPadding3D",
    .snake = "zero_padding3d",
    .options_size = sizeof(nacre_padding_options),
    .options = zero_padding3d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = padding_call,
};

nacre_layer *nacre_zero_padding3d_new(nacre_padding_options options)
{
	return nc_layer_new(&nc_class_zero_padding3d, &options, options.name);
}

static const nc_option cropping1d_options[] = {
    NC_OPT_PAIRS(nacre_cropping_options, cropping, 1),
    NC_OPT_END,
};
const nc_layer_class nc_class_cropping1d = {
    .id = NC_LAYER_cropping1d,
    .name = "Cropping1D",
    .snake = "cropping1d",
    .options_size = sizeof(nacre_cropping_options),
    .options = cropping1d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = cropping_call,
};

nacre_layer *nacre_cropping1d_new(nacre_cropping_options options)
{
	return nc_layer_new(&nc_class_cropping1d, &options, options.name);
}

static const nc_option cropping2d_options[] = {
    NC_OPT_PAIRS(nacre_cropping_options, cropping, 2),
    NC_OPT_DATA_FORMAT(nacre_cropping_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_cropping2d = {
    .id = NC_LAYER_cropping2d,
    .name = "Cropping2D",
    .snake = "cropping2d",
    .options_size = sizeof(nacre_cropping_options),
    .options = cropping2d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = cropping_call,
};

nacre_layer *nacre_cropping2d_new(nacre_cropping_options options)
{
	return nc_layer_new(&nc_class_cropping2d, &options, options.name);
}

static const nc_option cropping3d_options[] = {
    NC_OPT_PAIRS(nacre_cropping_options, cropping, 3),
    NC_OPT_DATA_FORMAT(nacre_cropping_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_cropping3d = {
    .id = NC_LAYER_cropping3d,
    .name = "Cropping3D",
    .snake = "cropping3d",
    .options_size = sizeof(nacre_cropping_options),
    .options = cropping3d_options,
    .min_in = 1,
    .max_in = 1,
    .check = pairs_check,
    .call = cropping_call,
};

nacre_layer *nacre_cropping3d_new(nacre_cropping_options options)
{
	return nc_layer_new(&nc_class_cropping3d, &options, options.name);
}

/* -- up_sampling ------------------------------------------------------------------------------- */
bool nc_layer_up_sizes(nacre_layer *l, int axes, const int64_t *size, int64_t out[3])
{
	char text[128];
	int n = nc_shape_rank(size);
	bool fits = n <= 1 || n == axes;
	for (int i = 0; i < axes; i++) {
		out[i] = n == 0 ? 2 : size[n == 1 ? 0 : i];
		fits = fits && out[i] >= 1 && out[i] <= (int64_t)BIG;
	}
	return fits || nc_layer_refuse(l, "size: expected one or %d positive sizes, got %s", axes,
				       nc_shape_text(text, n, size));
}

/* Every place `times` times along an axis: a new axis behind it, stretched, then the two as one. */
nacre_node *nc_repeat(nacre_node *x, int axis, int64_t times)
{
	int64_t shape[NACRE_MAX_RANK + 1];
	if (!x || times == 1)
		return x;
	int rank = x->rank;
	memcpy(shape, x->shape, sizeof x->shape);
	memmove(shape + axis + 2, shape + axis + 1, (size_t)(rank - axis - 1) * sizeof *shape);
	shape[axis + 1] = times;
	nacre_node *y = nacre_broadcast(nacre_expand_dims(x, axis + 1), rank + 1, shape);
	memcpy(shape, x->shape, sizeof x->shape);
	if (!nc_mul_i64(shape[axis], times, &shape[axis]))
		return nc_graph_fail(x->graph, "axis %d would be too long", axis);
	return nacre_reshape(y, rank, shape);
}

static const int64_t *sizes(const nacre_layer *l)
{
	return ((const nacre_up_sampling_options *)l->options)->size;
}

static nacre_node *up_sampling(nc_call *c, nacre_layer *l, nacre_node *x, int axes)
{
	int64_t size[3];
	if (!nc_layer_rank(c, l, x, axes + 2, images[axes]) ||
	    !nc_layer_up_sizes(l, axes, sizes(l), size))
		return NULL;
	for (int i = 0; i < axes; i++)
		x = nc_repeat(x, i + 1, size[i]);
	return x;
}

static bool up_sampling1d_check(nacre_layer *l)
{
	int64_t size[3];
	return nc_layer_up_sizes(l, 1, sizes(l), size);
}

static nacre_node *up_sampling1d_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	return up_sampling(c, l, x[0], 1);
}

static const nc_option up_sampling1d_options[] = {
    NC_OPT_SIZES_OR(nacre_up_sampling_options, size, 2),
    NC_OPT_END,
};
const nc_layer_class nc_class_up_sampling1d = {
    .id = NC_LAYER_up_sampling1d,
    .name = "UpSampling1D",
    .snake = "up_sampling1d",
    .options_size = sizeof(nacre_up_sampling_options),
    .options = up_sampling1d_options,
    .min_in = 1,
    .max_in = 1,
    .check = up_sampling1d_check,
    .call = up_sampling1d_call,
};

nacre_layer *nacre_up_sampling1d_new(nacre_up_sampling_options options)
{
	return nc_layer_new(&nc_class_up_sampling1d, &options, options.name);
}

static bool up_sampling3d_check(nacre_layer *l)
{
	int64_t size[3];
	return nc_layer_up_sizes(l, 3, sizes(l), size);
}

static nacre_node *up_sampling3d_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	return up_sampling(c, l, x[0], 3);
}

static const nc_option up_sampling3d_options[] = {
    NC_OPT_SIZES_OR(nacre_up_sampling_options, size, 2),
    NC_OPT_END,
};
const nc_layer_class nc_class_up_sampling3d = {
    .id = NC_LAYER_up_sampling3d,
    .name = "UpSampling3D",
    .snake = "up_sampling3d",
    .options_size = sizeof(nacre_up_sampling_options),
    .options = up_sampling3d_options,
    .min_in = 1,
    .max_in = 1,
    .check = up_sampling3d_check,
    .call = up_sampling3d_call,
};

nacre_layer *nacre_up_sampling3d_new(nacre_up_sampling_options options)
{
	return nc_layer_new(&nc_class_up_sampling3d, &options, options.name);
}
