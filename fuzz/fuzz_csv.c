/* SPDX-License-Identifier: MIT
 *
 * fuzz_csv.c - fuzz target: tables from memory.  What was read is written again with every field
 * quoted, and must be read back as the same names and fields, whatever the separator was.
 */
#include <string.h>

#include "data/csv.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIRST = 50 }; /* what takes long is asked of so many columns */

static void put_field(nc_text *out, const char *s, bool last)
{
	nc_text_add(out, "\"");
	for (; *s; s++)
		nc_text_add(out, *s == '"' ? "\"\"" : "%c", *s);
	nc_text_add(out, last ? "\"\n" : "\",");
}

static void write_csv_again(nacre_runtime *rt, const nacre_table *t)
{
	int columns = nacre_table_columns(t);
	int64_t rows = nacre_table_rows(t);
	nc_text out;
	nc_text_init(&out, nc_runtime_memory(rt));
	for (int c = 0; c < columns; c++)
		put_field(&out, nacre_table_name(t, c), c == columns - 1);
	for (int64_t i = 0; i < rows; i++)
		for (int c = 0; c < columns; c++)
			put_field(&out, nacre_table_text(t, i, c), c == columns - 1);
	FUZZ_CHECK(!out.failed);
	nacre_error e = {0};
	nacre_table *u = nc_table_parse(rt, (const uint8_t *)out.data, out.size,
					&(nacre_table_options){.header = 1, .separator = ','}, &e);
	/* a record may have grown beyond the limit by its quotes */
	FUZZ_CHECK(u || strstr(e.text, "longer than"));
	FUZZ_CHECK(!u || nacre_table_columns(u) == columns);
	/* with malformed rows gone, a column may now be of numbers but for a few: then the rows of
	 * these few are malformed in turn */
	FUZZ_CHECK(!u || nacre_table_rows(u) + nacre_table_malformed(u) == rows);
	for (int c = 0; u && c < columns; c++) {
		FUZZ_CHECK(!strcmp(nacre_table_name(u, c), nacre_table_name(t, c)));
		for (int64_t i = 0; i < rows && !nacre_table_malformed(u); i++)
			FUZZ_CHECK(!strcmp(nacre_table_text(u, i, c), nacre_table_text(t, i, c)));
	}
	nacre_table_free(u);
	nc_text_free(&out);
}

static void ask_csv(nacre_table *t)
{
	for (int c = 0; c < nacre_table_columns(t); c++) {
		int64_t missing = 0;
		for (int64_t i = 0; i < nacre_table_rows(t); i++) {
			int k = nacre_table_category_of(t, i, c);
			bool lacks = nacre_table_is_missing(t, i, c);
			missing += lacks;
			if (nacre_table_kind(t, c) == NACRE_COLUMN_NUMBER)
				FUZZ_CHECK(lacks == (nacre_table_number(t, i, c) !=
						     nacre_table_number(t, i, c)));
			if (nacre_table_kind(t, c) != NACRE_COLUMN_CATEGORY)
				continue;
			FUZZ_CHECK((k < 0) == lacks);
			FUZZ_CHECK(k < 0 || !strcmp(nacre_table_category(t, c, k),
						    nacre_table_text(t, i, c)));
		}
		FUZZ_CHECK(missing == nacre_table_missing(t, c));
		if (c < FIRST)
			FUZZ_CHECK(nacre_table_find(t, nacre_table_name(t, c)) == c);
	}
	for (int i = 0; i < nacre_table_malformed(t) && i < NC_CSV_LISTED; i++)
		FUZZ_CHECK(nacre_table_malformed_line(t, i) > 0 &&
			   nacre_table_malformed_text(t, i)[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nacre_error e = {0};
	nacre_table *t = nc_table_parse(rt, data, size, NULL, &e);
	FUZZ_CHECK(!t == (e.status != NACRE_OK));
	FUZZ_CHECK(t || e.text[0]);
	nacre_table *strict =
	    nc_table_parse(rt, data, size, &(nacre_table_options){.strict = 1}, NULL);
	FUZZ_CHECK(!strict == (!t || nacre_table_malformed(t) > 0));
	if (t) {
		ask_csv(t);
		write_csv_again(rt, t);
		for (int c = 0; c < nacre_table_columns(t) && c < FIRST; c++)
			nacre_table_set_kind(t, c, NACRE_COLUMN_CATEGORY, NULL);
		ask_csv(t);
	}
	bool accepted = t;
	nacre_table_free(t);
	nacre_table_free(strict);
	return fuzz_done(accepted);
}
