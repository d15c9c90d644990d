/* SPDX-License-Identifier: MIT
 *
 * loss.h - the inside of losses and metrics: their table, and what they share.
 */
#ifndef NC_NN_LOSS_H
#define NC_NN_LOSS_H

#include "ir/ir.h"
#include "nacre/loss.h"
#include "nacre/metric.h"
#include "nacre/op.h"

#define NC_EPSILON 1e-7 /* Keras's: probabilities are clipped to [NC_EPSILON, 1 - NC_EPSILON] */

typedef enum nc_targets {
	NC_TARGET_NUMBERS, /* f32, as they are */
	NC_TARGET_LABELS,  /* i32, index of a class: one of the output's last axis */
	NC_TARGET_WHOLE,   /* i32, any */
	NC_TARGET_ONE_HOT, /* f32 per class; labels are expanded */
} nc_targets;

/* What a metric is of the numbers that its function gave, summed over the batches of an epoch. */
typedef double nc_finish(const double *sum, int64_t k, const nacre_loss_options *options);

typedef struct nc_loss {
	const char *name;
	nacre_loss_function *function;
	nc_targets targets;
	const char *keras; /* the class there; NULL: no more than a function or another name */
	/* NULL: the function gives a value for each sample, and the metric is their mean. */
	nc_finish *finish;
	/* Which values of a loss count: bool, of their shape.  NULL, or NULL from it: all. */
	nacre_node *(*mask)(nacre_node *y_true, nacre_node *y_pred, nacre_node *values,
			    const nacre_loss_options *options);
} nc_loss;

/* The row of a function; NULL for one of the user's. */
const nc_loss *nc_loss_row(nacre_loss_function *function);
const nc_loss *nc_loss_at(int i); /* NULL past the end */

/* The loss of a batch: the values of the function, weighted, masked and reduced.  mask (or NULL):
 * bool, which steps of a sequence are none of padding. */
nacre_node *nc_loss_batch(nacre_loss_function *function, nacre_node *y_true, nacre_node *y_pred,
			  nacre_node *sample_weight, nacre_node *mask,
			  const nacre_loss_options *options);
/* Which values count, by the row of the function and by `mask` where it has their shape. */
nacre_node *nc_loss_mask(nacre_loss_function *function, nacre_node *y_true, nacre_node *y_pred,
			 nacre_node *values, nacre_node *mask, const nacre_loss_options *options);
/* Whether options are in their ranges. */
nacre_status nc_loss_check(const nacre_loss_options *o, nacre_error *e);
/* sample_weight with axes of size 1 added, or a last one removed, to be multiplied with values. */
nacre_node *nc_loss_weight(nacre_node *values, nacre_node *sample_weight);

/* -- what losses share -- */
extern const nacre_loss_options nc_loss_defaults;
static inline nacre_node *nc_number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}
static inline int64_t nc_last(const nacre_node *x)
{
	return x->rank ? x->shape[x->rank - 1] : 1;
}
static inline double nc_or(double value, double otherwise)
{
	return value != 0 ? value : otherwise;
}
/* Makes t and p of one type and shape, or records an error. */
bool nc_loss_match(const char *name, nacre_node **t, nacre_node **p);
/* Labels as i32 [n, ...] for an output [n, ..., c]; NULL after an error. */
nacre_node *nc_loss_labels(const char *name, nacre_node *t, nacre_node *p);
/* As the graph's error; returns NULL. */
nacre_node *nc_loss_refuse(const char *name, const nacre_node *t, nacre_node *p,
			   const char *wanted);
/* Axis of an output, negative ones from its end, as a bit; false and an error if it has none. */
bool nc_loss_axis(const char *name, nacre_node *p, int axis, unsigned *out);
/* The class that NACRE_CLASS() was given. */
static inline int nc_class(int option)
{
	return option > 0 ? option - 1 : option;
}

/* What rows finish with, and their masks. */
nc_finish nc_finish_auc, nc_finish_f1_score, nc_finish_false_negatives, nc_finish_false_positives,
    nc_finish_fbeta_score, nc_finish_iou, nc_finish_mean_iou, nc_finish_precision,
    nc_finish_precision_at_recall, nc_finish_r2_score, nc_finish_recall,
    nc_finish_recall_at_precision, nc_finish_root_mean, nc_finish_sensitivity_at_specificity,
    nc_finish_specificity_at_sensitivity, nc_finish_sum, nc_finish_true_negatives,
    nc_finish_true_positives;
nacre_node *nc_ignore_mask(nacre_node *t, nacre_node *p, nacre_node *v,
			   const nacre_loss_options *o);
nacre_node *nc_circle_mask(nacre_node *t, nacre_node *p, nacre_node *v,
			   const nacre_loss_options *o);

#endif
