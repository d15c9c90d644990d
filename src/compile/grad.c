/* SPDX-License-Identifier: MIT
 *
 * grad.c - reverse-mode differentiation, from graph to graph.
 *
 * Nodes are walked from the loss down; a node's gradient is complete when it is reached, for all
 * its users have higher numbers.  Its op's rule then emits the gradients of its inputs, which are
 * added up.  Only nodes between the wanted ones and the loss take part.
 */
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

typedef struct walk {
	nacre_graph *graph;
	int n;              /* nodes up to the loss */
	bool *active;       /* [n]: lies between a wanted node and the loss */
	nacre_node **total; /* [n]: the gradient so far */
	int max_in;
	nacre_node **dx; /* [max_in] */
} walk;

static size_t bytes_of(const walk *w)
{
	return (size_t)w->n * (sizeof(*w->total) + sizeof(*w->active)) +
	       (size_t)w->max_in * sizeof(*w->dx);
}

/* one block for the three arrays */
static bool walk_init(walk *w, nacre_node *loss)
{
	w->graph = loss->graph;
	w->n = loss->id + 1;
	w->max_in = 0;
	for (int i = 0; i < w->n; i++)
		if (w->graph->node[i]->n_in > w->max_in)
			w->max_in = w->graph->node[i]->n_in;
	w->total = nc_zero_alloc(nc_runtime_memory(w->graph->runtime), bytes_of(w));
	if (!w->total) {
		nc_no_memory(&w->graph->error, bytes_of(w));
		return false;
	}
	w->dx = w->total + w->n;
	w->active = (bool *)(w->dx + w->max_in);
	return true;
}

static void mark(walk *w, int n, nacre_node *const *wrt)
{
	for (int i = 0; i < n; i++)
		if (wrt[i]->id < w->n)
			w->active[wrt[i]->id] = true;
	for (int i = 0; i < w->n; i++) {
		const nacre_node *y = w->graph->node[i];
		if (!y->op->grad || y->op->flags & NC_OP_NO_GRADIENT ||
		    !nc_dtype_is_float(y->dtype))
			continue;
		for (int k = 0; k < y->n_in && !w->active[i]; k++)
			w->active[i] = w->active[y->in[k]->id];
	}
}

static void push(walk *w, nacre_node *y)
{
	nacre_node *dy = w->total[y->id];
	if (!dy || !w->active[y->id] || !y->op->grad || y->op->flags & NC_OP_NO_GRADIENT)
		return;
	bool needed = false;
	for (int k = 0; k < y->n_in; k++)
		needed |= w->active[y->in[k]->id];
	if (!needed)
		return;
	memset(w->dx, 0, (size_t)w->max_in * sizeof(*w->dx));
	y->op->grad(y, dy, w->dx);
	for (int k = 0; k < y->n_in; k++) {
		int to = y->in[k]->id;
		if (!w->dx[k] || !w->active[to])
			continue;
		w->total[to] = w->total[to] ? nacre_plus(w->total[to], w->dx[k]) : w->dx[k];
	}
}

static nacre_node *fill_like(nacre_node *x, double value)
{
	return nacre_fill(x->graph, x->dtype, x->rank, x->shape, value);
}

static bool arguments_fit(nacre_node *loss, int n, nacre_node *const *wrt)
{
	nacre_graph *g = loss->graph;
	if (loss->op->flags & NC_OP_EFFECT)
		return nc_graph_fail(g, "grad: the loss is an effect (%s), not a value",
				     loss->op->name);
	if (!nc_dtype_is_float(loss->dtype))
		return nc_graph_fail(g, "grad: a loss of floating-point numbers expected, got %s",
				     nacre_dtype_name(loss->dtype));
	for (int i = 0; i < n; i++) {
		if (!wrt[i])
			return nc_graph_fail(g, "grad: wrt[%d] is NULL", i);
		if (wrt[i]->graph != g)
			return nc_graph_fail(g, "grad: wrt[%d] is a node of another graph", i);
		if (!nc_dtype_is_float(wrt[i]->dtype) || wrt[i]->op->flags & NC_OP_EFFECT)
			return nc_graph_fail(g, "grad: wrt[%d] (%s of %s) has no gradient", i,
					     wrt[i]->op->name, nacre_dtype_name(wrt[i]->dtype));
	}
	return true;
}

static nacre_status give_none(const nacre_graph *g, int n, nacre_node **gradient)
{
	for (int i = 0; gradient && i < n; i++)
		gradient[i] = NULL;
	return g ? g->error.status : NACRE_INVALID;
}

/* wrt and gradient may be the same array */
nacre_status nacre_grad(nacre_node *loss, int n, nacre_node *const *wrt, nacre_node **gradient)
{
	nacre_graph *g = loss ? loss->graph : NULL;
	if (n < 0 || (n && (!wrt || !gradient)))
		nc_graph_fail(g, "grad: %d wanted nodes without an array", n);
	walk w;
	if (!g || g->error.status || !arguments_fit(loss, n, wrt) || !walk_init(&w, loss))
		return give_none(g, n, gradient);
	mark(&w, n, wrt);
	w.total[loss->id] = fill_like(loss, 1);
	for (int i = loss->id; i >= 0 && !g->error.status; i--)
		push(&w, g->node[i]);
	for (int i = 0; i < n; i++) {
		nacre_node *d = wrt[i]->id < w.n ? w.total[wrt[i]->id] : NULL;
		gradient[i] = d ? d : fill_like(wrt[i], 0);
	}
	nc_free(nc_runtime_memory(g->runtime), w.total, bytes_of(&w));
	return g->error.status ? give_none(g, n, gradient) : NACRE_OK;
}
