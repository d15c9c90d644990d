/* SPDX-License-Identifier: MIT
 *
 * score.c - tables from the command line, predictions, and how good they are.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tabular.h"

/* -- tables ------------------------------------------------------------------------------------ */
nacre_table *open_table(const char *path, const table_options *o, bool quiet, int *code)
{
	enum { TELL = 10 };
	static const int header[] = {0, 1, -1};
	nacre_error e = {0};
	nacre_table *t = nacre_table_read(
	    NULL, path, &(nacre_table_options){.header = header[o->header], .strict = o->strict},
	    &e);
	if (!t) {
		*code = fail_with(&e);
		if (e.status == NACRE_BAD_DATA && o->strict)
			hint("without --strict malformed rows are left out");
		return NULL;
	}
	int64_t bad = nacre_table_malformed(t);
	for (int i = 0; i < TELL && i < bad && !quiet; i++)
		warn("%s: line %lld: %s", path, (long long)nacre_table_malformed_line(t, i),
		     nacre_table_malformed_text(t, i));
	if (bad && !quiet)
		warn("%s: %lld malformed row%s left out; --strict refuses them", path,
		     (long long)bad, bad == 1 ? " was" : "s were");
	*code = 0;
	return t;
}

int find_column(const nacre_table *t, const char *path, const char *name)
{
	int n = nacre_table_columns(t), found = nacre_table_find(t, name);
	char *end;
	long number = strtol(name, &end, 10);
	if (found >= 0)
		return found;
	if (!*end && end != name && number && number <= n && number >= -n)
		return (int)(number > 0 ? number - 1 : n + number);
	const char **names = take((size_t)n, sizeof *names);
	for (int i = 0; i < n; i++)
		names[i] = nacre_table_name(t, i);
	fail(NACRE_INVALID, "%s: there is no column \"%s\"", path, name);
	const char *near = nearest(name, n, names);
	if (near)
		hint("did you mean \"%s\"?", near);
	else
		hint("nacre info %s lists the columns", path);
	free(names);
	return -1;
}

/* -- predictions ------------------------------------------------------------------------------- */
nacre_tensor *tabular_predict(tabular *m, const nacre_tensor *x, int *code)
{
	*code = 0;
	nacre_dataset *data = nacre_dataset_from_tensors(NULL, x, NULL);
	nacre_tensor *y = nacre_tensor_shape(x)[0]
			      ? nacre_predict(m->model, data, .batch_size = 256)
			      : nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){0, 1}, NULL);
	nacre_dataset_free(data);
	if (!y) {
		*code = fail_with(nacre_model_error(m->model));
		return NULL;
	}
	if (m->recipe.task == TASK_REGRESSION) {
		nacre_tensor *scaled = nacre_tensor_convert(y, NACRE_F64, NULL);
		for (int64_t i = 0; scaled && i < nacre_tensor_size(y); i++)
			nacre_tensor_set(scaled, i,
					 nacre_tensor_get(y, i) * m->recipe.deviation +
					     m->recipe.mean);
		nacre_tensor_free(y);
		y = scaled;
		if (!y)
			*code = fail(NACRE_NO_MEMORY, "out of memory");
	}
	return y;
}

/* -- scores ------------------------------------------------------------------------------------ */
typedef struct ranked {
	double p;
	int positive;
} ranked;

static int by_p(const void *a, const void *b)
{
	const ranked *x = a, *y = b;
	return (x->p > y->p) - (x->p < y->p);
}

/* The chance that a positive row gets a higher p than a negative one; equal ones count half. */
static double area(ranked *item, int64_t n)
{
	double positives = 0, below = 0, sum = 0;
	qsort(item, (size_t)n, sizeof *item, by_p);
	for (int64_t i = 0, end; i < n; i = end) {
		double up = 0, down = 0;
		for (end = i; end < n && !by_p(&item[end], &item[i]); end++) {
			up += item[end].positive;
			down += !item[end].positive;
		}
		sum += up * (below + down / 2);
		below += down;
		positives += up;
	}
	return positives > 0 && below > 0 ? sum / positives / below : NAN;
}

static void finish_classes(score *s, int classes, ranked *item)
{
	double recalls = 0, hits = 0;
	int64_t most = 0;
	int present = 0;
	for (int a = 0; a < classes; a++) {
		int64_t n = 0;
		for (int b = 0; b < classes; b++)
			n += s->confusion[a * classes + b];
		most = n > most ? n : most;
		present += n > 0;
		hits += (double)s->confusion[a * classes + a];
		recalls += n ? (double)s->confusion[a * classes + a] / (double)n : 0;
	}
	s->loss /= (double)s->n;
	s->accuracy = hits / (double)s->n;
	s->baseline = (double)most / (double)s->n;
	s->balanced = recalls / present;
	s->auc = classes == 2 ? area(item, s->n) : NAN;
}

