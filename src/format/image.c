/* SPDX-License-Identifier: MIT
 *
 * image.c - the table of picture formats, their limits, and the way from a file to a tensor and
 * back.
 */
#include "format/image.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/load.h"
#include "tensor/tensor.h"

enum { MAX_PIXELS = 100000000, MAX_SIDE = 65535 };
/* Pictures begin so many bytes behind a multiple of 64: into rows that are aligned libjpeg-turbo
 * writes past the caches, and who reads them next waits for memory (45 -> 75 us for 128 x 128). */
enum { ASIDE = 8 };

static const nc_image_format *const formats[] = {
    &nc_image_png,
    &nc_image_jpeg,
    &nc_image_pnm,
    &nc_image_bmp,
};

/* -- the table --------------------------------------------------------------------------------- */
const nc_image_format *nc_image_format_at(int i)
{
	return i >= 0 && i < (int)(sizeof formats / sizeof *formats) ? formats[i] : NULL;
}

const nc_image_format *nc_image_format_of(const uint8_t *bytes, size_t size)
{
	for (int i = 0; nc_image_format_at(i); i++)
		if (formats[i]->probe(bytes, size))
			return formats[i];
	return NULL;
}

const char *nacre_image_format(int i, int *readable)
{
	const nc_image_format *f = nc_image_format_at(i);
	if (readable)
		*readable = f && f->read;
	return f ? f->name : NULL;
}

const char *nacre_image_probe(const void *bytes, size_t size)
{
	const nc_image_format *f = bytes ? nc_image_format_of(bytes, size) : NULL;
	return f ? f->name : NULL;
}

/* The extension of the format that the path ends with; NULL: it is none of its. */
static const char *extension_of(const nc_image_format *f, const char *path)
{
	size_t n = strlen(path);
	for (int k = 0; f->extension[k]; k++) {
		size_t length = strlen(f->extension[k]);
		if (n > length && strcasecmp(path + n - length, f->extension[k]) == 0)
			return f->extension[k];
	}
	return NULL;
}

bool nc_image_name_ok(const char *path)
{
	for (int i = 0; nc_image_format_at(i); i++)
		if (extension_of(formats[i], path))
			return true;
	return false;
}

/* -- reading ----------------------------------------------------------------------------------- */
nacre_status nc_image_wrong(nc_image_reader *r, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return nc_fail(r->error, NACRE_BAD_DATA, "%s: %s", r->info.format, text);
}

nacre_status nc_picture_new(nc_picture *p, nc_memory *m, int64_t height, int64_t width,
			    int channels, int bytes, nacre_error *e)
{
	size_t size = 0;
	*p = (nc_picture){.height = height, .width = width, .channels = channels, .bytes = bytes};
	size_t taken = 0;
	uint8_t *block = NULL;
	if (nc_mul((size_t)height, (size_t)width, &size) &&
	    nc_mul(size, (size_t)(channels * bytes), &size) && nc_add(size, ASIDE, &taken))
		block = nc_alloc(m, taken);
	if (!block)
		return nc_no_memory(e, size);
	p->data = block + ASIDE;
	p->size = size;
	return NACRE_OK;
}

void nc_picture_free(nc_picture *p, nc_memory *m)
{
	if (p->data)
		nc_free(m, p->data - ASIDE, p->size + ASIDE);
	*p = (nc_picture){0};
}

nacre_status nc_image_begin(nc_image_reader *r, int64_t height, int64_t width, int channels,
			    int bytes, double most)
{
	const nacre_image_options *o = r->options;
	int64_t side = o->max_side ? o->max_side : MAX_SIDE;
	int64_t pixels = o->max_pixels ? o->max_pixels : MAX_PIXELS;
	long long h = height, w = width;
	r->info.height = height;
	r->info.width = width;
	r->info.channels = channels;
	r->info.bits = 8 * bytes;
	if (height < 1 || width < 1)
		return nc_image_wrong(r, "%lld x %lld pixels: expected at least 1 x 1", h, w);
	if (height > side || width > side)
		return nc_image_wrong(r, "%lld x %lld pixels: a side may have at most %lld", h, w,
				      (long long)side);
	if ((double)height * (double)width > (double)pixels)
		return nc_image_wrong(r, "%lld x %lld pixels: expected at most %lld in all", h, w,
				      (long long)pixels);
	if ((double)height * (double)width > most)
		return nc_image_wrong(r, "%lld x %lld pixels do not fit into %zu bytes of file", h,
				      w, r->size);
	if (r->only_head)
		return NACRE_OK;
	return nc_picture_new(&r->picture, r->memory, height, width, channels, bytes, r->error);
}

static bool finite_color(double v)
{
	return v >= 0 && v <= 255;
}

