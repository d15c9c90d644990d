/* SPDX-License-Identifier: MIT
 *
 * metric.c - metrics that are more than a mean: what a batch adds, and what is made of the sums.
 *
 * Such a metric gives k numbers for a batch; they are added over the batches in double, and a
 * finishing function makes the metric of the sums.  So an epoch's value does not depend on how its
 * samples were cut into batches.
 */
#include "nn/metric.h"

#include <math.h>

/* -- what all of them need --------------------------------------------------------------------- */
/* The weights of the samples in the shape of x, or NULL: they are all 1. */
nacre_node *nc_metric_weight(nacre_node *x, const nacre_loss_options *o)
{
	if (!x || !o->sample_weight)
		return NULL;
	return nacre_broadcast(nc_loss_weight(x, o->sample_weight), x->rank, x->shape);
}

nacre_node *nc_metric_weigh(nacre_node *x, const nacre_loss_options *o)
{
	nacre_node *w = nc_metric_weight(x, o);
	return w ? nacre_times(x, w) : x;
}

static nacre_node *flat(nacre_node *x)
{
	return nacre_reshape(x, 1, (int64_t[]){-1});
}

nacre_node *nc_metric_join(int n, nacre_node *const *part)
{
	nacre_node *f[NC_METRIC_PARTS];
	for (int i = 0; i < n; i++) {
		f[i] = part[i] && part[i]->dtype != NACRE_F32 ? nacre_cast(part[i], NACRE_F32)
							      : part[i];
		f[i] = flat(f[i]);
	}
	return nacre_concat(n, f, 0);
}

double nc_metric_ratio(double a, double b)
{
	return b != 0 ? a / b : 0;
}

static nacre_node *sum_of_all(nacre_node *x)
{
	return nacre_sum(x, NACRE_ALL_AXES, false);
}

/* [sum of w x, sum of w], x having a value for each sample and place */
static nacre_node *sum_and_weight(nacre_node *x, const nacre_loss_options *o)
{
	nacre_node *w = nc_metric_weight(x, o);
	if (!w && x)
		w = nacre_fill(x->graph, x->dtype, x->rank, x->shape, 1);
	nacre_node *part[] = {sum_of_all(nacre_times(x, w)), sum_of_all(w)};
	return nc_metric_join(2, part);
}

/* -- one batch of any metric ------------------------------------------------------------------- */
bool nc_metric_is_mean(nacre_loss_function *f, const nacre_loss_options *o)
{
	const nc_loss *row = nc_loss_row(f);
	return !(row ? row->finish : o->finish);
}

/* Labels, where a score for each class is wanted, as one-hot vectors. */
static nacre_node *expand(const nc_loss *row, nacre_node *t, nacre_node *p)
{
	if (!row || row->targets != NC_TARGET_ONE_HOT || !t || !p || t->dtype != NACRE_I32)
		return t;
	if (t->rank == p->rank && nc_last(t) == 1 && nc_last(p) > 1)
		t = nacre_squeeze(t, NACRE_LAST_AXIS);
	if (!t || t->rank != p->rank - 1 || nc_last(p) == 1)
		return t;
	return nacre_one_hot(t, nc_last(p), NACRE_F32);
}

/* The state of a mean: the mean alone where all samples count alike, for then the number of them
 * is its weight; else the two sums. */
nacre_node *nc_metric_batch(nacre_loss_function *f, nacre_node *t, nacre_node *p,
			    nacre_node *sample_weight, nacre_node *padding,
			    const nacre_loss_options *options)
{
	nacre_loss_options o = *options;
	o.sample_weight = o.weighted ? sample_weight : NULL;
	const nc_loss *row = nc_loss_row(f);
	t = expand(row, t, p);
	nacre_node *v = f(t, p, &o);
	if (!nc_metric_is_mean(f, &o))
		return v ? flat(v->dtype == NACRE_F32 ? v : nacre_cast(v, NACRE_F32)) : NULL;
	nacre_node *mask = nc_loss_mask(f, t, p, v, padding, &o);
	/* as a metric Keras's has the other sign than as a loss */
	if (f == nacre_cosine_similarity)
		v = nacre_neg(v);
	if (!v)
		return NULL;
	if (!mask && !o.sample_weight)
		return nacre_mean(v, NACRE_ALL_AXES, false);
	nacre_node *w = o.sample_weight ? nc_loss_weight(v, o.sample_weight) : NULL;
	if (mask)
		w = w ? nacre_times(nacre_cast(mask, v->dtype), w) : nacre_cast(mask, v->dtype);
	w = w ? nacre_broadcast(w, v->rank, v->shape) : NULL;
	nacre_node *part[] = {sum_of_all(nacre_times(v, w)), sum_of_all(w)};
	return nc_metric_join(2, part);
}

