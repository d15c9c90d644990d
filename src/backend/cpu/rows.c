/* SPDX-License-Identifier: MIT
 *
 * rows.c - along an axis: reductions, softmax, cumulative sums.
 */
#include "backend/cpu/cpu.h"
#include "op/attr.h"

static void run_reduce(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->reduce(s->args, tid, nt, scratch);
}

static bool reduce(nc_compile *c, const nacre_node *y, nc_reduce shape, int from,
		   size_t from_offset, int to, size_t to_offset)
{
	double in = (double)(shape.outer * shape.n * shape.inner),
	       out = (double)(shape.outer * shape.inner);
	if (from < 0 || to < 0)
		return false;
	if (out == 0)
		return true;
	nc_step *s = nc_cpu_step(c, run_reduce, sizeof(nc_reduce), "reduce", y, in, 4 * (in + out));
	if (!s)
		return false;
	nc_reduce *r = s->args;
	*r = shape;
	s->scratch = 4096;
	return nc_reads(c, &r->x, from, from_offset) && nc_writes(c, &r->y, to, to_offset);
}

/* A long sum into few places: first blocks of a fixed length, which threads can share, then the
 * sums of the blocks.  The bits depend on n alone. */
enum { BLOCK = 4096 };

static bool reduce_blocks(nc_compile *c, const nacre_node *y, nc_reduce r, int from, int to)
{
	int64_t blocks = r.n / BLOCK, rest = r.n % BLOCK, parts = blocks + (rest > 0);
	int partial = nc_temporary(c, (size_t)(parts * r.inner) * sizeof(float));
	nc_reduce first = r, tail = r, last = r;
	first.outer = blocks;
	first.n = BLOCK;
	tail.n = rest;
	last.n = parts;
	first.scale = tail.scale = 1;
	return reduce(c, y, first, from, 0, partial, 0) &&
	       (!rest || reduce(c, y, tail, from, (size_t)(blocks * BLOCK * r.inner) * 4, partial,
				(size_t)(blocks * r.inner) * 4)) &&
	       reduce(c, y, last, partial, 0, to, 0);
}

bool nc_cpu_sum(nc_compile *c, nacre_node *y, int64_t rows, int64_t columns, int from)
{
	nc_reduce r = {.kind = NC_REDUCE_SUM, .outer = 1, .n = rows, .inner = columns, .scale = 1};
	return reduce(c, y, r, from, 0, nc_plain(c, y), 0);
}

bool nc_cpu_lower_reduce(nc_compile *c, nacre_node *y)
{
	static const struct {
		int op;
		nc_reduce_kind kind;
	} kinds[] = {{NC_OP_sum, NC_REDUCE_SUM},
		     {NC_OP_max, NC_REDUCE_MAX},
		     {NC_OP_min, NC_REDUCE_MIN},
		     {NC_OP_product, NC_REDUCE_PRODUCT}};
	const nacre_node *x = y->in[0];
	unsigned axes = ((const nc_attr_reduce *)y->attr)->axes;
	if (x->dtype != NACRE_F32)
		return false;
	nc_reduce r = {.scale = 1};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (nc_is(y, kinds[i].op))
			r.kind = kinds[i].kind;
	/* one run of neighbouring axes at a time, the last first */
	int64_t shape[NACRE_MAX_RANK];
	for (int i = 0; i < x->rank; i++)
		shape[i] = x->shape[i];
	int from = nc_plain(c, y->in[0]);
	if (!axes) {
		nc_copy copy = {.rank = 1,
				.shape = {nc_node_size(y)},
				.src_stride = {1},
				.dst_stride = {1},
				.size = 4};
		return nc_cpu_copy(c, y, "copy", &copy, from, 0, nc_plain(c, y), 0);
	}
	for (int hi = x->rank - 1; hi >= 0; hi--) {
		if (!(axes >> hi & 1))
			continue;
		int lo = hi;
		while (lo > 0 && (axes >> (lo - 1) & 1 || shape[lo - 1] == 1))
			lo--;
		r.outer = r.n = r.inner = 1;
		for (int i = 0; i < x->rank; i++) {
			*(i < lo ? &r.outer : i <= hi ? &r.n : &r.inner) *= shape[i];
			if (i >= lo && i <= hi)
				shape[i] = 1;
		}
		bool more = axes & ((1u << lo) - 1);
		int to = more ? nc_temporary(c, (size_t)(r.outer * r.inner) * sizeof(float))
			      : nc_plain(c, y);
		bool ok = r.outer == 1 && r.inner <= 64 && r.n >= 8 * BLOCK
			      ? reduce_blocks(c, y, r, from, to)
			      : reduce(c, y, r, from, 0, to, 0);
		if (!ok)
			return false;
		from = to;
		hi = lo;
	}
	return true;
}

