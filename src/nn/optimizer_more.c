/* SPDX-License-Identifier: MIT
 *
 * optimizer_more.c - the optimizers that are composed of ops: from Adagrad to Muon.
 *
 * A rule gives the new weight and the new slots as nodes; where it works on each number by itself
 * it is also one op, which needs no second walk over memory.  What depends on the step alone comes
 * in as rates, computed in double.
 */
#include <math.h>
#include <string.h>

#include "nn/optimizer.h"

#define NEXT(name)                                                                                 \
	static nacre_node *name(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,  \
				nacre_node *g, nacre_node *const *rate, nacre_node **kept)

#define UPDATE(name)                                                                               \
	static nacre_node *name(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,  \
				nacre_node *g, nacre_node *rate)

static int one_slot(const nacre_optimizer *o)
{
	(void)o;
	return 1;
}

static int two_slots(const nacre_optimizer *o)
{
	(void)o;
	return 2;
}

static int three_slots(const nacre_optimizer *o)
{
	(void)o;
	return 3;
}

static void plain_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	(void)o, (void)t;
	rate[0] = rate[1] = lr;
}

/* -- small parts ------------------------------------------------------------------------------- */
/* beta a + (1 - beta) b */
static nacre_node *mix(nacre_node *a, nacre_node *b, double beta)
{
	return nacre_plus(nacre_scale(a, beta), nacre_scale(b, 1 - beta));
}

/* a / (sqrt(b) + epsilon) */
static nacre_node *over_root(nacre_node *a, nacre_node *b, double epsilon)
{
	return nacre_divide(a, nacre_add_number(nacre_sqrt(b), epsilon));
}

static nacre_node *less(nacre_node *w, nacre_node *step, nacre_node *rate)
{
	return nacre_minus(w, nacre_times(step, rate));
}

static nacre_node *number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}

static nacre_node *length(nacre_node *x)
{
	return nacre_sqrt(nacre_sum(nacre_square(x), NACRE_ALL_AXES, false));
}

/* -- sums of squares --------------------------------------------------------------------------- */
UPDATE(adagrad_update)
{
	double abc[3] = {0, 0, o->epsilon};
	return nacre_update(NACRE_UPDATE_ADAGRAD, w, slot[0], NULL, g, rate, abc,
			    o->weight_decay);
}

NEXT(adagrad)
{
	kept[0] = nacre_plus(slot[0], nacre_square(g));
	nacre_node *root = nacre_sqrt(nacre_add_number(kept[0], o->epsilon));
	return less(w, nacre_divide(g, root), rate[0]);
}

UPDATE(adadelta_update)
{
	double abc[3] = {o->rho, 0, o->epsilon};
	return nacre_update(NACRE_UPDATE_ADADELTA, w, slot[0], slot[1], g, rate, abc,
			    o->weight_decay);
}

NEXT(adadelta)
{
	kept[0] = mix(slot[0], nacre_square(g), o->rho);
	nacre_node *step = nacre_sqrt(nacre_add_number(slot[1], o->epsilon));
	step = nacre_times(step, g);
	step = nacre_divide(step, nacre_sqrt(nacre_add_number(kept[0], o->epsilon)));
	kept[1] = mix(slot[1], nacre_square(step), o->rho);
	return less(w, step, rate[0]);
}

/* x^-power, the usual one without powf */
static nacre_node *raised(nacre_node *x, double power)
{
	return power == -0.5 ? nacre_sqrt(x) : nacre_pow(x, number(x, -power));
}

/* rate[2] = 1 / lr, rate[3] = 2 l2 + beta / lr */
UPDATE(ftrl_update)
{
	double abc[3] = {o->l1, o->l2_shrinkage, 0};
	return nacre_update(NACRE_UPDATE_FTRL, w, slot[0], slot[1], g, rate, abc,
			    o->weight_decay);
}

