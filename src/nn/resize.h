/* SPDX-License-Identifier: MIT
 *
 * resize.h - parts that layers of images share.
 */
#ifndef NC_NN_RESIZE_H
#define NC_NN_RESIZE_H

#include "nn/layer.h"

/* up_sampling's sizes for 1 to 3 axes, defaults filled in; false: refused */
bool nc_layer_up_sizes(nacre_layer *l, int axes, const int64_t *size, int64_t out[3]);
nacre_node *nc_repeat(nacre_node *x, int axis, int64_t times);
/* Axis of x at `size` places. */
nacre_node *nc_resize_axis(nacre_node *x, int axis, int64_t size, nacre_interpolation how);

#endif
