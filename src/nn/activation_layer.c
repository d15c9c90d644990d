/* SPDX-License-Identifier: MIT
 *
 * activation_layer.c - activations with parameters as layers: relu, leaky_relu, elu, prelu,
 * softmax.
 */
#include <math.h>
#include <string.h>

#include "nn/layer.h"

/* -- relu, leaky_relu, elu --------------------------------------------------------------------- */
static nacre_node *relu_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	const nacre_relu_options *o = (const nacre_relu_options *)l->options;
	double max = o->max_value > 0 ? o->max_value : INFINITY;
	return nacre_relu_with(x[0], o->negative_slope, max, o->threshold);
}

static const nc_option relu_options[] = {
    NC_OPT_OR_NULL(F64, nacre_relu_options, max_value, 0, 1e18),
    NC_OPT_NUMBER(F64, nacre_relu_options, negative_slope, 0, 0, 1e18),
    NC_OPT_NUMBER(F64, nacre_relu_options, threshold, 0, 0, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_relu = {
    .id = NC_LAYER_relu,
    .name = "ReLU",
    .snake = "re_lu",
    .options_size = sizeof(nacre_relu_options),
    .options = relu_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = relu_call,
};

nacre_layer *nacre_relu_layer_new(nacre_relu_options options)
{
	return nc_layer_new(&nc_class_relu, &options, options.name);
}

static nacre_node *leaky_relu_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	const nacre_leaky_relu_options *o = (const nacre_leaky_relu_options *)l->options;
	return nacre_leaky_relu_slope(x[0], o->negative_slope);
}

static const nc_option leaky_relu_options[] = {
    NC_OPT_NUMBER(F64, nacre_leaky_relu_options, negative_slope, 0.3, 0, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_leaky_relu = {
    .id = NC_LAYER_leaky_relu,
    .name = "LeakyReLU",
    .snake = "leaky_re_lu",
    .options_size = sizeof(nacre_leaky_relu_options),
    .options = leaky_relu_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = leaky_relu_call,
};

nacre_layer *nacre_leaky_relu_layer_new(nacre_leaky_relu_options options)
{
	return nc_layer_new(&nc_class_leaky_relu, &options, options.name);
}

static nacre_node *elu_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	return nacre_elu_alpha(x[0], ((const nacre_elu_options *)l->options)->alpha);
}

static const nc_option elu_options[] = {
    NC_OPT_NUMBER(F64, nacre_elu_options, alpha, 1, -1e18, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_elu = {
    .id = NC_LAYER_elu,
    .name = "ELU",
    .snake = "elu",
    .options_size = sizeof(nacre_elu_options),
    .options = elu_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = elu_call,
};

nacre_layer *nacre_elu_layer_new(nacre_elu_options options)
{
	return nc_layer_new(&nc_class_elu, &options, options.name);
}

/* -- prelu ------------------------------------------------------------------------------------- */
static bool prelu_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_prelu_options *o = (const nacre_prelu_options *)l->options;
	int64_t shape[NACRE_MAX_RANK];
	unsigned shared = 0;
	if (o->shared_axes[0] && !(shared = nc_layer_axes(c, l, o->shared_axes, x[0]->rank)))
		return false;
	if (!nc_layer_floats(c, l, x[0]))
		return false;
	for (int i = 1; i < x[0]->rank; i++)
		shape[i - 1] = shared & NACRE_AXIS(i) ? 1 : x[0]->shape[i];
	return nc_layer_add_weight(c, l, "alpha", x[0]->rank - 1, shape, o->alpha_initializer,
				   &o->alpha_initializer_options, o->alpha_regularizer, true);
}

static nacre_node *prelu_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_variable *v = l->weight[0].variable;
	char want[128], got[128];
	bool fits = v->rank == x[0]->rank - 1;
	for (int i = 0; fits && i < v->rank; i++)
		fits = v->shape[i] == 1 || v->shape[i] == x[0]->shape[i + 1];
	if (!fits) {
		nc_layer_fail(c, l, "alpha is %s, a sample of the input %s",
			      nc_shape_text(want, v->rank, v->shape),
			      nc_shape_text(got, x[0]->rank - 1, x[0]->shape + 1));
		return NULL;
	}
	nacre_node *low = nacre_times(nc_layer_use(c, l, 0), nacre_relu(nacre_neg(x[0])));
	return nacre_minus(nacre_relu(x[0]), low);
}

static const nc_option prelu_options[] = {
    NC_OPT_SHAPE(nacre_prelu_options, shared_axes),
    NC_OPT_INITIALIZER(nacre_prelu_options, alpha_initializer, "zeros"),
    NC_OPT_REGULARIZER(nacre_prelu_options, alpha_regularizer),
    NC_OPT_CONSTRAINT(nacre_prelu_options, alpha_constraint),
    NC_OPT_END,
};
const nc_layer_class nc_class_prelu = {
    .id = NC_LAYER_prelu,
    .name = "PReLU",
    .snake = "p_re_lu",
    .options_size = sizeof(nacre_prelu_options),
    .options = prelu_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .build = prelu_build,
    .call = prelu_call,
};

nacre_layer *nacre_prelu_new(nacre_prelu_options options)
{
	return nc_layer_new(&nc_class_prelu, &options, options.name);
}

/* -- softmax ----------------------------------------------------------------------------------- */
static nacre_node *softmax_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_softmax_options *o = (const nacre_softmax_options *)l->options;
	unsigned axes = nc_layer_axes(c, l, o->axis, x[0]->rank);
	nacre_node *v = x[0], *mask = c->mask ? c->mask[0] : NULL;
	if (!axes)
		return NULL;
	if (mask && !nc_same_shape(mask, v))
		mask = NULL;
	if (mask)
		v = nacre_select(mask, v, nacre_scalar(c->graph, v->dtype, -1e9));
	if ((axes & (axes - 1)) == 0)
		v = nacre_softmax_axis(v, __builtin_ctz(axes));
	else
		v = nacre_exp(nacre_minus(v, nacre_logsumexp(v, axes, true)));
	return mask ? nacre_select(mask, v, nacre_scalar(c->graph, v->dtype, 0)) : v;
}

static const nc_option softmax_options[] = {
    NC_OPT_SIZES_OR(nacre_softmax_options, axis, -1),
    NC_OPT_END,
};
const nc_layer_class nc_class_softmax = {
    .id = NC_LAYER_softmax,
    .name = "Softmax",
    .snake = "softmax",
    .options_size = sizeof(nacre_softmax_options),
    .options = softmax_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = softmax_call,
};

nacre_layer *nacre_softmax_layer_new(nacre_softmax_options options)
{
	return nc_layer_new(&nc_class_softmax, &options, options.name);
}
