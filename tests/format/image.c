/* SPDX-License-Identifier: MIT
 *
 * image.c - pictures: PngSuite, JPEG, PNM and BMP against what other programs read; sizes against
 * TensorFlow; what is written is read again; options and errors.
 */
#include "format/image.h"

#include <inttypes.h>

#include "base/crc.h"
#include "format/help.h"
#include "tensor/tensor.h"

#define FIXTURES NACRE_SOURCE_DIR "/tests/fixtures/"

static nacre_tensor *load(const char *folder, const char *name, const nacre_image_options *o)
{
	char path[1200];
	nacre_error e = {0};
	snprintf(path, sizeof path, FIXTURES "%s/%s", folder, name);
	nacre_tensor *t = nacre_image_load(NULL, path, o, &e);
	if (!t)
		test_failed(__FILE__, __LINE__, "%s", e.text);
	return t;
}

static bool have(const nc_image_format *f)
{
	if (!f->read)
		printf("  skipped: this build has no %s\n", f->needs);
	return f->read;
}

/* -- PngSuite ---------------------------------------------------------------------------------- */
/* The numbers as the file has them: of 16 bits, the f32 times 257. */
static uint32_t checksum(const nacre_tensor *t, int bits)
{
	uint32_t crc = 0;
	for (int64_t i = 0; i < nacre_tensor_size(t); i++) {
		double v = nacre_tensor_get(t, i);
		unsigned n = (unsigned)(bits == 16 ? v * 257 + 0.5 : v);
		uint8_t b[2] = {(uint8_t)(n >> 8), (uint8_t)n};
		crc = nc_crc32(crc, bits == 16 ? b : b + 1, bits == 16 ? 2 : 1);
	}
	return crc;
}

TEST(pngsuite_decodes_exactly)
{
	char name[64];
	long h, w;
	int c, bits, n = 0;
	unsigned crc;
	FILE *f = fopen(FIXTURES "images/pngsuite.txt", "r");
	CHECK(f);
	if (!have(&nc_image_png)) {
		fclose(f);
		return;
	}
	while (f && fscanf(f, "%63s %ld %ld %d %d %x", name, &h, &w, &c, &bits, &crc) == 6) {
		nacre_tensor *t = load("pngsuite", name, NULL);
		char path[1200];
		nacre_image_info info = {0};
		snprintf(path, sizeof path, FIXTURES "pngsuite/%s", name);
		CHECK(!nacre_image_read_info(NULL, path, NULL, &info, NULL));
		CHECK(info.height == h && info.width == w && info.channels == c &&
		      info.bits == bits && !strcmp(info.format, "PNG"));
		if (!t)
			continue;
		CHECK(t->shape[0] == h && t->shape[1] == w && t->shape[2] == c);
		if (checksum(t, bits) != crc)
			test_failed(__FILE__, __LINE__, "%s has other numbers", name);
		nacre_tensor_free(t);
		n++;
	}
	fclose(f);
	CHECK_EQ(n, 160);
}

TEST(pngsuite_corrupt_files_are_refused)
{
	static const char *const bad[] = {
	    "xc1n0g08", "xc9n2c08", "xcrn0g04", "xcsn0g01", "xd0n2c08", "xd3n2c08", "xd9n2c08",
	    "xdtn0g01", "xhdn0g08", "xlfn0g04", "xs1n0g01", "xs2n0g01", "xs4n0g01", "xs7n0g01"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char path[1200];
		nacre_error e = {0};
		snprintf(path, sizeof path, FIXTURES "pngsuite/%s.png", bad[i]);
		nacre_tensor *t = nacre_image_load(NULL, path, NULL, &e);
		CHECK(!t && (e.status == NACRE_BAD_DATA || e.status == NACRE_UNSUPPORTED));
		CHECK(strstr(e.text, bad[i]));
		nacre_tensor_free(t);
	}
}

/* -- JPEG -------------------------------------------------------------------------------------- */
static void check_near(const char *name, const nacre_tensor *t, const nacre_tensor *want,
		       double most)
{
	double off = 0;
	if (!t || !want)
		return;
	CHECK_EQ(nacre_tensor_size(t), nacre_tensor_size(want));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t->shape[i], want->shape[i]);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		off = fmax(off, fabs(nacre_tensor_get(t, i) - nacre_tensor_get(want, i)));
	if (!(off <= most))
		test_failed(__FILE__, __LINE__, "%s is off by %g", name, off);
}

