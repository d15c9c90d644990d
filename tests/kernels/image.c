/* SPDX-License-Identifier: MIT
 *
 * image.c - images resampled: against plain loops in double precision, between pages that cannot be
 * touched, with the same bits on any number of threads.
 */
#include "support.h"

static int64_t inside(int64_t i, int64_t n, int fill)
{
	if (i >= 0 && i < n)
		return i;
	switch (fill) {
	case NC_FILL_CONSTANT:
		return -1;
	case NC_FILL_NEAREST:
		return i < 0 ? 0 : n - 1;
	case NC_FILL_WRAP:
		return ((i % n) + n) % n;
	case NC_FILL_REFLECT:
		for (; i < 0 || i >= n; i = i < 0 ? -1 - i : 2 * n - 1 - i)
			;
		return i;
	default:
		for (; n > 1 && (i < 0 || i >= n); i = i < 0 ? -i : 2 * n - 2 - i)
			;
		return n > 1 ? i : 0;
	}
}

/* The places that place (x, y) is made of, and their weights; how many. */
static int taps(const nc_affine *a, const float *t, int64_t h, int64_t w, int64_t x, int64_t y,
		int64_t at[4], double weight[4])
{
	double k = (double)t[6] * (double)x + (double)t[7] * (double)y + 1;
	double sx = ((double)t[0] * (double)x + (double)t[1] * (double)y + (double)t[2]) / k;
	double sy = ((double)t[3] * (double)x + (double)t[4] * (double)y + (double)t[5]) / k;
	int n = a->nearest ? 1 : 4;
	double fx = a->nearest ? round(sx) : floor(sx), fy = a->nearest ? round(sy) : floor(sy);
	for (int i = 0; i < n; i++) {
		int64_t ix = inside((int64_t)fx + i % 2, w, a->fill);
		int64_t iy = inside((int64_t)fy + i / 2, h, a->fill);
		at[i] = ix < 0 || iy < 0 ? -1 : iy * w + ix;
		weight[i] = a->nearest ? 1
				       : (i % 2 ? sx - fx : 1 - sx + fx) *
					     (i / 2 ? sy - fy : 1 - sy + fy);
	}
	return n;
}

static void plain(const nc_affine *a, bool adjoint, double *to)
{
	int64_t at[4], across = adjoint ? a->w : a->width, down = adjoint ? a->h : a->height;
	double weight[4];
	int64_t h = adjoint ? a->height : a->h, w = adjoint ? a->width : a->w, c = a->c;
	for (int64_t i = 0; i < a->n * a->height * a->width * c; i++)
		to[i] = 0;
	for (int64_t i = 0; i < a->n * across * down; i++) {
		int64_t image = i / (across * down), x = i % across, y = i / across % down;
		int n = taps(a, a->transform + image * 8, h, w, x, y, at, weight);
		for (int k = 0; k < n; k++)
			for (int64_t j = 0; j < c; j++)
				if (adjoint && at[k] >= 0)
					to[(image * h * w + at[k]) * c + j] +=
					    weight[k] * (double)a->from[i * c + j];
				else if (!adjoint && at[k] < 0)
					to[i * c + j] += weight[k] * (double)a->value;
				else if (!adjoint)
					to[i * c + j] +=
					    weight[k] *
					    (double)a->from[(image * h * w + at[k]) * c + j];
	}
}

/* Multiples of 1/16 that are no half: exact in f32, and no place where nearest turns.  Some scale
 * and shift both axes alone, some of these flip or shift. */
static void draw_maps(float *t, int64_t n, bool projective)
{
	for (int64_t image = 0; image < n; image++, t += 8) {
		for (int64_t k = 0; k < 8; k++)
			t[k] = k == 2 || k == 5 ? (float)(4 * pick(-40, 40) + 1) / 16
			       : k >= 6		? (projective ? (float)pick(0, 3) / 64 : 0)
						: (float)pick(-8, 8) / 4;
		if (projective || pick(0, 2) == 0)
			continue;
		t[1] = t[3] = 0;
		if (pick(0, 1))
			t[0] = pick(0, 2) ? 1 : -1;
		if (pick(0, 1))
			t[4] = pick(0, 2) ? 1 : -1;
	}
}

static void check(const float *y, const double *want, int64_t n, const char *what, const char *isa)
{
	for (int64_t i = 0; i < n; i++)
		if (!(fabs((double)y[i] - want[i]) <= 2e-4 * fmax(1, fabs(want[i])))) {
			test_failed(__FILE__, __LINE__, "%s on %s: element %lld is %g, expected %g",
				    what, isa, (long long)i, (double)y[i], want[i]);
			return;
		}
}

