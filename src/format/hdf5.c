/* SPDX-License-Identifier: MIT
 *
 * hdf5.c - reading HDF5: the superblock, the walk over all objects, and looking them up.
 */
#include "format/hdf5.h"

#include <stdio.h>
#include <string.h>

#include "format/hdf5_read.h"
#include "format/json.h"
#include "format/load.h"

/* -- errors and memory */
static bool fail(nc_h5 *h, nacre_status s, uint64_t at, const char *format, va_list args)
{
	char text[400];
	if (h->failed)
		return false;
	h->failed = true;
	vsnprintf(text, sizeof text, format, args);
	nc_fail(h->error, s, "hdf5: byte %llu: %s", (unsigned long long)at, text);
	return false;
}

bool nc_h5_wrong(nc_h5 *h, uint64_t at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(h, NACRE_BAD_DATA, at, format, args);
	va_end(args);
	return false;
}

bool nc_h5_refuse(nc_h5 *h, uint64_t at, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(h, NACRE_UNSUPPORTED, at, format, args);
	va_end(args);
	return false;
}

static bool no_memory(nc_h5 *h, size_t n)
{
	if (!h->failed)
		nc_no_memory(h->error, n);
	h->failed = true;
	return false;
}

void *nc_h5_take(nc_h5 *h, size_t n)
{
	void *p = h->failed ? NULL : nc_arena_alloc(h->arena, n);
	if (!p)
		no_memory(h, n);
	return p;
}

/* -- claims */
static bool keep_claim(nc_h5 *h, nc_h5_claim *c)
{
	if (h->n == h->room) {
		size_t room = h->room ? 2 * h->room : 64;
		nc_h5_claim **p =
		    nc_realloc(h->file->memory, h->claim, h->room * sizeof *p, room * sizeof *p);
		if (!p)
			return no_memory(h, room * sizeof *p);
		h->claim = p;
		h->room = room;
	}
	h->claim[h->n++] = c;
	return true;
}

bool nc_h5_claim_bytes(nc_h5 *h, uint64_t at, uint64_t n, const char *what)
{
	if (h->failed)
		return false;
	if (at > h->size || n > h->size - at)
		return nc_h5_wrong(h, at, "%s of %llu bytes, the file has %llu more", what,
				   (unsigned long long)n,
				   (unsigned long long)(at > h->size ? 0 : h->size - at));
	if (!n)
		return true;
	/* The exact check comes at the end.  Till then this bounds the work, whatever overlaps. */
	h->claimed += n;
	if (h->claimed > h->size)
		return nc_h5_wrong(h, at,
				   "%s shares bytes with another structure: a cycle, a second "
				   "link, or a false address",
				   what);
	nc_h5_claim *c = nc_h5_take(h, sizeof *c);
	if (!c)
		return false;
	*c = (nc_h5_claim){at, at + n, what};
	return keep_claim(h, c);
}

static int by_begin(const void *a, const void *b)
{
	const nc_h5_claim *x = a, *y = b;
	return (x->begin > y->begin) - (x->begin < y->begin);
}

static bool check_claims(nc_h5 *h)
{
	if (h->failed)
		return false;
	nc_sort((void **)(uintptr_t)h->claim, h->n, by_begin);
	for (size_t i = 1; i < h->n; i++) {
		const nc_h5_claim *a = h->claim[i - 1], *b = h->claim[i];
		if (a->end > b->begin)
			return nc_h5_wrong(h, b->begin,
					   "%s shares bytes with %s at %llu: a cycle, a second "
					   "link, or a false address",
					   b->what, a->what, (unsigned long long)a->begin);
	}
	return true;
}

/* -- cursors */
nc_cursor nc_cursor_look(nc_h5 *h, uint64_t at, uint64_t n, const char *what)
{
	nc_cursor none = {h, 0, 0, what};
	if (h->failed)
		return none;
	if (at > h->size || n > h->size - at) {
		nc_h5_wrong(h, at, "%s of %llu bytes, the file has %llu more", what,
			    (unsigned long long)n,
			    (unsigned long long)(at > h->size ? 0 : h->size - at));
		return none;
	}
	return (nc_cursor){h, at, at + n, what};
}

