/* SPDX-License-Identifier: MIT
 *
 * nacre/convolution.h - layers whose window slides over space: convolution, pooling.
 *
 *     nacre_add(m, nacre_input(28, 28, 1));
 *     nacre_add(m, nacre_conv2d(32, {3, 3}, .activation = nacre_relu));
 *     nacre_add(m, nacre_max_pooling2d());
 *     nacre_add(m, nacre_flatten());
 *
 * x: [n, steps, channels] in one dimension, [n, height, width, channels] in two, [n, depth, height,
 * width, channels] in three.  With NACRE_CHANNELS_FIRST the channels come after n, in x and y;
 * weights have the same shape either way.  Of a list of sizes, {3, 5}, one number stands for all
 * axes: {3}.
 *
 * Of an axis of n places, a window of k' = (size - 1) dilation + 1 and a stride of s:
 *   NACRE_VALID   floor((n - k') / s) + 1 windows, all inside
 *   NACRE_SAME    ceil(n / s), (ceil(n / s) - 1) s + k' - n places around x (if that is positive),
 *                 half of them before it, an odd one after it
 *   NACRE_CAUSAL  ceil(n / s), k' - 1 places before x: no window sees what comes after its last
 *                 place; conv1d only
 * The places around are 0; pooling leaves them out.
 */
#ifndef NACRE_CONVOLUTION_H
#define NACRE_CONVOLUTION_H

#include "layers_more.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum nacre_padding { NACRE_VALID, NACRE_SAME, NACRE_CAUSAL } nacre_padding;
typedef enum nacre_data_format { NACRE_CHANNELS_LAST, NACRE_CHANNELS_FIRST } nacre_data_format;

/* -- conv: y[o, f] = activation(sum over places k and channels c of x[o s + k d - before, c]
 * kernel[k, c, f] + bias[f]).  Weights: kernel [kernel_size..., channels / groups, filters], bias
 * [filters].  groups: filters and channels are parted in so many groups, each sees its own.
 * Strides and dilation exclude each other, as in Keras. */
typedef struct nacre_conv_options {
	int64_t filters;
	int64_t kernel_size[NACRE_MAX_RANK];
	int64_t strides[NACRE_MAX_RANK];       /* 1 */
	int padding;                           /* nacre_padding */
	int data_format;                       /* nacre_data_format */
	int64_t dilation_rate[NACRE_MAX_RANK]; /* 1 */
	int64_t groups;                        /* 1 */
	nacre_activation_function *activation; /* linear */
	int no_bias;
	nacre_initializer_function *kernel_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;   /* zeros */
	nacre_initializer_options kernel_initializer_options, bias_initializer_options;
	nacre_regularizer kernel_regularizer, bias_regularizer, activity_regularizer;
	nacre_constraint kernel_constraint, bias_constraint;
	const char *name;
} nacre_conv_options;
nacre_layer *nacre_conv1d_new(nacre_conv_options options);
nacre_layer *nacre_conv2d_new(nacre_conv_options options);
nacre_layer *nacre_conv3d_new(nacre_conv_options options);

/* -- conv_transpose: the gradient of a convolution by its input, from its y to its x.  Weights:
 * kernel [kernel_size..., filters, channels], bias [filters].  Of an axis of n places:
 *   NACRE_VALID  (n - 1) s + k' + p places, p = max(s - k', 0) unless output_padding says another
 *   NACRE_SAME   n s, or with output_padding p: (n - 1) s + k' mod 2 + p
 * output_padding: below the strides; -1 stands for a p of 0. */
typedef struct nacre_conv_transpose_options {
	int64_t filters;
	int64_t kernel_size[NACRE_MAX_RANK];
	int64_t strides[NACRE_MAX_RANK];        /* 1 */
	int padding;                            /* nacre_padding, but causal */
	int64_t output_padding[NACRE_MAX_RANK]; /* as above */
	int data_format;                        /* nacre_data_format */
	int64_t dilation_rate[NACRE_MAX_RANK];  /* 1 */
	nacre_activation_function *activation;  /* linear */
	int no_bias;
	nacre_initializer_function *kernel_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;   /* zeros */
	nacre_initializer_options kernel_initializer_options, bias_initializer_options;
	nacre_regularizer kernel_regularizer, bias_regularizer, activity_regularizer;
	nacre_constraint kernel_constraint, bias_constraint;
	const char *name;
} nacre_conv_transpose_options;
nacre_layer *nacre_conv1d_transpose_new(nacre_conv_transpose_options options);
nacre_layer *nacre_conv2d_transpose_new(nacre_conv_transpose_options options);
nacre_layer *nacre_conv3d_transpose_new(nacre_conv_transpose_options options);

