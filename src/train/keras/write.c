/* SPDX-License-Identifier: MIT
 *
 * write.c - a model as config.json.
 */
#include <stdio.h>
#include <string.h>

#include "train/keras/keras.h"

/* -- options ----------------------------------------------------------------------------------- */
/* an option's lowest number, where it is below zero, is written as 0 */
static int64_t written(const nc_option *o, int64_t size)
{
	return size < 0 && (double)size == o->low ? 0 : size;
}

static void write_sizes(const nc_option *o, const int64_t *sizes, nc_json_out *w)
{
	const char *key = nc_keras_option_name(o);
	int n = nc_shape_rank(sizes);
	if (o->kind == NC_OPTION_SIZES && n == 0) {
		nc_json_put_null(w, key);
		return;
	}
	if (o->kind == NC_OPTION_SIZES && n == 1) {
		nc_json_put_whole(w, key, written(o, sizes[0]));
		return;
	}
	nc_json_open(w, key, '[');
	for (int i = 0; i < n; i++)
		if (sizes[i] == -1 && o->function)
			nc_json_put_null(w, NULL);
		else
			nc_json_put_whole(w, NULL, written(o, sizes[i]));
	nc_json_close(w, ']');
}

static void write_pairs(const nc_option *o, const void *field, nc_json_out *w)
{
	int axes = (int)o->number;
	nc_json_open(w, nc_keras_option_name(o), '[');
	for (int i = 0; i < axes; i++) {
		int64_t pair[2];
		memcpy(pair, (const char *)field + (size_t)i * sizeof pair, sizeof pair);
		if (axes > 1)
			nc_json_open(w, NULL, '[');
		nc_json_put_whole(w, NULL, pair[0]);
		nc_json_put_whole(w, NULL, pair[1]);
		if (axes > 1)
			nc_json_close(w, ']');
	}
	nc_json_close(w, ']');
}

static void write_numbers(const nc_option *o, const void *field, nc_json_out *w)
{
	nacre_numbers numbers;
	memcpy(&numbers, field, sizeof numbers);
	if (numbers.n == 0) {
		nc_json_put_null(w, nc_keras_option_name(o));
		return;
	}
	if (numbers.n == 1 && o->number == 1) { /* where Keras takes a list for something else */
		nc_json_put_number(w, nc_keras_option_name(o), numbers.value[0]);
		return;
	}
	nc_json_open(w, nc_keras_option_name(o), '[');
	for (int64_t i = 0; i < numbers.n; i++)
		nc_json_put_number(w, NULL, numbers.value[i]);
	nc_json_close(w, ']');
}

static bool write_activation(const nacre_layer *l, const nc_option *o, const void *field,
			     nc_json_out *w, nacre_error *e)
{
	nacre_activation_function *f;
	memcpy(&f, field, sizeof f);
	const char *name = f ? nacre_activation_name(f) : "linear";
	if (!name) {
		nc_fail(e, NACRE_UNSUPPORTED, "%s: %s: an activation of one's own cannot be saved",
			l->name, o->name);
		return false;
	}
	nc_json_put_text(w, nc_keras_option_name(o), name);
	return true;
}

void nc_keras_write_choice(const nc_option *o, const void *field, nc_json_out *w)
{
	char word[NC_NAME_SIZE];
	int length = 0;
	const char *from = nc_option_word(o, (int)nc_option_number(o, field), &length);
	snprintf(word, sizeof word, "%.*s", from ? length : 0, from ? from : "");
	nc_json_put_text(w, nc_keras_option_name(o), word);
}

static bool write_layer(const nacre_layer *l, const char *key, nc_arena *a, nc_json_out *w,
			nacre_error *e);

/* as it was given: Keras refuses the negative end of some ranges that it made itself */
static void write_range(const nacre_layer *l, const nc_option *o, nc_json_out *w)
{
	const char *key = nc_keras_option_name(o);
	double a, b;
	memcpy(&a, l->options + o->offset, sizeof a);
	memcpy(&b, l->options + o->more, sizeof b);
	nc_range r = nc_option_range(l, o);
	if (a == 0 && b == 0 && o->function) {
		nc_json_put_null(w, key);
	} else if (b == 0) {
		nc_json_put_number(w, key, a == NACRE_ZERO ? 0 : a);
	} else {
		nc_json_open(w, key, '[');
		nc_json_put_number(w, NULL, r.low);
		nc_json_put_number(w, NULL, r.high);
		nc_json_close(w, ']');
	}
}

