/* SPDX-License-Identifier: MIT
 *
 * index.c - reading and adding at places that are values: gather, scatter_add, one_hot.
 *
 * Pairs: the gradient of each reader is its adder and the other way round.  An index outside
 * 0 .. size-1 reads zeros and adds nothing.
 */
#include <string.h>

#include "nacre/op.h"

#include "op/build.h"

static int axis_of(const nacre_node *y)
{
	return ((const nc_attr_axis *)y->attr)->axis;
}

static nacre_node *zeros_like(const nacre_node *x)
{
	return nacre_fill(x->graph, x->dtype, x->rank, x->shape, 0);
}

/* gather, scatter_add: the axis of x is replaced by the shape of the indices */
static bool gathered(nacre_node *y, const nacre_node *x, const nacre_node *indices, int *rank,
		     int64_t *shape)
{
	int axis = axis_of(y);
	if (!nc_expect_axis(y, axis) || !nc_expect_index(y, 1))
		return false;
	if (x->rank - 1 + indices->rank > NACRE_MAX_RANK)
		return nc_node_fail(y, "a result of rank %d: the most is %d",
				    x->rank - 1 + indices->rank, NACRE_MAX_RANK);
	*rank = 0;
	for (int i = 0; i < axis; i++)
		shape[(*rank)++] = x->shape[i];
	for (int i = 0; i < indices->rank; i++)
		shape[(*rank)++] = indices->shape[i];
	for (int i = axis + 1; i < x->rank; i++)
		shape[(*rank)++] = x->shape[i];
	return true;
}

static bool infer_gather(nacre_node *y)
{
	y->dtype = y->in[0]->dtype;
	return gathered(y, y->in[0], y->in[1], &y->rank, y->shape);
}

static bool updates_fit(nacre_node *y, int rank, const int64_t *shape)
{
	const nacre_node *u = y->in[2];
	char s[128], t[128];
	bool fits = u->rank == rank;
	for (int i = 0; fits && i < rank; i++)
		fits = u->shape[i] == shape[i];
	return fits ||
	       nc_node_fail(y, "updates of %s expected, got %s", nc_shape_text(s, rank, shape),
			    nc_shape_text(t, u->rank, u->shape));
}

static bool infer_scatter_add(nacre_node *y)
{
	int rank = 0;
	int64_t shape[NACRE_MAX_RANK];
	return nc_expect_number(y, 0) && nc_expect_same(y, 0, 2) &&
	       gathered(y, y->in[0], y->in[1], &rank, shape) && updates_fit(y, rank, shape) &&
	       nc_infer_like(y, y->in[0]);
}

static void grad_gather(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_scatter_add(zeros_like(y->in[0]), y->in[1], dy, axis_of(y));
}

static void grad_scatter_add(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = dy;
	dx[2] = nacre_gather(dy, y->in[1], axis_of(y));
}

/* along an axis: indices have x's rank, and its sizes elsewhere */
static bool along(nacre_node *y)
{
	const nacre_node *x = y->in[0], *indices = y->in[1];
	int axis = axis_of(y);
	char s[128], t[128];
	if (!nc_expect_axis(y, axis) || !nc_expect_index(y, 1))
		return false;
	bool fits = x->rank == indices->rank;
	for (int i = 0; fits && i < x->rank; i++)
		fits = i == axis || x->shape[i] == indices->shape[i];
	return fits || nc_node_fail(y, "indices of %s expected but for axis %d, got %s",
				    nc_shape_text(s, x->rank, x->shape), axis,
				    nc_shape_text(t, indices->rank, indices->shape));
}

static bool infer_take_along_axis(nacre_node *y)
{
	if (!along(y))
		return false;
	nc_infer_like(y, y->in[1]);
	y->dtype = y->in[0]->dtype;
	return true;
}

static bool infer_scatter_add_along_axis(nacre_node *y)
{
	return nc_expect_number(y, 0) && nc_expect_same(y, 0, 2) && along(y) &&
	       updates_fit(y, y->in[1]->rank, y->in[1]->shape) && nc_infer_like(y, y->in[0]);
}

static void grad_take_along_axis(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_scatter_add_along_axis(zeros_like(y->in[0]), y->in[1], dy, axis_of(y));
}

