/* SPDX-License-Identifier: MIT
 *
 * Memory: the hook, the counters, the arena, and what happens when there is none.
 */
#include <pthread.h>

#include "base/base.h"
#include "base/runtime.h"
#include "test.h"

/* An allocator that checks what it is told about sizes and fails at the n-th allocation. */
typedef struct checked {
	int64_t calls, fail_at; /* fail_at 0: never; with `always`: from there on */
	bool always;
	size_t bytes;
	int64_t blocks;
	bool wrong;
} checked;

typedef struct head {
	size_t size;
	char pad[NC_ALIGN - sizeof(size_t)];
} head;

static void *checked_reallocate(void *context, void *block, size_t old_size, size_t new_size)
{
	checked *c = context;
	head *h = block ? (head *)block - 1 : NULL;
	if ((h ? h->size : 0) != old_size || (!block && !new_size))
		c->wrong = true;
	if (!new_size) {
		c->bytes -= old_size;
		c->blocks--;
		free(h);
		return NULL;
	}
	c->calls++;
	if (c->fail_at && (c->calls == c->fail_at || (c->always && c->calls > c->fail_at)))
		return NULL;
	head *made = aligned_alloc(NC_ALIGN, nc_round_up(sizeof *made + new_size, NC_ALIGN));
	if (!made)
		return NULL;
	memset(made + 1, 0xa5, new_size);
	made->size = new_size;
	c->bytes += new_size - old_size;
	c->blocks += !block;
	if (block)
		memcpy(made + 1, block, old_size < new_size ? old_size : new_size);
	free(h);
	return made + 1;
}

static void checked_memory(nc_memory *m, checked *c)
{
	nc_memory_init(m, &(nacre_allocator){checked_reallocate, c});
}

TEST(blocks_are_aligned_and_counted)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	static const size_t sizes[] = {0, 1, 63, 64, 4097, 2 << 20, (2 << 20) + 1, 5 << 20};
	enum { N = sizeof sizes / sizeof *sizes };
	void *p[N];
	for (int i = 0; i < N; i++) {
		p[i] = nc_alloc(&m, sizes[i]);
		CHECK(p[i] && (uintptr_t)p[i] % NC_ALIGN == 0);
		if (sizes[i] >= 2 << 20)
			CHECK_EQ((uintptr_t)p[i] % (2 << 20), 0);
		memset(p[i], i, sizes[i]);
		for (int j = 0; j < i; j++)
			CHECK(p[i] != p[j]);
	}
	CHECK_EQ(m.blocks, N);
	size_t full = m.bytes;
	CHECK_EQ(m.peak, full);
	for (int i = 0; i < N; i++)
		nc_free(&m, p[i], sizes[i]);
	nc_free(&m, NULL, 10);
	CHECK_EQ(m.blocks, 0);
	CHECK_EQ(m.bytes, 0);
	CHECK_EQ(m.peak, full);
	CHECK_EQ(m.calls, 2 * N);
}

TEST(sizes_that_cannot_be)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	CHECK(!nc_alloc(&m, SIZE_MAX));
	CHECK(!nc_alloc(&m, (size_t)PTRDIFF_MAX + 1));
	CHECK(!nc_zero_alloc(&m, SIZE_MAX - 63));
	void *p = nc_alloc(&m, 10);
	CHECK(!nc_realloc(&m, p, 10, SIZE_MAX));
	nc_free(&m, p, 10);
	nc_arena a;
	nc_arena_init(&a, &m);
	CHECK(!nc_arena_alloc(&a, SIZE_MAX));
	CHECK(!nc_arena_alloc(&a, SIZE_MAX / 2));
	nc_arena_free(&a);
	CHECK_EQ(m.blocks, 0);
}

