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

/* x Phi(x), Phi the normal distribution, and its derivative */
static inline double gelu_ref(double x)
{
	return x < -40 ? -0.0 : 0.5 * x * erfc(-0.70710678118654752 * x);
}
static inline double gelu_slope_ref(double x)
{
	if (fabs(x) > 40)
		return x > 0;
	return 0.5 * erfc(-0.70710678118654752 * x) + 0.3989422804014327 * x * exp(-0.5 * x * x);
}

#endif
