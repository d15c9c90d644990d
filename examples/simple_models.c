/* SPDX-License-Identifier: MIT
 *
 * simple_models.c - linear and logistic regression against their exact solutions, which Newton's
 * method finds in double precision (for squared errors its one step is the normal equations).
 * docs/simple-models.md has the figures.
 *
 *     simple_models             on numbers made up here
 *     simple_models FOLDER      also on california-housing.csv, adult-train.csv and adult-test.csv,
 *                               titanic-train.csv in that folder, those that are there
 *
 * Ends with 1 if a trained model is worse than the exact one by more than 0.1 % of its loss.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

enum { MOST = 160 }; /* features */

typedef struct samples { /* x: [n][features]; the first feature is 1 */
	int n, features;
	double *x, *y;
} samples;

typedef struct task {
	const char *name;
	bool classes; /* y is 0 or 1: logistic regression */
	samples part[2]; /* to train, to test */
} task;

/* -- exact ------------------------------------------------------------------------------------- */
static double predict(const samples *s, const double *w, int i, bool classes)
{
	double z = 0;
	for (int k = 0; k < s->features; k++)
		z += w[k] * s->x[i * s->features + k];
	return classes ? 1 / (1 + exp(-z)) : z;
}

/* a x = b, a symmetric and positive definite: Cholesky, in place */
static void solve(int n, double a[MOST][MOST], double *b)
{
	for (int i = 0; i < n; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];
			for (int k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
		for (int k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (int i = n - 1; i >= 0; i--) {
		for (int k = i + 1; k < n; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
}

/* Each step: w += (x' r x)^-1 x' (y - p), r = p (1 - p), or 1.  The 1e-9 n on the diagonal decides
 * between columns that say the same. */
static void newton(const samples *s, bool classes, double *w)
{
	static double a[MOST][MOST], b[MOST];
	memset(w, 0, MOST * sizeof *w);
	for (int step = 0; step < (classes ? 25 : 1); step++) {
		memset(a, 0, sizeof a);
		memset(b, 0, sizeof b);
		for (int i = 0; i < s->n; i++) {
			const double *x = s->x + i * s->features;
			double p = predict(s, w, i, classes), r = classes ? p * (1 - p) : 1;
			for (int j = 0; j < s->features; j++) {
				b[j] += x[j] * (s->y[i] - p);
				for (int k = 0; k <= j && x[j] != 0; k++)
					a[j][k] += r * x[j] * x[k];
			}
		}
		for (int j = 0; j < s->features; j++)
			a[j][j] += 1e-9 * s->n;
		solve(s->features, a, b);
		for (int j = 0; j < s->features; j++)
			w[j] += b[j];
	}
}

/* figure[0]: mean squared error or cross-entropy; [1]: RMSE or accuracy */
static void judge(const samples *s, bool classes, const double *p, double figure[2])
{
	double loss = 0, right = 0;
	for (int i = 0; i < s->n; i++) {
		double q = p[i], y = s->y[i];
		if (classes)
			loss -= log(fmax(y > 0.5 ? q : 1 - q, 1e-15));
		else
			loss += (q - y) * (q - y);
		right += (q > 0.5) == (y > 0.5);
	}
	figure[0] = loss / s->n;
	figure[1] = classes ? 100 * right / s->n : sqrt(loss / s->n);
}

/* -- trained ----------------------------------------------------------------------------------- */
static nacre_dataset *dataset(const samples *s)
{
	int64_t columns = s->features - 1; /* the 1 is the layer's bias */
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){s->n, columns}, NULL);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){s->n, 1}, NULL);
	for (int i = 0; i < s->n && x && y; i++) {
		for (int k = 0; k < columns; k++)
			nacre_tensor_set(x, i * columns + k, s->x[i * s->features + k + 1]);
		nacre_tensor_set(y, i, s->y[i]);
	}
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return d;
}