TEST(resizing_keeps_the_contents)
{
	checked c = {0};
	for (int hook = 0; hook < 2; hook++) {
		nc_memory m;
		if (hook)
			checked_memory(&m, &c);
		else
			nc_memory_init(&m, NULL);
		uint8_t *p = NULL;
		size_t size = 0;
		for (int i = 0; i < 200; i++) {
			size_t next = test_random() % (i % 20 ? 3000 : 5 << 20);
			uint8_t *q = nc_realloc(&m, p, size, next);
			CHECK(q && (uintptr_t)q % NC_ALIGN == 0);
			for (size_t j = 0; j < size && j < next; j += 97)
				CHECK_EQ(q[j], (uint8_t)(j * 7));
			for (size_t j = 0; j < next; j++)
				q[j] = (uint8_t)(j * 7);
			p = q;
			size = next;
			CHECK_EQ(m.blocks, 1);
		}
		nc_free(&m, p, size);
		CHECK_EQ(m.bytes, 0);
		CHECK_EQ(m.blocks, 0);
	}
	CHECK(!c.wrong);
	CHECK_EQ(c.bytes, 0);
	CHECK_EQ(c.blocks, 0);
}

TEST(a_failed_resize_leaves_the_block)
{
	checked c = {0};
	nc_memory m;
	checked_memory(&m, &c);
	char *p = nc_alloc(&m, 6);
	memcpy(p, "hello", 6);
	c.fail_at = c.calls + 1;
	CHECK(!nc_realloc(&m, p, 6, 100));
	CHECK_STR(p, "hello");
	CHECK_EQ(m.bytes, 6);
	nc_free(&m, p, 6);
	CHECK(!c.wrong && c.blocks == 0);
}

TEST(zeroed_is_zero)
{
	checked c = {0};
	nc_memory m;
	checked_memory(&m, &c);
	uint8_t *p = nc_zero_alloc(&m, 1000);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(p[i], 0);
	nc_free(&m, p, 1000);
}

/* Large blocks come from the system, as zeros; others' hooks promise none. */
TEST(large_blocks)
{
	enum { MB = 1 << 20 };
	static const size_t sizes[] = {2 * MB - 1, 2 * MB,          32 * MB - 1,
				       32 * MB,    32 * MB + 65537, 70 * MB};
	checked c = {0};
	nc_memory plain, hooked;
	nc_memory_init(&plain, NULL);
	checked_memory(&hooked, &c);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = sizes[i];
		for (int turn = 0; turn < 3; turn++) {
			nc_memory *m = turn == 2 ? &hooked : &plain;
			uint8_t *p = nc_zero_alloc(m, n), any = 0;
			CHECK(p && (uintptr_t)p % NC_ALIGN == 0);
			for (size_t k = 0; p && k < n; k++)
				any |= p[k];
			CHECK(!any);
			if (p)
				memset(p, 0xff, n);
			nc_free(m, p, n);
		}
	}
	uint8_t *p = nc_alloc(&plain, MB), *q;
	size_t had = MB;
	for (size_t i = 0; p && i < sizeof sizes / sizeof *sizes; i++, p = q) {
		memset(p, 1 + (int)i, had);
		q = nc_realloc(&plain, p, had, sizes[i]);
		CHECK(q && q[0] == 1 + i && q[had - 1] == 1 + i);
		had = sizes[i];
	}
	q = nc_realloc(&plain, p, had, 100);
	CHECK(q && q[99] == 6);
	nc_free(&plain, q, 100);
	CHECK_EQ(plain.blocks, 0);
	CHECK_EQ(plain.bytes, 0);
}

static void *allocate_and_free(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		void *p = nc_alloc(arg, 100);
		nc_free(arg, p, 100);
	}
	return NULL;
}

TEST(counters_of_several_threads)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	pthread_t t[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, allocate_and_free, &m);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	CHECK_EQ(m.bytes, 0);
	CHECK_EQ(m.blocks, 0);
	CHECK_EQ(m.calls, 8000);
	CHECK(m.peak >= 100 && m.peak <= 400);
}