double nc_metric_finish(nacre_loss_function *f, const double *sum, int64_t k, double rows,
			const nacre_loss_options *o)
{
	const nc_loss *row = nc_loss_row(f);
	nc_finish *finish = row ? row->finish : o->finish;
	if (finish)
		return finish(sum, k, o);
	return k == 1 ? sum[0] / rows : nc_metric_ratio(sum[0], sum[1]);
}

/* -- sums, means, distances -------------------------------------------------------------------- */
nacre_node *nacre_mean_metric(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)t, (void)o;
	return p && p->dtype != NACRE_F32 ? nacre_cast(p, NACRE_F32) : p;
}

nacre_node *nacre_sum_metric(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)t;
	return sum_of_all(nc_metric_weigh(p, o ? o : &nc_loss_defaults));
}

double nc_finish_sum(const double *sum, int64_t k, const nacre_loss_options *o)
{
	(void)o;
	return k > 0 ? sum[0] : 0;
}

nacre_node *nacre_root_mean_squared_error(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!nc_loss_match("root_mean_squared_error", &t, &p))
		return NULL;
	return sum_and_weight(nacre_square(nacre_minus(p, t)), o ? o : &nc_loss_defaults);
}

double nc_finish_root_mean(const double *sum, int64_t k, const nacre_loss_options *o)
{
	(void)o, (void)k;
	return sqrt(nc_metric_ratio(sum[0], sum[1]));
}

/* For each output the sums of w t, w t^2, w (t - p)^2, w; and the number of targets. */
nacre_node *nacre_r2_score(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("r2_score", &t, &p))
		return NULL;
	if (p->rank < 1 || p->rank > 2)
		return nc_loss_refuse("r2_score", t, p, "expected [n] or [n, outputs]");
	nacre_node *w = nc_metric_weight(p, o);
	if (!w)
		w = nacre_fill(p->graph, p->dtype, p->rank, p->shape, 1);
	nacre_node *x[] = {t, nacre_square(t), nacre_square(nacre_minus(t, p)), NULL}, *part[5];
	for (int i = 0; i < 4; i++)
		part[i] = nacre_sum(x[i] ? nacre_times(x[i], w) : w, NACRE_AXIS(0), false);
	part[4] = nacre_scalar(p->graph, NACRE_F32, (double)nc_node_size(p));
	return nc_metric_join(5, part);
}

double nc_finish_r2_score(const double *s, int64_t k, const nacre_loss_options *o)
{
	int64_t c = (k - 1) / 4;
	double n = s[4 * c], score = 0, weight = 0;
	for (int64_t i = 0; i < c; i++) {
		double total = s[c + i] - s[i] * s[i] / s[3 * c + i];
		double one = 1 - s[2 * c + i] / total, w = 1;
		if (isinf(one))
			one = 0;
		if (o->average == NACRE_AVERAGE_WEIGHTED)
			w = total;
		score += w * one;
		weight += w;
	}
	score /= weight;
	double rest = n - o->regressors - 1;
	if (o->regressors != 0 && rest > 0)
		score = 1 - (1 - score) * (n - 1) / rest;
	return score;
}

/* -- correlations: for each row ---------------------------------------------------------------- */
static bool correlation_axis(const char *name, nacre_node *p, const nacre_loss_options *o,
			     unsigned *axis)
{
	*axis = NACRE_LAST_AXIS;
	return o->axis == 0 || nc_loss_axis(name, p, o->axis, axis);
}

static nacre_node *centered(nacre_node *x, unsigned axis)
{
	return nacre_minus(x, nacre_mean(x, axis, true));
}

static nacre_node *standard(nacre_node *x, unsigned axis)
{
	x = centered(x, axis);
	return nacre_divide(x, nacre_sqrt(nacre_variance(x, axis, true)));
}

nacre_node *nacre_pearson_correlation(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	unsigned axis;
	if (!nc_loss_match("pearson_correlation", &t, &p) ||
	    !correlation_axis("pearson_correlation", p, o ? o : &nc_loss_defaults, &axis))
		return NULL;
	return nacre_mean(nacre_times(standard(t, axis), standard(p, axis)), axis, false);
}

/* Keras's covariance is around the mean of the outputs for both. */
nacre_node *nacre_concordance_correlation(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	unsigned axis;
	if (!nc_loss_match("concordance_correlation", &t, &p) ||
	    !correlation_axis("concordance_correlation", p, o ? o : &nc_loss_defaults, &axis))
		return NULL;
	nacre_node *tm = nacre_mean(t, axis, true), *pm = nacre_mean(p, axis, true);
	nacre_node *both = nacre_times(nacre_minus(t, pm), nacre_minus(p, pm));
	nacre_node *size = nacre_plus(nacre_variance(t, axis, true), nacre_variance(p, axis, true));
	size = nacre_plus(size, nacre_square(nacre_minus(tm, pm)));
	size = nacre_add_number(size, NC_EPSILON);
	return nacre_mean(nacre_divide(nacre_scale(both, 2), size), axis, false);
}
