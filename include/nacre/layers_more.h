/* SPDX-License-Identifier: MIT
 *
 * nacre/layers_more.h - layers beside those of nacre/layer.h: activations with parameters, noise,
 * reshaping, merging, normalization, preparing of inputs, layers made of functions.
 *
 * Comments give the formula and the shapes with the batch n.  Images are [n, height, width,
 * channels].  A list of axes ends at the first 0; axes count the batch as 0, or from the end.
 */
#ifndef NACRE_LAYERS_MORE_H
#define NACRE_LAYERS_MORE_H

#include "layer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -- for layers that have no option but a name ------------------------------------------------- */
typedef struct nacre_plain_options {
	int reserved; /* 0 */
	const char *name;
} nacre_plain_options;

/* -- relu: x where x >= threshold, else negative_slope (x - threshold); at most max_value ------ */
typedef struct nacre_relu_options {
	int reserved;     /* 0 */
	double max_value; /* 0: no limit */
	double negative_slope, threshold;
	const char *name;
} nacre_relu_options;
nacre_layer *nacre_relu_layer_new(nacre_relu_options options);

/* -- leaky_relu: x if x > 0, else negative_slope x --------------------------------------------- */
typedef struct nacre_leaky_relu_options {
	double negative_slope; /* 0.3 */
	const char *name;
} nacre_leaky_relu_options;
nacre_layer *nacre_leaky_relu_layer_new(nacre_leaky_relu_options options);

/* -- elu: x if x > 0, else alpha (e^x - 1) ----------------------------------------------------- */
typedef struct nacre_elu_options {
	double alpha; /* 1 */
	const char *name;
} nacre_elu_options;
nacre_layer *nacre_elu_layer_new(nacre_elu_options options);

/* -- prelu: x if x > 0, else alpha x; the weight alpha has the shape of a sample, 1 along the
 * shared axes */
typedef struct nacre_prelu_options {
	int reserved;                        /* 0 */
	int64_t shared_axes[NACRE_MAX_RANK]; /* none */
	nacre_initializer_function *alpha_initializer; /* zeros */
	nacre_initializer_options alpha_initializer_options;
	nacre_regularizer alpha_regularizer;
	nacre_constraint alpha_constraint;
	const char *name;
} nacre_prelu_options;
nacre_layer *nacre_prelu_new(nacre_prelu_options options);

/* -- softmax: e^x / sum e^x over one or several axes together; steps that a mask of the shape of x
 * leaves out are 0 */
typedef struct nacre_softmax_options {
	int64_t axis[NACRE_MAX_RANK]; /* {-1} */
	const char *name;
} nacre_softmax_options;
nacre_layer *nacre_softmax_layer_new(nacre_softmax_options options);

/* -- noise: in training; otherwise y = x ----------------------------------------------------------
 * alpha_dropout     x -> -1.758 with probability rate, then a x + b, so that a mean of 0 and a
 *                   variance of 1 stay; for selu
 * gaussian_dropout  x times a normal number of mean 1, deviation sqrt(rate / (1 - rate))
 * gaussian_noise    x plus a normal number of mean 0, deviation stddev */
typedef struct nacre_alpha_dropout_options {
	double rate; /* 0 <= rate < 1 */
	const char *name;
} nacre_alpha_dropout_options;
nacre_layer *nacre_alpha_dropout_new(nacre_alpha_dropout_options options);
typedef struct nacre_gaussian_dropout_options {
	double rate; /* 0 <= rate < 1 */
	const char *name;
} nacre_gaussian_dropout_options;
nacre_layer *nacre_gaussian_dropout_new(nacre_gaussian_dropout_options options);
typedef struct nacre_gaussian_noise_options {
	double stddev; /* 0 <= stddev <= 1 */
	const char *name;
} nacre_gaussian_noise_options;
nacre_layer *nacre_gaussian_noise_new(nacre_gaussian_noise_options options);

