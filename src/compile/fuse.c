/* SPDX-License-Identifier: MIT
 *
 * fuse.c - which nodes one kernel call computes.
 *
 * From the last node to the first: an elementwise node that is in no group yet starts one and draws
 * in the producers of its members, as long as the backend can compute the whole in one step and no
 * path leaves the group and comes back.  A product (of matrices, or a convolution) all of whose
 * uses are members becomes the group's anchor: the rest is its epilogue.  An optimizer's update
 * whose gradient is a product that nothing else needs becomes that product's epilogue.  Last, sums
 * of what an elementwise group computes join it.
 */
#include <string.h>

#include "compile/backend.h"
#include "compile/compile.h"

bool nc_find_users(nc_compile *c)
{
	size_t n = (size_t)c->graph->n, edges = 0;
	for (int i = 0; i < c->graph->n; i++)
		edges += (size_t)c->graph->node[i]->n_in;
	c->users = nc_arena_alloc(&c->arena, (n + 1) * sizeof *c->users);
	c->edge = nc_arena_alloc(&c->arena, (edges + 1) * sizeof *c->edge);
	c->is_output = nc_arena_alloc(&c->arena, n + 1);
	if (!c->users || !c->edge || !c->is_output)
		return nc_fail_memory(c);
	int k = 0;
	for (int i = 0; i < c->graph->n; i++)
		c->users[i] = -1;
	for (int i = 0; i < c->graph->n; i++)
		for (int j = 0; j < c->graph->node[i]->n_in; j++) {
			int from = c->graph->node[i]->in[j]->id;
			c->edge[k] = (struct nc_edge){c->graph->node[i], c->users[from]};
			c->users[from] = k++;
		}
	for (int i = 0; i < c->n_outputs; i++)
		c->is_output[c->output[i]->id] = true;
	return true;
}

bool nc_only_used_in(const nc_compile *c, const nacre_node *n, int group)
{
	if (c->is_output[n->id])
		return false;
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next)
		if (c->group_of[c->edge[e].user->id] != group)
			return false;
	return true;
}

static nc_group *new_group(nc_compile *c, nacre_node *n)
{
	nc_group *g = &c->group[c->n_groups];
	*g = (nc_group){.capacity = 4};
	g->node = nc_arena_alloc(&c->arena, 4 * sizeof *g->node);
	if (!g->node)
		return NULL;
	g->node[g->n++] = n;
	c->group_of[n->id] = c->n_groups++;
	return g;
}

/* members stay in the order of their ids */
static bool insert(nc_compile *c, nc_group *g, nacre_node *n)
{
	if (g->n == g->capacity) {
		nacre_node **more =
		    nc_arena_alloc(&c->arena, 2 * (size_t)g->capacity * sizeof *more);
		if (!more)
			return false;
		memcpy(more, g->node, (size_t)g->n * sizeof *more);
		g->node = more;
		g->capacity *= 2;
	}
	int i = g->n++;
	for (; i > 0 && g->node[i - 1]->id > n->id; i--)
		g->node[i] = g->node[i - 1];
	g->node[i] = n;
	c->group_of[n->id] = (int)(g - c->group);
	return true;
}
static void remove_member(nc_compile *c, nc_group *g, nacre_node *n)
{
	int i = 0;
	while (g->node[i] != n)
		i++;
	memmove(g->node + i, g->node + i + 1, (size_t)(--g->n - i) * sizeof *g->node);
	c->group_of[n->id] = -1;
}

/* A walk from nodes to what they depend on.  Whole groups run at once: to pass one member of a
 * group is to pass all of them. */
typedef struct search {
	nc_compile *c;
	int *seen; /* per node: the last search that came by */
	int serial;
	const nacre_node **stack;
	int n;
} search;

static void push(search *s, const nacre_node *n)
{
	if (s->seen[n->id] == s->serial)
		return;
	s->seen[n->id] = s->serial;
	s->stack[s->n++] = n;
}
static void push_inputs(search *s, const nacre_node *n, int but)
{
	for (int j = 0; j < n->n_in; j++)
		if (but < 0 || s->c->group_of[n->in[j]->id] != but)
			push(s, n->in[j]);
}

/* Do the pushed nodes depend on the target, or are it?  (NULL: on any member of the group `inside`)
 * Members of that group are passed one by one. */
static bool reaches(search *s, const nacre_node *target, int inside)
{
	while (s->n > 0) {
		const nacre_node *n = s->stack[--s->n];
		int group = s->c->group_of[n->id];
		if (target ? n == target : group == inside)
			return true;
		if (group < 0 || group == inside) {
			push_inputs(s, n, -1);
			continue;
		}
		const nc_group *g = &s->c->group[group];
		for (int i = 0; i < g->n; i++) {
			s->seen[g->node[i]->id] = s->serial;
			push_inputs(s, g->node[i], group);
		}
	}
	return false;
}

static void start(search *s)
{
	s->serial++;
	s->n = 0;
}

