/* SPDX-License-Identifier: MIT
 *
 * read.c - config.json as a model: Sequential, and Functional in the forms of Keras 3 and Keras 2.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "nn/policy.h"
#include "train/keras/keras.h"

bool nc_keras_fail(nc_keras *k, nacre_status status, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(k->error, status, "%s: %.80s%s%s", k->part, k->where ? k->where : "",
		k->where ? ": " : "", text);
	return false;
}

bool nc_keras_no_memory(nc_keras *k)
{
	nc_no_memory(k->error, 0);
	return false;
}

/* -- layers ------------------------------------------------------------------------------------ */
/* The policy, as text or as an object with a name: DEFAULT where none is said, or of an input. */
static bool read_policy(nc_keras *k, const nc_json_value *config, bool input, nacre_policy *out)
{
	const nc_json_value *v = nc_json_get(config, "dtype");
	const nc_json_value *policy = nc_json_get(nc_json_get(v, "config"), "name");
	const nc_json_value *name = nc_json_as(policy ? policy : v, NC_JSON_STRING);
	*out = NACRE_POLICY_DEFAULT;
	if (!v || v->kind == NC_JSON_NULL || input)
		return true;
	if (name)
		*out = nc_policy_named(name->text.data, name->text.size);
	return *out || nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "dtype: expected float32, float64 or mixed_bfloat16, got %s",
				     nc_json_show(policy ? policy : v).text);
}

/* batch_shape [null, 28, 28] as the options of an input */
static bool input_shape(nc_keras *k, const nc_json_value *v, nacre_input_options *o)
{
	if (!nc_json_as(v, NC_JSON_ARRAY) || v->n < 1 || v->n > NACRE_MAX_RANK)
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "batch_shape: expected a list of 1 to %d sizes, got %s",
				     NACRE_MAX_RANK, nc_json_show(v).text);
	int n = 0;
	for (const nc_json_value *i = v->first->next; i; i = i->next) {
		if (i->kind == NC_JSON_NULL)
			return nc_keras_fail(k, NACRE_UNSUPPORTED,
					     "batch_shape: sizes of None are not supported, but "
					     "the first");
		if (i->kind != NC_JSON_NUMBER || !(i->number >= 1 && i->number <= 1e15) ||
		    i->number != floor(i->number))
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "batch_shape: expected positive sizes, got %s",
					     nc_json_show(i).text);
		o->shape[n++] = (int64_t)i->number;
	}
	return true;
}

static bool input_dtype(nc_keras *k, const nc_json_value *v, nacre_input_options *o)
{
	if (!v || v->kind == NC_JSON_NULL || nc_json_is(v, "float32"))
		return true;
	o->dtype = NACRE_I32;
	o->text = nc_json_is(v, "string");
	return o->text || nc_json_is(v, "int32") || nc_json_is(v, "int64") ||
	       nc_keras_fail(k, NACRE_UNSUPPORTED,
			     "dtype: expected float32, int32, int64 or string, got %s",
			     nc_json_show(v).text);
}

static const nc_json_value *batch_shape(const nc_json_value *config)
{
	const nc_json_value *v = nc_json_get(config, "batch_shape");
	return v ? v : nc_json_get(config, "batch_input_shape");
}

static nacre_layer *make_input(nc_keras *k, const nc_json_value *config, const char *name)
{
	static const nc_keras_harmless also[] = {{NULL, NULL}};
	static const nc_option none[] = {NC_OPT_END};
	nacre_input_options o = {.name = name};
	if (!input_shape(k, batch_shape(config), &o) ||
	    !input_dtype(k, nc_json_get(config, "dtype"), &o) ||
	    !nc_keras_options(k, none, NULL, config, also))
		return NULL;
	nacre_layer *l = nacre_input_new(o);
	if (!l)
		nc_keras_no_memory(k);
	return l;
}

/* Keys that say nothing in one class, and would in another. */
static const nc_keras_harmless *class_harmless(const nc_layer_class *class)
{
	static const nc_keras_harmless discretization[] = {{"epsilon", NULL}, {NULL, NULL}};
	/* Keras 2 writes what its base class has: a number of groups, a kernel that is not there */
	static const nc_keras_harmless convolution[] = {
		{"groups", "1"}, {"kernel_initializer", NULL}, {NULL, NULL}};
	if (strcmp(class->name, "Discretization") == 0)
		return discretization;
	return class->axes ? convolution : NULL;
}

