/* SPDX-License-Identifier: MIT
 *
 * countdown.h - an allocator that fails at the n-th call, once or from then on, and counts blocks.
 */
#ifndef NACRE_TEST_COUNTDOWN_H
#define NACRE_TEST_COUNTDOWN_H

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct countdown {
	long left; /* allocations that succeed before the first that fails; -1: all do */
	bool for_ever;
	bool failed;
	long blocks;
} countdown;

static countdown state;

static void *reallocate(void *context, void *p, size_t old, size_t size)
{
	(void)context;
	if (size == 0) {
		state.blocks -= p != NULL;
		free(p);
		return NULL;
	}
	if (state.left == 0) {
		state.failed = true;
		if (!state.for_ever)
			state.left = -1;
		return NULL;
	}
	if (state.left > 0)
		state.left--;
	void *q = NULL;
	if (posix_memalign(&q, 64, size))
		return NULL;
	if (p) {
		memcpy(q, p, old < size ? old : size);
		free(p);
	} else
		state.blocks++;
	return q;
}

#endif
