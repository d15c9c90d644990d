/* SPDX-License-Identifier: MIT
 *
 * softmax.c - y = e^x / sum e^x along an axis, and its logarithm.
 */
#include <string.h>

#include "nacre/op.h"

#include "op/build.h"

static bool infer_softmax(nacre_node *y)
{
	return nc_expect_float(y, 0) && nc_expect_axis(y, ((const nc_attr_axis *)y->attr)->axis) &&
	       nc_infer_like(y, y->in[0]);
}

static nacre_node *total(const nacre_node *y, nacre_node *v)
{
	return nacre_sum(v, NACRE_AXIS(((const nc_attr_axis *)y->attr)->axis), true);
}

/* dx = y (dy - sum dy y) */
static void grad_softmax(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = mul(y, sub(dy, total(y, mul(dy, y))));
}

/* dx = dy - e^y sum dy */
static void grad_log_softmax(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = sub(dy, mul(exp(y), total(y, dy)));
}

static double flops_softmax(const nacre_node *y)
{
	return 4 * (double)nc_node_size(y); /* maximum, exp, sum, division */
}

static const nc_field fields_axis[] = {{"axis", NC_FIELD_INT, offsetof(nc_attr_axis, axis)}, {0}};

#define ROW(id, gradient, onnx_name)                                                               \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = 1,                                                                       \
		.max_in = 1,                                                                       \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_axis),                                                 \
		.fields = fields_axis,                                                             \
		.infer = infer_softmax,                                                            \
		.grad = gradient,                                                                  \
		.flops = flops_softmax,                                                            \
		.keras = #id,                                                                      \
		.onnx = onnx_name,                                                                 \
	};
ROW(softmax, grad_softmax, "Softmax")
ROW(log_softmax, grad_log_softmax, "LogSoftmax")

static nacre_node *make(const nc_op *op, nacre_node *x, int axis)
{
	if (!nc_axis_real(x, op->name, &axis))
		return NULL;
	nc_attr_axis a = {axis};
	return nc_node_new(x->graph, op, 1, &x, &a);
}

nacre_node *nacre_softmax_axis(nacre_node *x, int axis)
{
	return make(&nc_op_softmax, x, axis);
}

nacre_node *nacre_log_softmax_axis(nacre_node *x, int axis)
{
	return make(&nc_op_log_softmax, x, axis);
}

nacre_node *nacre_softmax(nacre_node *x)
{
	return nacre_softmax_axis(x, -1);
}

nacre_node *nacre_log_softmax(nacre_node *x)
{
	return nacre_log_softmax_axis(x, -1);
}
