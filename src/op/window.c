/* SPDX-License-Identifier: MIT
 *
 * window.c - what convolutions and pools share: see window.h.
 */
#include <string.h>

#include "op/window.h"

#define WINDOW_FIELDS                                                                              \
	{"size", NC_FIELD_SPATIAL, offsetof(nc_attr_window, size)},                                \
	    {"stride", NC_FIELD_SPATIAL, offsetof(nc_attr_window, stride)},                        \
	    {"dilation", NC_FIELD_SPATIAL, offsetof(nc_attr_window, dilation)},                    \
	    {"before", NC_FIELD_SPATIAL, offsetof(nc_attr_window, before)},                        \
	    {"after", NC_FIELD_SPATIAL, offsetof(nc_attr_window, after)},                          \
	{                                                                                          \
		"groups", NC_FIELD_I64, offsetof(nc_attr_window, groups)                           \
	}
const nc_field nc_fields_window[] = {WINDOW_FIELDS, {0}};
const nc_field nc_fields_window_back[] = {
	{"extent", NC_FIELD_SPATIAL, offsetof(nc_attr_window, extent)}, WINDOW_FIELDS, {0}};

/* so large that no arithmetic below overflows, and larger than any memory */
static const int64_t most = (int64_t)1 << 30;

static bool expect(const char *op, const nacre_node *x, const char *what, int i, int64_t value,
		   int64_t low)
{
	if (value >= low && value <= most)
		return true;
	nc_graph_fail(x->graph, "%s: %s[%d] of %lld to %lld expected, got %lld", op, what, i,
		      (long long)low, (long long)most, (long long)value);
	return false;
}

bool nc_window_attr(const char *op, const nacre_node *x, const nacre_node *filter, nacre_window w,
		    nc_attr_window *out)
{
	char text[128];
	memset(out, 0, sizeof *out);
	if (!x || x->graph->error.status)
		return false;
	if (x->rank < 3 || x->rank > 5) {
		nc_graph_fail(x->graph, "%s: [n, 1 to 3 sizes, channels] expected, got %s", op,
			      nc_shape_text(text, x->rank, x->shape));
		return false;
	}
	if (filter && filter->rank != x->rank) {
		nc_graph_fail(x->graph,
			      "%s: a filter [%d sizes, channels, out channels] expected, got %s",
			      op, x->rank - 2, nc_shape_text(text, filter->rank, filter->shape));
		return false;
	}
	for (int i = 0; i < x->rank - 2; i++) {
		out->size[i] = filter ? filter->shape[i] : w.size[i];
		out->stride[i] = w.stride[i] ? w.stride[i] : 1;
		out->dilation[i] = w.dilation[i] ? w.dilation[i] : 1;
		out->before[i] = w.before[i];
		out->after[i] = w.after[i];
		if (!expect(op, x, "size", i, out->size[i], 1) ||
		    !expect(op, x, "stride", i, out->stride[i], 1) ||
		    !expect(op, x, "dilation", i, out->dilation[i], 1) ||
		    !expect(op, x, "before", i, out->before[i], 0) ||
		    !expect(op, x, "after", i, out->after[i], 0))
			return false;
	}
	out->groups = w.groups ? w.groups : 1;
	return expect(op, x, "groups", 0, out->groups, 1);
}

nacre_window nc_window_again(const nacre_node *node)
{
	const nc_attr_window *a = node->attr;
	nacre_window w = {.groups = a->groups};
	memcpy(w.size, a->size, sizeof w.size);
	memcpy(w.stride, a->stride, sizeof w.stride);
	memcpy(w.dilation, a->dilation, sizeof w.dilation);
	memcpy(w.before, a->before, sizeof w.before);
	memcpy(w.after, a->after, sizeof w.after);
	return w;
}

bool nc_window_out(nacre_node *y, int spatial, const int64_t *in, int64_t *out)
{
	const nc_attr_window *a = y->attr;
	for (int i = 0; i < spatial; i++) {
		int64_t reach = (a->size[i] - 1) * a->dilation[i] + 1;
		if (in[i] > INT64_MAX / 4)
			return nc_node_fail(y, "size %lld is too large", (long long)in[i]);
		int64_t room = in[i] + a->before[i] + a->after[i] - reach;
		if (room < 0)
			return nc_node_fail(
				y, "a window over %lld places does not fit into %lld (axis %d)",
				(long long)reach, (long long)(room + reach), i + 1);
		out[i] = room / a->stride[i] + 1;
	}
	return true;
}

nacre_window nacre_window_same(const nacre_node *x, nacre_window w)
{
	for (int i = 0; x && i < 3 && i < x->rank - 2; i++) {
		int64_t stride = w.stride[i] > 0 ? w.stride[i] : 1;
		int64_t dilation = w.dilation[i] > 0 ? w.dilation[i] : 1;
		if (w.size[i] < 1 || w.size[i] > most || dilation > most || stride > most)
			continue; /* the op that takes the window says so */
		int64_t in = x->shape[i + 1], out = in / stride + (in % stride != 0);
		int64_t reach = (w.size[i] - 1) * dilation + 1;
		int64_t need = (out - 1) * stride + reach - in;
		need = need > 0 && out > 0 ? need : 0;
		w.before[i] = need / 2;
		w.after[i] = need - need / 2;
	}
	return w;
}

nc_window3 nc_window_of(const nacre_node *node)
{
	const nc_attr_window *a = node->attr;
	int op = node->op->index;
	bool back = op == NC_OP_conv_input || op == NC_OP_max_unpool || op == NC_OP_sum_unpool;
	const nacre_node *x = back ? node : node->in[0];
	const nacre_node *y = back			? node->in[0]
			      : op == NC_OP_conv_filter ? node->in[1]
							: node;
	nc_window3 w = {.n = x->shape[0],
			.cx = x->shape[x->rank - 1],
			.cy = y->shape[y->rank - 1],
			.groups = a->groups};
	int missing = 5 - x->rank;
	for (int d = 0; d < 3; d++) {
		int i = d - missing;
		w.x[d] = i < 0 ? 1 : x->shape[i + 1];
		w.y[d] = i < 0 ? 1 : y->shape[i + 1];
		w.size[d] = i < 0 ? 1 : a->size[i];
		w.stride[d] = i < 0 ? 1 : a->stride[i];
		w.dilation[d] = i < 0 ? 1 : a->dilation[i];
		w.before[d] = i < 0 ? 0 : a->before[i];
	}
	return w;
}