TEST(jpeg_kinds)
{
	static const char *const kinds[][2] = {{"plain.jpg", "plain.ppm"},
					       {"half.jpg", "half.ppm"},
					       {"progressive.jpg", "progressive.ppm"},
					       {"restart.jpg", "restart.ppm"},
					       {"grey.jpg", "grey.pgm"},
					       {"cmyk.jpg", "cmyk.ppm"}};
	if (!have(&nc_image_jpeg))
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		nacre_tensor *t = load("images", kinds[i][0], NULL);
		nacre_tensor *want = load("images", kinds[i][1], NULL);
		/* libraries differ by a unit or two where colours are enlarged */
		check_near(kinds[i][0], t, want, 2);
		nacre_tensor_free(t);
		nacre_tensor_free(want);
	}
	nacre_image_options grey = {.color = NACRE_GREY};
	nacre_tensor *a = load("images", "plain.jpg", &grey),
		     *b = load("images", "plain.ppm", &grey);
	/* what lies outside of RGB was cut off there */
	check_near("grey of plain.jpg", a, b, 6);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
}

TEST(orientation)
{
	nacre_tensor *want = load("images", "turn.ppm", NULL);
	for (int i = 1; i <= 8 && nc_image_jpeg.read; i++) {
		char name[32], path[1200];
		nacre_image_info info;
		snprintf(name, sizeof name, "turn-%d.jpg", i);
		snprintf(path, sizeof path, FIXTURES "images/%s", name);
		nacre_tensor *t = load("images", name, NULL);
		check_near(name, t, want, 8);
		nacre_tensor_free(t);
		CHECK(!nacre_image_read_info(NULL, path, NULL, &info, NULL));
		CHECK_EQ(info.orientation, i);
		CHECK_EQ(info.height, i > 4 ? 48 : 32);
		t = load("images", name, &(nacre_image_options){.no_orientation = 1});
		CHECK(t && t->shape[0] == info.height);
		nacre_tensor_free(t);
	}
	if (nc_image_png.read) {
		nacre_tensor *t = load("images", "turn-6.png", NULL);
		check_near("turn-6.png", t, want, 0);
		nacre_tensor_free(t);
	}
	nacre_tensor_free(want);
}

/* -- colours ----------------------------------------------------------------------------------- */
static nacre_tensor *decode(const char *bytes, size_t n, nacre_image_options o)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_image_decode(NULL, bytes, n, &o, &e);
	if (!t)
		test_failed(__FILE__, __LINE__, "%s", e.text);
	return t;
}

static void check_numbers(nacre_tensor *t, int n, const double *want)
{
	CHECK(t && nacre_tensor_size(t) == n);
	for (int i = 0; t && i < n; i++)
		CHECK_NEAR(nacre_tensor_get(t, i), want[i], 1e-4);
	nacre_tensor_free(t);
}

TEST(colors)
{
	static const char rgb[] = "P3 1 2 255 10 20 30 255 0 0";
	static const char grey[] = "P2 2 1 15 0 15";
	nacre_image_options o = {.color = NACRE_GREY};
	check_numbers(decode(rgb, sizeof rgb - 1, o), 2, (double[]){18, 76});
	o.color = NACRE_GREY_ALPHA;
	check_numbers(decode(rgb, sizeof rgb - 1, o), 4, (double[]){18, 255, 76, 255});
	o.color = NACRE_RGBA;
	check_numbers(decode(rgb, sizeof rgb - 1, o), 8,
		      (double[]){10, 20, 30, 255, 255, 0, 0, 255});
	o.color = NACRE_RGB;
	check_numbers(decode(grey, sizeof grey - 1, o), 6, (double[]){0, 0, 0, 255, 255, 255});
	o.dtype = NACRE_U8;
	check_numbers(decode(grey, sizeof grey - 1, o), 6, (double[]){0, 0, 0, 255, 255, 255});
}

/* One pixel (1, 2, 3) with alpha 0x80 */
static const char pixel[] = "BM\0\0\0\0\0\0\0\0\x46\0\0\0"
			    "\x38\0\0\0\1\0\0\0\1\0\0\0\1\0\x20\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
			    "\0\0\0\0\0\0\0\0"
			    "\0\0\xff\0\0\xff\0\0\xff\0\0\0\0\0\0\xff"
			    "\3\2\1\x80";

