/* SPDX-License-Identifier: MIT
 *
 * random.c - Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
 * 1, 2, 3", 2011) and the distributions made of it.
 *
 * A block of four words is a function of key and counter; element i of a stream is word i % 4 of
 * block i / 4, so any thread can compute any part.  The counter: words 0 and 1 hold i / 4 in
 * their low 48 bits and the number of retries above them, words 2 and 3 name the stream.
 */
#include <math.h>
#if defined __SSE2__
#include <emmintrin.h>
#endif

#include "base/base.h"

#define M0 0xD2511F53u
#define M1 0xCD9E8D57u
#define W0 0x9E3779B9u
#define W1 0xBB67AE85u

static inline void rounds(uint32_t k0, uint32_t k1, uint32_t c[4])
{
	for (int i = 0; i < 10; i++) {
		uint64_t p0 = (uint64_t)M0 * c[0], p1 = (uint64_t)M1 * c[2];
		uint32_t y0 = (uint32_t)(p1 >> 32) ^ c[1] ^ k0;
		uint32_t y2 = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
		c[0] = y0;
		c[1] = (uint32_t)p1;
		c[2] = y2;
		c[3] = (uint32_t)p0;
		k0 += W0;
		k1 += W1;
	}
}

void nc_philox(nc_key key, const uint32_t counter[4], uint32_t out[4])
{
	uint32_t c[4] = {counter[0], counter[1], counter[2], counter[3]};
	rounds(key.k[0], key.k[1], c);
	for (int i = 0; i < 4; i++)
		out[i] = c[i];
}

/* the finalizer of SplitMix64: a bijection that leaves 0 alone */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
	x = (x ^ x >> 27) * 0x94D049BB133111EBu;
	return x ^ x >> 31;
}

/* The low halves of step and op fill the counter, so streams of one seed never meet while both
 * are below 2^32; what is above goes into the key. */
nc_random nc_random_stream(uint64_t seed, uint64_t step, uint64_t op)
{
	uint64_t key = seed ^ mix((step >> 32) << 32 | op >> 32);
	return (nc_random){{{(uint32_t)key, (uint32_t)(key >> 32)}},
			   {(uint32_t)step, (uint32_t)op}};
}

static inline void block(nc_random r, uint64_t i, uint32_t retry, uint32_t out[4])
{
	out[0] = (uint32_t)i;
	out[1] = (uint32_t)(i >> 32) | retry << 16;
	out[2] = r.step[0];
	out[3] = r.step[1];
	rounds(r.key.k[0], r.key.k[1], out);
}

/* -- words --------------------------------------------------------------------------------------*/
/* LANES blocks side by side; `word` has the words of a stream in their order. */
enum { LANES = 16, BATCH = 4 * LANES };

#if defined __SSE2__

/* Two blocks in the halves of a vector.  The multiplication reads only the low 32 bits of a half,
 * so what the other operations leave above them does not matter until the end. */
static inline void two_blocks(nc_random r, const __m128i key[20], uint64_t i, uint32_t word[8])
{
	const __m128i m0 = _mm_set1_epi64x(M0), m1 = _mm_set1_epi64x(M1);
	__m128i c0 = _mm_set_epi64x((int64_t)i + 1, (int64_t)i), c1 = _mm_srli_epi64(c0, 32);
	__m128i c2 = _mm_set1_epi64x(r.step[0]), c3 = _mm_set1_epi64x(r.step[1]);
	for (int round = 0; round < 10; round++) {
		__m128i p0 = _mm_mul_epu32(c0, m0), p1 = _mm_mul_epu32(c2, m1);
		c0 = _mm_xor_si128(_mm_srli_epi64(p1, 32), _mm_xor_si128(c1, key[2 * round]));
		c2 = _mm_xor_si128(_mm_srli_epi64(p0, 32), _mm_xor_si128(c3, key[2 * round + 1]));
		c1 = p1;
		c3 = p0;
	}
	const __m128i low = _mm_set1_epi64x(0xffffffff);
	__m128i a = _mm_or_si128(_mm_and_si128(c0, low), _mm_slli_epi64(c1, 32));
	__m128i b = _mm_or_si128(_mm_and_si128(c2, low), _mm_slli_epi64(c3, 32));
	_mm_storeu_si128((__m128i *)(void *)word, _mm_unpacklo_epi64(a, b));
	_mm_storeu_si128((__m128i *)(void *)(word + 4), _mm_unpackhi_epi64(a, b));
}

static inline void batch(nc_random r, uint64_t first, uint32_t word[BATCH])
{
	__m128i key[20];
	for (uint32_t round = 0; round < 10; round++) {
		key[2 * round] = _mm_set1_epi64x(r.key.k[0] + round * W0);
		key[2 * round + 1] = _mm_set1_epi64x(r.key.k[1] + round * W1);
	}
	for (int j = 0; j < LANES; j += 2)
		two_blocks(r, key, first + (uint64_t)j, word + 4 * j);
}

