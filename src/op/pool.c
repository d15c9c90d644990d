/* SPDX-License-Identifier: MIT
 *
 * pool.c - the largest value and the sum under a window, and their gradients.
 *
 * max_pool(x) is max_pool_at(x, i) with i = max_pool_index(x); for a fixed index max_pool_at and
 * max_unpool are linear and each other's transpose, as are sum_pool and sum_unpool.
 */
#include <string.h>

#include "op/window.h"

static bool infer_out(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_window *a = y->attr;
	if (!nc_expect_float(y, 0))
		return false;
	if (a->groups != 1)
		return nc_node_fail(y, "groups of 1 expected, got %lld", (long long)a->groups);
	if (!nc_window_out(y, x->rank - 2, x->shape + 1, y->shape + 1))
		return false;
	y->dtype = x->dtype;
	y->rank = x->rank;
	y->shape[0] = x->shape[0];
	y->shape[x->rank - 1] = x->shape[x->rank - 1];
	return true;
}

static nacre_dtype index_type(const nacre_node *y)
{
	const nc_attr_window *a = y->attr;
	double places = 1;
	for (int i = 0; i < y->in[0]->rank - 2; i++)
		places *= (double)a->size[i];
	return places > 256 ? NACRE_I32 : NACRE_U8;
}

static bool infer_max_pool_index(nacre_node *y)
{
	const nc_attr_window *a = y->attr;
	double places = 1;
	if (!infer_out(y))
		return false;
	for (int i = 0; i < y->rank - 2; i++)
		places *= (double)a->size[i];
	if (places > INT32_MAX)
		return nc_node_fail(y, "a window of %.0f places is too large for i32", places);
	y->dtype = index_type(y);
	return true;
}

/* is in[1] the index that belongs to a y of `like`'s shape? */
static bool expect_index(nacre_node *node, const nacre_node *like)
{
	const nacre_node *i = node->in[1];
	char want[128], got[128];
	nacre_dtype t = index_type(node);
	if (i->dtype == t && nc_same_shape(i, like))
		return true;
	return nc_node_fail(node, "an index %s %s expected, got %s %s", nacre_dtype_name(t),
			    nc_shape_text(want, like->rank, like->shape),
			    nacre_dtype_name(i->dtype), nc_shape_text(got, i->rank, i->shape));
}

static bool infer_max_pool_at(nacre_node *y)
{
	return infer_out(y) && expect_index(y, y);
}

static bool infer_back(nacre_node *x)
{
	const nacre_node *dy = x->in[0];
	const nc_attr_window *a = x->attr;
	int64_t out[3];
	char want[128], got[128];
	if (!nc_expect_float(x, 0))
		return false;
	for (int i = 0; i < dy->rank - 2; i++)
		if (a->extent[i] < 0)
			return nc_node_fail(x, "size %lld is negative", (long long)a->extent[i]);
	if (a->groups != 1)
		return nc_node_fail(x, "groups of 1 expected, got %lld", (long long)a->groups);
	if (!nc_window_out(x, dy->rank - 2, a->extent, out))
		return false;
	if (memcmp(out, dy->shape + 1, (size_t)(dy->rank - 2) * sizeof *out) != 0)
		return nc_node_fail(x, "dy of sizes %s expected, got %s",
				    nc_shape_text(want, dy->rank - 2, out),
				    nc_shape_text(got, dy->rank - 2, dy->shape + 1));
	x->dtype = dy->dtype;
	x->rank = dy->rank;
	x->shape[0] = dy->shape[0];
	memcpy(x->shape + 1, a->extent, (size_t)(dy->rank - 2) * sizeof *x->shape);
	x->shape[dy->rank - 1] = dy->shape[dy->rank - 1];
	return true;
}

static bool infer_max_unpool(nacre_node *x)
{
	return infer_back(x) && expect_index(x, x->in[0]);
}

static void grad_max_pool(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *x = y->in[0];
	nacre_window w = nc_window_again(y);
	dx[0] = nacre_max_unpool(dy, nacre_max_pool_index(x, w), w, x->shape + 1);
}
static void grad_max_pool_at(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_max_unpool(dy, y->in[1], nc_window_again(y), y->in[0]->shape + 1);
}
static void grad_max_unpool(nacre_node *x, nacre_node *g, nacre_node **dx)
{
	dx[0] = nacre_max_pool_at(g, x->in[1], nc_window_again(x));
}
static void grad_sum_pool(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_sum_unpool(dy, nc_window_again(y), y->in[0]->shape + 1);
}
static void grad_sum_unpool(nacre_node *x, nacre_node *g, nacre_node **dx)
{
	dx[0] = nacre_sum_pool(g, nc_window_again(x));
}

