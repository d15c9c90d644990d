/* SPDX-License-Identifier: MIT
 *
 * reduce.c - sums, products, extremes over a set of axes, and what is composed of them.
 */
#include <string.h>

#include "nacre/op.h"

#include "op/build.h"

static unsigned axes_of(const nacre_node *y)
{
	return ((const nc_attr_reduce *)y->attr)->axes;
}

/* how many elements go into one of the result */
static int64_t count(const nacre_node *x, unsigned axes)
{
	int64_t n = 1;
	for (int i = 0; i < x->rank; i++)
		if (axes >> i & 1)
			n *= x->shape[i];
	return n;
}

static bool infer_reduce(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_reduce *a = y->attr;
	if (a->axes >> x->rank)
		return nc_node_fail(y, "axis %d is outside a value of rank %d",
				    __builtin_ctz(a->axes >> x->rank) + x->rank, x->rank);
	y->dtype = x->dtype;
	for (int i = 0; i < x->rank; i++)
		if (!(a->axes >> i & 1))
			y->shape[y->rank++] = x->shape[i];
		else if (a->keep_dims)
			y->shape[y->rank++] = 1;
	return true;
}

static bool infer_sum(nacre_node *y)
{
	return nc_expect_number(y, 0) && infer_reduce(y);
}

static bool infer_extreme(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	char text[128];
	if (!infer_reduce(y))
		return false;
	if (count(x, axes_of(y)) == 0 && nc_node_size(y) > 0)
		return nc_node_fail(y, "no numbers along the axes of %s",
				    nc_shape_text(text, x->rank, x->shape));
	return true;
}

/* v, of a reduction's shape, with the axes that went as size 1 */
static nacre_node *kept(const nacre_node *x, unsigned axes, nacre_node *v)
{
	int64_t shape[NACRE_MAX_RANK];
	for (int i = 0; i < x->rank; i++)
		shape[i] = axes >> i & 1 ? 1 : x->shape[i];
	return nacre_reshape(v, x->rank, shape);
}

static void grad_sum(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	const nacre_node *x = y->in[0];
	dx[0] = nacre_broadcast(kept(x, axes_of(y), dy), x->rank, x->shape);
}

/* in equal parts to all that are equal to the extreme */
static void grad_extreme(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *x = y->in[0];
	unsigned axes = axes_of(y);
	nacre_node *mask = nacre_cast(nacre_equal(x, kept(x, axes, y)), x->dtype);
	nacre_node *ties = nacre_sum(mask, axes, true);
	dx[0] = mul(mask, div(kept(x, axes, dy), ties));
}

/* x of [outer, n]: for each place the product of all before (after) it along n.  By doubling: the
 * product of the `held` places before becomes that of 2 held. */
static nacre_node *product_before(nacre_node *x, bool after)
{
	if (!x)
		return NULL;
	int64_t outer = x->shape[0], n = x->shape[1], held = 0;
	nacre_node *p = x;
	while (p && held < n - 1) {
		int64_t shift = held ? held : 1;
		int64_t start[2] = {0, after ? shift : 0};
		int64_t stop[2] = {outer, after ? n : n - shift};
		int64_t left[2] = {0, after ? 0 : shift}, right[2] = {0, after ? shift : 0};
		nacre_node *moved =
			nacre_pad(nacre_slice(p, start, stop, NULL), left, right, NULL, 1);
		p = held ? mul(p, moved) : moved;
		held += shift;
	}
	return p;
}

/* d/dx[i] = the product of all others, composed without a division, so that it and its own
 * derivatives hold where factors are zero. */
