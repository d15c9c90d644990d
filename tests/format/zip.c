/* SPDX-License-Identifier: MIT
 *
 * zip.c - zip archives: written and read again, and archives that lie.
 */
#include "format/zip.h"

#include "base/crc.h"
#include "format/sweep.h"
#ifdef NACRE_HAVE_ZLIB
#include <zlib.h>
#endif

static bool read_zip(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nc_zip z;
	if (nc_zip_open(nc_runtime_memory(rt), bytes, n, &z, e))
		return false;
	bool ok = true;
	for (size_t i = 0; i < z.n; i++) {
		nc_zip_data d;
		CHECK(nc_zip_find(&z, z.member[i]->name) == z.member[i]);
		ok = ok && !nc_zip_read(&z, z.member[i], &d, e);
		if (ok)
			nc_zip_data_free(&z, &d);
	}
	nc_zip_close(&z);
	return ok;
}

/* -- an archive of two members, as the writer makes it */
enum { SECOND = 30 + 5 + 5, DIRECTORY = SECOND + 30 + 3 + 6, RECORD2 = DIRECTORY + 46 + 5 };
enum { END = RECORD2 + 46 + 3, SIZE = END + 22 };

static nc_buffer two_members(nacre_error *e)
{
	nc_buffer b;
	nc_zip_writer z;
	start();
	nc_buffer_init(&b, nc_runtime_memory(rt), e);
	nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), e);
	CHECK(!nc_zip_add(&z, "a.txt", "hello", 5));
	CHECK(!nc_zip_add(&z, "b/c", "world!", 6));
	CHECK(!nc_zip_finish(&z));
	return b;
}

TEST(written_bytes)
{
	static const uint8_t first[] =
	    "PK\3\4\x14\0\0\0\0\0\0\0\x21\0\x86\xa6\x10\x36\5\0\0\0\5\0\0\0"
	    "\5\0\0\0a.txthello";
	nacre_error e = {0};
	nc_buffer b = two_members(&e);
	CHECK_EQ(b.size, SIZE);
	CHECK(!memcmp(b.data, first, sizeof first - 1));
	nc_zip z;
	nc_zip_data d;
	CHECK(!nc_zip_open(nc_runtime_memory(rt), b.data, b.size, &z, &e));
	CHECK_EQ(z.n, 2);
	CHECK(!nc_zip_find(&z, "b"));
	CHECK(!nc_zip_find(&z, "a.txt2"));
	const nc_zip_member *m = nc_zip_find(&z, "b/c");
	CHECK(m && !nc_zip_read(&z, m, &d, &e));
	CHECK(d.size == 6 && !memcmp(d.data, "world!", 6));
	CHECK(d.data == b.data + SECOND + 33); /* not a copy */
	nc_zip_data_free(&z, &d);
	nc_zip_close(&z);
	nc_buffer_free(&b);
}

