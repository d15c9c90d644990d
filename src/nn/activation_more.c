/* SPDX-License-Identifier: MIT
 *
 * activation_more.c - activations made of straight pieces, of shrinking, and of smooth gates; their
 * names stand in activation.c.
 */
#include <float.h>

#include "ir/ir.h"
#include "nacre/activation.h"

static nacre_node *number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}

static nacre_node *above(nacre_node *x, double limit)
{
	return nacre_greater(x, number(x, limit));
}

/* -- straight pieces --------------------------------------------------------------------------- */
nacre_node *nacre_relu6(nacre_node *x)
{
	return nacre_clip(x, 0, 6);
}

nacre_node *nacre_relu_with(nacre_node *x, double negative_slope, double max_value,
			    double threshold)
{
	nacre_node *high = threshold == 0 ? nacre_relu(x) : nacre_threshold_at(x, threshold, 0);
	if (max_value < (double)FLT_MAX)
		high = threshold >= 0 ? nacre_minimum(high, number(x, max_value))
				      : nacre_clip(high, 0, max_value);
	if (negative_slope == 0)
		return high;
	nacre_node *low = nacre_minimum(nacre_add_number(x, -threshold), number(x, 0));
	return nacre_plus(high, nacre_scale(low, negative_slope));
}

nacre_node *nacre_threshold_at(nacre_node *x, double threshold, double value)
{
	return nacre_select(above(x, threshold), x, number(x, value));
}

nacre_node *nacre_threshold(nacre_node *x)
{
	return nacre_threshold_at(x, 0, 0);
}

nacre_node *nacre_hard_sigmoid(nacre_node *x)
{
	return nacre_scale(nacre_relu6(nacre_add_number(x, 3)), 1.0 / 6);
}

nacre_node *nacre_hard_silu(nacre_node *x)
{
	return nacre_times(x, nacre_hard_sigmoid(x));
}

nacre_node *nacre_hard_tanh(nacre_node *x)
{
	return nacre_clip(x, -1, 1);
}

nacre_node *nacre_sparse_sigmoid(nacre_node *x)
{
	return nacre_scale(nacre_clip(nacre_add_number(x, 1), 0, 2), 0.5);
}

nacre_node *nacre_sparse_plus(nacre_node *x)
{
	nacre_node *middle = nacre_scale(nacre_square(nacre_add_number(x, 1)), 0.25);
	nacre_node *y = nacre_select(above(x, -1), middle, number(x, 0));
	return nacre_select(nacre_less(x, number(x, 1)), y, x);
}

/* -- shrinking --------------------------------------------------------------------------------- */
nacre_node *nacre_hard_shrink_at(nacre_node *x, double threshold)
{
	return nacre_select(above(nacre_abs(x), threshold), x, number(x, 0));
}

nacre_node *nacre_hard_shrink(nacre_node *x)
{
	return nacre_hard_shrink_at(x, 0.5);
}

nacre_node *nacre_soft_shrink_at(nacre_node *x, double threshold)
{
	return nacre_minus(x, nacre_clip(x, -threshold, threshold));
}

nacre_node *nacre_soft_shrink(nacre_node *x)
{
	return nacre_soft_shrink_at(x, 0.5);
}

nacre_node *nacre_tanh_shrink(nacre_node *x)
{
	return nacre_minus(x, nacre_tanh(x));
}

/* -- smooth ------------------------------------------------------------------------------------ */
/* expm1 sees min(x, 0), for the reason that elu tells */
nacre_node *nacre_celu_alpha(nacre_node *x, double alpha)
{
	nacre_node *low = nacre_expm1(nacre_scale(nacre_minimum(x, number(x, 0)), 1 / alpha));
	return nacre_select(above(x, 0), x, nacre_scale(low, alpha));
}

nacre_node *nacre_celu(nacre_node *x)
{
	return nacre_celu_alpha(x, 1);
}

nacre_node *nacre_softsign(nacre_node *x)
{
	return nacre_divide(x, nacre_add_number(nacre_abs(x), 1));
}

nacre_node *nacre_squareplus_b(nacre_node *x, double b)
{
	nacre_node *root = nacre_sqrt(nacre_add_number(nacre_square(x), b));
	return nacre_scale(nacre_plus(x, root), 0.5);
}

nacre_node *nacre_squareplus(nacre_node *x)
{
	return nacre_squareplus_b(x, 4);
}

nacre_node *nacre_mish(nacre_node *x)
{
	return nacre_times(x, nacre_tanh(nacre_softplus(x)));
}

nacre_node *nacre_log_sigmoid(nacre_node *x)
{
	return nacre_neg(nacre_softplus(nacre_neg(x)));
}

/* -- along the last axis ----------------------------------------------------------------------- */
nacre_node *nacre_glu(nacre_node *x)
{
	if (!x)
		return NULL;
	int64_t n = x->rank ? x->shape[x->rank - 1] : 0;
	if (x->rank == 0 || n % 2)
		return nc_graph_fail(x->graph, "glu: expected a last axis of even size, got %lld",
				     x->rank ? (long long)n : 1);
	return nacre_times(nacre_slice_axis(x, -1, 0, n / 2),
			   nacre_sigmoid(nacre_slice_axis(x, -1, n / 2, n)));
}

/* z: x in falling order, c: its running sums, the support: places r with z_r > (c_r - 1) / r, which
 * are the first k.  The threshold is what all of Keras's backends compute: from the sum of c over
 * the support, where Martins and Astudillo (2016) take its last c, so that the result adds to 1
 * only where the support is a single place. */
nacre_node *nacre_sparsemax(nacre_node *x)
{
	if (!x)
		return NULL;
	if (x->rank == 0)
		return nc_graph_fail(x->graph, "sparsemax: expected an axis, got a single number");
	nacre_node *z = nacre_sort(x, -1, true), *c = nacre_cumsum(z, -1, false, false);
	nacre_node *r = nacre_arange(x->graph, x->dtype, x->shape[x->rank - 1], 1, 1);
	nacre_node *rest = nacre_divide(nacre_add_number(c, -1), r);
	nacre_node *support = nacre_greater(z, rest);
	nacre_node *k = nacre_sum(nacre_cast(support, x->dtype), NACRE_LAST_AXIS, true);
	nacre_node *sum = nacre_sum(nacre_select(support, c, number(x, 0)), NACRE_LAST_AXIS, true);
	nacre_node *threshold = nacre_divide(nacre_add_number(sum, -1), k);
	return nacre_relu(nacre_minus(x, threshold));
}
