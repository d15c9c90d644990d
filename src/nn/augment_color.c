/* SPDX-License-Identifier: MIT
 *
 * augment_color.c - layers of colours, image by image: brightness, contrast, saturation, hue, all
 * four, degeneration, grey, posterization, inversion, solarization, automatic contrast.
 */
#include <math.h>

#include "nn/augment.h"

/* -- what is done ------------------------------------------------------------------------------ */
nacre_node *nc_augment_grey(nc_call *c, const nacre_layer *l, nacre_node *x)
{
	static const float weight[3] = {0.2989f, 0.5870f, 0.1140f};
	if (!x || x->shape[3] == 1)
		return x;
	if (x->shape[3] != 3) {
		nc_layer_fail(c, l, "expected 3 channels or 1, got %lld", (long long)x->shape[3]);
		return NULL;
	}
	nacre_node *w = nacre_constant(x->graph, NACRE_F32, 1, (int64_t[]){3}, weight);
	return nacre_sum(nacre_times(x, nacre_cast(w, x->dtype)), NACRE_AXIS(3), true);
}

nacre_node *nc_augment_contrast(nacre_node *x, nacre_node *f, nc_range range)
{
	nacre_node *mean = nacre_mean(x, NACRE_AXIS(1) | NACRE_AXIS(2), true);
	nacre_node *y = nacre_plus(nacre_times(nacre_minus(x, mean), f), mean);
	return nc_augment_clip(y, range);
}

nacre_node *nc_augment_brightness(nacre_node *x, nacre_node *f, nc_range range)
{
	return nc_augment_clip(nacre_plus(x, nacre_scale(f, range.high - range.low)), range);
}

nacre_node *nc_augment_degenerate(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *f,
				  nc_range range)
{
	nacre_node *grey = nc_augment_grey(c, l, x);
	nacre_node *y = nacre_plus(x, nacre_times(f, nacre_minus(grey, x)));
	return nc_augment_clip(y, range);
}

static const nc_range bytes = {0, 255};

nacre_node *nc_augment_posterize(nacre_node *x, nacre_node *bits, nc_range range)
{
	/* steps of 2^(8 - bits), out of a small table: exact */
	static const float table[9] = {256, 128, 64, 32, 16, 8, 4, 2, 1};
	if (!x || !bits)
		return NULL;
	nacre_node *powers = nacre_constant(x->graph, NACRE_F32, 1, (int64_t[]){9}, table);
	nacre_node *step =
	    nacre_cast(nacre_gather(powers, nacre_cast(bits, NACRE_I32), 0), x->dtype);
	nacre_node *y = nacre_trunc(nc_augment_rerange(x, range, bytes));
	y = nacre_times(nacre_floor(nacre_divide(y, step)), step);
	return nc_augment_rerange(y, bytes, range);
}

nacre_node *nc_augment_solarize(nacre_node *x, nacre_node *addition, nacre_node *threshold,
				nc_range range)
{
	nacre_node *y = nacre_plus(nc_augment_rerange(x, range, bytes), addition);
	y = nc_augment_clip(y, bytes);
	nacre_node *turned = nacre_add_number(nacre_neg(y), 255);
	y = nacre_select(nacre_less(y, threshold), y, turned);
	return nc_augment_rerange(y, bytes, range);
}

/* An image of one value stays: Keras finds it by the NaN that 255 / 0 makes. */
nacre_node *nc_augment_auto_contrast(nacre_node *x, nc_range range)
{
	const unsigned places = NACRE_AXIS(1) | NACRE_AXIS(2);
	nacre_node *y = nc_augment_rerange(x, range, bytes);
	nacre_node *low = nacre_min(y, places, true), *high = nacre_max(y, places, true);
	nacre_node *wide = nacre_minus(high, low);
	nacre_node *scale = nacre_scale(nacre_reciprocal(wide), 255);
	y = nacre_plus(nacre_times(y, scale), nacre_neg(nacre_times(low, scale)));
	y = nc_augment_rerange(nc_augment_clip(y, bytes), bytes, range);
	return nacre_select(nacre_equal(high, low), x, y);
}

/* -- layers with a factor and a range of values ------------------------------------------------ */
typedef nacre_node *colour_fn(nc_call *c, nacre_layer *l, nacre_node *x, nc_range factor,
			      nc_range range);

static nacre_node *coloured(nc_call *c, nacre_layer *l, nacre_node *x, colour_fn *fn)
{
	if (!nc_augment_images(c, l, x) || !c->training)
		return c->error->status ? NULL : x;
	return fn(c, l, x, nc_layer_range(l, "factor"), nc_layer_range(l, "value_range"));
}

