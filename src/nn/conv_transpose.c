/* SPDX-License-Identifier: MIT
 *
 * conv_transpose.c - the gradient of a convolution by its input, as a layer.
 */
#include "nn/spatial.h"

#define BIG 1e9

static const nacre_conv_transpose_options *options_of(const nacre_layer *l)
{
	return (const nacre_conv_transpose_options *)l->options;
}

static nc_spatial spatial_of(const nacre_conv_transpose_options *o)
{
	return (nc_spatial){o->kernel_size, o->strides, o->dilation_rate, "kernel_size",
			    o->padding};
}

/* output_padding along an axis; -1: none is given */
static int64_t extra(const nacre_conv_transpose_options *o, int i)
{
	int64_t p = o->output_padding[o->output_padding[1] ? i : 0];
	return p == 0 ? -1 : p == -1 ? 0 : p;
}

static bool conv_transpose_check(nacre_layer *l)
{
	const nacre_conv_transpose_options *o = options_of(l);
	nc_spatial s = spatial_of(o);
	char text[128];
	int axes = l->class->axes, given = nc_shape_rank(o->output_padding);
	bool strided = false, dilated = false, fits = given <= 1 || given == axes;
	if (!nc_spatial_check(l, &s, false))
		return false;
	for (int i = 0; i < axes; i++) {
		int64_t stride = o->strides[o->strides[1] ? i : 0], p = fits ? extra(o, i) : 0;
		fits = fits && p >= -1 && p < stride;
		strided = strided || stride > 1;
		dilated = dilated || o->dilation_rate[o->dilation_rate[1] ? i : 0] > 1;
	}
	if (strided && dilated)
		return nc_layer_refuse(
		    l, "strides above 1 and dilation_rate above 1 exclude each other");
	return fits || nc_layer_refuse(l,
				       "output_padding: expected one or %d numbers below the "
				       "strides, got %s",
				       axes, nc_shape_text(text, given, o->output_padding));
}

static bool conv_transpose_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_conv_transpose_options *o = options_of(l);
	int64_t shape[NACRE_MAX_RANK];
	int axes = l->class->axes;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return false;
	for (int i = 0; i < axes; i++)
		shape[i] = o->kernel_size[o->kernel_size[1] ? i : 0];
	shape[axes] = o->filters;
	shape[axes + 1] = nc_channels(x[0], o->data_format);
	return nc_layer_add_weight(c, l, "kernel", axes + 2, shape, o->kernel_initializer,
				   &o->kernel_initializer_options, o->kernel_regularizer, true) &&
	       (o->no_bias ||
		nc_layer_add_weight(c, l, "bias", 1, &o->filters, o->bias_initializer,
				    &o->bias_initializer_options, o->bias_regularizer, true));
}

/* All places that the windows touch are (n - 1) s + k.  Of these so many go at either end; fewer
 * than none: zeros come.  This is how Keras states it for XLA (left, right: how far its padding
 * of the input reaches), with k the reach of the kernel, s the stride, p the output_padding. */
static void crop(int64_t k, int64_t s, int64_t p, int padding, int64_t *before, int64_t *after)
{
	if (padding == NACRE_VALID) {
		*before = 0;
		*after = -(p >= 0 ? p : nc_max(k, s) - k);
		return;
	}
	int64_t all = p < 0 ? s + k - 2 : k + k % 2 - 2 + p;
	int64_t left = nc_min((all + 1) / 2, k - 1), right = all - left;
	*before = k - 1 - left;
	*after = k - 1 - right;
}

