/* SPDX-License-Identifier: MIT
 *
 * json.c - the strict JSON reader.
 */
#include "format/json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void nc_json_init(nc_json *j, const void *text, size_t size, nc_arena *arena, const char *what,
		  nacre_error *error)
{
	*j = (nc_json){.text = text, .size = size, .arena = arena, .error = error, .what = what};
}

bool nc_json_fail(nc_json *j, size_t at, const char *format, ...)
{
	if (j->failed)
		return false;
	j->failed = true;
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(j->error, NACRE_BAD_DATA, "%s, byte %zu: %s", j->what, at, text);
	return false;
}

static bool no_memory(nc_json *j, size_t n)
{
	if (!j->failed)
		nc_no_memory(j->error, n);
	j->failed = true;
	return false;
}

/* "expected X, got Y" at the present place */
static bool expected(nc_json *j, const char *what)
{
	if (j->at >= j->size)
		return nc_json_fail(j, j->at, "expected %s, got the end", what);
	uint8_t c = j->text[j->at];
	if (c >= 0x20 && c < 0x7f)
		return nc_json_fail(j, j->at, "expected %s, got '%c'", what, c);
	return nc_json_fail(j, j->at, "expected %s, got byte 0x%02x", what, c);
}

static void skip_space(nc_json *j)
{
	while (j->at < j->size) {
		uint8_t c = j->text[j->at];
		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			break;
		j->at++;
	}
}

/* The next character that is not white space; -1 at the end or after an error. */
static int next(nc_json *j)
{
	if (j->failed)
		return -1;
	skip_space(j);
	return j->at < j->size ? j->text[j->at] : -1;
}

nc_json_kind nc_json_peek(nc_json *j)
{
	int c = next(j);
	switch (c) {
	case 'n':
		return NC_JSON_NULL;
	case 't':
	case 'f':
		return NC_JSON_BOOL;
	case '"':
		return NC_JSON_STRING;
	case '[':
		return NC_JSON_ARRAY;
	case '{':
		return NC_JSON_OBJECT;
	default:
		return c == '-' || (c >= '0' && c <= '9') ? NC_JSON_NUMBER : NC_JSON_NONE;
	}
}

static bool open_bracket(nc_json *j, int bracket, const char *what)
{
	if (next(j) != bracket)
		return expected(j, what);
	if (j->depth == NC_JSON_DEPTH)
		return nc_json_fail(j, j->at, "nested deeper than %d", NC_JSON_DEPTH);
	j->first[++j->depth] = true;
	j->at++;
	return true;
}

bool nc_json_object(nc_json *j)
{
	return open_bracket(j, '{', "an object");
}

bool nc_json_array(nc_json *j)
{
	return open_bracket(j, '[', "an array");
}

/* At a place where another element, or the closing bracket, must come: true before an element. */
static bool another(nc_json *j, int bracket, const char *what)
{
	int c = next(j);
	if (c == bracket) {
		j->at++;
		j->depth--;
		return false;
	}
	if (j->first[j->depth]) {
		j->first[j->depth] = false;
		return !j->failed;
	}
	if (c != ',')
		return expected(j, what);
	j->at++;
	return true;
}

bool nc_json_item(nc_json *j)
{
	if (!another(j, ']', "',' or ']'"))
		return false;
	if (nc_json_peek(j) == NC_JSON_NONE)
		return expected(j, "a value");
	return true;
}

bool nc_json_member(nc_json *j, nc_json_string *key)
{
	if (!another(j, '}', "',' or '}'"))
		return false;
	if (next(j) != '"')
		return expected(j, "a key");
	if (!nc_json_text(j, key))
		return false;
	if (next(j) != ':')
		return expected(j, "':'");
	j->at++;
	return true;
}

