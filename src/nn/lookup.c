/* SPDX-License-Identifier: MIT
 *
 * lookup.c - layers that look up: integer_lookup, string_lookup, hashing.  A text becomes an index
 * before it is fed (lookup_text.c), the graph gives the index its form.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/runtime.h"
#include "nacre/vocabulary.h"
#include "nn/lookup.h"

#define BIG 1e9
#define WHOLE 9007199254740992.0 /* 2^53: whole numbers that a double holds */

static const nacre_integer_lookup_options *integers(const nacre_layer *l)
{
	return (const nacre_integer_lookup_options *)l->options;
}

static const nacre_string_lookup_layer_options *strings(const nacre_layer *l)
{
	return (const nacre_string_lookup_layer_options *)l->options;
}

static const nacre_hashing_layer_options *hashing(const nacre_layer *l)
{
	return (const nacre_hashing_layer_options *)l->options;
}

bool nc_is_lookup(const nacre_layer *l)
{
	return l->class == &nc_class_integer_lookup || l->class == &nc_class_string_lookup;
}

nc_lookup nc_lookup_of(const nacre_layer *l)
{
	const nacre_integer_lookup_options *i = integers(l);
	const nacre_string_lookup_layer_options *s = strings(l);
	nc_lookup v;
	if (l->class == &nc_class_string_lookup)
		v = (nc_lookup){.words = s->vocabulary.n,
				.unknown = nc_max(s->num_oov_indices, 0),
				.most = s->max_tokens,
				.masks = s->mask_token,
				.invert = s->invert,
				.sparse = s->sparse,
				.pads = s->pad_to_max_tokens,
				.mode = s->output_mode,
				.idf = &s->idf_weights};
	else
		v = (nc_lookup){.words = i->vocabulary.n,
				.unknown = nc_max(i->num_oov_indices, 0),
				.most = i->max_tokens,
				.masks = i->masks,
				.invert = i->invert,
				.sparse = i->sparse,
				.pads = i->pad_to_max_tokens,
				.mode = i->output_mode,
				.idf = &i->idf_weights};
	v.zero_masks = v.masks && v.mode == NACRE_OUTPUT_INT;
	v.first = v.unknown + v.zero_masks;
	v.width = v.pads ? v.most : v.first + v.words;
	return v;
}

/* -- options ----------------------------------------------------------------------------------- */
bool nc_salt(const nacre_numbers *salt, int64_t out[2])
{
	for (int i = 0; i < 2 && salt->n; i++)
		out[i] = (int64_t)salt->value[i < salt->n ? i : 0];
	return salt->n != 0;
}

