/* SPDX-License-Identifier: MIT
 *
 * hdf5_checksum.c - the two checksums of HDF5: Bob Jenkins' lookup3 (hashlittle with seed 0) over
 * metadata, and Fletcher's of 32 bits over chunks.
 */
#include "format/hdf5_read.h"

static uint32_t rotate(uint32_t x, int k)
{
	return x << k | x >> (32 - k);
}

static uint32_t little(const uint8_t *p, size_t n)
{
	uint32_t v = 0;
	for (size_t i = 0; i < n && i < 4; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

uint32_t nc_lookup3(const uint8_t *p, size_t n)
{
	uint32_t a = 0xdeadbeef + (uint32_t)n, b = a, c = a;
	if (!n)
		return c;
	for (; n > 12; n -= 12, p += 12) {
		a += little(p, 4);
		b += little(p + 4, 4);
		c += little(p + 8, 4);
		a -= c, a ^= rotate(c, 4), c += b;
		b -= a, b ^= rotate(a, 6), a += c;
		c -= b, c ^= rotate(b, 8), b += a;
		a -= c, a ^= rotate(c, 16), c += b;
		b -= a, b ^= rotate(a, 19), a += c;
		c -= b, c ^= rotate(b, 4), b += a;
	}
	a += little(p, n);
	b += n > 4 ? little(p + 4, n - 4) : 0;
	c += n > 8 ? little(p + 8, n - 8) : 0;
	c ^= b, c -= rotate(b, 14);
	a ^= c, a -= rotate(c, 11);
	b ^= a, b -= rotate(a, 25);
	c ^= b, c -= rotate(b, 16);
	a ^= c, a -= rotate(c, 4);
	b ^= a, b -= rotate(a, 14);
	c ^= b, c -= rotate(b, 24);
	return c;
}

/* Words of 16 bits, big-endian; an odd byte at the end is the upper half of one more. */
uint32_t nc_fletcher32(const uint8_t *p, size_t n)
{
	uint32_t a = 0, b = 0;
	for (size_t words = n / 2; words;) {
		size_t some = words < 360 ? words : 360; /* no overflow in between */
		words -= some;
		for (; some; some--, p += 2) {
			a += (uint32_t)p[0] << 8 | p[1];
			b += a;
		}
		a = (a & 0xffff) + (a >> 16);
		b = (b & 0xffff) + (b >> 16);
	}
	if (n % 2) {
		a += (uint32_t)*p << 8;
		b += a;
		a = (a & 0xffff) + (a >> 16);
		b = (b & 0xffff) + (b >> 16);
	}
	a = (a & 0xffff) + (a >> 16);
	b = (b & 0xffff) + (b >> 16);
	return b << 16 | a;
}
