/* SPDX-License-Identifier: MIT
 *
 * move.c - the same numbers elsewhere: reshape, transpose, broadcast, slice, pad, concat, reverse.
 */
#include <string.h>

#include "nacre/op.h"

#include "op/build.h"

/* reshape */
static bool infer_reshape(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_reshape *a = y->attr;
	char s[128], t[128];
	int64_t size;
	if (!nc_infer_dims(y, x->dtype, &a->shape))
		return false;
	if (!nc_shape_size(y->rank, y->shape, &size) || size != nc_node_size(x))
		return nc_node_fail(y, "%s has another number of elements than %s",
				    nc_shape_text(s, x->rank, x->shape),
				    nc_shape_text(t, y->rank, y->shape));
	return true;
}

static void grad_reshape(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_reshape(dy, y->in[0]->rank, y->in[0]->shape);
}

static const nc_field fields_none[] = {{0}};

const nc_op nc_op_reshape = {
	.name = "reshape",
	.index = NC_OP_reshape,
	.min_in = 1,
	.max_in = 1,
	.flags = NC_OP_RESHAPES,
	.element = -1,
	.attr_size = sizeof(nc_attr_reshape),
	.fields = fields_none,
	.infer = infer_reshape,
	.grad = grad_reshape,
	.keras = "reshape",
	.onnx = "Reshape",
};

nacre_node *nacre_reshape(nacre_node *x, int rank, const int64_t *shape)
{
	char s[128], t[128];
	if (!x || x->graph->error.status)
		return NULL;
	nc_attr_reshape a;
	memset(&a, 0, sizeof(a));
	int64_t known = 1, wanted = -1;
	if (rank < 0 || rank > NACRE_MAX_RANK || (rank && !shape)) {
		nc_dims_set(x->graph, "reshape", rank, shape, &a.shape);
		return NULL;
	}
	a.shape.rank = rank;
	for (int i = 0; i < rank; i++) {
		a.shape.size[i] = shape[i];
		if (shape[i] == -1 && wanted < 0)
			wanted = i;
		else if (shape[i] < 0 || !nc_mul_i64(known, shape[i], &known))
			return nc_graph_fail(x->graph, "reshape: impossible shape %s",
					     nc_shape_text(s, rank, shape));
	}
	if (wanted >= 0) {
		int64_t size = nc_node_size(x);
		if (!known || size % known)
			return nc_graph_fail(x->graph, "reshape: %s does not fit into %s",
					     nc_shape_text(s, x->rank, x->shape),
					     nc_shape_text(t, rank, shape));
		a.shape.size[wanted] = size / known;
	}
	bool same = rank == x->rank;
	for (int i = 0; same && i < rank; i++)
		same = a.shape.size[i] == x->shape[i];
	return same ? x : nc_node_new(x->graph, &nc_op_reshape, 1, &x, &a);
}

nacre_node *nacre_expand_dims(nacre_node *x, int axis)
{
	if (!x)
		return NULL;
	int64_t shape[NACRE_MAX_RANK + 1];
	if (axis < -x->rank - 1 || axis > x->rank)
		return nc_graph_fail(x->graph, "expand_dims: axis %d is outside a value of rank %d",
				     axis, x->rank + 1);
	if (axis < 0)
		axis += x->rank + 1;
	for (int i = 0; i <= x->rank; i++)
		shape[i] = i == axis ? 1 : x->shape[i - (i > axis)];
	return nacre_reshape(x, x->rank + 1, shape);
}

nacre_node *nacre_squeeze(nacre_node *x, unsigned axes)
{
	char text[128];
	bool all = axes == NACRE_ALL_AXES;
	if (!nc_axes_real(x, "squeeze", &axes))
		return NULL;
	int64_t shape[NACRE_MAX_RANK];
	int rank = 0;
	for (int i = 0; i < x->rank; i++) {
		bool one = x->shape[i] == 1;
		if (axes >> i & 1 && !one && !all)
			return nc_graph_fail(x->graph, "squeeze: axis %d of %s is not 1", i,
					     nc_shape_text(text, x->rank, x->shape));
		if (!(axes >> i & 1) || !one)
			shape[rank++] = x->shape[i];
	}
	return nacre_reshape(x, rank, shape);
}

/* transpose */
static bool infer_transpose(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_transpose *a = y->attr;
	unsigned seen = 0;
	y->dtype = x->dtype;
	y->rank = x->rank;
	for (int i = 0; i < x->rank; i++) {
		int from = a->order[i];
		if (from < 0 || from >= x->rank || seen >> from & 1)
			return nc_node_fail(
				y, "the order must name each of %d axes once, got %d at %d",
				x->rank, from, i);
		seen |= 1u << from;
		y->shape[i] = x->shape[from];
	}
	return true;
}

