/* SPDX-License-Identifier: MIT
 *
 * runtime.h - the inside of nacre_runtime.
 */
#ifndef NC_RUNTIME_H
#define NC_RUNTIME_H

#include "base/base.h"
#include "base/pool.h"

struct nacre_runtime {
	nc_memory memory;
	nc_pool *pool;
	nacre_output output;
	const char *isa; /* "v4": names a row of the kernels' table */
};

/* Names of kernel sets that this CPU can run, best first; NULL past the end. */
const char *nc_cpu_isa(int i);

/* runtime, or the default one for NULL; NULL if that cannot be made */
nacre_runtime *nc_runtime(nacre_runtime *runtime);
static inline nc_memory *nc_runtime_memory(nacre_runtime *runtime)
{
	return &runtime->memory;
}
void nc_print(nacre_runtime *runtime, nacre_stream stream, const char *format, ...) NC_PRINTF(3, 4);

#endif
