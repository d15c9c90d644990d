/* SPDX-License-Identifier: MIT
 *
 * schedule.c - learning rates as functions of the step: Keras's formulas, in double.
 */
#include "nn/schedule.h"

#include <math.h>

static double or_default(double value, double number)
{
	return value != 0 ? value : number;
}

double nacre_schedule_at(const nacre_schedule *s, int64_t step)
{
	return s && s->function ? s->function(s, step) : (double)NAN;
}

/* -- exponential, inverse time ----------------------------------------------------------------- */
static double part(const nacre_schedule *s, int64_t step)
{
	double p = (double)step / s->decay_steps;
	return s->staircase ? floor(p) : p;
}

static double exponential(const nacre_schedule *s, int64_t step)
{
	return s->initial_learning_rate * pow(s->decay_rate, part(s, step));
}

static double inverse_time(const nacre_schedule *s, int64_t step)
{
	return s->initial_learning_rate / (1 + s->decay_rate * part(s, step));
}

nacre_schedule nacre_exponential_decay_new(nacre_exponential_decay_options o)
{
	return (nacre_schedule){.function = exponential,
				.initial_learning_rate = o.initial_learning_rate,
				.decay_steps = o.decay_steps,
				.decay_rate = o.decay_rate,
				.staircase = o.staircase};
}

nacre_schedule nacre_inverse_time_decay_new(nacre_exponential_decay_options o)
{
	nacre_schedule s = nacre_exponential_decay_new(o);
	s.function = inverse_time;
	return s;
}

/* -- piecewise constant ------------------------------------------------------------------------ */
static double piecewise(const nacre_schedule *s, int64_t step)
{
	int i = 0;
	while (i < s->n_boundaries && (double)step > s->boundary[i])
		i++;
	return s->value[i];
}

nacre_schedule nacre_piecewise_constant_decay_new(nacre_piecewise_constant_decay_options o)
{
	nacre_schedule s = {.function = piecewise, .initial_learning_rate = o.values[0]};
	for (int i = 0; i <= NACRE_MAX_BOUNDARIES; i++)
		s.value[i] = o.values[i];
	while (s.n_boundaries < NACRE_MAX_BOUNDARIES && o.boundaries[s.n_boundaries] != 0) {
		s.boundary[s.n_boundaries] = o.boundaries[s.n_boundaries];
		s.n_boundaries++;
	}
	return s;
}

/* -- polynomial -------------------------------------------------------------------------------- */
static double polynomial(const nacre_schedule *s, int64_t step)
{
	double at = (double)step, steps = s->decay_steps;
	if (s->cycle)
		steps *= at == 0 ? 1 : ceil(at / steps);
	else
		at = fmin(at, steps);
	return (s->initial_learning_rate - s->end) * pow(1 - at / steps, s->power) + s->end;
}

nacre_schedule nacre_polynomial_decay_new(nacre_polynomial_decay_options o)
{
	return (nacre_schedule){.function = polynomial,
				.initial_learning_rate = o.initial_learning_rate,
				.decay_steps = o.decay_steps,
				.end = or_default(o.end_learning_rate, 0.0001),
				.power = or_default(o.power, 1),
				.cycle = o.cycle};
}

/* -- cosine ------------------------------------------------------------------------------------ */
/* from 1 down to alpha while x goes from 0 to 1; `height` scales the wave alone */
static double wave(const nacre_schedule *s, double x, double height)
{
	return (1 - s->alpha) * 0.5 * height * (1 + cos(M_PI * x)) + s->alpha;
}

static double cosine(const nacre_schedule *s, int64_t step)
{
	double at = (double)step, from = s->initial_learning_rate;
	if (s->warmup_target != 0) {
		if (at < s->warmup_steps)
			return from + (s->warmup_target - from) * at / s->warmup_steps;
		at -= s->warmup_steps;
		from = s->warmup_target;
	}
	return from * wave(s, fmin(at, s->decay_steps) / s->decay_steps, 1);
}

nacre_schedule nacre_cosine_decay_new(nacre_cosine_decay_options o)
{
	return (nacre_schedule){.function = cosine,
				.initial_learning_rate = o.initial_learning_rate,
				.decay_steps = o.decay_steps,
				.alpha = o.alpha,
				.warmup_target = o.warmup_target,
				.warmup_steps = o.warmup_steps};
}

/* Where period i begins, in units of the first: 1 + t + ... + t^(i-1). */
static double period_begin(const nacre_schedule *s, double i)
{
	return s->t_mul == 1 ? i : (1 - pow(s->t_mul, i)) / (1 - s->t_mul);
}