nacre_status nc_image_check(const nacre_image_options *o, nacre_error *e)
{
	const double *b = o->background;
	if ((int)o->color < NACRE_AS_STORED || o->color > NACRE_RGBA)
		return nc_fail(e, NACRE_INVALID, "image: there is no colour %d", (int)o->color);
	if (o->dtype != NACRE_F32 && o->dtype != NACRE_U8)
		return nc_fail(e, NACRE_INVALID, "image: expected numbers of f32 or u8, got %s",
			       nacre_dtype_name(o->dtype));
	if (o->height < 0 || o->width < 0 || !o->height != !o->width || o->height > MAX_SIDE ||
	    o->width > MAX_SIDE)
		return nc_fail(e, NACRE_INVALID,
			       "image: expected a height and width of 1 to %d (or 0: as it is), "
			       "got %lld and %lld",
			       MAX_SIDE, (long long)o->height, (long long)o->width);
	if ((int)o->interpolation < 0 || o->interpolation > NACRE_AREA)
		return nc_fail(e, NACRE_INVALID,
			       "image: expected interpolation nearest, bilinear, bicubic or area, "
			       "got number %d",
			       (int)o->interpolation);
	if ((int)o->aspect < NACRE_STRETCH || o->aspect > NACRE_PAD)
		return nc_fail(e, NACRE_INVALID, "image: there is no aspect %d", (int)o->aspect);
	if (!finite_color(b[0]) || !finite_color(b[1]) || !finite_color(b[2]))
		return nc_fail(e, NACRE_INVALID,
			       "image: the background (%g, %g, %g) is outside 0..255", b[0], b[1],
			       b[2]);
	if (o->max_pixels < 0 || o->max_side < 0 || o->max_bytes < 0)
		return nc_fail(e, NACRE_INVALID, "image: a limit is negative");
	return NACRE_OK;
}

/* Runs the reader of the format; the picture is the caller's to free, whatever happens. */
static nacre_status run_reader(nc_image_reader *r)
{
	const nc_image_format *f = nc_image_format_of(r->bytes, r->size);
	if ((uint64_t)r->size > (uint64_t)nc_image_max_bytes(r->options))
		return nc_fail(r->error, NACRE_BAD_DATA,
			       "a picture of %zu bytes: expected at most %lld", r->size,
			       (long long)nc_image_max_bytes(r->options));
	if (!f) {
		uint8_t head[4] = {0};
		memcpy(head, r->bytes, r->size < 4 ? r->size : 4);
		return nc_fail(r->error, NACRE_BAD_DATA,
			       r->size ? "no picture: expected PNG, JPEG, PNM or BMP, got a file "
					 "that begins with %02x %02x %02x %02x"
				       : "no picture: the file is empty",
			       head[0], head[1], head[2], head[3]);
	}
	if (!f->read)
		return nc_fail(r->error, NACRE_UNSUPPORTED,
			       "%s: this build of Nacre has no %s, which it needs to read it",
			       f->name, f->needs);
	r->info = (nacre_image_info){.format = f->name, .orientation = 1};
	return f->read(r);
}

nacre_status nc_image_read(nc_memory *m, const uint8_t *bytes, size_t size,
			   const nacre_image_options *o, nc_picture *out, nacre_error *e)
{
	nc_image_reader r = {.memory = m, .bytes = bytes, .size = size, .options = o, .error = e};
	nacre_status s = run_reader(&r);
	if (!s && !o->no_orientation)
		s = nc_picture_orient(&r.picture, m, r.info.orientation, e);
	if (!s)
		s = nc_picture_color(&r.picture, m, o, e);
	if (s)
		nc_picture_free(&r.picture, m);
	*out = r.picture;
	return s;
}

static const nacre_image_options no_options;

static nacre_tensor *to_tensor(nacre_runtime *rt, const nc_picture *p, const nacre_image_options *o,
			       nacre_error *e)
{
	int64_t shape[3] = {o->height ? o->height : p->height, o->width ? o->width : p->width,
			    p->channels};
	nacre_tensor *t = nacre_tensor_new(rt, o->dtype, 3, shape, e);
	if (t && nc_picture_put(p, rt, o, t->data, e)) {
		nacre_tensor_free(t);
		return NULL;
	}
	return t;
}

nacre_tensor *nacre_image_decode(nacre_runtime *runtime, const void *bytes, size_t size,
				 const nacre_image_options *options, nacre_error *error)
{
	const nacre_image_options *o = options ? options : &no_options;
	nacre_runtime *rt = nc_runtime(runtime);
	nc_picture p;
	if (!rt || !bytes) {
		nc_fail(error, NACRE_INVALID,
			rt ? "image: the bytes are NULL" : "there is no default runtime");
		return NULL;
	}
	if (nc_image_check(o, error) ||
	    nc_image_read(nc_runtime_memory(rt), bytes, size, o, &p, error))
		return NULL;
	nacre_tensor *t = to_tensor(rt, &p, o, error);
	nc_picture_free(&p, nc_runtime_memory(rt));
	return t;
}

