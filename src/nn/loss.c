/* SPDX-License-Identifier: MIT
 *
 * loss.c - losses, metrics, and their table.
 */
#include "nn/loss.h"

#include <stdio.h>
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

#define EPSILON 1e-7 /* Keras's: probabilities are clipped to [EPSILON, 1 - EPSILON] */

static const nacre_loss_options defaults;

static nacre_node *number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}

static nacre_node *one_minus(nacre_node *x)
{
	return nacre_minus(number(x, 1), x);
}

static int64_t last(const nacre_node *x)
{
	return x->rank ? x->shape[x->rank - 1] : 1;
}

static nacre_node *mean_of_last(nacre_node *x)
{
	return nacre_mean(x, NACRE_LAST_AXIS, false);
}

/* As the graph's error; returns false. */
static bool refuse(nacre_node *p, const char *name, const nacre_node *t, const char *wanted)
{
	char a[128], b[128];
	nc_fail(&p->graph->error, NACRE_INVALID, "%s: the target is %s %s, the output %s %s%s%s",
		name, nacre_dtype_name(t->dtype), nc_shape_text(a, t->rank, t->shape),
		nacre_dtype_name(p->dtype), nc_shape_text(b, p->rank, p->shape), wanted ? ": " : "",
		wanted ? wanted : "");
	return false;
}

/* Ranks that differ by a last 1 are made equal: [n] and [n, 1] both as [n, 1], else without it. */
static void match_ranks(nacre_node **t, nacre_node **p)
{
	nacre_node **more = (*t)->rank > (*p)->rank ? t : p, **less = more == t ? p : t;
	if ((*more)->rank != (*less)->rank + 1 || last(*more) != 1)
		return;
	if ((*less)->rank == 1)
		*less = nacre_expand_dims(*less, -1);
	else
		*more = nacre_squeeze(*more, NACRE_LAST_AXIS);
}

/* Makes t and p of one type and shape, or records an error. */
static bool match(const char *name, nacre_node **t, nacre_node **p)
{
	if (!*t || !*p)
		return false;
	if ((*t)->dtype != (*p)->dtype)
		*t = nacre_cast(*t, (*p)->dtype);
	if (*t)
		match_ranks(t, p);
	if (!*t || !*p)
		return false;
	return nc_same_shape(*t, *p) || refuse(*p, name, *t, NULL);
}

/* What went into p if p is the result of op; NULL otherwise. */
static nacre_node *input_of(const nacre_node *p, int op)
{
	return p->op->index == op ? p->in[0] : NULL;
}

/* The logits behind a softmax along the last axis; NULL: p is no such thing. */
static nacre_node *logits_of(const nacre_node *p)
{
	nacre_node *x = input_of(p, NC_OP_softmax);
	return x && ((const nc_attr_axis *)p->attr)->axis == p->rank - 1 ? x : NULL;
}

/* -- cross-entropies --------------------------------------------------------------------------- */
/* log p, by the most exact way there is */
static nacre_node *log_probabilities(nacre_node *p, const nacre_loss_options *o)
{
	nacre_node *x = o->from_logits ? p : logits_of(p);
	if (x)
		return nacre_log_softmax(x);
	p = nacre_divide(p, nacre_sum(p, NACRE_LAST_AXIS, true));
	return nacre_log(nacre_clip(p, EPSILON, 1 - EPSILON));
}

nacre_node *nacre_categorical_crossentropy(nacre_node *t, nacre_node *p,
					   const nacre_loss_options *o)
{
	o = o ? o : &defaults;
	if (!match("categorical_crossentropy", &t, &p))
		return NULL;
	double s = o->label_smoothing;
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / (double)last(p));
	return nacre_neg(
	    nacre_sum(nacre_times(t, log_probabilities(p, o)), NACRE_LAST_AXIS, false));
}

/* Labels as i32 [n, ...] for an output [n, ..., c]; NULL after an error. */
static nacre_node *labels(const char *name, nacre_node *t, nacre_node *p)
{
	if (!t || !p)
		return NULL;
	if (t->rank == p->rank && t->rank > 0 && last(t) == 1)
		t = nacre_squeeze(t, NACRE_LAST_AXIS);
	if (t && t->dtype != NACRE_I32 && t->dtype != NACRE_I64)
		t = nacre_cast(t, NACRE_I32);
	bool fits = t && t->rank == p->rank - 1;
	for (int d = 0; fits && d < t->rank; d++)
		fits = t->shape[d] == p->shape[d];
	if (t && !fits)
		refuse(p, name, t, "expected a label for each row of the output");
	return fits ? t : NULL;
}

nacre_node *nacre_sparse_categorical_crossentropy(nacre_node *t, nacre_node *p,
						  const nacre_loss_options *o)
{
	t = labels("sparse_categorical_crossentropy", t, p);
	if (!t)
		return NULL;
	nacre_node *at = nacre_expand_dims(t, -1);
	nacre_node *l = nacre_take_along_axis(log_probabilities(p, o ? o : &defaults), at, -1);
	return nacre_neg(nacre_squeeze(l, NACRE_LAST_AXIS));
}

/* From the logit x: -t log sigmoid(x) - (1-t) log sigmoid(-x) = t softplus(-x) + (1-t) softplus(x),
 * where nothing cancels. */
