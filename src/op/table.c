/* SPDX-License-Identifier: MIT
 *
 * table.c - the op table as an array, and the checks that the families share.
 */
#include "op/table.h"

#include "nacre/op.h"

static const nc_op *const table[NC_OP_COUNT] = {
#define OP(id) &nc_op_##id,
#include "op/op.def"
};

const nc_op *nc_op_at(int index)
{
	return index >= 0 && index < NC_OP_COUNT ? table[index] : NULL;
}

bool nc_broadcast_shape(const nacre_node *a, const nacre_node *b, int *rank, int64_t *shape)
{
	int r = a->rank > b->rank ? a->rank : b->rank;
	for (int i = 1; i <= r; i++) { /* from the end */
		int64_t m = i <= a->rank ? a->shape[a->rank - i] : 1;
		int64_t n = i <= b->rank ? b->shape[b->rank - i] : 1;
		if (m != n && m != 1 && n != 1)
			return false;
		shape[r - i] = m == 1 ? n : m;
	}
	*rank = r;
	return true;
}

bool nc_axis_real(const nacre_node *x, const char *op, int *axis)
{
	if (!x)
		return false;
	if (*axis < -x->rank || *axis >= x->rank)
		return nc_graph_fail(x->graph, "%s: axis %d is outside a value of rank %d", op,
				     *axis, x->rank);
	if (*axis < 0)
		*axis += x->rank;
	return true;
}

bool nc_axes_real(const nacre_node *x, const char *op, unsigned *axes)
{
	if (!x)
		return false;
	unsigned real = (1u << x->rank) - 1, mask = *axes & ~NACRE_LAST_AXIS;
	if ((mask & NACRE_ALL_AXES) == NACRE_ALL_AXES)
		mask &= ~NACRE_ALL_AXES | real;
	if (*axes & NACRE_LAST_AXIS) {
		if (!x->rank)
			return nc_graph_fail(x->graph, "%s: a value of rank 0 has no last axis",
					     op);
		mask |= 1u << (x->rank - 1);
	}
	if (mask & ~real)
		return nc_graph_fail(x->graph, "%s: axis %d is outside a value of rank %d", op,
				     __builtin_ctz(mask & ~real), x->rank);
	*axes = mask;
	return true;
}

bool nc_dims_set(nacre_graph *g, const char *op, int rank, const int64_t *shape, nc_dims *out)
{
	char text[128];
	if (!g)
		return false;
	if (rank < 0 || rank > NACRE_MAX_RANK)
		return nc_graph_fail(g, "%s: a rank of 0 to %d expected, got %d", op,
				     NACRE_MAX_RANK, rank);
	if (rank && !shape)
		return nc_graph_fail(g, "%s: the shape is NULL", op);
	out->rank = rank;
	for (int i = 0; i < rank; i++) {
		if (shape[i] < 0)
			return nc_graph_fail(g, "%s: negative size in shape %s", op,
					     nc_shape_text(text, rank, shape));
		out->size[i] = shape[i];
	}
	return true;
}

bool nc_infer_like(nacre_node *y, const nacre_node *x)
{
	y->dtype = x->dtype;
	y->rank = x->rank;
	for (int i = 0; i < x->rank; i++)
		y->shape[i] = x->shape[i];
	return true;
}

bool nc_infer_dims(nacre_node *y, nacre_dtype dtype, const nc_dims *d)
{
	if (!nc_dtype_valid(dtype))
		return nc_node_fail(y, "%d is no data type", (int)dtype);
	if (d->rank < 0 || d->rank > NACRE_MAX_RANK)
		return nc_node_fail(y, "a rank of 0 to %d expected, got %d", NACRE_MAX_RANK,
				    d->rank);
	y->dtype = dtype;
	y->rank = d->rank;
	for (int i = 0; i < d->rank; i++)
		y->shape[i] = d->size[i];
	return true;
}

bool nc_expect_number(nacre_node *y, int i)
{
	return y->in[i]->dtype != NACRE_BOOL || nc_node_fail(y, "numbers expected, got bool");
}

bool nc_expect_float(nacre_node *y, int i)
{
	return nc_dtype_is_float(y->in[i]->dtype) ||
	       nc_node_fail(y, "floating-point numbers expected, got %s",
			    nacre_dtype_name(y->in[i]->dtype));
}

bool nc_expect_index(nacre_node *y, int i)
{
	nacre_dtype d = y->in[i]->dtype;
	return d == NACRE_I32 || d == NACRE_I64 ||
	       nc_node_fail(y, "indices of i32 or i64 expected, got %s", nacre_dtype_name(d));
}

bool nc_expect_same(nacre_node *y, int i, int j)
{
	return y->in[i]->dtype == y->in[j]->dtype ||
	       nc_node_fail(y, "types differ: %s and %s", nacre_dtype_name(y->in[i]->dtype),
			    nacre_dtype_name(y->in[j]->dtype));
}

bool nc_expect_axis(nacre_node *y, int axis)
{
	return (axis >= 0 && axis < y->in[0]->rank) ||
	       nc_node_fail(y, "axis %d is outside a value of rank %d", axis, y->in[0]->rank);
}

double nc_flops_each(const nacre_node *y)
{
	return (double)nc_node_size(y);
}

double nc_flops_input(const nacre_node *y)
{
	return (double)nc_node_size(y->in[0]);
}
