/* SPDX-License-Identifier: MIT
 *
 * csv.c - reading a table: bytes to records of fields.  What the columns hold is found in table.c.
 */
#include "data/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "format/json.h"
#include "format/load.h"

typedef struct reader {
	nacre_table *t;
	const uint8_t *first, *p, *end;
	char separator;
	bool stop[256]; /* bytes that may end a field without quotes */
	int64_t line;	/* of *p, from 1 */
	size_t used;  /* bytes of t->text */
	nacre_error *error;
} reader;

nacre_status nc_table_malformed(nacre_table *t, int64_t line, nacre_error *e, const char *format,
				...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (t->strict)
		return nc_fail(e, NACRE_BAD_DATA, "line %lld: %s", (long long)line, text);
	if (t->malformed < NC_CSV_LISTED) {
		const char *copy = nc_arena_string(&t->arena, text);
		if (!copy)
			return nc_no_memory(e, strlen(text));
		t->malformed_line[t->malformed] = line;
		t->malformed_text[t->malformed] = copy;
	}
	t->malformed++;
	return NACRE_OK;
}

/* -- the whole file ---------------------------------------------------------------------------- */
/* Eight bytes at once: none is NUL, all are ASCII. */
static bool plain_bytes(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return !((v | (v - 0x0101010101010101u)) & 0x8080808080808080u);
}

static int64_t line_of(const uint8_t *bytes, size_t at)
{
	int64_t line = 1;
	for (size_t i = 0; i < at; i++)
		line += bytes[i] == '\n';
	return line;
}

/* Bytes that no table may hold; the error names the line. */
static nacre_status check_bytes(const uint8_t *p, size_t size, nacre_error *e)
{
	for (size_t i = 0, n; i < size; i += n) {
		if (size - i >= 8 && plain_bytes(p + i)) {
			n = 8;
			continue;
		}
		n = p[i] < 0x80 ? 1 : nc_utf8_length(p + i, size - i);
		if (!p[i])
			return nc_fail(e, NACRE_BAD_DATA,
				       "line %lld: a NUL byte: expected a table of text",
				       (long long)line_of(p, i));
		if (!n)
			return nc_fail(e, NACRE_BAD_DATA,
				       "line %lld: byte 0x%02x is not UTF-8; try: iconv -f latin1 "
				       "-t utf-8",
				       (long long)line_of(p, i), p[i]);
	}
	return NACRE_OK;
}

/* Whichever the first line that is not empty has most of, outside of quotes. */
static char guess_separator(const uint8_t *p, size_t size)
{
	static const char candidate[] = ",;\t|";
	int64_t count[sizeof candidate - 1] = {0};
	bool quoted = false, seen = false;
	int best = 0;
	for (size_t i = 0; i < size && i < NC_CSV_RECORD; i++) {
		if (p[i] == '\n' && !quoted && seen)
			break;
		seen |= p[i] != '\n' && p[i] != '\r';
		quoted ^= p[i] == '"';
		for (int k = 0; !quoted && k < (int)sizeof candidate - 1; k++)
			count[k] += p[i] == (uint8_t)candidate[k];
	}
	for (int k = 1; k < (int)sizeof candidate - 1; k++)
		if (count[k] > count[best])
			best = k;
	return candidate[best];
}

/* -- fields ------------------------------------------------------------------------------------ */
static bool is_missing(const char *s, size_t n)
{
	static const char *const marker[] = {"?",   "NA",   "N/A",  "#N/A", "NaN",
					     "nan", "null", "NULL", "None"};
	if (n > 4) /* longer than all of them */
		return false;
	for (size_t i = 0; n && i < sizeof marker / sizeof *marker; i++)
		if (marker[i][0] == s[0] && strlen(marker[i]) == n && memcmp(marker[i], s, n) == 0)
			return true;
	return !n;
}

static bool is_blank(const reader *r, uint8_t c)
{
	return (c == ' ' || c == '\t') && (char)c != r->separator;
}

static bool at_line_end(const reader *r, const uint8_t *p)
{
	return p == r->end || *p == '\n' || (*p == '\r' && (p + 1 == r->end || p[1] == '\n'));
}

/* Twice the room, or, once there is something to judge by, as much as the rest will need if it goes
 * on like this. */
