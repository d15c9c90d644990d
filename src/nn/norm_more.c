/* SPDX-License-Identifier: MIT
 *
 * norm_more.c - group, rms, unit and spectral normalization.
 */
#include <string.h>

#include "nn/norm.h"

/* -- group normalization ----------------------------------------------------------------------- */
static const nacre_group_normalization_options *group(const nacre_layer *l)
{
	return (const nacre_group_normalization_options *)l->options;
}

static bool group_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_group_normalization_options *o = group(l);
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank);
	if (axis < 0 || !nc_layer_floats(c, l, x[0]))
		return false;
	int64_t size = x[0]->shape[axis];
	return nc_norm_add_weights(c, l, 1, &size, NC_NORM_WEIGHTS(o));
}

/* As [n, before, groups, channels of a group, after]: a mean over all but the groups. */
static nacre_node *group_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_group_normalization_options *o = group(l);
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank), w = 0;
	if (axis < 0)
		return NULL;
	int64_t size = x[0]->shape[axis], groups = o->groups == -1 ? size : o->groups;
	if (groups > size || size % groups) {
		nc_layer_fail(c, l, "groups: %lld channels cannot be parted in %lld groups",
			      (long long)size, (long long)groups);
		return NULL;
	}
	int64_t shape[] = {x[0]->shape[0], 1, groups, size / groups, 1};
	for (int d = 1; d < x[0]->rank; d++)
		shape[d < axis ? 1 : 4] *= d == axis ? 1 : x[0]->shape[d];
	const unsigned axes = NACRE_AXIS(1) | NACRE_AXIS(3) | NACRE_AXIS(4);
	nacre_node *g = nacre_reshape(x[0], 5, shape);
	nacre_node *centred = nacre_minus(g, nacre_mean(g, axes, true));
	nacre_node *variance = nacre_mean(nacre_square(centred), axes, true);
	nacre_node *y = nacre_times(centred, nacre_rsqrt(nacre_add_number(variance, o->epsilon)));
	y = nacre_reshape(y, x[0]->rank, x[0]->shape);
	if (!o->no_scale)
		y = nacre_times(y, nc_norm_spread(c, l, w++, x[0], axis));
	return o->no_center ? y : nacre_plus(y, nc_norm_spread(c, l, w, x[0], axis));
}

#define OPTIONS nacre_group_normalization_options
static const nc_option group_normalization_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, groups, 32, -1, 1e9),
    NC_OPT_NUMBER(INT, OPTIONS, axis, -1, -8, 7),
    NC_OPT_NUMBER(F64, OPTIONS, epsilon, 1e-3, 0, 1e18),
    NC_OPT_NOT(OPTIONS, no_center, "center"),
    NC_OPT_NOT(OPTIONS, no_scale, "scale"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, beta_initializer, "zeros"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, gamma_initializer, "ones"),
    NC_OPT_REGULARIZER(OPTIONS, beta_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, gamma_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, beta_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, gamma_constraint),
    NC_OPT_END,
};
const nc_layer_class nc_class_group_normalization = {
    .id = NC_LAYER_group_normalization,
    .types = NC_TYPES_WIDE,
    .name = "GroupNormalization",
    .snake = "group_normalization",
    .options_size = sizeof(nacre_group_normalization_options),
    .options = group_normalization_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .build = group_build,
    .call = group_call,
};

nacre_layer *nacre_group_normalization_new(nacre_group_normalization_options options)
{
	return nc_layer_new(&nc_class_group_normalization, &options, options.name);
}
#undef OPTIONS

/* -- rms normalization ------------------------------------------------------------------------- */
static bool rms_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_rms_normalization_options *o =
	    (const nacre_rms_normalization_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	int64_t shape[NACRE_MAX_RANK];
	if (!axes || !nc_layer_floats(c, l, x[0]))
		return false;
	int rank = nc_norm_shape(x[0], axes, shape);
	return nc_layer_add_weight(c, l, "scale", rank, shape, nacre_ones, NULL,
				   (nacre_regularizer){0}, true);
}

static nacre_node *rms_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_rms_normalization_options *o =
	    (const nacre_rms_normalization_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	nacre_node *scale = axes ? nc_norm_along(c, l, 0, x[0], axes) : NULL;
	if (!scale)
		return NULL;
	nacre_node *mean = nacre_mean(nacre_square(x[0]), axes, true);
	nacre_node *y = nacre_times(x[0], nacre_rsqrt(nacre_add_number(mean, o->epsilon)));
	return nacre_times(y, scale);
}

