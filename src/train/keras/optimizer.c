/* SPDX-License-Identifier: MIT
 *
 * optimizer.c - optimizers and schedules in a config, both ways.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/optimizer_options.h"
#include "train/keras/keras.h"

/* -- schedules --------------------------------------------------------------------------------- */
/* A list of numbers into out[0 .. most-1]; how many, or -1. */
static int read_list(nc_keras *k, const nc_json_value *config, const char *key, double *out,
		     int most)
{
	const nc_json_value *v = nc_json_as(nc_json_get(config, key), NC_JSON_ARRAY);
	int n = 0;
	for (const nc_json_value *i = v ? v->first : NULL; i; i = i->next) {
		if (i->kind != NC_JSON_NUMBER || n == most)
			v = NULL;
		else
			out[n++] = i->number;
		if (!v)
			break;
	}
	if (v)
		return n;
	nc_keras_fail(k, NACRE_UNSUPPORTED, "%s: expected a list of at most %d numbers, got %s",
		      key, most, nc_json_show(nc_json_get(config, key)).text);
	return -1;
}

static bool read_pieces(nc_keras *k, const nc_json_value *config, nacre_schedule *s)
{
	int n = read_list(k, config, "boundaries", s->boundary, NACRE_MAX_BOUNDARIES);
	int values =
	    n < 0 ? -1 : read_list(k, config, "values", s->value, NACRE_MAX_BOUNDARIES + 1);
	s->n_boundaries = n;
	s->initial_learning_rate = s->value[0];
	if (values >= 0 && values != n + 1)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "values: expected %d numbers, got %d",
				     n + 1, values);
	return values >= 0;
}

static bool read_schedule(nc_keras *k, const nc_json_value *v, nacre_schedule *out)
{
	static const nc_keras_harmless lists[] = {
	    {"boundaries", NULL}, {"values", NULL}, {NULL, NULL}};
	const char *name;
	const nc_json_value *config;
	nc_schedule_kind row;
	size_t i = 0;
	if (!nc_keras_class(k, v, "schedule", &name, &config))
		return false;
	while (nc_schedule_kind_at(i, &row) && strcmp(row.keras, name) != 0)
		i++;
	if (!nc_schedule_kind_at(i, &row))
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "unknown schedule \"%.60s\"", name);
	if (!nc_json_as(config, NC_JSON_OBJECT))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "schedule: it has no config");
	*out = row.fresh;
	return nc_keras_options(k, row.options, out, config,
				row.options == nc_schedule_pieces ? lists : NULL) &&
	       (row.options != nc_schedule_pieces || read_pieces(k, config, out));
}

static void write_list(nc_json_out *w, const char *key, const double *value, int n)
{
	nc_json_open(w, key, '[');
	for (int i = 0; i < n; i++)
		nc_json_put_number(w, NULL, value[i]);
	nc_json_close(w, ']');
}