nacre_node *nacre_binary_crossentropy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &defaults;
	if (!t || !p)
		return NULL;
	nacre_node *x = o->from_logits ? p : input_of(p, NC_OP_sigmoid);
	nacre_node *q = x ? x : p;
	if (!match("binary_crossentropy", &t, &q))
		return NULL;
	double s = o->label_smoothing;
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / 2);
	if (x)
		return mean_of_last(nacre_plus(nacre_times(t, nacre_softplus(nacre_neg(q))),
					       nacre_times(one_minus(t), nacre_softplus(q))));
	q = nacre_clip(q, EPSILON, 1 - EPSILON);
	return mean_of_last(nacre_neg(nacre_plus(
	    nacre_times(t, nacre_log(q)), nacre_times(one_minus(t), nacre_log(one_minus(q))))));
}

/* -- distances --------------------------------------------------------------------------------- */
nacre_node *nacre_mean_squared_error(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return match("mean_squared_error", &t, &p) ? mean_of_last(nacre_square(nacre_minus(t, p)))
						   : NULL;
}

nacre_node *nacre_mean_absolute_error(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return match("mean_absolute_error", &t, &p) ? mean_of_last(nacre_abs(nacre_minus(t, p)))
						    : NULL;
}

nacre_node *nacre_mse(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return nacre_mean_squared_error(t, p, o);
}

nacre_node *nacre_mae(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	return nacre_mean_absolute_error(t, p, o);
}

nacre_node *nacre_huber(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!match("huber", &t, &p))
		return NULL;
	double delta = o && o->delta != 0 ? o->delta : 1;
	nacre_node *e = nacre_minus(t, p), *a = nacre_abs(e);
	nacre_node *near = nacre_scale(nacre_square(e), 0.5);
	nacre_node *far = nacre_add_number(nacre_scale(a, delta), -0.5 * delta * delta);
	return mean_of_last(nacre_select(nacre_less_equal(a, number(a, delta)), near, far));
}

/* -- accuracies -------------------------------------------------------------------------------- */
nacre_node *nacre_binary_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!match("binary_accuracy", &t, &p))
		return NULL;
	double threshold = o && o->threshold != 0 ? o->threshold : 0.5;
	nacre_node *yes = nacre_cast(nacre_greater(p, number(p, threshold)), p->dtype);
	return mean_of_last(nacre_cast(nacre_equal(yes, t), NACRE_F32));
}

nacre_node *nacre_categorical_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!match("categorical_accuracy", &t, &p))
		return NULL;
	return nacre_cast(nacre_equal(nacre_argmax(t, -1), nacre_argmax(p, -1)), NACRE_F32);
}

nacre_node *nacre_sparse_categorical_accuracy(nacre_node *t, nacre_node *p,
					      const nacre_loss_options *o)
{
	(void)o;
	t = labels("sparse_categorical_accuracy", t, p);
	if (!t)
		return NULL;
	nacre_node *at = nacre_cast(nacre_argmax(p, -1), t->dtype);
	return nacre_cast(nacre_equal(t, at), NACRE_F32);
}

nacre_node *nacre_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!t || !p)
		return NULL;
	if (last(p) == 1 || p->rank < 2)
		return nacre_binary_accuracy(t, p, o);
	if (t->rank < p->rank || last(t) == 1)
		return nacre_sparse_categorical_accuracy(t, p, o);
	return nacre_categorical_accuracy(t, p, o);
}

/* -- the table --------------------------------------------------------------------------------- */
static const nc_loss rows[] = {
	{"categorical_crossentropy", nacre_categorical_crossentropy, NC_TARGET_ONE_HOT},
	{"sparse_categorical_crossentropy", nacre_sparse_categorical_crossentropy,
	 NC_TARGET_LABELS},
	{"binary_crossentropy", nacre_binary_crossentropy, NC_TARGET_NUMBERS},
	{"mean_squared_error", nacre_mean_squared_error, NC_TARGET_NUMBERS},
	{"mse", nacre_mse, NC_TARGET_NUMBERS},
	{"mean_absolute_error", nacre_mean_absolute_error, NC_TARGET_NUMBERS},
	{"mae", nacre_mae, NC_TARGET_NUMBERS},
	{"huber", nacre_huber, NC_TARGET_NUMBERS},
	{"accuracy", nacre_accuracy, NC_TARGET_NUMBERS},
	{"binary_accuracy", nacre_binary_accuracy, NC_TARGET_NUMBERS},
	{"categorical_accuracy", nacre_categorical_accuracy, NC_TARGET_ONE_HOT},
	{"sparse_categorical_accuracy", nacre_sparse_categorical_accuracy, NC_TARGET_LABELS},
};

const nc_loss *nc_loss_at(int i)
{
	return i >= 0 && (size_t)i < sizeof rows / sizeof *rows ? &rows[i] : NULL;
}

const nc_loss *nc_loss_row(nacre_loss_function *function)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].function == function)
			return &rows[i];
	return NULL;
}

nacre_loss_function *nacre_loss_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].function;
	return NULL;
}

const char *nacre_loss_name(nacre_loss_function *function)
{
	const nc_loss *row = nc_loss_row(function);
	return row ? row->name : NULL;
}
