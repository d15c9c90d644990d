/* SPDX-License-Identifier: MIT
 *
 * regularizer.c - what keeps the rows or columns of a matrix at right angles.
 */
#include "nn/layer.h"
#include "nn/loss.h"

/* factor times the mean of |cosine| over the n (n-1) / 2 pairs: of the products of all with all,
 * those with themselves left out, each pair stands twice. */
nacre_node *nc_orthogonal_penalty(nacre_node *w, double factor, bool columns)
{
	if (!w)
		return NULL;
	if (w->rank != 2)
		return nc_graph_fail(
		    w->graph, "orthogonal regularizer: expected a matrix, got rank %d", w->rank);
	unsigned along = columns ? NACRE_AXIS(0) : NACRE_AXIS(1);
	int64_t n = w->shape[columns];
	nacre_node *squares = nacre_sum(nacre_square(w), along, true);
	squares = nacre_maximum(squares, nacre_scalar(w->graph, w->dtype, 1e-14));
	w = nacre_times(w, nacre_rsqrt(squares));
	nacre_node *product = nacre_matmul_transposed(w, w, columns, !columns);
	nacre_node *i = nacre_arange(w ? w->graph : NULL, NACRE_I32, n, 0, 1);
	nacre_node *self = nacre_equal(nacre_expand_dims(i, 0), nacre_expand_dims(i, 1));
	product = nacre_select(self, nc_number(product, 0), product);
	double pairs = n > 1 ? 0.5 * (double)n * (double)(n - 1) : 1;
	return nacre_scale(nacre_sum(nacre_abs(product), NACRE_ALL_AXES, false),
			   0.5 * factor / pairs);
}
