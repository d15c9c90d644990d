/* SPDX-License-Identifier: MIT
 *
 * matmul.c - products: how the operands lie, and what is done to the tiles.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "op/attr.h"

typedef struct product {
	int64_t m, n, k, batch; /* batch 1: one product, a's leading axes are rows */
	bool ta, tb;
	bool spread_a, spread_b; /* a, b have a batch that must be stretched first */
	bool one_a, one_b;       /* the same a, b in each product */
} product;

static int64_t leading(const nacre_node *n)
{
	int64_t size = 1;
	for (int i = 0; i < n->rank - 2; i++)
		size *= n->shape[i];
	return size;
}

static product describe(const nacre_node *y)
{
	const nc_attr_matmul *attr = y->attr;
	const nacre_node *a = y->in[0], *b = y->in[1];
	product p = {.ta = attr->transpose_a, .tb = attr->transpose_b};
	p.m = y->shape[y->rank - 2];
	p.n = y->shape[y->rank - 1];
	p.k = a->shape[p.ta ? a->rank - 2 : a->rank - 1];
	p.batch = leading(y);
	int64_t la = leading(a), lb = leading(b);
	if (lb == 1 && la == p.batch && !p.ta) {
		p.m *= p.batch;
		p.batch = 1;
	}
	p.one_a = la == 1;
	p.one_b = lb == 1;
	p.spread_a = p.batch > 1 && la != p.batch && la != 1;
	p.spread_b = p.batch > 1 && lb != p.batch && lb != 1;
	return p;
}

static bool floats(const nacre_node *y)
{
	return y->dtype == NACRE_F32;
}

/* An update takes the tiles of its gradient if they come in the panels of the weight. */
static bool accepts_update(const nc_compile *c, const nc_group *g)
{
	const nacre_node *y = g->anchor, *w = g->effect->in[0];
	product p = describe(y);
	const nacre_variable *wv = nc_cpu_in_panels(c, w), *bv = nc_cpu_in_panels(c, y->in[1]);
	if (!floats(y) || p.batch != 1 || g->n != 2 || !wv || w->rank != 2)
		return false;
	if (bv && !p.tb && bv->panel != wv->panel)
		return false;
	for (int i = 1; i < g->effect->op->targets; i++) {
		const nacre_variable *v = nc_cpu_in_panels(c, g->effect->in[i]);
		if (!v || v->panel != wv->panel)
			return false;
	}
	/* the product must not read what its epilogue changes */
	for (int i = 0; i < g->effect->op->targets; i++)
		if (y->in[0] == g->effect->in[i] || y->in[1] == g->effect->in[i])
			return false;
	return p.m == w->shape[0] && p.n == w->shape[1];
}

bool nc_cpu_accepts_matmul(nc_compile *c, const nc_group *g)
{
	if (g->effect)
		return accepts_update(c, g);
	product p = describe(g->anchor);
	if (!floats(g->anchor) || p.batch != 1)
		return false;
	nc_vm_build *b = nc_arena_alloc(&c->arena, sizeof *b);
	return b && nc_cpu_vm_build(c, g, b);
}

/* -- lowering -------------------------------------------------------------------------------*/
typedef struct gemm_args {
	nc_gemm gemm;
	nc_vm vm;
	nc_update update;
} gemm_args;

static void run_gemm(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->gemm(&((const gemm_args *)s->args)->gemm, tid, nt, scratch);
}

/* n with its leading axes stretched to those of y */
static int spread(nc_compile *c, nacre_node *n, const nacre_node *y)
{
	int from = nc_plain(c, n);
	int64_t own[NACRE_MAX_RANK] = {0};
	nc_copy copy = {.rank = y->rank, .size = (int)nacre_dtype_size(n->dtype)};
	nc_cpu_strides(n, own);
	int64_t size = 1;
	for (int d = y->rank - 1; d >= 0; d--) {
		int k = d - (y->rank - n->rank);
		copy.shape[d] = d >= y->rank - 2 ? n->shape[k] : y->shape[d];
		copy.src_stride[d] = k < 0 || n->shape[k] == 1 ? 0 : own[k];
		copy.dst_stride[d] = size;
		size *= copy.shape[d];
	}
	int to = nc_temporary(c, (size_t)size * (size_t)copy.size);
	return nc_cpu_copy(c, y, "broadcast", &copy, from, 0, to, 0) ? to : -1;
}

typedef struct operands {
	int a, b;
} operands;

