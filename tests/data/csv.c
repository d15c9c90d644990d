/* SPDX-License-Identifier: MIT
 *
 * csv.c - tables: what is read, what is guessed, what is refused; hostile files; memory that fails.
 */
#include <inttypes.h>
#include <locale.h>
#include <time.h>

#include "data/csv.h"
#include "format/help.h"
#include "format/replay.h"

#define LLVMFuzzerTestOneInput fuzz_csv
#include "../../fuzz/fuzz_csv.c"
#undef LLVMFuzzerTestOneInput

static nacre_error error;

static nacre_table *parse(const char *text, const nacre_table_options *options)
{
	error = (nacre_error){0};
	return nc_table_parse(fuzz_runtime(), (const uint8_t *)text, strlen(text), options, &error);
}

TEST(reads_fields)
{
	nacre_table *t = parse("\xef\xbb\xbfname, \"the age\" ,city\r\n"
			       "Ann,31,\"Rome, \"\"IT\"\"\"\r\n"
			       "\r\n"
			       "Bob,NA,\"two\nlines\"\r\n"
			       " Cy ,-2.5e1,\"NA\"",
			       NULL);
	CHECK(t);
	CHECK_EQ(nacre_table_rows(t), 3);
	CHECK_EQ(nacre_table_columns(t), 3);
	CHECK(nacre_table_has_header(t));
	CHECK_STR(nacre_table_name(t, 1), "the age");
	CHECK_EQ(nacre_table_find(t, "city"), 2);
	CHECK_EQ(nacre_table_find(t, "City"), -1);
	CHECK_STR(nacre_table_text(t, 0, 2), "Rome, \"IT\"");
	CHECK_STR(nacre_table_text(t, 1, 2), "two\nlines");
	CHECK_STR(nacre_table_text(t, 2, 0), "Cy");
	CHECK_STR(nacre_table_text(t, 1, 1), "");
	CHECK(nacre_table_is_missing(t, 1, 1) && isnan(nacre_table_number(t, 1, 1)));
	CHECK(!nacre_table_is_missing(t, 2, 2)); /* in quotes it is a text */
	CHECK_STR(nacre_table_text(t, 2, 2), "NA");
	CHECK(nacre_table_number(t, 2, 1) == -25);
	CHECK_EQ(nacre_table_line(t, 0), 2);
	CHECK_EQ(nacre_table_line(t, 1), 4);
	CHECK_EQ(nacre_table_line(t, 2), 6);
	CHECK_EQ(nacre_table_missing(t, 1), 1);
	CHECK_EQ(nacre_table_kind(t, 1), NACRE_COLUMN_NUMBER);
	CHECK_EQ(nacre_table_kind(t, 2), NACRE_COLUMN_CATEGORY);
	nacre_table_free(t);
}

TEST(out_of_range)
{
	nacre_table *t = parse("a,b\n1,x\n", NULL);
	CHECK(!nacre_table_text(t, 1, 0) && !nacre_table_text(t, -1, 0));
	CHECK(!nacre_table_text(t, 0, 2) && !nacre_table_name(t, -1));
	CHECK(isnan(nacre_table_number(t, 0, 7)));
	CHECK_EQ(nacre_table_category_of(t, 5, 1), -1);
	CHECK(!nacre_table_category(t, 0, 0) && !nacre_table_category(t, 1, 1));
	CHECK_EQ(nacre_table_line(t, 1), 0);
	CHECK_EQ(nacre_table_malformed_line(t, 0), 0);
	CHECK_EQ(nacre_table_rows(NULL), 0);
	CHECK_EQ(nacre_table_find(NULL, "a"), -1);
	CHECK(!nacre_table_name(NULL, 0) && !nacre_table_malformed_text(NULL, 0));
	nacre_table_free(t);
	nacre_table_free(NULL);
}

