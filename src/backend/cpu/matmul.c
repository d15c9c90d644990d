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

bool nc_cpu_product(const nacre_node *y)
{
	return y->dtype == NACRE_F32 || y->dtype == NACRE_BF16;
}

/* bf16 in; the sums are f32, and so may be the result */
static bool in_pairs(const nacre_node *y)
{
	return y->in[0]->dtype == NACRE_BF16;
}

bool nc_cpu_narrowed(const nc_compile *c, const nacre_node *n)
{
	const nacre_variable *v = nc_is(n, NC_OP_cast) ? nc_cpu_in_panels(c, n->in[0]) : NULL;
	if (!v || n->dtype != NACRE_BF16 || n->rank != 2 || c->is_output[n->id] ||
	    c->users[n->id] < 0)
		return false;
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next) {
		const nacre_node *u = c->edge[e].user;
		if (!nc_is(u, NC_OP_matmul) || u->in[1] != n || u->in[0] == n)
			return false;
	}
	return true;
}

typedef struct narrow_args {
	int64_t k, n;
	int nr;
	const float *from;
	void *to;
} narrow_args;

static void run_narrow(const nc_step *s, int tid, int nt, void *scratch)
{
	const narrow_args *a = s->args;
	int64_t panels = (a->n + a->nr - 1) / a->nr;
	(void)scratch;
	NC_KERNELS(s)->narrow(a->k, a->nr, a->from, a->to, panels * tid / nt,
			      panels * (tid + 1) / nt);
}

bool nc_cpu_lower_narrow(nc_compile *c, nacre_node *n)
{
	int nr = nc_cpu_in_panels(c, n->in[0])->panel, from = nc_storage_of(c, n->in[0]);
	int64_t panels = (n->shape[1] + nr - 1) / nr, pairs = (n->shape[0] + 1) / 2;
	int to = nc_temporary(c, (size_t)(panels * pairs * nr) * 4);
	if (from < 0 || to < 0)
		return false;
	c->native[n->id] = to;
	nc_step *s = nc_cpu_step(c, run_narrow, sizeof(narrow_args), "narrow", n, 0,
				 3 * (double)nc_node_bytes(n));
	if (!s)
		return false;
	narrow_args *a = s->args;
	*a = (narrow_args){n->shape[0], n->shape[1], nr, NULL, NULL};
	return nc_reads(c, &a->from, from, 0) && nc_writes(c, &a->to, to, 0);
}

/* the variable in whose panels b lies, or the pairs made of them */
static const nacre_variable *panels_of(const nc_compile *c, const nacre_node *b)
{
	return nc_cpu_in_panels(c, nc_cpu_narrowed(c, b) ? b->in[0] : b);
}

/* An update takes the tiles of its gradient if they come in the panels of the weight. */
static bool accepts_update(const nc_compile *c, const nc_group *g)
{
	const nacre_node *y = g->anchor, *w = g->effect->in[0];
	product p = describe(y);
	const nacre_variable *wv = nc_cpu_in_panels(c, w), *bv = panels_of(c, y->in[1]);
	if (y->dtype != NACRE_F32 || p.batch != 1 || g->n != 2 || !wv || w->rank != 2)
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
	if (!nc_cpu_product(g->anchor) || p.batch != 1)
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
	const nacre_variable *v = panels_of(c, b);
	*g = (nc_gemm){.m = p->m, .n = p->n, .k = p->k, .batch = p->batch, .a_trans = p->ta};
	g->pairs = in_pairs(y) ? nc_cpu_kernels(c)->pairs : NULL;
	g->lda = p->ta ? p->m : p->k;
	g->batch_a = p->one_a ? 0 : p->m * p->k;
	g->batch_b = p->one_b ? 0 : p->k * p->n;
	g->batch_c = p->m * p->n;
	g->ldc = p->n;
	g->nr = nc_cpu_kernels(c)->gemm_width(p->n);
	o->a = p->spread_a ? spread(c, a, y) : nc_plain(c, a);
	if (v) {
		o->b = in_pairs(y) ? c->native[b->id] : nc_storage_of(c, b);
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
	*d = (nc_update){.rule = nc_cpu_update_rule(u),
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

double nc_cpu_epilogue_bytes(const nc_vm_build *b)
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

/* sums: the value that takes them if there is neither an epilogue nor an update */
static bool lower_product(nc_compile *c, const nc_group *g, product p, int sums)
{
	nacre_node *y = g->anchor ? g->anchor : g->node[0];
	nc_gemm gemm;
	operands o;
	nc_vm_build *b = NULL;
	if (g->anchor && !g->effect) {
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
	bytes += b           ? nc_cpu_epilogue_bytes(b)
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
			: !nc_writes(c, &a->gemm.c, sums, 0))
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

static void run_round(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->vm(s->args, tid, nt, scratch);
}

/* A product of bf16 with nothing behind it: storing it rounded is an epilogue of its own, but in a
 * batch a step of its own. */
static bool lower_rounded(nc_compile *c, const nc_group *g, product p)
{
	nacre_node *y = g->node[0];
	nc_group own = *g;
	if (p.batch == 1) {
		own.anchor = y;
		return lower_product(c, &own, p, -1);
	}
	size_t bytes = (size_t)nc_node_size(y) * sizeof(float);
	int sums = nc_temporary(c, bytes), to = nc_plain(c, y);
	if (sums < 0 || to < 0 || !lower_product(c, &own, p, sums))
		return false;
	int64_t n = nc_node_size(y);
	if (n == 0)
		return true;
	nc_step *s = nc_cpu_step(c, run_round, sizeof(nc_vm), "round", y, 0, 6 * (double)n);
	if (!s)
		return false;
	nc_vm *vm = s->args;
	*vm = (nc_vm){.rank = 1, .size = {n}, .total = n, .n_operands = 1, .n_results = 1};
	vm->operand[0] = (nc_operand){.type = NC_V_F32, .access = NC_FLAT};
	vm->result[0] =
	    (nc_result){.type = NC_V_BF16, .src = NC_VM_REGISTERS, .access = NC_FLAT};
	s->scratch = nc_cpu_kernels(c)->vm_scratch(vm);
	return nc_reads(c, &vm->operand[0].data, sums, 0) &&
	       nc_writes(c, &vm->result[0].data, to, 0);
}

bool nc_cpu_lower_matmul(nc_compile *c, const nc_group *g)
{
	const nacre_node *y = g->anchor ? g->anchor : g->node[0];
	if (y->dtype == NACRE_BF16 && g->n == 1)
		return lower_rounded(c, g, describe(y));
	return lower_product(c, g, describe(y), g->anchor ? -1 : nc_plain(c, g->node[0]));
}
