/* SPDX-License-Identifier: MIT
 *
 * norm.c - batch and layer normalization.
 */
#include "nn/norm.h"

nacre_node *nc_norm_spread(nc_call *c, nacre_layer *l, int i, const nacre_node *x, int axis)
{
	int64_t shape[NACRE_MAX_RANK], size = nacre_variable_shape(l->weight[i].variable)[0];
	nacre_node *w = nc_layer_use(c, l, i);
	if (size != x->shape[axis]) {
		nc_layer_fail(c, l, "%s expects %lld channels, got %lld", l->weight[i].name,
			      (long long)size, (long long)x->shape[axis]);
		return NULL;
	}
	if (axis == x->rank - 1)
		return w;
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == axis ? size : 1;
	return nacre_reshape(w, x->rank, shape);
}

nacre_node *nc_norm_along(nc_call *c, nacre_layer *l, int i, const nacre_node *x, unsigned axes)
{
	const nacre_variable *v = l->weight[i].variable;
	int64_t shape[NACRE_MAX_RANK];
	char want[128], got[128];
	int k = 0;
	bool fits = true;
	for (int d = 0; d < x->rank; d++) {
		bool in = axes & NACRE_AXIS(d);
		shape[d] = in ? x->shape[d] : 1;
		fits = fits && (!in || (k < v->rank && v->shape[k] == x->shape[d]));
		k += in;
	}
	if (!fits) {
		nc_layer_fail(c, l, "%s is %s, a sample of the input %s", l->weight[i].name,
			      nc_shape_text(want, v->rank, v->shape),
			      nc_shape_text(got, x->rank - 1, x->shape + 1));
		return NULL;
	}
	nacre_node *w = nc_layer_use(c, l, i);
	return axes == NACRE_AXIS(x->rank - 1) ? w : nacre_reshape(w, x->rank, shape);
}

int nc_norm_shape(const nacre_node *x, unsigned axes, int64_t *shape)
{
	int rank = 0;
	for (int d = 0; d < x->rank; d++)
		if (axes & NACRE_AXIS(d))
			shape[rank++] = x->shape[d];
	return rank;
}

bool nc_norm_add_weights(nc_call *c, nacre_layer *l, int rank, const int64_t *shape,
			 const nc_norm_weights *w)
{
	return (w->no_scale || nc_layer_add_weight(c, l, "gamma", rank, shape, w->gamma, NULL,
						   w->gamma_regularizer, true)) &&
	       (w->no_center || nc_layer_add_weight(c, l, "beta", rank, shape, w->beta, NULL,
						    w->beta_regularizer, true));
}

/* gamma (x - mean) / sqrt(variance + epsilon) + beta as x scale + shift, which takes two operations
 * for an element instead of four; gamma, beta: weights, -1: none */
static nacre_node *normalize(nc_call *c, nacre_layer *l, nacre_node *x, int axis, nacre_node *mean,
			     nacre_node *variance, double epsilon, int gamma, int beta)
{
	nacre_node *scale = nacre_rsqrt(nacre_add_number(variance, epsilon));
	if (gamma >= 0)
		scale = nacre_times(scale, nc_norm_spread(c, l, gamma, x, axis));
	nacre_node *shift = nacre_neg(nacre_times(mean, scale));
	if (beta >= 0)
		shift = nacre_plus(shift, nc_norm_spread(c, l, beta, x, axis));
	return nacre_plus(nacre_times(x, scale), shift);
}

/* -- batch normalization ----------------------------------------------------------------------- */
static const nacre_batch_normalization_options *batch(const nacre_layer *l)
{
	return (const nacre_batch_normalization_options *)l->options;
}

static bool batch_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_batch_normalization_options *o = batch(l);
	const nacre_regularizer none = {0};
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank);
	if (axis < 0 || !nc_layer_floats(c, l, x[0]))
		return false;
	int64_t size = x[0]->shape[axis];
	if (!nc_norm_add_weights(c, l, 1, &size, NC_NORM_WEIGHTS(o)))
		return false;
	return nc_layer_add_weight(c, l, "moving_mean", 1, &size, o->moving_mean_initializer, NULL,
				   none, false) &&
	       nc_layer_add_weight(c, l, "moving_variance", 1, &size,
				   o->moving_variance_initializer, NULL, none, false);
}

/* moving = moving momentum + batch (1 - momentum); value has size 1 on the other axes */
static void move(nc_call *c, nacre_layer *l, int i, nacre_node *value, double momentum)
{
	nacre_node *w = nc_layer_use(c, l, i);
	nacre_node *now = nacre_reshape(value, 1, nacre_variable_shape(l->weight[i].variable));
	nacre_node *next = nacre_plus(nacre_scale(w, momentum), nacre_scale(now, 1 - momentum));
	nc_call_effect(c, nacre_assign(w, nacre_stop_gradient(next)));
}

