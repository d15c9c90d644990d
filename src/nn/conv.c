/* SPDX-License-Identifier: MIT
 *
 * conv.c - convolution, depthwise, separable.
 */
#include <string.h>

#include "nn/spatial.h"

#define BIG 1e9

/* activation(y + bias), channels last, and back to the layer's format */
static nacre_node *finish(nc_call *c, nacre_layer *l, nacre_node *y, int bias,
			  nacre_activation_function *activation, int format)
{
	if (bias >= 0)
		y = nacre_plus(y, nc_layer_use(c, l, bias));
	return activation(nc_channels_back(y, format));
}

/* A kernel is for so many channels. */
static bool same_channels(nc_call *c, const nacre_layer *l, int64_t want, int64_t got)
{
	return want == got || nc_layer_fail(c, l, "%s expects %lld channels, got %lld",
					    l->weight[0].name, (long long)want, (long long)got);
}

static bool add_bias(nc_call *c, nacre_layer *l, int64_t size, nacre_initializer_function *f,
		     const nacre_initializer_options *o, nacre_regularizer r)
{
	return nc_layer_add_weight(c, l, "bias", 1, &size, f, o, r, true);
}

/* kernel sizes, then two more */
static void kernel_shape(const nacre_layer *l, const int64_t *size, int64_t a, int64_t b,
			 int64_t *out)
{
	int axes = l->class->axes;
	for (int i = 0; i < axes; i++)
		out[i] = size[1] ? size[i] : size[0];
	out[axes] = a;
	out[axes + 1] = b;
}

/* -- conv -------------------------------------------------------------------------------------- */
static const nacre_conv_options *conv(const nacre_layer *l)
{
	return (const nacre_conv_options *)l->options;
}

static nc_spatial conv_window(const nacre_conv_options *o)
{
	return (nc_spatial){o->kernel_size, o->strides, o->dilation_rate, "kernel_size",
			    o->padding};
}

static bool above_one(const int64_t *list)
{
	bool above = false;
	for (int i = 0; i < nc_shape_rank(list); i++)
		above = above || list[i] > 1;
	return above;
}

static bool no_dilated_strides(nacre_layer *l, const int64_t *strides, const int64_t *dilation)
{
	return !above_one(strides) || !above_one(dilation) ||
	       nc_layer_refuse(l, "strides above 1 and dilation_rate above 1 exclude each other");
}

static bool conv_check(nacre_layer *l)
{
	const nacre_conv_options *o = conv(l);
	nc_spatial s = conv_window(o);
	if (!nc_spatial_check(l, &s, l->class->axes == 1) ||
	    !no_dilated_strides(l, o->strides, o->dilation_rate))
		return false;
	return o->filters % o->groups == 0 ||
	       nc_layer_refuse(l, "filters: expected a multiple of %lld groups, got %lld",
			       (long long)o->groups, (long long)o->filters);
}

static bool conv_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_conv_options *o = conv(l);
	int64_t shape[NACRE_MAX_RANK];
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return false;
	int64_t channels = nc_channels(x[0], o->data_format);
	if (channels % o->groups)
		return nc_layer_fail(c, l, "expected channels that %lld groups divide, got %lld",
				     (long long)o->groups, (long long)channels);
	kernel_shape(l, o->kernel_size, channels / o->groups, o->filters, shape);
	return nc_layer_add_weight(c, l, "kernel", l->class->axes + 2, shape, o->kernel_initializer,
				   &o->kernel_initializer_options, o->kernel_regularizer, true) &&
	       (o->no_bias || add_bias(c, l, o->filters, o->bias_initializer,
				       &o->bias_initializer_options, o->bias_regularizer));
}

static nacre_node *conv_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_conv_options *o = conv(l);
	nc_spatial s = conv_window(o);
	if (!nc_spatial_input(c, l, x[0], o->data_format) ||
	    !same_channels(c, l, l->weight[0].variable->shape[l->class->axes] * o->groups,
			   nc_channels(x[0], o->data_format)))
		return NULL;
	nacre_node *last = nc_channels_last(x[0], o->data_format);
	nacre_window w = nc_spatial_window(l, &s, last);
	w.groups = o->groups;
	nacre_node *y = nacre_conv(last, nc_layer_use(c, l, 0), w);
	return finish(c, l, y, o->no_bias ? -1 : 1, o->activation, o->data_format);
}

#define OPTIONS nacre_conv_options
static const nc_option conv_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, filters, 0, 1, BIG),
    NC_OPT_SIZES(OPTIONS, kernel_size),
    NC_OPT_SIZES_OR(OPTIONS, strides, 1),
    NC_OPT_PADDING(OPTIONS),
    NC_OPT_DATA_FORMAT(OPTIONS),
    NC_OPT_SIZES_OR(OPTIONS, dilation_rate, 1),
    NC_OPT_NUMBER(I64, OPTIONS, groups, 1, 1, BIG),
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

