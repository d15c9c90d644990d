/* SPDX-License-Identifier: MIT
 *
 * nacre/schedule.h - learning rates that follow the step.
 *
 *     .optimizer = nacre_adam(.schedule = nacre_exponential_decay(0.01, 1000, 0.9))
 *     .optimizer = nacre_sgd(.schedule = nacre_piecewise_constant_decay(
 *                                    .boundaries = {1000, 5000}, .values = {0.1, 0.01, 0.001}))
 *
 * A schedule is a small value like an optimizer: nothing to free.  It is evaluated in double at the
 * number of steps done before the step that it is for (0 for the first), and rounded to f32.
 * Names, defaults and formulas are Keras's; s is that number, lr the initial learning rate.  Where
 * 0 is the default but 0 itself is wanted, give NACRE_ZERO.
 *
 * Your own:
 *
 *     double halved(const nacre_schedule *schedule, int64_t step)
 *     {
 *             return schedule->initial_learning_rate / (step < 500 ? 1 : 2);
 *     }
 *     nacre_sgd(.schedule = { .function = halved, .initial_learning_rate = 0.1 })
 */
#ifndef NACRE_SCHEDULE_H
#define NACRE_SCHEDULE_H

#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum { NACRE_MAX_BOUNDARIES = 15 };

typedef struct nacre_schedule nacre_schedule;
struct nacre_schedule {
	double (*function)(const nacre_schedule *schedule, int64_t step); /* NULL: no schedule */
	double initial_learning_rate;
	double decay_steps, decay_rate, end, power, alpha, t_mul, m_mul;
	double warmup_target, warmup_steps; /* target 0: no warm-up */
	int staircase, cycle, n_boundaries;
	double boundary[NACRE_MAX_BOUNDARIES], value[NACRE_MAX_BOUNDARIES + 1];
	void *context; /* for your own */
};

/* The learning rate of a step; NaN: there is no schedule. */
double nacre_schedule_at(const nacre_schedule *schedule, int64_t step);

/* exponential decay: lr rate^(s / steps); staircase: s / steps is rounded down
 * inverse time decay: lr / (1 + rate s / steps), likewise */
typedef struct nacre_exponential_decay_options {
	double initial_learning_rate, decay_steps, decay_rate;
	int staircase;
} nacre_exponential_decay_options;
nacre_schedule nacre_exponential_decay_new(nacre_exponential_decay_options options);
nacre_schedule nacre_inverse_time_decay_new(nacre_exponential_decay_options options);

/* piecewise constant decay: values[i] for the first i with s <= boundaries[i], else the value after
 * the last; boundaries rise and end at the first 0, one value more than boundaries */
typedef struct nacre_piecewise_constant_decay_options {
	int reserved; /* 0 */
	double boundaries[NACRE_MAX_BOUNDARIES];
	double values[NACRE_MAX_BOUNDARIES + 1];
} nacre_piecewise_constant_decay_options;
nacre_schedule nacre_piecewise_constant_decay_new(nacre_piecewise_constant_decay_options options);

/* polynomial decay: (lr - end) (1 - s / steps)^power + end, from s = steps on: end.  cycle: steps
 * is multiplied by the least whole number that makes it reach s. */
typedef struct nacre_polynomial_decay_options {
	double initial_learning_rate, decay_steps;
	double end_learning_rate; /* 0.0001 */
	double power;             /* 1 */
	int cycle;
} nacre_polynomial_decay_options;
nacre_schedule nacre_polynomial_decay_new(nacre_polynomial_decay_options options);

/* cosine decay: lr ((1 - alpha) (1 + cos(pi s / steps)) / 2 + alpha), from s = steps on: lr alpha.
 * With a warmup_target the rate first goes there, in a line from lr, for warmup_steps steps, and
 * then decays from the target. */
typedef struct nacre_cosine_decay_options {
	double initial_learning_rate, decay_steps;
	double alpha;         /* 0 */
	double warmup_target; /* 0: none */
	double warmup_steps;  /* 0 */
} nacre_cosine_decay_options;
nacre_schedule nacre_cosine_decay_new(nacre_cosine_decay_options options);

/* cosine decay with restarts: after first_decay_steps it begins anew, t_mul times as long and m_mul
 * times as high as the period before */
typedef struct nacre_cosine_decay_restarts_options {
	double initial_learning_rate, first_decay_steps;
	double t_mul; /* 2 */
	double m_mul; /* 1 */
	double alpha; /* 0 */
} nacre_cosine_decay_restarts_options;
nacre_schedule nacre_cosine_decay_restarts_new(nacre_cosine_decay_restarts_options options);

#ifndef __cplusplus
#define nacre_exponential_decay(...)                                                               \
	nacre_exponential_decay_new(                                                               \
	    (nacre_exponential_decay_options){.initial_learning_rate = __VA_ARGS__})
#define nacre_inverse_time_decay(...)                                                              \
	nacre_inverse_time_decay_new(                                                              \
	    (nacre_exponential_decay_options){.initial_learning_rate = __VA_ARGS__})
#define nacre_piecewise_constant_decay(...)                                                        \
	nacre_piecewise_constant_decay_new(                                                        \
	    (nacre_piecewise_constant_decay_options){.reserved = 0, __VA_ARGS__})
#define nacre_polynomial_decay(...)                                                                \
	nacre_polynomial_decay_new(                                                                \
	    (nacre_polynomial_decay_options){.initial_learning_rate = __VA_ARGS__})
#define nacre_cosine_decay(...)                                                                    \
	nacre_cosine_decay_new((nacre_cosine_decay_options){.initial_learning_rate = __VA_ARGS__})
#define nacre_cosine_decay_restarts(...)                                                           \
	nacre_cosine_decay_restarts_new(                                                           \
	    (nacre_cosine_decay_restarts_options){.initial_learning_rate = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
