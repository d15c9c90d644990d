/* SPDX-License-Identifier: MIT
 *
 * merge_more.c - layers of several inputs: subtract, multiply, average, maximum, minimum, dot.
 */
#include <string.h>

#include "nn/layer.h"

/* x[i] with axes of 1 after the batch, until it has as many as the input that has most. */
static nacre_node *align(nacre_node *const *x, int n, int i)
{
	int64_t shape[NACRE_MAX_RANK] = {x[i]->shape[0]};
	int rank = 0, from = x[i]->rank;
	for (int k = 0; k < n; k++)
		rank = x[k]->rank > rank ? x[k]->rank : rank;
	if (rank == from || from == 0)
		return x[i];
	for (int d = 1; d < rank; d++)
		shape[d] = d <= rank - from ? 1 : x[i]->shape[d - rank + from];
	return nacre_reshape(x[i], rank, shape);
}

static nacre_node *fold(nc_call *c, nacre_layer *l, int n, nacre_node *const *x,
			nacre_node *(*op)(nacre_node *a, nacre_node *b))
{
	char a[128], b[128];
	nacre_node *y = align(x, n, 0);
	for (int i = 1; i < n && y; i++) {
		nacre_node *z = align(x, n, i);
		bool same = z && z->dtype == y->dtype;
		for (int d = 0; same && d < y->rank; d++)
			same = y->shape[d] == z->shape[d] || y->shape[d] == 1 || z->shape[d] == 1;
		if (!same) {
			nc_layer_fail(c, l, "input %d is %s %s a sample, those before %s %s", i,
				      nacre_dtype_name(x[i]->dtype),
				      nc_shape_text(b, x[i]->rank - 1, x[i]->shape + 1),
				      nacre_dtype_name(y->dtype),
				      nc_shape_text(a, y->rank - 1, y->shape + 1));
			return NULL;
		}
		y = op(y, z);
	}
	return y;
}

static nacre_node *subtract_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	return fold(c, l, n, x, nacre_minus);
}

static nacre_node *multiply_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	return fold(c, l, n, x, nacre_times);
}

static nacre_node *average_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	return nacre_scale(fold(c, l, n, x, nacre_plus), 1.0 / n);
}

static nacre_node *maximum_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	return fold(c, l, n, x, nacre_maximum);
}

static nacre_node *minimum_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	return fold(c, l, n, x, nacre_minimum);
}

static const nc_option no_options[] = {NC_OPT_END};
#define CLASS(which, title, most)                                                                  \
	const nc_layer_class nc_class_##which = {                                                  \
	    .id = NC_LAYER_##which,                                                                \
	    .name = title,                                                                         \
	    .snake = #which,                                                                       \
	    .options_size = sizeof(nacre_plain_options),                                           \
	    .options = no_options,                                                                 \
	    .min_in = 2,                                                                           \
	    .max_in = most,                                                                        \
	    .masks = NC_MASKS_ANY,                                                                 \
	    .call = which##_call,                                                                  \
	}
CLASS(subtract, "Subtract", 2);
CLASS(multiply, "Multiply", 1 << 20);
CLASS(average, "Average", 1 << 20);
CLASS(maximum, "Maximum", 1 << 20);
CLASS(minimum, "Minimum", 1 << 20);
#undef CLASS

nacre_layer *nacre_subtract_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_subtract, &options, options.name);
}

nacre_layer *nacre_multiply_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_multiply, &options, options.name);
}

nacre_layer *nacre_average_layer_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_average, &options, options.name);
}

nacre_layer *nacre_maximum_layer_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_maximum, &options, options.name);
}

nacre_layer *nacre_minimum_layer_new(nacre_plain_options options)
{
	return nc_layer_new(&nc_class_minimum, &options, options.name);
}

/* -- dot --------------------------------------------------------------------------------------- */
static bool dot_check(nacre_layer *l)
{
	int n = nc_shape_rank(((const nacre_dot_options *)l->options)->axes);
	return n == 1 || n == 2 ||
	       nc_layer_refuse(l, "axes: expected one or two, none of them the batch's, got %d", n);
}

static nacre_node *unit(nacre_node *x, int axis)
{
	nacre_node *square = nacre_sum(nacre_square(x), NACRE_AXIS(axis), true);
	nacre_node *least = x ? nacre_scalar(x->graph, x->dtype, 1e-24) : NULL;
	return nacre_times(x, nacre_rsqrt(nacre_maximum(square, least)));
}

/* [n, others as one, axis], or [n, axis, others] */
static nacre_node *flat(nacre_node *x, int axis, bool last)
{
	int order[NACRE_MAX_RANK] = {0}, k = last ? 1 : 2;
	int64_t others = 1, size = x->shape[axis];
	order[last ? x->rank - 1 : 1] = axis;
	for (int d = 1; d < x->rank; d++)
		if (d != axis) {
			others *= x->shape[d];
			order[k++] = d;
		}
	return nacre_reshape(nacre_transpose(x, order), 3,
			     last ? (int64_t[]){x->shape[0], others, size}
				  : (int64_t[]){x->shape[0], size, others});
}

static nacre_node *dot_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_dot_options *o = (const nacre_dot_options *)l->options;
	int axis[2], rank = 1;
	int64_t shape[2 * NACRE_MAX_RANK] = {x[0]->shape[0]};
	for (int i = 0; i < 2; i++) {
		int64_t want = o->axes[1] ? o->axes[i] : o->axes[0];
		axis[i] = nc_layer_axis(c, l, (int)nc_min(nc_max(want, -99), 99), x[i]->rank);
		if (axis[i] < 0 || !nc_layer_floats(c, l, x[i]))
			return NULL;
		for (int d = 1; d < x[i]->rank; d++)
			if (d != axis[i])
				shape[rank++] = x[i]->shape[d];
	}
	if (x[0]->shape[axis[0]] != x[1]->shape[axis[1]]) {
		nc_layer_fail(c, l, "axis %d of input 0 is %lld, axis %d of input 1 is %lld",
			      axis[0], (long long)x[0]->shape[axis[0]], axis[1],
			      (long long)x[1]->shape[axis[1]]);
		return NULL;
	}
	if (rank > NACRE_MAX_RANK) {
		nc_layer_fail(c, l, "the output would have %d axes", rank);
		return NULL;
	}
	if (rank == 1)
		shape[rank++] = 1;
	nacre_node *a = o->normalize ? unit(x[0], axis[0]) : x[0];
	nacre_node *b = o->normalize ? unit(x[1], axis[1]) : x[1];
	if (!a || !b)
		return NULL;
	return nacre_reshape(nacre_matmul(flat(a, axis[0], true), flat(b, axis[1], false)), rank,
			     shape);
}

static const nc_option dot_options[] = {
    NC_OPT_SIZES(nacre_dot_options, axes),
    NC_OPT_BOOL(nacre_dot_options, normalize),
    NC_OPT_END,
};
const nc_layer_class nc_class_dot = {
    .id = NC_LAYER_dot,
    .name = "Dot",
    .snake = "dot",
    .options_size = sizeof(nacre_dot_options),
    .options = dot_options,
    .min_in = 2,
    .max_in = 2,
    .check = dot_check,
    .call = dot_call,
};

nacre_layer *nacre_dot_new(nacre_dot_options options)
{
	return nc_layer_new(&nc_class_dot, &options, options.name);
}
