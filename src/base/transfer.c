/* SPDX-License-Identifier: MIT
 *
 * transfer.c - copies and checksums at the speed of the memory.
 *
 * Threads take piece after piece: on a machine that does other things, equal parts would wait for
 * the slowest thread.  The copy of a large piece passes by the caches (libc decides that by its
 * size), which saves fetching the lines that are overwritten; pieces of 256 KiB took half as long
 * again.  The checksum comes right after, while the piece is near.
 */
#include "base/transfer.h"

#include <string.h>

#include "base/crc.h"

enum {
	ALONE = 1 << 20,    /* bytes that are not worth waking others */
	PIECE = 4 << 20,    /* at most, two huge pages, and at least a sixteenth of that */
	AT_ONCE = 32 << 20, /* all threads' pieces together, unless each is the least */
	UNIT = 64 << 10     /* what is less than that is not forgotten */
};

typedef struct transfer {
	uint8_t *to;
	const uint8_t *from;
	size_t n;
	const nc_bytes *file;
	bool summed;
	atomic_size_t at;       /* where the next piece begins */
	_Atomic(uint32_t) crc;
} transfer;

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* A checksum is a sum over the pieces, each moved up by what follows it, in any order. */
static void go_over(void *arg, nc_team team)
{
	transfer *t = arg;
	size_t piece = least(AT_ONCE / (size_t)team.size, PIECE), at;
	piece = piece < PIECE / 16 ? PIECE / 16 : nc_round_up(piece, UNIT);
	while ((at = atomic_fetch_add_explicit(&t->at, piece, memory_order_relaxed)) < t->n) {
		size_t n = least(piece, t->n - at), after = t->n - at - n;
		if (t->to)
			memcpy(t->to + at, t->from + at, n);
		if (t->summed)
			atomic_fetch_xor_explicit(
			    &t->crc, nc_crc32_join(nc_crc32(0, t->from + at, n), 0, after),
			    memory_order_relaxed);
		size_t back = least(UNIT, at), ahead = least(UNIT, after); /* shared with others */
		nc_file_forget(t->file, t->from + at - back, back + n + ahead);
	}
}

void nc_transfer(nc_pool *pool, void *to, const void *from, size_t n, const nc_bytes *file,
		 uint32_t *crc)
{
	transfer t = {.to = to, .from = from, .n = n, .file = file, .summed = crc != NULL};
	if (pool && n > ALONE)
		nc_pool_run(pool, go_over, &t);
	else
		go_over(&t, (nc_team){.size = 1});
	if (crc)
		*crc = nc_crc32_join(*crc, t.crc, n);
}
