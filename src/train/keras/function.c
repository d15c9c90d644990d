/* SPDX-License-Identifier: MIT
 *
 * function.c - activations, initializers and regularizers in a config, both ways.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "train/keras/keras.h"

/* -- names ------------------------------------------------------------------------------------- */
static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

const char *nc_keras_snake(char *out, const char *name)
{
	return nc_snake_case(out, name);
}

const char *nc_keras_camel(char *out, const char *name)
{
	static const char *const exceptions[][2] = {{"kl_divergence", "KLDivergence"}};
	for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
		if (strcmp(exceptions[i][0], name) == 0)
			return exceptions[i][1];
	size_t n = 0;
	for (size_t i = 0; name[i] && n < 60; i++)
		if (name[i] != '_')
			out[n++] = (i == 0 || name[i - 1] == '_') && lower(name[i])
				       ? (char)(name[i] - 'a' + 'A')
				       : name[i];
	out[n] = 0;
	return out;
}

/* -- classes ----------------------------------------------------------------------------------- */
static bool of_keras(const nc_json_value *module)
{
	static const char *const known[] = {"keras", "builtins", "tensorflow.keras",
					    "tensorflow.python.keras", "tf_keras"};
	if (!module || module->kind == NC_JSON_NULL)
		return true;
	for (size_t i = 0; i < sizeof known / sizeof *known && module->kind == NC_JSON_STRING;
	     i++) {
		size_t n = strlen(known[i]);
		if (strncmp(module->text.data, known[i], n) == 0 &&
		    (module->text.data[n] == 0 || module->text.data[n] == '.'))
			return true;
	}
	return false;
}

bool nc_keras_class(nc_keras *k, const nc_json_value *v, const char *what, const char **name,
		    const nc_json_value **config)
{
	if (!nc_json_as(v, NC_JSON_OBJECT))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected an object, got %s", what,
				     nc_json_show(v).text);
	const nc_json_value *class = nc_json_get(v, "class_name");
	const nc_json_value *registered = nc_json_get(v, "registered_name");
	const nc_json_value *module = nc_json_get(v, "module");
	if (!nc_json_as(class, NC_JSON_STRING))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: class_name: expected a text, got %s",
				     what, nc_json_show(class).text);
	*name = class->text.data;
	*config = nc_json_get(v, "config");
	if (nc_json_is(class, "Lambda") || nc_json_is(class, "__lambda__"))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "%s: Lambda is code in a file, which is never run", what);
	if (!of_keras(module))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "%s: %s of module %s is no class of Keras's", what,
				     nc_json_show(class).text, nc_json_show(module).text);
	if (nc_json_as(registered, NC_JSON_STRING) && !nc_json_is(registered, *name) &&
	    !nc_json_is(registered, "function"))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "%s: %s is a class of somebody's own (%s), which this "
				     "program has not registered", what,
				     nc_json_show(class).text, nc_json_show(registered).text);
	return true;
}

/* A function's name: a text, or an object of class "function". */
static bool function_name(nc_keras *k, const char *key, const nc_json_value *v, const char **name,
			  const nc_json_value **config)
{
	*config = NULL;
	if (v->kind == NC_JSON_STRING) {
		*name = v->text.data;
		return true;
	}
	if (!nc_keras_class(k, v, key, name, config))
		return false;
	if (strcmp(*name, "function") == 0 && nc_json_as(*config, NC_JSON_STRING)) {
		*name = (*config)->text.data;
		*config = NULL;
	}
	return true;
}

static bool unknown(nc_keras *k, const char *key, const char *what, const char *name)
{
	return nc_keras_fail(k, NACRE_UNSUPPORTED, "%s: unknown %s \"%.60s\"", key, what, name);
}

bool nc_keras_activation(nc_keras *k, const char *key, const nc_json_value *v,
			 nacre_activation_function **out)
{
	const char *name = "linear";
	const nc_json_value *config = NULL;
	if (v->kind != NC_JSON_NULL && !function_name(k, key, v, &name, &config))
		return false;
	*out = config ? NULL : nacre_activation_named(name);
	return *out || unknown(k, key, "activation", name);
}

