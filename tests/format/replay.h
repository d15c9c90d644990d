/* SPDX-License-Identifier: MIT
 *
 * replay.h - the fuzz targets over the committed corpus, without a fuzzer: "ok-*" must be accepted,
 * "bad-*" refused; other files (finds of the fuzzer) must only do no harm.
 */
#ifndef TEST_FORMAT_REPLAY_H
#define TEST_FORMAT_REPLAY_H

#include <dirent.h>

#include "../../fuzz/fuzz.h"
#include "base/base.h"
#include "test.h"

/* Hands every file of fuzz/corpus/<format> to f. */
typedef void corpus_file(const char *name, const uint8_t *data, size_t n, void *context);
static inline void corpus_each(const char *format, corpus_file *f, void *context)
{
	char folder[1000], path[1400];
	snprintf(folder, sizeof folder, "%s/fuzz/corpus/%s", NACRE_SOURCE_DIR, format);
	nc_memory m;
	nc_memory_init(&m, NULL);
	DIR *d = opendir(folder);
	CHECK(d);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		nc_bytes b;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		CHECK(!nc_file_read(&m, path, 0, &b, NULL));
		f(entry->d_name, b.data, b.size, context);
		nc_bytes_free(&m, &b);
	}
	if (d)
		closedir(d);
}

static inline bool corpus_is_ok(const char *name)
{
	return !strncmp(name, "ok-", 3);
}

/* Whether a file cannot be read in a build without zlib. */
static inline bool corpus_is_packed(const char *name)
{
#ifdef NACRE_HAVE_ZLIB
	(void)name;
	return false;
#else
	return strstr(name, "gzip") || strstr(name, "zlib") || strstr(name, "deflate");
#endif
}

typedef struct replayed {
	const char *format;
	int (*target)(const uint8_t *data, size_t n);
	int ok, bad;
} replayed;

static inline void replay_file(const char *name, const uint8_t *data, size_t n, void *context)
{
	replayed *r = context;
	bool must = corpus_is_ok(name), must_not = !strncmp(name, "bad-", 4);
	r->target(data, n);
	if ((must || fuzz_accepted) && corpus_is_packed(name))
		return;
	if ((must && !fuzz_accepted) || (must_not && fuzz_accepted))
		test_failed(__FILE__, __LINE__, "%s/%s %s", r->format, name,
			    fuzz_accepted ? "was accepted" : "was refused");
	r->ok += must;
	r->bad += must_not;
}

/* There must be at least so many of each kind. */
static inline void replay(const char *format, int (*target)(const uint8_t *data, size_t n), int ok,
			  int bad)
{
	replayed r = {format, target, 0, 0};
	corpus_each(format, replay_file, &r);
	printf("  %s: %d accepted, %d refused\n", format, r.ok, r.bad);
	CHECK(r.ok >= ok && r.bad >= bad);
}

#endif
