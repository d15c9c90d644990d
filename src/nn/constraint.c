/* SPDX-License-Identifier: MIT
 *
 * constraint.c - constraints of weights.
 */
#include "nacre/constraint.h"

#include <stdio.h>
#include <string.h>

#include "nn/layer.h"

#define EPSILON 1e-7
#define ENDING "_constraint" /* of the keys of options */

static nacre_node *lengths(nacre_node *w, const nacre_constraint *c)
{
	unsigned axes = c->axes ? c->axes : w && w->rank ? NACRE_AXIS(0) : NACRE_ALL_AXES;
	return nacre_sqrt(nacre_sum(nacre_square(w), axes, true));
}

/* w * wanted / (length + epsilon) */
static nacre_node *resize(nacre_node *w, nacre_node *length, nacre_node *wanted)
{
	return nacre_times(w, nacre_divide(wanted, nacre_add_number(length, EPSILON)));
}

static nacre_node *norm(nacre_node *w, const nacre_constraint *c)
{
	nacre_node *length = lengths(w, c);
	nacre_node *wanted = nacre_clip(length, c->low, c->high);
	if (c->rate != 1)
		wanted = nacre_plus(nacre_scale(wanted, c->rate), nacre_scale(length, 1 - c->rate));
	return resize(w, length, wanted);
}

static nacre_node *unit(nacre_node *w, const nacre_constraint *c)
{
	return nacre_divide(w, nacre_add_number(lengths(w, c), EPSILON));
}

static nacre_node *positive(nacre_node *w, const nacre_constraint *c)
{
	(void)c;
	return nacre_relu(w);
}

nacre_constraint nacre_max_norm(double max, unsigned axes)
{
	return (nacre_constraint){norm, 0, max != 0 ? max : 2, 1, axes, NULL};
}

nacre_constraint nacre_min_max_norm(double low, double high, double rate, unsigned axes)
{
	return (nacre_constraint){norm, low, high != 0 ? high : 1, rate != 0 ? rate : 1,
				  axes, NULL};
}

nacre_constraint nacre_unit_norm(unsigned axes)
{
	return (nacre_constraint){unit, 0, 0, 0, axes, NULL};
}

nacre_constraint nacre_non_neg(void)
{
	return (nacre_constraint){positive, 0, 0, 0, 0, NULL};
}

nacre_layer *nacre_constrain(nacre_layer *l, const char *weight, nacre_constraint c)
{
	if (!l)
		return NULL;
	if (!weight || !*weight || strlen(weight) >= sizeof l->constraint->weight || !c.function)
		nc_layer_refuse(l, "constrain: expected the name of a weight and a constraint");
	else if (l->n_constraints == NC_MAX_CONSTRAINTS)
		nc_layer_refuse(l, "constrain: expected at most %d constraints",
				NC_MAX_CONSTRAINTS);
	else {
		nc_constraint *k = &l->constraint[l->n_constraints++];
		snprintf(k->weight, sizeof k->weight, "%s", weight);
		k->constraint = c;
	}
	return l;
}

const char *nc_constraint_name(const nacre_constraint *c)
{
	if (c->function == norm)
		return c->low == 0 && c->rate == 1 ? "MaxNorm" : "MinMaxNorm";
	return c->function == positive ? "NonNeg" : c->function == unit ? "UnitNorm" : NULL;
}

/* Where the key's name is not the weight's: of classes whose name begins so. */
static const struct {
	const char *key, *weight, *class;
} names[] = {
    {"recurrent", "recurrent_kernel", ""},
    {"depthwise", "depthwise_kernel", "Separable"},
    {"depthwise", "kernel", "Depthwise"},
    {"pointwise", "pointwise_kernel", ""},
};
enum { NAMES = sizeof names / sizeof *names };

static bool is_row(int i, const nacre_layer *l)
{
	return strncmp(l->class->name, names[i].class, strlen(names[i].class)) == 0;
}

const char *nc_constraint_weight(const nacre_layer *l, const char *key, char *out)
{
	snprintf(out, NC_NAME_SIZE, "%.*s", (int)(strlen(key) - strlen(ENDING)), key);
	for (int i = 0; i < NAMES; i++)
		if (strcmp(names[i].key, out) == 0 && is_row(i, l)) {
			snprintf(out, NC_NAME_SIZE, "%s", names[i].weight);
			break;
		}
	return out;
}

const char *nc_constraint_key(const nacre_layer *l, const char *weight, char *out)
{
	for (int i = 0; i < NAMES; i++)
		if (strcmp(names[i].weight, weight) == 0 && is_row(i, l)) {
			weight = names[i].key;
			break;
		}
	snprintf(out, NC_NAME_SIZE, "%s" ENDING, weight);
	return out;
}

void nc_option_constrain(nacre_layer *l, const nc_option *o, const void *field)
{
	char weight[NC_NAME_SIZE];
	nacre_constraint c;
	nacre_regularizer r;
	if (nc_option_is_default(o, field))
		return;
	if (o->kind == NC_OPTION_ACTIVITY) {
		memcpy(&r, field, sizeof r);
		nacre_layer_set_activity_regularizer(l, r);
	} else {
		memcpy(&c, field, sizeof c);
		nacre_constrain(l, nc_constraint_weight(l, o->name, weight), c);
	}
}

/* "kernel" of "dense/kernel" */
static bool is_named(const nc_weight *w, const char *name)
{
	size_t n = strlen(w->name), k = strlen(name);
	return n >= k && strcmp(w->name + n - k, name) == 0 &&
	       (n == k || w->name[n - k - 1] == '/');
}

nacre_node *nc_layer_constrained(const nacre_layer *l, const nc_weight *weight, nacre_node *w)
{
	for (int i = 0; i < l->n_constraints; i++)
		if (is_named(weight, l->constraint[i].weight))
			w = l->constraint[i].constraint.function(w, &l->constraint[i].constraint);
	return w;
}

const char *nc_layer_unknown_constraint(const nacre_layer *l)
{
	for (int i = 0; i < l->n_constraints; i++) {
		bool found = false;
		for (int k = 0; k < l->n_weights; k++)
			found |= is_named(&l->weight[k], l->constraint[i].weight);
		if (!found)
			return l->constraint[i].weight;
	}
	return NULL;
}
