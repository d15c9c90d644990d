/* SPDX-License-Identifier: MIT
 *
 * image_hostile.c - pictures that are damaged or lie, systematically; allocations that fail.
 */
#include "format/image.h"

#include "format/replay.h"
#include "format/sweep.h"

static bool read_picture(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nacre_image_options o = {.max_pixels = 1 << 20};
	nacre_tensor *t = nacre_image_decode(rt, bytes, n, &o, e);
	nacre_tensor_free(t);
	return t;
}

/* Small files of the corpus; prefixes of text may be whole, as "1 2" is of "1 23". */
static void damage(const char *name, const uint8_t *data, size_t n, void *context)
{
	(void)context;
	if (!corpus_is_ok(name) || n > 660 || strstr(name, "trailing") || strstr(name, "p1") ||
	    strstr(name, "p2") || strstr(name, "p3"))
		return;
	damage_file(name, read_picture, data, n);
}

TEST(prefixes_and_bits)
{
	start();
	corpus_each("pnm", damage, NULL);
	corpus_each("bmp", damage, NULL);
	if (nc_image_png.read)
		corpus_each("png", damage, NULL);
	if (nc_image_jpeg.read)
		corpus_each("jpeg", damage, NULL);
	report();
	CHECK(files > 10000);
}

static void lie_everywhere(const char *name, const uint8_t *data, size_t n, void *context)
{
	bool big = *(bool *)context;
	if (!corpus_is_ok(name) || n > 700)
		return;
	for (size_t at = 0; at + 4 <= n && at < 80; at++)
		for (int bytes = 1; bytes <= 4; bytes += 3)
			lie_at(read_picture, data, n, at, bytes, big, data[at], false);
}

TEST(fields_that_lie)
{
	start();
	corpus_each("bmp", lie_everywhere, &(bool){false});
	if (nc_image_png.read)
		corpus_each("png", lie_everywhere, &(bool){true});
	report();
	CHECK(files > 10000);
}

/* The head of a JPEG, and the segment of its size in particular. */
static void lie_in_jpeg(const char *name, const uint8_t *data, size_t n, void *context)
{
	(void)context;
	if (strcmp(name, "ok-exif") && strcmp(name, "ok-grey"))
		return;
	for (size_t at = 2; at < 100; at++)
		for (int bytes = 1; bytes <= 2; bytes++)
			lie_at(read_picture, data, n, at, bytes, true, data[at], false);
	for (size_t at = 0; at + 20 < n; at++)
		if (data[at] == 0xff && data[at + 1] == 0xc0)
			for (size_t k = at; k < at + 20; k++)
				lie_at(read_picture, data, n, k, 2, true, data[k], false);
}

TEST(jpeg_fields_that_lie)
{
	start();
	if (nc_image_jpeg.read)
		corpus_each("jpeg", lie_in_jpeg, NULL);
	report();
}

/* -- memory ------------------------------------------------------------------------------------ */
static const char *memory_path;

static bool load_and_save(nacre_runtime *with, nacre_error *e)
{
	char path[1200];
	snprintf(path, sizeof path, "%s", memory_path);
	nacre_image_options o = {.color = NACRE_RGB, .height = 5, .width = 4};
	nacre_tensor *t = nacre_image_load(with, path, &o, e);
	const char *dot = strrchr(path, '.'), *out = temporary("memory.ppm");
	if (strcmp(dot, ".ppm"))
		out = strcmp(dot, ".png") ? temporary("memory.jpg") : temporary("memory.png");
	bool ok = t && !nacre_image_save(t, out, NULL, e);
	nacre_tensor_free(t);
	unlink(out);
	return ok;
}

TEST(allocations_that_fail)
{
	memory_path = NACRE_SOURCE_DIR "/tests/fixtures/images/turn.ppm";
	fail_each_allocation(load_and_save);
	memory_path = NACRE_SOURCE_DIR "/tests/fixtures/images/turn-6.png";
	if (nc_image_png.read)
		fail_each_allocation(load_and_save);
	memory_path = NACRE_SOURCE_DIR "/tests/fixtures/images/turn-6.jpg";
	if (nc_image_jpeg.read)
		fail_each_allocation(load_and_save);
}

/* -- system calls that fail -------------------------------------------------------------------- */
TEST(system_calls_that_fail)
{
	start();
	nacre_tensor *t =
	    nacre_image_load(NULL, NACRE_SOURCE_DIR "/tests/fixtures/images/turn.ppm", NULL, NULL);
	int64_t n = 0;
	do {
		const char *path = temporary("io.ppm");
		nacre_error e = {0};
		fail_call(++n, EIO);
		bool ok = !nacre_image_save(t, path, NULL, &e);
		bool failed = io_failed;
		restore_calls();
		CHECK(ok == !e.status && (failed || ok));
		CHECK(ok || strstr(e.text, "io.ppm"));
		unlink(path);
		if (!failed)
			break;
	} while (n < 100);
	CHECK(n > 4 && n < 100);
	nacre_tensor_free(t);
}