static size_t more_room(const reader *r)
{
	enum { JUDGED = 65536 };
	double done = (double)(r->p - r->first), all = (double)(r->end - r->first);
	size_t room = r->t->field_room ? 2 * r->t->field_room : 256;
	double need = done > JUDGED ? (double)r->t->fields * (all / done) * 1.05 : 0;
	return need > (double)r->t->fields + 256 ? (size_t)need : room;
}

/* Room for n fields; what was there stays. */
static bool reserve_fields(nacre_table *t, size_t n)
{
	size_t size;
	size_t *field = NULL;
	if (nc_mul(n, sizeof *field, &size))
		field = nc_realloc(nc_runtime_memory(t->runtime), t->field,
				   t->field_room * sizeof *field, size);
	if (field) {
		t->field = field;
		t->field_room = n;
	}
	return field;
}

/* A number between quotes counts, missing does not: "NA" is a text. */
static nacre_status add_field(reader *r, size_t begin, bool quoted)
{
	nacre_table *t = r->t;
	size_t n = r->used - begin;
	const char *s = t->text + begin;
	if (t->fields == t->field_room) {
		size_t room = more_room(r);
		if (!reserve_fields(t, room))
			return nc_no_memory(r->error, room * sizeof *t->field);
	}
	t->text[r->used++] = '\0';
	size_t mark = nc_is_number(s, n) ? NC_CSV_NUMBER : 0;
	if (!mark && (quoted ? !n : is_missing(s, n)))
		mark = NC_CSV_MISSING;
	t->field[t->fields++] = begin | mark;
	return NACRE_OK;
}

/* From behind the opening quote to behind the closing one; false: it never closes. */
static bool quoted_text(reader *r)
{
	for (; r->p < r->end; r->p++) {
		if (*r->p == '"') {
			if (r->p + 1 == r->end || r->p[1] != '"') {
				r->p++;
				return true;
			}
			r->p++;
		}
		r->line += *r->p == '\n';
		r->t->text[r->used++] = (char)*r->p;
	}
	return false;
}

static void plain_text(reader *r)
{
	const uint8_t *p = r->p;
	char *from = r->t->text + r->used, *to = from;
	for (; p < r->end; p++) {
		/* only where a line ends: \r within one is a byte like others */
		if (r->stop[*p] && (*p != '\r' || at_line_end(r, p)))
			break;
		*to++ = (char)*p;
	}
	while (to > from && is_blank(r, (uint8_t)to[-1]))
		to--;
	r->p = p;
	r->used += (size_t)(to - from);
}

/* One field; *stray is set if there is text behind a closing quote. */
static nacre_status read_field(reader *r, bool *stray)
{
	size_t begin = r->used;
	int64_t opened = r->line;
	while (r->p < r->end && is_blank(r, *r->p))
		r->p++;
	bool quoted = r->p < r->end && *r->p == '"';
	if (quoted) {
		r->p++;
		if (!quoted_text(r))
			return nc_fail(r->error, NACRE_BAD_DATA,
				       "line %lld: a quote is opened and never closed",
				       (long long)opened);
		while (!at_line_end(r, r->p) && (char)*r->p != r->separator) {
			*stray |= !is_blank(r, *r->p);
			r->p++;
		}
	} else {
		plain_text(r);
	}
	return add_field(r, begin, quoted);
}

/* -- records ----------------------------------------------------------------------------------- */
static nacre_status add_line(reader *r, int64_t line)
{
	nacre_table *t = r->t;
	if ((size_t)t->rows == t->line_room) {
		size_t room = t->line_room ? 2 * t->line_room : 64;
		int64_t *p = nc_realloc(nc_runtime_memory(t->runtime), t->line,
					t->line_room * sizeof *p, room * sizeof *p);
		if (!p)
			return nc_no_memory(r->error, room * sizeof *p);
		t->line = p;
		t->line_room = room;
	}
	t->line[t->rows++] = line;
	return NACRE_OK;
}

/* The fields of a record up to and with its line end. */
static nacre_status read_fields(reader *r, int64_t line, int64_t *n, bool *stray)
{
	const uint8_t *from = r->p;
	for (bool more = true; more;) {
		if (*n == NC_CSV_COLUMNS)
			return nc_fail(r->error, NACRE_BAD_DATA, "line %lld: more than %d fields",
				       (long long)line, NC_CSV_COLUMNS);
		if (read_field(r, stray))
			return r->error->status;
		++*n;
		if (r->p - from > NC_CSV_RECORD)
			return nc_fail(r->error, NACRE_BAD_DATA, "line %lld: longer than %d bytes",
				       (long long)line, NC_CSV_RECORD);
		more = r->p < r->end && (char)*r->p == r->separator;
		r->p += more;
	}
	if (r->p < r->end && *r->p == '\r')
		r->p++;
	if (r->p < r->end) {
		r->p++;
		r->line++;
	}
	return NACRE_OK;
}