NEXT(ftrl)
{
	nacre_node *sum = kept[0] = nacre_plus(slot[0], nacre_square(g));
	nacre_node *after = nacre_times(raised(sum, o->power), rate[2]);
	nacre_node *before = nacre_times(raised(slot[0], o->power), rate[2]);
	if (o->l2_shrinkage != 0)
		g = nacre_plus(g, nacre_scale(w, 2 * o->l2_shrinkage));
	nacre_node *z = nacre_plus(slot[1], g);
	z = kept[1] = nacre_minus(z, nacre_times(nacre_minus(after, before), w));
	nacre_node *short_of = nacre_minus(nacre_clip(z, -o->l1, o->l1), z);
	return nacre_divide(short_of, nacre_plus(after, rate[3]));
}

static void ftrl_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	(void)t;
	double some = fmax(lr, 1e-30);
	rate[0] = rate[1] = lr;
	rate[2] = 1 / some;
	rate[3] = 2 * o->l2 + o->beta / some;
}

/* -- kin of Adam ------------------------------------------------------------------------------- */
UPDATE(adamax_update)
{
	double abc[3] = {o->beta_1, o->beta_2, o->epsilon};
	return nacre_update(NACRE_UPDATE_ADAMAX, w, slot[0], slot[1], g, rate, abc,
			    o->weight_decay);
}

NEXT(adamax)
{
	kept[0] = mix(slot[0], g, o->beta_1);
	kept[1] = nacre_maximum(nacre_scale(slot[1], o->beta_2), nacre_abs(g));
	nacre_node *step = nacre_divide(kept[0], nacre_add_number(kept[1], o->epsilon));
	return less(w, step, rate[0]);
}

static void adamax_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	rate[0] = lr / nc_rest_of_power(o->beta_1, t);
	rate[1] = lr;
}

/* rate[0], rate[2]: of m and of g; rate[3] = 1 / (1 - beta_2^t) */
UPDATE(nadam_update)
{
	double abc[3] = {o->beta_1, o->beta_2, o->epsilon};
	return nacre_update(NACRE_UPDATE_NADAM, w, slot[0], slot[1], g, rate, abc,
			    o->weight_decay);
}

NEXT(nadam)
{
	kept[0] = mix(slot[0], g, o->beta_1);
	kept[1] = mix(slot[1], nacre_square(g), o->beta_2);
	nacre_node *m = nacre_plus(nacre_times(kept[0], rate[0]), nacre_times(g, rate[2]));
	return nacre_minus(w, over_root(m, nacre_times(kept[1], rate[3]), o->epsilon));
}

static void nadam_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	double product = 1, u = 0, power = 1;
	/* far out the product is 0 beside 1 */
	for (int64_t i = 1; i <= t && product > 1e-20; i++) {
		power *= 0.96;
		u = o->beta_1 * (1 - 0.5 * power);
		product *= u;
	}
	u = o->beta_1 * (1 - 0.5 * pow(0.96, (double)t));
	double next = o->beta_1 * (1 - 0.5 * pow(0.96, (double)t + 1));
	rate[0] = lr * next / (1 - product * next);
	rate[1] = lr;
	rate[2] = lr * (1 - u) / (1 - product);
	rate[3] = 1 / nc_rest_of_power(o->beta_2, t);
}

UPDATE(lion_update)
{
	double abc[3] = {o->beta_1, o->beta_2, 0};
	return nacre_update(NACRE_UPDATE_LION, w, slot[0], NULL, g, rate, abc,
			    o->weight_decay);
}

NEXT(lion)
{
	kept[0] = mix(slot[0], g, o->beta_2);
	return less(w, nacre_sign(mix(slot[0], g, o->beta_1)), rate[0]);
}

