/* SPDX-License-Identifier: MIT
 *
 * runtime.h - the inside of nacre_runtime.
 */
#ifndef NC_RUNTIME_H
#define NC_RUNTIME_H

#include "base/base.h"
#include "base/pool.h"

/* What a program made known under a name; read by those who know what stands behind it. */
typedef struct nc_registered {
	struct nc_registered *next;
	char *name;
	const void *what; /* borrowed */
} nc_registered;

struct nacre_runtime {
	nc_memory memory;
	nc_pool *pool;
	nacre_output output;
	const char *isa; /* "v4": names a row of the kernels' table */
	_Atomic(nc_registered *) registered;
};

/* Names of kernel sets that this CPU can run, best first; NULL past the end. */
const char *nc_cpu_isa(int i);

/* runtime, or the default one for NULL; NULL if that cannot be made */
nacre_runtime *nc_runtime(nacre_runtime *runtime);
static inline nc_memory *nc_runtime_memory(nacre_runtime *runtime)
{
	return &runtime->memory;
}
/* Refuses a name that stands for something else already. */
nacre_status nc_register(nacre_runtime *rt, const char *name, const void *what, nacre_error *e);
const void *nc_registered_find(nacre_runtime *rt, const char *name); /* NULL: there is none */
void nc_print(nacre_runtime *runtime, nacre_stream stream, const char *format, ...) NC_PRINTF(3, 4);

#endif
