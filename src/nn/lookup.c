/* SPDX-License-Identifier: MIT
 *
 * lookup.c - layers of texts, string_lookup and hashing: a text becomes an index before it is fed,
 * the graph gives the index its form.
 */
#include <string.h>

#include "base/runtime.h"
#include "nacre/vocabulary.h"
#include "nn/encode.h"

#define BIG 1e9

static const nacre_string_lookup_layer_options *lookup(const nacre_layer *l)
{
	return (const nacre_string_lookup_layer_options *)l->options;
}

static const nacre_hashing_layer_options *hashing(const nacre_layer *l)
{
	return (const nacre_hashing_layer_options *)l->options;
}

int64_t nc_lookup_first(const nacre_layer *l)
{
	if (l->class == &nc_class_integer_lookup) {
		const nacre_integer_lookup_options *o =
		    (const nacre_integer_lookup_options *)l->options;
		return o->num_oov_indices + (o->masks && o->output_mode == NACRE_OUTPUT_INT);
	}
	return lookup(l)->num_oov_indices +
	       (lookup(l)->mask_token && lookup(l)->output_mode == NACRE_OUTPUT_INT);
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
	const nacre_string_lookup_layer_options *o = lookup(l);
	if (o->vocabulary.n == 0) {
		nc_layer_fail(c, l, "has no vocabulary yet: adapt it before it is applied");
		return NULL;
	}
	return nc_encode(c, l, indices(c, l, x[0]), nc_lookup_first(l) + o->vocabulary.n,
			 o->output_mode);
}

#define OPTIONS nacre_string_lookup_layer_options
static const nc_option string_lookup_options[] = {
    NC_OPT_TEXTS(OPTIONS, vocabulary),
    NC_OPT_NUMBER(I64, OPTIONS, num_oov_indices, 1, 1, BIG),
    NC_OPT_NUMBER(I64, OPTIONS, max_tokens, 0, 0, BIG),
    NC_OPT_TEXT(OPTIONS, mask_token),
    NC_OPT_CHOICE_OR(OPTIONS, output_mode, NACRE_OUTPUT_INT, NC_OUTPUT_MODES),
    NC_OPT_END,
};
const nc_layer_class nc_class_string_lookup = {
    .id = NC_LAYER_string_lookup,
    .types = NC_TYPES_F32,
    .name = "StringLookup",
    .snake = "string_lookup",
    .options_size = sizeof(nacre_string_lookup_layer_options),
    .options = string_lookup_options,
    .min_in = 1,
    .max_in = 1,
    .call = string_lookup_call,
};
#undef OPTIONS

nacre_layer *nacre_string_lookup_layer_new(nacre_string_lookup_layer_options options)
{
	return nc_layer_new(&nc_class_string_lookup, &options, options.name);
}

/* -- hashing ----------------------------------------------------------------------------------- */
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
    NC_OPT_END,
};
const nc_layer_class nc_class_hashing = {
    .id = NC_LAYER_hashing,
    .types = NC_TYPES_F32,
    .name = "Hashing",
    .snake = "hashing",
    .options_size = sizeof(nacre_hashing_layer_options),
    .options = hashing_options,
    .min_in = 1,
    .max_in = 1,
    .call = hashing_call,
};
#undef OPTIONS

nacre_layer *nacre_hashing_layer_new(nacre_hashing_layer_options options)
{
	return nc_layer_new(&nc_class_hashing, &options, options.name);
}

/* -- texts ------------------------------------------------------------------------------------- */
static nacre_vocabulary *vocabulary(const nacre_layer *l, nacre_error *e)
{
	const nacre_string_lookup_layer_options *o = lookup(l);
	bool masks = o->output_mode == NACRE_OUTPUT_INT;
	return nacre_string_lookup(
	    NULL, o->vocabulary.n, o->vocabulary.text,
	    (nacre_string_lookup_options){.num_oov_indices = o->num_oov_indices,
					  .mask_token = masks ? o->mask_token : NULL},
	    e);
}