/* The classes of one, two and three axes differ in their names and in `axes`. */
#define CLASS(its_id, its_name, its_snake, its_axes, kind)                                         \
	const nc_layer_class nc_class_##its_id = {                                                 \
	    .id = NC_LAYER_##its_id,                                                               \
	    .name = its_name,                                                                      \
	    .snake = its_snake,                                                                    \
	    .axes = its_axes,                                                                      \
	    .options_size = sizeof(nacre_##kind##_options),                                        \
	    .options = kind##_options,                                                             \
	    .min_in = 1,                                                                           \
	    .max_in = 1,                                                                           \
	    .check = kind##_check,                                                                 \
	    .build = kind##_build,                                                                 \
	    .call = kind##_call,                                                                   \
	};
CLASS(conv1d, "Conv1D", "conv1d", 1, conv)
CLASS(conv2d, "Conv2D", "conv2d", 2, conv)
CLASS(conv3d, "Conv3D", "conv3d", 3, conv)

nacre_layer *nacre_conv1d_new(nacre_conv_options options)
{
	return nc_layer_new(&nc_class_conv1d, &options, options.name);
}
nacre_layer *nacre_conv2d_new(nacre_conv_options options)
{
	return nc_layer_new(&nc_class_conv2d, &options, options.name);
}
nacre_layer *nacre_conv3d_new(nacre_conv_options options)
{
	return nc_layer_new(&nc_class_conv3d, &options, options.name);
}

/* -- depthwise --------------------------------------------------------------------------------- */
static const nacre_depthwise_conv_options *depthwise(const nacre_layer *l)
{
	return (const nacre_depthwise_conv_options *)l->options;
}

static nc_spatial depthwise_window(const nacre_depthwise_conv_options *o)
{
	return (nc_spatial){o->kernel_size, o->strides, o->dilation_rate, "kernel_size",
			    o->padding};
}

static bool depthwise_conv_check(nacre_layer *l)
{
	nc_spatial s = depthwise_window(depthwise(l));
	return nc_spatial_check(l, &s, false);
}

static bool depthwise_conv_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_depthwise_conv_options *o = depthwise(l);
	int64_t shape[NACRE_MAX_RANK], out;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return false;
	int64_t channels = nc_channels(x[0], o->data_format);
	if (!nc_mul_i64(channels, o->depth_multiplier, &out))
		return nc_layer_fail(c, l, "depth_multiplier: too many channels");
	kernel_shape(l, o->kernel_size, channels, o->depth_multiplier, shape);
	return nc_layer_add_weight(c, l, "kernel", l->class->axes + 2, shape,
				   o->depthwise_initializer, &o->depthwise_initializer_options,
				   o->depthwise_regularizer, true) &&
	       (o->no_bias || add_bias(c, l, out, o->bias_initializer, &o->bias_initializer_options,
				       o->bias_regularizer));
}

/* x: channels last; a kernel [k..., channels, m] is one of channels groups: [k..., 1, channels m]
 */
static nacre_node *each_channel(nc_call *c, nacre_layer *l, nacre_node *x, const nc_spatial *s)
{
	int64_t shape[NACRE_MAX_RANK];
	const nacre_variable *kernel = l->weight[0].variable;
	int axes = l->class->axes;
	if (!x)
		return NULL;
	nacre_window w = nc_spatial_window(l, s, x);
	memcpy(shape, kernel->shape, sizeof shape);
	w.groups = shape[axes];
	shape[axes + 1] *= shape[axes];
	shape[axes] = 1;
	return nacre_conv(x, nacre_reshape(nc_layer_use(c, l, 0), axes + 2, shape), w);
}

static nacre_node *depthwise_conv_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_depthwise_conv_options *o = depthwise(l);
	nc_spatial s = depthwise_window(o);
	if (!nc_spatial_input(c, l, x[0], o->data_format) ||
	    !same_channels(c, l, l->weight[0].variable->shape[l->class->axes],
			   nc_channels(x[0], o->data_format)))
		return NULL;
	nacre_node *y = each_channel(c, l, nc_channels_last(x[0], o->data_format), &s);
	return finish(c, l, y, o->no_bias ? -1 : 1, o->activation, o->data_format);
}