nc_cursor nc_cursor_claim(nc_h5 *h, uint64_t at, uint64_t n, const char *what)
{
	nc_cursor none = {h, 0, 0, what};
	return nc_h5_claim_bytes(h, at, n, what) ? (nc_cursor){h, at, at + n, what} : none;
}

const uint8_t *nc_cursor_bytes(nc_cursor *c, uint64_t n)
{
	if (c->h->failed)
		return NULL;
	if (n > nc_cursor_left(c)) {
		nc_h5_wrong(c->h, c->at, "%s: expected %llu bytes, got %llu", c->what,
			    (unsigned long long)n, (unsigned long long)nc_cursor_left(c));
		return NULL;
	}
	const uint8_t *p = c->h->bytes + c->at;
	c->at += n;
	return p;
}

uint64_t nc_cursor_u(nc_cursor *c, unsigned bytes)
{
	const uint8_t *p = nc_cursor_bytes(c, bytes);
	uint64_t v = 0;
	for (unsigned i = bytes; p && i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

nc_cursor nc_cursor_part(nc_cursor *c, uint64_t n)
{
	nc_cursor part = *c;
	bool ok = nc_cursor_bytes(c, n);
	part.end = ok ? part.at + n : part.at;
	return part;
}

bool nc_cursor_magic(nc_cursor *c, const char *magic)
{
	uint64_t at = c->at;
	const uint8_t *p = nc_cursor_bytes(c, 4);
	if (p && memcmp(p, magic, 4))
		nc_h5_wrong(c->h, at, "%s: expected \"%s\", got %s", c->what, magic,
			    nc_quote((const char *)p, 4).text);
	return !c->h->failed;
}

bool nc_cursor_version(nc_cursor *c, uint64_t expected)
{
	uint64_t at = c->at, got = nc_cursor_u(c, 1);
	if (!c->h->failed && got != expected)
		nc_h5_refuse(c->h, at, "%s: version %llu, expected %llu", c->what,
			     (unsigned long long)got, (unsigned long long)expected);
	return !c->h->failed;
}

bool nc_h5_checksum(nc_h5 *h, uint64_t begin, uint64_t end, const char *what)
{
	nc_cursor c = nc_cursor_look(h, end - 4, 4, what);
	uint32_t said = (uint32_t)nc_cursor_u(&c, 4);
	if (h->failed)
		return false;
	uint32_t is = nc_lookup3(h->bytes + begin, (size_t)(end - 4 - begin));
	if (said != is)
		return nc_h5_wrong(h, end - 4, "%s: the checksum is %08x, expected %08x", what, is,
				   said);
	return true;
}

/* -- children */
bool nc_h5_add_child(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, uint64_t at, const uint8_t *name,
		     uint64_t size, uint64_t address)
{
	if (h->failed)
		return false;
	nc_quoted q = nc_quote((const char *)name, size);
	bool dots = (size == 1 && name[0] == '.') || (size == 2 && !memcmp(name, "..", 2));
	if (!size || dots || memchr(name, 0, size) || memchr(name, '/', size) ||
	    !nc_utf8_valid(name, size))
		return nc_h5_wrong(h, at, "%s is no name of an object", q.text);
	if (o->depth == NC_HDF5_DEPTH)
		return nc_h5_wrong(h, at, "groups nested deeper than %d, at %s", NC_HDF5_DEPTH,
				   q.text);
	for (const nc_hdf5_object *p = o; p; p = p->parent)
		if (p->header == address)
			return nc_h5_wrong(h, at, "a cycle: %s is a group that it lies in", q.text);
	/* names of one heap may overlap where all the rest does not */
	h->names += size + 1;
	if (h->names > h->size)
		return nc_h5_wrong(h, at, "the name %s shares bytes with others", q.text);
	if (h->file->n == NC_HDF5_OBJECTS)
		return nc_h5_refuse(h, at, "more than %d objects", NC_HDF5_OBJECTS);
	nc_hdf5_object *child = nc_h5_take(h, sizeof *child);
	char *text = nc_h5_take(h, size + 1);
	if (!child || !text)
		return false;
	memcpy(text, name, size);
	*child =
	    (nc_hdf5_object){.name = text, .parent = o, .header = address, .depth = o->depth + 1};
	h->last = h->last->next = child;
	h->file->n++;
	l->first = l->first ? l->first : child;
	l->last = child;
	l->n++;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const nc_hdf5_object *)a)->name, ((const nc_hdf5_object *)b)->name);
}

