/* SPDX-License-Identifier: MIT
 *
 * initializer.c - ranges, moments and orthogonality of what weights begin with.
 */
#include "run.h"

typedef struct moments {
	double mean, deviation, low, high;
} moments;

static nacre_tensor *filled(nacre_initializer_function *f, int rank, const int64_t *shape,
			    uint64_t seed, const nacre_initializer_options *o)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, NULL);
	nacre_error e = {0};
	CHECK_EQ(f(t, seed, o, &e), NACRE_OK);
	return t;
}

static moments measure(nacre_initializer_function *f, int rank, const int64_t *shape,
		       const nacre_initializer_options *o)
{
	nacre_tensor *t = filled(f, rank, shape, test_random(), o);
	double n = (double)nacre_tensor_size(t), sum = 0, squares = 0;
	moments m = {0, 0, INFINITY, -INFINITY};
	for (int64_t i = 0; i < nacre_tensor_size(t); i++) {
		double v = nacre_tensor_get(t, i);
		sum += v;
		squares += v * v;
		m.low = fmin(m.low, v);
		m.high = fmax(m.high, v);
	}
	m.mean = sum / n;
	m.deviation = sqrt(squares / n - m.mean * m.mean);
	nacre_tensor_free(t);
	return m;
}

static void check_scaled(nacre_initializer_function *uniform, nacre_initializer_function *normal,
			 int rank, const int64_t *shape, double scale, double fan)
{
	moments u = measure(uniform, rank, shape, NULL), n = measure(normal, rank, shape, NULL);
	double limit = sqrt(3 * scale / fan), sigma = sqrt(scale / fan);
	CHECK(u.low >= -limit * 1.0001 && u.high <= limit * 1.0001);
	CHECK(u.low < -limit * 0.98 && u.high > limit * 0.98);
	CHECK_NEAR(u.mean, 0, limit * 0.03);
	CHECK_NEAR(u.deviation, sigma, sigma * 0.03);
	CHECK_NEAR(n.mean, 0, sigma * 0.05);
	CHECK_NEAR(n.deviation, sigma, sigma * 0.03);
	/* cut at two deviations of the normal before the cut */
	CHECK(n.high <= 2 * sigma / 0.87962566103423978 * 1.0001);
	CHECK(n.high > 1.9 * sigma / 0.87962566103423978);
}

TEST(scaled)
{
	int64_t matrix[] = {100, 60}, image[] = {3, 5, 20, 30}, vector[] = {6000};
	check_scaled(nacre_glorot_uniform, nacre_glorot_normal, 2, matrix, 1, 80);
	check_scaled(nacre_he_uniform, nacre_he_normal, 2, matrix, 2, 100);
	check_scaled(nacre_lecun_uniform, nacre_lecun_normal, 2, matrix, 1, 100);
	check_scaled(nacre_glorot_uniform, nacre_glorot_normal, 4, image, 1, 15 * 25.);
	check_scaled(nacre_he_uniform, nacre_he_normal, 4, image, 2, 15 * 20.);
	check_scaled(nacre_glorot_uniform, nacre_glorot_normal, 1, vector, 1, 6000);
}

TEST(plain)
{
	int64_t shape[] = {200, 50};
	moments m = measure(nacre_zeros, 2, shape, NULL);
	CHECK(m.low == 0 && m.high == 0);
	m = measure(nacre_ones, 2, shape, NULL);
	CHECK(m.low == 1 && m.high == 1);
	m = measure(nacre_constant_value, 2, shape, &(nacre_initializer_options){.value = -2.5});
	CHECK(m.low == -2.5 && m.high == -2.5);
	m = measure(nacre_random_normal, 2, shape, NULL);
	CHECK_NEAR(m.mean, 0, 0.002);
	CHECK_NEAR(m.deviation, 0.05, 0.002);
	CHECK(m.high > 0.13);
	m = measure(nacre_truncated_normal, 2, shape, NULL);
	CHECK_NEAR(m.deviation, 0.05 * 0.8796, 0.002);
	CHECK(m.high <= 0.1000001 && m.low >= -0.1000001);
	m = measure(nacre_random_uniform, 2, shape, NULL);
	CHECK(m.low >= -0.05 && m.low < -0.049 && m.high < 0.0500001 && m.high > 0.049);
	m = measure(nacre_random_uniform, 2, shape,
		    &(nacre_initializer_options){.minval = 2, .maxval = 5});
	CHECK(m.low >= 2 && m.high <= 5 && m.high > 4.9);
	m = measure(nacre_random_normal, 2, shape,
		    &(nacre_initializer_options){.mean = 7, .stddev = 2});
	CHECK_NEAR(m.mean, 7, 0.1);
	CHECK_NEAR(m.deviation, 2, 0.08);
}