#define OPTIONS nacre_depthwise_conv_options
static const nc_option depthwise_conv_options[] = {
    NC_OPT_SIZES(OPTIONS, kernel_size),
    NC_OPT_SIZES_OR(OPTIONS, strides, 1),
    NC_OPT_PADDING(OPTIONS),
    NC_OPT_NUMBER(I64, OPTIONS, depth_multiplier, 1, 1, BIG),
    NC_OPT_DATA_FORMAT(OPTIONS),
    NC_OPT_SIZES_OR(OPTIONS, dilation_rate, 1),
    NC_OPT_FUNCTION(ACTIVATION, OPTIONS, activation, "linear"),
    NC_OPT_NOT(OPTIONS, no_bias, "use_bias"),
    NC_OPT_INITIALIZER(OPTIONS, depthwise_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(OPTIONS, bias_initializer, "zeros"),
    NC_OPT_REGULARIZER(OPTIONS, depthwise_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, bias_regularizer),
    NC_OPT_ACTIVITY(OPTIONS, activity_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, depthwise_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, bias_constraint),
    NC_OPT_END,
};
#undef OPTIONS
CLASS(depthwise_conv1d, "DepthwiseConv1D", "depthwise_conv1d", 1, depthwise_conv)
CLASS(depthwise_conv2d, "DepthwiseConv2D", "depthwise_conv2d", 2, depthwise_conv)

nacre_layer *nacre_depthwise_conv1d_new(nacre_depthwise_conv_options options)
{
	return nc_layer_new(&nc_class_depthwise_conv1d, &options, options.name);
}
nacre_layer *nacre_depthwise_conv2d_new(nacre_depthwise_conv_options options)
{
	return nc_layer_new(&nc_class_depthwise_conv2d, &options, options.name);
}

/* -- separable --------------------------------------------------------------------------------- */
static const nacre_separable_conv_options *separable(const nacre_layer *l)
{
	return (const nacre_separable_conv_options *)l->options;
}

static nc_spatial separable_window(const nacre_separable_conv_options *o)
{
	return (nc_spatial){o->kernel_size, o->strides, o->dilation_rate, "kernel_size",
			    o->padding};
}

static bool separable_conv_check(nacre_layer *l)
{
	nc_spatial s = separable_window(separable(l));
	return nc_spatial_check(l, &s, false);
}

static bool separable_conv_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_separable_conv_options *o = separable(l);
	int64_t shape[NACRE_MAX_RANK], middle;
	int rank = l->class->axes + 2;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return false;
	int64_t channels = nc_channels(x[0], o->data_format);
	if (!nc_mul_i64(channels, o->depth_multiplier, &middle))
		return nc_layer_fail(c, l, "depth_multiplier: too many channels");
	kernel_shape(l, o->kernel_size, channels, o->depth_multiplier, shape);
	if (!nc_layer_add_weight(c, l, "depthwise_kernel", rank, shape, o->depthwise_initializer,
				 &o->depthwise_initializer_options, o->depthwise_regularizer, true))
		return false;
	kernel_shape(l, (const int64_t[]){1, 0}, middle, o->filters, shape);
	return nc_layer_add_weight(c, l, "pointwise_kernel", rank, shape, o->pointwise_initializer,
				   &o->pointwise_initializer_options, o->pointwise_regularizer,
				   true) &&
	       (o->no_bias || add_bias(c, l, o->filters, o->bias_initializer,
				       &o->bias_initializer_options, o->bias_regularizer));
}

static nacre_node *separable_conv_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_separable_conv_options *o = separable(l);
	nc_spatial s = separable_window(o);
	if (!nc_spatial_input(c, l, x[0], o->data_format) ||
	    !same_channels(c, l, l->weight[0].variable->shape[l->class->axes],
			   nc_channels(x[0], o->data_format)))
		return NULL;
	nacre_node *y = each_channel(c, l, nc_channels_last(x[0], o->data_format), &s);
	y = y ? nacre_conv(y, nc_layer_use(c, l, 1), (nacre_window){.groups = 1}) : NULL;
	return finish(c, l, y, o->no_bias ? -1 : 2, o->activation, o->data_format);
}

#define OPTIONS nacre_separable_conv_options
static const nc_option separable_conv_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, filters, 0, 1, BIG),
    NC_OPT_SIZES(OPTIONS, kernel_size),
    NC_OPT_SIZES_OR(OPTIONS, strides, 1),
    NC_OPT_PADDING(OPTIONS),
    NC_OPT_DATA_FORMAT(OPTIONS),
    NC_OPT_SIZES_OR(OPTIONS, dilation_rate, 1),
    NC_OPT_NUMBER(I64, OPTIONS, depth_multiplier, 1, 1, BIG),
    NC_OPT_FUNCTION(ACTIVATION, OPTIONS, activation, "linear"),
    NC_OPT_NOT(OPTIONS, no_bias, "use_bias"),
    NC_OPT_INITIALIZER(OPTIONS, depthwise_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(OPTIONS, pointwise_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(OPTIONS, bias_initializer, "zeros"),
    NC_OPT_REGULARIZER(OPTIONS, depthwise_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, pointwise_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, bias_regularizer),
    NC_OPT_ACTIVITY(OPTIONS, activity_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, depthwise_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, pointwise_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, bias_constraint),
    NC_OPT_END,
};
#undef OPTIONS
CLASS(separable_conv1d, "SeparableConv1D", "separable_conv1d", 1, separable_conv)
CLASS(separable_conv2d, "SeparableConv2D", "separable_conv2d", 2, separable_conv)

nacre_layer *nacre_separable_conv1d_new(nacre_separable_conv_options options)
{
	return nc_layer_new(&nc_class_separable_conv1d, &options, options.name);
}
nacre_layer *nacre_separable_conv2d_new(nacre_separable_conv_options options)
{
	return nc_layer_new(&nc_class_separable_conv2d, &options, options.name);
}
