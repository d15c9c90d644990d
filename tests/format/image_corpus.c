/* SPDX-License-Identifier: MIT
 *
 * image_corpus.c - the fuzz targets of pictures over the committed corpus.
 */
#include "format/replay.h"

#define LLVMFuzzerTestOneInput fuzz_pnm
#include "../../fuzz/fuzz_pnm.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_bmp
#include "../../fuzz/fuzz_bmp.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_png
#include "../../fuzz/fuzz_png.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_jpeg
#include "../../fuzz/fuzz_jpeg.c"
#undef LLVMFuzzerTestOneInput

TEST(corpus_pnm)
{
	replay("pnm", fuzz_pnm, 8, 16);
}

TEST(corpus_bmp)
{
	replay("bmp", fuzz_bmp, 8, 16);
}

static void refuse_file(const char *name, const uint8_t *data, size_t n, void *context)
{
	int (*target)(const uint8_t *, size_t) = *(int (**)(const uint8_t *, size_t))context;
	(void)name;
	target(data, n);
	CHECK(!fuzz_accepted);
}

/* Where the build has no library for it, nothing may be accepted. */
static void replay_if(bool readable, const char *format, int (*target)(const uint8_t *, size_t))
{
	if (readable)
		replay(format, target, 8, 16);
	else
		corpus_each(format, refuse_file, &target);
}

TEST(corpus_png)
{
	replay_if(nc_image_png.read, "png", fuzz_png);
}

TEST(corpus_jpeg)
{
	replay_if(nc_image_jpeg.read, "jpeg", fuzz_jpeg);
}
