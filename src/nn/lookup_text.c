/* SPDX-License-Identifier: MIT
 *
 * lookup_text.c - texts of string_lookup and hashing as indices, and back; vocabularies of texts.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/runtime.h"
#include "nacre/vocabulary.h"
#include "nn/lookup.h"

static const nacre_string_lookup_layer_options *lookup(const nacre_layer *l)
{
	return (const nacre_string_lookup_layer_options *)l->options;
}

static const nacre_hashing_layer_options *hashing(const nacre_layer *l)
{
	return (const nacre_hashing_layer_options *)l->options;
}

static bool is_strings(const nacre_layer *l)
{
	return l && l->class == &nc_class_string_lookup;
}

const char *nc_lookup_unknown(const nacre_layer *l)
{
	return lookup(l)->oov_token ? lookup(l)->oov_token : "[UNK]";
}

static nacre_string_lookup_options options_of(const nacre_layer *l)
{
	const nacre_string_lookup_layer_options *o = lookup(l);
	nacre_string_lookup_options out = {
	    .num_oov_indices = o->num_oov_indices,
	    .mask_token = nc_lookup_of(l).zero_masks ? o->mask_token : NULL};
	out.salted = nc_salt(&o->salt, out.salt);
	return out;
}

nacre_vocabulary *nc_lookup_vocabulary(const nacre_layer *l, nacre_error *e)
{
	const nacre_texts *v = &lookup(l)->vocabulary;
	return nacre_string_lookup(NULL, v->n, v->text, options_of(l), e);
}

/* -- texts as indices -------------------------------------------------------------------------- */
static int64_t bin_of(const nacre_hashing_layer_options *o, const char *text)
{
	int64_t salt[2];
	bool mask = o->mask_value && o->num_bins > 1;
	int64_t bins = o->num_bins - mask;
	if (mask && strcmp(o->mask_value, text) == 0)
		return 0;
	return mask + (nc_salt(&o->salt, salt) ? nacre_hashing_salted(text, bins, salt)
					       : nacre_hashing(text, bins));
}

/* The index of a text into *out; false: it must have one, and has none. */
static bool index_of(const nacre_layer *l, const nacre_vocabulary *v, const char *text,
		     int64_t *out)
{
	const char *mask = v ? lookup(l)->mask_token : NULL;
	if (!v) {
		*out = bin_of(hashing(l), text);
	} else if (mask && strcmp(mask, text) == 0) {
		*out = nc_lookup_of(l).zero_masks ? 0 : -1;
	} else {
		*out = nacre_string_index(v, text);
		return *out >= 0;
	}
	return true;
}

static bool can_read(const nacre_layer *l, nacre_error *e)
{
	if (!is_strings(l) && (!l || l->class != &nc_class_hashing))
		nc_fail(e, NACRE_INVALID, "texts: expected a layer of texts, got %s",
			l ? l->class->name : "NULL");
	else if (l->error.status)
		nc_fail(e, l->error.status, "%s", l->error.text);
	else if (is_strings(l) && lookup(l)->invert)
		nc_fail(e, NACRE_INVALID, "texts: the layer is inverted: it gives texts");
	else
		return true;
	return false;
}

nacre_tensor *nacre_layer_texts(nacre_layer *l, int rank, const int64_t *shape,
				const char *const *texts, nacre_error *e)
{
	nacre_vocabulary *v = NULL;
	if (!can_read(l, e))
		return NULL;
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_I32, rank, shape, e);
	int64_t n = nacre_tensor_size(t);
	bool good = t && (!is_strings(l) || (v = nc_lookup_vocabulary(l, e)));
	for (int64_t i = 0, at; good && i < n; i++) {
		good = false;
		if (!texts || !texts[i])
			nc_fail(e, NACRE_INVALID, "texts: text %lld is NULL", (long long)i);
		else if (!index_of(l, v, texts[i], &at))
			nc_fail(e, NACRE_INVALID,
				"texts: text %lld, \"%.60s\", is not in the vocabulary, and "
				"num_oov_indices is 0",
				(long long)i, texts[i]);
		else
			good = true;
		if (good)
			nacre_tensor_set(t, i, (double)at);
	}
	nacre_vocabulary_free(v);
	if (good)
		return t;
	nacre_tensor_free(t);
	return NULL;
}

const char *nacre_layer_word(const nacre_layer *l, int64_t index)
{
	if (!is_strings(l))
		return NULL;
	const nc_lookup v = nc_lookup_of(l);
	if (v.zero_masks && index == 0)
		return lookup(l)->mask_token;
	if (index < v.first || index >= v.first + v.words)
		return nc_lookup_unknown(l);
	return lookup(l)->vocabulary.text[index - v.first];
}

