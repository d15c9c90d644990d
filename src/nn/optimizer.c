/* SPDX-License-Identifier: MIT
 *
 * optimizer.c - SGD, RMSprop, Adam, AdamW; clipping.
 *
 * The updates are ops that the compiler joins to the product that makes the gradient.  What changes
 * from step to step comes in as two numbers, computed here in double from the integer step: in
 * single precision beta_2^t loses half its digits near 1.
 */
#include "nn/optimizer.h"

#include <math.h>
#include <string.h>

#include "nn/policy.h"
#include "nn/schedule.h"

static void plain_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	(void)o, (void)t;
	rate[0] = rate[1] = lr;
}

static nacre_node *mix(nacre_node *a, nacre_node *b, double beta)
{
	return nacre_plus(nacre_scale(a, beta), nacre_scale(b, 1 - beta));
}

/* -- SGD --------------------------------------------------------------------------------------- */
static int sgd_slots(const nacre_optimizer *o)
{
	return o->momentum != 0;
}

static nacre_node *sgd_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			      nacre_node *g, nacre_node *rate)
{
	if (o->momentum == 0)
		return nacre_update_sgd(w, g, rate, o->weight_decay);
	return nacre_update_momentum(w, slot[0], g, rate, o->momentum, o->nesterov,
				     o->weight_decay);
}

/* -- RMSprop ----------------------------------------------------------------------------------- */
static int rmsprop_slots(const nacre_optimizer *o)
{
	return 1 + (o->momentum != 0) + (o->centered != 0);
}

static nacre_node *rmsprop_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
				  nacre_node *g, nacre_node *rate)
{
	if (o->momentum != 0 || o->centered)
		return NULL;
	return nacre_update_rmsprop(w, slot[0], g, rate, o->rho, o->epsilon, o->weight_decay);
}

static nacre_node *rmsprop_next(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
				nacre_node *g, nacre_node *const *rate, nacre_node **kept)
{
	int average = 1 + (o->momentum != 0);
	nacre_node *under = kept[0] = mix(slot[0], nacre_square(g), o->rho);
	if (o->centered) {
		kept[average] = mix(slot[average], g, o->rho);
		under = nacre_minus(under, nacre_square(kept[average]));
	}
	under = nacre_sqrt(nacre_add_number(under, o->epsilon));
	nacre_node *step = nacre_divide(nacre_times(g, rate[0]), under);
	if (o->momentum != 0)
		step = kept[1] = nacre_plus(nacre_scale(slot[1], o->momentum), step);
	return nacre_minus(w, step);
}

/* -- Adam -------------------------------------------------------------------------------------- */
static int adam_slots(const nacre_optimizer *o)
{
	return 2 + (o->amsgrad != 0);
}

/* t is an integer far below 2^53 */
double nc_rest_of_power(double beta, int64_t t)
{
	return -expm1((double)t * log(beta));
}

static void adam_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	rate[0] = lr * sqrt(nc_rest_of_power(o->beta_2, t)) / nc_rest_of_power(o->beta_1, t);
	rate[1] = lr;
}

static nacre_node *adam_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			       nacre_node *g, nacre_node *rate)
{
	if (o->amsgrad)
		return NULL;
	return nacre_update_adam(w, slot[0], slot[1], g, rate, o->beta_1, o->beta_2, o->epsilon,
				 o->weight_decay);
}

static nacre_node *adam_next(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			     nacre_node *g, nacre_node *const *rate, nacre_node **kept)
{
	kept[0] = mix(slot[0], g, o->beta_1);
	nacre_node *v = kept[1] = mix(slot[1], nacre_square(g), o->beta_2);
	if (o->amsgrad)
		v = kept[2] = nacre_maximum(slot[2], v);
	nacre_node *under = nacre_add_number(nacre_sqrt(v), o->epsilon);
	return nacre_minus(w, nacre_divide(nacre_times(kept[0], rate[0]), under));
}

#define ADAM                                                                                       \
	.slot = {"momentum", "velocity", "velocity_hat"}, .slots = adam_slots,                     \
	.rates = adam_rates, .update = adam_update, .next = adam_next
