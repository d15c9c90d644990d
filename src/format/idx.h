/* SPDX-License-Identifier: MIT
 *
 * idx.h - IDX: 00 00 type ndim, ndim x u32 sizes, row-major data, all big-endian.
 */
#ifndef NC_IDX_H
#define NC_IDX_H

#include "base/base.h"
#include "tensor/tensor.h"

typedef struct nc_idx {
	int type;          /* 0x08 ... 0x0e */
	int element;       /* bytes of one in the file */
	nacre_dtype dtype; /* of the tensor */
	int rank;
	int64_t shape[NACRE_MAX_RANK];
	int64_t count;    /* elements */
	size_t data, end; /* bytes of the file */
} nc_idx;

enum { NC_IDX_HEADER = 4 + 4 * NACRE_MAX_RANK }; /* the largest header */

/* The length of the header that begins with these 4 bytes; 0 and an error if it is none. */
size_t nc_idx_header_size(const uint8_t *bytes, size_t size, nacre_error *e);
/* Describes a header that is there as a whole; the data behind it need not be. */
nacre_status nc_idx_header(const uint8_t *bytes, size_t size, nc_idx *out, nacre_error *e);
/* The same, and the data are there: nothing missing, nothing more. */
nacre_status nc_idx_parse(const uint8_t *bytes, size_t size, nc_idx *out, nacre_error *e);

/* A tensor of its own memory from a whole file, plain or gzip. */
nacre_tensor *nc_idx_decode(nacre_runtime *rt, const uint8_t *bytes, size_t size, nacre_error *e);

#endif
