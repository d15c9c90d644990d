/* SPDX-License-Identifier: MIT
 *
 * gzip.h - deflated bytes in memory, inflated into buffers of the caller's: one gzip member, a zlib
 * stream (HDF5 chunks) or deflate alone (zip members).
 *
 * The reader of a format asks for exactly the bytes that the format says come next, so a bomb
 * never gets memory that was not asked for.  zlib checks the CRC and the length in the trailer; of
 * deflate alone there is none, so its user has to check.
 */
#ifndef NC_GZIP_H
#define NC_GZIP_H

#include "base/base.h"

bool nc_gzip_is(const uint8_t *bytes, size_t size); /* begins with 1f 8b */

/* The length of the data as the trailer has it, modulo 2^32 (size >= 18). */
uint32_t nc_gzip_length(const uint8_t *bytes, size_t size);

typedef struct nc_gzip nc_gzip;
typedef enum nc_wrapping { NC_GZIP, NC_ZLIB, NC_DEFLATE } nc_wrapping;

/* NULL: no memory, or built without zlib (NACRE_UNSUPPORTED). */
nc_gzip *nc_gzip_open(nc_memory *m, const uint8_t *bytes, size_t size, nacre_error *e);
nc_gzip *nc_inflate_open(nc_memory *m, nc_wrapping wrapping, const uint8_t *bytes, size_t size,
			 nacre_error *e);
/* Exactly n bytes, or an error. */
nacre_status nc_gzip_read(nc_gzip *g, void *out, size_t n, nacre_error *e);
/* The data end here, the checksum is right, and nothing follows in the file. */
nacre_status nc_gzip_finish(nc_gzip *g, nacre_error *e);
void nc_gzip_close(nc_gzip *g); /* g may be NULL */

#endif
