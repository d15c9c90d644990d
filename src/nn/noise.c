/* SPDX-License-Identifier: MIT
 *
 * noise.c - layers that only act in training: alpha_dropout, gaussian_dropout, gaussian_noise,
 * activity_regularization.
 */
#include <math.h>

#include "nn/layer.h"

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