TEST(zip64_and_dates)
{
	nacre_error e = {0};
	start();
	for (uint64_t large = 0; large < 200; large += 20) { /* what needs 64 bits changes */
		nc_buffer b;
		nc_zip_writer w;
		nc_zip z;
		nc_zip_data d;
		nc_buffer_init(&b, nc_runtime_memory(rt), &e);
		nc_zip_start(&w, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
		w.large = large;
		nc_zip_date(&w, 2026, 11, 24, 21, 5, 59);
		CHECK_EQ(w.date, 0x5d78);
		CHECK_EQ(w.time, 0xa8bd);
		CHECK(!nc_zip_add(&w, "k\xc3\xa4se", "0123456789", 10));
		CHECK(!nc_zip_add(&w, "empty", NULL, 0));
		CHECK(!nc_zip_add(&w, "large", b.data, 30));
		CHECK(!nc_zip_finish(&w));
		CHECK(!nc_zip_open(nc_runtime_memory(rt), b.data, b.size, &z, &e));
		CHECK_EQ(z.n, 3);
		const nc_zip_member *m = nc_zip_find(&z, "k\xc3\xa4se");
		CHECK(m && !nc_zip_read(&z, m, &d, &e) && !memcmp(d.data, "0123456789", 10));
		m = nc_zip_find(&z, "large");
		CHECK(m && !nc_zip_read(&z, m, &d, &e) && d.size == 30);
		CHECK_STR(e.text, "");
		nc_zip_close(&z);
		if (large == 0)
			damage_file("zip64", read_zip, b.data, b.size);
		nc_buffer_free(&b);
	}
	report();
}

/* -- names */
TEST(names)
{
	static const char *const good[] = {"a",       "a/b",           "a/",
					   "..a",     "a..",           "...",
					   "a b",     "\xc3\xa9",      "assets/layers/x.txt",
					   ".hidden", "a-\xe2\x98\x83"};
	static const char *const bad[] = {
	    "",           "/",      "/a",       "//a",          "a//b",         ".",
	    "./a",        "a/.",    "a/./b",    "..",           "../a",         "a/..",
	    "a/../b",     "a/b/..", "../",      "c:",           "c:/a",         "C:\\a",
	    "a\\b",       "\\a",    "..\\a",    "a\nb",         "\x01",         "\x7f",
	    "\x80",       "\xff",   "\xc0\xaf", "a/\xc0\xae/b", "\xed\xa0\x80", "a\tb",
	    "\\\\host\\a"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CHECK(nc_zip_name_ok(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		nacre_error e = {0};
		nc_buffer b;
		nc_zip_writer z;
		if (nc_zip_name_ok(bad[i], strlen(bad[i])))
			test_failed(__FILE__, __LINE__, "\"%s\" was taken", bad[i]);
		start();
		nc_buffer_init(&b, nc_runtime_memory(rt), &e);
		nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
		CHECK_EQ(nc_zip_add(&z, bad[i], "", 0), NACRE_INVALID);
		CHECK_EQ(nc_zip_add(&z, "good", "", 0), NACRE_INVALID); /* the error stays */
		CHECK_EQ(nc_zip_finish(&z), NACRE_INVALID);
		CHECK_EQ(b.size, 0);
		nc_buffer_free(&b);
	}
	CHECK(!nc_zip_name_ok("a\0b", 3));
	nacre_error e = {0};
	nc_zip_writer z;
	nc_buffer b;
	nc_buffer_init(&b, nc_runtime_memory(rt), &e);
	nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
	nc_zip_add(&z, "x", "", 0);
	nc_zip_add(&z, "y", "", 0);
	nc_zip_add(&z, "x", "", 0);
	CHECK_EQ(nc_zip_finish(&z), NACRE_INVALID);
	CHECK_STR(e.text, "zip: two members with the name \"x\"");
	nc_buffer_free(&b);
}

/* -- single wrong bytes, and what is said of them */
static void expect(const uint8_t *bytes, size_t n, nacre_status status, const char *text)
{
	nacre_error e = {0};
	if (read_zip(bytes, n, &e) || e.status != status || !strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "expected %d \"%s\", got %d \"%s\"", (int)status,
			    text, (int)e.status, e.text);
}

TEST(wrong_bytes)
{
	static const struct {
		size_t at;
		int value;
		nacre_status status;
		const char *text;
	} cases[] = {
	    {0, 'p', NACRE_BAD_DATA, "zip: byte 0: member \"a.txt\": no local header there"},
	    {6, 1, NACRE_UNSUPPORTED, "byte 6: member \"a.txt\": it is encrypted"},
	    {7, 0x20, NACRE_UNSUPPORTED, "unknown flags"},
	    {8, 8, NACRE_BAD_DATA, "another method"},
	    {14, 0, NACRE_BAD_DATA, "another size or checksum"},
	    {18, 4, NACRE_BAD_DATA, "another size or checksum"},
	    {22, 6, NACRE_BAD_DATA, "another size or checksum"},
	    {26, 4, NACRE_BAD_DATA, "another name"},
	    {28, 9, NACRE_BAD_DATA, "broken extra fields"},
	    {29, 255, NACRE_BAD_DATA, "the extra fields pass the end"},
	    {30, 'b', NACRE_BAD_DATA, "another name"},
	    {35, 'H', NACRE_BAD_DATA, "the checksum is"},
	    {DIRECTORY, 'p', NACRE_BAD_DATA, "expected a record of the directory"},
	    {DIRECTORY + 8, 1, NACRE_UNSUPPORTED, "it is encrypted"},
	    {DIRECTORY + 10, 9, NACRE_UNSUPPORTED, "method 9, expected 0 (stored) or 8"},
	    {DIRECTORY + 16, 0, NACRE_BAD_DATA, "another size or checksum"},
	    {DIRECTORY + 20, 6, NACRE_BAD_DATA, "stored, but with two sizes"},
	    {DIRECTORY + 24, 4, NACRE_BAD_DATA, "stored, but with two sizes"},
	    {DIRECTORY + 28, 0, NACRE_BAD_DATA, "not a relative path"},
	    {DIRECTORY + 28, 255, NACRE_BAD_DATA, "a record with 255 bytes"},
	    {DIRECTORY + 30, 9, NACRE_BAD_DATA, "broken extra fields"},
	    {DIRECTORY + 34, 1, NACRE_UNSUPPORTED, "another disk"},
	    {DIRECTORY + 42, SECOND, NACRE_BAD_DATA, "another name"},
	    {DIRECTORY + 44, 1, NACRE_BAD_DATA, "no local header there"},
	    {DIRECTORY + 46, '/', NACRE_BAD_DATA, "not a relative path"},
	    {DIRECTORY + 47, 0, NACRE_BAD_DATA, "not a relative path"},
	    {DIRECTORY + 47, ':', NACRE_BAD_DATA, "not a relative path"},
	    {DIRECTORY + 47, '\\', NACRE_BAD_DATA, "not a relative path"},
	    {DIRECTORY + 50, '/', NACRE_BAD_DATA, "a folder with contents"},
	    {END, 'p', NACRE_BAD_DATA, "no end record"},
	    {END + 4, 1, NACRE_UNSUPPORTED, "more than one disk"},
	    {END + 8, 1, NACRE_UNSUPPORTED, "more than one disk"},
	    {END + 12, 0, NACRE_BAD_DATA, "a directory of 0 bytes"},
	    {END + 16, 0, NACRE_BAD_DATA, "a directory of 100 bytes at 0, expected it to end at"},
	    {END + 20, 1, NACRE_BAD_DATA, "no end record"},
	};
	nacre_error e = {0};
	nc_buffer b = two_members(&e);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t old = b.data[cases[i].at];
		b.data[cases[i].at] = (uint8_t)cases[i].value;
		expect(b.data, b.size, cases[i].status, cases[i].text);
		b.data[cases[i].at] = old;
	}
	/* a link, by the mode that Unix archivers leave */
	b.data[DIRECTORY + 5] = 3;
	b.data[DIRECTORY + 41] = 0xa1;
	expect(b.data, b.size, NACRE_UNSUPPORTED, "it is a symbolic link");
	b.data[DIRECTORY + 41] = 0x81; /* a file */
	expect(b.data, SIZE - 1, NACRE_BAD_DATA, "no end record");
	CHECK(try_file(read_zip, b.data, b.size));
	/* both records say one and three */
	b.data[END + 8] = b.data[END + 10] = 1;
	expect(b.data, b.size, NACRE_BAD_DATA, "the directory ends, expected that at");
	b.data[END + 8] = b.data[END + 10] = 3;
	expect(b.data, b.size, NACRE_BAD_DATA, "3 members, at most 65535");
	/* something in front of the archive, which other readers may skip */
	uint8_t more[SIZE + 1] = {0};
	b.data[END + 8] = b.data[END + 10] = 2;
	memcpy(more + 1, b.data, SIZE);
	expect(more, sizeof more, NACRE_BAD_DATA, "expected it to end at");
	/* a comment is no harm */
	memcpy(more, b.data, SIZE);
	more[SIZE - 2] = 1;
	CHECK(try_file(read_zip, more, sizeof more));
	nc_buffer_free(&b);
}

/* -- contents that are checked while they are used */
typedef struct seen {
	size_t at, n;
} seen;

/* What nc_zip_read and, with these parts seen, nc_zip_check say of the second member. */
static void check_seen(const nc_buffer *b, const seen *parts, size_t n, uint32_t lie)
{
	nacre_error e = {0}, early = {0}, late = {0};
	nc_zip z;
	nc_zip_data d;
	CHECK(!nc_zip_open(nc_runtime_memory(rt), b->data, b->size, &z, &e));
	const nc_zip_member *m = z.member[1];
	if (!nc_zip_read(&z, m, &d, &early))
		nc_zip_data_free(&z, &d);
	CHECK(!nc_zip_borrow(&z, m, &d, &e));
	CHECK(d.data == b->data + SECOND + 33 && d.size == 6);
	for (size_t i = 0; i < n; i++) {
		uint32_t crc = nc_crc32(0, d.data + parts[i].at, parts[i].n) ^ lie;
		CHECK(!nc_zip_seen(&z, &d, d.data + parts[i].at, parts[i].n, crc, &e));
	}
	CHECK_EQ(nc_zip_check(&z, m, &d, &late), lie ? NACRE_BAD_DATA : early.status);
	if (!lie)
		CHECK_STR(late.text, early.text);
	nc_zip_data_free(&z, &d);
	nc_zip_close(&z);
}

TEST(parts_seen)
{
	static const seen cases[][3] = {
	    {{0, 0}}, {{0, 6}}, {{0, 1}, {1, 4}, {5, 1}}, {{4, 2}, {2, 2}, {0, 2}},
	    {{3, 1}, {1, 1}}, {{2, 4}, {2, 4}, {3, 3}}, {{1, 4}, {0, 3}, {4, 2}}, {{6, 0}, {0, 6}}};
	nacre_error e = {0};
	nc_buffer b = two_members(&e);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		check_seen(&b, cases[i], 3, 0);
		for (size_t k = 0; k < 6; k++) { /* wherever the damage is */
			b.data[SECOND + 33 + k] ^= 4;
			check_seen(&b, cases[i], 3, 0);
			b.data[SECOND + 33 + k] ^= 4;
		}
	}
	check_seen(&b, (seen[]){{2, 3}}, 1, 1);
	/* bytes of others are not the member's */
	nc_zip z;
	nc_zip_data d;
	CHECK(!nc_zip_open(nc_runtime_memory(rt), b.data, b.size, &z, &e));
	CHECK(!nc_zip_borrow(&z, z.member[1], &d, &e));
	CHECK(!nc_zip_seen(&z, &d, b.data, 5, 1, &e));
	CHECK(!nc_zip_seen(&z, &d, d.data, 7, 1, &e));
	CHECK(!nc_zip_seen(&z, &d, d.data + 6, 1, 1, &e));
	CHECK_EQ(d.n, 0);
	CHECK(!nc_zip_check(&z, z.member[1], &d, &e));
	nc_zip_data_free(&z, &d);
	nc_zip_close(&z);
	nc_buffer_free(&b);
}

/* Two records for the same member, under the same name and under two. */
TEST(twice)
{
	nacre_error e = {0};
	nc_buffer b;
	nc_zip_writer z;
	start();
	nc_buffer_init(&b, nc_runtime_memory(rt), &e);
	nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
	nc_zip_add(&z, "a", "xy", 2);
	nc_zip_add(&z, "b", "xy", 2);
	CHECK(!nc_zip_finish(&z));
	size_t local = 30 + 1 + 2, directory = 2 * local, record = 47;
	b.data[local + 30] = b.data[directory + record + 46] = 'a';
	expect(b.data, b.size, NACRE_BAD_DATA, "member \"a\": the name occurs twice");
	b.data[directory + record + 42] = 0; /* the first member again */
	expect(b.data, b.size, NACRE_BAD_DATA, "member \"a\": it overlaps another member");
	nc_buffer_free(&b);
}

/* -- deflated members */
#ifdef NACRE_HAVE_ZLIB
static const char *const pieces[] = {"", "a", "abcabcabcabcabcabcabcabcabcabcabcabc"};

/* An archive of one member "m" with these contents deflated, `flags` set in both headers. */
static size_t deflated(uint8_t *out, size_t room, const void *data, size_t n, unsigned flags)
{
	z_stream s = {.next_in = (z_const Bytef *)(uintptr_t)data, .avail_in = (uInt)n};
	CHECK(deflateInit2(&s, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK);
	memset(out, 0, room);
	s.next_out = out + 31;
	s.avail_out = (uInt)(room - 200);
	CHECK(deflate(&s, Z_FINISH) == Z_STREAM_END);
	size_t stored = s.total_out, at = 31 + stored;
	deflateEnd(&s);
	memcpy(out, "PK\3\4", 4);
	for (int central = 0; central < 2; central++) {
		uint8_t *p = central ? out + at + 2 : out;
		if (central)
			memcpy(out + at, "PK\1\2", 4);
		p[6] = (uint8_t)flags;
		p[8] = 8;
		p[26] = 1;
		if (flags & 8 && !central) /* sizes come later */
			continue;
		put_integer(p + 14, 4, false, nc_crc32(0, data, n));
		put_integer(p + 18, 4, false, stored);
		put_integer(p + 22, 4, false, n);
	}
	out[30] = out[at + 46] = 'm';
	uint8_t *end = out + at + 47;
	memcpy(end, "PK\5\6", 4);
	end[8] = end[10] = 1;
	put_integer(end + 12, 4, false, 47);
	put_integer(end + 16, 4, false, at);
	return at + 47 + 22;
}

TEST(deflated_members)
{
	uint8_t file[400];
	start();
	for (size_t i = 0; i < 3; i++)
		for (unsigned flags = 0; flags <= 8; flags += 8) {
			nacre_error e = {0};
			nc_zip z;
			nc_zip_data d;
			size_t n = deflated(file, sizeof file, pieces[i], strlen(pieces[i]), flags);
			CHECK(!nc_zip_open(nc_runtime_memory(rt), file, n, &z, &e));
			CHECK(!nc_zip_read(&z, z.member[0], &d, &e));
			CHECK_EQ(d.size, strlen(pieces[i]));
			CHECK(!memcmp(d.data, pieces[i], d.size));
			nc_zip_data_free(&z, &d);
			nc_zip_close(&z);
			damage_file("deflate", read_zip, file, n);
			for (size_t at = 0; at < n; at++)
				for (int bytes = 1; bytes <= 8; bytes *= 2)
					if (at + (size_t)bytes <= n)
						lie_at(read_zip, file, n, at, bytes, false,
						       file[at], false);
		}
	report();
}

static bool use_deflated(nacre_runtime *runtime, bool borrow, nacre_error *e)
{
	uint8_t file[400];
	nc_zip z;
	nc_zip_data d;
	size_t n = deflated(file, sizeof file, pieces[2], strlen(pieces[2]), 0);
	if (nc_zip_open(nc_runtime_memory(runtime), file, n, &z, e))
		return false;
	bool ok = !(borrow ? nc_zip_borrow : nc_zip_read)(&z, z.member[0], &d, e);
	if (ok) {
		if (borrow) { /* what is inflated is not left to be checked */
			CHECK(d.owned && !nc_zip_seen(&z, &d, d.data, 1, 1, e));
			ok = !nc_zip_check(&z, z.member[0], &d, e);
		}
		nc_zip_data_free(&z, &d);
	}
	nc_zip_close(&z);
	return ok;
}

static bool borrow_deflated(nacre_runtime *runtime, nacre_error *e)
{
	return use_deflated(runtime, true, e);
}
static bool open_deflated(nacre_runtime *runtime, nacre_error *e)
{
	return use_deflated(runtime, false, e);
}

TEST(memory_of_reading)
{
	fail_each_allocation(open_deflated);
	fail_each_allocation(borrow_deflated);
}

TEST(bombs)
{
	size_t n = 40 << 20, room = 1 << 20;
	uint8_t *zeros = calloc(n, 1), *file = malloc(room);
	start();
	size_t size = deflated(file, room, zeros, n, 0); /* 1000:1 */
	CHECK(size < 100000);
	expect(file, size, NACRE_BAD_DATA, "41943040 bytes from 40");
	CHECK(!try_file(read_zip, file, size));
	CHECK(memory.peak - memory.bytes < 1 << 20);
	size = deflated(file, room, zeros, 10 << 20, 0); /* as much, but small */
	CHECK(try_file(read_zip, file, size));
	/* a terabyte from nothing, in 64 bits of an extra field or 32 bits of its own */
	size = deflated(file, room, "a", 1, 0);
	size_t central = 31 + 3;
	put_integer(file + 22, 4, false, 0xfffffffe);
	put_integer(file + central + 24, 4, false, 0xfffffffe);
	expect(file, size, NACRE_BAD_DATA, "more than deflated data can expand to");
	/* one byte more or less than there is */
	for (unsigned claim = 0; claim < 40; claim++) {
		size = deflated(file, room, pieces[2], strlen(pieces[2]), 0);
		central = size - 22 - 47;
		put_integer(file + 22, 4, false, claim);
		put_integer(file + central + 24, 4, false, claim);
		CHECK(try_file(read_zip, file, size) == (claim == strlen(pieces[2])));
	}
	free(zeros);
	free(file);
}
#endif

/* -- systematic lies, failing memory, failing disks */
TEST(fields)
{
	nacre_error e = {0};
	nc_buffer b = two_members(&e);
	uint8_t file[SIZE];
	memcpy(file, b.data, SIZE);
	nc_buffer_free(&b);
	damage_file("two members", read_zip, file, SIZE);
	for (size_t at = 0; at < SIZE; at++)
		for (int bytes = 1; bytes <= 8; bytes *= 2)
			if (at + (size_t)bytes <= SIZE)
				lie_at(read_zip, file, SIZE, at, bytes, false, file[at], false);
	report();
}

static nacre_status produce(void *context, const nc_sink *sink)
{
	int *calls = context;
	nacre_status s = nc_put(sink, "0123456789", 10);
	for (int i = 0; calls && i < calls[1] * calls[0]; i++) /* more at each call */
		s = s ? s : nc_put(sink, "x", 1);
	if (calls)
		calls[0]++;
	return s;
}

static bool write_archive(nacre_runtime *runtime, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(runtime);
	nc_buffer b;
	nc_zip_writer z;
	nc_buffer_init(&b, m, e);
	nc_zip_start(&z, m, nc_sink_buffer(&b), e);
	for (int i = 0; i < 50; i++) {
		char name[120];
		snprintf(name, sizeof name, "folder/with a long name/%080d", i);
		nc_zip_add(&z, name, name, sizeof name);
	}
	nc_zip_add_from(&z, "produced", produce, NULL);
	bool ok = !nc_zip_finish(&z);
	nc_buffer_free(&b);
	return ok;
}

TEST(memory_of_writing)
{
	fail_each_allocation(write_archive);
}

TEST(producers)
{
	nacre_error e = {0};
	start();
	for (int step = 0; step < 2; step++) {
		int calls[2] = {0, step};
		nc_buffer b;
		nc_zip_writer z;
		nc_buffer_init(&b, nc_runtime_memory(rt), &e);
		nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
		nc_zip_add_from(&z, "p", produce, calls);
		CHECK_EQ(nc_zip_finish(&z), step ? NACRE_FAILED : NACRE_OK);
		CHECK_STR(e.text, step ? "zip: a member grew while written" : "");
		CHECK_EQ(calls[0], 2);
		if (!step)
			CHECK(try_file(read_zip, b.data, b.size));
		nc_buffer_free(&b);
	}
}

TEST(most_members)
{
	nacre_error e = {0};
	start();
	for (int n = 65534; n <= 65535; n++) {
		nc_buffer b;
		nc_zip_writer z;
		nc_buffer_init(&b, nc_runtime_memory(rt), &e);
		nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_buffer(&b), &e);
		for (int i = 0; i < n; i++) {
			char name[20];
			snprintf(name, sizeof name, "%d", i);
			nc_zip_add(&z, name, "", 0);
		}
		CHECK_EQ(nc_zip_finish(&z), n == 65534 ? NACRE_OK : NACRE_INVALID);
		if (n == 65534)
			CHECK(try_file(read_zip, b.data, b.size));
		nc_buffer_free(&b);
	}
	CHECK_STR(e.text, "zip: more than 65534 members");
}

static nacre_status write_zip(const char *path, nacre_error *e)
{
	nc_writer w;
	nc_zip_writer z;
	if (nc_writer_open(&w, path, e))
		return e->status;
	nc_zip_start(&z, nc_runtime_memory(rt), nc_sink_writer(&w), e);
	nc_zip_add(&z, "a", "hello", 5);
	nc_zip_add_from(&z, "b", produce, NULL);
	if (nc_zip_finish(&z)) {
		nc_writer_abandon(&w);
		return e->status;
	}
	return nc_writer_finish(&w);
}

TEST(failing_disk)
{
	const char *path = temporary("zip");
	uint8_t file[1000];
	static const int errors[] = {EIO, ENOSPC};
	start();
	for (int i = 0; i < 2; i++)
		for (int64_t n = 1;; n++) {
			nacre_error e = {0};
			put_file(path, "old", 3);
			fail_call(n, errors[i]);
			nacre_status s = write_zip(path, &e);
			bool failed = io_failed;
			restore_calls();
			size_t size = get_file(path, file, sizeof file);
			CHECK(s == e.status && (s == NACRE_OK || s == NACRE_IO));
			bool old = size == 3 && !memcmp(file, "old", 3);
			CHECK(old || try_file(read_zip, file, size));
			CHECK(s || !old);
			if (!failed) {
				CHECK(n > 10 && !s);
				break;
			}
		}
	unlink(path);
}