/* -- activity_regularization: y = x; the loss gets (l1 sum |x| + l2 sum x^2) / n --------- */
typedef struct nacre_activity_regularization_options {
	double l1, l2; /* 0 */
	const char *name;
} nacre_activity_regularization_options;
nacre_layer *
nacre_activity_regularization_new(nacre_activity_regularization_options options);

/* -- identity: y = x --------------------------------------------------------------------------- */
nacre_layer *nacre_identity_new(nacre_plain_options options);

/* -- permute: axis i + 1 of y is axis dims[i] of x ------------------------------------------------
 *     nacre_permute(2, 1)     [n, a, b] -> [n, b, a] */
typedef struct nacre_permute_options {
	int64_t dims[NACRE_MAX_RANK];
	const char *name;
} nacre_permute_options;
nacre_layer *nacre_permute_new(nacre_permute_options options);

/* -- repeat_vector: [n, size] -> [n, times, size] ---------------------------------------------- */
typedef struct nacre_repeat_vector_options {
	int64_t n; /* times */
	const char *name;
} nacre_repeat_vector_options;
nacre_layer *nacre_repeat_vector_new(nacre_repeat_vector_options options);

/* -- zero_padding, cropping: so many places before and after on each of 1, 2 or 3 axes ------------
 *     nacre_zero_padding2d({1, 1}, {0, 2})     [n, h, w, c] -> [n, h + 2, w + 2, c] */
typedef struct nacre_padding_options {
	int64_t padding[3][2];
	int data_format; /* nacre_data_format, see convolution.h */
	const char *name;
} nacre_padding_options;
nacre_layer *nacre_zero_padding1d_new(nacre_padding_options options);
nacre_layer *nacre_zero_padding2d_new(nacre_padding_options options);
nacre_layer *nacre_zero_padding3d_new(nacre_padding_options options);
typedef struct nacre_cropping_options {
	int64_t cropping[3][2];
	int data_format; /* nacre_data_format; not in one dimension */
	const char *name;
} nacre_cropping_options;
nacre_layer *nacre_cropping1d_new(nacre_cropping_options options);
nacre_layer *nacre_cropping2d_new(nacre_cropping_options options);
nacre_layer *nacre_cropping3d_new(nacre_cropping_options options);

/* -- up_sampling: every place size times along each axis; one number stands for all axes.  In two
 * dimensions also by interpolation, see resizing. */
typedef enum nacre_interpolation {
	NACRE_DEFAULT_INTERPOLATION, /* up_sampling2d: nearest; resizing: bilinear */
	NACRE_NEAREST,
	NACRE_BILINEAR,
	NACRE_BICUBIC,
	NACRE_AREA,
	NACRE_LANCZOS3,
	NACRE_LANCZOS5
} nacre_interpolation;
typedef struct nacre_up_sampling_options {
	int64_t size[NACRE_MAX_RANK]; /* 2 */
	const char *name;
} nacre_up_sampling_options;
nacre_layer *nacre_up_sampling1d_new(nacre_up_sampling_options options);
nacre_layer *nacre_up_sampling3d_new(nacre_up_sampling_options options);
typedef struct nacre_up_sampling2d_options {
	int reserved;                 /* 0 */
	int64_t size[NACRE_MAX_RANK]; /* 2 */
	int interpolation;            /* nacre_interpolation */
	int data_format;              /* nacre_data_format */
	const char *name;
} nacre_up_sampling2d_options;
nacre_layer *nacre_up_sampling2d_new(nacre_up_sampling2d_options options);

/* -- resizing: [n, h, w, c] -> [n, height, width, c].  Place i of y lies at s = (i + 1/2) in / out
 * - 1/2 of x: nearest takes x[floor(s + 1/2)], bilinear, bicubic (Keys, a = -1/2) and lanczos (of
 * radius 3, 5) weigh its neighbours; weights of places outside are left out and the others scaled
 * to a sum of 1.  With antialias the weights reach as far as the image shrinks.  area: the mean of
 * what a place of y covers.  crop_to_aspect_ratio: only the largest window in the middle that has
 * the proportions of y is read; pad_to_aspect_ratio: margins of fill_value come first. center_crop:
 * the middle; of an image that is too small, the largest window of that aspect, resized. */
