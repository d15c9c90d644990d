/* SPDX-License-Identifier: MIT
 *
 * resize.h - the weights by which an axis of `in` places is resampled to `out`.
 *
 * Place i of the result lies at s = (i + 1/2) in / out - 1/2; place k weighs kernel((k - s) / r),
 * divided by the sum of all weights within 0 .. in-1.  r is 1, or with antialias max(1, in / out):
 * the kernel is stretched, so that nothing between the places of the result is skipped.
 */
#ifndef NC_OP_RESIZE_H
#define NC_OP_RESIZE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct nc_resampling {
	int64_t in, out;
	int method; /* nacre_interpolation */
	bool antialias;
} nc_resampling;

/* Which places weigh anything for place i: *from .. *to - 1, at least one; and their sum. */
void nc_resampling_span(const nc_resampling *r, int64_t i, int64_t *from, int64_t *to, double *sum);
/* Of place k, before the division by the sum. */
double nc_resampling_weight(const nc_resampling *r, int64_t i, int64_t k);

#endif
