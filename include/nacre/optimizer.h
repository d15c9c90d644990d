/* SPDX-License-Identifier: MIT
 *
 * nacre/optimizer.h - how weights follow their gradients.
 *
 * An optimizer is a small value, not an object: there is nothing to free, and one may be used for
 * several models.  The moments it needs belong to the model that is compiled with it.
 *
 *     .optimizer = nacre_adam()
 *     .optimizer = nacre_sgd(.learning_rate = 0.1, .momentum = 0.9, .nesterov = 1)
 *     .optimizer = nacre_adam(.schedule = nacre_cosine_decay(0.001, 10000))
 *
 * Defaults and formulas are Keras's, g the gradient, t the step counted from 1, lr the learning
 * rate (0.001 where nothing else is said), b1, b2 beta_1, beta_2 (0.9, 0.999), e epsilon (1e-7); m,
 * v ... are kept for each weight and begin at 0.  Before the update comes clipping (at most one
 * kind), then decay: w -= w * weight_decay * lr. sgd       (lr 0.01) w -= lr g; with momentum u: m
 * = u m - lr g, w += m, nesterov: w += u m - lr g rmsprop   (rho 0.9) v = rho v + (1-rho) g^2;  w
 * -= lr g / sqrt(v + e); centered: a = rho a + (1-rho) g, v - a^2 in the root; with momentum u: m =
 * u m + that, w -= m adam      m += (g - m)(1-b1);  v += (g^2 - v)(1-b2);  w -= a m / (sqrt(v) +
 * e), a = lr sqrt(1-b2^t) / (1-b1^t);  amsgrad: the largest v so far in the root adamw     adam
 * with weight_decay 0.004 adagrad   (a begins at initial, 0.1) a += g^2;  w -= lr g / sqrt(a + e)
 *   adadelta  (rho 0.95) a = rho a + (1-rho) g^2;  x = g sqrt(d + e) / sqrt(a + e);
 *             d = rho d + (1-rho) x^2;  w -= lr x
 *   adamax    m as adam;  u = max(b2 u, |g|);  w -= lr m / ((1-b1^t)(u + e))
 *   nadam     m, v as adam;  u_t = b1 (1 - 0.96^t / 2), U = u_1 ... u_t;
 *             w -= lr (u_t+1 m / (1 - U u_t+1) + (1-u_t) g / (1-U)) / (sqrt(v / (1-b2^t)) + e)
 *   lion      (b2 0.99) w -= lr sign(b1 m + (1-b1) g);  m = b2 m + (1-b2) g
 *   lamb      m, v as adam;  x = m / (1-b1^t) / (sqrt(v / (1-b2^t)) + e);
 *             w -= lr x |w| / |x|  (the ratio 1 where a length is 0)
 *   ftrl      (power -0.5, initial 0.1; l1, l2, l2_shrinkage, beta 0) a' = a + g^2;
 *             z += g + 2 l2_shrinkage w - (a'^-power - a^-power) w / lr;
 *             w = (clip(z, -l1, l1) - z) / (a'^-power / lr + 2 l2 + beta / lr);  a = a'
 *   adafactor (beta_2_decay -0.8, epsilon_1 1e-30, epsilon_2 0.001, clip_threshold 1) b = 1 -
 *             t^beta_2_decay;  r, c: means of g^2 + epsilon_1 over columns and rows, averaged by b;
 *             v = r c / mean r;  u = g / sqrt(v);  w -= min(lr, 1/sqrt t) max(epsilon_2, rms w) u /
 *             max(1, rms u / clip_threshold)
 *   muon      (momentum 0.95, nesterov, weight_decay 0.004) of matrices but embeddings: m = u m +
 * g; x = g + u m, made nearly orthogonal by ns_steps (5) of x = a x + (b x x' + c (x x')^2) x;  w
 * -= lr rms_rate (0.2) sqrt(longer side) x.  The others: adam with lr times adam_lr_ratio (1), b1,
 * b2, decay adam_weight_decay (0.004) schedule_free_adamw  (lr 0.0025, e 1e-8; z begins at w) lr
 * grows over warmup_steps;  v as adam; x = (w - (1-b1) z) / b1;  z -= lr g / (sqrt(v / (1-b2^t)) +
 * e); w = (1-b1) z + b1 ((1 - 1/t) x + z / t)
 */
#ifndef NACRE_OPTIMIZER_H
#define NACRE_OPTIMIZER_H

#include "initializer.h"
#include "schedule.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { NACRE_MAX_NO_DECAY = 8 };

/* An optimizer, and the options of every one: those that its formula names, the others have no
 * effect.  0: the default; NACRE_ZERO: 0. */
