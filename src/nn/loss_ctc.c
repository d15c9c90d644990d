/* SPDX-License-Identifier: MIT
 *
 * loss_ctc.c - connectionist temporal classification (Graves and others, 2006).
 *
 * The labels with blanks between, before and after them make s = 2 l + 1 places.  a[n, s], the
 * logarithm of the probability of all ways to be at place s after the steps so far, is carried
 * through the steps: from the place itself, the one before, and the one before that if it is
 * another label.  The answer is the sum of the last label and the blank after it.
 */
#include "nn/loss.h"

#define NEVER (-1e5) /* Keras's logarithm of 0 */

typedef struct ctc {
	int64_t n, steps, labels, places;
	nacre_node *emit; /* log p of the symbol of each place: [n, t, s] */
	nacre_node
	    *skip; /* 0 where a place may be reached from two before it, else NEVER: [n, s] */
} ctc;

/* [n, l] and a row of other numbers: other, label, other, label ..., other */
static nacre_node *between(const ctc *c, nacre_node *labels, double other)
{
	nacre_node *x =
	    nacre_pad(labels, (int64_t[]){0, 1}, (int64_t[]){0, 1}, (int64_t[]){0, 1}, other);
	return c->labels ? x : NULL;
}

/* one step later: b[s] = log(e^a[s] + e^a[s-1] + e^(a[s-2] + skip)) */
static nacre_node *move(const ctc *c, nacre_node *a)
{
	nacre_node *one = nacre_slice_axis(a, 1, 0, c->places - 1);
	nacre_node *two = nacre_slice_axis(a, 1, 0, c->places - 2);
	one = nacre_pad(one, (int64_t[]){0, 1}, (int64_t[]){0, 0}, NULL, NEVER);
	two = nacre_pad(two, (int64_t[]){0, 2}, (int64_t[]){0, 0}, NULL, NEVER);
	nacre_node *ways[] = {a, one, nacre_plus(two, c->skip)};
	return nacre_logsumexp(nacre_stack(3, ways, 2), NACRE_LAST_AXIS, false);
}

static nacre_node *emitted(const ctc *c, int64_t t)
{
	return nacre_squeeze(nacre_slice_axis(c->emit, 1, t, t + 1), NACRE_AXIS(1));
}

/* A place of odd number holds a label; two before it stands the previous one. */
static nacre_node *skips(const ctc *c, nacre_node *t)
{
	nacre_node *first = nacre_slice_axis(t, 1, 0, 1);
	nacre_node *before = nacre_slice_axis(t, 1, 0, c->labels - 1);
	nacre_node *parts[] = {first, before};
	nacre_node *same = nacre_equal(t, nacre_concat(2, parts, 1));
	nacre_node *x = nacre_scale(nacre_cast(same, NACRE_F32), NEVER);
	return between(c, x, NEVER);
}

nacre_node *nacre_ctc(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!t || !p)
		return NULL;
	if (p->rank != 3 || t->rank != 2 || t->shape[0] != p->shape[0] || t->shape[1] < 1 ||
	    p->shape[1] < 1)
		return nc_loss_refuse("ctc", t, p, "expected [n, labels] and [n, steps, classes]");
	if (t->dtype != NACRE_I32)
		t = nacre_cast(t, NACRE_I32);
	ctc c = {p->shape[0], p->shape[1], t->shape[1], 2 * t->shape[1] + 1, NULL, NULL};
	nacre_node *symbols = between(&c, t, 0);
	int64_t shape[] = {c.n, c.steps, c.places};
	nacre_node *index = nacre_broadcast(nacre_expand_dims(symbols, 1), 3, shape);
	c.emit = nacre_take_along_axis(nacre_log_softmax(p), index, -1);
	c.skip = skips(&c, t);
	/* before the first step: as if at place -1, from which 0 and 1 are reached */
	nacre_node *start = nacre_arange(p->graph, NACRE_F32, c.places, 0, 1);
	start = nacre_select(nacre_less(start, nc_number(start, 1.5)), nc_number(start, 0),
			     nc_number(start, NEVER));
	nacre_node *a = nacre_plus(emitted(&c, 0), start);
	for (int64_t i = 1; i < c.steps && a; i++)
		a = nacre_plus(move(&c, a), emitted(&c, i));
	/* the places 2 k - 1 and 2 k, k the number of labels */
	nacre_node *used = nacre_cast(nacre_not_equal(t, nc_number(t, 0)), NACRE_F32);
	nacre_node *k = nacre_scale(nacre_sum(used, NACRE_LAST_AXIS, true), 2);
	nacre_node *place = nacre_arange(p->graph, NACRE_F32, c.places, 0, 1);
	nacre_node *off = nacre_minus(k, place);
	nacre_node *last = nacre_logical_and(nacre_greater(off, nc_number(off, -0.5)),
					     nacre_less(off, nc_number(off, 1.5)));
	a = nacre_select(last, a, nc_number(a, NEVER * 10));
	return nacre_neg(nacre_logsumexp(a, NACRE_LAST_AXIS, false));
}
