/* SPDX-License-Identifier: MIT
 *
 * idx.c - reading IDX files, plain or gzip.
 */
#include "format/idx.h"

#include <string.h>

#include "format/gzip.h"
#include "format/load.h"
#include "nacre/format.h"

static const struct {
	int type, element;
	nacre_dtype dtype;
} types[] = {
    {0x08, 1, NACRE_U8},  {0x09, 1, NACRE_I8},  {0x0b, 2, NACRE_I32},
    {0x0c, 4, NACRE_I32}, {0x0d, 4, NACRE_F32}, {0x0e, 8, NACRE_F64},
};

size_t nc_idx_header_size(const uint8_t *bytes, size_t size, nacre_error *e)
{
	if (size < 4) {
		nc_fail(e, NACRE_BAD_DATA, "IDX: a header needs at least 4 bytes, got %zu", size);
		return 0;
	}
	if (bytes[0] || bytes[1]) {
		nc_fail(e, NACRE_BAD_DATA, "IDX, byte 0: expected 00 00, got %02x %02x", bytes[0],
			bytes[1]);
		return 0;
	}
	if (bytes[3] < 1 || bytes[3] > NACRE_MAX_RANK) {
		nc_fail(e, NACRE_BAD_DATA, "IDX, byte 3: expected 1 to %d dimensions, got %d",
			NACRE_MAX_RANK, bytes[3]);
		return 0;
	}
	return 4 + 4 * (size_t)bytes[3];
}

nacre_status nc_idx_header(const uint8_t *bytes, size_t size, nc_idx *out, nacre_error *e)
{
	size_t header = nc_idx_header_size(bytes, size, e);
	if (!header)
		return NACRE_BAD_DATA;
	nc_idx d = {.type = bytes[2], .rank = bytes[3], .data = header};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (types[i].type == d.type) {
			d.element = types[i].element;
			d.dtype = types[i].dtype;
		}
	if (!d.element)
		return nc_fail(e, NACRE_BAD_DATA,
			       "IDX, byte 2: unknown type 0x%02x (known: 08 09 0b 0c 0d 0e)",
			       d.type);
	if (size < header)
		return nc_fail(e, NACRE_BAD_DATA,
			       "IDX: a header of %d dimensions has %zu bytes, got %zu", d.rank,
			       header, size);
	for (int i = 0; i < d.rank; i++)
		d.shape[i] = nc_big32(bytes + 4 + 4 * i);
	size_t n;
	/* widened (i16 to i32), with 64 bytes to spare, it must fit as well */
	if (!nc_shape_size(d.rank, d.shape, &d.count) ||
	    !nc_mul((size_t)d.count, nacre_dtype_size(d.dtype), &n) || !nc_add(n, 64, &n)) {
		char text[128];
		return nc_fail(e, NACRE_BAD_DATA, "IDX: the product of the sizes %s overflows",
			       nc_shape_text(text, d.rank, d.shape));
	}
	d.end = header + (size_t)d.count * (size_t)d.element;
	*out = d;
	return NACRE_OK;
}

static nacre_status check_length(const nc_idx *d, size_t size, nacre_error *e)
{
	char text[128];
	if (d->end == size)
		return NACRE_OK;
	return nc_fail(e, NACRE_BAD_DATA, "IDX: %s elements of %d bytes need %zu bytes, got %zu",
		       nc_shape_text(text, d->rank, d->shape), d->element, d->end - d->data,
		       size - d->data);
}

nacre_status nc_idx_parse(const uint8_t *bytes, size_t size, nc_idx *out, nacre_error *e)
{
	nacre_status s = nc_idx_header(bytes, size, out, e);
	return s ? s : check_length(out, size, e);
}

/* Elements as they lie in the file become those of the tensor; i16 is at the end of its room, so
 * that it can be widened in place from the front. */
static void to_host(const nc_idx *d, void *data)
{
	uint8_t *p = data;
	if (d->element == 2) {
		int32_t *out = data;
		const uint8_t *in = p + 2 * d->count;
		for (int64_t i = 0; i < d->count; i++)
			out[i] = (int16_t)(in[2 * i] << 8 | in[2 * i + 1]);
	} else {
		nc_from_big(p, d->count, d->element);
	}
}

/* Where the bytes of the file go inside the tensor's data. */
static uint8_t *room(const nc_idx *d, nacre_tensor *t)
{
	return t->data + (nacre_dtype_size(d->dtype) - (size_t)d->element) * (size_t)d->count;
}

/* Deflate expands at most 1032 times; real files, hardly 100 times.  A small file that asks for
 * much memory is refused, and the length in the trailer must agree before any is taken. */
static nacre_status check_expansion(const nc_idx *d, const uint8_t *bytes, size_t size,
				    nacre_error *e)
{
	enum { RATIO = 100, SMALL = 60 << 20 };
	size_t wanted =
	    d->end + (nacre_dtype_size(d->dtype) - (size_t)d->element) * (size_t)d->count;
	if (wanted > SMALL && wanted / RATIO > size)
		return nc_fail(e, NACRE_BAD_DATA,
			       "IDX: the header claims %zu bytes, over %d times the %zu of the "
			       "gzip file",
			       wanted, RATIO, size);
	if (size < 18 || nc_gzip_length(bytes, size) != (uint32_t)d->end)
		return nc_fail(e, NACRE_BAD_DATA,
			       "IDX: the header claims %zu bytes, the end of the gzip file %u",
			       d->end, size < 18 ? 0 : nc_gzip_length(bytes, size));
	return NACRE_OK;
}

static nacre_tensor *decode_gzip(nacre_runtime *rt, const uint8_t *bytes, size_t size, nc_gzip *g,
				 nacre_error *e)
{
	uint8_t header[NC_IDX_HEADER];
	nc_idx d;
	if (nc_gzip_read(g, header, 4, e))
		return NULL;
	size_t n = nc_idx_header_size(header, 4, e);
	if (!n || nc_gzip_read(g, header + 4, n - 4, e) || nc_idx_header(header, n, &d, e) ||
	    check_expansion(&d, bytes, size, e))
		return NULL;
	nacre_tensor *t = nacre_tensor_new(rt, d.dtype, d.rank, d.shape, e);
	if (!t)
		return NULL;
	if (nc_gzip_read(g, room(&d, t), d.end - d.data, e) || nc_gzip_finish(g, e)) {
		nacre_tensor_free(t);
		return NULL;
	}
	to_host(&d, t->data);
	return t;
}

nacre_tensor *nc_idx_decode(nacre_runtime *rt, const uint8_t *bytes, size_t size, nacre_error *e)
{
	if (nc_gzip_is(bytes, size)) {
		nc_gzip *g = nc_gzip_open(nc_runtime_memory(rt), bytes, size, e);
		nacre_tensor *t = g ? decode_gzip(rt, bytes, size, g, e) : NULL;
		nc_gzip_close(g);
		return t;
	}
	nc_idx d;
	if (nc_idx_parse(bytes, size, &d, e))
		return NULL;
	nacre_tensor *t = nacre_tensor_new(rt, d.dtype, d.rank, d.shape, e);
	if (!t)
		return NULL;
	if (d.end > d.data)
		memcpy(room(&d, t), bytes + d.data, d.end - d.data);
	to_host(&d, t->data);
	return t;
}

nacre_tensor *nacre_idx_load(nacre_runtime *runtime, const char *path, nacre_error *error)
{
	return nc_load(runtime, path, nc_idx_decode, error);
}
