/* SPDX-License-Identifier: MIT
 *
 * accuracy.c - metrics that say how often an output was right.
 */
#include "nn/loss.h"

static nacre_node *mean_of_last(nacre_node *x)
{
	return nacre_mean(x, NACRE_LAST_AXIS, false);
}

nacre_node *nacre_binary_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!nc_loss_match("binary_accuracy", &t, &p))
		return NULL;
	double threshold = o && o->threshold != 0 ? o->threshold : 0.5;
	nacre_node *yes = nacre_cast(nacre_greater(p, nc_number(p, threshold)), p->dtype);
	return mean_of_last(nacre_cast(nacre_equal(yes, t), NACRE_F32));
}

nacre_node *nacre_categorical_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("categorical_accuracy", &t, &p))
		return NULL;
	return nacre_cast(nacre_equal(nacre_argmax(t, -1), nacre_argmax(p, -1)), NACRE_F32);
}

nacre_node *nacre_sparse_categorical_accuracy(nacre_node *t, nacre_node *p,
					      const nacre_loss_options *o)
{
	(void)o;
	t = nc_loss_labels("sparse_categorical_accuracy", t, p);
	if (!t)
		return NULL;
	nacre_node *at = nacre_cast(nacre_argmax(p, -1), t->dtype);
	return nacre_cast(nacre_equal(t, at), NACRE_F32);
}

nacre_node *nacre_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!t || !p)
		return NULL;
	if (nc_last(p) == 1 || p->rank < 2)
		return nacre_binary_accuracy(t, p, o);
	if (t->rank < p->rank || nc_last(t) == 1)
		return nacre_sparse_categorical_accuracy(t, p, o);
	return nacre_categorical_accuracy(t, p, o);
}

nacre_node *nacre_exact_accuracy(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	(void)o;
	if (!nc_loss_match("exact_accuracy", &t, &p))
		return NULL;
	return mean_of_last(nacre_cast(nacre_equal(t, p), NACRE_F32));
}

/* Fewer than k outputs are above that of the label; NaN is below all. */
static nacre_node *in_top(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	if (!t || !p)
		return NULL;
	int k = o && o->k ? o->k : 5;
	nacre_node *at = nacre_take_along_axis(p, nacre_expand_dims(t, -1), -1);
	at = nacre_select(nacre_is_nan(at), nc_number(at, -3.4e38), at);
	nacre_node *above = nacre_cast(nacre_greater(p, at), NACRE_F32);
	above = nacre_sum(above, NACRE_LAST_AXIS, false);
	return nacre_cast(nacre_less(above, nc_number(above, k - 0.5)), NACRE_F32);
}

nacre_node *nacre_top_k_categorical_accuracy(nacre_node *t, nacre_node *p,
					     const nacre_loss_options *o)
{
	if (!nc_loss_match("top_k_categorical_accuracy", &t, &p))
		return NULL;
	return in_top(nacre_argmax(t, -1), p, o);
}

nacre_node *nacre_sparse_top_k_categorical_accuracy(nacre_node *t, nacre_node *p,
						    const nacre_loss_options *o)
{
	return in_top(nc_loss_labels("sparse_top_k_categorical_accuracy", t, p), p, o);
}
