/* SPDX-License-Identifier: MIT
 *
 * augment.h - the parts of augmentation layers: what is done to images x: [n, h, w, c] once the
 * random numbers are drawn.  A parameter that each image has is [n, 1, 1, 1] unless said otherwise;
 * `range` is where the values lie.
 *
 *   augment_map.c    flips, maps, crops             augment_color.c   layers of colours
 *   augment_hsv.c    colours as hue, saturation     augment_filter.c  sharpness, blur, histograms
 *   augment_mix.c    erasing, mixtures              augment_rand.c    rand_augment
 */
#ifndef NC_NN_AUGMENT_H
#define NC_NN_AUGMENT_H

#include "nacre/augment.h"
#include "nn/layer.h"

#define NC_RANGE_OF(type, field, low, high)                                                        \
	NC_OPT_RANGE(type, field, field##_high, low, high, NULL)
#define NC_VALUE_RANGE(type)                                                                       \
	{                                                                                          \
		"value_range", NC_OPTION_RANGE, offsetof(type, value_range), 0, -1e30, 1e30,       \
		    "0,255", NULL, offsetof(type, value_range) + sizeof(double)                    \
	}
/* One input, no weights: what nearly all of them are. */
#define NC_AUGMENT(the_id, the_name, type, table)                                                  \
	.id = NC_LAYER_##the_id, .name = the_name, .snake = #the_id, .options_size = sizeof(type), \
	.options = table, .min_in = 1, .max_in = 1, .types = NC_TYPES_F32

/* A class's check: whether value_range is a range. */
bool nc_augment_check(nacre_layer *l);
/* [n, h, w, c] of floats, or an error */
bool nc_augment_images(nc_call *c, const nacre_layer *l, const nacre_node *x);
/* Uniform numbers low .. high: one for each image, [n]; `rank` 4: [n, 1, 1, 1]. */
nacre_node *nc_augment_draw(nc_call *c, const nacre_node *x, int rank, double low, double high);
nacre_node *nc_augment_draw_range(nc_call *c, const nacre_node *x, int rank, nc_range r);
/* bool [n, 1, 1, 1]: with a probability that is itself drawn from a range */
nacre_node *nc_augment_chance(nc_call *c, const nacre_node *x, nc_range r);
/* from one range of values to another; x itself if they are the same */
nacre_node *nc_augment_rerange(nacre_node *x, nc_range from, nc_range to);
nacre_node *nc_augment_clip(nacre_node *x, nc_range to);

/* -- augment_map.c: transforms [n, 8] from numbers [n] ----------------------------------------- */
nacre_node *nc_augment_flip(nacre_node *x, nacre_node *flips, int mode);
nacre_node *nc_map_rotation(nacre_node *degrees, int64_t height, int64_t width);
nacre_node *nc_map_zoom(nacre_node *height_zoom, nacre_node *width_zoom, int64_t height,
			int64_t width);
nacre_node *nc_map_translation(nacre_node *down, nacre_node *right); /* pixels */
nacre_node *nc_map_shear(nacre_node *x_factor, nacre_node *y_factor);
/* largest window in the middle that has the proportions of height x width, resized to that */
nacre_node *nc_smart_resize(nacre_node *x, int64_t height, int64_t width);

/* -- colours ----------------------------------------------------------------------------------- */
nacre_node *nc_augment_grey(nc_call *c, const nacre_layer *l, nacre_node *x); /* [n, h, w, 1] */
nacre_node *nc_augment_contrast(nacre_node *x, nacre_node *f, nc_range range);
nacre_node *nc_augment_brightness(nacre_node *x, nacre_node *f, nc_range range);
nacre_node *nc_augment_degenerate(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *f,
				  nc_range range);
nacre_node *nc_augment_posterize(nacre_node *x, nacre_node *bits, nc_range range);
nacre_node *nc_augment_solarize(nacre_node *x, nacre_node *addition, nacre_node *threshold,
				nc_range range);
nacre_node *nc_augment_auto_contrast(nacre_node *x, nc_range range);
/* augment_hsv.c */
nacre_node *nc_augment_hue(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *turn,
			   nc_range range);
nacre_node *nc_augment_saturation(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *f,
				  nc_range range);
/* augment_filter.c; sigma: f32 [2], of width and height */
nacre_node *nc_augment_sharpen(nacre_node *x, nacre_node *f, nc_range range);
nacre_node *nc_augment_blur(nacre_node *x, const int64_t size[2], nacre_node *sigma);
nacre_node *nc_augment_equalize(nacre_node *x, int64_t bins, nc_range range);

/* -- augment_mix.c ----------------------------------------------------------------------------- */
/* bool [n, h, w, 1] from corners [n] in pixels */
nacre_node *nc_augment_box(const nacre_node *x, nacre_node *x0, nacre_node *x1, nacre_node *y0,
			   nacre_node *y1);
/* Beta(a, a) numbers [n]; a is a number of rank 0 */
nacre_node *nc_augment_beta(nc_call *c, const nacre_node *x, nacre_node *a);
/* w x + (1 - w) x[order], w: [n], order: i32 [n]; x of any rank */
nacre_node *nc_augment_mix(nacre_node *x, nacre_node *w, nacre_node *order);

#endif