static nacre_node *conv_transpose_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_conv_transpose_options *o = options_of(l);
	int64_t spatial[3];
	int axes = l->class->axes;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	int64_t want = l->weight[0].variable->shape[axes + 1];
	if (want != nc_channels(x[0], o->data_format)) {
		nc_layer_fail(c, l, "kernel expects %lld channels, got %lld", (long long)want,
			      (long long)nc_channels(x[0], o->data_format));
		return NULL;
	}
	nacre_node *last = nc_channels_last(x[0], o->data_format);
	nc_spatial s = spatial_of(o);
	s.padding = NACRE_VALID;
	nacre_window w = nc_spatial_window(l, &s, last);
	for (int i = 0; last && i < axes; i++) {
		int64_t reach = (w.size[i] - 1) * w.dilation[i] + 1, before, after, touched;
		crop(reach, w.stride[i], extra(o, i), o->padding, &before, &after);
		w.before[i] = before;
		w.after[i] = nc_max(after, 0);
		if (!nc_mul_i64(nc_max(last->shape[i + 1] - 1, 0), w.stride[i], &touched) ||
		    touched > INT64_MAX / 4) {
			nc_layer_fail(c, l, "axis %d would be too long", i + 1);
			return NULL;
		}
		spatial[i] = touched + reach - before - after;
		if (spatial[i] < 1 || last->shape[i + 1] < 1) {
			nc_layer_fail(c, l, "nothing would be left of axis %d", i + 1);
			return NULL;
		}
	}
	nacre_node *y = last ? nacre_conv_input(last, nc_layer_use(c, l, 0), w, spatial) : NULL;
	if (!o->no_bias)
		y = nacre_plus(y, nc_layer_use(c, l, 1));
	return o->activation(nc_channels_back(y, o->data_format));
}

#define OPTIONS nacre_conv_transpose_options
static const nc_option conv_transpose_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, filters, 0, 1, BIG),
    NC_OPT_SIZES(OPTIONS, kernel_size),
    NC_OPT_SIZES_OR(OPTIONS, strides, 1),
    NC_OPT_PADDING(OPTIONS),
    NC_OPT_SIZES_OR_ZERO(OPTIONS, output_padding),
    NC_OPT_DATA_FORMAT(OPTIONS),
    NC_OPT_SIZES_OR(OPTIONS, dilation_rate, 1),
    NC_OPT_FUNCTION(ACTIVATION, OPTIONS, activation, "linear"),
    NC_OPT_NOT(OPTIONS, no_bias, "use_bias"),
    NC_OPT_INITIALIZER(OPTIONS, kernel_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(OPTIONS, bias_initializer, "zeros"),
    NC_OPT_REGULARIZER(OPTIONS, kernel_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, bias_regularizer),
    NC_OPT_ACTIVITY(OPTIONS, activity_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, kernel_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, bias_constraint),
    NC_OPT_END,
};
#undef OPTIONS

#define CLASS(its_id, its_name, its_snake, its_axes)                                               \
	const nc_layer_class nc_class_##its_id = {                                                 \
	    .id = NC_LAYER_##its_id,                                                               \
	    .name = its_name,                                                                      \
	    .snake = its_snake,                                                                    \
	    .axes = its_axes,                                                                      \
	    .options_size = sizeof(nacre_conv_transpose_options),                                  \
	    .options = conv_transpose_options,                                                     \
	    .min_in = 1,                                                                           \
	    .max_in = 1,                                                                           \
	    .check = conv_transpose_check,                                                         \
	    .build = conv_transpose_build,                                                         \
	    .call = conv_transpose_call,                                                           \
	};
CLASS(conv1d_transpose, "Conv1DTranspose", "conv1d_transpose", 1)
CLASS(conv2d_transpose, "Conv2DTranspose", "conv2d_transpose", 2)
CLASS(conv3d_transpose, "Conv3DTranspose", "conv3d_transpose", 3)

nacre_layer *nacre_conv1d_transpose_new(nacre_conv_transpose_options options)
{
	return nc_layer_new(&nc_class_conv1d_transpose, &options, options.name);
}
nacre_layer *nacre_conv2d_transpose_new(nacre_conv_transpose_options options)
{
	return nc_layer_new(&nc_class_conv2d_transpose, &options, options.name);
}
nacre_layer *nacre_conv3d_transpose_new(nacre_conv_transpose_options options)
{
	return nc_layer_new(&nc_class_conv3d_transpose, &options, options.name);
}
