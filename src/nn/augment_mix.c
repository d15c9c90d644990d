/* SPDX-License-Identifier: MIT
 *
 * augment_mix.c - a rectangle erased, and two images of a batch in one: random_erasing, mix_up,
 * cut_mix.
 */
#include "nn/augment.h"

nacre_node *nc_augment_box(const nacre_node *x, nacre_node *x0, nacre_node *x1, nacre_node *y0,
			   nacre_node *y1)
{
	int64_t each[4] = {x->shape[0], 1, 1, 1};
	nacre_node *across = nacre_arange(x->graph, x->dtype, x->shape[2], 0, 1);
	nacre_node *down = nacre_arange(x->graph, x->dtype, x->shape[1], 0, 1);
	across = nacre_reshape(across, 4, (int64_t[]){1, 1, x->shape[2], 1});
	down = nacre_reshape(down, 4, (int64_t[]){1, x->shape[1], 1, 1});
	nacre_node *left = nacre_greater_equal(across, nacre_reshape(x0, 4, each));
	nacre_node *right = nacre_less(across, nacre_reshape(x1, 4, each));
	nacre_node *top = nacre_greater_equal(down, nacre_reshape(y0, 4, each));
	nacre_node *bottom = nacre_less(down, nacre_reshape(y1, 4, each));
	return nacre_logical_and(nacre_logical_and(left, right), nacre_logical_and(top, bottom));
}

typedef struct extent {
	nacre_node *from, *to;
} extent;

/* A piece of an axis, `part` [n] of its length, anywhere. */
static extent piece(nc_call *c, const nacre_node *x, int axis, nacre_node *part)
{
	double length = (double)x->shape[axis];
	nacre_node *size = nacre_scale(part, length);
	nacre_node *room = nacre_add_number(nacre_neg(size), length);
	nacre_node *from = nacre_times(nc_augment_draw(c, x, 1, 0, 1), room);
	return (extent){from, nacre_plus(from, size)};
}

/* -- random_erasing ---------------------------------------------------------------------------- */
/* What the rectangle is filled with, of a shape that stretches to x. */
static nacre_node *filling(nc_call *c, const nacre_layer *l, const nacre_node *x, nc_range range)
{
	const nacre_numbers *f = &((const nacre_random_erasing_options *)l->options)->fill_value;
	if (f->n == 0) {
		int64_t shape[4] = {1, x->shape[1], x->shape[2], x->shape[3]};
		nacre_node *z = nacre_random(c->graph, NACRE_NORMAL, x->dtype, 4, shape, 0, 1);
		return nc_augment_clip(nacre_scale(z, range.high), range);
	}
	if (f->n != 1 && f->n != x->shape[3]) {
		nc_layer_fail(c, l, "fill_value: expected one number or %lld, got %lld",
			      (long long)x->shape[3], (long long)f->n);
		return NULL;
	}
	nacre_node *z = nacre_constant(c->graph, NACRE_F64, 1, &f->n, f->value);
	return nc_augment_clip(nacre_cast(z, x->dtype), range);
}

static nacre_node *random_erasing_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	nc_range scale = nc_layer_range(l, "scale");
	nacre_node *wide = nacre_sqrt(nc_augment_draw_range(c, x[0], 1, scale));
	nacre_node *tall = nacre_sqrt(nc_augment_draw_range(c, x[0], 1, scale));
	extent across = piece(c, x[0], 2, wide), down = piece(c, x[0], 1, tall);
	nacre_node *box = nc_augment_box(x[0], across.from, across.to, down.from, down.to);
	box = nacre_logical_and(box, nc_augment_chance(c, x[0], nc_layer_range(l, "factor")));
	nacre_node *fill = filling(c, l, x[0], nc_layer_range(l, "value_range"));
	return nacre_select(box, fill, x[0]);
}

