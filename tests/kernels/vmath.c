/* SPDX-License-Identifier: MIT
 *
 * vmath.c - the accuracy of elementwise functions: a sweep over the bit patterns of all floats, and
 * every row of elementwise.def against its column of doubles.
 */
#include "support.h"

#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wunused-parameter"

static double sigmoid_ref(double x)
{
	return 1 / (1 + exp(-x));
}
static double softplus_ref(double x)
{
	return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double gelu_ref(double x)
{
	return x < -40 ? -0.0 : 0.5 * x * erfc(-M_SQRT1_2 * x);
}
static double gelu_slope_ref(double x)
{
	if (fabs(x) > 40)
		return x > 0;
	return 0.5 * erfc(-M_SQRT1_2 * x) + x * exp(-0.5 * x * x) / sqrt(2 * M_PI);
}

#define UNARY(id, fn, vec, ref, dx)                                                                \
	static double ref_##id(double x, double b, double c)                                       \
	{                                                                                          \
		return ref;                                                                        \
	}
#define PREDICATE(id, fn, vec, ref) UNARY(id, fn, vec, ref, 0)
#define BINARY(id, fn, vec, ref, da, db)                                                           \
	static double ref_##id(double a, double b, double c)                                       \
	{                                                                                          \
		return ref;                                                                        \
	}
#define COMPARE(id, fn, vec, ref) BINARY(id, fn, vec, ref, 0, 0)
#define TERNARY(id, fn, vec, ref, da, db, dc) BINARY(id, fn, vec, ref, 0, 0)
#include "kernels/elementwise.def"

static const struct {
	const char *name;
	double (*ref)(double, double, double);
	int sources;
} functions[] = {
#define UNARY(id, fn, vec, ref, dx) {#id, ref_##id, 1},
#define PREDICATE(id, fn, vec, ref) {#id, ref_##id, 1},
#define BINARY(id, fn, vec, ref, da, db) {#id, ref_##id, 2},
#define COMPARE(id, fn, vec, ref) {#id, ref_##id, 2},
#define TERNARY(id, fn, vec, ref, da, db, dc) {#id, ref_##id, 3},
#include "kernels/elementwise.def"
};

static const double specials[] = {0.0,
				  -0.0,
				  1,
				  -1,
				  0.5,
				  -0.5,
				  1.5,
				  2.5,
				  -1.5,
				  -2.5,
				  3,
				  -3,
				  INFINITY,
				  -INFINITY,
				  NAN,
				  0x1p-126,
				  -0x1p-126,
				  0x1p127,
				  -0x1p127,
				  0x1.fffffep127,
				  -0x1.fffffep127,
				  0x1p23,
				  -0x1p23,
				  8388607.5,
				  -8388607.5,
				  4194304.5,
				  -4194304.5,
				  16777215,
				  0x1p31,
				  88.72283,
				  88.72284,
				  -87.33654,
				  -87.33655,
				  104,
				  -104,
				  0.49999997,
				  -0.49999997,
				  1e-8,
				  -1e-8,
				  0.625,
				  0.925,
				  4,
				  -4,
				  9.1,
				  -9.1,
				  13.4,
				  -13.4,
				  1e10};
enum { SPECIALS = sizeof specials / sizeof *specials };

/* one instruction over n elements */
static void run(const nc_kernels *k, int op, int sources, int64_t n, float *const *x, float *y)
{
	nc_vm vm = {
	    .rank = 1, .size = {n}, .total = n, .n_operands = sources, .n_code = 1, .n_results = 1};
	for (int i = 0; i < sources; i++) {
		vm.operand[i] = (nc_operand){x[i], NC_V_F32, NC_FLAT, {0}};
		vm.code[0].src[i] = (uint8_t)(NC_VM_REGISTERS + i);
	}
	vm.code[0].op = (uint8_t)op;
	vm.result[0] = (nc_result){y, NC_V_F32, 0, NC_FLAT, {0}};
	void *scratch = aligned_alloc(64, (k->vm_scratch(&vm) + 63) / 64 * 64);
	k->vm(&vm, 0, 1, scratch);
	free(scratch);
}

static void check(int op, int64_t n, float *const *x, double bar)
{
	float *y = guarded((size_t)n * sizeof *y);
	FOR_ISAS(k)
	{
		int wrong = 0;
		run(k, op, functions[op].sources, n, x, y);
		for (int64_t i = 0; i < n && wrong < 3; i++) {
			double a = x[0][i], b = x[1][i], c = x[2][i];
			double want = functions[op].ref(a, b, c);
			if (ulps(y[i], want) <= bar)
				continue;
			wrong++;
			test_failed(__FILE__, __LINE__, "%s %s(%.9g, %.9g, %.9g) = %.9g, not %.9g",
				    k->isa, functions[op].name, a, b, c, y[i], want);
		}
	}
}

/* all pairs of special values and a grid of quarters, whose quotients are no near-integers */
TEST(every_function_against_doubles)
{
	enum { GRID = 49, VALUES = SPECIALS + GRID, N = VALUES * VALUES };
	float *x[3];
	for (int i = 0; i < 3; i++)
		x[i] = guarded_floats(N);
	for (int i = 0; i < N; i++) {
		int at[3] = {i % VALUES, i / VALUES, (i + i / VALUES) % VALUES};
		for (int s = 0; s < 3; s++)
			x[s][i] = (float)(at[s] < SPECIALS ? specials[at[s]]
							   : (at[s] - SPECIALS - GRID / 2) * 0.25);
	}
	for (int op = 0; op < NC_E_COUNT; op++) {
		if (op == NC_E_gelu_slope) /* passes through 0: slope_of_gelu */
			continue;
		/* where the exact quotient is an integer up to rounding, both sides are right */
		bool quotient = op == NC_E_mod || op == NC_E_floor_divide;
		if (!quotient) {
			check(op, N, x, 4);
			continue;
		}
		float *y[3] = {x[0] + N - GRID, x[0] + N - GRID, x[2]};
		float *grid[3];
		for (int s = 0; s < 3; s++)
			grid[s] = guarded_floats(GRID * GRID);
		for (int i = 0; i < GRID * GRID; i++) {
			grid[0][i] = y[0][i % GRID];
			grid[1][i] = y[1][i / GRID];
		}
		check(op, GRID * GRID, grid, 4);
	}
	guarded_release();
}

static double sweep_one(const nc_kernels *k, int op, int64_t n, float *const *x, const double *want,
			float *y, float *at)
{
	double worst = 0;
	run(k, op, 1, n, x, y);
	for (int64_t i = 0; i < n; i++) {
		if (same_float(y[i], (float)want[i]))
			continue;
		double u = ulps(y[i], want[i]);
		if (u > worst) {
			worst = u;
			*at = x[0][i];
		}
	}
	return worst;
}

static void sweep(int op, double bar, uint64_t step)
{
	enum { N = 4096, ISAS = 8 };
	static double want[N];
	float *x[3] = {guarded_floats(N)}, *y = guarded_floats(N), at[ISAS] = {0};
	double worst[ISAS] = {0};
	for (uint64_t bits = 0; bits < 1ull << 32;) {
		for (int i = 0; i < N; i++, bits += step) {
			uint32_t b = (uint32_t)bits;
			memcpy(x[0] + i, &b, 4);
			want[i] = functions[op].ref(x[0][i], 0, 0);
		}
		int isa = 0;
		FOR_ISAS(k)
		{
			float where = 0;
			double u = sweep_one(k, op, N, x, want, y, &where);
			if (u > worst[isa]) {
				worst[isa] = u;
				at[isa] = where;
			}
			isa++;
		}
	}
	int isa = 0;
	FOR_ISAS(k)
	{
		if (!(worst[isa] <= bar))
			test_failed(__FILE__, __LINE__, "%s %s(%.9g) is %.2f ulp off (bar %g)",
				    k->isa, functions[op].name, at[isa], worst[isa], bar);
		isa++;
	}
	guarded_release();
}

static const struct {
	int op;
	double bar;
} bars[] = {{NC_E_exp, 2},    {NC_E_expm1, 2},   {NC_E_log, 2},     {NC_E_log1p, 2},
	    {NC_E_tanh, 2},   {NC_E_erf, 2},     {NC_E_sigmoid, 4}, {NC_E_softplus, 4},
	    {NC_E_sqrt, 0.5}, {NC_E_rsqrt, 1.5}, {NC_E_floor, 0},   {NC_E_ceil, 0},
	    {NC_E_round, 0},  {NC_E_trunc, 0},   {NC_E_sign, 0},    {NC_E_relu, 0},
	    {NC_E_abs, 0},    {NC_E_gelu, 4}};

TEST(sweep_over_all_floats)
{
	/* 0.01: the doubles of the reference are rounded too.  NACRE_TEST_STEP=1 takes all. */
	const char *step = getenv("NACRE_TEST_STEP");
	for (size_t i = 0; i < sizeof bars / sizeof *bars; i++)
		sweep(bars[i].op, bars[i].bar + 0.01, step ? strtoull(step, NULL, 10) : 1009);
}

/* The slope of gelu is a sum that passes through 0, at -0.75: 4 ulp of the larger summand. */
TEST(slope_of_gelu)
{
	enum { N = 4096 };
	float *x[3] = {guarded_floats(N)}, *y = guarded_floats(N);
	for (uint64_t bits = 0; bits < 1ull << 32;) {
		for (int i = 0; i < N; i++, bits += 4001) {
			uint32_t b = (uint32_t)bits;
			memcpy(x[0] + i, &b, 4);
		}
		FOR_ISAS(k)
		{
			run(k, NC_E_gelu_slope, 1, N, x, y);
			for (int i = 0; i < N; i++) {
				double a = x[0][i], want = gelu_slope_ref(a);
				double large =
				    fabs(a) < 40 ? fabs(a * exp(-a * a / 2)) / sqrt(2 * M_PI) : 0;
				bool ok = ulps(y[i], want) <= 4.01 ||
					  fabs(y[i] - want) <= 4.01 * ulp_of(large);
				if (!ok)
					test_failed(__FILE__, __LINE__,
						    "%s gelu_slope(%.9g) = %.9g, not %.9g", k->isa,
						    a, y[i], want);
			}
		}
	}
	guarded_release();
}

TEST(signs_of_zeros)
{
	static const int odd[] = {NC_E_expm1, NC_E_log1p, NC_E_tanh,  NC_E_erf,  NC_E_gelu,
				  NC_E_floor, NC_E_ceil,  NC_E_round, NC_E_trunc, NC_E_sqrt};
	static const float halves[] = {-0.0f, -0.25f, -0.5f};
	FOR_ISAS(k)
	{
		float x[16] = {0}, y[16], *const in[3] = {x};
		for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
			x[0] = -0.0f;
			run(k, odd[i], 1, 1, in, y);
			CHECK(y[0] == 0 && signbit(y[0]));
		}
		for (int i = 0; i < 3; i++) {
			x[0] = halves[i];
			run(k, NC_E_round, 1, 1, in, y);
			CHECK(y[0] == 0 && signbit(y[0]));
			run(k, NC_E_ceil, 1, 1, in, y);
			CHECK(y[0] == 0 && signbit(y[0]));
		}
	}
}

