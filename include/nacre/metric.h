/* SPDX-License-Identifier: MIT
 *
 * nacre/metric.h - metrics: what is shown beside the loss.
 *
 * A metric has the type of a loss.  Most give a value for each sample, and an epoch shows the mean
 * over its samples; every loss is such a metric too (nacre_mse ...).  The others give k numbers
 * for a batch, which are added over the batches of an epoch, and the metric is made of the sums:
 * an area under a curve is that of all samples, not the mean over batches.  nacre_loss_named()
 * knows them all.
 *
 *     .metrics = {nacre_accuracy, nacre_auc, nacre_precision},
 *     .metric_options = {{0}, {.curve = NACRE_PR}, {.threshold = 0.7, .weighted = 1}},
 *
 * With .weighted the sample weights of nacre_fit() count, as in Keras's weighted_metrics.
 * (nacre_cosine_similarity among the metrics is, as in Keras, the similarity, not its negative.)
 * Your own of the second kind:
 *
 *     nacre_node *span(nacre_node *y_true, nacre_node *y_pred, const nacre_loss_options *options)
 *     {
 *             return nacre_stack(2, (nacre_node *[]){first_sum, second_sum}, 0);
 *     }
 *     double finish(const double *sum, int64_t k, const nacre_loss_options *options)
 *     {
 *             return sum[0] / sum[1];
 *     }
 *     .metrics = {span}, .metric_options = {{.finish = finish}}
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
nacre_loss_function nacre_exact_accuracy;              /* mean of p == t; Keras's Accuracy class */
/* fewer than k (5) outputs are above that of the right class */
nacre_loss_function nacre_top_k_categorical_accuracy, nacre_sparse_top_k_categorical_accuracy;

/* of the outputs alone */
nacre_loss_function nacre_mean_metric, nacre_sum_metric;

/* sqrt of the mean of (t - p)^2 */
nacre_loss_function nacre_root_mean_squared_error;
/* 1 - sum (t - p)^2 / sum (t - mean t)^2 of each output, .average over them; .regressors: adjusted
 */
nacre_loss_function nacre_r2_score;
/* between t and p along .axis; mean over the rest */
nacre_loss_function nacre_pearson_correlation, nacre_concordance_correlation;

/* Yes or no, for every number of the output: t is yes where it is not 0, p where it is above
 * .threshold (0.5); with .k where it is one of the k largest of its row; .class_id: of that class
 * alone.  Counts; true / all positives; true positives / all that are wanted. */
nacre_loss_function nacre_true_positives, nacre_false_positives;
nacre_loss_function nacre_true_negatives, nacre_false_negatives;
nacre_loss_function nacre_precision, nacre_recall;
/* From counts at .thresholds (200) evenly spaced thresholds: the area under the curve of recall
 * over the false positive rate (ROC), or precision over recall (PR); and the best of one rate at
 * thresholds where the other is at least .at.  Sensitivity is recall, specificity true / all
 * negatives. */
nacre_loss_function nacre_auc;
nacre_loss_function nacre_sensitivity_at_specificity, nacre_specificity_at_sensitivity;
nacre_loss_function nacre_precision_at_recall, nacre_recall_at_precision;

/* (1 + b^2) P R / (b^2 P + R) of precision P and recall R of each class, .average over classes
 * (Keras's default, a value for each class, is no single number; here it is the mean).  y: [n, c];
 * p is yes where it is above .threshold, or, if that is 0, where it is the largest of its row. */
nacre_loss_function nacre_f1_score, nacre_fbeta_score;

/* Intersection over union: true positives / (true positives + false positives + false negatives)
 * of each class, mean over .target_classes (0: all) that occur.  iou and mean_iou: t labels, p
 * labels too (then .classes is needed) or, with one more axis, a score for each class; binary: p >=
 * .threshold; one_hot: both have an axis of classes. */
nacre_loss_function nacre_iou, nacre_mean_iou, nacre_binary_iou;
nacre_loss_function nacre_one_hot_iou, nacre_one_hot_mean_iou;

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
