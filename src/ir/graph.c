/* SPDX-License-Identifier: MIT
 *
 * graph.c - graphs and nodes: making them, reading them, checking them.
 *
 * Everything that a graph holds lies in its arena, but for the array of nodes.  The first error
 * stays; after it nothing more is made.
 */
#include <stdio.h>
#include <string.h>

#include "ir/ir.h"

nacre_graph *nacre_graph_new(nacre_runtime *runtime)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		return NULL;
	nacre_graph *g = nc_zero_alloc(nc_runtime_memory(rt), sizeof(*g));
	if (!g)
		return NULL;
	g->runtime = rt;
	nc_arena_init(&g->arena, nc_runtime_memory(rt));
	return g;
}

void nacre_graph_free(nacre_graph *g)
{
	if (!g)
		return;
	nc_memory *m = nc_runtime_memory(g->runtime);
	nc_free(m, g->node, (size_t)g->capacity * sizeof(*g->node));
	nc_arena_free(&g->arena);
	nc_free(m, g, sizeof(*g));
}

const nacre_error *nacre_graph_error(const nacre_graph *g)
{
	static const nacre_error none = {NACRE_NO_MEMORY, "out of memory (no graph)"};
	return g ? &g->error : &none;
}

nacre_dtype nacre_node_dtype(const nacre_node *n)
{
	return n ? n->dtype : NACRE_F32;
}

int nacre_node_rank(const nacre_node *n)
{
	return n ? n->rank : 0;
}

const int64_t *nacre_node_shape(const nacre_node *n)
{
	return n ? n->shape : NULL;
}

nacre_graph *nacre_node_graph(const nacre_node *n)
{
	return n ? n->graph : NULL;
}

void nacre_node_set_name(nacre_node *n, const char *name)
{
	if (!n)
		return;
	char *copy = nc_arena_string(&n->graph->arena, name);
	if (name && !copy)
		nc_no_memory(&n->graph->error, strlen(name) + 1);
	else
		n->name = copy;
}

nacre_graph *nc_graph_of(int n, nacre_node *const *in)
{
	for (int i = 0; i < n; i++)
		if (in[i])
			return in[i]->graph;
	return NULL;
}

bool nc_node_fail(nacre_node *n, const char *format, ...)
{
	if (n->graph->error.status)
		return false;
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n->name)
		nc_fail(&n->graph->error, NACRE_INVALID, "%s \"%.80s\": %s", n->op->name, n->name,
			text);
	else
		nc_fail(&n->graph->error, NACRE_INVALID, "%s: %s", n->op->name, text);
	return false;
}

nacre_node *nc_graph_fail(nacre_graph *g, const char *format, ...)
{
	if (!g)
		return NULL;
	va_list args;
	va_start(args, format);
	nc_failv(&g->error, NACRE_INVALID, format, args);
	va_end(args);
	return NULL;
}

static bool inputs_fit(nacre_graph *g, const nc_op *op, int n_in, nacre_node *const *in)
{
	if (n_in < op->min_in || n_in > op->max_in)
		return nc_graph_fail(g, "%s: %d inputs expected, got %d", op->name,
				     n_in < op->min_in ? op->min_in : op->max_in, n_in);
	for (int i = 0; i < n_in; i++) {
		if (!in[i])
			return nc_graph_fail(g, "%s: input %d is NULL", op->name, i);
		if (in[i]->graph != g)
			return nc_graph_fail(g, "%s: input %d is a node of another graph", op->name,
					     i);
		if (in[i]->op->flags & NC_OP_EFFECT)
			return nc_graph_fail(g, "%s: input %d is an effect (%s), not a value",
					     op->name, i, in[i]->op->name);
	}
	return true;
}

/* Every size in bytes, also of the value as doubles, fits in an int64. */
static bool size_fits(nacre_node *y)
{
	char text[128];
	int64_t size, bytes;
	if (!nc_shape_size(y->rank, y->shape, &size) || !nc_mul_i64(size, 8, &bytes))
		return nc_node_fail(y, "a value of shape %s is too large",
				    nc_shape_text(text, y->rank, y->shape));
	return true;
}

static bool append(nacre_graph *g, nacre_node *y)
{
	if (g->n == g->capacity) {
		int capacity = g->capacity ? 2 * g->capacity : 64;
		size_t bytes = (size_t)capacity * sizeof(*g->node);
		nacre_node **node = NULL;
		if (g->capacity <= INT32_MAX / 4)
			node = nc_realloc(nc_runtime_memory(g->runtime), g->node,
					  (size_t)g->capacity * sizeof(*g->node), bytes);
		if (!node) {
			nc_no_memory(&g->error, bytes);
			return false;
		}
		g->node = node;
		g->capacity = capacity;
	}
	y->id = g->n;
	g->node[g->n++] = y;
	return true;
}

nacre_node *nc_node_new(nacre_graph *g, const nc_op *op, int n_in, nacre_node *const *in,
			const void *attr)
{
	if (!g || g->error.status || !inputs_fit(g, op, n_in, in))
		return NULL;
	size_t in_bytes = (size_t)n_in * sizeof(*in);
	nacre_node *y = nc_arena_alloc(&g->arena, sizeof(*y));
	nacre_node **inputs = n_in ? nc_arena_copy(&g->arena, in, in_bytes) : NULL;
	void *attributes = NULL;
	if (op->attr_size)
		attributes = attr ? nc_arena_copy(&g->arena, attr, op->attr_size)
				  : nc_arena_alloc(&g->arena, op->attr_size);
	if (!y || (n_in && !inputs) || (op->attr_size && !attributes)) {
		nc_no_memory(&g->error, sizeof(*y) + in_bytes + op->attr_size);
		return NULL;
	}
	y->graph = g;
	y->op = op;
	y->n_in = n_in;
	y->in = inputs;
	y->attr = attributes;
	return op->infer(y) && size_fits(y) && append(g, y) ? y : NULL;
}

static bool broken(nacre_graph *g, const nacre_node *n, const char *what)
{
	nc_fail(&g->error, NACRE_FAILED, "graph check: node %%%d (%s) %s", n->id, n->op->name,
		what);
	return false;
}

static bool check_node(nacre_graph *g, int i)
{
	nacre_node *n = g->node[i];
	if (n->id != i || n->graph != g)
		return broken(g, n, "is not where its number says");
	if (n->n_in < n->op->min_in || n->n_in > n->op->max_in)
		return broken(g, n, "has a wrong number of inputs");
	for (int k = 0; k < n->n_in; k++) {
		const nacre_node *x = n->in[k];
		if (!x || x->graph != g || x->id < 0 || x->id >= i || g->node[x->id] != x)
			return broken(g, n, "has an input that does not come before it");
		if (x->op->flags & NC_OP_EFFECT)
			return broken(g, n, "has an effect as input");
	}
	if ((n->attr != NULL) != (n->op->attr_size > 0))
		return broken(g, n, "has wrong attributes");
	nacre_node again = *n;
	again.rank = 0;
	again.dtype = NACRE_F32;
	memset(again.shape, 0, sizeof(again.shape));
	if (!n->op->infer(&again))
		return false;
	if (again.dtype != n->dtype || !nc_same_shape(&again, n))
		return broken(g, n, "has another type or shape than its rule gives");
	return true;
}

bool nc_graph_check(nacre_graph *g)
{
	if (g->error.status)
		return false;
	for (int i = 0; i < g->n; i++)
		if (!check_node(g, i))
			return false;
	return true;
}