static nacre_node *batch_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_batch_normalization_options *o = batch(l);
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank);
	int gamma = o->no_scale ? -1 : 0, beta = o->no_center ? -1 : gamma + 1;
	int mean = l->n_weights - 2, variance = l->n_weights - 1;
	if (axis < 0 || !nc_norm_spread(c, l, mean, x[0], axis))
		return NULL;
	if (!c->training || l->frozen)
		return normalize(c, l, x[0], axis, nc_norm_spread(c, l, mean, x[0], axis),
				 nc_norm_spread(c, l, variance, x[0], axis), o->epsilon, gamma,
				 beta);
	unsigned others = ((1u << x[0]->rank) - 1) & ~NACRE_AXIS(axis);
	nacre_node *m = nacre_mean(x[0], others, true);
	nacre_node *v = nacre_mean(nacre_square(nacre_minus(x[0], m)), others, true);
	move(c, l, mean, m, o->momentum);
	move(c, l, variance, v, o->momentum);
	return normalize(c, l, x[0], axis, m, v, o->epsilon, gamma, beta);
}

#define OPTIONS nacre_batch_normalization_options
static const nc_option batch_options[] = {
    NC_OPT_NUMBER(INT, OPTIONS, axis, -1, -8, 7),
    NC_OPT_NUMBER(F64, OPTIONS, momentum, 0.99, 0, 1),
    NC_OPT_NUMBER(F64, OPTIONS, epsilon, 1e-3, 0, 1e18),
    NC_OPT_NOT(OPTIONS, no_center, "center"),
    NC_OPT_NOT(OPTIONS, no_scale, "scale"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, beta_initializer, "zeros"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, gamma_initializer, "ones"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, moving_mean_initializer, "zeros"),
    NC_OPT_FUNCTION(INITIALIZER, OPTIONS, moving_variance_initializer, "ones"),
    NC_OPT_REGULARIZER(OPTIONS, beta_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, gamma_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, beta_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, gamma_constraint),
    NC_OPT_END,
};
#undef OPTIONS
const nc_layer_class nc_class_batch_normalization = {
    .id = NC_LAYER_batch_normalization,
    .types = NC_TYPES_WIDE,
    .name = "BatchNormalization",
    .masks = NC_MASKS_KEEP,
    .snake = "batch_normalization",
    .options_size = sizeof(nacre_batch_normalization_options),
    .options = batch_options,
    .min_in = 1,
    .max_in = 1,
    .build = batch_build,
    .call = batch_call,
};

nacre_layer *nacre_batch_normalization_new(nacre_batch_normalization_options options)
{
	return nc_layer_new(&nc_class_batch_normalization, &options, options.name);
}

/* -- layer normalization ----------------------------------------------------------------------- */
static bool layer_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_layer_normalization_options *o =
	    (const nacre_layer_normalization_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	int64_t shape[NACRE_MAX_RANK];
	if (!axes || !nc_layer_floats(c, l, x[0]))
		return false;
	int rank = nc_norm_shape(x[0], axes, shape);
	return nc_norm_add_weights(c, l, rank, shape, NC_NORM_WEIGHTS(o));
}

static nacre_node *layer_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_layer_normalization_options *o =
	    (const nacre_layer_normalization_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	if (!axes)
		return NULL;
	nacre_node *m = nacre_mean(x[0], axes, true);
	nacre_node *v = nacre_mean(nacre_square(nacre_minus(x[0], m)), axes, true);
	nacre_node *y = normalize(c, l, x[0], -1, m, v, o->epsilon, -1, -1);
	if (!o->no_scale)
		y = nacre_times(y, nc_norm_along(c, l, 0, x[0], axes));
	return o->no_center ? y : nacre_plus(y, nc_norm_along(c, l, !o->no_scale, x[0], axes));
}

#define OPTIONS nacre_layer_normalization_options
static const nc_option layer_options[] = {
    NC_OPT_SIZES_OR(OPTIONS, axis, -1),
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
#undef OPTIONS
const nc_layer_class nc_class_layer_normalization = {
    .id = NC_LAYER_layer_normalization,
    .types = NC_TYPES_WIDE,
    .name = "LayerNormalization",
    .masks = NC_MASKS_KEEP,
    .snake = "layer_normalization",
    .options_size = sizeof(nacre_layer_normalization_options),
    .options = layer_options,
    .min_in = 1,
    .max_in = 1,
    .build = layer_build,
    .call = layer_call,
};

nacre_layer *nacre_layer_normalization_new(nacre_layer_normalization_options options)
{
	return nc_layer_new(&nc_class_layer_normalization, &options, options.name);
}
