/* SPDX-License-Identifier: MIT
 *
 * image_png.c - PNG through libpng, whose errors come by longjmp.
 */
#include "format/image.h"

#include <string.h>

static bool probe(const uint8_t *bytes, size_t size)
{
	static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
	return size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
}

#ifdef NACRE_HAVE_PNG
#include <png.h>

/* Deflate makes at most 1032 bytes of one. */
#define EXPANSION 1032.0
#define ROWS 16 /* bytes of a pixel in the rows that libpng works on, twice */

typedef struct png {
	png_structp png;
	png_infop info;
	nc_memory *memory;
	nacre_error *error;
	/* reading */
	nc_image_reader *r;
	size_t at, most; /* most: bytes that libpng may take at once */
	/* writing */
	const nc_sink *to;
	const nc_picture *picture;
	uint8_t *row;
	size_t row_size;
} png;

static void on_error(png_structp p, png_const_charp text)
{
	png *c = png_get_error_ptr(p);
	nc_fail(c->error, NACRE_BAD_DATA, "PNG: %s", text); /* keeps one that came before */
	png_longjmp(p, 1);
}

/* What libpng goes on after: chunks beside the picture. */
static void on_warning(png_structp p, png_const_charp text)
{
	(void)p, (void)text;
}

/* libpng wants no explanation of a NULL: it raises an error of its own, or goes without.  Some
 * versions take the length of a chunk for granted before they have read it. */
static png_voidp take(png_structp p, png_alloc_size_t n)
{
	png *c = png_get_mem_ptr(p);
	if (c->most && n > c->most) {
		nc_fail(c->error, NACRE_BAD_DATA, "PNG: a part asks for %zu bytes in a file of %zu",
			(size_t)n, c->r->size);
		return NULL;
	}
	void *block = nc_sized_alloc(c->memory, n);
	if (!block)
		nc_no_memory(c->error, n);
	return block;
}

static void give(png_structp p, png_voidp block)
{
	nc_sized_free(((png *)png_get_mem_ptr(p))->memory, block);
}

/* In a function of its own: what it changes is not local to the one with setjmp. */
static void guarded(png *c, void (*action)(png *c))
{
	if (!setjmp(png_jmpbuf(c->png)))
		action(c);
}

/* -- reading ----------------------------------------------------------------------------------- */
static void on_read(png_structp p, png_bytep data, size_t n)
{
	png *c = png_get_io_ptr(p);
	if (n > c->r->size - c->at) {
		nc_image_wrong(c->r, "the file ends after %zu bytes, in the middle of the picture",
			       c->r->size);
		png_error(p, "cut off");
	}
	memcpy(data, c->r->bytes + c->at, n);
	c->at += n;
}

