/* SPDX-License-Identifier: MIT
 *
 * layer.c - what all layers share: making, options by table, weights, calling.
 */
#include "nn/layer.h"

#include <stdio.h>
#include <string.h>

/* -- the table --------------------------------------------------------------------------------- */
const nc_layer_class *const nc_layer_classes[NC_LAYERS] = {
#define LAYER(id) [NC_LAYER_##id] = &nc_class_##id,
#include "nn/layer.def"
#undef LAYER
};

const nc_layer_class *nc_layer_class_named(const char *name)
{
	for (int i = 0; i < NC_LAYERS; i++)
		if (strcmp(nc_layer_classes[i]->name, name) == 0)
			return nc_layer_classes[i];
	return NULL;
}

/* -- options ----------------------------------------------------------------------------------- */
double nc_option_number(const nc_option *o, const void *field)
{
	int i;
	int64_t l;
	double d;
	switch (o->kind) {
	case NC_OPTION_BOOL:
	case NC_OPTION_INT:
	case NC_OPTION_CHOICE:
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

const char *nc_option_word(const nc_option *o, int i, int *length)
{
	const char *word = o->function, *end = strchr(word, '|');
	for (; i > 0 && end; i--) {
		word = end + 1;
		end = strchr(word, '|');
	}
	if (i != 0)
		return NULL;
	*length = (int)(end ? end - word : (ptrdiff_t)strlen(word));
	return word;
}

static void set_default(const nc_option *o, void *field)
{
	int i = (int)o->number;
	int64_t l = (int64_t)o->number;
	if (o->kind == NC_OPTION_INT || o->kind == NC_OPTION_CHOICE)
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
	int length;
	int64_t first;
	for (const nc_option *o = l->class->options; o->name; o++) {
		void *field = l->options + o->offset;
		switch (o->kind) {
		case NC_OPTION_BOOL:
			break;
		case NC_OPTION_INT:
		case NC_OPTION_I64:
		case NC_OPTION_F64:
			if (nc_option_number(o, field) == 0)
				set_default(o, field);
			check_range(l, o, nc_option_number(o, field));
			break;
		case NC_OPTION_ACTIVATION:
		case NC_OPTION_INITIALIZER:
			set_function(o, field);
			break;
		case NC_OPTION_SIZES:
			memcpy(&first, field, sizeof first);
			if (first == 0 && o->number != 0) {
				first = (int64_t)o->number;
				memcpy(field, &first, sizeof first);
			}
			break;
		case NC_OPTION_CHOICE:
			if (nc_option_number(o, field) == 0)
				set_default(o, field);
			if (!nc_option_word(o, (int)nc_option_number(o, field), &length))
				nc_layer_refuse(l, "%s: expected one of %s, got %g", o->name,
						o->function, nc_option_number(o, field));
			break;
		case NC_OPTION_TEXT:
		case NC_OPTION_NUMBERS:
		case NC_OPTION_TEXTS:
		case NC_OPTION_LAYER:
			nc_option_take(l, o, field);
			break;
		case NC_OPTION_RANGE:
			nc_option_range_check(l, o);
			break;
		case NC_OPTION_CONSTRAINT:
		case NC_OPTION_ACTIVITY:
			nc_option_constrain(l, o, field);
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
	nacre_constraint c;
	nacre_activation_function *a;
	nacre_initializer_function *f;
	nacre_dtype dtype;
	int64_t shape[NACRE_MAX_RANK];
	char text[128];
	const char *name;
	int choice, length = 0;
	switch (o->kind) {
	case NC_OPTION_CHOICE:
		memcpy(&choice, field, sizeof choice);
		name = nc_option_word(o, choice, &length);
		nc_text_add(out, "%.*s", length, name);
		return;
	case NC_OPTION_TEXT:
		memcpy(&name, field, sizeof name);
		nc_text_add(out, "%s", name ? name : "");
		return;
	case NC_OPTION_SIZES:
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
	case NC_OPTION_ACTIVITY:
		memcpy(&r, field, sizeof r);
		nc_text_add(out, "l1_l2(%g, %g)", r.l1, r.l2);
		return;
	case NC_OPTION_CONSTRAINT:
		memcpy(&c, field, sizeof c);
		name = nc_constraint_name(&c);
		nc_text_add(out, "%s", name ? name : "custom");
		return;
	case NC_OPTION_PAIRS:
	case NC_OPTION_NUMBERS:
	case NC_OPTION_TEXTS:
	case NC_OPTION_LAYER:
		nc_option_list_text(o, field, out);
		return;
	default:
		nc_text_add(out, "%g", nc_option_number(o, field));
	}
}

bool nc_option_is_default(const nc_option *o, const void *field)
{
	nacre_regularizer r;
	nacre_constraint c;
	nacre_activation_function *a;
	nacre_initializer_function *f;
	nacre_dtype dtype;
	const char *name;
	int64_t shape[NACRE_MAX_RANK];
	nacre_numbers numbers;
	nacre_texts texts;
	switch (o->kind) {
	case NC_OPTION_SHAPE:
		return false;
	case NC_OPTION_SIZES:
		memcpy(shape, field, sizeof shape);
		return shape[0] == 0 || (shape[0] == (int64_t)o->number && shape[1] == 0);
	case NC_OPTION_PAIRS:
	case NC_OPTION_RANGE:
		return false;
	case NC_OPTION_TEXT:
	case NC_OPTION_LAYER:
		memcpy(&name, field, sizeof name);
		return !name;
	case NC_OPTION_NUMBERS:
		memcpy(&numbers, field, sizeof numbers);
		return numbers.n == 0;
	case NC_OPTION_TEXTS:
		memcpy(&texts, field, sizeof texts);
		return texts.n == 0;
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
	case NC_OPTION_CONSTRAINT:
		memcpy(&c, field, sizeof c);
		return !c.function;
	case NC_OPTION_REGULARIZER:
	case NC_OPTION_ACTIVITY:
		memcpy(&r, field, sizeof r);
		return r.l1 == 0 && r.l2 == 0 && r.orthogonal == 0 && !r.function;
	default:
		return nc_option_number(o, field) == o->number;
	}
}

void nc_layer_text(const nacre_layer *l, nc_text *out)
{
	nc_text_add(out, "%s(", l->class->name);
	const char *comma = "";
	for (const nc_option *o = l->class->options; o->name; o++) {
		const void *field = l->options + o->offset;
		if (nc_option_is_default(o, field))
			continue;
		nc_text_add(out, "%s%s=", comma, o->name);
		if (o->kind == NC_OPTION_RANGE) {
			nc_range r = nc_option_range(l, o);
			nc_text_add(out, "[%g, %g]", r.low, r.high);
		} else {
			option_text(o, field, out);
		}
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
	nc_arena_init(&l->arena, l->memory);
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
		if (!l->weight[i].borrowed)
			nacre_variable_free(l->weight[i].variable);
	for (const nc_option *o = l->class->options; o->name; o++)
		nacre_layer_free(nc_option_layer(l, o));
	if (l->release)
		l->release(l->context);
	size_t options = l->class->options_size; /* the class may lie in the arena */
	nc_free(l->memory, l->weight, (size_t)l->weights_capacity * sizeof *l->weight);
	nc_arena_free(&l->arena);
	nc_free(l->memory, l, sizeof *l + options);
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
	if (!l)
		return;
	l->frozen = !trainable;
	for (const nc_option *o = l->class->options; o->name; o++)
		nacre_layer_set_trainable(nc_option_layer(l, o), trainable);
	if (l->class->refresh)
		l->class->refresh(l, !trainable, trainable);
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

/* -- helpers of calls ----------------------------------------------------------------------- */
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

void nc_call_add_loss(nc_call *c, nacre_node *term)
{
	if (term && term->dtype != NACRE_F32)
		term = nacre_cast(term, NACRE_F32);
	c->penalty = c->penalty ? nacre_plus(c->penalty, term) : term;
}

void nc_layer_penalty(nc_call *c, nacre_layer *l)
{
	for (int i = 0; i < l->n_weights && !l->frozen; i++) {
		const nacre_regularizer *r = &l->weight[i].regularizer;
		if (r->l1 == 0 && r->l2 == 0 && r->orthogonal == 0 && !r->function)
			continue;
		nacre_node *w = nc_layer_use(c, l, i);
		if (r->l1 != 0)
			nc_call_add_loss(
			    c, nacre_scale(nacre_sum(nacre_abs(w), NACRE_ALL_AXES, false), r->l1));
		if (r->l2 != 0)
			nc_call_add_loss(
			    c,
			    nacre_scale(nacre_sum(nacre_square(w), NACRE_ALL_AXES, false), r->l2));
		if (r->orthogonal != 0)
			nc_call_add_loss(c, nc_orthogonal_penalty(w, r->orthogonal, r->columns));
		if (r->function)
			nc_call_add_loss(c, r->function(w));
	}
}
