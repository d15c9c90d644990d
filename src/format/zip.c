/* SPDX-License-Identifier: MIT
 *
 * zip.c - reading zip archives: the directory and its checks, and the contents of members.
 *
 *     local header, name, extra, data   (for each member)
 *     directory                         (a record for each: the truth)
 *     [zip64 end, zip64 locator]
 *     end record
 */
#include "format/zip.h"

#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/transfer.h"
#include "format/gzip.h"
#include "format/json.h"
#include "format/load.h"

enum {
	LOCAL = 0x04034b50,
	CENTRAL = 0x02014b50,
	END = 0x06054b50,
	END64 = 0x06064b50,
	LOCATOR64 = 0x07064b50,
	LOCAL_SIZE = 30,
	CENTRAL_SIZE = 46,
	END_SIZE = 22,
	END64_SIZE = 56,
	LOCATOR64_SIZE = 20,
	FLAG_ENCRYPTED = 1,
	FLAG_LATER = 8, /* sizes and checksum follow the data, and may be 0 in the local header */
	FLAGS_KNOWN = 2 | 4 | FLAG_LATER | 1 << 11 /* deflate's effort; names in UTF-8 */
};

static uint32_t u16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) | u16(p + 2) << 16;
}

/* -- names */
bool nc_zip_name_ok(const char *name, size_t size)
{
	if (!size || size > 65535 || !nc_utf8_valid(name, size) || (size > 1 && name[1] == ':'))
		return false;
	for (size_t i = 0; i < size; i++)
		if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f || name[i] == '\\')
			return false;
	for (size_t i = 0; i < size;) { /* the parts between slashes; the last may be empty */
		const char *slash = memchr(name + i, '/', size - i);
		size_t n = slash ? (size_t)(slash - name) - i : size - i;
		if (!n || (n == 1 && name[i] == '.') || (n == 2 && !memcmp(name + i, "..", 2)))
			return false;
		i += n + 1;
	}
	return true;
}

static int compare_names(const char *a, size_t m, const char *b, size_t n)
{
	int c = memcmp(a, b, m < n ? m : n);
	return c ? c : (m > n) - (m < n);
}

static int by_name(const void *a, const void *b)
{
	const nc_zip_member *x = a, *y = b;
	return compare_names(x->name, x->name_size, y->name, y->name_size);
}

static int by_place(const void *a, const void *b)
{
	const nc_zip_member *x = a, *y = b;
	return (x->header > y->header) - (x->header < y->header);
}

/* -- the end record, which says where the directory is */
typedef struct directory {
	uint64_t n, at, size;
	size_t end; /* where the directory must end */
} directory;

/* The end record is followed by nothing but its comment, so it tells its own place. */
static bool find_end(const nc_zip *z, size_t *at)
{
	for (size_t i = 0; i <= 65535 && i + END_SIZE <= z->size; i++) {
		const uint8_t *p = z->bytes + z->size - END_SIZE - i;
		if (u32(p) == END && u16(p + 20) == i) {
			*at = z->size - END_SIZE - i;
			return true;
		}
	}
	return false;
}

/* The value of 64 bits in place of one of 32 that is all ones, which is else the same. */
static bool widen(uint64_t *narrow, uint64_t all_ones, uint64_t wide)
{
	bool agrees = *narrow == all_ones || *narrow == wide;
	*narrow = wide;
	return agrees;
}

static nacre_status read_end64(const nc_zip *z, size_t locator, directory *d, nacre_error *e)
{
	const uint8_t *p = z->bytes + locator;
	uint64_t at = nc_little64(p + 8);
	if (u32(p + 4) || u32(p + 16) != 1)
		return nc_fail(e, NACRE_UNSUPPORTED, "zip: byte %zu: more than one disk", locator);
	if (at > locator || locator - at < END64_SIZE || u32(z->bytes + at) != END64)
		return nc_fail(
		    e, NACRE_BAD_DATA,
		    "zip: byte %zu: expected the place of the zip64 end record, got %llu",
		    locator + 8, (unsigned long long)at);
	p = z->bytes + at;
	uint64_t size = nc_little64(p + 4);
	if (size != locator - at - 12)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %llu: a zip64 end record of %llu bytes, there are %llu",
			       (unsigned long long)at, (unsigned long long)size,
			       (unsigned long long)(locator - at - 12));
	if (u32(p + 16) || u32(p + 20))
		return nc_fail(e, NACRE_UNSUPPORTED, "zip: byte %llu: more than one disk",
			       (unsigned long long)at);
	if (nc_little64(p + 24) != nc_little64(p + 32) ||
	    !widen(&d->n, 0xffff, nc_little64(p + 32)) ||
	    !widen(&d->size, 0xffffffff, nc_little64(p + 40)) ||
	    !widen(&d->at, 0xffffffff, nc_little64(p + 48)))
		return nc_fail(e, NACRE_BAD_DATA, "zip: byte %llu: the two end records disagree",
			       (unsigned long long)at);
	d->end = (size_t)at;
	return NACRE_OK;
}

