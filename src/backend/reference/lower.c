/* SPDX-License-Identifier: MIT
 *
 * lower.c - the reference backend: a step a node.  It widens the inputs to double, calls the op's
 * reference function, and rounds the result to its type.
 */
#include <string.h>

#include "backend/backends.h"
#include "backend/reference/lower.h"
#include "backend/reference/reference.h"

typedef struct wide {
	nacre_dtype dtype;
	int64_t n;
	void *data;
	double *wide;
} wide;

typedef struct reference_args {
	const nacre_program *program;
	const nacre_node *node;
	nc_ref_fn *fn;
	int n_in, targets;
	wide *in, out;
	double **pointer;
} reference_args;

static void run_reference(const nc_step *s, int tid, int nt, void *scratch)
{
	const reference_args *a = s->args;
	(void)tid, (void)nt, (void)scratch;
	for (int i = 0; i < a->n_in; i++) {
		nc_convert(NACRE_F64, a->in[i].wide, a->in[i].dtype, a->in[i].data, a->in[i].n);
		a->pointer[i] = a->in[i].wide;
	}
	nc_ref_context context = {a->program->seed, a->program->run};
	a->fn(a->node, a->pointer, a->out.wide, &context);
	for (int i = 0; i < a->targets; i++)
		nc_convert(a->in[i].dtype, a->in[i].data, NACRE_F64, a->in[i].wide, a->in[i].n);
	if (!a->targets)
		nc_convert(a->out.dtype, a->out.data, NACRE_F64, a->out.wide, a->out.n);
}

static bool widen(nc_compile *c, wide *w, const nacre_node *n, int value, bool write)
{
	w->dtype = n->dtype;
	w->n = nc_node_size(n);
	int temporary = nc_temporary(c, (size_t)w->n * sizeof(double));
	return nc_reads(c, &w->data, value, 0) && (!write || nc_writes(c, &w->data, value, 0)) &&
	       nc_writes(c, &w->wide, temporary, 0);
}

bool nc_reference_lower_node(nc_compile *c, nacre_node *n)
{
	bool effect = n->op->flags & NC_OP_EFFECT;
	int *in = nc_arena_alloc(&c->arena, ((size_t)n->n_in + 1) * sizeof *in);
	if (!in)
		return nc_fail_memory(c);
	for (int i = 0; i < n->n_in; i++) {
		if ((in[i] = nc_plain(c, n->in[i])) < 0)
			return false;
		if (effect && i < n->op->targets && in[i] != nc_storage_of(c, n->in[i])) {
			nc_fail(c->error, NACRE_UNSUPPORTED,
				"%s: variable \"%s\" is laid out for another backend's programs",
				n->op->name, n->in[i]->name ? n->in[i]->name : "?");
			return false;
		}
	}
	int out = effect ? -1 : nc_plain(c, n);
	if (!effect && out < 0)
		return false;
	nc_step *s = nc_step_new(c, run_reference, sizeof(reference_args), "reference", n);
	if (!s)
		return false;
	reference_args *a = s->args;
	*a = (reference_args){
	    c->program, n,   nc_ref_at(n->op->index), n->n_in, effect ? n->op->targets : 0, NULL,
	    {0},        NULL};
	s->serial = true;
	s->flops = n->op->flops ? n->op->flops(n) : 0;
	a->in = nc_arena_alloc(&c->graph->arena, ((size_t)n->n_in + 1) * sizeof *a->in);
	a->pointer = nc_arena_alloc(&c->graph->arena, ((size_t)n->n_in + 1) * sizeof *a->pointer);
	if (!a->in || !a->pointer)
		return nc_fail_memory(c);
	for (int i = 0; i < n->n_in; i++)
		if (!widen(c, &a->in[i], n->in[i], in[i], i < a->targets))
			return false;
	if (effect)
		return true;
	a->out = (wide){n->dtype, nc_node_size(n), NULL, NULL};
	int temporary = nc_temporary(c, (size_t)a->out.n * sizeof(double));
	return nc_writes(c, &a->out.data, out, 0) && nc_writes(c, &a->out.wide, temporary, 0);
}

/* -- the backend ----------------------------------------------------------------------------*/
static bool never(const nacre_node *n)
{
	(void)n;
	return false;
}
static bool accepts(nc_compile *c, const nc_group *g)
{
	(void)c;
	return g->n == 1;
}
static int no_panel(nc_compile *c, int64_t k, int64_t n)
{
	(void)c, (void)k, (void)n;
	return 0;
}
static bool lower(nc_compile *c, const nc_group *g)
{
	return nc_is(g->node[0], NC_OP_arange) ? nc_plain(c, g->node[0]) >= 0
					       : nc_reference_lower_node(c, g->node[0]);
}

typedef struct unpack_args {
	int64_t k, n, width, size;
	const uint8_t *from;
	uint8_t *to;
} unpack_args;
static void run_unpack(const nc_step *s, int tid, int nt, void *scratch)
{
	const unpack_args *a = s->args;
	(void)tid, (void)nt, (void)scratch;
	for (int64_t i = 0; i < a->k; i++)
		for (int64_t j = 0; j < a->n; j++)
			memcpy(a->to + (i * a->n + j) * a->size,
			       a->from +
				   ((j / a->width * a->k + i) * a->width + j % a->width) * a->size,
			       (size_t)a->size);
}
static bool unpack(nc_compile *c, nacre_node *n, int from, int to)
{
	nc_step *s = nc_step_new(c, run_unpack, sizeof(unpack_args), "unpack", n);
	if (!s)
		return false;
	unpack_args *a = s->args;
	*a = (unpack_args){n->shape[0],
			   n->shape[1],
			   nc_variable_of(n)->panel,
			   (int64_t)nacre_dtype_size(n->dtype),
			   NULL,
			   NULL};
	s->serial = true;
	return nc_reads(c, &a->from, from, 0) && nc_writes(c, &a->to, to, 0);
}

typedef struct fill_args {
	nacre_dtype dtype;
	int64_t n;
	double value;
	void *to;
} fill_args;
static void run_fill(const nc_step *s, int tid, int nt, void *scratch)
{
	const fill_args *a = s->args;
	(void)tid, (void)nt, (void)scratch;
	for (int64_t i = 0; i < a->n; i++)
		nc_element_set(a->dtype, a->to, i, a->value);
}
static bool fill(nc_compile *c, nacre_node *n, int to)
{
	nc_step *s = nc_step_new(c, run_fill, sizeof(fill_args), "fill", n);
	if (!s)
		return false;
	fill_args *a = s->args;
	*a = (fill_args){n->dtype, nc_node_size(n), ((const nc_attr_fill *)n->attr)->value, NULL};
	s->serial = true;
	return nc_writes(c, &a->to, to, 0);
}

const nc_backend nc_backend_reference = {"reference", never, never,  accepts,
					 no_panel,    lower, unpack, fill};
