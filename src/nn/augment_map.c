/* SPDX-License-Identifier: MIT
 *
 * augment_map.c - layers that change places: random_flip, random_rotation, random_translation,
 * random_zoom, random_shear, random_crop.  And what all augmentation layers share.
 */
#include "nn/augment.h"

#include "nn/resize.h"
#include "op/attr.h"
#include "op/table.h"

#define BIG 65536
#define NC_FILL_OPTIONS(type)                                                                      \
	NC_OPT_CHOICE_OR(type, fill_mode, NACRE_FILL_REFLECT, "reflect|wrap|constant|nearest"),    \
	    NC_OPT_CHOICE_OR(type, interpolation, NACRE_BILINEAR, "nearest|bilinear"),             \
	    NC_OPT_NUMBER(F64, type, fill_value, 0, -1e30, 1e30)

/* -- what all share ---------------------------------------------------------------------------- */
bool nc_augment_check(nacre_layer *l)
{
	nc_range r = nc_layer_range(l, "value_range");
	return r.low < r.high ||
	       nc_layer_refuse(l, "value_range: expected two numbers that differ, got %g and %g",
			       r.low, r.high);
}

bool nc_augment_images(nc_call *c, const nacre_layer *l, const nacre_node *x)
{
	return nc_layer_rank(c, l, x, 4, "[None, height, width, channels]") &&
	       nc_layer_floats(c, l, x);
}

nacre_node *nc_augment_draw(nc_call *c, const nacre_node *x, int rank, double low, double high)
{
	int64_t shape[4] = {x->shape[0], 1, 1, 1};
	return nacre_random(c->graph, NACRE_UNIFORM, x->dtype, rank, shape, low, high);
}

nacre_node *nc_augment_draw_range(nc_call *c, const nacre_node *x, int rank, nc_range r)
{
	return nc_augment_draw(c, x, rank, r.low, r.high);
}

nacre_node *nc_augment_chance(nc_call *c, const nacre_node *x, nc_range r)
{
	nacre_node *probability = nc_augment_draw_range(c, x, 4, r);
	return nacre_less(nc_augment_draw(c, x, 4, 0, 1), probability);
}

nacre_node *nc_augment_rerange(nacre_node *x, nc_range from, nc_range to)
{
	if (from.low == to.low && from.high == to.high)
		return x;
	x = nacre_scale(nacre_add_number(x, -from.low), 1 / (from.high - from.low));
	return nacre_add_number(nacre_scale(x, to.high - to.low), to.low);
}

nacre_node *nc_augment_clip(nacre_node *x, nc_range to)
{
	return nacre_clip(x, to.low, to.high);
}

/* -- maps -------------------------------------------------------------------------------------- */
/* Columns [n] of a transform; NULL: the number of `rest` for each image. */
static nacre_node *map_of(nacre_node *const part[8], const double rest[8])
{
	nacre_node *column[8], *like = NULL;
	for (int i = 0; i < 8 && !like; i++)
		like = part[i];
	for (int i = 0; i < 8 && like; i++)
		column[i] = part[i] ? part[i]
				    : nacre_fill(like->graph, like->dtype, 1, like->shape, rest[i]);
	return like ? nacre_stack(8, column, 1) : NULL;
}

static const double identity[8] = {1, 0, 0, 0, 1, 0, 0, 0};

/* the constant of a row of the map that keeps the middle: m - m_x a - m_y b */
static nacre_node *centre(nacre_node *a, nacre_node *b, double mx, double my, double m)
{
	return nacre_add_number(
	    nacre_neg(nacre_plus(nacre_scale(a, mx), nacre_scale(b, my))), m);
}

nacre_node *nc_map_rotation(nacre_node *degrees, int64_t height, int64_t width)
{
	double mx = 0.5 * (double)(width - 1), my = 0.5 * (double)(height - 1);
	nacre_node *angle = nacre_scale(degrees, 3.14159265358979323846 / 180);
	nacre_node *c = nacre_cos(angle), *s = nacre_sin(angle), *m = nacre_neg(s);
	nacre_node *part[8] = {c, m, centre(c, m, mx, my, mx), s, c, centre(s, c, mx, my, my)};
	return map_of(part, identity);
}