static void grad_product(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *x = y->in[0];
	unsigned axes = axes_of(y);
	int order[NACRE_MAX_RANK] = {0}, back[NACRE_MAX_RANK], k = 0;
	int64_t shape[NACRE_MAX_RANK], n = count(x, axes);
	for (int last = 0; last < 2; last++)
		for (int i = 0; i < x->rank; i++)
			if ((int)(axes >> i & 1) == last)
				order[k++] = i;
	for (int i = 0; i < x->rank; i++) {
		back[order[i]] = i;
		shape[i] = x->shape[order[i]];
	}
	int64_t outer = nc_node_size(y);
	nacre_node *flat = nacre_reshape(nacre_transpose(x, order), 2, (int64_t[]){outer, n});
	nacre_node *others = n > 1 ? mul(product_before(flat, false), product_before(flat, true))
				   : nacre_fill(x->graph, x->dtype, 2, (int64_t[]){outer, n}, 1);
	nacre_node *d = mul(others, nacre_reshape(dy, 2, (int64_t[]){outer, 1}));
	dx[0] = nacre_transpose(nacre_reshape(d, x->rank, shape), back);
}

static const nc_field fields_reduce[] = {
	{"axes", NC_FIELD_AXES, offsetof(nc_attr_reduce, axes)},
	{"keep_dims", NC_FIELD_BOOL, offsetof(nc_attr_reduce, keep_dims)},
	{0}};

#define ROW(id, rule, gradient, keras_name, onnx_name)                                             \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = 1,                                                                       \
		.max_in = 1,                                                                       \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_reduce),                                               \
		.fields = fields_reduce,                                                           \
		.infer = rule,                                                                     \
		.grad = gradient,                                                                  \
		.flops = nc_flops_input,                                                           \
		.keras = keras_name,                                                               \
		.onnx = onnx_name,                                                                 \
	};
ROW(sum, infer_sum, grad_sum, "sum", "ReduceSum")
ROW(max, infer_extreme, grad_extreme, "max", "ReduceMax")
ROW(min, infer_extreme, grad_extreme, "min", "ReduceMin")
ROW(product, infer_sum, grad_product, "prod", "ReduceProd")

static nacre_node *reduce(const nc_op *op, nacre_node *x, unsigned axes, bool keep_dims)
{
	nc_attr_reduce a;
	memset(&a, 0, sizeof(a));
	if (!nc_axes_real(x, op->name, &axes))
		return NULL;
	a.axes = axes;
	a.keep_dims = keep_dims;
	return nc_node_new(x->graph, op, 1, &x, &a);
}

nacre_node *nacre_sum(nacre_node *x, unsigned axes, bool keep_dims)
{
	return reduce(&nc_op_sum, x, axes, keep_dims);
}

nacre_node *nacre_max(nacre_node *x, unsigned axes, bool keep_dims)
{
	return reduce(&nc_op_max, x, axes, keep_dims);
}

nacre_node *nacre_min(nacre_node *x, unsigned axes, bool keep_dims)
{
	return reduce(&nc_op_min, x, axes, keep_dims);
}

nacre_node *nacre_product(nacre_node *x, unsigned axes, bool keep_dims)
{
	return reduce(&nc_op_product, x, axes, keep_dims);
}

/* composites */
static bool floats(const nacre_node *x, const char *op, unsigned *axes)
{
	if (!nc_axes_real(x, op, axes))
		return false;
	return nc_dtype_is_float(x->dtype) ||
	       nc_graph_fail(x->graph, "%s: floating-point numbers expected, got %s", op,
			     nacre_dtype_name(x->dtype));
}

nacre_node *nacre_mean(nacre_node *x, unsigned axes, bool keep_dims)
{
	if (!floats(x, "mean", &axes))
		return NULL;
	int64_t n = count(x, axes);
	return nacre_scale(nacre_sum(x, axes, keep_dims), n ? 1 / (double)n : 0);
}

nacre_node *nacre_variance(nacre_node *x, unsigned axes, bool keep_dims)
{
	if (!floats(x, "variance", &axes))
		return NULL;
	return nacre_mean(square(sub(x, nacre_mean(x, axes, true))), axes, keep_dims);
}

/* log sum e^x = m + log sum e^(x - m) for any m: a constant to the gradient.  Where the maximum is
 * infinite m is 0, for x - m would be NaN. */