static nacre_status read_end(const nc_zip *z, directory *d, nacre_error *e)
{
	size_t at;
	if (!find_end(z, &at))
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: no end record at the end of the %zu bytes: not a zip archive, "
			       "or cut off",
			       z->size);
	const uint8_t *p = z->bytes + at;
	if (u16(p + 4) || u16(p + 6) || u16(p + 8) != u16(p + 10))
		return nc_fail(e, NACRE_UNSUPPORTED, "zip: byte %zu: more than one disk", at);
	*d = (directory){.n = u16(p + 10), .size = u32(p + 12), .at = u32(p + 16), .end = at};
	if (at >= LOCATOR64_SIZE && u32(p - LOCATOR64_SIZE) == LOCATOR64) {
		nacre_status s = read_end64(z, at - LOCATOR64_SIZE, d, e);
		if (s)
			return s;
	}
	if (d->size > d->end || d->at != d->end - d->size)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: a directory of %llu bytes at %llu, expected it to "
			       "end at %zu",
			       at, (unsigned long long)d->size, (unsigned long long)d->at, d->end);
	if (d->n > NC_ZIP_MEMBERS || d->n > d->size / CENTRAL_SIZE)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: %llu members, at most %d, and a directory of %llu "
			       "bytes has room for %llu",
			       at, (unsigned long long)d->n, NC_ZIP_MEMBERS,
			       (unsigned long long)d->size,
			       (unsigned long long)(d->size / CENTRAL_SIZE));
	return NACRE_OK;
}

/* -- one member */
static nacre_status wrong(const nc_zip_member *m, size_t at, const char *what, nacre_error *e)
{
	return nc_fail(e, NACRE_BAD_DATA, "zip: byte %zu: member %s: %s", at,
		       nc_quote(m->name, m->name_size).text, what);
}

static nacre_status refused(const nc_zip_member *m, size_t at, const char *what, nacre_error *e)
{
	return nc_fail(e, NACRE_UNSUPPORTED, "zip: byte %zu: member %s: %s", at,
		       nc_quote(m->name, m->name_size).text, what);
}

/* In the extra fields the values of 64 bits for those of 32 that are all ones, in this order. */
static bool read_extra(const uint8_t *p, size_t n, uint64_t **values, int count)
{
	bool found = false;
	while (n >= 4) {
		size_t size = u16(p + 2), at = 4;
		if (size > n - 4 || (u16(p) == 1 && found))
			return false;
		if (u16(p) == 1) {
			found = true;
			for (int i = 0; i < count; i++) {
				if (*values[i] != 0xffffffff)
					continue;
				if (at + 8 > size + 4)
					return false;
				*values[i] = nc_little64(p + at);
				at += 8;
			}
		}
		p += 4 + size;
		n -= 4 + size;
	}
	return !n;
}