static void grad_transpose(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	const nc_attr_transpose *a = y->attr;
	int back[NACRE_MAX_RANK];
	for (int i = 0; i < y->rank; i++)
		back[a->order[i]] = i;
	dx[0] = nacre_transpose(dy, back);
}

static const nc_field fields_transpose[] = {
	{"order", NC_FIELD_ORDER, offsetof(nc_attr_transpose, order)}, {0}};

const nc_op nc_op_transpose = {
	.name = "transpose",
	.index = NC_OP_transpose,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_transpose),
	.fields = fields_transpose,
	.infer = infer_transpose,
	.grad = grad_transpose,
	.keras = "transpose",
	.onnx = "Transpose",
};

nacre_node *nacre_transpose(nacre_node *x, const int *order)
{
	if (!x || x->graph->error.status)
		return NULL;
	if (x->rank && !order)
		return nc_graph_fail(x->graph, "transpose: the order is NULL");
	nc_attr_transpose a;
	memset(&a, 0, sizeof(a));
	bool same = true;
	for (int i = 0; i < x->rank; i++) {
		a.order[i] = order[i] < 0 ? order[i] + x->rank : order[i];
		same &= a.order[i] == i;
	}
	return same ? x : nc_node_new(x->graph, &nc_op_transpose, 1, &x, &a);
}

/* broadcast */
static bool infer_broadcast(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_reshape *a = y->attr;
	char s[128], t[128];
	if (!nc_infer_dims(y, x->dtype, &a->shape))
		return false;
	bool fits = x->rank <= y->rank;
	for (int i = 1; fits && i <= x->rank; i++) {
		int64_t n = x->shape[x->rank - i];
		fits = n == 1 || n == y->shape[y->rank - i];
	}
	return fits ||
	       nc_node_fail(y, "%s cannot be stretched to %s", nc_shape_text(s, x->rank, x->shape),
			    nc_shape_text(t, y->rank, y->shape));
}

static void grad_broadcast(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nc_unbroadcast(dy, y->in[0]);
}

const nc_op nc_op_broadcast = {
	.name = "broadcast",
	.index = NC_OP_broadcast,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_reshape),
	.fields = fields_none,
	.infer = infer_broadcast,
	.grad = grad_broadcast,
	.keras = "broadcast_to",
	.onnx = "Expand",
};

nacre_node *nacre_broadcast(nacre_node *x, int rank, const int64_t *shape)
{
	nc_attr_reshape a;
	memset(&a, 0, sizeof(a));
	if (!x || !nc_dims_set(x->graph, "broadcast", rank, shape, &a.shape))
		return NULL;
	bool same = rank == x->rank;
	for (int i = 0; same && i < rank; i++)
		same = shape[i] == x->shape[i];
	if (same)
		return x->graph->error.status ? NULL : x;
	return nc_node_new(x->graph, &nc_op_broadcast, 1, &x, &a);
}

/* slice */
static int64_t length(int64_t start, int64_t stop, int64_t step)
{
	return stop > start ? (stop - start - 1) / step + 1 : 0;
}

static bool infer_slice(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_slice *a = y->attr;
	y->dtype = x->dtype;
	y->rank = x->rank;
	for (int i = 0; i < x->rank; i++) {
		if (a->step[i] < 1)
			return nc_node_fail(y, "axis %d: a step > 0 expected, got %lld", i,
					    (long long)a->step[i]);
		if (a->start[i] < 0 || a->start[i] > a->stop[i] || a->stop[i] > x->shape[i])
			return nc_node_fail(y, "axis %d: %lld to %lld is outside a size of %lld", i,
					    (long long)a->start[i], (long long)a->stop[i],
					    (long long)x->shape[i]);
		y->shape[i] = length(a->start[i], a->stop[i], a->step[i]);
	}
	return true;
}

/* zeros around and between, where nothing was taken */
static void grad_slice(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	const nacre_node *x = y->in[0];
	const nc_attr_slice *a = y->attr;
	int64_t before[NACRE_MAX_RANK], after[NACRE_MAX_RANK], between[NACRE_MAX_RANK];
	for (int i = 0; i < x->rank; i++) {
		int64_t n = y->shape[i];
		before[i] = n ? a->start[i] : 0;
		between[i] = n > 1 ? a->step[i] - 1 : 0;
		after[i] = x->shape[i] - before[i] - (n ? (n - 1) * (between[i] + 1) + 1 : 0);
	}
	dx[0] = nacre_pad(dy, before, after, between, 0);
}

static const nc_field fields_slice[] = {{"start", NC_FIELD_SIZES, offsetof(nc_attr_slice, start)},
					{"stop", NC_FIELD_SIZES, offsetof(nc_attr_slice, stop)},
					{"step", NC_FIELD_SIZES, offsetof(nc_attr_slice, step)},
					{0}};