static score score_classes(const tabular *m, const nacre_table *t, int target, const rows *from,
			   const nacre_tensor *y)
{
	int classes = m->recipe.n_classes;
	score s = {.confusion = take((size_t)classes * (size_t)classes, sizeof(int64_t))};
	ranked *item = take((size_t)from->n, sizeof *item);
	const float *p = nacre_tensor_data(y);
	for (int64_t i = 0; i < from->n; i++, p += classes) {
		double label = recipe_target(&m->recipe, t, target, from->row[i]);
		int best = 0;
		if (label != label) {
			s.unknown += !nacre_table_is_missing(t, from->row[i], target);
			continue;
		}
		for (int k = 1; k < classes; k++)
			best = p[k] > p[best] ? k : best;
		s.confusion[(int)label * classes + best]++;
		s.loss -= log(p[(int)label] > 1e-30f ? p[(int)label] : 1e-30f);
		item[s.n++] = (ranked){p[classes > 1], (int)label == 1};
	}
	if (s.n)
		finish_classes(&s, classes, item);
	free(item);
	return s;
}

score tabular_score(const tabular *m, const nacre_table *t, int target, const rows *from,
		    const nacre_tensor *y)
{
	if (m->recipe.task == TASK_CLASSIFICATION)
		return score_classes(m, t, target, from, y);
	score s = {.auc = NAN};
	double sum = 0, squares = 0, absolute = 0, spread = 0;
	for (int64_t i = 0; i < from->n; i++) {
		double v = recipe_target(&m->recipe, t, target, from->row[i]);
		double e = v - nacre_tensor_get(y, i);
		s.unknown += v != v && !nacre_table_is_missing(t, from->row[i], target);
		if (v != v)
			continue;
		s.n++;
		sum += v;
		squares += e * e;
		absolute += fabs(e);
	}
	double n = (double)s.n, mean = sum / n;
	for (int64_t i = 0; i < from->n; i++) {
		double v = recipe_target(&m->recipe, t, target, from->row[i]) - mean;
		spread += v == v ? v * v : 0;
	}
	s.loss = squares / n;
	s.rmse = sqrt(s.loss);
	s.mae = absolute / n;
	s.r2 = spread > 0 ? 1 - squares / spread : NAN;
	return s;
}

static void print_confusion(const score *s, const recipe *r)
{
	enum { MOST = 12, CELL = 10 };
	char text[160];
	int n = r->n_classes;
	if (n > MOST)
		return;
	printf("\n  true \\ predicted");
	for (int k = 0; k < n; k++)
		printf("  %s", cell_text(text, r->label[k], CELL));
	printf("  recall\n");
	for (int a = 0; a < n; a++) {
		int64_t sum = 0;
		printf("  %s", cell_text(text, r->label[a], 16));
		for (int b = 0; b < n; b++) {
			printf("  %-*lld", CELL, (long long)s->confusion[a * n + b]);
			sum += s->confusion[a * n + b];
		}
		if (sum)
			printf("  %.3f\n", (double)s->confusion[a * n + a] / (double)sum);
		else
			printf("  -\n");
	}
}

void score_print(const score *s, const recipe *r)
{
	if (!s->n)
		return;
	if (r->task == TASK_CLASSIFICATION) {
		printf("  accuracy    %.4f   (the commonest class alone: %.4f)\n", s->accuracy,
		       s->baseline);
		printf("  balanced    %.4f   (mean of the classes' recalls)\n", s->balanced);
		if (s->auc == s->auc)
			printf("  AUC         %.4f\n", s->auc);
		printf("  loss        %.4f   (cross-entropy)\n", s->loss);
		print_confusion(s, r);
	} else {
		printf("  RMSE        %.6g   (root of the mean squared error)\n", s->rmse);
		printf("  MAE         %.6g   (mean absolute error)\n", s->mae);
		printf("  R2          %.4f   (1: perfect, 0: as the mean alone)\n", s->r2);
	}
}

void score_json(json_out *j, const char *key, const score *s, const recipe *r)
{
	json_open(j, key, '{');
	json_whole(j, "rows", s->n);
	if (r->task == TASK_CLASSIFICATION) {
		json_number(j, "loss", s->n ? s->loss : NAN);
		json_number(j, "accuracy", s->n ? s->accuracy : NAN);
		json_number(j, "baseline_accuracy", s->n ? s->baseline : NAN);
		json_number(j, "balanced_accuracy", s->n ? s->balanced : NAN);
		json_number(j, "auc", s->n ? s->auc : NAN);
		json_open(j, "confusion", '[');
		for (int a = 0; a < r->n_classes; a++) {
			json_open(j, NULL, '[');
			for (int b = 0; b < r->n_classes; b++)
				json_whole(j, NULL, s->confusion[a * r->n_classes + b]);
			json_close(j, ']');
		}
		json_close(j, ']');
	} else {
		json_number(j, "rmse", s->n ? s->rmse : NAN);
		json_number(j, "mae", s->n ? s->mae : NAN);
		json_number(j, "r2", s->n ? s->r2 : NAN);
	}
	json_close(j, '}');
}