static nacre_node *brightness(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	(void)l;
	return nc_augment_brightness(x, nc_augment_draw_range(c, x, 4, f), range);
}

static nacre_node *contrast(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	(void)l;
	double low = 1 - f.low, high = 1 + f.high;
	nacre_node *factor = nc_augment_draw(c, x, 4, low < high ? low : high,
					     low < high ? high : low);
	return nc_augment_contrast(x, factor, range);
}

static nacre_node *saturation(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	nacre_node *u = nc_augment_draw_range(c, x, 4, f);
	nacre_node *rest = nacre_add_number(nacre_neg(u), 1 + 1e-7);
	return nc_augment_saturation(c, l, x, nacre_divide(u, rest), range);
}

static nacre_node *hue(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	nacre_node *side = nacre_add_number(nc_augment_draw(c, x, 4, 0, 1), -0.5);
	nacre_node *turn = nacre_scale(nc_augment_draw_range(c, x, 4, f), 0.5);
	nacre_node *zero = nacre_scalar(c->graph, x->dtype, 0);
	turn = nacre_select(nacre_greater(side, zero), nacre_neg(turn), turn);
	return nc_augment_hue(c, l, x, turn, range);
}

static nacre_node *degeneration(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f,
				nc_range range)
{
	return nc_augment_degenerate(c, l, x, nc_augment_draw_range(c, x, 4, f), range);
}

static nacre_node *sharpness(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	(void)l;
	return nc_augment_sharpen(x, nc_augment_draw_range(c, x, 4, f), range);
}

/* whole numbers low .. high - 1; low if there is no other */
static nacre_node *posterization(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f,
				 nc_range range)
{
	(void)l;
	double low = fmax(floor(f.low), 1), high = fmax(floor(f.high), low);
	nacre_node *u = nc_augment_draw(c, x, 4, low, high);
	nacre_node *bits = nacre_clip(nacre_floor(u), low, high > low ? high - 1 : low);
	return nc_augment_posterize(x, bits, range);
}

static nacre_node *inversion(nc_call *c, nacre_layer *l, nacre_node *x, nc_range f, nc_range range)
{
	(void)l;
	nacre_node *turned = nacre_add_number(nacre_neg(x), range.high);
	return nacre_select(nc_augment_chance(c, x, f), turned, x);
}

#define TABLE(standard, low, high)                                                                 \
	NC_OPT_RANGE(nacre_random_color_options, factor, factor_high, low, high, standard),        \
	    NC_VALUE_RANGE(nacre_random_color_options), NC_OPT_END
static const nc_option signed_options[] = {TABLE(NULL, -1, 1)};
static const nc_option part_options[] = {TABLE(NULL, 0, 1)};
static const nc_option chance_options[] = {TABLE("1", 0, 1)};
static const nc_option bits_options[] = {TABLE(NULL, 1, 8)};

#define CALL(fn)                                                                                   \
	static nacre_node *fn##_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)      \
	{                                                                                          \
		(void)n;                                                                           \
		return coloured(c, l, x[0], fn);                                                   \
	}
#define ROW(the_id, the_name, fn, table)                                                           \
	CALL(fn)                                                                                   \
	const nc_layer_class nc_class_##the_id = {                                                 \
	    NC_AUGMENT(the_id, the_name, nacre_random_color_options, table),                       \
	    .check = nc_augment_check,                                                            \
	    .call = fn##_call,                                                                     \
	};
ROW(random_brightness, "RandomBrightness", brightness, signed_options)
ROW(random_contrast, "RandomContrast", contrast, part_options)
ROW(random_saturation, "RandomSaturation", saturation, signed_options)
ROW(random_hue, "RandomHue", hue, part_options)
ROW(random_color_degeneration, "RandomColorDegeneration", degeneration, signed_options)
ROW(random_sharpness, "RandomSharpness", sharpness, part_options)
ROW(random_posterization, "RandomPosterization", posterization, bits_options)
ROW(random_invert, "RandomInvert", inversion, chance_options)

nacre_layer *nacre_random_brightness_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_brightness, &options, options.name);
}

nacre_layer *nacre_random_contrast_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_contrast, &options, options.name);
}

nacre_layer *nacre_random_saturation_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_saturation, &options, options.name);
}

nacre_layer *nacre_random_hue_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_hue, &options, options.name);
}

nacre_layer *nacre_random_color_degeneration_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_color_degeneration, &options, options.name);
}

nacre_layer *nacre_random_sharpness_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_sharpness, &options, options.name);
}

nacre_layer *nacre_random_posterization_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_posterization, &options, options.name);
}