TEST(separators_and_headers)
{
	const char *const file[] = {"a;b\n1;2,5\n", "a\tb\n1\t2\n", "a|b\n1|2\n", "a,b\n1,2\n"};
	for (int i = 0; i < 4; i++) {
		nacre_table *t = parse(file[i], NULL);
		CHECK_EQ(nacre_table_columns(t), 2);
		CHECK(nacre_table_has_header(t));
		nacre_table_free(t);
	}
	nacre_table *t = parse("1,2\n3,4\n", NULL);
	CHECK(!nacre_table_has_header(t));
	CHECK_STR(nacre_table_name(t, 1), "column 2");
	CHECK_EQ(nacre_table_rows(t), 2);
	nacre_table_free(t);
	t = parse("1,2\n3,4\n", &(nacre_table_options){.header = 1});
	CHECK_EQ(nacre_table_find(t, "2"), 1);
	nacre_table_free(t);
	t = parse("a,b\n3,4\n", &(nacre_table_options){.header = -1});
	CHECK_EQ(nacre_table_rows(t), 2);
	nacre_table_free(t);
	t = parse("red,car\nblue,car\nred,bus\n", NULL); /* texts that come again: no names */
	CHECK(!nacre_table_has_header(t));
	nacre_table_free(t);
	t = parse("150,4,setosa\n5.1,3.5,0\n4.9,3,1\n", NULL);
	CHECK(nacre_table_has_header(t));
	nacre_table_free(t);
	t = parse("a,a,,a (column 2)\n1,2,3,4\n", NULL);
	for (int c = 0; c < 4; c++)
		CHECK_EQ(nacre_table_find(t, nacre_table_name(t, c)), c);
	CHECK_STR(nacre_table_name(t, 2), "column 3");
	nacre_table_free(t);
}

TEST(malformed_rows)
{
	const char *text = "a,b\n1,x\n2\n3,y,z\n\"4\"q,x\n5,y\n";
	nacre_table *t = parse(text, NULL);
	CHECK_EQ(nacre_table_rows(t), 2);
	CHECK_EQ(nacre_table_malformed(t), 3);
	CHECK_EQ(nacre_table_malformed_line(t, 0), 3);
	CHECK_STR(nacre_table_malformed_text(t, 0), "expected 2 fields, got 1");
	CHECK_EQ(nacre_table_malformed_line(t, 1), 4);
	CHECK_EQ(nacre_table_malformed_line(t, 2), 5);
	CHECK_STR(nacre_table_malformed_text(t, 2), "there is text behind a closing quote");
	CHECK_EQ(nacre_table_line(t, 1), 6);
	nacre_table_free(t);
	CHECK(!parse(text, &(nacre_table_options){.strict = 1}));
	CHECK_EQ(error.status, NACRE_BAD_DATA);
	CHECK_STR(error.text, "line 3: expected 2 fields, got 1");
}

TEST(numbers_with_a_few_texts)
{
	char text[2000] = "n,k\n";
	for (int i = 0; i < 60; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%s\n", i,
			 i == 40 ? "oops" : "7");
	nacre_table *t = parse(text, NULL);
	CHECK_EQ(nacre_table_kind(t, 1), NACRE_COLUMN_NUMBER);
	CHECK_EQ(nacre_table_rows(t), 59);
	CHECK_EQ(nacre_table_malformed_line(t, 0), 42);
	CHECK_STR(nacre_table_malformed_text(t, 0), "\"k\": expected a number, got \"oops\"");
	CHECK(nacre_table_number(t, 40, 0) == 41);
	nacre_table_free(t);
	CHECK(!parse(text, &(nacre_table_options){.strict = 1}));
}

TEST(kinds)
{
	char text[60000] = "city,free,few,none,n\n";
	for (int i = 0; i < 600; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "c%d,t%d,%s,,%d\n",
			 i % 250, i, i % 2 ? "True" : "False", i);
	nacre_table *t = parse(text, NULL);
	CHECK_EQ(nacre_table_kind(t, 0), NACRE_COLUMN_CATEGORY);
	CHECK_EQ(nacre_table_kind(t, 1), NACRE_COLUMN_TEXT);
	CHECK_EQ(nacre_table_kind(t, 2), NACRE_COLUMN_CATEGORY);
	CHECK_EQ(nacre_table_kind(t, 3), NACRE_COLUMN_EMPTY);
	CHECK_EQ(nacre_table_kind(t, 4), NACRE_COLUMN_NUMBER);
	CHECK_EQ(nacre_table_categories(t, 0), 250);
	CHECK_EQ(nacre_table_categories(t, 4), 0);
	CHECK_EQ(nacre_table_category_of(t, 3, 2), 1);
	CHECK(!nacre_table_set_kind(t, 4, NACRE_COLUMN_CATEGORY, &error));
	CHECK_EQ(nacre_table_categories(t, 4), 600);
	CHECK_STR(nacre_table_category(t, 4, 10), "10"); /* by number, not 1, 10, 100 */
	CHECK_EQ(nacre_table_category_of(t, 123, 4), 123);
	CHECK(!nacre_table_set_kind(t, 4, NACRE_COLUMN_NUMBER, &error));
	CHECK_EQ(nacre_table_set_kind(t, 1, NACRE_COLUMN_NUMBER, &error), NACRE_BAD_DATA);
	CHECK_STR(error.text, "line 2: \"free\": expected a number, got \"t0\"");
	CHECK_EQ(nacre_table_set_kind(t, 9, NACRE_COLUMN_TEXT, NULL), NACRE_INVALID);
	nacre_table_free(t);
}