static const nc_option random_erasing_options[] = {
    NC_OPT_RANGE(nacre_random_erasing_options, factor, factor_high, 0, 1, "1"),
    {"scale", NC_OPTION_RANGE, offsetof(nacre_random_erasing_options, scale), 0, 0, 1, "0.02,0.33",
     NULL, offsetof(nacre_random_erasing_options, scale) + sizeof(double)},
    NC_OPT_ALL(NUMBERS, nacre_random_erasing_options, fill_value, 1, 0, 0, NULL, NULL, 0),
    NC_VALUE_RANGE(nacre_random_erasing_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_erasing = {
    NC_AUGMENT(random_erasing, "RandomErasing", nacre_random_erasing_options,
	       random_erasing_options),
    .check = nc_augment_check,
    .call = random_erasing_call,
};
nacre_layer *nacre_random_erasing_new(nacre_random_erasing_options options)
{
	return nc_layer_new(&nc_class_random_erasing, &options, options.name);
}

/* -- mixtures ---------------------------------------------------------------------------------- */
/* 1/2 +- 1/2 (1 + 1 / ((v^(-1/a) - 1) cos^2 2 pi u))^(-1/2), of uniform u and v and a sign: L.
 * Devroye, Random variate generation in one line of code, 1996. */
nacre_node *nc_augment_beta(nc_call *c, const nacre_node *x, nacre_node *a)
{
	const double turn = 6.28318530717958647693;
	nacre_node *v = nc_augment_draw(c, x, 1, 0, 1);
	nacre_node *wave = nacre_cos(nc_augment_draw(c, x, 1, 0, turn));
	nacre_node *side = nacre_add_number(nc_augment_draw(c, x, 1, 0, 1), -0.5);
	nacre_node *power = nacre_pow(v, nacre_neg(nacre_reciprocal(a)));
	nacre_node *t = nacre_times(nacre_add_number(power, -1), nacre_square(wave));
	nacre_node *half = nacre_rsqrt(nacre_add_number(nacre_reciprocal(t), 1));
	half = nacre_times(nacre_scale(half, 0.5), nacre_sign(side));
	return nacre_add_number(half, 0.5);
}

nacre_node *nc_augment_mix(nacre_node *x, nacre_node *w, nacre_node *order)
{
	int64_t shape[NACRE_MAX_RANK];
	if (!x || !w)
		return NULL;
	for (int i = 0; i < x->rank; i++)
		shape[i] = i ? 1 : x->shape[0];
	nacre_node *part = nacre_reshape(w, x->rank, shape);
	nacre_node *other = nacre_gather(x, order, 0);
	return nacre_plus(nacre_times(part, x),
			  nacre_times(nacre_add_number(nacre_neg(part), 1), other));
}

/* The batch in an order of its own, i32 [n]. */
static nacre_node *shuffled(nc_call *c, const nacre_node *x)
{
	return nacre_argsort(nc_augment_draw(c, x, 1, 0, 1), 0, false);
}

/* images, and labels if they are there */
static bool mixable(nc_call *c, const nacre_layer *l, int n, nacre_node *const *x)
{
	if (!nc_augment_images(c, l, x[0]))
		return false;
	if (n == 1)
		return true;
	if (!nc_layer_floats(c, l, x[1]))
		return false;
	return (x[1]->rank > 0 && x[1]->shape[0] == x[0]->shape[0]) ||
	       nc_layer_fail(c, l, "expected as many labels as images");
}

static void give(nc_call *c, nacre_node *labels)
{
	c->n_more = 1;
	c->more[0] = labels;
	c->more_mask[0] = NULL;
}

static nacre_node *mix_up_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	double alpha = ((const nacre_mix_up_options *)l->options)->alpha;
	if (!mixable(c, l, n, x))
		return NULL;
	if (!c->training) {
		if (n == 2)
			give(c, x[1]);
		return x[0];
	}
	nacre_node *w = nc_augment_beta(c, x[0], nacre_scalar(c->graph, x[0]->dtype, alpha));
	nacre_node *order = shuffled(c, x[0]);
	if (n == 2)
		give(c, nc_augment_mix(x[1], w, order));
	return nc_augment_mix(x[0], w, order);
}

static const nc_option mix_up_options[] = {
    NC_OPT_NUMBER(F64, nacre_mix_up_options, alpha, 0.2, 1e-6, 1e6),
    NC_OPT_END,
};
const nc_layer_class nc_class_mix_up = {
    .id = NC_LAYER_mix_up,
    .name = "MixUp",
    .snake = "mix_up",
    .options_size = sizeof(nacre_mix_up_options),
    .options = mix_up_options,
    .min_in = 1,
    .max_in = 2,
    .call = mix_up_call,
};
nacre_layer *nacre_mix_up_new(nacre_mix_up_options options)
{
	return nc_layer_new(&nc_class_mix_up, &options, options.name);
}

static nacre_node *cut_mix_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	if (!mixable(c, l, n, x))
		return NULL;
	if (!c->training) {
		if (n == 2)
			give(c, x[1]);
		return x[0];
	}
	nc_range f = nc_layer_range(l, "factor");
	nacre_node *a =
	    nacre_random(c->graph, NACRE_UNIFORM, x[0]->dtype, 0, NULL, f.low, f.high);
	nacre_node *w = nc_augment_beta(c, x[0], nacre_add_number(a, 1e-6));
	nacre_node *side = nacre_sqrt(nacre_add_number(nacre_neg(w), 1));
	extent across = piece(c, x[0], 2, side), down = piece(c, x[0], 1, side);
	nacre_node *box = nc_augment_box(x[0], across.from, across.to, down.from, down.to);
	nacre_node *order = shuffled(c, x[0]);
	double pixels = (double)(x[0]->shape[1] * x[0]->shape[2]);
	nacre_node *area = nacre_times(nacre_minus(across.to, across.from),
				       nacre_minus(down.to, down.from));
	nacre_node *left = nacre_add_number(nacre_scale(area, -1 / pixels), 1);
	if (n == 2)
		give(c, nc_augment_mix(x[1], left, order));
	return nacre_select(box, nacre_gather(x[0], order, 0), x[0]);
}

static const nc_option cut_mix_options[] = {
    NC_OPT_RANGE(nacre_cut_mix_options, factor, factor_high, 0, 1, "1"),
    NC_OPT_END,
};
const nc_layer_class nc_class_cut_mix = {
    .id = NC_LAYER_cut_mix,
    .name = "CutMix",
    .snake = "cut_mix",
    .options_size = sizeof(nacre_cut_mix_options),
    .options = cut_mix_options,
    .min_in = 1,
    .max_in = 2,
    .call = cut_mix_call,
};
nacre_layer *nacre_cut_mix_new(nacre_cut_mix_options options)
{
	return nc_layer_new(&nc_class_cut_mix, &options, options.name);
}