nacre_node *nacre_logsumexp(nacre_node *x, unsigned axes, bool keep_dims)
{
	if (!floats(x, "logsumexp", &axes))
		return NULL;
	nacre_node *m = nacre_max(nacre_stop_gradient(x), axes, true);
	m = select(nacre_is_finite(m), m, num(m, 0));
	nacre_node *y = add(log(nacre_sum(exp(sub(x, m)), axes, true)), m);
	if (keep_dims || !y)
		return y;
	int64_t shape[NACRE_MAX_RANK];
	int rank = 0;
	for (int i = 0; i < x->rank; i++)
		if (!(axes >> i & 1))
			shape[rank++] = x->shape[i];
	return nacre_reshape(y, rank, shape);
}

/* any: the largest of bools; over nothing false.  all: the smallest, true. */
static nacre_node *of_bools(const nc_op *op, const char *name, nacre_node *x, unsigned axes,
			    bool keep_dims)
{
	if (!nc_axes_real(x, name, &axes))
		return NULL;
	if (x->dtype != NACRE_BOOL)
		return nc_graph_fail(x->graph, "%s: bool expected, got %s", name,
				     nacre_dtype_name(x->dtype));
	if (count(x, axes))
		return reduce(op, x, axes, keep_dims);
	int64_t shape[NACRE_MAX_RANK];
	int rank = 0;
	for (int i = 0; i < x->rank; i++)
		if (!(axes >> i & 1) || keep_dims)
			shape[rank++] = axes >> i & 1 ? 1 : x->shape[i];
	return nacre_fill(x->graph, NACRE_BOOL, rank, shape, op == &nc_op_min);
}

nacre_node *nacre_any(nacre_node *x, unsigned axes, bool keep_dims)
{
	return of_bools(&nc_op_max, "any", x, axes, keep_dims);
}

nacre_node *nacre_all(nacre_node *x, unsigned axes, bool keep_dims)
{
	return of_bools(&nc_op_min, "all", x, axes, keep_dims);
}

/* argmax, argmin */
static bool infer_arg(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	int axis = ((const nc_attr_axis *)y->attr)->axis;
	char text[128];
	if (!nc_expect_axis(y, axis))
		return false;
	y->dtype = NACRE_I32;
	for (int i = 0; i < x->rank; i++)
		if (i != axis)
			y->shape[y->rank++] = x->shape[i];
	if (x->shape[axis] > INT32_MAX)
		return nc_node_fail(y, "axis %d of %s is too long for i32", axis,
				    nc_shape_text(text, x->rank, x->shape));
	if (!x->shape[axis] && nc_node_size(y))
		return nc_node_fail(y, "no numbers along axis %d of %s", axis,
				    nc_shape_text(text, x->rank, x->shape));
	return true;
}

static const nc_field fields_axis[] = {{"axis", NC_FIELD_INT, offsetof(nc_attr_axis, axis)}, {0}};

#define ARG_ROW(id, onnx_name)                                                                     \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = 1,                                                                       \
		.max_in = 1,                                                                       \
		.flags = NC_OP_NO_GRADIENT,                                                        \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_axis),                                                 \
		.fields = fields_axis,                                                             \
		.infer = infer_arg,                                                                \
		.flops = nc_flops_input,                                                           \
		.keras = #id,                                                                      \
		.onnx = onnx_name,                                                                 \
	};
ARG_ROW(argmax, "ArgMax")
ARG_ROW(argmin, "ArgMin")

static nacre_node *arg(const nc_op *op, nacre_node *x, int axis)
{
	if (!nc_axis_real(x, op->name, &axis))
		return NULL;
	nc_attr_axis a = {axis};
	return nc_node_new(x->graph, op, 1, &x, &a);
}

nacre_node *nacre_argmax(nacre_node *x, int axis)
{
	return arg(&nc_op_argmax, x, axis);
}

nacre_node *nacre_argmin(nacre_node *x, int axis)
{
	return arg(&nc_op_argmin, x, axis);
}
