/* SPDX-License-Identifier: MIT
 *
 * hdf5_chunk.c - where the values of a data set lie, and through which filters they went.
 */
#include <string.h>

#include "format/hdf5_filter.h"
#include "format/hdf5_read.h"
#include "format/load.h"

/* -- filters */
static void refuse_filter(nc_hdf5_type *t, uint64_t id, const uint8_t *name, uint64_t n)
{
	const char *known = id == 4       ? "szip"
			    : id == 5     ? "nbit"
			    : id == 6     ? "scaleoffset"
			    : id == 32000 ? "lzf"
					  : NULL;
	if (known)
		nc_h5_refused(t, "the filter %s", known);
	else
		nc_h5_refused(t, "the filter %llu (%.*s)", (unsigned long long)id,
			      (int)strnlen((const char *)name, n < 30 ? n : 30), name);
}

static bool read_filter(nc_h5 *h, nc_hdf5_object *o, nc_cursor *c, uint64_t version)
{
	uint64_t id = nc_cursor_u(c, 2), n = 0;
	if (version == 1 || id >= 256)
		n = nc_cursor_u(c, 2);
	nc_cursor_bytes(c, 2); /* whether it may be left out: each chunk tells if it was */
	uint64_t values = nc_cursor_u(c, 2);
	const uint8_t *name = nc_cursor_bytes(c, version == 1 ? (n + 7) & ~7ull : n);
	uint64_t first = values ? nc_cursor_u(c, 4) : 0;
	if (values)
		nc_cursor_bytes(c, 4 * (values - 1));
	if (version == 1 && values % 2)
		nc_cursor_bytes(c, 4);
	if (h->failed)
		return false;
	if (id < NC_H5_DEFLATE || id > NC_H5_FLETCHER32)
		refuse_filter(&o->type, id, name, n);
	else if (id == NC_H5_SHUFFLE && first != o->type.size)
		nc_h5_refused(&o->type, "shuffling of elements of %llu bytes",
			      (unsigned long long)first);
	for (int i = 0; i < o->n_filters; i++)
		if (o->filter[i] == (int)id)
			nc_h5_refused(&o->type, "the filter %llu twice", (unsigned long long)id);
	o->filter[o->n_filters++] = (int)id;
	return true;
}

bool nc_h5_filters(nc_h5 *h, nc_hdf5_object *o, nc_cursor c)
{
	c.what = "filters";
	uint64_t at = c.at, version = nc_cursor_u(&c, 1), n = nc_cursor_u(&c, 1);
	if (h->failed)
		return false;
	if (version != 1 && version != 2)
		return nc_h5_refuse(h, at, "filters: version %llu, expected 1 or 2",
				    (unsigned long long)version);
	if (version == 1)
		nc_cursor_bytes(&c, 6);
	if (n > NC_HDF5_FILTERS)
		return nc_h5_refuse(h, at, "%llu filters, at most %d", (unsigned long long)n,
				    NC_HDF5_FILTERS);
	while (n-- && !h->failed)
		read_filter(h, o, &c, version);
	return !h->failed;
}

/* -- chunks */
typedef struct chunks {
	nc_hdf5_object *object;
	nc_hdf5_chunk *last;
	int64_t grid[NC_HDF5_RANK]; /* chunks in each dimension */
	int64_t n;                  /* and in all */
	uint64_t stored, largest;   /* bytes */
} chunks;

static bool add_chunk(nc_h5 *h, chunks *k, uint64_t at, uint64_t index, uint64_t address,
		      uint64_t size, uint64_t mask)
{
	nc_hdf5_object *o = k->object;
	if (h->failed)
		return false;
	if (k->last && k->last->index >= index)
		return nc_h5_wrong(h, at, "chunk %llu comes after chunk %llu",
				   (unsigned long long)index, (unsigned long long)k->last->index);
	if (!size || size > UINT32_MAX)
		return nc_h5_wrong(h, at, "a chunk of %llu bytes", (unsigned long long)size);
	if (!nc_h5_claim_bytes(h, address, size, "chunk"))
		return false;
	nc_hdf5_chunk *chunk = nc_h5_take(h, sizeof *chunk);
	if (!chunk)
		return false;
	*chunk = (nc_hdf5_chunk){.index = index,
				 .data = h->bytes + address,
				 .size = (uint32_t)size,
				 .mask = (uint32_t)mask};
	if (k->last)
		k->last->next = chunk;
	else
		o->chunk = chunk;
	k->last = chunk;
	k->stored += size;
	k->largest = size > k->largest ? size : k->largest;
	return true;
}

