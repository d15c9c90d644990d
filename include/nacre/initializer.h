/* SPDX-License-Identifier: MIT
 *
 * nacre/initializer.h - what stands in a weight before training; and regularizers.
 *
 * An initializer is a function that fills a new weight (f32, contiguous).  Equal seeds give equal
 * numbers; a model derives a seed of its own for every weight from the model's seed.
 *
 *     nacre_dense(64, .kernel_initializer = nacre_he_normal)
 *     nacre_dense(64, .kernel_initializer = nacre_random_normal,
 *                     .kernel_initializer_options = { .stddev = 0.02 })
 *
 * The fans are read from the shape, as Keras does: [in, out]; of rank 3 and up the last two axes
 * times the product of the others; of rank 1 both are n.
 */
#ifndef NACRE_INITIALIZER_H
#define NACRE_INITIALIZER_H

#include "op.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* 0 means the default wherever it is not the default itself; this is a zero that is meant
 * (computed with, it is one in f32). */
#define NACRE_ZERO 1e-300

typedef enum nacre_fan { NACRE_FAN_IN, NACRE_FAN_OUT, NACRE_FAN_AVERAGE } nacre_fan;
typedef enum nacre_distribution {
	NACRE_SCALED_TRUNCATED_NORMAL, /* cut at two deviations; its deviation after the cut */
	NACRE_SCALED_NORMAL,
	NACRE_SCALED_UNIFORM
} nacre_distribution;

typedef struct nacre_initializer_options {
	double mean, stddev;             /* random_normal, truncated_normal: 0, 0.05 */
	double minval, maxval;           /* random_uniform: -0.05, 0.05 (both 0: these) */
	double value;                    /* constant_value: 0 */
	double gain;                     /* orthogonal, identity: 1 */
	double scale;                    /* variance_scaling: 1 */
	nacre_fan fan;                   /* variance_scaling */
	nacre_distribution distribution; /* variance_scaling */
	void *context;                   /* for your own */
} nacre_initializer_options;

typedef nacre_status nacre_initializer_function(nacre_tensor *weight, uint64_t seed,
						const nacre_initializer_options *options,
						nacre_error *error);

nacre_initializer_function nacre_zeros, nacre_ones, nacre_constant_value;
nacre_initializer_function nacre_random_normal, nacre_random_uniform, nacre_truncated_normal;
/* uniform: in +-sqrt(3 s / fan); normal: truncated at two deviations, of standard deviation
 * sqrt(s / fan) after the cut.  glorot: s 1, fan (in + out) / 2; he: s 2, fan in; lecun: s 1, in */
nacre_initializer_function nacre_glorot_uniform, nacre_glorot_normal;
nacre_initializer_function nacre_he_uniform, nacre_he_normal;
nacre_initializer_function nacre_lecun_uniform, nacre_lecun_normal;
/* the same with .scale (1), .fan and .distribution: uniform in +-sqrt(3 scale / fan), or normal */
nacre_initializer_function nacre_variance_scaling;
nacre_initializer_function nacre_identity; /* gain on the diagonal of a matrix, else 0 */
/* rows (or, if there are fewer columns, columns) of unit length, at right angles, times gain: the Q
 * of a normal matrix, signs by R's diagonal; leading axes count as one; rank 2 and up */
nacre_initializer_function nacre_orthogonal;

/* By Keras's name: "glorot_uniform" ...; NULL: there is none.  And back: NULL for your own. */
nacre_initializer_function *nacre_initializer_named(const char *name);
const char *nacre_initializer_name(nacre_initializer_function *function);

/* -- regularizers: terms of the loss that keep weights small --------------------------------------
 * l1 sum |w| + l2 sum w^2 (no 1/2), plus orthogonal times the mean of |cosine| between the rows (or
 * columns) of a matrix, two by two, plus `function` of w if given: it returns a scalar.
 *
 *     nacre_dense(64, .kernel_regularizer = nacre_l2(1e-4)) */
typedef struct nacre_regularizer {
	double l1, l2;
	nacre_node *(*function)(nacre_node *w);
	double orthogonal;
	int columns; /* 1: of columns, not of rows */
} nacre_regularizer;

nacre_regularizer nacre_l1(double l1);
nacre_regularizer nacre_l2(double l2);
nacre_regularizer nacre_l1_l2(double l1, double l2);
nacre_regularizer nacre_orthogonal_rows(double factor);
nacre_regularizer nacre_orthogonal_columns(double factor);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