#if defined __x86_64__
/* programs run with flush-to-zero and denormals-are-zero */
TEST(flush_to_zero)
{
	unsigned before = __builtin_ia32_stmxcsr();
	static double want[4096];
	float *x[3] = {guarded_floats(4096)}, *y = guarded_floats(4096);
	for (size_t f = 0; f < sizeof bars / sizeof *bars; f++) {
		for (uint64_t bits = 0; bits < 1ull << 32; bits += 4096ull * 20011) {
			for (int i = 0; i < 4096; i++) {
				uint32_t b = (uint32_t)(bits + (uint64_t)i * 20011);
				if (!(b & 0x7f800000))
					b &= 0x80000000;
				memcpy(x[0] + i, &b, 4);
				want[i] = functions[bars[f].op].ref(x[0][i], 0, 0);
			}
			FOR_ISAS(k)
			{
				float *const *in = x;
				__builtin_ia32_ldmxcsr(before | 0x8040);
				run(k, bars[f].op, 1, 4096, in, y);
				__builtin_ia32_ldmxcsr(before);
				for (int i = 0; i < 4096; i++)
					if (!(ulps(y[i], want[i]) <= bars[f].bar + 0.01))
						test_failed(__FILE__, __LINE__,
							    "%s %s(%.9g) = %.9g", k->isa,
							    functions[bars[f].op].name, x[0][i],
							    y[i]);
			}
		}
	}
	guarded_release();
}
#endif
