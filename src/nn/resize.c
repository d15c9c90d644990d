/* SPDX-License-Identifier: MIT
 *
 * resize.c - images of another size: resizing, center_crop, up_sampling2d.
 *
 * Interpolation along an axis is a product with a matrix that is constant in the program: row i
 * holds the weights of the places of x around that of place i of y.  Nearest is a gather.
 */
#include "nn/resize.h"

#include <math.h>
#include <string.h>

#define BIG 65536

/* Of a distance: the triangle; Keys's cubic with a = -1/2. */
static double kernel(nacre_interpolation how, double d)
{
	d = fabs(d);
	if (how == NACRE_BILINEAR)
		return d < 1 ? 1 - d : 0;
	if (d <= 1)
		return (1.5 * d - 2.5) * d * d + 1;
	return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

static nacre_node *nearest(nacre_node *x, int axis, int64_t size)
{
	nc_arena *arena = &x->graph->arena;
	int32_t *index = nc_arena_alloc(arena, (size_t)size * sizeof *index);
	if (!index || x->shape[axis] > INT32_MAX)
		return nc_graph_fail(x->graph, "resize: %lld places: out of memory",
				     (long long)size);
	for (int64_t i = 0; i < size; i++)
		index[i] =
		    (int32_t)floor(((double)i + 0.5) * (double)x->shape[axis] / (double)size);
	return nacre_gather(x, nacre_constant(x->graph, NACRE_I32, 1, &size, index), axis);
}

/* [in, size] */
static nacre_node *weights(nacre_node *x, int64_t in, int64_t size, nacre_interpolation how)
{
	size_t count;
	float *w = NULL;
	if (nc_mul((size_t)in, (size_t)size, &count) && count <= SIZE_MAX / sizeof *w)
		w = nc_arena_alloc(&x->graph->arena, count * sizeof *w);
	if (!w)
		return nc_graph_fail(x->graph, "resize: %lld to %lld places: out of memory",
				     (long long)in, (long long)size);
	for (int64_t i = 0; i < size; i++) { /* no kernel reaches further than 2 */
		double at = ((double)i + 0.5) * (double)in / (double)size - 0.5, sum = 0;
		int64_t from = nc_max((int64_t)floor(at) - 2, 0);
		int64_t to = nc_min((int64_t)floor(at) + 4, in);
		for (int64_t k = from; k < to; k++)
			sum += kernel(how, at - (double)k);
		for (int64_t k = from; k < to; k++)
			w[k * size + i] = (float)(kernel(how, at - (double)k) / sum);
	}
	return nacre_constant(x->graph, NACRE_F32, 2, (int64_t[]){in, size}, w);
}

/* The axis goes to the end for the product, and back. */
nacre_node *nc_resize_axis(nacre_node *x, int axis, int64_t size, nacre_interpolation how)
{
	int order[NACRE_MAX_RANK], n = 0;
	if (!x || x->shape[axis] == size)
		return x;
	if (how == NACRE_NEAREST)
		return nearest(x, axis, size);
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			order[n++] = i;
	order[n] = axis;
	nacre_node *last = nacre_transpose(x, order);
	if (!last)
		return NULL;
	int64_t shape[NACRE_MAX_RANK], in = x->shape[axis];
	memcpy(shape, last->shape, sizeof shape);
	shape[n] = size;
	nacre_node *flat = nacre_reshape(last, 2, (int64_t[]){-1, in});
	nacre_node *y = nacre_matmul(flat, weights(x, in, size, how));
	n = 0;
	for (int i = 0; i < x->rank; i++)
		order[i] = i == axis ? x->rank - 1 : n++;
	return nacre_transpose(nacre_reshape(y, x->rank, shape), order);
}

static nacre_node *resize(nacre_node *x, int64_t height, int64_t width, nacre_interpolation how)
{
	return nc_resize_axis(nc_resize_axis(x, 1, height, how), 2, width, how);
}

static const char image[] = "[None, height, width, channels]";

/* -- resizing, center_crop --------------------------------------------------------------------- */
static nacre_node *resizing_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_resizing_options *o = (const nacre_resizing_options *)l->options;
	if (!nc_layer_rank(c, l, x[0], 4, image) || !nc_layer_floats(c, l, x[0]))
		return NULL;
	return resize(x[0], o->height, o->width, (nacre_interpolation)o->interpolation);
}