/* Is there a path n -> outside -> g?  What members read of n itself counts too if `directly`. */
static bool makes_cycle(search *s, const nc_group *g, const nacre_node *n, bool directly)
{
	int inside = (int)(g - s->c->group);
	start(s);
	for (int i = 0; i < g->n; i++)
		for (int j = 0; j < g->node[i]->n_in; j++)
			if ((directly || g->node[i]->in[j] != n) &&
			    s->c->group_of[g->node[i]->in[j]->id] != inside)
				push(s, g->node[i]->in[j]);
	return reaches(s, n, inside);
}

/* Members other than the anchor work on its tiles: it cannot need n, or (NULL) any member of g. */
static bool needed_by_anchor(search *s, const nc_group *g, const nacre_node *anchor,
			     const nacre_node *n)
{
	start(s);
	push_inputs(s, anchor, -1);
	return reaches(s, n, (int)(g - s->c->group));
}

static bool wanted(nc_compile *c, nc_group *g, nacre_node *p, search *s)
{
	if (c->group_of[p->id] >= 0 || g->anchor == p)
		return false;
	bool inner = nc_only_used_in(c, p, (int)(g - c->group));
	bool product = nc_is_product(p) && !g->anchor && inner;
	if (!product && !c->backend->elementwise(p))
		return false;
	if (product && needed_by_anchor(s, g, p, NULL))
		return false;
	if (g->anchor && p->id < g->anchor->id && needed_by_anchor(s, g, g->anchor, p))
		return false;
	return inner || !makes_cycle(s, g, p, false);
}

/* Draws producers into g until none fits. */
static bool grow(nc_compile *c, nc_group *g, search *s)
{
	for (bool again = true; again;) {
		again = false;
		for (int i = g->n - 1; i >= 0 && !again; i--)
			for (int j = 0; j < g->node[i]->n_in && !again; j++) {
				nacre_node *p = g->node[i]->in[j];
				if (g->node[i] == g->anchor || !wanted(c, g, p, s))
					continue;
				nacre_node *anchor = g->anchor;
				if (!insert(c, g, p))
					return nc_fail_memory(c);
				if (nc_is_product(p))
					g->anchor = p;
				if (c->backend->accepts(c, g)) {
					again = true;
				} else {
					remove_member(c, g, p);
					g->anchor = anchor;
				}
			}
	}
	return true;
}

/* an update whose gradient (its last input but one, the rate being the last) is only used there */
static bool fuse_update(nc_compile *c, nc_group *g)
{
	nacre_node *u = g->node[0], *gradient = u->n_in >= 2 ? u->in[u->n_in - 2] : NULL;
	if (!gradient || !nc_is(gradient, NC_OP_matmul) || c->group_of[gradient->id] >= 0 ||
	    !nc_only_used_in(c, gradient, (int)(g - c->group)))
		return true;
	if (!insert(c, g, gradient))
		return nc_fail_memory(c);
	g->anchor = gradient;
	g->effect = u;
	if (!c->backend->accepts(c, g)) {
		remove_member(c, g, gradient);
		g->anchor = g->effect = NULL;
	}
	return true;
}

/* A sum of what an elementwise group computes is taken on the way. */
static bool join_sum(nc_compile *c, nacre_node *sum, search *s)
{
	int into = c->group_of[sum->in[0]->id];
	nc_group *g = into < 0 ? NULL : &c->group[into];
	if (g && !g->anchor && c->backend->elementwise(g->node[0]) &&
	    !makes_cycle(s, g, sum, true)) {
		if (!insert(c, g, sum))
			return nc_fail_memory(c);
		if (c->backend->accepts(c, g))
			return true;
		remove_member(c, g, sum);
	}
	return new_group(c, sum) || nc_fail_memory(c);
}

bool nc_fuse(nc_compile *c)
{
	size_t n = (size_t)c->graph->n + 1;
	c->group_of = nc_arena_alloc(&c->arena, n * sizeof *c->group_of);
	c->group = nc_arena_alloc(&c->arena, n * sizeof *c->group);
	search s = {.c = c};
	s.seen = nc_arena_alloc(&c->arena, n * sizeof *s.seen);
	s.stack = nc_arena_alloc(&c->arena, n * sizeof *s.stack);
	if (!c->group_of || !c->group || !s.seen || !s.stack)
		return nc_fail_memory(c);
	for (int i = 0; i < c->graph->n; i++)
		c->group_of[i] = -1;
	for (int i = c->graph->n - 1; i >= 0; i--) {
		nacre_node *node = c->graph->node[i];
		if (c->group_of[i] >= 0 || node->op->flags & (NC_OP_SOURCE | NC_OP_RESHAPES) ||
		    (c->optimize && nc_is(node, NC_OP_sum)))
			continue;
		nc_group *g = new_group(c, node);
		if (!g)
			return nc_fail_memory(c);
		if (!c->optimize)
			continue;
		if (nc_is_update(node) && !fuse_update(c, g))
			return false;
		if (c->backend->elementwise(node) && !grow(c, g, &s))
			return false;
	}
	for (int i = 0; i < c->graph->n && c->optimize; i++)
		if (nc_is(c->graph->node[i], NC_OP_sum) && !join_sum(c, c->graph->node[i], &s))
			return false;
	return true;
}