static void run_affine(bool adjoint)
{
	static const int64_t channels[] = {1, 3, 4, 2};
	nc_affine a = {.n = pick(1, 4),
		       .h = pick(1, adjoint || pick(0, 3) ? 20 : 90),
		       .w = pick(1, adjoint || pick(0, 3) ? 20 : 400),
		       .c = channels[pick(0, 3)],
		       .height = pick(1, 15),
		       .width = pick(0, 3) ? pick(1, 30) : pick(100, 140),
		       .nearest = pick(0, 1),
		       .fill = (int)pick(NC_FILL_CONSTANT, NC_FILL_MIRROR),
		       .value = 0.5f};
	int64_t out = a.n * a.height * a.width * a.c;
	float *t = guarded((size_t)a.n * 8 * sizeof *t);
	draw_maps(t, a.n, !a.nearest && pick(0, 1));
	a.transform = t;
	a.from = guarded_floats(a.n * a.h * a.w * a.c);
	float *y = guarded((size_t)out * sizeof *y);
	double *want = guarded((size_t)out * sizeof *want);
	plain(&a, adjoint, want);
	a.to = y;
	FOR_ISAS(k)
	{
		uint64_t first = 0;
		FOR_TEAMS(nt)
		{
			memset(y, 0x5a, (size_t)out * sizeof *y);
			for (int i = 0; i < nt; i++)
				(adjoint ? k->affine_adjoint : k->affine)(&a, i, nt);
			check(y, want, out, adjoint ? "affine_adjoint" : "affine", k->isa);
			uint64_t bits = 0;
			for (int64_t i = 0; i < out; i++) {
				uint32_t b;
				memcpy(&b, &y[i], 4);
				bits = bits * 31 + b;
			}
			first = nt == 1 ? bits : first;
			CHECK(bits == first);
		}
	}
	guarded_release();
}

TEST(affine)
{
	for (int round = 0; round < 150; round++)
		run_affine(false);
}

TEST(affine_adjoint)
{
	for (int round = 0; round < 150; round++)
		run_affine(true);
}

/* Rotations of photos: rows that come into the image and leave it, by steps that are no vectors;
 * sizes from those that have no place clear of the border on. */
TEST(rotations)
{
	for (int round = 0; round < 40; round++) {
		nc_affine a = {.n = 1, .h = pick(1, 150), .w = pick(1, 150), .c = 3,
			       .height = pick(1, 40), .width = pick(1, 150),
			       .fill = (int)pick(NC_FILL_CONSTANT, NC_FILL_MIRROR), .value = 0.5f};
		const int64_t out = a.height * a.width * a.c;
		float *t = guarded(8 * sizeof *t), *y = guarded((size_t)out * sizeof *y);
		double *want = guarded((size_t)out * sizeof *want);
		memset(t, 0, 8 * sizeof *t);
		t[0] = t[4] = 7.0f / 8; /* multiples of 1/16: exact in f32 */
		t[3] = (float)pick(1, 9) / 16;
		t[1] = -t[3];
		t[2] = (float)pick(-400, 1600) / 16;
		t[5] = (float)pick(-400, 1600) / 16;
		a.transform = t;
		a.from = guarded_floats(a.h * a.w * a.c);
		a.to = y;
		plain(&a, false, want);
		FOR_ISAS(k)
		{
			memset(y, 0x5a, (size_t)out * sizeof *y);
			k->affine(&a, 0, 1);
			check(y, want, out, "affine", k->isa);
		}
		guarded_release();
	}
}

/* Places far outside, NaN and infinity read something inside, or the value. */
TEST(wild_maps)
{
	static const float wild[] = {1e30f, -1e30f, 0, 1, -1};
	for (int round = 0; round < 100; round++) {
		nc_affine a = {.n = 1, .h = 3, .w = 5, .c = 3, .height = 4, .width = 70,
			       .nearest = pick(0, 1),
			       .fill = (int)pick(NC_FILL_CONSTANT, NC_FILL_MIRROR)};
		float *t = guarded(8 * sizeof *t), *y = guarded(4 * 70 * 3 * sizeof *y);
		for (int i = 0; i < 8; i++) {
			int64_t k = pick(0, 6);
			t[i] = k == 5 ? (float)NAN : k == 6 ? (float)INFINITY : wild[k];
		}
		a.transform = t;
		a.from = guarded_floats(3 * 5 * 3);
		a.to = y;
		FOR_ISAS(k)
		{
			k->affine(&a, 0, 1);
			for (int i = 0; i < 4 * 70 * 3; i++)
				CHECK(!(fabsf(y[i]) > 1e9f)); /* NaN may come out of NaN */
		}
		guarded_release();
	}
}

TEST(resample)
{
	for (int round = 0; round < 200; round++) {
		nc_resample r = {.outer = pick(1, 6), .in = pick(1, 30), .out = pick(1, 30),
				 .inner = pick(0, 1) ? pick(1, 5) : pick(6, 70),
				 .width = pick(1, 6)};
		int64_t out = r.outer * r.out * r.inner;
		int64_t *first = guarded((size_t)r.out * sizeof *first);
		int32_t *count = guarded((size_t)r.out * sizeof *count);
		for (int64_t i = 0; i < r.out; i++) {
			count[i] = (int32_t)pick(1, r.width < r.in ? r.width : r.in);
			first[i] = pick(0, r.in - count[i]);
		}
		r.first = first;
		r.count = count;
		r.weight = guarded_floats(r.out * r.width);
		r.x = guarded_floats(r.outer * r.in * r.inner);
		float *y = guarded((size_t)out * sizeof *y);
		double *want = guarded((size_t)out * sizeof *want);
		for (int64_t u = 0; u < out; u++) {
			int64_t k = u % r.inner, i = u / r.inner % r.out, o = u / r.inner / r.out;
			want[u] = 0;
			for (int32_t t = 0; t < count[i]; t++)
				want[u] += (double)r.weight[i * r.width + t] *
					   (double)r.x[(o * r.in + first[i] + t) * r.inner + k];
		}
		r.y = y;
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				memset(y, 0x5a, (size_t)out * sizeof *y);
				for (int i = 0; i < nt; i++)
					k->resample(&r, i, nt);
				check(y, want, out, "resample", k->isa);
			}
		}
		guarded_release();
	}
}
