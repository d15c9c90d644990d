/* SPDX-License-Identifier: MIT
 *
 * convert.c - the same numbers in another type, or cut off from the gradient.
 */
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

static bool infer_cast(nacre_node *y)
{
	nacre_dtype dtype = ((const nc_attr_cast *)y->attr)->dtype;
	if (!nc_dtype_valid(dtype))
		return nc_node_fail(y, "%d is no data type", (int)dtype);
	nc_infer_like(y, y->in[0]);
	y->dtype = dtype;
	return true;
}

static void grad_cast(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_dtype from = y->in[0]->dtype;
	if (nc_dtype_is_float(from) && nc_dtype_is_float(y->dtype))
		dx[0] = nacre_cast(dy, from);
}

static const nc_field fields_cast[] = {{"to", NC_FIELD_DTYPE, offsetof(nc_attr_cast, dtype)}, {0}};

const nc_op nc_op_cast = {
	.name = "cast",
	.index = NC_OP_cast,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_cast),
	.fields = fields_cast,
	.infer = infer_cast,
	.grad = grad_cast,
	.flops = nc_flops_each,
	.keras = "cast",
	.onnx = "Cast",
};

nacre_node *nacre_cast(nacre_node *x, nacre_dtype dtype)
{
	nc_attr_cast a = {dtype};
	if (!x || x->graph->error.status)
		return NULL;
	return x->dtype == dtype ? x : nc_node_new(x->graph, &nc_op_cast, 1, &x, &a);
}

static bool infer_stop_gradient(nacre_node *y)
{
	return nc_infer_like(y, y->in[0]);
}

const nc_op nc_op_stop_gradient = {
	.name = "stop_gradient",
	.index = NC_OP_stop_gradient,
	.min_in = 1,
	.max_in = 1,
	.flags = NC_OP_NO_GRADIENT | NC_OP_RESHAPES,
	.element = -1,
	.infer = infer_stop_gradient,
	.keras = "stop_gradient",
};

nacre_node *nacre_stop_gradient(nacre_node *x)
{
	return x ? nc_node_new(x->graph, &nc_op_stop_gradient, 1, &x, NULL) : NULL;
}
