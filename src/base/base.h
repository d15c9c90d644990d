/* SPDX-License-Identifier: MIT
 *
 * base.h - what everything stands on: errors, sizes, memory, text, random numbers, files.
 * Threads are in pool.h, the runtime that ties them together in runtime.h.
 */
#ifndef NC_BASE_H
#define NC_BASE_H

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "nacre/runtime.h"
#include "nacre/status.h"

#define NC_PRINTF(text, args) __attribute__((format(printf, text, args)))
#define NC_ALIGN 64 /* of every block: a cache line, a vector register */

/* -- errors ------------------------------------------------------------------------------------*/
/* Keeps the first error: does nothing if *e has one already or e is NULL.  Returns `status`. */
nacre_status nc_fail(nacre_error *e, nacre_status status, const char *format, ...) NC_PRINTF(3, 4);
nacre_status nc_failv(nacre_error *e, nacre_status status, const char *format, va_list args);
nacre_status nc_no_memory(nacre_error *e, size_t bytes); /* "out of memory (N bytes asked for)" */

/* -- sizes: every product or sum of sizes that comes from outside goes through these ------------*/
static inline bool nc_mul(size_t a, size_t b, size_t *out) /* false: overflow */
{
	return !__builtin_mul_overflow(a, b, out);
}
static inline bool nc_add(size_t a, size_t b, size_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}
static inline bool nc_mul_i64(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}
/* product of a shape; false on overflow of int64 or a negative size */
bool nc_shape_size(int rank, const int64_t *shape, int64_t *out);
static inline size_t nc_round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}
static inline int64_t nc_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}
static inline int64_t nc_max(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* -- memory ------------------------------------------------------------------------------------*/
typedef struct nc_memory {
	nacre_allocator allocator;
	atomic_size_t bytes, peak;
	_Atomic int64_t blocks, calls;
} nc_memory;

void nc_memory_init(nc_memory *m, const nacre_allocator *allocator); /* NULL or zero: libc's */
/* The size is given back when a block is released: blocks carry no header.  n = 0 gives a unique
 * block of no use.  NULL when there is no memory.  zero: large ones of the default hook are so by
 * themselves, and cost nothing before they are used. */
void *nc_alloc(nc_memory *m, size_t n);
void *nc_zero_alloc(nc_memory *m, size_t n);
void *nc_realloc(nc_memory *m, void *p, size_t old, size_t n);
void nc_free(nc_memory *m, void *p, size_t n); /* p may be NULL */
/* For libraries that free without a size: it is kept in front of the block.  Zeroed. */
void *nc_sized_alloc(nc_memory *m, size_t n);
void nc_sized_free(nc_memory *m, void *p);

/* Many small things with one lifetime. */
typedef struct nc_arena {
	nc_memory *memory;
	struct nc_arena_block *block;
} nc_arena;
void nc_arena_init(nc_arena *a, nc_memory *m);
void *nc_arena_alloc(nc_arena *a, size_t n); /* zeroed, 16-byte aligned; NULL: no memory */
void *nc_arena_copy(nc_arena *a, const void *p, size_t n);
char *nc_arena_string(nc_arena *a, const char *s); /* NULL for NULL */
void nc_arena_free(nc_arena *a);

/* -- text --------------------------------------------------------------------------------------*/
/* Grows; sticky: after a failed allocation it stays as it is and `failed` is set. */
typedef struct nc_text {
	nc_memory *memory;
	char *data; /* terminated when not NULL */
	size_t size, capacity;
	bool failed;
} nc_text;
void nc_text_init(nc_text *t, nc_memory *m);
void nc_text_add(nc_text *t, const char *format, ...) NC_PRINTF(2, 3);
void nc_text_free(nc_text *t);
/* "[128, 784]" into a buffer of 128 bytes; returns it.  A size of -1 prints as "None". */
const char *nc_shape_text(char *buffer, int rank, const int64_t *shape);

/* -- random numbers: Philox 4x32-10, a function of key and counter ------------------------------*/
typedef struct nc_key {
	uint32_t k[2];
} nc_key;
/* the stream of an op in a step: mixes seed, step and op into key and counter */
typedef struct nc_random {
	nc_key key;
	uint32_t step[2]; /* the upper half of the counter */
} nc_random;
void nc_philox(nc_key key, const uint32_t counter[4], uint32_t out[4]);
nc_random nc_random_stream(uint64_t seed, uint64_t step, uint64_t op);
/* Element i of a stream is drawn from counter i/4 (+ retries for truncated): independent of who
 * computes it.  Fill elements [begin, end) of a stream into out[0 ...]. */
void nc_random_uniform(nc_random r, int64_t begin, int64_t end, float *out); /* [0, 1) */
void nc_random_normal(nc_random r, int64_t begin, int64_t end, float *out);
void nc_random_truncated_normal(nc_random r, int64_t begin, int64_t end, float *out);
void nc_random_bernoulli(nc_random r, float p, int64_t begin, int64_t end, float *out);
void nc_random_permutation(nc_random r, int64_t n, int64_t *out); /* of 0 .. n-1 */

/* -- files -------------------------------------------------------------------------------------*/
typedef struct nc_bytes { /* read-only bytes, read or mapped */
	const uint8_t *data;
	size_t size;
	bool mapped;
} nc_bytes;
/* `limit`: refuse larger files (0: none).  The texts of the errors name the path. */
nacre_status nc_file_read(nc_memory *m, const char *path, size_t limit, nc_bytes *out,
			  nacre_error *e);
nacre_status nc_file_map(const char *path, nc_bytes *out, nacre_error *e);
/* The first `most` bytes of a file, or all that it has; *size: how many those are. */
nacre_status nc_file_head(nc_memory *m, const char *path, size_t most, nc_bytes *out, size_t *size,
			  nacre_error *e);
void nc_bytes_free(nc_memory *m, nc_bytes *b);
/* Of a mapped file, n bytes inside it are not needed in memory any more; they are read again if
 * they are.  Does nothing for other bytes. */
void nc_file_forget(const nc_bytes *b, const void *from, size_t n);
bool nc_file_exists(const char *path);

/* Replaces a file as a whole: writes path.tmp.PID beside it, fsync, rename, fsync of the folder.
 * When anything fails, the old file stands untouched, but for one case: if the disk fails at the
 * very last step, the fsync of the folder, the new file is in place and finish says so.  Abandon
 * removes the new one; after a finish it does nothing. */
typedef struct nc_writer {
	int fd;
	char path[1000], temporary[1040];
	nacre_error *error; /* sticky: later writes do nothing */
	bool failed;
} nc_writer;
nacre_status nc_writer_open(nc_writer *w, const char *path, nacre_error *e);
nacre_status nc_writer_write(nc_writer *w, const void *data, size_t n);
nacre_status nc_writer_finish(nc_writer *w); /* also abandons when something failed */
void nc_writer_abandon(nc_writer *w);

/* The system calls behind all of these; tests put failing ones in their place. */
typedef struct nc_file_table {
	int (*open)(const char *path, int flags, unsigned mode);
	ssize_t (*read)(int fd, void *data, size_t n);
	ssize_t (*write)(int fd, const void *data, size_t n);
	int (*fsync)(int fd);
	int (*rename)(const char *from, const char *to);
	int (*close)(int fd);
	void *(*map)(void *at, size_t n, int protection, int flags, int fd, off_t offset);
} nc_file_table;
extern nc_file_table nc_file_calls;

/* seconds from an arbitrary start, monotonic */
double nc_now(void);

#endif