/* -- depthwise_conv: each channel by itself, with depth_multiplier kernels: channel c
 * depth_multiplier + m of y is channel c of x by kernel[..., c, m].  Weights: kernel
 * [kernel_size..., channels, depth_multiplier], bias [channels depth_multiplier]. */
typedef struct nacre_depthwise_conv_options {
	int reserved; /* 0 */
	int64_t kernel_size[NACRE_MAX_RANK];
	int64_t strides[NACRE_MAX_RANK];       /* 1 */
	int padding;                           /* nacre_padding, but causal */
	int64_t depth_multiplier;              /* 1 */
	int data_format;                       /* nacre_data_format */
	int64_t dilation_rate[NACRE_MAX_RANK]; /* 1 */
	nacre_activation_function *activation; /* linear */
	int no_bias;
	nacre_initializer_function *depthwise_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;      /* zeros */
	nacre_initializer_options depthwise_initializer_options, bias_initializer_options;
	nacre_regularizer depthwise_regularizer, bias_regularizer, activity_regularizer;
	nacre_constraint depthwise_constraint, bias_constraint;
	const char *name;
} nacre_depthwise_conv_options;
nacre_layer *nacre_depthwise_conv1d_new(nacre_depthwise_conv_options options);
nacre_layer *nacre_depthwise_conv2d_new(nacre_depthwise_conv_options options);

/* -- separable_conv: a depthwise convolution without bias, then one with a window of 1.  Weights:
 * depthwise_kernel [kernel_size..., channels, depth_multiplier], pointwise_kernel [1..., channels
 * depth_multiplier, filters], bias [filters]. */
typedef struct nacre_separable_conv_options {
	int64_t filters;
	int64_t kernel_size[NACRE_MAX_RANK];
	int64_t strides[NACRE_MAX_RANK];       /* 1 */
	int padding;                           /* nacre_padding, but causal */
	int data_format;                       /* nacre_data_format */
	int64_t dilation_rate[NACRE_MAX_RANK]; /* 1 */
	int64_t depth_multiplier;              /* 1 */
	nacre_activation_function *activation; /* linear */
	int no_bias;
	nacre_initializer_function *depthwise_initializer; /* glorot_uniform */
	nacre_initializer_function *pointwise_initializer; /* glorot_uniform */
	nacre_initializer_function *bias_initializer;      /* zeros */
	nacre_initializer_options depthwise_initializer_options, pointwise_initializer_options,
	    bias_initializer_options;
	nacre_regularizer depthwise_regularizer, pointwise_regularizer, bias_regularizer;
	nacre_regularizer activity_regularizer;
	nacre_constraint depthwise_constraint, pointwise_constraint, bias_constraint;
	const char *name;
} nacre_separable_conv_options;
nacre_layer *nacre_separable_conv1d_new(nacre_separable_conv_options options);
nacre_layer *nacre_separable_conv2d_new(nacre_separable_conv_options options);

/* -- pooling: the largest, or the mean, of the places of x under the window, channel by channel ---
 */
typedef struct nacre_pooling_options {
	int reserved;                      /* 0 */
	int64_t pool_size[NACRE_MAX_RANK]; /* 2 */
	int64_t strides[NACRE_MAX_RANK];   /* pool_size */
	int padding;                       /* nacre_padding, but causal */
	int data_format;                   /* nacre_data_format */
	const char *name;
} nacre_pooling_options;
nacre_layer *nacre_max_pooling1d_new(nacre_pooling_options options);
nacre_layer *nacre_max_pooling2d_new(nacre_pooling_options options);
nacre_layer *nacre_max_pooling3d_new(nacre_pooling_options options);
nacre_layer *nacre_average_pooling1d_new(nacre_pooling_options options);
nacre_layer *nacre_average_pooling2d_new(nacre_pooling_options options);
nacre_layer *nacre_average_pooling3d_new(nacre_pooling_options options);

