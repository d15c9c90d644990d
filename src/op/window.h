/* SPDX-License-Identifier: MIT
 *
 * window.h - windows that slide over space: the checks and the geometry that convolutions and
 * pools share.
 */
#ifndef NC_OP_WINDOW_H
#define NC_OP_WINDOW_H

#include "nacre/op.h"
#include "op/table.h"

/* Everything as three spatial axes, missing ones in front with size 1.  x is the side that the
 * window slides over, y the other one, whatever the node computes. */
typedef struct nc_window3 {
	int64_t n, x[3], y[3]; /* samples; spatial sizes */
	int64_t cx, cy;	       /* channels of x and y */
	int64_t size[3], stride[3], dilation[3], before[3];
	int64_t groups;
} nc_window3;
nc_window3 nc_window_of(const nacre_node *node);

/* index of a window place in x along axis d for place o of y: may lie outside 0 .. x[d]-1 */
static inline int64_t nc_window_at(const nc_window3 *w, int d, int64_t o, int64_t k)
{
	return o * w->stride[d] + k * w->dilation[d] - w->before[d];
}

/* The window with ones for zeros and unused axes cleared; size from the filter if there is one.
 * false after an error of x's graph: rank, a size that is no size. */
bool nc_window_attr(const char *op, const nacre_node *x, const nacre_node *filter, nacre_window w,
		    nc_attr_window *out);
/* The same window for a gradient. */
nacre_window nc_window_again(const nacre_node *node);
/* sizes of the outcome for spatial sizes `in`; false after an error of y */
bool nc_window_out(nacre_node *y, int spatial, const int64_t *in, int64_t *out);

extern const nc_field nc_fields_window[], nc_fields_window_back[];

#endif
