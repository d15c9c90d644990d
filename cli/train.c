/* SPDX-License-Identifier: MIT
 *
 * train.c - nacre train: a table to a model, in one command; or a model in a file goes on
 * (model.c).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model.h"
#include "photos.h"
#include "tabular.h"

typedef struct train_options {
	common_options common;
	table_options table;
	const char *target, *model, *from, *output, *history, *ignore, *categories, *hidden,
	    *csv_log;
	arrays data;
	int task, no_shuffle, pixels, skip_bad;
	double validation, test, dropout, rate;
	int64_t epochs, fine_tune, batch, patience, seed, size;
} train_options;

#define AT(field) offsetof(train_options, field)
static const option options[] = {
    {"target", 't', TEXT, AT(target), "COLUMN", NULL, 0, 0,
     "the column to learn: its name, or its number from 1; -1 is the last"},
    {"task", 0, CHOICE, AT(task), "auto|regression|classification", "auto", 0, 0,
     "auto: classification if the target holds categories, or at most 10 different whole numbers"},
    {"model", 'm', TEXT, AT(model), "linear|mlp|FILE", "mlp", 0, 0,
     "what is trained: a linear model, a small network, or one saved before, with its columns"},
    {"output", 'o', TEXT, AT(output), "FILE", NULL, 0, 0,
     "where the model goes; if not given, of a table, TABLE.safetensors in this folder"},
    {"history", 0, TEXT, AT(history), "FILE", NULL, 0, 0,
     "write losses and metrics of every epoch as CSV, for nacre plot"},
    {"ignore", 0, TEXT, AT(ignore), "COLUMNS", NULL, 0, 0,
     "columns to leave out, by name, with commas"},
    {"categories", 0, TEXT, AT(categories), "COLUMNS", NULL, 0, 0,
     "columns of numbers or text to take for categories, by name, with commas"},
    {"validation", 0, REAL, AT(validation), "SHARE", "0.15", 0.01, 0.9,
     "rows held out to stop in time"},
    {"test", 0, REAL, AT(test), "SHARE", "0.15", 0, 0.9,
     "rows held out for the scores that are reported"},
    {"hidden", 0, TEXT, AT(hidden), "UNITS", "auto", 0, 0,
     "units of the hidden layers, with commas: 64,32"},
    {"dropout", 0, REAL, AT(dropout), "RATE", "0.1", 0, 0.95, "dropout behind hidden layers"},
    {"epochs", 'e', WHOLE, AT(epochs), "N", NULL, 1, 1000000,
     "the most epochs (200 if not given); of a model in a file so many (1)"},
    {"patience", 0, WHOLE, AT(patience), "N", "20", 1, 1000000,
     "stop when so many epochs brought nothing better"},
    {"batch-size", 'b', WHOLE, AT(batch), "N", "0", 0, 1000000,
     "samples of a step; 0: by the table; of a model in a file 32"},
    {"learning-rate", 0, REAL, AT(rate), "RATE", "0.002", 1e-9, 1e30,
     "of Adam, at first; halved when nothing gets better"},
    {"seed", 0, WHOLE, AT(seed), "N", "0", 0, 9e15,
     "of the split, the weights and the order; of a model in a file of the order, and of what its "
     "layers draw; equal seeds give equal models"},
    ARRAY_OPTIONS(train_options, data),
    {"no-shuffle", 0, FLAG, AT(no_shuffle), NULL, NULL, 0, 0,
     "of a model in a file: the samples in their order, not in a new one every epoch"},
    {"csv-log", 0, TEXT, AT(csv_log), "FILE", NULL, 0, 0,
     "of a model in a file: write loss and metrics of every epoch as CSV, as Keras does"},
    {"from", 0, TEXT, AT(from), "MODEL", NULL, 0, 0,
     "of photos: a network for images, .keras or model.json, whose head is replaced by a new one; "
     "what is in front of it stays as it is"},
    {"fine-tune", 0, WHOLE, AT(fine_tune), "EPOCHS", "0", 0, 1000000,
     "of photos, with --from: then train all of it, for so many epochs, on photos changed at "
     "random"},
    {"size", 0, WHOLE, AT(size), "PIXELS", NULL, 1, 4096,
     "of photos: height and width that they are brought to (32, or what the model takes)"},
    {"pixels", 0, CHOICE, AT(pixels), PIXEL_RANGES, "auto", 0, 0,
     "of photos: the range that the model takes; auto: 0..255 if it has a Rescaling or "
     "Normalization layer, -1..1 --from a MobileNet, else 0..1"},
    {"skip-bad", 0, FLAG, AT(skip_bad), NULL, NULL, 0, 0,
     "of photos: leave out files that cannot be read instead of refusing them"},
    TABLE_OPTIONS(train_options, table),
};

/* -- the parts of the table -------------------------------------------------------------------- */
typedef struct parts {
	rows all, train, validation, test;
	int64_t no_target; /* rows without one, which are not used */
} parts;