/* -- global pooling: over all of space, to [n, channels]; keepdims leaves axes of 1.  In one
 * dimension the average leaves out the steps that the mask of x does. */
typedef struct nacre_global_pooling_options {
	int reserved;    /* 0 */
	int data_format; /* nacre_data_format */
	int keepdims;
	const char *name;
} nacre_global_pooling_options;
nacre_layer *nacre_global_max_pooling1d_new(nacre_global_pooling_options options);
nacre_layer *nacre_global_max_pooling2d_new(nacre_global_pooling_options options);
nacre_layer *nacre_global_max_pooling3d_new(nacre_global_pooling_options options);
nacre_layer *nacre_global_average_pooling1d_new(nacre_global_pooling_options options);
nacre_layer *nacre_global_average_pooling2d_new(nacre_global_pooling_options options);
nacre_layer *nacre_global_average_pooling3d_new(nacre_global_pooling_options options);

/* -- adaptive pooling: to output_size places of each axis; place i is over floor(i n / out) up to
 * ceil((i + 1) n / out) of x */
typedef struct nacre_adaptive_pooling_options {
	int64_t output_size[NACRE_MAX_RANK];
	int data_format; /* nacre_data_format */
	const char *name;
} nacre_adaptive_pooling_options;
nacre_layer *nacre_adaptive_max_pooling1d_new(nacre_adaptive_pooling_options options);
nacre_layer *nacre_adaptive_max_pooling2d_new(nacre_adaptive_pooling_options options);
nacre_layer *nacre_adaptive_max_pooling3d_new(nacre_adaptive_pooling_options options);
nacre_layer *nacre_adaptive_average_pooling1d_new(nacre_adaptive_pooling_options options);
nacre_layer *nacre_adaptive_average_pooling2d_new(nacre_adaptive_pooling_options options);
nacre_layer *nacre_adaptive_average_pooling3d_new(nacre_adaptive_pooling_options options);

/* -- spatial dropout: in training, whole channels of a sample are 0 with probability rate, the
 * others divided by 1 - rate */
typedef struct nacre_spatial_dropout_options {
	double rate;     /* 0 <= rate < 1 */
	int data_format; /* nacre_data_format; in one dimension only the last */
	const char *name;
} nacre_spatial_dropout_options;
nacre_layer *nacre_spatial_dropout1d_new(nacre_spatial_dropout_options options);
nacre_layer *nacre_spatial_dropout2d_new(nacre_spatial_dropout_options options);
nacre_layer *nacre_spatial_dropout3d_new(nacre_spatial_dropout_options options);

#ifndef __cplusplus
#define NACRE_CONV_(...) ((nacre_conv_options){.filters = __VA_ARGS__})
#define nacre_conv1d(...) nacre_conv1d_new(NACRE_CONV_(__VA_ARGS__))
#define nacre_conv2d(...) nacre_conv2d_new(NACRE_CONV_(__VA_ARGS__))
#define nacre_conv3d(...) nacre_conv3d_new(NACRE_CONV_(__VA_ARGS__))
#define NACRE_CONV_TRANSPOSE_(...) ((nacre_conv_transpose_options){.filters = __VA_ARGS__})
#define nacre_conv1d_transpose(...) nacre_conv1d_transpose_new(NACRE_CONV_TRANSPOSE_(__VA_ARGS__))
#define nacre_conv2d_transpose(...) nacre_conv2d_transpose_new(NACRE_CONV_TRANSPOSE_(__VA_ARGS__))
#define nacre_conv3d_transpose(...) nacre_conv3d_transpose_new(NACRE_CONV_TRANSPOSE_(__VA_ARGS__))
#define NACRE_DEPTHWISE_CONV_(...) ((nacre_depthwise_conv_options){.reserved = 0, __VA_ARGS__})
#define nacre_depthwise_conv1d(...) nacre_depthwise_conv1d_new(NACRE_DEPTHWISE_CONV_(__VA_ARGS__))
#define nacre_depthwise_conv2d(...) nacre_depthwise_conv2d_new(NACRE_DEPTHWISE_CONV_(__VA_ARGS__))
#define NACRE_SEPARABLE_CONV_(...) ((nacre_separable_conv_options){.filters = __VA_ARGS__})
#define nacre_separable_conv1d(...) nacre_separable_conv1d_new(NACRE_SEPARABLE_CONV_(__VA_ARGS__))
#define nacre_separable_conv2d(...) nacre_separable_conv2d_new(NACRE_SEPARABLE_CONV_(__VA_ARGS__))
#define NACRE_POOLING_(...) ((nacre_pooling_options){.reserved = 0, __VA_ARGS__})
#define nacre_max_pooling1d(...) nacre_max_pooling1d_new(NACRE_POOLING_(__VA_ARGS__))
#define nacre_max_pooling2d(...) nacre_max_pooling2d_new(NACRE_POOLING_(__VA_ARGS__))
#define nacre_max_pooling3d(...) nacre_max_pooling3d_new(NACRE_POOLING_(__VA_ARGS__))
#define nacre_average_pooling1d(...) nacre_average_pooling1d_new(NACRE_POOLING_(__VA_ARGS__))
#define nacre_average_pooling2d(...) nacre_average_pooling2d_new(NACRE_POOLING_(__VA_ARGS__))
#define nacre_average_pooling3d(...) nacre_average_pooling3d_new(NACRE_POOLING_(__VA_ARGS__))
#define NACRE_GLOBAL_POOLING_(new, ...)                                                            \
	new ((nacre_global_pooling_options){.reserved = 0, __VA_ARGS__})