static void grad_scatter_add_along_axis(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = dy;
	dx[2] = nacre_take_along_axis(dy, y->in[1], axis_of(y));
}

static double flops_updates(const nacre_node *y)
{
	return (double)nc_node_size(y->in[2]);
}

static const nc_field fields_axis[] = {{"axis", NC_FIELD_INT, offsetof(nc_attr_axis, axis)}, {0}};

#define ROW(id, inputs, work, keras_name, onnx_name)                                               \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = inputs,                                                                  \
		.max_in = inputs,                                                                  \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_axis),                                                 \
		.fields = fields_axis,                                                             \
		.infer = infer_##id,                                                               \
		.grad = grad_##id,                                                                 \
		.flops = work,                                                                     \
		.keras = keras_name,                                                               \
		.onnx = onnx_name,                                                                 \
	};
ROW(gather, 2, NULL, "take", "Gather")
ROW(scatter_add, 3, flops_updates, NULL, NULL)
ROW(take_along_axis, 2, NULL, "take_along_axis", "GatherElements")
ROW(scatter_add_along_axis, 3, flops_updates, NULL, "ScatterElements")

static nacre_node *make(const nc_op *op, nacre_node *x, nacre_node *indices, nacre_node *updates,
			int axis)
{
	nacre_node *in[3] = {x, indices, updates};
	if (x && !nc_axis_real(x, op->name, &axis))
		return NULL;
	nc_attr_axis a = {axis};
	return nc_node_new(nc_graph_of(op->min_in, in), op, op->min_in, in, &a);
}

nacre_node *nacre_gather(nacre_node *x, nacre_node *indices, int axis)
{
	return make(&nc_op_gather, x, indices, NULL, axis);
}

nacre_node *nacre_scatter_add(nacre_node *x, nacre_node *indices, nacre_node *updates, int axis)
{
	return make(&nc_op_scatter_add, x, indices, updates, axis);
}

nacre_node *nacre_take_along_axis(nacre_node *x, nacre_node *indices, int axis)
{
	return make(&nc_op_take_along_axis, x, indices, NULL, axis);
}

nacre_node *nacre_scatter_add_along_axis(nacre_node *x, nacre_node *indices, nacre_node *updates,
					 int axis)
{
	return make(&nc_op_scatter_add_along_axis, x, indices, updates, axis);
}

/* one_hot */
static bool infer_one_hot(nacre_node *y)
{
	const nc_attr_one_hot *a = y->attr;
	const nacre_node *x = y->in[0];
	if (!nc_expect_index(y, 0))
		return false;
	if (!nc_dtype_valid(a->dtype))
		return nc_node_fail(y, "%d is no data type", (int)a->dtype);
	if (a->depth < 0)
		return nc_node_fail(y, "a depth >= 0 expected, got %lld", (long long)a->depth);
	if (x->rank == NACRE_MAX_RANK)
		return nc_node_fail(y, "a result of rank %d: the most is %d", x->rank + 1,
				    NACRE_MAX_RANK);
	nc_infer_like(y, x);
	y->dtype = a->dtype;
	y->shape[y->rank++] = a->depth;
	return true;
}

static const nc_field fields_one_hot[] = {{"depth", NC_FIELD_I64, offsetof(nc_attr_one_hot, depth)},
					  {0}};

const nc_op nc_op_one_hot = {
	.name = "one_hot",
	.index = NC_OP_one_hot,
	.min_in = 1,
	.max_in = 1,
	.flags = NC_OP_NO_GRADIENT,
	.element = -1,
	.attr_size = sizeof(nc_attr_one_hot),
	.fields = fields_one_hot,
	.infer = infer_one_hot,
	.keras = "one_hot",
	.onnx = "OneHot",
};

nacre_node *nacre_one_hot(nacre_node *indices, int64_t depth, nacre_dtype dtype)
{
	nc_attr_one_hot a;
	memset(&a, 0, sizeof(a));
	a.depth = depth;
	a.dtype = dtype;
	return indices ? nc_node_new(indices->graph, &nc_op_one_hot, 1, &indices, &a) : NULL;
}
