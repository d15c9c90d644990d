/* SPDX-License-Identifier: MIT
 *
 * lookup.c - layers that look texts and numbers up, in a config and in an archive.
 *
 * A vocabulary stands in the config or, if Keras adapted the layer, in
 * assets/<place>/vocabulary.txt, a line each; the config then says how many there are.  Here it is
 * always written into the config.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/load.h"
#include "nn/lookup.h"
#include "train/keras/keras.h"

bool nc_keras_is_lookup(const nc_layer_class *class)
{
	return class == &nc_class_integer_lookup || class == &nc_class_string_lookup ||
	       class == &nc_class_hashing;
}

/* -- reading ----------------------------------------------------------------------------------- */
/* Whether word i of a list is `special`: a text, or a number. */
static bool is_special(const nc_json_value *v, const nc_json_value *special)
{
	if (!special || special->kind == NC_JSON_NULL || special->kind != v->kind)
		return false;
	return v->kind == NC_JSON_STRING ? nc_json_is(v, special->text.data)
					 : v->number == special->number;
}

/* The first word behind the special ones, which may stand in front or not. */
static const nc_json_value *first_word(const nc_json_value *config, const nc_json_value *list,
				       int64_t masks, int64_t unknown)
{
	const nc_json_value *v = list->first;
	for (int64_t i = 0; i < masks + unknown; i++, v = v->next)
		if (!v ||
		    !is_special(v, nc_json_get(config, i < masks ? "mask_token" : "oov_token")))
			return list->first;
	return v;
}

static bool wrong_word(nc_keras *k, const char *expected, const nc_json_value *v)
{
	return nc_keras_fail(k, NACRE_BAD_MODEL, "vocabulary: expected %s, got %s", expected,
			     nc_json_show(v).text);
}

/* Memory for n words, of which a file must hold as many bytes. */
static void *room_for(nc_keras *k, double n, size_t each)
{
	if (!(n >= 1 && n < (double)(k->room / 32))) {
		nc_keras_fail(k, NACRE_BAD_MODEL, "a vocabulary of %g is larger than the file", n);
		return NULL;
	}
	k->room -= (size_t)n * 32;
	void *p = nc_arena_alloc(k->arena, ((size_t)n + 1) * each);
	if (!p)
		nc_keras_no_memory(k);
	return p;
}

/* Words that come from the archive later: as many, and different. */
static bool promise(nc_keras *k, const nc_json_value *config, int64_t first, double **value,
		    const char ***text, int64_t *n)
{
	const nc_json_value *size =
	    nc_json_as(nc_json_get(config, "vocabulary_size"), NC_JSON_NUMBER);
	double left = size ? size->number - (double)first : 0;
	if (!size || left != floor(left))
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "the layer has no vocabulary");
	if (!(*value = room_for(k, left, sizeof **value)) ||
	    !(*text = room_for(k, left, sizeof **text)))
		return false;
	char(*word)[24] = room_for(k, left, sizeof *word);
	if (!word)
		return false;
	for (*n = 0; *n < (int64_t)left; ++*n) {
		(*value)[*n] = (double)*n;
		snprintf(word[*n], sizeof *word, "%lld", (long long)*n);
		(*text)[*n] = word[*n];
	}
	k->promised++;
	return true;
}

static bool read_words(nc_keras *k, const nc_json_value *config, int64_t masks, int64_t unknown,
		       bool strings, double **value, const char ***text, int64_t *n)
{
	const nc_json_value *list = nc_json_get(config, "vocabulary");
	*n = 0;
	if (!list || list->kind == NC_JSON_NULL)
		return promise(k, config, masks + unknown, value, text, n);
	if (list->kind != NC_JSON_ARRAY)
		return wrong_word(k, "a list", list);
	if (!(*value = room_for(k, list->n, sizeof **value)) ||
	    !(*text = room_for(k, list->n, sizeof **text)))
		return false;
	for (const nc_json_value *v = first_word(config, list, masks, unknown); v; v = v->next) {
		if (v->kind != (strings ? NC_JSON_STRING : NC_JSON_NUMBER) ||
		    (strings && strlen(v->text.data) != v->text.size))
			return wrong_word(k, strings ? "texts" : "numbers", v);
		if (strings)
			(*text)[(*n)++] = v->text.data;
		else
			(*value)[(*n)++] = v->number;
	}
	return true;
}

static bool read_mask(nc_keras *k, nacre_integer_lookup_options *o, const nc_json_value *config)
{
	const nc_json_value *mask = nc_json_as(nc_json_get(config, "mask_token"), NC_JSON_NUMBER);
	if (!mask)
		return true;
	if (!(fabs(mask->number) <= 1e9) || mask->number != floor(mask->number))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "mask_token: expected a whole number, got %s",
				     nc_json_show(mask).text);
	o->masks = 1;
	o->mask_token = (int64_t)mask->number;
	return true;
}