typedef struct nacre_resizing_options {
	int64_t height, width;
	int interpolation; /* nacre_interpolation */
	int crop_to_aspect_ratio, pad_to_aspect_ratio;
	double fill_value;
	int antialias;
	const char *name;
} nacre_resizing_options;
nacre_layer *nacre_resizing_new(nacre_resizing_options options);
typedef struct nacre_center_crop_options {
	int64_t height, width;
	const char *name;
} nacre_center_crop_options;
nacre_layer *nacre_center_crop_new(nacre_center_crop_options options);

/* -- merging: of inputs of one shape (1 stretches; of fewer axes: ones go in after the batch) -----
 * subtract: a - b, of two; multiply, average, maximum, minimum: of two or more */
nacre_layer *nacre_subtract_new(nacre_plain_options options);
nacre_layer *nacre_multiply_new(nacre_plain_options options);
nacre_layer *nacre_average_layer_new(nacre_plain_options options);
nacre_layer *nacre_maximum_layer_new(nacre_plain_options options);
nacre_layer *nacre_minimum_layer_new(nacre_plain_options options);

/* -- dot: sum over axis axes[0] of a and axes[1] of b, sample by sample; the other axes of a come
 * first.  normalize: of a / |a| and b / |b|.
 *     nacre_dot(2, 2)     [n, a, d], [n, b, d] -> [n, a, b] */
typedef struct nacre_dot_options {
	int64_t axes[NACRE_MAX_RANK]; /* one (of both) or two */
	int normalize;
	const char *name;
} nacre_dot_options;
nacre_layer *nacre_dot_new(nacre_dot_options options);

/* -- group normalization: an axis in groups of channels that follow each other, each group of a
 * sample normalized over all axes: gamma (x - mean) / sqrt(variance + epsilon) + beta */
typedef struct nacre_group_normalization_options {
	int64_t groups; /* 32; -1: one for each channel */
	int axis;       /* -1 */
	double epsilon; /* 0.001 */
	int no_center, no_scale;
	nacre_initializer_function *beta_initializer, *gamma_initializer; /* zeros, ones */
	nacre_regularizer beta_regularizer, gamma_regularizer;
	nacre_constraint beta_constraint, gamma_constraint;
	const char *name;
} nacre_group_normalization_options;
nacre_layer *nacre_group_normalization_new(nacre_group_normalization_options options);

/* -- rms normalization: scale x / sqrt(mean x^2 + epsilon), over the axes; weight scale -------- */
typedef struct nacre_rms_normalization_options {
	int reserved;                 /* 0 */
	int64_t axis[NACRE_MAX_RANK]; /* {-1} */
	double epsilon;               /* 1e-6 */
	const char *name;
} nacre_rms_normalization_options;
nacre_layer *nacre_rms_normalization_new(nacre_rms_normalization_options options);

/* -- unit normalization: x / sqrt(sum x^2), over the axes -------------------------------------- */
typedef struct nacre_unit_normalization_options {
	int64_t axis[NACRE_MAX_RANK]; /* {-1} */
	const char *name;
} nacre_unit_normalization_options;
nacre_layer *nacre_unit_normalization_new(nacre_unit_normalization_options options);

/* -- spectral normalization: a layer whose kernel (or embeddings) w, as [..., out], is in training
 * divided by its largest singular value, as power iterations find it:
 * v = u w^T / |u w^T|, u = v w / |v w|, w / (v w u^T).  The vector u is kept. */
typedef struct nacre_spectral_normalization_options {
	nacre_layer *layer;
	int power_iterations; /* 1 */
	const char *name;
} nacre_spectral_normalization_options;
nacre_layer *
nacre_spectral_normalization_new(nacre_spectral_normalization_options options);

/* -- einsum_dense: y = activation(einsum(equation, x, kernel) + bias) -----------------------------
 *     nacre_einsum_dense("abc,cde->abde", {0, 8, 64}, .bias_axes = "de")
 * output_shape: of a sample; sizes that x gives may be -1.  bias_axes: letters of the output. */
