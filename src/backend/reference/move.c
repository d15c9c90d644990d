/* SPDX-License-Identifier: MIT
 *
 * move.c - movement: each result element is read from one place, or written to one.
 */
#include <string.h>

#include "backend/reference/rows.h"

static void row_major(const nacre_node *x, int64_t *stride)
{
	int64_t step = 1;
	for (int d = x->rank - 1; d >= 0; d--) {
		stride[d] = step;
		step *= x->shape[d];
	}
}

/* y[index] = x[base + sum index stride] over y's shape */
static void read_strided(const nacre_node *n, const double *x, int64_t base, const int64_t *stride,
			 double *y)
{
	int64_t size = nc_node_size(n), index[NACRE_MAX_RANK] = {0};
	for (int64_t i = 0; i < size; i++) {
		y[i] = x[base + nc_ref_at_index(n->rank, index, stride)];
		nc_ref_next(n->rank, n->shape, index);
	}
}

/* y[base + sum index stride] = x[index] over x's shape */
static void write_strided(const nacre_node *from, const double *x, int64_t base,
			  const int64_t *stride, double *y)
{
	int64_t size = nc_node_size(from), index[NACRE_MAX_RANK] = {0};
	for (int64_t i = 0; i < size; i++) {
		y[base + nc_ref_at_index(from->rank, index, stride)] = x[i];
		nc_ref_next(from->rank, from->shape, index);
	}
}

void nc_ref_reshape(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	memcpy(y, in[0], (size_t)nc_node_size(n) * sizeof(*y));
}

void nc_ref_transpose(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	int64_t plain[NACRE_MAX_RANK], stride[NACRE_MAX_RANK];
	row_major(n->in[0], plain);
	for (int i = 0; i < n->rank; i++)
		stride[i] = plain[((const nc_attr_transpose *)n->attr)->order[i]];
	read_strided(n, in[0], 0, stride, y);
}

void nc_ref_broadcast(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	int64_t stride[NACRE_MAX_RANK];
	nc_ref_strides(n->in[0], n->rank, stride);
	read_strided(n, in[0], 0, stride, y);
}

void nc_ref_slice(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	const nc_attr_slice *a = n->attr;
	int64_t stride[NACRE_MAX_RANK], base = 0;
	row_major(n->in[0], stride);
	for (int i = 0; i < n->rank; i++) {
		base += a->start[i] * stride[i];
		stride[i] = n->shape[i] > 1 ? stride[i] * a->step[i] : 0;
	}
	read_strided(n, in[0], base, stride, y);
}

void nc_ref_pad(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	const nc_attr_pad *a = n->attr;
	int64_t stride[NACRE_MAX_RANK], base = 0, size = nc_node_size(n);
	double value = nc_ref_as(n->dtype, a->value);
	for (int64_t i = 0; i < size; i++)
		y[i] = value;
	row_major(n, stride);
	for (int i = 0; i < n->rank; i++) {
		base += a->before[i] * stride[i];
		stride[i] = n->in[0]->shape[i] > 1 ? stride[i] * (a->between[i] + 1) : 0;
	}
	write_strided(n->in[0], in[0], base, stride, y);
}

void nc_ref_concat(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	int axis = ((const nc_attr_axis *)n->attr)->axis;
	int64_t stride[NACRE_MAX_RANK], base = 0;
	row_major(n, stride);
	for (int k = 0; k < n->n_in; k++) {
		write_strided(n->in[k], in[k], base, stride, y);
		base += n->in[k]->shape[axis] * stride[axis];
	}
}

void nc_ref_reverse(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	unsigned axes = ((const nc_attr_reverse *)n->attr)->axes;
	int64_t stride[NACRE_MAX_RANK], base = 0;
	row_major(n, stride);
	for (int i = 0; i < n->rank; i++)
		if (axes >> i & 1) {
			base += (n->shape[i] - 1) * stride[i];
			stride[i] = -stride[i];
		}
	read_strided(n, in[0], base, stride, y);
}