/* Weights of words that come from the archive do so too. */
static bool promise_weights(nc_keras *k, nacre_numbers *idf, int64_t n)
{
	double *value = room_for(k, (double)n, sizeof *value);
	for (int64_t i = 0; value && i < n; i++)
		value[i] = 1;
	*idf = (nacre_numbers){n, value};
	return value;
}

/* How many indices are unknown words'; in the options -1 stands for 0. */
static bool read_unknown(nc_keras *k, const nc_json_value *config, int64_t *option)
{
	const nc_json_value *v = nc_json_get(config, "num_oov_indices");
	*option = 1;
	if (!v || v->kind == NC_JSON_NULL)
		return true;
	if (v->kind != NC_JSON_NUMBER || !(v->number >= 0 && v->number <= 1e9) ||
	    v->number != floor(v->number))
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "num_oov_indices: expected a whole number, 0 or more, got %s",
				     nc_json_show(v).text);
	*option = v->number == 0 ? -1 : (int64_t)v->number;
	return true;
}

static bool read_vocabulary(nc_keras *k, const nc_layer_class *class, void *options,
			    const nc_json_value *config)
{
	nacre_integer_lookup_options *o = options;
	nacre_string_lookup_layer_options *s = options;
	bool strings = class == &nc_class_string_lookup;
	int mode = strings ? s->output_mode : o->output_mode, promised = k->promised;
	nacre_numbers *idf = strings ? &s->idf_weights : &o->idf_weights;
	int64_t *unknown = strings ? &s->num_oov_indices : &o->num_oov_indices, n;
	double *value = NULL;
	const char **text = NULL;
	if ((!strings && !read_mask(k, o, config)) ||
	    !read_unknown(k, config, unknown))
		return false;
	bool masks = (strings ? s->mask_token != NULL : o->masks) &&
		     (mode == NACRE_OUTPUT_INT || mode == NACRE_OUTPUT_DEFAULT);
	if (!read_words(k, config, masks, nc_max(*unknown, 0), strings, &value, &text, &n))
		return false;
	if (strings)
		s->vocabulary = (nacre_texts){n, text};
	else
		o->vocabulary = (nacre_numbers){n, value};
	return mode != NACRE_OUTPUT_TF_IDF || idf->n || k->promised == promised ||
	       promise_weights(k, idf, n);
}

bool nc_keras_read_lookup(nc_keras *k, const nc_layer_class *class, void *options,
			  const nc_json_value *config)
{
	/* texts are always spread by FarmHash, whatever the method */
	const char *method = class == &nc_class_string_lookup ? NULL : "\"floormod\"";
	const nc_keras_harmless also[] = {{"vocabulary", NULL},
					  {"vocabulary_size", NULL},
					  {"vocabulary_dtype", NULL},
					  {"encoding", "\"utf-8\""},
					  {"oov_method", method},
					  {"mask_token", NULL},
					  {"num_oov_indices", NULL},
					  {"has_input_vocabulary", NULL},
					  {NULL, NULL}};
	return nc_keras_options(k, class->options, options, config, also) &&
	       (class == &nc_class_hashing || read_vocabulary(k, class, options, config));
}

/* -- assets ------------------------------------------------------------------------------------ */
/* Line i of a text into the arena, without its end; *at moves behind it. */
static char *next_line(nc_arena *a, const char *data, size_t size, size_t *at)
{
	const char *from = data + *at, *end = memchr(from, '\n', size - *at);
	size_t n = end ? (size_t)(end - from) : size - *at;
	char *line = nc_arena_alloc(a, n + 1);
	*at += n + (end != NULL);
	if (line)
		memcpy(line, from, n);
	if (line && n && line[n - 1] == '\r')
		line[n - 1] = 0;
	return line;
}

static bool set_word(nacre_layer *l, int64_t i, char *line)
{
	nacre_integer_lookup_options *o = (nacre_integer_lookup_options *)l->options;
	nacre_string_lookup_layer_options *s = (nacre_string_lookup_layer_options *)l->options;
	if (l->class == &nc_class_string_lookup) {
		((const char **)(uintptr_t)s->vocabulary.text)[i] = line;
		return true;
	}
	char *end;
	long long v = strtoll(line, &end, 10);
	((double *)(uintptr_t)o->vocabulary.value)[i] = (double)v;
	return end != line && !*end && v >= INT32_MIN && v <= INT32_MAX;
}

