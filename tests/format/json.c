/* SPDX-License-Identifier: MIT
 *
 * json.c - the strict JSON reader: what it takes, what it refuses and where.
 */
#include <locale.h>

#include "format/json.h"
#include "test.h"

static nc_memory memory;
static nc_arena arena;
static nacre_error error;
static nc_json j;

static void start(const char *text, size_t n)
{
	nc_memory_init(&memory, NULL);
	nc_arena_init(&arena, &memory);
	error = (nacre_error){0};
	nc_json_init(&j, text, n, &arena, "test", &error);
}

static void finish(void)
{
	nc_arena_free(&arena);
	CHECK_EQ(memory.blocks, 0);
}

/* Reads a value of any kind without keeping it. */
static bool walk(int depth)
{
	nc_json_string s;
	uint64_t u;
	double d;
	bool b;
	switch (nc_json_peek(&j)) {
	case NC_JSON_NULL:
		return nc_json_null(&j);
	case NC_JSON_BOOL:
		return nc_json_bool(&j, &b);
	case NC_JSON_STRING:
		return nc_json_text(&j, &s);
	case NC_JSON_NUMBER:
		return depth % 2 && j.text[j.at] != '-' ? nc_json_u64(&j, &u)
							: nc_json_number(&j, &d);
	case NC_JSON_ARRAY:
		nc_json_array(&j);
		while (nc_json_item(&j) && walk(depth))
			;
		return !j.failed;
	case NC_JSON_OBJECT:
		nc_json_object(&j);
		while (nc_json_member(&j, &s) && walk(depth))
			;
		return !j.failed;
	default:
		return nc_json_null(&j);
	}
}

static void check(const char *text, const char *expected)
{
	start(text, strlen(text));
	bool ok = walk(0) && nc_json_end(&j);
	CHECK(ok == !*expected);
	CHECK_STR(error.text, expected);
	finish();
}

TEST(accepts)
{
	check("null", "");
	check(" true ", "");
	check("\t\r\n[ ]", "");
	check("{}", "");
	check("[1,-0,0.5,1e3,-1.25E-2,true,false,null,\"\",{},[]]", "");
	check("{\"a\":{\"b\":[{\"c\":1}]},\"d\":[[[[]]]]}", "");
	check("\"\\u00e9\\uD83D\\uDE00 \xc3\xa9 \xf0\x9f\x98\x80\"", "");
}

TEST(refuses)
{
	check("", "test, byte 0: expected null, got the end");
	check("nul", "test, byte 0: expected null, got 'n'");
	check("[1,]", "test, byte 3: expected a value, got ']'");
	check("[1 2]", "test, byte 3: expected ',' or ']', got '2'");
	check("[", "test, byte 1: expected a value, got the end");
	check("[1", "test, byte 2: expected ',' or ']', got the end");
	check("{\"a\" 1}", "test, byte 5: expected ':', got '1'");
	check("{a:1}", "test, byte 1: expected a key, got 'a'");
	check("{\"a\":1,}", "test, byte 7: expected a key, got '}'");
	check("[1]x", "test, byte 3: expected the end, got 'x'");
	check("01", "test, byte 0: a number with a leading zero");
	check("-", "test, byte 1: expected a digit, got the end");
	check("1.", "test, byte 2: expected a digit, got the end");
	check("1e", "test, byte 2: expected a digit, got the end");
	check("+1", "test, byte 0: expected null, got '+'");
	check("1e999", "test, byte 0: the number is out of range");
	check("NaN", "test, byte 0: expected null, got 'N'");
	check("\"a", "test, byte 0: the string does not end");
	check("\"\\", "test, byte 0: the string does not end");
	check("\"\x01\"", "test, byte 1: control character 0x01 in a string");
	check("\"\xc0\x80\"", "test, byte 1: not UTF-8");
	check("\"\xed\xa0\x80\"", "test, byte 1: not UTF-8");
	check("\"\xf4\x90\x80\x80\"", "test, byte 1: not UTF-8");
	check("\"\xe9\"", "test, byte 1: not UTF-8");
	check("\"\\x\"", "test, byte 1: unknown escape");
	check("\"\\u12\"", "test, byte 1: \\u without four hexadecimal digits");
	check("\"\\ud800\"", "test, byte 1: half of a surrogate pair");
	check("\"\\ud800\\u0020\"", "test, byte 1: half of a surrogate pair");
	check("\"\\udc00\"", "test, byte 1: half of a surrogate pair");
	check("// comment", "test, byte 0: expected null, got '/'");
	check("'a'", "test, byte 0: expected null, got '''");
	check("[\xff]", "test, byte 1: expected a value, got byte 0xff");
}

