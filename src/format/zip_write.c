/* SPDX-License-Identifier: MIT
 *
 * zip_write.c - writing zip archives of stored members, front to back.
 *
 * The same members give the same bytes: the date is fixed unless one is set.
 */
#include <string.h>

#include "base/crc.h"
#include "format/load.h"
#include "format/zip.h"

enum { MOST = 65534, VERSION = 20, VERSION64 = 45, UTF8 = 1 << 11, RECORD = 46 + 4 + 24 };

typedef struct nc_zip_written {
	struct nc_zip_written *next;
	const char *name;
	size_t name_size;
	uint64_t header, size;
	uint32_t crc;
} written;

static uint8_t *put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	return p + 2;
}

static uint8_t *put32(uint8_t *p, uint64_t v)
{
	return put16(put16(p, (uint32_t)(v & 0xffff)), (uint32_t)(v >> 16 & 0xffff));
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	return put32(put32(p, v), v >> 32);
}

void nc_zip_start(nc_zip_writer *z, nc_memory *m, nc_sink sink, nacre_error *e)
{
	*z = (nc_zip_writer){.memory = m, .sink = sink, .error = e, .large = 0xffffffff};
	nc_arena_init(&z->arena, m);
	nc_zip_date(z, 1980, 1, 1, 0, 0, 0);
}

void nc_zip_date(nc_zip_writer *z, int year, int month, int day, int hour, int minute, int second)
{
	year = year < 1980 ? 1980 : year > 2107 ? 2107 : year;
	z->date = (uint16_t)((year - 1980) << 9 | (month & 15) << 5 | (day & 31));
	z->time = (uint16_t)((hour & 31) << 11 | (minute & 63) << 5 | (second / 2 & 31));
}

static nacre_status failed(nc_zip_writer *z, nacre_status s)
{
	z->status = z->status ? z->status : s;
	return z->status;
}

static nacre_status put(nc_zip_writer *z, const void *data, size_t n)
{
	if (z->status)
		return z->status;
	nacre_status s = nc_put(&z->sink, data, n);
	z->at += n;
	return s ? failed(z, s) : NACRE_OK;
}

/* version, flags, method, time, date, checksum, sizes, lengths: the same in both headers */
static uint8_t *put_common(const nc_zip_writer *z, uint8_t *p, const written *w, bool large,
			   size_t extra)
{
	uint32_t flags = 0;
	for (size_t i = 0; i < w->name_size; i++)
		flags |= (uint8_t)w->name[i] >= 0x80 ? UTF8 : 0;
	p = put16(p, large ? VERSION64 : VERSION);
	p = put16(p, flags);
	p = put16(p, 0);
	p = put16(p, z->time);
	p = put16(p, z->date);
	p = put32(p, w->crc);
	p = put32(p, w->size >= z->large ? 0xffffffff : w->size);
	p = put32(p, w->size >= z->large ? 0xffffffff : w->size);
	p = put16(p, (uint32_t)w->name_size);
	return put16(p, (uint32_t)extra);
}

/* The extra field with what does not fit into 32 bits; returns its length. */
static size_t put_extra(const nc_zip_writer *z, uint8_t *p, const written *w, bool with_place)
{
	uint8_t *q = p + 4;
	if (w->size >= z->large)
		q = put64(put64(q, w->size), w->size);
	if (with_place && w->header >= z->large)
		q = put64(q, w->header);
	size_t n = (size_t)(q - p);
	if (n == 4)
		return 0;
	put16(put16(p, 1), (uint32_t)(n - 4));
	return n;
}

static nacre_status put_local(nc_zip_writer *z, const written *w)
{
	uint8_t head[RECORD], extra[4 + 24];
	size_t n = put_extra(z, extra, w, false);
	uint8_t *p = put_common(z, put32(head, 0x04034b50), w, n, n);
	put(z, head, (size_t)(p - head));
	put(z, w->name, w->name_size);
	return put(z, extra, n);
}

static nacre_status put_central(nc_zip_writer *z, const written *w)
{
	uint8_t head[RECORD], extra[4 + 24];
	size_t n = put_extra(z, extra, w, true);
	uint8_t *p = put16(put32(head, 0x02014b50), n ? VERSION64 : VERSION);
	p = put_common(z, p, w, n, n);
	p = put64(put32(p, 0), 0); /* comment, disk, attributes */
	p = put32(p - 2, w->header >= z->large ? 0xffffffff : w->header);
	put(z, head, (size_t)(p - head));
	put(z, w->name, w->name_size);
	return put(z, extra, n);
}

