/* SPDX-License-Identifier: MIT
 *
 * preprocess.c - layers that prepare inputs: rescaling, normalization, discretization,
 * category_encoding.  What adapts itself to data is in adapt.c.
 */
#include <math.h>
#include <string.h>

#include "nn/encode.h"

#define BIG 1e9

nacre_node *nc_encode(nc_call *c, nacre_layer *l, nacre_node *index, int64_t depth, int mode)
{
	if (!index || mode == NACRE_OUTPUT_INT)
		return index;
	if (index->rank < 2) {
		nc_layer_fail(c, l, "expected an input of [None, size, ...], got rank %d",
			      index->rank);
		return NULL;
	}
	if (mode == NACRE_OUTPUT_ONE_HOT) {
		if (index->shape[index->rank - 1] == 1)
			index = nacre_squeeze(index, NACRE_AXIS(index->rank - 1));
		return nacre_one_hot(index, depth, NACRE_F32);
	}
	nacre_node *hot = nacre_one_hot(index, depth, NACRE_F32);
	return mode == NACRE_OUTPUT_COUNT ? nacre_sum(hot, NACRE_AXIS(1), false)
					  : nacre_max(hot, NACRE_AXIS(1), false);
}

bool nc_encode_check(nacre_layer *l, int sparse, int mode)
{
	return !sparse || mode != NACRE_OUTPUT_INT ||
	       nc_layer_refuse(l, "sparse: not in the output_mode int");
}

static nacre_node *as(nacre_node *x, nacre_dtype dtype)
{
	return x->dtype == dtype ? x : nacre_cast(x, dtype);
}

/* -- rescaling --------------------------------------------------------------------------------- */
static nacre_node *rescaling_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	const nacre_rescaling_options *o = (const nacre_rescaling_options *)l->options;
	return nacre_add_number(nacre_scale(as(x[0], NACRE_F32), o->scale), o->offset);
}

static const nc_option rescaling_options[] = {
    NC_OPT_NUMBER(F64, nacre_rescaling_options, scale, 0, -1e18, 1e18),
    NC_OPT_NUMBER(F64, nacre_rescaling_options, offset, 0, -1e18, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_rescaling = {
    .id = NC_LAYER_rescaling,
    .types = NC_TYPES_F32,
    .name = "Rescaling",
    .snake = "rescaling",
    .options_size = sizeof(nacre_rescaling_options),
    .options = rescaling_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = rescaling_call,
};

nacre_layer *nacre_rescaling_new(nacre_rescaling_options options)
{
	return nc_layer_new(&nc_class_rescaling, &options, options.name);
}

/* -- normalization ----------------------------------------------------------------------------- */
static const nacre_normalization_options *norm(const nacre_layer *l)
{
	return (const nacre_normalization_options *)l->options;
}

static bool normalization_check(nacre_layer *l)
{
	const nacre_normalization_options *o = norm(l);
	return o->mean.n == o->variance.n ||
	       nc_layer_refuse(l, "mean has %lld numbers, variance %lld", (long long)o->mean.n,
			       (long long)o->variance.n);
}

static bool normalization_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_normalization_options *o = norm(l);
	bool whole = o->axis == NACRE_NO_AXIS;
	int axis = whole ? 0 : nc_layer_axis(c, l, o->axis, x[0]->rank), rank = !whole;
	if (axis < 0)
		return false;
	int64_t size = whole ? 1 : x[0]->shape[axis];
	if (o->mean.n)
		return o->mean.n == 1 || o->mean.n == size ||
		       nc_layer_fail(c, l, "mean: expected 1 or %lld numbers, got %lld",
				     (long long)size, (long long)o->mean.n);
	return nc_layer_add_state(c, l, "mean", NACRE_F32, rank, &size, 0) &&
	       nc_layer_add_state(c, l, "variance", NACRE_F32, rank, &size, 1) &&
	       nc_layer_add_state(c, l, "count", NACRE_I32, 0, NULL, 0);
}

/* A list of the options as a constant, or weight i, along the axis of x. */
static nacre_node *along(nc_call *c, nacre_layer *l, const nacre_node *x, const nacre_numbers *list,
			 int i)
{
	const nacre_normalization_options *o = norm(l);
	int64_t shape[NACRE_MAX_RANK];
	nacre_node *v;
	bool whole = o->axis == NACRE_NO_AXIS;
	int axis = whole ? -1 : nc_layer_axis(c, l, o->axis, x->rank);
	if (axis < 0 && !whole)
		return NULL;
	if (list->n) {
		float *f = nc_arena_alloc(&c->graph->arena, (size_t)list->n * sizeof *f);
		for (int64_t k = 0; f && k < list->n; k++)
			f[k] = (float)list->value[k];
		v = f ? nacre_constant(c->graph, NACRE_F32, 1, &list->n, f) : NULL;
	} else {
		v = nc_layer_use(c, l, i);
	}
	if (!v)
		return NULL;
	int64_t size = nc_node_size(v);
	if (size != 1 && size != x->shape[axis]) {
		nc_layer_fail(c, l, "expected %lld places along axis %d, got %lld", (long long)size,
			      axis, (long long)x->shape[axis]);
		return NULL;
	}
	for (int d = 0; d < x->rank; d++)
		shape[d] = d == axis ? size : 1;
	return nacre_reshape(v, x->rank, shape);
}

static nacre_node *normalization_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_normalization_options *o = norm(l);
	nacre_node *mean = along(c, l, x[0], &o->mean, 0);
	nacre_node *variance = along(c, l, x[0], &o->variance, 1);
	nacre_node *deviation =
	    nacre_maximum(nacre_sqrt(variance), nacre_scalar(c->graph, NACRE_F32, 1e-7));
	nacre_node *v = as(x[0], NACRE_F32);
	if (o->invert)
		return nacre_plus(mean, nacre_times(v, deviation));
	return nacre_divide(nacre_minus(v, mean), deviation);
}

