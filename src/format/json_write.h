/* SPDX-License-Identifier: MIT
 *
 * json_write.h - writes JSON: the caller says what comes, commas and escapes are put here.
 *
 *     nc_json_open(&w, NULL, '{');
 *     nc_json_put_text(&w, "name", "dense");        key NULL: an item of an array
 *     nc_json_open(&w, "shape", '[');
 *     nc_json_put_number(&w, NULL, 3);
 *     nc_json_close(&w, ']');
 *     nc_json_close(&w, '}');
 *
 * Texts must be UTF-8.  Numbers are written so that reading gives the same double; one that is not
 * finite cannot be written, and `wrong` is set.
 */
#ifndef NC_JSON_WRITE_H
#define NC_JSON_WRITE_H

#include "base/base.h"

typedef struct nc_json_out {
	nc_text *out; /* sticky: its `failed` says that memory was short */
	bool comma;   /* one is due before the next value */
	bool wrong;   /* a text or number cannot be written in JSON */
} nc_json_out;

void nc_json_open(nc_json_out *w, const char *key, char bracket);
void nc_json_close(nc_json_out *w, char bracket);
void nc_json_put_text(nc_json_out *w, const char *key, const char *text); /* NULL: null */
void nc_json_put_number(nc_json_out *w, const char *key, double number);
void nc_json_put_whole(nc_json_out *w, const char *key, int64_t number);
void nc_json_put_bool(nc_json_out *w, const char *key, bool truth);
void nc_json_put_null(nc_json_out *w, const char *key);

#endif
