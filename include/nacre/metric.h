/* SPDX-License-Identifier: MIT
 *
 * nacre/metric.h - metrics: what is shown beside the loss.
 *
 * A metric has the type of a loss and gives a value for each sample; an epoch shows the mean over
 * its samples.  Every loss is a metric too (nacre_mse ...); nacre_loss_named() knows them all.
 */
#ifndef NACRE_METRIC_H
#define NACRE_METRIC_H

#include "loss.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The kind is chosen as Keras does: the output's last size is 1: binary; else the target has fewer
 * axes than the output, or its last size is 1: sparse categorical; else categorical. */
nacre_loss_function nacre_accuracy;
nacre_loss_function nacre_binary_accuracy;             /* mean of (p > threshold) == t */
nacre_loss_function nacre_categorical_accuracy;        /* largest of t is where largest of p is */
nacre_loss_function nacre_sparse_categorical_accuracy; /* t is where the largest of p is */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
