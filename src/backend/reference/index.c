/* SPDX-License-Identifier: MIT
 *
 * index.c - reading and adding by index, and scans along an axis.
 */
#include <string.h>

#include "backend/reference/rows.h"

static int axis_of(const nacre_node *n)
{
	return ((const nc_attr_axis *)n->attr)->axis;
}

static bool inside(double index, int64_t n)
{
	return index >= 0 && index < (double)n;
}

void nc_ref_gather(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n))
		return; /* here and below: no loops over other, large sizes */
	nc_ref_lines l = nc_ref_around(n->in[0], axis_of(n));
	int64_t count = nc_node_size(n->in[1]);
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t k = 0; k < count; k++)
			for (int64_t i = 0; i < l.inner; i++) {
				double at = in[1][k];
				*y++ = inside(at, l.n)
					       ? in[0][(o * l.n + (int64_t)at) * l.inner + i]
					       : 0;
			}
}

static void add(const nacre_node *n, double *to, double v)
{
	*to = nc_ref_as(n->dtype, *to + v);
}

void nc_ref_scatter_add(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n))
		return;
	nc_ref_lines l = nc_ref_around(n, axis_of(n));
	int64_t count = nc_node_size(n->in[1]);
	const double *u = in[2];
	memcpy(y, in[0], (size_t)nc_node_size(n) * sizeof(*y));
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t k = 0; k < count; k++)
			for (int64_t i = 0; i < l.inner; i++, u++)
				if (inside(in[1][k], l.n))
					add(n, &y[(o * l.n + (int64_t)in[1][k]) * l.inner + i], *u);
}

void nc_ref_take_along_axis(const nacre_node *n, double *const *in, double *y,
			    const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n))
		return;
	nc_ref_lines l = nc_ref_around(n->in[0], axis_of(n));
	int64_t count = n->shape[axis_of(n)];
	const double *index = in[1];
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t k = 0; k < count; k++)
			for (int64_t i = 0; i < l.inner; i++, index++)
				*y++ = inside(*index, l.n)
					       ? in[0][(o * l.n + (int64_t)*index) * l.inner + i]
					       : 0;
}

void nc_ref_scatter_add_along_axis(const nacre_node *n, double *const *in, double *y,
				   const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n))
		return;
	nc_ref_lines l = nc_ref_around(n, axis_of(n));
	int64_t count = n->in[1]->shape[axis_of(n)];
	const double *index = in[1], *u = in[2];
	memcpy(y, in[0], (size_t)nc_node_size(n) * sizeof(*y));
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t k = 0; k < count; k++)
			for (int64_t i = 0; i < l.inner; i++, index++, u++)
				if (inside(*index, l.n))
					add(n, &y[(o * l.n + (int64_t)*index) * l.inner + i], *u);
}

void nc_ref_one_hot(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	int64_t depth = ((const nc_attr_one_hot *)n->attr)->depth, count = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < count; i++)
		for (int64_t k = 0; k < depth; k++)
			*y++ = in[0][i] == (double)k;
}

void nc_ref_cumsum(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n))
		return;
	const nc_attr_cumsum *a = n->attr;
	nc_ref_lines l = nc_ref_around(n, a->axis);
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t i = 0; i < l.inner; i++) {
			double s = 0;
			for (int64_t k = 0; k < l.n; k++) {
				int64_t at =
					(o * l.n + (a->reverse ? l.n - 1 - k : k)) * l.inner + i;
				if (a->exclusive)
					y[at] = s;
				s = nc_ref_as(n->dtype, s + in[0][at]);
				if (!a->exclusive)
					y[at] = s;
			}
		}
}

/* sorting: a heap sort of indices, which lie in y as doubles */
typedef struct line {
	const double *x;
	double *y;
	int64_t stride;
	bool descending;
} line;

/* does element i come before element j?  A total order: equal ones by place, NaN last. */
static bool before(const line *l, double i, double j)
{
	double a = l->x[(int64_t)i * l->stride], b = l->x[(int64_t)j * l->stride];
	if (a != a || b != b)
		return a != a && b != b ? i < j : b != b;
	return a == b ? i < j : l->descending ? a > b : a < b;
}

static void sift(const line *l, int64_t root, int64_t n)
{
	double v = l->y[root * l->stride];
	for (int64_t child; (child = 2 * root + 1) < n; root = child) {
		if (child + 1 < n &&
		    before(l, l->y[child * l->stride], l->y[(child + 1) * l->stride]))
			child++;
		if (!before(l, v, l->y[child * l->stride]))
			break;
		l->y[root * l->stride] = l->y[child * l->stride];
	}
	l->y[root * l->stride] = v;
}

static void argsort_line(const line *l, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		l->y[i * l->stride] = (double)i;
	for (int64_t i = n / 2 - 1; i >= 0; i--)
		sift(l, i, n);
	for (int64_t end = n - 1; end > 0; end--) {
		double top = l->y[0];
		l->y[0] = l->y[end * l->stride];
		l->y[end * l->stride] = top;
		sift(l, 0, end);
	}
}

static void sort(const nacre_node *n, const double *x, double *y, bool values)
{
	if (!nc_node_size(n))
		return;
	const nc_attr_sort *a = n->attr;
	nc_ref_lines s = nc_ref_around(n, a->axis);
	for (int64_t o = 0; o < s.outer; o++)
		for (int64_t i = 0; i < s.inner; i++) {
			int64_t at = o * s.n * s.inner + i;
			line l = {x + at, y + at, s.inner, a->descending};
			argsort_line(&l, s.n);
			for (int64_t k = 0; values && k < s.n; k++)
				l.y[k * l.stride] = l.x[(int64_t)l.y[k * l.stride] * l.stride];
		}
}

void nc_ref_sort(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	sort(n, in[0], y, true);
}

void nc_ref_argsort(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	sort(n, in[0], y, false);
}
