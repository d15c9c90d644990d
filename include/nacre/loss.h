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

/* How the values of a batch become one number.  With sample weights w each value v is first
 * multiplied by its w; what a mask leaves out (.ignore_class) counts for nothing. */
typedef enum nacre_reduction {
	NACRE_REDUCE_MEAN,          /* sum of w v / number of values, as in Keras: not / sum of w */
	NACRE_REDUCE_SUM,           /* sum of w v */
	NACRE_REDUCE_WEIGHTED_MEAN, /* sum of w v / sum of w; 0 if that is 0 */
	NACRE_REDUCE_NONE           /* the w v themselves; refused by nacre_compile() */
} nacre_reduction;

/* A class where 0 must mean "none": .ignore_class = NACRE_CLASS(0); also NACRE_CLASS(-1). */
#define NACRE_CLASS(i) ((i) >= 0 ? (i) + 1 : (i))
/* An output where 0 must mean "every one": .output = NACRE_OUTPUT(0). */
#define NACRE_OUTPUT(i) ((i) + 1)

typedef enum nacre_average { /* of F scores over classes; of r2_score over outputs */
			     NACRE_AVERAGE_MACRO,   /* the mean */
			     NACRE_AVERAGE_MICRO,   /* all counted together (F scores) */
			     NACRE_AVERAGE_WEIGHTED /* by how often a class is wanted; by the
						       variance of an output */
} nacre_average;
typedef enum nacre_curve { NACRE_ROC, NACRE_PR } nacre_curve; /* of auc */
typedef enum nacre_summation {
	NACRE_INTERPOLATION,
	NACRE_MINORING,
	NACRE_MAJORING
} nacre_summation;

/* Of losses and metrics.  0 is the default of each, which stands behind the names. */
typedef struct nacre_loss_options {
	int from_logits;           /* 1: y_pred is before softmax or sigmoid */
	double label_smoothing;    /* s: targets become t (1-s) + s/c (binary: c = 2); 0 .. 1 */
	double delta;              /* huber: 1 */
	double threshold;          /* of binary metrics: 0.5; F scores: 0: the largest is the one */
	void *context;             /* for your own */
	nacre_reduction reduction; /* of losses */
	int axis;                  /* cosine similarity, correlations: 0: the last axis */
	unsigned axes;    /* dice, tversky: sums over these (NACRE_AXIS ...); 0: over all */
	double alpha;     /* focal: 0.25; tversky: 0.5; NACRE_ZERO for 0 */
	double beta;      /* tversky: 0.5; fbeta_score: 1 */
	double gamma;     /* focal: 2; circle: 80 */
	double margin;    /* circle: 0.4 */
	double q;         /* generalized cross-entropy: 0.5 */
	int balance;      /* binary focal: 1: weighs by alpha t + (1-alpha)(1-t) */
	int keep_self;    /* circle: 1: a sample is a positive of itself */
	int ignore_class; /* sparse categorical, iou: NACRE_CLASS(i): such targets do not count */

	/* of metrics (nacre/metric.h) */
	int output;     /* NACRE_OUTPUT(i): of output i of the model alone; 0: of every one */
	int weighted;   /* 1: sample weights count (Keras's weighted_metrics) */
	int k;          /* top-k accuracies: 5; precision, recall: 0: by threshold */
	int class_id;   /* precision, recall ...: NACRE_CLASS(i): of that class alone */
	int thresholds; /* auc, ..._at_...: 200 */
	double at;      /* ..._at_...: what is asked of the other one: 0.5 */
	nacre_curve curve;
	nacre_summation summation;
	nacre_average average;
	int classes;               /* iou ...: 0: the size of the output's last axis */
	uint64_t target_classes;   /* iou ...: bit i for class i; 0: all */
	int regressors;            /* r2_score: of the adjusted one; 0 */
	nacre_node *sample_weight; /* set by the model: NULL, or [n]: a weight for each sample */
	/* of your own: the function gives k numbers that are added over batches, and this makes
	 * the metric of the sums */
	double (*finish)(const double *sum, int64_t k, const struct nacre_loss_options *options);
	const char *name; /* of a metric in the logs; NULL: its function's */
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
nacre_loss_function nacre_mean_absolute_percentage_error; /* 100 mean |t - p| / max(|t|, 1e-7) */
nacre_loss_function nacre_mean_squared_logarithmic_error; /* mean (log(1+p) - log(1+t))^2, both
							    at least 1e-7 */
nacre_loss_function nacre_log_cosh;                       /* mean log cosh(p - t) */
nacre_loss_function nacre_poisson;                        /* mean (p - t log(p + 1e-7)) */
nacre_loss_function nacre_kl_divergence;     /* sum t log(t / p), both clipped to [1e-7, 1] */
nacre_loss_function nacre_cosine_similarity; /* -sum t p, each divided by its length */
/* mean max(1 - t p, 0) and its square; if all targets are 0 or 1 they become -1 and 1 */
nacre_loss_function nacre_hinge, nacre_squared_hinge;
nacre_loss_function nacre_categorical_hinge; /* max(max((1-t) p) - sum t p + 1, 0) */
/* mean (1 - p_t)^gamma times the binary cross-entropy, p_t = t p + (1-t)(1-p) */
nacre_loss_function nacre_binary_focal_crossentropy;
/* -sum alpha (1 - p)^gamma t log p */
nacre_loss_function nacre_categorical_focal_crossentropy;
/* (1 - p^q) / q, p the probability of the right class; y_true as for the sparse one */
nacre_loss_function nacre_categorical_generalized_cross_entropy;
/* 1 - 2 sum t p / (sum t + sum p + 1e-7), one number unless .axes leaves some */
nacre_loss_function nacre_dice;
/* 1 - s / (s + alpha sum (1-p) t + beta sum p (1-t) + 1e-7), s = sum t p */
nacre_loss_function nacre_tversky;
/* Circle loss (Sun and others, 2020): y_pred [n, d] of unit length, y_true a label for each: from
 * distances d = max(1 - p p', 0) to those of the same label and of others, m the margin:
 * softplus(logsumexp(-gamma (m + d)(m - d)) + logsumexp(gamma (1 + m - d)(1 - m - d))), factors
 * before the distances at least 0.  Values of 0 do not count. */
nacre_loss_function nacre_circle;
/* Connectionist temporal classification (Graves, 2006): y_pred [n, t, c] before softmax, class 0
 * the blank; y_true [n, l]: labels 1 .. c-1, zeros fill the rest.  The graph grows with t. */
nacre_loss_function nacre_ctc;

/* The number that values [n, ...] of samples weighted by [n] or [n, ...] (NULL: 1) become. */
nacre_node *nacre_reduce_loss(nacre_node *values, nacre_node *sample_weight,
			      nacre_reduction reduction);

/* By Keras's name: "mse", "categorical_crossentropy" ..., losses and metrics; NULL: there is none.
 * And back: NULL for your own. */
nacre_loss_function *nacre_loss_named(const char *name);
const char *nacre_loss_name(nacre_loss_function *function);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