static uint64_t random_bits(uint64_t *state) /* SplitMix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Every class is split in the same shares; row k of a class goes where the share's count steps. */
static void split(parts *p, const nacre_table *t, int target, bool classes, const train_options *o)
{
	int n_classes = classes ? nacre_table_categories(t, target) : 1;
	int64_t *seen = take((size_t)n_classes, sizeof *seen);
	uint64_t state = (uint64_t)o->seed;
	rows *all = &p->all;
	for (int64_t i = all->n - 1; i > 0; i--) {
		int64_t k = (int64_t)(random_bits(&state) % (uint64_t)(i + 1)), r = all->row[i];
		all->row[i] = all->row[k];
		all->row[k] = r;
	}
	for (int64_t i = 0; i < all->n; i++) {
		int c = classes ? nacre_table_category_of(t, all->row[i], target) : 0;
		double k = (double)seen[c]++;
		bool test = floor((k + 1) * o->test) > floor(k * o->test);
		double left = k - floor(k * o->test), share = o->validation / (1 - o->test);
		bool validation = !test && floor((left + 1) * share) > floor(left * share);
		rows *to = test ? &p->test : validation ? &p->validation : &p->train;
		to->row[to->n++] = all->row[i];
	}
	free(seen);
}

static void parts_free(parts *p)
{
	free(p->all.row);
	free(p->train.row);
	free(p->validation.row);
	free(p->test.row);
}

static int make_parts(parts *p, const nacre_table *t, int target, bool classes,
		      const train_options *o)
{
	int64_t n = nacre_table_rows(t);
	rows *each[] = {&p->all, &p->train, &p->validation, &p->test};
	for (int i = 0; i < COUNT(each); i++)
		each[i]->row = take((size_t)n, sizeof(int64_t));
	for (int64_t i = 0; i < n; i++) {
		if (nacre_table_is_missing(t, i, target))
			p->no_target++;
		else
			p->all.row[p->all.n++] = i;
	}
	split(p, t, target, classes, o);
	if (p->train.n >= 2 && p->validation.n && (p->test.n || o->test <= 0))
		return 0;
	int code = fail(NACRE_BAD_DATA,
			"too few rows: %lld with a target give %lld to train, %lld for "
			"validation, %lld for the test",
			(long long)p->all.n, (long long)p->train.n, (long long)p->validation.n,
			(long long)p->test.n);
	hint("larger shares (--validation, --test) or --test 0 may help; so do more rows");
	return code;
}

/* -- task, sizes ------------------------------------------------------------------------------- */
/* Whether a column of numbers has at most 10 different ones, all whole. */
static bool few_whole_numbers(const nacre_table *t, int column)
{
	double seen[10];
	int n = 0;
	for (int64_t i = 0; i < nacre_table_rows(t); i++) {
		double v = nacre_table_number(t, i, column);
		int k = 0;
		if (v != v)
			continue;
		while (k < n && (seen[k] < v || seen[k] > v))
			k++;
		if (v < floor(v) || v > floor(v) || (k == n && n == COUNT(seen)))
			return false;
		if (k == n)
			seen[n++] = v;
	}
	return n >= 2;
}

static int choose_task(task *chosen, nacre_table *t, int target, int wanted)
{
	nacre_error e = {0};
	nacre_column_kind kind = nacre_table_kind(t, target);
	*chosen = (task)wanted;
	if (*chosen == TASK_AUTO)
		*chosen = kind != NACRE_COLUMN_NUMBER || few_whole_numbers(t, target)
			      ? TASK_CLASSIFICATION
			      : TASK_REGRESSION;
	if (nacre_table_set_kind(
		t, target, *chosen == TASK_REGRESSION ? NACRE_COLUMN_NUMBER : NACRE_COLUMN_CATEGORY,
		&e)) {
		int code = fail_with(&e);
		if (*chosen == TASK_REGRESSION)
			hint("--task classification takes it for classes");
		else
			hint("--task regression takes it for a number; is it the right target?");
		return code;
	}
	if (*chosen == TASK_CLASSIFICATION && nacre_table_categories(t, target) < 2)
		return fail(NACRE_BAD_DATA, "the target \"%s\" has %d class%s: expected at least 2",
			    nacre_table_name(t, target), nacre_table_categories(t, target),
			    nacre_table_categories(t, target) == 1 ? "" : "es");
	return 0;
}

