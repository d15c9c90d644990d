/* SPDX-License-Identifier: MIT
 *
 * fuzz.h - what the fuzz targets share.  A target checks more than "no crash": what it accepted
 * must survive being written and read again, and nothing may be leaked.
 */
#ifndef NACRE_FUZZ_H
#define NACRE_FUZZ_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/runtime.h"

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Whether the last input was accepted: for the replay of the corpus. */
static bool fuzz_accepted;

static inline nacre_runtime *fuzz_runtime(void)
{
	static nacre_runtime *rt;
	if (!rt)
		rt = nacre_runtime_new(&(nacre_runtime_options){.threads = 1}, NULL);
	FUZZ_CHECK(rt);
	return rt;
}

/* The end of each target. */
static inline int fuzz_done(bool accepted)
{
	static int64_t blocks = -1;
	int64_t now = nacre_runtime_memory(fuzz_runtime()).blocks;
	if (blocks < 0)
		blocks = now;
	FUZZ_CHECK(now == blocks);
	fuzz_accepted = accepted;
	return 0;
}

#endif
