/* SPDX-License-Identifier: MIT
 *
 * option.c - options that are more than a number: texts, lists, layers inside of a layer.
 */
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

void nc_option_take(nacre_layer *l, const nc_option *o, void *field)
{
	const char *text;
	nacre_numbers numbers;
	if (o->kind == NC_OPTION_LAYER) {
		take_layer(l, o, field);
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
	nacre_layer *inner;
	if (o->kind == NC_OPTION_LAYER) {
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
