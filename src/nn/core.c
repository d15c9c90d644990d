/* SPDX-License-Identifier: MIT
 *
 * core.c - input, dense, activation, dropout, flatten, reshape, embedding.
 */
#include <string.h>

#include "nn/spatial.h"

#define BIG 1e18 /* no upper limit */

/* -- input ------------------------------------------------------------------------------------- */
static bool check_sizes(nacre_layer *l, const char *what, const int64_t *shape, bool rest)
{
	int rank = nc_shape_rank(shape), unknown = 0;
	char text[128];
	for (int i = 0; i < rank; i++) {
		unknown += shape[i] == -1;
		if (shape[i] < (rest ? -1 : 1) || unknown > 1)
			return nc_layer_refuse(l, "%s: expected positive sizes%s, got %s", what,
					       rest ? " and at most one -1" : "",
					       nc_shape_text(text, rank, shape));
	}
	if (rank == NACRE_MAX_RANK)
		return nc_layer_refuse(l, "%s: expected at most %d sizes, got %d", what,
				       NACRE_MAX_RANK - 1, rank);
	return true;
}

static bool input_check(nacre_layer *l)
{
	if (nc_input_options(l)->text)
		((nacre_input_options *)l->options)->dtype = NACRE_I32;
	const nacre_input_options *o = nc_input_options(l);
	if (o->dtype != NACRE_F32 && o->dtype != NACRE_I32)
		return nc_layer_refuse(l, "dtype: expected f32 or i32, got %s",
				       nacre_dtype_name(o->dtype));
	return check_sizes(l, "shape", o->shape, false);
}

static nacre_node *input_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n, (void)x;
	nc_layer_fail(c, l, "an input comes first and is not applied to anything");
	return NULL;
}

static const nc_option input_options[] = {
    NC_OPT_SHAPE(nacre_input_options, shape),
    NC_OPT_NUMBER(DTYPE, nacre_input_options, dtype, 0, 0, 0),
    NC_OPT_END,
};
const nc_layer_class nc_class_input = {
    .id = NC_LAYER_input,
    .name = "InputLayer",
    .snake = "input_layer",
    .options_size = sizeof(nacre_input_options),
    .options = input_options,
    .min_in = 1,
    .max_in = 1,
    .check = input_check,
    .call = input_call,
};

nacre_layer *nacre_input_new(nacre_input_options options)
{
	return nc_layer_new(&nc_class_input, &options, options.name);
}

/* -- dense ------------------------------------------------------------------------------------- */
static const nacre_dense_options *dense(const nacre_layer *l)
{
	return (const nacre_dense_options *)l->options;
}

static bool dense_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_dense_options *o = dense(l);
	char text[128];
	if (x[0]->rank < 2)
		return nc_layer_fail(c, l, "expected an input of [None, ..., size], got rank %d",
				     x[0]->rank);
	if (!nc_dtype_is_float(x[0]->dtype))
		return nc_layer_fail(c, l, "expected an input of f32, got %s %s",
				     nacre_dtype_name(x[0]->dtype),
				     nc_shape_text(text, x[0]->rank, x[0]->shape));
	int64_t shape[] = {x[0]->shape[x[0]->rank - 1], o->units};
	if (!nc_layer_add_weight(c, l, "kernel", 2, shape, o->kernel_initializer,
				 &o->kernel_initializer_options, o->kernel_regularizer, true))
		return false;
	return o->no_bias ||
	       nc_layer_add_weight(c, l, "bias", 1, &o->units, o->bias_initializer,
				   &o->bias_initializer_options, o->bias_regularizer, true);
}

static nacre_node *dense_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_dense_options *o = dense(l);
	nacre_node *a = x[0];
	int rank = a->rank;
	int64_t shape[NACRE_MAX_RANK], inputs = nacre_variable_shape(l->weight[0].variable)[0];
	memcpy(shape, a->shape, sizeof shape);
	if (rank < 2 || shape[rank - 1] != inputs) {
		nc_layer_fail(c, l, "kernel expects %lld inputs, got %lld", (long long)inputs,
			      rank ? (long long)shape[rank - 1] : 0);
		return NULL;
	}
	if (rank > 2) /* the leading axes as one: one large product instead of many small ones */
		a = nacre_reshape(a, 2, (int64_t[]){-1, inputs});
	nacre_node *y = nacre_matmul(a, nc_layer_use(c, l, 0));
	if (!o->no_bias)
		y = nacre_plus(y, nc_layer_use(c, l, 1));
	shape[rank - 1] = o->units;
	if (rank > 2)
		y = nacre_reshape(y, rank, shape);
	return o->activation(y);
}

