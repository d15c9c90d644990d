/* SPDX-License-Identifier: MIT
 *
 * crc.c - CRC-32 (polynomial 0x04c11db7) and CRC-32C (0x1edc6f41), begun with and xored by ~0.
 *
 * Bytes are polynomials over GF(2), reflected: the lowest bit of the first byte is the highest
 * power.  Carry-less products make a long message a short one with the same remainder mod P: its
 * first 128 bits, halves h and l, count D bits later as h (x^(D+32) mod P) + l (x^(D-32) mod P),
 * which are 96 bits; the powers are 32 less than the halves' places, since the constants stand 32
 * bits too high in the 64 that are multiplied (Gopal et al., "Fast CRC Computation for Generic
 * Polynomials Using PCLMULQDQ Instruction", Intel, 2009).  64 or 256 bytes move on like that at
 * once; the 16 that are left at the end go through bit by bit.
 *
 * ARM has instructions for both.  Without any of that: table k says what a byte does to the
 * remainder when k bytes follow it, so that eight bytes are taken at once.  The tables (8 KiB) are
 * made on the stack, where there are enough bytes to pay for it.
 */
#include "base/crc.h"

#include <string.h>
#if defined __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <sys/auxv.h>
#endif

enum { MANY = 1024, LAST = 16, NARROW = 64, WIDE = 256 };

typedef struct polynomial {
	uint32_t reflected;
	/* x^(D+32) and x^(D-32) mod P, reflected in 33 bits: for D of 16, 64 and 256 bytes */
	uint64_t last[2], narrow[2], wide[2];
} polynomial;

/* Takes in as many bytes as it can, maybe none. */
typedef uint32_t taker(const polynomial *q, uint32_t c, const uint8_t **data, size_t *n);

static const polynomial zip = {0xedb88320,
			       {0x1751997d0, 0x0ccaa009e},
			       {0x154442bd4, 0x1c6e41596},
			       {0x11542778a, 0x1322d1430}};
static const polynomial c32c = {0x82f63b78,
				{0x0f20c0dfe, 0x14cd00bd6},
				{0x0740eef02, 0x09e4addf8},
				{0x0dcb17aa4, 0x0b9e02b86}};

/* -- bits and tables ----------------------------------------------------------------------------*/
static inline uint32_t shift(uint32_t p, uint32_t c)
{
	return c >> 1 ^ (p & (0 - (c & 1)));
}

static uint32_t by_bits(uint32_t p, uint32_t c, const uint8_t *data, size_t n)
{
	for (; n; n--) {
		c ^= *data++;
		for (int k = 0; k < 8; k++)
			c = shift(p, c);
	}
	return c;
}

static void make_tables(uint32_t p, uint32_t t[8][256])
{
	const uint8_t zero = 0;
	for (uint32_t i = 0; i < 256; i++)
		t[0][i] = by_bits(p, i, &zero, 1);
	for (int k = 1; k < 8; k++)
		for (int i = 0; i < 256; i++)
			t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255];
}

static uint32_t by_tables(uint32_t p, uint32_t c, const uint8_t *data, size_t n)
{
	uint32_t t[8][256];
	make_tables(p, t);
	for (; n >= 8; n -= 8, data += 8) {
		uint32_t a = ((uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
			      (uint32_t)data[3] << 24) ^
			     c;
		c = t[7][a & 255] ^ t[6][a >> 8 & 255] ^ t[5][a >> 16 & 255] ^ t[4][a >> 24] ^
		    t[3][data[4]] ^ t[2][data[5]] ^ t[1][data[6]] ^ t[0][data[7]];
	}
	return by_bits(p, c, data, n);
}

/* -- by instructions ----------------------------------------------------------------------------*/
#if defined __x86_64__

#define NARROW_ISA __attribute__((target("pclmul,sse4.1")))
#define WIDE_ISA __attribute__((target("avx512f,vpclmulqdq")))

/* x moves on by as much as `by` is for, onto what is there. */
NARROW_ISA static inline __m128i fold(__m128i x, __m128i there, __m128i by)
{
	return _mm_xor_si128(there, _mm_xor_si128(_mm_clmulepi64_si128(x, by, 0x00),
						  _mm_clmulepi64_si128(x, by, 0x11)));
}

/* A message of n bytes, a multiple of 64 and not none, becomes one of 16. */
NARROW_ISA static void fold_narrow(const polynomial *q, uint32_t c, const uint8_t *data, size_t n,
				   uint8_t state[LAST])
{
	__m128i x[4], by;
	memcpy(&by, q->narrow, sizeof by);
	memcpy(x, data, sizeof x);
	x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int32_t)c));
	for (size_t at = sizeof x; at < n; at += sizeof x) {
		__m128i next[4];
		memcpy(next, data + at, sizeof next);
		for (int i = 0; i < 4; i++)
			x[i] = fold(x[i], next[i], by);
	}
	memcpy(&by, q->last, sizeof by);
	for (int i = 1; i < 4; i++)
		x[0] = fold(x[0], x[i], by);
	memcpy(state, x, LAST);
}

