/* SPDX-License-Identifier: MIT
 *
 * own.c - layers of the program's own in a config: what they are made of is their own text, and
 * only a class that the program registered is made of one.
 */
#include <stdio.h>
#include <string.h>

#include "train/keras/keras.h"

enum { NAME = 200, CONFIG = 1 << 20 /* the longest text */ };

/* "Custom>Scale"; false: too long. */
static bool full_name(const nacre_layer_functions *f, char out[NAME])
{
	int n = snprintf(out, NAME, "%s>%s", f->package ? f->package : "Custom", f->name);
	return n > 0 && n < NAME;
}

nacre_status nacre_register_layer(nacre_runtime *runtime, const nacre_layer_functions *f,
				  nacre_error *error)
{
	char name[NAME];
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		return nc_no_memory(error, 0);
	if (!f || !f->call || !f->name || !f->name[0])
		return nc_fail(error, NACRE_INVALID,
			       "register_layer: expected a table with a name and a call function");
	if (!full_name(f, name))
		return nc_fail(error, NACRE_INVALID, "register_layer: \"%.60s\": too long a name",
			       f->name);
	return nc_register(rt, name, f, error);
}

bool nacre_config_fail(nacre_error *error, const char *text)
{
	nc_fail(error, NACRE_BAD_MODEL, "%s", text ? text : "failed");
	return false;
}

double nacre_config_number(const char *config, const char *key, double otherwise)
{
	nacre_runtime *rt = nc_runtime(NULL);
	nc_arena arena;
	if (!rt || !config || !key)
		return otherwise;
	nc_arena_init(&arena, &rt->memory);
	const nc_json_value *v =
	    nc_json_get(nc_json_tree(config, strlen(config), &arena, "config", NULL), key);
	if (v && v->kind == NC_JSON_NUMBER)
		otherwise = v->number;
	else if (v && v->kind == NC_JSON_BOOL)
		otherwise = v->truth;
	nc_arena_free(&arena);
	return otherwise;
}

/* -- reading ----------------------------------------------------------------------------------- */
const nacre_layer_functions *nc_keras_own(nc_keras *k, const nc_json_value *object)
{
	const nc_json_value *v = nc_json_as(nc_json_get(object, "registered_name"), NC_JSON_STRING);
	return v && strchr(v->text.data, '>') ? nc_registered_find(k->runtime, v->text.data) : NULL;
}

