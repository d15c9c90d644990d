/* SPDX-License-Identifier: MIT
 *
 * metric_classes.c - metrics that count by class: F scores and intersections over unions.
 */
#include "nn/metric.h"

static nacre_node * not(nacre_node * x)
{
	return nacre_minus(nc_number(x, 1), x);
}

/* -- F scores ---------------------------------------------------------------------------------- */
/* For each class: true positives, false positives, false negatives, how often it is wanted. */
static nacre_node *f_counts(const char *name, nacre_node *t, nacre_node *p,
			    const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match(name, &t, &p))
		return NULL;
	if (p->rank != 2)
		return nc_loss_refuse(name, t, p, "expected [n, classes]");
	nacre_node *yes;
	if (o->threshold != 0)
		yes = nacre_greater(p, nc_number(p, o->threshold));
	else /* the largest, but not of [0, 0, 0] */
		yes = nacre_logical_and(nacre_greater_equal(p, nacre_max(p, NACRE_LAST_AXIS, true)),
					nacre_greater(nacre_abs(p), nc_number(p, 1e-9)));
	yes = nacre_cast(yes, p->dtype);
	nacre_node *part[] = {nacre_times(yes, t), nacre_times(yes, not(t)),
			      nacre_times(not(yes), t), t};
	for (int i = 0; i < 4; i++)
		part[i] = nacre_sum(nc_metric_weigh(part[i], o), NACRE_AXIS(0), false);
	return nc_metric_join(4, part);
}

static double f_score(double tp, double fp, double fn, double beta)
{
	double precision = tp / (tp + fp + NC_EPSILON), recall = tp / (tp + fn + NC_EPSILON);
	double b2 = beta * beta;
	return (1 + b2) * precision * recall / (b2 * precision + recall + NC_EPSILON);
}

static double f_result(const double *s, int64_t k, double beta, nacre_average average)
{
	int64_t c = k / 4;
	double all[4] = {0}, sum = 0;
	for (int64_t i = 0; i < c; i++) {
		double one = f_score(s[i], s[c + i], s[2 * c + i], beta);
		for (int j = 0; j < 4; j++)
			all[j] += s[j * c + i];
		sum += average == NACRE_AVERAGE_WEIGHTED ? one * s[3 * c + i] : one;
	}
	if (average == NACRE_AVERAGE_MICRO)
		return f_score(all[0], all[1], all[2], beta);
	if (average == NACRE_AVERAGE_WEIGHTED)
		return sum / (all[3] + NC_EPSILON);
	return c ? sum / (double)c : 0;
}

nacre_node *nacre_fbeta_score(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return f_counts("fbeta_score", t, p, o);
}

nacre_node *nacre_f1_score(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return f_counts("f1_score", t, p, o);
}

double nc_finish_fbeta_score(const double *s, int64_t k, const nacre_loss_options *o)
{
	return f_result(s, k, nc_or(o->beta, 1), o->average);
}

double nc_finish_f1_score(const double *s, int64_t k, const nacre_loss_options *o)
{
	return f_result(s, k, 1, o->average);
}

/* -- intersection over union --------------------------------------------------------------------
 * The state is the matrix of how often class i was wanted and class j came. */
static nacre_node *flat_class(nacre_node *x)
{
	if (x && x->dtype != NACRE_I32)
		x = nacre_cast(x, NACRE_I32);
	return nacre_reshape(x, 1, (int64_t[]){-1});
}

/* t, p: i32 of equal sizes, w: of t's shape or NULL.  Classes that there are not count nowhere. */
static nacre_node *matrix(nacre_node *t, nacre_node *p, int64_t classes,
			  const nacre_loss_options *o)
{
	nacre_node *w = NULL;
	if (t && o->sample_weight) {
		nacre_node *like = nacre_cast(t, NACRE_F32);
		w = nacre_reshape(nc_metric_weight(like, o), 2, (int64_t[]){-1, 1});
	}
	t = flat_class(t);
	nacre_node *wanted = nacre_one_hot(t, classes, NACRE_F32);
	nacre_node *came = nacre_one_hot(flat_class(p), classes, NACRE_F32);
	if (o->ignore_class != 0) {
		nacre_node *counts = nacre_not_equal(t, nc_number(t, nc_class(o->ignore_class)));
		counts = nacre_expand_dims(nacre_cast(counts, NACRE_F32), -1);
		wanted = nacre_times(wanted, counts);
	}
	if (o->sample_weight)
		wanted = nacre_times(wanted, w);
	return nacre_matmul_transposed(wanted, came, true, false);
}

/* The place of the largest along the last axis. */
static nacre_node *largest(nacre_node *x)
{
	return nacre_argmax(x, -1);
}

static nacre_node *iou(const char *name, nacre_node *t, nacre_node *p, bool one_hot,
		       const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!t || !p)
		return NULL;
	int64_t classes = o->classes;
	bool one = t->rank == p->rank && t->rank > 0 && nc_last(t) == 1 && nc_last(p) > 1;
	/* an output for each class, where the target is a label */
	bool scores = one_hot || t->rank == p->rank - 1 || one;
	if (!classes && !scores)
		return nc_loss_refuse(name, t, p, "of labels .classes must be given");
	if (classes < 0 || classes > 65536)
		return nc_graph_fail(p->graph, "%s: expected 1 to 65536 classes, got %lld", name,
				     (long long)classes);
	classes = classes ? classes : nc_last(p);
	t = one_hot ? largest(t) : one ? nacre_squeeze(t, NACRE_LAST_AXIS) : t;
	p = scores ? largest(p) : p;
	if (t && p && !nc_same_shape(t, p))
		return nc_loss_refuse(name, t, p, NULL);
	return matrix(t, p, classes, o);
}

nacre_node *nacre_iou(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return iou("iou", t, p, false, o);
}

nacre_node *nacre_mean_iou(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return iou("mean_iou", t, p, false, o);
}

nacre_node *nacre_one_hot_iou(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return iou("one_hot_iou", t, p, true, o);
}

nacre_node *nacre_one_hot_mean_iou(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return iou("one_hot_mean_iou", t, p, true, o);
}

nacre_node *nacre_binary_iou(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("binary_iou", &t, &p))
		return NULL;
	p = nacre_greater_equal(p, nc_number(p, nc_or(o->threshold, 0.5)));
	return matrix(nacre_cast(t, NACRE_I32), nacre_cast(p, NACRE_I32), 2, o);
}

/* The mean over the classes asked for that were wanted or came. */
static double iou_result(const double *s, int64_t k, uint64_t targets)
{
	int64_t c = 0;
	while (c * c < k)
		c++;
	double sum = 0, n = 0;
	for (int64_t i = 0; i < c; i++) {
		double wanted = 0, came = 0, both = s[i * c + i];
		if (targets && (i >= 64 || !(targets >> i & 1)))
			continue;
		for (int64_t j = 0; j < c; j++) {
			wanted += s[i * c + j];
			came += s[j * c + i];
		}
		double either = wanted + came - both;
		if (either > 1e-9) {
			sum += both / (either + NC_EPSILON);
			n++;
		}
	}
	return sum / (n + NC_EPSILON);
}

double nc_finish_iou(const double *s, int64_t k, const nacre_loss_options *o)
{
	return iou_result(s, k, o->target_classes);
}

double nc_finish_mean_iou(const double *s, int64_t k, const nacre_loss_options *o)
{
	(void)o;
	return iou_result(s, k, 0);
}