/* -- initializers ------------------------------------------------------------------------------ */
#define NUMBER(field, standard)                                                                    \
	NC_OPT_NUMBER(F64, nacre_initializer_options, field, standard, -1e300, 1e300)
static const nc_option no_numbers[] = {NC_OPT_END};
static const nc_option normal[] = {NUMBER(mean, 0), NUMBER(stddev, 0.05), NC_OPT_END};
static const nc_option uniform[] = {NUMBER(minval, 0), NUMBER(maxval, 0), NC_OPT_END};
static const nc_option constant[] = {NUMBER(value, 0), NC_OPT_END};
static const nc_option gain[] = {NUMBER(gain, 1), NC_OPT_END};
#define CHOICE(field, keras, words)                                                                \
	NC_OPT_ALL(CHOICE, nacre_initializer_options, field, 0, 0, 0, words, keras, 0)
static const nc_option scaled[] = {
    NUMBER(scale, 1), CHOICE(fan, "mode", "fan_in|fan_out|fan_avg"),
    CHOICE(distribution, NULL, "truncated_normal|untruncated_normal|uniform"), NC_OPT_END};

/* The numbers that an initializer takes. */
static const nc_option *numbers_of(nacre_initializer_function *f)
{
	const struct {
		nacre_initializer_function *function;
		const nc_option *options;
	} rows[] = {
	    {nacre_random_normal, normal},    {nacre_truncated_normal, normal},
	    {nacre_random_uniform, uniform},  {nacre_constant_value, constant},
	    {nacre_orthogonal, gain},         {nacre_identity, gain},
	    {nacre_variance_scaling, scaled},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].function == f)
			return rows[i].options;
	return no_numbers;
}

/* What Keras 2 wrote for glorot_uniform and the like. */
static nacre_initializer_function *scaling(const nc_json_value *config)
{
	static const struct {
		double scale;
		const char *mode, *distribution, *name;
	} rows[] = {
	    {1, "fan_avg", "uniform", "glorot_uniform"},
	    {1, "fan_avg", "truncated_normal", "glorot_normal"},
	    {1, "fan_avg", "normal", "glorot_normal"},
	    {2, "fan_in", "uniform", "he_uniform"},
	    {2, "fan_in", "truncated_normal", "he_normal"},
	    {2, "fan_in", "normal", "he_normal"},
	    {1, "fan_in", "uniform", "lecun_uniform"},
	    {1, "fan_in", "truncated_normal", "lecun_normal"},
	    {1, "fan_in", "normal", "lecun_normal"},
	};
	const nc_json_value *scale = nc_json_as(nc_json_get(config, "scale"), NC_JSON_NUMBER);
	for (size_t i = 0; i < sizeof rows / sizeof *rows && scale; i++)
		if (rows[i].scale == scale->number &&
		    nc_json_is(nc_json_get(config, "mode"), rows[i].mode) &&
		    nc_json_is(nc_json_get(config, "distribution"), rows[i].distribution))
			return nacre_initializer_named(rows[i].name);
	return NULL;
}

bool nc_keras_initializer(nc_keras *k, const char *key, const nc_json_value *v,
			  nacre_initializer_function **out, nacre_initializer_options *options)
{
	static const nc_keras_harmless also[] = {
	    {"input_axes", NULL}, {"output_axes", NULL}, {NULL, NULL}};
	const char *name;
	char snake[64];
	const nc_json_value *config;
	if (!function_name(k, key, v, &name, &config))
		return false;
	if (strcmp(name, "VarianceScaling") == 0 && (*out = scaling(config)))
		return true;
	*out = nacre_initializer_named(nc_keras_snake(snake, name));
	if (!*out)
		return unknown(k, key, "initializer", name);
	return !nc_json_as(config, NC_JSON_OBJECT) ||
	       nc_keras_options(k, numbers_of(*out), options, config, also);
}

void nc_keras_write_class(nc_json_out *w, const char *key, const char *module, const char *name)
{
	nc_json_open(w, key, '{');
	nc_json_put_text(w, "module", module);
	nc_json_put_text(w, "class_name", name);
	nc_json_open(w, "config", '{');
}

void nc_keras_write_class_end(nc_json_out *w)
{
	nc_json_close(w, '}');
	nc_json_put_null(w, "registered_name");
}