/* rate[2], rate[3]: 1 / (1 - beta^t) of both */
NEXT(lamb)
{
	kept[0] = mix(slot[0], g, o->beta_1);
	kept[1] = mix(slot[1], nacre_square(g), o->beta_2);
	nacre_node *step =
	    over_root(nacre_times(kept[0], rate[2]), nacre_times(kept[1], rate[3]), o->epsilon);
	nacre_node *a = length(w), *b = length(step), *zero = number(w, 0), *one = number(w, 1);
	nacre_node *some = nacre_logical_and(nacre_greater(a, zero), nacre_greater(b, zero));
	nacre_node *ratio = nacre_divide(a, nacre_select(some, b, one));
	ratio = nacre_select(some, ratio, one);
	return less(w, step, nacre_times(ratio, rate[0]));
}

static void lamb_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	rate[0] = rate[1] = lr;
	rate[2] = 1 / nc_rest_of_power(o->beta_1, t);
	rate[3] = 1 / nc_rest_of_power(o->beta_2, t);
}

/* z = slot[0]; rate[0]: with warm-up, rate[2] = 1 / (1 - beta_2^t), rate[3] = 1 / t */
UPDATE(schedule_free_update)
{
	double abc[3] = {o->beta_1, o->beta_2, o->epsilon};
	return nacre_update(NACRE_UPDATE_SCHEDULE_FREE, w, slot[0], slot[1], g, rate, abc,
			    o->weight_decay);
}

NEXT(schedule_free)
{
	double b = o->beta_1;
	kept[1] = mix(slot[1], nacre_square(g), o->beta_2);
	nacre_node *step = over_root(g, nacre_times(kept[1], rate[2]), o->epsilon);
	nacre_node *z = kept[0] = less(slot[0], step, rate[0]);
	nacre_node *x = nacre_scale(nacre_minus(w, nacre_scale(slot[0], 1 - b)), 1 / b);
	x = nacre_plus(x, nacre_times(nacre_minus(z, x), rate[3]));
	return mix(x, z, b);
}

static void schedule_free_rates(const nacre_optimizer *o, double lr, int64_t t,
				double rate[NC_RATES])
{
	double warm = o->warmup_steps > 0 ? fmin((double)t / (double)o->warmup_steps, 1) : 1;
	rate[0] = lr * warm;
	rate[1] = lr;
	rate[2] = 1 / nc_rest_of_power(o->beta_2, t);
	rate[3] = 1 / (double)t;
}

/* -- Adafactor ----------------------------------------------------------------------------------
 */
/* slots: means over columns and over rows of a matrix; of a vector all squares */
static int adafactor_shape(int s, int rank, const int64_t *shape, int64_t *out)
{
	bool vector = rank < 2;
	if (vector != (s == 2)) { /* not used */
		out[0] = 1;
		return 1;
	}
	memcpy(out, shape, (size_t)rank * sizeof *out);
	if (s == 1)
		out[rank - 2] = shape[rank - 1];
	return vector ? rank : rank - 1;
}

static nacre_node *root_mean_square(nacre_node *x)
{
	return nacre_sqrt(nacre_mean(nacre_square(x), NACRE_ALL_AXES, false));
}

/* b a + (1 - b) x = x + b (a - x) */
static nacre_node *mix_by(nacre_node *a, nacre_node *x, nacre_node *b)
{
	return nacre_plus(x, nacre_times(nacre_minus(a, x), b));
}

/* The step is u = g / sqrt(v), times k.  Of a matrix v is the product of a column r and a row c:
 * the roots are taken of these, and k goes to r. */
