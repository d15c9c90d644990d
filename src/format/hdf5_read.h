/* SPDX-License-Identifier: MIT
 *
 * hdf5_read.h - inside the HDF5 reader: cursors over claimed bytes, and the parts of the reader.
 *
 * The first error is kept in the reader; from then on cursors give zeros and claims fail, so that
 * code may read on to the next check.
 */
#ifndef NC_HDF5_READ_H
#define NC_HDF5_READ_H

#include "format/hdf5.h"

#define NC_H5_UNDEFINED UINT64_MAX /* an address that is none */

enum { NC_H5_LEVELS = 8 }; /* of B-trees */

typedef struct nc_h5_claim {
	uint64_t begin, end;
	const char *what;
} nc_h5_claim;

typedef struct nc_h5 {
	nc_hdf5 *file;
	nc_arena *arena;
	const uint8_t *bytes;
	size_t size;
	nacre_error *error;
	bool failed;
	nc_hdf5_object *last; /* of the list of objects */
	nc_h5_claim **claim;  /* in nc_memory: n of room */
	size_t n, room;
	uint64_t claimed, names, dense; /* bytes of structures, names, objects of heaps */
} nc_h5;

/* "hdf5: byte 17: ..."; both return false */
bool nc_h5_wrong(nc_h5 *h, uint64_t at, const char *format, ...) NC_PRINTF(3, 4);
bool nc_h5_refuse(nc_h5 *h, uint64_t at, const char *format, ...) NC_PRINTF(3, 4);
void *nc_h5_take(nc_h5 *h, size_t n); /* zeroed, of the arena; NULL: failed */

/* [at, at + n) is inside the file and nobody else's. */
bool nc_h5_claim_bytes(nc_h5 *h, uint64_t at, uint64_t n, const char *what);

typedef struct nc_cursor {
	nc_h5 *h;
	uint64_t at, end;
	const char *what; /* "object header" */
} nc_cursor;

/* A cursor over n claimed bytes; over none after a failure. */
nc_cursor nc_cursor_claim(nc_h5 *h, uint64_t at, uint64_t n, const char *what);
/* Over bytes of the file that are claimed by others, or not yet. */
nc_cursor nc_cursor_look(nc_h5 *h, uint64_t at, uint64_t n, const char *what);
uint64_t nc_cursor_u(nc_cursor *c, unsigned bytes); /* a little-endian number of 1 to 8 bytes */
const uint8_t *nc_cursor_bytes(nc_cursor *c, uint64_t n); /* NULL: failed */
nc_cursor nc_cursor_part(nc_cursor *c, uint64_t n);       /* the next n bytes as a cursor */
bool nc_cursor_magic(nc_cursor *c, const char *magic);    /* 4 letters */
bool nc_cursor_version(nc_cursor *c, uint64_t expected);  /* a byte */
static inline uint64_t nc_cursor_left(const nc_cursor *c)
{
	return c->end - c->at;
}
/* All bytes but the last 4 of the file's [begin, end) have the lookup3 checksum that these say. */
bool nc_h5_checksum(nc_h5 *h, uint64_t begin, uint64_t end, const char *what);

/* A child of `o` with its header at `address`; `name` is copied.  Order and doubles are checked by
 * nc_h5_children, which makes o->child of them all. */
typedef struct nc_h5_links {
	nc_hdf5_object *first, *last;
	size_t n;
} nc_h5_links;
bool nc_h5_add_child(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, uint64_t at, const uint8_t *name,
		     uint64_t size, uint64_t address);
bool nc_h5_children(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l);

/* hdf5_group.c */
bool nc_h5_symbol_table(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, uint64_t tree, uint64_t heap);
bool nc_h5_link(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, nc_cursor c); /* a link message */

/* hdf5_dense.c: each object of a fractal heap that a B-tree v2 of this type lists */
typedef bool nc_h5_visit(nc_h5 *h, void *context, nc_cursor object);
bool nc_h5_dense(nc_h5 *h, uint64_t heap, uint64_t tree, int type, nc_h5_visit *visit,
		 void *context);

/* hdf5_object.c */
bool nc_h5_object(nc_h5 *h, nc_hdf5_object *o);

/* hdf5_type.c */
bool nc_h5_datatype(nc_h5 *h, nc_cursor *c, nc_hdf5_type *t);
bool nc_h5_dataspace(nc_h5 *h, nc_cursor *c, nc_hdf5_type *t);
bool nc_h5_attribute(nc_h5 *h, nc_cursor c, nc_hdf5_attribute *a);
void nc_h5_refused(nc_hdf5_type *t, const char *format, ...) NC_PRINTF(2, 3); /* keeps the first */

/* hdf5_chunk.c */
bool nc_h5_layout(nc_h5 *h, nc_hdf5_object *o, nc_cursor c);
bool nc_h5_filters(nc_h5 *h, nc_hdf5_object *o, nc_cursor c);

uint32_t nc_lookup3(const uint8_t *data, size_t n);
uint32_t nc_fletcher32(const uint8_t *data, size_t n);

#endif
