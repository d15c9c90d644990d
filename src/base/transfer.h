/* SPDX-License-Identifier: MIT
 *
 * transfer.h - many bytes, gone over by all threads of a pool.
 */
#ifndef NC_TRANSFER_H
#define NC_TRANSFER_H

#include "base/pool.h"

/* n bytes are copied to `to` (NULL: are not), and *crc, a CRC-32 of what is before them, becomes
 * that of all (NULL: is not asked for).  If they lie in `file`, a mapped one (or NULL), they are
 * forgotten there as this goes on, so that they are not in memory twice.  pool NULL: the caller's
 * thread alone. */
void nc_transfer(nc_pool *pool, void *to, const void *from, size_t n, const nc_bytes *file,
		 uint32_t *crc);

#endif