TEST(too_many_categories)
{
	size_t room = 20000, n = 0;
	char *text = malloc(room);
	for (int i = 0; i <= NACRE_MAX_CATEGORIES; i++)
		n += (size_t)snprintf(text + n, room - n, "v%d\n", i);
	nacre_table *t = parse(text, &(nacre_table_options){.header = -1});
	error = (nacre_error){0};
	CHECK_EQ(nacre_table_set_kind(t, 0, NACRE_COLUMN_CATEGORY, &error), NACRE_BAD_DATA);
	CHECK_EQ(nacre_table_kind(t, 0), NACRE_COLUMN_TEXT);
	nacre_table_free(t);
	free(text);
}

static void check_number(const char *text, double expected)
{
	double v = 0;
	if (!nacre_parse_number(text, &v) || v < expected || v > expected)
		test_failed(__FILE__, __LINE__, "%s gives %.17g", text, v);
}

static void check_numbers_all(void)
{
	static const char *const not [] = {"",    "-",     "+",     ".",  "e5",   "1e",
					   "1e+", "1,5",   " 1",    "1 ", "0x10", "inf",
					   "nan", "1e999", "1.2.3", "--1"};
	double v = 7;
	for (size_t i = 0; i < sizeof not / sizeof *not ; i++)
		CHECK(!nacre_parse_number(not [i], &v));
	CHECK(v > 6.9); /* untouched */
	check_number("0", 0);
	check_number("-12.75", -12.75);
	check_number("+.5", 0.5);
	check_number("5.", 5);
	check_number("0.1", 0.1);
	check_number("1e-3", 1e-3);
	check_number("2.5E+10", 2.5e10);
	check_number("123456789.123456789", 123456789.123456789);
	check_number("999999999999999", 999999999999999);
	check_number("1.7976931348623157e308", 1.7976931348623157e308);
}