static nacre_layer *make_layer(nc_keras *k, const nc_layer_class *class,
			       const nc_json_value *config, const char *name)
{
	if (class == &nc_class_input)
		return make_input(k, config, name);
	void *options = nc_arena_alloc(k->arena, class->options_size);
	if (!options) {
		nc_keras_no_memory(k);
		return NULL;
	}
	nacre_layer *l = NULL;
	if (nc_keras_is_lookup(class)
		? nc_keras_read_lookup(k, class, options, config)
		: nc_keras_options(k, class->options, options, config, class_harmless(class))) {
		l = nc_layer_new(class, options, name);
		if (l)
			return l;
		nc_keras_no_memory(k);
	}
	for (const nc_option *o = class->options; o->name; o++)
		if (o->kind == NC_OPTION_LAYER) { /* they are nobody's yet */
			memcpy(&l, (const char *)options + o->offset, sizeof l);
			nacre_layer_free(l);
		}
	return NULL;
}

static bool is_false(const nc_json_value *v)
{
	return v && v->kind == NC_JSON_BOOL && !v->truth;
}

/* The name of a layer, for errors and for its weights; NULL: it has none. */
static const char *layer_name(const nc_json_value *object)
{
	const nc_json_value *v = nc_json_get(nc_json_get(object, "config"), "name");
	if (!v)
		v = nc_json_get(object, "name");
	return nc_json_as(v, NC_JSON_STRING) && v->text.size ? v->text.data : NULL;
}

/* A model inside of the model: one more layer. */
static nacre_layer *read_nested(nc_keras *k, const nc_json_value *object, const char *name)
{
	nacre_model *outer = k->model;
	const char *before = k->prefix;
	nc_text prefix;
	nc_text_init(&prefix, &k->runtime->memory);
	nc_text_add(&prefix, "%s%s/", before ? before : "", name ? name : "model");
	if (prefix.failed) {
		nc_text_free(&prefix);
		nc_keras_no_memory(k);
		return NULL;
	}
	k->model = NULL;
	k->prefix = prefix.data;
	k->where = NULL;
	bool good = nc_keras_read_model(k, object); /* as deep as JSON may be */
	nacre_model *inner = k->model;
	k->model = outer;
	k->prefix = before;
	nc_text_free(&prefix);
	if (!good) {
		nacre_model_free(inner);
		return NULL;
	}
	nacre_layer *l = nc_nested_new(inner, name);
	if (!l)
		nc_keras_no_memory(k);
	return l;
}

static bool is_model(const char *class)
{
	return strcmp(class, "Sequential") == 0 || strcmp(class, "Functional") == 0 ||
	       strcmp(class, "Model") == 0;
}

/* A layer out of its object; NULL after an error. */
nacre_layer *nc_keras_read_layer(nc_keras *k, const nc_json_value *object)
{
	const char *class_name, *name = layer_name(object);
	const nc_json_value *config;
	k->where = name ? name : "layer";
	const nacre_layer_functions *own = nc_keras_own(k, object);
	config = nc_json_get(object, "config");
	class_name = "";
	if (!own && !nc_keras_class(k, object, "layer", &class_name, &config))
		return NULL;
	if (!nc_json_as(config, NC_JSON_OBJECT)) {
		nc_keras_fail(k, NACRE_BAD_MODEL, "config: expected an object, got %s",
			      nc_json_show(config).text);
		return NULL;
	}
	if (is_model(class_name))
		return read_nested(k, object, name);
	const nc_layer_class *class = own ? &nc_class_own : nc_layer_class_named(class_name);
	if (!own && (!class || class->code)) {
		nc_keras_fail(k, NACRE_UNSUPPORTED, "unknown class of layers \"%.60s\"",
			      class_name);
		return NULL;
	}
	nacre_policy policy;
	if (!read_policy(k, config, class == &nc_class_input || nc_keras_is_lookup(class), &policy))
		return NULL;
	nacre_layer *l = own ? nc_keras_read_own(k, own, config, name)
			     : make_layer(k, class, config, name);
	nacre_layer_set_policy(l, policy);
	if (l && is_false(nc_json_get(config, "trainable")))
		nacre_layer_set_trainable(l, false);
	if (l && !own && !nc_keras_read_constraints(k, config, l)) {
		nacre_layer_free(l);
		return NULL;
	}
	if (l && k->prefix && !(l->prefix = nc_arena_string(&l->arena, k->prefix)))
		nc_no_memory(&l->error, 0);
	k->where = NULL;
	return l;
}