static int set_categories(nacre_table *t, const char *path, const char *list)
{
	char *copy = copy_text(list ? list : ""), *p = copy;
	int code = 0;
	while (*p && !code) {
		nacre_error e = {0};
		size_t n = strcspn(p, ",");
		bool last = !p[n];
		p[n] = '\0';
		int column = find_column(t, path, p);
		if (column < 0)
			code = exit_code(NACRE_INVALID);
		else if (nacre_table_set_kind(t, column, NACRE_COLUMN_CATEGORY, &e))
			code = fail_with(&e);
		p += n + !last;
	}
	free(copy);
	return code;
}

static int check_ignored(const nacre_table *t, const char *path, const char *list)
{
	char *copy = copy_text(list ? list : ""), *p = copy;
	int code = 0;
	while (*p && !code) {
		size_t n = strcspn(p, ",");
		bool last = !p[n];
		p[n] = '\0';
		if (nacre_table_find(t, p) < 0)
			code = find_column(t, path, p) < 0 ? exit_code(NACRE_INVALID)
							   : fail(NACRE_INVALID,
								  "--ignore takes "
								  "names, got the number %s",
								  p);
		p += n + !last;
	}
	free(copy);
	return code;
}

/* Hidden layers by the number of rows: more of them bear a larger network. */
static int choose_hidden(tabular *m, const train_options *o, int64_t n)
{
	if (strcmp(o->model, "linear") == 0)
		return 0;
	m->dropout = o->dropout;
	if (strcmp(o->hidden, "auto") == 0) {
		int64_t units = n < 300 ? 16 : n < 2000 ? 32 : n < 10000 ? 64 : 128;
		m->hidden[m->n_hidden++] = units;
		m->hidden[m->n_hidden++] = units / 2;
		return 0;
	}
	for (const char *p = o->hidden; *p;) {
		char *end;
		long v = strtol(p, &end, 10);
		if (end == p || v < 1 || v > MAX_UNITS || (*end && *end != ',') ||
		    m->n_hidden == MAX_HIDDEN)
			return fail(NACRE_INVALID,
				    "--hidden: expected 1 to %d numbers from 1 to %d "
				    "with commas, got \"%s\"",
				    MAX_HIDDEN, MAX_UNITS, o->hidden);
		m->hidden[m->n_hidden++] = v;
		p = end + (*end == ',');
	}
	return 0;
}

/* -- training ---------------------------------------------------------------------------------- */
typedef struct watch {
	const train_options *o;
	nacre_tensor **best;
	int n_weights, best_epoch, since, since_halved;
	int halvings, epochs;
	double best_loss;
	bool terminal, failed, not_finite;
	FILE *history;
} watch;

static void show(const watch *w, int epoch, const nacre_logs *logs)
{
	fprintf(stderr, "\repoch %d: loss %.4f, validation %.4f (best %.4f in epoch %d) ",
		epoch + 1, nacre_logs_get(logs, "loss"), nacre_logs_get(logs, "val_loss"),
		w->best_loss, w->best_epoch + 1);
	fflush(stderr);
}

static void write_history(const watch *w, int epoch, const nacre_logs *logs)
{
	char text[40];
	if (!w->history)
		return;
	if (!epoch) {
		fprintf(w->history, "epoch");
		for (int i = 0; i < logs->n; i++)
			fprintf(w->history, ",%s", logs->name[i]);
		fprintf(w->history, "\n");
	}
	fprintf(w->history, "%d", epoch);
	for (int i = 0; i < logs->n; i++)
		fprintf(w->history, ",%s", number_text(text, logs->value[i]));
	fprintf(w->history, "\n");
}