static const nc_optimizer_kind kinds[] = {
    [NC_SGD] = {.name = "sgd",
		.keras = "SGD",
		.defaults = {.learning_rate = 0.01},
		.slot = {"momentum"},
		.slots = sgd_slots,
		.rates = plain_rates,
		.update = sgd_update},
    [NC_RMSPROP] = {.name = "rmsprop",
		    .keras = "RMSprop",
		    .defaults = {.learning_rate = 0.001, .rho = 0.9, .epsilon = 1e-7},
		    .slot = {"velocity", "momentum", "average_gradient"},
		    .slots = rmsprop_slots,
		    .rates = plain_rates,
		    .update = rmsprop_update,
		    .next = rmsprop_next},
    [NC_ADAM] =
	{.name = "adam",
	 .keras = "Adam",
	 .defaults = {.learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7},
	 ADAM},
    [NC_ADAMW] = {.name = "adamw",
		  .keras = "AdamW",
		  .defaults = {.learning_rate = 0.001,
			       .weight_decay = 0.004,
			       .beta_1 = 0.9,
			       .beta_2 = 0.999,
			       .epsilon = 1e-7},
		  ADAM},
};

/* -- making ------------------------------------------------------------------------------------ */
const nc_optimizer_kind *nc_optimizer_kind_at(int i)
{
	if (i < 0)
		return NULL;
	if (i < NC_MORE_KINDS)
		return &kinds[i];
	return i - NC_MORE_KINDS < nc_n_more_kinds ? &nc_more_kinds[i - NC_MORE_KINDS] : NULL;
}

/* The numbers that have defaults: those of a kind that are not 0. */
static const size_t numbers[] = {
#define NUMBER(field) offsetof(nacre_optimizer, field)
    NUMBER(learning_rate),
    NUMBER(weight_decay),
    NUMBER(momentum),
    NUMBER(rho),
    NUMBER(beta_1),
    NUMBER(beta_2),
    NUMBER(epsilon),
    NUMBER(initial),
    NUMBER(power),
    NUMBER(beta_2_decay),
    NUMBER(epsilon_1),
    NUMBER(epsilon_2),
    NUMBER(clip_threshold),
    NUMBER(muon_a),
    NUMBER(muon_b),
    NUMBER(muon_c),
    NUMBER(rms_rate),
    NUMBER(adam_lr_ratio),
    NUMBER(adam_weight_decay),
#undef NUMBER
};

nacre_optimizer nc_optimizer_new(const nc_optimizer_kind *kind, nacre_optimizer o)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		double *number = (double *)(void *)((char *)&o + numbers[i]);
		const char *from = (const char *)&kind->defaults + numbers[i];
		if (*number == 0)
			memcpy(number, from, sizeof *number);
	}
	if (o.ema_momentum == 0)
		o.ema_momentum = 0.99;
	if (o.dynamic_loss_scale && o.initial_scale == 0)
		o.initial_scale = 32768;
	if (o.dynamic_loss_scale && o.dynamic_growth_steps == 0)
		o.dynamic_growth_steps = 2000;
	if (o.ns_steps == 0)
		o.ns_steps = kind->defaults.ns_steps;
	o.kind = kind;
	return o;
}

nacre_optimizer nacre_sgd_new(nacre_optimizer o)
{
	return nc_optimizer_new(&kinds[NC_SGD], o);
}

nacre_optimizer nacre_rmsprop_new(nacre_optimizer o)
{
	return nc_optimizer_new(&kinds[NC_RMSPROP], o);
}

nacre_optimizer nacre_adam_new(nacre_optimizer o)
{
	return nc_optimizer_new(&kinds[NC_ADAM], o);
}

nacre_optimizer nacre_adamw_new(nacre_optimizer o)
{
	return nc_optimizer_new(&kinds[NC_ADAMW], o);
}