NEXT(adafactor)
{
	nacre_node *square = nacre_add_number(nacre_square(g), o->epsilon_1), *u;
	nacre_node *r = NULL, *c = NULL;
	if (!w || !g || !square)
		return NULL;
	if (w->rank >= 2) {
		nacre_node *rows = nacre_mean(square, NACRE_LAST_AXIS, false);
		nacre_node *columns = nacre_mean(square, NACRE_AXIS(w->rank - 2), false);
		r = kept[0] = mix_by(slot[0], rows, rate[2]);
		c = kept[1] = mix_by(slot[1], columns, rate[2]);
		r = nacre_divide(r, nacre_mean(r, NACRE_LAST_AXIS, true));
		r = nacre_expand_dims(nacre_rsqrt(r), -1);
		c = nacre_expand_dims(nacre_rsqrt(c), -2);
		u = nacre_times(nacre_times(g, r), c);
	} else {
		kept[2] = mix_by(slot[2], square, rate[2]);
		u = nacre_divide(g, nacre_sqrt(kept[2]));
	}
	nacre_node *large = nacre_scale(root_mean_square(u), 1 / o->clip_threshold);
	nacre_node *size = nacre_maximum(root_mean_square(w), number(w, o->epsilon_2));
	nacre_node *k = nacre_times(size, rate[0]);
	k = nacre_divide(k, nacre_maximum(large, number(w, 1)));
	return r ? less(w, nacre_times(g, nacre_times(r, k)), c) : less(w, u, k);
}

static void adafactor_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	rate[0] = fmin(lr, 1 / sqrt((double)t));
	rate[1] = lr;
	rate[2] = 1 - pow((double)t, o->beta_2_decay);
}

/* -- Muon ---------------------------------------------------------------------------------------
 */
/* Newton and Schulz's iteration towards the nearest matrix with orthogonal rows. */
static nacre_node *orthogonal(const nacre_optimizer *o, nacre_node *x)
{
	bool tall = x && x->shape[0] > x->shape[1];
	if (tall)
		x = nacre_transpose(x, (int[]){1, 0});
	x = nacre_divide(x, nacre_add_number(length(x), 1e-7));
	for (int i = 0; i < o->ns_steps && x; i++) {
		nacre_node *a = nacre_matmul_transposed(x, x, false, true);
		nacre_node *b = nacre_plus(nacre_scale(a, o->muon_b),
					   nacre_scale(nacre_matmul(a, a), o->muon_c));
		x = nacre_plus(nacre_scale(x, o->muon_a), nacre_matmul(b, x));
	}
	return tall ? nacre_transpose(x, (int[]){1, 0}) : x;
}

/* Adam where nc_optimizer_for() left no steps; rate[2] = its bias-corrected rate */
NEXT(muon)
{
	if (!w || !g)
		return NULL;
	if (o->ns_steps == 0) {
		kept[0] = mix(slot[0], g, o->beta_1);
		kept[1] = mix(slot[1], nacre_square(g), o->beta_2);
		return less(w, over_root(kept[0], kept[1], o->epsilon), rate[2]);
	}
	kept[0] = nacre_plus(nacre_scale(slot[0], o->momentum), g);
	nacre_node *x = kept[0];
	if (!o->no_nesterov)
		x = nacre_plus(g, nacre_scale(kept[0], o->momentum));
	double longer = (double)nc_max(w->shape[0], w->shape[1]);
	x = nacre_scale(orthogonal(o, x), sqrt(longer) * o->rms_rate);
	return less(w, x, rate[0]);
}

static void muon_rates(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES])
{
	rate[0] = rate[1] = lr;
	rate[2] = lr * o->adam_lr_ratio * sqrt(nc_rest_of_power(o->beta_2, t)) /
		  nc_rest_of_power(o->beta_1, t);
}

/* -- the table ----------------------------------------------------------------------------------
 */
