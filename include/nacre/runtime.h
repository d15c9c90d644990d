/* SPDX-License-Identifier: MIT
 *
 * nacre/runtime.h - what models share: threads, memory, output.
 *
 * A runtime owns a pool of threads, the allocator through which every byte is taken, the hook
 * through which every line is printed, and the choice of kernels for this CPU.  There are no
 * other globals: two models with two runtimes share nothing.  Wherever a function takes a
 * runtime, NULL means the default one, which is made at first use.
 */
#ifndef NACRE_RUNTIME_H
#define NACRE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_runtime nacre_runtime;

/* One function for all memory, in the shape of realloc.
 *   block == NULL      allocate new_size bytes (old_size is 0)
 *   new_size == 0      release the block; returns NULL
 *   otherwise          resize, keeping min(old_size, new_size) bytes
 * Returns memory aligned to 64 bytes, or NULL when there is none: Nacre then reports
 * NACRE_NO_MEMORY and stays usable.  May be called from several threads at once. */
typedef struct nacre_allocator {
	void *(*reallocate)(void *context, void *block, size_t old_size, size_t new_size);
	void *context;
} nacre_allocator;

typedef enum nacre_stream { NACRE_OUT, NACRE_ERR } nacre_stream;

/* Receives everything that Nacre prints: `size` bytes of UTF-8, not terminated. */
typedef struct nacre_output {
	void (*write)(void *context, nacre_stream stream, const char *text, size_t size);
	void *context;
	int silent;   /* 1: print nothing at all (write may then be NULL) */
	int terminal; /* 1: write goes to a terminal, so progress lines may be redrawn with \r */
} nacre_output;

typedef struct nacre_runtime_options {
	int threads;               /* 0: $NACRE_THREADS, else one per CPU of this process */
	nacre_allocator allocator; /* zero: the C library's */
	nacre_output output;       /* zero: stdout and stderr */
	const char *isa; /* NULL: $NACRE_ISA, else the best; "v2", "v3", "v4", "v4_bf16", "neon" */
} nacre_runtime_options;

typedef struct nacre_memory {
	size_t bytes;  /* held now */
	size_t peak;   /* the most ever held */
	int64_t blocks; /* blocks held now */
	int64_t calls; /* calls of the allocator so far */
} nacre_memory;

/* A runtime of one's own.  On failure returns NULL and, if error is not NULL, says why.
 * `options` may be NULL.  Free it after everything made with it. */
nacre_runtime *nacre_runtime_new(const nacre_runtime_options *options, nacre_error *error);
void nacre_runtime_free(nacre_runtime *runtime);

/* The runtime that NULL stands for; NULL itself only when there is no memory for it, or $NACRE_ISA
 * or $NACRE_THREADS says what cannot be (nacre_runtime_new then tells which).  It may be freed like
 * any other when nothing uses it any more; the next use makes a new one. */
nacre_runtime *nacre_runtime_default(void);

/* Number of threads that compute, the caller included; results do not depend on it.
 * set: 1..256; 0 chooses as nacre_runtime_options does.  Must not be called during a run. */
int nacre_runtime_threads(nacre_runtime *runtime);
nacre_status nacre_runtime_set_threads(nacre_runtime *runtime, int threads);

/* Ends the worker threads now; they start again when they are next needed. */
void nacre_runtime_stop(nacre_runtime *runtime);

nacre_memory nacre_runtime_memory(nacre_runtime *runtime);
void nacre_runtime_set_output(nacre_runtime *runtime, const nacre_output *output);

/* The kernels in use: "v2", "v3", "v4" (x86-64 levels) or "neon". */
const char *nacre_runtime_isa(nacre_runtime *runtime);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