static void write_number(const nc_option *o, const void *field, nc_json_out *w)
{
	const char *key = nc_keras_option_name(o);
	double value = nc_option_number(o, field);
	if (o->kind == NC_OPTION_BOOL) {
		nc_json_put_bool(w, key, (o->keras && o->keras[0] == '!') != (value != 0));
	} else if (o->kind == NC_OPTION_F64) {
		if (value == 0 && o->function)
			nc_json_put_null(w, key);
		else
			nc_json_put_number(w, key, value == NACRE_ZERO ? 0 : value);
	} else if (o->high == NACRE_NO_AXIS && value == NACRE_NO_AXIS) {
		nc_json_open(w, key, '[');
		nc_json_close(w, ']');
	} else if (o->kind == NC_OPTION_I64 && o->number == 0 && value == 0) {
		nc_json_put_null(w, key); /* a count of none */
	} else {
		nc_json_put_whole(w, key, (int64_t)value);
	}
}

static bool write_option(const nacre_layer *l, const nc_option *o, nc_arena *a, nc_json_out *w,
			 nacre_error *e)
{
	const unsigned char *field = l->options + o->offset;
	const char *key = nc_keras_option_name(o), *text;
	int64_t sizes[NACRE_MAX_RANK];
	nacre_initializer_function *f;
	nacre_initializer_options more;
	nacre_regularizer r;
	nacre_layer *inner;
	switch (o->kind) {
	case NC_OPTION_BOOL:
	case NC_OPTION_INT:
	case NC_OPTION_I64:
	case NC_OPTION_F64:
		write_number(o, field, w);
		return true;
	case NC_OPTION_SHAPE:
	case NC_OPTION_SIZES:
		memcpy(sizes, field, sizeof sizes);
		write_sizes(o, sizes, w);
		return true;
	case NC_OPTION_DTYPE:
		nc_json_put_text(w, key, "float32");
		return true;
	case NC_OPTION_CHOICE:
		nc_keras_write_choice(o, field, w);
		return true;
	case NC_OPTION_TEXT:
		memcpy(&text, field, sizeof text);
		nc_json_put_text(w, key, text);
		return true;
	case NC_OPTION_PAIRS:
		write_pairs(o, field, w);
		return true;
	case NC_OPTION_RANGE:
		write_range(l, o, w);
		return true;
	case NC_OPTION_NUMBERS:
		write_numbers(o, field, w);
		return true;
	case NC_OPTION_LAYER:
		memcpy(&inner, field, sizeof inner);
		return write_layer(inner, key, a, w, e);
	case NC_OPTION_ACTIVATION:
		return write_activation(l, o, field, w, e);
	case NC_OPTION_INITIALIZER:
		memcpy(&f, field, sizeof f);
		if (o->more)
			memcpy(&more, l->options + o->more, sizeof more);
		return nc_keras_write_initializer(l->name, key, f, o->more ? &more : NULL, w, e);
	case NC_OPTION_TEXTS: /* by nc_keras_write_lookup() */
	case NC_OPTION_CONSTRAINT:
	case NC_OPTION_ACTIVITY:
		return true; /* by nc_keras_write_constraints() */
	case NC_OPTION_REGULARIZER:
		memcpy(&r, field, sizeof r);
		return nc_keras_write_regularizer(l->name, key, &r, w, e);
	}
	return false;
}

/* -- layers ------------------------------------------------------------------------------------ */
static void write_dtype(nacre_policy policy, nc_json_out *w)
{
	const char *name = nacre_policy_name(policy);
	nc_keras_write_class(w, "dtype", "keras", "DTypePolicy");
	nc_json_put_text(w, "name", name ? name : nacre_policy_name(NACRE_FLOAT32));
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
}

static void write_shape(nc_json_out *w, const char *key, int rank, const int64_t *shape)
{
	nc_json_open(w, key, '[');
	for (int i = 0; i < rank; i++)
		if (shape[i] < 0)
			nc_json_put_null(w, NULL);
		else
			nc_json_put_whole(w, NULL, shape[i]);
	nc_json_close(w, ']');
}

