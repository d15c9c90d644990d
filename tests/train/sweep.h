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

/* for_ever: as countdown's; it must allocate more than `least` times */
static void every_allocation(nacre_status (*live)(nacre_runtime *), bool for_ever, long least)
{
	/* layers come from the default runtime: it counts too */
	nc_memory *shared = nc_runtime_memory(nc_runtime(NULL));
	nacre_allocator before = shared->allocator, counting = {reallocate, NULL};
	nacre_runtime_options o = {.threads = 1, .allocator = counting, .output.silent = 1};
	state = (countdown){.left = -1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	shared->allocator = counting;
	long held = state.blocks, n = 0;
	do {
		state.left = n++;
		state.for_ever = for_ever;
		state.failed = false;
		nacre_status status = live(rt);
		state.left = -1;
		if (!state.failed)
			CHECK_EQ(status, NACRE_OK);
		if (state.failed && status && status != NACRE_NO_MEMORY)
			test_failed(__FILE__, __LINE__, "allocation %ld: status %d", n - 1, status);
		if (state.blocks != held)
			test_failed(__FILE__, __LINE__, "allocation %ld: %ld blocks more", n - 1,
				    state.blocks - held);
		held = state.blocks;
	} while (state.failed);
	CHECK(n > least);
	shared->allocator = before;
	nacre_runtime_free(rt);
}

#endif
