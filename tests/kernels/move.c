/* SPDX-License-Identifier: MIT
 *
 * move.c - strided copies, fills and batch rows.
 */
#include "support.h"

static int64_t at(const nc_copy *c, int64_t i, const int64_t *stride)
{
	int64_t place = 0;
	for (int d = c->rank - 1; d >= 0; d--) {
		place += i % c->shape[d] * stride[d];
		i /= c->shape[d];
	}
	return place;
}

/* strides of a dense, permuted array with gaps; *first: the place of index 0 */
static int64_t random_strides(const nc_copy *c, int64_t *stride, int64_t *first, bool source)
{
	int order[8];
	int64_t span = 1;
	*first = 0;
	for (int d = 0; d < c->rank; d++)
		order[d] = c->rank - 1 - d;
	for (int d = c->rank - 1; d > 0 && pick(0, 2); d--) {
		int k = (int)pick(0, d), t = order[d];
		order[d] = order[k];
		order[k] = t;
	}
	for (int k = 0; k < c->rank; k++) {
		int d = order[k];
		int64_t size = c->shape[d] + (pick(0, 3) ? 0 : pick(0, 3));
		stride[d] = span;
		if (source && pick(0, 6) == 0) {
			stride[d] = 0;
			continue;
		}
		if (pick(0, 6) == 0 && c->shape[d] > 0) {
			*first += span * (c->shape[d] - 1);
			stride[d] = -span;
		}
		span *= size;
	}
	return span;
}

static void check_copy(const nc_kernels *k, nc_copy *c, int64_t total, char *want, char *dst,
		       int64_t span)
{
	size_t bytes = (size_t)(span * c->size);
	int64_t shift = (char *)c->dst - dst;
	memset(want, 0x5a, bytes);
	for (int64_t i = 0; i < total; i++)
		memcpy(want + shift + at(c, i, c->dst_stride) * c->size,
		       (const char *)c->src + at(c, i, c->src_stride) * c->size, (size_t)c->size);
	FOR_TEAMS(nt)
	{
		memset(dst, 0x5a, bytes);
		for (int t = 0; t < nt; t++)
			k->copy(c, t, nt);
		if (!same_bits(dst, want, bytes))
			test_failed(__FILE__, __LINE__, "%s nt %d: copy of rank %d, size %d",
				    k->isa, nt, c->rank, c->size);
	}
}

TEST(random_copies)
{
	for (int round = 0; round < 500; round++) {
		nc_copy c = {.rank = (int)pick(0, 5), .size = 1 << pick(0, 3)};
		int64_t total = 1, first;
		for (int d = 0; d < c.rank; d++) {
			int64_t most = total > 3000 ? 2 : total > 100 ? 20 : 200;
			c.shape[d] = pick(pick(0, 40) ? 1 : 0, most);
			total *= c.shape[d];
		}
		int64_t span = random_strides(&c, c.src_stride, &first, true);
		char *src = guarded((size_t)(span * c.size));
		for (int64_t i = 0; i < span * c.size; i++)
			src[i] = (char)test_random();
		c.src = src + first * c.size;
		span = random_strides(&c, c.dst_stride, &first, false);
		char *dst = guarded((size_t)(span * c.size));
		char *want = guarded((size_t)(span * c.size));
		c.dst = dst + first * c.size;
		FOR_ISAS(k)
		check_copy(k, &c, total, want, dst, span);
		guarded_release();
	}
}

TEST(transposes)
{
	static const int64_t sizes[] = {1, 3, 4, 5, 16, 17, 64, 100, 129};
	for (int size = 1; size <= 8; size *= 2)
		for (int i = 0; i < 9; i++)
			for (int j = 0; j < 9; j++) {
				int64_t b = 3, m = sizes[i], n = sizes[j], total = b * m * n;
				char *src = guarded((size_t)(total * size));
				char *dst = guarded((size_t)(total * size));
				char *want = guarded((size_t)(total * size));
				for (int64_t q = 0; q < total * size; q++)
					src[q] = (char)test_random();
				nc_copy c = {3,   {b, m, n}, {m * n, 1, m}, {m * n, n, 1}, size,
					     src, dst};
				FOR_ISAS(k)
				check_copy(k, &c, total, want, dst, total);
				guarded_release();
			}
}

TEST(fills)
{
	static const int64_t lengths[] = {0, 1, 3, 16, 100, 4096, 70000};
	for (int size = 1; size <= 8; size *= 2)
		for (int l = 0; l < 7; l++)
			for (int zero = 0; zero < 2; zero++) {
				int64_t n = lengths[l], wrong = 0;
				char *dst = guarded((size_t)(n * size));
				nc_fill f = {size, zero ? 0 : 0x0123456789abcdef, n, dst};
				FOR_ISAS(k)
				{
					FOR_TEAMS(nt)
					{
						memset(dst, 0x5a, (size_t)(n * size));
						for (int t = 0; t < nt; t++)
							k->fill(&f, t, nt);
						for (int64_t i = 0; i < n; i++)
							wrong += memcmp(dst + i * size, &f.value,
									(size_t)size) != 0;
					}
				}
				CHECK_EQ(wrong, 0);
				guarded_release();
			}
}

TEST(batch_rows)
{
	for (int round = 0; round < 100; round++) {
		int64_t n = pick(0, 70), examples = pick(1, 20), batch = pick(0, 20);
		bool bytes = pick(0, 1);
		nc_rows r = {
		    .n = n, .scale = pick(0, 3) ? 1.f / 255 : 1, .offset = pick(0, 1) ? -0.5f : 0};
		int64_t *row = guarded((size_t)batch * sizeof *row);
		float *y = guarded_floats(batch * n);
		for (int64_t i = 0; i < batch; i++)
			row[i] = pick(0, examples - 1);
		r.x_type = bytes ? NC_V_U8 : NC_V_F32;
		uint8_t *u = guarded((size_t)(examples * n));
		float *f = guarded_floats(examples * n);
		for (int64_t i = 0; i < examples * n; i++)
			u[i] = (uint8_t)test_random();
		r.x = bytes ? (void *)u : f;
		r.row = batch <= examples && pick(0, 1) ? NULL : row;
		r.y = y;
		FOR_ISAS(k)
		{
			int64_t half = batch / 2, wrong = 0;
			memset(y, 0x5a, (size_t)(batch * n) * sizeof *y);
			k->rows(&r, 0, half);
			k->rows(&r, half, batch);
			for (int64_t i = 0; i < batch * n; i++) {
				int64_t from = (r.row ? row[i / n] : i / n) * n + i % n;
				double x = bytes ? u[from] : f[from];
				double want = x * (double)r.scale + (double)r.offset;
				wrong += !(fabs(y[i] - want) <= 1e-7 * (fabs(want) + 0.5));
				wrong += r.offset == 0 && y[i] != (float)x * r.scale;
			}
			CHECK_EQ(wrong, 0);
		}
		guarded_release();
	}
}