/* -- vocabularies ------------------------------------------------------------------------------ */
/* In how many documents each of the words is, of which v is the table; NULL: no memory. */
static int64_t *documents_with(nc_arena *a, const nacre_vocabulary *v, int64_t first, int64_t n,
			       int64_t size, const char *const *texts)
{
	int64_t words = nacre_vocabulary_size(v);
	int64_t *count = nc_arena_alloc(a, (size_t)words * sizeof *count);
	int64_t *last = nc_arena_alloc(a, (size_t)words * sizeof *last);
	for (int64_t i = 0; count && last && i < n * size; i++) {
		int64_t at = nacre_string_index(v, texts[i]);
		if (at < first || last[at] == 1 + i / size)
			continue;
		last[at] = 1 + i / size;
		count[at - first]++;
	}
	return last ? count : NULL;
}

/* log(1 + n / (1 + documents with the word)), in f32 as Keras keeps it. */
static bool weigh(nacre_layer *l, int64_t n, int64_t size, const char *const *texts, nacre_error *e)
{
	nacre_string_lookup_layer_options *o = (nacre_string_lookup_layer_options *)l->options;
	int64_t words = o->vocabulary.n, *count = NULL;
	double *idf = nc_arena_alloc(&l->arena, (size_t)(words + 1) * sizeof *idf);
	nc_arena arena;
	nc_arena_init(&arena, l->memory);
	nacre_vocabulary *v = idf ? nc_lookup_vocabulary(l, e) : NULL;
	if (v)
		count = documents_with(&arena, v, nc_lookup_of(l).first, n, size, texts);
	for (int64_t i = 0; count && i < words; i++)
		idf[i] = (double)(float)log(1 + (double)n / (double)(1 + count[i]));
	if (count)
		o->idf_weights = (nacre_numbers){words, idf};
	nacre_vocabulary_free(v);
	nc_arena_free(&arena);
	return count;
}

/* The most frequent words, but the special ones, as many as there may be. */
static bool learn(nacre_layer *l, int64_t n, const char *const *texts, nacre_error *e)
{
	nacre_string_lookup_layer_options *o = (nacre_string_lookup_layer_options *)l->options;
	nacre_vocabulary *v = nacre_string_lookup_adapt(NULL, n, texts, options_of(l), e);
	if (!v)
		return false;
	int64_t first = nc_lookup_of(l).first, size = nacre_vocabulary_size(v) - first, k = 0;
	int64_t most = o->max_tokens ? nc_max(o->max_tokens - first, 0) : size;
	const char **words = nc_arena_alloc(&l->arena, (size_t)(size + 1) * sizeof *words);
	bool good = words;
	for (int64_t i = 0; good && i < size && k < most; i++) {
		const char *word = nacre_string_word(v, first + i);
		if (strcmp(word, nc_lookup_unknown(l)) == 0 ||
		    (o->mask_token && !strcmp(word, o->mask_token)))
			continue;
		good = (words[k++] = nc_arena_string(&l->arena, word));
	}
	nacre_vocabulary_free(v);
	if (good)
		o->vocabulary = (nacre_texts){k, words};
	return good;
}

nacre_status nacre_adapt_documents(nacre_layer *l, int64_t n, int64_t size,
				   const char *const *texts, nacre_error *e)
{
	size_t all;
	nacre_error own = {0};
	e = e ? e : &own;
	if (!is_strings(l))
		return nc_fail(e, NACRE_INVALID, "adapt: expected a string_lookup, got %s",
			       l ? l->class->name : "NULL");
	nacre_string_lookup_layer_options *o = (nacre_string_lookup_layer_options *)l->options;
	if (l->error.status)
		return nc_fail(e, l->error.status, "adapt: %s", l->error.text);
	if (l->built || o->vocabulary.n)
		return nc_fail(e, NACRE_INVALID, "adapt: %s",
			       l->built ? "it is applied already" : "its vocabulary is given");
	if (n < 0 || size < 0 || !nc_mul((size_t)n, (size_t)size, &all) || all > INT32_MAX)
		return nc_fail(e, NACRE_INVALID,
			       "adapt: expected documents of texts, got %lld of %lld",
			       (long long)n, (long long)size);
	if (learn(l, (int64_t)all, texts, e) &&
	    (o->output_mode != NACRE_OUTPUT_TF_IDF || weigh(l, n, size, texts, e)))
		return NACRE_OK;
	o->vocabulary = (nacre_texts){0};
	return e->status ? e->status : nc_no_memory(e, 0);
}

nacre_status nacre_adapt_texts(nacre_layer *l, int64_t n, const char *const *texts, nacre_error *e)
{
	return nacre_adapt_documents(l, n, 1, texts, e);
}