nacre_node *nc_map_zoom(nacre_node *height_zoom, nacre_node *width_zoom, int64_t height,
			int64_t width)
{
	double mx = 0.5 * (double)(width - 1), my = 0.5 * (double)(height - 1);
	nacre_node *x = nacre_add_number(nacre_scale(width_zoom, -mx), mx);
	nacre_node *y = nacre_add_number(nacre_scale(height_zoom, -my), my);
	nacre_node *part[8] = {width_zoom, NULL, x, NULL, height_zoom, y};
	return map_of(part, identity);
}

nacre_node *nc_map_translation(nacre_node *down, nacre_node *right)
{
	nacre_node *part[8] = {NULL, NULL, nacre_neg(right), NULL, NULL, nacre_neg(down)};
	return map_of(part, identity);
}

nacre_node *nc_map_shear(nacre_node *x_factor, nacre_node *y_factor)
{
	nacre_node *part[8] = {NULL, x_factor, NULL, y_factor};
	return map_of(part, identity);
}

/* Images that were flipped and are mapped next need not be written in between: the map of the flip,
 * s x + o along each axis, goes behind the other one, which is not projective.  (Where that takes
 * the nearest place, halves would be rounded to the other side.) */
static nacre_node *with_flip(const nacre_node *flip, nacre_node *map)
{
	static const int32_t from_scale[8] = {0, 0, 0, 4, 4, 4, 6, 6};
	static const int32_t from_shift[8] = {6, 6, 2, 6, 6, 5, 6, 6};
	const int64_t eight[1] = {8};
	nacre_node *scale = nacre_constant(flip->graph, NACRE_I32, 1, eight, from_scale);
	nacre_node *shift = nacre_constant(flip->graph, NACRE_I32, 1, eight, from_shift);
	nacre_node *s = nacre_gather(flip->in[1], scale, 1);
	nacre_node *o = nacre_gather(flip->in[1], shift, 1);
	return nacre_plus(nacre_times(map, s), o);
}

static nacre_node *mapped(nacre_node *x, nacre_node *map, int fill_mode, int interpolation,
			  double fill_value)
{
	bool flipped = x && map && x->op == &nc_op_affine &&
		       ((const nc_attr_affine *)x->attr)->flip && interpolation != NACRE_NEAREST;
	if (flipped) {
		map = with_flip(x, map);
		x = x->in[0];
	}
	return nacre_affine_transform(x, map,
				      (nacre_affine_options){.fill_mode = fill_mode,
							     .interpolation = interpolation,
							     .fill_value = fill_value});
}

/* -- random_flip ------------------------------------------------------------------------------- */
/* a and b of the coordinate a i + b: i, or backwards where `flips`, [n] of 0 and 1, has a 1 */
static void backwards(nacre_node *flips, int64_t size, nacre_node **a, nacre_node **b)
{
	*a = nacre_add_number(nacre_scale(flips, -2), 1);
	*b = nacre_scale(flips, (double)(size - 1));
}

static bool can_be_mapped(int64_t size)
{
	return size > 0 && size <= NC_AFFINE_MOST;
}

/* A map to the nearest place, which is exact: one pass over the images. */
nacre_node *nc_augment_flip(nacre_node *x, nacre_node *flips, int mode)
{
	nacre_node *part[8] = {NULL};
	if (!x || !flips)
		return NULL;
	if (!can_be_mapped(x->shape[1]) || !can_be_mapped(x->shape[2])) {
		unsigned axes = (mode == NACRE_FLIP_VERTICAL ? 0 : NACRE_AXIS(2)) |
				(mode == NACRE_FLIP_HORIZONTAL ? 0 : NACRE_AXIS(1));
		return nacre_select(flips, nacre_reverse(x, axes), x);
	}
	nacre_node *one = nacre_cast(nacre_reshape(flips, 1, x->shape), x->dtype);
	if (mode != NACRE_FLIP_VERTICAL)
		backwards(one, x->shape[2], &part[0], &part[2]);
	if (mode != NACRE_FLIP_HORIZONTAL)
		backwards(one, x->shape[1], &part[4], &part[5]);
	x = nacre_affine_transform(x, map_of(part, identity),
				   (nacre_affine_options){.fill_mode = NACRE_FILL_NEAREST,
							  .interpolation = NACRE_NEAREST});
	if (x)
		((nc_attr_affine *)x->attr)->flip = true;
	return x;
}

