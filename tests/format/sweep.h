/* SPDX-License-Identifier: MIT
 *
 * sweep.h - files that lie, systematically: every one must be refused with an error or do no harm,
 * within memory of its size + 64 MiB, and without a read past its end (the bytes lie in blocks of
 * their exact size, for the address sanitizer).
 */
#ifndef TEST_FORMAT_SWEEP_H
#define TEST_FORMAT_SWEEP_H

#include <dirent.h>
#include <inttypes.h>
#include <time.h>

#include "format/help.h"

enum { SLACK = 64 << 20 };

static test_memory memory;
static nacre_runtime *rt;
static int64_t files, refused;

/* One reader: true if it took the file. */
typedef bool reader(const uint8_t *bytes, size_t n, nacre_error *e);

/* What every file must fulfil; returns whether it was accepted. */
static inline bool try_file(reader *read, const void *data, size_t n)
{
	uint8_t *bytes = malloc(n ? n : 1); /* for the sanitizer: just as long as the file */
	nacre_error e = {0};
	memcpy(bytes, data, n);
	size_t before = memory.bytes;
	memory.peak = before;
	bool ok = read(bytes, n, &e);
	free(bytes);
	CHECK(ok == !e.status);
	CHECK(ok || e.status == NACRE_BAD_DATA || e.status == NACRE_UNSUPPORTED);
	CHECK(ok || e.text[0]);
	CHECK_EQ(memory.bytes, before);
	CHECK(memory.peak - before <= n + SLACK);
	files++;
	refused += !ok;
	return ok;
}

static inline void start(void)
{
	if (!rt)
		rt = test_runtime(&memory);
	files = refused = 0;
}

static inline void report(void)
{
	printf("  %" PRId64 " files, %" PRId64 " refused\n", files, refused);
}

/* -- fields that lie */
enum { LIES = 13 };

static inline uint64_t lie(int i, uint64_t truth)
{
	const uint64_t values[LIES] = {0,
				       1,
				       UINT64_MAX, /* -1, and 2^64 - 1 */
				       (1ull << 31) - 1,
				       (1ull << 31) + 1,
				       (1ull << 32) - 1,
				       (1ull << 32) + 1,
				       (1ull << 63) - 1,
				       (1ull << 63) + 1,
				       1ull << 40, /* a terabyte */
				       1ull << 62,
				       truth + 1,
				       truth - 1};
	return values[i];
}

static inline void put_integer(uint8_t *p, int bytes, bool big, uint64_t v)
{
	for (int i = 0; i < bytes; i++)
		p[big ? bytes - 1 - i : i] = (uint8_t)(v >> 8 * i);
}

static inline void lie_at(reader *read, const uint8_t *file, size_t n, size_t at, int bytes,
			  bool big, uint64_t truth, bool must_refuse)
{
	uint8_t *copy = malloc(n);
	for (int i = 0; i < LIES; i++) {
		memcpy(copy, file, n);
		put_integer(copy + at, bytes, big, lie(i, truth));
		bool ok = try_file(read, copy, n);
		if (ok && must_refuse && memcmp(copy, file, n))
			test_failed(__FILE__, __LINE__, "value %d at %zu was believed", i, at);
	}
	free(copy);
}

/* Every prefix, which must be refused, and every flipped bit of a good file. */
static inline void damage_file(const char *name, reader *read, const uint8_t *file, size_t n)
{
	uint8_t *copy = malloc(n);
	memcpy(copy, file, n);
	for (size_t i = 0; i < n; i++)
		if (try_file(read, copy, i))
			test_failed(__FILE__, __LINE__, "%s: its first %zu bytes are taken", name,
				    i);
	for (size_t i = 0; i < 8 * n; i++) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		try_file(read, copy, n);
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	free(copy);
}

static inline double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#endif