typedef struct nacre_einsum_dense_options {
	const char *equation;
	int64_t output_shape[NACRE_MAX_RANK];
	nacre_activation_function *activation; /* linear */
	const char *bias_axes;                 /* NULL: no bias */
	nacre_initializer_function *kernel_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;   /* zeros */
	nacre_initializer_options kernel_initializer_options, bias_initializer_options;
	nacre_regularizer kernel_regularizer, bias_regularizer, activity_regularizer;
	nacre_constraint kernel_constraint, bias_constraint;
	const char *name;
} nacre_einsum_dense_options;
nacre_layer *nacre_einsum_dense_new(nacre_einsum_dense_options options);

/* -- preparing inputs -------------------------------------------------------------------------- */
/* y = scale x + offset; x of any type */
typedef struct nacre_rescaling_options {
	double scale, offset;
	const char *name;
} nacre_rescaling_options;
nacre_layer *nacre_rescaling_new(nacre_rescaling_options options);

/* normalization: (x - mean) / max(sqrt(variance), 1e-7); inverted: back again.  mean and variance
 * are given, or weights that nacre_adapt() sets from data: one each along the axis.  Weights: mean,
 * variance, count. */
#define NACRE_NO_AXIS 99
typedef struct nacre_normalization_options {
	int reserved; /* 0 */
	int axis;     /* -1; NACRE_NO_AXIS: one mean and variance of everything */
	nacre_numbers mean, variance; /* none; of one, or as many as there are along the axis */
	int invert;
	const char *name;
} nacre_normalization_options;
nacre_layer *nacre_normalization_new(nacre_normalization_options options);

/* What a layer makes of a number 0 .. k-1: int: as it is; one_hot: a new axis of k (in the place of
 * a last axis of 1); multi_hot: which of them occur along the first axis of a sample; count: how
 * often; tf_idf, of lookups alone: how often, times the weight of each.
 *
 * sparse, beside it: in Keras the output is then a sparse tensor (on TensorFlow; not in mode int).
 * Nacre has none: here it is an ordinary tensor of the same numbers, and the option is there so
 * that files keep it. */
typedef enum nacre_output_mode {
	NACRE_OUTPUT_DEFAULT, /* category_encoding: multi_hot; the others: int */
	NACRE_OUTPUT_INT,
	NACRE_OUTPUT_ONE_HOT,
	NACRE_OUTPUT_MULTI_HOT,
	NACRE_OUTPUT_COUNT,
	NACRE_OUTPUT_TF_IDF
} nacre_output_mode;

/* discretization: the number of boundaries <= x.  They are given in rising order, or num_bins asks
 * nacre_adapt() to find quantiles of data. */
typedef struct nacre_discretization_options {
	nacre_numbers bin_boundaries;
	int64_t num_bins;
	int output_mode; /* nacre_output_mode */
	int sparse;
	const char *name;
} nacre_discretization_options;
nacre_layer *nacre_discretization_new(nacre_discretization_options options);

/* category_encoding: of numbers 0 .. num_tokens-1; others count as none */
typedef struct nacre_category_encoding_options {
	int64_t num_tokens;
	int output_mode; /* nacre_output_mode, but int */
	int sparse;
	const char *name;
} nacre_category_encoding_options;
nacre_layer *nacre_category_encoding_new(nacre_category_encoding_options options);

/* integer_lookup: place i of the vocabulary -> i + num_oov_indices (+ 1 if there is a mask token
 * and the mode is int, where the mask token is 0); others -> their remainder by num_oov_indices.
 * With invert: back again, what stands for none -> oov_token.  In other modes than int the mask
 * token counts as none.  The vocabulary, of different numbers, is given, or found by nacre_adapt()
 * before the layer is applied: the most frequent numbers first, of equals the larger; at most
 * max_tokens indices.
 *
 * num_oov_indices -1: there is none for others.  If the layer takes an input of the model, data
 * with others is an error; else they become -1, in other modes than int nothing.
 *
 * Mode tf_idf: idf_weights has the weight of each word, or before them those of unknown ones (else
 * their mean); adapted ones are log(1 + rows / (1 + rows with the word)).  They become the layer's
 * weight "idf_weights", which is not trained.
 *
 * In other modes than int an output has as many places as there are indices, and with
 * pad_to_max_tokens always max_tokens of them: 0 behind the last word's. */
