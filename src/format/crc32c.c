/* SPDX-License-Identifier: MIT
 *
 * crc32c.c - CRC-32C: polynomial 0x1edc6f41, reflected 0x82f63b78, begun with and xored by ~0.
 *
 * Table k says what a byte does to the remainder when k bytes follow it, so that eight bytes are
 * taken at once.  The tables (8 KiB) are made on the stack, where there are enough bytes to pay for
 * it; few bytes go through the bits one by one.
 */
#include "format/crc32c.h"

#include "base/base.h"
#include "format/load.h"

enum { MANY = 4096 };

static uint32_t byte_by_byte(uint32_t c, const uint8_t *p, size_t n)
{
	for (; n; n--) {
		c ^= *p++;
		for (int k = 0; k < 8; k++)
			c = c >> 1 ^ (0x82f63b78u & (0 - (c & 1)));
	}
	return c;
}

static void make_tables(uint32_t t[8][256])
{
	for (uint32_t i = 0; i < 256; i++) {
		const uint8_t zero = 0;
		t[0][i] = byte_by_byte(i, &zero, 1);
	}
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
}

uint32_t nc_crc32c(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;
	if (n < MANY)
		return ~byte_by_byte(c, p, n);
	uint32_t t[8][256];
	make_tables(t);
	for (; n >= 8; n -= 8, p += 8) {
		uint64_t v = nc_little64(p) ^ c;
		c = t[7][v & 255] ^ t[6][v >> 8 & 255] ^ t[5][v >> 16 & 255] ^ t[4][v >> 24 & 255] ^
		    t[3][v >> 32 & 255] ^ t[2][v >> 40 & 255] ^ t[1][v >> 48 & 255] ^ t[0][v >> 56];
	}
	return ~byte_by_byte(c, p, n);
}