static bool set_operands(nc_compile *c, const nacre_node *y, const product *p, nc_gemm *g,
			 operands *o)
{
	nacre_node *a = y->in[0], *b = y->in[1];
	const nacre_variable *v = nc_cpu_in_panels(c, b);
	*g = (nc_gemm){.m = p->m, .n = p->n, .k = p->k, .batch = p->batch, .a_trans = p->ta};
	g->lda = p->ta ? p->m : p->k;
	g->batch_a = p->one_a ? 0 : p->m * p->k;
	g->batch_b = p->one_b ? 0 : p->k * p->n;
	g->batch_c = p->m * p->n;
	g->ldc = p->n;
	g->nr = nc_cpu_kernels(c)->gemm_width(p->n);
	o->a = p->spread_a ? spread(c, a, y) : nc_plain(c, a);
	if (v) {
		o->b = nc_storage_of(c, b);
		g->b_format = p->tb ? NC_B_PANELS_TRANSPOSED : NC_B_PANELS;
		g->ldb = p->tb ? v->panel : 0;
		if (!p->tb)
			g->nr = v->panel;
	} else {
		o->b = p->spread_b ? spread(c, b, y) : nc_plain(c, b);
		g->b_format = p->tb ? NC_B_COLUMNS : NC_B_ROWS;
		g->ldb = p->tb ? p->k : p->n;
	}
	return o->a >= 0 && o->b >= 0;
}

static bool connect_update(nc_compile *c, const nacre_node *u, gemm_args *a)
{
	const nc_attr_update *attr = u->attr;
	nc_update *d = &a->update;
	*d = (nc_update){.rule = u->op->index - NC_OP_update_sgd,
			 .a = attr->a,
			 .b = attr->b,
			 .c = attr->c,
			 .decay = attr->decay};
	float **slot[2] = {d->rule == NC_UPDATE_RMSPROP ? &d->v : &d->m, &d->v};
	int rate = nc_plain(c, u->in[u->n_in - 1]);
	a->gemm.update = d;
	a->gemm.nr = nc_cpu_in_panels(c, u->in[0])->panel;
	if (!nc_writes(c, &d->w, nc_storage_of(c, u->in[0]), 0) || !nc_reads(c, &d->rate, rate, 0))
		return false;
	for (int i = 1; i < u->op->targets; i++)
		if (!nc_writes(c, slot[i - 1], nc_storage_of(c, u->in[i]), 0))
			return false;
	return true;
}

static double epilogue_bytes(const nc_vm_build *b)
{
	double bytes = 0;
	for (int i = 1; i < b->vm.n_operands; i++)
		bytes +=
		    b->vm.operand[i].access == NC_SCALAR ? 0 : (double)nc_node_bytes(b->operand[i]);
	for (int i = 0; i < b->vm.n_results; i++)
		bytes += (double)nc_node_bytes(b->result[i]);
	return bytes;
}

static const char *kernel_name(const nc_gemm *g, const nc_vm_build *b, bool update)
{
	if (update)
		return "matmul+update";
	if (b)
		return "matmul+epilogue";
	return g->batch > 1 ? "matmul batched" : g->m == 1 ? "matmul 1 row" : "matmul";
}

bool nc_cpu_lower_matmul(nc_compile *c, const nc_group *g)
{
	nacre_node *y = g->anchor ? g->anchor : g->node[0];
	product p = describe(y);
	nc_gemm gemm;
	operands o;
	nc_vm_build *b = NULL;
	if (g->n > 1 && !g->effect) {
		b = nc_arena_alloc(&c->arena, sizeof *b);
		if (!b)
			return nc_fail_memory(c);
		if (!nc_cpu_vm_build(c, g, b) || !nc_cpu_vm_prepare(c, b))
			return false;
	}
	if (p.m * p.n * p.batch == 0 || !set_operands(c, y, &p, &gemm, &o))
		return p.m * p.n * p.batch == 0;
	if (g->effect && nc_plain(c, g->effect->in[g->effect->n_in - 1]) < 0)
		return false;
	double mn = (double)p.m * (double)p.n, flops = 2 * mn * (double)p.k * (double)p.batch;
	double bytes =
	    4 * ((double)p.m * (double)p.k + (double)p.k * (double)p.n) * (double)p.batch;
	bytes += b           ? epilogue_bytes(b)
		 : g->effect ? 8 * mn * g->effect->op->targets
			     : 4 * mn * (double)p.batch;
	nc_step *s = nc_cpu_step(c, run_gemm, sizeof(gemm_args), kernel_name(&gemm, b, g->effect),
				 y, flops, bytes);
	if (!s)
		return false;
	gemm_args *a = s->args;
	a->gemm = gemm;
	if (b) {
		a->vm = b->vm;
		a->gemm.vm = &a->vm;
	}
	if (!nc_reads(c, &a->gemm.a, o.a, 0) || !nc_reads(c, &a->gemm.b, o.b, 0))
		return false;
	if (b           ? !nc_cpu_vm_connect(c, b, &a->vm)
	    : g->effect ? !connect_update(c, g->effect, a)
			: !nc_writes(c, &a->gemm.c, nc_plain(c, y), 0))
		return false;
	const nc_kernels *k = nc_cpu_kernels(c);
	s = &c->program->step[c->program->n_steps - 1];
	for (int nt = 1; nt <= nc_pool_threads(c->runtime->pool); nt++) {
		size_t need = k->gemm_scratch(&a->gemm, nt);
		if (need > s->scratch)
			s->scratch = need;
	}
	return true;
}
