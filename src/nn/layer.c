/* SPDX-License-Identifier: MIT
 *
 * layer.c - what all layers share: making, options by table, weights, calling.
 */
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

/* -- options ----------------------------------------------------------------------------------- */
static double number_of(const nc_option *o, const void *field)
{
	int i;
	int64_t l;
	double d;
	switch (o->kind) {
	case NC_OPTION_BOOL:
	case NC_OPTION_INT:
		memcpy(&i, field, sizeof i);
		return i;
	case NC_OPTION_I64:
		memcpy(&l, field, sizeof l);
		return (double)l;
	case NC_OPTION_F64:
		memcpy(&d, field, sizeof d);
		return d;
	default:
		return 0;
	}
}

static void set_default(const nc_option *o, void *field)
{
	int i = (int)o->number;
	int64_t l = (int64_t)o->number;
	if (o->kind == NC_OPTION_INT)
		memcpy(field, &i, sizeof i);
	else if (o->kind == NC_OPTION_I64)
		memcpy(field, &l, sizeof l);
	else if (o->kind == NC_OPTION_F64)
		memcpy(field, &o->number, sizeof o->number);
}

static void set_function(const nc_option *o, void *field)
{
	void *null = NULL;
	if (!o->function || memcmp(field, &null, sizeof null) != 0)
		return;
	if (o->kind == NC_OPTION_ACTIVATION) {
		nacre_activation_function *f = nacre_activation_named(o->function);
		memcpy(field, &f, sizeof f);
	} else {
		nacre_initializer_function *f = nacre_initializer_named(o->function);
		memcpy(field, &f, sizeof f);
	}
}

static void check_range(nacre_layer *l, const nc_option *o, double v)
{
	if (v >= o->low && v <= o->high)
		return;
	if (o->high >= 1e15)
		nc_layer_refuse(l, "%s: expected at least %g, got %g", o->name, o->low, v);
	else
		nc_layer_refuse(l, "%s: expected %g to %g, got %g", o->name, o->low, o->high, v);
}

static void finish_options(nacre_layer *l)
{
	for (const nc_option *o = l->class->options; o->name; o++) {
		void *field = l->options + o->offset;
		switch (o->kind) {
		case NC_OPTION_BOOL:
			break;
		case NC_OPTION_INT:
		case NC_OPTION_I64:
		case NC_OPTION_F64:
			if (number_of(o, field) == 0)
				set_default(o, field);
			check_range(l, o, number_of(o, field));
			break;
		case NC_OPTION_ACTIVATION:
		case NC_OPTION_INITIALIZER:
			set_function(o, field);
			break;
		default:
			break;
		}
	}
	if (!l->error.status && l->class->check)
		l->class->check(l);
}

static void option_text(const nc_option *o, const void *field, nc_text *out)
{
	nacre_regularizer r;
	nacre_activation_function *a;
	nacre_initializer_function *f;
	nacre_dtype dtype;
	int64_t shape[NACRE_MAX_RANK];
	char text[128];
	const char *name;
	switch (o->kind) {
	case NC_OPTION_SHAPE:
		memcpy(shape, field, sizeof shape);
		nc_text_add(out, "%s", nc_shape_text(text, nc_shape_rank(shape), shape));
		return;
	case NC_OPTION_DTYPE:
		memcpy(&dtype, field, sizeof dtype);
		nc_text_add(out, "%s", nacre_dtype_name(dtype));
		return;
	case NC_OPTION_ACTIVATION:
		memcpy(&a, field, sizeof a);
		name = nacre_activation_name(a);
		nc_text_add(out, "%s", name ? name : "custom");
		return;
	case NC_OPTION_INITIALIZER:
		memcpy(&f, field, sizeof f);
		name = nacre_initializer_name(f);
		nc_text_add(out, "%s", name ? name : "custom");
		return;
	case NC_OPTION_REGULARIZER:
		memcpy(&r, field, sizeof r);
		nc_text_add(out, "l1_l2(%g, %g)", r.l1, r.l2);
		return;
	default:
		nc_text_add(out, "%g", number_of(o, field));
	}
}

