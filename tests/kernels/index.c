/* SPDX-License-Identifier: MIT
 *
 * index.c - gather, scatter and one-hot, with indices inside and outside.
 */
#include "support.h"

typedef struct indices {
	int size;
	void *data;
	int64_t count;
} indices;

static indices random_indices(int64_t count, int64_t n)
{
	indices x = {pick(0, 1) ? 4 : 8, NULL, count};
	x.data = guarded((size_t)(count * x.size));
	for (int64_t i = 0; i < count; i++) {
		int64_t v = pick(0, 9) && n ? pick(0, n - 1) : pick(-3, n + 3);
		if (x.size == 4)
			((int32_t *)x.data)[i] = (int32_t)v;
		else
			((int64_t *)x.data)[i] = pick(0, 50) ? v : INT64_MIN + 7 + v;
	}
	return x;
}
static int64_t index_of(const indices *x, int64_t i)
{
	return x->size == 4 ? ((int32_t *)x->data)[i] : ((int64_t *)x->data)[i];
}

TEST(gathers)
{
	for (int round = 0; round < 200; round++) {
		int64_t outer = pick(0, 4), n = pick(0, 50), inner = pick(1, 40),
			count = pick(0, 100);
		int size = 1 << pick(0, 3);
		indices at = random_indices(count, n);
		int64_t row = inner * size;
		char *x = guarded((size_t)(outer * n * row)),
		     *y = guarded((size_t)(outer * count * row));
		char *want = guarded((size_t)(outer * count * row));
		for (int64_t i = 0; i < outer * n * row; i++)
			x[i] = (char)test_random();
		for (int64_t i = 0; i < outer * count; i++) {
			int64_t k = index_of(&at, i % count);
			memset(want + i * row, 0, (size_t)row);
			if (k >= 0 && k < n)
				memcpy(want + i * row, x + (i / count * n + k) * row, (size_t)row);
		}
		nc_gather g = {outer, n, inner, count, size, at.size, x, at.data, y};
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				memset(y, 0x5a, (size_t)(outer * count * row));
				for (int t = 0; t < nt; t++)
					k->gather(&g, t, nt);
				CHECK(same_bits(y, want, (size_t)(outer * count * row)));
			}
		}
		guarded_release();
	}
}

TEST(scatters)
{
	for (int round = 0; round < 200; round++) {
		int64_t outer = pick(1, 4), n = pick(0, 50), inner = pick(1, 130),
			count = pick(0, 100);
		if (pick(0, 2) == 0)
			outer = 1;
		indices at = random_indices(count, n);
		float *updates = guarded_floats(outer * count * inner);
		float *y = guarded_floats(outer * n * inner),
		      *want = guarded_floats(outer * n * inner);
		float *start = guarded_floats(outer * n * inner);
		size_t bytes = (size_t)(outer * n * inner) * sizeof *y;
		memcpy(want, start, bytes);
		for (int64_t i = 0; i < outer * count; i++) {
			int64_t k = index_of(&at, i % count);
			for (int64_t c = 0; k >= 0 && k < n && c < inner; c++)
				want[(i / count * n + k) * inner + c] += updates[i * inner + c];
		}
		nc_scatter s = {outer, n, inner, count, at.size, at.data, updates, y};
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				memcpy(y, start, bytes);
				for (int t = 0; t < nt; t++)
					k->scatter(&s, t, nt);
				CHECK(same_bits(y, want, bytes));
			}
		}
		guarded_release();
	}
}

TEST(one_hots)
{
	for (int round = 0; round < 100; round++) {
		int64_t count = pick(0, 600), depth = pick(0, 20);
		indices at = random_indices(count, depth);
		float *y = guarded_floats(count * depth);
		nc_one_hot h = {count, depth, at.size, at.data, y};
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				int64_t wrong = 0;
				memset(y, 0x5a, (size_t)(count * depth) * sizeof *y);
				for (int t = 0; t < nt; t++)
					k->one_hot(&h, t, nt);
				for (int64_t i = 0; i < count * depth; i++)
					wrong +=
					    y[i] != (float)(index_of(&at, i / depth) == i % depth);
				CHECK_EQ(wrong, 0);
			}
		}
		guarded_release();
	}
}
