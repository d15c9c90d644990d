/* SPDX-License-Identifier: MIT
 *
 * loss.c - cross-entropies, squares and absolute values, and the table of losses and metrics.
 */
#include "nn/loss.h"

#include <stdio.h>
#include <string.h>

#include "op/table.h"

const nacre_loss_options nc_loss_defaults;

static nacre_node *one_minus(nacre_node *x)
{
	return nacre_minus(nc_number(x, 1), x);
}

static nacre_node *mean_of_last(nacre_node *x)
{
	return nacre_mean(x, NACRE_LAST_AXIS, false);
}

nacre_node *nc_loss_refuse(const char *name, const nacre_node *t, nacre_node *p, const char *wanted)
{
	char a[128], b[128];
	nc_fail(&p->graph->error, NACRE_INVALID, "%s: the target is %s %s, the output %s %s%s%s",
		name, nacre_dtype_name(t->dtype), nc_shape_text(a, t->rank, t->shape),
		nacre_dtype_name(p->dtype), nc_shape_text(b, p->rank, p->shape), wanted ? ": " : "",
		wanted ? wanted : "");
	return NULL;
}

/* Ranks that differ by a last 1 are made equal: [n] and [n, 1] both as [n, 1], else without it. */
static void match_ranks(nacre_node **t, nacre_node **p)
{
	nacre_node **more = (*t)->rank > (*p)->rank ? t : p, **less = more == t ? p : t;
	if ((*more)->rank != (*less)->rank + 1 || nc_last(*more) != 1)
		return;
	if ((*less)->rank == 1)
		*less = nacre_expand_dims(*less, -1);
	else
		*more = nacre_squeeze(*more, NACRE_LAST_AXIS);
}

bool nc_loss_match(const char *name, nacre_node **t, nacre_node **p)
{
	if (!*t || !*p)
		return false;
	if ((*t)->dtype != (*p)->dtype)
		*t = nacre_cast(*t, (*p)->dtype);
	if (*t)
		match_ranks(t, p);
	if (!*t || !*p)
		return false;
	return nc_same_shape(*t, *p) || nc_loss_refuse(name, *t, *p, NULL);
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
	return nacre_log(nacre_clip(p, NC_EPSILON, 1 - NC_EPSILON));
}

nacre_node *nacre_categorical_crossentropy(nacre_node *t, nacre_node *p,
					   const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!nc_loss_match("categorical_crossentropy", &t, &p))
		return NULL;
	double s = o->label_smoothing;
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / (double)nc_last(p));
	return nacre_neg(
	    nacre_sum(nacre_times(t, log_probabilities(p, o)), NACRE_LAST_AXIS, false));
}

nacre_node *nc_loss_labels(const char *name, nacre_node *t, nacre_node *p)
{
	if (!t || !p)
		return NULL;
	if (t->rank == p->rank && t->rank > 0 && nc_last(t) == 1)
		t = nacre_squeeze(t, NACRE_LAST_AXIS);
	if (t && t->dtype != NACRE_I32 && t->dtype != NACRE_I64)
		t = nacre_cast(t, NACRE_I32);
	bool fits = t && t->rank == p->rank - 1;
	for (int d = 0; fits && d < t->rank; d++)
		fits = t->shape[d] == p->shape[d];
	if (t && !fits)
		nc_loss_refuse(name, t, p, "expected a label for each row of the output");
	return fits ? t : NULL;
}

/* bool: which labels are not of the class to ignore; NULL: all count */
static nacre_node *counting(nacre_node *labels, const nacre_loss_options *o)
{
	int class = o ? o->ignore_class : 0;
	if (!labels || class == 0)
		return NULL;
	return nacre_not_equal(labels, nc_number(labels, nc_class(class)));
}

nacre_node *nacre_sparse_categorical_crossentropy(nacre_node *t, nacre_node *p,
						  const nacre_loss_options *o)
{
	t = nc_loss_labels("sparse_categorical_crossentropy", t, p);
	if (!t)
		return NULL;
	nacre_node *counts = counting(t, o);
	if (counts) /* 0 is a class that there is */
		t = nacre_select(counts, t, nc_number(t, 0));
	nacre_node *at = nacre_expand_dims(t, -1);
	nacre_node *l =
	    nacre_take_along_axis(log_probabilities(p, o ? o : &nc_loss_defaults), at, -1);
	l = nacre_neg(nacre_squeeze(l, NACRE_LAST_AXIS));
	return counts ? nacre_select(counts, l, nc_number(l, 0)) : l;
}

nacre_node *nc_ignore_mask(nacre_node *t, nacre_node *p, nacre_node *v, const nacre_loss_options *o)
{
	(void)v;
	if (!o || o->ignore_class == 0)
		return NULL;
	return counting(nc_loss_labels("sparse_categorical_crossentropy", t, p), o);
}

/* From the logit x: -t log sigmoid(x) - (1-t) log sigmoid(-x) = t softplus(-x) + (1-t) softplus(x),
 * where nothing cancels. */
nacre_node *nacre_binary_crossentropy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	o = o ? o : &nc_loss_defaults;
	if (!t || !p)
		return NULL;
	nacre_node *x = o->from_logits ? p : input_of(p, NC_OP_sigmoid);
	nacre_node *q = x ? x : p;
	if (!nc_loss_match("binary_crossentropy", &t, &q))
		return NULL;
	double s = o->label_smoothing;
	if (s != 0)
		t = nacre_add_number(nacre_scale(t, 1 - s), s / 2);
	if (x)
		return mean_of_last(nacre_plus(nacre_times(t, nacre_softplus(nacre_neg(q))),
					       nacre_times(one_minus(t), nacre_softplus(q))));
	q = nacre_clip(q, NC_EPSILON, 1 - NC_EPSILON);
	return mean_of_last(nacre_neg(nacre_plus(
	    nacre_times(t, nacre_log(q)), nacre_times(one_minus(t), nacre_log(one_minus(q))))));
}

/* -- distances --------------------------------------------------------------------------------- */
nacre_node *nacre_mean_squared_error(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return nc_loss_match("mean_squared_error", &t, &p)
		   ? mean_of_last(nacre_square(nacre_minus(t, p)))
		   : NULL;
}

nacre_node *nacre_mean_absolute_error(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	return nc_loss_match("mean_absolute_error", &t, &p)
		   ? mean_of_last(nacre_abs(nacre_minus(t, p)))
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
	if (!nc_loss_match("huber", &t, &p))
		return NULL;
	double delta = o && o->delta != 0 ? o->delta : 1;
	nacre_node *e = nacre_minus(t, p), *a = nacre_abs(e);
	nacre_node *near = nacre_scale(nacre_square(e), 0.5);
	nacre_node *far = nacre_add_number(nacre_scale(a, delta), -0.5 * delta * delta);
	return mean_of_last(nacre_select(nacre_less_equal(a, nc_number(a, delta)), near, far));
}

/* -- the table --------------------------------------------------------------------------------- */
static const nc_loss rows[] = {
#define LOSS(name, function, targets, keras, finish, mask)                                         \
	{name, nacre_##function, NC_TARGET_##targets, keras, finish, mask},
#include "nn/loss.def"
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
