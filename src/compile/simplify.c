/* SPDX-License-Identifier: MIT
 *
 * simplify.c - the same values from fewer nodes.
 *
 * A pass copies the graph node by node into a new one; a rule may answer with something simpler
 * than the copy, and equal nodes are made once.  What nothing needs any more is not copied, so each
 * pass also removes dead code, and a sweep what the last one left.  Rules never change a result but
 * for the sign of zero, and for bf16, where a value that nobody stores may keep the digits of f32.
 */
#include <math.h>
#include <string.h>

#include "compile/backend.h"
#include "compile/compile.h"
#include "kernels/kernels.h"
#include "nacre/op.h"
#include "op/value.h"

typedef struct pass {
	nc_compile *c;
	nacre_graph *to;
	bool last; /* of the passes */
	int *uses; /* of each node of the graph before */
	const nacre_node *from; /* what is copied */
	uint32_t *bucket; /* hash table of node ids + 1, for equal nodes */
	size_t mask;
} pass;

static bool is_fill(const nacre_node *n, double *value)
{
	if (!nc_is(n, NC_OP_fill))
		return false;
	*value = ((const nc_attr_fill *)n->attr)->value;
	return true;
}
static bool is_number(const nacre_node *n, double value)
{
	double v = 0;
	return is_fill(n, &v) && v == value;
}
static bool same_type(const nacre_node *a, const nacre_node *b)
{
	return a->dtype == b->dtype && nc_same_shape(a, b);
}

static double as_type(nacre_dtype dtype, double value)
{
	uint8_t bytes[16] = {0};
	nc_element_set(dtype, bytes, 0, value);
	return nc_element(dtype, bytes, 0);
}

/* -- constants ------------------------------------------------------------------------------*/
static double evaluate(int element, double x, double b, double c)
{
	const double a = x;
	switch (element) {
#define UNARY(id, fn, vec, ref, dx)                                                                \
	case NC_E_##id:                                                                            \
		return ref;
#define PREDICATE(id, fn, vec, ref)                                                                \
	case NC_E_##id:                                                                            \
		return ref;
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	case NC_E_##id:                                                                            \
		return ref;
#define COMPARE(id, fn, vec, ref)                                                                  \
	case NC_E_##id:                                                                            \
		return ref;
#define TERNARY(id, fn, vec, ref, da, db, dc)                                                      \
	case NC_E_##id:                                                                            \
		return ref;
#include "kernels/elementwise.def"
	}
	return NAN;
}

static nacre_node *fold(pass *p, nacre_node *n)
{
	double v[3] = {0, 0, 0};
	bool floating = nc_dtype_is_float(n->dtype) || n->dtype == NACRE_BOOL;
	for (int i = 0; i < n->n_in; i++)
		if (!is_fill(n->in[i], &v[i]) || n->in[i]->dtype == NACRE_I64)
			return NULL;
	if (!floating || n->n_in == 0)
		return NULL;
	double y = evaluate(n->op->element, v[0], v[1], v[2]);
	y = as_type(n->dtype, y); /* as a run would give it */
	return nacre_fill(p->to, n->dtype, n->rank, n->shape, y);
}

/* -- rules: NULL if there is nothing simpler than n -----------------------------------------*/
static nacre_node *simpler_elementwise(pass *p, nacre_node *n)
{
	nacre_node *f = fold(p, n);
	if (f)
		return f;
	nacre_node *a = n->in[0], *b = n->n_in > 1 ? n->in[1] : NULL;
	bool keeps_a = same_type(n, a), keeps_b = b && same_type(n, b);
	switch (n->op->index) {
	case NC_OP_add:
		return keeps_a && is_number(b, 0) ? a : keeps_b && is_number(a, 0) ? b : NULL;
	case NC_OP_sub:
		return keeps_a && is_number(b, 0) ? a : NULL;
	case NC_OP_mul:
		return keeps_a && is_number(b, 1) ? a : keeps_b && is_number(a, 1) ? b : NULL;
	case NC_OP_div:
		return keeps_a && is_number(b, 1) ? a : NULL;
	case NC_OP_neg:
		return nc_is(a, NC_OP_neg) ? a->in[0] : NULL;
	default:
		return NULL;
	}
}

/* An elementwise op stretches its inputs itself. */
static nacre_node *without_broadcast(pass *p, nacre_node *n)
{
	nacre_node *in[3];
	bool changed = false;
	for (int i = 0; i < n->n_in; i++) {
		in[i] = n->in[i];
		bool other = false; /* does another input still have the whole shape? */
		for (int k = 0; k < n->n_in; k++)
			other |= k != i && nc_same_shape(k < i ? in[k] : n->in[k], n);
		if (other && nc_is(in[i], NC_OP_broadcast)) {
			in[i] = in[i]->in[0];
			changed = true;
		}
	}
	return changed ? nc_node_like(p->to, n, in) : NULL;
}

