/* SPDX-License-Identifier: MIT
 *
 * attr.h - the attributes of the ops: plain structs, all-zero where unset.
 */
#ifndef NC_OP_ATTR_H
#define NC_OP_ATTR_H

#include "ir/ir.h"

typedef struct nc_attr_placeholder {
	nacre_dtype dtype;
	int serial;
	nc_dims shape;
} nc_attr_placeholder;
typedef struct nc_attr_variable {
	nacre_variable *variable;
} nc_attr_variable;
/* fill: one value; constant: `bytes` bytes of data in the graph's arena */
typedef struct nc_attr_fill {
	nacre_dtype dtype;
	nc_dims shape;
	double value;
} nc_attr_fill;
typedef struct nc_attr_constant {
	nacre_dtype dtype;
	nc_dims shape;
	size_t bytes;
	const void *data;
} nc_attr_constant;
typedef struct nc_attr_cast {
	nacre_dtype dtype;
} nc_attr_cast;
typedef struct nc_attr_matmul {
	bool transpose_a, transpose_b;
	bool wide; /* of bf16: the sums as they are, f32 */
} nc_attr_matmul;
/* sum, max, min, product: axes is a mask of real axes (0 .. rank-1) */
typedef struct nc_attr_reduce {
	unsigned axes;
	bool keep_dims;
} nc_attr_reduce;
/* softmax, log_softmax, argmax, argmin, gather, scatter_add, take_along_axis, concat: axis >= 0 */
typedef struct nc_attr_axis {
	int axis;
} nc_attr_axis;
typedef struct nc_attr_reshape {
	nc_dims shape;
} nc_attr_reshape; /* also broadcast */
typedef struct nc_attr_transpose {
	int order[NACRE_MAX_RANK];
} nc_attr_transpose;
typedef struct nc_attr_slice {
	int64_t start[NACRE_MAX_RANK], stop[NACRE_MAX_RANK], step[NACRE_MAX_RANK];
} nc_attr_slice;
typedef struct nc_attr_pad {
	int64_t before[NACRE_MAX_RANK], after[NACRE_MAX_RANK], between[NACRE_MAX_RANK];
	double value;
} nc_attr_pad;
typedef struct nc_attr_reverse {
	unsigned axes;
} nc_attr_reverse;
typedef struct nc_attr_one_hot {
	int64_t depth;
	nacre_dtype dtype;
} nc_attr_one_hot;
typedef struct nc_attr_arange {
	nacre_dtype dtype;
	int64_t n;
	double start, step;
} nc_attr_arange;
typedef struct nc_attr_cumsum {
	int axis;
	bool exclusive, reverse;
} nc_attr_cumsum;
typedef struct nc_attr_sort {
	int axis;
	bool descending;
} nc_attr_sort;
typedef struct nc_attr_random {
	int kind;
	nacre_dtype dtype;
	nc_dims shape;
	double a, b;
	uint32_t key;
} nc_attr_random;
/* affine: height and width of the result; interpolation and fill as in nacre/augment.h; flip: every
 * map is one of an image to itself, upright or backwards, along each axis */
enum { NC_AFFINE_MOST = 32768, NC_RESIZE_MOST = 1 << 24 };
typedef struct nc_attr_affine {
	int64_t height, width;
	int interpolation, fill;
	double value;
	bool flip;
} nc_attr_affine;
/* resize: the axis gets `size` places; adjoint: by the transpose of the weights that lead from
 * `size` places to those that x has */
typedef struct nc_attr_resize {
	int axis, method;
	int64_t size;
	bool antialias, adjoint;
} nc_attr_resize;
/* convolutions and pools: of the first rank-2 entries, the others are 0; no 0 where 1 is meant.
 * extent: sizes of the result where the inputs do not tell them. */
typedef struct nc_attr_window {
	int64_t size[3], stride[3], dilation[3], before[3], after[3], extent[3];
	int64_t groups;
} nc_attr_window;
/* updates: a, b, c as in nc_update (kernels.h); rule: nacre_update_rule, of update_one and _two */
typedef struct nc_attr_update {
	double a, b, c, decay;
	int rule;
} nc_attr_update;

#endif