static void write_input(const nacre_layer *l, nc_json_out *w)
{
	const nacre_input_options *o = nc_input_options(l);
	int64_t shape[NACRE_MAX_RANK + 1] = {-1};
	memcpy(shape + 1, o->shape, sizeof o->shape);
	write_shape(w, "batch_shape", 1 + nc_shape_rank(o->shape), shape);
	nc_json_put_text(w, "dtype",
			 o->text                 ? "string"
			 : o->dtype == NACRE_I32 ? "int32"
						 : "float32");
	nc_json_put_bool(w, "sparse", false);
	nc_json_put_text(w, "name", l->name);
}

void nc_keras_write_base(const nacre_layer *l, nc_json_out *w)
{
	nc_json_put_text(w, "name", l->name);
	if (l->frozen && l->n_weights) /* not all classes know the key */
		nc_json_put_bool(w, "trainable", false);
	if (!nc_keras_is_lookup(l->class))
		write_dtype(l->policy, w);
}

static bool write_config(const nacre_layer *l, nc_arena *a, nc_json_out *w, nacre_error *e)
{
	if (l->class == &nc_class_input) {
		write_input(l, w);
		return true;
	}
	nc_keras_write_base(l, w);
	if (nc_keras_is_lookup(l->class))
		return nc_keras_write_lookup(l, w, e);
	for (const nc_option *o = l->class->options; o->name; o++)
		if (!write_option(l, o, a, w, e))
			return false;
	return nc_keras_write_constraints(l, w, e);
}

static bool begin_model(nacre_model *m, const char *key, bool trainable, nc_arena *a,
			nc_json_out *w, nacre_error *e);

/* All of a layer's object but its closing bracket. */
static bool begin_layer(const nacre_layer *l, const char *key, nc_arena *a, nc_json_out *w,
			nacre_error *e)
{
	nacre_model *nested = nc_nested_model(l);
	if (nested)
		return begin_model(nested, key, !l->frozen, a, w, e);
	if (l->class->id == NC_LAYER_own)
		return nc_keras_write_own(l, key, a, w, e);
	if (l->class->code) {
		nc_fail(e, NACRE_UNSUPPORTED, "%s: a layer of one's own code cannot be saved",
			l->name);
		return false;
	}
	nc_keras_write_class(w, key, "keras.layers", l->class->name);
	if (!write_config(l, a, w, e))
		return false;
	nc_keras_write_class_end(w);
	return true;
}

static bool write_layer(const nacre_layer *l, const char *key, nc_arena *a, nc_json_out *w,
			nacre_error *e)
{
	if (!begin_layer(l, key, a, w, e))
		return false;
	nc_json_close(w, '}');
	return true;
}

static const char *tensor_dtype(nacre_dtype d)
{
	static const char *const names[NACRE_DTYPES] = {
	    [NACRE_F32] = "float32", [NACRE_F64] = "float64", [NACRE_F16] = "float16",
	    [NACRE_BF16] = "bfloat16", [NACRE_I8] = "int8", [NACRE_U8] = "uint8",
	    [NACRE_I32] = "int32", [NACRE_I64] = "int64", [NACRE_BOOL] = "bool"};
	return names[d];
}

static void write_tensor(const nacre_value *v, nc_json_out *w)
{
	nc_json_open(w, NULL, '{');
	nc_json_put_text(w, "class_name", "__keras_tensor__");
	nc_json_open(w, "config", '{');
	write_shape(w, "shape", v->rank, v->shape);
	bool text = v->layer->class == &nc_class_input && nc_input_options(v->layer)->text;
	nc_json_put_text(w, "dtype", text ? "string" : tensor_dtype(v->dtype));
	nc_json_open(w, "keras_history", '[');
	nc_json_put_text(w, NULL, v->layer->name);
	nc_json_put_whole(w, NULL, v->call);
	nc_json_put_whole(w, NULL, v->output);
	nc_json_close(w, ']');
	nc_json_close(w, '}');
	nc_json_close(w, '}');
}

