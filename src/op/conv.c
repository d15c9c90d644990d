/* SPDX-License-Identifier: MIT
 *
 * conv.c - convolution and its two gradients; each one's gradients are the other two.
 *
 * With y = conv(x, f), x' = conv_input(dy, f), f' = conv_filter(x, dy) all three are bilinear:
 * sum(y dy) = sum(x x') = sum(f f').
 */
#include <string.h>

#include "op/window.h"

static bool same_floats(nacre_node *y)
{
	return nc_expect_same(y, 0, 1) && nc_expect_float(y, 0);
}

/* do the channels of x, filter and y go together? */
static bool channels_fit(nacre_node *node, int64_t cx, int64_t in_group, int64_t cy)
{
	int64_t groups = ((const nc_attr_window *)node->attr)->groups;
	if (cx % groups || cy % groups)
		return nc_node_fail(node, "%lld channels to %lld do not divide by %lld groups",
				    (long long)cx, (long long)cy, (long long)groups);
	if (in_group != cx / groups)
		return nc_node_fail(
		    node, "filter expects %lld channels in each of %lld groups, got %lld in all",
		    (long long)in_group, (long long)groups, (long long)cx);
	return true;
}

static bool infer_conv(nacre_node *y)
{
	const nacre_node *x = y->in[0], *f = y->in[1];
	int last = x->rank - 1;
	if (!same_floats(y) ||
	    !channels_fit(y, x->shape[last], f->shape[last - 1], f->shape[last]) ||
	    !nc_window_out(y, x->rank - 2, x->shape + 1, y->shape + 1))
		return false;
	y->dtype = x->dtype;
	y->rank = x->rank;
	y->shape[0] = x->shape[0];
	y->shape[last] = f->shape[last];
	return true;
}

static void grad_conv(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *x = y->in[0], *f = y->in[1];
	nacre_window w = nc_window_again(y);
	dx[0] = nacre_conv_input(dy, f, w, x->shape + 1);
	dx[1] = nacre_conv_filter(x, dy, w);
}

/* would conv of the extent give dy's sizes? */
static bool fits_back(nacre_node *x, const nacre_node *dy)
{
	const nc_attr_window *a = x->attr;
	int64_t out[3];
	char want[128], got[128];
	for (int i = 0; i < dy->rank - 2; i++)
		if (a->extent[i] < 0)
			return nc_node_fail(x, "size %lld is negative", (long long)a->extent[i]);
	if (!nc_window_out(x, dy->rank - 2, a->extent, out))
		return false;
	if (memcmp(out, dy->shape + 1, (size_t)(dy->rank - 2) * sizeof *out) == 0)
		return true;
	return nc_node_fail(x, "from sizes %s come %s, not %s",
			    nc_shape_text(want, dy->rank - 2, a->extent),
			    nc_shape_text(got, dy->rank - 2, out),
			    nc_shape_text((char[128]){0}, dy->rank - 2, dy->shape + 1));
}

static bool infer_conv_input(nacre_node *x)
{
	const nacre_node *dy = x->in[0], *f = x->in[1];
	const nc_attr_window *a = x->attr;
	int last = dy->rank - 1;
	if (!same_floats(x))
		return false;
	if (f->shape[last] != dy->shape[last])
		return nc_node_fail(x, "filter gives %lld channels, got %lld",
				    (long long)f->shape[last], (long long)dy->shape[last]);
	if (f->shape[last - 1] > INT64_MAX / a->groups)
		return nc_node_fail(x, "too many channels");
	int64_t cx = f->shape[last - 1] * a->groups;
	if (!channels_fit(x, cx, f->shape[last - 1], f->shape[last]) || !fits_back(x, dy))
		return false;
	x->dtype = dy->dtype;
	x->rank = dy->rank;
	x->shape[0] = dy->shape[0];
	memcpy(x->shape + 1, a->extent, (size_t)(last - 1) * sizeof *x->shape);
	x->shape[last] = cx;
	return true;
}

static void grad_conv_input(nacre_node *x, nacre_node *g, nacre_node **dx)
{
	nacre_window w = nc_window_again(x);
	dx[0] = nacre_conv(g, x->in[1], w);
	dx[1] = nacre_conv_filter(g, x->in[0], w);
}

