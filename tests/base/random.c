/* SPDX-License-Identifier: MIT
 *
 * Random numbers: the published vectors, independence of who draws what, and distributions.
 */
#include "base/base.h"
#include "test.h"

TEST(philox_known_answers)
{
	/* kat_vectors of Random123 */
	static const struct {
		uint32_t counter[4], key[2], out[4];
	} known[] = {
	    {{0}, {0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
	    {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
	    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
	     {0xa4093822, 0x299f31d0},
	     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uint32_t out[4];
		nc_philox((nc_key){{known[i].key[0], known[i].key[1]}}, known[i].counter, out);
		CHECK(!memcmp(out, known[i].out, sizeof out));
	}
}

TEST(elements_come_from_the_blocks_of_their_counter)
{
	nc_random r = nc_random_stream(42, 7, 3);
	enum { N = 1000 };
	static float out[N];
	int64_t first = ((int64_t)1 << 34) - 500; /* the counter's second word changes on the way */
	nc_random_uniform(r, first, first + N, out);
	for (int64_t i = 0; i < N; i++) {
		uint64_t block = (uint64_t)(first + i) / 4;
		uint32_t word[4];
		nc_philox(
		    r.key,
		    (uint32_t[]){(uint32_t)block, (uint32_t)(block >> 32), r.step[0], r.step[1]},
		    word);
		CHECK_EQ((int64_t)(out[i] * 0x1p24f), word[(first + i) % 4] >> 8);
	}
}

enum { UNIFORM, NORMAL, TRUNCATED, BERNOULLI, KINDS };
static void fill(int kind, nc_random r, int64_t begin, int64_t end, float *out)
{
	if (kind == UNIFORM)
		nc_random_uniform(r, begin, end, out);
	else if (kind == NORMAL)
		nc_random_normal(r, begin, end, out);
	else if (kind == TRUNCATED)
		nc_random_truncated_normal(r, begin, end, out);
	else
		nc_random_bernoulli(r, 0.3f, begin, end, out);
}

TEST(parts_are_equal_to_the_whole)
{
	enum { N = 600 };
	for (int kind = 0; kind < KINDS; kind++) {
		nc_random r = nc_random_stream(test_random(), 1, 2);
		float whole[N], part[N + 1];
		fill(kind, r, 0, N, whole);
		for (int i = 0; i < 300; i++) {
			int64_t begin = (int64_t)(test_random() % N);
			int64_t end = begin + (int64_t)(test_random() % (uint64_t)(N - begin + 1));
			part[end - begin] = -77;
			fill(kind, r, begin, end, part);
			CHECK(!memcmp(part, whole + begin, (size_t)(end - begin) * sizeof *part));
			CHECK(part[end - begin] == -77);
		}
	}
}

TEST(streams_differ)
{
	/* also where only the upper halves of the numbers differ */
	static const uint64_t values[] = {0,          1,          2,          77,
					  1ull << 32, 1ull << 33, 5ull << 40, UINT64_MAX};
	enum { N = sizeof values / sizeof *values, STREAMS = N * N * N };
	static float first[STREAMS][4];
	int n = 0;
	for (int a = 0; a < N; a++)
		for (int b = 0; b < N; b++)
			for (int c = 0; c < N; c++)
				nc_random_uniform(nc_random_stream(values[a], values[b], values[c]),
						  0, 4, first[n++]);
	for (int i = 0; i < STREAMS; i++)
		for (int j = 0; j < i; j++)
			CHECK(memcmp(first[i], first[j], sizeof first[i]));
}

TEST(neighbouring_streams_are_not_correlated)
{
	enum { N = 100000 };
	static float x[N], y[N];
	static const uint64_t other[][3] = {{6, 10, 3}, {5, 11, 3}, {5, 10, 4}};
	nc_random_uniform(nc_random_stream(5, 10, 3), 0, N, x);
	for (int k = 0; k < 3; k++) {
		nc_random_uniform(nc_random_stream(other[k][0], other[k][1], other[k][2]), 0, N, y);
		double sum = 0;
		for (int i = 0; i < N; i++)
			sum += ((double)x[i] - 0.5) * ((double)y[i] - 0.5) * 12;
		CHECK_NEAR(sum / N, 0, 5 / sqrt(N));
	}
}

TEST(uniform_is_uniform)
{
	enum { N = 1 << 20, CELLS = 1024 };
	static float x[N];
	static int count[CELLS];
	nc_random_uniform(nc_random_stream(1, 2, 3), 0, N, x);
	double sum = 0, squares = 0, chi = 0;
	for (int i = 0; i < N; i++) {
		CHECK(x[i] >= 0 && x[i] < 1);
		sum += (double)x[i];
		squares += (double)x[i] * (double)x[i];
		count[(int)(x[i] * CELLS)]++;
	}
	for (int i = 0; i < CELLS; i++)
		chi += pow(count[i] - N / CELLS, 2) / (N / CELLS);
	CHECK_NEAR(sum / N, 0.5, 5 * sqrt(1.0 / 12 / N));
	CHECK_NEAR(squares / N, 1.0 / 3, 5 * sqrt(4.0 / 45 / N));
	CHECK_NEAR(chi, CELLS - 1, 5 * sqrt(2.0 * CELLS));
}

TEST(normal_is_normal)
{
	enum { N = 400000 };
	static float x[N];
	nc_random_normal(nc_random_stream(1, 2, 3), 0, N, x);
	double m1 = 0, m2 = 0, m3 = 0, m4 = 0, lag = 0;
	int beyond_one = 0, beyond_three = 0;
	for (int i = 0; i < N; i++) {
		double z = (double)x[i];
		m1 += z;
		m2 += z * z;
		m3 += z * z * z;
		m4 += z * z * z * z;
		lag += i ? z * (double)x[i - 1] : 0;
		beyond_one += fabs(z) > 1;
		beyond_three += fabs(z) > 3;
	}
	CHECK_NEAR(m1 / N, 0, 5 / sqrt(N));
	CHECK_NEAR(m2 / N, 1, 5 * sqrt(2.0 / N));
	CHECK_NEAR(m3 / N, 0, 5 * sqrt(15.0 / N));
	CHECK_NEAR(m4 / N, 3, 5 * sqrt(96.0 / N));
	CHECK_NEAR(lag / N, 0, 5 / sqrt(N));
	CHECK_NEAR((double)beyond_one / N, 0.3173105, 5 * sqrt(0.22 / N));
	CHECK_NEAR((double)beyond_three / N, 0.0026998, 5 * sqrt(0.0027 / N));
}

TEST(truncated_normal_stays_inside)
{
	enum { N = 400000 };
	static float x[N], y[N];
	nc_random r = nc_random_stream(9, 0, 1);
	nc_random_truncated_normal(r, 0, N, x);
	nc_random_normal(r, 0, N, y);
	double sum = 0, squares = 0;
	int redrawn = 0;
	for (int i = 0; i < N; i++) {
		CHECK(x[i] >= -2 && x[i] <= 2);
		if (fabsf(y[i]) < 2)
			CHECK(x[i] == y[i]);
		else
			redrawn++;
		sum += (double)x[i];
		squares += (double)x[i] * (double)x[i];
	}
	CHECK_NEAR(sum / N, 0, 5 / sqrt(N));
	CHECK_NEAR(squares / N, 0.7737413, 5 * sqrt(1.0 / N)); /* 1 - 4 phi(2) / (2 Phi(2) - 1) */
	CHECK_NEAR((double)redrawn / N, 0.0455, 5 * sqrt(0.0455 / N));
}

TEST(bernoulli_has_its_rate)
{
	enum { N = 100000 };
	static float x[N];
	static const float rates[] = {0, 0.001f, 0.25f, 0.5f, 0.9f, 1};
	for (int k = 0; k < 6; k++) {
		nc_random_bernoulli(nc_random_stream(3, 1, (uint64_t)k), rates[k], 0, N, x);
		double p = (double)rates[k], sum = 0;
		for (int i = 0; i < N; i++) {
			CHECK(x[i] == 0 || x[i] == 1);
			sum += (double)x[i];
		}
		CHECK_NEAR(sum / N, p, 5 * sqrt(p * (1 - p) / N));
	}
	nc_random_bernoulli(nc_random_stream(3, 1, 0), NAN, 0, N, x);
	for (int i = 0; i < N; i++)
		CHECK(x[i] == 0);
}

TEST(permutations_are_permutations)
{
	static int64_t p[5000];
	static char seen[5000];
	for (int64_t n = 0; n <= 5000; n = n < 70 ? n + 1 : n * 3) {
		memset(seen, 0, sizeof seen);
		nc_random_permutation(nc_random_stream(test_random(), 0, 0), n, p);
		for (int64_t i = 0; i < n; i++) {
			CHECK(p[i] >= 0 && p[i] < n && !seen[p[i]]);
			seen[p[i]] = 1;
		}
	}
}

TEST(permutations_are_all_as_likely)
{
	enum { N = 48000 };
	int count[256] = {0};
	for (uint64_t i = 0; i < N; i++) {
		int64_t p[4];
		nc_random_permutation(nc_random_stream(1, i, 0), 4, p);
		count[p[0] | p[1] << 2 | p[2] << 4 | p[3] << 6]++;
	}
	double chi = 0;
	int kinds = 0;
	for (int i = 0; i < 256; i++)
		if (count[i]) {
			kinds++;
			chi += pow(count[i] - N / 24, 2) / (N / 24);
		}
	CHECK_EQ(kinds, 24);
	CHECK(chi < 23 + 5 * sqrt(46));
}

TEST(nothing_is_drawn_for_an_empty_range)
{
	float x = 5;
	for (int kind = 0; kind < KINDS; kind++)
		fill(kind, nc_random_stream(1, 1, 1), 10, 10, &x);
	CHECK(x == 5);
}