static bool is_default(const nc_option *o, const void *field)
{
	nacre_regularizer r;
	nacre_activation_function *a;
	nacre_initializer_function *f;
	nacre_dtype dtype;
	const char *name;
	switch (o->kind) {
	case NC_OPTION_SHAPE:
		return false;
	case NC_OPTION_DTYPE:
		memcpy(&dtype, field, sizeof dtype);
		return dtype == NACRE_F32;
	case NC_OPTION_ACTIVATION:
		memcpy(&a, field, sizeof a);
		name = nacre_activation_name(a);
		return !a || (name && o->function && strcmp(name, o->function) == 0);
	case NC_OPTION_INITIALIZER:
		memcpy(&f, field, sizeof f);
		name = nacre_initializer_name(f);
		return !f || (name && o->function && strcmp(name, o->function) == 0);
	case NC_OPTION_REGULARIZER:
		memcpy(&r, field, sizeof r);
		return r.l1 == 0 && r.l2 == 0 && !r.function;
	default:
		return number_of(o, field) == o->number;
	}
}

void nc_layer_text(const nacre_layer *l, nc_text *out)
{
	nc_text_add(out, "%s(", l->class->name);
	const char *comma = "";
	for (const nc_option *o = l->class->options; o->name; o++) {
		const void *field = l->options + o->offset;
		if (is_default(o, field))
			continue;
		nc_text_add(out, "%s%s=", comma, o->name);
		option_text(o, field, out);
		comma = ", ";
	}
	nc_text_add(out, ")");
}

/* -- making ------------------------------------------------------------------------------------ */
bool nc_layer_refuse(nacre_layer *l, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(&l->error, NACRE_INVALID, "%s: %s", l->name[0] ? l->name : l->class->snake, text);
	return false;
}

nacre_layer *nc_layer_new(const nc_layer_class *class, const void *options, const char *name)
{
	nacre_runtime *rt = nc_runtime(NULL);
	if (!rt)
		return NULL;
	nacre_layer *l = nc_zero_alloc(&rt->memory, sizeof *l + class->options_size);
	if (!l)
		return NULL;
	l->class = class;
	l->memory = &rt->memory;
	memcpy(l->options, options, class->options_size);
	if (name && strlen(name) >= sizeof l->name)
		nc_layer_refuse(l, "name: expected at most %zu bytes, got %zu", sizeof l->name - 1,
				strlen(name));
	else if (name && strchr(name, '/'))
		nc_layer_refuse(l, "name: \"%s\" contains '/', which separates layer and weight",
				name);
	else if (name)
		memcpy(l->name, name, strlen(name) + 1);
	finish_options(l);
	return l;
}

void nacre_layer_free(nacre_layer *l)
{
	if (!l)
		return;
	for (int i = 0; i < l->n_weights; i++)
		nacre_variable_free(l->weight[i].variable);
	nc_free(l->memory, l, sizeof *l + l->class->options_size);
}

const nacre_error *nacre_layer_error(const nacre_layer *l)
{
	static const nacre_error none = {NACRE_NO_MEMORY, "out of memory"};
	return l ? &l->error : &none;
}

const char *nacre_layer_name(const nacre_layer *l)
{
	return l ? l->name : "";
}

const char *nacre_layer_class(const nacre_layer *l)
{
	return l ? l->class->name : "";
}

void nacre_layer_set_trainable(nacre_layer *l, bool trainable)
{
	if (l)
		l->frozen = !trainable;
}

bool nacre_layer_trainable(const nacre_layer *l)
{
	return l && !l->frozen;
}

int nacre_layer_weights(const nacre_layer *l)
{
	return l ? l->n_weights : 0;
}

nacre_variable *nacre_layer_weight(const nacre_layer *l, int i)
{
	return l && i >= 0 && i < l->n_weights ? l->weight[i].variable : NULL;
}

/* -- building and calling ---------------------------------------------------------------------- */
bool nc_layer_fail(nc_call *c, const nacre_layer *l, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(c->error, NACRE_INVALID, "%s: %s", l->name, text);
	return false;
}

