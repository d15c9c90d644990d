/* SPDX-License-Identifier: MIT
 *
 * vocabulary.c - texts as numbers: FarmHash's Fingerprint64 (Google, farmhashna), and a table of
 * words by open addressing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/runtime.h"
#include "nacre/vocabulary.h"

/* -- Fingerprint64 ----------------------------------------------------------------------------- */
static const uint64_t k0 = 0xc3a5c85c97cb3127u, k1 = 0xb492b66fbe98f273u, k2 = 0x9ae16a3b2f90404fu;

typedef struct two {
	uint64_t a, b;
} two;

static uint64_t fetch(const unsigned char *s, int bytes) /* little-endian */
{
	uint64_t v = 0;
	for (int i = bytes - 1; i >= 0; i--)
		v = v << 8 | s[i];
	return v;
}

static uint64_t f64(const unsigned char *s)
{
	return fetch(s, 8);
}

static uint64_t rotate(uint64_t v, int by)
{
	return v >> by | v << (64 - by);
}

static uint64_t mix(uint64_t v)
{
	return v ^ (v >> 47);
}

static uint64_t hash_two(uint64_t u, uint64_t v, uint64_t mul)
{
	uint64_t a = mix((u ^ v) * mul);
	return mix((v ^ a) * mul) * mul;
}

static uint64_t hash_16(const unsigned char *s, size_t n)
{
	uint64_t mul = k2 + n * 2;
	if (n >= 8) {
		uint64_t a = f64(s) + k2, b = f64(s + n - 8);
		return hash_two(rotate(b, 37) * mul + a, (rotate(a, 25) + b) * mul, mul);
	}
	if (n >= 4)
		return hash_two(n + (fetch(s, 4) << 3), fetch(s + n - 4, 4), mul);
	if (n == 0)
		return k2;
	uint32_t y = s[0] + ((uint32_t)s[n >> 1] << 8), z = (uint32_t)n + ((uint32_t)s[n - 1] << 2);
	return mix(y * k2 ^ z * k0) * k2;
}

static uint64_t hash_32(const unsigned char *s, size_t n)
{
	uint64_t mul = k2 + n * 2, a = f64(s) * k1, b = f64(s + 8);
	uint64_t c = f64(s + n - 8) * mul, d = f64(s + n - 16) * k2;
	return hash_two(rotate(a + b, 43) + rotate(c, 30) + d, a + rotate(b + k2, 18) + c, mul);
}

static uint64_t hash_64(const unsigned char *s, size_t n)
{
	uint64_t mul = k2 + n * 2, a = f64(s) * k2, b = f64(s + 8);
	uint64_t c = f64(s + n - 8) * mul, d = f64(s + n - 16) * k2;
	uint64_t y = rotate(a + b, 43) + rotate(c, 30) + d;
	uint64_t z = hash_two(y, a + rotate(b + k2, 18) + c, mul);
	uint64_t e = f64(s + 16) * mul, f = f64(s + 24);
	uint64_t g = (y + f64(s + n - 32)) * mul, h = (z + f64(s + n - 24)) * mul;
	return hash_two(rotate(e + f, 43) + rotate(g, 30) + h, e + rotate(f + a, 18) + g, mul);
}

static two weak(const unsigned char *s, uint64_t a, uint64_t b)
{
	uint64_t w = f64(s), x = f64(s + 8), y = f64(s + 16), z = f64(s + 24);
	a += w;
	b = rotate(b + a + z, 21);
	uint64_t c = a;
	a += x + y;
	b += rotate(a, 44);
	return (two){a + z, b + c};
}

typedef struct state {
	uint64_t x, y, z;
	two v, w;
} state;

/* One block of 64 bytes; the last one is weighed with `nine` = 9. */
static void block(state *t, const unsigned char *s, uint64_t mul, uint64_t nine)
{
	t->x = rotate(t->x + t->y + t->v.a + f64(s + 8), 37) * mul;
	t->y = rotate(t->y + t->v.b + f64(s + 48), 42) * mul;
	t->x ^= t->w.b * nine;
	t->y += t->v.a * nine + f64(s + 40);
	t->z = rotate(t->z + t->w.a, 33) * mul;
	t->v = weak(s, t->v.b * mul, t->x + t->w.a);
	t->w = weak(s + 32, t->z + t->w.b, t->y + f64(s + 16));
	uint64_t x = t->x;
	t->x = t->z;
	t->z = x;
}

