/* SPDX-License-Identifier: MIT
 *
 * text.c - graphs as text: a line a node, or Graphviz.
 */
#include <string.h>

#include "ir/ir.h"

static void axes_text(unsigned axes, nc_text *out)
{
	nc_text_add(out, "{");
	const char *comma = "";
	for (int i = 0; i < NACRE_MAX_RANK; i++)
		if (axes >> i & 1) {
			nc_text_add(out, "%s%d", comma, i);
			comma = ", ";
		}
	nc_text_add(out, "}");
}

static void order_text(int rank, const int *order, nc_text *out)
{
	int64_t wide[NACRE_MAX_RANK];
	char text[128];
	for (int i = 0; i < rank; i++)
		wide[i] = order[i];
	nc_text_add(out, "%s", nc_shape_text(text, rank, wide));
}

/* " name=value"; false flags and hidden fields are left out */
static void field_text(const nacre_node *n, const nc_field *f, nc_text *out)
{
	const void *p = (const char *)n->attr + f->offset;
	int rank = n->n_in ? n->in[0]->rank : n->rank;
	char text[128];
	if (f->kind == NC_FIELD_HIDDEN || (f->kind == NC_FIELD_BOOL && !*(const bool *)p))
		return;
	nc_text_add(out, " %s=", f->name);
	switch (f->kind) {
	case NC_FIELD_BOOL:
		nc_text_add(out, "true");
		break;
	case NC_FIELD_INT:
		nc_text_add(out, "%d", *(const int *)p);
		break;
	case NC_FIELD_I64:
		nc_text_add(out, "%lld", (long long)*(const int64_t *)p);
		break;
	case NC_FIELD_F64:
		nc_text_add(out, "%.9g", *(const double *)p);
		break;
	case NC_FIELD_DTYPE:
		nc_text_add(out, "%s", nacre_dtype_name(*(const nacre_dtype *)p));
		break;
	case NC_FIELD_SHAPE:
		nc_text_add(out, "%s",
			    nc_shape_text(text, ((const nc_dims *)p)->rank,
					  ((const nc_dims *)p)->size));
		break;
	case NC_FIELD_AXES:
		axes_text(*(const unsigned *)p, out);
		break;
	case NC_FIELD_ORDER:
		order_text(rank, p, out);
		break;
	case NC_FIELD_SIZES:
		nc_text_add(out, "%s", nc_shape_text(text, rank, p));
		break;
	case NC_FIELD_SPATIAL:
		nc_text_add(out, "%s", nc_shape_text(text, rank > 2 ? rank - 2 : 0, p));
		break;
	case NC_FIELD_VARIABLE:
		nc_text_add(out, "%s", (*(nacre_variable *const *)p)->name);
		break;
	case NC_FIELD_HIDDEN:
		break;
	}
}

static void fields_text(const nacre_node *n, nc_text *out)
{
	for (const nc_field *f = n->op->fields; f && f->name; f++)
		field_text(n, f, out);
}

static void type_text(const nacre_node *n, nc_text *out)
{
	char text[128];
	nc_text_add(out, "%s %s", nacre_dtype_name(n->dtype),
		    nc_shape_text(text, n->rank, n->shape));
}

void nc_node_text(const nacre_node *n, nc_text *out)
{
	nc_text_add(out, "%%%d = %s(", n->id, n->op->name);
	for (int i = 0; i < n->n_in; i++)
		nc_text_add(out, "%s%%%d", i ? ", " : "", n->in[i]->id);
	nc_text_add(out, ")");
	fields_text(n, out);
	nc_text_add(out, " : ");
	type_text(n, out);
	if (n->name)
		nc_text_add(out, "  %s", n->name);
}

void nc_graph_text(const nacre_graph *g, nc_text *out, nc_mark *mark, void *context)
{
	for (int i = 0; i < g->n; i++) {
		nc_node_text(g->node[i], out);
		if (mark)
			mark(context, g->node[i], out);
		nc_text_add(out, "\n");
	}
}

/* s as the inside of a quoted string of Graphviz: \n stands for a new line */
static void quote(const char *s, nc_text *out)
{
	for (; *s; s++) {
		if (*s == '\n')
			nc_text_add(out, "\\n");
		else if (*s == '"' || *s == '\\')
			nc_text_add(out, "\\%c", *s);
		else
			nc_text_add(out, "%c", *s);
	}
}

static void dot_node(const nacre_node *n, nc_text *out, nc_mark *mark, void *context)
{
	nc_text label;
	nc_text_init(&label, out->memory);
	nc_text_add(&label, "%%%d %s", n->id, n->op->name);
	if (n->name)
		nc_text_add(&label, " %s", n->name);
	fields_text(n, &label);
	nc_text_add(&label, "\n");
	type_text(n, &label);
	if (mark)
		mark(context, n, &label);
	bool source = n->op->flags & NC_OP_SOURCE, effect = n->op->flags & NC_OP_EFFECT;
	nc_text_add(out, "\tn%d [shape=%s, label=\"", n->id,
		    source   ? "ellipse"
		    : effect ? "octagon"
			     : "box");
	quote(label.data ? label.data : "", out);
	nc_text_add(out, "\"];\n");
	out->failed |= label.failed;
	nc_text_free(&label);
	for (int i = 0; i < n->n_in; i++)
		nc_text_add(out, "\tn%d -> n%d;\n", n->in[i]->id, n->id);
}

void nc_graph_dot(const nacre_graph *g, nc_text *out, nc_mark *mark, void *context)
{
	nc_text_add(out, "digraph nacre {\n");
	for (int i = 0; i < g->n; i++)
		dot_node(g->node[i], out, mark, context);
	nc_text_add(out, "}\n");
}

typedef void printer(const nacre_graph *g, nc_text *out, nc_mark *mark, void *context);

static void print(const nacre_graph *g, printer *to_text)
{
	if (!g)
		return;
	nc_text text;
	nc_text_init(&text, nc_runtime_memory(g->runtime));
	to_text(g, &text, NULL, NULL);
	if (text.data && !text.failed)
		nc_print(g->runtime, NACRE_OUT, "%s", text.data);
	nc_text_free(&text);
}

void nacre_graph_print(const nacre_graph *g)
{
	print(g, nc_graph_text);
}

void nacre_graph_print_dot(const nacre_graph *g)
{
	print(g, nc_graph_dot);
}
