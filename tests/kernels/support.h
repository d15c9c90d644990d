/* SPDX-License-Identifier: MIT
 *
 * support.h - what tests of kernels share: the kernel sets that this CPU runs, and memory between
 * pages that cannot be touched, so that a read or write past its end ends the test.
 */
#ifndef KERNELS_SUPPORT_H
#define KERNELS_SUPPORT_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/runtime.h"
#include "kernels/kernels.h"
#include "test.h"

#define FOR_ISAS(k)                                                                                \
	for (int isa_ = 0; nc_cpu_isa(isa_); isa_++)                                               \
		for (const nc_kernels *k = nc_kernels_named(nc_cpu_isa(isa_)); k; k = NULL)

static const int team_sizes[] = {1, 2, 3, 7};
#define FOR_TEAMS(nt) for (int team_ = 0, nt; team_ < 4 && (nt = team_sizes[team_], 1); team_++)

enum { GUARDED_MAX = 128, GUARDED_PAGE = 4096, GUARDED_BYTE = 0xa5 };
typedef struct guarded_block {
	unsigned char *map, *data;
	size_t mapped;
} guarded_block;
static guarded_block guarded_blocks[GUARDED_MAX];
static int guarded_count;

/* bytes that end where a page ends that may not be touched; filled with GUARDED_BYTE, as is what
 * lies before them */
static inline void *guarded(size_t bytes)
{
	size_t size = (bytes + 2 * GUARDED_PAGE - 1) / GUARDED_PAGE * GUARDED_PAGE;
	size_t mapped = size + 2 * GUARDED_PAGE;
	unsigned char *map =
	    mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED || guarded_count == GUARDED_MAX) {
		printf("no memory for the test\n");
		exit(1);
	}
	memset(map, GUARDED_BYTE, mapped);
	mprotect(map, GUARDED_PAGE, PROT_NONE);
	mprotect(map + GUARDED_PAGE + size, GUARDED_PAGE, PROT_NONE);
	guarded_block *b = &guarded_blocks[guarded_count++];
	*b = (guarded_block){map, map + GUARDED_PAGE + size - bytes, mapped};
	return b->data;
}
static inline void guarded_release(void)
{
	for (; guarded_count; guarded_count--) {
		guarded_block *b = &guarded_blocks[guarded_count - 1];
		for (unsigned char *p = b->map + GUARDED_PAGE; p < b->data; p++)
			if (*p != GUARDED_BYTE) {
				test_failed(__FILE__, __LINE__,
					    "a byte before an array was written");
				break;
			}
		munmap(b->map, b->mapped);
	}
}

static inline int64_t pick(int64_t low, int64_t high) /* both included */
{
	return low + (int64_t)(test_random() % (uint64_t)(high - low + 1));
}
static inline bool same_bits(const void *a, const void *b, size_t bytes)
{
	return bytes == 0 || memcmp(a, b, bytes) == 0;
}
static inline bool same_float(float a, float b)
{
	return a == b || (a != a && b != b);
}
static inline float *guarded_floats(int64_t n)
{
	float *p = guarded((size_t)n * sizeof *p);
	for (int64_t i = 0; i < n; i++)
		p[i] = (float)test_uniform(-4, 4);
	return p;
}
/* the unit of the last place of x as an f32 */
static inline double ulp_of(double x)
{
	int exponent;
	frexp(x, &exponent);
	return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}
/* distance in units of the last place of the wanted value; a result below 2^-126 may be flushed */
static inline double ulps(float got, double want)
{
	float w = (float)want;
	if (same_float(got, w))
		return 0;
	if (fabs(want) < 0x1p-126 && fabsf(got) <= 0x1p-126f)
		return 0;
	if (isnan(got) || isnan(w) || isinf(got) || isinf(w))
		return INFINITY;
	return fabs(got - want) / ulp_of(w);
}

#endif
