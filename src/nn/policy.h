/* SPDX-License-Identifier: MIT
 *
 * policy.h - the types that layers compute in, and what is cast to them.
 */
#ifndef NC_NN_POLICY_H
#define NC_NN_POLICY_H

#include "nn/layer.h"

nacre_dtype nc_policy_compute(nacre_policy p);
nacre_dtype nc_policy_variable(nacre_policy p);
/* By Keras's name; NACRE_POLICY_DEFAULT: there is none. */
nacre_policy nc_policy_named(const char *name, size_t size);

/* Casts what is of a floating-point type; NULL stays NULL. */
static inline nacre_node *nc_cast_float(nacre_node *x, nacre_dtype dtype)
{
	return x && nc_dtype_is_float(x->dtype) && x->dtype != dtype ? nacre_cast(x, dtype) : x;
}

/* The layer's policy from here on, if it had none. */
static inline void nc_layer_inherit(nacre_layer *l, nacre_policy p)
{
	if (l->policy == NACRE_POLICY_DEFAULT)
		l->policy = p ? p : NACRE_FLOAT32;
}

/* The type in which the weights of l are seen while it is called, and its own output's. */
nacre_dtype nc_layer_computes(const nacre_layer *l);
nacre_dtype nc_layer_gives(const nacre_layer *l);
/* The inputs as l wants them, in the graph's arena; NULL after an error. */
nacre_node *const *nc_layer_inputs(nc_call *c, const nacre_layer *l, int n, nacre_node *const *x);

#endif
