/* SPDX-License-Identifier: MIT
 *
 * pool.c - max and average pooling: under a window, over all of space, to a given size.
 */
#include <string.h>

#include "nn/spatial.h"

enum { LONGEST = 1 << 24 }; /* axis, of tables that are made for it */

#define CLASS(its_id, its_name, its_snake, its_axes, kind, its_call)                               \
	const nc_layer_class nc_class_##its_id = {                                                 \
	    .id = NC_LAYER_##its_id,                                                               \
	    .name = its_name,                                                                      \
	    .snake = its_snake,                                                                    \
	    .axes = its_axes,                                                                      \
	    .options_size = sizeof(nacre_##kind##_options),                                        \
	    .options = kind##_options,                                                             \
	    .min_in = 1,                                                                           \
	    .max_in = 1,                                                                           \
	    .check = kind##_check,                                                                 \
	    .call = its_call,                                                                      \
	};

/* -- under a window ---------------------------------------------------------------------------- */
static const nacre_pooling_options *pooling(const nacre_layer *l)
{
	return (const nacre_pooling_options *)l->options;
}

static nc_spatial pooling_window(const nacre_pooling_options *o)
{
	return (nc_spatial){o->pool_size, o->strides[0] ? o->strides : o->pool_size, NULL,
			    "pool_size", o->padding};
}

static bool pooling_check(nacre_layer *l)
{
	nc_spatial s = pooling_window(pooling(l));
	return nc_spatial_check(l, &s, false);
}

static nacre_node *max_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_pooling_options *o = pooling(l);
	nc_spatial s = pooling_window(o);
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	nacre_node *last = nc_channels_last(x[0], o->data_format);
	nacre_node *y = nacre_max_pool(last, nc_spatial_window(l, &s, last));
	return nc_channels_back(y, o->data_format);
}

/* How many places of x lie under window i of axis d. */
static int64_t under(const nacre_window *w, int64_t size, int d, int64_t i)
{
	int64_t from = i * w->stride[d] - w->before[d];
	return nc_min(from + w->size[d], size) - nc_max(from, 0);
}

/* 1 over how many places the windows along an axis have: a constant that stretches along y */
static nacre_node *shares(nacre_node *y, const nacre_node *x, const nacre_window *w, int axis)
{
	int64_t shape[NACRE_MAX_RANK] = {1, 1, 1, 1, 1}, n = y->shape[axis];
	float *f = n <= LONGEST ? nc_arena_alloc(&y->graph->arena, (size_t)n * sizeof *f) : NULL;
	if (!f)
		return nc_graph_fail(y->graph, "average under %lld windows: out of memory",
				     (long long)n);
	for (int64_t i = 0; i < n; i++)
		f[i] = (float)(1 / (double)under(w, x->shape[axis], axis - 1, i));
	shape[axis] = n;
	nacre_node *c = nacre_constant(y->graph, NACRE_F32, y->rank, shape, f);
	return c ? nacre_cast(c, y->dtype) : NULL;
}

/* y: the sums */
static nacre_node *divide(nacre_node *y, const nacre_node *x, const nacre_window *w)
{
	double scale = 1;
	int axes = y ? y->rank - 2 : 0;
	for (int d = 0; d < axes; d++)
		if (!w->before[d] && !w->after[d])
			scale /= (double)w->size[d];
		else
			y = nacre_times(y, shares(y, x, w, d + 1));
	return scale == 1 ? y : nacre_scale(y, scale);
}

static nacre_node *average_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_pooling_options *o = pooling(l);
	nc_spatial s = pooling_window(o);
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	nacre_node *last = nc_channels_last(x[0], o->data_format);
	nacre_window w = nc_spatial_window(l, &s, last);
	return nc_channels_back(divide(nacre_sum_pool(last, w), last, &w), o->data_format);
}

static const nc_option pooling_options[] = {
    NC_OPT_SIZES_OR(nacre_pooling_options, pool_size, 2),
    NC_OPT_SIZES(nacre_pooling_options, strides),
    NC_OPT_PADDING(nacre_pooling_options),
    NC_OPT_DATA_FORMAT(nacre_pooling_options),
    NC_OPT_END,
};
CLASS(max_pooling1d, "MaxPooling1D", "max_pooling1d", 1, pooling, max_call)
CLASS(max_pooling2d, "MaxPooling2D", "max_pooling2d", 2, pooling, max_call)
CLASS(max_pooling3d, "MaxPooling3D", "max_pooling3d", 3, pooling, max_call)
CLASS(average_pooling1d, "AveragePooling1D", "average_pooling1d", 1, pooling, average_call)
CLASS(average_pooling2d, "AveragePooling2D", "average_pooling2d", 2, pooling, average_call)
CLASS(average_pooling3d, "AveragePooling3D", "average_pooling3d", 3, pooling, average_call)

