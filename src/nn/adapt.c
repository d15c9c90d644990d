/* SPDX-License-Identifier: MIT
 *
 * adapt.c - layers that learn from a look at data: normalization, discretization, integer_lookup.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/lookup.h"

static const char *called(const nacre_layer *l)
{
	return l->name[0] ? l->name : l->class->snake;
}

/* -- normalization: mean and variance, in two passes ------------------------------------------- */
static nacre_status write_state(nacre_layer *l, int i, const nacre_tensor *value, nacre_error *e)
{
	nacre_tensor *t = nacre_tensor_convert(value, NACRE_F32, e);
	nacre_status status =
	    t ? nacre_variable_write(l->weight[i].variable, t, e) : NACRE_NO_MEMORY;
	nacre_tensor_free(t);
	return status;
}

/* Element i of a row-major tensor lies at place (i / after) % size of the axis. */
static void moments(const nacre_tensor *x, int64_t size, int64_t after, nacre_tensor *mean,
		    nacre_tensor *variance)
{
	int64_t n = nacre_tensor_size(x);
	double each = (double)n / (double)size;
	for (int64_t i = 0; i < n; i++) {
		int64_t k = i / after % size;
		nacre_tensor_set(mean, k, nacre_tensor_get(mean, k) + nacre_tensor_get(x, i));
	}
	for (int64_t k = 0; k < size; k++)
		nacre_tensor_set(mean, k, nacre_tensor_get(mean, k) / each);
	for (int64_t i = 0; i < n; i++) {
		int64_t k = i / after % size;
		double d = nacre_tensor_get(x, i) - nacre_tensor_get(mean, k);
		nacre_tensor_set(variance, k, nacre_tensor_get(variance, k) + d * d / each);
	}
}

static nacre_status adapt_normalization(nacre_layer *l, const nacre_tensor *x, nacre_error *e)
{
	const nacre_normalization_options *o = (const nacre_normalization_options *)l->options;
	if (o->mean.n || l->n_weights < 2)
		return nc_fail(e, NACRE_INVALID, "adapt: %s: %s", called(l),
			       o->mean.n ? "its mean is given" : "it must have been applied first");
	const nacre_variable *v = l->weight[0].variable;
	bool whole = o->axis == NACRE_NO_AXIS;
	int axis = o->axis < 0 ? o->axis + x->rank : o->axis;
	int64_t size = v->rank ? v->shape[0] : 1, after = 1;
	if (!whole && (axis < 1 || axis >= x->rank || x->shape[axis] != size))
		return nc_fail(e, NACRE_INVALID, "adapt: %s: expected %lld places along axis %d",
			       called(l), (long long)size, o->axis);
	for (int d = axis + 1; d < x->rank && !whole; d++)
		after *= x->shape[d];
	nacre_tensor *mean = nacre_tensor_new(v->runtime, NACRE_F64, v->rank, v->shape, e);
	nacre_tensor *variance = nacre_tensor_new(v->runtime, NACRE_F64, v->rank, v->shape, e);
	nacre_status status = NACRE_NO_MEMORY;
	if (mean && variance) {
		moments(x, size, after, mean, variance);
		status = write_state(l, 0, mean, e);
		if (!status)
			status = write_state(l, 1, variance, e);
	}
	nacre_tensor_free(mean);
	nacre_tensor_free(variance);
	return status;
}

/* -- discretization ------------------------------------------------------------------------------
 * As Keras does it: every step-th of the sorted numbers with weight step, at most 100 of them, then
 * twice a compression: new places at equal parts of the sum of weights, interpolated. */
typedef struct summary {
	int64_t n;
	double *at, *weight;
} summary;

/* y at x on the line through (px, py), px rising; beyond its ends the last y */
static double interpolate(double x, int64_t n, const double *px, const double *py)
{
	int64_t i = 0;
	while (i < n && px[i] < x)
		i++;
	if (i == 0)
		return py[0];
	if (i == n)
		return py[n - 1];
	return py[i - 1] + (py[i] - py[i - 1]) * (x - px[i - 1]) / (px[i] - px[i - 1]);
}