bool nc_keras_write_initializer(const char *layer, const char *key, nacre_initializer_function *f,
				const nacre_initializer_options *o, nc_json_out *w, nacre_error *e)
{
	char camel[64];
	const char *name = nacre_initializer_name(f);
	if (!name) {
		nc_fail(e, NACRE_UNSUPPORTED, "%s: %s: an initializer of one's own cannot be saved",
			layer, key);
		return false;
	}
	nc_keras_write_class(w, key, "keras.initializers", nc_keras_camel(camel, name));
	for (const nc_option *n = numbers_of(f); n->name && o; n++) {
		if (n->kind == NC_OPTION_CHOICE) {
			nc_keras_write_choice(n, (const char *)o + n->offset, w);
			continue;
		}
		double value = nc_option_number(n, (const char *)o + n->offset);
		bool fills = f == nacre_random_uniform && o->minval == 0 && o->maxval == 0;
		if (fills)
			value = strcmp(n->name, "minval") == 0 ? -0.05 : 0.05;
		else if (value == 0)
			value = n->number;
		nc_json_put_number(w, n->name, value == NACRE_ZERO ? 0 : value);
	}
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

/* -- regularizers ------------------------------------------------------------------------------ */
static bool factor(nc_keras *k, const char *key, const nc_json_value *config, const char *name,
		   double *out)
{
	const nc_json_value *v = nc_json_get(config, name);
	if (!v || v->kind == NC_JSON_NULL)
		return true;
	if (v->kind != NC_JSON_NUMBER || !(v->number >= 0))
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "%s: %s: expected a number of at least 0, got %s", key, name,
				     nc_json_show(v).text);
	*out = v->number;
	return true;
}

bool nc_keras_regularizer(nc_keras *k, const char *key, const nc_json_value *v,
			  nacre_regularizer *out)
{
	const char *name;
	char snake[64];
	const nc_json_value *config;
	*out = (nacre_regularizer){0};
	if (!function_name(k, key, v, &name, &config))
		return false;
	nc_keras_snake(snake, name);
	bool l1 = strcmp(snake, "l1") == 0, l2 = strcmp(snake, "l2") == 0;
	bool both = strcmp(snake, "l1_l2") == 0 || strcmp(snake, "l1l2") == 0;
	if (strcmp(snake, "orthogonal_regularizer") == 0) {
		out->orthogonal = 0.01;
		out->columns = nc_json_is(nc_json_get(config, "mode"), "columns");
		return factor(k, key, config, "factor", &out->orthogonal);
	}
	if (!l1 && !l2 && !both)
		return unknown(k, key, "regularizer", name);
	out->l1 = l1 || (both && !config) ? 0.01 : 0;
	out->l2 = l2 || (both && !config) ? 0.01 : 0;
	return factor(k, key, config, "l1", &out->l1) && factor(k, key, config, "l2", &out->l2);
}

bool nc_keras_write_regularizer(const char *layer, const char *key, const nacre_regularizer *r,
				nc_json_out *w, nacre_error *e)
{
	if (r->function) {
		nc_fail(e, NACRE_UNSUPPORTED, "%s: %s: a regularizer of one's own cannot be saved",
			layer, key);
		return false;
	}
	if (r->orthogonal != 0 && (r->l1 != 0 || r->l2 != 0)) {
		nc_fail(e, NACRE_UNSUPPORTED,
			"%s: %s: an orthogonal regularizer beside others cannot be saved", layer,
			key);
		return false;
	}
	if (r->l1 == 0 && r->l2 == 0 && r->orthogonal == 0) {
		nc_json_put_null(w, key);
		return true;
	}
	if (r->orthogonal != 0) {
		nc_keras_write_class(w, key, "keras.regularizers", "OrthogonalRegularizer");
		nc_json_put_number(w, "factor", r->orthogonal);
		nc_json_put_text(w, "mode", r->columns ? "columns" : "rows");
		nc_keras_write_class_end(w);
		nc_json_close(w, '}');
		return true;
	}
	nc_keras_write_class(w, key, "keras.regularizers", "L1L2");
	nc_json_put_number(w, "l1", r->l1);
	nc_json_put_number(w, "l2", r->l2);
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}