static const nc_option dense_options[] = {
    NC_OPT_NUMBER(I64, nacre_dense_options, units, 0, 1, BIG),
    NC_OPT_FUNCTION(ACTIVATION, nacre_dense_options, activation, "linear"),
    NC_OPT_NOT(nacre_dense_options, no_bias, "use_bias"),
    NC_OPT_INITIALIZER(nacre_dense_options, kernel_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(nacre_dense_options, bias_initializer, "zeros"),
    NC_OPT_REGULARIZER(nacre_dense_options, kernel_regularizer),
    NC_OPT_REGULARIZER(nacre_dense_options, bias_regularizer),
    NC_OPT_ACTIVITY(nacre_dense_options, activity_regularizer),
    NC_OPT_CONSTRAINT(nacre_dense_options, kernel_constraint),
    NC_OPT_CONSTRAINT(nacre_dense_options, bias_constraint),
    NC_OPT_END,
};
const nc_layer_class nc_class_dense = {
    .id = NC_LAYER_dense,
    .name = "Dense",
    .masks = NC_MASKS_KEEP,
    .snake = "dense",
    .options_size = sizeof(nacre_dense_options),
    .options = dense_options,
    .min_in = 1,
    .max_in = 1,
    .build = dense_build,
    .call = dense_call,
};

nacre_layer *nacre_dense_new(nacre_dense_options options)
{
	return nc_layer_new(&nc_class_dense, &options, options.name);
}

/* -- activation -------------------------------------------------------------------------------- */
static bool activation_check(nacre_layer *l)
{
	const nacre_activation_options *o = (const nacre_activation_options *)l->options;
	return o->function || nc_layer_refuse(l, "function: expected a function, got NULL");
}

static nacre_node *activation_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	return ((const nacre_activation_options *)l->options)->function(x[0]);
}

static const nc_option activation_options[] = {
    NC_OPT_NAMED(ACTIVATION, nacre_activation_options, function, "activation"),
    NC_OPT_END,
};
const nc_layer_class nc_class_activation = {
    .id = NC_LAYER_activation,
    .name = "Activation",
    .masks = NC_MASKS_KEEP,
    .snake = "activation",
    .options_size = sizeof(nacre_activation_options),
    .options = activation_options,
    .min_in = 1,
    .max_in = 1,
    .check = activation_check,
    .call = activation_call,
};

nacre_layer *nacre_activation_new(nacre_activation_options options)
{
	return nc_layer_new(&nc_class_activation, &options, options.name);
}

/* -- dropout ----------------------------------------------------------------------------------- */
static bool dropout_check(nacre_layer *l)
{
	double rate = ((const nacre_dropout_options *)l->options)->rate;
	return rate < 1 || nc_layer_refuse(l, "rate: expected less than 1, got %g", rate);
}

/* The shape of the mask of x. */
static bool noise_shape(nc_call *c, const nacre_layer *l, const nacre_node *x, int64_t *shape)
{
	const int64_t *o = ((const nacre_dropout_options *)l->options)->noise_shape;
	char want[128], got[128];
	int n = nc_shape_rank(o);
	bool fits = n == 0 || n == x->rank;
	for (int i = 0; i < x->rank; i++) {
		shape[i] = n == 0 || o[i] == -1 ? x->shape[i] : o[i];
		fits = fits && (shape[i] == 1 || shape[i] == x->shape[i]);
	}
	return fits || nc_layer_fail(c, l, "noise_shape: %s does not fit an input of %s",
				     nc_shape_text(want, n, o),
				     nc_shape_text(got, x->rank, x->shape));
}

static nacre_node *dropout_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_dropout_options *o = (const nacre_dropout_options *)l->options;
	int64_t shape[NACRE_MAX_RANK];
	double keep = 1 - o->rate;
	if (!noise_shape(c, l, x[0], shape))
		return NULL;
	if (!c->training || keep == 1)
		return x[0];
	nacre_node *mask =
	    nacre_random(c->graph, NACRE_BERNOULLI, x[0]->dtype, x[0]->rank, shape, keep, 0);
	return nacre_times(x[0], nacre_scale(mask, 1 / keep));
}

static const nc_option dropout_options[] = {
    NC_OPT_NUMBER(F64, nacre_dropout_options, rate, 0, 0, 1),
    NC_OPT_ALL(SIZES, nacre_dropout_options, noise_shape, 0, 0, 0, "null", NULL, 0),
    NC_OPT_END,
};
const nc_layer_class nc_class_dropout = {
    .id = NC_LAYER_dropout,
    .name = "Dropout",
    .masks = NC_MASKS_KEEP,
    .snake = "dropout",
    .options_size = sizeof(nacre_dropout_options),
    .options = dropout_options,
    .min_in = 1,
    .max_in = 1,
    .check = dropout_check,
    .call = dropout_call,
};

nacre_layer *nacre_dropout_new(nacre_dropout_options options)
{
	return nc_layer_new(&nc_class_dropout, &options, options.name);
}

