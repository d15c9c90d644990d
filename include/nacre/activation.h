/* SPDX-License-Identifier: MIT
 *
 * nacre/activation.h - activations: functions from a node to a node of the same shape
 * (nacre_glu: half of it).
 *
 * Any function of this type fits where a layer takes an activation, your own too:
 *
 *     static nacre_node *cube(nacre_node *x) { return nacre_times(x, nacre_square(x)); }
 *     nacre_dense(64, .activation = cube)
 *
 * relu, gelu, sigmoid, tanh, softplus, exp ("exponential"), softmax and log_softmax are ops and
 * stand in nacre/op.h.  Constants are those of Keras.  A new one: a function here, a row in
 * src/nn/activation.c.
 */
#ifndef NACRE_ACTIVATION_H
#define NACRE_ACTIVATION_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef nacre_node *nacre_activation_function(nacre_node *x);

nacre_node *nacre_linear(nacre_node *x);      /* x */
nacre_node *nacre_leaky_relu(nacre_node *x);  /* x if x > 0, else 0.2 x */
nacre_node *nacre_elu(nacre_node *x);         /* x if x > 0, else e^x - 1 */
nacre_node *nacre_selu(nacre_node *x);        /* 1.0507... (x if x > 0, else 1.6732... (e^x - 1)) */
nacre_node *nacre_silu(nacre_node *x);        /* x sigmoid(x) */
nacre_node *nacre_relu6(nacre_node *x);       /* min(max(x, 0), 6) */
nacre_node *nacre_celu(nacre_node *x);        /* x if x > 0, else e^x - 1 */
nacre_node *nacre_mish(nacre_node *x);        /* x tanh(log(1 + e^x)) */
nacre_node *nacre_softsign(nacre_node *x);    /* x / (1 + |x|) */
nacre_node *nacre_squareplus(nacre_node *x);  /* (x + sqrt(x^2 + 4)) / 2 */
nacre_node *nacre_log_sigmoid(nacre_node *x); /* -log(1 + e^-x) */
nacre_node *nacre_hard_sigmoid(nacre_node *x);   /* min(max(x + 3, 0), 6) / 6 */
nacre_node *nacre_hard_silu(nacre_node *x);      /* x hard_sigmoid(x) */
nacre_node *nacre_hard_tanh(nacre_node *x);      /* min(max(x, -1), 1) */
nacre_node *nacre_sparse_sigmoid(nacre_node *x); /* min(max(x + 1, 0), 2) / 2 */
nacre_node *nacre_sparse_plus(nacre_node *x);    /* 0 if x <= -1, x if x >= 1, else (x + 1)^2 / 4 */
nacre_node *nacre_threshold(nacre_node *x);      /* x if x > 0, else 0 */
nacre_node *nacre_hard_shrink(nacre_node *x);    /* x if |x| > 0.5, else 0 */
nacre_node *nacre_soft_shrink(nacre_node *x);    /* x - min(max(x, -0.5), 0.5) */
nacre_node *nacre_tanh_shrink(nacre_node *x);    /* x - tanh(x) */
nacre_node *nacre_glu(nacre_node *x); /* a sigmoid(b), a and b the halves of the last axis */
/* max(x - t, 0) along the last axis: with z the values in falling order, c their running sums, k
 * the number of places r where z_r > (c_r - 1) / r: t = (c_1 + ... + c_k - 1) / k.  This is what
 * Keras computes; the projection onto the simplex has t = (c_k - 1) / k. */
nacre_node *nacre_sparsemax(nacre_node *x);

/* the same with a parameter, and the approximation of gelu by tanh */
nacre_node *nacre_leaky_relu_slope(nacre_node *x, double negative_slope);
nacre_node *nacre_elu_alpha(nacre_node *x, double alpha);
nacre_node *nacre_gelu_tanh(nacre_node *x);
nacre_node *nacre_celu_alpha(nacre_node *x, double alpha); /* alpha (e^(x/alpha) - 1) below 0 */
nacre_node *nacre_squareplus_b(nacre_node *x, double b);   /* b in the place of 4 */
nacre_node *nacre_threshold_at(nacre_node *x, double threshold, double value);
nacre_node *nacre_hard_shrink_at(nacre_node *x, double threshold);
nacre_node *nacre_soft_shrink_at(nacre_node *x, double threshold);
/* (min(max(x, 0), max_value) if x > threshold, else 0) + negative_slope min(x - threshold, 0);
 * max_value INFINITY: x itself above the threshold */
nacre_node *nacre_relu_with(nacre_node *x, double negative_slope, double max_value,
			    double threshold);

/* By Keras's name: "relu", "softmax" ...; NULL: there is none.  And back: NULL for your own. */
nacre_activation_function *nacre_activation_named(const char *name);
const char *nacre_activation_name(nacre_activation_function *function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
