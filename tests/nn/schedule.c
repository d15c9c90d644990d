/* SPDX-License-Identifier: MIT
 *
 * schedule.c - schedules against numbers worked out from Keras's formulas, their ends, and what
 * cannot be.
 */
#include "nn/optimizer.h"
#include "nn/schedule.h"
#include "test.h"

static void check(nacre_schedule s, int n, const int64_t *step, const double *want)
{
	nacre_error e = {0};
	CHECK_EQ(nc_schedule_check(&s, &e), NACRE_OK);
	CHECK_STR(e.text, "");
	for (int i = 0; i < n; i++)
		CHECK_NEAR(nacre_schedule_at(&s, step[i]), want[i], 1e-14);
}
#define EXPECT(schedule, n, steps, ...)                                                            \
	check(schedule, n, (const int64_t[])steps, (const double[]){__VA_ARGS__})
#define STEPS(...)                                                                                 \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

TEST(exponential)
{
	nacre_schedule s = nacre_exponential_decay(0.1, 100, 0.96);
	EXPECT(s, 4, STEPS(0, 50, 100, 250), 0.1, 0.1 * sqrt(0.96), 0.096, 0.1 * pow(0.96, 2.5));
	s = nacre_exponential_decay(0.1, 100, 0.5, .staircase = 1);
	EXPECT(s, 5, STEPS(0, 99, 100, 199, 200), 0.1, 0.1, 0.05, 0.05, 0.025);
}

TEST(inverse_time)
{
	nacre_schedule s = nacre_inverse_time_decay(0.2, 10, 0.5);
	EXPECT(s, 3, STEPS(0, 5, 20), 0.2, 0.2 / 1.25, 0.1);
	s = nacre_inverse_time_decay(0.2, 10, 0.5, .staircase = 1);
	EXPECT(s, 3, STEPS(9, 10, 29), 0.2, 0.2 / 1.5, 0.1);
}

TEST(piecewise_constant)
{
	nacre_schedule s =
	    nacre_piecewise_constant_decay(.boundaries = {100, 110}, .values = {1, 0.5, 0.1});
	EXPECT(s, 6, STEPS(0, 100, 101, 110, 111, 100000), 1, 1, 0.5, 0.5, 0.1, 0.1);
}

TEST(polynomial)
{
	nacre_schedule s = nacre_polynomial_decay(0.1, 100);
	EXPECT(s, 4, STEPS(0, 50, 100, 500), 0.1, 0.0999 / 2 + 0.0001, 0.0001, 0.0001);
	s = nacre_polynomial_decay(0.1, 100, .end_learning_rate = 0.01, .power = 2);
	EXPECT(s, 2, STEPS(25, 100), 0.09 * 0.5625 + 0.01, 0.01);
	s = nacre_polynomial_decay(0.1, 100, .end_learning_rate = NACRE_ZERO, .cycle = 1);
	EXPECT(s, 5, STEPS(0, 50, 100, 101, 150), 0.1, 0.05, 0, 0.1 * (1 - 101 / 200.), 0.025);
}

TEST(cosine)
{
	const double pi = 3.14159265358979323846;
	nacre_schedule s = nacre_cosine_decay(0.1, 1000);
	EXPECT(s, 5, STEPS(0, 250, 500, 1000, 2000), 0.1, 0.05 * (1 + cos(pi / 4)), 0.05, 0, 0);
	s = nacre_cosine_decay(0.1, 1000, .alpha = 0.1);
	EXPECT(s, 3, STEPS(0, 500, 1000), 0.1, 0.1 * (0.9 * 0.5 + 0.1), 0.01);
	s = nacre_cosine_decay(0, 1000, .warmup_target = 0.1, .warmup_steps = 100);
	EXPECT(s, 5, STEPS(0, 50, 100, 600, 1100), 0, 0.05, 0.1, 0.05, 0);
}