static nacre_node *simpler_transpose(pass *p, nacre_node *n)
{
	const nc_attr_transpose *t = n->attr;
	nacre_node *x = n->in[0];
	bool identity = true;
	for (int i = 0; i < n->rank; i++)
		identity &= t->order[i] == i;
	if (identity)
		return x;
	if (!nc_is(x, NC_OP_transpose))
		return NULL;
	const nc_attr_transpose *u = x->attr;
	int order[NACRE_MAX_RANK] = {0};
	for (int i = 0; i < n->rank; i++)
		order[i] = u->order[t->order[i]];
	(void)p;
	return nacre_transpose(x->in[0], order);
}

/* a transpose that only exchanges the last two axes */
static bool swaps(const nacre_node *n)
{
	if (!nc_is(n, NC_OP_transpose) || n->rank < 2)
		return false;
	const nc_attr_transpose *t = n->attr;
	for (int i = 0; i < n->rank - 2; i++)
		if (t->order[i] != i)
			return false;
	return t->order[n->rank - 1] == n->rank - 2 && t->order[n->rank - 2] == n->rank - 1;
}

/* -- types ----------------------------------------------------------------------------------*/
/* does type b hold every number of type a? */
static bool holds_all(nacre_dtype a, nacre_dtype b)
{
	bool half = a == NACRE_F16 || a == NACRE_BF16;
	return a == b || (half && b == NACRE_F32) ||
	       ((half || a == NACRE_F32) && b == NACRE_F64);
}

/* A product of bf16 has sums of f32: where they are wanted, and only they, none is rounded. */
static nacre_node *wide_product(pass *p, const nacre_node *n)
{
	const nacre_node *x = n->in[0];
	if (!nc_is(x, NC_OP_matmul) || !nc_is(p->from, NC_OP_cast) || x->dtype != NACRE_BF16 ||
	    n->dtype != NACRE_F32 ||
	    !p->last || p->uses[p->from->in[0]->id] != 1)
		return NULL;
	nc_attr_matmul wide = *(const nc_attr_matmul *)x->attr;
	wide.wide = true;
	return nc_node_new(p->to, x->op, 2, x->in, &wide);
}

static nacre_node *simpler_cast(pass *p, nacre_node *n)
{
	nacre_node *x = n->in[0];
	double v;
	if (x->dtype == n->dtype)
		return x;
	if (is_fill(x, &v) && nc_dtype_is_float(x->dtype) && nc_dtype_is_float(n->dtype))
		return nacre_fill(p->to, n->dtype, n->rank, n->shape, as_type(n->dtype, v));
	if (nc_is(x, NC_OP_cast) && holds_all(x->in[0]->dtype, x->dtype))
		return nacre_cast(x->in[0], n->dtype);
	return wide_product(p, n);
}

/* A node of bf16 that the backend computes in f32: with casts around it, which fall together with
 * those of its neighbours.  What was rounded to bf16 only for it is taken as it was. */
static nacre_node *widen(pass *p, const nacre_node *n, nacre_node **in)
{
	uint8_t attr[512];
	bool wanted = n->dtype == NACRE_BF16;
	for (int i = 0; i < n->n_in; i++)
		wanted |= in[i]->dtype == NACRE_BF16;
	if (!wanted || n->op->attr_size > sizeof attr || !p->c->backend->widens(n))
		return NULL;
	for (int i = 0; i < n->n_in; i++) {
		bool rounded = nc_is(in[i], NC_OP_cast) && in[i]->in[0]->dtype == NACRE_F32;
		if (in[i]->dtype == NACRE_BF16)
			in[i] = rounded ? in[i]->in[0] : nacre_cast(in[i], NACRE_F32);
	}
	if (n->op->attr_size)
		memcpy(attr, n->attr, n->op->attr_size);
	for (const nc_field *f = n->op->fields; f && f->name; f++)
		if (f->kind == NC_FIELD_DTYPE)
			memcpy(attr + f->offset, &(nacre_dtype){NACRE_F32}, sizeof(nacre_dtype));
	nacre_node *wide = nc_node_new(p->to, n->op, n->n_in, in, attr);
	return n->dtype == NACRE_BF16 ? nacre_cast(wide, NACRE_BF16) : wide;
}

