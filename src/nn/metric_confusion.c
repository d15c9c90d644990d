/* SPDX-License-Identifier: MIT
 *
 * metric_confusion.c - metrics of a yes or no: counts of true and false positives and negatives at
 * one threshold, or at many evenly spaced ones (areas under curves).
 */
#include <math.h>

#include "nn/metric.h"

/* y_true and y_pred of a binary question, and the weight of each; flattened or not */
typedef struct binary {
	nacre_node *t, *p, *w; /* t: 0 or 1 */
} binary;

static nacre_node *only_class(nacre_node *x, int class)
{
	return nacre_slice_axis(x, -1, class, class + 1);
}

/* bool: among the k largest of its row, the first of equal ones */
static nacre_node *among_largest(nacre_node *p, int64_t k)
{
	nacre_node *at = NULL;
	if (!p || !nacre_top_k(p, k, &at))
		return NULL;
	nacre_node *hot = nacre_one_hot(at, nc_last(p), NACRE_F32);
	nacre_node *sum = nacre_sum(hot, hot ? NACRE_AXIS(hot->rank - 2) : 0, false);
	return nacre_greater(sum, nc_number(sum, 0.5));
}

static bool open(binary *b, const char *name, nacre_node *t, nacre_node *p,
		 const nacre_loss_options *o)
{
	if (!nc_loss_match(name, &t, &p))
		return false;
	if (o->from_logits)
		p = nacre_sigmoid(p);
	nacre_node *w = nc_metric_weight(p, o);
	if (o->class_id != 0 && p) {
		int class = nc_class(o->class_id);
		if (class < 0 || p->rank < 2 || class >= nc_last(p))
			return nc_loss_refuse(name, t, p, "there is no class of that class_id");
		t = only_class(t, class);
		p = only_class(p, class);
		w = w ? only_class(w, class) : NULL;
	}
	t = nacre_cast(nacre_not_equal(t, nc_number(t, 0)), NACRE_F32);
	*b = (binary){t, p, w};
	return t && p;
}

static nacre_node *weighed(const binary *b, nacre_node *x)
{
	return b->w ? nacre_times(x, b->w) : x;
}

static nacre_node *total(const binary *b, nacre_node *x)
{
	return nacre_sum(weighed(b, x), NACRE_ALL_AXES, false);
}

static nacre_node * not(nacre_node * x)
{
	return nacre_minus(nc_number(x, 1), x);
}

/* -- at one threshold -------------------------------------------------------------------------- */
/* [true positives, false positives, false negatives, true negatives] */
static nacre_node *counts(const char *name, nacre_node *t, nacre_node *p,
			  const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	nacre_node *top = NULL;
	if (o->k > 0) {
		if (!p || p->rank < 1 || o->k > nc_last(p))
			return p ? nc_loss_refuse(name, t ? t : p, p, "k is above the classes")
				 : NULL;
		top = among_largest(p, o->k);
		if (top && o->class_id > 0 && nc_class(o->class_id) < nc_last(p))
			top = only_class(top, nc_class(o->class_id));
	}
	binary b;
	if (!open(&b, name, t, p, o))
		return NULL;
	double threshold = o->threshold != 0 ? o->threshold : o->k > 0 ? -1e10 : 0.5;
	nacre_node *yes = nacre_greater(b.p, nc_number(b.p, threshold));
	if (o->k > 0)
		yes = nacre_logical_and(yes, top);
	yes = nacre_cast(yes, NACRE_F32);
	nacre_node *no = not(yes), *f = not(b.t);
	nacre_node *part[] = {total(&b, nacre_times(yes, b.t)), total(&b, nacre_times(yes, f)),
			      total(&b, nacre_times(no, b.t)), total(&b, nacre_times(no, f))};
	return nc_metric_join(4, part);
}