/* The period is found by a logarithm, which may be off by a rounding where one begins. */
static double restarts(const nacre_schedule *s, int64_t step)
{
	double at = (double)step / s->decay_steps, i = floor(at);
	if (s->t_mul != 1)
		i = floor(log(1 - at * (1 - s->t_mul)) / log(s->t_mul));
	if (i > 0 && period_begin(s, i) > at)
		i--;
	else if (period_begin(s, i + 1) <= at)
		i++;
	at = (at - period_begin(s, i)) / pow(s->t_mul, i);
	return s->initial_learning_rate * wave(s, at, pow(s->m_mul, i));
}

nacre_schedule nacre_cosine_decay_restarts_new(nacre_cosine_decay_restarts_options o)
{
	return (nacre_schedule){.function = restarts,
				.initial_learning_rate = o.initial_learning_rate,
				.decay_steps = o.first_decay_steps,
				.t_mul = or_default(o.t_mul, 2),
				.m_mul = or_default(o.m_mul, 1),
				.alpha = o.alpha};
}

/* -- checks ------------------------------------------------------------------------------------ */
static nacre_status check_pieces(const nacre_schedule *s, nacre_error *e)
{
	for (int i = 0; i <= s->n_boundaries; i++) {
		if (!(s->value[i] > 0 && s->value[i] <= 1e30))
			return nc_fail(e, NACRE_INVALID,
				       "piecewise_constant_decay: expected %d values for %d "
				       "boundaries, value %d is %g",
				       s->n_boundaries + 1, s->n_boundaries, i, s->value[i]);
		double before = i ? s->boundary[i - 1] : 0;
		if (i < s->n_boundaries && !(s->boundary[i] > before && s->boundary[i] < 1e300))
			return nc_fail(e, NACRE_INVALID,
				       "piecewise_constant_decay: boundary %d: expected more than "
				       "%g, got %g",
				       i, before, s->boundary[i]);
	}
	if (s->n_boundaries < NACRE_MAX_BOUNDARIES && s->value[s->n_boundaries + 1] != 0)
		return nc_fail(e, NACRE_INVALID,
			       "piecewise_constant_decay: more than %d values for %d boundaries",
			       s->n_boundaries + 1, s->n_boundaries);
	return NACRE_OK;
}

/* What each function reads; rows of 0 low and high are not read. */
typedef struct limits {
	const char *name;
	double (*function)(const nacre_schedule *s, int64_t step);
	double rate, end, power, alpha, warmup, t_mul, m_mul; /* the most; 0: not read */
} limits;

static const limits all[] = {
    {"exponential_decay", exponential, 1e30, 0, 0, 0, 0, 0, 0},
    {"inverse_time_decay", inverse_time, 1e30, 0, 0, 0, 0, 0, 0},
    {"polynomial_decay", polynomial, 0, 1e30, 1e30, 0, 0, 0, 0},
    {"cosine_decay", cosine, 0, 0, 0, 1, 1e30, 0, 0},
    {"cosine_decay_restarts", restarts, 0, 0, 0, 1, 0, 1e30, 1e30},
};

nacre_status nc_schedule_check(const nacre_schedule *s, nacre_error *e)
{
	const limits *l = NULL;
	if (s->function == piecewise)
		return check_pieces(s, e);
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].function == s->function)
			l = &all[i];
	if (!l)
		return NACRE_OK; /* none, or somebody's own */
	const struct {
		const char *name;
		double value, low, high;
	} numbers[] = {
	    {"initial_learning_rate", s->initial_learning_rate, 0, 1e30},
	    {"decay_steps", s->decay_steps, 1e-30, 1e30},
	    {"decay_rate", s->decay_rate, 0, l->rate},
	    {"end_learning_rate", s->end, 0, l->end},
	    {"power", s->power, 0, l->power},
	    {"alpha", s->alpha, 0, l->alpha},
	    {"warmup_target", s->warmup_target, 0, l->warmup},
	    {"warmup_steps", s->warmup_steps, 0, l->warmup},
	    {"t_mul", s->t_mul, l->t_mul != 0, l->t_mul},
	    {"m_mul", s->m_mul, 0, l->m_mul},
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high))
			return nc_fail(e, NACRE_INVALID, "%s: %s: expected %g to %g, got %g",
				       l->name, numbers[i].name, numbers[i].low, numbers[i].high,
				       numbers[i].value);
	return NACRE_OK;
}
