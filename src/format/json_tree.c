/* SPDX-License-Identifier: MIT
 *
 * json_tree.c - JSON as a tree.  The depth is bounded by the reader's NC_JSON_DEPTH.
 */
#include "format/json_tree.h"

#include <stdio.h>
#include <string.h>

#include "format/load.h"

static bool read_value(nc_json *j, nc_json_value *v);

static int by_key(const void *a, const void *b)
{
	const nc_json_string *p = &((const nc_json_value *)a)->key;
	const nc_json_string *q = &((const nc_json_value *)b)->key;
	int order = memcmp(p->data, q->data, p->size < q->size ? p->size : q->size);
	return order ? order : (p->size > q->size) - (p->size < q->size);
}

/* Two readers that pick different ones of two equal keys see different models. */
static bool keys_differ(nc_json *j, const nc_json_value *object)
{
	void **item = nc_arena_alloc(j->arena, (size_t)object->n * sizeof *item);
	if (!item)
		return nc_no_memory(j->error, 0), j->failed = true, false;
	size_t n = 0;
	for (nc_json_value *v = object->first; v; v = v->next)
		item[n++] = v;
	nc_sort(item, n, by_key);
	for (size_t i = 1; i < n; i++) {
		const nc_json_string *k = &((const nc_json_value *)item[i])->key;
		const nc_json_string *before = &((const nc_json_value *)item[i - 1])->key;
		if (by_key(item[i - 1], item[i]) == 0)
			return nc_json_fail(j, k->at > before->at ? k->at : before->at,
					    "the key %s occurs twice",
					    nc_quote(k->data, k->size).text);
	}
	return true;
}

static nc_json_value *add(nc_json *j, nc_json_value *v, nc_json_value ***end)
{
	nc_json_value *new = nc_arena_alloc(j->arena, sizeof *new);
	if (!new) {
		nc_no_memory(j->error, sizeof *new);
		j->failed = true;
		return NULL;
	}
	**end = new;
	*end = &new->next;
	v->n++;
	return new;
}

static bool read_inside(nc_json *j, nc_json_value *v)
{
	nc_json_value **end = &v->first;
	nc_json_string key = {0};
	bool object = v->kind == NC_JSON_OBJECT;
	if (!(object ? nc_json_object(j) : nc_json_array(j)))
		return false;
	while (object ? nc_json_member(j, &key) : nc_json_item(j)) {
		nc_json_value *new = add(j, v, &end);
		if (!new)
			return false;
		new->key = key;
		if (!read_value(j, new))
			return false;
	}
	return !j->failed && (!object || v->n < 2 || keys_differ(j, v));
}

static bool read_value(nc_json *j, nc_json_value *v)
{
	v->kind = nc_json_peek(j);
	v->at = j->at;
	switch (v->kind) {
	case NC_JSON_STRING:
		return nc_json_text(j, &v->text);
	case NC_JSON_BOOL:
		return nc_json_bool(j, &v->truth);
	case NC_JSON_NULL:
		return nc_json_null(j);
	case NC_JSON_ARRAY:
	case NC_JSON_OBJECT:
		return read_inside(j, v);
	default: /* a number, or what the reader refuses */
		v->kind = NC_JSON_NUMBER;
		return nc_json_number(j, &v->number);
	}
}

nc_json_value *nc_json_tree(const void *text, size_t size, nc_arena *arena, const char *what,
			    nacre_error *e)
{
	nc_json j;
	nc_json_init(&j, text, size, arena, what, e);
	nc_json_value *v = nc_arena_alloc(arena, sizeof *v);
	if (!v) {
		nc_no_memory(e, sizeof *v);
		return NULL;
	}
	return read_value(&j, v) && nc_json_end(&j) ? v : NULL;
}

const nc_json_value *nc_json_get(const nc_json_value *object, const char *key)
{
	const nc_json_value *v = object && object->kind == NC_JSON_OBJECT ? object->first : NULL;
	size_t n = strlen(key);
	while (v && (v->key.size != n || memcmp(v->key.data, key, n) != 0))
		v = v->next;
	return v;
}

bool nc_json_is(const nc_json_value *v, const char *text)
{
	size_t n = strlen(text);
	return v && v->kind == NC_JSON_STRING && v->text.size == n &&
	       memcmp(v->text.data, text, n) == 0;
}

nc_json_sample nc_json_show(const nc_json_value *v)
{
	static const char *const fixed[] = {
	    [NC_JSON_NONE] = "nothing",
	    [NC_JSON_NULL] = "null",
	    [NC_JSON_ARRAY] = "[...]",
	    [NC_JSON_OBJECT] = "{...}",
	};
	nc_json_sample s;
	if (!v)
		snprintf(s.text, sizeof s.text, "nothing");
	else if (v->kind == NC_JSON_STRING)
		snprintf(s.text, sizeof s.text, "%s", nc_quote(v->text.data, v->text.size).text);
	else if (v->kind == NC_JSON_NUMBER)
		snprintf(s.text, sizeof s.text, "%g", v->number);
	else if (v->kind == NC_JSON_BOOL)
		snprintf(s.text, sizeof s.text, "%s", v->truth ? "true" : "false");
	else
		snprintf(s.text, sizeof s.text, "%s",
			 v->n                        ? fixed[v->kind]
			 : v->kind == NC_JSON_ARRAY  ? "[]"
			 : v->kind == NC_JSON_OBJECT ? "{}"
						     : fixed[v->kind]);
	return s;
}

void nc_json_put_tree(nc_json_out *w, const char *key, const nc_json_value *v)
{
	bool object = v->kind == NC_JSON_OBJECT;
	switch (v->kind) {
	case NC_JSON_STRING:
		w->wrong |= strlen(v->text.data) != v->text.size;
		nc_json_put_text(w, key, v->text.data);
		return;
	case NC_JSON_NUMBER:
		nc_json_put_number(w, key, v->number);
		return;
	case NC_JSON_BOOL:
		nc_json_put_bool(w, key, v->truth);
		return;
	case NC_JSON_OBJECT:
	case NC_JSON_ARRAY: /* as deep as the reader allows */
		nc_json_open(w, key, object ? '{' : '[');
		for (const nc_json_value *i = v->first; i; i = i->next) {
			w->wrong |= object && strlen(i->key.data) != i->key.size;
			nc_json_put_tree(w, object ? i->key.data : NULL, i);
		}
		nc_json_close(w, object ? '}' : ']');
		return;
	default:
		nc_json_put_null(w, key);
	}
}
