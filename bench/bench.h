/* SPDX-License-Identifier: MIT
 *
 * bench.h - what the benchmarks share.
 */
#ifndef NACRE_BENCH_H
#define NACRE_BENCH_H

#include <stdint.h>
#include <stdlib.h>

static inline int bench_ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Times in rising order: [0] is the best, [n / 2] the median. */
static inline void bench_sort(double *times, int n)
{
	qsort(times, (size_t)n, sizeof *times, bench_ascending);
}

/* numbers from -0.5 to 0.5, the same for the same n */
static inline void bench_fill(float *p, int64_t n)
{
	uint32_t s = 12345u + (uint32_t)n;
	for (int64_t i = 0; i < n; i++) {
		s = s * 1664525u + 1013904223u;
		p[i] = (float)(s >> 8) * 0x1p-24f - 0.5f;
	}
}

#endif