TEST(alpha)
{
	size_t n = sizeof pixel - 1;
	nacre_image_options o = {0};
	check_numbers(decode(pixel, n, o), 4, (double[]){1, 2, 3, 128});
	o.color = NACRE_RGB;
	check_numbers(decode(pixel, n, o), 3, (double[]){1, 2, 3});
	o.composite = 1;
	o.background[0] = 255;
	/* (1 * 128 + 255 * 127) / 255, rounded */
	check_numbers(decode(pixel, n, o), 3, (double[]){128, 1, 2});
	o.color = NACRE_GREY_ALPHA;
	check_numbers(decode(pixel, n, o), 2, (double[]){2, 128});
}

/* -- PNM and BMP by hand ----------------------------------------------------------------------- */
TEST(pnm_numbers)
{
#define PNM(text, ...)                                                                             \
	check_numbers(decode(text, sizeof text - 1, (nacre_image_options){0}),                     \
		      (int)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)),                     \
		      (double[]){__VA_ARGS__})
	PNM("P1\n# bits\n3 2\n101\n0 1 0", 0, 255, 0, 255, 0, 255);
	PNM("P4\n9 2\n\xaa\x80\x55\0", 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0, 255, 0,
	    255, 0, 255);
	PNM("P2 3 1 15 0 1 15", 0, 17, 255);
	PNM("P5\n2 1\n65535\n\x12\x34\xff\xff", 0x1234 / 257.0, 255);
	PNM("P5 2 1 100 \0\x64", 0, 255);
	PNM("P6\n1 1\n255\n\1\2\3", 1, 2, 3);
#undef PNM
}

TEST(bmp_numbers)
{
	/* a palette of 4 grey steps; the lower row comes first; a run, single ones, a jump */
	static const char rle[] = "BM\0\0\0\0\0\0\0\0\x46\0\0\0"
				  "\x28\0\0\0\4\0\0\0\2\0\0\0\1\0\x08\0\1\0\0\0\0\0\0\0\0\0\0\0"
				  "\0\0\0\0\4\0\0\0\0\0\0\0"
				  "\0\0\0\0\x0a\x0a\x0a\0\x14\x14\x14\0\x1e\x1e\x1e\0"
				  "\2\1\0\2\1\0\1\2\0\0\0\3\1\2\3\0\0\1";
	nacre_image_options o = {.color = NACRE_GREY};
	check_numbers(decode(rle, sizeof rle - 1, o), 8, (double[]){10, 20, 30, 0, 10, 10, 0, 20});
	static const char rgb[] = "BM\0\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\1\0\2\0\1\0\x18\0"
				  "\1\2\3\0\4\5\6\0";
	check_numbers(decode(rgb, sizeof rgb - 1, (nacre_image_options){0}), 6,
		      (double[]){6, 5, 4, 3, 2, 1});
}

/* -- sizes ------------------------------------------------------------------------------------- */
static nacre_tensor *pattern(int64_t height, int64_t width)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_U8, 3, (int64_t[]){height, width, 3}, NULL);
	for (int64_t y = 0, i = 0; t && y < height; y++)
		for (int64_t x = 0; x < width; x++) {
			nacre_tensor_set(t, i++, (double)(x * 255 / (width > 1 ? width - 1 : 1)));
			nacre_tensor_set(t, i++, (double)(y * 255 / (height > 1 ? height - 1 : 1)));
			nacre_tensor_set(t, i++, (double)((x * 7 + y * 13) % 256 / 2 + 60));
		}
	return t;
}

static void check_size(FILE *f, const char *how, const char *aspect, nacre_tensor *x,
		       int64_t height, int64_t width)
{
	static const char *const names[] = {"", "nearest", "bilinear", "bicubic", "area"};
	static const char *const aspects[] = {"stretch", "crop", "pad"};
	nacre_image_options o = {.height = height, .width = width};
	size_t n = strcspn(how, "+");
	for (int i = 1; i < 5; i++)
		if (strncmp(how, names[i], n) == 0 && !names[i][n])
			o.interpolation = (nacre_interpolation)i;
	for (int i = 0; i < 3; i++)
		if (strcmp(aspect, aspects[i]) == 0)
			o.aspect = (nacre_image_aspect)i;
	CHECK(o.interpolation);
	o.antialias = how[n] == '+';
	nacre_error e = {0};
	nacre_tensor *real = nacre_tensor_convert(x, NACRE_F32, NULL);
	nacre_tensor *y = nacre_image_resize(real, &o, &e);
	nacre_tensor *whole = nacre_image_resize(x, &o, &e);
	CHECK_STR(e.text, "");
	double off = 0, off_whole = 0, v;
	for (int64_t i = 0; y && whole && i < nacre_tensor_size(y); i++) {
		CHECK(fscanf(f, "%lf", &v) == 1);
		off = fmax(off, fabs(nacre_tensor_get(y, i) - v));
		v = v < 0 ? 0 : v > 255 ? 255 : v;
		off_whole = fmax(off_whole, fabs(nacre_tensor_get(whole, i) - v));
	}
	/* TensorFlow's cubic weights come from a table of 1024 steps */
	double most = o.interpolation == NACRE_BICUBIC ? 0.2 : 2e-3;
	if (!(off <= most && off_whole <= most + 0.5))
		test_failed(__FILE__, __LINE__, "%s %s to %" PRId64 " x %" PRId64 ": off by %g, %g",
			    how, aspect, height, width, off, off_whole);
	nacre_tensor_free(real);
	nacre_tensor_free(y);
	nacre_tensor_free(whole);
}

