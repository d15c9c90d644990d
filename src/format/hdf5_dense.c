/* SPDX-License-Identifier: MIT
 *
 * hdf5_dense.c - many links or attributes: objects in a fractal heap, listed by a B-tree version 2.
 *
 * The heap is one space of addresses over blocks that double in size: rows of `width` blocks, of
 * the first size, the first size again, twice that, four times ...  A record of the tree has the
 * place and length of an object in that space.
 */
#include <string.h>

#include "format/hdf5_read.h"

typedef struct heap {
	uint64_t at; /* of its header */
	unsigned offset_bytes, length_bytes;
	uint64_t root, width, first, largest; /* sizes of blocks */
	uint64_t rows;                        /* of the root, if that lists blocks; else 0 */
	bool checksums;
} heap;

static unsigned bytes_for(uint64_t n)
{
	unsigned bytes = 1;
	while (bytes < 8 && n >> 8 * bytes)
		bytes++;
	return bytes;
}

static bool read_heap(nc_h5 *h, uint64_t at, heap *p)
{
	const char *what = "fractal heap";
	nc_cursor c = nc_cursor_claim(h, at, 146, what);
	p->at = at;
	nc_cursor_magic(&c, "FRHP");
	nc_cursor_version(&c, 0);
	nc_cursor_bytes(&c, 2);
	uint64_t filters = nc_cursor_u(&c, 2);
	p->checksums = nc_cursor_u(&c, 1) & 2;
	uint64_t most = nc_cursor_u(&c, 4);
	nc_cursor_bytes(&c, 12 * 8); /* huge, free, allocated, used, tiny: all only counted */
	p->width = nc_cursor_u(&c, 2);
	p->first = nc_cursor_u(&c, 8);
	p->largest = nc_cursor_u(&c, 8);
	uint64_t bits = nc_cursor_u(&c, 2);
	nc_cursor_bytes(&c, 2);
	p->root = nc_cursor_u(&c, 8);
	p->rows = nc_cursor_u(&c, 2);
	if (h->failed)
		return false;
	if (filters)
		return nc_h5_refuse(h, at, "%s with filters", what);
	if (!nc_h5_checksum(h, at, at + 146, what))
		return false;
	if (!p->width || p->width > 1024 || !p->first || p->first & (p->first - 1) ||
	    p->first > p->largest || p->largest > 1ull << 31 || !bits || bits > 64 || p->rows > 64)
		return nc_h5_wrong(h, at, "%s: impossible sizes of blocks", what);
	p->offset_bytes = (unsigned)(bits + 7) / 8;
	p->length_bytes = bytes_for(most < p->largest ? most : p->largest);
	return true;
}

/* The block with the place `offset` of the heap's space: its row and column. */
static uint64_t find_block(const heap *p, uint64_t offset, uint64_t *begin, uint64_t *size)
{
	uint64_t index = 0;
	*begin = 0;
	*size = p->first;
	for (uint64_t row = 0; row < p->rows && *size <= p->largest; row++) {
		if (row > 1)
			*size *= 2;
		for (uint64_t i = 0; i < p->width; i++, index++, *begin += *size)
			if (offset - *begin < *size)
				return index;
	}
	return UINT64_MAX;
}