/* A key of the B-tree: bytes, mask, and the first element as a place in the data set. */
static bool chunk_key(nc_h5 *h, const chunks *k, nc_cursor *c, uint64_t *size, uint64_t *mask,
		      uint64_t *index)
{
	const nc_hdf5_type *t = &k->object->type;
	uint64_t at = c->at;
	*size = nc_cursor_u(c, 4);
	*mask = nc_cursor_u(c, 4);
	*index = 0;
	for (int d = 0; d < t->rank; d++) {
		uint64_t place = nc_cursor_u(c, 8), side = (uint64_t)k->object->chunk_shape[d];
		if (place % side || place >= (uint64_t)t->shape[d])
			return nc_h5_wrong(h, at, "a chunk at %llu of %lld, in steps of %llu",
					   (unsigned long long)place, (long long)t->shape[d],
					   (unsigned long long)side);
		*index = *index * (uint64_t)k->grid[d] + place / side;
	}
	nc_cursor_bytes(c, 8); /* the place inside an element: 0 */
	return !h->failed;
}

static bool chunk_tree(nc_h5 *h, chunks *k, uint64_t at, int level)
{
	uint64_t key = 8 + 8 * ((uint64_t)k->object->type.rank + 1);
	nc_cursor c = nc_cursor_look(h, at, 8, "B-tree of chunks");
	nc_cursor_magic(&c, "TREE");
	uint64_t type = nc_cursor_u(&c, 1);
	int is = (int)nc_cursor_u(&c, 1);
	uint64_t n = nc_cursor_u(&c, 2);
	if (h->failed)
		return false;
	if (type != 1)
		return nc_h5_wrong(h, at + 4, "B-tree of chunks: type %llu, expected 1",
				   (unsigned long long)type);
	if (is > NC_H5_LEVELS || (level >= 0 && is != level))
		return nc_h5_wrong(h, at + 5, "B-tree of chunks: level %d, expected %d", is,
				   level < 0 ? NC_H5_LEVELS : level);
	c = nc_cursor_claim(h, at, 24 + key + (key + 8) * n, "B-tree of chunks");
	nc_cursor_bytes(&c, 24);
	while (n-- && !h->failed) {
		uint64_t here = c.at, size, mask, index;
		nc_cursor at_key = nc_cursor_part(&c, key);
		uint64_t child = nc_cursor_u(&c, 8);
		if (is)
			chunk_tree(h, k, child, is - 1);
		else if (chunk_key(h, k, &at_key, &size, &mask, &index))
			add_chunk(h, k, here, index, child, size, mask);
	}
	return !h->failed;
}

