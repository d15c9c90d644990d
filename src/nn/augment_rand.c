/* SPDX-License-Identifier: MIT
 *
 * augment_rand.c - rand_augment: a few changes chosen out of eleven, E. D. Cubuk et al. 2020, in
 * the order and with the ranges that Keras gives them.
 *
 * A program has no branches: all changes are computed, and the chosen one is kept.  The three that
 * are maps differ in eight numbers only, so they share one reading of the images; the map is chosen
 * before.
 */
#include <math.h>

#include "nn/augment.h"

enum change {
	SHEAR, TRANSLATION, ROTATION, BRIGHTNESS, DEGENERATION, CONTRAST, SHARPNESS, POSTERIZATION,
	SOLARIZATION, AUTO_CONTRAST, EQUALIZATION, CHANGES
};

typedef struct draws { /* the numbers of each image, drawn once for all rounds */
	nacre_node *map[ROTATION + 1];
	nacre_node *number[CHANGES], *threshold;
} draws;

static void draw(nc_call *c, const nacre_node *x, nc_range f, draws *d)
{
	double h = (double)x->shape[1], w = (double)x->shape[2];
	nacre_node *one = nacre_scalar(c->graph, x->dtype, 1);
	nacre_node *side = nacre_add_number(nc_augment_draw(c, x, 1, 0, 1), -0.5);
	side = nacre_select(nacre_greater(side, nacre_scale(one, 0)), nacre_neg(one), one);
	d->map[SHEAR] = nc_map_shear(nacre_times(nc_augment_draw_range(c, x, 1, f), side),
				     nacre_times(nc_augment_draw_range(c, x, 1, f), side));
	d->map[TRANSLATION] = nc_map_translation(
	    nacre_scale(nc_augment_draw_range(c, x, 1, f), h),
	    nacre_scale(nc_augment_draw_range(c, x, 1, f), w));
	d->map[ROTATION] = nc_map_rotation(nc_augment_draw(c, x, 1, f.low * 360, f.high * 360),
					   x->shape[1], x->shape[2]);
	for (int i = BRIGHTNESS; i <= SHARPNESS; i++) {
		nc_range r = i == CONTRAST ? (nc_range){1 - f.low, 1 + f.high} : f;
		d->number[i] = nc_augment_draw(c, x, 4, fmin(r.low, r.high), fmax(r.low, r.high));
	}
	double bits = fmax(1, floor(8 * f.high)); /* 1 .. bits - 1 */
	nacre_node *u = nacre_floor(nc_augment_draw(c, x, 4, 1, fmax(bits, 1)));
	d->number[POSTERIZATION] = nacre_clip(u, 1, fmax(bits - 1, 1));
	d->number[SOLARIZATION] = nc_augment_draw(c, x, 4, f.low, fmax(f.low, f.high * 255));
	d->threshold = nc_augment_draw(c, x, 4, f.low, fmax(f.low, f.high * 255));
}

static nacre_node *chosen(nacre_node *which, int i)
{
	return which ? nacre_equal(which, nacre_scalar(which->graph, which->dtype, i)) : NULL;
}

/* shear, translation or rotation, or x as it is */
static nacre_node *mapped(const nacre_layer *l, nacre_node *x, nacre_node *which, const draws *d)
{
	static const float same[8] = {1, 0, 0, 0, 1, 0, 0, 0};
	const nacre_rand_augment_options *o = (const nacre_rand_augment_options *)l->options;
	if (!x)
		return NULL;
	nacre_node *map = nacre_constant(x->graph, NACRE_F32, 2, (int64_t[]){1, 8}, same);
	map = nacre_broadcast(nacre_cast(map, x->dtype), 2, (int64_t[]){x->shape[0], 8});
	for (int i = SHEAR; i <= ROTATION; i++)
		map = nacre_select(chosen(which, i), d->map[i], map);
	return nacre_affine_transform(x, map,
				      (nacre_affine_options){.fill_mode = NACRE_FILL_REFLECT,
							     .interpolation = o->interpolation});
}

static nacre_node *change(nc_call *c, const nacre_layer *l, nacre_node *x, int i, const draws *d,
			  nc_range range)
{
	nacre_node *f = d->number[i];
	switch (i) {
	case BRIGHTNESS:
		return nc_augment_brightness(x, f, range);
	case DEGENERATION:
		return nc_augment_degenerate(c, l, x, f, range);
	case CONTRAST:
		return nc_augment_contrast(x, f, range);
	case SHARPNESS:
		return nc_augment_sharpen(x, f, range);
	case POSTERIZATION:
		return nc_augment_posterize(x, f, range);
	case SOLARIZATION:
		return nc_augment_solarize(x, f, d->threshold, range);
	case AUTO_CONTRAST:
		return nc_augment_auto_contrast(x, range);
	default:
		return nc_augment_equalize(x, 256, range);
	}
}

static nacre_node *rand_augment_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_rand_augment_options *o = (const nacre_rand_augment_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	draws d = {{NULL}, {NULL}, NULL};
	nc_range range = nc_layer_range(l, "value_range");
	draw(c, x[0], nc_layer_range(l, "factor"), &d);
	nacre_node *y = x[0];
	for (int64_t round = 0; round < o->num_ops && y; round++) {
		nacre_node *u =
		    nacre_random(c->graph, NACRE_UNIFORM, y->dtype, 0, NULL, 0, CHANGES);
		nacre_node *which = nacre_clip(nacre_floor(u), 0, CHANGES - 1);
		nacre_node *from = y;
		y = mapped(l, from, which, &d);
		for (int i = BRIGHTNESS; i < CHANGES; i++)
			y = nacre_select(chosen(which, i), change(c, l, from, i, &d, range), y);
	}
	return y;
}

static const nc_option rand_augment_options[] = {
    NC_VALUE_RANGE(nacre_rand_augment_options),
    NC_OPT_NUMBER(I64, nacre_rand_augment_options, num_ops, 2, 1, 16),
    NC_OPT_RANGE(nacre_rand_augment_options, factor, factor_high, 0, 1, "0.5"),
    NC_OPT_CHOICE_OR(nacre_rand_augment_options, interpolation, NACRE_BILINEAR, "nearest|bilinear"),
    NC_OPT_END,
};
const nc_layer_class nc_class_rand_augment = {
    NC_AUGMENT(rand_augment, "RandAugment", nacre_rand_augment_options, rand_augment_options),
    .check = nc_augment_check,
    .call = rand_augment_call,
};
nacre_layer *nacre_rand_augment_new(nacre_rand_augment_options options)
{
	return nc_layer_new(&nc_class_rand_augment, &options, options.name);
}