/* -- arena --------------------------------------------------------------------------------------*/
TEST(arena_gives_zeroed_aligned_places_apart)
{
	checked c = {0};
	nc_memory m;
	checked_memory(&m, &c);
	nc_arena a;
	nc_arena_init(&a, &m);
	enum { N = 2000 };
	static uint8_t *p[N];
	static size_t size[N];
	for (int i = 0; i < N; i++) {
		size[i] = test_random() % (i % 100 ? 300 : 400000);
		p[i] = nc_arena_alloc(&a, size[i]);
		CHECK(p[i] && (uintptr_t)p[i] % 16 == 0);
		for (size_t j = 0; j < size[i]; j++)
			if (p[i][j])
				test_failed(__FILE__, __LINE__, "not zero");
		memset(p[i], i, size[i]);
	}
	for (int i = 0; i < N; i++)
		for (size_t j = 0; j < size[i]; j++)
			if (p[i][j] != (uint8_t)i)
				test_failed(__FILE__, __LINE__, "place %d was overwritten", i);
	CHECK(m.blocks < 200);
	nc_arena_free(&a);
	nc_arena_free(&a);
	CHECK_EQ(m.blocks, 0);
	CHECK_EQ(c.bytes, 0);
	CHECK(!c.wrong);
}

TEST(arena_copies)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_arena a;
	nc_arena_init(&a, &m);
	CHECK_STR(nc_arena_string(&a, "dense_1"), "dense_1");
	CHECK_STR(nc_arena_string(&a, ""), "");
	CHECK(!nc_arena_string(&a, NULL));
	int64_t shape[] = {1, 2, 3}, *copy = nc_arena_copy(&a, shape, sizeof shape);
	CHECK(copy && !memcmp(copy, shape, sizeof shape));
	CHECK(nc_arena_copy(&a, NULL, 0));
	nc_arena_free(&a);
	CHECK_EQ(m.blocks, 0);
}

/* -- a failure at every n -----------------------------------------------------------------------*/
static bool use_memory(nc_memory *m)
{
	nc_arena a;
	nc_arena_init(&a, m);
	bool ok =
	    nc_arena_string(&a, "one") && nc_arena_alloc(&a, 10000) && nc_arena_alloc(&a, 9000);
	nc_arena_free(&a);
	nc_text t;
	nc_text_init(&t, m);
	for (int i = 0; i < 100; i++)
		nc_text_add(&t, "%d and some text, ", i);
	ok = ok && !t.failed;
	if (t.data)
		CHECK_EQ(strlen(t.data), t.size);
	nc_text_free(&t);
	return ok;
}

TEST(every_allocation_may_fail)
{
	for (int always = 0; always < 2; always++) {
		bool done = false;
		int64_t n = 1;
		for (; !done; n++) {
			checked c = {.fail_at = n, .always = always};
			nc_memory m;
			checked_memory(&m, &c);
			bool ok = use_memory(&m);
			done = c.calls < n;
			CHECK_EQ(ok, done);
			CHECK_EQ(m.bytes, 0);
			CHECK_EQ(c.blocks, 0);
			CHECK(!c.wrong);
		}
		CHECK(n > 5);
	}
}

TEST(a_runtime_may_fail_to_be_made)
{
	bool done = false;
	for (int64_t n = 1; !done; n++) {
		checked c = {.fail_at = n};
		nacre_error e = {0};
		nacre_runtime *rt = nacre_runtime_new(
		    &(nacre_runtime_options){.threads = 2, .allocator = {checked_reallocate, &c}},
		    &e);
		done = c.calls < n;
		CHECK_EQ(rt != NULL, done);
		CHECK_EQ(e.status, done ? NACRE_OK : NACRE_NO_MEMORY);
		if (rt) {
			nacre_memory m = nacre_runtime_memory(rt);
			CHECK_EQ(m.bytes, c.bytes);
			CHECK_EQ(m.blocks, c.blocks);
		}
		nacre_runtime_free(rt);
		CHECK_EQ(c.blocks, 0);
		CHECK_EQ(c.bytes, 0);
		CHECK(!c.wrong);
	}
}
