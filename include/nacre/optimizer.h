/* SPDX-License-Identifier: MIT
 *
 * nacre/optimizer.h - how weights follow their gradients.
 *
 * An optimizer is a small value, not an object: there is nothing to free, and one may be used for
 * several models.  The moments it needs belong to the model that is compiled with it.
 *
 *     .optimizer = nacre_adam()
 *     .optimizer = nacre_sgd(.learning_rate = 0.1, .momentum = 0.9, .nesterov = 1)
 *
 * Defaults and formulas are Keras's, g the gradient, t the step counted from 1.  Before the update
 * comes clipping (at most one kind), then decay: w -= w * weight_decay * learning_rate.
 *   sgd      w -= lr g; with momentum u: m = u m - lr g, w += m, nesterov: w += u m - lr g
 *   rmsprop  v = rho v + (1-rho) g^2;  w -= lr g / sqrt(v + epsilon)
 *   adam     m += (g - m)(1-beta_1);  v += (g^2 - v)(1-beta_2);
 *            w -= a m / (sqrt(v) + epsilon),  a = lr sqrt(1-beta_2^t) / (1-beta_1^t)
 *   adamw    adam with weight_decay 0.004
 */
#ifndef NACRE_OPTIMIZER_H
#define NACRE_OPTIMIZER_H

#include "initializer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_optimizer {
	const struct nacre_optimizer_kind *kind; /* NULL: rmsprop, as in Keras */
	double learning_rate, weight_decay;
	double momentum, rho, beta_1, beta_2, epsilon;
	int nesterov;
	double clipnorm;        /* each gradient to at most this length; 0: no */
	double clipvalue;       /* each number to +- this */
	double global_clipnorm; /* all gradients together to at most this length */
} nacre_optimizer;

typedef struct nacre_sgd_options {
	int reserved;         /* 0 */
	double learning_rate; /* 0.01 */
	double momentum;      /* 0 */
	int nesterov;
	double weight_decay; /* 0 */
	double clipnorm, clipvalue, global_clipnorm;
} nacre_sgd_options;

typedef struct nacre_rmsprop_options {
	int reserved;         /* 0 */
	double learning_rate; /* 0.001 */
	double rho;           /* 0.9; NACRE_ZERO for 0 */
	double epsilon;       /* 1e-7 */
	double weight_decay;  /* 0 */
	double clipnorm, clipvalue, global_clipnorm;
} nacre_rmsprop_options;

typedef struct nacre_adam_options {
	int reserved;          /* 0 */
	double learning_rate;  /* 0.001 */
	double beta_1, beta_2; /* 0.9, 0.999; NACRE_ZERO for 0 */
	double epsilon;        /* 1e-7 */
	double weight_decay;   /* adam: 0; adamw: 0.004 */
	double clipnorm, clipvalue, global_clipnorm;
} nacre_adam_options;

/* Values that cannot be (a learning rate below 0 ...) are reported by nacre_compile(). */
nacre_optimizer nacre_sgd_new(nacre_sgd_options options);
nacre_optimizer nacre_rmsprop_new(nacre_rmsprop_options options);
nacre_optimizer nacre_adam_new(nacre_adam_options options);
nacre_optimizer nacre_adamw_new(nacre_adam_options options);

#ifndef __cplusplus
#define nacre_sgd(...) nacre_sgd_new((nacre_sgd_options){.reserved = 0, __VA_ARGS__})
#define nacre_rmsprop(...) nacre_rmsprop_new((nacre_rmsprop_options){.reserved = 0, __VA_ARGS__})
#define nacre_adam(...) nacre_adam_new((nacre_adam_options){.reserved = 0, __VA_ARGS__})
#define nacre_adamw(...) nacre_adamw_new((nacre_adam_options){.reserved = 0, __VA_ARGS__})
#endif

/* By Keras's name: "sgd", "rmsprop", "adam", "adamw", with defaults; kind NULL: there is none.
 * And back; never NULL. */
nacre_optimizer nacre_optimizer_named(const char *name);
const char *nacre_optimizer_name(const nacre_optimizer *optimizer);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
