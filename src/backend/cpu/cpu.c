/* SPDX-License-Identifier: MIT
 *
 * cpu.c - the CPU backend, and the table of its lowerings.
 */
#include "backend/cpu/cpu.h"
#include "backend/reference/lower.h"

static nc_cpu_lower *const lowerings[NC_OP_COUNT] = {
    [NC_OP_sum] = nc_cpu_lower_reduce,
    [NC_OP_max] = nc_cpu_lower_reduce,
    [NC_OP_min] = nc_cpu_lower_reduce,
    [NC_OP_product] = nc_cpu_lower_reduce,
    [NC_OP_argmax] = nc_cpu_lower_arg_reduce,
    [NC_OP_argmin] = nc_cpu_lower_arg_reduce,
    [NC_OP_softmax] = nc_cpu_lower_softmax,
    [NC_OP_log_softmax] = nc_cpu_lower_softmax,
    [NC_OP_transpose] = nc_cpu_lower_transpose,
    [NC_OP_broadcast] = nc_cpu_lower_broadcast,
    [NC_OP_slice] = nc_cpu_lower_slice,
    [NC_OP_pad] = nc_cpu_lower_pad,
    [NC_OP_concat] = nc_cpu_lower_concat,
    [NC_OP_reverse] = nc_cpu_lower_reverse,
    [NC_OP_gather] = nc_cpu_lower_gather,
    [NC_OP_scatter_add] = nc_cpu_lower_scatter_add,
    [NC_OP_one_hot] = nc_cpu_lower_one_hot,
    [NC_OP_affine] = nc_cpu_lower_affine,
    [NC_OP_affine_adjoint] = nc_cpu_lower_affine,
    [NC_OP_resize] = nc_cpu_lower_resize,
    [NC_OP_conv_filter] = nc_cpu_lower_conv_filter,
    [NC_OP_max_pool] = nc_cpu_lower_pool,
    [NC_OP_max_pool_index] = nc_cpu_lower_pool,
    [NC_OP_max_pool_at] = nc_cpu_lower_pool,
    [NC_OP_max_unpool] = nc_cpu_lower_pool,
    [NC_OP_sum_pool] = nc_cpu_lower_pool,
    [NC_OP_sum_unpool] = nc_cpu_lower_pool,
    [NC_OP_cumsum] = nc_cpu_lower_cumsum,
    [NC_OP_assign] = nc_cpu_lower_assign,
    [NC_OP_update_sgd] = nc_cpu_lower_update,
    [NC_OP_update_momentum] = nc_cpu_lower_update,
    [NC_OP_update_rmsprop] = nc_cpu_lower_update,
    [NC_OP_update_adam] = nc_cpu_lower_update,
    [NC_OP_update_one] = nc_cpu_lower_update,
    [NC_OP_update_two] = nc_cpu_lower_update,
    [NC_OP_random] = nc_cpu_lower_random,
};

nc_step *nc_cpu_step(nc_compile *c, nc_step_fn *run, size_t args_size, const char *kernel,
		     const nacre_node *n, double flops, double bytes)
{
	nc_step *s = nc_step_new(c, run, args_size, kernel, n);
	if (s) {
		s->table = nc_cpu_kernels(c);
		s->flops = flops;
		s->bytes = bytes;
	}
	return s;
}

/* What only moves elements does not ask what they are. */
static bool moves(int op)
{
	static const int ops[] = {NC_OP_transpose, NC_OP_broadcast, NC_OP_slice,  NC_OP_pad,
				  NC_OP_concat,    NC_OP_reverse,   NC_OP_gather, NC_OP_assign};
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		if (ops[i] == op)
			return true;
	return false;
}

static bool widens(const nacre_node *n)
{
	int op = n->op->index;
	bool convolves = op == NC_OP_conv || op == NC_OP_conv_input;
	if (n->op->flags & NC_OP_EFFECT)
		return false;
	return convolves || (lowerings[op] && !moves(op));
}

static bool accepts(nc_compile *c, const nc_group *g)
{
	if (g->n == 1)
		return true;
	if (g->anchor)
		return nc_is(g->anchor, NC_OP_matmul) ? nc_cpu_accepts_matmul(c, g)
						      : nc_cpu_accepts_conv(c, g);
	nc_vm_build *b = nc_arena_alloc(&c->arena, sizeof *b);
	return b && nc_cpu_vm_build(c, g, b);
}

/* [k, n] times n is worth keeping in panels from a handful of rows on */
static int panel(nc_compile *c, int64_t k, int64_t n)
{
	return k > 0 && n > 0 ? nc_cpu_kernels(c)->gemm_width(n) : 0;
}

static bool lower(nc_compile *c, const nc_group *g)
{
	nacre_node *n = g->node[0];
	const nacre_node *product = g->anchor ? g->anchor : n;
	if ((nc_is(product, NC_OP_conv) || nc_is(product, NC_OP_conv_input)) &&
	    product->dtype == NACRE_F32)
		return nc_cpu_lower_conv(c, g);
	if (g->anchor || (nc_is(n, NC_OP_matmul) && nc_cpu_product(n)))
		return nc_cpu_lower_matmul(c, g);
	if (g->n == 1 && nc_cpu_narrowed(c, n))
		return nc_cpu_lower_narrow(c, n);
	if (nc_cpu_elementwise(n) && (g->n > 1 || !nc_is(n, NC_OP_broadcast)))
		return nc_cpu_lower_elementwise(c, g);
	if (nc_is(n, NC_OP_arange))
		return nc_plain(c, n) >= 0;
	nc_cpu_lower *own = lowerings[n->op->index];
	if (own && own(c, n))
		return true;
	return c->error->status ? false : nc_reference_lower_node(c, n);
}

const nc_backend nc_backend_cpu = {"cpu", nc_cpu_elementwise, widens,	  accepts,
				   panel, lower,	      nc_cpu_unpack, nc_cpu_fill};
