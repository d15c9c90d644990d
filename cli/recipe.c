/* SPDX-License-Identifier: MIT
 *
 * recipe.c - how the fields of a row become the inputs of a network: learned and applied.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tabular.h"

enum { RARE = 3, CLIP = 20, TELL = 5 };

const char *const task_names[] = {"auto", "regression", "classification"};

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int value_of(const feature *f, const char *text)
{
	char *const *found =
	    f->n ? bsearch(&text, f->value, (size_t)f->n, sizeof *f->value, by_bytes) : NULL;
	return found ? (int)(found - f->value) : -1;
}

int64_t feature_inputs(const feature *f)
{
	return (f->category ? f->n : 1) + f->other + f->missing;
}

/* -- learning ---------------------------------------------------------------------------------- */
/* Mean and (population) deviation of the fields that are there. */
static void moments(const nacre_table *t, int column, const rows *from, double *mean,
		    double *deviation)
{
	double n = 0, sum = 0, squares = 0;
	for (int64_t i = 0; i < from->n; i++) {
		double v = nacre_table_number(t, from->row[i], column);
		if (v != v)
			continue;
		n++;
		sum += v;
	}
	*mean = n > 0 ? sum / n : 0;
	for (int64_t i = 0; i < from->n; i++) {
		double v = nacre_table_number(t, from->row[i], column) - *mean;
		squares += v == v ? v * v : 0;
	}
	*deviation = n > 0 ? sqrt(squares / n) : 0;
}

static void learn_categories(feature *f, const nacre_table *t, int column, const rows *from)
{
	int n = nacre_table_categories(t, column);
	int64_t *count = take((size_t)n, sizeof *count);
	for (int64_t i = 0; i < from->n; i++) {
		int k = nacre_table_category_of(t, from->row[i], column);
		if (k >= 0)
			count[k]++;
	}
	f->category = true;
	f->value = take((size_t)n, sizeof *f->value);
	for (int k = 0; k < n; k++) {
		/* rare ones tell little, and teach what to do with those never seen */
		if (count[k] >= RARE || (count[k] && from->n < 100))
			f->value[f->n++] = copy_text(nacre_table_category(t, column, k));
		else
			f->rare += count[k] > 0;
	}
	f->other = f->rare > 0;
	qsort(f->value, (size_t)f->n, sizeof *f->value, by_bytes);
	free(count);
}

/* Counts of rows tell nothing about them. */
static bool is_identity(const nacre_table *t, int column)
{
	const char *name = nacre_table_name(t, column);
	size_t n = strlen(name);
	bool named = strcmp(name, "index") == 0 ||
		     (n >= 2 && (name[n - 2] == 'i' || name[n - 2] == 'I') &&
		      (name[n - 1] == 'd' || name[n - 1] == 'D')) ||
		     (column == 0 && strncmp(name, "column ", 7) == 0);
	for (int64_t i = 1; named && i < nacre_table_rows(t); i++)
		named =
		    nacre_table_number(t, i, column) == nacre_table_number(t, i - 1, column) + 1;
	return named && nacre_table_rows(t) > 2;
}

/* NULL: the column became a feature. */
static const char *learn_column(recipe *r, const nacre_table *t, int column, const rows *from)
{
	feature f = {0};
	for (int64_t i = 0; i < from->n; i++)
		f.lacked += nacre_table_is_missing(t, from->row[i], column);
	f.missing = f.lacked > 0;
	switch (nacre_table_kind(t, column)) {
	case NACRE_COLUMN_TEXT:
		return "text";
	case NACRE_COLUMN_EMPTY:
		return "empty";
	case NACRE_COLUMN_CATEGORY:
		learn_categories(&f, t, column, from);
		break;
	case NACRE_COLUMN_NUMBER:
		if (is_identity(t, column))
			return "counts the rows";
		moments(t, column, from, &f.mean, &f.deviation);
		if (!isfinite(f.mean) || !isfinite(f.deviation))
			return "too large";
		break;
	}
	if (f.lacked == from->n || (!f.missing && !f.category && f.deviation <= 0) ||
	    (f.category && f.n + f.other + f.missing < 2)) {
		for (int i = 0; i < f.n; i++)
			free(f.value[i]);
		free(f.value);
		return f.lacked == from->n ? "empty" : "always the same";
	}
	if (!f.category && f.deviation <= 0)
		f.deviation = 1;
	f.name = copy_text(nacre_table_name(t, column));
	f.at = r->width;
	r->width += feature_inputs(&f);
	r->feature[r->n++] = f;
	return NULL;
}