/* The local header says the same as the directory; after it the data begin. */
static nacre_status read_local(const nc_zip *z, nc_zip_member *m, size_t limit, nacre_error *e)
{
	bool inside = m->header <= limit && limit - m->header >= LOCAL_SIZE;
	const uint8_t *p = z->bytes + (inside ? m->header : 0);
	if (!inside || u32(p) != LOCAL)
		return wrong(m, m->header, "no local header there", e);
	size_t name = u16(p + 26), extra = u16(p + 28), left = limit - m->header - LOCAL_SIZE;
	if (name != m->name_size || name > left || memcmp(p + LOCAL_SIZE, m->name, name))
		return wrong(m, m->header + LOCAL_SIZE, "the local header has another name", e);
	if (extra > left - name)
		return wrong(m, m->header + 28, "the extra fields pass the end of the data", e);
	uint32_t flags = u16(p + 6), crc = u32(p + 14);
	uint64_t stored = u32(p + 18), size = u32(p + 22);
	uint64_t *values[] = {&size, &stored};
	if (!read_extra(p + LOCAL_SIZE + name, extra, values, 2))
		return wrong(m, m->header + LOCAL_SIZE + name, "broken extra fields", e);
	if (flags & ~(uint32_t)FLAGS_KNOWN)
		return refused(m, m->header + 6,
			       flags & FLAG_ENCRYPTED ? "it is encrypted" : "unknown flags", e);
	bool later = flags & FLAG_LATER;
	if (u16(p + 8) != (m->deflated ? 8 : 0))
		return wrong(m, m->header + 8, "the local header has another method", e);
	if ((crc != m->crc && !(later && !crc)) || (stored != m->stored && !(later && !stored)) ||
	    (size != m->size && !(later && !size)))
		return wrong(m, m->header + 14,
			     "the local header has another size or checksum than the directory", e);
	m->data = m->header + LOCAL_SIZE + name + extra;
	if (m->stored > limit - m->data)
		return wrong(m, m->data, "the data pass the start of the directory", e);
	return NACRE_OK;
}

/* What is said of the size must be possible before anybody takes memory for it. */
static nacre_status check_size(const nc_zip_member *m, size_t at, nacre_error *e)
{
	bool folder = m->name[m->name_size - 1] == '/';
	if (!m->deflated && m->size != m->stored)
		return wrong(m, at + 20, "stored, but with two sizes", e);
	if (folder && m->size)
		return wrong(m, at + 24, "a folder with contents", e);
	if (m->deflated && m->size / 1032 > m->stored)
		return wrong(m, at + 24, "more than deflated data can expand to", e);
	if (m->size > NC_ZIP_SMALL && m->size / NC_ZIP_EXPANSION > m->stored)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: member %s: %zu bytes from %zu, at most %d times",
			       at + 24, nc_quote(m->name, m->name_size).text, m->size, m->stored,
			       NC_ZIP_EXPANSION);
	return NACRE_OK;
}

static nacre_status check_central(const nc_zip_member *m, size_t at, const uint8_t *p,
				  nacre_error *e)
{
	uint32_t flags = u16(p + 8), method = u16(p + 10), disk = u16(p + 34);
	if (!nc_zip_name_ok(m->name, m->name_size))
		return wrong(m, at + CENTRAL_SIZE, "not a relative path of UTF-8", e);
	if (flags & ~(uint32_t)FLAGS_KNOWN)
		return refused(m, at + 8,
			       flags & FLAG_ENCRYPTED ? "it is encrypted" : "unknown flags", e);
	if (method != 0 && method != 8)
		return nc_fail(e, NACRE_UNSUPPORTED,
			       "zip: byte %zu: member %s: method %u, expected 0 (stored) or 8 "
			       "(deflated)",
			       at + 10, nc_quote(m->name, m->name_size).text, method);
	if (disk)
		return refused(m, at + 34, "it is on another disk", e);
	if (p[5] == 3 && (u16(p + 40) & 0xf000) == 0xa000)
		return refused(m, at + 40, "it is a symbolic link", e);
	return NACRE_OK;
}

