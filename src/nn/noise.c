/* SPDX-License-Identifier: MIT
 *
 * noise.c - layers that only act in training: alpha_dropout, gaussian_dropout, gaussian_noise,
 * spatial_dropout, activity_regularization.
 */
#include <math.h>

#include "nn/spatial.h"

/* A table of one number that comes first, a rate below 1. */
static bool rate_check(nacre_layer *l)
{
	double rate = *(const double *)l->options;
	return rate < 1 || nc_layer_refuse(l, "rate: expected less than 1, got %g", rate);
}

static nacre_node *draw(nc_call *c, const nacre_node *x, nacre_random_kind kind, double a, double b)
{
	return nacre_random(c->graph, kind, x->dtype, x->rank, x->shape, a, b);
}

/* What is dropped becomes selu's value at minus infinity, p = -scale alpha = -1.758; a x + b
 * brings mean 0 and variance 1 back: a = ((1 - r)(1 + r p^2))^-1/2, b = -a p r. */
static nacre_node *alpha_dropout_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	double rate = ((const nacre_alpha_dropout_options *)l->options)->rate;
	const double p = -1.6732632423543772 * 1.0507009873554805;
	if (!c->training || rate == 0)
		return x[0];
	double a = 1 / sqrt((1 - rate) * (1 + rate * p * p)), b = -a * p * rate;
	nacre_node *keep = draw(c, x[0], NACRE_BERNOULLI, 1 - rate, 0);
	nacre_node *lost = nacre_add_number(nacre_scale(keep, -p), p);
	nacre_node *y = nacre_plus(nacre_times(x[0], keep), lost);
	return nacre_add_number(nacre_scale(y, a), b);
}

static const nc_option alpha_dropout_options[] = {
    NC_OPT_NUMBER(F64, nacre_alpha_dropout_options, rate, 0, 0, 1),
    NC_OPT_END,
};
const nc_layer_class nc_class_alpha_dropout = {
    .id = NC_LAYER_alpha_dropout,
    .name = "AlphaDropout",
    .snake = "alpha_dropout",
    .options_size = sizeof(nacre_alpha_dropout_options),
    .options = alpha_dropout_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .check = rate_check,
    .call = alpha_dropout_call,
};

nacre_layer *nacre_alpha_dropout_new(nacre_alpha_dropout_options options)
{
	return nc_layer_new(&nc_class_alpha_dropout, &options, options.name);
}

static nacre_node *gaussian_dropout_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	double rate = ((const nacre_gaussian_dropout_options *)l->options)->rate;
	if (!c->training || rate == 0)
		return x[0];
	return nacre_times(x[0], draw(c, x[0], NACRE_NORMAL, 1, sqrt(rate / (1 - rate))));
}

static const nc_option gaussian_dropout_options[] = {
    NC_OPT_NUMBER(F64, nacre_gaussian_dropout_options, rate, 0, 0, 1),
    NC_OPT_END,
};
const nc_layer_class nc_class_gaussian_dropout = {
    .id = NC_LAYER_gaussian_dropout,
    .name = "GaussianDropout",
    .snake = "gaussian_dropout",
    .options_size = sizeof(nacre_gaussian_dropout_options),
    .options = gaussian_dropout_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .check = rate_check,
    .call = gaussian_dropout_call,
};

nacre_layer *nacre_gaussian_dropout_new(nacre_gaussian_dropout_options options)
{
	return nc_layer_new(&nc_class_gaussian_dropout, &options, options.name);
}

static nacre_node *gaussian_noise_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	double stddev = ((const nacre_gaussian_noise_options *)l->options)->stddev;
	if (!c->training || stddev == 0)
		return x[0];
	return nacre_plus(x[0], draw(c, x[0], NACRE_NORMAL, 0, stddev));
}

static const nc_option gaussian_noise_options[] = {
    NC_OPT_NUMBER(F64, nacre_gaussian_noise_options, stddev, 0, 0, 1),
    NC_OPT_END,
};
const nc_layer_class nc_class_gaussian_noise = {
    .id = NC_LAYER_gaussian_noise,
    .name = "GaussianNoise",
    .snake = "gaussian_noise",
    .options_size = sizeof(nacre_gaussian_noise_options),
    .options = gaussian_noise_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = gaussian_noise_call,
};

nacre_layer *nacre_gaussian_noise_new(nacre_gaussian_noise_options options)
{
	return nc_layer_new(&nc_class_gaussian_noise, &options, options.name);
}