/* The lines as the layer's words; those before them are the special ones. */
static bool set_words(nc_keras *k, nacre_layer *l, const char *data, size_t size)
{
	int64_t first = nc_lookup_of(l).first, n = nc_lookup_of(l).words, i = 0, lines = 0;
	while (size && (data[size - 1] == '\n' || data[size - 1] == '\r'))
		size--;
	if (memchr(data, 0, size))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "a line with a 0 in it");
	for (size_t at = 0; at < size; lines++) {
		char *line = next_line(&l->arena, data, size, &at);
		if (!line)
			return nc_keras_no_memory(k);
		if (lines >= first && (i >= n || !set_word(l, i++, line)))
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "line %lld: expected %lld lines of words",
					     (long long)lines + 1, (long long)(first + n));
	}
	if (i != n)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "expected %lld lines, got %lld",
				     (long long)(first + n), (long long)lines);
	if (nc_lookup_check(l))
		return true;
	return l->error.status == NACRE_NO_MEMORY
		   ? nc_keras_no_memory(k)
		   : nc_keras_fail(k, NACRE_BAD_MODEL, "%s", l->error.text);
}

static bool read_asset(nc_keras *k, const nc_zip *z, nacre_layer *l, const char *folder)
{
	char path[1000];
	nc_zip_data d;
	snprintf(path, sizeof path, "assets/%.900s/vocabulary.txt", folder);
	const nc_zip_member *member = nc_zip_find(z, path);
	if (!member) /* it was in the config */
		return true;
	k->part = "vocabulary.txt";
	k->where = l->name;
	if (nc_zip_read(z, member, &d, k->error))
		return false;
	bool good = set_words(k, l, (const char *)d.data, d.size);
	k->promised--;
	nc_zip_data_free(z, &d);
	k->where = NULL;
	return good;
}

static bool read_assets(nc_keras *k, const nc_zip *z, nacre_model *m, const char *before)
{
	nc_keras_places places;
	nc_keras_order order;
	if (!nc_keras_places_of(m, k->arena, &places, k->error) ||
	    !nc_keras_order_of(m, k->arena, &order, k->error))
		return false;
	for (size_t i = 0; i < order.n; i++) {
		nacre_layer *l = order.layer[i];
		nacre_model *nested = nc_nested_model(l);
		bool words = nc_keras_is_lookup(l->class) && l->class != &nc_class_hashing;
		nc_text path;
		if (!nested && !words)
			continue;
		nc_text_init(&path, &k->runtime->memory);
		nc_text_add(&path, "%s%s", before, places.group[i]);
		if (nested)
			nc_text_add(&path, "/");
		bool good = path.failed ? nc_keras_no_memory(k)
			    : nested    ? read_assets(k, z, nested, path.data)
					: read_asset(k, z, l, path.data);
		nc_text_free(&path);
		if (!good)
			return false;
	}
	return true;
}

bool nc_keras_read_assets(nc_keras *k, const nc_zip *z)
{
	if (k->promised && !read_assets(k, z, k->model, ""))
		return false;
	return k->promised == 0 ||
	       nc_keras_fail(k, NACRE_BAD_MODEL,
			     "assets/...: not every vocabulary.txt that is wanted is there");
}

/* -- texts ------------------------------------------------------------------------------------- */
static bool is_text(const nacre_value *v)
{
	return v->layer->class == &nc_class_input && nc_input_options(v->layer)->text;
}

static bool reads_texts(const nacre_layer *l)
{
	return l->class == &nc_class_hashing ||
	       (l->class == &nc_class_string_lookup && !nc_lookup_of(l).invert);
}

/* Whether it is an output of texts: that of a string_lookup with invert. */
static bool is_made_text(const nacre_value *v)
{
	const nacre_model *m = nc_nested_model(v->layer);
	bool made = v->layer->class == &nc_class_string_lookup && nc_lookup_of(v->layer).invert;
	for (int i = 0; m && i < m->n_outputs && !made; i++)
		made = is_made_text(m->output[i]);
	return made;
}

const char *nc_keras_wrong_texts(const nacre_model *m)
{
	for (const nc_apply *c = m->calls; c; c = c->next) {
		if (reads_texts(c->layer) && !is_text(c->x[0]))
			return "reads texts, but its input is none (.text = 1, dtype string)";
		for (int i = 0; i < c->n; i++) {
			if (is_made_text(c->x[i]))
				return "an inverted string_lookup gives texts, which only an "
				       "output of the model can be";
			if (!is_text(c->x[i]))
				continue;
			if (!reads_texts(c->layer) && !nc_nested_model(c->layer))
				return "an input of texts leads to a layer that looks nothing up";
			for (const nc_apply *d = c->next; d; d = d->next)
				for (int k = 0; k < d->n; k++)
					if (d->x[k] == c->x[i] && d->layer != c->layer)
						return "an input of texts leads to two layers";
		}
	}
	return "";
}

