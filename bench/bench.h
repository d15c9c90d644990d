/* SPDX-License-Identifier: MIT
 *
 * bench.h - what the benchmarks share.
 */
#ifndef NACRE_BENCH_H
#define NACRE_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double bench_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The most memory that this process ever had, in MB: VmHWM, which begins anew at exec. */
static inline double bench_peak_memory(void)
{
	char text[128];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	if (!f)
		return 0;
	while (fgets(text, sizeof text, f))
		if (!strncmp(text, "VmHWM:", 6))
			kb = strtod(text + 6, NULL);
	fclose(f);
	return kb / 1024;
}

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
