/* SPDX-License-Identifier: MIT
 *
 * move.c - transposes, broadcasts, slices, padding, concatenation, reversal: all one strided copy.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "op/attr.h"

static void run_copy(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->copy(s->args, tid, nt);
}
static void run_fill(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->fill(s->args, tid, nt);
}

bool nc_cpu_copy(nc_compile *c, const nacre_node *n, const char *kernel, const nc_copy *shape,
		 int from, int64_t from_offset, int to, int64_t to_offset)
{
	double count = 1;
	for (int i = 0; i < shape->rank; i++)
		count *= (double)shape->shape[i];
	if (from < 0 || to < 0 || count == 0)
		return from >= 0 && to >= 0;
	nc_step *s =
	    nc_cpu_step(c, run_copy, sizeof(nc_copy), kernel, n, 0, 2 * count * shape->size);
	if (!s)
		return false;
	nc_copy *a = s->args;
	*a = *shape;
	return nc_reads(c, &a->src, from, (size_t)(from_offset * shape->size)) &&
	       nc_writes(c, &a->dst, to, (size_t)(to_offset * shape->size));
}

/* the copy whose destination is all of y, row-major */
static nc_copy into(const nacre_node *y)
{
	nc_copy copy = {.rank = y->rank, .size = (int)nacre_dtype_size(y->dtype)};
	memcpy(copy.shape, y->shape, sizeof copy.shape);
	nc_cpu_strides(y, copy.dst_stride);
	return copy;
}

bool nc_cpu_lower_transpose(nc_compile *c, nacre_node *y)
{
	int64_t stride[NACRE_MAX_RANK];
	nc_copy copy = into(y);
	nc_cpu_strides(y->in[0], stride);
	for (int i = 0; i < y->rank; i++)
		copy.src_stride[i] = stride[((const nc_attr_transpose *)y->attr)->order[i]];
	return nc_cpu_copy(c, y, "transpose", &copy, nc_plain(c, y->in[0]), 0, nc_plain(c, y), 0);
}

bool nc_cpu_lower_broadcast(nc_compile *c, nacre_node *y)
{
	const nacre_node *x = y->in[0];
	int64_t stride[NACRE_MAX_RANK];
	nc_copy copy = into(y);
	nc_cpu_strides(x, stride);
	for (int i = 0; i < y->rank; i++) {
		int k = i - (y->rank - x->rank);
		copy.src_stride[i] = k < 0 || x->shape[k] == 1 ? 0 : stride[k];
	}
	return nc_cpu_copy(c, y, "broadcast", &copy, nc_plain(c, y->in[0]), 0, nc_plain(c, y), 0);
}

bool nc_cpu_lower_slice(nc_compile *c, nacre_node *y)
{
	const nc_attr_slice *s = y->attr;
	int64_t stride[NACRE_MAX_RANK], offset = 0;
	nc_copy copy = into(y);
	nc_cpu_strides(y->in[0], stride);
	for (int i = 0; i < y->rank; i++) {
		copy.src_stride[i] = stride[i] * s->step[i];
		offset += stride[i] * s->start[i];
	}
	return nc_cpu_copy(c, y, "slice", &copy, nc_plain(c, y->in[0]), offset, nc_plain(c, y), 0);
}

bool nc_cpu_lower_reverse(nc_compile *c, nacre_node *y)
{
	unsigned axes = ((const nc_attr_reverse *)y->attr)->axes;
	int64_t stride[NACRE_MAX_RANK], offset = 0;
	nc_copy copy = into(y);
	nc_cpu_strides(y->in[0], stride);
	for (int i = 0; i < y->rank; i++) {
		bool turned = axes >> i & 1;
		copy.src_stride[i] = turned ? -stride[i] : stride[i];
		offset += turned && y->shape[i] ? stride[i] * (y->shape[i] - 1) : 0;
	}
	return nc_cpu_copy(c, y, "reverse", &copy, nc_plain(c, y->in[0]), offset, nc_plain(c, y),
			   0);
}

static bool fill_with(nc_compile *c, const nacre_node *n, double value, int to)
{
	nc_fill fill = {.size = (int)nacre_dtype_size(n->dtype), .n = nc_node_size(n)};
	nc_element_set(n->dtype, &fill.value, 0, value);
	if (to < 0 || fill.n == 0)
		return to >= 0;
	nc_step *s = nc_cpu_step(c, run_fill, sizeof fill, "fill", n, 0, (double)nc_node_bytes(n));
	if (!s)
		return false;
	nc_fill *a = s->args;
	*a = fill;
	return nc_writes(c, &a->dst, to, 0);
}

bool nc_cpu_lower_pad(nc_compile *c, nacre_node *y)
{
	const nc_attr_pad *p = y->attr;
	const nacre_node *x = y->in[0];
	int64_t stride[NACRE_MAX_RANK], offset = 0;
	nc_copy copy = {.rank = x->rank, .size = (int)nacre_dtype_size(y->dtype)};
	memcpy(copy.shape, x->shape, sizeof copy.shape);
	nc_cpu_strides(x, copy.src_stride);
	nc_cpu_strides(y, stride);
	for (int i = 0; i < y->rank; i++) {
		copy.dst_stride[i] = stride[i] * (1 + p->between[i]);
		offset += stride[i] * p->before[i];
	}
	int from = nc_plain(c, y->in[0]), to = nc_plain(c, y);
	return fill_with(c, y, p->value, to) &&
	       nc_cpu_copy(c, y, "pad", &copy, from, 0, to, offset);
}

bool nc_cpu_lower_concat(nc_compile *c, nacre_node *y)
{
	int axis = ((const nc_attr_axis *)y->attr)->axis;
	int64_t stride[NACRE_MAX_RANK], offset = 0;
	nc_cpu_strides(y, stride);
	int to = nc_plain(c, y);
	for (int i = 0; i < y->n_in; i++) {
		nacre_node *x = y->in[i];
		nc_copy copy = into(x);
		memcpy(copy.src_stride, copy.dst_stride, sizeof copy.src_stride);
		memcpy(copy.dst_stride, stride, sizeof copy.dst_stride);
		if (!nc_cpu_copy(c, y, "concat", &copy, nc_plain(c, x), 0, to, offset))
			return false;
		offset += stride[axis] * x->shape[axis];
	}
	return true;
}

/* -- what the compiler itself asks for ------------------------------------------------------*/
bool nc_cpu_zero(nc_compile *c, nacre_node *n, int to)
{
	return fill_with(c, n, 0, to);
}
bool nc_cpu_fill(nc_compile *c, nacre_node *n, int to)
{
	return fill_with(c, n, ((const nc_attr_fill *)n->attr)->value, to);
}
