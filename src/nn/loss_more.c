/* SPDX-License-Identifier: MIT
 *
 * loss_more.c - distances, hinges, focal losses, overlaps, and the circle loss.
 */
#include <string.h>

#include "nn/loss.h"

static nacre_node *mean_of_last(nacre_node *x)
{
	return nacre_mean(x, NACRE_LAST_AXIS, false);
}

static nacre_node *sum_of_last(nacre_node *x)
{
	return nacre_sum(x, NACRE_LAST_AXIS, false);
}

static nacre_node *one_minus(nacre_node *x)
{
	return nacre_minus(nc_number(x, 1), x);
}

static nacre_node *at_least(nacre_node *x, double low)
{
	return nacre_maximum(x, nc_number(x, low));
}

/* x^a where x >= 0; the usual powers without powf */
static nacre_node *power(nacre_node *x, double a)
{
	return a == 1 ? x : a == 2 ? nacre_square(x) : nacre_pow(x, nc_number(x, a));
}

/* -- distances --------------------------------------------------------------------------------- */
nacre_node *nacre_mean_absolute_percentage_error(nacre_node *t, nacre_node *p,
						 const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("mean_absolute_percentage_error", &t, &p))
		return NULL;
	nacre_node *size = at_least(nacre_abs(t), NC_EPSILON);
	return nacre_scale(mean_of_last(nacre_abs(nacre_divide(nacre_minus(t, p), size))), 100);
}

static nacre_node *log_one_plus(nacre_node *x)
{
	return nacre_log1p(at_least(x, NC_EPSILON));
}

nacre_node *nacre_mean_squared_logarithmic_error(nacre_node *t, nacre_node *p,
						 const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("mean_squared_logarithmic_error", &t, &p))
		return NULL;
	return mean_of_last(nacre_square(nacre_minus(log_one_plus(p), log_one_plus(t))));
}

/* log cosh e = e + log(1 + exp(-2 e)) - log 2, which is even: of |e| nothing overflows */
nacre_node *nacre_log_cosh(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("log_cosh", &t, &p))
		return NULL;
	nacre_node *e = nacre_minus(p, t);
	nacre_node *l = nacre_plus(e, nacre_softplus(nacre_scale(e, -2)));
	return mean_of_last(nacre_add_number(l, -0.69314718055994531));
}

nacre_node *nacre_poisson(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("poisson", &t, &p))
		return NULL;
	nacre_node *l = nacre_log(nacre_add_number(p, NC_EPSILON));
	return mean_of_last(nacre_minus(p, nacre_times(t, l)));
}

nacre_node *nacre_kl_divergence(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("kl_divergence", &t, &p))
		return NULL;
	t = nacre_clip(t, NC_EPSILON, 1);
	p = nacre_clip(p, NC_EPSILON, 1);
	return sum_of_last(nacre_times(t, nacre_log(nacre_divide(t, p))));
}

static nacre_node *normalized(nacre_node *x, unsigned axis)
{
	nacre_node *squares = nacre_sum(nacre_square(x), axis, true);
	return nacre_times(x, nacre_rsqrt(at_least(squares, NC_EPSILON * NC_EPSILON)));
}

nacre_node *nacre_cosine_similarity(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!nc_loss_match("cosine_similarity", &t, &p))
		return NULL;
	unsigned axis = NACRE_LAST_AXIS;
	if (o && o->axis != 0 && !nc_loss_axis("cosine_similarity", p, o->axis, &axis))
		return NULL;
	return nacre_neg(
	    nacre_sum(nacre_times(normalized(t, axis), normalized(p, axis)), axis, false));
}

bool nc_loss_axis(const char *name, nacre_node *p, int axis, unsigned *out)
{
	int at = axis < 0 ? axis + p->rank : axis;
	if (at < 0 || at >= p->rank) {
		nc_graph_fail(p->graph, "%s: axis %d of an output of rank %d", name, axis, p->rank);
		return false;
	}
	*out = NACRE_AXIS(at);
	return true;
}

/* -- hinges ------------------------------------------------------------------------------------ */
/* Targets that are all 0 or 1 become -1 and 1. */
static nacre_node *signs(nacre_node *t)
{
	nacre_node *zero = nacre_equal(t, nc_number(t, 0)), *one = nacre_equal(t, nc_number(t, 1));
	nacre_node *binary = nacre_all(nacre_logical_or(zero, one), NACRE_ALL_AXES, false);
	return nacre_select(binary, nacre_add_number(nacre_scale(t, 2), -1), t);
}

static nacre_node *missing(const char *name, nacre_node *t, nacre_node *p)
{
	if (!nc_loss_match(name, &t, &p))
		return NULL;
	return nacre_relu(one_minus(nacre_times(signs(t), p)));
}

nacre_node *nacre_hinge(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return mean_of_last(missing("hinge", t, p));
}

nacre_node *nacre_squared_hinge(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return mean_of_last(nacre_square(missing("squared_hinge", t, p)));
}

nacre_node *nacre_categorical_hinge(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("categorical_hinge", &t, &p))
		return NULL;
	nacre_node *right = sum_of_last(nacre_times(t, p));
	nacre_node *wrong = nacre_max(nacre_times(one_minus(t), p), NACRE_LAST_AXIS, false);
	return nacre_relu(nacre_add_number(nacre_minus(wrong, right), 1));
}

