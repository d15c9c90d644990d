/* SPDX-License-Identifier: MIT
 *
 * option.c - options out of a config, by the table that describes them.
 *
 * A key that no table knows is refused, since it would change what the model computes, unless its
 * value is null or one that is listed here as meaning "off" or nothing.
 */
#include <math.h>
#include <string.h>

#include "train/keras/keras.h"

static const nc_keras_harmless harmless[] = {
    {"name", NULL}, /* these three are read by others */
    {"trainable", NULL},
    {"dtype", NULL},
    {"seed", NULL},
    {"autocast", NULL},
    {"batch_input_shape", NULL}, /* of a first layer: read as the model's input */
    {"batch_shape", NULL},
    {"input_length", NULL},
    {"input_dtype", NULL},
    {"sparse", "false"},
    {"ragged", "false"},
    {"optional", "false"},
    {"data_format", "\"channels_last\""},
    {"mask_zero", "false"},
    {"synchronized", "false"},
    {"fused", NULL},
    {"renorm", "false"},
    {"renorm_momentum", NULL},
    {"rms_scaling", "false"},
    {"stateful", "false"},
    {"unroll", NULL},
    {"time_major", "false"},
    {"zero_output_for_mask", "false"},
    {"fill_mode", NULL},
    {"flash_attention", NULL},
    {"implementation", NULL},
    {NULL, NULL},
};

static bool says_nothing(const nc_json_value *v, const nc_keras_harmless *row)
{
	for (; row && row->key; row++)
		if (v->key.size == strlen(row->key) &&
		    memcmp(v->key.data, row->key, v->key.size) == 0)
			return !row->value || strcmp(nc_json_show(v).text, row->value) == 0;
	return false;
}

const char *nc_keras_option_name(const nc_option *o)
{
	const char *name = o->keras ? o->keras : o->name;
	return name[0] == '!' ? name + 1 : name;
}

static bool refuse(nc_keras *k, const char *key, const char *expected, const nc_json_value *v)
{
	return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected %s, got %s", key, expected,
			     nc_json_show(v).text);
}

static bool whole(const nc_json_value *v, int64_t *out)
{
	if (v->kind != NC_JSON_NUMBER || !(fabs(v->number) <= 9007199254740992.0) ||
	    v->number != floor(v->number))
		return false;
	*out = (int64_t)v->number;
	return true;
}

static bool read_whole(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	const char *key = nc_keras_option_name(o);
	int64_t n;
	if (v->kind == NC_JSON_ARRAY && v->n == 0 && o->high == NACRE_NO_AXIS) {
		memcpy(field, &(int){NACRE_NO_AXIS}, sizeof(int));
		return true;
	}
	if (v->kind == NC_JSON_ARRAY && v->n == 1) /* an axis, as a list of one */
		v = v->first;
	if (!whole(v, &n))
		return refuse(k, key, "a whole number", v);
	if (n == 0 && o->number != 0)
		return refuse(k, key, "a number other than 0", v);
	if (o->kind == NC_OPTION_INT) {
		if (n < INT32_MIN || n > INT32_MAX)
			return refuse(k, key, "a number of 32 bits", v);
		memcpy(field, &(int){(int)n}, sizeof(int));
	} else
		memcpy(field, &n, sizeof n);
	return true;
}

static bool read_number(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	if (v->kind != NC_JSON_NUMBER)
		return refuse(k, nc_keras_option_name(o), "a number", v);
	double number = v->number == 0 && o->number != 0 ? NACRE_ZERO : v->number;
	memcpy(field, &number, sizeof number);
	return true;
}

/* A size, or 0 where -1 stands for it. */
static bool size_of(const nc_option *o, const nc_json_value *v, int64_t *out)
{
	if (!whole(v, out))
		return false;
	if (*out == 0 && o->low == -1)
		*out = -1;
	return *out != 0;
}

static bool read_sizes(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	const char *key = nc_keras_option_name(o);
	int64_t sizes[NACRE_MAX_RANK] = {0};
	int n = 0;
	if (o->kind == NC_OPTION_SIZES && v->kind == NC_JSON_NUMBER) {
		if (!size_of(o, v, &sizes[0]))
			return refuse(k, key, "a whole number other than 0", v);
	} else if (v->kind != NC_JSON_ARRAY || v->n >= NACRE_MAX_RANK)
		return refuse(k, key, "a list of at most 7 sizes", v);
	else
		for (const nc_json_value *i = v->first; i; i = i->next, n++)
			if (i->kind == NC_JSON_NULL && o->function)
				sizes[n] = -1;
			else if (!size_of(o, i, &sizes[n]))
				return refuse(k, key, "whole numbers other than 0", i);
	memcpy(field, sizes, sizeof sizes);
	return true;
}