#define COUNTS(name, result)                                                                       \
	nacre_node *nacre_##name(nacre_node *t, nacre_node *p, const nacre_loss_options *o)        \
	{                                                                                          \
		return counts(#name, t, p, o);                                                     \
	}                                                                                          \
	double nc_finish_##name(const double *s, int64_t k, const nacre_loss_options *o)           \
	{                                                                                          \
		(void)k, (void)o;                                                                  \
		return result;                                                                     \
	}
COUNTS(true_positives, s[0])
COUNTS(false_positives, s[1])
COUNTS(false_negatives, s[2])
COUNTS(true_negatives, s[3])
COUNTS(precision, nc_metric_ratio(s[0], s[0] + s[1]))
COUNTS(recall, nc_metric_ratio(s[0], s[0] + s[2]))

/* -- at many thresholds ------------------------------------------------------------------------
 * Of n thresholds i / (n-1) an output is above those of number 0 .. b, b = ceil(p (n-1)) - 1.  The
 * state is how much is true and how much is false in each b: [n true, n false, all true, all
 * false]; an output of 0 is in no b. */
enum { THRESHOLDS = 200, MOST_THRESHOLDS = 100000 };

static nacre_node *histogram(const char *name, nacre_node *t, nacre_node *p,
			     const nacre_loss_options *o, bool ends)
{
	binary b;
	o = o ? o : &nc_loss_defaults;
	int n = o->thresholds ? o->thresholds : THRESHOLDS;
	if (n < 2 || n > MOST_THRESHOLDS)
		return p ? nc_graph_fail(p->graph, "%s: expected 2 to %d thresholds, got %d", name,
					 MOST_THRESHOLDS, n)
			 : NULL;
	if (!open(&b, name, t, p, o))
		return NULL;
	int64_t size[] = {n}, all[] = {-1};
	nacre_node *x = nacre_scale(nacre_clip(b.p, 0, 1), n - 1);
	x = nacre_add_number(nacre_ceil(x), -1);
	if (ends) /* the first threshold is a little below 0: all are above it */
		x = nacre_relu(x);
	nacre_node *at = nacre_reshape(nacre_cast(x, NACRE_I32), 1, all);
	nacre_node *yes = nacre_reshape(weighed(&b, b.t), 1, all);
	nacre_node *no = nacre_reshape(weighed(&b, not(b.t)), 1, all);
	nacre_node *zero = nacre_fill(b.p->graph, NACRE_F32, 1, size, 0);
	nacre_node *part[] = {
	    nacre_scatter_add(zero, at, yes, 0), nacre_scatter_add(zero, at, no, 0),
	    nacre_sum(yes, NACRE_ALL_AXES, false), nacre_sum(no, NACRE_ALL_AXES, false)};
	return nc_metric_join(4, part);
}

/* The counts at a threshold, walked from the highest down. */
typedef struct walk {
	const double *s;
	int64_t n;
	double tp, fp, yes, no;
} walk;

static walk begin(const double *s, int64_t k)
{
	int64_t n = k / 2 - 1;
	return (walk){s, n, 0, 0, s[2 * n], s[2 * n + 1]};
}

static void down_to(walk *w, int64_t i)
{
	w->tp += w->s[i];
	w->fp += w->s[w->n + i];
}

nacre_node *nacre_auc(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return histogram("auc", t, p, o, true);
}

static double height(double a, double b, nacre_summation s)
{
	return s == NACRE_MINORING ? fmin(a, b) : s == NACRE_MAJORING ? fmax(a, b) : (a + b) / 2;
}

/* Davis and Goadrich (2006): between two thresholds true positives are linear in all positives, not
 * precision in recall. */
static double interpolated_pr(const double *s, int64_t k)
{
	walk w = begin(s, k);
	double area = 0;
	down_to(&w, w.n - 1);
	for (int64_t i = w.n - 2; i >= 0; i--) {
		double tp = w.tp, all = w.tp + w.fp;
		down_to(&w, i);
		double more = w.tp - tp, sum = w.tp + w.fp;
		double slope = nc_metric_ratio(more, fmax(sum - all, 0)), start = tp - slope * all;
		double ratio = sum > 0 && all > 0 ? sum / all : 1;
		area += nc_metric_ratio(slope * (more + start * log(ratio)), fmax(w.yes, 0));
	}
	return area;
}

double nc_finish_auc(const double *s, int64_t k, const nacre_loss_options *o)
{
	if (o->curve == NACRE_PR && o->summation == NACRE_INTERPOLATION)
		return interpolated_pr(s, k);
	walk w = begin(s, k);
	double area = 0, x = 0, y = 0;
	for (int64_t i = w.n - 1; i >= 0; i--) {
		down_to(&w, i);
		double recall = nc_metric_ratio(w.tp, w.yes);
		bool roc = o->curve == NACRE_ROC;
		double px = roc ? nc_metric_ratio(w.fp, w.no) : recall;
		double py = roc ? recall : nc_metric_ratio(w.tp, w.tp + w.fp);
		if (i < w.n - 1)
			area += (px - x) * height(y, py, o->summation);
		x = px;
		y = py;
	}
	return area;
}

/* -- the best of one where another is enough --------------------------------------------------- */
typedef enum rate { RECALL, PRECISION, SPECIFICITY } rate;

static double rate_of(const walk *w, rate r)
{
	switch (r) {
	case RECALL:
		return nc_metric_ratio(w->tp, w->yes);
	case PRECISION:
		return nc_metric_ratio(w->tp, w->tp + w->fp);
	default:
		return nc_metric_ratio(w->no - w->fp, w->no);
	}
}

static double best(const double *s, int64_t k, const nacre_loss_options *o, rate what, rate at)
{
	walk w = begin(s, k);
	double best = 0, enough = o->at != 0 ? o->at : 0.5;
	for (int64_t i = w.n - 1; i >= 0; i--) {
		down_to(&w, i);
		/* Keras compares in single precision */
		if ((float)rate_of(&w, at) >= (float)enough)
			best = fmax(best, rate_of(&w, what));
	}
	return best;
}

#define BEST(name, what, at)                                                                       \
	nacre_node *nacre_##name(nacre_node *t, nacre_node *p, const nacre_loss_options *o)        \
	{                                                                                          \
		return histogram(#name, t, p, o, false);                                           \
	}                                                                                          \
	double nc_finish_##name(const double *s, int64_t k, const nacre_loss_options *o)           \
	{                                                                                          \
		return best(s, k, o, what, at);                                                    \
	}
BEST(sensitivity_at_specificity, RECALL, SPECIFICITY)
BEST(specificity_at_sensitivity, SPECIFICITY, RECALL)
BEST(precision_at_recall, PRECISION, RECALL)
BEST(recall_at_precision, RECALL, PRECISION)
