/* SPDX-License-Identifier: MIT
 *
 * reduce.c - matrix products, reductions, softmax: everything that sums.
 */
#include <math.h>

#include "backend/reference/rows.h"

/* y[batch][i][j] = sum over k in ascending order */
void nc_ref_matmul(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	if (!nc_node_size(n)) /* here and below: no loops over other, large sizes */
		return;
	const nc_attr_matmul *t = n->attr;
	nacre_node a = *n->in[0], b = *n->in[1];
	int64_t rows = n->shape[n->rank - 2], columns = n->shape[n->rank - 1];
	int64_t inner = a.shape[a.rank - (t->transpose_a ? 2 : 1)];
	int64_t sa[NACRE_MAX_RANK], sb[NACRE_MAX_RANK], index[NACRE_MAX_RANK] = {0};
	int batch_rank = n->rank - 2;
	a.rank -= 2;
	b.rank -= 2;
	nc_ref_strides(&a, batch_rank, sa);
	nc_ref_strides(&b, batch_rank, sb);
	int64_t batches = 1;
	for (int i = 0; i < batch_rank; i++)
		batches *= n->shape[i];
	for (int64_t p = 0; p < batches; p++) {
		const double *pa = in[0] + nc_ref_at_index(batch_rank, index, sa) * rows * inner;
		const double *pb = in[1] + nc_ref_at_index(batch_rank, index, sb) * inner * columns;
		for (int64_t i = 0; i < rows; i++)
			for (int64_t j = 0; j < columns; j++) {
				double s = 0;
				for (int64_t k = 0; k < inner; k++)
					s += pa[t->transpose_a ? k * rows + i : i * inner + k] *
					     pb[t->transpose_b ? j * inner + k : k * columns + j];
				*y++ = nc_ref_as(n->dtype, s);
			}
		nc_ref_next(batch_rank, n->shape, index);
	}
}

/* maximum and minimum let NaN through */
static double larger(double a, double b)
{
	return a > b || a != a ? a : b;
}

static double smaller(double a, double b)
{
	return a < b || a != a ? a : b;
}

static double plus(double a, double b)
{
	return a + b;
}

static double times(double a, double b)
{
	return a * b;
}

typedef double combine_fn(double a, double b);

static void reduce(const nacre_node *n, const double *x, double *y, combine_fn *combine,
		   double neutral)
{
	const nacre_node *in = n->in[0];
	unsigned axes = ((const nc_attr_reduce *)n->attr)->axes;
	int64_t size = nc_node_size(in), count = nc_node_size(n), step = 1;
	int64_t stride[NACRE_MAX_RANK], index[NACRE_MAX_RANK] = {0};
	for (int d = in->rank - 1; d >= 0; d--) {
		stride[d] = axes >> d & 1 ? 0 : step;
		step *= axes >> d & 1 ? 1 : in->shape[d];
	}
	for (int64_t i = 0; i < count; i++)
		y[i] = neutral;
	for (int64_t i = 0; i < size; i++) {
		double *to = y + nc_ref_at_index(in->rank, index, stride);
		*to = combine(*to, x[i]);
		nc_ref_next(in->rank, in->shape, index);
	}
	for (int64_t i = 0; i < count; i++)
		y[i] = nc_ref_as(n->dtype, y[i]);
}

#define ROW(id, combine, neutral)                                                                  \
	void nc_ref_##id(const nacre_node *n, double *const *in, double *y,                        \
			 const nc_ref_context *c)                                                  \
	{                                                                                          \
		(void)c;                                                                           \
		reduce(n, in[0], y, combine, neutral);                                             \
	}
ROW(sum, plus, 0)
ROW(max, larger, -HUGE_VAL)
ROW(min, smaller, HUGE_VAL)
ROW(product, times, 1)

/* the first largest; NaN counts as larger than all */
static void arg(const nacre_node *n, const double *x, double *y, bool smallest)
{
	nc_ref_lines l = nc_ref_around(n->in[0], ((const nc_attr_axis *)n->attr)->axis);
	if (!nc_node_size(n))
		return;
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t i = 0; i < l.inner; i++) {
			const double *line = x + o * l.n * l.inner + i;
			int64_t best = 0;
			for (int64_t k = 1; k < l.n; k++) {
				double v = line[k * l.inner], b = line[best * l.inner];
				bool better = smallest ? v < b || (b != b && v == v)
						       : v > b || (v != v && b == b);
				if (better)
					best = k;
			}
			y[o * l.inner + i] = (double)best;
		}
}

void nc_ref_argmax(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	arg(n, in[0], y, false);
}

void nc_ref_argmin(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	arg(n, in[0], y, true);
}

static void softmax_line(const double *x, double *y, int64_t n, int64_t stride, bool logarithm)
{
	double m = -HUGE_VAL, s = 0;
	for (int64_t k = 0; k < n; k++)
		m = larger(x[k * stride], m);
	for (int64_t k = 0; k < n; k++)
		s += exp(x[k * stride] - m);
	for (int64_t k = 0; k < n; k++) {
		double d = x[k * stride] - m;
		y[k * stride] = logarithm ? d - log(s) : exp(d) / s;
	}
}

static void softmax(const nacre_node *n, const double *x, double *y, bool logarithm)
{
	nc_ref_lines l = nc_ref_around(n, ((const nc_attr_axis *)n->attr)->axis);
	if (!nc_node_size(n))
		return;
	for (int64_t o = 0; o < l.outer; o++)
		for (int64_t i = 0; i < l.inner; i++) {
			int64_t at = o * l.n * l.inner + i;
			softmax_line(x + at, y + at, l.n, l.inner, logarithm);
		}
}

void nc_ref_softmax(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	softmax(n, in[0], y, false);
}

void nc_ref_log_softmax(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	softmax(n, in[0], y, true);
}