static bool write_schedule(const nacre_schedule *s, nc_json_out *w, nacre_error *e)
{
	nc_schedule_kind row;
	size_t i = 0;
	while (nc_schedule_kind_at(i, &row) && row.fresh.function != s->function)
		i++;
	if (!nc_schedule_kind_at(i, &row)) {
		nc_fail(e, NACRE_UNSUPPORTED, "a schedule of one's own cannot be saved");
		return false;
	}
	nc_keras_write_class(w, "learning_rate", "keras.optimizers.schedules", row.keras);
	for (const nc_option *o = row.options; o->name; o++) {
		double value = nc_option_number(o, (const char *)s + o->offset);
		if (o->kind == NC_OPTION_BOOL)
			nc_json_put_bool(w, nc_keras_option_name(o), value != 0);
		else if (strcmp(o->name, "warmup_target") == 0 && value == 0)
			nc_json_put_null(w, o->name);
		else
			nc_json_put_number(w, nc_keras_option_name(o), value);
	}
	if (row.options == nc_schedule_pieces) {
		write_list(w, "boundaries", s->boundary, s->n_boundaries);
		write_list(w, "values", s->value, s->n_boundaries + 1);
	}
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

/* -- optimizers -------------------------------------------------------------------------------- */
static const nc_keras_harmless off[] = {
    {"learning_rate", NULL}, /* read apart */
    {"use_ema", "false"},
    {"amsgrad", "false"},
    {"momentum", "0"},
    {"decay", "0"},
    {"initial_decay", "0"},
    {"jit_compile", NULL},
    {"is_legacy_optimizer", NULL},
    {"relative_step", "true"},
    {"exclude_layers", "[]"},
    {"exclude_embeddings", "true"},
    {NULL, NULL},
};

/* "RMSprop" is "rmsprop" here; some files of Keras 2 say "Custom>RMSprop". */
static nacre_optimizer named(const char *class)
{
	char name[NC_NAME_SIZE];
	size_t n = 0;
	if (strncmp(class, "Custom>", 7) == 0)
		class += 7;
	for (; class[n] && n + 1 < sizeof name; n++)
		name[n] =
		    class[n] >= 'A' && class[n] <= 'Z' ? (char)(class[n] - 'A' + 'a') : class[n];
	name[n] = 0;
	return nacre_optimizer_named(name);
}

/* -- LossScaleOptimizer: one around another ---------------------------------------------------- */
static bool read_plain(nc_keras *k, const nc_json_value *v, nacre_optimizer *out);

/* What the inner one says of a scale is not used, as in Keras. */
static bool read_scaled(nc_keras *k, const nc_json_value *config, nacre_optimizer *out)
{
	static const nc_keras_harmless also[] = {{"inner_optimizer", NULL}, {"dynamic", "true"},
						 {"use_ema", "false"},      {"ema_momentum", NULL},
						 {"learning_rate", NULL},   {NULL, NULL}};
	const nc_json_value *inner = nc_json_get(config, "inner_optimizer");
	nacre_optimizer scale = {.dynamic_loss_scale = 1};
	if (!nc_json_as(inner, NC_JSON_OBJECT) && !nc_json_as(inner, NC_JSON_STRING))
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "inner_optimizer: expected an optimizer, got %s",
				     nc_json_show(inner).text);
	if (!read_plain(k, inner, out) ||
	    !nc_keras_options(k, nc_scaling_options, &scale, config, also))
		return false;
	out->loss_scale_factor = 0;
	out->dynamic_loss_scale = 1;
	out->initial_scale = scale.initial_scale > 0 ? scale.initial_scale : 32768;
	out->dynamic_growth_steps = scale.dynamic_growth_steps ? scale.dynamic_growth_steps : 2000;
	return true;
}

bool nc_keras_read_optimizer(nc_keras *k, const nc_json_value *v, nacre_optimizer *out)
{
	const char *name;
	const nc_json_value *config;
	if (!nc_json_is(nc_json_get(v, "class_name"), NC_KERAS_SCALED))
		return read_plain(k, v, out);
	return nc_keras_class(k, v, "optimizer", &name, &config) && read_scaled(k, config, out);
}

static bool read_plain(nc_keras *k, const nc_json_value *v, nacre_optimizer *out)
{
	const char *name = NULL;
	const nc_json_value *config = NULL;
	const nc_optimizer_field *field;
	nc_option table[NC_MOST_FIELDS + 1];
	if (v->kind == NC_JSON_STRING)
		name = v->text.data;
	else if (!nc_keras_class(k, v, "optimizer", &name, &config))
		return false;
	*out = named(name);
	if (!out->kind)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "unknown optimizer \"%.60s\"", name);
	if (!nc_json_as(config, NC_JSON_OBJECT))
		return true;
	out->weight_decay = 0; /* null is none, also where there is a default */
	size_t n = 0;
	for (size_t i = 0; (field = nc_optimizer_field_at(i)); i++)
		if (nc_optimizer_field_is_of(field, out))
			table[n++] = field->option;
	table[n] = (nc_option)NC_OPT_END;
	const nc_json_value *rate = nc_json_get(config, "learning_rate");
	if (nc_json_as(rate, NC_JSON_NUMBER))
		out->learning_rate = rate->number;
	else if (rate && rate->kind != NC_JSON_NULL && !read_schedule(k, rate, &out->schedule))
		return false;
	return nc_keras_options(k, table, out, config, off);
}