/* -- flatten, reshape -------------------------------------------------------------------------- */
static nacre_node *flatten_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	int64_t size = 1;
	for (int i = 1; i < x[0]->rank; i++)
		size *= x[0]->shape[i];
	int format = ((const nacre_flatten_options *)l->options)->data_format;
	nacre_node *last = x[0]->rank > 2 ? nc_channels_last(x[0], format) : x[0];
	return nacre_reshape(last, 2, (int64_t[]){x[0]->shape[0], size});
}

static const nc_option flatten_options[] = {
    NC_OPT_DATA_FORMAT(nacre_flatten_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_flatten = {
    .id = NC_LAYER_flatten,
    .name = "Flatten",
    .snake = "flatten",
    .options_size = sizeof(nacre_flatten_options),
    .options = flatten_options,
    .min_in = 1,
    .max_in = 1,
    .call = flatten_call,
};

nacre_layer *nacre_flatten_new(nacre_flatten_options options)
{
	return nc_layer_new(&nc_class_flatten, &options, options.name);
}

static const int64_t *target_shape(const nacre_layer *l)
{
	return ((const nacre_reshape_options *)l->options)->target_shape;
}

static bool reshape_check(nacre_layer *l)
{
	return check_sizes(l, "target_shape", target_shape(l), true);
}

/* The size of a sample must come out; -1 takes what is left. */
static nacre_node *reshape_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const int64_t *target = target_shape(l);
	int rank = nc_shape_rank(target), unknown = -1;
	int64_t shape[NACRE_MAX_RANK] = {x[0]->shape[0]}, have = 1, want = 1;
	char from[128], to[128];
	for (int i = 1; i < x[0]->rank; i++)
		have *= x[0]->shape[i];
	bool fits = true;
	for (int i = 0; i < rank; i++) {
		shape[i + 1] = target[i];
		if (target[i] == -1)
			unknown = i + 1;
		else
			fits = fits && nc_mul_i64(want, target[i], &want);
	}
	if (!fits || (unknown < 0 ? want != have : have % want != 0)) {
		nc_layer_fail(c, l, "cannot make %s of a sample of %s",
			      nc_shape_text(to, rank, target),
			      nc_shape_text(from, x[0]->rank - 1, x[0]->shape + 1));
		return NULL;
	}
	if (unknown > 0)
		shape[unknown] = have / want;
	return nacre_reshape(x[0], rank + 1, shape);
}

static const nc_option reshape_options[] = {
    NC_OPT_SHAPE(nacre_reshape_options, target_shape),
    NC_OPT_END,
};
const nc_layer_class nc_class_reshape = {
    .id = NC_LAYER_reshape,
    .name = "Reshape",
    .snake = "reshape",
    .options_size = sizeof(nacre_reshape_options),
    .options = reshape_options,
    .min_in = 1,
    .max_in = 1,
    .check = reshape_check,
    .call = reshape_call,
};

nacre_layer *nacre_reshape_layer_new(nacre_reshape_options options)
{
	return nc_layer_new(&nc_class_reshape, &options, options.name);
}

/* -- embedding --------------------------------------------------------------------------------- */
static bool embedding_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n, (void)x;
	const nacre_embedding_options *o = (const nacre_embedding_options *)l->options;
	int64_t shape[] = {o->input_dim, o->output_dim};
	return nc_layer_add_weight(c, l, "embeddings", 2, shape, o->embeddings_initializer,
				   &o->embeddings_initializer_options, o->embeddings_regularizer,
				   true);
}

static nacre_node *embedding_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	nacre_node *index = x[0];
	if (index->dtype != NACRE_I32 && index->dtype != NACRE_I64)
		index = nacre_cast(index, NACRE_I32);
	if (index && ((const nacre_embedding_options *)l->options)->mask_zero)
		c->mask_out = nacre_not_equal(index, nacre_scalar(c->graph, index->dtype, 0));
	return nacre_gather(nc_layer_use(c, l, 0), index, 0);
}

static const nc_option embedding_options[] = {
    NC_OPT_NUMBER(I64, nacre_embedding_options, input_dim, 0, 1, BIG),
    NC_OPT_NUMBER(I64, nacre_embedding_options, output_dim, 0, 1, BIG),
    NC_OPT_INITIALIZER(nacre_embedding_options, embeddings_initializer, "random_uniform"),
    NC_OPT_REGULARIZER(nacre_embedding_options, embeddings_regularizer),
    NC_OPT_CONSTRAINT(nacre_embedding_options, embeddings_constraint),
    NC_OPT_BOOL(nacre_embedding_options, mask_zero),
    NC_OPT_END,
};
const nc_layer_class nc_class_embedding = {
    .id = NC_LAYER_embedding,
    .types = NC_TYPES_INDEX,
    .name = "Embedding",
    .snake = "embedding",
    .options_size = sizeof(nacre_embedding_options),
    .options = embedding_options,
    .min_in = 1,
    .max_in = 1,
    .build = embedding_build,
    .call = embedding_call,
};

nacre_layer *nacre_embedding_new(nacre_embedding_options options)
{
	return nc_layer_new(&nc_class_embedding, &options, options.name);
}
