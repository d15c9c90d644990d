/* SPDX-License-Identifier: MIT
 *
 * elementwise.c - the double column of kernels/elementwise.def, with broadcasting.
 */
#include <math.h>

#include "backend/reference/rows.h"
#include "op/value.h"

typedef double element_fn(const double *v);

static void each(const nacre_node *n, double *const *in, double *y, element_fn *f)
{
	int64_t size = nc_node_size(n), index[NACRE_MAX_RANK] = {0};
	int64_t stride[3][NACRE_MAX_RANK];
	for (int k = 0; k < n->n_in; k++)
		nc_ref_strides(n->in[k], n->rank, stride[k]);
	for (int64_t i = 0; i < size; i++) {
		double v[3] = {0};
		for (int k = 0; k < n->n_in; k++)
			v[k] = in[k][nc_ref_at_index(n->rank, index, stride[k])];
		y[i] = nc_ref_as(n->dtype, f(v));
		nc_ref_next(n->rank, n->shape, index);
	}
}

#define ROW(id)                                                                                    \
	void nc_ref_##id(const nacre_node *n, double *const *in, double *y,                        \
			 const nc_ref_context *c)                                                  \
	{                                                                                          \
		(void)c;                                                                           \
		each(n, in, y, of_##id);                                                           \
	}
#define UNARY(id, fn, vec, ref, dx)                                                                \
	static double of_##id(const double *v)                                                     \
	{                                                                                          \
		double x = v[0];                                                                   \
		return ref;                                                                        \
	}                                                                                          \
	ROW(id)
#define PREDICATE(id, fn, vec, ref) UNARY(id, fn, vec, ref, )
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	static double of_##id(const double *v)                                                     \
	{                                                                                          \
		double a = v[0], b = v[1];                                                         \
		return ref;                                                                        \
	}                                                                                          \
	ROW(id)
#define COMPARE(id, fn, vec, ref) BINARY(id, fn, vec, ref, , )
#define TERNARY(id, fn, vec, ref, da, db, dc)                                                      \
	static double of_##id(const double *v)                                                     \
	{                                                                                          \
		double a = v[0], b = v[1], c = v[2];                                               \
		return ref;                                                                        \
	}                                                                                          \
	ROW(id)
#include "kernels/elementwise.def"
