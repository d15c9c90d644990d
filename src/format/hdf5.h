/* SPDX-License-Identifier: MIT
 *
 * hdf5.h - HDF5 files in memory: the tree of groups and data sets, and a writer.
 *
 * The subset that Keras and h5py use: superblocks 0, 2 and 3, both kinds of object headers, groups
 * old and new, contiguous, compact and chunked data sets (deflate, shuffle, fletcher32), integers,
 * floats, bools, and strings in attributes.  The whole tree is read and checked at once; what is
 * outside the subset but harmless (a compound type, an unknown filter) is refused when its values
 * are asked for, by name.
 *
 * Every structure claims its bytes.  No two may claim the same, so cycles, shared objects and
 * overlapping data are refused, and the work for a file is bounded by its size.
 */
#ifndef NC_HDF5_H
#define NC_HDF5_H

#include "base/base.h"
#include "format/sink.h"
#include "tensor/tensor.h"

enum {
	NC_HDF5_RANK = 32,
	NC_HDF5_DEPTH = 32,        /* of groups */
	NC_HDF5_OBJECTS = 1 << 20, /* groups and data sets of a file */
	NC_HDF5_EXPANSION = 1000,  /* a data set may be so many times larger than stored ... */
	NC_HDF5_SMALL = 1 << 20,   /* ... or have this size whatever it says */
	NC_HDF5_FILTERS = 8
};

typedef enum nc_hdf5_kind {
	NC_HDF5_OTHER, /* only its size is known */
	NC_HDF5_INTEGER,
	NC_HDF5_FLOAT,
	NC_HDF5_BOOL,
	NC_HDF5_STRING,  /* of fixed size */
	NC_HDF5_VSTRING, /* in a global heap */
	NC_HDF5_OPAQUE
} nc_hdf5_kind;

/* What the values of a data set or attribute are. */
typedef struct nc_hdf5_type {
	nc_hdf5_kind kind;
	uint32_t size; /* of an element in the file */
	int native;    /* the nacre_dtype that numbers are read as, or -1 */
	bool direct;   /* in the file they are that, but for the byte order */
	bool big, has_sign;
	int padding;         /* of strings of fixed size: 0 NUL ends, 1 NULs, 2 spaces fill up */
	const char *refused; /* why the values cannot be read, or NULL */
	char refused_text[64];
	int rank;
	const int64_t *shape;
	int64_t count;
} nc_hdf5_type;

typedef struct nc_hdf5_attribute {
	const char *name;
	nc_hdf5_type type;
	const uint8_t *data;
	size_t size;
	struct nc_hdf5_attribute *next;
} nc_hdf5_attribute;

typedef struct nc_hdf5_chunk {
	uint64_t index; /* in row-major order among the chunks of the data set */
	const uint8_t *data;
	uint32_t size, mask; /* bytes stored; filters that were left out */
	struct nc_hdf5_chunk *next;
} nc_hdf5_chunk;

typedef enum nc_hdf5_layout {
	NC_HDF5_NO_LAYOUT,
	NC_HDF5_COMPACT,
	NC_HDF5_CONTIGUOUS,
	NC_HDF5_CHUNKED
} nc_hdf5_layout;

typedef struct nc_hdf5_object {
	const char *name; /* terminated UTF-8; that of the root is "" */
	struct nc_hdf5_object *parent;
	uint64_t header; /* its place in the file */
	int depth;       /* 0: the root */
	bool group;
	/* a group: by name, in byte order ("0", "1", "10", "2") */
	struct nc_hdf5_object **child;
	size_t n;
	nc_hdf5_attribute *attribute; /* a list, in the order of the file */
	/* a data set */
	nc_hdf5_type type;
	nc_hdf5_layout layout;
	const uint8_t *data; /* compact, contiguous; NULL: never written */
	size_t size;         /* of all elements, as stored */
	const uint8_t *fill; /* an element, or NULL: zero */
	int n_filters, filter[NC_HDF5_FILTERS];
	int64_t chunk_shape[NC_HDF5_RANK];
	size_t chunk_size; /* bytes of a chunk without filters */
	nc_hdf5_chunk *chunk;
	struct nc_hdf5_object *next; /* of all objects */
} nc_hdf5_object;

