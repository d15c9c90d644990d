/* SPDX-License-Identifier: MIT
 *
 * json_tree.h - a JSON text as a tree in an arena, for readers that must look ahead: a file of
 * Keras's says what an object is after its contents as often as before.
 *
 * Read by the strict reader of json.h; in addition the keys of an object must differ.
 */
#ifndef NC_JSON_TREE_H
#define NC_JSON_TREE_H

#include "format/json.h"
#include "format/json_write.h"

typedef struct nc_json_value {
	nc_json_kind kind;
	uint32_t n;                 /* values inside */
	size_t at;                  /* its first byte in the text */
	nc_json_string key;         /* in an object */
	struct nc_json_value *next; /* beside it */
	union {
		nc_json_string text;
		double number;
		bool truth;
		struct nc_json_value *first; /* inside it */
	};
} nc_json_value;

/* The whole text; NULL after an error. */
nc_json_value *nc_json_tree(const void *text, size_t size, nc_arena *arena, const char *what,
			    nacre_error *e);

/* The member of that name; NULL: `object` is NULL, none, or has none. */
const nc_json_value *nc_json_get(const nc_json_value *object, const char *key);
/* Whether v is a string, and this one. */
bool nc_json_is(const nc_json_value *v, const char *text);
/* v, if it is of that kind; else NULL. */
static inline const nc_json_value *nc_json_as(const nc_json_value *v, nc_json_kind kind)
{
	return v && v->kind == kind ? v : NULL;
}
/* The value as it might stand in an error text: null, 3, "relu", [...]. */
typedef struct nc_json_sample {
	char text[80];
} nc_json_sample;
nc_json_sample nc_json_show(const nc_json_value *v);
/* Writes the value as it was read, under `key`. */
void nc_json_put_tree(nc_json_out *w, const char *key, const nc_json_value *v);

#endif