/* A message of n bytes, a multiple of 256 and not none, becomes one of 256. */
WIDE_ISA static void fold_wide(const polynomial *q, uint32_t c, const uint8_t *data, size_t n,
			       uint8_t state[WIDE])
{
	__m512i x[4], by;
	__m128i once;
	memcpy(&once, q->wide, sizeof once);
	by = _mm512_broadcast_i32x4(once);
	memcpy(x, data, sizeof x);
	x[0] = _mm512_xor_si512(x[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int32_t)c)));
	for (size_t at = sizeof x; at < n; at += sizeof x) {
		__m512i next[4];
		memcpy(next, data + at, sizeof next);
		for (int i = 0; i < 4; i++) /* 0x96: the three of them xored */
			x[i] = _mm512_ternarylogic_epi64(
			    next[i], _mm512_clmulepi64_epi128(x[i], by, 0x00),
			    _mm512_clmulepi64_epi128(x[i], by, 0x11), 0x96);
	}
	memcpy(state, x, sizeof x);
}

static uint32_t by_narrow(const polynomial *q, uint32_t c, const uint8_t **data, size_t *n)
{
	uint8_t state[LAST];
	size_t whole = *n / NARROW * NARROW;
	if (*n < 2 * NARROW || !__builtin_cpu_supports("pclmul") ||
	    !__builtin_cpu_supports("sse4.1"))
		return c;
	fold_narrow(q, c, *data, whole, state);
	*data += whole;
	*n -= whole;
	return by_bits(q->reflected, 0, state, LAST);
}

static uint32_t by_wide(const polynomial *q, uint32_t c, const uint8_t **data, size_t *n)
{
	uint8_t state[WIDE];
	const uint8_t *rest = state;
	size_t whole = *n / WIDE * WIDE, left = WIDE;
	if (*n < 4 * WIDE || !__builtin_cpu_supports("avx512f") ||
	    !__builtin_cpu_supports("vpclmulqdq"))
		return c;
	fold_wide(q, c, *data, whole, state);
	*data += whole;
	*n -= whole;
	return by_narrow(q, 0, &rest, &left); /* which has all that it needs, too */
}

static taker *const ways[] = {by_wide, by_narrow};

#elif defined __aarch64__ && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__

#define EIGHT(instruction, c, v)                                                                   \
	__asm__(".arch_extension crc\n\t" instruction " %w0, %w0, %x1" : "+r"(c) : "r"(v))

static uint32_t by_eight(const polynomial *q, uint32_t c, const uint8_t **data, size_t *n)
{
	enum { CRC32 = 1 << 7 }; /* HWCAP_CRC32 */
	if (!(getauxval(AT_HWCAP) & CRC32))
		return c;
	for (; *n >= 8; *n -= 8, *data += 8) {
		uint64_t v;
		memcpy(&v, *data, 8);
		if (q == &zip)
			EIGHT("crc32x", c, v);
		else
			EIGHT("crc32cx", c, v);
	}
	return c;
}

static taker *const ways[] = {by_eight};

#else

static uint32_t none(const polynomial *q, uint32_t c, const uint8_t **data, size_t *n)
{
	(void)q, (void)data, (void)n;
	return c;
}

static taker *const ways[] = {none};

#endif

/* -- the whole ----------------------------------------------------------------------------------*/
static uint32_t add(const polynomial *q, int first, uint32_t c, const uint8_t *data, size_t n)
{
	for (int i = first; i < (int)(sizeof ways / sizeof *ways); i++)
		c = ways[i](q, c, &data, &n);
	return n < MANY ? by_bits(q->reflected, c, data, n) : by_tables(q->reflected, c, data, n);
}

uint32_t nc_crc_from(int first, bool castagnoli, uint32_t crc, const void *data, size_t n)
{
	return ~add(castagnoli ? &c32c : &zip, first, ~crc, data, n);
}

uint32_t nc_crc32(uint32_t crc, const void *data, size_t n)
{
	return ~add(&zip, 0, ~crc, data, n);
}

uint32_t nc_crc32c(uint32_t crc, const void *data, size_t n)
{
	return ~add(&c32c, 0, ~crc, data, n);
}

/* a b mod P, reflected: bit 31 is x^0. */
static uint32_t multiply(uint32_t p, uint32_t a, uint32_t b)
{
	uint32_t product = 0;
	for (; a; a <<= 1, b = shift(p, b))
		product ^= b & (0 - (a >> 31));
	return product;
}

/* What is inverted cancels: the first part's remainder moves up by x^8n. */
uint32_t nc_crc32_join(uint32_t a, uint32_t b, size_t n)
{
	uint32_t p = zip.reflected, moved = a;
	for (uint32_t power = 1u << (31 - 8); n; n >>= 1) {
		if (n & 1)
			moved = multiply(p, moved, power);
		power = multiply(p, power, power);
	}
	return moved ^ b;
}