static double flops_pool(const nacre_node *node)
{
	nc_window3 w = nc_window_of(node);
	return (double)w.size[0] * (double)w.size[1] * (double)w.size[2] * (double)w.n *
	       (double)w.y[0] * (double)w.y[1] * (double)w.y[2] * (double)w.cy;
}

#define POOL(id, inputs, its_flags, its_infer, its_grad, its_fields, keras_name, onnx_name)        \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = inputs,                                                                  \
		.max_in = inputs,                                                                  \
		.flags = its_flags,                                                                \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_window),                                               \
		.fields = its_fields,                                                              \
		.infer = its_infer,                                                                \
		.grad = its_grad,                                                                  \
		.flops = flops_pool,                                                               \
		.keras = keras_name,                                                               \
		.onnx = onnx_name,                                                                 \
	};
POOL(max_pool, 1, 0, infer_out, grad_max_pool, nc_fields_window, "max_pool", "MaxPool")
POOL(max_pool_index, 1, NC_OP_NO_GRADIENT, infer_max_pool_index, NULL, nc_fields_window, NULL, NULL)
POOL(max_pool_at, 2, 0, infer_max_pool_at, grad_max_pool_at, nc_fields_window, NULL, NULL)
POOL(max_unpool, 2, 0, infer_max_unpool, grad_max_unpool, nc_fields_window_back, NULL, NULL)
POOL(sum_pool, 1, 0, infer_out, grad_sum_pool, nc_fields_window, NULL, NULL)
POOL(sum_unpool, 1, 0, infer_back, grad_sum_unpool, nc_fields_window_back, NULL, NULL)

static nacre_node *make(const nc_op *op, nacre_node *x, nacre_node *index, nacre_window w,
			const int64_t *extent)
{
	nacre_node *in[2] = {x, index};
	nc_attr_window a;
	if (!nc_window_attr(op->name, x, NULL, w, &a))
		return NULL;
	if (extent)
		memcpy(a.extent, extent, (size_t)(x->rank - 2) * sizeof *a.extent);
	return nc_node_new(x->graph, op, op->min_in, in, &a);
}

/* Rounded sums and relu are monotone, so the largest of relu(x + b) is relu(largest of x + b), bit
 * for bit, for a b that is the same everywhere under the window: there are fewer of them, and of
 * their gradients. */
static bool same_under_window(const nacre_node *x, const nacre_node *b)
{
	for (int i = 1; i < b->rank; i++)
		if (b->shape[b->rank - 1 - i] != 1)
			return false;
	return b->rank <= x->rank;
}

nacre_node *nacre_max_pool(nacre_node *x, nacre_window w)
{
	if (x && x->op == &nc_op_relu && x->rank >= 3)
		return nacre_relu(nacre_max_pool(x->in[0], w));
	if (x && x->op == &nc_op_add && x->rank >= 3 && nc_same_shape(x, x->in[0]) &&
	    same_under_window(x, x->in[1]))
		return nacre_plus(nacre_max_pool(x->in[0], w), x->in[1]);
	return make(&nc_op_max_pool, x, NULL, w, NULL);
}
nacre_node *nacre_max_pool_index(nacre_node *x, nacre_window w)
{
	return make(&nc_op_max_pool_index, x, NULL, w, NULL);
}
nacre_node *nacre_max_pool_at(nacre_node *x, nacre_node *index, nacre_window w)
{
	return make(&nc_op_max_pool_at, x, index, w, NULL);
}
nacre_node *nacre_sum_pool(nacre_node *x, nacre_window w)
{
	return make(&nc_op_sum_pool, x, NULL, w, NULL);
}
nacre_node *nacre_max_unpool(nacre_node *dy, nacre_node *index, nacre_window w,
			     const int64_t *spatial)
{
	if (dy && !spatial)
		return nc_graph_fail(dy->graph, "max_unpool: spatial is NULL");
	return make(&nc_op_max_unpool, dy, index, w, spatial);
}
nacre_node *nacre_sum_unpool(nacre_node *dy, nacre_window w, const int64_t *spatial)
{
	if (dy && !spatial)
		return nc_graph_fail(dy->graph, "sum_unpool: spatial is NULL");
	return make(&nc_op_sum_unpool, dy, NULL, w, spatial);
}
