/* SPDX-License-Identifier: MIT
 *
 * softmax.c - softmax and log-softmax against doubles.
 */
#include "support.h"

static void softmax_ref(bool log_of, const float *x, double *y, int64_t n, int64_t stride)
{
	double top = -INFINITY, sum = 0;
	for (int64_t k = 0; k < n; k++)
		top = x[k * stride] > top || x[k * stride] != x[k * stride] ? x[k * stride] : top;
	for (int64_t k = 0; k < n; k++)
		sum += exp(x[k * stride] - top);
	for (int64_t k = 0; k < n; k++) {
		double d = x[k * stride] - top;
		y[k] = log_of ? d - log(sum) : exp(d) / sum;
	}
}

static void check(const nc_kernels *k, const nc_softmax *s, const float *got)
{
	double *want = malloc((size_t)(s->n + 1) * sizeof *want);
	for (int64_t i = 0; i < s->outer * s->inner; i++) {
		int64_t at = i / s->inner * s->n * s->inner + i % s->inner;
		softmax_ref(s->log, s->x + at, want, s->n, s->inner);
		for (int64_t j = 0; j < s->n; j++) {
			float y = got[at + j * s->inner];
			/* x - top is rounded: an error that grows with the exponent */
			double grown = want[j] > 0 ? fabs(log(want[j])) : 0;
			double bar = s->log ? 5e-7 * (1 + fabs(want[j]))
					    : (1e-6 + 1.2e-7 * grown) * want[j] + 1e-37;
			if (same_float(y, (float)want[j]) || fabs(y - want[j]) <= bar)
				continue;
			test_failed(__FILE__, __LINE__, "%s log %d [%ld][%ld][%ld]: %.9g, not %.9g",
				    k->isa, s->log, (long)s->outer, (long)s->n, (long)s->inner, y,
				    want[j]);
			free(want);
			return;
		}
	}
	free(want);
}

TEST(random_softmax)
{
	static const int64_t lengths[] = {0,  1,  2,  3,  5,   10,  16,   17,
					  32, 40, 64, 65, 100, 127, 1000, 5000};
	for (int round = 0; round < 300; round++) {
		int64_t n = lengths[pick(0, 15)], inner = pick(0, 2) ? 1 : pick(1, 40);
		int64_t outer = pick(0, 9) ? pick(1, 1 + 8000 / (n + 1) / inner) : 0;
		int64_t size = outer * n * inner;
		float *x = guarded_floats(size), *y = guarded_floats(size),
		      *one = guarded_floats(size);
		for (int64_t i = 0; i < size; i++) {
			x[i] *= round % 4 == 0 ? 30 : 1;
			if (round % 5 == 0 && pick(0, 20) == 0)
				x[i] = -INFINITY;
			if (round % 7 == 0 && pick(0, 500) == 0)
				x[i] = NAN;
		}
		nc_softmax s = {round % 2, outer, n, inner, x, one};
		FOR_ISAS(k)
		{
			s.x = x;
			s.y = one;
			k->softmax(&s, 0, 1);
			check(k, &s, one);
			FOR_TEAMS(nt)
			{ /* and in place */
				memcpy(y, x, (size_t)size * sizeof *y);
				s.x = nt == 2 ? x : y;
				s.y = y;
				for (int t = 0; t < nt; t++)
					k->softmax(&s, t, nt);
				CHECK(same_bits(y, one, (size_t)size * sizeof *y));
			}
		}
		guarded_release();
	}
}