typedef struct nacre_integer_lookup_options {
	nacre_numbers vocabulary;
	int64_t num_oov_indices; /* 0 means 1; -1: none */
	int masks;               /* 1: mask_token is one */
	int64_t mask_token;
	int64_t oov_token; /* -1 */
	int invert;        /* in mode int */
	int output_mode;   /* nacre_output_mode */
	int sparse;
	int64_t max_tokens;    /* 0: no limit; else at least 2 */
	int pad_to_max_tokens; /* with max_tokens */
	nacre_numbers idf_weights;
	const char *name;
} nacre_integer_lookup_options;
nacre_layer *nacre_integer_lookup_new(nacre_integer_lookup_options options);

/* string_lookup, hashing: numbers of texts, as nacre/vocabulary.h has them, in the form of the
 * output mode.  A graph knows no texts: what is fed is what nacre_layer_texts() makes of them, into
 * an input with .text = 1 that leads to this layer alone.  With invert it is the other way round:
 * the layer takes indices and leaves them as they are, as an output of the model, and
 * nacre_layer_word() tells the word of each.
 *     nacre_string_lookup_layer({2, (const char *[]){"cat", "dog"}}, .num_oov_indices = 2) */
typedef struct nacre_texts {
	int64_t n;
	const char *const *text;
} nacre_texts;
typedef struct nacre_string_lookup_layer_options {
	nacre_texts vocabulary;  /* copied; none: nacre_adapt_texts(), before it is applied */
	int64_t num_oov_indices; /* 0 means 1; -1: none, an unknown text is an error */
	int64_t max_tokens;      /* all indices together; 0: no limit, else at least 2 */
	int pad_to_max_tokens;   /* with max_tokens: as above */
	const char *mask_token;  /* mode int: gets 0; else counts as none; NULL: there is none */
	const char *oov_token;   /* what unknown words are shown as; NULL: "[UNK]" */
	int invert;              /* in mode int */
	int output_mode;         /* nacre_output_mode */
	int sparse;
	nacre_numbers idf_weights; /* of mode tf_idf, as above */
	nacre_numbers salt;        /* none; one whole number, or two: those of SipHash */
	const char *name;
} nacre_string_lookup_layer_options;
nacre_layer *nacre_string_lookup_layer_new(nacre_string_lookup_layer_options options);
typedef struct nacre_hashing_layer_options {
	int64_t num_bins;
	const char *mask_value; /* gets bin 0, all others one of the rest; NULL: none */
	int output_mode;        /* nacre_output_mode, but tf_idf */
	int sparse;
	nacre_numbers salt;     /* none; one whole number, or two: those of SipHash */
	const char *name;
} nacre_hashing_layer_options;
nacre_layer *nacre_hashing_layer_new(nacre_hashing_layer_options options);
/* The indices, i32 of that shape, row-major; -1: none.  NULL after an error. */
nacre_tensor *nacre_layer_texts(nacre_layer *layer, int rank, const int64_t *shape,
				const char *const *texts, nacre_error *error);
/* The word of an index of a string_lookup: the mask token for 0 where there is one, the oov_token
 * for what is no word's index; NULL for a layer that is none.  Borrowed. */
const char *nacre_layer_word(const nacre_layer *layer, int64_t index);
/* Sets the vocabulary: of n texts, or of n documents of `size` texts each, which is a difference to
 * tf_idf alone. */
nacre_status nacre_adapt_texts(nacre_layer *layer, int64_t n, const char *const *texts,
			       nacre_error *error);
nacre_status nacre_adapt_documents(nacre_layer *layer, int64_t n, int64_t size,
				   const char *const *texts, nacre_error *error);

/* Sets what a normalization, discretization or integer_lookup layer learns from x: [rows, ...].
 * The first must have been applied, the other two must not.  An error's text is in *error. */