static void check_orthogonal(int rank, const int64_t *shape, double gain)
{
	nacre_initializer_options o = {.gain = gain};
	nacre_tensor *t = filled(nacre_orthogonal, rank, shape, test_random(), &o);
	int64_t columns = shape[rank - 1], rows = nacre_tensor_size(t) / columns;
	bool tall = rows >= columns;
	int64_t n = tall ? columns : rows, m = tall ? rows : columns;
	double g = gain != 0 ? gain : 1;
	for (int64_t a = 0; a < n; a++)
		for (int64_t b = a; b < n; b++) {
			double dot = 0;
			for (int64_t i = 0; i < m; i++)
				dot +=
				    nacre_tensor_get(t, tall ? i * columns + a : a * columns + i) *
				    nacre_tensor_get(t, tall ? i * columns + b : b * columns + i);
			CHECK_NEAR(dot, a == b ? g * g : 0, 1e-5 * g * g);
		}
	nacre_tensor_free(t);
}

TEST(orthogonal)
{
	check_orthogonal(2, (int64_t[]){30, 30}, 0);
	check_orthogonal(2, (int64_t[]){40, 7}, 0);
	check_orthogonal(2, (int64_t[]){7, 40}, 2.5);
	check_orthogonal(4, (int64_t[]){3, 3, 4, 20}, 0);
	check_orthogonal(2, (int64_t[]){1, 1}, 0);
	check_orthogonal(2, (int64_t[]){0, 5}, 0);
}

TEST(seeds)
{
	int64_t shape[] = {9, 7};
	static nacre_initializer_function *const all[] = {nacre_glorot_uniform, nacre_he_normal,
							  nacre_random_normal, nacre_orthogonal};
	for (int k = 0; k < 4; k++) {
		nacre_tensor *a = filled(all[k], 2, shape, 5, NULL);
		nacre_tensor *b = filled(all[k], 2, shape, 5, NULL);
		nacre_tensor *c = filled(all[k], 2, shape, 6, NULL);
		size_t size = 63 * sizeof(float);
		CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(b), size) == 0);
		CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(c), size) != 0);
		nacre_tensor_free(a);
		nacre_tensor_free(b);
		nacre_tensor_free(c);
	}
}

TEST(refusals)
{
	nacre_error e = {0};
	nacre_tensor *vector = nacre_tensor_new(NULL, NACRE_F32, 1, (int64_t[]){4}, NULL);
	nacre_tensor *whole = nacre_tensor_new(NULL, NACRE_I32, 2, (int64_t[]){2, 2}, NULL);
	CHECK_EQ(nacre_orthogonal(vector, 0, NULL, &e), NACRE_INVALID);
	CHECK_STR(e.text, "orthogonal: expected rank 2 or more, got 1");
	e = (nacre_error){0};
	CHECK_EQ(nacre_ones(whole, 0, NULL, &e), NACRE_INVALID);
	CHECK_STR(e.text, "initializer: expected a contiguous f32 weight, got i32");
	e = (nacre_error){0};
	CHECK_EQ(nacre_ones(NULL, 0, NULL, &e), NACRE_INVALID);
	e = (nacre_error){0};
	CHECK_EQ(nacre_random_uniform(vector, 0,
				      &(nacre_initializer_options){.minval = 2, .maxval = 1}, &e),
		 NACRE_INVALID);
	CHECK_STR(e.text, "random_uniform: minval 2 is above maxval 1");
	nacre_tensor_free(vector);
	nacre_tensor_free(whole);
}

TEST(names)
{
	static const char *const all[] = {"glorot_uniform", "glorot_normal",  "he_uniform",
					  "he_normal",      "lecun_uniform",  "lecun_normal",
					  "zeros",          "ones",           "constant",
					  "random_normal",  "random_uniform", "truncated_normal",
					  "orthogonal"};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		CHECK_STR(nacre_initializer_name(nacre_initializer_named(all[i])), all[i]);
	CHECK(!nacre_initializer_named("he"));
}
