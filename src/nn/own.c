/* SPDX-License-Identifier: MIT
 *
 * own.c - layers made of other layers or of the program's functions: masking, time_distributed,
 * lambda, and layers of one's own.
 */
#include <string.h>

#include "nn/layer.h"

/* -- masking ----------------------------------------------------------------------------------- */
static nacre_node *masking_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	double value = ((const nacre_masking_options *)l->options)->mask_value;
	if (!nc_layer_rank(c, l, x[0], -3, "[None, steps, ...]"))
		return NULL;
	unsigned last = NACRE_AXIS(x[0]->rank - 1);
	nacre_node *v = nacre_scalar(c->graph, x[0]->dtype, value);
	nacre_node *real = nacre_any(nacre_not_equal(x[0], v), last, true);
	c->mask_out = nacre_squeeze(real, last);
	return nacre_select(real, x[0], nacre_scalar(c->graph, x[0]->dtype, 0));
}

static const nc_option masking_options[] = {
    NC_OPT_NUMBER(F64, nacre_masking_options, mask_value, 0, -1e18, 1e18),
    NC_OPT_END,
};
const nc_layer_class nc_class_masking = {
    .id = NC_LAYER_masking,
    .name = "Masking",
    .snake = "masking",
    .options_size = sizeof(nacre_masking_options),
    .options = masking_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = masking_call,
};

nacre_layer *nacre_masking_new(nacre_masking_options options)
{
	return nc_layer_new(&nc_class_masking, &options, options.name);
}

/* -- time_distributed: the steps as more samples of the batch ---------------------------------- */
static nacre_node *time_distributed_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	int64_t shape[NACRE_MAX_RANK + 1], batch, steps;
	if (!nc_layer_rank(c, l, x[0], -3, "[None, steps, ...]"))
		return NULL;
	batch = x[0]->shape[0];
	steps = x[0]->shape[1];
	memcpy(shape, x[0]->shape, sizeof x[0]->shape);
	shape[1] = batch * steps;
	nacre_node *flat = nacre_reshape(x[0], x[0]->rank - 1, shape + 1);
	nacre_node *y = nc_layer_call_inner(c, l, nc_layer_inner(l), 1, &flat);
	if (!y)
		return NULL;
	if (y->rank == NACRE_MAX_RANK) {
		nc_layer_fail(c, l, "the output would have more than %d axes", NACRE_MAX_RANK);
		return NULL;
	}
	memcpy(shape + 2, y->shape + 1, (size_t)(y->rank - 1) * sizeof *shape);
	shape[0] = batch;
	shape[1] = steps;
	return nacre_reshape(y, y->rank + 1, shape);
}

static const nc_option time_distributed_options[] = {
    NC_OPT_LAYER(nacre_time_distributed_options, layer),
    NC_OPT_END,
};
const nc_layer_class nc_class_time_distributed = {
    .id = NC_LAYER_time_distributed,
    .name = "TimeDistributed",
    .snake = "time_distributed",
    .options_size = sizeof(nacre_time_distributed_options),
    .options = time_distributed_options,
    .min_in = 1,
    .max_in = 1,
    .masks = NC_MASKS_KEEP,
    .call = time_distributed_call,
};

nacre_layer *nacre_time_distributed_new(nacre_time_distributed_options options)
{
	return nc_layer_around(&nc_class_time_distributed, &options, options.name, options.layer);
}

/* -- lambda ------------------------------------------------------------------------------------ */
static bool lambda_check(nacre_layer *l)
{
	return ((const nacre_lambda_options *)l->options)->function ||
	       nc_layer_refuse(l, "function: expected a function, got NULL");
}

static nacre_node *lambda_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)c;
	const nacre_lambda_options *o = (const nacre_lambda_options *)l->options;
	return o->function(n, x, o->context);
}

static const nc_option lambda_options[] = {
    NC_OPT_END,
};
const nc_layer_class nc_class_lambda = {
    .id = NC_LAYER_lambda,
    .name = "Lambda",
    .snake = "lambda",
    .options_size = sizeof(nacre_lambda_options),
    .options = lambda_options,
    .min_in = 1,
    .max_in = 1 << 20,
    .masks = NC_MASKS_KEEP,
    .code = true,
    .check = lambda_check,
    .call = lambda_call,
};

nacre_layer *nacre_lambda_new(nacre_lambda_options options)
{
	return nc_layer_new(&nc_class_lambda, &options, options.name);
}

/* -- a layer of one's own ---------------------------------------------------------------------- */
struct nacre_layer_call {
	nc_call *call;
	nacre_layer *layer;
	nacre_node *const *mask;
	int n;
	bool building;
};

static const nacre_own_options *own(const nacre_layer *l)
{
	return (const nacre_own_options *)l->options;
}

static bool own_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_layer_call call = {.call = c, .layer = l, .n = n, .building = true};
	if (!own(l)->functions->build || own(l)->functions->build(&call, n, x))
		return !c->error->status;
	return nc_layer_fail(c, l, "its build function failed");
}