static uint64_t fingerprint(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t n = strlen(text);
	if (n <= 16)
		return hash_16(s, n);
	if (n <= 32)
		return hash_32(s, n);
	if (n <= 64)
		return hash_64(s, n);
	state t = {.x = 81, .y = 81 * k1 + 113};
	t.z = mix(t.y * k2 + 113) * k2;
	t.x = t.x * k2 + f64(s);
	const unsigned char *end = s + (n - 1) / 64 * 64, *last = end + ((n - 1) & 63) - 63;
	for (; s != end; s += 64)
		block(&t, s, k1, 1);
	uint64_t mul = k1 + ((t.z & 0xff) << 1);
	t.w.a += (n - 1) & 63;
	t.v.a += t.w.a;
	t.w.a += t.v.a;
	block(&t, last, mul, 9);
	return hash_two(hash_two(t.v.a, t.w.a, mul) + mix(t.y) * k0 + t.z,
			hash_two(t.v.b, t.w.b, mul) + t.x, mul);
}

int64_t nacre_hashing(const char *text, int64_t bins)
{
	return text && bins > 0 ? (int64_t)(fingerprint(text) % (uint64_t)bins) : -1;
}

/* -- SipHash-2-4 ------------------------------------------------------------------------------- */
static void sip_rounds(uint64_t v[4], int n)
{
	for (int i = 0; i < n; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotate(v[1], 64 - 13) ^ v[0];
		v[3] = rotate(v[3], 64 - 16) ^ v[2];
		v[0] = rotate(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotate(v[1], 64 - 17) ^ v[2];
		v[3] = rotate(v[3], 64 - 21) ^ v[0];
		v[2] = rotate(v[2], 32);
	}
}

static uint64_t siphash(const char *text, uint64_t a, uint64_t b)
{
	const unsigned char *s = (const unsigned char *)text;
	uint64_t v[4] = {a ^ 0x736f6d6570736575u, b ^ 0x646f72616e646f6du, a ^ 0x6c7967656e657261u,
			 b ^ 0x7465646279746573u};
	size_t n = strlen(text);
	for (size_t i = 0; i <= n / 8; i++) { /* the last block: what is left, and the length */
		uint64_t m = i < n / 8 ? f64(s + 8 * i)
				       : fetch(s + 8 * i, (int)(n % 8)) | (uint64_t)n << 56;
		v[3] ^= m;
		sip_rounds(v, 2);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	sip_rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int64_t nacre_hashing_salted(const char *text, int64_t bins, const int64_t salt[2])
{
	if (!text || bins <= 0 || !salt)
		return -1;
	return (int64_t)(siphash(text, (uint64_t)salt[0], (uint64_t)salt[1]) % (uint64_t)bins);
}

/* -- the table --------------------------------------------------------------------------------- */
struct nacre_vocabulary {
	nacre_runtime *runtime;
	nc_arena arena;
	int64_t n, unknown, first; /* words; indices of unknown ones; that of word 0 */
	bool salted;
	int64_t salt[2];
	const char *mask;
	const char **word;
	int64_t *count; /* while it adapts */
	int64_t *slot;  /* [slots]: place + 1; 0: empty */
	uint64_t slots; /* a power of 2, at least twice n */
};

/* Where the word is, or would be. */
static int64_t *find(const nacre_vocabulary *v, const char *word)
{
	uint64_t at = fingerprint(word) & (v->slots - 1);
	while (v->slot[at] && strcmp(v->word[v->slot[at] - 1], word) != 0)
		at = (at + 1) & (v->slots - 1);
	return &v->slot[at];
}

static nacre_vocabulary *make(nacre_runtime *runtime, int64_t n, const char *const *words,
			      const nacre_string_lookup_options *o, nacre_error *e)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (n < 0 || n > INT32_MAX || (n && !words) || o->num_oov_indices < -1 ||
	    o->max_tokens < 0) {
		nc_fail(e, NACRE_INVALID, "string_lookup: expected words and no negative numbers");
		return NULL;
	}
	for (int64_t i = 0; i < n; i++)
		if (!words[i]) {
			nc_fail(e, NACRE_INVALID, "string_lookup: word %lld is NULL", (long long)i);
			return NULL;
		}
	nacre_vocabulary *v = rt ? nc_zero_alloc(&rt->memory, sizeof *v) : NULL;
	if (!v) {
		nc_no_memory(e, sizeof *v);
		return NULL;
	}
	v->runtime = rt;
	nc_arena_init(&v->arena, &rt->memory);
	v->unknown = o->num_oov_indices ? nc_max(o->num_oov_indices, 0) : 1;
	v->salted = o->salted;
	memcpy(v->salt, o->salt, sizeof v->salt);
	v->first = v->unknown + (o->mask_token != NULL);
	v->mask = nc_arena_string(&v->arena, o->mask_token);
	for (v->slots = 2; v->slots < 2 * (uint64_t)n; v->slots *= 2)
		;
	v->slot = nc_arena_alloc(&v->arena, (size_t)v->slots * sizeof *v->slot);
	v->word = nc_arena_alloc(&v->arena, (size_t)n * sizeof *v->word);
	v->count = nc_arena_alloc(&v->arena, (size_t)n * sizeof *v->count);
	if (v->slot && v->word && v->count && (v->mask || !o->mask_token))
		return v;
	nc_no_memory(e, (size_t)v->slots * sizeof *v->slot);
	nacre_vocabulary_free(v);
	return NULL;
}

/* Takes a word in, or counts it; false: no memory. */
static bool take(nacre_vocabulary *v, const char *word, bool *known)
{
	int64_t *slot = find(v, word);
	*known = *slot != 0;
	if (!*slot) {
		if (!(v->word[v->n] = nc_arena_string(&v->arena, word)))
			return false;
		*slot = ++v->n;
	}
	v->count[*slot - 1]++;
	return true;
}

nacre_vocabulary *nacre_string_lookup(nacre_runtime *runtime, int64_t n, const char *const *words,
				      nacre_string_lookup_options o, nacre_error *e)
{
	nacre_vocabulary *v = make(runtime, n, words, &o, e);
	for (int64_t i = 0; v && i < n; i++) {
		bool twice, memory = take(v, words[i], &twice);
		if (memory && !twice)
			continue;
		if (memory)
			nc_fail(e, NACRE_INVALID, "string_lookup: \"%.100s\" is there twice",
				words[i]);
		else
			nc_no_memory(e, strlen(words[i]) + 1);
		nacre_vocabulary_free(v);
		v = NULL;
	}
	return v;
}

typedef struct counted {
	const char *word;
	int64_t count;
} counted;

static int by_count(const void *a, const void *b)
{
	const counted *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(y->word, x->word);
}

nacre_vocabulary *nacre_string_lookup_adapt(nacre_runtime *runtime, int64_t n,
					    const char *const *words, nacre_string_lookup_options o,
					    nacre_error *e)
{
	bool known;
	nacre_vocabulary *v = make(runtime, n, words, &o, e);
	counted *all = v ? nc_arena_alloc(&v->arena, (size_t)n * sizeof *all) : NULL;
	bool memory = all;
	for (int64_t i = 0; memory && i < n; i++)
		if (!v->mask || strcmp(words[i], v->mask) != 0)
			memory = take(v, words[i], &known);
	if (!memory) {
		if (v)
			nc_no_memory(e, 0);
		nacre_vocabulary_free(v);
		return NULL;
	}
	for (int64_t i = 0; i < v->n; i++)
		all[i] = (counted){v->word[i], v->count[i]};
	qsort(all, (size_t)v->n, sizeof *all, by_count);
	if (o.max_tokens && v->n > nc_max(o.max_tokens - v->first, 0))
		v->n = nc_max(o.max_tokens - v->first, 0);
	memset(v->slot, 0, (size_t)v->slots * sizeof *v->slot);
	for (int64_t i = 0; i < v->n; i++) {
		v->word[i] = all[i].word;
		*find(v, v->word[i]) = i + 1;
	}
	return v;
}

void nacre_vocabulary_free(nacre_vocabulary *v)
{
	if (!v)
		return;
	nc_arena_free(&v->arena);
	nc_free(&v->runtime->memory, v, sizeof *v);
}

int64_t nacre_vocabulary_size(const nacre_vocabulary *v)
{
	return v ? v->first + v->n : 0;
}

int64_t nacre_string_index(const nacre_vocabulary *v, const char *word)
{
	if (!v || !word)
		return -1;
	if (v->mask && strcmp(v->mask, word) == 0)
		return 0;
	int64_t place = *find(v, word), bin;
	if (place)
		return v->first + place - 1;
	if (!v->unknown)
		return -1;
	bin = v->salted ? nacre_hashing_salted(word, v->unknown, v->salt)
			: nacre_hashing(word, v->unknown);
	return v->first - v->unknown + bin;
}

const char *nacre_string_word(const nacre_vocabulary *v, int64_t index)
{
	if (!v || index < 0 || index >= v->first + v->n)
		return NULL;
	if (index >= v->first)
		return v->word[index - v->first];
	return index == 0 && v->mask ? v->mask : "[UNK]";
}
