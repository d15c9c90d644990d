/* SPDX-License-Identifier: MIT
 *
 * nacre/loss.h - losses: functions of what was wanted and what came.
 *
 * A loss gives a value for each sample (and place, where an output has more axes): from y_true and
 * y_pred of [n, ..., c] a node of [n, ...].  The model takes the mean of all values.  Formulas are
 * Keras's.  Your own function fits the same slot:
 *
 *     nacre_node *cubic(nacre_node *y_true, nacre_node *y_pred, const nacre_loss_options *options)
 *     {
 *             nacre_node *e = nacre_abs(nacre_minus(y_true, y_pred));
 *             return nacre_mean(nacre_times(e, nacre_square(e)), NACRE_LAST_AXIS, false);
 *     }
 *     nacre_compile(m, .loss = cubic);
 *
 * Called with nodes, they serve own training loops too; options NULL are all-zero ones.
 */
#ifndef NACRE_LOSS_H
#define NACRE_LOSS_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_loss_options {
	int from_logits;        /* 1: y_pred is before softmax or sigmoid */
	double label_smoothing; /* s: targets become t (1-s) + s/c (binary: c = 2); 0 .. 1 */
	double delta;           /* huber: 1 */
	double threshold;       /* binary_accuracy: 0.5 */
	void *context;          /* for your own */
} nacre_loss_options;

typedef nacre_node *nacre_loss_function(nacre_node *y_true, nacre_node *y_pred,
					const nacre_loss_options *options);

/* -sum t log p.  Where y_pred comes straight out of a softmax along the last axis, the loss is
 * computed from the softmax's input by log-softmax: exact for confident outputs.  Keras's clip of p
 * to [1e-7, 1 - 1e-7] then does not happen.  Otherwise p is first divided by its sum, then clipped.
 * Integer labels given where one-hot vectors are wanted are expanded by nacre_fit(). */
nacre_loss_function nacre_categorical_crossentropy;
/* the same with y_true the index of the right class: [n, ...] or [n, ..., 1] */
nacre_loss_function nacre_sparse_categorical_crossentropy;
/* mean of -t log p - (1-t) log(1-p), p clipped; from the input of a sigmoid where y_pred is one */
nacre_loss_function nacre_binary_crossentropy;
nacre_loss_function nacre_mean_squared_error;  /* mean (t - p)^2 */
nacre_loss_function nacre_mean_absolute_error; /* mean |t - p| */
nacre_loss_function nacre_mse, nacre_mae;      /* the same two, under these names */
nacre_loss_function nacre_huber; /* mean of e^2/2 where |e| <= delta, else delta |e| - delta^2/2 */

/* By Keras's name: "mse", "categorical_crossentropy" ..., losses and metrics; NULL: there is none.
 * And back: NULL for your own. */
nacre_loss_function *nacre_loss_named(const char *name);
const char *nacre_loss_name(nacre_loss_function *function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
