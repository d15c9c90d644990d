/* SPDX-License-Identifier: MIT
 *
 * nacre/layer.h - layers: parts of a model with weights of their own.
 *
 *     nacre_dense(512, .activation = nacre_relu)
 *
 * What is required comes first, the rest are options: a struct whose all-zero value is Keras's
 * default.  Where 0 itself is wanted but is not the default, give NACRE_ZERO.  C++ callers fill the
 * struct and call the _new function.
 *
 * Making a layer cannot fail visibly: one that cannot be carries an error with its name and what is
 * wrong, which the model takes over when the layer is added.  A layer that was added or applied
 * belongs to the model and is freed with it; the pointer stays good until then.
 *
 * In comments n is the batch, which every layer keeps as its first axis; "None" in texts.
 */
#ifndef NACRE_LAYER_H
#define NACRE_LAYER_H

#include "activation.h"
#include "constraint.h"
#include "initializer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_layer nacre_layer;

/* A list in an option: {3, (double[]){-1, 0, 1}}; copied. */
typedef struct nacre_numbers {
	int64_t n;
	const double *value;
} nacre_numbers;

void nacre_layer_free(nacre_layer *layer); /* one that was given to no model */
const nacre_error *nacre_layer_error(const nacre_layer *layer); /* status NACRE_OK: none */
const char *nacre_layer_name(const nacre_layer *layer); /* "" until it has one */
const char *nacre_layer_class(const nacre_layer *layer); /* Keras's: "Dense" */

/* The types that a layer computes and keeps its weights in, as Keras's dtype policies:
 *   float32         both f32
 *   float64         both f64, slowly, for checking
 *   mixed_bfloat16  computes in bf16 (with sums of f32), keeps f32
 * Inputs of a floating-point type, and weights when they are used, are cast to the type of
 * computing.  Normalization and preprocessing compute in f32 at least and cast their output;
 * losses, metrics, regularizers and optimizers' steps are f32 (of f64 weights f64).  The model's
 * outputs are never bf16.  To be set before the layer is applied; else it gets the model's, see
 * nacre_set_policy().  A last softmax is best kept in f32:
 *
 *     nacre_add(m, nacre_layer_set_policy(nacre_dense(10, .activation = nacre_softmax),
 *                                         NACRE_FLOAT32));
 */
typedef enum nacre_policy {
	NACRE_POLICY_DEFAULT, /* the model's */
	NACRE_FLOAT32,
	NACRE_FLOAT64,
	NACRE_MIXED_BFLOAT16,
	NACRE_POLICIES
} nacre_policy;
const char *nacre_policy_name(nacre_policy policy); /* "mixed_bfloat16"; NULL: none */
nacre_layer *nacre_layer_set_policy(nacre_layer *layer, nacre_policy policy); /* gives the layer */
nacre_policy nacre_layer_policy(const nacre_layer *layer);

/* A layer that is not trainable keeps its weights; batch normalization then uses its moving
 * statistics in training too.  Takes effect at the next nacre_compile(). */
void nacre_layer_set_trainable(nacre_layer *layer, bool trainable);
bool nacre_layer_trainable(const nacre_layer *layer);

/* Adds l1 sum |y| + l2 sum y^2 of the layer's output, divided by the number of samples, to the
 * loss; to be set before nacre_compile(). */
void nacre_layer_set_activity_regularizer(nacre_layer *layer, nacre_regularizer regularizer);

/* Constrains the weight of that name ("kernel"), also of a layer that has no option for it; returns
 * the layer, which keeps an error of its own if there is no room (4).  NULL in, NULL out. */
nacre_layer *nacre_constrain(nacre_layer *layer, const char *weight, nacre_constraint constraint);

/* Weights, in the order in which they were made; NULL past the end.  Borrowed. */
int nacre_layer_weights(const nacre_layer *layer);
nacre_variable *nacre_layer_weight(const nacre_layer *layer, int i);

