/* SPDX-License-Identifier: MIT
 *
 * memory.c - every byte goes through one hook, counted here; and the arena on top of it.
 *
 * The default hook gives blocks of 2 MiB and more whole huge pages: with 4 KiB pages the weights
 * and the workspace of a model need more address translations than the CPU caches.  Blocks of
 * 32 MiB and more come from the system, as libc would take them, but known to be zero: what
 * is filled from a file need not be cleared first.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"

#define HUGE_PAGE ((size_t)2 << 20)
#define FROM_SYSTEM ((size_t)32 << 20)
#define PAGE 65536 /* a multiple of the system's, whatever that is */

/* At a multiple of HUGE_PAGE: what is mapped before and behind it is given back. */
static void *map_zeros(size_t n)
{
	size_t size = nc_round_up(n, PAGE);
	uint8_t *p = mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	size_t before = nc_round_up((uintptr_t)p, HUGE_PAGE) - (uintptr_t)p;
	if (before)
		munmap(p, before);
	if (before < HUGE_PAGE)
		munmap(p + before + size, HUGE_PAGE - before);
	return p + before;
}

static void *default_alloc(size_t n)
{
	void *p = NULL;
	if (n >= FROM_SYSTEM)
		p = map_zeros(n);
	else if (posix_memalign(&p, n < HUGE_PAGE ? NC_ALIGN : HUGE_PAGE, n))
		p = NULL;
	if (p && n >= HUGE_PAGE) /* a wish: its failure is harmless */
		madvise(p, n / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	return p;
}

static void default_free(void *p, size_t n)
{
	if (p && n >= FROM_SYSTEM)
		munmap(p, nc_round_up(n, PAGE));
	else
		free(p);
}

static void *default_reallocate(void *context, void *block, size_t old_size, size_t new_size)
{
	(void)context;
	if (!new_size) {
		default_free(block, old_size);
		return NULL;
	}
	void *p = default_alloc(new_size);
	if (p && block) {
		memcpy(p, block, old_size < new_size ? old_size : new_size);
		default_free(block, old_size);
	}
	return p;
}

void nc_memory_init(nc_memory *m, const nacre_allocator *allocator)
{
	memset(m, 0, sizeof *m);
	if (allocator && allocator->reallocate)
		m->allocator = *allocator;
	else
		m->allocator.reallocate = default_reallocate;
}

static void count_bytes(nc_memory *m, size_t grown)
{
	size_t now = atomic_fetch_add_explicit(&m->bytes, grown, memory_order_relaxed) + grown;
	size_t peak = atomic_load_explicit(&m->peak, memory_order_relaxed);
	while (now > peak && !atomic_compare_exchange_weak_explicit(
				 &m->peak, &peak, now, memory_order_relaxed, memory_order_relaxed))
		;
}

static void *call(nc_memory *m, void *block, size_t old, size_t n)
{
	atomic_fetch_add_explicit(&m->calls, 1, memory_order_relaxed);
	return m->allocator.reallocate(m->allocator.context, block, old, n);
}

/* What the hook is asked for: it takes a size of 0 for a release. */
static size_t asked(size_t n)
{
	return n ? n : 1;
}

void *nc_alloc(nc_memory *m, size_t n)
{
	if (n > PTRDIFF_MAX)
		return NULL;
	void *p = call(m, NULL, 0, asked(n));
	if (!p)
		return NULL;
	atomic_fetch_add_explicit(&m->blocks, 1, memory_order_relaxed);
	count_bytes(m, asked(n));
	return p;
}

void *nc_zero_alloc(nc_memory *m, size_t n)
{
	void *p = nc_alloc(m, n);
	bool zero = n >= FROM_SYSTEM && m->allocator.reallocate == default_reallocate;
	if (p && !zero)
		memset(p, 0, n);
	return p;
}

void *nc_realloc(nc_memory *m, void *p, size_t old, size_t n)
{
	if (!p)
		return nc_alloc(m, n);
	if (n > PTRDIFF_MAX)
		return NULL;
	void *q = call(m, p, asked(old), asked(n));
	if (!q)
		return NULL;
	atomic_fetch_sub_explicit(&m->bytes, asked(old), memory_order_relaxed);
	count_bytes(m, asked(n));
	return q;
}

void nc_free(nc_memory *m, void *p, size_t n)
{
	if (!p)
		return;
	call(m, p, asked(n), 0);
	atomic_fetch_sub_explicit(&m->blocks, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&m->bytes, asked(n), memory_order_relaxed);
}

void *nc_sized_alloc(nc_memory *m, size_t n)
{
	uint8_t *p = nc_add(n, NC_ALIGN, &n) ? nc_zero_alloc(m, n) : NULL;
	if (!p)
		return NULL;
	memcpy(p, &n, sizeof n);
	return p + NC_ALIGN;
}

void nc_sized_free(nc_memory *m, void *p)
{
	size_t n;
	if (!p)
		return;
	uint8_t *block = (uint8_t *)p - NC_ALIGN;
	memcpy(&n, block, sizeof n);
	nc_free(m, block, n);
}

/* -- arena --------------------------------------------------------------------------------------*/
/* Blocks grow from 4 KiB to 256 KiB; what is larger gets a block of its own. */
struct nc_arena_block {
	struct nc_arena_block *next;
	size_t size, used; /* bytes of the whole block, this head included */
};
#define ARENA_ALIGN 16
#define ARENA_HEAD nc_round_up(sizeof(struct nc_arena_block), ARENA_ALIGN)
#define ARENA_FIRST ((size_t)4 << 10)
#define ARENA_LARGEST ((size_t)256 << 10)

void nc_arena_init(nc_arena *a, nc_memory *m)
{
	a->memory = m;
	a->block = NULL;
}

static struct nc_arena_block *new_block(nc_arena *a, size_t n)
{
	size_t size = a->block ? 2 * a->block->size : ARENA_FIRST;
	if (size > ARENA_LARGEST)
		size = ARENA_LARGEST;
	if (size < n + ARENA_HEAD)
		size = n + ARENA_HEAD;
	struct nc_arena_block *b = nc_zero_alloc(a->memory, size);
	if (!b)
		return NULL;
	b->size = size;
	b->used = ARENA_HEAD;
	if (a->block && a->block->size - a->block->used > size - n - ARENA_HEAD) {
		b->next = a->block->next; /* the block in use has more room left: go on with it */
		a->block->next = b;
	} else {
		b->next = a->block;
		a->block = b;
	}
	return b;
}

void *nc_arena_alloc(nc_arena *a, size_t n)
{
	if (n > PTRDIFF_MAX / 2)
		return NULL;
	n = nc_round_up(asked(n), ARENA_ALIGN);
	struct nc_arena_block *b = a->block;
	if (!b || b->size - b->used < n)
		b = new_block(a, n);
	if (!b)
		return NULL;
	void *p = (char *)b + b->used;
	b->used += n;
	return p;
}

void *nc_arena_copy(nc_arena *a, const void *p, size_t n)
{
	void *q = nc_arena_alloc(a, n);
	if (q && n)
		memcpy(q, p, n);
	return q;
}

char *nc_arena_string(nc_arena *a, const char *s)
{
	return s ? nc_arena_copy(a, s, strlen(s) + 1) : NULL;
}

void nc_arena_free(nc_arena *a)
{
	for (struct nc_arena_block *b = a->block; b;) {
		struct nc_arena_block *next = b->next;
		nc_free(a->memory, b, b->size);
		b = next;
	}
	a->block = NULL;
}