/* -- writing ----------------------------------------------------------------------------------- */
/* The special words in front, as Keras has them in a list that is as long as the weights. */
static int64_t in_front(const nc_lookup *v)
{
	return v->mode == NACRE_OUTPUT_TF_IDF ? v->unknown : 0;
}

static void write_integers(const nacre_layer *l, nc_json_out *w)
{
	const nacre_integer_lookup_options *o = (const nacre_integer_lookup_options *)l->options;
	const nc_lookup v = nc_lookup_of(l);
	if (o->masks)
		nc_json_put_whole(w, "mask_token", o->mask_token);
	else
		nc_json_put_null(w, "mask_token");
	nc_json_open(w, "vocabulary", '[');
	for (int64_t i = 0; i < in_front(&v); i++)
		nc_json_put_whole(w, NULL, o->oov_token);
	for (int64_t i = 0; i < v.words; i++)
		nc_json_put_number(w, NULL, o->vocabulary.value[i]);
	nc_json_close(w, ']');
}

static void write_strings(const nacre_layer *l, nc_json_out *w)
{
	const nacre_string_lookup_layer_options *s =
	    (const nacre_string_lookup_layer_options *)l->options;
	const nc_lookup v = nc_lookup_of(l);
	nc_json_put_text(w, "mask_token", s->mask_token);
	nc_json_put_text(w, "oov_token", nc_lookup_unknown(l));
	nc_json_open(w, "vocabulary", '[');
	for (int64_t i = 0; i < in_front(&v); i++)
		nc_json_put_text(w, NULL, nc_lookup_unknown(l));
	for (int64_t i = 0; i < v.words; i++)
		nc_json_put_text(w, NULL, s->vocabulary.text[i]);
	nc_json_close(w, ']');
}

/* As many as words: Keras pads them itself. */
static bool write_weights(const nacre_layer *l, nc_json_out *w, nacre_error *e)
{
	const nc_lookup v = nc_lookup_of(l);
	nacre_tensor *t = nacre_variable_read(l->weight[0].variable, e);
	nc_json_open(w, "idf_weights", '[');
	for (int64_t i = 0; t && i < v.first + v.words; i++)
		nc_json_put_number(w, NULL, nacre_tensor_get(t, i));
	nc_json_close(w, ']');
	nacre_tensor_free(t);
	return t;
}

static void write_salt(const nacre_numbers *salt, nc_json_out *w)
{
	int64_t key[2];
	if (!nc_salt(salt, key)) {
		nc_json_put_null(w, "salt");
		return;
	}
	nc_json_open(w, "salt", '[');
	for (int i = 0; i < 2; i++)
		nc_json_put_whole(w, NULL, key[i]);
	nc_json_close(w, ']');
}

/* The options that have the same form in all classes. */
static void write_table(const nacre_layer *l, nc_json_out *w)
{
	for (const nc_option *o = l->class->options; o->name; o++) {
		const unsigned char *field = l->options + o->offset;
		int64_t n;
		nacre_numbers list;
		if (!nc_keras_option_name(o)[0])
			continue;
		if (o->kind == NC_OPTION_CHOICE) {
			nc_keras_write_choice(o, field, w);
		} else if (o->kind == NC_OPTION_BOOL) {
			nc_json_put_bool(w, o->name, nc_option_number(o, field) != 0);
		} else if (o->kind == NC_OPTION_NUMBERS && strcmp(o->name, "salt") == 0) {
			memcpy(&list, field, sizeof list);
			write_salt(&list, w);
		} else if (o->kind == NC_OPTION_I64) {
			memcpy(&n, field, sizeof n);
			if (n == 0)
				nc_json_put_null(w, o->name);
			else
				nc_json_put_whole(w, o->name, n);
		}
	}
}

bool nc_keras_write_lookup(const nacre_layer *l, nc_json_out *w, nacre_error *e)
{
	const nacre_hashing_layer_options *h = (const nacre_hashing_layer_options *)l->options;
	bool hashes = l->class == &nc_class_hashing;
	nc_json_put_text(w, "dtype",
			 hashes && h->output_mode == NACRE_OUTPUT_INT ? "int64" : "float32");
	write_table(l, w);
	if (!hashes)
		nc_json_put_whole(w, "num_oov_indices", nc_lookup_of(l).unknown);
	if (hashes)
		nc_json_put_text(w, "mask_value", h->mask_value);
	else if (l->class == &nc_class_string_lookup)
		write_strings(l, w);
	else
		write_integers(l, w);
	return hashes || nc_lookup_of(l).mode != NACRE_OUTPUT_TF_IDF || write_weights(l, w, e);
}