TEST(depth)
{
	char text[2 * NC_JSON_DEPTH + 3];
	memset(text, '[', NC_JSON_DEPTH);
	memset(text + NC_JSON_DEPTH, ']', NC_JSON_DEPTH);
	text[2 * NC_JSON_DEPTH] = '\0';
	check(text, "");
	memset(text, '[', NC_JSON_DEPTH + 1);
	memset(text + NC_JSON_DEPTH + 1, ']', NC_JSON_DEPTH + 1);
	text[2 * NC_JSON_DEPTH + 2] = '\0';
	check(text, "test, byte 64: nested deeper than 64");
}

static void check_string(const char *text, const char *data, size_t size)
{
	nc_json_string s;
	start(text, strlen(text));
	CHECK(nc_json_text(&j, &s));
	CHECK_EQ(s.size, size);
	CHECK(!memcmp(s.data, data, size + 1));
	finish();
}

TEST(strings)
{
	check_string("\"abc\"", "abc", 3);
	check_string("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
	check_string("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
		     "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10);
	check_string("\"a\\u0000b\"", "a\0b", 3);
	check_string("\"\\ud7ff\\ue000\\uffff\"", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 9);
	check_string("\"\\udbff\\udfff\"", "\xf4\x8f\xbf\xbf", 4);
}

static void check_u64(const char *text, uint64_t value, const char *expected)
{
	uint64_t u;
	start(text, strlen(text));
	CHECK(nc_json_u64(&j, &u) == !*expected);
	CHECK_STR(error.text, expected);
	CHECK(u == value);
	finish();
}

TEST(whole_numbers)
{
	check_u64("0", 0, "");
	check_u64(" 18446744073709551615", UINT64_MAX, "");
	check_u64("18446744073709551616", 0, "test, byte 0: the number is larger than 2^64 - 1");
	check_u64("99999999999999999999999", 0, "test, byte 0: the number is larger than 2^64 - 1");
	check_u64("-1", 0, "test, byte 0: expected a whole number from 0, got '-'");
	check_u64("1.0", 0, "test, byte 0: expected a whole number, got a fraction or exponent");
	check_u64("1e2", 0, "test, byte 0: expected a whole number, got a fraction or exponent");
	check_u64("00", 0, "test, byte 0: a number with a leading zero");
	check_u64("\"1\"", 0, "test, byte 0: expected a whole number from 0, got '\"'");
}

static void check_number(const char *text, double value)
{
	double d;
	start(text, strlen(text));
	CHECK(nc_json_number(&j, &d));
	CHECK(d == value);
	finish();
}

TEST(numbers)
{
	check_number("0.1", 0.1);
	check_number("-0", 0);
	check_number("1.7976931348623157e308", 1.7976931348623157e308);
	check_number("5e-324", 5e-324);
	char *was = setlocale(LC_NUMERIC, "de_DE.UTF-8"); /* where the program uses a comma */
	check_number("2.5", 2.5);
	CHECK(setlocale(LC_NUMERIC, "C") || was);
}

TEST(no_numbers)
{
	double d;
	start("x", 1);
	CHECK(!nc_json_number(&j, &d));
	CHECK_STR(error.text, "test, byte 0: expected a number, got 'x'");
	finish();
	char digits[200];
	memset(digits, '1', sizeof digits);
	start(digits, sizeof digits);
	CHECK(!nc_json_number(&j, &d));
	CHECK_STR(error.text, "test, byte 0: a number of 200 characters");
	finish();
	start("{\"a\":\"b", 7);
	nc_json_string s;
	CHECK(nc_json_object(&j) && nc_json_member(&j, &s) && !nc_json_text(&j, &s));
	CHECK(!nc_json_number(&j, &d) && !nc_json_null(&j));
	finish();
}

TEST(first_error_stays)
{
	nc_json_string s;
	uint64_t u;
	start("{\"a\":x}", 7);
	CHECK(nc_json_object(&j) && nc_json_member(&j, &s));
	CHECK(!nc_json_u64(&j, &u));
	CHECK(!nc_json_member(&j, &s) && !nc_json_item(&j) && !nc_json_end(&j) &&
	      !nc_json_array(&j));
	CHECK_STR(error.text, "test, byte 5: expected a whole number from 0, got 'x'");
	finish();
}

TEST(utf8)
{
	CHECK(nc_utf8_valid("", 0));
	CHECK_EQ(nc_utf8_length((const uint8_t *)"", 0), 0);
	CHECK(nc_utf8_valid(
	    "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 19));
	static const char *const bad[] = {
	    "\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xf5\x80\x80\x80",
	    "\xc2", "\xe2\x82", "\xf0\x9f\x98", "\xc2\x41"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(!nc_utf8_valid(bad[i], strlen(bad[i])));
}