TEST(sizes_as_tensorflow)
{
	FILE *f = fopen(FIXTURES "images/resize.txt", "r");
	char how[32], aspect[32];
	long h, w, height, width;
	int n = 0;
	CHECK(f);
	while (f &&
	       fscanf(f, "%31s %31s %ld %ld %ld %ld", how, aspect, &h, &w, &height, &width) == 6) {
		nacre_tensor *x = pattern(h, w);
		check_size(f, how, aspect, x, height, width);
		nacre_tensor_free(x);
		n++;
	}
	if (f)
		fclose(f);
	CHECK_EQ(n, 48);
}

TEST(sizes_on_load)
{
	nacre_image_options o = {.height = 9,
				 .width = 7,
				 .dtype = NACRE_U8,
				 .aspect = NACRE_PAD,
				 .background = {200, 100, 50}};
	nacre_tensor *x = load("images", "plain.ppm", NULL), *t = load("images", "plain.ppm", &o);
	nacre_tensor *u = nacre_tensor_convert(x, NACRE_U8, NULL);
	nacre_tensor *y = nacre_image_resize(u, &o, NULL);
	check_near("resized", t, y, 0);
	CHECK_NEAR(nacre_tensor_get(t, 0), 200, 0);
	CHECK_NEAR(nacre_tensor_get(t, 1), 100, 0);
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	nacre_tensor_free(u);
	nacre_tensor_free(y);
}

/* -- writing ----------------------------------------------------------------------------------- */
static void round_trip(const char *name, int64_t channels, int bits, double most)
{
	nacre_error e = {0};
	const char *path = temporary(name);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 3, (int64_t[]){23, 31, channels}, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++) {
		double v = (double)(i / channels % 31) * 4 + (double)(i % channels) * 40;
		nacre_tensor_set(t, i, bits == 16 ? v + (double)(i % 200) / 257 : v);
	}
	if (nacre_image_save(t, path, &(nacre_image_save_options){.bits = bits, .quality = 100},
			     &e))
		test_failed(__FILE__, __LINE__, "%s", e.text);
	nacre_tensor *u = nacre_image_load(NULL, path, NULL, &e);
	CHECK_STR(e.text, "");
	check_near(name, u, t, most);
	nacre_tensor_free(t);
	nacre_tensor_free(u);
	unlink(path);
}

TEST(written_and_read_again)
{
	round_trip("a.pgm", 1, 8, 0);
	round_trip("a.ppm", 3, 8, 0);
	round_trip("b.pnm", 3, 16, 1e-4);
	for (int c = 1; c <= 4 && nc_image_png.read; c++) {
		round_trip("a.png", c, 8, 0);
		round_trip("b.PNG", c, 16, 1e-4);
	}
	if (nc_image_jpeg.read) {
		round_trip("a.jpg", 3, 8, 24); /* colours at half the size */
		round_trip("a.jpeg", 1, 8, 2);
	}
}

TEST(writing_rounds_and_cuts_off)
{
	const char *path = temporary("c.pgm");
	static const float v[] = {-5, 0.49f, 0.5f, 254.6f, 300, NAN};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){2, 3}, NULL);
	memcpy(t->data, v, sizeof v);
	CHECK(!nacre_image_save(t, path, NULL, NULL));
	char bytes[64];
	CHECK_EQ(get_file(path, bytes, sizeof bytes), 17);
	CHECK(!memcmp(bytes, "P5\n3 2\n255\n\0\0\1\xff\xff\0", 17));
	nacre_tensor_free(t);
	unlink(path);
}

