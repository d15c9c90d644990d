/* SPDX-License-Identifier: MIT
 *
 * gzip.c - inflating through zlib.
 */
#include "format/gzip.h"

#include <string.h>

bool nc_gzip_is(const uint8_t *bytes, size_t size)
{
	return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

uint32_t nc_gzip_length(const uint8_t *bytes, size_t size)
{
	const uint8_t *p = bytes + size - 4;
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

#ifdef NACRE_HAVE_ZLIB
#include <zlib.h>

struct nc_gzip {
	nc_memory *memory;
	z_stream z;
	const char *what; /* begins each error text */
	const uint8_t *bytes;
	size_t size;  /* of the file */
	size_t given; /* bytes of it handed to zlib */
	bool ended;
};

static void *take(void *memory, unsigned n, unsigned item)
{
	size_t bytes;
	return nc_mul(n, item, &bytes) ? nc_sized_alloc(memory, bytes) : NULL;
}

static void give(void *memory, void *p)
{
	nc_sized_free(memory, p);
}

nc_gzip *nc_gzip_open(nc_memory *m, const uint8_t *bytes, size_t size, nacre_error *e)
{
	return nc_inflate_open(m, NC_GZIP, bytes, size, e);
}

nc_gzip *nc_inflate_open(nc_memory *m, nc_wrapping wrapping, const uint8_t *bytes, size_t size,
			 nacre_error *e)
{
	static const struct {
		const char *what;
		int bits; /* as zlib wants it told */
	} kinds[] = {[NC_GZIP] = {"gzip", 16 + MAX_WBITS},
		     [NC_ZLIB] = {"zlib", MAX_WBITS},
		     [NC_DEFLATE] = {"deflate", -MAX_WBITS}};
	nc_gzip *g = nc_zero_alloc(m, sizeof *g);
	if (!g) {
		nc_no_memory(e, sizeof *g);
		return NULL;
	}
	g->memory = m;
	g->what = kinds[wrapping].what;
	g->bytes = bytes;
	g->size = size;
	g->z.zalloc = take;
	g->z.zfree = give;
	g->z.opaque = m;
	if (inflateInit2(&g->z, kinds[wrapping].bits) != Z_OK) {
		nc_no_memory(e, 1 << 16);
		nc_free(m, g, sizeof *g);
		return NULL;
	}
	return g;
}

void nc_gzip_close(nc_gzip *g)
{
	if (!g)
		return;
	inflateEnd(&g->z);
	nc_free(g->memory, g, sizeof *g);
}

/* Where zlib stands in the file. */
static size_t position(const nc_gzip *g)
{
	return g->given - g->z.avail_in;
}

/* One call of inflate; avail_out is set by the caller.  Z_BUF_ERROR: the file is at its end. */
static int step(nc_gzip *g)
{
	enum { PIECE = 1 << 30 }; /* avail_in has 32 bits */
	if (!g->z.avail_in && g->given < g->size) {
		size_t n = g->size - g->given;
		n = n < PIECE ? n : PIECE;
		g->z.next_in = (z_const Bytef *)(uintptr_t)(g->bytes + g->given);
		g->z.avail_in = (uInt)n;
		g->given += n;
	}
	int r = inflate(&g->z, Z_NO_FLUSH);
	if (r == Z_STREAM_END)
		g->ended = true;
	return r;
}

static nacre_status broken(const nc_gzip *g, int r, nacre_error *e)
{
	if (r == Z_MEM_ERROR)
		return nc_no_memory(e, 1 << 15);
	if (r == Z_BUF_ERROR)
		return nc_fail(e, NACRE_BAD_DATA, "%s: cut off after %zu bytes", g->what, g->size);
	return nc_fail(e, NACRE_BAD_DATA, "%s: damaged near byte %zu: %s", g->what, position(g),
		       r == Z_NEED_DICT ? "wants a dictionary"
		       : g->z.msg       ? g->z.msg
					: "not deflated data");
}

nacre_status nc_gzip_read(nc_gzip *g, void *out, size_t n, nacre_error *e)
{
	enum { PIECE = 1 << 30 };
	uint8_t *p = out;
	while (n) {
		uInt want = (uInt)(n < PIECE ? n : PIECE);
		g->z.next_out = p;
		g->z.avail_out = want;
		int r = g->ended ? Z_STREAM_END : step(g);
		size_t got = want - g->z.avail_out;
		p += got;
		n -= got;
		if (r == Z_STREAM_END && n)
			return nc_fail(e, NACRE_BAD_DATA,
				       "%s: the data end %zu bytes too early, after %lu", g->what,
				       n, g->z.total_out);
		if (r != Z_OK && r != Z_STREAM_END)
			return broken(g, r, e);
	}
	return NACRE_OK;
}

nacre_status nc_gzip_finish(nc_gzip *g, nacre_error *e)
{
	while (!g->ended) {
		uint8_t more;
		g->z.next_out = &more;
		g->z.avail_out = 1;
		int r = step(g);
		if (!g->z.avail_out)
			return nc_fail(e, NACRE_BAD_DATA,
				       "%s: more data than there should be, %lu bytes", g->what,
				       g->z.total_out - 1);
		if (r != Z_OK && r != Z_STREAM_END)
			return broken(g, r, e);
	}
	if (position(g) != g->size)
		return nc_fail(e, NACRE_BAD_DATA, "%s: ends at byte %zu of %zu", g->what,
			       position(g), g->size);
	return NACRE_OK;
}

#else

nc_gzip *nc_gzip_open(nc_memory *m, const uint8_t *bytes, size_t size, nacre_error *e)
{
	return nc_inflate_open(m, NC_GZIP, bytes, size, e);
}

nc_gzip *nc_inflate_open(nc_memory *m, nc_wrapping wrapping, const uint8_t *bytes, size_t size,
			 nacre_error *e)
{
	(void)m, (void)wrapping, (void)bytes, (void)size;
	nc_fail(e, NACRE_UNSUPPORTED,
		"gzip: this build of Nacre has no zlib; unpack the file first");
	return NULL;
}

nacre_status nc_gzip_read(nc_gzip *g, void *out, size_t n, nacre_error *e)
{
	(void)g, (void)out, (void)n;
	return nc_fail(e, NACRE_UNSUPPORTED, "gzip: no zlib");
}

nacre_status nc_gzip_finish(nc_gzip *g, nacre_error *e)
{
	(void)g;
	return nc_fail(e, NACRE_UNSUPPORTED, "gzip: no zlib");
}

void nc_gzip_close(nc_gzip *g)
{
	(void)g;
}
#endif