static int trained(const task *t, double *p[2])
{
	nacre_dataset *d[2] = {dataset(&t->part[0]), dataset(&t->part[1])};
	int n = t->part[0].n, epochs = n > 10000 ? 80 : 400, batch = n > 10000 ? 128 : 32;
	nacre_model *m = nacre_sequential("simple");
	nacre_add(m, nacre_input(t->part[0].features - 1));
	nacre_add(m, nacre_dense(1, .activation = t->classes ? nacre_sigmoid : NULL));
	nacre_compile(m,
		      .optimizer = nacre_adam(.schedule = nacre_cosine_decay(
						  0.02, (double)epochs * (n + batch - 1) / batch)),
		      .loss = t->classes ? nacre_binary_crossentropy : nacre_mse);
	nacre_fit(m, d[0], .epochs = epochs, .batch_size = batch, .verbose = NACRE_SILENT);
	for (int k = 0; k < 2; k++) {
		nacre_tensor *y = nacre_predict(m, d[k], .batch_size = 1000);
		for (int i = 0; i < t->part[k].n && y; i++)
			p[k][i] = nacre_tensor_get(y, i);
		nacre_tensor_free(y);
		nacre_dataset_free(d[k]);
	}
	int status = nacre_report(m);
	nacre_model_free(m);
	return status;
}

static int compare(task *t, double unit)
{
	static double w[MOST];
	double *p[2], exact[2][2], reached[2][2];
	for (int k = 0; k < 2; k++)
		p[k] = calloc((size_t)t->part[k].n + 1, sizeof *p[k]);
	newton(&t->part[0], t->classes, w);
	int status = !p[0] || !p[1] || trained(t, p);
	for (int k = 0; k < 2 && !status; k++) {
		judge(&t->part[k], t->classes, p[k], reached[k]);
		for (int i = 0; i < t->part[k].n; i++)
			p[k][i] = predict(&t->part[k], w, i, t->classes);
		judge(&t->part[k], t->classes, p[k], exact[k]);
	}
	if (!status) {
		printf("%-20s %6d rows to train, %5d to test, %3d features\n", t->name,
		       t->part[0].n, t->part[1].n, t->part[0].features - 1);
		for (int k = 0; k < 2; k++)
			printf("  %-8s loss %.5f, exact %.5f    %s %.*f, exact %.*f\n",
			       k ? "test" : "training", reached[k][0], exact[k][0],
			       t->classes ? "accuracy" : "RMSE", t->classes ? 2 : 4,
			       unit * reached[k][1], t->classes ? 2 : 4, unit * exact[k][1]);
		status = !(reached[0][0] <= 1.001 * exact[0][0]);
	}
	if (status)
		fprintf(stderr, "%s: not the exact solution\n", t->name);
	for (int k = 0; k < 2; k++) {
		free(p[k]);
		free(t->part[k].x);
		free(t->part[k].y);
	}
	return status;
}

/* -- data -------------------------------------------------------------------------------------- */
typedef struct column { /* of a table, as features */
	double mean, deviation;
	int categories; /* 0: a number */
} column;

typedef struct reader {
	const nacre_table *t; /* the one that says what the columns are: for training */
	int target, columns;
	int every; /* rows i % every == 0 are the test; 0: another table is */
	const char *skip; /* names of columns that are left out */
	column column[64];
} reader;

static bool left_out(const reader *r, int c)
{
	char name[80];
	snprintf(name, sizeof name, ",%.70s,", nacre_table_name(r->t, c));
	return c == r->target || (r->skip && strstr(r->skip, name));
}

static void look(reader *r)
{
	for (int c = 0; c < r->columns; c++) {
		double n = 0, sum = 0, squares = 0;
		r->column[c].categories = nacre_table_categories(r->t, c); /* of numbers: 0 */
		for (int i = 0; i < nacre_table_rows(r->t); i++) {
			double v = nacre_table_number(r->t, i, c);
			if (isnan(v) || (r->every && i % r->every == 0))
				continue;
			n++;
			sum += v;
			squares += v * v;
		}
		r->column[c].mean = n > 0 ? sum / n : 0;
		double variance = n > 0 ? squares / n - r->column[c].mean * r->column[c].mean : 1;
		r->column[c].deviation = variance > 0 ? sqrt(variance) : 1;
	}
}

/* A number becomes (v - mean) / deviation, 0 where it is missing; a category a 1 in its place, but
 * for the first one, which is told by zeros. */
static int features_of(const reader *r, const nacre_table *t, int row, double *x)
{
	int n = 0;
	x[n++] = 1;
	for (int c = 0; c < r->columns; c++) {
		const column *k = &r->column[c];
		if (left_out(r, c) || n + k->categories > MOST)
			continue;
		double v = nacre_table_number(t, row, c);
		if (!k->categories)
			x[n++] = isnan(v) ? 0 : (v - k->mean) / k->deviation;
		for (int i = 1; i < k->categories; i++)
			x[n++] = strcmp(nacre_table_text(t, row, c),
					nacre_table_category(r->t, c, i)) == 0;
	}
	return n;
}

