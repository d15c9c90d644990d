/* SPDX-License-Identifier: MIT
 *
 * reduce.c - sums, extremes and their places, and running sums, against plain loops of doubles.
 */
#include "support.h"

static const int64_t lengths[] = {0,  1,  2,  3,  7,   8,   15,   16,   17,  31,
				  33, 63, 64, 65, 100, 257, 1000, 4099, 9000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

typedef struct shape {
	int64_t outer, n, inner;
} shape;

static shape random_shape(void)
{
	shape s = {1, lengths[pick(0, LENGTHS - 1)], 1};
	int64_t room = 20000 / (s.n + 1) + 1;
	if (pick(0, 1))
		s.inner = pick(0, 3) ? pick(1, room < 300 ? room : 300) : pick(0, 2);
	s.outer = pick(0, 9) ? pick(1, 1 + room / (s.inner + 1)) : 0;
	return s;
}
static int64_t elements(shape s)
{
	return s.outer * s.n * s.inner;
}

static double reduce_ref(nc_reduce_kind kind, const float *x, int64_t n, int64_t stride,
			 double *size)
{
	double y = kind == NC_REDUCE_SUM   ? 0
		   : kind == NC_REDUCE_MAX ? -INFINITY
		   : kind == NC_REDUCE_MIN ? INFINITY
					   : 1;
	*size = 0;
	for (int64_t k = 0; k < n; k++) {
		double v = x[k * stride];
		*size += fabs(v);
		if (kind == NC_REDUCE_SUM)
			y += v;
		else if (kind == NC_REDUCE_PRODUCT)
			y *= v;
		else if (v != v || (kind == NC_REDUCE_MAX ? v > y : v < y))
			y = y != y ? y : v;
	}
	return y;
}

static void check_reduce(const nc_kernels *k, const nc_reduce *r, const float *one)
{
	for (int64_t i = 0; i < r->outer * r->inner; i++) {
		const float *x = r->x + i / r->inner * r->n * r->inner + i % r->inner;
		double size, want = reduce_ref(r->kind, x, r->n, r->inner, &size);
		double bar = r->kind == NC_REDUCE_SUM       ? 3e-7 * (size + 1) * fabs(r->scale)
			     : r->kind == NC_REDUCE_PRODUCT ? 1e-7 * (double)(r->n + 1) * fabs(want)
							    : 0;
		if (r->kind == NC_REDUCE_SUM)
			want *= r->scale;
		if (same_float(one[i], (float)want) || fabs(one[i] - want) <= bar)
			continue;
		test_failed(__FILE__, __LINE__, "%s kind %d [%ld][%ld][%ld] at %ld: %.9g, not %.9g",
			    k->isa, r->kind, (long)r->outer, (long)r->n, (long)r->inner, (long)i,
			    one[i], want);
		return;
	}
}

TEST(reductions)
{
	for (int round = 0; round < 300; round++) {
		shape s = random_shape();
		nc_reduce r = {(nc_reduce_kind)pick(0, 3), s.outer, s.n, s.inner, NULL, NULL,
			       pick(0, 1) ? 1.f : 0.125f};
		float *x = guarded_floats(elements(s)), *y = guarded_floats(s.outer * s.inner);
		float *one = guarded_floats(s.outer * s.inner);
		size_t bytes = (size_t)(s.outer * s.inner) * sizeof *y;
		for (int64_t i = 0; i < elements(s); i++) {
			if (r.kind == NC_REDUCE_PRODUCT)
				x[i] = (float)test_uniform(0.9, 1.1);
			if (r.kind != NC_REDUCE_SUM && pick(0, 3000) == 0)
				x[i] = NAN;
		}
		r.x = x;
		_Alignas(64) char scratch[4096];
		FOR_ISAS(k)
		{
			r.y = one;
			k->reduce(&r, 0, 1, scratch);
			check_reduce(k, &r, one);
			r.y = y;
			FOR_TEAMS(nt)
			{
				memset(y, 0x5a, bytes);
				for (int t = 0; t < nt; t++)
					k->reduce(&r, t, nt, scratch);
				CHECK(same_bits(y, one, bytes));
			}
		}
		guarded_release();
	}
}

TEST(long_sums_stay_exact)
{
	enum { N = 1 << 21 };
	float *x = malloc(N * sizeof *x);
	double want = 0;
	for (int i = 0; i < N; i++)
		want += x[i] = (float)test_uniform(0, 1);
	for (int64_t inner = 1; inner <= 8; inner *= 8) {
		float y[8];
		nc_reduce r = {NC_REDUCE_SUM, 1, N / inner, inner, x, y, 1};
		FOR_ISAS(k)
		{
			double got = 0;
			k->reduce(&r, 0, 1, NULL);
			for (int i = 0; i < inner; i++)
				got += y[i];
			CHECK_NEAR(got / want, 1, 1e-5);
		}
	}
	free(x);
}

static int32_t arg_ref(bool smallest, const float *x, int64_t n, int64_t stride)
{
	int64_t at = 0;
	for (int64_t k = 0; k < n; k++) {
		float v = x[k * stride], best = x[at * stride];
		if (best != best)
			break;
		if (v != v || (smallest ? v < best : v > best))
			at = k;
	}
	return (int32_t)at;
}

TEST(places_of_extremes)
{
	for (int round = 0; round < 300; round++) {
		shape s = random_shape();
		nc_arg_reduce r = {pick(0, 1), s.outer, s.n, s.inner, NULL, NULL};
		float *x = guarded_floats(elements(s));
		int64_t results = s.outer * s.inner;
		int32_t *y = guarded((size_t)results * sizeof *y);
		for (int64_t i = 0; i < elements(s); i++) { /* many equal values */
			x[i] = (float)pick(-20, 20);
			if (round % 3 == 0 && pick(0, 50) == 0)
				x[i] = NAN;
		}
		r.x = x;
		r.y = y;
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				int64_t wrong = 0;
				memset(y, 0x5a, (size_t)results * sizeof *y);
				for (int t = 0; t < nt; t++)
					k->arg_reduce(&r, t, nt);
				for (int64_t i = 0; i < results; i++)
					wrong += y[i] != arg_ref(r.smallest,
								 x + i / s.inner * s.n * s.inner +
								     i % s.inner,
								 s.n, s.inner);
				CHECK_EQ(wrong, 0);
			}
		}
		guarded_release();
	}
}

static void cumsum_ref(const nc_cumsum *c, float *y)
{
	for (int64_t o = 0; o < c->outer; o++)
		for (int64_t i = 0; i < c->inner; i++) {
			float sum = 0;
			for (int64_t j = 0; j < c->n; j++) {
				int64_t k = c->reverse ? c->n - 1 - j : j;
				int64_t at = (o * c->n + k) * c->inner + i;
				float before = sum;
				sum += c->x[at];
				y[at] = c->exclusive ? before : sum;
			}
		}
}

TEST(running_sums)
{
	for (int round = 0; round < 300; round++) {
		shape s = random_shape();
		size_t bytes = (size_t)elements(s) * sizeof(float);
		float *x = guarded_floats(elements(s)), *y = guarded_floats(elements(s));
		float *want = guarded_floats(elements(s));
		nc_cumsum c = {pick(0, 1), pick(0, 1), s.outer, s.n, s.inner, x, y};
		cumsum_ref(&c, want);
		bool in_place = pick(0, 1);
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				memcpy(y, x, bytes);
				c.x = in_place ? y : x;
				for (int t = 0; t < nt; t++)
					k->cumsum(&c, t, nt);
				CHECK(same_bits(y, want, bytes));
			}
		}
		guarded_release();
	}
}