const nc_op nc_op_slice = {
	.name = "slice",
	.index = NC_OP_slice,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_slice),
	.fields = fields_slice,
	.infer = infer_slice,
	.grad = grad_slice,
	.keras = "slice",
	.onnx = "Slice",
};

nacre_node *nacre_slice(nacre_node *x, const int64_t *start, const int64_t *stop,
			const int64_t *step)
{
	nc_attr_slice a;
	memset(&a, 0, sizeof(a));
	if (!x || x->graph->error.status)
		return NULL;
	if (x->rank && (!start || !stop))
		return nc_graph_fail(x->graph, "slice: %s is NULL", start ? "stop" : "start");
	bool whole = true;
	for (int i = 0; i < x->rank; i++) {
		a.start[i] = start[i];
		a.stop[i] = stop[i];
		a.step[i] = step ? step[i] : 1;
		whole &= a.start[i] == 0 && a.stop[i] == x->shape[i] && a.step[i] == 1;
	}
	return whole ? x : nc_node_new(x->graph, &nc_op_slice, 1, &x, &a);
}

nacre_node *nacre_slice_axis(nacre_node *x, int axis, int64_t start, int64_t stop)
{
	if (!nc_axis_real(x, "slice", &axis))
		return NULL;
	int64_t from[NACRE_MAX_RANK] = {0}, to[NACRE_MAX_RANK];
	memcpy(to, x->shape, sizeof(to));
	from[axis] = start;
	to[axis] = stop;
	return nacre_slice(x, from, to, NULL);
}

/* pad */
static bool infer_pad(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	const nc_attr_pad *a = y->attr;
	char text[128];
	y->dtype = x->dtype;
	y->rank = x->rank;
	for (int i = 0; i < x->rank; i++) {
		int64_t n = x->shape[i], gaps = 0;
		if (a->before[i] < 0 || a->after[i] < 0 || a->between[i] < 0)
			return nc_node_fail(y,
					    "axis %d: sizes >= 0 expected, got %lld before, %lld "
					    "after, %lld between",
					    i, (long long)a->before[i], (long long)a->after[i],
					    (long long)a->between[i]);
		if ((n > 1 && !nc_mul_i64(n - 1, a->between[i], &gaps)) ||
		    __builtin_add_overflow(n, gaps, &n) ||
		    __builtin_add_overflow(n, a->before[i], &n) ||
		    __builtin_add_overflow(n, a->after[i], &n))
			return nc_node_fail(y, "axis %d of %s grows too large", i,
					    nc_shape_text(text, x->rank, x->shape));
		y->shape[i] = n;
	}
	return true;
}

static void grad_pad(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	const nacre_node *x = y->in[0];
	const nc_attr_pad *a = y->attr;
	int64_t start[NACRE_MAX_RANK], stop[NACRE_MAX_RANK], step[NACRE_MAX_RANK];
	for (int i = 0; i < x->rank; i++) {
		int64_t n = x->shape[i];
		start[i] = a->before[i];
		step[i] = n > 1 ? a->between[i] + 1 : 1;
		stop[i] = start[i] + (n ? (n - 1) * step[i] + 1 : 0);
	}
	dx[0] = nacre_slice(dy, start, stop, step);
}

static const nc_field fields_pad[] = {{"before", NC_FIELD_SIZES, offsetof(nc_attr_pad, before)},
				      {"after", NC_FIELD_SIZES, offsetof(nc_attr_pad, after)},
				      {"between", NC_FIELD_SIZES, offsetof(nc_attr_pad, between)},
				      {"value", NC_FIELD_F64, offsetof(nc_attr_pad, value)},
				      {0}};

const nc_op nc_op_pad = {
	.name = "pad",
	.index = NC_OP_pad,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_pad),
	.fields = fields_pad,
	.infer = infer_pad,
	.grad = grad_pad,
	.keras = "pad",
	.onnx = "Pad",
};

nacre_node *nacre_pad(nacre_node *x, const int64_t *before, const int64_t *after,
		      const int64_t *between, double value)
{
	nc_attr_pad a;
	memset(&a, 0, sizeof(a));
	if (!x || x->graph->error.status)
		return NULL;
	if (x->rank && (!before || !after))
		return nc_graph_fail(x->graph, "pad: %s is NULL", before ? "after" : "before");
	bool nothing = true;
	for (int i = 0; i < x->rank; i++) {
		a.before[i] = before[i];
		a.after[i] = after[i];
		a.between[i] = between ? between[i] : 0;
		nothing &= !a.before[i] && !a.after[i] && !a.between[i];
	}
	a.value = value;
	return nothing ? x : nc_node_new(x->graph, &nc_op_pad, 1, &x, &a);
}

