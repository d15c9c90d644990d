/* SPDX-License-Identifier: MIT
 *
 * json.c - JSON: written to a stream, read into a tree.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

/* -- writing ----------------------------------------------------------------------------------- */
static void put_text(FILE *to, const char *s)
{
	fputc('"', to);
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c == '\n')
			fprintf(to, "\\n");
		else if (c < 0x20 || c == 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void begin(json_out *j, const char *key)
{
	if (j->depth) {
		fprintf(j->to, "%s\n%*s", j->some[j->depth] ? "," : "", 2 * j->depth, "");
		j->some[j->depth] = true;
	}
	if (key) {
		put_text(j->to, key);
		fprintf(j->to, ": ");
	}
}

void json_open(json_out *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->to);
	j->some[++j->depth] = false;
}

void json_close(json_out *j, char bracket)
{
	bool some = j->some[j->depth--];
	if (some)
		fprintf(j->to, "\n%*s", 2 * j->depth, "");
	fputc(bracket, j->to);
	if (!j->depth)
		fputc('\n', j->to);
}

void json_text(json_out *j, const char *key, const char *value)
{
	begin(j, key);
	if (value)
		put_text(j->to, value);
	else
		fprintf(j->to, "null");
}

void json_number(json_out *j, const char *key, double value)
{
	char text[40];
	begin(j, key);
	fprintf(j->to, "%s", isfinite(value) ? number_text(text, value) : "null");
}

void json_whole(json_out *j, const char *key, int64_t value)
{
	begin(j, key);
	fprintf(j->to, "%lld", (long long)value);
}

void json_bool(json_out *j, const char *key, bool value)
{
	begin(j, key);
	fprintf(j->to, "%s", value ? "true" : "false");
}

/* -- reading ----------------------------------------------------------------------------------- */
typedef struct parser {
	const char *p;
	int depth;
	bool failed;
} parser;

static json *parse_value(parser *s);

static void skip(parser *s)
{
	s->p += strspn(s->p, " \t\r\n");
}

static bool take_char(parser *s, char c)
{
	skip(s);
	if (*s->p != c)
		return false;
	s->p++;
	return true;
}

static int hex4(const char *p)
{
	int v = 0;
	for (int i = 0; i < 4; i++) {
		char c = p[i];
		int d = c >= '0' && c <= '9'   ? c - '0'
			: c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10
					       : -1;
		if (d < 0)
			return -1;
		v = 16 * v + d;
	}
	return v;
}

static char *put_utf8(char *to, unsigned v)
{
	if (v < 0x80) {
		*to++ = (char)v;
	} else if (v < 0x800) {
		*to++ = (char)(0xc0 | v >> 6);
		*to++ = (char)(0x80 | (v & 0x3f));
	} else {
		*to++ = (char)(0xe0 | v >> 12);
		*to++ = (char)(0x80 | (v >> 6 & 0x3f));
		*to++ = (char)(0x80 | (v & 0x3f));
	}
	return to;
}

/* Behind the opening quote.  What is escaped here is in the basic plane, and not NUL: that is all
 * that our own writer escapes. */
static char *parse_text(parser *s)
{
	static const char letter[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
	size_t n = 0;
	while (s->p[n] && s->p[n] != '"')
		n += s->p[n] == '\\' && s->p[n + 1] ? 2 : 1;
	char *text = take(n + 1, 1), *to = text;
	while (*s->p && *s->p != '"' && !s->failed) {
		if (*s->p != '\\') {
			*to++ = *s->p++;
			continue;
		}
		const char *which = s->p[1] ? strchr(letter, s->p[1]) : NULL;
		if (which) {
			*to++ = meaning[which - letter];
			s->p += 2;
			continue;
		}
		int v = s->p[1] == 'u' ? hex4(s->p + 2) : -1;
		if (v <= 0 || (v >= 0xd800 && v < 0xe000)) {
			s->failed = true;
		} else {
			to = put_utf8(to, (unsigned)v);
			s->p += 6;
		}
	}
	s->failed |= *s->p != '"';
	s->p += !s->failed;
	*to = '\0';
	return text;
}

static void parse_children(parser *s, json *j, char end)
{
	json **last = &j->child;
	if (take_char(s, end))
		return;
	do {
		char *key = NULL;
		if (j->kind == JSON_OBJECT) {
			if (!take_char(s, '"')) {
				s->failed = true;
				return;
			}
			key = parse_text(s);
			s->failed |= !take_char(s, ':');
		}
		*last = parse_value(s);
		(*last)->key = key;
		last = &(*last)->next;
	} while (!s->failed && take_char(s, ','));
	s->failed |= !take_char(s, end);
}

static void parse_plain(parser *s, json *j)
{
	char text[64];
	size_t n = strcspn(s->p, " \t\r\n,]}");
	if (n >= sizeof text) {
		s->failed = true;
		return;
	}
	memcpy(text, s->p, n);
	text[n] = '\0';
	s->p += n;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
		j->kind = JSON_BOOL;
		j->number = *text == 't';
	} else if (strcmp(text, "null")) {
		j->kind = JSON_NUMBER;
		s->failed |= !nacre_parse_number(text, &j->number);
	}
}

static json *parse_value(parser *s)
{
	enum { DEEPEST = 32 };
	json *j = take(1, sizeof *j);
	skip(s);
	if (s->failed || s->depth == DEEPEST) {
		s->failed = true;
		return j;
	}
	s->depth++;
	if (take_char(s, '"')) {
		j->kind = JSON_TEXT;
		j->text = parse_text(s);
	} else if (take_char(s, '{')) {
		j->kind = JSON_OBJECT;
		parse_children(s, j, '}');
	} else if (take_char(s, '[')) {
		j->kind = JSON_LIST;
		parse_children(s, j, ']');
	} else {
		parse_plain(s, j);
	}
	s->depth--;
	return j;
}

json *json_parse(const char *text)
{
	parser s = {.p = text};
	json *j = parse_value(&s);
	skip(&s);
	if (!s.failed && !*s.p)
		return j;
	json_free(j);
	return NULL;
}

void json_free(json *j)
{
	while (j) {
		json *next = j->next;
		json_free(j->child);
		free(j->key);
		free(j->text);
		free(j);
		j = next;
	}
}

const json *json_get(const json *j, const char *key, json_kind kind)
{
	for (const json *c = j && j->kind == JSON_OBJECT ? j->child : NULL; c; c = c->next)
		if (strcmp(c->key, key) == 0)
			return c->kind == kind ? c : NULL;
	return NULL;
}

const char *json_get_text(const json *j, const char *key)
{
	const json *c = json_get(j, key, JSON_TEXT);
	return c ? c->text : NULL;
}

double json_get_number(const json *j, const char *key)
{
	const json *c = json_get(j, key, JSON_NUMBER);
	return c ? c->number : NAN;
}

int json_length(const json *j)
{
	int n = 0;
	for (const json *c = j ? j->child : NULL; c; c = c->next)
		n++;
	return n;
}