static double target_of(const reader *r, const nacre_table *t, int row)
{
	if (!r->column[r->target].categories) /* in its own unit, or scaled by compare() */
		return nacre_table_number(t, row, r->target);
	const char *text = nacre_table_text(t, row, r->target);
	const char *last = nacre_table_category(r->t, r->target, 1); /* adult-test: with a point */
	return strncmp(text, last, strlen(last)) == 0;
}

static void take(const reader *r, const nacre_table *t, samples *s, int which, double unit)
{
	int rows = (int)nacre_table_rows(t);
	s->x = calloc((size_t)rows * MOST, sizeof *s->x);
	s->y = calloc((size_t)rows + 1, sizeof *s->y);
	for (int i = 0; i < rows && s->x && s->y; i++) {
		double x[MOST];
		if (r->every && (i % r->every == 0) != which)
			continue;
		s->features = features_of(r, t, i, x);
		memcpy(s->x + s->n * s->features, x, (size_t)s->features * sizeof *x);
		s->y[s->n++] = target_of(r, t, i) / unit;
	}
}

static int on_tables(const char *name, const char *folder, const char *file, const char *test,
		     const char *target, const char *skip, double unit)
{
	char path[2][600];
	nacre_error e = {0};
	const nacre_table_options plain = {.header = test ? -1 : 1};
	snprintf(path[0], sizeof path[0], "%s/%s", folder, file);
	snprintf(path[1], sizeof path[1], "%s/%s", folder, test ? test : file);
	nacre_table *t = nacre_table_read(NULL, path[0], &plain, &e);
	nacre_table *other = test && t ? nacre_table_read(NULL, path[1], &plain, &e) : NULL;
	reader r = {.t = t,
		    .target = nacre_table_find(t, target),
		    .columns = nacre_table_columns(t),
		    .every = test ? 0 : 5,
		    .skip = skip};
	int status = e.status || r.target < 0 || r.columns > 64;
	if (status) {
		printf("%s: left out: %s\n", name, e.status ? e.text : "not the table expected");
	} else {
		task k = {.name = name};
		if (unit == 1)
			nacre_table_set_kind(t, r.target, NACRE_COLUMN_CATEGORY, &e);
		look(&r);
		k.classes = r.column[r.target].categories == 2;
		take(&r, t, &k.part[0], 0, unit);
		take(&r, test ? other : t, &k.part[1], 1, unit);
		status = compare(&k, k.classes ? 1 : unit) ? 1 : 0;
	}
	nacre_table_free(t);
	nacre_table_free(other);
	return e.status ? 0 : status;
}

/* Three numbers and a rule with noise: y = 1 + 2 a - 3 b + c / 2, or its sign. */
static int made_up(const char *name, bool classes)
{
	task t = {.name = name, .classes = classes};
	uint64_t state = 7;
	for (int k = 0; k < 2; k++) {
		samples *s = &t.part[k];
		*s = (samples){2000, 4, calloc(2000 * 4, sizeof(double)),
			       calloc(2000, sizeof(double))};
		for (int i = 0; i < s->n && s->x && s->y; i++) {
			double r[4];
			for (int j = 0; j < 4; j++) {
				state = state * 6364136223846793005u + 1442695040888963407u;
				r[j] = (double)(state >> 33) * 0x1p-30 - 1;
			}
			double y = 1 + 2 * r[0] - 3 * r[1] + r[2] / 2 + 2 * r[3];
			memcpy(s->x + 4 * i, (double[]){1, r[0], r[1], r[2]}, 4 * sizeof *r);
			s->y[i] = classes ? y > 0 : y;
		}
	}
	return compare(&t, 1);
}

int main(int argc, char **argv)
{
	int status = made_up("made up, linear", false) | made_up("made up, logistic", true);
	if (argc < 2)
		return status;
	status |= on_tables("California housing", argv[1], "california-housing.csv", NULL,
			    "median_house_value", NULL, 100000);
	status |= on_tables("Adult", argv[1], "adult-train.csv", "adult-test.csv", "column 15",
			    ",column 3,", 1);
	return status | on_tables("Titanic", argv[1], "titanic-train.csv", NULL, "Survived",
				  ",PassengerId,Name,Ticket,Cabin,", 1);
}