/* One record of the directory; *at moves to the next. */
static nacre_status read_member(nc_zip *z, const directory *d, size_t *at, nc_zip_member *m,
				nacre_error *e)
{
	const uint8_t *p = z->bytes + *at;
	size_t left = d->end - *at;
	if (left < CENTRAL_SIZE || u32(p) != CENTRAL)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: expected a record of the directory, %zu bytes left",
			       *at, left);
	size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
	if (name + extra + comment > left - CENTRAL_SIZE)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: a record with %zu bytes, the directory has %zu more",
			       *at, name + extra + comment, left - CENTRAL_SIZE);
	char *text = nc_arena_alloc(&z->arena, name + 1);
	if (!text)
		return nc_no_memory(e, name + 1);
	memcpy(text, p + CENTRAL_SIZE, name);
	m->name = text;
	m->name_size = name;
	m->crc = u32(p + 16);
	m->deflated = u16(p + 10) == 8;
	nacre_status s = check_central(m, *at, p, e);
	if (s)
		return s;
	uint64_t stored = u32(p + 20), size = u32(p + 24), header = u32(p + 42);
	uint64_t *values[] = {&size, &stored, &header};
	if (!read_extra(p + CENTRAL_SIZE + name, extra, values, 3))
		return wrong(m, *at + CENTRAL_SIZE + name, "broken extra fields", e);
	m->stored = (size_t)stored;
	m->size = (size_t)size;
	m->header = (size_t)header;
	s = check_size(m, *at, e);
	s = s ? s : read_local(z, m, (size_t)d->at, e);
	*at += CENTRAL_SIZE + name + extra + comment;
	return s;
}

/* No name twice, no byte in two members. */
static nacre_status check_all(nc_zip *z, nacre_error *e)
{
	void **p = (void **)(uintptr_t)z->by_name;
	memcpy(p, z->member, z->n * sizeof *p);
	nc_sort(p, z->n, by_place);
	for (size_t i = 1; i < z->n; i++) {
		const nc_zip_member *a = z->by_name[i - 1], *b = z->by_name[i];
		if (a->data + a->stored > b->header)
			return wrong(b, b->header, "it overlaps another member", e);
	}
	nc_sort(p, z->n, by_name);
	for (size_t i = 1; i < z->n; i++)
		if (!by_name(z->by_name[i - 1], z->by_name[i]))
			return wrong(z->by_name[i], z->by_name[i]->header, "the name occurs twice",
				     e);
	return NACRE_OK;
}

static nacre_status read_directory(nc_zip *z, nacre_error *e)
{
	directory d = {0};
	nacre_status s = read_end(z, &d, e);
	if (s)
		return s;
	size_t bytes = (size_t)d.n * sizeof(void *), at = (size_t)d.at;
	z->member = nc_arena_alloc(&z->arena, bytes);
	z->by_name = nc_arena_alloc(&z->arena, bytes);
	if (!z->member || !z->by_name)
		return nc_no_memory(e, bytes);
	while (z->n < d.n) {
		nc_zip_member *m = nc_arena_alloc(&z->arena, sizeof *m);
		if (!m)
			return nc_no_memory(e, sizeof *m);
		s = read_member(z, &d, &at, m, e);
		if (s)
			return s;
		z->member[z->n++] = m;
	}
	if (at != d.end)
		return nc_fail(e, NACRE_BAD_DATA,
			       "zip: byte %zu: the directory ends, expected that at %zu", at,
			       d.end);
	return check_all(z, e);
}

nacre_status nc_zip_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_zip *out,
			 nacre_error *e)
{
	nacre_error own = {0};
	*out = (nc_zip){.memory = m, .bytes = bytes, .size = size};
	nc_arena_init(&out->arena, m);
	nacre_status s = read_directory(out, &own);
	if (s) {
		nc_zip_close(out);
		nc_fail(e, s, "%s", own.text);
	}
	return s;
}

void nc_zip_close(nc_zip *z)
{
	nc_arena_free(&z->arena);
	*z = (nc_zip){0};
}

