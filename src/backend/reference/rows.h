/* SPDX-License-Identifier: MIT
 *
 * rows.h - inside the reference backend: the function of every op, and what they share.
 */
#ifndef NC_REFERENCE_ROWS_H
#define NC_REFERENCE_ROWS_H

#include "backend/reference/reference.h"

#define OP(id) nc_ref_fn nc_ref_##id;
#include "op/op.def"

/* v as a number of the type: integers are cut towards zero and clamped, NaN is 0; bool: v != 0;
 * floating-point types keep the double. */
double nc_ref_as(nacre_dtype dtype, double v);

/* a shape around one axis: [outer][n][inner] */
typedef struct nc_ref_lines {
	int64_t outer, n, inner;
} nc_ref_lines;
nc_ref_lines nc_ref_around(const nacre_node *x, int axis);

/* Row-major index arithmetic: counts index[] up by one; the caller loops size times. */
static inline void nc_ref_next(int rank, const int64_t *shape, int64_t *index)
{
	for (int d = rank - 1; d >= 0 && ++index[d] == shape[d]; d--)
		index[d] = 0;
}
/* strides (in elements) of x, 0 where it is stretched to y's shape */
void nc_ref_strides(const nacre_node *x, int rank, int64_t *stride);
static inline int64_t nc_ref_at_index(int rank, const int64_t *index, const int64_t *stride)
{
	int64_t at = 0;
	for (int d = 0; d < rank; d++)
		at += index[d] * stride[d];
	return at;
}

#endif