#else

static inline void batch(nc_random r, uint64_t first, uint32_t word[BATCH])
{
	for (int j = 0; j < LANES; j++)
		block(r, first + (uint64_t)j, 0, word + 4 * j);
}

#endif

/* 24 bits: every value is a multiple of 2^-24, and the largest is below 1 */
static inline float unit(uint32_t word)
{
	return (float)(int32_t)(word >> 8) * 0x1p-24f;
}

/* Applies `F(word)` to the words [begin, end) of a stream. */
#define FILL(F)                                                                                    \
	for (int64_t i = begin; i < end;) {                                                        \
		uint32_t word[BATCH];                                                              \
		int64_t skip = i & 3, n = nc_min(BATCH - skip, end - i);                           \
		batch(r, (uint64_t)i >> 2, word);                                                  \
		float *y = out + (i - begin);                                                      \
		if (n == BATCH)                                                                    \
			for (int j = 0; j < BATCH; j++)                                            \
				y[j] = F(word[j]);                                                 \
		else                                                                               \
			for (int64_t j = 0; j < n; j++)                                            \
				y[j] = F(word[skip + j]);                                          \
		i += n;                                                                            \
	}

void nc_random_uniform(nc_random r, int64_t begin, int64_t end, float *out)
{
	FILL(unit)
}

void nc_random_bernoulli(nc_random r, float p, int64_t begin, int64_t end, float *out)
{
#define LESS(word) (unit(word) < p ? 1.0f : 0.0f)
	FILL(LESS)
}

/* -- normal -------------------------------------------------------------------------------------*/
/* Box and Muller: two words give two independent normal numbers.  The words are taken at the
 * middle of their cells, so that the logarithm never sees 0. */
static void box_muller(uint32_t a, uint32_t b, double z[2])
{
	double radius = sqrt(-2 * log(((double)a + 0.5) * 0x1p-32));
	double angle = 2 * 3.14159265358979323846 * (((double)b + 0.5) * 0x1p-32);
	z[0] = radius * cos(angle);
	z[1] = radius * sin(angle);
}

static void normal_block(nc_random r, uint64_t i, uint32_t retry, double z[4])
{
	uint32_t word[4];
	block(r, i, retry, word);
	box_muller(word[0], word[1], z);
	box_muller(word[2], word[3], z + 2);
}

void nc_random_normal(nc_random r, int64_t begin, int64_t end, float *out)
{
	for (int64_t i = begin; i < end;) {
		double z[4];
		normal_block(r, (uint64_t)i >> 2, 0, z);
		do
			out[i - begin] = (float)z[i & 3];
		while (++i < end && (i & 3));
	}
}

/* Redraws what lies outside two standard deviations (1 in 22), each element by itself.  After 999
 * retries, which never happens (10^-1300), gives 0. */
void nc_random_truncated_normal(nc_random r, int64_t begin, int64_t end, float *out)
{
	for (int64_t i = begin; i < end;) {
		double z[4];
		normal_block(r, (uint64_t)i >> 2, 0, z);
		do {
			double x = z[i & 3];
			for (uint32_t retry = 1; !(fabs(x) <= 2); retry++) {
				double again[4] = {0};
				if (retry < 1000)
					normal_block(r, (uint64_t)i >> 2, retry, again);
				x = again[i & 3];
			}
			out[i - begin] = (float)x;
		} while (++i < end && (i & 3));
	}
}

/* -- permutation --------------------------------------------------------------------------------*/
/* The words of a stream one by one. */
typedef struct words {
	nc_random stream;
	uint64_t next;
	uint32_t word[BATCH];
} words;

static uint32_t next_word(words *w)
{
	unsigned at = (unsigned)(w->next % BATCH);
	if (!at)
		batch(w->stream, w->next / 4, w->word);
	w->next++;
	return w->word[at];
}

/* An unbiased number below n >= 1 (Lemire: "Fast random integer generation in an interval",
 * 2019), from 32 bits where they are enough, else 64. */
static uint64_t below(words *w, uint64_t n)
{
	if (n <= UINT32_MAX) {
		uint32_t bound = (uint32_t)n;
		uint64_t product = (uint64_t)next_word(w) * bound;
		if ((uint32_t)product < bound)
			for (uint32_t floor = -bound % bound; (uint32_t)product < floor;)
				product = (uint64_t)next_word(w) * bound;
		return product >> 32;
	}
	for (;;) {
		uint64_t high = next_word(w), x = high << 32 | next_word(w);
		if (x >= -n % n) /* the rest is a whole number of intervals */
			return x % n;
	}
}

/* Fisher and Yates */
void nc_random_permutation(nc_random r, int64_t n, int64_t *out)
{
	words w = {.stream = r};
	for (int64_t i = 0; i < n; i++) {
		int64_t j = (int64_t)below(&w, (uint64_t)i + 1);
		if (j != i)
			out[i] = out[j];
		out[j] = i;
	}
}
