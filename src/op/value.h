/* SPDX-License-Identifier: MIT
 *
 * value.h - the functions that the double column of elementwise.def needs beside those of libm; for
 * its readers, the reference backend and the folding of constants.
 */
#ifndef NC_OP_VALUE_H
#define NC_OP_VALUE_H

#include <math.h>

/* neither overflows, whatever x */
static inline double sigmoid_ref(double x)
{
	double e = exp(-fabs(x));
	return x >= 0 ? 1 / (1 + e) : e / (1 + e);
}

static inline double softplus_ref(double x)
{
	return (x > 0 ? x : 0) + log1p(exp(-fabs(x))) + (x != x ? x : 0);
}

#endif