static void refused_save(const nacre_tensor *t, const char *name, int bits, const char *text)
{
	nacre_error e = {0};
	const char *path = temporary(name);
	CHECK(nacre_image_save(t, path, &(nacre_image_save_options){.bits = bits}, &e));
	if (!strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "%s", e.text);
	CHECK(access(path, F_OK));
}

TEST(saving_errors)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_U8, 3, (int64_t[]){2, 2, 4}, NULL);
	nacre_tensor *u = nacre_tensor_new(NULL, NACRE_I32, 3, (int64_t[]){2, 2, 3}, NULL);
	refused_save(t, "x.gif", 0, "expected .png");
	refused_save(t, "x.bmp", 0, "expected .png");
	refused_save(t, "x.ppm", 0, "got 4 channels");
	refused_save(u, "x.pgm", 0, "got i32 [2, 2, 3]");
	refused_save(t, "x.pgm", 12, "8 or 16 bits");
	if (!nc_image_png.write)
		refused_save(t, "x.png", 0, "libpng");
	if (nc_image_jpeg.write) {
		refused_save(t, "x.jpg", 0, "no alpha");
		nacre_tensor *v = nacre_tensor_new(NULL, NACRE_U8, 3, (int64_t[]){2, 2, 3}, NULL);
		refused_save(v, "x.jpg", 16, "8 bits");
		nacre_tensor_free(v);
	}
	CHECK(nacre_image_save(NULL, "x.png", NULL, NULL));
	CHECK(nacre_image_save(t, NULL, NULL, NULL));
	CHECK(nacre_image_save(t, "/nowhere/x.png", NULL, NULL));
	nacre_tensor_free(t);
	nacre_tensor_free(u);
}

/* -- options and errors ------------------------------------------------------------------------ */
static void refused(const char *bytes, size_t n, nacre_image_options o, const char *text)
{
	nacre_error e = {0};
	CHECK(!nacre_image_decode(NULL, bytes, n, &o, &e));
	if (!strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", e.text, text);
}

TEST(errors)
{
	static const char good[] = "P2 4 3 9 0 0 0 0 0 0 0 0 0 0 0 0";
	size_t n = sizeof good - 1;
	refused(good, n, (nacre_image_options){.color = 9}, "no colour 9");
	refused(good, n, (nacre_image_options){.dtype = NACRE_F64}, "f32 or u8");
	refused(good, n, (nacre_image_options){.height = 9}, "9 and 0");
	refused(good, n, (nacre_image_options){.height = 1 << 20, .width = 1}, "65535");
	refused(good, n, (nacre_image_options){.interpolation = NACRE_LANCZOS3}, "interpolation");
	refused(good, n, (nacre_image_options){.aspect = 7}, "aspect 7");
	refused(good, n, (nacre_image_options){.background = {256}}, "background");
	refused(good, n, (nacre_image_options){.max_pixels = -1}, "limit");
	refused(good, n, (nacre_image_options){.max_pixels = 11}, "expected at most 11");
	refused(good, n, (nacre_image_options){.max_side = 3}, "at most 3");
	refused(good, n, (nacre_image_options){.max_bytes = 8}, "at most 8");
	refused("", 0, (nacre_image_options){0}, "is empty");
	refused("GIF89a", 6, (nacre_image_options){0}, "47 49 46 38");
	refused("P5 60000 60000 255 ", 19, (nacre_image_options){0}, "in all");
	refused("P5 6000 6000 255 ", 17, (nacre_image_options){0}, "do not fit");
	nacre_error e = {0};
	CHECK(!nacre_image_load(NULL, "/nowhere/cat.jpg", NULL, &e));
	CHECK(e.status == NACRE_IO && strstr(e.text, "/nowhere/cat.jpg"));
	CHECK(!nacre_image_load(NULL, NULL, NULL, NULL));
	CHECK(!nacre_image_decode(NULL, NULL, 0, NULL, NULL));
	CHECK(!nacre_image_resize(NULL, NULL, NULL));
	CHECK_STR(nacre_image_probe(pixel, 18), "BMP");
	CHECK(!nacre_image_probe("BMI,height,weight\n", 18));
	CHECK(!nacre_image_probe("abc", 3));
	int readable = 0;
	CHECK_STR(nacre_image_format(2, &readable), "PNM");
	CHECK(readable && !nacre_image_format(4, NULL));
	CHECK(nc_image_name_ok("A/B.JPEG") && !nc_image_name_ok(".png") &&
	      !nc_image_name_ok("png"));
}
