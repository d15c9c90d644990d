/* SPDX-License-Identifier: MIT
 *
 * constraint.c - what every layer may have beside the options of its class: constraints of weights,
 * and a regularizer of its output.
 */
#include <math.h>
#include <string.h>

#include "train/keras/keras.h"

#define ENDING "_constraint"
#define ACTIVITY "activity_regularizer"

static bool is_key(const char *key)
{
	size_t n = strlen(key), k = strlen(ENDING);
	return n > k && strcmp(key + n - k, ENDING) == 0;
}

bool nc_keras_is_constraint(const char *key)
{
	return is_key(key) || strcmp(key, ACTIVITY) == 0;
}

/* -- reading ----------------------------------------------------------------------------------- */
static bool number(nc_keras *k, const nc_json_value *config, const char *key, double *out)
{
	const nc_json_value *v = nc_json_get(config, key);
	if (!v || v->kind == NC_JSON_NULL)
		return true;
	if (v->kind != NC_JSON_NUMBER || !(v->number >= 0 && v->number <= 1e30))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "%s: expected a number of at least 0, got %s", key,
				     nc_json_show(v).text);
	*out = v->number == 0 ? NACRE_ZERO : v->number;
	return true;
}

/* An axis or a list of them, as bits. */
static bool axes(nc_keras *k, const nc_json_value *config, unsigned *out)
{
	const nc_json_value *v = nc_json_get(config, "axis");
	bool list = nc_json_as(v, NC_JSON_ARRAY);
	*out = 0;
	for (const nc_json_value *i = list ? v->first : v; i; i = list ? i->next : NULL) {
		if (i->kind != NC_JSON_NUMBER || !(i->number >= 0 && i->number < NACRE_MAX_RANK) ||
		    i->number != floor(i->number))
			return nc_keras_fail(k, NACRE_UNSUPPORTED, "axis: expected 0 to %d, got %s",
					     NACRE_MAX_RANK - 1, nc_json_show(i).text);
		*out |= NACRE_AXIS((int)i->number);
	}
	return true;
}

static bool read_one(nc_keras *k, const char *key, const nc_json_value *v, nacre_constraint *out)
{
	const char *name;
	char snake[NC_NAME_SIZE];
	const nc_json_value *config = NULL;
	double low = 0, high = 0, rate = 0;
	unsigned bits;
	if (v->kind == NC_JSON_STRING)
		name = v->text.data;
	else if (!nc_keras_class(k, v, key, &name, &config))
		return false;
	nc_keras_snake(snake, name);
	if (!number(k, config, "min_value", &low) || !number(k, config, "max_value", &high) ||
	    !number(k, config, "rate", &rate) || !axes(k, config, &bits))
		return false;
	if (strcmp(snake, "max_norm") == 0)
		*out = nacre_max_norm(high, bits);
	else if (strcmp(snake, "non_neg") == 0)
		*out = nacre_non_neg();
	else if (strcmp(snake, "unit_norm") == 0)
		*out = nacre_unit_norm(bits);
	else if (strcmp(snake, "min_max_norm") == 0)
		*out = nacre_min_max_norm(low, high, rate, bits);
	else
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "%s: unknown constraint \"%.60s\"", key,
				     name);
	return true;
}

bool nc_keras_read_constraints(nc_keras *k, const nc_json_value *config, nacre_layer *l)
{
	for (const nc_json_value *v = config->first; v; v = v->next) {
		char weight[NC_NAME_SIZE];
		nacre_constraint c;
		const char *key = v->key.data;
		if (v->kind == NC_JSON_NULL || !nc_keras_is_constraint(key))
			continue;
		if (!is_key(key)) {
			if (!nc_keras_regularizer(k, key, v, &l->activity))
				return false;
			continue;
		}
		if (!read_one(k, key, v, &c))
			return false;
		nacre_constrain(l, nc_constraint_weight(l, key, weight), c);
	}
	return true;
}

/* -- writing ----------------------------------------------------------------------------------- */
static void put_number(nc_json_out *w, const char *key, double value)
{
	nc_json_put_number(w, key, value == NACRE_ZERO ? 0 : value);
}

static void write_axes(unsigned bits, nc_json_out *w)
{
	nc_json_open(w, "axis", '[');
	for (int i = 0; i < NACRE_MAX_RANK; i++)
		if ((bits ? bits : NACRE_AXIS(0)) & NACRE_AXIS(i))
			nc_json_put_whole(w, NULL, i);
	nc_json_close(w, ']');
}

static bool write_one(const char *key, const nacre_constraint *c, nc_json_out *w)
{
	const char *name = nc_constraint_name(c);
	if (!name)
		return false;
	bool max = strcmp(name, "MaxNorm") == 0, norm = max || strcmp(name, "MinMaxNorm") == 0;
	bool positive = strcmp(name, "NonNeg") == 0;
	nc_keras_write_class(w, key, "keras.constraints", name);
	if (norm && !max)
		put_number(w, "min_value", c->low);
	if (norm)
		put_number(w, "max_value", c->high);
	if (norm && !max)
		put_number(w, "rate", c->rate);
	if (!positive)
		write_axes(c->axes, w);
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

bool nc_keras_write_constraints(const nacre_layer *l, nc_json_out *w, nacre_error *e)
{
	for (int i = 0; i < l->n_constraints; i++) {
		const nc_constraint *c = &l->constraint[i];
		char key[NC_NAME_SIZE];
		nc_constraint_key(l, c->weight, key);
		if (!write_one(key, &c->constraint, w)) {
			nc_fail(e, NACRE_UNSUPPORTED,
				"%s: %s: a constraint of one's own cannot be saved", l->name, key);
			return false;
		}
	}
	const nacre_regularizer *r = &l->activity;
	return (r->l1 == 0 && r->l2 == 0 && !r->function) ||
	       nc_keras_write_regularizer(l->name, ACTIVITY, r, w, e);
}
