/* SPDX-License-Identifier: MIT
 *
 * spatial.h - what layers of one, two or three spatial axes share.  A class says their number in
 * its `axes`; inside, channels are last.
 */
#ifndef NC_NN_SPATIAL_H
#define NC_NN_SPATIAL_H

#include "nacre/convolution.h"
#include "nn/layer.h"

/* The lists of options that stand for a window; NULL: all 1. */
typedef struct nc_spatial {
	const int64_t *size, *strides, *dilation;
	const char *size_name;
	int padding;
} nc_spatial;

/* A list of one number or of one for each axis, each 1 to 2^30; else an error of the layer. */
bool nc_layer_sizes(nacre_layer *l, const char *what, int axes, const int64_t *list,
		    int64_t out[3]);
/* For check functions: sizes, and padding, which may be causal if `causal`. */
bool nc_spatial_check(nacre_layer *l, const nc_spatial *s, bool causal);
/* The window over x, whose places are widened as the padding says; of checked options. */
nacre_window nc_spatial_window(const nacre_layer *l, const nc_spatial *s, const nacre_node *x);
/* Whether x has the class's axes and holds f32; else an error. */
bool nc_spatial_input(nc_call *c, const nacre_layer *l, const nacre_node *x, int format);
/* Channels of x: [n, channels, ...] or [n, ..., channels]. */
int64_t nc_channels(const nacre_node *x, int format);
/* To channels last, and back. */
nacre_node *nc_channels_last(nacre_node *x, int format);
nacre_node *nc_channels_back(nacre_node *y, int format);

#define NC_OPT_DATA_FORMAT(type) NC_OPT_CHOICE(type, data_format, "channels_last|channels_first")
#define NC_OPT_PADDING(type) NC_OPT_CHOICE(type, padding, "valid|same|causal")

#endif
