/* SPDX-License-Identifier: MIT
 *
 * reference.h - every op in plain C, in double precision: the oracle of the tests, and what the
 * CPU backend falls back on for the rare types that it has no kernel for.
 *
 * Every value is an array of doubles, row-major, whatever its data type; integers are exact up to
 * 2^53.  A value of type f32, f16 or bf16 is not rounded.  Results of an integer type are cut
 * towards zero and clamped to the type's range (7 / -2 is -3, 1 / 0 the largest), NaN is 0; a cast
 * does the same: the rules of nacre_tensor_convert.
 */
#ifndef NC_REFERENCE_H
#define NC_REFERENCE_H

#include "op/table.h"

typedef struct nc_ref_context {
	uint64_t seed, step;
} nc_ref_context;

/* y = the op of node n, from in[0 .. n->n_in-1]; shapes are those of the nodes.  Effects change
 * in[0 .. targets-1] in place (y is NULL then).  Allocates nothing, cannot fail.  Placeholder and
 * variable have functions that do nothing: their values are given. */
typedef void nc_ref_fn(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c);

nc_ref_fn *nc_ref_at(int op_index);

#endif
