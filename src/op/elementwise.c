/* SPDX-License-Identifier: MIT
 *
 * elementwise.c - the ops of kernels/elementwise.def: public functions, shape rules, gradients and
 * rows of the op table, all read from that file.
 */
#include "kernels/kernels.h"
#include "op/names.h"
#include "op/table.h"

#include "op/build.h"

/* What the inputs may be: the default is floats alone. */
enum { FLOATS, NUMBERS, ANY };
static const unsigned char accepts[NC_E_COUNT] = {
	[NC_E_neg] = NUMBERS,	      [NC_E_abs] = NUMBERS,	   [NC_E_sign] = NUMBERS,
	[NC_E_square] = NUMBERS,      [NC_E_relu] = NUMBERS,	   [NC_E_floor] = NUMBERS,
	[NC_E_ceil] = NUMBERS,	      [NC_E_round] = NUMBERS,	   [NC_E_trunc] = NUMBERS,
	[NC_E_is_nan] = NUMBERS,      [NC_E_is_inf] = NUMBERS,	   [NC_E_is_finite] = NUMBERS,
	[NC_E_add] = NUMBERS,	      [NC_E_sub] = NUMBERS,	   [NC_E_mul] = NUMBERS,
	[NC_E_div] = NUMBERS,	      [NC_E_pow] = NUMBERS,	   [NC_E_mod] = NUMBERS,
	[NC_E_floor_divide] = NUMBERS, [NC_E_maximum] = ANY,	   [NC_E_minimum] = ANY,
	[NC_E_logical_not] = ANY,     [NC_E_logical_and] = ANY,	   [NC_E_logical_or] = ANY,
	[NC_E_logical_xor] = ANY,     [NC_E_eq] = ANY,		   [NC_E_ne] = ANY,
	[NC_E_lt] = ANY,	      [NC_E_le] = ANY,		   [NC_E_gt] = ANY,
	[NC_E_ge] = ANY,	      [NC_E_select] = ANY,
};

static bool accepted(nacre_node *y, int i)
{
	int kinds = accepts[y->op->element];
	return kinds == ANY || (kinds == NUMBERS ? nc_expect_number(y, i) : nc_expect_float(y, i));
}

static bool infer_unary(nacre_node *y)
{
	return accepted(y, 0) && nc_infer_like(y, y->in[0]);
}

static bool as_bool(nacre_node *y, bool ok)
{
	y->dtype = NACRE_BOOL;
	return ok;
}

static bool infer_predicate(nacre_node *y)
{
	return as_bool(y, infer_unary(y));
}

static bool shapes_differ(nacre_node *y, const nacre_node *a, const nacre_node *b)
{
	char s[128], t[128];
	return nc_node_fail(y, "shapes do not broadcast: %s and %s",
			    nc_shape_text(s, a->rank, a->shape),
			    nc_shape_text(t, b->rank, b->shape));
}

static bool infer_binary(nacre_node *y)
{
	const nacre_node *a = y->in[0], *b = y->in[1];
	if (!nc_expect_same(y, 0, 1) || !accepted(y, 0))
		return false;
	y->dtype = a->dtype;
	return nc_broadcast_shape(a, b, &y->rank, y->shape) || shapes_differ(y, a, b);
}

static bool infer_compare(nacre_node *y)
{
	return as_bool(y, infer_binary(y));
}

static bool infer_ternary(nacre_node *y)
{
	const nacre_node *a = y->in[0], *b = y->in[1], *c = y->in[2];
	if (a->dtype != NACRE_BOOL)
		return nc_node_fail(y, "a condition of bool expected, got %s",
				    nacre_dtype_name(a->dtype));
	if (!nc_expect_same(y, 1, 2))
		return false;
	nacre_node both = *b;
	if (!nc_broadcast_shape(b, c, &both.rank, both.shape))
		return shapes_differ(y, b, c);
	y->dtype = b->dtype;
	return nc_broadcast_shape(a, &both, &y->rank, y->shape) || shapes_differ(y, a, &both);
}

nacre_node *nc_unbroadcast(nacre_node *dy, const nacre_node *x)
{
	if (!dy || nc_same_shape(dy, x))
		return dy;
	int lead = dy->rank - x->rank;
	unsigned axes = 0;
	for (int i = 0; i < dy->rank; i++)
		if (i < lead || (x->shape[i - lead] == 1 && dy->shape[i] != 1))
			axes |= 1u << i;
	nacre_node *s = axes ? nacre_sum(dy, axes, false) : dy;
	return nacre_reshape(s, x->rank, x->shape);
}

