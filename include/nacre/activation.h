/* SPDX-License-Identifier: MIT
 *
 * nacre/activation.h - activations: functions from a node to a node of the same shape.
 *
 * Any function of this type fits where a layer takes an activation, your own too:
 *
 *     static nacre_node *cube(nacre_node *x) { return nacre_times(x, nacre_square(x)); }
 *     nacre_dense(64, .activation = cube)
 *
 * relu, sigmoid, tanh, softplus and softmax are ops and stand in nacre/op.h.  Constants are those
 * of Keras.  A new one: a function here, a row in src/nn/activation.c.
 */
#ifndef NACRE_ACTIVATION_H
#define NACRE_ACTIVATION_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef nacre_node *nacre_activation_function(nacre_node *x);

nacre_node *nacre_linear(nacre_node *x);     /* x */
nacre_node *nacre_leaky_relu(nacre_node *x); /* x if x > 0, else 0.2 x */
nacre_node *nacre_elu(nacre_node *x);        /* x if x > 0, else e^x - 1 */
nacre_node *nacre_selu(nacre_node *x);       /* 1.0507... (x if x > 0, else 1.6732... (e^x - 1)) */
nacre_node *nacre_gelu(nacre_node *x);       /* x (1 + erf(x / sqrt 2)) / 2 */
nacre_node *nacre_silu(nacre_node *x);       /* x sigmoid(x) */

/* the same with a parameter, and the approximation of gelu by tanh */
nacre_node *nacre_leaky_relu_slope(nacre_node *x, double negative_slope);
nacre_node *nacre_elu_alpha(nacre_node *x, double alpha);
nacre_node *nacre_gelu_tanh(nacre_node *x);

/* By Keras's name: "relu", "softmax" ...; NULL: there is none.  And back: NULL for your own. */
nacre_activation_function *nacre_activation_named(const char *name);
const char *nacre_activation_name(nacre_activation_function *function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
