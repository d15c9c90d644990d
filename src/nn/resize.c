/* SPDX-License-Identifier: MIT
 *
 * resize.c - images of another size: resizing, center_crop, up_sampling2d.
 */
#include "nn/resize.h"

#include "nn/augment.h"
#include "nn/spatial.h"

#define BIG 65536

/* The axis of x at `size` places. */
nacre_node *nc_resize_axis(nacre_node *x, int axis, int64_t size, nacre_interpolation how)
{
	return nacre_resize_axis(x, axis, size, how, false);
}

/* The part [top, top + height) x [left, left + width). */
static nacre_node *part(nacre_node *x, int64_t top, int64_t height, int64_t left, int64_t width)
{
	return nacre_slice_axis(nacre_slice_axis(x, 1, top, top + height), 2, left, left + width);
}

/* The largest window in the middle with the proportions of height x width. */
static nacre_node *crop_to_aspect(nacre_node *x, int64_t height, int64_t width)
{
	int64_t h = x->shape[1], w = x->shape[2];
	int64_t tall = (int64_t)((double)w * (double)height / (double)width);
	int64_t wide = (int64_t)((double)h * (double)width / (double)height);
	tall = nc_max(nc_min(h, tall), 1);
	wide = nc_max(nc_min(w, wide), 1);
	return part(x, (h - tall) / 2, tall, (w - wide) / 2, wide);
}

/* Margins on two sides, so that the proportions become nearly those of height x width; as Keras, of
 * one axis alone, and equal. */
static nacre_node *pad_to_aspect(nacre_node *x, int64_t height, int64_t width, double value)
{
	int64_t h = x->shape[1], w = x->shape[2], around[4] = {0};
	int64_t tall = (int64_t)((double)w * (double)height / (double)width);
	int64_t wide = (int64_t)((double)h * (double)width / (double)height);
	around[1] = nc_max(tall - h, 0) / 2;
	around[2] = around[1] ? 0 : nc_max(wide - w, 0) / 2;
	return around[1] || around[2] ? nacre_pad(x, around, around, NULL, value) : x;
}

nacre_node *nc_smart_resize(nacre_node *x, int64_t height, int64_t width)
{
	return nacre_resize_image(crop_to_aspect(x, height, width), height, width, NACRE_BILINEAR,
				  false);
}

static const char image[] = "[None, height, width, channels]";

/* -- resizing, center_crop --------------------------------------------------------------------- */
static nacre_node *resizing_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_resizing_options *o = (const nacre_resizing_options *)l->options;
	if (!nc_layer_rank(c, l, x[0], 4, image) || !nc_layer_floats(c, l, x[0]))
		return NULL;
	nacre_node *y = x[0];
	if (o->crop_to_aspect_ratio)
		y = crop_to_aspect(y, o->height, o->width);
	else if (o->pad_to_aspect_ratio)
		y = pad_to_aspect(y, o->height, o->width, o->fill_value);
	return nacre_resize_image(y, o->height, o->width, (nacre_interpolation)o->interpolation,
				  o->antialias);
}

static bool resizing_check(nacre_layer *l)
{
	const nacre_resizing_options *o = (const nacre_resizing_options *)l->options;
	return !o->crop_to_aspect_ratio || !o->pad_to_aspect_ratio ||
	       nc_layer_refuse(l, "crop_to_aspect_ratio and pad_to_aspect_ratio exclude "
				  "each other");
}

static const nc_option resizing_options[] = {
    NC_OPT_NUMBER(I64, nacre_resizing_options, height, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_resizing_options, width, 0, 1, BIG),
    NC_OPT_CHOICE_OR(nacre_resizing_options, interpolation, NACRE_BILINEAR,
		     "nearest|bilinear|bicubic|area|lanczos3|lanczos5"),
    NC_OPT_BOOL(nacre_resizing_options, crop_to_aspect_ratio),
    NC_OPT_BOOL(nacre_resizing_options, pad_to_aspect_ratio),
    NC_OPT_NUMBER(F64, nacre_resizing_options, fill_value, 0, -1e30, 1e30),
    NC_OPT_BOOL(nacre_resizing_options, antialias),
    NC_OPT_END,
};
const nc_layer_class nc_class_resizing = {
    .id = NC_LAYER_resizing,
    .types = NC_TYPES_WIDE,
    .name = "Resizing",
    .snake = "resizing",
    .options_size = sizeof(nacre_resizing_options),
    .options = resizing_options,
    .min_in = 1,
    .max_in = 1,
    .check = resizing_check,
    .call = resizing_call,
};