static bool read_choice(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	const char *word;
	int length;
	if (nc_json_is(v, "auto") && strcmp(o->name, "reduction") == 0)
		return true; /* Keras 2: the default */
	for (int i = o->number != 0;
	     (word = nc_option_word(o, i, &length)) && v->kind == NC_JSON_STRING; i++)
		if (v->text.size == (size_t)length &&
		    memcmp(word, v->text.data, (size_t)length) == 0) {
			memcpy(field, &i, sizeof i);
			return true;
		}
	return refuse(k, nc_keras_option_name(o), o->function, v);
}

/* 2, [1, 2], or [[1, 1], [2, 0]]: before and after on each axis */
static bool read_pairs(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	const char *key = nc_keras_option_name(o);
	size_t axes = (size_t)o->number;
	const nc_json_value *one = v->kind == NC_JSON_ARRAY ? v->first : v;
	bool flat = axes == 1 && v->kind == NC_JSON_ARRAY && v->n == 2 &&
		    one->kind == NC_JSON_NUMBER; /* [before, after] of a single axis */
	if (v->kind == NC_JSON_ARRAY && v->n != axes && !flat)
		return refuse(k, key, "as many pairs as there are axes", v);
	for (size_t i = 0; i < axes; i++) {
		int64_t pair[2];
		const nc_json_value *a = one, *b = one;
		if (flat)
			b = one->next;
		else if (one->kind == NC_JSON_ARRAY) {
			if (one->n != 2)
				return refuse(k, key, "pairs of numbers", one);
			a = one->first;
			b = a->next;
		}
		if (!whole(a, &pair[0]) || !whole(b, &pair[1]))
			return refuse(k, key, "whole numbers", one);
		memcpy((char *)field + i * sizeof pair, pair, sizeof pair);
		if (v->kind == NC_JSON_ARRAY)
			one = one->next;
	}
	return true;
}

static bool read_numbers(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	bool list = v->kind == NC_JSON_ARRAY;
	while (list && v->n == 1 && v->first->kind == NC_JSON_ARRAY) /* [[1, 2, 3]] */
		v = v->first;
	double *value = nc_arena_alloc(k->arena, (list ? v->n + 1 : 1) * sizeof *value);
	nacre_numbers numbers = {.value = value};
	if (!value)
		return nc_keras_no_memory(k);
	for (const nc_json_value *i = list ? v->first : v; i; i = list ? i->next : NULL) {
		if (i->kind != NC_JSON_NUMBER)
			return refuse(k, nc_keras_option_name(o), "numbers", i);
		value[numbers.n++] = i->number;
	}
	memcpy(field, &numbers, sizeof numbers);
	return true;
}

/* 0.2, or [-0.1, 0.2] */
static bool read_range(nc_keras *k, const nc_option *o, unsigned char *options,
		       const nc_json_value *v)
{
	double pair[2] = {0};
	bool list = v->kind == NC_JSON_ARRAY && v->n == 2;
	const nc_json_value *a = list ? v->first : v, *b = list ? a->next : v;
	if (a->kind != NC_JSON_NUMBER || b->kind != NC_JSON_NUMBER)
		return refuse(k, nc_keras_option_name(o), "a number, or a list of two", v);
	pair[0] = a->number == 0 && !list && o->function ? NACRE_ZERO : a->number;
	if (list && a->number == -b->number && b->number > 0 && o->low <= -o->high)
		pair[0] = b->number; /* what a number alone stands for, see write_range() */
	else if (list)
		pair[1] = b->number == 0 ? NACRE_ZERO : b->number;
	memcpy(options + o->offset, &pair[0], sizeof *pair);
	memcpy(options + o->more, &pair[1], sizeof *pair);
	return true;
}

static bool read_dtype(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	static const struct {
		const char *name;
		nacre_dtype dtype;
	} known[] = {{"float32", NACRE_F32}, {"int32", NACRE_I32}, {"int64", NACRE_I32}};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (nc_json_is(v, known[i].name)) {
			memcpy(field, &known[i].dtype, sizeof known[i].dtype);
			return true;
		}
	return refuse(k, nc_keras_option_name(o), "float32 or int32", v);
}