/* Takes the model's error over. */
static bool sound(nc_keras *k)
{
	const nacre_error *e = &k->model->error;
	if (e->status == NACRE_NO_MEMORY)
		return nc_keras_no_memory(k);
	return !e->status || nc_keras_fail(k, NACRE_BAD_MODEL, "%s", e->text);
}

static const nc_json_value *layer_list(nc_keras *k, const nc_json_value *config)
{
	const nc_json_value *layers = config; /* the oldest files: the list itself */
	if (!nc_json_as(config, NC_JSON_ARRAY))
		layers = nc_json_get(config, "layers");
	if (!nc_json_as(layers, NC_JSON_ARRAY) || layers->n == 0 || layers->n > NC_KERAS_LAYERS) {
		nc_keras_fail(k, NACRE_BAD_MODEL, "layers: expected a list of 1 to %d, got %s",
			      NC_KERAS_LAYERS, nc_json_show(layers).text);
		return NULL;
	}
	return layers;
}

/* -- sequential -------------------------------------------------------------------------------- */
/* The shape of a model whose first layer is no InputLayer. */
static bool first_shape(nc_keras *k, const nc_json_value *top, const nc_json_value *first)
{
	const nc_json_value *config = nc_json_get(top, "config"), *inner;
	const nc_json_value *shape = batch_shape(nc_json_get(first, "config"));
	if (!nc_json_as(shape, NC_JSON_ARRAY))
		shape = nc_json_get(config, "build_input_shape");
	if (!nc_json_as(shape, NC_JSON_ARRAY))
		shape = nc_json_get(nc_json_get(top, "build_config"), "input_shape");
	inner = nc_json_as(shape, NC_JSON_ARRAY);
	if (!inner)
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "the model does not say the shape of its input");
	nacre_input_options o = {.name = NULL};
	if (!input_shape(k, shape, &o))
		return false;
	if (nc_json_is(nc_json_get(first, "class_name"), "Embedding"))
		o.dtype = NACRE_I32;
	nacre_add(k->model, nacre_input_new(o));
	return sound(k);
}

static bool read_sequential(nc_keras *k, const nc_json_value *top, const nc_json_value *config)
{
	const nc_json_value *layers = layer_list(k, config);
	if (!layers)
		return false;
	const nc_json_value *first = layers->first;
	if (!nc_json_is(nc_json_get(first, "class_name"), "InputLayer") &&
	    !first_shape(k, top, first))
		return false;
	for (const nc_json_value *v = first; v; v = v->next) {
		nacre_layer *l = nc_keras_read_layer(k, v);
		if (!l)
			return false;
		nacre_add(k->model, l);
		if (!sound(k))
			return false;
	}
	return true;
}

/* -- functional -------------------------------------------------------------------------------- */
typedef struct entry {
	const char *name;
	const nc_json_value *object;
	const nc_json_value *node; /* the next of inbound_nodes */
	bool mask;                 /* no layer, but an operation that makes a mask */
	bool is_model;             /* a model inside */
	nacre_layer *layer;
	nacre_value **value; /* of each call so far */
	size_t n, room;
} entry;

typedef struct network {
	nc_keras *k;
	size_t n;
	entry *entry;
	void **by_name; /* the same, sorted */
	bool keras2;    /* whose calls are lists */
} network;

/* A tensor that is meant: the output of call `node` of a layer. */
typedef struct reference {
	entry *from;
	size_t node, output;
} reference;

static int by_name(const void *a, const void *b)
{
	return strcmp(((const entry *)a)->name, ((const entry *)b)->name);
}

