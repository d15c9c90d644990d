/* SPDX-License-Identifier: MIT
 *
 * pool.c - the largest value and the sum under a window, and back.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "op/window.h"

static void run_pool(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->pool(s->args, tid, nt);
}

/* The value and the index of one maximum come from one look at x: the step of the first of the two
 * nodes makes both. */
static nacre_node *twin(const nc_compile *c, const nacre_node *n)
{
	int other = nc_is(n, NC_OP_max_pool)	     ? NC_OP_max_pool_index
		    : nc_is(n, NC_OP_max_pool_index) ? NC_OP_max_pool
						     : -1;
	for (int e = c->users[n->in[0]->id]; other >= 0 && e >= 0; e = c->edge[e].next) {
		nacre_node *u = c->edge[e].user;
		if (nc_is(u, other) && memcmp(u->attr, n->attr, n->op->attr_size) == 0)
			return u;
	}
	return NULL;
}

static bool made(const nc_compile *c, const nacre_node *n)
{
	return c->plain[n->id] >= 0 && c->program->value[c->plain[n->id]].first >= 0;
}

static nc_pool_kind kind_of(const nacre_node *n)
{
	switch (n->op->index) {
	case NC_OP_sum_pool:
		return NC_POOL_SUM;
	case NC_OP_sum_unpool:
		return NC_POOL_SUM_BACK;
	case NC_OP_max_pool_at:
		return NC_POOL_MAX_AT;
	case NC_OP_max_unpool:
		return NC_POOL_MAX_BACK;
	default:
		return NC_POOL_MAX;
	}
}

bool nc_cpu_lower_pool(nc_compile *c, nacre_node *n)
{
	nc_window3 w = nc_window_of(n);
	nc_pool_window p = {.kind = kind_of(n), .n = w.n, .c = w.cx};
	nacre_node *value = nc_is(n, NC_OP_max_pool_index) ? NULL : n, *index = NULL;
	if (n->in[0]->dtype != NACRE_F32)
		return false;
	if (p.kind == NC_POOL_MAX) {
		nacre_node *t = c->optimize ? twin(c, n) : NULL;
		if (t && made(c, n))
			return true;
		index = value ? t : n;
		value = value ? n : t;
	} else if (n->n_in == 2) {
		index = n->in[1];
	}
	memcpy(p.in, w.x, sizeof p.in);
	memcpy(p.out, w.y, sizeof p.out);
	memcpy(p.size, w.size, sizeof p.size);
	memcpy(p.stride, w.stride, sizeof p.stride);
	memcpy(p.dilation, w.dilation, sizeof p.dilation);
	memcpy(p.before, w.before, sizeof p.before);
	p.index_size = index ? (int)nacre_dtype_size(index->dtype) : 0;
	int x = nc_plain(c, n->in[0]), y = value ? nc_plain(c, value) : 0;
	int i = index ? nc_plain(c, index) : 0;
	if (x < 0 || y < 0 || i < 0 || nc_node_size(n) == 0)
		return nc_node_size(n) == 0;
	double bytes = (double)nc_node_bytes(n->in[0]) + (double)nc_node_bytes(n);
	nc_step *s = nc_cpu_step(c, run_pool, sizeof p, n->op->name, n, n->op->flops(n), bytes);
	if (!s)
		return false;
	nc_pool_window *a = s->args;
	*a = p;
	if (!nc_reads(c, &a->x, x, 0) || (value && !nc_writes(c, &a->y, y, 0)))
		return false;
	if (!index)
		return true;
	return p.kind == NC_POOL_MAX ? nc_writes(c, &a->index, i, 0) : nc_reads(c, &a->index, i, 0);
}