/* "schedule_free_adamw" and "schedulefreeadamw" */
static bool same_name(const char *a, const char *b)
{
	for (; *a || *b; a++, b++) {
		while (*a == '_')
			a++;
		while (*b == '_')
			b++;
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
	return true;
}

nacre_optimizer nacre_optimizer_named(const char *name)
{
	const nc_optimizer_kind *kind;
	for (int i = 0; name && (kind = nc_optimizer_kind_at(i)); i++)
		if (same_name(kind->name, name))
			return nc_optimizer_new(kind, (nacre_optimizer){0});
	return (nacre_optimizer){0};
}

const char *nacre_optimizer_name(const nacre_optimizer *o)
{
	return o && o->kind ? o->kind->name : kinds[NC_RMSPROP].name;
}

nacre_status nc_optimizer_check(nacre_optimizer *o, nacre_error *e)
{
	if (!o->kind)
		*o = nacre_rmsprop_new(*o);
	const struct {
		const char *name;
		double value, low, high;
	} ranges[] = {
	    {"learning_rate", o->learning_rate, 0, 1e30},
	    {"weight_decay", o->weight_decay, 0, 1e30},
	    {"momentum", o->momentum, 0, 1},
	    {"rho", o->rho, 0, 1},
	    {"beta_1", o->beta_1, 0, 0.9999999999},
	    {"beta_2", o->beta_2, 0, 0.9999999999},
	    {"epsilon", o->epsilon, 0, 1e30},
	    {"clipnorm", o->clipnorm, 0, 1e30},
	    {"clipvalue", o->clipvalue, 0, 1e30},
	    {"global_clipnorm", o->global_clipnorm, 0, 1e30},
	    {"ema_momentum", o->ema_momentum, 0, 1},
	    {"ema_overwrite_frequency", (double)o->ema_overwrite_frequency, 0, 1e15},
	    {"gradient_accumulation_steps", (double)o->gradient_accumulation_steps, 0, 1e9},
	    {"loss_scale_factor", o->loss_scale_factor, 0, 1e30},
	    {"initial_scale", o->initial_scale, 0, 3e38},
	    {"dynamic_growth_steps", (double)o->dynamic_growth_steps, 0, 1e15},
	    {"initial", o->initial, 0, 1e30},
	    {"power", -o->power, 0, 1e3},
	    {"l1", o->l1, 0, 1e30},
	    {"l2", o->l2, 0, 1e30},
	    {"l2_shrinkage", o->l2_shrinkage, 0, 1e30},
	    {"ns_steps", o->ns_steps, 0, 100},
	    {"warmup_steps", (double)o->warmup_steps, 0, 1e15},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (!(ranges[i].value >= ranges[i].low && ranges[i].value <= ranges[i].high))
			return nc_fail(e, NACRE_INVALID, "%s: %s: expected %g to %g, got %g",
				       o->kind->name, ranges[i].name, ranges[i].low, ranges[i].high,
				       ranges[i].value);
	if ((o->clipnorm != 0) + (o->clipvalue != 0) + (o->global_clipnorm != 0) > 1)
		return nc_fail(e, NACRE_INVALID,
			       "%s: expected only one of clipnorm, clipvalue and global_clipnorm",
			       o->kind->name);
	if (o->dynamic_loss_scale && o->loss_scale_factor != 0)
		return nc_fail(e, NACRE_INVALID,
			       "%s: expected only one of loss_scale_factor and dynamic_loss_scale",
			       o->kind->name);
	return nc_schedule_check(&o->schedule, e);
}

/* -- clipping ---------------------------------------------------------------------------------- */
static nacre_node *square_sum(nacre_node *g)
{
	return nacre_sum(nacre_square(g), NACRE_ALL_AXES, false);
}

/* c / max(length, c): 1 where the gradient is short enough */
static nacre_node *shrink(nacre_node *square_length, double c)
{
	if (!square_length)
		return NULL;
	nacre_node *limit = nacre_scalar(square_length->graph, square_length->dtype, c);
	return nacre_divide(limit, nacre_maximum(nacre_sqrt(square_length), limit));
}

/* Of all gradients together, in the widest of their types. */
static nacre_node *shrink_all(int n, nacre_node *const *g, double c)
{
	nacre_dtype widest = NACRE_F32;
	nacre_node *total = NULL;
	for (int i = 0; i < n; i++)
		if (g[i] && g[i]->dtype == NACRE_F64)
			widest = NACRE_F64;
	for (int i = 0; i < n; i++) {
		nacre_node *one = nc_cast_float(square_sum(g[i]), widest);
		total = total ? nacre_plus(total, one) : one;
	}
	return shrink(total, c);
}

void nc_optimizer_clip(const nacre_optimizer *o, int n, nacre_node **g)
{
	nacre_node *global = o->global_clipnorm != 0 ? shrink_all(n, g, o->global_clipnorm) : NULL;
	for (int i = 0; i < n; i++) {
		if (o->clipvalue != 0)
			g[i] = nacre_clip(g[i], -o->clipvalue, o->clipvalue);
		else if (o->clipnorm != 0)
			g[i] = nacre_times(g[i], shrink(square_sum(g[i]), o->clipnorm));
		else if (o->global_clipnorm != 0)
			g[i] = nacre_times(g[i],
					   g[i] ? nc_cast_float(global, g[i]->dtype) : NULL);
	}
}