const nc_zip_member *nc_zip_find(const nc_zip *z, const char *name)
{
	size_t size = strlen(name);
	for (size_t low = 0, high = z->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		const nc_zip_member *m = z->by_name[middle];
		int c = compare_names(m->name, m->name_size, name, size);
		if (!c)
			return m;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* -- contents */
static nacre_status inflate_member(const nc_zip *z, const nc_zip_member *m, uint8_t *out,
				   nacre_error *e)
{
	nc_gzip *g = nc_inflate_open(z->memory, NC_DEFLATE, z->bytes + m->data, m->stored, e);
	if (!g)
		return e->status;
	nacre_status s = nc_gzip_read(g, out, m->size, e);
	s = s ? s : nc_gzip_finish(g, e);
	nc_gzip_close(g);
	return s;
}

/* "zip: byte 40: member "a": text" */
static nacre_status fail_member(const nc_zip_member *m, const nacre_error *own, nacre_error *e)
{
	return nc_fail(e, own->status, "zip: byte %zu: member %s: %s", m->data,
		       nc_quote(m->name, m->name_size).text, own->text);
}

static nacre_status check_sum(const nc_zip_member *m, uint32_t crc, nacre_error *e)
{
	nacre_error own = {0};
	if (crc == m->crc)
		return NACRE_OK;
	nc_fail(&own, NACRE_BAD_DATA, "the checksum is %08x, expected %08x", crc, m->crc);
	return fail_member(m, &own, e);
}

/* The checksum of `crc` bytes and n more.  Much of a mapped file is forgotten: it should never be
 * in memory as a whole. */
static void sum(const nc_zip *z, const uint8_t *data, size_t n, uint32_t *crc)
{
	enum { MUCH = 16 << 20 };
	nc_transfer(z->pool, NULL, data, n, n > MUCH ? z->file : NULL, crc);
}

nacre_status nc_zip_read(const nc_zip *z, const nc_zip_member *m, nc_zip_data *out, nacre_error *e)
{
	nacre_error own = {0};
	uint32_t crc = 0;
	*out = (nc_zip_data){.data = z->bytes + m->data, .size = m->size, .owned = m->deflated};
	if (m->deflated) {
		uint8_t *inflated = nc_alloc(z->memory, m->size);
		out->data = inflated;
		if (inflated ? inflate_member(z, m, inflated, &own) : nc_no_memory(&own, m->size)) {
			nc_zip_data_free(z, out);
			return fail_member(m, &own, e);
		}
	}
	sum(z, out->data, out->size, &crc);
	nacre_status s = check_sum(m, crc, e);
	if (s)
		nc_zip_data_free(z, out);
	return s;
}

/* -- contents that are checked while they are used */
nacre_status nc_zip_borrow(const nc_zip *z, const nc_zip_member *m, nc_zip_data *out,
			   nacre_error *e)
{
	if (m->deflated)
		return nc_zip_read(z, m, out, e);
	*out = (nc_zip_data){.data = z->bytes + m->data, .size = m->size, .unchecked = true};
	return NACRE_OK;
}

nacre_status nc_zip_seen(const nc_zip *z, nc_zip_data *d, const void *bytes, size_t n,
			 uint32_t crc, nacre_error *e)
{
	uintptr_t start = (uintptr_t)d->data, p = (uintptr_t)bytes;
	if (!d->unchecked || p < start || p - start > d->size || n > d->size - (p - start))
		return NACRE_OK;
	if (d->n == d->room) {
		size_t room = d->room ? 2 * d->room : 16;
		nc_zip_part *part = nc_realloc(z->memory, d->part, d->room * sizeof *part,
					       room * sizeof *part);
		if (!part)
			return nc_no_memory(e, room * sizeof *part);
		d->part = part;
		d->room = room;
	}
	d->part[d->n++] = (nc_zip_part){bytes, n, crc};
	return NACRE_OK;
}

static int part_place(const void *a, const void *b)
{
	const nc_zip_part *x = a, *y = b;
	return (x->data > y->data) - (x->data < y->data);
}

nacre_status nc_zip_check(const nc_zip *z, const nc_zip_member *m, nc_zip_data *d, nacre_error *e)
{
	const uint8_t *at = d->data, *end = at + d->size;
	uint32_t crc = 0;
	if (!d->unchecked)
		return NACRE_OK;
	if (d->n)
		qsort(d->part, d->n, sizeof *d->part, part_place);
	for (size_t i = 0; i < d->n; i++) {
		const nc_zip_part *p = &d->part[i];
		if (p->data < at) /* bytes that were seen twice */
			continue;
		sum(z, at, (size_t)(p->data - at), &crc);
		crc = nc_crc32_join(crc, p->crc, p->size);
		at = p->data + p->size;
	}
	sum(z, at, (size_t)(end - at), &crc);
	d->unchecked = false;
	return check_sum(m, crc, e);
}

void nc_zip_data_free(const nc_zip *z, nc_zip_data *d)
{
	if (d->owned)
		nc_free(z->memory, (void *)(uintptr_t)d->data, d->size);
	nc_free(z->memory, d->part, d->room * sizeof *d->part);
	*d = (nc_zip_data){0};
}