typedef struct nacre_optimizer {
	const struct nacre_optimizer_kind *kind; /* NULL: rmsprop, as in Keras */
	double learning_rate, weight_decay;
	double momentum, rho, beta_1, beta_2, epsilon;
	int nesterov;
	double clipnorm;         /* each gradient to at most this length; 0: no */
	double clipvalue;        /* each number to +- this */
	double global_clipnorm;  /* all gradients together to at most this length */
	nacre_schedule schedule; /* if given, the learning rate of each step */

	/* of all: weights whose names hold one of these are not decayed; ends at NULL */
	const char *no_decay[NACRE_MAX_NO_DECAY];
	/* 1: an average of each weight is kept: a = ema_momentum (0.99) a + (1 - ema_momentum) w;
	 * it replaces the weight at the end of nacre_fit(), and every so many steps; 0: not before
	 */
	int use_ema;
	double ema_momentum;
	int64_t ema_overwrite_frequency;
	/* n > 1: gradients of n batches are averaged, and every n-th makes a step */
	int64_t gradient_accumulation_steps;
	double loss_scale_factor; /* the loss is multiplied by it, gradients divided; 0: 1 */
	/* 1: the factor follows the gradients, as in Keras's LossScaleOptimizer: it begins at
	 * initial_scale (2^15); a batch whose gradients are not all finite makes no step, but
	 * halves it, and after dynamic_growth_steps (2000) finite ones in a row it is doubled.
	 * Gradients then take room of their own.  nacre_loss_scale() tells the factor. */
	int dynamic_loss_scale;
	double initial_scale;
	int64_t dynamic_growth_steps;

	int amsgrad, centered;                                     /* adam, rmsprop */
	double initial;                                            /* adagrad, ftrl */
	double power, l1, l2, l2_shrinkage, beta;                  /* ftrl */
	double beta_2_decay, epsilon_1, epsilon_2, clip_threshold; /* adafactor */
	double muon_a, muon_b, muon_c;                             /* 3.4445, -4.775, 2.0315 */
	double rms_rate, adam_lr_ratio, adam_weight_decay;         /* muon */
	int ns_steps, no_nesterov;                                 /* muon */
	const char *no_muon[NACRE_MAX_NO_DECAY]; /* muon: parts of names of weights left to adam */
	int64_t warmup_steps;                    /* schedule_free_adamw */
} nacre_optimizer;

typedef nacre_optimizer nacre_sgd_options, nacre_rmsprop_options, nacre_adam_options;

/* Values that cannot be (a learning rate below 0 ...) are reported by nacre_compile(). */
nacre_optimizer nacre_sgd_new(nacre_optimizer options);
nacre_optimizer nacre_rmsprop_new(nacre_optimizer options);
nacre_optimizer nacre_adam_new(nacre_optimizer options);
nacre_optimizer nacre_adamw_new(nacre_optimizer options);
nacre_optimizer nacre_adagrad_new(nacre_optimizer options);
nacre_optimizer nacre_adadelta_new(nacre_optimizer options);
nacre_optimizer nacre_adamax_new(nacre_optimizer options);
nacre_optimizer nacre_nadam_new(nacre_optimizer options);
nacre_optimizer nacre_lion_new(nacre_optimizer options);
nacre_optimizer nacre_lamb_new(nacre_optimizer options);
nacre_optimizer nacre_ftrl_new(nacre_optimizer options);
nacre_optimizer nacre_adafactor_new(nacre_optimizer options);
nacre_optimizer nacre_muon_new(nacre_optimizer options);
nacre_optimizer nacre_schedule_free_adamw_new(nacre_optimizer options);

#ifndef __cplusplus
#define nacre_sgd(...) nacre_sgd_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_rmsprop(...) nacre_rmsprop_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adam(...) nacre_adam_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adamw(...) nacre_adamw_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adagrad(...) nacre_adagrad_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adadelta(...) nacre_adadelta_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adamax(...) nacre_adamax_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_nadam(...) nacre_nadam_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_lion(...) nacre_lion_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_lamb(...) nacre_lamb_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_ftrl(...) nacre_ftrl_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_adafactor(...) nacre_adafactor_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_muon(...) nacre_muon_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#define nacre_schedule_free_adamw(...)                                                             \
	nacre_schedule_free_adamw_new((nacre_optimizer){.kind = 0, __VA_ARGS__})
#endif

/* By Keras's name: "sgd", "rmsprop", "adam" ... (or that of the class in small letters,
 * "schedulefreeadamw"), with defaults; kind NULL: there is none.
 * And back; never NULL. */
nacre_optimizer nacre_optimizer_named(const char *name);
const char *nacre_optimizer_name(const nacre_optimizer *optimizer);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
