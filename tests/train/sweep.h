/* SPDX-License-Identifier: MIT
 *
 * sweep.h - a piece of a program's life, run again and again while its n-th allocation fails, for
 * every n: it must end with an error or well, and leave nothing behind.
 */
#ifndef NACRE_TEST_SWEEP_H
#define NACRE_TEST_SWEEP_H

#include "base/runtime.h"
#include "countdown.h"
#include "test.h"

typedef struct sweep {
	nacre_status (*live)(nacre_runtime *);
	bool for_ever; /* as countdown's */
	long least;    /* it must allocate more often */
	/* Before and after round n, from 0, while all allocations are well; NULL: nothing.  What
	 * `before` leaves is not counted. */
	void (*before)(nacre_runtime *, long n);
	void (*after)(nacre_runtime *, long n);
	nacre_status other; /* how it may end too, beside NACRE_NO_MEMORY; 0: no other way */
} sweep;

static inline void sweep_allocations(const sweep *s)
{
	/* layers come from the default runtime: it counts too */
	nc_memory *shared = nc_runtime_memory(nc_runtime(NULL));
	nacre_allocator before = shared->allocator, counting = {reallocate, NULL};
	nacre_runtime_options o = {.threads = 1, .allocator = counting, .output.silent = 1};
	state = (countdown){.left = -1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	shared->allocator = counting;
	bool failed;
	long n = 0;
	do {
		if (s->before)
			s->before(rt, n);
		long held = state.blocks;
		state = (countdown){.left = n, .for_ever = s->for_ever, .blocks = held};
		nacre_status status = s->live(rt);
		failed = state.failed;
		state.left = -1;
		if (!failed)
			CHECK_EQ(status, NACRE_OK);
		if (failed && status && status != NACRE_NO_MEMORY && status != s->other)
			test_failed(__FILE__, __LINE__, "allocation %ld: status %d", n, status);
		if (state.blocks != held)
			test_failed(__FILE__, __LINE__, "allocation %ld: %ld blocks more", n,
				    state.blocks - held);
		if (s->after)
			s->after(rt, n);
		n++;
	} while (failed);
	CHECK(n > s->least);
	shared->allocator = before;
	nacre_runtime_free(rt);
}

static inline void every_allocation(nacre_status (*live)(nacre_runtime *), bool for_ever,
				    long least)
{
	sweep_allocations(&(sweep){.live = live, .for_ever = for_ever, .least = least});
}

#endif