/* gradients: a function a row with one */
#define UNARY(id, fn, vec, ref, dx)                                                                \
	static void grad_##id(nacre_node *y, nacre_node *dy, nacre_node **out)                     \
	{                                                                                          \
		nacre_node *x = y->in[0];                                                          \
		(void)x, (void)dy;                                                                 \
		out[0] = dx;                                                                       \
	}
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	static void grad_##id(nacre_node *y, nacre_node *dy, nacre_node **out)                     \
	{                                                                                          \
		nacre_node *a = y->in[0], *b = y->in[1];                                           \
		(void)a, (void)b, (void)dy;                                                        \
		out[0] = nc_unbroadcast(da, a);                                                    \
		out[1] = nc_unbroadcast(db, b);                                                    \
	}
#define TERNARY(id, fn, vec, ref, da, db, dc)                                                      \
	static void grad_##id(nacre_node *y, nacre_node *dy, nacre_node **out)                     \
	{                                                                                          \
		nacre_node *a = y->in[0], *b = y->in[1], *c = y->in[2];                            \
		out[0] = nc_unbroadcast(da, a);                                                    \
		out[1] = nc_unbroadcast(db, b);                                                    \
		out[2] = nc_unbroadcast(dc, c);                                                    \
	}
#include "kernels/elementwise.def"

/* the rows of the op table */
enum {
	COMMUTES_add = NC_OP_COMMUTES,
	COMMUTES_mul = NC_OP_COMMUTES,
	COMMUTES_eq = NC_OP_COMMUTES,
	COMMUTES_ne = NC_OP_COMMUTES,
	COMMUTES_logical_and = NC_OP_COMMUTES,
	COMMUTES_logical_or = NC_OP_COMMUTES,
	COMMUTES_logical_xor = NC_OP_COMMUTES,
	COMMUTES_sub = 0,
	COMMUTES_div = 0,
	COMMUTES_pow = 0,
	COMMUTES_maximum = 0, /* not bitwise: of 0 and -0 the second is taken */
	COMMUTES_minimum = 0,
	COMMUTES_mod = 0,
	COMMUTES_floor_divide = 0,
	COMMUTES_atan2 = 0,
	COMMUTES_lt = 0,
	COMMUTES_le = 0,
	COMMUTES_gt = 0,
	COMMUTES_ge = 0
};

#define CONSTANT(gradient) (__builtin_strcmp(#gradient, "NONE") ? 0 : NC_OP_NO_GRADIENT)
#define ROW(id, inputs, bits, rule, gradient)                                                      \
	const nc_op nc_op_##id = {                                                                 \
		#id, NC_OP_##id, inputs, inputs, NC_OP_ELEMENTWISE | (bits), NC_E_##id, 0, 0,      \
		NULL, rule, gradient, nc_flops_each, NAMES_##id};
#define UNARY(id, fn, vec, ref, dx) ROW(id, 1, CONSTANT(dx), infer_unary, grad_##id)
#define PREDICATE(id, fn, vec, ref) ROW(id, 1, NC_OP_NO_GRADIENT, infer_predicate, NULL)
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	ROW(id, 2, CONSTANT(da) | COMMUTES_##id, infer_binary, grad_##id)
#define COMPARE(id, fn, vec, ref)                                                                  \
	ROW(id, 2, NC_OP_NO_GRADIENT | COMMUTES_##id, infer_compare, NULL)
#define TERNARY(id, fn, vec, ref, da, db, dc) ROW(id, 3, 0, infer_ternary, grad_##id)
#include "kernels/elementwise.def"

/* the public functions */
static nacre_node *make(const nc_op *op, nacre_node *a, nacre_node *b, nacre_node *c)
{
	nacre_node *in[3] = {a, b, c};
	return nc_node_new(nc_graph_of(op->min_in, in), op, op->min_in, in, NULL);
}

#define UNARY(id, fn, vec, ref, dx)                                                                \
	nacre_node *fn(nacre_node *x)                                                              \
	{                                                                                          \
		return make(&nc_op_##id, x, NULL, NULL);                                           \
	}
#define PREDICATE(id, fn, vec, ref) UNARY(id, fn, vec, ref, )
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	nacre_node *fn(nacre_node *a, nacre_node *b)                                               \
	{                                                                                          \
		return make(&nc_op_##id, a, b, NULL);                                              \
	}
#define COMPARE(id, fn, vec, ref) BINARY(id, fn, vec, ref, , )
#define TERNARY(id, fn, vec, ref, da, db, dc)                                                      \
	nacre_node *fn(nacre_node *a, nacre_node *b, nacre_node *c)                                \
	{                                                                                          \
		return make(&nc_op_##id, a, b, c);                                                 \
	}
#include "kernels/elementwise.def"

nacre_node *nacre_clip(nacre_node *x, double low, double high)
{
	if (x && !(low <= high))
		return nc_graph_fail(x->graph, "clip: low <= high expected, got %g and %g", low,
				     high);
	return nacre_minimum(nacre_maximum(x, nc_number(x, low)), nc_number(x, high));
}

nacre_node *nacre_add_number(nacre_node *x, double s)
{
	return nacre_plus(x, nc_number(x, s));
}

nacre_node *nacre_scale(nacre_node *x, double s)
{
	return nacre_times(x, nc_number(x, s));
}