/* A fixed array: a header, and a block with an entry for each chunk. */
static bool fixed_array(nc_h5 *h, chunks *k, uint64_t at)
{
	nc_cursor c = nc_cursor_claim(h, at, 28, "fixed array");
	nc_cursor_magic(&c, "FAHD");
	nc_cursor_version(&c, 0);
	uint64_t filtered = nc_cursor_u(&c, 1), entry = nc_cursor_u(&c, 1);
	uint64_t page = nc_cursor_u(&c, 1), n = nc_cursor_u(&c, 8), block = nc_cursor_u(&c, 8);
	if (h->failed || !nc_h5_checksum(h, at, at + 28, "fixed array"))
		return false;
	if (filtered > 1 || filtered != (k->object->n_filters > 0) ||
	    (filtered ? entry < 13 || entry > 20 : entry != 8) || n != (uint64_t)k->n)
		return nc_h5_wrong(h, at, "fixed array: %llu entries of %llu bytes for %lld chunks",
				   (unsigned long long)n, (unsigned long long)entry,
				   (long long)k->n);
	if (page < 63 && n > 1ull << page)
		return nc_h5_refuse(h, at, "fixed array in pages (%llu chunks)",
				    (unsigned long long)n);
	uint64_t bytes;
	if (n > h->size || __builtin_mul_overflow(n, entry, &bytes))
		return nc_h5_wrong(h, at, "fixed array of %llu entries", (unsigned long long)n);
	c = nc_cursor_claim(h, block, 14 + bytes + 4, "fixed array");
	nc_cursor_magic(&c, "FADB");
	nc_cursor_version(&c, 0);
	nc_cursor_bytes(&c, 1 + 8);
	if (h->failed || !nc_h5_checksum(h, block, c.end, "fixed array"))
		return false;
	for (uint64_t i = 0; i < n && !h->failed; i++) {
		uint64_t here = c.at, address = nc_cursor_u(&c, 8), size = k->object->chunk_size;
		uint64_t mask = 0;
		if (filtered) {
			size = nc_cursor_u(&c, (unsigned)entry - 12);
			mask = nc_cursor_u(&c, 4);
		}
		if (address != NC_H5_UNDEFINED)
			add_chunk(h, k, here, i, address, size, mask);
	}
	return !h->failed;
}

/* The index of versions 4 and 5 of the layout. */
static bool new_index(nc_h5 *h, chunks *k, nc_cursor *c, unsigned flags)
{
	enum { SINGLE = 1, IMPLICIT, FIXED, EXTENSIBLE, TREE };
	uint64_t at = c->at, type = nc_cursor_u(c, 1), size = k->object->chunk_size, mask = 0;
	if (type == SINGLE && flags & 2) {
		size = nc_cursor_u(c, 8);
		mask = nc_cursor_u(c, 4);
	} else if (type == FIXED) {
		nc_cursor_bytes(c, 1);
	} else if (type >= EXTENSIBLE) {
		nc_h5_refused(&k->object->type, "chunks in %s",
			      type == EXTENSIBLE ? "an extensible array"
			      : type == TREE     ? "a B-tree of version 2"
						 : "an unknown index");
		return !h->failed;
	}
	uint64_t address = nc_cursor_u(c, 8);
	if (h->failed || address == NC_H5_UNDEFINED)
		return !h->failed;
	if (type == FIXED)
		return fixed_array(h, k, address);
	if ((type != SINGLE && type != IMPLICIT) || (type == SINGLE && k->n != 1))
		return nc_h5_wrong(h, at, "an index of type %llu for %lld chunks",
				   (unsigned long long)type, (long long)k->n);
	for (uint64_t i = 0; i < (uint64_t)k->n && !h->failed; i++)
		add_chunk(h, k, at, i, address + i * size, size, mask);
	return !h->failed;
}

/* The shape of a chunk, and the grid of them. */
static bool chunk_shape(nc_h5 *h, chunks *k, nc_cursor *c, unsigned width)
{
	nc_hdf5_object *o = k->object;
	uint64_t at = c->at, bytes = o->type.size;
	k->n = 1;
	for (int d = 0; d < o->type.rank; d++) {
		uint64_t side = nc_cursor_u(c, width);
		if (h->failed)
			return false;
		if (!side || side > UINT32_MAX || __builtin_mul_overflow(bytes, side, &bytes) ||
		    bytes > UINT32_MAX)
			return nc_h5_wrong(h, at, "chunks of 0 bytes, or 2^32 or more");
		o->chunk_shape[d] = (int64_t)side;
		k->grid[d] =
		    o->type.shape[d] / (int64_t)side + (o->type.shape[d] % (int64_t)side != 0);
		k->n = o->type.count ? k->n * k->grid[d] : 0;
	}
	if (nc_cursor_u(c, width) != o->type.size && !h->failed)
		return nc_h5_wrong(h, at, "chunks of other elements than of %u bytes",
				   o->type.size);
	o->chunk_size = (size_t)bytes;
	return !h->failed;
}