static bool check_salt(nacre_layer *l, const nacre_numbers *salt)
{
	if (salt->n > 2)
		return nc_layer_refuse(l, "salt: expected one or two numbers, got %lld",
				       (long long)salt->n);
	for (int64_t i = 0; i < salt->n; i++)
		if (!(fabs(salt->value[i]) <= WHOLE) || salt->value[i] != floor(salt->value[i]))
			return nc_layer_refuse(
			    l, "salt: expected whole numbers of at most 2^53, got %g",
			    salt->value[i]);
	return true;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* A copy of the vocabulary in rising order, with room for one more; NULL: no memory. */
static double *sorted(const nacre_layer *l)
{
	const nacre_numbers *v = &integers(l)->vocabulary;
	double *copy = nc_alloc(l->memory, (size_t)(v->n + 1) * sizeof *copy);
	if (copy && v->n) {
		memcpy(copy, v->value, (size_t)v->n * sizeof *copy);
		qsort(copy, (size_t)v->n, sizeof *copy, rising);
	}
	return copy;
}

static bool check_integers(nacre_layer *l)
{
	const nacre_integer_lookup_options *o = integers(l);
	const nacre_numbers *v = &o->vocabulary;
	for (int64_t i = 0; i < v->n; i++) {
		double word = v->value[i];
		if (!(fabs(word) <= INT32_MAX) || word != floor(word))
			return nc_layer_refuse(l, "vocabulary: expected whole numbers, got %g",
					       word);
		if (o->masks && word == (double)o->mask_token)
			return nc_layer_refuse(l, "vocabulary: %g is the mask token", word);
		if (o->invert && word == (double)o->oov_token)
			return nc_layer_refuse(l, "vocabulary: %g is the oov_token", word);
	}
	double *all = sorted(l);
	if (!all) {
		nc_no_memory(&l->error, (size_t)v->n * sizeof *all);
		return false;
	}
	int64_t i = 1;
	while (i < v->n && all[i] != all[i - 1])
		i++;
	bool twice = i < v->n;
	double word = twice ? all[i] : 0;
	nc_free(l->memory, all, (size_t)(v->n + 1) * sizeof *all);
	return !twice || nc_layer_refuse(l, "vocabulary: %g is there twice", word);
}

static bool check_strings(nacre_layer *l)
{
	const nacre_string_lookup_layer_options *o = strings(l);
	nacre_error e = {0};
	for (int64_t i = 0; i < o->vocabulary.n; i++) {
		const char *word = o->vocabulary.text[i];
		if (o->mask_token && strcmp(word, o->mask_token) == 0)
			return nc_layer_refuse(l, "vocabulary: \"%.60s\" is the mask token", word);
		if (o->invert && strcmp(word, nc_lookup_unknown(l)) == 0)
			return nc_layer_refuse(l, "vocabulary: \"%.60s\" is the oov_token", word);
	}
	if (!check_salt(l, &o->salt))
		return false;
	nacre_vocabulary *v = o->vocabulary.n ? nc_lookup_vocabulary(l, &e) : NULL;
	nacre_vocabulary_free(v);
	if (!e.status)
		return true;
	if (!l->error.status)
		l->error = e;
	return false;
}

bool nc_lookup_check(nacre_layer *l)
{
	const nc_lookup v = nc_lookup_of(l);
	if (v.invert && v.mode != NACRE_OUTPUT_INT)
		return nc_layer_refuse(l, "output_mode: only int can be inverted");
	if (v.most == 1)
		return nc_layer_refuse(l, "max_tokens: expected at least 2, got 1");
	if (v.pads && !v.most)
		return nc_layer_refuse(l, "pad_to_max_tokens: expected max_tokens too, got none");
	if (!nc_encode_check(l, v.sparse, v.mode))
		return false;
	if (v.most && v.words && v.first + v.words > v.most)
		return nc_layer_refuse(l, "vocabulary: expected at most %lld indices, got %lld",
				       (long long)v.most, (long long)(v.first + v.words));
	if (v.idf->n && v.mode != NACRE_OUTPUT_TF_IDF)
		return nc_layer_refuse(l, "idf_weights: only for the output_mode tf_idf");
	if (v.mode == NACRE_OUTPUT_TF_IDF && v.idf->n != v.words &&
	    v.idf->n != v.first + v.words)
		return nc_layer_refuse(l, "idf_weights: expected %lld numbers, got %lld",
				       (long long)v.words, (long long)v.idf->n);
	return l->class == &nc_class_string_lookup ? check_strings(l) : check_integers(l);
}

int64_t nc_lookup_missing(const nacre_layer *l, const nacre_tensor *x, bool *memory)
{
	const nacre_integer_lookup_options *o = integers(l);
	int64_t words = o->vocabulary.n, n = nacre_tensor_size(x), i = n;
	double *all = sorted(l);
	*memory = all;
	for (i = 0; all && i < n; i++) {
		double v = trunc(nacre_tensor_get(x, i));
		if (!(o->masks && v == (double)o->mask_token) &&
		    !bsearch(&v, all, (size_t)words, sizeof v, rising))
			break;
	}
	nc_free(l->memory, all, (size_t)(words + 1) * sizeof *all);
	return all && i < n ? i : -1;
}

/* -- what the two share ------------------------------------------------------------------------ */
/* The weights of tf_idf: one for each index, those of unknown words the mean of all where they are
 * not given, 0 for what pads. */
static bool lookup_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n, (void)x;
	const nc_lookup v = nc_lookup_of(l);
	int64_t last = v.first + v.words, before = last - v.idf->n;
	double mean = 0;
	nacre_error e = {0};
	if (v.mode != NACRE_OUTPUT_TF_IDF || v.words == 0)
		return true;
	if (!nc_layer_add_state(c, l, "idf_weights", NACRE_F32, 1, &v.width, 0))
		return false;
	nacre_tensor *t = nacre_tensor_new(c->runtime, NACRE_F32, 1, &v.width, &e);
	for (int64_t i = 0; i < v.idf->n; i++)
		mean += v.idf->value[i] / (double)v.idf->n;
	for (int64_t i = 0; t && i < last; i++)
		nacre_tensor_set(t, i, i < before ? mean : v.idf->value[i - before]);
	bool good = t && !nacre_variable_write(l->weight[0].variable, t, &e);
	nacre_tensor_free(t);
	return good || nc_layer_take(c, l, "idf_weights", &e);
}