TEST(cosine_restarts)
{
	nacre_schedule s = nacre_cosine_decay_restarts(0.1, 100);
	/* periods of 100, 200, 400 ... steps */
	EXPECT(s, 7, STEPS(0, 50, 100, 200, 300, 500, 700), 0.1, 0.05, 0.1, 0.05, 0.1, 0.05, 0.1);
	s = nacre_cosine_decay_restarts(0.1, 100, .t_mul = 1, .m_mul = 0.5, .alpha = 0.2);
	EXPECT(s, 4, STEPS(0, 50, 100, 250), 0.1, 0.1 * (0.8 * 0.5 + 0.2), 0.1 * (0.8 * 0.5 + 0.2),
	       0.1 * (0.8 * 0.5 * 0.25 + 0.2));
	/* exactly where the 20th period begins, and just before */
	int64_t begin = (((int64_t)1 << 19) - 1) * 100;
	s = nacre_cosine_decay_restarts(0.1, 100);
	CHECK_NEAR(nacre_schedule_at(&s, begin), 0.1, 1e-15);
	CHECK(nacre_schedule_at(&s, begin - 1) < 1e-9);
	for (int64_t step = 0; step < 100000; step += 7) {
		double v = nacre_schedule_at(&s, step);
		CHECK(v >= 0 && v <= 0.1);
	}
}

static double halved(const nacre_schedule *s, int64_t step)
{
	return s->initial_learning_rate / (step < 5 ? 1 : 2);
}

TEST(own)
{
	nacre_optimizer o =
	    nacre_sgd(.schedule = {.function = halved, .initial_learning_rate = 0.25});
	nacre_error e = {0};
	CHECK_EQ(nc_optimizer_check(&o, &e), NACRE_OK);
	CHECK(nacre_schedule_at(&o.schedule, 4) == 0.25);
	CHECK(nacre_schedule_at(&o.schedule, 5) == 0.125);
	CHECK(isnan(nacre_schedule_at(&(nacre_schedule){0}, 0)));
	CHECK(isnan(nacre_schedule_at(NULL, 0)));
}

static void refuse(nacre_schedule s, const char *want)
{
	nacre_optimizer o = nacre_adam(.schedule = s);
	nacre_error e = {0};
	CHECK_EQ(nc_optimizer_check(&o, &e), NACRE_INVALID);
	CHECK_STR(e.text, want);
}

TEST(cannot_be)
{
	refuse(nacre_exponential_decay(0.1, 0, 0.9),
	       "exponential_decay: decay_steps: expected 1e-30 to 1e+30, got 0");
	refuse(nacre_exponential_decay(NAN, 10, 0.9),
	       "exponential_decay: initial_learning_rate: expected 0 to 1e+30, got nan");
	refuse(nacre_inverse_time_decay(0.1, 10, -1),
	       "inverse_time_decay: decay_rate: expected 0 to 1e+30, got -1");
	refuse(nacre_cosine_decay(0.1, 10, .alpha = 2),
	       "cosine_decay: alpha: expected 0 to 1, got 2");
	refuse(nacre_cosine_decay_restarts(0.1, 10, .t_mul = 0.5),
	       "cosine_decay_restarts: t_mul: expected 1 to 1e+30, got 0.5");
	refuse(nacre_polynomial_decay(0.1, 10, .power = -2),
	       "polynomial_decay: power: expected 0 to 1e+30, got -2");
	refuse(nacre_piecewise_constant_decay(.boundaries = {1, 2}, .values = {1, 2}),
	       "piecewise_constant_decay: expected 3 values for 2 boundaries, value 2 is 0");
	refuse(nacre_piecewise_constant_decay(.boundaries = {2, 1}, .values = {1, 2, 3}),
	       "piecewise_constant_decay: boundary 1: expected more than 2, got 1");
	refuse(nacre_piecewise_constant_decay(.boundaries = {2}, .values = {1, 2, 3}),
	       "piecewise_constant_decay: more than 2 values for 1 boundaries");
}