#define MOMENTS .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7
const nc_optimizer_kind nc_more_kinds[] = {
    {.name = "adagrad",
     .keras = "Adagrad",
     .defaults = {.learning_rate = 0.001, .initial = 0.1, .epsilon = 1e-7},
     .slot = {"accumulator"},
     .slots = one_slot,
     .rates = plain_rates,
     .four = true,
     .update = adagrad_update,
     .next = adagrad},
    {.name = "adadelta",
     .keras = "Adadelta",
     .defaults = {.learning_rate = 0.001, .rho = 0.95, .epsilon = 1e-7},
     .slot = {"accumulated_grad", "accumulated_delta_var"},
     .slots = two_slots,
     .rates = plain_rates,
     .four = true,
     .update = adadelta_update,
     .next = adadelta},
    {.name = "adamax",
     .keras = "Adamax",
     .defaults = {.learning_rate = 0.001, MOMENTS},
     .slot = {"momentum", "norm"},
     .slots = two_slots,
     .rates = adamax_rates,
     .four = true,
     .update = adamax_update,
     .next = adamax},
    {.name = "nadam",
     .keras = "Nadam",
     .defaults = {.learning_rate = 0.001, MOMENTS},
     .slot = {"momentum", "velocity"},
     .slots = two_slots,
     .rates = nadam_rates,
     .four = true,
     .update = nadam_update,
     .next = nadam},
    {.name = "lion",
     .keras = "Lion",
     .defaults = {.learning_rate = 0.001, .beta_1 = 0.9, .beta_2 = 0.99},
     .slot = {"momentum"},
     .slots = one_slot,
     .rates = plain_rates,
     .four = true,
     .update = lion_update,
     .next = lion},
    {.name = "lamb",
     .keras = "Lamb",
     .defaults = {.learning_rate = 0.001, MOMENTS},
     .slot = {"momentum", "velocity"},
     .slots = two_slots,
     .rates = lamb_rates,
     .next = lamb},
    {.name = "ftrl",
     .keras = "Ftrl",
     .defaults = {.learning_rate = 0.001, .power = -0.5, .initial = 0.1},
     .slot = {"accumulator", "linear"},
     .slots = two_slots,
     .rates = ftrl_rates,
     .four = true,
     .update = ftrl_update,
     .next = ftrl},
    {.name = "adafactor",
     .keras = "Adafactor",
     .defaults = {.learning_rate = 0.001,
		  .beta_2_decay = -0.8,
		  .epsilon_1 = 1e-30,
		  .epsilon_2 = 1e-3,
		  .clip_threshold = 1},
     .slot = {"row", "column", "velocity"},
     .slots = three_slots,
     .rates = adafactor_rates,
     .next = adafactor,
     .shape = adafactor_shape},
    {.name = "muon",
     .keras = "Muon",
     .defaults = {.learning_rate = 0.001,
		  .weight_decay = 0.004,
		  .momentum = 0.95,
		  MOMENTS,
		  .muon_a = 3.4445,
		  .muon_b = -4.775,
		  .muon_c = 2.0315,
		  .rms_rate = 0.2,
		  .adam_lr_ratio = 1,
		  .adam_weight_decay = 0.004,
		  .ns_steps = 5},
     .slot = {"momentum", "velocity"},
     .slots = two_slots,
     .rates = muon_rates,
     .next = muon},
    {.name = "schedule_free_adamw",
     .keras = "ScheduleFreeAdamW",
     .defaults = {.learning_rate = 0.0025, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-8},
     .slot = {"momentum", "velocity"},
     .slots = two_slots,
     .rates = schedule_free_rates,
     .four = true,
     .update = schedule_free_update,
     .next = schedule_free,
     .copies = true},
};
const int nc_n_more_kinds = sizeof nc_more_kinds / sizeof *nc_more_kinds;

enum { ADAGRAD, ADADELTA, ADAMAX, NADAM, LION, LAMB, FTRL, ADAFACTOR, MUON, SCHEDULE_FREE };
#define NEW(name, kind)                                                                            \
	nacre_optimizer name(nacre_optimizer o)                                                    \
	{                                                                                          \
		return nc_optimizer_new(&nc_more_kinds[kind], o);                                  \
	}
NEW(nacre_adagrad_new, ADAGRAD)
NEW(nacre_adadelta_new, ADADELTA)
NEW(nacre_adamax_new, ADAMAX)
NEW(nacre_nadam_new, NADAM)
NEW(nacre_lion_new, LION)
NEW(nacre_lamb_new, LAMB)
NEW(nacre_ftrl_new, FTRL)
NEW(nacre_adafactor_new, ADAFACTOR)
NEW(nacre_muon_new, MUON)
NEW(nacre_schedule_free_adamw_new, SCHEDULE_FREE)