/* A member begins: its place in the list, its checksum and size known. */
static nacre_status begin(nc_zip_writer *z, const char *name, uint64_t size, uint32_t crc)
{
	size_t n = strlen(name);
	if (!nc_zip_name_ok(name, n) || name[n - 1] == '/')
		return failed(z, nc_fail(z->error, NACRE_INVALID,
					 "zip: %s is not a relative path of UTF-8",
					 nc_quote(name, n).text));
	if (z->n == MOST)
		return failed(z,
			      nc_fail(z->error, NACRE_INVALID, "zip: more than %d members", MOST));
	written *w = nc_arena_alloc(&z->arena, sizeof *w);
	char *copy = nc_arena_string(&z->arena, name);
	if (!w || !copy)
		return failed(z, nc_no_memory(z->error, n + sizeof *w));
	*w = (written){.name = copy, .name_size = n, .header = z->at, .size = size, .crc = crc};
	if (z->last)
		z->last->next = w;
	else
		z->first = w;
	z->last = w;
	z->n++;
	return put_local(z, w);
}

nacre_status nc_zip_add(nc_zip_writer *z, const char *name, const void *data, size_t n)
{
	if (z->status || begin(z, name, n, nc_crc32(0, data, n)))
		return z->status;
	return put(z, data, n);
}

/* What passes through a sink: how much, its checksum, and on where. */
typedef struct meter {
	nc_zip_writer *z;
	uint64_t size, most;
	uint32_t crc;
	bool pass;
} meter;

static nacre_status measure(void *context, const void *data, size_t n)
{
	meter *m = context;
	m->size += n;
	m->crc = nc_crc32(m->crc, data, n);
	if (!m->pass)
		return NACRE_OK;
	if (m->size > m->most)
		return nc_fail(m->z->error, NACRE_FAILED, "zip: a member grew while written");
	return put(m->z, data, n);
}

nacre_status nc_zip_add_from(nc_zip_writer *z, const char *name, nc_producer *produce,
			     void *context)
{
	meter first = {.z = z}, second = {.z = z, .pass = true};
	nacre_status s = z->status;
	if (s)
		return s;
	s = produce(context, &(nc_sink){measure, &first});
	if (s || begin(z, name, first.size, first.crc))
		return failed(z, s);
	second.most = first.size;
	s = produce(context, &(nc_sink){measure, &second});
	if (!s && (first.size != second.size || first.crc != second.crc))
		s = nc_fail(z->error, NACRE_FAILED, "zip: member %s changed while written",
			    nc_quote(name, strlen(name)).text);
	return s ? failed(z, s) : NACRE_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const written *)a)->name, ((const written *)b)->name);
}

static nacre_status check_names(nc_zip_writer *z)
{
	void **p = nc_arena_alloc(&z->arena, z->n * sizeof *p);
	size_t n = 0;
	if (!p)
		return failed(z, nc_no_memory(z->error, z->n * sizeof *p));
	for (written *w = z->first; w; w = w->next)
		p[n++] = w;
	nc_sort(p, n, by_name);
	for (size_t i = 1; i < n; i++)
		if (!by_name(p[i - 1], p[i])) {
			const char *name = ((const written *)p[i])->name;
			return failed(z, nc_fail(z->error, NACRE_INVALID,
						 "zip: two members with the name %s",
						 nc_quote(name, strlen(name)).text));
		}
	return NACRE_OK;
}

static nacre_status put_end(nc_zip_writer *z, uint64_t at)
{
	uint8_t end[56 + 20 + 22], *p = end;
	uint64_t size = z->at - at;
	bool large = at >= z->large || size >= z->large;
	if (large) {
		p = put64(put32(p, 0x06064b50), 44);
		p = put16(put16(p, VERSION64), VERSION64);
		p = put64(put64(put64(p, 0), z->n), z->n);
		p = put64(put64(p, size), at);
		p = put32(put32(p, 0x07064b50), 0);
		p = put32(put64(p, z->at), 1);
	}
	p = put32(put32(p, 0x06054b50), 0);
	p = put16(put16(p, (uint32_t)z->n), (uint32_t)z->n);
	p = put32(p, large ? 0xffffffff : size);
	p = put16(put32(p, large ? 0xffffffff : at), 0);
	return put(z, end, (size_t)(p - end));
}

nacre_status nc_zip_finish(nc_zip_writer *z)
{
	if (!z->status)
		check_names(z);
	uint64_t at = z->at;
	for (written *w = z->first; w && !z->status; w = w->next)
		put_central(z, w);
	if (!z->status)
		put_end(z, at);
	nc_arena_free(&z->arena);
	z->first = z->last = NULL;
	return z->status;
}