/* Layers of several inputs take them as a list, but for those that take them one after another. */
static void write_nodes(const nacre_model *m, const nacre_layer *l, nc_json_out *w)
{
	nc_json_open(w, "inbound_nodes", '[');
	for (const nc_apply *c = m->calls; c; c = c->next) {
		bool list = c->n > 1 && !l->class->arguments;
		if (c->layer != l)
			continue;
		nc_json_open(w, NULL, '{');
		nc_json_open(w, "args", '[');
		if (list)
			nc_json_open(w, NULL, '[');
		for (int i = 0; i < c->n; i++)
			write_tensor(c->x[i], w);
		if (list)
			nc_json_close(w, ']');
		nc_json_close(w, ']');
		nc_json_open(w, "kwargs", '{');
		nc_json_close(w, '}');
		nc_json_close(w, '}');
	}
	nc_json_close(w, ']');
}

/* -- models ------------------------------------------------------------------------------------ */
static void write_reference(const nacre_value *v, const char *key, nc_json_out *w)
{
	nc_json_open(w, key, '[');
	nc_json_put_text(w, NULL, v->layer->name);
	nc_json_put_whole(w, NULL, v->call);
	nc_json_put_whole(w, NULL, v->output);
	nc_json_close(w, ']');
}

static void write_ports(const char *key, int n, nacre_value *const *port, nc_json_out *w)
{
	if (n == 1) {
		write_reference(port[0], key, w);
		return;
	}
	nc_json_open(w, key, '[');
	for (int i = 0; i < n; i++)
		write_reference(port[i], NULL, w);
	nc_json_close(w, ']');
}

static bool write_sequential(nacre_model *m, nc_arena *a, nc_json_out *w, nacre_error *e)
{
	for (const nacre_layer *l = m->layers; l; l = l->next)
		if (!write_layer(l, NULL, a, w, e))
			return false;
	nc_json_close(w, ']');
	write_shape(w, "build_input_shape", m->input[0]->rank, m->input[0]->shape);
	return true;
}

static bool write_functional(nacre_model *m, const nc_keras_order *order, nc_arena *a,
			     nc_json_out *w, nacre_error *e)
{
	for (size_t i = 0; i < order->n; i++) {
		const nacre_layer *l = order->layer[i];
		if (!begin_layer(l, NULL, a, w, e))
			return false;
		nc_json_put_text(w, "name", l->name);
		write_nodes(m, l, w);
		nc_json_close(w, '}');
	}
	nc_json_close(w, ']');
	write_ports("input_layers", m->n_inputs, m->input, w);
	write_ports("output_layers", m->n_outputs, m->output, w);
	return true;
}

/* All of a model's object but its closing bracket. */
static bool begin_model(nacre_model *m, const char *key, bool trainable, nc_arena *a,
			nc_json_out *w, nacre_error *e)
{
	nc_keras_order order;
	const char *wrong = nc_keras_wrong_texts(m);
	if (*wrong)
		nc_fail(e, NACRE_UNSUPPORTED, "%s", wrong);
	if (*wrong || !nc_keras_order_of(m, a, &order, e))
		return false;
	if (m->sequential)
		nc_keras_write_class(w, key, "keras", "Sequential");
	else
		nc_keras_write_class(w, key, "keras.src.models.functional", "Functional");
	nc_json_put_text(w, "name", m->name);
	nc_json_put_bool(w, "trainable", trainable);
	if (m->sequential)
		write_dtype(m->policy, w);
	nc_json_open(w, "layers", '[');
	if (!(m->sequential ? write_sequential(m, a, w, e) : write_functional(m, &order, a, w, e)))
		return false;
	nc_json_close(w, '}');
	nc_json_put_text(w, "registered_name", m->sequential ? NULL : "Functional");
	nc_json_open(w, "build_config", '{');
	if (m->n_inputs == 1)
		write_shape(w, "input_shape", m->input[0]->rank, m->input[0]->shape);
	else
		nc_json_put_null(w, "input_shape");
	nc_json_close(w, '}');
	return true;
}

bool nc_keras_write_model(nacre_model *m, nc_arena *a, nc_json_out *w, nacre_error *e)
{
	if (!begin_model(m, NULL, true, a, w, e))
		return false;
	if (m->compiled && !nc_keras_write_training(m, w, e))
		return false;
	nc_json_close(w, '}');
	return true;
}
