/* SPDX-License-Identifier: MIT
 *
 * layout.c - which weights are kept in panels.
 *
 * A variable that is the right-hand side of a product, or a convolution's filter, is kept in the
 * panels that the product reads, between runs, for good: packing it anew would cost a tenth of a
 * training step.  What an update changes together (a weight and its moments) is laid out alike, so
 * that the update is flat.
 */
#include "compile/backend.h"
#include "compile/compile.h"

static bool is_narrowed(const nacre_node *n)
{
	return nc_is(n, NC_OP_cast) && n->dtype == NACRE_BF16;
}

/* the width that its uses in this program ask for, also through a cast to bf16; 0: none */
static int width_wanted(nc_compile *c, const nacre_node *n)
{
	if (!c->optimize || n->rank < 2 || (n->dtype != NACRE_F32 && !is_narrowed(n)))
		return 0;
	int64_t columns = n->shape[n->rank - 1];
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next) {
		const nacre_node *u = c->edge[e].user;
		int width = n->dtype == NACRE_F32 && is_narrowed(u) ? width_wanted(c, u) : 0;
		if (width)
			return width;
		if (!nc_is_product(u) || u->in[1] != n || u->in[0] == n)
			continue;
		if (nc_is(u, NC_OP_conv) && ((const nc_attr_window *)u->attr)->groups == 1)
			return c->backend->panel(c, columns ? nc_node_size(n) / columns : 0,
						 columns);
		if (nc_is(u, NC_OP_matmul) && n->rank == 2 &&
		    !((const nc_attr_matmul *)u->attr)->transpose_b)
			return c->backend->panel(c, n->shape[0], n->shape[1]);
	}
	return 0;
}

static bool settle(nc_compile *c, nacre_variable *v, int panel)
{
	if (v->programs == 0 && v->panel != panel &&
	    nc_variable_relayout(v, panel, c->error) != NACRE_OK)
		return false;
	return true;
}

/* targets of one effect: all as the first one, or as those are that cannot change any more */
static bool settle_together(nc_compile *c, const nacre_node *effect, int *width)
{
	int panel = width[effect->in[0]->id];
	for (int i = 0; i < effect->op->targets; i++)
		if (nc_variable_of(effect->in[i])->programs > 0)
			panel = nc_variable_of(effect->in[i])->panel;
	for (int i = 0; i < effect->op->targets; i++) {
		nacre_variable *v = nc_variable_of(effect->in[i]);
		width[effect->in[i]->id] = panel;
		if (!settle(c, v, panel))
			return false;
		if (v->panel != panel) {
			nc_fail(c->error, NACRE_UNSUPPORTED,
				"variables \"%s\" and \"%s\" are updated together but used in "
				"programs that "
				"lay them out differently",
				nacre_variable_name(nc_variable_of(effect->in[0])),
				nacre_variable_name(v));
			return false;
		}
	}
	return true;
}

static bool hold(nc_compile *c, int n)
{
	nacre_program *p = c->program;
	p->variable = nc_alloc(&c->runtime->memory, (size_t)n * sizeof *p->variable);
	if (!p->variable)
		return nc_fail_memory(c);
	p->variables_capacity = n;
	for (int i = 0; i < c->graph->n; i++) {
		nacre_variable *v = nc_variable_of(c->graph->node[i]);
		if (!v)
			continue;
		v->programs++;
		p->variable[p->n_variables++] = v;
	}
	return true;
}

bool nc_choose_layouts(nc_compile *c)
{
	int n_variables = 0;
	int *width = nc_arena_alloc(&c->arena, ((size_t)c->graph->n + 1) * sizeof *width);
	if (!width)
		return nc_fail_memory(c);
	for (int i = 0; i < c->graph->n; i++)
		if (nc_variable_of(c->graph->node[i])) {
			width[i] = width_wanted(c, c->graph->node[i]);
			n_variables++;
		}
	for (int i = 0; i < c->graph->n; i++) {
		const nacre_node *n = c->graph->node[i];
		if (n->op->flags & NC_OP_EFFECT && n->op->targets > 1 &&
		    !settle_together(c, n, width))
			return false;
	}
	for (int i = 0; i < c->graph->n; i++) {
		nacre_variable *v = nc_variable_of(c->graph->node[i]);
		if (v && !settle(c, v, width[i]))
			return false;
	}
	return hold(c, n_variables);
}