/* -- cross-entropies that look at what is hard ------------------------------------------------- */
nacre_node *nacre_binary_focal_crossentropy(nacre_node *t, nacre_node *p,
					    const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("binary_focal_crossentropy", &t, &p))
		return NULL;
	double s = o->label_smoothing, alpha = nc_or(o->alpha, 0.25);
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / 2);
	if (o->from_logits)
		p = nacre_sigmoid(p);
	nacre_node *q = nacre_clip(p, NC_EPSILON, 1 - NC_EPSILON), *u = one_minus(t);
	nacre_node *cross = nacre_neg(
	    nacre_plus(nacre_times(t, nacre_log(q)), nacre_times(u, nacre_log(one_minus(q)))));
	nacre_node *right = nacre_plus(nacre_times(t, p), nacre_times(u, one_minus(p)));
	cross = nacre_times(power(one_minus(right), nc_or(o->gamma, 2)), cross);
	if (o->balance)
		cross = nacre_times(nacre_plus(nacre_scale(t, alpha), nacre_scale(u, 1 - alpha)),
				    cross);
	return mean_of_last(cross);
}

nacre_node *nacre_categorical_focal_crossentropy(nacre_node *t, nacre_node *p,
						 const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("categorical_focal_crossentropy", &t, &p))
		return NULL;
	double s = o->label_smoothing;
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / (double)nc_last(p));
	if (o->from_logits)
		p = nacre_softmax(p);
	p = nacre_divide(p, nacre_sum(p, NACRE_LAST_AXIS, true));
	p = nacre_clip(p, NC_EPSILON, 1 - NC_EPSILON);
	nacre_node *hard = power(one_minus(p), nc_or(o->gamma, 2));
	nacre_node *cross = nacre_times(hard, nacre_times(t, nacre_log(p)));
	return nacre_scale(sum_of_last(cross), -nc_or(o->alpha, 0.25));
}

nacre_node *nacre_categorical_generalized_cross_entropy(nacre_node *t, nacre_node *p,
							const nacre_loss_options *o)
{
	double q = nc_or(o ? o->q : 0, 0.5);
	t = nc_loss_labels("categorical_generalized_cross_entropy", t, p);
	if (!t)
		return NULL;
	p = nacre_squeeze(nacre_take_along_axis(p, nacre_expand_dims(t, -1), -1), NACRE_LAST_AXIS);
	return nacre_scale(one_minus(power(p, q)), 1 / q);
}

/* -- overlaps ---------------------------------------------------------------------------------- */
static nacre_node *total(nacre_node *x, const nacre_loss_options *o)
{
	return nacre_sum(x, o->axes ? o->axes : NACRE_ALL_AXES, false);
}

nacre_node *nacre_dice(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("dice", &t, &p))
		return NULL;
	nacre_node *both = nacre_scale(total(nacre_times(t, p), o), 2);
	nacre_node *sum = nacre_add_number(nacre_plus(total(t, o), total(p, o)), NC_EPSILON);
	return one_minus(nacre_divide(both, sum));
}

nacre_node *nacre_tversky(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("tversky", &t, &p))
		return NULL;
	nacre_node *both = total(nacre_times(t, p), o);
	nacre_node *lost = total(nacre_times(one_minus(p), t), o);
	nacre_node *extra = total(nacre_times(p, one_minus(t)), o);
	nacre_node *sum = nacre_plus(nacre_scale(lost, nc_or(o->alpha, 0.5)),
				     nacre_scale(extra, nc_or(o->beta, 0.5)));
	sum = nacre_add_number(nacre_plus(both, sum), NC_EPSILON);
	return one_minus(nacre_divide(both, sum));
}

/* -- circle ------------------------------------------------------------------------------------ */
/* bool [n, n]: whether the labels of two samples are equal */
static nacre_node *same_label(nacre_node *t)
{
	return t ? nacre_equal(nacre_expand_dims(t, 1), nacre_expand_dims(t, 0)) : NULL;
}

static nacre_node *diagonal(nacre_node *p)
{
	nacre_node *i = nacre_arange(p->graph, NACRE_I32, p->shape[0], 0, 1);
	return same_label(i);
}

/* logsumexp over the places of a mask; -1e30 where there are none, which softplus makes 0 */
static nacre_node *masked_logsumexp(nacre_node *x, nacre_node *mask)
{
	return nacre_logsumexp(nacre_select(mask, x, nc_number(x, -1e30)), NACRE_LAST_AXIS, false);
}

nacre_node *nacre_circle(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!t || !p)
		return NULL;
	if (p->rank != 2)
		return nc_loss_refuse("circle", t, p, "expected an output of [n, d]");
	t = nc_loss_labels("circle", t, p);
	if (!t)
		return NULL;
	double gamma = nc_or(o->gamma, 80), m = nc_or(o->margin, 0.4);
	nacre_node *positive = same_label(t), *negative = nacre_logical_not(positive);
	if (!o->keep_self)
		positive = nacre_logical_and(positive, nacre_logical_not(diagonal(p)));
	nacre_node *d = nacre_relu(one_minus(nacre_matmul_transposed(p, p, false, true)));
	nacre_node *near =
	    nacre_times(nacre_relu(nacre_add_number(d, m)), nacre_minus(nc_number(d, m), d));
	nacre_node *far = nacre_times(nacre_relu(nacre_minus(nc_number(d, 1 + m), d)),
				      nacre_minus(nc_number(d, 1 - m), d));
	nacre_node *x = masked_logsumexp(nacre_scale(near, -gamma), positive);
	nacre_node *y = masked_logsumexp(nacre_scale(far, gamma), negative);
	return nacre_softplus(nacre_plus(x, y));
}

nacre_node *nc_circle_mask(nacre_node *t, nacre_node *p, nacre_node *v, const nacre_loss_options *o)
{
	(void)t, (void)p, (void)o;
	return v ? nacre_greater(v, nc_number(v, 0)) : NULL;
}