static int after_epoch(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	watch *w = context;
	double loss = nacre_logs_get(logs, "val_loss");
	w->epochs = epoch + 1;
	w->not_finite = !isfinite(loss) || !isfinite(nacre_logs_get(logs, "loss"));
	if (w->not_finite)
		return 1;
	write_history(w, epoch, logs);
	w->since++;
	w->since_halved++;
	if (loss < w->best_loss) {
		weights_free(w->best, w->n_weights);
		w->best = weights_read(m, &w->n_weights);
		w->failed = !w->best;
		w->best_loss = loss;
		w->best_epoch = epoch;
		w->since = w->since_halved = 0;
	} else if (w->since_halved >= (w->o->patience + 2) / 3) {
		nacre_set_learning_rate(m, nacre_learning_rate(m) / 2);
		w->since_halved = 0;
		w->halvings++;
	}
	if (w->terminal)
		show(w, epoch, logs);
	return w->failed || w->since >= w->o->patience || signal_came;
}

static int after_batch(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)context, (void)m, (void)batch, (void)logs;
	return signal_came != 0;
}

static nacre_dataset *make_data(const recipe *r, const nacre_table *t, int target, const rows *from,
				bool strict, int *code)
{
	nacre_error e = {0};
	bool classes = r->task == TASK_CLASSIFICATION;
	nacre_tensor *x = recipe_encode(r, t, from, strict, code);
	nacre_tensor *y = x ? nacre_tensor_new(NULL, classes ? NACRE_I32 : NACRE_F32,
					       classes ? 1 : 2, (int64_t[]){from->n, 1}, &e)
			    : NULL;
	nacre_dataset *data = NULL;
	for (int64_t i = 0; y && i < from->n && !e.status; i++) {
		double v = recipe_target(r, t, target, from->row[i]);
		if (v != v) { /* with a model saved before, which knows other classes */
			*code =
			    fail(NACRE_BAD_DATA, "line %lld: \"%s\" is none of the model's classes",
				 (long long)nacre_table_line(t, from->row[i]),
				 nacre_table_text(t, from->row[i], target));
			break;
		}
		nacre_tensor_set(y, i, classes ? v : (v - r->mean) / r->deviation);
	}
	if (x && !y)
		*code = fail_with(&e);
	if (!*code) {
		data = nacre_dataset_from_tensors(NULL, x, y);
		if (!data || nacre_dataset_error(data)->status)
			*code = fail_with(nacre_dataset_error(data));
	}
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return data;
}

static int64_t choose_batch(const train_options *o, int64_t n)
{
	int64_t batch = 16;
	while (batch < 256 && batch * 100 < n)
		batch *= 2;
	return o->batch ? o->batch : batch;
}

/* Compiles, trains, puts the best weights back. */
static int fit(tabular *m, nacre_dataset *train, nacre_dataset *validation, watch *w)
{
	bool classes = m->recipe.task == TASK_CLASSIFICATION;
	nacre_compile(m->model, .optimizer = nacre_adam(.learning_rate = w->o->rate),
		      .loss = classes ? nacre_sparse_categorical_crossentropy : nacre_mse,
		      .metrics = {classes ? nacre_accuracy : nacre_mae});
	catch_signals();
	nacre_fit(m->model, train, .epochs = w->o->epochs ? (int)w->o->epochs : 200,
		  .batch_size = choose_batch(w->o, nacre_dataset_size(train)),
		  .validation_data = validation, .validation_batch_size = 256,
		  .verbose = NACRE_SILENT,
		  .callbacks = {
		      {.context = w, .on_epoch_end = after_epoch, .on_batch_end = after_batch}});
	if (w->terminal)
		fprintf(stderr, "\n");
	const nacre_error *e = nacre_model_error(m->model);
	if (e->status)
		return fail_with(e);
	if (w->failed)
		return fail(NACRE_NO_MEMORY, "out of memory");
	if (w->not_finite) {
		int code = fail(NACRE_NOT_FINITE, "the loss is not a finite number in epoch %d",
				w->epochs);
		hint("try a smaller --learning-rate: it is %g", w->o->rate);
		return code;
	}
	if (!w->best)
		return signal_came ? 0 : fail(NACRE_FAILED, "no epoch was trained");
	return weights_write(m->model, w->best) ? 0 : fail_with(nacre_model_error(m->model));
}

/* -- the report -------------------------------------------------------------------------------- */
typedef struct report {
	const train_options *o;
	const char *path, *output;
	const nacre_table *t;
	const tabular *m;
	const parts *p;
	const watch *w;
	const score *score;
} report;