bool nc_layer_add_weight(nc_call *c, nacre_layer *l, const char *name, int rank,
			 const int64_t *shape, nacre_initializer_function *initializer,
			 const nacre_initializer_options *options, nacre_regularizer regularizer,
			 bool trainable)
{
	char full[NC_NAME_SIZE + 64];
	snprintf(full, sizeof full, "%s/%s", l->name, name);
	if (l->n_weights == NC_MAX_WEIGHTS)
		return nc_layer_fail(c, l, "more than %d weights", NC_MAX_WEIGHTS);
	nacre_error e = {0};
	nacre_variable *v = nacre_variable_new(c->runtime, full, NACRE_F32, rank, shape, NULL, &e);
	if (!v) {
		nc_fail(c->error, e.status ? e.status : NACRE_NO_MEMORY, "%s: %s: %s", l->name,
			name, e.status ? e.text : "out of memory");
		return false;
	}
	nc_weight *w = &l->weight[l->n_weights++];
	*w = (nc_weight){.name = name,
			 .variable = v,
			 .trainable = trainable,
			 .initializer = initializer,
			 .regularizer = regularizer};
	if (options)
		w->initializer_options = *options;
	return true;
}

nacre_node *nc_layer_use(nc_call *c, nacre_layer *l, int i)
{
	return nacre_use(c->graph, l->weight[i].variable);
}

nacre_node *nc_layer_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	const nc_layer_class *k = l->class;
	if (c->error->status)
		return NULL;
	if (n < k->min_in || n > k->max_in) {
		if (k->min_in == k->max_in)
			nc_layer_fail(c, l, "expected %d input%s, got %d", k->min_in,
				      k->min_in == 1 ? "" : "s", n);
		else
			nc_layer_fail(c, l, "expected at least %d inputs, got %d", k->min_in, n);
		return NULL;
	}
	if (!l->built && k->build && !k->build(c, l, n, x))
		return NULL;
	l->built = true;
	nacre_node *y = k->call(c, l, n, x);
	if (y)
		return y;
	const nacre_error *e = nacre_graph_error(c->graph);
	nc_fail(c->error, e->status ? e->status : NACRE_FAILED, "%s: %s", l->name,
		e->status ? e->text : "gave no output");
	return NULL;
}

int nc_layer_axis(nc_call *c, const nacre_layer *l, int axis, int rank)
{
	int real = axis < 0 ? axis + rank : axis;
	if (real >= 1 && real < rank)
		return real;
	nc_layer_fail(c, l, "axis: expected 1 to %d, or the same from the end, got %d", rank - 1,
		      axis);
	return -1;
}

void nc_call_effect(nc_call *c, nacre_node *effect)
{
	if (!effect)
		return; /* the graph has an error */
	nc_effect *e = nc_arena_alloc(&c->graph->arena, sizeof *e);
	if (!e) {
		nc_no_memory(c->error, sizeof *e);
		return;
	}
	e->node = effect;
	*c->effects_end = e;
	c->effects_end = &e->next;
}

static void add_penalty(nc_call *c, nacre_node *term)
{
	c->penalty = c->penalty ? nacre_plus(c->penalty, term) : term;
}

void nc_layer_penalty(nc_call *c, nacre_layer *l)
{
	for (int i = 0; i < l->n_weights && !l->frozen; i++) {
		const nacre_regularizer *r = &l->weight[i].regularizer;
		if (r->l1 == 0 && r->l2 == 0 && !r->function)
			continue;
		nacre_node *w = nc_layer_use(c, l, i);
		if (r->l1 != 0)
			add_penalty(
			    c, nacre_scale(nacre_sum(nacre_abs(w), NACRE_ALL_AXES, false), r->l1));
		if (r->l2 != 0)
			add_penalty(
			    c,
			    nacre_scale(nacre_sum(nacre_square(w), NACRE_ALL_AXES, false), r->l2));
		if (r->function)
			add_penalty(c, r->function(w));
	}
}

nacre_status nc_weight_initialize(nc_weight *w, uint64_t seed, nacre_error *e)
{
	nacre_variable *v = w->variable;
	nacre_tensor *t = nacre_tensor_new(v->runtime, NACRE_F32, v->rank, v->shape, e);
	if (!t)
		return NACRE_NO_MEMORY;
	nacre_error own = {0};
	nacre_status status = w->initializer(t, seed, &w->initializer_options, &own);
	if (status)
		nc_fail(e, status, "%s: %s", v->name,
			own.status ? own.text : "its initializer failed");
	else
		status = nacre_variable_write(v, t, e);
	nacre_tensor_free(t);
	return status;
}