static entry *find(const network *net, const char *name)
{
	size_t low = 0, high = net->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		entry *e = net->by_name[middle];
		int order = strcmp(name, e->name);
		if (order == 0)
			return e;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* ["dense", 0, 0], with more behind it in Keras 2 */
static bool read_reference(network *net, const nc_json_value *v, reference *out)
{
	const nc_json_value *name = nc_json_as(v, NC_JSON_ARRAY) ? v->first : NULL;
	const nc_json_value *node = name ? name->next : NULL, *tensor = node ? node->next : NULL;
	if (!nc_json_as(name, NC_JSON_STRING) || !nc_json_as(node, NC_JSON_NUMBER) ||
	    !nc_json_as(tensor, NC_JSON_NUMBER) ||
	    !(node->number >= 0 && node->number < NC_KERAS_LAYERS) ||
	    node->number != floor(node->number) ||
	    !(tensor->number >= 0 && tensor->number < NC_KERAS_LAYERS) ||
	    tensor->number != floor(tensor->number))
		return nc_keras_fail(net->k, NACRE_BAD_MODEL,
				     "expected [layer, node, tensor], got %s",
				     nc_json_show(v).text);
	out->from = find(net, name->text.data);
	out->node = (size_t)node->number;
	if (out->from && net->keras2 && out->node && out->from->is_model)
		out->node--; /* the call 0 of a model there is its own, of its inputs */
	out->output = (size_t)tensor->number;
	if (out->from && out->from->mask)
		return nc_keras_fail(net->k, NACRE_UNSUPPORTED,
				     "the operation %s is supported as a mask alone",
				     nc_json_show(name).text);
	return out->from || nc_keras_fail(net->k, NACRE_BAD_MODEL, "there is no layer %s",
					  nc_json_show(name).text);
}

enum { MOST_INPUTS = 1 << 10 };

typedef struct references {
	size_t n;
	reference item[MOST_INPUTS];
} references;

static reference *next_reference(network *net, references *list)
{
	if (list->n < MOST_INPUTS)
		return &list->item[list->n++];
	nc_keras_fail(net->k, NACRE_UNSUPPORTED, "more than %d inputs", MOST_INPUTS);
	return NULL;
}

/* args of Keras 3: tensors, in lists of lists; null stands for what is not given */
static bool read_args(network *net, const nc_json_value *v, references *list)
{
	if (v->kind == NC_JSON_NULL)
		return true;
	if (v->kind == NC_JSON_ARRAY) {
		for (const nc_json_value *i = v->first; i; i = i->next)
			if (!read_args(net, i, list))
				return false;
		return true;
	}
	if (!nc_json_is(nc_json_get(v, "class_name"), "__keras_tensor__"))
		return nc_keras_fail(net->k, NACRE_UNSUPPORTED,
				     "inbound_nodes: an argument of %s is not supported",
				     nc_json_show(v).text);
	reference *r = next_reference(net, list);
	return r && read_reference(net, nc_json_get(nc_json_get(v, "config"), "keras_history"), r);
}

/* A mask that operations of the file compute: layers hand their masks on by themselves here. */
static bool is_mask(network *net, const nc_json_value *v)
{
	if (v->kind == NC_JSON_NULL)
		return true;
	if (v->kind == NC_JSON_ARRAY) {
		bool all = true;
		for (const nc_json_value *i = v->first; i && all; i = i->next)
			all = is_mask(net, i);
		return all;
	}
	const nc_json_value *history = nc_json_get(nc_json_get(v, "config"), "keras_history");
	const nc_json_value *name = nc_json_as(history, NC_JSON_ARRAY) ? history->first : NULL;
	const entry *from = nc_json_as(name, NC_JSON_STRING) ? find(net, name->text.data) : NULL;
	return from && from->mask;
}

/* training = true changes what these do: nothing. */
static bool never_trains(const nc_json_value *object)
{
	static const char *const classes[] = {"CenterCrop", "Resizing", "Rescaling", "Masking"};
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (nc_json_is(nc_json_get(object, "class_name"), classes[i]))
			return true;
	return false;
}

static bool check_keywords(network *net, const entry *e, const nc_json_value *v)
{
	for (v = nc_json_as(v, NC_JSON_OBJECT) ? v->first : NULL; v; v = v->next)
		if (v->kind != NC_JSON_NULL && !is_false(v) &&
		    !(strcmp(v->key.data, "training") == 0 && never_trains(e->object)) &&
		    !(strcmp(v->key.data, "mask") == 0 && is_mask(net, v)))
			return nc_keras_fail(net->k, NACRE_UNSUPPORTED,
					     "inbound_nodes: argument %.60s = %s is not supported",
					     v->key.data, nc_json_show(v).text);
	return true;
}

/* A call: {"args": [...], "kwargs": {...}}, or of Keras 2 [["dense", 0, 0, {...}], ...]. */
static bool read_node(network *net, const entry *e, references *list)
{
	const nc_json_value *node = e->node;
	list->n = 0;
	if (node->kind == NC_JSON_OBJECT) {
		const nc_json_value *args = nc_json_get(node, "args");
		return (!args || read_args(net, args, list)) &&
		       check_keywords(net, e, nc_json_get(node, "kwargs"));
	}
	if (node->kind == NC_JSON_ARRAY && node->first && node->first->kind == NC_JSON_STRING) {
		reference *r = next_reference(net, list);
		return r && read_reference(net, node, r); /* a single one without its list */
	}
	const nc_json_value *v = nc_json_as(node, NC_JSON_ARRAY) ? node->first : NULL;
	for (; v; v = v->next) {
		reference *r = next_reference(net, list);
		if (!r || !read_reference(net, v, r))
			return false;
		if (v->n > 3 && !check_keywords(net, e, v->first->next->next->next))
			return false;
	}
	return true;
}

static bool keep_value(network *net, entry *e, nacre_value *v)
{
	if (e->n == e->room) {
		size_t room = e->room ? 2 * e->room : 2;
		nacre_value **new = nc_arena_alloc(net->k->arena, room * sizeof(nacre_value *));
		if (!new)
			return nc_keras_no_memory(net->k);
		if (e->n)
			memcpy(new, e->value, e->n * sizeof(nacre_value *));
		e->value = new;
		e->room = room;
	}
	e->value[e->n++] = v;
	return sound(net->k);
}

/* The value of a call that was made; NULL after an error. */
static nacre_value *value_of(network *net, const reference *r)
{
	nacre_value *v = nacre_value_output(r->from->value[r->node], (int)r->output);
	return sound(net->k) ? v : NULL;
}

/* Calls the layer as often as its inputs are there already. */
static bool advance(network *net, entry *e, references *list, bool *progress)
{
	while (e->node) {
		nacre_value *x[MOST_INPUTS];
		net->k->where = e->name;
		if (!read_node(net, e, list))
			return false;
		if (list->n == 0)
			return nc_keras_fail(net->k, NACRE_BAD_MODEL,
					     "inbound_nodes: a call without inputs");
		for (size_t i = 0; i < list->n; i++) {
			const reference *r = &list->item[i];
			if (r->node >= r->from->n)
				return true; /* later */
			x[i] = value_of(net, r);
			if (!x[i])
				return false;
		}
		net->k->where = NULL;
		e->node = e->node->next;
		*progress = true;
		if (!keep_value(net, e, nacre_apply_n(e->layer, (int)list->n, x)))
			return false;
	}
	return true;
}

static bool call_all(network *net)
{
	references *list = nc_arena_alloc(net->k->arena, sizeof *list);
	if (!list)
		return nc_keras_no_memory(net->k);
	entry *waiting = NULL;
	for (bool progress = true; progress;) {
		progress = false;
		waiting = NULL;
		for (size_t i = 0; i < net->n; i++) {
			if (!advance(net, &net->entry[i], list, &progress))
				return false;
			if (net->entry[i].node && !waiting)
				waiting = &net->entry[i];
		}
		if (!waiting)
			return true;
	}
	net->k->where = waiting->name;
	return nc_keras_fail(net->k, NACRE_BAD_MODEL,
			     "inbound_nodes: its inputs depend on itself, or are nowhere");
}

/* input_layers, output_layers: one reference, or a list of them */
static bool read_ports(network *net, const nc_json_value *config, const char *key, references *list)
{
	const nc_json_value *v = nc_json_get(config, key);
	if (!nc_json_as(v, NC_JSON_ARRAY) || v->n == 0)
		return nc_keras_fail(net->k, NACRE_UNSUPPORTED,
				     "%s: expected [layer, 0, 0] or a list of such, got %s", key,
				     nc_json_show(v).text);
	list->n = 0;
	if (v->first->kind == NC_JSON_STRING) {
		reference *r = next_reference(net, list);
		return r && read_reference(net, v, r);
	}
	for (v = v->first; v; v = v->next) {
		reference *r = next_reference(net, list);
		if (!r || !read_reference(net, v, r))
			return false;
	}
	return true;
}

static bool make_entries(network *net, const nc_json_value *layers)
{
	nc_keras *k = net->k;
	net->entry = nc_arena_alloc(k->arena, layers->n * sizeof *net->entry);
	net->by_name = nc_arena_alloc(k->arena, layers->n * sizeof *net->by_name);
	if (!net->entry || !net->by_name)
		return nc_keras_no_memory(k);
	for (const nc_json_value *v = layers->first; v; v = v->next) {
		const nc_json_value *nodes = nc_json_get(v, "inbound_nodes");
		const nc_json_value *name = nc_json_get(v, "name");
		entry *e = &net->entry[net->n];
		e->object = v;
		e->name = nc_json_as(name, NC_JSON_STRING) ? name->text.data : layer_name(v);
		if (!e->name)
			return nc_keras_fail(k, NACRE_BAD_MODEL, "layer %zu has no name", net->n);
		const nc_json_value *module = nc_json_as(nc_json_get(v, "module"), NC_JSON_STRING);
		e->mask = module && strncmp(module->text.data, "keras.src.ops.", 14) == 0;
		e->node = nc_json_as(nodes, NC_JSON_ARRAY) && !e->mask ? nodes->first : NULL;
		net->keras2 |= e->node && e->node->kind == NC_JSON_ARRAY;
		const nc_json_value *class =
		    nc_json_as(nc_json_get(v, "class_name"), NC_JSON_STRING);
		e->is_model = class && is_model(class->text.data);
		net->by_name[net->n++] = e;
	}
	nc_sort(net->by_name, net->n, by_name);
	for (size_t i = 1; i < net->n; i++)
		if (by_name(net->by_name[i - 1], net->by_name[i]) == 0)
			return nc_keras_fail(k, NACRE_BAD_MODEL, "two layers are called \"%.60s\"",
					     ((entry *)net->by_name[i])->name);
	return true;
}

/* The inputs in the model's order, then all other layers. */
static bool make_layers(network *net, const references *inputs)
{
	nc_keras *k = net->k;
	for (size_t i = 0; i < inputs->n; i++) {
		entry *e = inputs->item[i].from;
		k->where = e->name;
		if (!nc_json_is(nc_json_get(e->object, "class_name"), "InputLayer") || e->layer)
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "input_layers: expected an InputLayer, once");
		e->layer = nc_keras_read_layer(k, e->object);
		if (!e->layer || !keep_value(net, e, nacre_model_input(k->model, e->layer)))
			return false;
		e->node = NULL;
	}
	return true;
}