int recipe_learn(recipe *r, const nacre_table *t, int target, const rows *from, const char *ignore)
{
	int columns = nacre_table_columns(t);
	r->target = copy_text(nacre_table_name(t, target));
	r->feature = take((size_t)columns, sizeof *r->feature);
	r->left = take((size_t)columns, sizeof *r->left);
	for (int c = 0; c < columns; c++) {
		const char *name = nacre_table_name(t, c);
		if (c == target)
			continue;
		const char *why =
		    listed(ignore, name) ? "as asked for" : learn_column(r, t, c, from);
		if (why)
			r->left[r->n_left++] = (left_out){copy_text(name), why};
	}
	if (r->task == TASK_CLASSIFICATION) {
		r->n_classes = nacre_table_categories(t, target);
		r->label = take((size_t)r->n_classes, sizeof *r->label);
		for (int k = 0; k < r->n_classes; k++)
			r->label[k] = copy_text(nacre_table_category(t, target, k));
	} else {
		moments(t, target, from, &r->mean, &r->deviation);
		if (!isfinite(r->mean) || !isfinite(r->deviation))
			return fail(NACRE_BAD_DATA, "%s: the numbers are too large", r->target);
		r->deviation = r->deviation > 0 ? r->deviation : 1;
	}
	if (r->n)
		return 0;
	int code = fail(NACRE_BAD_DATA, "no column is left to learn from");
	hint("nacre info shows what the columns hold: text, empty and constant ones are left out");
	return code;
}

/* -- applying ---------------------------------------------------------------------------------- */
typedef struct encoder {
	const recipe *r;
	const nacre_table *t;
	bool strict;
	int64_t odd; /* fields that are no numbers */
} encoder;

static bool encode_number(encoder *e, const feature *f, int64_t row, int column, float *x)
{
	double v = nacre_table_number(e->t, row, column);
	if (v == v) {
		v = (v - f->mean) / f->deviation;
		x[0] = (float)(v > CLIP ? CLIP : v < -CLIP ? -CLIP : v);
		return true;
	}
	if (f->missing)
		x[1] = 1;
	if (nacre_table_is_missing(e->t, row, column))
		return true;
	if (e->odd++ < TELL || e->strict)
		warn("line %lld: %s: expected a number, got \"%s\"%s",
		     (long long)nacre_table_line(e->t, row), f->name,
		     nacre_table_text(e->t, row, column), e->strict ? "" : "; taken as missing");
	return !e->strict;
}

static void encode_category(const encoder *e, const feature *f, int64_t row, int column, float *x)
{
	if (nacre_table_is_missing(e->t, row, column)) {
		if (f->missing)
			x[f->n + f->other] = 1;
		return;
	}
	int k = value_of(f, nacre_table_text(e->t, row, column));
	if (k >= 0)
		x[k] = 1;
	else if (f->other)
		x[f->n] = 1;
}

static int lacks_column(const nacre_table *t, const char *name)
{
	int n = nacre_table_columns(t), code;
	const char **names = take((size_t)n, sizeof *names);
	for (int i = 0; i < n; i++)
		names[i] = nacre_table_name(t, i);
	code = fail(NACRE_BAD_DATA, "the table has no column \"%s\", which the model needs", name);
	const char *near = nearest(name, n, names);
	if (near)
		hint("there is \"%s\"; rename it if it is the same", near);
	else if (!nacre_table_has_header(t))
		hint("the table seems to have no line of names; if it has, give --header yes");
	else
		hint("nacre summary MODEL lists the columns that it needs");
	free(names);
	return code;
}

nacre_tensor *recipe_encode(const recipe *r, const nacre_table *t, const rows *from, bool strict,
			    int *code)
{
	encoder e = {r, t, strict, 0};
	nacre_error error = {0};
	nacre_tensor *x =
	    nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){from->n, r->width}, &error);
	*code = x ? 0 : fail_with(&error);
	for (int i = 0; i < r->n && !*code; i++) {
		const feature *f = &r->feature[i];
		int column = nacre_table_find(t, f->name);
		if (column < 0)
			*code = lacks_column(t, f->name);
		for (int64_t k = 0; k < from->n && !*code; k++) {
			float *at = (float *)nacre_tensor_data(x) + k * r->width + f->at;
			if (f->category)
				encode_category(&e, f, from->row[k], column, at);
			else if (!encode_number(&e, f, from->row[k], column, at))
				*code = fail(NACRE_BAD_DATA, "the table is refused (--strict)");
		}
	}
	if (e.odd > TELL && !*code)
		warn("%lld more fields that are no numbers were taken as missing",
		     (long long)e.odd - TELL);
	if (!*code)
		return x;
	nacre_tensor_free(x);
	return NULL;
}

double recipe_target(const recipe *r, const nacre_table *t, int column, int64_t row)
{
	if (nacre_table_is_missing(t, row, column))
		return NAN;
	if (r->task == TASK_REGRESSION)
		return nacre_table_number(t, row, column);
	const char *text = nacre_table_text(t, row, column);
	for (int k = 0; k < r->n_classes; k++)
		if (strcmp(r->label[k], text) == 0)
			return k;
	return NAN;
}

void recipe_free(recipe *r)
{
	for (int i = 0; i < r->n; i++) {
		for (int k = 0; k < r->feature[i].n; k++)
			free(r->feature[i].value[k]);
		free(r->feature[i].value);
		free(r->feature[i].name);
	}
	for (int i = 0; i < r->n_classes && r->label; i++)
		free(r->label[i]);
	for (int i = 0; i < r->n_left; i++)
		free(r->left[i].name);
	free(r->label);
	free(r->left);
	free(r->feature);
	free(r->target);
	*r = (recipe){0};
}