#define OPTIONS nacre_normalization_options
static const nc_option normalization_options[] = {
    NC_OPT_NUMBER(INT, OPTIONS, axis, -1, -8, NACRE_NO_AXIS),
    NC_OPT_NUMBERS(OPTIONS, mean),
    NC_OPT_NUMBERS(OPTIONS, variance),
    NC_OPT_BOOL(OPTIONS, invert),
    NC_OPT_END,
};
const nc_layer_class nc_class_normalization = {
    .id = NC_LAYER_normalization,
    .types = NC_TYPES_F32,
    .name = "Normalization",
    .snake = "normalization",
    .options_size = sizeof(nacre_normalization_options),
    .options = normalization_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .check = normalization_check,
    .build = normalization_build,
    .call = normalization_call,
};

nacre_layer *nacre_normalization_new(nacre_normalization_options options)
{
	return nc_layer_new(&nc_class_normalization, &options, options.name);
}
#undef OPTIONS

/* -- discretization ---------------------------------------------------------------------------- */
static bool discretization_check(nacre_layer *l)
{
	const nacre_discretization_options *o = (const nacre_discretization_options *)l->options;
	const nacre_numbers *b = &o->bin_boundaries;
	for (int64_t i = 0; i < b->n; i++)
		if (isnan(b->value[i]) || (i && b->value[i] < b->value[i - 1]))
			return nc_layer_refuse(l,
					       "bin_boundaries: expected rising numbers, got %g "
					       "at place %lld",
					       b->value[i], (long long)i);
	if (!b->n && !o->num_bins)
		return nc_layer_refuse(l, "expected bin_boundaries or num_bins, got neither");
	return nc_encode_check(l, o->sparse, o->output_mode);
}

static nacre_node *discretization_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_discretization_options *o = (const nacre_discretization_options *)l->options;
	const nacre_numbers *b = &o->bin_boundaries;
	if (b->n == 0) {
		nc_layer_fail(c, l, "has no boundaries yet: adapt it before it is applied");
		return NULL;
	}
	float *f = nc_arena_alloc(&c->graph->arena, (size_t)b->n * sizeof *f);
	if (!f) {
		nc_no_memory(c->error, (size_t)b->n * sizeof *f);
		return NULL;
	}
	for (int64_t i = 0; i < b->n; i++)
		f[i] = (float)b->value[i];
	nacre_node *low = nacre_constant(c->graph, NACRE_F32, 1, &b->n, f);
	nacre_node *v = nacre_expand_dims(as(x[0], NACRE_F32), -1);
	nacre_node *above = nacre_cast(nacre_greater_equal(v, low), NACRE_I32);
	nacre_node *index = nacre_sum(above, NACRE_LAST_AXIS, false);
	return nc_encode(c, l, index, b->n + 1, o->output_mode);
}

#define OPTIONS nacre_discretization_options
static const nc_option discretization_options[] = {
    NC_OPT_NUMBERS(OPTIONS, bin_boundaries),
    NC_OPT_NUMBER(I64, OPTIONS, num_bins, 0, 0, BIG),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_INT, NC_OUTPUT_MODES),
    NC_OPT_BOOL(OPTIONS, sparse),
    NC_OPT_END,
};
const nc_layer_class nc_class_discretization = {
    .id = NC_LAYER_discretization,
    .types = NC_TYPES_F32,
    .name = "Discretization",
    .snake = "discretization",
    .options_size = sizeof(nacre_discretization_options),
    .options = discretization_options,
    .min_in = 1,
    .max_in = 1,
    .check = discretization_check,
    .call = discretization_call,
};

nacre_layer *nacre_discretization_new(nacre_discretization_options options)
{
	return nc_layer_new(&nc_class_discretization, &options, options.name);
}
#undef OPTIONS

/* -- category_encoding ------------------------------------------------------------------------- */
static bool category_encoding_check(nacre_layer *l)
{
	int mode = ((const nacre_category_encoding_options *)l->options)->output_mode;
	return mode != NACRE_OUTPUT_INT ||
	       nc_layer_refuse(l, "output_mode: expected one_hot, multi_hot or count, got int");
}

static nacre_node *category_encoding_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_category_encoding_options *o =
	    (const nacre_category_encoding_options *)l->options;
	return nc_encode(c, l, as(x[0], NACRE_I32), o->num_tokens, o->output_mode);
}

#define OPTIONS nacre_category_encoding_options
static const nc_option category_encoding_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, num_tokens, 0, 1, BIG),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_MULTI_HOT, NC_OUTPUT_MODES),
    NC_OPT_BOOL(OPTIONS, sparse),
    NC_OPT_END,
};
const nc_layer_class nc_class_category_encoding = {
    .id = NC_LAYER_category_encoding,
    .types = NC_TYPES_F32,
    .name = "CategoryEncoding",
    .snake = "category_encoding",
    .options_size = sizeof(nacre_category_encoding_options),
    .options = category_encoding_options,
    .min_in = 1,
    .max_in = 1,
    .check = category_encoding_check,
    .call = category_encoding_call,
};

nacre_layer *nacre_category_encoding_new(nacre_category_encoding_options options)
{
	return nc_layer_new(&nc_class_category_encoding, &options, options.name);
}
#undef OPTIONS
