/* SPDX-License-Identifier: MIT
 *
 * option.c - options that are more than a number: texts, lists, layers inside of a layer.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/layer.h"

nacre_layer *nc_option_layer(const nacre_layer *l, const nc_option *o)
{
	nacre_layer *inner = NULL;
	if (o->kind == NC_OPTION_LAYER)
		memcpy(&inner, l->options + o->offset, sizeof inner);
	return inner;
}

nacre_layer *nc_layer_inner(const nacre_layer *l)
{
	nacre_layer *inner = NULL;
	for (const nc_option *o = l->class->options; o->name && !inner; o++)
		inner = nc_option_layer(l, o);
	return inner;
}

nacre_layer *nc_layer_around(const nc_layer_class *class, const void *options, const char *name,
			     nacre_layer *inner)
{
	nacre_layer *l = nc_layer_new(class, options, name);
	if (!l && inner && !inner->owner)
		nacre_layer_free(inner);
	return l;
}

/* One that belongs to somebody stays there. */
static void take_layer(nacre_layer *l, const nc_option *o, void *field)
{
	nacre_layer *inner, *none = NULL;
	memcpy(&inner, field, sizeof inner);
	if (!inner) {
		nc_layer_refuse(l, "%s: expected a layer, got NULL", o->name);
	} else if (inner->owner) {
		memcpy(field, &none, sizeof none);
		nc_layer_refuse(l, "%s: belongs to a model or a layer already", o->name);
	} else {
		inner->owner = l;
		if (inner->error.status)
			nc_layer_refuse(l, "%s: %s", o->name, inner->error.text);
	}
}

static void take_texts(nacre_layer *l, const nc_option *o, void *field)
{
	nacre_texts t;
	memcpy(&t, field, sizeof t);
	bool given = t.n >= 0 && t.n <= 1 << 24 && (t.n == 0 || t.text);
	for (int64_t i = 0; given && i < t.n; i++)
		given = t.text[i];
	if (!given) {
		nc_layer_refuse(l, "%s: expected texts, none of them NULL", o->name);
		t = (nacre_texts){0};
	}
	const char **copy = nc_arena_alloc(&l->arena, (size_t)(t.n + 1) * sizeof *copy);
	for (int64_t i = 0; copy && i < t.n; i++)
		if (!(copy[i] = nc_arena_string(&l->arena, t.text[i])))
			copy = NULL;
	if (!copy) {
		nc_no_memory(&l->error, 0);
		t.n = 0;
	}
	t.text = copy;
	memcpy(field, &t, sizeof t);
}

void nc_option_take(nacre_layer *l, const nc_option *o, void *field)
{
	const char *text;
	nacre_numbers numbers;
	if (o->kind == NC_OPTION_LAYER) {
		take_layer(l, o, field);
	} else if (o->kind == NC_OPTION_TEXTS) {
		take_texts(l, o, field);
	} else if (o->kind == NC_OPTION_TEXT) {
		memcpy(&text, field, sizeof text);
		if (text && !(text = nc_arena_string(&l->arena, text)))
			nc_no_memory(&l->error, 0);
		memcpy(field, &text, sizeof text);
	} else {
		memcpy(&numbers, field, sizeof numbers);
		if (numbers.n < 0 || numbers.n > 1 << 24 || (numbers.n && !numbers.value)) {
			nc_layer_refuse(l, "%s: expected numbers, got %lld of them", o->name,
					numbers.value ? (long long)numbers.n : 0);
			numbers = (nacre_numbers){0};
		}
		size_t bytes = (size_t)numbers.n * sizeof *numbers.value;
		if (bytes && !(numbers.value = nc_arena_copy(&l->arena, numbers.value, bytes))) {
			nc_no_memory(&l->error, bytes);
			numbers.n = 0;
		}
		memcpy(field, &numbers, sizeof numbers);
	}
}

void nc_option_list_text(const nc_option *o, const void *field, nc_text *out)
{
	enum { SHOWN = 8 };
	int64_t pair[2];
	nacre_numbers numbers;
	nacre_texts texts;
	nacre_layer *inner;
	if (o->kind == NC_OPTION_TEXTS) {
		memcpy(&texts, field, sizeof texts);
		for (int64_t i = 0; i < texts.n && i < SHOWN; i++)
			nc_text_add(out, "%s\"%.40s\"", i ? ", " : "[", texts.text[i]);
		nc_text_add(out, "%s", texts.n > SHOWN ? ", ...]" : "]");
	} else if (o->kind == NC_OPTION_LAYER) {
		memcpy(&inner, field, sizeof inner);
		nc_layer_text(inner, out);
	} else if (o->kind == NC_OPTION_PAIRS) {
		for (int i = 0; i < (int)o->number; i++) {
			memcpy(pair, (const char *)field + (size_t)i * sizeof pair, sizeof pair);
			nc_text_add(out, "%s[%lld, %lld]", i ? ", " : "", (long long)pair[0],
				    (long long)pair[1]);
		}
	} else {
		memcpy(&numbers, field, sizeof numbers);
		for (int64_t i = 0; i < numbers.n && i < SHOWN; i++)
			nc_text_add(out, "%s%g", i ? ", " : "[", numbers.value[i]);
		nc_text_add(out, "%s", numbers.n > SHOWN ? ", ...]" : "]");
	}
}

/* -- ranges ------------------------------------------------------------------------------------ */
nc_range nc_option_range(const nacre_layer *l, const nc_option *o)
{
	double a, b;
	memcpy(&a, l->options + o->offset, sizeof a);
	memcpy(&b, l->options + o->more, sizeof b);
	if (b == 0)
		return (nc_range){fmax(-fabs(a), o->low), fabs(a)};
	a = a == NACRE_ZERO ? 0 : a;
	b = b == NACRE_ZERO ? 0 : b;
	return (nc_range){fmin(a, b), fmax(a, b)};
}

nc_range nc_layer_range(const nacre_layer *l, const char *name)
{
	for (const nc_option *o = l->class->options; o->name; o++)
		if (strcmp(o->name, name) == 0)
			return nc_option_range(l, o);
	return (nc_range){0, 0};
}

void nc_option_range_check(nacre_layer *l, const nc_option *o)
{
	double value[2], *at = value;
	memcpy(&value[0], l->options + o->offset, sizeof *value);
	memcpy(&value[1], l->options + o->more, sizeof *value);
	if (value[0] == 0 && value[1] == 0 && o->function && strcmp(o->function, "null") != 0)
		for (const char *s = o->function; *s; at++) {
			char *end;
			*at = strtod(s, &end);
			s = *end == ',' ? end + 1 : end;
		}
	for (int i = 0; i < 2; i++)
		if (!(value[i] >= o->low && value[i] <= o->high) && value[i] != 0)
			nc_layer_refuse(l, "%s: expected %g to %g, got %g", o->name, o->low,
					o->high, value[i]);
	memcpy(l->options + o->offset, &value[0], sizeof *value);
	memcpy(l->options + o->more, &value[1], sizeof *value);
}
