/* SPDX-License-Identifier: MIT
 *
 * optimizer_options.c - the options of optimizers and schedules as tables, under Keras's names: for
 * files both ways, and for what a checkpoint was made with.
 */
#include <stdio.h>
#include <string.h>

#include "nn/optimizer_options.h"

/* -- schedules --------------------------------------------------------------------------------- */
#define NUMBER(field, keras)                                                                       \
	NC_OPT_ALL(F64, nacre_schedule, field, 0, -1e300, 1e300, NULL, keras, 0)
#define BOOL(field) NC_OPT_BOOL(nacre_schedule, field)
#define RATE NUMBER(initial_learning_rate, NULL)
#define STEPS NUMBER(decay_steps, NULL)

static const nc_option exponential[] = {RATE, STEPS, NUMBER(decay_rate, NULL), BOOL(staircase),
					NC_OPT_END};
static const nc_option polynomial[] = {
    RATE, STEPS, NUMBER(end, "end_learning_rate"), NUMBER(power, NULL), BOOL(cycle), NC_OPT_END};
static const nc_option cosine[] = {
    RATE,      STEPS, NUMBER(alpha, NULL), NUMBER(warmup_target, NULL), NUMBER(warmup_steps, NULL),
    NC_OPT_END};
static const nc_option restarts[] = {RATE,
				     NUMBER(decay_steps, "first_decay_steps"),
				     NUMBER(t_mul, NULL),
				     NUMBER(m_mul, NULL),
				     NUMBER(alpha, NULL),
				     NC_OPT_END};
const nc_option nc_schedule_pieces[] = {NC_OPT_END};

bool nc_schedule_kind_at(size_t i, nc_schedule_kind *out)
{
	const nc_schedule_kind rows[] = {
	    {"ExponentialDecay", nacre_exponential_decay_new((nacre_exponential_decay_options){0}),
	     exponential},
	    {"InverseTimeDecay", nacre_inverse_time_decay_new((nacre_exponential_decay_options){0}),
	     exponential},
	    {"PolynomialDecay", nacre_polynomial_decay_new((nacre_polynomial_decay_options){0}),
	     polynomial},
	    {"CosineDecay", nacre_cosine_decay_new((nacre_cosine_decay_options){0}), cosine},
	    {"CosineDecayRestarts",
	     nacre_cosine_decay_restarts_new((nacre_cosine_decay_restarts_options){0}), restarts},
	    {"PiecewiseConstantDecay",
	     nacre_piecewise_constant_decay_new(
		 (nacre_piecewise_constant_decay_options){.reserved = 0}),
	     nc_schedule_pieces},
	};
	if (i >= sizeof rows / sizeof *rows)
		return false;
	*out = rows[i];
	return true;
}

/* -- optimizers -------------------------------------------------------------------------------- */
#undef NUMBER
#undef BOOL
#define MOST 1e300
#define NUMBER(field) NC_OPT_NUMBER(F64, nacre_optimizer, field, 0, -MOST, MOST)
#define NAMED(field, keras) NC_OPT_ALL(F64, nacre_optimizer, field, 0, -MOST, MOST, NULL, keras, 0)
#define BOOL(field) NC_OPT_BOOL(nacre_optimizer, field)
#define COUNT(kind, field) NC_OPT_NUMBER(kind, nacre_optimizer, field, 0, 0, MOST)
#define ADAM "|adam|adamw|adamax|nadam|lamb|schedule_free_adamw|"
static const nc_optimizer_field fields[] = {
    {NUMBER(weight_decay), true, NULL},
    {NUMBER(clipnorm), true, NULL},
    {NUMBER(global_clipnorm), true, NULL},
    {NUMBER(clipvalue), true, NULL},
    {BOOL(use_ema), false, NULL},
    {NUMBER(ema_momentum), false, NULL},
    {COUNT(I64, ema_overwrite_frequency), true, NULL},
    {NUMBER(loss_scale_factor), true, NULL},
    {COUNT(I64, gradient_accumulation_steps), true, NULL},
    {NUMBER(momentum), false, "|sgd|rmsprop|muon|"},
    {BOOL(nesterov), false, "|sgd|"},
    {NC_OPT_NOT(nacre_optimizer, no_nesterov, "nesterov"), false, "|muon|"},
    {NUMBER(rho), false, "|rmsprop|adadelta|"},
    {BOOL(centered), false, "|rmsprop|"},
    {BOOL(amsgrad), false, "|adam|adamw|"},
    {NUMBER(beta_1), false, ADAM "lion|"},
    {NUMBER(beta_2), false, ADAM "lion|"},
    {NAMED(beta_1, "adam_beta_1"), false, "|muon|"},
    {NAMED(beta_2, "adam_beta_2"), false, "|muon|"},
    {NUMBER(epsilon), false, ADAM "rmsprop|adagrad|adadelta|muon|"},
    {NAMED(initial, "initial_accumulator_value"), false, "|adagrad|ftrl|"},
    {NAMED(power, "learning_rate_power"), false, "|ftrl|"},
    {NAMED(l1, "l1_regularization_strength"), false, "|ftrl|"},
    {NAMED(l2, "l2_regularization_strength"), false, "|ftrl|"},
    {NAMED(l2_shrinkage, "l2_shrinkage_regularization_strength"), false, "|ftrl|"},
    {NUMBER(beta), false, "|ftrl|"},
    {NUMBER(beta_2_decay), false, "|adafactor|"},
    {NUMBER(epsilon_1), false, "|adafactor|"},
    {NUMBER(epsilon_2), false, "|adafactor|"},
    {NUMBER(clip_threshold), false, "|adafactor|"},
    {NUMBER(muon_a), false, "|muon|"},
    {NUMBER(muon_b), false, "|muon|"},
    {NUMBER(muon_c), false, "|muon|"},
    {NUMBER(rms_rate), false, "|muon|"},
    {NUMBER(adam_lr_ratio), false, "|muon|"},
    {NUMBER(adam_weight_decay), false, "|muon|"},
    {COUNT(INT, ns_steps), false, "|muon|"},
    {COUNT(I64, warmup_steps), false, "|schedule_free_adamw|"},
};
enum { FIELDS = sizeof fields / sizeof *fields };
_Static_assert((int)FIELDS <= (int)NC_MOST_FIELDS, "room for the options of one kind");

const nc_optimizer_field *nc_optimizer_field_at(size_t i)
{
	return i < FIELDS ? &fields[i] : NULL;
}

bool nc_optimizer_field_is_of(const nc_optimizer_field *f, const nacre_optimizer *o)
{
	char name[NC_NAME_SIZE];
	snprintf(name, sizeof name, "|%s|", nacre_optimizer_name(o));
	return !f->kinds || strstr(f->kinds, name);
}

const nc_option nc_scaling_options[] = {NUMBER(initial_scale), COUNT(I64, dynamic_growth_steps),
					NC_OPT_END};
