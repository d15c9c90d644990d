/* SPDX-License-Identifier: MIT
 *
 * json_write.c - writing JSON.
 */
#include "format/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

static void quoted(nc_json_out *w, const char *text)
{
	size_t size = strlen(text);
	if (!nc_utf8_valid(text, size))
		w->wrong = true;
	nc_text_add(w->out, "\"");
	for (size_t i = 0, from = 0; i <= size; i++) {
		unsigned char c = (unsigned char)text[i];
		if (i < size && c >= 0x20 && c != '"' && c != '\\')
			continue;
		nc_text_add(w->out, "%.*s", (int)(i - from), text + from);
		from = i + 1;
		if (i < size && c >= 0x20)
			nc_text_add(w->out, "\\%c", c);
		else if (i < size)
			nc_text_add(w->out, "\\u%04x", c);
	}
	nc_text_add(w->out, "\"");
}

static void begin(nc_json_out *w, const char *key)
{
	if (w->comma)
		nc_text_add(w->out, ", ");
	w->comma = true;
	if (key) {
		quoted(w, key);
		nc_text_add(w->out, ": ");
	}
}

void nc_json_open(nc_json_out *w, const char *key, char bracket)
{
	begin(w, key);
	nc_text_add(w->out, "%c", bracket);
	w->comma = false;
}

void nc_json_close(nc_json_out *w, char bracket)
{
	nc_text_add(w->out, "%c", bracket);
	w->comma = true;
}

void nc_json_put_text(nc_json_out *w, const char *key, const char *text)
{
	begin(w, key);
	if (text)
		quoted(w, text);
	else
		nc_text_add(w->out, "null");
}

/* The fewest digits that give the same number back, with a point whatever the locale says. */
void nc_json_put_number(nc_json_out *w, const char *key, double number)
{
	char text[40] = "0";
	begin(w, key);
	if (!isfinite(number))
		w->wrong = true;
	for (int digits = 15; digits <= 17 && isfinite(number); digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	for (char *c = text; *c; c++)
		if (!strchr("+-.e0123456789", *c))
			*c = '.';
	bool whole = !strpbrk(text, ".e");
	nc_text_add(w->out, "%s%s", text, whole ? ".0" : "");
}

void nc_json_put_whole(nc_json_out *w, const char *key, int64_t number)
{
	begin(w, key);
	nc_text_add(w->out, "%lld", (long long)number);
}

void nc_json_put_bool(nc_json_out *w, const char *key, bool truth)
{
	begin(w, key);
	nc_text_add(w->out, truth ? "true" : "false");
}

void nc_json_put_null(nc_json_out *w, const char *key)
{
	begin(w, key);
	nc_text_add(w->out, "null");
}