nacre_status nacre_adapt(nacre_layer *layer, const nacre_tensor *x, nacre_error *error);

/* -- masking: steps of x: [n, steps, ...] whose numbers all are mask_value are padding: they become
 * 0, and layers and losses that look at masks leave them out */
typedef struct nacre_masking_options {
	double mask_value; /* 0 */
	const char *name;
} nacre_masking_options;
nacre_layer *nacre_masking_new(nacre_masking_options options);

/* -- time_distributed: a layer on each step: [n, steps, ...] -> [n, steps, ...] ---------------- */
typedef struct nacre_time_distributed_options {
	nacre_layer *layer; /* of the new layer from now on */
	const char *name;
} nacre_time_distributed_options;
nacre_layer *nacre_time_distributed_new(nacre_time_distributed_options options);

/* -- lambda: y = function(n, x, context), of one or more inputs; keeps the batch.  Not written to
 * files of models. */
typedef nacre_node *nacre_lambda_function(int n, nacre_node *const *x, void *context);
typedef struct nacre_lambda_options {
	nacre_lambda_function *function;
	void *context; /* borrowed */
	const char *name;
} nacre_lambda_options;
nacre_layer *nacre_lambda_new(nacre_lambda_options options);

/* -- a layer of your own: a table of functions ----------------------------------------------------
 *     static bool scale_build(nacre_layer_call *c, int n, nacre_node *const *x)
 *     {
 *             int64_t size = nacre_node_shape(x[0])[nacre_node_rank(x[0]) - 1];
 *             return nacre_layer_add(c, (nacre_own_weight){
 *                 .name = "scale", .rank = 1, .shape = {size}, .initializer = nacre_ones});
 *     }
 *     static nacre_node *scale_call(nacre_layer_call *c, int n, nacre_node *const *x)
 *     {
 *             return nacre_times(x[0], nacre_layer_use(c, 0));
 *     }
 *     static const nacre_layer_functions scale = {
 *         .name = "Scale", .build = scale_build, .call = scale_call};
 *     nacre_add(m, nacre_own(&scale));
 *
 * build makes the weights, once; call emits the ops, for each program anew.
 *
 * In files of models a layer is known by its class: get_config says what it is made of, as the text
 * of a JSON object, {"factor": 2}; from_config makes a context of such a text.  A file is read by a
 * runtime where its classes are registered:
 *     nacre_register_layer(NULL, &scale, &error);
 * Keras knows them as package>name (keras.saving.register_keras_serializable(package)). */
typedef struct nacre_layer_call nacre_layer_call;
typedef struct nacre_layer_functions {
	const char *name; /* of the class; layers are called scale, scale_1 ... */
	bool (*build)(nacre_layer_call *c, int n, nacre_node *const *x); /* or NULL */
	nacre_node *(*call)(nacre_layer_call *c, int n, nacre_node *const *x);
	int min_inputs, max_inputs;     /* 0: 1 */
	bool keeps_mask;                /* the first input's mask is the output's */
	void (*release)(void *context); /* when the layer is freed; or NULL */
	const char *package;            /* NULL: "Custom" */
	/* Like snprintf(): at most `room` bytes with the final 0, returns how many characters the
	 * whole text has; less than 0: it failed.  NULL: {}. */
	int (*get_config)(void *context, char *text, size_t room);
	/* false: it failed; `error` should say why, by nacre_config_fail().  NULL: no context. */
	bool (*from_config)(const char *config, void **context, nacre_error *error);
} nacre_layer_functions;
/* Makes a class known to files; the table is borrowed for as long as the runtime lives. */
nacre_status nacre_register_layer(nacre_runtime *runtime, const nacre_layer_functions *functions,
				  nacre_error *error);
/* A number, or true and false as 1 and 0, of a config; `otherwise` where it has none. */
double nacre_config_number(const char *config, const char *key, double otherwise);
/* Sets the text of an error; false */
bool nacre_config_fail(nacre_error *error, const char *text);
typedef struct nacre_own_options {
	const nacre_layer_functions *functions; /* borrowed */
	void *context;
	const char *name;
} nacre_own_options;
nacre_layer *nacre_own_new(nacre_own_options options);