static int64_t index_of(const nacre_layer *l, const nacre_vocabulary *v, const char *text)
{
	if (v) {
		const char *mask = lookup(l)->mask_token;
		bool none =
		    mask && lookup(l)->output_mode != NACRE_OUTPUT_INT && strcmp(mask, text) == 0;
		return none ? -1 : nacre_string_index(v, text);
	}
	const nacre_hashing_layer_options *o = hashing(l);
	if (!o->mask_value || o->num_bins == 1)
		return nacre_hashing(text, o->num_bins);
	return strcmp(o->mask_value, text) == 0 ? 0 : 1 + nacre_hashing(text, o->num_bins - 1);
}

nacre_tensor *nacre_layer_texts(nacre_layer *l, int rank, const int64_t *shape,
				const char *const *texts, nacre_error *e)
{
	bool words = l && l->class == &nc_class_string_lookup;
	nacre_vocabulary *v = NULL;
	if (!l || (!words && l->class != &nc_class_hashing)) {
		nc_fail(e, NACRE_INVALID, "texts: expected a layer of texts, got %s",
			l ? l->class->name : "NULL");
		return NULL;
	}
	if (l->error.status) {
		nc_fail(e, l->error.status, "%s", l->error.text);
		return NULL;
	}
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_I32, rank, shape, e);
	int64_t n = nacre_tensor_size(t);
	bool good = t && (!words || (v = vocabulary(l, e)));
	for (int64_t i = 0; good && i < n; i++) {
		if (!texts || !texts[i]) {
			nc_fail(e, NACRE_INVALID, "texts: text %lld is NULL", (long long)i);
			good = false;
		} else {
			nacre_tensor_set(t, i, (double)index_of(l, v, texts[i]));
		}
	}
	nacre_vocabulary_free(v);
	if (good)
		return t;
	nacre_tensor_free(t);
	return NULL;
}

nacre_status nacre_adapt_texts(nacre_layer *l, int64_t n, const char *const *texts, nacre_error *e)
{
	if (!l || l->class != &nc_class_string_lookup)
		return nc_fail(e, NACRE_INVALID, "adapt: expected a string_lookup, got %s",
			       l ? l->class->name : "NULL");
	nacre_string_lookup_layer_options *o = (nacre_string_lookup_layer_options *)l->options;
	if (l->error.status || l->built || o->vocabulary.n)
		return nc_fail(e, NACRE_INVALID, "adapt: %s",
			       l->error.status ? l->error.text
			       : l->built      ? "it is applied already"
					       : "its vocabulary is given");
	bool masks = o->output_mode == NACRE_OUTPUT_INT;
	nacre_vocabulary *v = nacre_string_lookup_adapt(
	    NULL, n, texts,
	    (nacre_string_lookup_options){.num_oov_indices = o->num_oov_indices,
					  .mask_token = masks ? o->mask_token : NULL},
	    e);
	if (!v)
		return e && e->status ? e->status : NACRE_FAILED;
	int64_t first = nc_lookup_first(l), size = nacre_vocabulary_size(v) - first, k = 0;
	const char **words = nc_arena_alloc(&l->arena, (size_t)(size + 1) * sizeof *words);
	int64_t most = o->max_tokens ? nc_max(o->max_tokens - first, 0) : size;
	bool good = words;
	for (int64_t i = 0; good && i < size && k < most; i++) {
		const char *word = nacre_string_word(v, first + i);
		if (strcmp(word, "[UNK]") == 0 || (o->mask_token && !strcmp(word, o->mask_token)))
			continue;
		good = (words[k++] = nc_arena_string(&l->arena, word));
	}
	nacre_vocabulary_free(v);
	if (!good)
		return nc_no_memory(e, 0);
	o->vocabulary = (nacre_texts){k, words};
	return NACRE_OK;
}
