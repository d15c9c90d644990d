/* SPDX-License-Identifier: MIT
 *
 * norm.h - what the layers of norm.c and norm_more.c share: weights along axes of the input.
 */
#ifndef NC_NN_NORM_H
#define NC_NN_NORM_H

#include "nn/layer.h"

/* Weight i along one axis of x, of a size that fits; NULL after an error. */
nacre_node *nc_norm_spread(nc_call *c, nacre_layer *l, int i, const nacre_node *x, int axis);
/* Weight i along several axes of x, which are its own in their order; NULL after an error. */
nacre_node *nc_norm_along(nc_call *c, nacre_layer *l, int i, const nacre_node *x, unsigned axes);
/* The sizes of x along those axes; how many. */
int nc_norm_shape(const nacre_node *x, unsigned axes, int64_t *shape);
/* gamma and beta of that shape, but those that are left out. */
typedef struct nc_norm_weights {
	bool no_scale, no_center;
	nacre_initializer_function *gamma, *beta;
	nacre_regularizer gamma_regularizer, beta_regularizer;
} nc_norm_weights;
#define NC_NORM_WEIGHTS(o)                                                                         \
	(&(nc_norm_weights){(o)->no_scale, (o)->no_center, (o)->gamma_initializer,                 \
			    (o)->beta_initializer, (o)->gamma_regularizer, (o)->beta_regularizer})
bool nc_norm_add_weights(nc_call *c, nacre_layer *l, int rank, const int64_t *shape,
			 const nc_norm_weights *w);

#endif