#define OPTIONS nacre_rms_normalization_options
static const nc_option rms_normalization_options[] = {
    NC_OPT_SIZES_OR(OPTIONS, axis, -1),
    NC_OPT_NUMBER(F64, OPTIONS, epsilon, 1e-6, 0, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_rms_normalization = {
    .id = NC_LAYER_rms_normalization,
    .types = NC_TYPES_WIDE,
    .name = "RMSNormalization",
    .snake = "rms_normalization",
    .options_size = sizeof(nacre_rms_normalization_options),
    .options = rms_normalization_options,
    .min_in = 1,
    .max_in = 1,
    .build = rms_build,
    .call = rms_call,
};

nacre_layer *nacre_rms_normalization_new(nacre_rms_normalization_options options)
{
	return nc_layer_new(&nc_class_rms_normalization, &options, options.name);
}
#undef OPTIONS

/* -- unit normalization ------------------------------------------------------------------------ */
static nacre_node *unit_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_unit_normalization_options *o =
	    (const nacre_unit_normalization_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	if (!axes || !nc_layer_floats(c, l, x[0]))
		return NULL;
	nacre_node *square = nacre_sum(nacre_square(x[0]), axes, true);
	nacre_node *least = nacre_scalar(c->graph, x[0]->dtype, 1e-24);
	return nacre_times(x[0], nacre_rsqrt(nacre_maximum(square, least)));
}

static const nc_option unit_normalization_options[] = {
    NC_OPT_SIZES_OR(nacre_unit_normalization_options, axis, -1),
    NC_OPT_END,
};
const nc_layer_class nc_class_unit_normalization = {
    .id = NC_LAYER_unit_normalization,
    .types = NC_TYPES_WIDE,
    .name = "UnitNormalization",
    .snake = "unit_normalization",
    .options_size = sizeof(nacre_unit_normalization_options),
    .options = unit_normalization_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = unit_call,
};

nacre_layer *nacre_unit_normalization_new(nacre_unit_normalization_options options)
{
	return nc_layer_new(&nc_class_unit_normalization, &options, options.name);
}

/* -- spectral normalization -------------------------------------------------------------------- */
static int find_kernel(const nacre_layer *inner)
{
	for (int i = 0; i < inner->n_weights; i++)
		if (strcmp(inner->weight[i].name, "kernel") == 0 ||
		    strcmp(inner->weight[i].name, "embeddings") == 0)
			return i;
	return -1;
}

static nacre_node *to_unit(nacre_node *x)
{
	nacre_node *square = nacre_sum(nacre_square(x), NACRE_ALL_AXES, false);
	nacre_node *least = x ? nacre_scalar(x->graph, x->dtype, 1e-24) : NULL;
	return nacre_times(x, nacre_rsqrt(nacre_maximum(square, least)));
}

/* The kernel of the inner layer, divided by sigma; the vector u moves on.  A kernel of zeros
 * stays. */
static nacre_node *divided(nc_call *c, nacre_layer *l, nacre_node *kernel, nacre_node *u)
{
	int steps = ((const nacre_spectral_normalization_options *)l->options)->power_iterations;
	int64_t last = kernel->shape[kernel->rank - 1];
	nacre_node *w = nacre_reshape(kernel, 2, (int64_t[]){-1, last}), *v = NULL, *now = u;
	nacre_node *fixed = nacre_stop_gradient(w);
	for (int i = 0; i < steps; i++) {
		v = to_unit(nacre_matmul_transposed(now, fixed, false, true));
		now = to_unit(nacre_matmul(v, fixed));
	}
	nacre_node *one = nacre_scalar(c->graph, kernel->dtype, 1);
	nacre_node *zero = nacre_scalar(c->graph, kernel->dtype, 0);
	nacre_node *size = nacre_sum(nacre_abs(fixed), NACRE_ALL_AXES, false);
	nacre_node *none = nacre_equal(size, zero);
	nacre_node *sigma = nacre_matmul_transposed(nacre_matmul(v, w), now, false, true);
	sigma = nacre_select(none, one, nacre_reshape(sigma, 0, NULL));
	nc_call_effect(c, nacre_assign(u, nacre_select(none, u, now)));
	return nacre_divide(kernel, sigma);
}

static nacre_node *spectral_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_layer *inner = nc_layer_inner(l);
	if (!c->training || !inner->built)
		return nc_layer_call_inner(c, l, inner, n, x);
	int k = find_kernel(inner);
	nacre_node *kernel = nc_layer_use(c, inner, k);
	nacre_node *u = nc_layer_use(c, l, l->n_weights - 1);
	inner->weight[k].instead = kernel && u ? divided(c, l, kernel, u) : NULL;
	nacre_node *y = nc_layer_call_inner(c, l, inner, n, x);
	inner->weight[k].instead = NULL;
	return y;
}

/* The inner layer is built by a first call, so that its kernel is there. */
static bool spectral_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_layer *inner = nc_layer_inner(l);
	nacre_initializer_options deviation = {.stddev = 0.02};
	if (!nc_layer_call_inner(c, l, inner, n, x))
		return false;
	int k = find_kernel(inner);
	if (k < 0)
		return nc_layer_fail(c, l, "%s has neither a kernel nor embeddings",
				     inner->class->name);
	const nacre_variable *v = inner->weight[k].variable;
	int64_t shape[] = {1, v->rank ? v->shape[v->rank - 1] : 1};
	return nc_layer_add_weight(c, l, "vector_u", 2, shape, nacre_truncated_normal, &deviation,
				   (nacre_regularizer){0}, false);
}

static const nc_option spectral_normalization_options[] = {
    NC_OPT_LAYER(nacre_spectral_normalization_options, layer),
    NC_OPT_NUMBER(INT, nacre_spectral_normalization_options, power_iterations, 1, 1, 1000),
    NC_OPT_END,
};
const nc_layer_class nc_class_spectral_normalization = {
    .id = NC_LAYER_spectral_normalization,
    .types = NC_TYPES_WIDE,
    .name = "SpectralNormalization",
    .snake = "spectral_normalization",
    .options_size = sizeof(nacre_spectral_normalization_options),
    .options = spectral_normalization_options,
    .min_in = 1,
    .max_in = 1,
    .build = spectral_build,
    .call = spectral_call,
};

nacre_layer *nacre_spectral_normalization_new(nacre_spectral_normalization_options options)
{
	return nc_layer_around(&nc_class_spectral_normalization, &options, options.name,
			       options.layer);
}
