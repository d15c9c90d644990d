/* SPDX-License-Identifier: MIT
 *
 * predict.c - nacre predict, evaluate and summary: a model of a table at work; those in files of
 * their own are model.c's.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "photos.h"
#include "tabular.h"

static rows all_rows(const nacre_table *t)
{
	rows r = {.n = nacre_table_rows(t)};
	r.row = take((size_t)r.n, sizeof *r.row);
	for (int64_t i = 0; i < r.n; i++)
		r.row[i] = i;
	return r;
}

/* A model, a table, and what the model says of every row. */
typedef struct job {
	tabular m;
	nacre_table *t;
	rows all;
	nacre_tensor *x, *y;
} job;

static void job_free(job *j)
{
	nacre_tensor_free(j->x);
	nacre_tensor_free(j->y);
	nacre_table_free(j->t);
	free(j->all.row);
	tabular_free(&j->m);
}

static int job_run(job *j, char **operand, const table_options *o, bool quiet)
{
	int code = tabular_load(&j->m, operand[0]);
	if (!code)
		j->t = open_table(operand[1], o, quiet, &code);
	if (code)
		return code;
	j->all = all_rows(j->t);
	j->x = recipe_encode(&j->m.recipe, j->t, &j->all, o->strict, &code);
	if (j->x)
		j->y = tabular_predict(&j->m, j->x, &code);
	return code;
}

/* -- predict ----------------------------------------------------------------------------------- */
typedef struct predict_options {
	common_options common;
	table_options table;
	const char *output;
	int probabilities, keep, fast;
	int64_t top;
} predict_options;

#define AT(field) offsetof(predict_options, field)
static const option predict_table[] = {
    {"output", 'o', TEXT, AT(output), "FILE", "-", 0, 0,
     "where the predictions go: as CSV; of a model in a file Y.npy, several as Y_0.npy, Y_1.npy"},
    {"probabilities", 'p', FLAG, AT(probabilities), NULL, NULL, 0, 0,
     "also the probability of every class"},
    {"keep", 'k', FLAG, AT(keep), NULL, NULL, 0, 0, "also all columns of the table"},
    {"top", 0, WHOLE, AT(top), "N", "3", 1, 65536, "of photos: so many of the likeliest classes"},
    {"fast-convolution", 0, FLAG, AT(fast), NULL, NULL, 0, 0,
     "not of a table: convolutions of 3x3 by fewer multiplications, with a larger rounding error"},
    TABLE_OPTIONS(predict_options, table),
};
#undef AT

static int best_class(const float *p, int classes)
{
	int best = 0;
	for (int k = 1; k < classes; k++)
		best = p[k] > p[best] ? k : best;
	return best;
}

static void put_number(FILE *to, double value, bool last)
{
	char text[40];
	fprintf(to, "%s%s", number_text(text, (double)(float)value), last ? "\n" : ",");
}

static void put_names(FILE *to, const job *j, const predict_options *o)
{
	const recipe *r = &j->m.recipe;
	bool classes = r->task == TASK_CLASSIFICATION;
	for (int c = 0; o->keep && c < nacre_table_columns(j->t); c++)
		put_csv(to, nacre_table_name(j->t, c), false);
	char *name = o->keep ? format_text("predicted %s", r->target) : copy_text(r->target);
	put_csv(to, name, !classes);
	free(name);
	if (classes)
		put_csv(to, "probability", !o->probabilities);
	for (int k = 0; classes && o->probabilities && k < r->n_classes; k++) {
		char *label = format_text("p(%s)", r->label[k]);
		put_csv(to, label, k == r->n_classes - 1);
		free(label);
	}
}

static void put_row(FILE *to, const job *j, const predict_options *o, int64_t i)
{
	const recipe *r = &j->m.recipe;
	for (int c = 0; o->keep && c < nacre_table_columns(j->t); c++)
		put_csv(to, nacre_table_text(j->t, i, c), false);
	if (r->task == TASK_REGRESSION) {
		put_number(to, nacre_tensor_get(j->y, i), true);
		return;
	}
	const float *p = (const float *)nacre_tensor_data(j->y) + i * r->n_classes;
	int best = best_class(p, r->n_classes);
	put_csv(to, r->label[best], false);
	put_number(to, p[best], !o->probabilities);
	for (int k = 0; o->probabilities && k < r->n_classes; k++)
		put_number(to, p[k], k == r->n_classes - 1);
}

