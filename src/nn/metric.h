/* SPDX-License-Identifier: MIT
 *
 * metric.h - the inside of metrics: what a batch adds to the sums, and what is made of them.
 */
#ifndef NC_NN_METRIC_H
#define NC_NN_METRIC_H

#include "nn/loss.h"

enum { NC_METRIC_PARTS = 8 };

/* What a batch adds: f32 [k], or one number: the mean over its samples. */
nacre_node *nc_metric_batch(nacre_loss_function *function, nacre_node *y_true, nacre_node *y_pred,
			    nacre_node *sample_weight, nacre_node *mask,
			    const nacre_loss_options *options);
/* Whether it is a mean over samples (not sums with a finishing function). */
bool nc_metric_is_mean(nacre_loss_function *function, const nacre_loss_options *options);
/* The metric, of the sums over batches; a mean alone (k = 1) was multiplied by the rows of its
 * batch before it was added. */
double nc_metric_finish(nacre_loss_function *function, const double *sum, int64_t k, double rows,
			const nacre_loss_options *options);

/* -- what metrics share -- */
nacre_node *nc_metric_weight(nacre_node *x, const nacre_loss_options *o);
nacre_node *nc_metric_weigh(nacre_node *x, const nacre_loss_options *o); /* times the weights */
nacre_node *nc_metric_join(int n, nacre_node *const *part); /* all their numbers in a row */
double nc_metric_ratio(double a, double b);                 /* a / b, 0 where b is 0 */

#endif