static nacre_node *own_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_layer_call call = {.call = c, .layer = l, .mask = c->mask, .n = n};
	return own(l)->functions->call(&call, n, x);
}

static const nc_option own_options[] = {NC_OPT_END};
const nc_layer_class nc_class_own = {
    .id = NC_LAYER_own,
    .name = "Own",
    .snake = "own",
    .options_size = sizeof(nacre_own_options),
    .options = own_options,
    .min_in = 1,
    .max_in = 1,
    .code = true,
    .build = own_build,
    .call = own_call,
};

static bool upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

/* (.)([A-Z][a-z]+) -> \1_\2, then ([a-z])([A-Z]) -> \1_\2, then small letters; what is neither
 * letter, digit nor underscore goes. */
const char *nc_snake_case(char *out, const char *name)
{
	size_t n = 0;
	for (size_t i = 0; name[i] && n < NC_NAME_SIZE - 4; i++) {
		char c = name[i];
		bool word = i > 0 && upper(c) && (lower(name[i + 1]) || lower(name[i - 1]));
		if (!upper(c) && !lower(c) && !(c >= '0' && c <= '9') && c != '_')
			continue;
		if (word)
			out[n++] = '_';
		out[n++] = upper(c) ? (char)(c - 'A' + 'a') : c;
	}
	out[n] = '\0';
	return out;
}

/* The class is the layer's own: the table's name and numbers of inputs. */
static bool own_class(nacre_layer *l, const nacre_layer_functions *f)
{
	char snake[NC_NAME_SIZE];
	nc_layer_class *k = nc_arena_copy(&l->arena, l->class, sizeof *k);
	nc_snake_case(snake, f->name);
	char *name = nc_arena_string(&l->arena, f->name);
	char *lower = nc_arena_string(&l->arena, snake);
	if (!k || !name || !lower) {
		nc_no_memory(&l->error, sizeof *k);
		return false;
	}
	k->name = name;
	k->snake = lower;
	k->min_in = f->min_inputs > 0 ? f->min_inputs : 1;
	k->max_in = f->max_inputs > k->min_in ? f->max_inputs : k->min_in;
	k->masks = f->keeps_mask ? NC_MASKS_KEEP : NC_MASKS_END;
	l->class = k;
	return true;
}

nacre_layer *nacre_own_new(nacre_own_options options)
{
	const nacre_layer_functions *f = options.functions;
	nacre_layer *l = nc_layer_new(&nc_class_own, &options, options.name);
	if (!l)
		return NULL;
	if (!f || !f->call || !f->name || !f->name[0])
		nc_layer_refuse(l, "functions: expected a table with a name and a call function");
	else {
		l->release = f->release;
		l->context = options.context;
		own_class(l, f);
	}
	return l;
}

bool nacre_layer_add(nacre_layer_call *c, nacre_own_weight w)
{
	if (!c->building || !w.name || w.rank < 0 || w.rank > NACRE_MAX_RANK)
		return nc_layer_fail(c->call, c->layer,
				     !c->building ? "a weight can only be added by build"
						  : "a weight needs a name and a shape");
	return nc_layer_add_weight(c->call, c->layer, w.name, w.rank, w.shape,
				   w.initializer ? w.initializer : nacre_zeros,
				   &w.initializer_options, w.regularizer, !w.fixed);
}

nacre_node *nacre_layer_use(nacre_layer_call *c, int i)
{
	return i >= 0 && i < c->layer->n_weights ? nc_layer_use(c->call, c->layer, i) : NULL;
}

void *nacre_layer_context(const nacre_layer_call *c)
{
	return own(c->layer)->context;
}

bool nacre_layer_training(const nacre_layer_call *c)
{
	return c->call->training && !c->layer->frozen;
}

nacre_node *nacre_layer_mask(const nacre_layer_call *c, int i)
{
	return c->mask && i >= 0 && i < c->n ? c->mask[i] : NULL;
}

void nacre_layer_set_mask(nacre_layer_call *c, nacre_node *mask)
{
	c->call->mask_out = mask;
}

void nacre_layer_add_loss(nacre_layer_call *c, nacre_node *loss)
{
	if (loss && nc_node_size(loss) == 1)
		nc_call_add_loss(c->call, nacre_reshape(loss, 0, NULL));
	else if (loss)
		nc_layer_fail(c->call, c->layer, "add_loss: expected one number");
}

void nacre_layer_assign(nacre_layer_call *c, int i, nacre_node *value)
{
	nacre_node *w = nacre_layer_use(c, i);
	if (w)
		nc_call_effect(c->call, nacre_assign(w, nacre_stop_gradient(value)));
	else
		nc_layer_fail(c->call, c->layer, "assign: there is no weight %d", i);
}

bool nacre_layer_fail(nacre_layer_call *c, const char *text)
{
	return nc_layer_fail(c->call, c->layer, "%s", text ? text : "failed");
}
