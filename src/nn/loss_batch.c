/* SPDX-License-Identifier: MIT
 *
 * loss_batch.c - the values of a batch become its loss: weights, masks, reductions.
 */
#include "nn/loss.h"

nacre_node *nc_loss_weight(nacre_node *v, nacre_node *w)
{
	if (!v || !w)
		return NULL;
	if (w->dtype != v->dtype)
		w = nacre_cast(w, v->dtype);
	while (w && w->rank > v->rank && nc_last(w) == 1)
		w = nacre_squeeze(w, NACRE_LAST_AXIS);
	while (w && w->rank < v->rank && v->rank > 0)
		w = nacre_expand_dims(w, -1);
	return w;
}

/* sum / n, 0 where n is 0 */
static nacre_node *divide_or_zero(nacre_node *sum, nacre_node *n)
{
	nacre_node *zero = nacre_equal(n, nc_number(n, 0));
	nacre_node *y = nacre_divide(sum, nacre_select(zero, nc_number(n, 1), n));
	return nacre_select(zero, nc_number(sum, 0), y);
}

static nacre_node *sum_of_all(nacre_node *x)
{
	return nacre_sum(x, NACRE_ALL_AXES, false);
}

static nacre_node *reduce(nacre_node *v, nacre_node *w, nacre_node *mask, nacre_reduction r)
{
	nacre_node *weight = w;
	if (mask) {
		mask = nacre_cast(mask, v->dtype);
		weight = w ? nacre_times(mask, w) : mask;
	}
	if (weight)
		v = nacre_times(v, weight);
	if (!v || r == NACRE_REDUCE_NONE)
		return v;
	if (r == NACRE_REDUCE_SUM)
		return sum_of_all(v);
	if (r == NACRE_REDUCE_WEIGHTED_MEAN && weight) {
		/* each weight as often as it was used */
		nacre_node *each = nacre_broadcast(weight, v->rank, v->shape);
		return divide_or_zero(sum_of_all(v), sum_of_all(each));
	}
	if (mask) /* the mean over those that count */
		return divide_or_zero(sum_of_all(v), sum_of_all(mask));
	return nacre_mean(v, NACRE_ALL_AXES, false);
}

nacre_node *nacre_reduce_loss(nacre_node *values, nacre_node *sample_weight, nacre_reduction r)
{
	if (!values)
		return NULL;
	nacre_node *w = sample_weight ? nc_loss_weight(values, sample_weight) : NULL;
	return sample_weight && !w ? NULL : reduce(values, w, NULL, r);
}

nacre_node *nc_loss_mask(nacre_loss_function *f, nacre_node *t, nacre_node *p, nacre_node *v,
			 nacre_node *padding, const nacre_loss_options *o)
{
	const nc_loss *row = nc_loss_row(f);
	nacre_node *mask = v && row && row->mask ? row->mask(t, p, v, o) : NULL;
	if (!v || !padding || !nc_same_shape(v, padding))
		return mask;
	return mask ? nacre_logical_and(mask, padding) : padding;
}

nacre_node *nc_loss_batch(nacre_loss_function *f, nacre_node *t, nacre_node *p, nacre_node *weight,
			  nacre_node *padding, const nacre_loss_options *o)
{
	nacre_node *v = f(t, p, o);
	nacre_node *mask = nc_loss_mask(f, t, p, v, padding, o);
	nacre_node *w = weight ? nc_loss_weight(v, weight) : NULL;
	if (!v || (weight && !w))
		return NULL;
	return reduce(v, w, mask, o->reduction);
}

nacre_status nc_loss_check(const nacre_loss_options *o, nacre_error *e)
{
	const struct {
		const char *name;
		double value, low, high;
	} numbers[] = {
	    {"label_smoothing", o->label_smoothing, 0, 1},
	    {"delta", o->delta, 0, 1e30},
	    {"alpha", o->alpha, 0, 1e30},
	    {"beta", o->beta, 0, 1e30},
	    {"gamma", o->gamma, 0, 1e30},
	    {"margin", o->margin, 0, 1e30},
	    {"q", o->q, 0, 1},
	    {"at", o->at, 0, 1},
	    {"k", o->k, 0, 1e9},
	    {"classes", o->classes, 0, 1e9},
	    {"thresholds", o->thresholds, 0, 1e9},
	    {"regressors", o->regressors, 0, 1e9},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high)) {
			if (numbers[i].high > 1e8)
				return nc_fail(e, NACRE_INVALID, "%s: expected at least 0, got %g",
					       numbers[i].name, numbers[i].value);
			return nc_fail(e, NACRE_INVALID, "%s: expected 0 to %g, got %g",
				       numbers[i].name, numbers[i].high, numbers[i].value);
		}
	if (o->reduction == NACRE_REDUCE_NONE)
		return nc_fail(e, NACRE_INVALID, "reduction: a loss must be one number");
	return NACRE_OK;
}