static nacre_node *random_flip_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	int mode = ((const nacre_random_flip_options *)l->options)->mode;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nacre_node *u = nc_augment_draw(c, x[0], 4, 0, 1);
	nacre_node *half = nacre_scalar(c->graph, x[0]->dtype, 0.5);
	return nc_augment_flip(x[0], nacre_less_equal(u, half), mode);
}

static const nc_option random_flip_options[] = {
    NC_OPT_CHOICE(nacre_random_flip_options, mode, "horizontal_and_vertical|horizontal|vertical"),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_flip = {
    NC_AUGMENT(random_flip, "RandomFlip", nacre_random_flip_options, random_flip_options),
    .call = random_flip_call,
};
nacre_layer *nacre_random_flip_new(nacre_random_flip_options options)
{
	return nc_layer_new(&nc_class_random_flip, &options, options.name);
}

/* -- random_rotation --------------------------------------------------------------------------- */
static nacre_node *random_rotation_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_random_rotation_options *o = (const nacre_random_rotation_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nc_range r = nc_layer_range(l, "factor");
	nacre_node *degrees = nc_augment_draw(c, x[0], 1, r.low * 360, r.high * 360);
	return mapped(x[0], nc_map_rotation(degrees, x[0]->shape[1], x[0]->shape[2]), o->fill_mode,
		      o->interpolation, o->fill_value);
}

static const nc_option random_rotation_options[] = {
    NC_RANGE_OF(nacre_random_rotation_options, factor, -1, 1),
    NC_FILL_OPTIONS(nacre_random_rotation_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_rotation = {
    NC_AUGMENT(random_rotation, "RandomRotation", nacre_random_rotation_options,
	       random_rotation_options),
    .call = random_rotation_call,
};
nacre_layer *nacre_random_rotation_new(nacre_random_rotation_options options)
{
	return nc_layer_new(&nc_class_random_rotation, &options, options.name);
}

/* -- random_translation ------------------------------------------------------------------------ */
static nacre_node *random_translation_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_random_translation_options *o =
	    (const nacre_random_translation_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nacre_node *down = nc_augment_draw_range(c, x[0], 1, nc_layer_range(l, "height_factor"));
	nacre_node *right = nc_augment_draw_range(c, x[0], 1, nc_layer_range(l, "width_factor"));
	nacre_node *map = nc_map_translation(nacre_scale(down, (double)x[0]->shape[1]),
					     nacre_scale(right, (double)x[0]->shape[2]));
	return mapped(x[0], map, o->fill_mode, o->interpolation, o->fill_value);
}

static const nc_option random_translation_options[] = {
    NC_RANGE_OF(nacre_random_translation_options, height_factor, -1, 1),
    NC_RANGE_OF(nacre_random_translation_options, width_factor, -1, 1),
    NC_FILL_OPTIONS(nacre_random_translation_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_translation = {
    NC_AUGMENT(random_translation, "RandomTranslation", nacre_random_translation_options,
	       random_translation_options),
    .call = random_translation_call,
};
nacre_layer *nacre_random_translation_new(nacre_random_translation_options options)
{
	return nc_layer_new(&nc_class_random_translation, &options, options.name);
}

/* -- random_zoom ------------------------------------------------------------------------------- */
static bool random_zoom_check(nacre_layer *l)
{
	nc_range h = nc_layer_range(l, "height_factor"), w = nc_layer_range(l, "width_factor");
	return (h.low > -1 && w.low > -1) ||
	       nc_layer_refuse(l, "%s: expected more than -1: nothing would be left",
			       h.low > -1 ? "width_factor" : "height_factor");
}

static nacre_node *random_zoom_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_random_zoom_options *o = (const nacre_random_zoom_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nc_range h = nc_layer_range(l, "height_factor"), w = nc_layer_range(l, "width_factor");
	bool both = o->width_factor == 0 && o->width_factor_high == 0;
	nacre_node *tall = nc_augment_draw(c, x[0], 1, 1 + h.low, 1 + h.high);
	nacre_node *wide = both ? tall : nc_augment_draw(c, x[0], 1, 1 + w.low, 1 + w.high);
	return mapped(x[0], nc_map_zoom(tall, wide, x[0]->shape[1], x[0]->shape[2]), o->fill_mode,
		      o->interpolation, o->fill_value);
}

static const nc_option random_zoom_options[] = {
    NC_RANGE_OF(nacre_random_zoom_options, height_factor, -1, 1),
    NC_OPT_RANGE(nacre_random_zoom_options, width_factor, width_factor_high, -1, 1, "null"),
    NC_FILL_OPTIONS(nacre_random_zoom_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_zoom = {
    NC_AUGMENT(random_zoom, "RandomZoom", nacre_random_zoom_options, random_zoom_options),
    .check = random_zoom_check,
    .call = random_zoom_call,
};
nacre_layer *nacre_random_zoom_new(nacre_random_zoom_options options)
{
	return nc_layer_new(&nc_class_random_zoom, &options, options.name);
}

/* -- random_shear ------------------------------------------------------------------------------ */
static nacre_node *random_shear_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_random_shear_options *o = (const nacre_random_shear_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nacre_node *side = nacre_add_number(nc_augment_draw(c, x[0], 1, 0, 1), -0.5);
	nacre_node *one = nacre_scalar(c->graph, x[0]->dtype, 1);
	side = nacre_select(nacre_greater(side, nacre_scale(one, 0)), nacre_neg(one), one);
	nacre_node *across = nc_augment_draw_range(c, x[0], 1, nc_layer_range(l, "x_factor"));
	nacre_node *down = nc_augment_draw_range(c, x[0], 1, nc_layer_range(l, "y_factor"));
	nacre_node *map = nc_map_shear(nacre_times(across, side), nacre_times(down, side));
	return mapped(x[0], map, o->fill_mode, o->interpolation, o->fill_value);
}

static const nc_option random_shear_options[] = {
    NC_RANGE_OF(nacre_random_shear_options, x_factor, -1, 1),
    NC_RANGE_OF(nacre_random_shear_options, y_factor, -1, 1),
    NC_FILL_OPTIONS(nacre_random_shear_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_shear = {
    NC_AUGMENT(random_shear, "RandomShear", nacre_random_shear_options, random_shear_options),
    .call = random_shear_call,
};
nacre_layer *nacre_random_shear_new(nacre_random_shear_options options)
{
	return nc_layer_new(&nc_class_random_shear, &options, options.name);
}

/* -- random_crop ------------------------------------------------------------------------------- */
/* size places of an axis from a random one on */
static nacre_node *window(nc_call *c, nacre_node *x, int axis, int64_t size)
{
	if (!x)
		return NULL;
	double most = (double)(x->shape[axis] - size);
	nacre_node *u = nacre_random(c->graph, NACRE_UNIFORM, NACRE_F32, 0, NULL, 0, most + 1);
	nacre_node *start = nacre_cast(nacre_clip(u, 0, most), NACRE_I32);
	nacre_node *places = nacre_arange(c->graph, NACRE_I32, size, 0, 1);
	return nacre_gather(x, nacre_plus(places, start), axis);
}

static nacre_node *random_crop_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_random_crop_options *o = (const nacre_random_crop_options *)l->options;
	if (!nc_augment_images(c, l, x[0]))
		return NULL;
	if (!c->training || x[0]->shape[1] < o->height || x[0]->shape[2] < o->width)
		return nc_smart_resize(x[0], o->height, o->width);
	return window(c, window(c, x[0], 1, o->height), 2, o->width);
}

static const nc_option random_crop_options[] = {
    NC_OPT_NUMBER(I64, nacre_random_crop_options, height, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_random_crop_options, width, 0, 1, BIG),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_crop = {
    NC_AUGMENT(random_crop, "RandomCrop", nacre_random_crop_options, random_crop_options),
    .call = random_crop_call,
};
nacre_layer *nacre_random_crop_new(nacre_random_crop_options options)
{
	return nc_layer_new(&nc_class_random_crop, &options, options.name);
}
