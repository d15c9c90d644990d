/* SPDX-License-Identifier: MIT
 *
 * safetensors.h - u64 N, N bytes of JSON, data: the description of a file, and its header's text.
 */
#ifndef NC_SAFETENSORS_H
#define NC_SAFETENSORS_H

#include "base/base.h"
#include "format/json.h"
#include "nacre/format.h"
#include "tensor/tensor.h"

enum {
	NC_SAFETENSORS_HEADER_LIMIT = 100000000, /* upstream's */
	NC_SAFETENSORS_RANK = 32
};

/* Both kinds of items begin with their name, by which they are sorted and found. */
typedef struct nc_safetensors_entry {
	nc_json_string name;
	const char *dtype; /* "F32" */
	int bits;          /* of an element */
	int native;        /* a nacre_dtype, or -1 */
	int rank;
	const int64_t *shape;
	uint64_t begin, end; /* bytes from the start of the data */
} nc_safetensors_entry;

typedef struct nc_safetensors_string {
	nc_json_string key, value;
} nc_safetensors_string;

typedef struct nc_item_list {
	void **item;    /* in the order of the file (tensors: of their data) */
	void **by_name; /* the same, sorted */
	size_t n, room;
} nc_item_list;

typedef struct nc_safetensors {
	nc_memory *memory;
	nc_arena arena;
	size_t data; /* offset of the data in the file */
	nc_item_list tensors, metadata;
} nc_safetensors;

/* Checks a whole file and describes it; `out` needs nc_safetensors_clear only on success.  Nothing
 * in it points into `bytes`. */
nacre_status nc_safetensors_parse(nc_memory *m, const uint8_t *bytes, size_t size,
				  nc_safetensors *out, nacre_error *e);
void nc_safetensors_clear(nc_safetensors *d);

/* The bytes that a tensor of the file is a view of; NULL: it is a copy. */
const nc_bytes *nc_safetensors_bytes(const nacre_safetensors *file, const nacre_tensor *view);

/* The item of that name, or NULL. */
void *nc_item_find(const nc_item_list *list, const char *name, size_t size);

/* The first bytes of a file of these tensors, N included, into `out`; `order` receives them as they
 * are to be written.  Names are checked here. */
nacre_status nc_safetensors_header(int64_t n, const nacre_named_tensor *tensors,
				   const nacre_named_tensor **order, int64_t n_metadata,
				   const nacre_metadata *metadata, const nacre_metadata **sorted,
				   nc_text *out, nacre_error *e);

#endif