static void write_field(const nc_optimizer_field *field, const nacre_optimizer *o, nc_json_out *w)
{
	const nc_option *f = &field->option;
	const char *key = nc_keras_option_name(f);
	double value = nc_option_number(f, (const char *)o + f->offset);
	bool opposite = f->keras && f->keras[0] == '!';
	if (value == NACRE_ZERO)
		value = 0;
	if (value == 0 && field->none)
		nc_json_put_null(w, key);
	else if (f->kind == NC_OPTION_BOOL)
		nc_json_put_bool(w, key, (value != 0) != opposite);
	else if (f->kind == NC_OPTION_F64)
		nc_json_put_number(w, key, value);
	else
		nc_json_put_whole(w, key, (int64_t)value);
}

static bool write_plain(const nacre_model *m, const char *key, nc_json_out *w, nacre_error *e)
{
	const nacre_optimizer *o = &m->how.optimizer;
	const nc_optimizer_field *field;
	nc_keras_write_class(w, key, "keras.optimizers", o->kind->keras);
	nc_json_put_text(w, "name", o->kind->name);
	if (!o->schedule.function)
		nc_json_put_number(w, "learning_rate", m->learning_rate);
	else if (!write_schedule(&o->schedule, w, e))
		return false;
	for (size_t i = 0; (field = nc_optimizer_field_at(i)); i++)
		if (nc_optimizer_field_is_of(field, o))
			write_field(field, o, w);
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

bool nc_keras_write_optimizer(const nacre_model *m, nc_json_out *w, nacre_error *e)
{
	const nacre_optimizer *o = &m->how.optimizer;
	if (!o->dynamic_loss_scale)
		return write_plain(m, "optimizer", w, e);
	nc_keras_write_class(w, "optimizer", "keras.optimizers", NC_KERAS_SCALED);
	nc_json_put_text(w, "name", NC_KERAS_SCALED_NAME);
	if (!write_plain(m, "inner_optimizer", w, e))
		return false;
	nc_json_put_number(w, "initial_scale", o->initial_scale);
	nc_json_put_whole(w, "dynamic_growth_steps", o->dynamic_growth_steps);
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

/* -- slots ------------------------------------------------------------------------------------- */
/* Keras keeps all averages, then all accumulated gradients, then the slots of its kind: of a weight
 * together, but of some all of one sort after all of another. */
int nc_keras_slot_group(const nacre_optimizer *o, int s)
{
	if (s == nc_optimizer_average(o))
		return 0;
	if (s == nc_optimizer_accumulator(o))
		return 1;
	if (strcmp(o->kind->name, "rmsprop") == 0)
		return 2 + s;
	bool largest = s == 2 && strncmp(o->kind->name, "adam", 4) == 0; /* of amsgrad */
	return largest ? 3 : 2;
}

/* Muon keeps the second moment only of what is left to Adam; gradients live within a step. */
bool nc_keras_slot_is_kept(const nacre_optimizer *o, const nacre_variable *v, int s)
{
	if (s == nc_optimizer_gradient(o))
		return false;
	/* Adafactor's idle vectors are not tracked where a loss scale is around it */
	if (o->dynamic_loss_scale && v->rank < 2 && nc_keras_slot_is_idle(o, v, s))
		return false;
	if (strcmp(o->kind->name, "muon") != 0 || s != 1)
		return true;
	return nc_optimizer_for(o, nacre_variable_name(v), v->rank).ns_steps == 0;
}

bool nc_keras_slot_is_idle(const nacre_optimizer *o, const nacre_variable *v, int s)
{
	return strcmp(o->kind->name, "adafactor") == 0 && s < o->kind->slots(o) &&
	       (v->rank < 2) != (s == 2);
}

/* Nadam has one number more, after all: u_1 u_2 ... u_t, u_i = beta_1 (1 - 0.96^i / 2). */
bool nc_keras_slot_after(const nacre_optimizer *o, int64_t t, double *out)
{
	*out = 1;
	if (strcmp(o->kind->name, "nadam") != 0)
		return false;
	for (int64_t i = 1; i <= t && *out > 1e-40; i++)
		*out *= o->beta_1 * (1 - 0.5 * pow(0.96, (double)i));
	return true;
}
