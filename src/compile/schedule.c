/* SPDX-License-Identifier: MIT
 *
 * schedule.c - the order in which groups run.
 *
 * Inputs come before their users, and whatever changes a variable comes after everything else that
 * reads it; several changes of one variable keep the order in which they were written.  Among the
 * groups that could run next the one that was described first does.
 */
#include <string.h>

#include "compile/compile.h"

typedef struct order {
	nc_compile *c;
	uint8_t *state; /* per group: 0 new, 1 being visited, 2 done */
	int n;
	int *effects, n_effects; /* groups with effects */
} order;

static const nacre_node *effect_of(const nc_group *g)
{
	const nacre_node *n = g->effect ? g->effect : g->node[0];
	return n->op->flags & NC_OP_EFFECT ? n : NULL;
}

bool nc_changes(const nacre_node *effect, const nacre_node *variable)
{
	for (int i = 0; i < effect->op->targets; i++)
		if (effect->in[i] == variable)
			return true;
	return false;
}

static bool visit(order *o, int group);

static bool visit_node(order *o, const nacre_node *n, int from)
{
	int g = o->c->group_of[nc_renamed(n)->id]; /* what only renames has no group */
	return g < 0 || g == from || visit(o, g);
}

/* everything that reads, or was told earlier to change, what this effect changes */
static bool visit_readers(order *o, const nacre_node *effect, int from)
{
	for (int t = 0; t < effect->op->targets; t++)
		for (int e = o->c->users[effect->in[t]->id]; e >= 0; e = o->c->edge[e].next) {
			const nacre_node *u = o->c->edge[e].user;
			if (u == effect || (nc_changes(u, effect->in[t]) && u->id > effect->id))
				continue;
			if (u->op->flags & NC_OP_RESHAPES) {
				/* readers of the renamed variable */
				for (int r = o->c->users[u->id]; r >= 0; r = o->c->edge[r].next)
					if (!visit_node(o, o->c->edge[r].user, from))
						return false;
				continue;
			}
			if (!visit_node(o, u, from))
				return false;
		}
	return true;
}

static bool visit(order *o, int group)
{
	nc_compile *c = o->c;
	nc_group *g = &c->group[group];
	if (o->state[group] == 2)
		return true;
	if (o->state[group] == 1) {
		nc_fail(c->error, NACRE_INVALID,
			"program: \"%s\" changes a variable that is read later to compute it",
			g->node[0]->name ? g->node[0]->name : g->node[0]->op->name);
		return false;
	}
	o->state[group] = 1;
	for (int i = 0; i < g->n; i++)
		for (int j = 0; j < g->node[i]->n_in; j++)
			if (!visit_node(o, g->node[i]->in[j], group))
				return false;
	const nacre_node *effect = effect_of(g);
	if (effect && !visit_readers(o, effect, group))
		return false;
	o->state[group] = 2;
	g->order = o->n;
	c->order[o->n++] = group;
	return true;
}

bool nc_schedule(nc_compile *c)
{
	order o = {.c = c};
	o.state = nc_arena_alloc(&c->arena, (size_t)c->n_groups + 1);
	c->order = nc_arena_alloc(&c->arena, ((size_t)c->n_groups + 1) * sizeof *c->order);
	if (!o.state || !c->order)
		return nc_fail_memory(c);
	for (int i = 0; i < c->graph->n; i++) /* by the last member: a group is complete there */
		if (c->group_of[i] >= 0) {
			nc_group *g = &c->group[c->group_of[i]];
			if (g->node[g->n - 1]->id == i && !visit(&o, c->group_of[i]))
				return false;
		}
	return true;
}