size_t nc_utf8_length(const uint8_t *p, size_t left)
{
	if (!left)
		return 0;
	uint8_t c = p[0];
	if (c < 0x80)
		return 1;
	size_t n = c >= 0xc2 && c <= 0xdf   ? 2
		   : (c & 0xf0) == 0xe0     ? 3
		   : c >= 0xf0 && c <= 0xf4 ? 4
					    : 0;
	if (!n || left < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) || /* overlong, surrogate */
	    (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f))   /* overlong, too large */
		return 0;
	return n;
}

bool nc_utf8_valid(const void *text, size_t size)
{
	const uint8_t *p = text;
	while (size) {
		size_t n = nc_utf8_length(p, size);
		if (!n)
			return false;
		p += n;
		size -= n;
	}
	return true;
}

/* Four hexadecimal digits at `at`; -1 if they are not there. */
static int32_t hex4(const nc_json *j, size_t at)
{
	if (j->size - at < 4)
		return -1;
	int32_t value = 0;
	for (size_t i = 0; i < 4; i++) {
		uint8_t c = j->text[at + i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static size_t put_utf8(char *out, uint32_t c)
{
	uint8_t *p = (uint8_t *)out;
	if (c < 0x80) {
		p[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (uint8_t)(0xc0 | c >> 6);
		p[1] = (uint8_t)(0x80 | (c & 63));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (uint8_t)(0xe0 | c >> 12);
		p[1] = (uint8_t)(0x80 | (c >> 6 & 63));
		p[2] = (uint8_t)(0x80 | (c & 63));
		return 3;
	}
	p[0] = (uint8_t)(0xf0 | c >> 18);
	p[1] = (uint8_t)(0x80 | (c >> 12 & 63));
	p[2] = (uint8_t)(0x80 | (c >> 6 & 63));
	p[3] = (uint8_t)(0x80 | (c & 63));
	return 4;
}

/* The escape after a backslash at j->at; `out` has room for 4 bytes.  0: an error was set. */
static size_t escape(nc_json *j, char *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	size_t start = j->at - 1;
	uint8_t c = j->text[j->at]; /* the string is terminated, so there is one */
	const char *found = c ? strchr(from, c) : NULL;
	if (found) {
		j->at++;
		*out = to[found - from];
		return 1;
	}
	if (c != 'u')
		return nc_json_fail(j, start, "unknown escape");
	int32_t unit = hex4(j, j->at + 1);
	if (unit < 0)
		return nc_json_fail(j, start, "\\u without four hexadecimal digits");
	j->at += 5;
	if (unit < 0xd800 || unit > 0xdfff)
		return put_utf8(out, (uint32_t)unit);
	int32_t low = -1;
	if (unit < 0xdc00 && j->size - j->at >= 6 && j->text[j->at] == '\\' &&
	    j->text[j->at + 1] == 'u')
		low = hex4(j, j->at + 2);
	if (low < 0xdc00 || low > 0xdfff)
		return nc_json_fail(j, start, "half of a surrogate pair");
	j->at += 6;
	return put_utf8(out,
			0x10000u + ((uint32_t)(unit - 0xd800) << 10) + (uint32_t)(low - 0xdc00));
}

/* The end of the string that begins at j->at (after the quote); false: unterminated. */
static bool find_quote(const nc_json *j, size_t *end)
{
	for (size_t i = j->at; i < j->size; i++) {
		if (j->text[i] == '"') {
			*end = i;
			return true;
		}
		if (j->text[i] == '\\')
			i++;
	}
	return false;
}

bool nc_json_text(nc_json *j, nc_json_string *out)
{
	*out = (nc_json_string){.data = ""};
	if (next(j) != '"')
		return expected(j, "a string");
	out->at = j->at++;
	size_t end;
	if (!find_quote(j, &end))
		return nc_json_fail(j, out->at, "the string does not end");
	/* decoding never makes a string longer */
	char *data = nc_arena_alloc(j->arena, end - j->at + 1);
	if (!data)
		return no_memory(j, end - j->at + 1);
	size_t n = 0;
	while (j->at < end) {
		uint8_t c = j->text[j->at];
		size_t step;
		if (c == '\\') {
			char bytes[4];
			j->at++;
			step = escape(j, bytes);
			if (!step)
				return false;
			memcpy(data + n, bytes, step);
			n += step;
			continue;
		}
		if (c < 0x20)
			return nc_json_fail(j, j->at, "control character 0x%02x in a string", c);
		step = nc_utf8_length(j->text + j->at, end - j->at);
		if (!step)
			return nc_json_fail(j, j->at, "not UTF-8");
		memcpy(data + n, j->text + j->at, step);
		n += step;
		j->at += step;
	}
	j->at = end + 1;
	data[n] = '\0';
	out->data = data;
	out->size = n;
	return true;
}

static bool is_digit(const nc_json *j, size_t at)
{
	return at < j->size && j->text[at] >= '0' && j->text[at] <= '9';
}

bool nc_json_u64(nc_json *j, uint64_t *out)
{
	*out = 0;
	int c = next(j);
	if (c < '0' || c > '9')
		return expected(j, "a whole number from 0");
	size_t start = j->at;
	uint64_t value = 0;
	for (; is_digit(j, j->at); j->at++)
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(j->text[j->at] - '0'), &value))
			return nc_json_fail(j, start, "the number is larger than 2^64 - 1");
	if (c == '0' && j->at - start > 1)
		return nc_json_fail(j, start, "a number with a leading zero");
	if (j->at < j->size && strchr(".eE", j->text[j->at]) && j->text[j->at])
		return nc_json_fail(j, start,
				    "expected a whole number, got a fraction or exponent");
	*out = value;
	return true;
}

/* Passes over a number by JSON's grammar. */
static bool scan_number(nc_json *j)
{
	size_t start = j->at;
	if (j->text[j->at] == '-')
		j->at++;
	size_t digits = j->at;
	while (is_digit(j, j->at))
		j->at++;
	if (j->at == digits)
		return expected(j, "a digit");
	if (j->text[digits] == '0' && j->at - digits > 1)
		return nc_json_fail(j, start, "a number with a leading zero");
	if (j->at < j->size && j->text[j->at] == '.') {
		j->at++;
		if (!is_digit(j, j->at))
			return expected(j, "a digit");
		while (is_digit(j, j->at))
			j->at++;
	}
	if (j->at < j->size && (j->text[j->at] == 'e' || j->text[j->at] == 'E')) {
		j->at++;
		if (j->at < j->size && (j->text[j->at] == '+' || j->text[j->at] == '-'))
			j->at++;
		if (!is_digit(j, j->at))
			return expected(j, "a digit");
		while (is_digit(j, j->at))
			j->at++;
	}
	return true;
}

bool nc_json_number(nc_json *j, double *out)
{
	*out = 0;
	if (nc_json_peek(j) != NC_JSON_NUMBER)
		return expected(j, "a number");
	size_t start = j->at;
	if (!scan_number(j))
		return false;
	char text[128];
	size_t n = j->at - start;
	if (n >= sizeof text)
		return nc_json_fail(j, start, "a number of %zu characters", n);
	memcpy(text, j->text + start, n);
	text[n] = '\0';
	/* strtod follows the locale of the program: hand it the decimal point it expects */
	char *point = strchr(text, '.');
	if (point)
		*point = localeconv()->decimal_point[0];
	double value = strtod(text, NULL);
	if (!isfinite(value))
		return nc_json_fail(j, start, "the number is out of range");
	*out = value;
	return true;
}

static bool word(nc_json *j, const char *text)
{
	size_t n = strlen(text);
	next(j);
	if (j->failed)
		return false;
	if (j->size - j->at < n || memcmp(j->text + j->at, text, n))
		return expected(j, text);
	j->at += n;
	return true;
}

bool nc_json_bool(nc_json *j, bool *out)
{
	*out = next(j) == 't';
	return *out ? word(j, "true") : word(j, "false");
}

bool nc_json_null(nc_json *j)
{
	return word(j, "null");
}

bool nc_json_end(nc_json *j)
{
	if (next(j) != -1)
		return expected(j, "the end");
	return !j->failed;
}