static nacre_node *simpler_matmul(nacre_node *n)
{
	const nc_attr_matmul *m = n->attr;
	nacre_node *a = n->in[0], *b = n->in[1];
	bool ta = swaps(a), tb = swaps(b);
	if (!ta && !tb)
		return NULL;
	nacre_node *in[2] = {ta ? a->in[0] : a, tb ? b->in[0] : b};
	nc_attr_matmul turned = {m->transpose_a ^ ta, m->transpose_b ^ tb, m->wide};
	return nc_node_new(n->graph, n->op, 2, in, &turned);
}

static nacre_node *simpler_reduce(pass *p, nacre_node *n)
{
	const nc_attr_reduce *r = n->attr;
	nacre_node *x = n->in[0];
	int64_t count = 1;
	for (int i = 0; i < x->rank; i++)
		if (r->axes >> i & 1)
			count *= x->shape[i];
	if (count == 1)
		return nacre_reshape(x, n->rank, n->shape);
	double v;
	if (nc_is(n, NC_OP_sum) && is_fill(x, &v) && n->dtype == NACRE_F32)
		return nacre_fill(p->to, n->dtype, n->rank, n->shape, (float)(v * (double)count));
	return NULL;
}

static nacre_node *simpler_slice(nacre_node *n)
{
	const nc_attr_slice *s = n->attr;
	for (int i = 0; i < n->rank; i++)
		if (s->start[i] != 0 || s->step[i] != 1 || n->shape[i] != n->in[0]->shape[i])
			return NULL;
	return n->in[0];
}

/* zeros around what a convolution, or its gradient by the filter, reads: it widens x itself */
static nacre_node *simpler_conv(nacre_node *n)
{
	nacre_node *x = n->in[0];
	if (!nc_is(x, NC_OP_pad))
		return NULL;
	const nc_attr_pad *pad = x->attr;
	nc_attr_window w = *(const nc_attr_window *)n->attr;
	bool space_alone = pad->value == 0;
	for (int i = 0; i < x->rank; i++) {
		int64_t before = pad->before[i], after = pad->after[i];
		bool space = i > 0 && i < x->rank - 1;
		space_alone &= pad->between[i] == 0 && before >= 0 && after >= 0 &&
			       (space || before + after == 0);
		if (space) {
			w.before[i - 1] += before;
			w.after[i - 1] += after;
		}
	}
	nacre_node *in[2] = {x->in[0], n->in[1]};
	return space_alone ? nc_node_new(n->graph, n->op, 2, in, &w) : NULL;
}

static nacre_node *simpler(pass *p, nacre_node *n)
{
	if (n->op->flags & NC_OP_ELEMENTWISE) {
		nacre_node *s = simpler_elementwise(p, n);
		return s ? s : without_broadcast(p, n);
	}
	nacre_node *x = n->n_in ? n->in[0] : NULL;
	double v;
	switch (n->op->index) {
	case NC_OP_stop_gradient:
		return x;
	case NC_OP_cast:
		return simpler_cast(p, n);
	case NC_OP_reshape:
		if (nc_same_shape(n, x))
			return x;
		if (nc_is(x, NC_OP_reshape))
			return nacre_reshape(x->in[0], n->rank, n->shape);
		return is_fill(x, &v) ? nacre_fill(p->to, n->dtype, n->rank, n->shape, v) : NULL;
	case NC_OP_broadcast:
		if (nc_same_shape(n, x))
			return x;
		return is_fill(x, &v) ? nacre_fill(p->to, n->dtype, n->rank, n->shape, v) : NULL;
	case NC_OP_transpose:
		return simpler_transpose(p, n);
	case NC_OP_matmul:
		return simpler_matmul(n);
	case NC_OP_conv:
	case NC_OP_conv_filter:
		return simpler_conv(n);
	case NC_OP_sum:
	case NC_OP_max:
	case NC_OP_min:
	case NC_OP_product:
		return simpler_reduce(p, n);
	case NC_OP_slice:
		return simpler_slice(n);
	case NC_OP_concat:
		return n->n_in == 1 ? x : NULL;
	default:
		return NULL;
	}
}

