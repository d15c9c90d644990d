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

static void plain_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[2])
{
	(void)o, (void)t;
	rate[0] = rate[1] = lr;
}

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

static int one_slot(const nacre_optimizer *o)
{
	(void)o;
	return 1;
}

static nacre_node *rmsprop_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
				  nacre_node *g, nacre_node *rate)
{
	return nacre_update_rmsprop(w, slot[0], g, rate, o->rho, o->epsilon, o->weight_decay);
}

static int two_slots(const nacre_optimizer *o)
{
	(void)o;
	return 2;
}

/* t is an integer far below 2^53; 1 - beta^t by expm1, exact where beta^t is near 1 */
static double rest_of_power(double beta, int64_t t)
{
	return -expm1((double)t * log(beta));
}

static void adam_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[2])
{
	rate[0] = lr * sqrt(rest_of_power(o->beta_2, t)) / rest_of_power(o->beta_1, t);
	rate[1] = lr;
}

static nacre_node *adam_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			       nacre_node *g, nacre_node *rate)
{
	return nacre_update_adam(w, slot[0], slot[1], g, rate, o->beta_1, o->beta_2, o->epsilon,
				 o->weight_decay);
}

enum { SGD, RMSPROP, ADAM, ADAMW };
static const nc_optimizer_kind kinds[] = {
	[SGD] = {"sgd", "SGD", 0.01, 0, {"momentum"}, sgd_slots, plain_rates, sgd_update},
	[RMSPROP] =
	{"rmsprop", "RMSprop", 0.001, 0, {"velocity"}, one_slot, plain_rates, rmsprop_update},
	[ADAM] =
	{"adam", "Adam", 0.001, 0, {"momentum", "velocity"}, two_slots, adam_rates, adam_update},
	[ADAMW] = {"adamw",
	       "AdamW",
	       0.001,
	       0.004,
	       {"momentum", "velocity"},
	       two_slots,
	       adam_rates,
	       adam_update},
};

static double or_default(double value, double number)
{
	return value != 0 ? value : number;
}

nacre_optimizer nacre_sgd_new(nacre_sgd_options o)
{
	return (nacre_optimizer){.kind = &kinds[SGD],
				 .learning_rate = or_default(o.learning_rate, 0.01),
				 .momentum = o.momentum,
				 .nesterov = o.nesterov,
				 .weight_decay = o.weight_decay,
				 .clipnorm = o.clipnorm,
				 .clipvalue = o.clipvalue,
				 .global_clipnorm = o.global_clipnorm};
}

nacre_optimizer nacre_rmsprop_new(nacre_rmsprop_options o)
{
	return (nacre_optimizer){.kind = &kinds[RMSPROP],
				 .learning_rate = or_default(o.learning_rate, 0.001),
				 .rho = or_default(o.rho, 0.9),
				 .epsilon = or_default(o.epsilon, 1e-7),
				 .weight_decay = o.weight_decay,
				 .clipnorm = o.clipnorm,
				 .clipvalue = o.clipvalue,
				 .global_clipnorm = o.global_clipnorm};
}

static nacre_optimizer adam(const nc_optimizer_kind *kind, const nacre_adam_options *o)
{
	return (nacre_optimizer){.kind = kind,
				 .learning_rate = or_default(o->learning_rate, kind->learning_rate),
				 .beta_1 = or_default(o->beta_1, 0.9),
				 .beta_2 = or_default(o->beta_2, 0.999),
				 .epsilon = or_default(o->epsilon, 1e-7),
				 .weight_decay = or_default(o->weight_decay, kind->weight_decay),
				 .clipnorm = o->clipnorm,
				 .clipvalue = o->clipvalue,
				 .global_clipnorm = o->global_clipnorm};
}

nacre_optimizer nacre_adam_new(nacre_adam_options o)
{
	return adam(&kinds[ADAM], &o);
}

nacre_optimizer nacre_adamw_new(nacre_adam_options o)
{
	return adam(&kinds[ADAMW], &o);
}

nacre_optimizer nacre_optimizer_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof kinds / sizeof *kinds; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return i == SGD       ? nacre_sgd_new((nacre_sgd_options){0})
			       : i == RMSPROP ? nacre_rmsprop_new((nacre_rmsprop_options){0})
					      : adam(&kinds[i], &(nacre_adam_options){0});
	return (nacre_optimizer){0};
}

const char *nacre_optimizer_name(const nacre_optimizer *o)
{
	return o && o->kind ? o->kind->name : kinds[RMSPROP].name;
}

nacre_status nc_optimizer_check(nacre_optimizer *o, nacre_error *e)
{
	if (!o->kind)
		*o = nacre_rmsprop_new((nacre_rmsprop_options){.learning_rate = o->learning_rate});
	const struct {
		const char *name;
		double value, low, high;
	} numbers[] = {
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
	};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!(numbers[i].value >= numbers[i].low && numbers[i].value <= numbers[i].high))
			return nc_fail(e, NACRE_INVALID, "%s: %s: expected %g to %g, got %g",
				       o->kind->name, numbers[i].name, numbers[i].low,
				       numbers[i].high, numbers[i].value);
	if ((o->clipnorm != 0) + (o->clipvalue != 0) + (o->global_clipnorm != 0) > 1)
		return nc_fail(e, NACRE_INVALID,
			       "%s: expected only one of clipnorm, clipvalue and global_clipnorm",
			       o->kind->name);
	return NACRE_OK;
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
	nacre_node *limit = nacre_scalar(square_length->graph, NACRE_F32, c);
	return nacre_divide(limit, nacre_maximum(nacre_sqrt(square_length), limit));
}

void nc_optimizer_clip(const nacre_optimizer *o, int n, nacre_node **g)
{
	nacre_node *total = NULL;
	for (int i = 0; i < n && o->global_clipnorm != 0; i++)
		total = total ? nacre_plus(total, square_sum(g[i])) : square_sum(g[i]);
	nacre_node *global = total ? shrink(total, o->global_clipnorm) : NULL;
	for (int i = 0; i < n; i++) {
		if (o->clipvalue != 0)
			g[i] = nacre_clip(g[i], -o->clipvalue, o->clipvalue);
		else if (o->clipnorm != 0)
			g[i] = nacre_times(g[i], shrink(square_sum(g[i]), o->clipnorm));
		else if (o->global_clipnorm != 0)
			g[i] = nacre_times(g[i], global);
	}
}
