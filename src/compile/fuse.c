/* SPDX-License-Identifier: MIT
 *
 * fuse.c - which nodes one kernel call computes.
 *
 * From the last node to the first: an elementwise node that is in no group yet starts one and draws
 * in the producers of its members, as long as the backend can compute the whole in one step and no
 * path leaves the group and comes back.  A matrix product all of whose uses are members becomes the
 * group's anchor: the rest is its epilogue.  An optimizer's update whose gradient is a product that
 * nothing else needs becomes that product's epilogue.
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
		nacre_node **more = nc_arena_alloc(&c->arena, 2 * (size_t)g->capacity * sizeof *more);
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

/* Does n depend on the target?  Whole groups run at once: to pass one member of another group is to
 * pass all of them. */
typedef struct search {
	nc_compile *c;
	const nacre_node *target;
	int inside;
	uint8_t *seen; /* per node */
} search;

static bool reaches(search *s, const nacre_node *n)
{
	if (n == s->target)
		return true;
	int group = s->c->group_of[n->id];
	if (s->seen[n->id])
		return false;
	s->seen[n->id] = 1;
	if (group >= 0 && group != s->inside) {
		const nc_group *g = &s->c->group[group];
		for (int i = 0; i < g->n; i++) {
			s->seen[g->node[i]->id] = 1;
			for (int j = 0; j < g->node[i]->n_in; j++)
				if (s->c->group_of[g->node[i]->in[j]->id] != group &&
				    reaches(s, g->node[i]->in[j]))
					return true;
		}
		return false;
	}
	for (int j = 0; j < n->n_in; j++)
		if (reaches(s, n->in[j]))
			return true;
	return false;
}

/* n is to join g: is there a path n -> outside -> g? */
static bool makes_cycle(nc_compile *c, const nc_group *g, const nacre_node *n, uint8_t *seen)
{
	int inside = (int)(g - c->group);
	search s = {c, n, inside, seen};
	memset(seen, 0, (size_t)c->graph->n);
	for (int i = 0; i < g->n; i++)
		for (int j = 0; j < g->node[i]->n_in; j++) {
			const nacre_node *in = g->node[i]->in[j];
			if (in != n && c->group_of[in->id] != inside && reaches(&s, in))
				return true;
		}
	return false;
}

/* Members other than the anchor work on its tiles: it cannot need any of them. */
static bool needed_by_anchor(nc_compile *c, const nacre_node *anchor, const nacre_node *n, uint8_t *seen)
{
	search s = {c, n, -1, seen};
	memset(seen, 0, (size_t)c->graph->n);
	for (int j = 0; j < anchor->n_in; j++)
		if (reaches(&s, anchor->in[j]))
			return true;
	return false;
}

static bool anchor_needs_members(nc_compile *c, const nc_group *g, const nacre_node *anchor, uint8_t *seen)
{
	for (int i = 0; i < g->n; i++)
		if (g->node[i]->id < anchor->id && needed_by_anchor(c, anchor, g->node[i], seen))
			return true;
	return false;
}

static bool wanted(nc_compile *c, nc_group *g, nacre_node *p, uint8_t *seen)
{
	if (c->group_of[p->id] >= 0 || g->anchor == p)
		return false;
	bool inner = nc_only_used_in(c, p, (int)(g - c->group));
	bool product = nc_is(p, NC_OP_matmul) && !g->anchor && inner;
	if (!product && !c->backend->elementwise(p))
		return false;
	if (product && anchor_needs_members(c, g, p, seen))
		return false;
	if (g->anchor && p->id < g->anchor->id && needed_by_anchor(c, g->anchor, p, seen))
		return false;
	return inner || !makes_cycle(c, g, p, seen);
}

/* Draws producers into g until none fits. */
static bool grow(nc_compile *c, nc_group *g, uint8_t *seen)
{
	for (bool again = true; again;) {
		again = false;
		for (int i = g->n - 1; i >= 0 && !again; i--)
			for (int j = 0; j < g->node[i]->n_in && !again; j++) {
				nacre_node *p = g->node[i]->in[j];
				if (g->node[i] == g->anchor || !wanted(c, g, p, seen))
					continue;
				nacre_node *anchor = g->anchor;
				if (!insert(c, g, p))
					return nc_fail_memory(c);
				if (nc_is(p, NC_OP_matmul))
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

static bool is_update(const nacre_node *n)
{
	return n->op->index >= NC_OP_update_sgd && n->op->index <= NC_OP_update_adam;
}

bool nc_fuse(nc_compile *c)
{
	size_t n = (size_t)c->graph->n + 1;
	c->group_of = nc_arena_alloc(&c->arena, n * sizeof *c->group_of);
	c->group = nc_arena_alloc(&c->arena, n * sizeof *c->group);
	uint8_t *seen = nc_arena_alloc(&c->arena, n);
	if (!c->group_of || !c->group || !seen)
		return nc_fail_memory(c);
	for (int i = 0; i < c->graph->n; i++)
		c->group_of[i] = -1;
	for (int i = c->graph->n - 1; i >= 0; i--) {
		nacre_node *node = c->graph->node[i];
		if (c->group_of[i] >= 0 || node->op->flags & (NC_OP_SOURCE | NC_OP_RESHAPES))
			continue;
		nc_group *g = new_group(c, node);
		if (!g)
			return nc_fail_memory(c);
		if (!c->optimize)
			continue;
		if (is_update(node) && !fuse_update(c, g))
			return false;
		if (c->backend->elementwise(node) && !grow(c, g, seen))
			return false;
	}
	return true;
}