static const nc_option resizing_options[] = {
    NC_OPT_NUMBER(I64, nacre_resizing_options, height, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_resizing_options, width, 0, 1, BIG),
    NC_OPT_CHOICE_OR(nacre_resizing_options, interpolation, NACRE_BILINEAR,
		     "nearest|bilinear|bicubic"),
    NC_OPT_END,
};
const nc_layer_class nc_class_resizing = {
    .id = NC_LAYER_resizing,
    .name = "Resizing",
    .snake = "resizing",
    .options_size = sizeof(nacre_resizing_options),
    .options = resizing_options,
    .min_in = 1,
    .max_in = 1,
    .call = resizing_call,
};

nacre_layer *nacre_resizing_new(nacre_resizing_options options)
{
	return nc_layer_new(&nc_class_resizing, &options, options.name);
}

static nacre_node *center_crop_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_center_crop_options *o = (const nacre_center_crop_options *)l->options;
	if (!nc_layer_rank(c, l, x[0], 4, image))
		return NULL;
	int64_t height = x[0]->shape[1], width = x[0]->shape[2];
	if (height < o->height || width < o->width) {
		nc_layer_fail(c, l, "cannot crop %lld x %lld out of %lld x %lld",
			      (long long)o->height, (long long)o->width, (long long)height,
			      (long long)width);
		return NULL;
	}
	int64_t top = (height - o->height) / 2, left = (width - o->width) / 2;
	nacre_node *y = nacre_slice_axis(x[0], 1, top, top + o->height);
	return nacre_slice_axis(y, 2, left, left + o->width);
}

static const nc_option center_crop_options[] = {
    NC_OPT_NUMBER(I64, nacre_center_crop_options, height, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_center_crop_options, width, 0, 1, BIG),
    NC_OPT_END,
};
const nc_layer_class nc_class_center_crop = {
    .id = NC_LAYER_center_crop,
    .name = "CenterCrop",
    .snake = "center_crop",
    .options_size = sizeof(nacre_center_crop_options),
    .options = center_crop_options,
    .min_in = 1,
    .max_in = 1,
    .call = center_crop_call,
};

nacre_layer *nacre_center_crop_new(nacre_center_crop_options options)
{
	return nc_layer_new(&nc_class_center_crop, &options, options.name);
}

/* -- up_sampling2d ----------------------------------------------------------------------------- */
static bool up_sampling2d_check(nacre_layer *l)
{
	int64_t size[3];
	return nc_layer_up_sizes(l, 2, ((const nacre_up_sampling2d_options *)l->options)->size,
				 size);
}

static nacre_node *up_sampling2d_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_up_sampling2d_options *o = (const nacre_up_sampling2d_options *)l->options;
	int64_t size[3], height, width;
	if (!nc_layer_rank(c, l, x[0], 4, image) || !nc_layer_up_sizes(l, 2, o->size, size))
		return NULL;
	if (o->interpolation == NACRE_NEAREST)
		return nc_repeat(nc_repeat(x[0], 1, size[0]), 2, size[1]);
	if (!nc_layer_floats(c, l, x[0]))
		return NULL;
	if (!nc_mul_i64(x[0]->shape[1], size[0], &height) ||
	    !nc_mul_i64(x[0]->shape[2], size[1], &width)) {
		nc_layer_fail(c, l, "the image would be too large");
		return NULL;
	}
	return resize(x[0], height, width, (nacre_interpolation)o->interpolation);
}

static const nc_option up_sampling2d_options[] = {
    NC_OPT_SIZES_OR(nacre_up_sampling2d_options, size, 2),
    NC_OPT_CHOICE_OR(nacre_up_sampling2d_options, interpolation, NACRE_NEAREST,
		     "nearest|bilinear|bicubic"),
    NC_OPT_END,
};
const nc_layer_class nc_class_up_sampling2d = {
    .id = NC_LAYER_up_sampling2d,
    .name = "UpSampling2D",
    .snake = "up_sampling2d",
    .options_size = sizeof(nacre_up_sampling2d_options),
    .options = up_sampling2d_options,
    .min_in = 1,
    .max_in = 1,
    .check = up_sampling2d_check,
    .call = up_sampling2d_call,
};

nacre_layer *nacre_up_sampling2d_new(nacre_up_sampling2d_options options)
{
	return nc_layer_new(&nc_class_up_sampling2d, &options, options.name);
}