/* The bytes of a file, not mapped: it may be changed by others meanwhile. */
static nacre_status open_file(nacre_runtime *rt, const char *path, const nacre_image_options *o,
			      nc_bytes *out, nacre_error *e)
{
	if (!rt || !path)
		return nc_fail(e, NACRE_INVALID,
			       rt ? "image: the path is NULL" : "there is no default runtime");
	return nc_image_check(o, e) ? e->status
				    : nc_file_read(nc_runtime_memory(rt), path,
						   (size_t)nc_image_max_bytes(o), out, e);
}

nacre_tensor *nacre_image_load(nacre_runtime *runtime, const char *path,
			       const nacre_image_options *options, nacre_error *error)
{
	const nacre_image_options *o = options ? options : &no_options;
	nacre_runtime *rt = nc_runtime(runtime);
	nc_bytes bytes;
	nacre_error e = {0};
	nacre_tensor *t = NULL;
	if (!open_file(rt, path, o, &bytes, &e)) {
		nacre_error inner = {0};
		t = nacre_image_decode(rt, bytes.data, bytes.size, o, &inner);
		if (!t)
			nc_fail_in(&e, path, &inner);
		nc_bytes_free(nc_runtime_memory(rt), &bytes);
	}
	if (!t)
		nc_fail(error, e.status, "%s", e.text);
	return t;
}

/* Of the first bytes; where these do not do (a long profile in front, or pixels that need so many
 * bytes), of all. */
static nacre_status read_head(nacre_runtime *rt, const char *path, const nacre_image_options *o,
			      nacre_image_info *info, nacre_error *e)
{
	enum { HEAD = 1 << 16 };
	nc_memory *m = nc_runtime_memory(rt);
	nc_bytes bytes;
	size_t size;
	nacre_error inner = {0};
	nc_image_reader r = {.memory = m, .options = o, .only_head = true, .error = &inner};
	if (nc_file_head(m, path, HEAD, &bytes, &size, e))
		return e->status;
	for (int whole = size <= HEAD; whole < 2; whole++) {
		r.bytes = bytes.data;
		r.size = bytes.size;
		inner = (nacre_error){0};
		bool ok = !run_reader(&r);
		nc_bytes_free(m, &bytes);
		if (ok || whole || size > (uint64_t)nc_image_max_bytes(o))
			break;
		if (nc_file_read(m, path, (size_t)nc_image_max_bytes(o), &bytes, e))
			return e->status;
	}
	*info = r.info;
	if (!inner.status && size > (uint64_t)nc_image_max_bytes(o))
		nc_fail(&inner, NACRE_BAD_DATA, "a picture of %zu bytes: expected at most %lld",
			size, (long long)nc_image_max_bytes(o));
	return inner.status ? nc_fail_in(e, path, &inner) : NACRE_OK;
}

nacre_status nacre_image_read_info(nacre_runtime *runtime, const char *path,
				   const nacre_image_options *options, nacre_image_info *info,
				   nacre_error *error)
{
	const nacre_image_options *o = options ? options : &no_options;
	nacre_runtime *rt = nc_runtime(runtime);
	nacre_image_info found = {0};
	nacre_error e = {0};
	if (!rt || !path)
		nc_fail(&e, NACRE_INVALID,
			rt ? "image: the path is NULL" : "there is no default runtime");
	else if (!nc_image_check(o, &e) && !read_head(rt, path, o, &found, &e) && info)
		*info = found;
	return e.status ? nc_fail(error, e.status, "%s", e.text) : NACRE_OK;
}

nacre_tensor *nacre_image_resize(const nacre_tensor *image, const nacre_image_options *options,
				 nacre_error *error)
{
	char text[128];
	if (!image || !options) {
		nc_fail(error, NACRE_INVALID, "image_resize: the %s NULL",
			image ? "options are" : "image is");
		return NULL;
	}
	nacre_image_options o = *options;
	o.dtype = image->dtype;
	if (nc_image_check(&o, error))
		return NULL;
	if (image->rank != 3 || image->shape[0] < 1 || image->shape[1] < 1 || image->shape[2] < 1 ||
	    image->shape[2] > 4) {
		nc_fail(error, NACRE_INVALID,
			"image_resize: expected [height, width, 1 to 4 channels], got %s",
			nc_shape_text(text, image->rank, image->shape));
		return NULL;
	}
	nacre_tensor *own = nacre_tensor_contiguous(image)
				? NULL
				: nacre_tensor_convert(image, image->dtype, error);
	const nacre_tensor *x = own ? own : image;
	nc_picture p = {x->shape[0],      x->shape[1],
			(int)x->shape[2], (int)nacre_dtype_size(x->dtype),
			x->data,          0};
	nacre_tensor *y =
	    own || nacre_tensor_contiguous(image) ? to_tensor(image->runtime, &p, &o, error) : NULL;
	nacre_tensor_free(own);
	return y;
}

