/* SPDX-License-Identifier: MIT
 *
 * image_jpeg.c - JPEG through libjpeg (libjpeg-turbo), whose errors come by longjmp from an error
 * manager of ours.
 *
 * Its warnings are errors here: it would go on after damage, and after a file that is cut off, with
 * grey.  Those of real cameras' habits, which change nothing, are let pass.
 */
#include "format/image.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

static bool probe(const uint8_t *bytes, size_t size)
{
	return size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

#ifdef NACRE_HAVE_JPEG
#include <jpeglib.h>

#include <jerror.h>

/* Pixels that a byte of a file may stand for: in a scan of the coarsest coefficients alone a bit
 * can be 8 x 8 of them; times 8, for colours that are stored at half and quarter of the size. */
#define EXPANSION 4096.0

enum {
	SCANS = 200, /* progressive files have about 10; each passes over the whole picture */
	ROWS = 8,    /* asked for at a time */
	QUALITY = 95
};

typedef struct jpeg {
	struct jpeg_decompress_struct in;
	struct jpeg_compress_struct out;
	struct jpeg_error_mgr manager;
	struct jpeg_progress_mgr progress;
	struct jpeg_destination_mgr to;
	jmp_buf jump;
	nacre_error *error;
	nc_image_reader *r;
	const nc_picture *picture;
	int quality;
	const nc_sink *sink;
	uint8_t *row; /* of CMYK */
	size_t row_size;
	JOCTET buffer[4096];
} jpeg;

static void on_error(j_common_ptr p)
{
	jpeg *c = p->client_data;
	char text[JMSG_LENGTH_MAX];
	p->err->format_message(p, text);
	nacre_status s =
	    p->err->msg_code == JERR_OUT_OF_MEMORY || p->err->msg_code == JERR_NO_BACKING_STORE
		? NACRE_NO_MEMORY
		: NACRE_BAD_DATA;
	nc_fail(c->error, s, "JPEG: %s", text);
	longjmp(c->jump, 1);
}

static void on_message(j_common_ptr p, int level)
{
	static const int harmless[] = {JWRN_EXTRANEOUS_DATA, JWRN_ADOBE_XFORM, JWRN_JFIF_MAJOR,
				       JWRN_BOGUS_PROGRESSION, JWRN_TOO_MUCH_DATA};
	if (level >= 0)
		return;
	for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
		if (p->err->msg_code == harmless[i])
			return;
	on_error(p);
}

static void on_output(j_common_ptr p)
{
	(void)p;
}

static void start(jpeg *c)
{
	jpeg_std_error(&c->manager);
	c->manager.error_exit = on_error;
	c->manager.emit_message = on_message;
	c->manager.output_message = on_output;
	c->in.client_data = c->out.client_data = c;
	c->in.err = c->out.err = &c->manager;
}

/* In a function of its own: what it changes is not local to the one with setjmp. */
static void guarded(jpeg *c, void (*action)(jpeg *c))
{
	if (!setjmp(c->jump))
		action(c);
}

/* -- reading ----------------------------------------------------------------------------------- */
static void on_progress(j_common_ptr p)
{
	jpeg *c = p->client_data;
	if (c->in.input_scan_number > SCANS) {
		nc_image_wrong(c->r, "more than %d scans", SCANS);
		longjmp(c->jump, 1);
	}
}

/* The colours that libjpeg is to give; it makes grey of what has its own brightness. */
static int choose_colors(jpeg *c)
{
	struct jpeg_decompress_struct *in = &c->in;
	nacre_image_color wanted = c->r->options->color;
	bool grey = wanted == NACRE_GREY || wanted == NACRE_GREY_ALPHA;
	if (in->jpeg_color_space == JCS_GRAYSCALE ||
	    (grey && in->jpeg_color_space == JCS_YCbCr && !c->r->only_head)) {
		in->out_color_space = JCS_GRAYSCALE;
		return 1;
	}
	in->out_color_space = in->num_components == 4 ? JCS_CMYK : JCS_RGB;
	return 3;
}

/* Adobe's programs store 255 for no ink; others should be like them, but follow the standard. */
static void from_cmyk(const jpeg *c, uint8_t *rgb)
{
	bool less = c->in.saw_Adobe_marker;
	for (JDIMENSION x = 0; x < c->in.output_width; x++)
		for (int k = 0; k < 3; k++) {
			int ink = c->row[4 * x + (unsigned)k], black = c->row[4 * x + 3];
			int light = less ? ink * black : (255 - ink) * (255 - black);
			rgb[3 * x + (unsigned)k] = (uint8_t)((light + 127) / 255);
		}
}

static void read_rows(jpeg *c)
{
	nc_picture *p = &c->r->picture;
	struct jpeg_decompress_struct *in = &c->in;
	size_t row = (size_t)p->width * (size_t)p->channels;
	bool cmyk = in->out_color_space == JCS_CMYK;
	if (cmyk) {
		c->row_size = 4 * (size_t)p->width;
		c->row = nc_alloc(c->r->memory, c->row_size);
		if (!c->row) {
			nc_no_memory(c->error, c->row_size);
			longjmp(c->jump, 1);
		}
	}
	while (in->output_scanline < in->output_height) {
		uint8_t *to = p->data + (size_t)in->output_scanline * row;
		JDIMENSION rest = in->output_height - in->output_scanline;
		JDIMENSION n = cmyk ? 1 : rest < ROWS ? rest : ROWS;
		JSAMPROW rows[ROWS];
		for (JDIMENSION k = 0; k < n; k++)
			rows[k] = cmyk ? c->row : to + k * row;
		jpeg_read_scanlines(in, rows, n);
		if (cmyk)
			from_cmyk(c, to);
	}
}

static void read_picture(jpeg *c)
{
	nc_image_reader *r = c->r;
	struct jpeg_decompress_struct *in = &c->in;
	jpeg_create_decompress(in);
	jpeg_mem_src(in, (unsigned char *)(uintptr_t)r->bytes, (unsigned long)r->size);
	jpeg_read_header(in, TRUE);
	r->info.orientation = nc_jpeg_orientation(r->bytes, r->size);
	if (nc_image_begin(r, in->image_height, in->image_width, choose_colors(c), 1,
			   EXPANSION * (double)r->size))
		longjmp(c->jump, 1);
	if (r->only_head)
		return;
	/* what it takes inside: the coefficients, and a few rows */
	in->mem->max_memory_to_use = (long)r->picture.size * 12 + (32 << 20);
	c->progress.progress_monitor = on_progress;
	in->progress = &c->progress;
	jpeg_start_decompress(in);
	read_rows(c);
	jpeg_finish_decompress(in);
}

static nacre_status read_jpeg(nc_image_reader *r)
{
	nacre_error inner = {0}, *outer = r->error;
	jpeg c;
	memset(&c, 0, offsetof(jpeg, buffer));
	c.error = &inner;
	c.r = r;
	r->error = &inner;
	start(&c);
	guarded(&c, read_picture);
	jpeg_destroy_decompress(&c.in);
	nc_free(r->memory, c.row, c.row_size);
	r->error = outer;
	return inner.status ? nc_fail(outer, inner.status, "%s", inner.text) : NACRE_OK;
}

/* -- writing ----------------------------------------------------------------------------------- */
static void put_buffer(jpeg *c, size_t n)
{
	nacre_status s = nc_put(c->sink, c->buffer, n);
	if (s) { /* the sink has told already, where it could */
		nc_fail(c->error, s, "JPEG: cannot be written");
		longjmp(c->jump, 1);
	}
}

static void on_start(j_compress_ptr p)
{
	jpeg *c = p->client_data;
	c->to.next_output_byte = c->buffer;
	c->to.free_in_buffer = sizeof c->buffer;
}

static boolean on_full(j_compress_ptr p)
{
	jpeg *c = p->client_data;
	put_buffer(c, sizeof c->buffer);
	on_start(p);
	return TRUE;
}

static void on_end(j_compress_ptr p)
{
	jpeg *c = p->client_data;
	put_buffer(c, sizeof c->buffer - c->to.free_in_buffer);
}

static void write_picture(jpeg *c)
{
	struct jpeg_compress_struct *out = &c->out;
	const nc_picture *p = c->picture;
	jpeg_create_compress(out);
	c->to.init_destination = on_start;
	c->to.empty_output_buffer = on_full;
	c->to.term_destination = on_end;
	out->dest = &c->to;
	out->image_height = (JDIMENSION)p->height;
	out->image_width = (JDIMENSION)p->width;
	out->input_components = p->channels;
	out->in_color_space = p->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(out);
	jpeg_set_quality(out, c->quality ? c->quality : QUALITY, TRUE);
	jpeg_start_compress(out, TRUE);
	size_t row = (size_t)p->width * (size_t)p->channels;
	while (out->next_scanline < out->image_height) {
		JSAMPROW rows[1] = {p->data + (size_t)out->next_scanline * row};
		jpeg_write_scanlines(out, rows, 1);
	}
	jpeg_finish_compress(out);
}

static nacre_status write_jpeg(const nc_picture *p, const char *extension,
			       const nacre_image_save_options *o, nc_memory *m, const nc_sink *to,
			       nacre_error *e)
{
	nacre_error inner = {0};
	jpeg c;
	(void)extension, (void)m;
	if (p->channels == 2 || p->channels == 4)
		return nc_fail(e, NACRE_INVALID,
			       "JPEG: has no alpha: expected 1 or 3 channels, "
			       "got %d",
			       p->channels);
	if (p->bytes != 1)
		return nc_fail(e, NACRE_INVALID, "JPEG: has 8 bits, 16 were asked for");
	if (p->height > JPEG_MAX_DIMENSION || p->width > JPEG_MAX_DIMENSION)
		return nc_fail(e, NACRE_INVALID,
			       "JPEG: a side has at most %ld pixels, got "
			       "%lld x %lld",
			       JPEG_MAX_DIMENSION, (long long)p->height, (long long)p->width);
	memset(&c, 0, offsetof(jpeg, buffer));
	c.error = &inner;
	c.picture = p;
	c.sink = to;
	c.quality = o->quality;
	start(&c);
	guarded(&c, write_picture);
	jpeg_destroy_compress(&c.out);
	return inner.status ? nc_fail(e, inner.status, "%s", inner.text) : NACRE_OK;
}
#endif

const nc_image_format nc_image_jpeg = {
    .name = "JPEG",
    .extension = {".jpg", ".jpeg", ".jpe"},
    .probe = probe,
    .needs = "libjpeg",
#ifdef NACRE_HAVE_JPEG
    .read = read_jpeg,
    .write = write_jpeg,
#endif
};