/* Indices in the form of the mode. */
static nacre_node *form(nc_call *c, nacre_layer *l, nacre_node *index)
{
	const nc_lookup v = nc_lookup_of(l);
	bool weighs = v.mode == NACRE_OUTPUT_TF_IDF;
	nacre_node *y = nc_encode(c, l, index, v.width, weighs ? NACRE_OUTPUT_COUNT : v.mode);
	return y && weighs ? nacre_times(y, nc_layer_use(c, l, 0)) : y;
}

static bool known(nc_call *c, nacre_layer *l)
{
	return nc_lookup_of(l).words ||
	       nc_layer_fail(c, l, "has no vocabulary yet: adapt it before it is applied");
}

/* -- integer_lookup ---------------------------------------------------------------------------- */
static nacre_node *number(nc_call *c, int64_t value)
{
	return nacre_scalar(c->graph, NACRE_I32, (double)value);
}

static nacre_node *vocabulary(nc_call *c, const nacre_numbers *v)
{
	int32_t *word = nc_arena_alloc(&c->graph->arena, (size_t)v->n * sizeof *word);
	if (!word) {
		nc_no_memory(c->error, (size_t)v->n * sizeof *word);
		return NULL;
	}
	for (int64_t i = 0; i < v->n; i++)
		word[i] = (int32_t)v->value[i];
	return nacre_constant(c->graph, NACRE_I32, 1, &v->n, word);
}

/* Numbers of indices. */
static nacre_node *back(nc_call *c, nacre_layer *l, nacre_node *in, nacre_node *words)
{
	const nacre_integer_lookup_options *o = integers(l);
	const nc_lookup v = nc_lookup_of(l);
	nacre_node *at = nacre_minus(in, number(c, v.first));
	nacre_node *there = nacre_logical_and(nacre_greater_equal(at, number(c, 0)),
					      nacre_less(at, number(c, v.words)));
	nacre_node *y = nacre_select(there, nacre_gather(words, at, 0), number(c, o->oov_token));
	if (!v.zero_masks)
		return y;
	return nacre_select(nacre_equal(in, number(c, 0)), number(c, o->mask_token), y);
}

static nacre_node *integer_lookup_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_integer_lookup_options *o = integers(l);
	const nc_lookup v = nc_lookup_of(l);
	nacre_node *words = known(c, l) ? vocabulary(c, &o->vocabulary) : NULL, *other;
	if (!words)
		return NULL;
	nacre_node *in = x[0]->dtype == NACRE_I32 ? x[0] : nacre_cast(x[0], NACRE_I32);
	if (v.invert)
		return back(c, l, in, words);
	nacre_node *equal = nacre_equal(nacre_expand_dims(in, -1), words);
	nacre_node *place = nacre_argmax(nacre_cast(equal, NACRE_I32), -1);
	if (v.unknown)
		other = nacre_plus(nacre_mod(in, number(c, v.unknown)), number(c, v.zero_masks));
	else
		other = number(c, -1);
	nacre_node *y = nacre_select(nacre_any(equal, NACRE_LAST_AXIS, false),
				     nacre_plus(place, number(c, v.first)), other);
	if (v.masks)
		y = nacre_select(nacre_equal(in, number(c, o->mask_token)),
				 number(c, v.zero_masks ? 0 : -1), y);
	return form(c, l, y);
}

#define OPTIONS nacre_integer_lookup_options
static const nc_option integer_lookup_options[] = {
    NC_OPT_APART(NUMBERS, OPTIONS, vocabulary, 0, 0, 0),
    NC_OPT_APART(I64, OPTIONS, num_oov_indices, 1, -1, BIG),
    NC_OPT_APART(BOOL, OPTIONS, masks, 0, 0, 1),
    NC_OPT_APART(I64, OPTIONS, mask_token, 0, -BIG, BIG),
    NC_OPT_NUMBER(I64, OPTIONS, oov_token, -1, -BIG, BIG),
    NC_OPT_BOOL(OPTIONS, invert),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_INT, NC_LOOKUP_MODES),
    NC_OPT_BOOL(OPTIONS, sparse),
    NC_OPT_NUMBER(I64, OPTIONS, max_tokens, 0, 0, BIG),
    NC_OPT_BOOL(OPTIONS, pad_to_max_tokens),
    NC_OPT_NUMBERS(OPTIONS, idf_weights),
    NC_OPT_END,
};
const nc_layer_class nc_class_integer_lookup = {
    .id = NC_LAYER_integer_lookup,
    .types = NC_TYPES_F32,
    .name = "IntegerLookup",
    .snake = "integer_lookup",
    .options_size = sizeof(OPTIONS),
    .options = integer_lookup_options,
    .min_in = 1,
    .max_in = 1,
    .check = nc_lookup_check,
    .build = lookup_build,
    .call = integer_lookup_call,
};
#undef OPTIONS

