/* SPDX-License-Identifier: MIT
 *
 * table.c - what the columns of a table are called and hold, and asking for it.
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/csv.h"
#include "format/load.h"

/* -- numbers ----------------------------------------------------------------------------------- */
/* [+-] digits [. digits] [e [+-] digits], with a digit before or behind the point. */
static bool scan_number(const char *s)
{
	int digits = 0;
	s += *s == '+' || *s == '-';
	for (; *s >= '0' && *s <= '9'; s++)
		digits++;
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++)
			digits++;
	if (!digits)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		s += *s == '+' || *s == '-';
		if (*s < '0' || *s > '9')
			return false;
		while (*s >= '0' && *s <= '9')
			s++;
	}
	return !*s;
}

/* Up to 15 digits and a power of ten up to 22 are exact in double, so one multiplication or
 * division rounds right; most numbers of tables are such.  False: not one of these. */
static bool small_number(const char *s, double *value)
{
	static const double power[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
				       1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	int64_t v = 0;
	int digits = 0, behind = 0;
	bool negative = *s == '-', point = false;
	s += *s == '+' || *s == '-';
	for (; *s; s++) {
		if (*s == '.') {
			point = true;
			continue;
		}
		if (*s < '0' || *s > '9' || ++digits > 15)
			return false;
		v = 10 * v + (*s - '0');
		behind += point;
	}
	double result = (double)v / power[behind];
	*value = negative ? -result : result;
	return true;
}

int nacre_parse_number(const char *text, double *value)
{
	char copy[160];
	if (!text || !value || !scan_number(text))
		return 0;
	if (small_number(text, value))
		return 1;
	/* strtod follows the locale of the program: hand it the decimal point it expects */
	const char *point = strchr(text, '.'), *local = localeconv()->decimal_point;
	size_t n = strlen(text), before = point ? (size_t)(point - text) : n;
	if (n > 127 || strlen(local) > 8)
		return 0;
	snprintf(copy, sizeof copy, "%.*s%s%s", (int)before, text, point ? local : "",
		 point ? point + 1 : "");
	double v = strtod(copy, NULL);
	if (!isfinite(v))
		return 0;
	*value = v;
	return 1;
}

static bool is_number(const char *s)
{
	double value;
	return nacre_parse_number(s, &value);
}

/* Most are told by their bytes: a sign, up to 15 digits, a point among them. */
bool nc_is_number(const char *s, size_t n)
{
	size_t i = *s == '-' || *s == '+', digits = 0, points = 0;
	for (; i < n; i++) {
		bool digit = (uint8_t)(s[i] - '0') < 10;
		if (!digit && s[i] != '.')
			break;
		digits += digit;
		points += !digit;
	}
	if (i == n && points <= 1 && digits <= 15)
		return digits > 0;
	return (digits || points) && is_number(s);
}

/* -- names ------------------------------------------------------------------------------------- */
/* Guesses whether the first record holds names: some column is of numbers but for it, or, where no
 * column is of numbers, its texts differ and none comes again below it. */
static bool looks_like_header(const nacre_table *t)
{
	enum { LOOK = 100 };
	int64_t rows = nc_min(t->rows, LOOK);
	bool numbers = false, again = false;
	if (!t->rows) /* all were malformed */
		return false;
	for (int c = 0; c < t->columns && t->rows == 1; c++)
		if (is_number(nc_table_field(t, 0, c)))
			return false;
	for (int c = 0; c < t->columns; c++) {
		int64_t n = 0, known = 0;
		const char *first = nc_table_field(t, 0, c);
		for (int64_t i = 1; i < rows; i++) {
			known += !nc_table_lacks(t, i, c);
			n += is_number(nc_table_field(t, i, c));
			again |= *first && strcmp(first, nc_table_field(t, i, c)) == 0;
		}
		if (known && n == known) {
			if (*first && !is_number(first))
				return true;
			numbers = true;
		}
	}
	return !numbers && !again;
}

static int by_name(const void *a, const void *b)
{
	const nc_table_column *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order : x < y ? -1 : x > y;
}

/* The names that stand twice get the numbers of their columns; *again: some did. */
static nacre_status tell_apart(nacre_table *t, void **item, bool *again, nacre_error *e)
{
	size_t n = (size_t)t->columns;
	const char *last = "";
	*again = false;
	for (size_t i = 0; i < n; i++)
		item[i] = &t->column[i];
	nc_sort(item, n, by_name);
	for (size_t i = 0; i < n; i++) {
		nc_table_column *c = item[i];
		if (!i || strcmp(c->name, last)) {
			last = c->name;
			continue;
		}
		size_t room = strlen(c->name) + 32;
		char *name = nc_arena_alloc(&t->arena, room);
		if (!name)
			return nc_no_memory(e, room);
		snprintf(name, room, "%s (column %d)", c->name, (int)(c - t->column) + 1);
		c->name = name;
		*again = true;
	}
	return NACRE_OK;
}

static nacre_status make_names_differ(nacre_table *t, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(t->runtime);
	size_t size = (size_t)t->columns * sizeof(void *);
	void **item = nc_alloc(m, size);
	if (!item)
		return nc_no_memory(e, size);
	/* again: a name just made may be there already */
	for (bool again = true; again && !e->status;)
		tell_apart(t, item, &again, e);
	nc_free(m, item, size);
	return e->status;
}

static nacre_status name_columns(nacre_table *t, nacre_error *e)
{
	for (int c = 0; c < t->columns; c++) {
		const char *given = t->header ? nc_table_field(t, 0, c) : "";
		char text[40];
		snprintf(text, sizeof text, "column %d", c + 1);
		t->column[c].name = *given ? given : nc_arena_string(&t->arena, text);
		if (!t->column[c].name)
			return nc_no_memory(e, sizeof text);
	}
	if (t->header) { /* the first record is no row */
		t->rows--;
		memmove(t->line, t->line + 1, (size_t)t->rows * sizeof *t->line);
		memmove(t->field, t->field + t->columns,
			(size_t)t->rows * (size_t)t->columns * sizeof *t->field);
	}
	return make_names_differ(t, e);
}

/* -- categories -------------------------------------------------------------------------------- */
static uint64_t hash(const char *s)
{
	uint64_t h = 0xcbf29ce484222325; /* FNV-1a */
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 0x100000001b3;
	return h ^ h >> 32;
}

/* The different texts of a column, unsorted; stops at one more than there may be. */
typedef struct different {
	int n;
	const char *text[NACRE_MAX_CATEGORIES + 1];
	const char *slot[4 * NACRE_MAX_CATEGORIES];
	size_t taken[NACRE_MAX_CATEGORIES + 1]; /* slots: to clear these alone */
} different;

static void find_different(const nacre_table *t, int column, different *d)
{
	const size_t slots = sizeof d->slot / sizeof *d->slot;
	while (d->n)
		d->slot[d->taken[--d->n]] = NULL;
	for (int64_t i = 0; i < t->rows && d->n <= NACRE_MAX_CATEGORIES; i++) {
		if (nc_table_lacks(t, i, column))
			continue;
		const char *s = nc_table_field(t, i, column);
		size_t k = hash(s) % slots;
		while (d->slot[k] && strcmp(d->slot[k], s))
			k = (k + 1) % slots;
		if (d->slot[k])
			continue;
		d->slot[k] = s;
		d->taken[d->n] = k;
		d->text[d->n++] = s;
	}
}

static int by_value(const void *a, const void *b)
{
	double x, y;
	if (nacre_parse_number(a, &x) && nacre_parse_number(b, &y) && x != y)
		return x < y ? -1 : 1;
	return strcmp(a, b);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

static nacre_status set_categories(nacre_table *t, int column, different *d, nacre_error *e)
{
	nc_table_column *c = &t->column[column];
	c->numeric = true;
	for (int i = 0; i < d->n; i++)
		c->numeric = c->numeric && is_number(d->text[i]);
	nc_sort((void **)(uintptr_t)d->text, (size_t)d->n, c->numeric ? by_value : by_bytes);
	c->category = nc_arena_copy(&t->arena, d->text, ((size_t)d->n + 1) * sizeof *d->text);
	if (!c->category)
		return nc_no_memory(e, (size_t)d->n * sizeof *d->text);
	c->n_categories = d->n;
	c->kind = NACRE_COLUMN_CATEGORY;
	return NACRE_OK;
}

/* -- kinds ------------------------------------------------------------------------------------- */
enum { FEW = 10, MANY = 256 };

typedef struct tally { /* of a column */
	int64_t numbers, missing;
} tally;

/* By rows, as the fields lie. */
static void count_kinds(const nacre_table *t, tally *of)
{
	const size_t *f = t->field;
	for (int64_t i = 0; i < t->rows; i++)
		for (int c = 0; c < t->columns; c++, f++) {
			of[c].numbers += (*f & NC_CSV_NUMBER) != 0;
			of[c].missing += (*f & NC_CSV_MISSING) != 0;
		}
}

static nacre_status guess_kind(nacre_table *t, int column, const tally *n, different *d,
			       bool *mixed, nacre_error *e)
{
	nc_table_column *c = &t->column[column];
	int64_t others = t->rows - n->numbers - n->missing;
	c->missing = n->missing;
	c->kind = NACRE_COLUMN_TEXT;
	if (n->numbers && others <= n->numbers / 20) {
		c->kind = NACRE_COLUMN_NUMBER;
		*mixed |= others > 0;
	} else if (!n->numbers && !others) {
		c->kind = NACRE_COLUMN_EMPTY;
	} else {
		find_different(t, column, d);
		if (d->n <= FEW || (d->n <= MANY && 2 * (int64_t)d->n <= n->numbers + others))
			return set_categories(t, column, d, e);
	}
	return NACRE_OK;
}

/* Leaves out the rows that have text in a column of numbers. */
static nacre_status drop_mixed(nacre_table *t, nacre_error *e)
{
	int64_t kept = 0;
	size_t columns = (size_t)t->columns;
	for (int64_t i = 0; i < t->rows; i++) {
		int wrong = -1;
		for (int c = 0; c < t->columns && wrong < 0; c++)
			if (t->column[c].kind == NACRE_COLUMN_NUMBER && !nc_table_lacks(t, i, c) &&
			    !nc_table_counts(t, i, c))
				wrong = c;
		if (wrong >= 0) {
			const char *text = nc_table_field(t, i, wrong);
			nc_quoted name =
			    nc_quote(t->column[wrong].name, strlen(t->column[wrong].name));
			if (nc_table_malformed(t, t->line[i], e, "%s: expected a number, got %s",
					       name.text, nc_quote(text, strlen(text)).text))
				return e->status;
			continue;
		}
		memmove(t->field + (size_t)kept * columns, t->field + (size_t)i * columns,
			columns * sizeof *t->field);
		t->line[kept++] = t->line[i];
	}
	t->rows = kept;
	for (int c = 0; c < t->columns; c++) {
		t->column[c].missing = 0;
		for (int64_t i = 0; i < t->rows; i++)
			t->column[c].missing += nc_table_lacks(t, i, c);
	}
	return NACRE_OK;
}

nacre_status nc_table_describe(nacre_table *t, int header, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(t->runtime);
	bool mixed = false;
	t->header = t->rows && (header > 0 || (header == 0 && looks_like_header(t)));
	t->column = nc_arena_alloc(&t->arena, (size_t)t->columns * sizeof *t->column);
	different *d = nc_zero_alloc(m, sizeof *d);
	tally *n = nc_zero_alloc(m, (size_t)t->columns * sizeof *n);
	if (!t->column || !d || !n)
		nc_no_memory(e, sizeof *d);
	else if (!name_columns(t, e))
		count_kinds(t, n);
	for (int c = 0; c < t->columns && !e->status; c++)
		guess_kind(t, c, &n[c], d, &mixed, e);
	if (!e->status && mixed)
		drop_mixed(t, e);
	nc_free(m, n, n ? (size_t)t->columns * sizeof *n : 0);
	nc_free(m, d, d ? sizeof *d : 0);
	return e->status;
}

static bool has(const nacre_table *t, int column)
{
	return t && column >= 0 && column < t->columns;
}

/* Every field that is there must be a number. */
static nacre_status check_numbers(const nacre_table *t, int column, nacre_error *e)
{
	for (int64_t i = 0; i < t->rows; i++) {
		const char *s = nc_table_field(t, i, column);
		if (!nc_table_lacks(t, i, column) && !nc_table_counts(t, i, column))
			return nc_fail(
			    e, NACRE_BAD_DATA, "line %lld: %s: expected a number, got %s",
			    (long long)t->line[i],
			    nc_quote(t->column[column].name, strlen(t->column[column].name)).text,
			    nc_quote(s, strlen(s)).text);
	}
	return NACRE_OK;
}

nacre_status nacre_table_set_kind(nacre_table *t, int column, nacre_column_kind kind,
				  nacre_error *error)
{
	nacre_error own = {0};
	if (!has(t, column) || kind < NACRE_COLUMN_NUMBER || kind > NACRE_COLUMN_TEXT)
		return nc_fail(error, NACRE_INVALID, "table_set_kind: column %d of %d, kind %d",
			       column, nacre_table_columns(t), (int)kind);
	nc_memory *m = nc_runtime_memory(t->runtime);
	nc_table_column *c = &t->column[column];
	if (kind == NACRE_COLUMN_CATEGORY && c->kind != kind) {
		different *d = nc_zero_alloc(m, sizeof *d);
		if (!d)
			return nc_no_memory(error, sizeof *d);
		find_different(t, column, d);
		if (d->n > NACRE_MAX_CATEGORIES)
			nc_fail(&own, NACRE_BAD_DATA, "%s holds more than %d different texts",
				nc_quote(c->name, strlen(c->name)).text, NACRE_MAX_CATEGORIES);
		else
			set_categories(t, column, d, &own);
		nc_free(m, d, sizeof *d);
	} else if (kind != NACRE_COLUMN_NUMBER || !check_numbers(t, column, &own)) {
		c->kind = kind;
	}
	return own.status ? nc_fail(error, own.status, "%s", own.text) : NACRE_OK;
}

/* -- asking ------------------------------------------------------------------------------------ */
static bool inside(const nacre_table *t, int64_t row, int column)
{
	return has(t, column) && row >= 0 && row < t->rows;
}

int64_t nacre_table_rows(const nacre_table *t)
{
	return t ? t->rows : 0;
}

int nacre_table_columns(const nacre_table *t)
{
	return t ? t->columns : 0;
}

int nacre_table_has_header(const nacre_table *t)
{
	return t && t->header;
}

const char *nacre_table_name(const nacre_table *t, int column)
{
	return has(t, column) ? t->column[column].name : NULL;
}

int nacre_table_find(const nacre_table *t, const char *name)
{
	for (int c = 0; t && name && c < t->columns; c++)
		if (strcmp(t->column[c].name, name) == 0)
			return c;
	return -1;
}

nacre_column_kind nacre_table_kind(const nacre_table *t, int column)
{
	return has(t, column) ? t->column[column].kind : NACRE_COLUMN_EMPTY;
}

const char *nacre_column_kind_name(nacre_column_kind kind)
{
	static const char *const name[] = {"number", "category", "text", "empty"};
	return (unsigned)kind < sizeof name / sizeof *name ? name[kind] : "?";
}

const char *nacre_table_text(const nacre_table *t, int64_t row, int column)
{
	if (!inside(t, row, column))
		return NULL;
	return nc_table_lacks(t, row, column) ? "" : nc_table_field(t, row, column);
}

double nacre_table_number(const nacre_table *t, int64_t row, int column)
{
	double value;
	if (!inside(t, row, column) || !nc_table_counts(t, row, column) ||
	    !nacre_parse_number(nc_table_field(t, row, column), &value))
		return NAN;
	return value;
}

int nacre_table_is_missing(const nacre_table *t, int64_t row, int column)
{
	return inside(t, row, column) && nc_table_lacks(t, row, column);
}

int64_t nacre_table_missing(const nacre_table *t, int column)
{
	return has(t, column) ? t->column[column].missing : 0;
}

int64_t nacre_table_line(const nacre_table *t, int64_t row)
{
	return t && row >= 0 && row < t->rows ? t->line[row] : 0;
}

int nacre_table_categories(const nacre_table *t, int column)
{
	return nacre_table_kind(t, column) == NACRE_COLUMN_CATEGORY ? t->column[column].n_categories
								    : 0;
}

const char *nacre_table_category(const nacre_table *t, int column, int i)
{
	return i >= 0 && i < nacre_table_categories(t, column) ? t->column[column].category[i]
							       : NULL;
}

int nacre_table_category_of(const nacre_table *t, int64_t row, int column)
{
	if (!inside(t, row, column) || nc_table_lacks(t, row, column))
		return -1;
	const char *s = nc_table_field(t, row, column);
	int low = 0, high = nacre_table_categories(t, column);
	const nc_table_column *c = &t->column[column];
	int (*order)(const void *, const void *) = c->numeric ? by_value : by_bytes;
	while (low < high) {
		int middle = (low + high) / 2, k = order(s, c->category[middle]);
		if (!k)
			return middle;
		if (k < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

int64_t nacre_table_malformed(const nacre_table *t)
{
	return t ? t->malformed : 0;
}

int64_t nacre_table_malformed_line(const nacre_table *t, int i)
{
	return t && i >= 0 && i < NC_CSV_LISTED && i < t->malformed ? t->malformed_line[i] : 0;
}

const char *nacre_table_malformed_text(const nacre_table *t, int i)
{
	return nacre_table_malformed_line(t, i) ? t->malformed_text[i] : NULL;
}
