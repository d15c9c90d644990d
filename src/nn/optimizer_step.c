/* SPDX-License-Identifier: MIT
 *
 * optimizer_step.c - a step on one weight: its slots, what it is exempt from, and its effects.
 */
#include <string.h>

#include "nn/optimizer.h"

/* -- slots: of the kind, then the average, the accumulated gradient, the gradient ---- */
int nc_optimizer_average(const nacre_optimizer *o)
{
	return o->use_ema ? o->kind->slots(o) : -1;
}

int nc_optimizer_accumulator(const nacre_optimizer *o)
{
	return o->gradient_accumulation_steps > 1 ? o->kind->slots(o) + (o->use_ema != 0) : -1;
}

int nc_optimizer_gradient(const nacre_optimizer *o)
{
	return o->dynamic_loss_scale ? nc_optimizer_slots(o) - 1 : -1;
}

int nc_optimizer_slots(const nacre_optimizer *o)
{
	return o->kind->slots(o) + (o->use_ema != 0) + (o->gradient_accumulation_steps > 1) +
	       (o->dynamic_loss_scale != 0);
}

const char *nc_optimizer_slot_name(const nacre_optimizer *o, int s)
{
	if (s == nc_optimizer_average(o))
		return "average";
	if (s == nc_optimizer_accumulator(o))
		return "gradient_accumulator";
	if (s == nc_optimizer_gradient(o))
		return "gradient";
	/* rmsprop's average of gradients comes second where there is no momentum */
	bool second = s == 1 && o->centered && o->momentum == 0 && o->kind->slot[2];
	return o->kind->slot[second ? 2 : s];
}

int nc_optimizer_slot_shape(const nacre_optimizer *o, int s, int rank, const int64_t *shape,
			    int64_t *out)
{
	if (o->kind->shape && s < o->kind->slots(o))
		return o->kind->shape(s, rank, shape, out);
	if (rank)
		memcpy(out, shape, (size_t)rank * sizeof *out);
	return rank;
}

bool nc_optimizer_slot_start(const nacre_optimizer *o, int s, double *value)
{
	*value = s == 0 ? o->initial : 0;
	return s != 0 || !o->kind->copies;
}

/* -- exemptions ----------------------------------------------------------------------------------
 */
static bool holds_any(const char *name, const char *const *parts)
{
	for (int i = 0; i < NACRE_MAX_NO_DECAY && parts[i]; i++)
		if (strstr(name, parts[i]))
			return true;
	return false;
}

nacre_optimizer nc_optimizer_for(const nacre_optimizer *o, const char *name, int rank)
{
	nacre_optimizer own = *o;
	bool muon = strcmp(o->kind->name, "muon") == 0;
	if (muon && (rank != 2 || strstr(name, "embedding") || holds_any(name, o->no_muon))) {
		own.ns_steps = 0;
		own.weight_decay = o->adam_weight_decay;
	}
	if (holds_any(name, o->no_decay))
		own.weight_decay = 0;
	return own;
}

/* -- effects -------------------------------------------------------------------------------------
 */
/* Whether the update is one op. */
static bool is_one_op(const nacre_optimizer *o)
{
	bool root = o->power == 0 || o->power == -0.5; /* of ftrl: what its op has */
	bool more = o->amsgrad || o->centered || (o->kind->next && o->momentum != 0) || !root;
	return o->kind->update && !(o->kind->next && more);
}

int nc_optimizer_rates(const nacre_optimizer *o)
{
	return is_one_op(o) && !o->kind->four ? 2 : NC_RATES;
}

int nc_optimizer_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			nacre_node *g, nacre_node *rate, nacre_node **effect)
{
	if (is_one_op(o)) {
		effect[0] = o->kind->update(o, w, slot, g, rate);
		return 1;
	}
	if (rate && w && rate->dtype != w->dtype)
		rate = nacre_cast(rate, w->dtype);
	nacre_node *rates[NC_RATES], *kept[NC_KIND_SLOTS] = {NULL}, *from = w;
	for (int i = 0; i < NC_RATES; i++)
		rates[i] = nacre_squeeze(nacre_slice_axis(rate, 0, i, i + 1), NACRE_AXIS(0));
	if (o->weight_decay != 0)
		from = nacre_minus(w, nacre_times(nacre_scale(w, o->weight_decay), rates[1]));
	nacre_node *next = o->kind->next(o, from, slot, g, rates, kept);
	int n = 0;
	effect[n++] = nacre_assign(w, next);
	for (int s = 0; s < NC_KIND_SLOTS; s++)
		if (kept[s])
			effect[n++] = nacre_assign(slot[s], kept[s]);
	return n;
}
