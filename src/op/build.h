/* SPDX-License-Identifier: MIT
 *
 * build.h - short names for gradient rules, as elementwise.def uses them.  Macros, so that they
 * may be called exp or div; include it last, and only in src/op.
 */
#ifndef NC_OP_BUILD_H
#define NC_OP_BUILD_H

#include "nacre/op.h"
#include "op/table.h"

/* a number of x's type, rank 0: broadcasts */
static inline nacre_node *nc_number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}
/* dy summed over the axes along which x was stretched to dy's shape */
nacre_node *nc_unbroadcast(nacre_node *dy, const nacre_node *x);

#define NONE NULL
#define num(x, value) nc_number(x, value)
#define neg(x) nacre_neg(x)
#define sign(x) nacre_sign(x)
#define exp(x) nacre_exp(x)
#define log(x) nacre_log(x)
#define square(x) nacre_square(x)
#define rsqrt(x) nacre_rsqrt(x)
#define sin(x) nacre_sin(x)
#define cos(x) nacre_cos(x)
#define sinh(x) nacre_sinh(x)
#define cosh(x) nacre_cosh(x)
#define sigmoid(x) nacre_sigmoid(x)
#define gelu_slope(x) nacre_gelu_slope(x)
#define floor(x) nacre_floor(x)
#define add(a, b) nacre_plus(a, b)
#define sub(a, b) nacre_minus(a, b)
#define mul(a, b) nacre_times(a, b)
#define div(a, b) nacre_divide(a, b)
#define power(a, b) nacre_pow(a, b)
#define gt(a, b) nacre_greater(a, b)
#define ge(a, b) nacre_greater_equal(a, b)
#define lt(a, b) nacre_less(a, b)
#define le(a, b) nacre_less_equal(a, b)
#define select(c, a, b) nacre_select(c, a, b)

#endif
