/* SPDX-License-Identifier: MIT
 *
 * table.c - the kernel sets in this library, best first.
 */
#include <string.h>

#include "kernels.h"

#if defined __x86_64__ || defined __amd64__
#define ISAS(X) X(v4_bf16) X(v4) X(v3) X(v2)
#else
#define ISAS(X) X(neon)
#endif

#define DECLARE(isa) extern const nc_kernels nc_kernels_##isa;
ISAS(DECLARE)

#define ADDRESS(isa) &nc_kernels_##isa,
static const nc_kernels *const sets[] = {ISAS(ADDRESS) NULL};

const nc_kernels *nc_kernels_at(int i)
{
	int n = (int)(sizeof sets / sizeof *sets);
	return i >= 0 && i < n ? sets[i] : NULL;
}

const nc_kernels *nc_kernels_named(const char *isa)
{
	for (int i = 0; isa && sets[i]; i++)
		if (!strcmp(sets[i]->isa, isa))
			return sets[i];
	return NULL;
}
