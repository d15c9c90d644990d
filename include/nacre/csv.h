/* SPDX-License-Identifier: MIT
 *
 * nacre/csv.h - tables of text files: rows and named columns of numbers, categories or text.
 *
 *     nacre_table *t = nacre_table_read(NULL, "titanic.csv", NULL, &error);
 *     int age = nacre_table_find(t, "Age");
 *     for (int64_t i = 0; i < nacre_table_rows(t); i++)
 *             sum += nacre_table_number(t, i, age);      // NaN where it is missing
 *
 * The file: UTF-8, with or without a byte order mark; lines end in LF or CRLF.  Fields are
 * separated by a comma, semicolon, tab or bar, whichever the first line has most of.  A field in
 * double quotes may hold separators and line ends, and "" for a quote.  Blanks around a field do
 * not count, nor do empty lines.  A number has a decimal point, whatever the locale.  A record has
 * at most 1 MiB and 65536 fields; NUL bytes are refused.
 *
 * Missing is a field that is empty or, without quotes, one of: ? NA N/A #N/A NaN nan null NULL None
 *
 * A row is malformed if it has more or fewer fields than the first, text behind a closing quote, or
 * no number in a column of which at least 95 % are numbers.  Such rows are left out, counted and
 * named by their line; with .strict the first of them is an error.
 */
#ifndef NACRE_CSV_H
#define NACRE_CSV_H

#include "runtime.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_table nacre_table;

/* What a column holds.  Guessed: numbers, if there are some and nothing else; categories, if there
 * are at most 10 different texts, or at most 256 and each twice on average; else text; empty, if
 * all are missing. */
typedef enum nacre_column_kind {
	NACRE_COLUMN_NUMBER,
	NACRE_COLUMN_CATEGORY,
	NACRE_COLUMN_TEXT,
	NACRE_COLUMN_EMPTY
} nacre_column_kind;

enum { NACRE_MAX_CATEGORIES = 1024 }; /* different texts in a column of categories */

typedef struct nacre_table_options {
	int header;     /* 1: the first record holds names; -1: it does not; 0: guess */
	char separator; /* 0: guess */
	int strict;     /* 1: a malformed row is an error */
} nacre_table_options;

/* Reads a whole file; `options` may be NULL.  NULL after an error. */
nacre_table *nacre_table_read(nacre_runtime *runtime, const char *path,
			      const nacre_table_options *options, nacre_error *error);
void nacre_table_free(nacre_table *table);

/* All that is given out is borrowed.  Indices out of range: 0, NULL or NaN. */
int64_t nacre_table_rows(const nacre_table *table); /* without malformed ones */
int nacre_table_columns(const nacre_table *table);
int nacre_table_has_header(const nacre_table *table);
/* Names of one table differ: where the file has none, "column 3"; a name that was there before
 * becomes "age (column 3)". */
const char *nacre_table_name(const nacre_table *table, int column);
int nacre_table_find(const nacre_table *table, const char *name); /* -1: there is none */
nacre_column_kind nacre_table_kind(const nacre_table *table, int column);
const char *nacre_column_kind_name(nacre_column_kind kind); /* "number" ... */
/* Takes numbers for categories, categories for text ...; fails where that cannot be. */
nacre_status nacre_table_set_kind(nacre_table *table, int column, nacre_column_kind kind,
				  nacre_error *error);

/* A field as text, without its quotes; "" if it is missing.  As a number: NaN if it is none. */
const char *nacre_table_text(const nacre_table *table, int64_t row, int column);
double nacre_table_number(const nacre_table *table, int64_t row, int column);
int nacre_table_is_missing(const nacre_table *table, int64_t row, int column);
int64_t nacre_table_missing(const nacre_table *table, int column); /* how many */
int64_t nacre_table_line(const nacre_table *table, int64_t row);   /* in the file, from 1 */

/* Categories in order: by number where all are numbers, else by bytes. */
int nacre_table_categories(const nacre_table *table, int column);
const char *nacre_table_category(const nacre_table *table, int column, int i);
int nacre_table_category_of(const nacre_table *table, int64_t row, int column); /* -1: missing */

/* Malformed rows: how many, and of the first 100 the line and what was wrong. */
int64_t nacre_table_malformed(const nacre_table *table);
int64_t nacre_table_malformed_line(const nacre_table *table, int i); /* 0 past the end */
const char *nacre_table_malformed_text(const nacre_table *table, int i);

/* The number that a text is, by the rules above and in any locale: 1 if it is one. */
int nacre_parse_number(const char *text, double *value);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
