/* SPDX-License-Identifier: MIT
 *
 * Data types: every pair of conversions against a plain reference, 16-bit floats bit by bit.
 */
#include <float.h>

#include "tensor/tensor.h"
#include "test.h"

/* -- the list -----------------------------------------------------------------------------------*/
TEST(names_and_sizes)
{
#define X(NAME, name, bytes, kind, safetensors, numpy)                                             \
	CHECK_STR(nacre_dtype_name(NACRE_##NAME), #name);                                          \
	CHECK_EQ(nacre_dtype_size(NACRE_##NAME), bytes);                                           \
	CHECK(nc_dtype_valid(NACRE_##NAME));                                                       \
	CHECK_EQ(nc_dtype_is_float(NACRE_##NAME), !strcmp(#kind, "FLOAT"));
	NACRE_DTYPE_LIST(X)
#undef X
	CHECK_STR(nacre_dtype_name(NACRE_BOOL), "bool");
	static const int none[] = {-1, NACRE_DTYPES, 1 << 20};
	for (int i = 0; i < 3; i++) {
		CHECK_STR(nacre_dtype_name((nacre_dtype)none[i]), "?");
		CHECK_EQ(nacre_dtype_size((nacre_dtype)none[i]), 0);
		CHECK(!nc_dtype_valid((nacre_dtype)none[i]));
		CHECK(!nc_dtype_is_float((nacre_dtype)none[i]));
	}
}

/* -- 16-bit floats ------------------------------------------------------------------------------*/
/* what the bits say, by the definition of the format */
static double small_float(uint16_t h, int digits, int bias)
{
	int exponent = (h & 0x7fff) >> digits, fraction = h & ((1 << digits) - 1);
	int top = (1 << (15 - digits)) - 1;
	double value = exponent == top ? (fraction ? NAN : INFINITY)
		       : exponent      ? ldexp(fraction + (1 << digits), exponent - bias - digits)
				       : ldexp(fraction, 1 - bias - digits);
	return h & 0x8000 ? -value : value;
}
static double f16_value(uint16_t h)
{
	return small_float(h, 10, 15);
}
static double bf16_value(uint16_t h)
{
	return small_float(h, 7, 127);
}

/* The nearest, ties to even: searches among the non-negative ones, whose bits are in order.
 * Infinity stands for the power of two that it takes the place of. */
static uint16_t nearest(double x, double (*value)(uint16_t), uint16_t infinity)
{
	if (x != x)
		return 0x7fff;
	uint16_t sign = signbit(x) ? 0x8000 : 0;
	x = fabs(x);
	uint16_t low = 0, high = infinity;
	while (high - low > 1) {
		uint16_t middle = (uint16_t)((low + high) / 2);
		if (value(middle) <= x)
			low = middle;
		else
			high = middle;
	}
	double limit = high < infinity ? value(high) : 2 * value(low) - value((uint16_t)(low - 1));
	double below = x - value(low), above = limit - x; /* exact enough: x has few digits there */
	uint16_t h = below < above || (below == above && !(low & 1)) ? low : high;
	return h | sign;
}

static bool same_float(uint16_t a, uint16_t b, uint16_t infinity)
{
	bool a_nan = (a & 0x7fff) > infinity, b_nan = (b & 0x7fff) > infinity;
	return a_nan || b_nan ? a_nan && b_nan : a == b;
}

TEST(every_f16_and_bf16)
{
	for (uint32_t i = 0; i < 65536; i++) {
		uint16_t h = (uint16_t)i;
		double want = f16_value(h), got = (double)nc_f16_to_f32(h);
		CHECK(want != want ? got != got : got == want && signbit(got) == signbit(want));
		CHECK(same_float(nc_f32_to_f16((float)want), h, 0x7c00));
		want = bf16_value(h);
		float wide;
		nc_convert(NACRE_F32, &wide, NACRE_BF16, &h, 1);
		CHECK(want != want ? wide != wide : (double)wide == want);
		CHECK(same_float(nc_f32_to_bf16((float)want), h, 0x7f80));
	}
}

TEST(ties_and_neighbours_of_every_f16)
{
	for (uint32_t i = 0; i < 0x7c00; i++) {
		double a = f16_value((uint16_t)i),
		       b = i == 0x7bff ? 65536 : f16_value((uint16_t)(i + 1));
		float tie = (float)((a + b) / 2),
		      around[3] = {nextafterf(tie, 0), tie, nextafterf(tie, INFINITY)};
		for (int k = 0; k < 3; k++) {
			uint16_t want = nearest((double)around[k], f16_value, 0x7c00);
			CHECK_EQ(nc_f32_to_f16(around[k]), want);
			CHECK_EQ(nc_f32_to_f16(-around[k]), want | 0x8000);
		}
	}
}

TEST(random_floats_to_16_bits)
{
	for (int i = 0; i < 200000; i++) {
		uint32_t u = (uint32_t)test_random();
		if (i % 2) /* where f16 has its numbers */
			u = (u & 0x807fffff) | (uint32_t)(100 + test_random() % 46) << 23;
		float f;
		memcpy(&f, &u, sizeof f);
		CHECK(same_float(nc_f32_to_f16(f), nearest((double)f, f16_value, 0x7c00), 0x7c00));
		CHECK(
		    same_float(nc_f32_to_bf16(f), nearest((double)f, bf16_value, 0x7f80), 0x7f80));
	}
}

TEST(nan_stays_nan)
{
	static const uint32_t nans[] = {0x7f800001, 0x7fffffff, 0xff800001, 0x7fc00000, 0x7f80ffff};
	for (int i = 0; i < 5; i++) {
		float f;
		memcpy(&f, &nans[i], sizeof f);
		uint16_t sign = (uint16_t)(nans[i] >> 16 & 0x8000);
		CHECK((nc_f32_to_f16(f) & 0x7fff) > 0x7c00 && (nc_f32_to_f16(f) & 0x8000) == sign);
		CHECK((nc_f32_to_bf16(f) & 0x7fff) > 0x7f80 &&
		      (nc_f32_to_bf16(f) & 0x8000) == sign);
	}
}

/* Just above and below a tie of the narrow type, by less than f32 can tell: rounding to f32 first
 * would land on the tie. */
TEST(doubles_are_rounded_once)
{
	static const struct {
		nacre_dtype type;
		double (*value)(uint16_t);
		uint16_t infinity;
	} narrow[] = {{NACRE_F16, f16_value, 0x7c00}, {NACRE_BF16, bf16_value, 0x7f80}};
	for (int k = 0; k < 2; k++)
		for (uint16_t i = 0; i < narrow[k].infinity; i++) {
			double a = narrow[k].value(i);
			double b = i + 1 < narrow[k].infinity
				       ? narrow[k].value((uint16_t)(i + 1))
				       : 2 * a - narrow[k].value((uint16_t)(i - 1));
			double tie = a + (b - a) / 2;
			double x[3] = {tie - (b - a) * 1e-12, tie, tie + (b - a) * 1e-12};
			uint16_t want[3] = {i, (uint16_t)(i + (i & 1)), (uint16_t)(i + 1)};
			for (int j = 0; j < 3; j++) {
				uint16_t h;
				nc_convert(narrow[k].type, &h, NACRE_F64, &x[j], 1);
				CHECK_EQ(h, want[j]);
				x[j] = -x[j];
				nc_convert(narrow[k].type, &h, NACRE_F64, &x[j], 1);
				CHECK_EQ(h, want[j] | 0x8000);
			}
		}
	/* the same with integers: 2^62 + 2^54 is a tie of bf16 */
	int64_t tie = ((int64_t)1 << 62) + ((int64_t)1 << 54), x[3] = {tie - 1, tie, tie + 1};
	uint16_t h[3];
	nc_convert(NACRE_BF16, h, NACRE_I64, x, 3);
	CHECK_EQ(h[0], h[1]);
	CHECK_EQ(h[2], h[1] + 1);
	int32_t y[3] = {2049 * 8 - 1, 2049 * 8, 2049 * 8 + 1}; /* 2049 is a tie of f16 */
	nc_convert(NACRE_F16, h, NACRE_I32, y, 3);
	CHECK_EQ(h[0], h[1]);
	CHECK_EQ(h[2], h[1] + 1);
}

/* -- all pairs ----------------------------------------------------------------------------------*/
/* A value of any type: a long double holds all of them. */
static long double load(nacre_dtype d, const void *p)
{
	uint16_t h;
	memcpy(&h, p, sizeof h);
	switch ((int)d) {
	case NACRE_F32:
		return *(const float *)p;
	case NACRE_F64:
		return *(const double *)p;
	case NACRE_F16:
		return f16_value(h);
	case NACRE_BF16:
		return bf16_value(h);
	case NACRE_I8:
		return *(const int8_t *)p;
	case NACRE_U8:
		return *(const uint8_t *)p;
	case NACRE_I32:
		return *(const int32_t *)p;
	case NACRE_I64:
		return *(const int64_t *)p;
	}
	return *(const uint8_t *)p != 0;
}

static int64_t clamp(long double x, int64_t low, int64_t high)
{
	if (x != x)
		return 0;
	return x <= low ? low : x >= high ? high : (int64_t)x;
}

/* Is *got, of type d, what x must become? */
static bool right(nacre_dtype d, long double x, const void *got)
{
	uint16_t h;
	memcpy(&h, got, sizeof h);
	switch ((int)d) {
	case NACRE_F32: {
		float f = *(const float *)got;
		return x != x ? f != f : f == (float)x;
	}
	case NACRE_F64: {
		double f = *(const double *)got;
		return x != x ? f != f : f == (double)x;
	}
	case NACRE_F16:
		return same_float(h, nearest((double)x, f16_value, 0x7c00), 0x7c00);
	case NACRE_BF16:
		return same_float(h, nearest((double)x, bf16_value, 0x7f80), 0x7f80);
	case NACRE_I8:
		return *(const int8_t *)got == clamp(x, INT8_MIN, INT8_MAX);
	case NACRE_U8:
		return *(const uint8_t *)got == clamp(x, 0, UINT8_MAX);
	case NACRE_I32:
		return *(const int32_t *)got == clamp(x, INT32_MIN, INT32_MAX);
	case NACRE_I64:
		return *(const int64_t *)got == clamp(x, INT64_MIN, INT64_MAX);
	}
	return *(const uint8_t *)got == (x != 0);
}

static const double edges[] = {0,
			       -0.0,
			       1,
			       -1,
			       0.5,
			       -0.5,
			       0.99999,
			       127,
			       127.5,
			       128,
			       -128,
			       -128.9,
			       -129,
			       255,
			       255.99,
			       256,
			       -0.1,
			       65504,
			       65519.9,
			       65520,
			       2147483647,
			       2147483648.0,
			       -2147483648.0,
			       -2147483649.0,
			       2147483583,
			       9223372036854775807.0,
			       -9223372036854775808.0,
			       9223372036854774784.0,
			       1e30,
			       -1e30,
			       3.4028235677973366e38,
			       3.5e38,
			       1e300,
			       -1e300,
			       5.96e-8,
			       2.98e-8,
			       2.9802322387695312e-08,
			       1e-40,
			       1e-46,
			       1e-310,
			       INFINITY,
			       -INFINITY,
			       NAN,
			       16777217,
			       9007199254740993.0};
enum { EDGES = sizeof edges / sizeof *edges, N = 1500 };

/* Fills n elements with edges and random numbers of many sizes. */
static void make(nacre_dtype d, void *data, int n)
{
	uint8_t *p = data;
	size_t size = nacre_dtype_size(d);
	for (int i = 0; i < n; i++) {
		double x = i < EDGES ? edges[i]
				     : ldexp(test_uniform(-1, 1), (int)(test_random() % 80) - 12);
		uint64_t r = test_random();
		if (d == NACRE_F64)
			memcpy(p + (size_t)i * size, &x, size);
		else if (d == NACRE_F32)
			memcpy(p + (size_t)i * size, &(float){(float)x}, size);
		else if (i % 3 && size > 2) /* integers of all lengths */
			memcpy(p + (size_t)i * size, &(int64_t){(int64_t)r >> (i % 64)}, size);
		else
			memcpy(p + (size_t)i * size, &r, size);
	}
}

TEST(all_pairs_of_conversions)
{
	static _Alignas(64) uint8_t src[N * 8 + 16], dst[N * 8 + 16];
	int pairs = 0;
	for (int f = 0; f < NACRE_DTYPES; f++)
		for (int t = 0; t < NACRE_DTYPES; t++) {
			nacre_dtype from = (nacre_dtype)f, to = (nacre_dtype)t;
			size_t x = nacre_dtype_size(from), y = nacre_dtype_size(to);
			make(from, src, N);
			memset(dst, 0x5a, sizeof dst);
			nc_convert(to, dst, from, src, N);
			int wrong = 0;
			for (size_t i = 0; i < N; i++)
				if (!right(to, load(from, src + i * x), dst + i * y) && !wrong++)
					test_failed(__FILE__, __LINE__,
						    "%s to %s: element %zu, %.20Lg",
						    nacre_dtype_name(from), nacre_dtype_name(to), i,
						    load(from, src + i * x));
			CHECK_EQ(dst[N * y], 0x5a);
			/* any length gives the same */
			for (int64_t n = 0; n < 70; n++) {
				uint8_t part[70 * 8];
				memset(part, 0x5a, sizeof part);
				nc_convert(to, part, from, src, n);
				CHECK(!memcmp(part, dst, (size_t)n * y));
				CHECK(n == 70 || part[(size_t)n * y] == 0x5a);
			}
			pairs++;
		}
	CHECK_EQ(pairs, NACRE_DTYPES * NACRE_DTYPES);
}

TEST(single_elements)
{
	for (int d = 0; d < NACRE_DTYPES; d++) {
		nacre_dtype type = (nacre_dtype)d;
		_Alignas(8) uint8_t data[10 * 8] = {0};
		for (int i = 0; i < 10; i++)
			nc_element_set(type, data, i, i % 2);
		for (int i = 0; i < 10; i++)
			CHECK(nc_element(type, data, i) == i % 2);
		nc_element_set(type, data, 3, NAN);
		if (nc_dtype_is_float(type))
			CHECK(nc_element(type, data, 3) != nc_element(type, data, 3));
		else
			CHECK(nc_element(type, data, 3) == (type == NACRE_BOOL));
		CHECK(nc_element(type, data, 2) == 0 && nc_element(type, data, 4) == 0);
	}
}
