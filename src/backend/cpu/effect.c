/* SPDX-License-Identifier: MIT
 *
 * effect.c - what changes variables, and random numbers.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "nacre/op.h"
#include "op/attr.h"

/* -- between row-major and panels -----------------------------------------------------------*/
typedef struct pack_args {
	int64_t k, n;
	int nr;
	const float *from;
	float *to;
} pack_args;

static void run_pack(const nc_step *s, int tid, int nt, void *scratch)
{
	const pack_args *a = s->args;
	int64_t panels = (a->n + a->nr - 1) / a->nr;
	(void)scratch;
	NC_KERNELS(s)->pack(a->k, a->n, a->nr, a->from, a->n, false, a->to, panels * tid / nt,
			    panels * (tid + 1) / nt);
}
static void run_unpack(const nc_step *s, int tid, int nt, void *scratch)
{
	const pack_args *a = s->args;
	int64_t panels = (a->n + a->nr - 1) / a->nr, p0 = panels * tid / nt,
		p1 = panels * (tid + 1) / nt;
	int64_t j = p0 * a->nr, columns = nc_min(p1 * a->nr, a->n) - j;
	(void)scratch;
	if (columns > 0)
		NC_KERNELS(s)->unpack(a->k, columns, a->nr, a->from + j * a->k, a->to + j, a->n);
}

static bool convert(nc_compile *c, nacre_node *variable, nc_step_fn *run, const char *kernel,
		    int from, int to)
{
	nc_step *s = nc_cpu_step(c, run, sizeof(pack_args), kernel, variable, 0,
				 2 * (double)nc_node_bytes(variable));
	if (!s)
		return false;
	pack_args *a = s->args;
	int64_t columns = variable->shape[variable->rank - 1];
	int64_t rows = columns ? nc_node_size(variable) / columns : 0;
	*a = (pack_args){rows, columns, nc_variable_of(variable)->panel, NULL, NULL};
	return nc_reads(c, &a->from, from, 0) && nc_writes(c, &a->to, to, 0);
}
bool nc_cpu_unpack(nc_compile *c, nacre_node *variable, int from, int to)
{
	return convert(c, variable, run_unpack, "unpack", from, to);
}

/* -- updates --------------------------------------------------------------------------------*/
static void run_update(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->update(s->args, tid, nt);
}

bool nc_cpu_lower_update(nc_compile *c, nacre_node *u)
{
	nacre_node *w = u->in[0], *g = u->in[u->n_in - 2], *rate = u->in[u->n_in - 1];
	const nc_attr_update *attr = u->attr;
	if (w->dtype != NACRE_F32)
		return false;
	bool in_panels =
	    c->native[g->id] >= 0 && !nc_is(g, NC_OP_variable); /* an epilogue put it there */
	int gradient = in_panels ? c->native[g->id] : nc_plain(c, g), step = nc_plain(c, rate);
	if (gradient < 0 || step < 0)
		return false;
	if (nc_variable_of(w)->panel && !in_panels) {
		int packed = nc_temporary(c, nc_variable_of(w)->size);
		if (packed < 0 || !convert(c, w, run_pack, "pack", gradient, packed))
			return false;
		gradient = packed;
	}
	int64_t n = (int64_t)(nc_variable_of(w)->size / sizeof(float));
	if (nc_node_size(w) == 0)
		return true;
	nc_step *s = nc_cpu_step(c, run_update, sizeof(nc_update), u->op->name, u, 10 * (double)n,
				 4 * (double)n * (2 * u->op->targets + 1));
	if (!s)
		return false;
	nc_update *a = s->args;
	*a = (nc_update){.rule = nc_cpu_update_rule(u),
			 .n = n,
			 .a = attr->a,
			 .b = attr->b,
			 .c = attr->c,
			 .decay = attr->decay};
	float **slot[2] = {a->rule == NC_UPDATE_RMSPROP ? &a->v : &a->m, &a->v};
	if (!nc_writes(c, &a->w, nc_storage_of(c, w), 0) || !nc_reads(c, &a->g, gradient, 0) ||
	    !nc_reads(c, &a->rate, step, 0))
		return false;
	for (int i = 1; i < u->op->targets; i++)
		if (!nc_writes(c, slot[i - 1], nc_storage_of(c, u->in[i]), 0))
			return false;
	return true;
}

bool nc_cpu_lower_assign(nc_compile *c, nacre_node *n)
{
	nacre_node *w = n->in[0];
	int from = nc_plain(c, n->in[1]), to = nc_storage_of(c, w);
	if (from < 0 || to < 0)
		return false;
	if (from == to) /* it was written there */
		return true;
	if (nc_variable_of(w)->panel)
		return convert(c, w, run_pack, "pack", from, to);
	nc_copy copy = {.rank = 1,
			.shape = {nc_node_size(w)},
			.src_stride = {1},
			.dst_stride = {1},
			.size = (int)nacre_dtype_size(w->dtype)};
	return nc_cpu_copy(c, n, "assign", &copy, from, 0, to, 0);
}

/* -- random numbers -------------------------------------------------------------------------*/
typedef struct random_args {
	const nacre_program *program;
	nc_attr_random attr;
	int64_t n;
	float *y;
} random_args;

static void run_random(const nc_step *s, int tid, int nt, void *scratch)
{
	const random_args *r = s->args;
	int64_t blocks = (r->n + 3) / 4; /* a counter makes four numbers */
	int64_t begin = nc_min(blocks * tid / nt * 4, r->n),
		end = nc_min(blocks * (tid + 1) / nt * 4, r->n);
	nc_random stream = nc_random_stream(r->program->seed, r->program->run, r->attr.key);
	float *y = r->y + begin, a = (float)r->attr.a, b = (float)r->attr.b;
	(void)scratch;
	switch (r->attr.kind) {
	case NACRE_BERNOULLI:
		nc_random_bernoulli(stream, a, begin, end, y);
		return;
	case NACRE_UNIFORM:
		nc_random_uniform(stream, begin, end, y);
		b -= a;
		break;
	case NACRE_NORMAL:
		nc_random_normal(stream, begin, end, y);
		break;
	default:
		nc_random_truncated_normal(stream, begin, end, y);
		break;
	}
	if (a != 0 || b != 1)
		for (int64_t i = 0; i < end - begin; i++)
			y[i] = y[i] * b + a;
}

bool nc_cpu_lower_random(nc_compile *c, nacre_node *n)
{
	if (n->dtype != NACRE_F32)
		return false;
	int to = nc_plain(c, n);
	if (to < 0 || nc_node_size(n) == 0)
		return nc_node_size(n) == 0;
	nc_step *s = nc_cpu_step(c, run_random, sizeof(random_args), "random", n,
				 20 * (double)nc_node_size(n), (double)nc_node_bytes(n));
	if (!s)
		return false;
	random_args *a = s->args;
	*a = (random_args){c->program, *(const nc_attr_random *)n->attr, nc_node_size(n), NULL};
	return nc_writes(c, &a->y, to, 0);
}