static bool read_functional(nc_keras *k, const nc_json_value *config)
{
	network net = {.k = k};
	const nc_json_value *layers = layer_list(k, config);
	references *list = nc_arena_alloc(k->arena, sizeof *list);
	if (!layers)
		return false;
	if (!list)
		return nc_keras_no_memory(k);
	if (!make_entries(&net, layers) || !read_ports(&net, config, "input_layers", list) ||
	    !make_layers(&net, list))
		return false;
	for (size_t i = 0; i < net.n; i++) {
		entry *e = &net.entry[i];
		if (e->layer || e->mask)
			continue;
		if (!e->node) {
			k->where = e->name;
			return nc_keras_fail(k, NACRE_BAD_MODEL, "inbound_nodes: it has no input");
		}
		e->layer = nc_keras_read_layer(k, e->object);
		if (!e->layer)
			return false;
		if (!nc_model_adopt(k->model, e->layer)) /* from here on freed with the model */
			return sound(k);
	}
	if (!call_all(&net) || !read_ports(&net, config, "output_layers", list))
		return false;
	for (size_t i = 0; i < list->n; i++) {
		const reference *r = &list->item[i];
		if (r->node >= r->from->n)
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "output_layers: %.60s has no call %zu", r->from->name,
					     r->node);
		nacre_value *y = value_of(&net, r);
		if (!y)
			return false;
		nacre_model_output(k->model, y);
		if (!sound(k))
			return false;
	}
	return true;
}