static nacre_status read_record(reader *r)
{
	nacre_table *t = r->t;
	size_t fields = t->fields, used = r->used;
	int64_t line = r->line, n = 0;
	bool stray = false;
	if (at_line_end(r, r->p)) { /* an empty line */
		r->p += *r->p == '\r';
		if (r->p < r->end) {
			r->p++;
			r->line++;
		}
		return NACRE_OK;
	}
	if (read_fields(r, line, &n, &stray))
		return r->error->status;
	if (!t->columns)
		t->columns = (int)n;
	if (n == t->columns && !stray)
		return add_line(r, line);
	t->fields = fields;
	r->used = used;
	if (stray)
		return nc_table_malformed(t, line, r->error,
					  "there is text behind a closing quote");
	return nc_table_malformed(t, line, r->error, "expected %d field%s, got %lld", t->columns,
				  t->columns == 1 ? "" : "s", (long long)n);
}

nacre_table *nc_table_parse(nacre_runtime *rt, const uint8_t *bytes, size_t size,
			    const nacre_table_options *options, nacre_error *e)
{
	nacre_error own = {0};
	nacre_error *error = e ? e : &own;
	nc_memory *m = nc_runtime_memory(rt);
	if (size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3)) {
		bytes += 3;
		size -= 3;
	}
	if (check_bytes(bytes, size, error))
		return NULL;
	nacre_table *t = nc_zero_alloc(m, sizeof *t);
	if (!t) {
		nc_no_memory(error, sizeof *t);
		return NULL;
	}
	t->runtime = rt;
	t->strict = options && options->strict;
	nc_arena_init(&t->arena, m);
	t->text_room = size + 1;
	t->text = nc_alloc(m, t->text_room);
	reader r = {.t = t, .first = bytes, .p = bytes, .end = bytes + size, .line = 1,
		    .error = error};
	r.separator =
	    options && options->separator ? options->separator : guess_separator(bytes, size);
	r.stop[(uint8_t)r.separator] = r.stop['\n'] = r.stop['\r'] = true;
	if (!t->text)
		nc_no_memory(error, t->text_room);
	while (!error->status && r.p < r.end)
		read_record(&r);
	if (!error->status && !t->columns)
		nc_fail(error, NACRE_BAD_DATA, "the table is empty");
	if (!error->status && !nc_table_describe(t, options ? options->header : 0, error))
		return t;
	nacre_table_free(t);
	return NULL;
}

nacre_table *nacre_table_read(nacre_runtime *runtime, const char *path,
			      const nacre_table_options *options, nacre_error *e)
{
	nacre_runtime *rt = nc_runtime(runtime);
	nc_bytes bytes;
	if (!rt || !path) {
		nc_fail(e, NACRE_INVALID, "%s",
			path ? "there is no default runtime" : "the path is NULL");
		return NULL;
	}
	char s = options ? options->separator : 0;
	if (s == '"' || s == '\n' || s == '\r' || s == ' ') {
		nc_fail(e, NACRE_INVALID, "%.300s: byte 0x%02x cannot separate fields", path, s);
		return NULL;
	}
	if (nc_file_map(path, &bytes, e))
		return NULL;
	nacre_error inner = {0};
	nacre_table *t = nc_table_parse(rt, bytes.data, bytes.size, options, &inner);
	if (!t)
		nc_fail_in(e, path, &inner);
	nc_bytes_free(nc_runtime_memory(rt), &bytes);
	return t;
}

void nacre_table_free(nacre_table *t)
{
	if (!t)
		return;
	nc_memory *m = nc_runtime_memory(t->runtime);
	nc_free(m, t->text, t->text ? t->text_room : 0);
	nc_free(m, t->field, t->field_room * sizeof *t->field);
	nc_free(m, t->line, t->line_room * sizeof *t->line);
	nc_arena_free(&t->arena);
	nc_free(m, t, sizeof *t);
}