/* -- writing ----------------------------------------------------------------------------------- */
/* The tensor as a picture of whole numbers. */
static nacre_status to_picture(const nacre_tensor *t, int bits, nc_picture *p, nacre_error *e)
{
	char text[128];
	int64_t channels = t->rank == 3 ? t->shape[2] : 1;
	if (t->rank < 2 || t->rank > 3 || channels < 1 || channels > 4 || t->shape[0] < 1 ||
	    t->shape[1] < 1 || (t->dtype != NACRE_U8 && !nc_dtype_is_float(t->dtype)))
		return nc_fail(e, NACRE_INVALID,
			       "expected u8 or floats of [height, width] or [height, width, 1 to 4 "
			       "channels], got %s %s",
			       nacre_dtype_name(t->dtype), nc_shape_text(text, t->rank, t->shape));
	nc_memory *m = nc_runtime_memory(t->runtime);
	if (nc_picture_new(p, m, t->shape[0], t->shape[1], (int)channels, bits / 8, e))
		return e->status;
	nacre_tensor *x = nacre_tensor_convert(t, NACRE_F32, e);
	if (!x) {
		nc_picture_free(p, m);
		return e->status;
	}
	const float *from = (const float *)(const void *)x->data;
	double most = bits == 16 ? 65535 : 255;
	for (int64_t i = 0, n = nacre_tensor_size(x); i < n; i++) {
		double v = (double)from[i] * (most / 255) + 0.5;
		unsigned whole = v >= 1 ? v < most + 1 ? (unsigned)v : (unsigned)most : 0;
		if (bits == 16)
			((uint16_t *)(void *)p->data)[i] = (uint16_t)whole;
		else
			p->data[i] = (uint8_t)whole;
	}
	nacre_tensor_free(x);
	return NACRE_OK;
}

nacre_status nc_image_encode(const nacre_tensor *t, const nc_image_format *f, const char *extension,
			     const nacre_image_save_options *o, const nc_sink *to, nacre_error *e)
{
	int bits = o->bits ? o->bits : 8;
	nc_picture p;
	if (!f->write)
		return nc_fail(e, NACRE_UNSUPPORTED,
			       "%s: this build of Nacre has no %s, which it needs to write it",
			       f->name, f->needs);
	if ((bits != 8 && bits != 16) || o->quality < 0 || o->quality > 100)
		return nc_fail(e, NACRE_INVALID,
			       "%s: expected 8 or 16 bits and a quality of 1 to 100, got %d and %d",
			       f->name, bits, o->quality);
	if (to_picture(t, bits, &p, e))
		return e->status;
	nc_memory *m = nc_runtime_memory(t->runtime);
	nacre_status s = f->write(&p, extension, o, m, to, e);
	nc_picture_free(&p, m);
	return s;
}

/* The format to be written by a path's extension; NULL: none. */
static const nc_image_format *written(const char *path, const char **extension)
{
	for (int i = 0; nc_image_format_at(i); i++) {
		*extension = extension_of(formats[i], path);
		if (*extension && (formats[i]->write || !formats[i]->read))
			return formats[i];
	}
	return NULL;
}

nacre_status nacre_image_save(const nacre_tensor *image, const char *path,
			      const nacre_image_save_options *options, nacre_error *error)
{
	static const nacre_image_save_options none;
	const char *extension = NULL;
	nc_writer w;
	nacre_error e = {0}, inner = {0};
	if (!image || !path)
		return nc_fail(error, NACRE_INVALID, "image_save: the %s is NULL",
			       image ? "path" : "image");
	const nc_image_format *f = written(path, &extension);
	if (!f)
		return nc_fail(error, NACRE_INVALID,
			       "%.300s: the name tells no format of pictures: expected .png, .jpg, "
			       ".jpeg, .pgm, .ppm or .pnm",
			       path);
	if (!nc_writer_open(&w, path, &e)) {
		nc_sink to = nc_sink_writer(&w);
		if (nc_image_encode(image, f, extension, options ? options : &none, &to, &inner)) {
			nc_writer_abandon(&w);
			nc_fail_in(&e, path, &inner);
		} else {
			nc_writer_finish(&w);
		}
	}
	return e.status ? nc_fail(error, e.status, "%s", e.text) : NACRE_OK;
}