typedef struct nc_hdf5 {
	nc_memory *memory;
	nc_arena arena;
	const uint8_t *bytes; /* from the superblock on; must outlive this */
	size_t size;
	nc_hdf5_object *root;
	size_t n; /* objects */
} nc_hdf5;

/* Reads and checks the tree; `out` needs nc_hdf5_close only on success. */
nacre_status nc_hdf5_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_hdf5 *out,
			  nacre_error *e);
void nc_hdf5_close(nc_hdf5 *f);

/* "layers/dense/vars/0", from a group (NULL: the root); NULL: no such object. */
const nc_hdf5_object *nc_hdf5_find(const nc_hdf5 *f, const nc_hdf5_object *from, const char *path);
const nc_hdf5_attribute *nc_hdf5_attribute_find(const nc_hdf5_object *o, const char *name);

/* The values of a data set, rank at most 8.  If `storage` (which holds the bytes of the file; may
 * be NULL) has them as this machine does, and aligned, the tensor is a view that keeps it. */
nacre_tensor *nc_hdf5_tensor(const nc_hdf5 *f, const nc_hdf5_object *o, nacre_runtime *rt,
			     nc_storage *storage, nacre_error *e);

/* The values of a data set where the file has them together, in row-major order and this machine's
 * form of that type; not aligned.  NULL: it has not. */
const uint8_t *nc_hdf5_plain(const nc_hdf5_object *o, nacre_dtype dtype);

/* String i of an attribute, as it stands in the file: not terminated, any encoding. */
nacre_status nc_hdf5_string(const nc_hdf5 *f, const nc_hdf5_attribute *a, int64_t i,
			    const char **data, size_t *size, nacre_error *e);
nacre_status nc_hdf5_number(const nc_hdf5_attribute *a, int64_t i, double *out, nacre_error *e);

/* -- writing: a tree is described, then written in one go
 * Superblock 0, symbol tables and contiguous data, as h5py does; the same tree gives the same
 * bytes.  Groups are made as paths need them.  Tensors are borrowed until the tree is freed; names
 * and texts are copied.  The first error stays, and later calls do nothing. */
typedef struct nc_hdf5_tree {
	nc_memory *memory;
	nc_arena arena;
	nacre_error *error;
	nacre_status status;
	struct nc_hdf5_node *root;
	size_t n_nodes;
	bool ready;                /* places are given out */
	uint64_t metadata, size;   /* bytes before the data, and in all */
	struct nc_hdf5_heap *heap; /* collections of strings of variable size */
} nc_hdf5_tree;

void nc_hdf5_tree_init(nc_hdf5_tree *t, nc_memory *m, nacre_error *e);
void nc_hdf5_tree_free(nc_hdf5_tree *t);
nacre_status nc_hdf5_put_group(nc_hdf5_tree *t,
			       const char *path); /* "": the root, which is there */
nacre_status nc_hdf5_put_tensor(nc_hdf5_tree *t, const char *path, const nacre_tensor *tensor);
/* Attributes of the group or data set at `path`: a string of variable or fixed size, or n strings
 * of the size of the longest. */
nacre_status nc_hdf5_put_text(nc_hdf5_tree *t, const char *path, const char *name,
			      const char *text);
nacre_status nc_hdf5_put_fixed(nc_hdf5_tree *t, const char *path, const char *name,
			       const char *text);
nacre_status nc_hdf5_put_list(nc_hdf5_tree *t, const char *path, const char *name, int64_t n,
			      const char *const *texts);
uint64_t nc_hdf5_size(nc_hdf5_tree *t); /* of the file; 0 after an error */
nacre_status nc_hdf5_write(nc_hdf5_tree *t, const nc_sink *sink);

#endif