/* An object by its identifier in a record: kind, offset, length. */
static nc_cursor find_object(nc_h5 *h, const heap *p, nc_cursor id)
{
	nc_cursor none = {h, 0, 0, id.what};
	uint64_t at = id.at, kind = nc_cursor_u(&id, 1), begin = 0, size = p->first;
	uint64_t offset = nc_cursor_u(&id, p->offset_bytes);
	uint64_t n = nc_cursor_u(&id, p->length_bytes), block = p->root;
	if (h->failed)
		return none;
	if (kind) { /* version 0, managed; huge and tiny ones are no links or attributes of h5py's
		     */
		nc_h5_refuse(h, at, "fractal heap: an object of kind %llu",
			     (unsigned long long)kind);
		return none;
	}
	if (p->rows) {
		uint64_t index = find_block(p, offset, &begin, &size);
		uint64_t entries = p->root + 13 + p->offset_bytes;
		if (index == UINT64_MAX || size > p->largest) {
			nc_h5_refuse(h, at,
				     "fractal heap: an object at %llu, beyond the blocks "
				     "that the root lists",
				     (unsigned long long)offset);
			return none;
		}
		nc_cursor c = nc_cursor_look(h, entries + 8 * index, 8, "fractal heap");
		block = nc_cursor_u(&c, 8);
	}
	uint64_t inside = offset - begin;
	if (h->failed || inside > size || n > size - inside) {
		nc_h5_wrong(h, at, "fractal heap: %llu bytes at %llu, in a block of %llu",
			    (unsigned long long)n, (unsigned long long)inside,
			    (unsigned long long)size);
		return none;
	}
	h->dense += n;
	if (h->dense > h->size) {
		nc_h5_wrong(h, at, "fractal heap: objects share bytes");
		return none;
	}
	return nc_cursor_look(h, block + inside, n, "object of a fractal heap");
}

static bool check_block(nc_h5 *h, const heap *p, uint64_t at, uint64_t size, const char *magic)
{
	nc_cursor c = nc_cursor_claim(h, at, size, "fractal heap");
	nc_cursor_magic(&c, magic);
	nc_cursor_version(&c, 0);
	uint64_t header = nc_cursor_u(&c, 8);
	if (!h->failed && header != p->at)
		return nc_h5_wrong(h, at, "fractal heap: a block of another heap");
	return !h->failed;
}

/* The blocks themselves are claimed once, so that no other structure is in them. */
static bool check_blocks(nc_h5 *h, const heap *p)
{
	if (!p->rows)
		return check_block(h, p, p->root, p->first, "FHDB");
	uint64_t rows = 0, size = p->first;
	for (; rows<p->rows; rows++, size *= rows> 1 ? 2 : 1)
		if (size > p->largest)
			return nc_h5_refuse(h, p->root, "fractal heap with blocks of blocks");
	uint64_t at = p->root, n = 13 + p->offset_bytes + 8 * p->width * rows + 4;
	if (!check_block(h, p, at, n, "FHIB") || !nc_h5_checksum(h, at, at + n, "fractal heap"))
		return false;
	nc_cursor c =
	    nc_cursor_look(h, at + 13 + p->offset_bytes, 8 * p->width * rows, "fractal heap");
	size = p->first;
	for (uint64_t row = 0; row < rows; row++) {
		size *= row > 1 ? 2 : 1;
		for (uint64_t i = 0; i < p->width && !h->failed; i++) {
			uint64_t block = nc_cursor_u(&c, 8);
			if (block != NC_H5_UNDEFINED)
				check_block(h, p, block, size, "FHDB");
		}
	}
	return !h->failed;
}

/* -- the tree */
typedef struct tree {
	const heap *heap;
	uint64_t node, record, place; /* sizes; where in a record the identifier is */
	int type;
	uint64_t most[NC_H5_LEVELS + 1];        /* records of a node of this depth */
	unsigned count_bytes[NC_H5_LEVELS + 1]; /* of the number of records under it */
	unsigned leaf_bytes;                    /* of the number of records in a node */
	nc_h5_visit *visit;
	void *context;
	uint64_t left; /* records to come */
} tree;

/* How many records fit into the nodes of each depth: not stored, but it fixes field widths. */
static bool tree_sizes(nc_h5 *h, tree *t, uint64_t at, uint64_t depth)
{
	uint64_t total = (t->node - 10) / t->record;
	t->most[0] = total;
	t->leaf_bytes = bytes_for(total);
	for (uint64_t d = 1; d <= depth; d++) {
		uint64_t pointer = 8u + t->leaf_bytes + (d > 1 ? t->count_bytes[d - 1] : 0);
		if (t->node < 10 + pointer + t->record + pointer)
			return nc_h5_wrong(h, at, "B-tree: nodes of %llu bytes",
					   (unsigned long long)t->node);
		t->most[d] = (t->node - 10 - pointer) / (t->record + pointer);
		if (__builtin_mul_overflow(total, t->most[d] + 1, &total) ||
		    __builtin_add_overflow(total, t->most[d], &total))
			return nc_h5_wrong(h, at, "B-tree: too deep");
		t->count_bytes[d] = bytes_for(total);
	}
	return true;
}

