/* SPDX-License-Identifier: MIT
 *
 * Checksums: known answers, and every way to compute them against the definition.
 */
#include "base/crc.h"

#include "test.h"

enum { LONGEST = 4000 };
static uint8_t bytes[LONGEST + 64];

static void fill(void)
{
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)test_random();
}

static uint32_t bit_by_bit(bool castagnoli, uint32_t crc, const uint8_t *p, size_t n)
{
	uint32_t c = ~crc;
	for (size_t i = 0; i < n; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ (castagnoli ? 0x82f63b78u : 0xedb88320u) : c >> 1;
	}
	return ~c;
}

TEST(known_answers)
{
	static const uint8_t zeros[32];
	CHECK_EQ(nc_crc32(0, "123456789", 9), 0xcbf43926);
	CHECK_EQ(nc_crc32c(0, "123456789", 9), 0xe3069283);
	CHECK_EQ(nc_crc32c(0, zeros, 32), 0x8a9136aa);
	CHECK_EQ(nc_crc32(0, NULL, 0), 0);
	CHECK_EQ(nc_crc32c(77, NULL, 0), 77);
}

TEST(every_way_and_length)
{
	fill();
	for (int way = 0; way <= NC_CRC_WAYS; way++)
		for (int castagnoli = 0; castagnoli < 2; castagnoli++)
			for (size_t n = 0; n <= LONGEST; n += n < 1200 ? 1 : 37) {
				const uint8_t *p = bytes + n % 61;
				uint32_t from = (uint32_t)(n * 0x9e3779b9u);
				uint32_t is = nc_crc_from(way, castagnoli, from, p, n);
				uint32_t expected = bit_by_bit(castagnoli, from, p, n);
				if (is != expected)
					test_failed(__FILE__, __LINE__,
						    "way %d, %s, %zu bytes: %08x, expected %08x",
						    way, castagnoli ? "crc32c" : "crc32", n, is,
						    expected);
			}
}

TEST(pieces_are_equal_to_the_whole)
{
	fill();
	uint32_t whole = nc_crc32(0, bytes, LONGEST), whole_c = nc_crc32c(0, bytes, LONGEST);
	for (size_t n = 0; n <= LONGEST; n += 13) {
		uint32_t first = nc_crc32(0, bytes, n);
		CHECK_EQ(nc_crc32(first, bytes + n, LONGEST - n), whole);
		CHECK_EQ(nc_crc32_join(first, nc_crc32(0, bytes + n, LONGEST - n), LONGEST - n),
			 whole);
		CHECK_EQ(nc_crc32c(nc_crc32c(0, bytes, n), bytes + n, LONGEST - n), whole_c);
	}
}

/* Zeros that follow, more than there is memory for: x^8n has a period of 2^32 - 1 bits. */
TEST(far_apart)
{
	uint32_t a = nc_crc32(0, "a", 1);
	CHECK_EQ(nc_crc32_join(a, 0, 0), a);
	CHECK_EQ(nc_crc32_join(a, 0, ((size_t)1 << 32) - 1), a);
	CHECK_EQ(nc_crc32_join(a, 0, (size_t)1 << 62),
		 nc_crc32_join(nc_crc32_join(a, 0, (size_t)1 << 61), 0, (size_t)1 << 61));
}
