/* SPDX-License-Identifier: MIT
 *
 * corpus.c - the fuzz targets over the committed corpus, without a fuzzer: "ok-*" must be accepted,
 * "bad-*" refused; other files (finds of the fuzzer) must only do no harm.
 */
#include <dirent.h>

#include "base/base.h"
#include "nacre/format.h"
#include "test.h"

#define LLVMFuzzerTestOneInput fuzz_idx
#include "../../fuzz/fuzz_idx.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npy
#include "../../fuzz/fuzz_npy.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "../../fuzz/fuzz_safetensors.c"
#undef LLVMFuzzerTestOneInput

#define LLVMFuzzerTestOneInput fuzz_zip
#include "../../fuzz/fuzz_zip.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_hdf5
#include "../../fuzz/fuzz_hdf5.c"
#undef LLVMFuzzerTestOneInput

static bool needs_zlib(const char *name)
{
	return strstr(name, "gzip") || strstr(name, "zlib") || strstr(name, "deflate");
}

static bool contains_zlib(void)
{
#ifdef NACRE_HAVE_ZLIB
	return true;
#else
	return false;
#endif
}

static void replay(const char *format, int (*target)(const uint8_t *, size_t))
{
	char folder[1000], path[1400];
	snprintf(folder, sizeof folder, "%s/fuzz/corpus/%s", NACRE_SOURCE_DIR, format);
	nc_memory m;
	nc_memory_init(&m, NULL);
	DIR *d = opendir(folder);
	CHECK(d);
	int ok = 0, bad = 0;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		nc_bytes bytes;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		CHECK(!nc_file_read(&m, path, 0, &bytes, NULL));
		target(bytes.data, bytes.size);
		nc_bytes_free(&m, &bytes);
		bool must = !strncmp(entry->d_name, "ok-", 3);
		bool must_not = !strncmp(entry->d_name, "bad-", 4);
		if ((must || fuzz_accepted) && needs_zlib(entry->d_name) && !contains_zlib())
			continue;
		if ((must && !fuzz_accepted) || (must_not && fuzz_accepted))
			test_failed(__FILE__, __LINE__, "%s %s", path,
				    fuzz_accepted ? "was accepted" : "was refused");
		ok += must;
		bad += must_not;
	}
	if (d)
		closedir(d);
	printf("  %s: %d accepted, %d refused\n", format, ok, bad);
	CHECK(ok >= 8 && bad >= 16);
}

TEST(corpus_idx)
{
	replay("idx", fuzz_idx);
}

TEST(corpus_npy)
{
	replay("npy", fuzz_npy);
}

TEST(corpus_safetensors)
{
	replay("safetensors", fuzz_safetensors);
}

TEST(corpus_zip)
{
	replay("zip", fuzz_zip);
}

TEST(corpus_hdf5)
{
	replay("hdf5", fuzz_hdf5);
}