static bool visit_record(nc_h5 *h, tree *t, nc_cursor c)
{
	nc_cursor_bytes(&c, t->place);
	if (h->failed || !t->left--)
		return nc_h5_wrong(h, c.at, "B-tree: more records than it says");
	nc_cursor object = find_object(h, t->heap, c);
	return !h->failed && t->visit(h, t->context, object);
}

static bool read_node(nc_h5 *h, tree *t, uint64_t at, uint64_t n, uint64_t depth)
{
	uint64_t pointer = 8u + t->leaf_bytes + (depth > 1 ? t->count_bytes[depth - 1] : 0);
	if (n > t->most[depth])
		return nc_h5_wrong(h, at, "B-tree: %llu records in a node, at most %llu",
				   (unsigned long long)n, (unsigned long long)t->most[depth]);
	uint64_t used = 6 + n * t->record + (depth ? (n + 1) * pointer : 0) + 4;
	nc_cursor c = nc_cursor_claim(h, at, used, "B-tree");
	nc_cursor_magic(&c, depth ? "BTIN" : "BTLF");
	nc_cursor_version(&c, 0);
	uint64_t type = nc_cursor_u(&c, 1);
	if (h->failed || type != (uint64_t)t->type)
		return nc_h5_wrong(h, at + 5, "B-tree: type %llu, expected %d",
				   (unsigned long long)type, t->type);
	if (!nc_h5_checksum(h, at, at + used, "B-tree"))
		return false;
	for (uint64_t i = 0; i < n && !h->failed; i++)
		visit_record(h, t, nc_cursor_part(&c, t->record));
	for (uint64_t i = 0; depth && i <= n && !h->failed; i++) {
		uint64_t child = nc_cursor_u(&c, 8), records = nc_cursor_u(&c, t->leaf_bytes);
		nc_cursor_bytes(&c, pointer - 8 - t->leaf_bytes);
		read_node(h, t, child, records, depth - 1);
	}
	return !h->failed;
}

bool nc_h5_dense(nc_h5 *h, uint64_t heap_at, uint64_t at, int type, nc_h5_visit *visit,
		 void *context)
{
	heap p = {0};
	tree t = {.heap = &p, .type = type, .visit = visit, .context = context};
	if (!read_heap(h, heap_at, &p))
		return false;
	/* a link's record: hash, identifier; an attribute's: identifier, flags, order, hash */
	t.place = type == 5 ? 4 : 0;
	nc_cursor c = nc_cursor_claim(h, at, 38, "B-tree");
	nc_cursor_magic(&c, "BTHD");
	nc_cursor_version(&c, 0);
	uint64_t is = nc_cursor_u(&c, 1);
	t.node = nc_cursor_u(&c, 4);
	t.record = nc_cursor_u(&c, 2);
	uint64_t depth = nc_cursor_u(&c, 2);
	nc_cursor_bytes(&c, 2);
	uint64_t root = nc_cursor_u(&c, 8), n = nc_cursor_u(&c, 2);
	t.left = nc_cursor_u(&c, 8);
	if (h->failed || !nc_h5_checksum(h, at, at + 38, "B-tree"))
		return false;
	if (is != (uint64_t)type || depth > NC_H5_LEVELS || t.record < t.place + 1 || t.node < 64 ||
	    t.record > t.node / 2)
		return nc_h5_wrong(h, at, "B-tree: type %llu, depth %llu, records of %llu bytes",
				   (unsigned long long)is, (unsigned long long)depth,
				   (unsigned long long)t.record);
	if (!tree_sizes(h, &t, at, depth))
		return false;
	if (root == NC_H5_UNDEFINED || p.root == NC_H5_UNDEFINED)
		return !t.left || nc_h5_wrong(h, at, "B-tree: records, but no node");
	if (!check_blocks(h, &p) || !read_node(h, &t, root, n, depth))
		return false;
	return !t.left || nc_h5_wrong(h, at, "B-tree: %llu records fewer than it says",
				      (unsigned long long)t.left);
}
