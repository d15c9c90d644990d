/* SPDX-License-Identifier: MIT
 *
 * json.h - a strict JSON reader (RFC 8259) that is pulled: the caller asks for what must come next.
 *
 *     nc_json_object(&j);
 *     while (nc_json_member(&j, &key))
 *             ... read exactly one value ...
 *     nc_json_end(&j);
 *
 * The first thing that is not as asked for, or not JSON, sets the error ("byte 17: expected ...,
 * got ...") and from then on every call fails, so loops end and one check at the end is enough.
 * Strings are checked UTF-8, decoded into an arena and terminated; there is no recursion.
 */
#ifndef NC_JSON_H
#define NC_JSON_H

#include "base/base.h"

enum { NC_JSON_DEPTH = 64 };

typedef struct nc_json_string {
	const char *data; /* terminated; may hold NULs inside */
	size_t size;
	size_t at; /* of its opening quote */
} nc_json_string;

typedef struct nc_json {
	const uint8_t *text;
	size_t size, at;
	nc_arena *arena;
	nacre_error *error;
	const char *what;              /* begins each error text: "safetensors header" */
	int depth;                     /* open objects and arrays */
	bool first[NC_JSON_DEPTH + 1]; /* no comma is due yet at this depth */
	bool failed;
} nc_json;

typedef enum nc_json_kind {
	NC_JSON_NONE, /* an error, or the end */
	NC_JSON_NULL,
	NC_JSON_BOOL,
	NC_JSON_NUMBER,
	NC_JSON_STRING,
	NC_JSON_ARRAY,
	NC_JSON_OBJECT
} nc_json_kind;

void nc_json_init(nc_json *j, const void *text, size_t size, nc_arena *arena, const char *what,
		  nacre_error *error);

nc_json_kind nc_json_peek(nc_json *j); /* by the first character of the next value */

/* `{`; then each member's key with its colon until false (the `}`, or an error). */
bool nc_json_object(nc_json *j);
bool nc_json_member(nc_json *j, nc_json_string *key);
/* `[`; then true before each item until false (the `]`, or an error). */
bool nc_json_array(nc_json *j);
bool nc_json_item(nc_json *j);

bool nc_json_text(nc_json *j, nc_json_string *out);
bool nc_json_u64(nc_json *j, uint64_t *out);  /* digits alone: no sign, fraction, leading zero */
bool nc_json_number(nc_json *j, double *out); /* any JSON number that is finite in double */
bool nc_json_bool(nc_json *j, bool *out);
bool nc_json_null(nc_json *j);
/* Nothing but white space is left. */
bool nc_json_end(nc_json *j);

/* Sets the error, with the place; returns false. */
bool nc_json_fail(nc_json *j, size_t at, const char *format, ...) NC_PRINTF(3, 4);

/* Length of the well-formed UTF-8 sequence at p (no surrogates, nothing overlong, at most
 * U+10FFFF); 0 if there is none. */
size_t nc_utf8_length(const uint8_t *p, size_t left);
bool nc_utf8_valid(const void *text, size_t size);

#endif