#define nacre_global_max_pooling1d(...)                                                            \
	NACRE_GLOBAL_POOLING_(nacre_global_max_pooling1d_new, __VA_ARGS__)
#define nacre_global_max_pooling2d(...)                                                            \
	NACRE_GLOBAL_POOLING_(nacre_global_max_pooling2d_new, __VA_ARGS__)
#define nacre_global_max_pooling3d(...)                                                            \
	NACRE_GLOBAL_POOLING_(nacre_global_max_pooling3d_new, __VA_ARGS__)
#define nacre_global_average_pooling1d(...)                                                        \
	NACRE_GLOBAL_POOLING_(nacre_global_average_pooling1d_new, __VA_ARGS__)
#define nacre_global_average_pooling2d(...)                                                        \
	NACRE_GLOBAL_POOLING_(nacre_global_average_pooling2d_new, __VA_ARGS__)
#define nacre_global_average_pooling3d(...)                                                        \
	NACRE_GLOBAL_POOLING_(nacre_global_average_pooling3d_new, __VA_ARGS__)
#define NACRE_ADAPTIVE_POOLING_(new, ...)                                                          \
	new ((nacre_adaptive_pooling_options){.output_size = __VA_ARGS__})
#define nacre_adaptive_max_pooling1d(...)                                                          \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_max_pooling1d_new, __VA_ARGS__)
#define nacre_adaptive_max_pooling2d(...)                                                          \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_max_pooling2d_new, __VA_ARGS__)
#define nacre_adaptive_max_pooling3d(...)                                                          \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_max_pooling3d_new, __VA_ARGS__)
#define nacre_adaptive_average_pooling1d(...)                                                      \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_average_pooling1d_new, __VA_ARGS__)
#define nacre_adaptive_average_pooling2d(...)                                                      \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_average_pooling2d_new, __VA_ARGS__)
#define nacre_adaptive_average_pooling3d(...)                                                      \
	NACRE_ADAPTIVE_POOLING_(nacre_adaptive_average_pooling3d_new, __VA_ARGS__)
#define NACRE_SPATIAL_DROPOUT_(...) ((nacre_spatial_dropout_options){.rate = __VA_ARGS__})
#define nacre_spatial_dropout1d(...)                                                               \
	nacre_spatial_dropout1d_new(NACRE_SPATIAL_DROPOUT_(__VA_ARGS__))
#define nacre_spatial_dropout2d(...)                                                               \
	nacre_spatial_dropout2d_new(NACRE_SPATIAL_DROPOUT_(__VA_ARGS__))
#define nacre_spatial_dropout3d(...)                                                               \
	nacre_spatial_dropout3d_new(NACRE_SPATIAL_DROPOUT_(__VA_ARGS__))
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