/* -- spatial_dropout --------------------------------------------------------------------------- */
static nacre_node *spatial_dropout_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_spatial_dropout_options *o = (const nacre_spatial_dropout_options *)l->options;
	int64_t shape[NACRE_MAX_RANK] = {1, 1, 1, 1, 1};
	int channels = o->data_format == NACRE_CHANNELS_FIRST ? 1 : x[0]->rank - 1;
	if (!nc_spatial_input(c, l, x[0], o->data_format))
		return NULL;
	if (!c->training || o->rate == 0)
		return x[0];
	shape[0] = x[0]->shape[0];
	shape[channels] = x[0]->shape[channels];
	nacre_node *keep = nacre_random(c->graph, NACRE_BERNOULLI, x[0]->dtype, x[0]->rank, shape,
					1 - o->rate, 0);
	return nacre_times(x[0], nacre_scale(keep, 1 / (1 - o->rate)));
}

static const nc_option spatial_dropout_options[] = {
    NC_OPT_NUMBER(F64, nacre_spatial_dropout_options, rate, 0, 0, 1),
    NC_OPT_DATA_FORMAT(nacre_spatial_dropout_options),
    NC_OPT_END,
};
/* Keras knows no data_format of this one. */
static const nc_option spatial_dropout1d_options[] = {
    NC_OPT_NUMBER(F64, nacre_spatial_dropout_options, rate, 0, 0, 1),
    NC_OPT_END,
};

static bool spatial_dropout1d_check(nacre_layer *l)
{
	const nacre_spatial_dropout_options *o = (const nacre_spatial_dropout_options *)l->options;
	return rate_check(l) &&
	       (o->data_format == NACRE_CHANNELS_LAST ||
		nc_layer_refuse(l, "data_format: expected channels_last, got another"));
}

#define SPATIAL_DROPOUT(its_id, its_name, its_snake, its_axes, its_options, its_check)             \
	const nc_layer_class nc_class_##its_id = {                                                 \
	    .id = NC_LAYER_##its_id,                                                               \
	    .name = its_name,                                                                      \
	    .snake = its_snake,                                                                    \
	    .axes = its_axes,                                                                      \
	    .options_size = sizeof(nacre_spatial_dropout_options),                                 \
	    .options = its_options,                                                                \
	    .min_in = 1,                                                                           \
	    .max_in = 1,                                                                           \
	    .masks = NC_MASKS_KEEP,                                                                \
	    .check = its_check,                                                                    \
	    .call = spatial_dropout_call,                                                          \
	};
SPATIAL_DROPOUT(spatial_dropout1d, "SpatialDropout1D", "spatial_dropout1d", 1,
		spatial_dropout1d_options, spatial_dropout1d_check)
SPATIAL_DROPOUT(spatial_dropout2d, "SpatialDropout2D", "spatial_dropout2d", 2,
		spatial_dropout_options, rate_check)
SPATIAL_DROPOUT(spatial_dropout3d, "SpatialDropout3D", "spatial_dropout3d", 3,
		spatial_dropout_options, rate_check)

nacre_layer *nacre_spatial_dropout1d_new(nacre_spatial_dropout_options options)
{
	return nc_layer_new(&nc_class_spatial_dropout1d, &options, options.name);
}
nacre_layer *nacre_spatial_dropout2d_new(nacre_spatial_dropout_options options)
{
	return nc_layer_new(&nc_class_spatial_dropout2d, &options, options.name);
}
nacre_layer *nacre_spatial_dropout3d_new(nacre_spatial_dropout_options options)
{
	return nc_layer_new(&nc_class_spatial_dropout3d, &options, options.name);
}

/* -- activity_regularization ------------------------------------------------------------------- */
static nacre_node *activity_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_activity_regularization_options *o =
	    (const nacre_activity_regularization_options *)l->options;
	double each = 1.0 / (double)nc_max(x[0]->shape[0], 1);
	nacre_node *one = nacre_sum(nacre_abs(x[0]), NACRE_ALL_AXES, false);
	nacre_node *two = nacre_sum(nacre_square(x[0]), NACRE_ALL_AXES, false);
	if (o->l1 != 0)
		nc_call_add_loss(c, nacre_scale(one, o->l1 * each));
	if (o->l2 != 0)
		nc_call_add_loss(c, nacre_scale(two, o->l2 * each));
	return x[0];
}

static const nc_option activity_regularization_options[] = {
    NC_OPT_NUMBER(F64, nacre_activity_regularization_options, l1, 0, 0, 1e18),
    NC_OPT_NUMBER(F64, nacre_activity_regularization_options, l2, 0, 0, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_activity_regularization = {
    .id = NC_LAYER_activity_regularization,
    .name = "ActivityRegularization",
    .snake = "activity_regularization",
    .options_size = sizeof(nacre_activity_regularization_options),
    .options = activity_regularization_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = activity_call,
};

nacre_layer *nacre_activity_regularization_new(nacre_activity_regularization_options options)
{
	return nc_layer_new(&nc_class_activity_regularization, &options, options.name);
}
