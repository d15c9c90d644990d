/* SPDX-License-Identifier: MIT
 *
 * load.h - what the readers share: byte order, and decoding a file by a pure function.
 */
#ifndef NC_LOAD_H
#define NC_LOAD_H

#include "base/base.h"
#include "tensor/tensor.h"

static inline uint32_t nc_big32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t nc_little64(const uint8_t *p)
{
	uint64_t v = 0;
	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

/* n elements of 1, 2, 4 or 8 bytes, in place: from big-endian, or little-endian, to this
 * machine's order. */
void nc_from_big(void *data, int64_t n, int element);
void nc_from_little(void *data, int64_t n, int element);

typedef nacre_tensor *nc_decoder(nacre_runtime *rt, const uint8_t *bytes, size_t size,
				 nacre_error *e);

/* Maps the file for as long as the decoder works; its error gets the path in front. */
nacre_tensor *nc_load(nacre_runtime *runtime, const char *path, nc_decoder *decode, nacre_error *e);

/* *e = "path: text of `inner`", with its status, which is returned. */
nacre_status nc_fail_in(nacre_error *e, const char *path, const nacre_error *inner);

/* A name from a file, fit for an error text: at most 60 bytes, no control characters. */
typedef struct nc_quoted {
	char text[72];
} nc_quoted;
nc_quoted nc_quote(const char *data, size_t size);

/* Every byte of a bool tensor must be 0 or 1. */
nacre_status nc_check_bools(const uint8_t *data, int64_t n, nacre_error *e);

/* Heap sort of pointers: no memory, no worst case. */
void nc_sort(void **item, size_t n, int (*compare)(const void *, const void *));

#endif