typedef struct nacre_own_weight {
	const char *name; /* borrowed */
	int rank;
	int64_t shape[NACRE_MAX_RANK];
	nacre_initializer_function *initializer; /* zeros */
	nacre_initializer_options initializer_options;
	nacre_regularizer regularizer;
	bool fixed; /* not trained */
} nacre_own_weight;
bool nacre_layer_add(nacre_layer_call *c, nacre_own_weight weight);
nacre_node *nacre_layer_use(nacre_layer_call *c, int i); /* weight i; NULL: there is none */
void *nacre_layer_context(const nacre_layer_call *c);
bool nacre_layer_training(const nacre_layer_call *c);
nacre_node *nacre_layer_mask(const nacre_layer_call *c, int i); /* of input i; NULL: none */
void nacre_layer_set_mask(nacre_layer_call *c, nacre_node *mask); /* of the output */
void nacre_layer_add_loss(nacre_layer_call *c, nacre_node *loss); /* one number */
void nacre_layer_assign(nacre_layer_call *c, int i, nacre_node *value); /* after the step */
/* Records "name: text" as the model's error; false */
bool nacre_layer_fail(nacre_layer_call *c, const char *text);

#ifndef __cplusplus
#define NACRE_PLAIN_(new, ...) new ((nacre_plain_options){.reserved = 0, __VA_ARGS__})
#define nacre_relu_layer(...)                                                                      \
	nacre_relu_layer_new((nacre_relu_options){.reserved = 0, __VA_ARGS__})
#define nacre_leaky_relu_layer(...)                                                                \
	nacre_leaky_relu_layer_new((nacre_leaky_relu_options){.negative_slope = __VA_ARGS__})
#define nacre_elu_layer(...) nacre_elu_layer_new((nacre_elu_options){.alpha = __VA_ARGS__})
#define nacre_prelu(...) nacre_prelu_new((nacre_prelu_options){.reserved = 0, __VA_ARGS__})
#define nacre_softmax_layer(...)                                                                   \
	nacre_softmax_layer_new((nacre_softmax_options){.axis = {__VA_ARGS__}})
#define nacre_alpha_dropout(...)                                                                   \
	nacre_alpha_dropout_new((nacre_alpha_dropout_options){.rate = __VA_ARGS__})
#define nacre_gaussian_dropout(...)                                                                \
	nacre_gaussian_dropout_new((nacre_gaussian_dropout_options){.rate = __VA_ARGS__})
#define nacre_gaussian_noise(...)                                                                  \
	nacre_gaussian_noise_new((nacre_gaussian_noise_options){.stddev = __VA_ARGS__})
#define nacre_activity_regularization(...)                                                         \
	nacre_activity_regularization_new(                                                         \
		(nacre_activity_regularization_options){.l1 = __VA_ARGS__})
#define nacre_identity(...) NACRE_PLAIN_(nacre_identity_new, __VA_ARGS__)
#define nacre_permute(...) nacre_permute_new((nacre_permute_options){.dims = {__VA_ARGS__}})
#define nacre_repeat_vector(...)                                                                   \
	nacre_repeat_vector_new((nacre_repeat_vector_options){.n = __VA_ARGS__})
#define nacre_zero_padding1d(...)                                                                  \
	nacre_zero_padding1d_new((nacre_padding_options){.padding = {__VA_ARGS__}})
#define nacre_zero_padding2d(...)                                                                  \
	nacre_zero_padding2d_new((nacre_padding_options){.padding = {__VA_ARGS__}})
#define nacre_zero_padding3d(...)                                                                  \
	nacre_zero_padding3d_new((nacre_padding_options){.padding = {__VA_ARGS__}})
#define nacre_cropping1d(...)                                                                      \
	nacre_cropping1d_new((nacre_cropping_options){.cropping = {__VA_ARGS__}})
#define nacre_cropping2d(...)                                                                      \
	nacre_cropping2d_new((nacre_cropping_options){.cropping = {__VA_ARGS__}})
