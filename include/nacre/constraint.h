/* SPDX-License-Identifier: MIT
 *
 * nacre/constraint.h - constraints: what weights are made to be after every step.
 *
 *     nacre_add(m, nacre_dense(64, .kernel_constraint = nacre_max_norm(2, 0)));
 *
 * Lengths are those of the vectors along the first axis (for a dense kernel: of the weights that
 * come into a unit), as in Keras, or along the axes given (NACRE_AXIS(0) | NACRE_AXIS(1) ...).
 */
#ifndef NACRE_CONSTRAINT_H
#define NACRE_CONSTRAINT_H

#include "initializer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_constraint {
	nacre_node *(*function)(nacre_node *w, const struct nacre_constraint *constraint);
	double low, high, rate;
	unsigned axes; /* 0: the first */
	void *context; /* for your own */
} nacre_constraint;

nacre_constraint nacre_max_norm(double max, unsigned axes); /* length at most max; 0: 2 */
nacre_constraint nacre_non_neg(void);                       /* max(w, 0) */
nacre_constraint nacre_unit_norm(unsigned axes);            /* length 1 */
/* length to within low .. high (0: 1), by this part of the way: rate (0: 1) */
nacre_constraint nacre_min_max_norm(double low, double high, double rate, unsigned axes);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