/* concat */
static bool infer_concat(nacre_node *y)
{
	const nacre_node *x = y->in[0];
	int axis = ((const nc_attr_axis *)y->attr)->axis;
	char s[128], t[128];
	if (!nc_expect_axis(y, axis))
		return false;
	nc_infer_like(y, x);
	for (int k = 1; k < y->n_in; k++) {
		const nacre_node *z = y->in[k];
		bool fits = z->rank == x->rank;
		for (int i = 0; fits && i < x->rank; i++)
			fits = i == axis || z->shape[i] == x->shape[i];
		if (!nc_expect_same(y, 0, k))
			return false;
		if (!fits)
			return nc_node_fail(y, "shapes differ outside axis %d: %s and %s", axis,
					    nc_shape_text(s, x->rank, x->shape),
					    nc_shape_text(t, z->rank, z->shape));
		if (__builtin_add_overflow(y->shape[axis], z->shape[axis], &y->shape[axis]))
			return nc_node_fail(y, "axis %d grows too large", axis);
	}
	return true;
}

static void grad_concat(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	int axis = ((const nc_attr_axis *)y->attr)->axis;
	int64_t at = 0;
	for (int k = 0; k < y->n_in; k++) {
		int64_t n = y->in[k]->shape[axis];
		dx[k] = nacre_slice_axis(dy, axis, at, at + n);
		at += n;
	}
}

static const nc_field fields_axis[] = {{"axis", NC_FIELD_INT, offsetof(nc_attr_axis, axis)}, {0}};

const nc_op nc_op_concat = {
	.name = "concat",
	.index = NC_OP_concat,
	.min_in = 1,
	.max_in = INT32_MAX,
	.element = -1,
	.attr_size = sizeof(nc_attr_axis),
	.fields = fields_axis,
	.infer = infer_concat,
	.grad = grad_concat,
	.keras = "concatenate",
	.onnx = "Concat",
};

nacre_node *nacre_concat(int n, nacre_node *const *x, int axis)
{
	nacre_graph *g = x && n > 0 ? nc_graph_of(n, x) : NULL;
	if (!g || g->error.status)
		return NULL;
	if (x[0] && !nc_axis_real(x[0], "concat", &axis))
		return NULL;
	nc_attr_axis a = {axis};
	return n == 1 ? x[0] : nc_node_new(g, &nc_op_concat, n, x, &a);
}

nacre_node *nacre_stack(int n, nacre_node *const *x, int axis)
{
	nacre_graph *g = x && n > 0 ? nc_graph_of(n, x) : NULL;
	char s[128], t[128];
	if (!g || g->error.status)
		return NULL;
	for (int k = 0; k < n; k++) {
		if (!x[k])
			return nc_graph_fail(g, "stack: input %d is NULL", k);
		if (!nc_same_shape(x[k], x[0]))
			return nc_graph_fail(g, "stack: shapes differ: %s and %s",
					     nc_shape_text(s, x[0]->rank, x[0]->shape),
					     nc_shape_text(t, x[k]->rank, x[k]->shape));
	}
	nc_memory *m = nc_runtime_memory(g->runtime);
	size_t bytes;
	nacre_node **expanded = NULL;
	if (nc_mul((size_t)n, sizeof(*expanded), &bytes))
		expanded = nc_alloc(m, bytes);
	if (!expanded) {
		nc_no_memory(&g->error, (size_t)n * sizeof(*expanded));
		return NULL;
	}
	for (int k = 0; k < n; k++)
		expanded[k] = nacre_expand_dims(x[k], axis);
	nacre_node *y = expanded[0] ? nacre_concat(n, expanded, axis) : NULL;
	nc_free(m, expanded, bytes);
	return y;
}

/* reverse */
static bool infer_reverse(nacre_node *y)
{
	unsigned axes = ((const nc_attr_reverse *)y->attr)->axes;
	int rank = y->in[0]->rank;
	if (axes >> rank)
		return nc_node_fail(y, "axis %d is outside a value of rank %d",
				    __builtin_ctz(axes >> rank) + rank, rank);
	return nc_infer_like(y, y->in[0]);
}

static void grad_reverse(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	dx[0] = nacre_reverse(dy, ((const nc_attr_reverse *)y->attr)->axes);
}

static const nc_field fields_reverse[] = {{"axes", NC_FIELD_AXES, offsetof(nc_attr_reverse, axes)},
					  {0}};

const nc_op nc_op_reverse = {
	.name = "reverse",
	.index = NC_OP_reverse,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_reverse),
	.fields = fields_reverse,
	.infer = infer_reverse,
	.grad = grad_reverse,
	.keras = "flip",
};

nacre_node *nacre_reverse(nacre_node *x, unsigned axes)
{
	if (!nc_axes_real(x, "reverse", &axes))
		return NULL;
	nc_attr_reverse a = {axes};
	return nc_node_new(x->graph, &nc_op_reverse, 1, &x, &a);
}
