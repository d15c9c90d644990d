/* SPDX-License-Identifier: MIT
 *
 * table.h - the op table: enum, rows, lookup.
 */
#ifndef NC_OP_TABLE_H
#define NC_OP_TABLE_H

#include "ir/ir.h"
#include "op/attr.h"

enum nc_op_index {
#define OP(id) NC_OP_##id,
#include "op/op.def"
	NC_OP_COUNT
};

#define OP(id) extern const nc_op nc_op_##id;
#include "op/op.def"

/* An update whose attribute says what its rule is: see nacre_update(). */
static inline bool nc_is_rule(int op_index)
{
	return op_index == NC_OP_update_one || op_index == NC_OP_update_two;
}
/* the variable of a variable node; NULL for others */
static inline nacre_variable *nc_variable_of(const nacre_node *n)
{
	const nc_attr_variable *a = n->attr;
	return n->op->index == NC_OP_variable ? a->variable : NULL;
}

/* The variable is about to be freed: its node, which nothing looks at any more, must not be taken
 * for that of a later variable at the same address. */
void nc_forget(nacre_graph *g, const nacre_variable *variable);

const nc_op *nc_op_at(int index); /* 0 .. NC_OP_COUNT-1 */

/* shape of a and b broadcast together; false if they do not fit */
bool nc_broadcast_shape(const nacre_node *a, const nacre_node *b, int *rank, int64_t *shape);

/* A node with a variable's or another node's attributes but other inputs: how passes and autodiff
 * copy nodes. */
static inline nacre_node *nc_node_like(nacre_graph *g, const nacre_node *n, nacre_node *const *in)
{
	return nc_node_new(g, n->op, n->n_in, in, n->attr);
}

/* -- checks that the families share; each failure is an error of the graph ----------------------*/
/* -rank .. rank-1 made 0 .. rank-1 */
bool nc_axis_real(const nacre_node *x, const char *op, int *axis);
/* a mask with NACRE_ALL_AXES and NACRE_LAST_AXIS made a mask of real axes */
bool nc_axes_real(const nacre_node *x, const char *op, unsigned *axes);
/* rank 0..8 and sizes that are not negative */
bool nc_dims_set(nacre_graph *g, const char *op, int rank, const int64_t *shape, nc_dims *out);
/* of rules: y takes the type and shape of x, or a shape */
bool nc_infer_like(nacre_node *y, const nacre_node *x);
bool nc_infer_dims(nacre_node *y, nacre_dtype dtype, const nc_dims *d);
/* of rules: is in[i] a number (not bool), a float, an i32 or i64; are in[i] and in[j] of one type;
 * is an axis of in[0]'s in its range */
bool nc_expect_number(nacre_node *y, int i);
bool nc_expect_float(nacre_node *y, int i);
bool nc_expect_index(nacre_node *y, int i);
bool nc_expect_same(nacre_node *y, int i, int j);
bool nc_expect_axis(nacre_node *y, int axis);

double nc_flops_each(const nacre_node *y);  /* one an element of y */
double nc_flops_input(const nacre_node *y); /* one an element of in[0] */
#endif