bool nc_h5_children(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l)
{
	o->group = true;
	o->child = nc_h5_take(h, l->n * sizeof(void *));
	if (!o->child)
		return false;
	/* the children of a group were added one after the other */
	for (nc_hdf5_object *c = l->first; o->n < l->n; c = c->next)
		o->child[o->n++] = c;
	nc_sort((void **)(uintptr_t)o->child, o->n, by_name);
	for (size_t i = 1; i < o->n; i++)
		if (!by_name(o->child[i - 1], o->child[i]))
			return nc_h5_wrong(
			    h, o->header, "a group has the name %s twice",
			    nc_quote(o->child[i]->name, strlen(o->child[i]->name)).text);
	return true;
}

/* -- the superblock */
static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* At 0, 512, 1024, 2048 ... */
static bool find_superblock(const uint8_t *bytes, size_t size, size_t *at)
{
	for (size_t i = 0; i < size && size - i >= sizeof signature; i = i ? 2 * i : 512)
		if (!memcmp(bytes + i, signature, sizeof signature)) {
			*at = i;
			return true;
		}
	return false;
}

static bool check_sizes(nc_cursor *c)
{
	uint64_t at = c->at, offsets = nc_cursor_u(c, 1), lengths = nc_cursor_u(c, 1);
	if (!c->h->failed && (offsets != 8 || lengths != 8))
		nc_h5_refuse(c->h, at, "offsets of %llu and lengths of %llu bytes, expected 8",
			     (unsigned long long)offsets, (unsigned long long)lengths);
	return !c->h->failed;
}

/* Addresses count from the superblock, where `start` bytes of a user's may precede it; only the
 * end of the file counts from the file's. */
static bool check_extent(nc_h5 *h, uint64_t at, size_t start, uint64_t base, uint64_t end)
{
	if (h->failed)
		return false;
	if (base != start)
		return nc_h5_wrong(h, at, "base address %llu, the superblock is at %zu",
				   (unsigned long long)base, start);
	if (end < start || end - start > h->size)
		return nc_h5_wrong(h, at,
				   "the file should have %llu bytes, it has %zu: it was cut off",
				   (unsigned long long)end, h->size + start);
	if (end - start < h->claimed)
		return nc_h5_wrong(h, at, "the file should end after %llu bytes, in the superblock",
				   (unsigned long long)end);
	h->size = h->file->size = (size_t)(end - start);
	return true;
}

static bool superblock0(nc_h5 *h, size_t start, int version, uint64_t *root)
{
	nc_cursor c = nc_cursor_claim(h, 0, version ? 100 : 96, "superblock");
	nc_cursor_bytes(&c, 9);
	nc_cursor_version(&c, 0); /* free space */
	nc_cursor_version(&c, 0); /* root group */
	nc_cursor_bytes(&c, 1);
	nc_cursor_version(&c, 0); /* shared headers */
	if (!check_sizes(&c))
		return false;
	/* reserved, the sizes of nodes, flags; version 1 has one more size of nodes */
	nc_cursor_bytes(&c, version ? 1 + 4 + 4 + 4 : 1 + 4 + 4);
	uint64_t at = c.at, base = nc_cursor_u(&c, 8);
	nc_cursor_bytes(&c, 8);
	uint64_t end = nc_cursor_u(&c, 8), driver = nc_cursor_u(&c, 8);
	nc_cursor_bytes(&c, 8);
	*root = nc_cursor_u(&c, 8);
	if (driver != NC_H5_UNDEFINED)
		return nc_h5_refuse(h, at + 24, "a file in parts (a driver block)");
	return check_extent(h, at, start, base, end);
}