static bool read_bool(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	if (v->kind != NC_JSON_BOOL)
		return refuse(k, nc_keras_option_name(o), "true or false", v);
	memcpy(field, &(int){o->keras && o->keras[0] == '!' ? !v->truth : v->truth}, sizeof(int));
	return true;
}

static bool read_text(nc_keras *k, const nc_option *o, void *field, const nc_json_value *v)
{
	const char *text = v->text.data; /* the layer copies it */
	if (v->kind != NC_JSON_STRING || strlen(text) != v->text.size)
		return refuse(k, nc_keras_option_name(o), "a text", v);
	memcpy(field, &text, sizeof text);
	return true;
}

static bool read_option(nc_keras *k, const nc_option *o, unsigned char *options,
			const nc_json_value *v)
{
	void *field = options + o->offset;
	const char *key = nc_keras_option_name(o);
	nacre_activation_function *a;
	nacre_initializer_function *f;
	nacre_layer *inner;
	nacre_initializer_options more = {0};
	if (v->kind == NC_JSON_NULL && o->kind != NC_OPTION_ACTIVATION)
		return true;
	switch (o->kind) {
	case NC_OPTION_BOOL:
		return read_bool(k, o, field, v);
	case NC_OPTION_INT:
	case NC_OPTION_I64:
		return read_whole(k, o, field, v);
	case NC_OPTION_F64:
		return read_number(k, o, field, v);
	case NC_OPTION_SHAPE:
	case NC_OPTION_SIZES:
		return read_sizes(k, o, field, v);
	case NC_OPTION_CHOICE:
		return read_choice(k, o, field, v);
	case NC_OPTION_DTYPE:
		return read_dtype(k, o, field, v);
	case NC_OPTION_TEXT:
		return read_text(k, o, field, v);
	case NC_OPTION_NUMBERS:
		return read_numbers(k, o, field, v);
	case NC_OPTION_PAIRS:
		return read_pairs(k, o, field, v);
	case NC_OPTION_TEXTS: /* by nc_keras_read_lookup() */
	case NC_OPTION_CONSTRAINT:
	case NC_OPTION_ACTIVITY:
		return true; /* by nc_keras_read_constraints() */
	case NC_OPTION_RANGE:
		return read_range(k, o, options, v);
	case NC_OPTION_LAYER:
		inner = nc_keras_read_layer(k, v);
		memcpy(field, &inner, sizeof inner);
		return inner;
	case NC_OPTION_ACTIVATION:
		if (!nc_keras_activation(k, key, v, &a))
			return false;
		memcpy(field, &a, sizeof a);
		return true;
	case NC_OPTION_INITIALIZER:
		if (!nc_keras_initializer(k, key, v, &f, &more))
			return false;
		memcpy(field, &f, sizeof f);
		if (o->more)
			memcpy(options + o->more, &more, sizeof more);
		return true;
	case NC_OPTION_REGULARIZER:
		return nc_keras_regularizer(k, key, v, field);
	}
	return refuse(k, key, "an option that can be read", v);
}

/* The option of a key, also by its name in Keras 2; at the table's end: there is none.  "" is no
 * key: it says of options that they have none. */
static const nc_option *option_of(const nc_option *table, const char *key)
{
	const nc_option *o = table;
	while (o->name && (!*key || strcmp(nc_keras_option_name(o), key) != 0))
		o++;
	return !o->name && strcmp(key, "alpha") == 0 ? option_of(table, "negative_slope") : o;
}

bool nc_keras_options(nc_keras *k, const nc_option *table, void *options,
		      const nc_json_value *config, const nc_keras_harmless *also)
{
	for (const nc_json_value *v = config->first; v; v = v->next) {
		const nc_option *o = option_of(table, v->key.data);
		if (o->name) {
			if (!read_option(k, o, options, v))
				return false;
		} else if (v->kind != NC_JSON_NULL && !nc_keras_is_constraint(v->key.data) &&
			   !says_nothing(v, also) && !says_nothing(v, harmless))
			return nc_keras_fail(k, NACRE_UNSUPPORTED,
					     "option %s = %s is not supported", v->key.data,
					     nc_json_show(v).text);
	}
	return true;
}
