/* SPDX-License-Identifier: MIT
 *
 * note.c - texts that go with a model: what its numbers mean, for who uses it later.
 */
#include <string.h>

#include "format/json_tree.h"
#include "train/keras/keras.h"
#include "train/model.h"

static nc_note *find(const nacre_model *m, const char *key)
{
	nc_note *n = m && key ? m->notes : NULL;
	while (n && strcmp(n->key, key))
		n = n->next;
	return n;
}

const char *nacre_note(const nacre_model *model, const char *key)
{
	const nc_note *n = find(model, key);
	return n ? n->text : NULL;
}

nacre_status nacre_set_note(nacre_model *model, const char *key, const char *text)
{
	if (!model || model->error.status)
		return nacre_model_error(model)->status;
	if (!key || !*key)
		return nc_model_fail(model, false, NACRE_INVALID, "note: the key is %s",
				     key ? "empty" : "NULL");
	nc_note *n = find(model, key), **end = &model->notes;
	const char *copy = text ? nc_arena_string(&model->arena, text) : NULL;
	if (text && !copy)
		return nc_model_fail(model, false, NACRE_NO_MEMORY, "note: out of memory");
	if (n) { /* NULL stays, as one that is not there */
		n->text = copy;
		return NACRE_OK;
	}
	n = nc_arena_alloc(&model->arena, sizeof *n);
	const char *name = nc_arena_string(&model->arena, key);
	if (!n || !name)
		return nc_model_fail(model, false, NACRE_NO_MEMORY, "note: out of memory");
	*n = (nc_note){.key = name, .text = copy};
	while (*end)
		end = &(*end)->next;
	*end = n;
	return NACRE_OK;
}

bool nc_notes_write(const nacre_model *m, nc_text *out, nacre_error *e)
{
	nc_json_out w = {.out = out};
	bool some = false;
	for (const nc_note *n = m->notes; n; n = n->next)
		some |= n->text != NULL;
	if (!some)
		return true;
	nc_json_open(&w, NULL, '{');
	for (const nc_note *n = m->notes; n; n = n->next)
		if (n->text)
			nc_json_put_text(&w, n->key, n->text);
	nc_json_close(&w, '}');
	if (w.wrong)
		nc_fail(e, NACRE_INVALID, "a note that is no UTF-8");
	else if (out->failed)
		nc_no_memory(e, out->size);
	return !w.wrong && !out->failed;
}

bool nc_notes_read(nacre_model *m, const void *data, size_t size, nc_arena *arena, nacre_error *e)
{
	const nc_json_value *top = nc_json_tree(data, size, arena, "nacre.json", e);
	if (!top)
		return false;
	if (top->kind != NC_JSON_OBJECT) {
		nc_fail(e, NACRE_BAD_MODEL, "nacre.json: expected an object, got %s",
			nc_json_show(top).text);
		return false;
	}
	for (const nc_json_value *v = top->first; v; v = v->next) {
		if (v->kind != NC_JSON_STRING)
			continue; /* of a later version */
		if (nacre_set_note(m, v->key.data, v->text.data)) {
			*e = m->error;
			return false;
		}
	}
	return true;
}