TEST(numbers)
{
	check_numbers_all();
	char text[40];
	for (int i = 0; i < 20000; i++) { /* all that is printed comes back */
		double v = test_uniform(-1, 1) * pow(10, (double)(int)test_uniform(-20, 20));
		snprintf(text, sizeof text, "%.*g", 1 + (int)(test_random() % 17), v);
		check_number(text, strtod(text, NULL));
	}
	/* where the decimal point is a comma, if such a locale is there */
	if (setlocale(LC_NUMERIC, "de_DE.UTF-8") || setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		check_numbers_all();
	setlocale(LC_NUMERIC, "C");
}

TEST(refused)
{
	static const struct {
		const char *text, *says;
	} row[] = {
	    {"", "the table is empty"},
	    {"\n\r\n", "the table is empty"},
	    {"a\nM\xfcller\n", "line 2: byte 0xfc is not UTF-8; try: iconv -f latin1 -t utf-8"},
	    {"a,b\n1,2\n\"x,3\n4,5\n", "line 3: a quote is opened and never closed"},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		CHECK(!parse(row[i].text, NULL));
		CHECK_EQ(error.status, NACRE_BAD_DATA);
		CHECK_STR(error.text, row[i].says);
	}
	error = (nacre_error){0};
	CHECK(!nc_table_parse(fuzz_runtime(), (const uint8_t *)"a\n1\n\0", 5, NULL, &error));
	CHECK_STR(error.text, "line 3: a NUL byte: expected a table of text");
}

/* -- files ------------------------------------------------------------------------------------- */
TEST(from_a_file)
{
	const char *path = temporary("table.csv");
	error = (nacre_error){0};
	CHECK(!nacre_table_read(NULL, path, NULL, &error));
	CHECK_EQ(error.status, NACRE_IO);
	put_file(path, "a,b\n1,2\n3\n", 10);
	nacre_table *t = nacre_table_read(NULL, path, NULL, NULL);
	CHECK_EQ(nacre_table_rows(t), 1);
	nacre_table_free(t);
	error = (nacre_error){0};
	CHECK(!nacre_table_read(NULL, path, &(nacre_table_options){.strict = 1}, &error));
	CHECK(strncmp(error.text, path, strlen(path)) == 0 && strstr(error.text, ": line 3: "));
	error = (nacre_error){0};
	CHECK(!nacre_table_read(NULL, path, &(nacre_table_options){.separator = '"'}, &error));
	CHECK_EQ(error.status, NACRE_INVALID);
	error = (nacre_error){0};
	CHECK(!nacre_table_read(NULL, NULL, NULL, &error));
	CHECK_EQ(error.status, NACRE_INVALID);
	unlink(path);
}

static bool read_it(nacre_runtime *rt, nacre_error *e)
{
	static const char text[] = "a,b,a\n1,x,\n2,y,7\n3\n4,x,9\n";
	nacre_table *t = nc_table_parse(rt, (const uint8_t *)text, sizeof text - 1, NULL, e);
	bool ok = t && !nacre_table_set_kind(t, 0, NACRE_COLUMN_CATEGORY, e);
	nacre_table_free(t);
	return ok;
}

TEST(memory_that_fails)
{
	fail_each_allocation(read_it);
}

/* -- hostile ----------------------------------------------------------------------------------- */
TEST(limits)
{
	size_t n = (size_t)NC_CSV_RECORD + 100;
	char *text = malloc(n + 1);
	memset(text, 'x', n);
	text[n] = '\0';
	CHECK(!parse(text, NULL));
	CHECK(strstr(error.text, "longer than"));
	memset(text, ',', NC_CSV_COLUMNS);
	text[NC_CSV_COLUMNS] = '\0';
	CHECK(!parse(text, NULL));
	CHECK_STR(error.text, "line 1: more than 65536 fields");
	text[NC_CSV_COLUMNS - 1] = '\0';
	nacre_table *t = parse(text, NULL);
	CHECK_EQ(nacre_table_columns(t), NC_CSV_COLUMNS);
	nacre_table_free(t);
	free(text);
}

/* Much in little: each within two seconds and within memory in proportion to the file. */
static void repeat(const char *head, const char *text, size_t times)
{
	size_t one = strlen(text), at = strlen(head), n = at + times * one;
	char *file = malloc(n + 1);
	memcpy(file, head, at);
	for (size_t i = 0; i < times; i++, at += one)
		memcpy(file + at, text, one);
	test_memory memory;
	nacre_runtime *rt = test_runtime(&memory);
	clock_t start = clock();
	nacre_table_free(nc_table_parse(rt, (const uint8_t *)file, n, NULL, NULL));
	CHECK((double)(clock() - start) / CLOCKS_PER_SEC < 4);
	CHECK(memory.peak < 40 * n + (64 << 20));
	nacre_runtime_free(rt);
	free(file);
}

TEST(bombs)
{
	repeat("a,b\n", "1\n", 500000);
	repeat("a\n", "\"\"\n", 300000);
	repeat("a\n", "\"\"\"\n", 300001);
	repeat("", "\n", 1000000);
	repeat("a,b,c,d\n", ",,,\n", 300000);
	repeat("x", ",x", 60000);
	repeat("", "x (column 2),", 60000);
	repeat("a\n", "?\n", 500000);
}

/* Prefixes, of exact size for the sanitizer, and flipped bits. */
static void damage_file(const char *name, const uint8_t *data, size_t n, void *context)
{
	(void)name, (void)context;
	if (n == 0 || n >= 1000)
		return;
	uint8_t *copy = malloc(n);
	for (size_t k = 0; k < n; k++) {
		uint8_t *prefix = malloc(k ? k : 1);
		memcpy(prefix, data, k);
		fuzz_csv(prefix, k);
		free(prefix);
	}
	memcpy(copy, data, n);
	for (size_t i = 0; i < 8 * n; i++) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		fuzz_csv(copy, n);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(copy);
}

TEST(corpus_and_its_damage)
{
	replay("csv", fuzz_csv, 20, 14);
	corpus_each("csv", damage_file, NULL);
}