nacre_layer *nacre_resizing_new(nacre_resizing_options options)
{
	return nc_layer_new(&nc_class_resizing, &options, options.name);
}

static nacre_node *center_crop_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_center_crop_options *o = (const nacre_center_crop_options *)l->options;
	if (!nc_layer_rank(c, l, x[0], 4, image))
		return NULL;
	int64_t height = x[0]->shape[1], width = x[0]->shape[2];
	if (height < o->height || width < o->width)
		return nc_layer_floats(c, l, x[0]) ? nc_smart_resize(x[0], o->height, o->width)
						   : NULL;
	return part(x[0], (height - o->height) / 2, o->height, (width - o->width) / 2, o->width);
}

static const nc_option center_crop_options[] = {
    NC_OPT_NUMBER(I64, nacre_center_crop_options, height, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_center_crop_options, width, 0, 1, BIG),
    NC_OPT_END,
};
const nc_layer_class nc_class_center_crop = {
    .id = NC_LAYER_center_crop,
    .types = NC_TYPES_WIDE,
    .name = "CenterCrop",
    .snake = "center_crop",
    .options_size = sizeof(nacre_center_crop_options),
    .options = center_crop_options,
    .min_in = 1,
    .max_in = 1,
    .call = center_crop_call,
};

nacre_layer *nacre_center_crop_new(nacre_center_crop_options options)
{
	return nc_layer_new(&nc_class_center_crop, &options, options.name);
}

/* -- up_sampling2d ----------------------------------------------------------------------------- */
static bool up_sampling2d_check(nacre_layer *l)
{
	int64_t size[3];
	return nc_layer_up_sizes(l, 2, ((const nacre_up_sampling2d_options *)l->options)->size,
				 size);
}

static nacre_node *up_sampling2d_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_up_sampling2d_options *o = (const nacre_up_sampling2d_options *)l->options;
	int64_t size[3], height, width;
	if (!nc_layer_rank(c, l, x[0], 4, image) || !nc_layer_up_sizes(l, 2, o->size, size))
		return NULL;
	int first = o->data_format == NACRE_CHANNELS_FIRST ? 2 : 1;
	if (o->interpolation == NACRE_NEAREST && x[0]->dtype != NACRE_F32)
		return nc_repeat(nc_repeat(x[0], first, size[0]), first + 1, size[1]);
	if (!nc_layer_floats(c, l, x[0]))
		return NULL;
	if (!nc_mul_i64(x[0]->shape[first], size[0], &height) ||
	    !nc_mul_i64(x[0]->shape[first + 1], size[1], &width)) {
		nc_layer_fail(c, l, "the image would be too large");
		return NULL;
	}
	nacre_interpolation how = (nacre_interpolation)o->interpolation;
	nacre_node *last = nc_channels_last(x[0], o->data_format);
	nacre_node *y = nacre_resize_image(last, height, width, how, false);
	return nc_channels_back(y, o->data_format);
}

static const nc_option up_sampling2d_options[] = {
    NC_OPT_SIZES_OR(nacre_up_sampling2d_options, size, 2),
    NC_OPT_CHOICE_OR(nacre_up_sampling2d_options, interpolation, NACRE_NEAREST,
		     "nearest|bilinear|bicubic|area|lanczos3|lanczos5"),
    NC_OPT_DATA_FORMAT(nacre_up_sampling2d_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_up_sampling2d = {
    .id = NC_LAYER_up_sampling2d,
    .types = NC_TYPES_WIDE,
    .name = "UpSampling2D",
    .snake = "up_sampling2d",
    .options_size = sizeof(nacre_up_sampling2d_options),
    .options = up_sampling2d_options,
    .min_in = 1,
    .max_in = 1,
    .check = up_sampling2d_check,
    .call = up_sampling2d_call,
};

nacre_layer *nacre_up_sampling2d_new(nacre_up_sampling2d_options options)
{
	return nc_layer_new(&nc_class_up_sampling2d, &options, options.name);
}