static void put_json(const job *j)
{
	const recipe *r = &j->m.recipe;
	json_out out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_text(&out, "target", r->target);
	json_text(&out, "task", task_names[r->task]);
	json_whole(&out, "malformed", nacre_table_malformed(j->t));
	json_open(&out, "predictions", '[');
	for (int64_t i = 0; i < j->all.n; i++) {
		json_open(&out, NULL, '{');
		json_whole(&out, "line", nacre_table_line(j->t, i));
		if (r->task == TASK_REGRESSION) {
			json_number(&out, "value", nacre_tensor_get(j->y, i));
		} else {
			const float *p = (const float *)nacre_tensor_data(j->y) + i * r->n_classes;
			json_text(&out, "class", r->label[best_class(p, r->n_classes)]);
			json_open(&out, "probabilities", '{');
			for (int k = 0; k < r->n_classes; k++)
				json_number(&out, r->label[k], p[k]);
			json_close(&out, '}');
		}
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
}

/* Pictures, or what is no array at least, for a model that was trained on photos. */
static bool predict_pictures(int n, char **operand, const predict_options *o, int *code)
{
	nacre_model *m;
	if (!photos_model(operand[0], &m, code))
		return *code != 0;
	*code = refuse_given(&predict_command, &o->common, false, "output,top,fast-convolution",
			     "photos");
	nacre_set_fast_convolution(m, o->fast);
	if (*code)
		nacre_model_free(m);
	else
		*code = photos_predict(m, n - 1, operand + 1, o->top, o->output, &o->common);
	return true;
}

static int run_predict(int n, char **operand, const void *given)
{
	const predict_options *o = given;
	job j = {0};
	int pictures;
	if (is_model(operand[0]) && !ends_with(operand[1], ".npy") &&
	    predict_pictures(n, operand, o, &pictures))
		return pictures;
	if (is_model(operand[0])) {
		int code = refuse_given(&predict_command, &o->common, false,
					"output,fast-convolution", MODEL_FILE);
		return code ? code : model_predict(n, operand, o->output, o->fast);
	}
	if (n > 2)
		return fail(NACRE_INVALID, "expected one table, got \"%s\" as well", operand[2]);
	int refused = refuse_given(&predict_command, &o->common, true, "top,fast-convolution",
				   "a table");
	if (refused)
		return refused;
	sink s = {0};
	int code = job_run(&j, operand, &o->table, o->common.quiet);
	bool as_json = o->common.json && strcmp(o->output, "-") == 0;
	if (!code && !as_json)
		code = sink_open(&s, o->output);
	if (!code && !as_json) {
		put_names(s.to, &j, o);
		for (int64_t i = 0; i < j.all.n; i++)
			put_row(s.to, &j, o, i);
		code = sink_close(&s, true);
	}
	if (!code && o->common.json)
		put_json(&j);
	job_free(&j);
	return code;
}

const command predict_command = {
    .name = "predict",
    .operands = "MODEL TABLE.csv|X.npy...|PHOTO...",
    .least = 2,
    .most = 1 << 20,
    .summary =
	"predict the target for the rows of a table, the outputs of a model, what is on a photo",
    .text = "MODEL is what nacre train wrote. The table needs the columns that the model was "
	    "trained on, by name; others, and their order, do not matter.\n\n"
	    "Or MODEL is a whole model in a file, .keras or .h5: then come its inputs, an array "
	    "for each, in the model's order.\n\n"
	    "Or MODEL was trained on photos: then come pictures (PNG, JPEG, PNM, BMP), and the "
	    "likeliest classes of each are printed with their probabilities; with --output as CSV. "
	    "Pictures that cannot be read are named, and the others answered all the same.",
    .examples = "nacre predict flowers.keras a.jpg b.png\n"
		"nacre predict titanic.safetensors new.csv -o predicted.csv\n"
		"nacre predict digits.keras images.npy -o probabilities.npy\n"
		"nacre predict iris.safetensors new.csv --keep --probabilities",
    .options = predict_table,
    .n_options = COUNT(predict_table),
    .size = sizeof(predict_options),
    .run = run_predict,
};

/* -- evaluate ---------------------------------------------------------------------------------- */
typedef struct evaluate_options {
	common_options common;
	table_options table;
	const char *target, *labels;
	arrays data;
	int64_t batch;
} evaluate_options;

#define AT(field) offsetof(evaluate_options, field)
static const option evaluate_table[] = {
    {"target", 't', TEXT, AT(target), "COLUMN", NULL, 0, 0,
     "the column with the truth; if not given, the one the model was trained on"},
    {"labels", 0, TEXT, AT(labels), "FILE", NULL, 0, 0,
     "write true and predicted classes as CSV, for nacre plot --confusion"},
    ARRAY_OPTIONS(evaluate_options, data),
    {"batch-size", 'b', WHOLE, AT(batch), "N", "32", 1, 1000000, "samples at a time"},
    TABLE_OPTIONS(evaluate_options, table),
};
#undef AT

static int write_labels(const job *j, int target, const char *path)
{
	const recipe *r = &j->m.recipe;
	sink s;
	if (r->task != TASK_CLASSIFICATION)
		return fail(NACRE_INVALID, "--labels is for classes; this model predicts numbers");
	int code = sink_open(&s, path);
	if (code)
		return code;
	fprintf(s.to, "true,predicted\n");
	for (int64_t i = 0; i < j->all.n; i++) {
		const float *p = (const float *)nacre_tensor_data(j->y) + i * r->n_classes;
		if (nacre_table_is_missing(j->t, i, target))
			continue;
		put_csv(s.to, nacre_table_text(j->t, i, target), false);
		put_csv(s.to, r->label[best_class(p, r->n_classes)], true);
	}
	return sink_close(&s, true);
}

static int report_score(const job *j, int target, const evaluate_options *o, char **operand)
{
	const recipe *r = &j->m.recipe;
	score s = tabular_score(&j->m, j->t, target, &j->all, j->y);
	int code = 0;
	if (s.unknown && !o->common.quiet)
		warn("%lld row%s a target that the model does not know", (long long)s.unknown,
		     s.unknown == 1 ? " has" : "s have");
	if (!s.n) {
		code = fail(NACRE_BAD_DATA, "%s: no row has a target in column \"%s\"", operand[1],
			    nacre_table_name(j->t, target));
	} else if (o->common.json) {
		json_out out = {.to = stdout};
		json_open(&out, NULL, '{');
		json_text(&out, "model", operand[0]);
		json_text(&out, "table", operand[1]);
		json_text(&out, "task", task_names[r->task]);
		json_whole(&out, "malformed", nacre_table_malformed(j->t));
		json_whole(&out, "unknown_targets", s.unknown);
		score_json(&out, "score", &s, r);
		json_close(&out, '}');
	} else {
		printf("%s on %s, %lld rows\n", operand[0], operand[1], (long long)s.n);
		score_print(&s, r);
	}
	free(s.confusion);
	return code;
}

#define ARRAY_NAMES "x,y,sample-weight,batch-size"

static int evaluate_arrays(int n, char **operand, const evaluate_options *o)
{
	if (n > 1)
		return fail(NACRE_INVALID, "expected --x X.npy --y Y.npy, got \"%s\"", operand[1]);
	int code = refuse_given(&evaluate_command, &o->common, false, ARRAY_NAMES, MODEL_FILE);
	return code ? code : model_evaluate(operand[0], &o->data, o->batch, &o->common);
}

static int run_evaluate(int n, char **operand, const void *given)
{
	const evaluate_options *o = given;
	job j = {0};
	if (is_model(operand[0]))
		return evaluate_arrays(n, operand, o);
	int target = -1;
	int code = refuse_given(&evaluate_command, &o->common, true, ARRAY_NAMES, "a table");
	if (!code && n < 2)
		code = fail(NACRE_INVALID, "expected MODEL TABLE.csv");
	if (!code)
		code = job_run(&j, operand, &o->table, o->common.quiet);
	if (!code) {
		target = find_column(j.t, operand[1], o->target ? o->target : j.m.recipe.target);
		code = target >= 0 ? 0 : exit_code(o->target ? NACRE_INVALID : NACRE_BAD_DATA);
	}
	if (!code)
		code = report_score(&j, target, o, operand);
	if (!code && o->labels)
		code = write_labels(&j, target, o->labels);
	job_free(&j);
	return code;
}

const command evaluate_command = {
    .name = "evaluate",
    .operands = "MODEL [TABLE.csv]",
    .least = 1,
    .most = 2,
    .summary = "measure a model on a table whose target is known, or on arrays",
    .text = "Classes: accuracy, balanced accuracy, AUC (of two), cross-entropy and who is taken "
	    "for whom. Numbers: RMSE, MAE and R2.\n\n"
	    "A whole model in a file, .keras or .h5, is measured on arrays by the loss and the "
	    "metrics that it was compiled with.",
    .examples = "nacre evaluate titanic.safetensors test.csv --labels labels.csv\n"
		"nacre evaluate digits.keras --x images.npy --y labels.npy",
    .options = evaluate_table,
    .n_options = COUNT(evaluate_table),
    .size = sizeof(evaluate_options),
    .run = run_evaluate,
};

/* -- summary ----------------------------------------------------------------------------------- */
typedef struct summary_options {
	common_options common;
} summary_options;

static void summary_json(const tabular *m)
{
	const recipe *r = &m->recipe;
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "task", task_names[r->task]);
	json_text(&j, "target", r->target);
	json_open(&j, "classes", '[');
	for (int i = 0; i < r->n_classes; i++)
		json_text(&j, NULL, r->label[i]);
	json_close(&j, ']');
	json_open(&j, "columns", '[');
	for (int i = 0; i < r->n; i++) {
		const feature *f = &r->feature[i];
		json_open(&j, NULL, '{');
		json_text(&j, "name", f->name);
		json_text(&j, "kind", f->category ? "category" : "number");
		json_whole(&j, "inputs", feature_inputs(f));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "layers", '[');
	for (int i = 0; i < nacre_model_layers(m->model); i++) {
		nacre_layer *layer = nacre_model_layer(m->model, i);
		json_open(&j, NULL, '{');
		json_text(&j, "name", nacre_layer_name(layer));
		json_text(&j, "class", nacre_layer_class(layer));
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_whole(&j, "parameters", nacre_model_parameters(m->model));
	json_close(&j, '}');
}

static void summary_print(const tabular *m)
{
	const recipe *r = &m->recipe;
	char name[160];
	printf("Predicts \"%s\": %s", r->target, task_names[r->task]);
	for (int i = 0; i < r->n_classes; i++)
		printf("%s%s", i ? ", " : " of ", r->label[i]);
	printf("\n\nColumns that it needs:\n");
	for (int i = 0; i < r->n; i++) {
		const feature *f = &r->feature[i];
		printf("  %s  ", cell_text(name, f->name, 24));
		if (f->category)
			printf("category  %d values", f->n);
		else
			printf("number    mean %.4g, deviation %.4g", f->mean, f->deviation);
		printf("%s%s\n", f->other ? ", other" : "", f->missing ? ", may be missing" : "");
	}
	printf("\n");
	fflush(stdout);
	nacre_summary(m->model);
}

static int run_summary(int n, char **operand, const void *given)
{
	(void)n;
	const summary_options *o = given;
	tabular m;
	if (is_model(operand[0]))
		return model_summary(operand[0], &o->common);
	int code = tabular_load(&m, operand[0]);
	if (code)
		return code;
	if (o->common.json)
		summary_json(&m);
	else
		summary_print(&m);
	const nacre_error *e = nacre_model_error(m.model);
	code = e->status ? fail_with(e) : 0;
	tabular_free(&m);
	return code;
}

const command summary_command = {
    .name = "summary",
    .operands = "MODEL",
    .least = 1,
    .most = 1,
    .summary = "show what a model predicts, from what, and its layers",
    .text = "MODEL is what nacre train wrote, or a whole model in a file, .keras or .h5.",
    .examples = "nacre summary titanic.safetensors\nnacre summary digits.keras",
    .size = sizeof(summary_options),
    .run = run_summary,
};
