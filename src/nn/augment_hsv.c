/* SPDX-License-Identifier: MIT
 *
 * augment_hsv.c - red, green and blue as hue, saturation and value, and back, by the formulas of
 * keras.ops.image: hue 0 .. 1 around the circle from red.
 */
#include <float.h>

#include "nn/augment.h"

typedef struct hsv {
	nacre_node *h, *s, *v;
} hsv;

static bool three(nc_call *c, const nacre_layer *l, const nacre_node *x)
{
	return x->shape[3] == 3 || nc_layer_fail(c, l, "expected 3 channels, got %lld",
						 (long long)x->shape[3]);
}

static nacre_node *channel(nacre_node *x, int i)
{
	return nacre_slice_axis(x, 3, i, i + 1);
}

static hsv to_hsv(nacre_node *x)
{
	if (!x)
		return (hsv){NULL, NULL, NULL};
	nacre_graph *g = x->graph;
	nacre_node *zero = nacre_scalar(g, x->dtype, 0), *one = nacre_scalar(g, x->dtype, 1);
	nacre_node *tiny = nacre_scalar(g, x->dtype, (double)FLT_EPSILON);
	x = nacre_select(nacre_less(nacre_abs(x), tiny), zero, x); /* as Keras has it */
	nacre_node *r = channel(x, 0), *green = channel(x, 1), *b = channel(x, 2);
	nacre_node *v = nacre_maximum(nacre_maximum(r, green), b);
	nacre_node *range = nacre_minus(v, nacre_minimum(nacre_minimum(r, green), b));
	nacre_node *light = nacre_greater(v, zero), *colour = nacre_greater(range, zero);
	nacre_node *s = nacre_divide(range, nacre_select(light, v, one));
	nacre_node *norm = nacre_reciprocal(nacre_scale(nacre_select(colour, range, one), 6));
	nacre_node *by_g = nacre_add_number(nacre_times(norm, nacre_minus(b, r)), 2 / 6.);
	nacre_node *by_b = nacre_add_number(nacre_times(norm, nacre_minus(r, green)), 4 / 6.);
	nacre_node *h = nacre_select(nacre_equal(v, green), by_g, by_b);
	h = nacre_select(nacre_equal(v, r), nacre_times(norm, nacre_minus(green, b)), h);
	nacre_node *turn = nacre_select(nacre_less(h, zero), one, zero);
	h = nacre_plus(nacre_select(colour, h, zero), turn);
	return (hsv){h, nacre_select(light, s, zero), v};
}

/* value (1 - s + s clip(...)), of the distance |6 h - at| */
static nacre_node *part(const hsv *p, nacre_node *turn, double at, double slope, double offset)
{
	nacre_node *d = nacre_abs(nacre_add_number(turn, -at));
	d = nacre_clip(nacre_add_number(nacre_scale(d, slope), offset), 0, 1);
	nacre_node *rest = nacre_add_number(nacre_neg(p->s), 1);
	return nacre_times(p->v, nacre_plus(rest, nacre_times(p->s, d)));
}

static nacre_node *to_rgb(const hsv *p)
{
	nacre_node *whole = nacre_minus(p->h, nacre_floor(p->h)), *turn = nacre_scale(whole, 6);
	nacre_node *rgb[3] = {part(p, turn, 3, 1, -1), part(p, turn, 2, -1, 2),
			      part(p, turn, 4, -1, 2)};
	return nacre_concat(3, rgb, 3);
}

nacre_node *nc_augment_hue(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *turn,
			   nc_range range)
{
	const nc_range unit = {0, 1};
	if (!x || !turn || !three(c, l, x))
		return NULL;
	hsv p = to_hsv(nc_augment_rerange(x, range, unit));
	nacre_node *one = nacre_scalar(x->graph, x->dtype, 1);
	p.h = nacre_plus(p.h, turn);
	p.h = nacre_select(nacre_greater(p.h, one), nacre_minus(p.h, one), p.h);
	nacre_node *below = nacre_less(p.h, nacre_scalar(x->graph, x->dtype, 0));
	p.h = nacre_select(below, nacre_plus(p.h, one), p.h);
	return nc_augment_rerange(nc_augment_clip(to_rgb(&p), unit), unit, range);
}

nacre_node *nc_augment_saturation(nc_call *c, const nacre_layer *l, nacre_node *x, nacre_node *f,
				  nc_range range)
{
	if (!x || !f || !three(c, l, x))
		return NULL;
	hsv p = to_hsv(x);
	p.s = nc_augment_clip(nacre_times(p.s, f), range);
	return to_rgb(&p);
}