static void print_columns(const recipe *r)
{
	char name[160];
	for (int i = 0; i < r->n; i++) {
		const feature *f = &r->feature[i];
		printf("  %s  ", cell_text(name, f->name, 24));
		if (f->category)
			printf("category  %d values%s", f->n,
			       f->other ? ", rare ones together" : "");
		else
			printf("number    mean %.4g, deviation %.4g", f->mean, f->deviation);
		if (f->lacked)
			printf(", %lld missing", (long long)f->lacked);
		printf("\n");
	}
	for (int i = 0; i < r->n_left; i++)
		printf("  %s  left out: %s\n", cell_text(name, r->left[i].name, 24),
		       r->left[i].why);
}

/* What is known before the training. */
static void print_plan(const report *p)
{
	const recipe *r = &p->m->recipe;
	printf("%s: %lld rows, %d columns", p->path, (long long)nacre_table_rows(p->t),
	       nacre_table_columns(p->t));
	if (nacre_table_malformed(p->t))
		printf(", %lld malformed left out", (long long)nacre_table_malformed(p->t));
	if (p->p->no_target)
		printf(", %lld without a target", (long long)p->p->no_target);
	printf("\ntarget \"%s\": %s", r->target, task_names[r->task]);
	if (r->task == TASK_CLASSIFICATION)
		printf(", %d classes", r->n_classes);
	printf("%s\n\ncolumns\n", p->o->task == TASK_AUTO ? " (--task changes it)" : "");
	print_columns(r);
	printf("\nmodel: %lld inputs", (long long)r->width);
	for (int i = 0; i < p->m->n_hidden; i++)
		printf(", %lld relu", (long long)p->m->hidden[i]);
	printf(", %d %s; %lld parameters\n", r->task == TASK_CLASSIFICATION ? r->n_classes : 1,
	       r->task == TASK_CLASSIFICATION ? "softmax" : "linear",
	       (long long)nacre_model_parameters(p->m->model));
	printf("rows: %lld to train, %lld for validation, %lld for the test\n",
	       (long long)p->p->train.n, (long long)p->p->validation.n, (long long)p->p->test.n);
	fflush(stdout);
}

static void print_result(const report *p)
{
	const recipe *r = &p->m->recipe;
	printf("trained %d epochs; the best was %d, validation loss %.4f\n\n", p->w->epochs,
	       p->w->best_epoch + 1, p->w->best_loss);
	printf("%s, %lld rows\n", p->p->test.n ? "test" : "validation", (long long)p->score->n);
	score_print(p->score, r);
	printf("\nsaved %s; use it: nacre predict %s NEW.csv\n", p->output, p->output);
}

