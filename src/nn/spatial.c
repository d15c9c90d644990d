/* SPDX-License-Identifier: MIT
 *
 * spatial.c - windows out of options, and the order of axes: see spatial.h.
 */
#include "nn/spatial.h"

#include <string.h>

bool nc_layer_sizes(nacre_layer *l, const char *what, int axes, const int64_t *list, int64_t out[3])
{
	const int64_t most = (int64_t)1 << 30;
	char text[128];
	int n = nc_shape_rank(list);
	bool fits = n == 1 || n == axes;
	for (int i = 0; i < axes; i++) {
		out[i] = list[n == 1 ? 0 : i];
		fits = fits && out[i] >= 1 && out[i] <= most;
	}
	if (fits)
		return true;
	nc_shape_text(text, n, list);
	return axes == 1 ? nc_layer_refuse(l, "%s: expected one positive size, got %s", what, text)
			 : nc_layer_refuse(l, "%s: expected one or %d positive sizes, got %s", what,
					   axes, text);
}

bool nc_spatial_check(nacre_layer *l, const nc_spatial *s, bool causal)
{
	int64_t strides[3] = {1, 1, 1}, dilation[3] = {1, 1, 1}, size[3];
	int axes = l->class->axes;
	if (!nc_layer_sizes(l, s->size_name, axes, s->size, size) ||
	    (s->strides && s->strides[0] &&
	     !nc_layer_sizes(l, "strides", axes, s->strides, strides)) ||
	    (s->dilation && !nc_layer_sizes(l, "dilation_rate", axes, s->dilation, dilation)))
		return false;
	if (s->padding == NACRE_CAUSAL && !causal)
		return nc_layer_refuse(l, "padding: expected valid or same, got causal");
	return true;
}

/* Entry i of a list that was checked. */
static int64_t entry(const int64_t *list, int i)
{
	return !list ? 1 : list[1] ? list[i] : list[0];
}

nacre_window nc_spatial_window(const nacre_layer *l, const nc_spatial *s, const nacre_node *x)
{
	nacre_window w = {.groups = 1};
	int axes = l->class->axes;
	for (int i = 0; i < axes; i++) {
		w.size[i] = entry(s->size, i);
		w.stride[i] = entry(s->strides, i);
		w.dilation[i] = entry(s->dilation, i);
		if (s->padding == NACRE_CAUSAL)
			w.before[i] = (w.size[i] - 1) * w.dilation[i];
	}
	return s->padding == NACRE_SAME ? nacre_window_same(x, w) : w;
}

bool nc_spatial_input(nc_call *c, const nacre_layer *l, const nacre_node *x, int format)
{
	static const char *const shapes[2][4] = {
	    {NULL, "[None, steps, channels]", "[None, height, width, channels]",
	     "[None, depth, height, width, channels]"},
	    {NULL, "[None, channels, steps]", "[None, channels, height, width]",
	     "[None, channels, depth, height, width]"},
	};
	int axes = l->class->axes;
	return nc_layer_rank(c, l, x, axes + 2, shapes[format == NACRE_CHANNELS_FIRST][axes]) &&
	       nc_layer_floats(c, l, x);
}

int64_t nc_channels(const nacre_node *x, int format)
{
	return x->shape[format == NACRE_CHANNELS_FIRST ? 1 : x->rank - 1];
}

nacre_node *nc_channels_last(nacre_node *x, int format)
{
	int order[NACRE_MAX_RANK] = {0};
	if (!x || format != NACRE_CHANNELS_FIRST)
		return x;
	for (int i = 1; i < x->rank; i++)
		order[i] = i == x->rank - 1 ? 1 : i + 1;
	return nacre_transpose(x, order);
}

nacre_node *nc_channels_back(nacre_node *y, int format)
{
	int order[NACRE_MAX_RANK] = {0};
	if (!y || format != NACRE_CHANNELS_FIRST)
		return y;
	for (int i = 1; i < y->rank; i++)
		order[i] = i == 1 ? y->rank - 1 : i - 1;
	return nacre_transpose(y, order);
}
