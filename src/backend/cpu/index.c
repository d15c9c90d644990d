/* SPDX-License-Identifier: MIT
 *
 * index.c - gather, scatter, one-hot.
 */
#include "backend/cpu/cpu.h"
#include "op/attr.h"

static void run_gather(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->gather(s->args, tid, nt);
}
bool nc_cpu_lower_gather(nc_compile *c, nacre_node *y)
{
	nacre_node *x = y->in[0], *indices = y->in[1];
	nc_gather shape = {.count = nc_node_size(indices),
			   .size = (int)nacre_dtype_size(x->dtype),
			   .index_size = (int)nacre_dtype_size(indices->dtype)};
	nc_cpu_axis(x, ((const nc_attr_axis *)y->attr)->axis, &shape.outer, &shape.n, &shape.inner);
	int from = nc_plain(c, x), at = nc_plain(c, indices), to = nc_plain(c, y);
	if (from < 0 || at < 0 || to < 0 || nc_node_size(y) == 0)
		return nc_node_size(y) == 0;
	nc_step *s =
	    nc_cpu_step(c, run_gather, sizeof shape, "gather", y, 0, 2 * (double)nc_node_bytes(y));
	if (!s)
		return false;
	nc_gather *a = s->args;
	*a = shape;
	return nc_reads(c, &a->x, from, 0) && nc_reads(c, &a->indices, at, 0) &&
	       nc_writes(c, &a->y, to, 0);
}

static void run_scatter(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->scatter(s->args, tid, nt);
}
bool nc_cpu_lower_scatter_add(nc_compile *c, nacre_node *y)
{
	nacre_node *x = y->in[0], *indices = y->in[1], *updates = y->in[2];
	if (y->dtype != NACRE_F32)
		return false;
	nc_scatter shape = {.count = nc_node_size(indices),
			    .index_size = (int)nacre_dtype_size(indices->dtype)};
	nc_cpu_axis(x, ((const nc_attr_axis *)y->attr)->axis, &shape.outer, &shape.n, &shape.inner);
	int at = nc_plain(c, indices), add = nc_plain(c, updates), to = nc_plain(c, y);
	nc_copy copy = {
	    .rank = 1, .shape = {nc_node_size(y)}, .src_stride = {1}, .dst_stride = {1}, .size = 4};
	if (at < 0 || add < 0 || to < 0)
		return false;
	bool zero = nc_is(x, NC_OP_fill) && ((const nc_attr_fill *)x->attr)->value == 0;
	if (!(zero ? nc_cpu_fill(c, x, to)
		   : nc_cpu_copy(c, y, "copy", &copy, nc_plain(c, x), 0, to, 0)))
		return false;
	if (nc_node_size(updates) == 0)
		return true;
	nc_step *s = nc_cpu_step(c, run_scatter, sizeof shape, "scatter_add", y,
				 (double)nc_node_size(updates), 3 * (double)nc_node_bytes(updates));
	if (!s)
		return false;
	nc_scatter *a = s->args;
	*a = shape;
	return nc_reads(c, &a->indices, at, 0) && nc_reads(c, &a->updates, add, 0) &&
	       nc_writes(c, &a->y, to, 0);
}

static void run_one_hot(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->one_hot(s->args, tid, nt);
}
bool nc_cpu_lower_one_hot(nc_compile *c, nacre_node *y)
{
	nacre_node *indices = y->in[0];
	if (y->dtype != NACRE_F32 || nacre_dtype_size(indices->dtype) < 4)
		return false;
	int at = nc_plain(c, indices), to = nc_plain(c, y);
	if (at < 0 || to < 0 || nc_node_size(y) == 0)
		return nc_node_size(y) == 0;
	nc_step *s = nc_cpu_step(c, run_one_hot, sizeof(nc_one_hot), "one_hot", y, 0,
				 (double)nc_node_bytes(y));
	if (!s)
		return false;
	nc_one_hot *a = s->args;
	*a = (nc_one_hot){.count = nc_node_size(indices),
			  .depth = ((const nc_attr_one_hot *)y->attr)->depth,
			  .index_size = (int)nacre_dtype_size(indices->dtype)};
	return nc_reads(c, &a->indices, at, 0) && nc_writes(c, &a->y, to, 0);
}
