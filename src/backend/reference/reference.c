/* SPDX-License-Identifier: MIT
 *
 * reference.c - the table of functions, and index arithmetic.
 */
#include <math.h>

#include "backend/reference/rows.h"

static nc_ref_fn *const table[NC_OP_COUNT] = {
#define OP(id) nc_ref_##id,
#include "op/op.def"
};

nc_ref_fn *nc_ref_at(int op_index)
{
	return op_index >= 0 && op_index < NC_OP_COUNT ? table[op_index] : NULL;
}

double nc_ref_as(nacre_dtype dtype, double v)
{
	static const double range[NACRE_DTYPES][2] = {
		[NACRE_I8] = {INT8_MIN, INT8_MAX},
		[NACRE_U8] = {0, UINT8_MAX},
		[NACRE_I32] = {INT32_MIN, INT32_MAX},
		[NACRE_I64] = {-0x1p63, 0x1p63},
	};
	if (nc_dtype_is_float(dtype))
		return v;
	if (dtype == NACRE_BOOL)
		return v != 0;
	if (v != v)
		return 0;
	double low = range[dtype][0], high = range[dtype][1];
	return v < low ? low : v > high ? high : trunc(v);
}

nc_ref_lines nc_ref_around(const nacre_node *x, int axis)
{
	nc_ref_lines l = {1, x->shape[axis], 1};
	for (int i = 0; i < axis; i++)
		l.outer *= x->shape[i];
	for (int i = axis + 1; i < x->rank; i++)
		l.inner *= x->shape[i];
	return l;
}

void nc_ref_strides(const nacre_node *x, int rank, int64_t *stride)
{
	int64_t step = 1;
	for (int d = rank - 1; d >= 0; d--) {
		int i = d - (rank - x->rank);
		int64_t n = i >= 0 ? x->shape[i] : 1;
		stride[d] = n == 1 ? 0 : step;
		step *= n;
	}
}
