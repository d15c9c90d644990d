/* SPDX-License-Identifier: MIT
 *
 * csv.h - the inside of a table.
 *
 * All fields stand in one block of text, unquoted and terminated; a field is the place where it
 * begins there.  A separator or a line end follows each field of the file, so the block is never
 * longer than the file and one byte.
 */
#ifndef NC_CSV_H
#define NC_CSV_H

#include "base/base.h"
#include "base/runtime.h"
#include "nacre/csv.h"

enum {
	NC_CSV_RECORD = 1 << 20,  /* the most bytes of a record */
	NC_CSV_COLUMNS = 1 << 16, /* the most fields */
	NC_CSV_LISTED = 100       /* malformed rows that are kept with a text */
};
/* set in a field's place: it is missing; it is a number */
#define NC_CSV_MISSING ((size_t)1 << 63)
#define NC_CSV_NUMBER ((size_t)1 << 62)

typedef struct nc_table_column {
	const char *name;
	nacre_column_kind kind;
	int64_t missing;
	int n_categories;
	const char **category; /* sorted */
	bool numeric;          /* by value: all are numbers */
} nc_table_column;

struct nacre_table {
	nacre_runtime *runtime;
	nc_arena arena; /* names, categories, texts of malformed rows */
	char *text;
	size_t text_room;
	bool header, strict;
	int columns;
	int64_t rows;
	size_t *field; /* [rows][columns] */
	size_t fields, field_room;
	int64_t *line; /* [rows] */
	size_t line_room;
	nc_table_column *column;
	int64_t malformed;
	int64_t malformed_line[NC_CSV_LISTED];
	const char *malformed_text[NC_CSV_LISTED];
};

/* From bytes in memory.  NULL after an error. */
nacre_table *nc_table_parse(nacre_runtime *rt, const uint8_t *bytes, size_t size,
			    const nacre_table_options *options, nacre_error *e);

static inline const char *nc_table_field(const nacre_table *t, int64_t row, int column)
{
	return t->text + (t->field[(size_t)row * (size_t)t->columns + (size_t)column] &
			  ~(NC_CSV_MISSING | NC_CSV_NUMBER));
}
static inline bool nc_table_lacks(const nacre_table *t, int64_t row, int column)
{
	return t->field[(size_t)row * (size_t)t->columns + (size_t)column] & NC_CSV_MISSING;
}
static inline bool nc_table_counts(const nacre_table *t, int64_t row, int column)
{
	return t->field[(size_t)row * (size_t)t->columns + (size_t)column] & NC_CSV_NUMBER;
}

/* Whether n bytes, which a NUL follows, are a number. */
bool nc_is_number(const char *s, size_t n);

/* Counts a malformed row; an error if the table is strict or there is no memory. */
nacre_status nc_table_malformed(nacre_table *t, int64_t line, nacre_error *e, const char *format,
				...) NC_PRINTF(4, 5);
/* Takes the first record for names, or makes some; guesses the kinds; leaves out what is malformed
 * by them. */
nacre_status nc_table_describe(nacre_table *t, int header, nacre_error *e);

#endif