/* -- equal nodes ----------------------------------------------------------------------------*/
static uint64_t hash(const nacre_node *n)
{
	uint64_t h = 1469598103934665603u ^ (uint64_t)n->op->index;
	for (int i = 0; i < n->n_in; i++)
		h = (h ^ (uint64_t)n->in[i]->id) * 1099511628211u;
	const uint8_t *a = n->attr;
	for (size_t i = 0; i < n->op->attr_size; i++)
		h = (h ^ a[i]) * 1099511628211u;
	return h ^ h >> 29;
}
static bool equal(const nacre_node *a, const nacre_node *b)
{
	return a->op == b->op && a->n_in == b->n_in &&
	       (a->n_in == 0 || memcmp(a->in, b->in, (size_t)a->n_in * sizeof *a->in) == 0) &&
	       (a->op->attr_size == 0 || memcmp(a->attr, b->attr, a->op->attr_size) == 0);
}
static nacre_node *first_equal(pass *p, nacre_node *n)
{
	if (n->op->flags & (NC_OP_EFFECT | NC_OP_RANDOM) || nc_is(n, NC_OP_placeholder))
		return n;
	for (size_t i = hash(n) & p->mask;; i = (i + 1) & p->mask) {
		if (!p->bucket[i]) {
			p->bucket[i] = (uint32_t)n->id + 1;
			return n;
		}
		nacre_node *m = p->to->node[p->bucket[i] - 1];
		if (m == n || equal(m, n))
			return m;
	}
}

/* -- the pass -------------------------------------------------------------------------------*/
static bool mark_needed(nc_compile *c, bool **needed, int **uses)
{
	size_t n = (size_t)c->graph->n + 1;
	bool *need = *needed = nc_arena_alloc(&c->arena, n);
	int *use = *uses = nc_arena_alloc(&c->arena, n * sizeof *use);
	if (!need || !use)
		return false;
	for (int i = 0; i < c->n_outputs; i++) {
		need[c->output[i]->id] = true;
		use[c->output[i]->id]++;
	}
	for (int i = c->graph->n - 1; i >= 0; i--)
		for (int j = 0; need[i] && j < c->graph->node[i]->n_in; j++) {
			need[c->graph->node[i]->in[j]->id] = true;
			use[c->graph->node[i]->in[j]->id]++;
		}
	return true;
}

static nacre_node *rewrite(pass *p, nacre_node *n, nacre_node **in)
{
	nacre_node *copy = widen(p, n, in);
	if (!copy && !p->to->error.status)
		copy = nc_node_like(p->to, n, in);
	if (!copy)
		return NULL;
	p->from = n;
	copy->name = n->name ? nc_arena_string(&p->to->arena, n->name) : NULL;
	nacre_node *s = simpler(p, copy);
	if (p->to->error.status)
		return NULL;
	if (s && s != copy) {
		if (!s->name && copy->name)
			s->name = copy->name;
		copy = s;
	}
	return first_equal(p, copy);
}

static bool one_pass(nc_compile *c, bool last)
{
	nacre_graph *from = c->graph;
	size_t n = (size_t)from->n + 1, buckets = 16;
	while (buckets < 8 * n) /* a rule may make a few nodes for one */
		buckets *= 2;
	pass p = {.c = c, .to = nacre_graph_new(c->runtime), .mask = buckets - 1};
	p.bucket = nc_arena_alloc(&c->arena, buckets * sizeof *p.bucket);
	bool *needed;
	p.last = last;
	nacre_node **map = nc_arena_alloc(&c->arena, n * sizeof *map);
	nacre_node **in = nc_arena_alloc(&c->arena, n * sizeof *in);
	bool ok = p.to && p.bucket && map && in && mark_needed(c, &needed, &p.uses);
	for (int i = 0; ok && i < from->n; i++) {
		nacre_node *node = from->node[i];
		if (!needed[i])
			continue;
		for (int j = 0; j < node->n_in; j++)
			in[j] = map[node->in[j]->id];
		map[i] = rewrite(&p, node, in);
		ok = map[i] != NULL;
	}
	if (!ok) {
		if (p.to)
			nc_fail(c->error, p.to->error.status ? p.to->error.status : NACRE_NO_MEMORY,
				"%s",
				p.to->error.status ? p.to->error.text
						   : "out of memory while compiling");
		nacre_graph_free(p.to);
		return p.to ? false : nc_fail_memory(c);
	}
	for (int i = 0; i < c->n_outputs; i++)
		c->output[i] = map[c->output[i]->id];
	p.to->random_ops = from->random_ops;
	nacre_graph_free(from);
	c->graph = c->program->graph = p.to;
	return true;
}

/* What the rules of the last pass left without users would be computed for nobody. */
static bool sweep(nc_compile *c)
{
	nacre_graph *g = c->graph;
	bool *needed;
	int *uses, left = 0;
	if (!mark_needed(c, &needed, &uses))
		return nc_fail_memory(c);
	for (int i = 0; i < g->n; i++)
		if (needed[i]) {
			g->node[i]->id = left;
			g->node[left++] = g->node[i];
		}
	g->n = left;
	return true;
}

bool nc_simplify(nc_compile *c)
{
	/* the second pass drops what the rules of the first left without users, and finds what its
	 * results made possible; without optimization there is nothing to do */
	return !c->optimize || (one_pass(c, false) && one_pass(c, true) && sweep(c));
}