nacre_layer *nacre_random_invert_new(nacre_random_color_options options)
{
	return nc_layer_new(&nc_class_random_invert, &options, options.name);
}

/* -- random_color_jitter ----------------------------------------------------------------------- */
static nacre_node *random_color_jitter_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	static const struct {
		const char *factor;
		colour_fn *fn;
	} part[] = {{"brightness_factor", brightness},
		    {"contrast_factor", contrast},
		    {"saturation_factor", saturation},
		    {"hue_factor", hue}};
	(void)n;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nc_range range = nc_layer_range(l, "value_range");
	nacre_node *y = x[0];
	for (int i = 0; i < 4 && y; i++) {
		nc_range f = nc_layer_range(l, part[i].factor);
		if (f.low != 0 || f.high != 0)
			y = part[i].fn(c, l, y, f, range);
	}
	return y;
}

#define JITTER(field, low)                                                                         \
	NC_OPT_RANGE(nacre_random_color_jitter_options, field, field##_high, low, 1, "null")
static const nc_option random_color_jitter_options[] = {
    NC_VALUE_RANGE(nacre_random_color_jitter_options),
    JITTER(brightness_factor, -1),
    JITTER(contrast_factor, 0),
    JITTER(saturation_factor, -1),
    JITTER(hue_factor, 0),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_color_jitter = {
    NC_AUGMENT(random_color_jitter, "RandomColorJitter", nacre_random_color_jitter_options,
	       random_color_jitter_options),
    .check = nc_augment_check,
    .call = random_color_jitter_call,
};
nacre_layer *nacre_random_color_jitter_new(nacre_random_color_jitter_options options)
{
	return nc_layer_new(&nc_class_random_color_jitter, &options, options.name);
}

/* -- random_grayscale -------------------------------------------------------------------------- */
static nacre_node *random_grayscale_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	double factor = ((const nacre_random_grayscale_options *)l->options)->factor;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nacre_node *grey = nc_augment_grey(c, l, x[0]), *u = nc_augment_draw(c, x[0], 4, 0, 1);
	nacre_node *limit = nacre_scalar(c->graph, x[0]->dtype, factor);
	return nacre_select(nacre_less(u, limit), grey, x[0]);
}

static const nc_option random_grayscale_options[] = {
    NC_OPT_NUMBER(F64, nacre_random_grayscale_options, factor, 0.5, 0, 1),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_grayscale = {
    NC_AUGMENT(random_grayscale, "RandomGrayscale", nacre_random_grayscale_options,
	       random_grayscale_options),
    .call = random_grayscale_call,
};
nacre_layer *nacre_random_grayscale_new(nacre_random_grayscale_options options)
{
	return nc_layer_new(&nc_class_random_grayscale, &options, options.name);
}

/* -- solarization, auto_contrast --------------------------------------------------------------- */
static nacre_node *solarization_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nc_range a = nc_layer_range(l, "addition_factor");
	nc_range t = nc_layer_range(l, "threshold_factor");
	/* the low end is not multiplied, as Keras has it */
	nacre_node *addition = nc_augment_draw(c, x[0], 4, a.low, fmax(a.low, a.high * 255));
	nacre_node *threshold = nc_augment_draw(c, x[0], 4, t.low, fmax(t.low, t.high * 255));
	return nc_augment_solarize(x[0], addition, threshold, nc_layer_range(l, "value_range"));
}

static const nc_option solarization_options[] = {
    NC_RANGE_OF(nacre_solarization_options, addition_factor, 0, 1),
    NC_RANGE_OF(nacre_solarization_options, threshold_factor, 0, 1),
    NC_VALUE_RANGE(nacre_solarization_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_solarization = {
    NC_AUGMENT(solarization, "Solarization", nacre_solarization_options, solarization_options),
    .check = nc_augment_check,
    .call = solarization_call,
};
nacre_layer *nacre_solarization_new(nacre_solarization_options options)
{
	return nc_layer_new(&nc_class_solarization, &options, options.name);
}

static nacre_node *auto_contrast_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	if (!nc_augment_images(c, l, x[0]))
		return NULL;
	return nc_augment_auto_contrast(x[0], nc_layer_range(l, "value_range"));
}

static const nc_option auto_contrast_options[] = {
    NC_VALUE_RANGE(nacre_auto_contrast_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_auto_contrast = {
    NC_AUGMENT(auto_contrast, "AutoContrast", nacre_auto_contrast_options, auto_contrast_options),
    .check = nc_augment_check,
    .call = auto_contrast_call,
};
nacre_layer *nacre_auto_contrast_new(nacre_auto_contrast_options options)
{
	return nc_layer_new(&nc_class_auto_contrast, &options, options.name);
}
