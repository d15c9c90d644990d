/* SPDX-License-Identifier: MIT
 *
 * crc32c.h - the Castagnoli checksum: finds every change of up to 32 bits in a row.
 */
#ifndef NC_CRC32C_H
#define NC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Of n more bytes; crc is that of the bytes before, 0 at first.  "123456789": 0xe3069283. */
uint32_t nc_crc32c(uint32_t crc, const void *data, size_t n);

#endif