/* -- input: what is fed; the shape of one sample, without the batch -------------------------------
 *     nacre_input(784)      nacre_input(28, 28, 1)
 * dtype: NACRE_F32, or NACRE_I32 for token ids. */
typedef struct nacre_input_options {
	int64_t shape[NACRE_MAX_RANK]; /* ends at the first 0 */
	nacre_dtype dtype;
	int text; /* 1: texts, fed as what nacre_layer_texts() makes of them (NACRE_I32) */
	const char *name;
} nacre_input_options;
nacre_layer *nacre_input_new(nacre_input_options options);

/* -- dense: y = activation(x w + b); x: [n, ..., in], kernel w: [in, units], bias b: [units] --- */
typedef struct nacre_dense_options {
	int64_t units;
	nacre_activation_function *activation; /* linear */
	int no_bias;
	nacre_initializer_function *kernel_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;   /* zeros */
	nacre_initializer_options kernel_initializer_options, bias_initializer_options;
	nacre_regularizer kernel_regularizer, bias_regularizer; /* none */
	nacre_regularizer activity_regularizer; /* see nacre_layer_set_activity_regularizer() */
	nacre_constraint kernel_constraint, bias_constraint; /* none */
	const char *name;
} nacre_dense_options;
nacre_layer *nacre_dense_new(nacre_dense_options options);

/* -- activation: y = function(x); any function of a node that keeps the batch will do ---------- */
typedef struct nacre_activation_options {
	nacre_activation_function *function;
	const char *name;
} nacre_activation_options;
nacre_layer *nacre_activation_new(nacre_activation_options options);

/* -- dropout: in training, 0 with probability rate, else x / (1 - rate); otherwise y = x ------- */
typedef struct nacre_dropout_options {
	double rate; /* 0 <= rate < 1 */
	/* none; of the mask that is drawn: 1, or -1 for the size of x */
	int64_t noise_shape[NACRE_MAX_RANK];
	const char *name;
} nacre_dropout_options;
nacre_layer *nacre_dropout_new(nacre_dropout_options options);

/* -- flatten: [n, a, b, ...] -> [n, a b ...], row-major ---------------------------------------- */
typedef struct nacre_flatten_options {
	int reserved;    /* 0 */
	int data_format; /* nacre_data_format: 1: [n, channels, ...], which come last in y */
	const char *name;
} nacre_flatten_options;
nacre_layer *nacre_flatten_new(nacre_flatten_options options);

/* -- reshape: of a sample, without the batch; one size may be -1: what is left --------------------
 *     nacre_reshape_layer(28, 28, 1) */
typedef struct nacre_reshape_options {
	int64_t target_shape[NACRE_MAX_RANK]; /* ends at the first 0 */
	const char *name;
} nacre_reshape_options;
nacre_layer *nacre_reshape_layer_new(nacre_reshape_options options);

/* -- batch normalization: y = gamma (x - mean) / sqrt(variance + epsilon) + beta ------------------
 * In training by the batch's mean and biased variance over all axes but `axis`, which also move
 * the averages: moving = moving momentum + batch (1 - momentum); otherwise by the averages.
 * Weights: gamma, beta, moving_mean, moving_variance (the last two are not trainable). */
typedef struct nacre_batch_normalization_options {
	int reserved;    /* 0 */
	int axis;        /* 0: -1, the last */
	double momentum; /* 0.99 */
	double epsilon;  /* 0.001 */
	int no_center;   /* 1: no beta */
	int no_scale;    /* 1: no gamma */
	nacre_initializer_function *beta_initializer, *gamma_initializer; /* zeros, ones */
	nacre_initializer_function *moving_mean_initializer;	 /* zeros */
	nacre_initializer_function *moving_variance_initializer; /* ones */
	nacre_regularizer beta_regularizer, gamma_regularizer;
	nacre_constraint beta_constraint, gamma_constraint;
	const char *name;
} nacre_batch_normalization_options;
nacre_layer *nacre_batch_normalization_new(nacre_batch_normalization_options options);