/* No memory for what is not there: neither for the data set nor for a chunk. */
static bool check_expansion(nc_h5 *h, const nc_hdf5_object *o, uint64_t stored, uint64_t largest)
{
	if (o->size > NC_HDF5_SMALL && o->size / NC_HDF5_EXPANSION > stored)
		return nc_h5_wrong(h, o->header,
				   "a data set of %zu bytes, of which %llu are stored, at most %d "
				   "times fewer",
				   o->size, (unsigned long long)stored, NC_HDF5_EXPANSION);
	if (o->chunk_size > NC_HDF5_SMALL && o->chunk_size / NC_HDF5_EXPANSION > largest)
		return nc_h5_wrong(h, o->header, "chunks of %zu bytes, at most %llu of one stored",
				   o->chunk_size, (unsigned long long)largest);
	return true;
}

static bool chunked(nc_h5 *h, nc_hdf5_object *o, nc_cursor *c, bool old)
{
	chunks k = {.object = o};
	unsigned flags = old ? 0 : (unsigned)nc_cursor_u(c, 1);
	uint64_t at = c->at, rank = nc_cursor_u(c, 1), address = 0;
	if (h->failed)
		return false;
	o->layout = NC_HDF5_CHUNKED;
	if (!o->type.rank || rank != (uint64_t)o->type.rank + 1)
		return nc_h5_wrong(h, at, "chunks of rank %llu, expected %d",
				   (unsigned long long)rank - 1, o->type.rank);
	if (flags & 1 && o->n_filters)
		nc_h5_refused(&o->type, "filters on whole chunks only");
	if (old)
		address = nc_cursor_u(c, 8);
	uint64_t width = old ? 4 : nc_cursor_u(c, 1);
	if (!width || width > 8)
		return nc_h5_wrong(h, at, "sizes of %llu bytes", (unsigned long long)width);
	if (!chunk_shape(h, &k, c, (unsigned)width))
		return false;
	if (!old && !new_index(h, &k, c, flags))
		return false;
	if (old && address != NC_H5_UNDEFINED && !chunk_tree(h, &k, address, -1))
		return false;
	if (o->type.refused) /* perhaps without the chunks */
		return true;
	for (const nc_hdf5_chunk *p = o->chunk; p && !o->n_filters; p = p->next)
		if (p->size != o->chunk_size)
			return nc_h5_wrong(h, at, "a chunk of %u bytes, expected %zu", p->size,
					   o->chunk_size);
	return check_expansion(h, o, k.stored, k.largest);
}

bool nc_h5_layout(nc_h5 *h, nc_hdf5_object *o, nc_cursor c)
{
	c.what = "layout";
	uint64_t at = c.at, version = nc_cursor_u(&c, 1), class = nc_cursor_u(&c, 1), n;
	if (h->failed)
		return false;
	if (version < 3 || version > 5)
		return nc_h5_refuse(h, at, "layout version %llu, expected 3 to 5",
				    (unsigned long long)version);
	if (class == 2)
		return chunked(h, o, &c, version == 3);
	if (class == 3) {
		nc_h5_refused(&o->type, "a virtual data set");
		return true;
	}
	if (class > 3)
		return nc_h5_wrong(h, at + 1, "layout class %llu", (unsigned long long)class);
	uint64_t address = class ? nc_cursor_u(&c, 8) : 0;
	n = nc_cursor_u(&c, class ? 8 : 2);
	bool absent = class && address == NC_H5_UNDEFINED;
	if (!h->failed && n != o->size && !(absent && !n))
		return nc_h5_wrong(h, at, "a data set of %zu bytes with %llu stored", o->size,
				   (unsigned long long)n);
	o->layout = class ? NC_HDF5_CONTIGUOUS : NC_HDF5_COMPACT;
	if (absent)
		return !h->failed && check_expansion(h, o, 0, 0);
	if (!class)
		o->data = nc_cursor_bytes(&c, n);
	else if (nc_h5_claim_bytes(h, address, n, "data"))
		o->data = h->bytes + address;
	return !h->failed;
}