/* What every layer has, and the model reads. */
static bool is_base(const char *key)
{
	static const char *const keys[] = {"name", "trainable", "dtype"};
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* The context of a layer with this config. */
static bool make_context(nc_keras *k, const nacre_layer_functions *f, const nc_json_value *config,
			 void **out)
{
	nc_text text;
	nacre_error inner = {0};
	if (!f->from_config)
		return true;
	nc_text_init(&text, &k->runtime->memory);
	nc_json_out w = {.out = &text};
	nc_json_open(&w, NULL, '{');
	for (const nc_json_value *v = config->first; v; v = v->next)
		if (!is_base(v->key.data))
			nc_json_put_tree(&w, v->key.data, v);
	nc_json_close(&w, '}');
	bool good = !text.failed && !w.wrong && f->from_config(text.data, out, &inner);
	if (text.failed || inner.status == NACRE_NO_MEMORY)
		nc_keras_no_memory(k);
	else if (!good)
		nc_keras_fail(k, NACRE_BAD_MODEL, "%s: %s", f->name,
			      w.wrong        ? "a text with a 0 in it"
			      : inner.status ? inner.text
					     : "its config was refused");
	nc_text_free(&text);
	return good;
}

nacre_layer *nc_keras_read_own(nc_keras *k, const nacre_layer_functions *f,
			       const nc_json_value *config, const char *name)
{
	void *context = NULL;
	if (!make_context(k, f, config, &context))
		return NULL;
	nacre_layer *l =
	    nacre_own_new((nacre_own_options){.functions = f, .context = context, .name = name});
	if (l)
		return l;
	if (f->release)
		f->release(context);
	nc_keras_no_memory(k);
	return NULL;
}

/* -- writing ----------------------------------------------------------------------------------- */
/* The layer's text; NULL after an error. */
static char *config_text(const nacre_layer *l, nc_arena *a, nacre_error *e)
{
	const nacre_own_options *o = (const nacre_own_options *)l->options;
	static char none[1];
	int n = o->functions->get_config(o->context, none, sizeof none);
	if (n < 0 || n > CONFIG) {
		nc_fail(e, NACRE_FAILED, "%s: get_config: %s", l->name,
			n < 0 ? "failed" : "more than a MiB");
		return NULL;
	}
	char *text = nc_arena_alloc(a, (size_t)n + 1);
	if (!text)
		nc_no_memory(e, (size_t)n + 1);
	else if (o->functions->get_config(o->context, text, (size_t)n + 1) != n) {
		nc_fail(e, NACRE_FAILED, "%s: get_config: its length changed", l->name);
		return NULL;
	}
	return text;
}

nacre_layer *nc_own_again(const nacre_layer *l, nc_arena *a, nacre_error *e)
{
	nacre_own_options o = *(const nacre_own_options *)l->options;
	const nacre_layer_functions *f = o.functions;
	nacre_error inner = {0};
	if (o.context && !(f->get_config && f->from_config)) {
		nc_fail(e, NACRE_UNSUPPORTED,
			"%s: a layer of one's own without get_config and from_config cannot be "
			"made again",
			l->name);
		return NULL;
	}
	const char *text = f->get_config ? config_text(l, a, e) : "{}";
	if (!text)
		return NULL;
	o.context = NULL;
	o.name = l->name;
	if (f->from_config && !f->from_config(text, &o.context, &inner)) {
		nc_fail(e, inner.status ? inner.status : NACRE_BAD_MODEL, "%s: %s", l->name,
			inner.status ? inner.text : "its config was refused");
		return NULL;
	}
	nacre_layer *copy = nacre_own_new(o);
	if (copy)
		return copy;
	if (f->release)
		f->release(o.context);
	nc_no_memory(e, 0);
	return NULL;
}

static bool write_text(const nacre_layer *l, nc_arena *a, nc_json_out *w, nacre_error *e)
{
	nacre_error inner = {0};
	char *text = config_text(l, a, e);
	if (!text)
		return false;
	const nc_json_value *v = nc_json_tree(text, strlen(text), a, "config", &inner);
	if (!nc_json_as(v, NC_JSON_OBJECT)) {
		nc_fail(e, inner.status == NACRE_NO_MEMORY ? NACRE_NO_MEMORY : NACRE_INVALID,
			"%s: get_config: %s", l->name,
			inner.status ? inner.text : "expected the text of an object");
		return false;
	}
	for (v = v->first; v; v = v->next) {
		if (is_base(v->key.data)) {
			nc_fail(e, NACRE_INVALID, "%s: get_config: \"%s\" is written already",
				l->name, v->key.data);
			return false;
		}
		nc_json_put_tree(w, v->key.data, v);
	}
	return true;
}

bool nc_keras_write_own(const nacre_layer *l, const char *key, nc_arena *a, nc_json_out *w,
			nacre_error *e)
{
	char name[NAME];
	const nacre_own_options *o = (const nacre_own_options *)l->options;
	if (o->context && !o->functions->get_config) {
		nc_fail(e, NACRE_UNSUPPORTED,
			"%s: a layer of one's own without get_config cannot be saved", l->name);
		return false;
	}
	if (!full_name(o->functions, name)) {
		nc_fail(e, NACRE_INVALID, "%s: its class has too long a name", l->name);
		return false;
	}
	nc_keras_write_class(w, key, NULL, l->class->name);
	nc_keras_write_base(l, w);
	if (o->functions->get_config && !write_text(l, a, w, e))
		return false;
	nc_json_close(w, '}');
	nc_json_put_text(w, "registered_name", name);
	return true;
}