/* -- layer normalization: the same formula over one or several axes of each sample, {1, 2};
 * weights gamma, beta, of the sizes of the axes */
typedef struct nacre_layer_normalization_options {
	int reserved;                 /* 0 */
	int64_t axis[NACRE_MAX_RANK]; /* {0}: -1, the last */
	double epsilon;               /* 0.001 */
	int no_center;                /* 1: no beta */
	int no_scale;   /* 1: no gamma */
	nacre_initializer_function *beta_initializer, *gamma_initializer; /* zeros, ones */
	nacre_regularizer beta_regularizer, gamma_regularizer;
	nacre_constraint beta_constraint, gamma_constraint;
	const char *name;
} nacre_layer_normalization_options;
nacre_layer *nacre_layer_normalization_new(nacre_layer_normalization_options options);

/* -- add: the sum of two or more inputs of one shape (1 stretches) ----------------------------- */
typedef struct nacre_add_options {
	int reserved; /* 0 */
	const char *name;
} nacre_add_options;
nacre_layer *nacre_add_layer_new(nacre_add_options options);

/* -- concatenate: two or more inputs side by side along an axis, not the batch's --------------- */
typedef struct nacre_concatenate_options {
	int reserved; /* 0 */
	int axis;     /* 0: -1, the last */
	const char *name;
} nacre_concatenate_options;
nacre_layer *nacre_concatenate_new(nacre_concatenate_options options);

/* -- embedding: y: [n, ..., output_dim], row x of the weight `embeddings`: [input_dim, output_dim];
 * an x outside 0 .. input_dim-1 gives zeros.  x: i32, or whole numbers in f32. */
typedef struct nacre_embedding_options {
	int64_t input_dim, output_dim;
	nacre_initializer_function *embeddings_initializer; /* random_uniform +-0.05 */
	nacre_initializer_options embeddings_initializer_options;
	nacre_regularizer embeddings_regularizer;
	nacre_constraint embeddings_constraint;
	int mask_zero; /* 1: x = 0 is padding, see nacre_masking() */
	const char *name;
} nacre_embedding_options;
nacre_layer *nacre_embedding_new(nacre_embedding_options options);

#ifndef __cplusplus
#define nacre_input(...) nacre_input_new((nacre_input_options){.shape = {__VA_ARGS__}})
#define nacre_dense(...) nacre_dense_new((nacre_dense_options){.units = __VA_ARGS__})
#define nacre_activation(...)                                                                      \
	nacre_activation_new((nacre_activation_options){.function = __VA_ARGS__})
#define nacre_dropout(...) nacre_dropout_new((nacre_dropout_options){.rate = __VA_ARGS__})
#define nacre_flatten(...) nacre_flatten_new((nacre_flatten_options){.reserved = 0, __VA_ARGS__})
#define nacre_reshape_layer(...)                                                                   \
	nacre_reshape_layer_new((nacre_reshape_options){.target_shape = {__VA_ARGS__}})
#define nacre_batch_normalization(...)                                                             \
	nacre_batch_normalization_new(                                                             \
		(nacre_batch_normalization_options){.reserved = 0, __VA_ARGS__})
#define nacre_layer_normalization(...)                                                             \
	nacre_layer_normalization_new(                                                             \
		(nacre_layer_normalization_options){.reserved = 0, __VA_ARGS__})
#define nacre_add_layer(...) nacre_add_layer_new((nacre_add_options){.reserved = 0, __VA_ARGS__})
#define nacre_concatenate(...)                                                                     \
	nacre_concatenate_new((nacre_concatenate_options){.reserved = 0, __VA_ARGS__})
#define nacre_embedding(...)                                                                       \
	nacre_embedding_new((nacre_embedding_options){.input_dim = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