static bool superblock2(nc_h5 *h, size_t start, int version, uint64_t *root)
{
	nc_cursor c = nc_cursor_claim(h, 0, 48, "superblock");
	nc_cursor_bytes(&c, 9);
	if (!check_sizes(&c))
		return false;
	uint64_t flags = nc_cursor_u(&c, 1);
	uint64_t at = c.at, base = nc_cursor_u(&c, 8);
	nc_cursor_bytes(&c, 8); /* an extension that holds nothing a reader needs */
	uint64_t end = nc_cursor_u(&c, 8);
	*root = nc_cursor_u(&c, 8);
	if (version == 3 && flags & 5)
		return nc_h5_wrong(h, 11, "the file was not closed by who wrote it");
	return nc_h5_checksum(h, 0, 48, "superblock") && check_extent(h, at, start, base, end);
}

static bool read_superblock(nc_h5 *h, size_t start, uint64_t *root)
{
	nc_cursor c = nc_cursor_look(h, 8, 1, "superblock");
	int version = (int)nc_cursor_u(&c, 1);
	if (h->failed)
		return false;
	if (version > 3)
		return nc_h5_refuse(h, 8, "superblock version %d, expected 0 to 3", version);
	return version < 2 ? superblock0(h, start, version, root)
			   : superblock2(h, start, version, root);
}

/* -- the whole file */
static bool read_all(nc_h5 *h, size_t start)
{
	uint64_t root = 0;
	nc_hdf5_object *o = nc_h5_take(h, sizeof *o);
	if (!o || !read_superblock(h, start, &root))
		return false;
	*o = (nc_hdf5_object){.name = "", .header = root};
	h->file->root = h->last = o;
	h->file->n = 1;
	/* objects are added to the end of the list as their groups are read */
	for (; o; o = o->next)
		if (!nc_h5_object(h, o))
			return false;
	if (!h->file->root->group)
		return nc_h5_wrong(h, root, "the root is no group");
	return check_claims(h);
}

nacre_status nc_hdf5_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_hdf5 *out,
			  nacre_error *e)
{
	size_t start;
	*out = (nc_hdf5){0};
	if (!find_superblock(bytes, size, &start))
		return nc_fail(e, NACRE_BAD_DATA, "hdf5: no superblock in %zu bytes: not HDF5",
			       size);
	nacre_error own = {0};
	*out = (nc_hdf5){.memory = m, .bytes = bytes + start, .size = size - start};
	nc_arena_init(&out->arena, m);
	nc_h5 h = {.file = out,
		   .arena = &out->arena,
		   .bytes = out->bytes,
		   .size = out->size,
		   .error = &own};
	bool ok = read_all(&h, start);
	nc_free(m, h.claim, h.room * sizeof *h.claim);
	if (ok)
		return NACRE_OK;
	nc_hdf5_close(out);
	return nc_fail(e, own.status, "%s", own.text);
}

void nc_hdf5_close(nc_hdf5 *f)
{
	nc_arena_free(&f->arena);
	*f = (nc_hdf5){0};
}

/* -- looking up */
static const nc_hdf5_object *find_child(const nc_hdf5_object *o, const char *name, size_t n)
{
	for (size_t low = 0, high = o->n; low < high;) {
		size_t middle = low + (high - low) / 2;
		const nc_hdf5_object *c = o->child[middle];
		int order = strncmp(c->name, name, n);
		if (!order && !c->name[n])
			return c;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const nc_hdf5_object *nc_hdf5_find(const nc_hdf5 *f, const nc_hdf5_object *from, const char *path)
{
	const nc_hdf5_object *o = from ? from : f->root;
	while (o && *path) {
		size_t n = strcspn(path, "/");
		if (n)
			o = find_child(o, path, n);
		path += path[n] ? n + 1 : n;
	}
	return o;
}

const nc_hdf5_attribute *nc_hdf5_attribute_find(const nc_hdf5_object *o, const char *name)
{
	const nc_hdf5_attribute *a = o->attribute;
	while (a && strcmp(a->name, name))
		a = a->next;
	return a;
}