#define nacre_cropping3d(...)                                                                      \
	nacre_cropping3d_new((nacre_cropping_options){.cropping = {__VA_ARGS__}})
#define nacre_up_sampling1d(...)                                                                   \
	nacre_up_sampling1d_new((nacre_up_sampling_options){.size = {__VA_ARGS__}})
#define nacre_up_sampling3d(...)                                                                   \
	nacre_up_sampling3d_new((nacre_up_sampling_options){.size = {__VA_ARGS__}})
#define nacre_up_sampling2d(...)                                                                   \
	nacre_up_sampling2d_new((nacre_up_sampling2d_options){.reserved = 0, __VA_ARGS__})
#define nacre_resizing(...) nacre_resizing_new((nacre_resizing_options){.height = __VA_ARGS__})
#define nacre_center_crop(...)                                                                     \
	nacre_center_crop_new((nacre_center_crop_options){.height = __VA_ARGS__})
#define nacre_subtract(...) NACRE_PLAIN_(nacre_subtract_new, __VA_ARGS__)
#define nacre_multiply(...) NACRE_PLAIN_(nacre_multiply_new, __VA_ARGS__)
#define nacre_average_layer(...) NACRE_PLAIN_(nacre_average_layer_new, __VA_ARGS__)
#define nacre_maximum_layer(...) NACRE_PLAIN_(nacre_maximum_layer_new, __VA_ARGS__)
#define nacre_minimum_layer(...) NACRE_PLAIN_(nacre_minimum_layer_new, __VA_ARGS__)
#define nacre_dot(...) nacre_dot_new((nacre_dot_options){.axes = {__VA_ARGS__}})
#define nacre_group_normalization(...)                                                             \
	nacre_group_normalization_new((nacre_group_normalization_options){.groups = __VA_ARGS__})
#define nacre_rms_normalization(...)                                                               \
	nacre_rms_normalization_new((nacre_rms_normalization_options){.reserved = 0, __VA_ARGS__})
#define nacre_unit_normalization(...)                                                              \
	nacre_unit_normalization_new((nacre_unit_normalization_options){.axis = {__VA_ARGS__}})
#define nacre_spectral_normalization(...)                                                          \
	nacre_spectral_normalization_new(                                                          \
		(nacre_spectral_normalization_options){.layer = __VA_ARGS__})
#define nacre_einsum_dense(...)                                                                    \
	nacre_einsum_dense_new((nacre_einsum_dense_options){.equation = __VA_ARGS__})
#define nacre_rescaling(...) nacre_rescaling_new((nacre_rescaling_options){.scale = __VA_ARGS__})
#define nacre_normalization(...)                                                                   \
	nacre_normalization_new((nacre_normalization_options){.reserved = 0, __VA_ARGS__})
#define nacre_discretization(...)                                                                  \
	nacre_discretization_new((nacre_discretization_options){.bin_boundaries = __VA_ARGS__})
#define nacre_category_encoding(...)                                                               \
	nacre_category_encoding_new((nacre_category_encoding_options){.num_tokens = __VA_ARGS__})
#define nacre_integer_lookup(...)                                                                  \
	nacre_integer_lookup_new((nacre_integer_lookup_options){.vocabulary = __VA_ARGS__})
#define nacre_string_lookup_layer(...)                                                             \
	nacre_string_lookup_layer_new(                                                             \
		(nacre_string_lookup_layer_options){.vocabulary = __VA_ARGS__})
#define nacre_hashing_layer(...)                                                                   \
	nacre_hashing_layer_new((nacre_hashing_layer_options){.num_bins = __VA_ARGS__})
#define nacre_masking(...) nacre_masking_new((nacre_masking_options){.mask_value = __VA_ARGS__})
#define nacre_time_distributed(...)                                                                \
	nacre_time_distributed_new((nacre_time_distributed_options){.layer = __VA_ARGS__})
#define nacre_lambda(...) nacre_lambda_new((nacre_lambda_options){.function = __VA_ARGS__})
#define nacre_own(...) nacre_own_new((nacre_own_options){.functions = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