nacre_layer *nacre_integer_lookup_new(nacre_integer_lookup_options options)
{
	return nc_layer_new(&nc_class_integer_lookup, &options, options.name);
}

/* -- string_lookup ----------------------------------------------------------------------------- */
static nacre_node *indices(nc_call *c, nacre_layer *l, nacre_node *x)
{
	if (x->dtype == NACRE_I32)
		return x;
	nc_layer_fail(c, l, "expected indices, which nacre_layer_texts() makes, got %s",
		      nacre_dtype_name(x->dtype));
	return NULL;
}

static nacre_node *string_lookup_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	if (!known(c, l))
		return NULL;
	if (strings(l)->invert)
		return x[0]->dtype == NACRE_I32 ? x[0] : nacre_cast(x[0], NACRE_I32);
	return form(c, l, indices(c, l, x[0]));
}

#define OPTIONS nacre_string_lookup_layer_options
static const nc_option string_lookup_options[] = {
    NC_OPT_APART(TEXTS, OPTIONS, vocabulary, 0, 0, 0),
    NC_OPT_APART(I64, OPTIONS, num_oov_indices, 1, -1, BIG),
    NC_OPT_NUMBER(I64, OPTIONS, max_tokens, 0, 0, BIG),
    NC_OPT_BOOL(OPTIONS, pad_to_max_tokens),
    NC_OPT_TEXT(OPTIONS, mask_token),
    NC_OPT_TEXT(OPTIONS, oov_token),
    NC_OPT_BOOL(OPTIONS, invert),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_INT, NC_LOOKUP_MODES),
    NC_OPT_BOOL(OPTIONS, sparse),
    NC_OPT_NUMBERS(OPTIONS, idf_weights),
    NC_OPT_NUMBERS(OPTIONS, salt),
    NC_OPT_END,
};
const nc_layer_class nc_class_string_lookup = {
    .id = NC_LAYER_string_lookup,
    .types = NC_TYPES_F32,
    .name = "StringLookup",
    .snake = "string_lookup",
    .options_size = sizeof(OPTIONS),
    .options = string_lookup_options,
    .min_in = 1,
    .max_in = 1,
    .check = nc_lookup_check,
    .build = lookup_build,
    .call = string_lookup_call,
};
#undef OPTIONS

nacre_layer *nacre_string_lookup_layer_new(nacre_string_lookup_layer_options options)
{
	return nc_layer_new(&nc_class_string_lookup, &options, options.name);
}

/* -- hashing ----------------------------------------------------------------------------------- */
static bool hashing_check(nacre_layer *l)
{
	return check_salt(l, &hashing(l)->salt) &&
	       nc_encode_check(l, hashing(l)->sparse, hashing(l)->output_mode);
}

static nacre_node *hashing_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	return nc_encode(c, l, indices(c, l, x[0]), hashing(l)->num_bins, hashing(l)->output_mode);
}

#define OPTIONS nacre_hashing_layer_options
static const nc_option hashing_options[] = {
    NC_OPT_NUMBER(I64, OPTIONS, num_bins, 0, 1, BIG),
    NC_OPT_TEXT(OPTIONS, mask_value),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_INT, NC_OUTPUT_MODES),
    NC_OPT_BOOL(OPTIONS, sparse),
    NC_OPT_NUMBERS(OPTIONS, salt),
    NC_OPT_END,
};
const nc_layer_class nc_class_hashing = {
    .id = NC_LAYER_hashing,
    .types = NC_TYPES_F32,
    .name = "Hashing",
    .snake = "hashing",
    .options_size = sizeof(OPTIONS),
    .options = hashing_options,
    .min_in = 1,
    .max_in = 1,
    .check = hashing_check,
    .call = hashing_call,
};
#undef OPTIONS

nacre_layer *nacre_hashing_layer_new(nacre_hashing_layer_options options)
{
	return nc_layer_new(&nc_class_hashing, &options, options.name);
}