nacre_layer *nacre_max_pooling1d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_max_pooling1d, &options, options.name);
}
nacre_layer *nacre_max_pooling2d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_max_pooling2d, &options, options.name);
}
nacre_layer *nacre_max_pooling3d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_max_pooling3d, &options, options.name);
}
nacre_layer *nacre_average_pooling1d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_average_pooling1d, &options, options.name);
}
nacre_layer *nacre_average_pooling2d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_average_pooling2d, &options, options.name);
}
nacre_layer *nacre_average_pooling3d_new(nacre_pooling_options options)
{
	return nc_layer_new(&nc_class_average_pooling3d, &options, options.name);
}

/* -- over all of space ------------------------------------------------------------------------- */
static const nacre_global_pooling_options *global(const nacre_layer *l)
{
	return (const nacre_global_pooling_options *)l->options;
}

static bool global_pooling_check(nacre_layer *l)
{
	(void)l;
	return true;
}

static unsigned space(const nacre_layer *l, int format)
{
	unsigned axes = 0;
	for (int i = 0; i < l->class->axes; i++)
		axes |= NACRE_AXIS(i + (format == NACRE_CHANNELS_FIRST ? 2 : 1));
	return axes;
}

static nacre_node *global_max_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_global_pooling_options *o = global(l);
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	return nacre_max(x[0], space(l, o->data_format), o->keepdims != 0);
}

/* With a mask [n, steps]: the sum over what it leaves in, divided by how much that is. */
static nacre_node *global_average_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_global_pooling_options *o = global(l);
	unsigned axes = space(l, o->data_format);
	bool keep = o->keepdims != 0;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	if (l->class->axes != 1 || !c->mask || !c->mask[0])
		return nacre_mean(x[0], axes, keep);
	nacre_node *in =
	    nacre_expand_dims(c->mask[0], o->data_format == NACRE_CHANNELS_FIRST ? 1 : 2);
	nacre_node *count = nacre_cast(in, x[0]->dtype);
	nacre_node *zero = nacre_scalar(c->graph, x[0]->dtype, 0);
	nacre_node *sum = nacre_sum(nacre_select(in, x[0], zero), axes, keep);
	return nacre_divide(sum, nacre_sum(count, axes, keep));
}

static const nc_option global_pooling_options[] = {
    NC_OPT_DATA_FORMAT(nacre_global_pooling_options),
    NC_OPT_BOOL(nacre_global_pooling_options, keepdims),
    NC_OPT_END,
};
CLASS(global_max_pooling1d, "GlobalMaxPooling1D", "global_max_pooling1d", 1, global_pooling,
      global_max_call)
CLASS(global_max_pooling2d, "GlobalMaxPooling2D", "global_max_pooling2d", 2, global_pooling,
      global_max_call)
CLASS(global_max_pooling3d, "GlobalMaxPooling3D", "global_max_pooling3d", 3, global_pooling,
      global_max_call)
CLASS(global_average_pooling1d, "GlobalAveragePooling1D", "global_average_pooling1d", 1,
      global_pooling, global_average_call)
CLASS(global_average_pooling2d, "GlobalAveragePooling2D", "global_average_pooling2d", 2,
      global_pooling, global_average_call)
CLASS(global_average_pooling3d, "GlobalAveragePooling3D", "global_average_pooling3d", 3,
      global_pooling, global_average_call)

nacre_layer *nacre_global_max_pooling1d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_max_pooling1d, &options, options.name);
}
nacre_layer *nacre_global_max_pooling2d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_max_pooling2d, &options, options.name);
}
nacre_layer *nacre_global_max_pooling3d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_max_pooling3d, &options, options.name);
}
nacre_layer *nacre_global_average_pooling1d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_average_pooling1d, &options, options.name);
}
nacre_layer *nacre_global_average_pooling2d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_average_pooling2d, &options, options.name);
}
nacre_layer *nacre_global_average_pooling3d_new(nacre_global_pooling_options options)
{
	return nc_layer_new(&nc_class_global_average_pooling3d, &options, options.name);
}

/* -- to a given size --------------------------------------------------------------------------- */
static const nacre_adaptive_pooling_options *adaptive(const nacre_layer *l)
{
	return (const nacre_adaptive_pooling_options *)l->options;
}

static bool adaptive_pooling_check(nacre_layer *l)
{
	int64_t size[3];
	return nc_layer_sizes(l, "output_size", l->class->axes, adaptive(l)->output_size, size);
}