/* Texts and profiles are passed over unread: they may be bombs of their own. */
static void limit(png *c)
{
	const nacre_image_options *o = c->r->options;
	static const png_byte passed[] = "iCCP\0iTXt\0tEXt\0zTXt\0sPLT\0hIST\0pCAL";
	uint32_t side = o->max_side && o->max_side < INT32_MAX ? (uint32_t)o->max_side : 65535;
	c->most = c->r->size + ROWS * (size_t)side + (1 << 20);
	png_set_user_limits(c->png, side, side);
	png_set_chunk_malloc_max(c->png, 1 << 20);
	png_set_keep_unknown_chunks(c->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	png_set_keep_unknown_chunks(c->png, PNG_HANDLE_CHUNK_NEVER, passed, sizeof passed / 5);
}

static void read_orientation(png *c)
{
#ifdef PNG_eXIf_SUPPORTED
	png_uint_32 n = 0;
	png_bytep exif = NULL;
	if (png_get_eXIf_1(c->png, c->info, &n, &exif) && exif)
		c->r->info.orientation = nc_exif_orientation(exif, n);
#else
	(void)c;
#endif
}

static void read_rows(png *c, int passes)
{
	nc_picture *p = &c->r->picture;
	size_t row = (size_t)p->width * (size_t)(p->channels * p->bytes);
	if (png_get_rowbytes(c->png, c->info) != row)
		png_error(c->png, "rows of another length than expected");
	for (int pass = 0; pass < passes; pass++)
		for (int64_t y = 0; y < p->height; y++)
			png_read_row(c->png, p->data + (size_t)y * row, NULL);
	png_read_end(c->png, NULL);
}

static void read_picture(png *c)
{
	nc_image_reader *r = c->r;
	png_uint_32 width, height;
	int bits, color;
	limit(c);
	png_set_read_fn(c->png, c, on_read);
	png_read_info(c->png, c->info);
	png_get_IHDR(c->png, c->info, &width, &height, &bits, &color, NULL, NULL, NULL);
	bool alpha =
	    (color & PNG_COLOR_MASK_ALPHA) || png_get_valid(c->png, c->info, PNG_INFO_tRNS);
	int channels = (color & PNG_COLOR_MASK_COLOR ? 3 : 1) + alpha;
	double row = (double)png_get_rowbytes(c->png, c->info) + 1;
	read_orientation(c);
	if (nc_image_begin(r, height, width, channels, bits == 16 ? 2 : 1,
			   EXPANSION * (double)r->size / row * (double)width))
		png_error(c->png, "refused");
	if (r->only_head)
		return;
	png_set_expand(c->png); /* palettes, fewer bits, transparent colours */
	if (bits == 16 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		png_set_swap(c->png);
	int passes = png_set_interlace_handling(c->png);
	png_read_update_info(c->png, c->info);
	read_rows(c, passes);
}

static nacre_status read_png(nc_image_reader *r)
{
	nacre_error inner = {0}, *outer = r->error;
	png c = {.memory = r->memory, .error = &inner, .r = r};
	r->error = &inner;
	c.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning, &c, take,
					 give);
	c.info = c.png ? png_create_info_struct(c.png) : NULL;
	if (!c.info)
		nc_no_memory(&inner, sizeof c);
	else
		guarded(&c, read_picture);
	if (c.png)
		png_destroy_read_struct(&c.png, &c.info, NULL);
	r->error = outer;
	return inner.status ? nc_fail(outer, inner.status, "%s", inner.text) : NACRE_OK;
}

/* -- writing ----------------------------------------------------------------------------------- */
static void on_write(png_structp p, png_bytep data, size_t n)
{
	png *c = png_get_io_ptr(p);
	nacre_status s = nc_put(c->to, data, n);
	if (s) { /* the sink has told already, where it could */
		nc_fail(c->error, s, "PNG: cannot be written");
		png_error(p, "cannot be written");
	}
}

static void on_flush(png_structp p)
{
	(void)p;
}

static void write_picture(png *c)
{
	const nc_picture *p = c->picture;
	static const int color[] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
				    PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
	png_set_write_fn(c->png, c, on_write, on_flush);
	png_set_user_limits(c->png, INT32_MAX, INT32_MAX);
	png_set_IHDR(c->png, c->info, (png_uint_32)p->width, (png_uint_32)p->height, 8 * p->bytes,
		     color[p->channels], PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	png_write_info(c->png, c->info);
	if (p->bytes == 2 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		png_set_swap(c->png);
	for (int64_t y = 0; y < p->height; y++) { /* libpng swaps in a row of its own */
		memcpy(c->row, p->data + (size_t)y * c->row_size, c->row_size);
		png_write_row(c->png, c->row);
	}
	png_write_end(c->png, c->info);
}

static nacre_status write_png(const nc_picture *p, const char *extension,
			      const nacre_image_save_options *o, nc_memory *m, const nc_sink *to,
			      nacre_error *e)
{
	nacre_error inner = {0};
	png c = {.memory = m, .error = &inner, .to = to, .picture = p};
	(void)extension, (void)o;
	if (p->width > INT32_MAX || p->height > INT32_MAX)
		return nc_fail(e, NACRE_INVALID, "PNG: %lld x %lld pixels are too many",
			       (long long)p->height, (long long)p->width);
	c.row_size = (size_t)p->width * (size_t)(p->channels * p->bytes);
	c.row = nc_alloc(m, c.row_size);
	c.png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, &c, on_error, on_warning, &c, take,
					  give);
	c.info = c.png ? png_create_info_struct(c.png) : NULL;
	if (!c.info || !c.row)
		nc_no_memory(&inner, c.row_size);
	else
		guarded(&c, write_picture);
	if (c.png)
		png_destroy_write_struct(&c.png, &c.info);
	nc_free(m, c.row, c.row_size);
	return inner.status ? nc_fail(e, inner.status, "%s", inner.text) : NACRE_OK;
}
#endif

const nc_image_format nc_image_png = {
    .name = "PNG",
    .extension = {".png"},
    .probe = probe,
    .needs = "libpng",
#ifdef NACRE_HAVE_PNG
    .read = read_png,
    .write = write_png,
#endif
};
