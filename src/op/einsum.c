/* SPDX-License-Identifier: MIT
 *
 * einsum.c - Einstein's sum, composed of one batched matrix product.
 *
 * The letters of two inputs fall into four kinds: batch (in a, b and the result), rows (a and the
 * result), columns (b and the result), inner (a and b alone).  a becomes [batch, rows, inner], b
 * [batch, inner, columns]; letters of one input that are in neither of the others are summed first.
 */
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

typedef struct letters {
	int n;
	char at[2 * NACRE_MAX_RANK + 1]; /* a letter an axis; terminated */
} letters;

typedef struct einsum {
	nacre_graph *graph;
	const char *equation;
	letters in[2], out;
	int64_t size[128]; /* of a letter; -1: in no input */
} einsum;

static bool has(const letters *l, char c)
{
	return c && strchr(l->at, c);
}

static void append(letters *l, char c)
{
	if (l->n < 2 * NACRE_MAX_RANK)
		l->at[l->n++] = c;
	l->at[l->n] = 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* reads the letters up to a character of another kind, which *s then points to */
static bool read_letters(const einsum *e, const char **s, letters *l, const char *where)
{
	for (; is_letter(**s) || **s == ' '; (*s)++) {
		if (**s == ' ')
			continue;
		if (has(l, **s))
			return nc_graph_fail(e->graph, "einsum \"%.80s\": %c is repeated in the %s",
					     e->equation, **s, where);
		if (l->n == NACRE_MAX_RANK)
			return nc_graph_fail(e->graph,
					     "einsum \"%.80s\": more than %d letters in the %s",
					     e->equation, NACRE_MAX_RANK, where);
		append(l, **s);
	}
	return true;
}

static bool parse(einsum *e, int n_in)
{
	const char *s = e->equation;
	if (!read_letters(e, &s, &e->in[0], "first input"))
		return false;
	if (n_in == 2) {
		if (*s != ',')
			return nc_graph_fail(e->graph,
					     "einsum \"%.80s\": a comma expected at \"%.20s\"",
					     e->equation, s);
		s++;
		if (!read_letters(e, &s, &e->in[1], "second input"))
			return false;
	}
	if (strncmp(s, "->", 2) != 0)
		return nc_graph_fail(e->graph, "einsum \"%.80s\": -> expected at \"%.20s\"",
				     e->equation, s);
	s += 2;
	if (!read_letters(e, &s, &e->out, "result"))
		return false;
	if (*s)
		return nc_graph_fail(e->graph, "einsum \"%.80s\": the end expected at \"%.20s\"",
				     e->equation, s);
	return true;
}

/* sizes of the letters of an input; the result's letters must be among them */
static bool measure(einsum *e, int k, const nacre_node *x)
{
	const letters *l = &e->in[k];
	char text[128];
	if (l->n != x->rank)
		return nc_graph_fail(e->graph,
				     "einsum \"%.80s\": %d letters for an input of shape %s",
				     e->equation, l->n, nc_shape_text(text, x->rank, x->shape));
	for (int i = 0; i < l->n; i++) {
		int64_t *size = &e->size[(int)l->at[i]];
		if (*size >= 0 && *size != x->shape[i])
			return nc_graph_fail(e->graph, "einsum \"%.80s\": %c is both %lld and %lld",
					     e->equation, l->at[i], (long long)*size,
					     (long long)x->shape[i]);
		*size = x->shape[i];
	}
	return true;
}

/* sums over the letters of l that are in neither of the others */
static nacre_node *sum_alone(nacre_node *x, letters *l, const letters *other, const letters *out)
{
	unsigned axes = 0;
	letters left = {0};
	for (int i = 0; i < l->n; i++)
		if (has(other, l->at[i]) || has(out, l->at[i]))
			append(&left, l->at[i]);
		else
			axes |= NACRE_AXIS(i);
	*l = left;
	return axes ? nacre_sum(x, axes, false) : x;
}

/* x, whose axes are l, with its axes in the order of `to` */
static nacre_node *arrange(nacre_node *x, const letters *l, const letters *to)
{
	int order[NACRE_MAX_RANK] = {0};
	for (int i = 0; i < to->n && i < NACRE_MAX_RANK; i++)
		order[i] = (int)(strchr(l->at, to->at[i]) - l->at);
	return nacre_transpose(x, order);
}

static letters join(const letters *a, const letters *b, const letters *c)
{
	letters l = *a;
	for (int i = 0; i < b->n; i++)
		append(&l, b->at[i]);
	for (int i = 0; i < c->n; i++)
		append(&l, c->at[i]);
	return l;
}

static int64_t product(const einsum *e, const letters *l)
{
	int64_t p = 1;
	for (int i = 0; i < l->n; i++)
		p *= e->size[(int)l->at[i]];
	return p;
}

/* x as [batch, first, second]; *swapped: it lies as [batch, second, first] already, left so */
static nacre_node *matrix(const einsum *e, nacre_node *x, const letters *l, const letters *batch,
			  const letters *first, const letters *second, bool *swapped)
{
	letters straight = join(batch, first, second), crossed = join(batch, second, first);
	*swapped = strcmp(l->at, straight.at) != 0 && strcmp(l->at, crossed.at) == 0;
	int64_t m = product(e, first), n = product(e, second);
	int64_t shape[3] = {product(e, batch), *swapped ? n : m, *swapped ? m : n};
	x = arrange(x, l, *swapped ? &crossed : &straight);
	return batch->n ? nacre_reshape(x, 3, shape) : nacre_reshape(x, 2, shape + 1);
}

static nacre_node *two(einsum *e, nacre_node *a, nacre_node *b)
{
	letters *la = &e->in[0], *lb = &e->in[1], batch = {0}, rows = {0}, columns = {0},
		inner = {0};
	a = sum_alone(a, la, lb, &e->out);
	b = sum_alone(b, lb, la, &e->out);
	for (int i = 0; i < la->n; i++) {
		char c = la->at[i];
		append(!has(lb, c) ? &rows : has(&e->out, c) ? &batch : &inner, c);
	}
	for (int i = 0; i < lb->n; i++)
		if (!has(la, lb->at[i]))
			append(&columns, lb->at[i]);
	bool ta, tb;
	nacre_node *ma = matrix(e, a, la, &batch, &rows, &inner, &ta);
	nacre_node *mb = matrix(e, b, lb, &batch, &inner, &columns, &tb);
	nacre_node *y = nacre_matmul_transposed(ma, mb, ta, tb);
	letters order = join(&batch, &rows, &columns);
	int64_t shape[2 * NACRE_MAX_RANK];
	for (int i = 0; i < order.n; i++)
		shape[i] = e->size[(int)order.at[i]];
	return arrange(nacre_reshape(y, order.n, shape), &order, &e->out);
}

nacre_node *nacre_einsum(const char *equation, nacre_node *a, nacre_node *b)
{
	nacre_node *in[2] = {a, b};
	if (!a || a->graph->error.status)
		return NULL;
	einsum e = {.graph = a->graph, .equation = equation};
	if (!equation)
		return nc_graph_fail(a->graph, "einsum: the equation is NULL");
	if (b && b->graph != a->graph)
		return nc_graph_fail(
			a->graph, "einsum \"%.80s\": the inputs are nodes of two graphs", equation);
	int n_in = b ? 2 : 1;
	for (int i = 0; i < 128; i++)
		e.size[i] = -1;
	if (!parse(&e, n_in))
		return NULL;
	for (int k = 0; k < n_in; k++)
		if (!measure(&e, k, in[k]))
			return NULL;
	for (int i = 0; i < e.out.n; i++)
		if (e.size[(int)e.out.at[i]] < 0)
			return nc_graph_fail(a->graph, "einsum \"%.80s\": %c is in no input",
					     equation, e.out.at[i]);
	if (b)
		return two(&e, a, b);
	nacre_node *y = sum_alone(a, &e.in[0], &e.in[1], &e.out);
	return arrange(y, &e.in[0], &e.out);
}