/* One axis under a window of `size`, moved by `stride`. */
static nacre_node *pool_axis(nacre_node *x, int axis, int64_t size, int64_t stride, bool max)
{
	nacre_window w = {.size = {1, 1, 1}, .groups = 1};
	w.size[axis - 1] = size;
	w.stride[axis - 1] = stride;
	return max ? nacre_max_pool(x, w) : nacre_scale(nacre_sum_pool(x, w), 1 / (double)size);
}

/* The windows of an axis have one of two sizes: k = ceil(in / out), or one more.  If out divides
 * in, they lie side by side; else they are picked out of all windows of either size. */
static nacre_node *adapt_axis(nacre_node *x, int axis, int64_t out, bool max)
{
	if (!x || out == x->shape[axis])
		return x;
	int64_t in = x->shape[axis], k = in / out + (in % out != 0), small = in - k + 1;
	nc_arena *arena = &x->graph->arena;
	if (in < 1 || in > LONGEST || out > LONGEST)
		return nc_graph_fail(x->graph, "adaptive pooling of %lld places to %lld",
				     (long long)in, (long long)out);
	if (in % out == 0)
		return pool_axis(x, axis, k, k, max);
	int32_t *index = nc_arena_alloc(arena, (size_t)out * sizeof *index);
	if (!index)
		return nc_graph_fail(x->graph, "adaptive pooling to %lld places: out of memory",
				     (long long)out);
	bool both = false;
	for (int64_t i = 0; i < out; i++) {
		int64_t from = i * in / out;
		int64_t to = ((i + 1) * in + out - 1) / out;
		bool large = to - from > k;
		index[i] = (int32_t)(from + (large ? small : 0));
		both = both || large;
	}
	nacre_node *all[2] = {pool_axis(x, axis, k, 1, max), NULL};
	if (both)
		all[1] = pool_axis(x, axis, k + 1, 1, max);
	nacre_node *from = both ? nacre_concat(2, all, axis) : all[0];
	return nacre_gather(from, nacre_constant(x->graph, NACRE_I32, 1, &out, index), axis);
}

static nacre_node *adapt(nc_call *c, nacre_layer *l, nacre_node *x, bool max)
{
	const nacre_adaptive_pooling_options *o = adaptive(l);
	int64_t size[3];
	if (!nc_spatial_input(c, l, x, o->data_format) ||
	    !nc_layer_sizes(l, "output_size", l->class->axes, o->output_size, size))
		return NULL;
	x = nc_channels_last(x, o->data_format);
	for (int i = 0; i < l->class->axes; i++)
		x = adapt_axis(x, i + 1, size[i], max);
	return nc_channels_back(x, o->data_format);
}

static nacre_node *adaptive_max_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	return adapt(c, l, x[0], true);
}

static nacre_node *adaptive_average_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	return adapt(c, l, x[0], false);
}

static const nc_option adaptive_pooling_options[] = {
    NC_OPT_SIZES(nacre_adaptive_pooling_options, output_size),
    NC_OPT_DATA_FORMAT(nacre_adaptive_pooling_options),
    NC_OPT_END,
};
CLASS(adaptive_max_pooling1d, "AdaptiveMaxPooling1D", "adaptive_max_pooling1d", 1, adaptive_pooling,
      adaptive_max_call)
CLASS(adaptive_max_pooling2d, "AdaptiveMaxPooling2D", "adaptive_max_pooling2d", 2, adaptive_pooling,
      adaptive_max_call)
CLASS(adaptive_max_pooling3d, "AdaptiveMaxPooling3D", "adaptive_max_pooling3d", 3, adaptive_pooling,
      adaptive_max_call)
CLASS(adaptive_average_pooling1d, "AdaptiveAveragePooling1D", "adaptive_average_pooling1d", 1,
      adaptive_pooling, adaptive_average_call)
CLASS(adaptive_average_pooling2d, "AdaptiveAveragePooling2D", "adaptive_average_pooling2d", 2,
      adaptive_pooling, adaptive_average_call)
CLASS(adaptive_average_pooling3d, "AdaptiveAveragePooling3D", "adaptive_average_pooling3d", 3,
      adaptive_pooling, adaptive_average_call)

nacre_layer *nacre_adaptive_max_pooling1d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_max_pooling1d, &options, options.name);
}
nacre_layer *nacre_adaptive_max_pooling2d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_max_pooling2d, &options, options.name);
}
nacre_layer *nacre_adaptive_max_pooling3d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_max_pooling3d, &options, options.name);
}
nacre_layer *nacre_adaptive_average_pooling1d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_average_pooling1d, &options, options.name);
}
nacre_layer *nacre_adaptive_average_pooling2d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_average_pooling2d, &options, options.name);
}
nacre_layer *nacre_adaptive_average_pooling3d_new(nacre_adaptive_pooling_options options)
{
	return nc_layer_new(&nc_class_adaptive_average_pooling3d, &options, options.name);
}
