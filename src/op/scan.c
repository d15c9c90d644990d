/* SPDX-License-Identifier: MIT
 *
 * scan.c - along one axis, in order: running sums, sorting.
 */
#include <math.h>
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

/* cumsum */
static bool infer_cumsum(nacre_node *y)
{
	return nc_expect_number(y, 0) &&
	       nc_expect_axis(y, ((const nc_attr_cumsum *)y->attr)->axis) &&
	       nc_infer_like(y, y->in[0]);
}

/* x[j] is in y[i] for i >= j: dx[j] is the sum of dy from the other end */
static void grad_cumsum(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	const nc_attr_cumsum *a = y->attr;
	dx[0] = nacre_cumsum(dy, a->axis, a->exclusive, !a->reverse);
}

static const nc_field fields_cumsum[] = {
	{"axis", NC_FIELD_INT, offsetof(nc_attr_cumsum, axis)},
	{"exclusive", NC_FIELD_BOOL, offsetof(nc_attr_cumsum, exclusive)},
	{"reverse", NC_FIELD_BOOL, offsetof(nc_attr_cumsum, reverse)},
	{0}};

const nc_op nc_op_cumsum = {
	.name = "cumsum",
	.index = NC_OP_cumsum,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_cumsum),
	.fields = fields_cumsum,
	.infer = infer_cumsum,
	.grad = grad_cumsum,
	.flops = nc_flops_each,
	.keras = "cumsum",
	.onnx = "CumSum",
};

nacre_node *nacre_cumsum(nacre_node *x, int axis, bool exclusive, bool reverse)
{
	nc_attr_cumsum a;
	memset(&a, 0, sizeof(a));
	if (!nc_axis_real(x, "cumsum", &axis))
		return NULL;
	a.axis = axis;
	a.exclusive = exclusive;
	a.reverse = reverse;
	return nc_node_new(x->graph, &nc_op_cumsum, 1, &x, &a);
}

/* sort, argsort: equal elements stay in order, NaN comes last */
static bool infer_sort(nacre_node *y)
{
	return nc_expect_axis(y, ((const nc_attr_sort *)y->attr)->axis) &&
	       nc_infer_like(y, y->in[0]);
}

static bool infer_argsort(nacre_node *y)
{
	int axis = ((const nc_attr_sort *)y->attr)->axis;
	char text[128];
	if (!infer_sort(y))
		return false;
	if (y->shape[axis] > INT32_MAX)
		return nc_node_fail(y, "axis %d of %s is too long for i32", axis,
				    nc_shape_text(text, y->rank, y->shape));
	y->dtype = NACRE_I32;
	return true;
}

static void grad_sort(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *x = y->in[0];
	const nc_attr_sort *a = y->attr;
	nacre_node *zeros = nacre_fill(x->graph, x->dtype, x->rank, x->shape, 0);
	dx[0] = nacre_scatter_add_along_axis(zeros, nacre_argsort(x, a->axis, a->descending), dy,
					     a->axis);
}

static double flops_sort(const nacre_node *y)
{
	double n = (double)y->shape[((const nc_attr_sort *)y->attr)->axis];
	return (double)nc_node_size(y) * (n > 1 ? log2(n) : 1);
}

static const nc_field fields_sort[] = {
	{"axis", NC_FIELD_INT, offsetof(nc_attr_sort, axis)},
	{"descending", NC_FIELD_BOOL, offsetof(nc_attr_sort, descending)},
	{0}};

const nc_op nc_op_sort = {
	.name = "sort",
	.index = NC_OP_sort,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_sort),
	.fields = fields_sort,
	.infer = infer_sort,
	.grad = grad_sort,
	.flops = flops_sort,
	.keras = "sort",
};

const nc_op nc_op_argsort = {
	.name = "argsort",
	.index = NC_OP_argsort,
	.min_in = 1,
	.max_in = 1,
	.flags = NC_OP_NO_GRADIENT,
	.element = -1,
	.attr_size = sizeof(nc_attr_sort),
	.fields = fields_sort,
	.infer = infer_argsort,
	.flops = flops_sort,
	.keras = "argsort",
};

static nacre_node *make(const nc_op *op, nacre_node *x, int axis, bool descending)
{
	nc_attr_sort a;
	memset(&a, 0, sizeof(a));
	if (!nc_axis_real(x, op->name, &axis))
		return NULL;
	a.axis = axis;
	a.descending = descending;
	return nc_node_new(x->graph, op, 1, &x, &a);
}

nacre_node *nacre_sort(nacre_node *x, int axis, bool descending)
{
	return make(&nc_op_sort, x, axis, descending);
}

nacre_node *nacre_argsort(nacre_node *x, int axis, bool descending)
{
	return make(&nc_op_argsort, x, axis, descending);
}

nacre_node *nacre_top_k(nacre_node *x, int64_t k, nacre_node **indices)
{
	int axis = -1;
	if (indices)
		*indices = NULL;
	if (!nc_axis_real(x, "top_k", &axis))
		return NULL;
	if (k < 0 || k > x->shape[axis])
		return nc_graph_fail(x->graph, "top_k: 0 <= k <= %lld expected, got %lld",
				     (long long)x->shape[axis], (long long)k);
	nacre_node *first = nacre_slice_axis(nacre_argsort(x, axis, true), axis, 0, k);
	if (indices)
		*indices = first;
	return nacre_take_along_axis(x, first, axis);
}