static bool infer_conv_filter(nacre_node *f)
{
	const nacre_node *x = f->in[0], *dy = f->in[1];
	const nc_attr_window *a = f->attr;
	int64_t out[3];
	char want[128], got[128];
	if (!same_floats(f))
		return false;
	if (dy->rank != x->rank || dy->shape[0] != x->shape[0])
		return nc_node_fail(f, "dy of as many samples and axes as x expected: %s and %s",
				    nc_shape_text(want, x->rank, x->shape),
				    nc_shape_text(got, dy->rank, dy->shape));
	int last = x->rank - 1;
	if (!channels_fit(f, x->shape[last], x->shape[last] / a->groups, dy->shape[last]) ||
	    !nc_window_out(f, x->rank - 2, x->shape + 1, out))
		return false;
	if (memcmp(out, dy->shape + 1, (size_t)(x->rank - 2) * sizeof *out) != 0)
		return nc_node_fail(f, "dy of sizes %s expected, got %s",
				    nc_shape_text(want, x->rank - 2, out),
				    nc_shape_text(got, x->rank - 2, dy->shape + 1));
	f->dtype = x->dtype;
	f->rank = x->rank;
	memcpy(f->shape, a->size, (size_t)(last - 1) * sizeof *f->shape);
	f->shape[last - 1] = x->shape[last] / a->groups;
	f->shape[last] = dy->shape[last];
	return true;
}

static void grad_conv_filter(nacre_node *f, nacre_node *g, nacre_node **dx)
{
	nacre_node *x = f->in[0], *dy = f->in[1];
	nacre_window w = nc_window_again(f);
	dx[0] = nacre_conv_input(dy, g, w, x->shape + 1);
	dx[1] = nacre_conv(x, g, w);
}

/* two for each place of the window, channel of the group, and element of y */
static double flops_conv(const nacre_node *node)
{
	nc_window3 w = nc_window_of(node);
	double places = (double)w.size[0] * (double)w.size[1] * (double)w.size[2];
	double y = (double)w.n * (double)w.y[0] * (double)w.y[1] * (double)w.y[2] * (double)w.cy;
	return 2 * places * y * (double)w.cx / (double)w.groups;
}

#define CONV(id, its_fields, onnx_name)                                                            \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = 2,                                                                       \
		.max_in = 2,                                                                       \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_window),                                               \
		.fields = its_fields,                                                              \
		.infer = infer_##id,                                                               \
		.grad = grad_##id,                                                                 \
		.flops = flops_conv,                                                               \
		.keras = #id,                                                                      \
		.onnx = onnx_name,                                                                 \
	};
CONV(conv, nc_fields_window, "Conv")
CONV(conv_input, nc_fields_window_back, "ConvTranspose")
CONV(conv_filter, nc_fields_window, NULL)

nacre_node *nacre_conv(nacre_node *x, nacre_node *filter, nacre_window w)
{
	nacre_node *in[2] = {x, filter};
	nc_attr_window a;
	if (!filter || !nc_window_attr("conv", x, filter, w, &a))
		return NULL;
	return nc_node_new(x->graph, &nc_op_conv, 2, in, &a);
}

nacre_node *nacre_conv_input(nacre_node *dy, nacre_node *filter, nacre_window w,
			     const int64_t *spatial)
{
	nacre_node *in[2] = {dy, filter};
	nc_attr_window a;
	if (!filter || !nc_window_attr("conv_input", dy, filter, w, &a))
		return NULL;
	if (!spatial)
		return nc_graph_fail(dy->graph, "conv_input: spatial is NULL");
	memcpy(a.extent, spatial, (size_t)(dy->rank - 2) * sizeof *a.extent);
	return nc_node_new(dy->graph, &nc_op_conv_input, 2, in, &a);
}

nacre_node *nacre_conv_filter(nacre_node *x, nacre_node *dy, nacre_window w)
{
	nacre_node *in[2] = {x, dy};
	nc_attr_window a;
	if (!dy || !nc_window_attr("conv_filter", x, NULL, w, &a))
		return NULL;
	return nc_node_new(x->graph, &nc_op_conv_filter, 2, in, &a);
}