/* -- models ------------------------------------------------------------------------------------ */
bool nc_keras_read_model(nc_keras *k, const nc_json_value *top)
{
	const char *class;
	const nc_json_value *config;
	if (!nc_keras_class(k, top, "model", &class, &config))
		return false;
	bool sequential = strcmp(class, "Sequential") == 0;
	if (!is_model(class))
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "unknown class of models \"%.60s\"",
				     class);
	nacre_policy policy;
	if (!read_policy(k, config, false, &policy))
		return false;
	const nc_json_value *name = nc_json_as(nc_json_get(config, "name"), NC_JSON_STRING);
	const char *text = name ? name->text.data : NULL;
	k->model = sequential ? nacre_sequential_in(k->runtime, text)
			      : nacre_functional_in(k->runtime, text);
	if (!k->model)
		return nc_keras_no_memory(k);
	k->model->room = &k->room;
	k->model->policy = policy;
	bool good = sequential ? read_sequential(k, top, config) : read_functional(k, config);
	k->model->room = NULL;
	if (!good)
		return false;
	const char *wrong = nc_keras_wrong_texts(k->model);
	if (*wrong)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "%s", wrong);
	if (is_false(nc_json_get(config, "trainable")))
		for (nacre_layer *l = k->model->layers; l; l = l->next)
			nacre_layer_set_trainable(l, false);
	return true;
}