static void json_columns(json_out *j, const recipe *r)
{
	json_open(j, "columns", '[');
	for (int i = 0; i < r->n; i++) {
		json_open(j, NULL, '{');
		json_text(j, "name", r->feature[i].name);
		json_text(j, "kind", r->feature[i].category ? "category" : "number");
		json_whole(j, "missing", r->feature[i].lacked);
		json_whole(j, "inputs", feature_inputs(&r->feature[i]));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "left_out", '[');
	for (int i = 0; i < r->n_left; i++) {
		json_open(j, NULL, '{');
		json_text(j, "name", r->left[i].name);
		json_text(j, "why", r->left[i].why);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_report(const report *p)
{
	const recipe *r = &p->m->recipe;
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "table", p->path);
	json_text(&j, "model", p->output);
	json_text(&j, "target", r->target);
	json_text(&j, "task", task_names[r->task]);
	json_open(&j, "rows", '{');
	json_whole(&j, "all", nacre_table_rows(p->t));
	json_whole(&j, "malformed", nacre_table_malformed(p->t));
	json_whole(&j, "without_target", p->p->no_target);
	json_whole(&j, "train", p->p->train.n);
	json_whole(&j, "validation", p->p->validation.n);
	json_whole(&j, "test", p->p->test.n);
	json_close(&j, '}');
	json_open(&j, "malformed", '[');
	for (int i = 0; nacre_table_malformed_text(p->t, i); i++) {
		json_open(&j, NULL, '{');
		json_whole(&j, "line", nacre_table_malformed_line(p->t, i));
		json_text(&j, "text", nacre_table_malformed_text(p->t, i));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_columns(&j, r);
	json_whole(&j, "parameters", nacre_model_parameters(p->m->model));
	json_whole(&j, "epochs", p->w->epochs);
	json_whole(&j, "best_epoch", p->w->best_epoch + 1);
	json_number(&j, "best_validation_loss", p->w->best_loss);
	score_json(&j, p->p->test.n ? "test" : "validation", p->score, r);
	json_close(&j, '}');
}

/* -- the command ------------------------------------------------------------------------------- */
static bool is_file(const char *model)
{
	return strcmp(model, "linear") && strcmp(model, "mlp");
}

/* Scores, saves, reports: everything behind training. */
static int finish(report *p, tabular *m, int target)
{
	int code = 0;
	const rows *held = p->p->test.n ? &p->p->test : &p->p->validation;
	nacre_tensor *x = recipe_encode(&m->recipe, p->t, held, false, &code);
	nacre_tensor *y = x ? tabular_predict(m, x, &code) : NULL;
	score s = {0};
	if (!code) {
		s = tabular_score(m, p->t, target, held, y);
		p->score = &s;
		code = tabular_save(m, p->output);
	}
	if (!code && p->o->common.json)
		json_report(p);
	else if (!code)
		print_result(p);
	free(s.confusion);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return code;
}

static int train_model(tabular *m, nacre_table *t, int target, const parts *p, report *rep)
{
	const train_options *o = rep->o;
	watch w = {
	    .o = o, .best_loss = INFINITY, .terminal = !o->common.quiet && isatty(STDERR_FILENO)};
	sink history = {0};
	int code = 0;
	nacre_dataset *train = make_data(&m->recipe, t, target, &p->train, o->table.strict, &code);
	nacre_dataset *validation =
	    code ? NULL : make_data(&m->recipe, t, target, &p->validation, o->table.strict, &code);
	if (!code && o->history)
		code = sink_open(&history, o->history);
	w.history = history.to;
	if (!code && !o->common.json)
		print_plan(rep);
	if (!code)
		code = fit(m, train, validation, &w);
	if (!code && !w.best) {
		warn("stopped before the first epoch was over: nothing is saved");
	} else if (!code) {
		rep->w = &w;
		code = finish(rep, m, target);
	}
	int kept = sink_close(&history, !code);
	weights_free(w.best, w.n_weights);
	nacre_dataset_free(train);
	nacre_dataset_free(validation);
	return code ? code : kept;
}

static int prepare(tabular *m, nacre_table *t, const char *path, int target, parts *p,
		   const train_options *o)
{
	task chosen = TASK_AUTO;
	int code = is_file(o->model) ? tabular_load(m, o->model) : 0;
	if (!code)
		code = set_categories(t, path, o->categories);
	if (!code)
		code = check_ignored(t, path, o->ignore);
	if (!code)
		code = choose_task(&chosen, t, target,
				   is_file(o->model) ? (int)m->recipe.task : o->task);
	if (!code)
		code = make_parts(p, t, target, chosen == TASK_CLASSIFICATION, o);
	if (code || is_file(o->model))
		return code;
	m->recipe.task = chosen;
	code = recipe_learn(&m->recipe, t, target, &p->train, o->ignore);
	if (!code)
		code = choose_hidden(m, o, p->train.n);
	return code ? code : tabular_build(m, (uint64_t)o->seed);
}

/* "data/titanic.csv" -> "titanic.safetensors" */
static char *default_output(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	const char *dot = strrchr(name, '.');
	int n = dot && dot > name ? (int)(dot - name) : (int)strlen(name);
	return format_text("%.*s.safetensors", n, name);
}

#define ARRAY_NAMES "x,y,sample-weight,no-shuffle,csv-log"
#define PHOTO_NAMES "from,fine-tune,size,pixels,skip-bad"

/* A model in a file: it says itself how it is trained. */
static int train_file(const char *path, const train_options *o)
{
	int code = refuse_given(&train_command, &o->common, false,
				"output,epochs,batch-size,seed," ARRAY_NAMES, MODEL_FILE);
	model_training t = {.model = path,
			    .output = o->output,
			    .csv_log = o->csv_log,
			    .data = o->data,
			    .epochs = o->epochs,
			    .batch = o->batch,
			    .seed = o->seed,
			    .no_shuffle = o->no_shuffle};
	return code ? code : model_train(&t, &o->common);
}

/* A folder with a folder of photos for each class. */
static int train_photos(const char *path, const train_options *o)
{
	int code = refuse_given(&train_command, &o->common, false,
				"model,output,history,validation,test,hidden,dropout,epochs,"
				"patience,batch-size,learning-rate,seed," PHOTO_NAMES,
				"photos");
	photos_options p = {.model = o->model,
			    .from = o->from,
			    .output = o->output,
			    .hidden = o->hidden,
			    .history = o->history,
			    .pixels = o->pixels,
			    .skip_bad = o->skip_bad,
			    .epochs = o->epochs,
			    .fine_tune = o->fine_tune,
			    .batch = o->batch,
			    .patience = o->patience,
			    .seed = o->seed,
			    .size = o->size,
			    .validation = o->validation,
			    .test = o->test,
			    .rate = o->rate,
			    .dropout = o->dropout};
	return code ? code : photos_train(path, &p, &o->common);
}

static int run(int n, char **operand, const void *given)
{
	(void)n;
	const train_options *o = given;
	if (is_model(operand[0]))
		return train_file(operand[0], o);
	if (is_folder(operand[0]))
		return train_photos(operand[0], o);
	int code = refuse_given(&train_command, &o->common, true, ARRAY_NAMES "," PHOTO_NAMES,
				"a table");
	if (code)
		return code;
	if (!o->target) {
		code = fail(NACRE_INVALID, "expected --target COLUMN: what is to be learned");
		hint("nacre info %s lists the columns; --target -1 is the last", operand[0]);
		return code;
	}
	if (o->validation + o->test > 0.9)
		return fail(NACRE_INVALID,
			    "--validation %g and --test %g leave less than 0.1 to train",
			    o->validation, o->test);
	nacre_table *t = open_table(operand[0], &o->table, o->common.quiet, &code);
	if (!t)
		return code;
	char *output = o->output ? copy_text(o->output) : default_output(operand[0]);
	tabular m = {0};
	parts p = {0};
	report rep = {.o = o, .path = operand[0], .output = output, .t = t, .m = &m, .p = &p};
	int target = find_column(t, operand[0], o->target);
	code = target < 0 ? exit_code(NACRE_INVALID) : prepare(&m, t, operand[0], target, &p, o);
	if (!code)
		code = train_model(&m, t, target, &p, &rep);
	tabular_free(&m);
	parts_free(&p);
	nacre_table_free(t);
	free(output);
	return code ? code : signal_came ? 128 + signal_came : 0;
}

const command train_command = {
    .name = "train",
    .operands = "TABLE.csv|MODEL.keras|PHOTOS/",
    .least = 1,
    .most = 1,
    .summary = "train a model on a table or on photos, or a model in a file further",
    .text =
	"The kinds of the columns are guessed: numbers are normalized, categories become inputs of "
	"their own, missing fields are filled and marked, columns of text are left out. Rows are "
	"held out for validation and for the test; training stops when the validation loss gets no "
	"better, and the best weights are kept.\n\n"
	"The file that is written holds the weights and all of the preprocessing: nacre predict "
	"and nacre evaluate need nothing else. Ctrl-C ends training early; the best so far is "
	"saved.\n\n"
	"A whole model in a file, .keras or .h5, trains on arrays by the optimizer, the loss and "
	"the metrics that it was compiled with, and goes on where it was: moments and step are in "
	"the file. Ctrl-C ends it early; what is trained is saved.\n\n"
	"PHOTOS/ is a folder with a folder of pictures (PNG, JPEG, PNM, BMP) for each class. "
	"--model takes a model in a .keras file, whose input is the size of the pictures and "
	"whose output is a number for each class; or linear or mlp, on small copies of them. "
	"--from takes a network that was trained on other pictures, and trains a new head for it, "
	"on features that are computed once; --fine-tune then trains the whole of it further, "
	"which takes longer and gets more right. The "
	"file that is written, PHOTOS.keras if --output does not say else, holds the names of the "
	"classes, too: nacre predict FILE photo.jpg needs nothing else.",
    .examples = "nacre train photos/ --from mobilenet/model.json -o flowers.keras\n"
		"nacre train photos/ --model resnet.keras -o flowers.keras -e 30\n"
		"nacre train digits.keras --x images.npy --y labels.npy -e 5 -o trained.keras\n"
		"nacre train titanic.csv --target Survived\n"
		"nacre train housing.csv -t median_house_value -o housing.safetensors\n"
		"nacre train iris.csv -t -1 --model linear --history iris-history.csv",
    .options = options,
    .n_options = COUNT(options),
    .size = sizeof(train_options),
    .run = run,
};