static bool compress(nc_arena *arena, summary *s, double epsilon)
{
	if ((double)s->n * epsilon < 1)
		return true;
	int64_t n = (int64_t)ceil(1 / epsilon - 1e-9);
	double *sum = nc_arena_alloc(arena, (size_t)s->n * sizeof *sum);
	double *part = nc_arena_alloc(arena, (size_t)s->n * sizeof *part);
	summary out = {n, nc_arena_alloc(arena, (size_t)n * sizeof(double)),
		       nc_arena_alloc(arena, (size_t)n * sizeof(double))};
	if (!sum || !part || !out.at || !out.weight)
		return false;
	double total = 0, before = 0;
	for (int64_t i = 0; i < s->n; i++)
		sum[i] = total += s->weight[i];
	for (int64_t i = 0; i < s->n; i++)
		part[i] = sum[i] / total;
	for (int64_t i = 0; i < n; i++) {
		double p = epsilon + (double)i * epsilon;
		double now = interpolate(p, s->n, part, sum);
		out.at[i] = (double)(float)interpolate(p, s->n, part, s->at);
		out.weight[i] = (double)(float)(now - before);
		before = now;
	}
	*s = out;
	return true;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static bool summarize(nc_arena *arena, const nacre_tensor *x, summary *s)
{
	const double epsilon = 0.01;
	int64_t n = nacre_tensor_size(x);
	double *v = nc_arena_alloc(arena, (size_t)n * sizeof *v);
	double step = fmax((double)n * epsilon, 1);
	s->at = nc_arena_alloc(arena, (size_t)n * sizeof *s->at);
	s->weight = nc_arena_alloc(arena, (size_t)n * sizeof *s->weight);
	if (!v || !s->at || !s->weight)
		return false;
	for (int64_t i = 0; i < n; i++)
		v[i] = nacre_tensor_get(x, i);
	qsort(v, (size_t)n, sizeof *v, rising);
	for (int64_t i = (int64_t)(step - 1); i < n; i += (int64_t)step) {
		s->at[s->n] = v[i];
		s->weight[s->n++] = step;
	}
	return compress(arena, s, epsilon);
}

static nacre_status adapt_discretization(nacre_layer *l, const nacre_tensor *x, nacre_error *e)
{
	nacre_discretization_options *o = (nacre_discretization_options *)l->options;
	if (l->built || o->num_bins == 0)
		return nc_fail(e, NACRE_INVALID, "adapt: %s: %s", called(l),
			       l->built ? "it is applied already"
					: "its boundaries are given; give num_bins instead");
	nc_arena arena;
	summary s = {0};
	nc_arena_init(&arena, l->memory);
	bool done = summarize(&arena, x, &s) && compress(&arena, &s, 1 / (double)o->num_bins);
	double *b = NULL;
	int64_t n = s.n > 0 ? s.n - 1 : 0;
	if (done)
		b = nc_arena_copy(&l->arena, s.at, (size_t)n * sizeof *b);
	nc_arena_free(&arena);
	if (!b)
		return nc_no_memory(e, 0);
	o->bin_boundaries = (nacre_numbers){n, b};
	return NACRE_OK;
}

/* -- integer_lookup ---------------------------------------------------------------------------- */
typedef struct counted {
	double value;
	int64_t count;
} counted;

static int by_count(const void *a, const void *b)
{
	const counted *x = a, *y = b;
	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return (x->value < y->value) - (x->value > y->value);
}

/* The different numbers of x with their counts; how many. */
static int64_t count_values(nc_arena *arena, const nacre_integer_lookup_options *o,
			    const nacre_tensor *x, counted **out)
{
	int64_t n = nacre_tensor_size(x), k = 0;
	double *v = nc_arena_alloc(arena, (size_t)n * sizeof *v);
	counted *all = *out = nc_arena_alloc(arena, (size_t)(n + 1) * sizeof *all);
	if (!v || !all)
		return -1;
	for (int64_t i = 0; i < n; i++)
		v[i] = trunc(nacre_tensor_get(x, i));
	qsort(v, (size_t)n, sizeof *v, rising);
	for (int64_t i = 0; i < n; i++) {
		bool special = v[i] == (double)o->oov_token ||
			       (o->masks && v[i] == (double)o->mask_token);
		if (k && all[k - 1].value == v[i])
			all[k - 1].count++;
		else if (!special)
			all[k++] = (counted){v[i], 1};
	}
	qsort(all, (size_t)k, sizeof *all, by_count);
	return k;
}

static int by_value(const void *a, const void *b)
{
	return rising(&((const counted *)a)->value, &((const counted *)b)->value);
}

/* The weights of tf_idf, of the first n words in `all`: log(1 + rows / (1 + rows with the word)),
 * in f32 as Keras keeps it. */
static bool weigh(nc_arena *arena, nacre_layer *l, const nacre_tensor *x, int64_t n,
		  const counted *all)
{
	nacre_integer_lookup_options *o = (nacre_integer_lookup_options *)l->options;
	int64_t rows = x->shape[0], size = nacre_tensor_size(x) / rows;
	counted *word = nc_arena_copy(arena, all, (size_t)(n + 1) * sizeof *word);
	int64_t *last = nc_arena_alloc(arena, (size_t)(n + 1) * sizeof *last);
	int64_t *with = nc_arena_alloc(arena, (size_t)(n + 1) * sizeof *with);
	double *idf = nc_arena_alloc(&l->arena, (size_t)(n + 1) * sizeof *idf);
	if (!word || !last || !with || !idf)
		return false;
	for (int64_t i = 0; i < n; i++)
		word[i].count = i; /* its place */
	qsort(word, (size_t)n, sizeof *word, by_value);
	for (int64_t i = 0; i < nacre_tensor_size(x); i++) {
		counted key = {trunc(nacre_tensor_get(x, i)), 0};
		const counted *w = bsearch(&key, word, (size_t)n, sizeof key, by_value);
		if (!w || last[w->count] == 1 + i / size)
			continue;
		last[w->count] = 1 + i / size;
		with[w->count]++;
	}
	for (int64_t i = 0; i < n; i++)
		idf[i] = (double)(float)log(1 + (double)rows / (double)(1 + with[i]));
	o->idf_weights = (nacre_numbers){n, idf};
	return true;
}

static nacre_status adapt_lookup(nacre_layer *l, const nacre_tensor *x, nacre_error *e)
{
	nacre_integer_lookup_options *o = (nacre_integer_lookup_options *)l->options;
	if (l->built || o->vocabulary.n)
		return nc_fail(e, NACRE_INVALID, "adapt: %s: %s", called(l),
			       l->built ? "it is applied already" : "its vocabulary is given");
	nc_arena arena;
	counted *all;
	double *words = NULL;
	nc_arena_init(&arena, l->memory);
	int64_t n = count_values(&arena, o, x, &all);
	if (o->max_tokens)
		n = nc_min(n, nc_max(o->max_tokens - nc_lookup_of(l).first, 0));
	for (int64_t i = 0; i < n; i++)
		if (!(fabs(all[i].value) <= INT32_MAX)) {
			nc_arena_free(&arena);
			return nc_fail(e, NACRE_INVALID,
				       "adapt: %s: expected whole numbers of 32 bits", called(l));
		}
	if (n >= 0)
		words = nc_arena_alloc(&l->arena, (size_t)(n + 1) * sizeof *words);
	for (int64_t i = 0; words && i < n; i++)
		words[i] = all[i].value;
	bool good = words && (o->output_mode != NACRE_OUTPUT_TF_IDF || weigh(&arena, l, x, n, all));
	nc_arena_free(&arena);
	if (!good)
		return nc_no_memory(e, 0);
	o->vocabulary = (nacre_numbers){n, words};
	return NACRE_OK;
}

nacre_status nacre_adapt(nacre_layer *l, const nacre_tensor *x, nacre_error *e)
{
	if (!l)
		return nc_fail(e, NACRE_INVALID, "adapt: no layer");
	if (l->error.status)
		return nc_fail(e, l->error.status, "%s", l->error.text);
	if (!x || x->rank < 1 || nacre_tensor_size(x) < 1)
		return nc_fail(e, NACRE_INVALID, "adapt: %s: expected data, got none", called(l));
	if (l->class == &nc_class_normalization)
		return adapt_normalization(l, x, e);
	if (l->class == &nc_class_discretization)
		return adapt_discretization(l, x, e);
	if (l->class == &nc_class_integer_lookup)
		return adapt_lookup(l, x, e);
	return nc_fail(e, NACRE_INVALID, "adapt: %s learns nothing from data", l->class->name);
}
