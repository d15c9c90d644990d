/* SPDX-License-Identifier: MIT
 *
 * crc.h - checksums of 32 bits, which find every change of up to 32 bits in a row.
 */
#ifndef NC_CRC_H
#define NC_CRC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of n more bytes; crc is that of the bytes before, 0 at first. */
uint32_t nc_crc32(uint32_t crc, const void *data, size_t n);  /* of zip, gzip, PNG */
uint32_t nc_crc32c(uint32_t crc, const void *data, size_t n); /* Castagnoli's: of TensorBoard */

/* Of two parts together: a of the first, b of the second, which has n bytes. */
uint32_t nc_crc32_join(uint32_t a, uint32_t b, size_t n);

/* The ways to compute them that the CPU has, best first, from one of them on: for tests.  From
 * NC_CRC_WAYS on none needs special instructions. */
enum { NC_CRC_WAYS = 2 };
uint32_t nc_crc_from(int first, bool castagnoli, uint32_t crc, const void *data, size_t n);

#endif
