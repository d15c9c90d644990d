/* SPDX-License-Identifier: MIT
 *
 * trace.c - the program as text or Graphviz, before and after each pass.
 */
#include <inttypes.h>

#include "compile/compile.h"

static void send(nc_compile *c, const nc_trace *t, const char *pass, nc_text *text)
{
	if (!text->failed)
		t->call(t->context, pass, text->data ? text->data : "");
	nc_text_free(text);
	(void)c;
}

static void group_mark(void *context, const nacre_node *n, nc_text *out)
{
	const nc_compile *c = context;
	int g = c->group_of ? c->group_of[n->id] : -1;
	if (g < 0)
		return;
	nc_text_add(out, "  group %d", g);
	if (c->group[g].anchor == n)
		nc_text_add(out, " anchor");
}

static void trace(nc_compile *c, const nc_trace *t, const char *pass, nc_mark *mark)
{
	if (!t->call)
		return;
	nc_text text;
	nc_text_init(&text, &c->runtime->memory);
	(t->dot ? nc_graph_dot : nc_graph_text)(c->graph, &text, mark, c);
	send(c, t, pass, &text);
}
void nc_trace_graph(nc_compile *c, const nc_trace *t, const char *pass)
{
	trace(c, t, pass, NULL);
}
void nc_trace_groups(nc_compile *c, const nc_trace *t, const char *pass)
{
	trace(c, t, pass, group_mark);
}

static void value_text(const nacre_program *p, int value, nc_text *out)
{
	static const char *const where[] = {"ws", "input", "variable", "constant"};
	const nc_value *v = &p->value[value];
	if (v->variable)
		nc_text_add(out, "%s", nacre_variable_name(v->variable));
	else if (v->where == NC_AT_WORKSPACE)
		nc_text_add(out, "@%zu+%zu", v->offset, v->size);
	else
		nc_text_add(out, "%s", where[v->where]);
}

static void step_text(const nacre_program *p, int i, nc_text *out)
{
	const nc_step *s = &p->step[i];
	nc_text_add(out, "%s%3d %-20s %-18s %12.0f flops %10.0f bytes %s:",
		    s->barrier ? "---- barrier\n" : "", i, s->kernel,
		    s->node->name ? s->node->name : s->node->op->name, s->flops, s->bytes,
		    s->serial ? "serial" : "shared");
	for (int pass = 0; pass < 2; pass++)
		for (int u = s->use; u >= 0; u = p->use[u].next)
			if (p->use[u].write == (pass == 1)) {
				nc_text_add(out, pass ? " -> " : " ");
				value_text(p, p->use[u].value, out);
			}
	nc_text_add(out, "\n");
}

static void step_dot(const nacre_program *p, int i, nc_text *out)
{
	const nc_step *s = &p->step[i];
	nc_text_add(out, "  s%d [label=\"%s\\n%s\\n%.3g flops, %.3g bytes\"];\n", i, s->kernel,
		    s->node->name ? s->node->name : s->node->op->name, s->flops, s->bytes);
	for (int u = s->use; u >= 0; u = p->use[u].next)
		for (int j = i - 1; j >= 0 && !p->use[u].write; j--) {
			bool makes = false;
			for (int w = p->step[j].use; w >= 0; w = p->use[w].next)
				makes |= p->use[w].write && p->use[w].value == p->use[u].value;
			if (makes) {
				nc_text_add(out, "  s%d -> s%d;\n", j, i);
				break;
			}
		}
}

void nc_trace_program(nc_compile *c, const nc_trace *t, const char *pass)
{
	if (!t->call)
		return;
	const nacre_program *p = c->program;
	nc_text text;
	nc_text_init(&text, &c->runtime->memory);
	if (t->dot)
		nc_text_add(&text, "digraph program {\n  node [shape=box];\n");
	for (int i = 0; i < p->n_steps; i++)
		(t->dot ? step_dot : step_text)(p, i, &text);
	if (t->dot)
		nc_text_add(&text, "}\n");
	else
		nc_text_add(
		    &text,
		    "%d steps, %.0f flops, workspace %zu bytes, scratch %zu bytes a thread\n",
		    p->n_steps, p->flops, p->workspace_size, p->scratch_size);
	send(c, t, pass, &text);
}