static void run_arg_reduce(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->arg_reduce(s->args, tid, nt);
}
bool nc_cpu_lower_arg_reduce(nc_compile *c, nacre_node *y)
{
	const nacre_node *x = y->in[0];
	nc_arg_reduce shape = {.smallest = nc_is(y, NC_OP_argmin)};
	if (x->dtype != NACRE_F32 || y->dtype != NACRE_I32)
		return false;
	nc_cpu_axis(x, ((const nc_attr_axis *)y->attr)->axis, &shape.outer, &shape.n, &shape.inner);
	int from = nc_plain(c, y->in[0]), to = nc_plain(c, y);
	double in = (double)nc_node_size(x);
	if (from < 0 || to < 0 || nc_node_size(y) == 0)
		return nc_node_size(y) == 0;
	nc_step *s = nc_cpu_step(c, run_arg_reduce, sizeof shape, "arg_reduce", y, in, 4 * in);
	if (!s)
		return false;
	nc_arg_reduce *a = s->args;
	*a = shape;
	return nc_reads(c, &a->x, from, 0) && nc_writes(c, &a->y, to, 0);
}

static void run_softmax(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->softmax(s->args, tid, nt);
}
bool nc_cpu_lower_softmax(nc_compile *c, nacre_node *y)
{
	const nacre_node *x = y->in[0];
	nc_softmax shape = {.log = nc_is(y, NC_OP_log_softmax)};
	if (x->dtype != NACRE_F32)
		return false;
	nc_cpu_axis(x, ((const nc_attr_axis *)y->attr)->axis, &shape.outer, &shape.n, &shape.inner);
	int from = nc_plain(c, y->in[0]), to = nc_plain(c, y);
	double n = (double)nc_node_size(x);
	if (from < 0 || to < 0 || n == 0)
		return n == 0;
	nc_step *s = nc_cpu_step(c, run_softmax, sizeof shape,
				 shape.log ? "log_softmax" : "softmax", y, 4 * n, 8 * n);
	if (!s)
		return false;
	nc_softmax *a = s->args;
	*a = shape;
	return nc_reads(c, &a->x, from, 0) && nc_writes(c, &a->y, to, 0);
}

static void run_cumsum(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->cumsum(s->args, tid, nt);
}
bool nc_cpu_lower_cumsum(nc_compile *c, nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_cumsum *attr = y->attr;
	nc_cumsum shape = {.exclusive = attr->exclusive, .reverse = attr->reverse};
	if (x->dtype != NACRE_F32)
		return false;
	nc_cpu_axis(x, attr->axis, &shape.outer, &shape.n, &shape.inner);
	int from = nc_plain(c, y->in[0]), to = nc_plain(c, y);
	double n = (double)nc_node_size(x);
	if (from < 0 || to < 0 || n == 0)
		return n == 0;
	nc_step *s = nc_cpu_step(c, run_cumsum, sizeof shape, "cumsum", y, n, 8 * n);
	if (!s)
		return false;
	nc_cumsum *a = s->args;
	*a = shape;
	return nc_reads(c, &a->x, from, 0) && nc_writes(c, &a->y, to, 0);
}
