/* SPDX-License-Identifier: MIT
 *
 * model.c - a model in a file, and arrays through it: its own configuration says how it is trained.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

bool is_model(const char *path)
{
	return ends_with(path, ".keras") || ends_with(path, ".h5") || ends_with(path, "model.json");
}

/* -- opening ----------------------------------------------------------------------------------- */
/* What is damaged, invalid or not supported here came out of a file of that kind. */
static int fail_for(const nacre_error *e, nacre_status of_file)
{
	nacre_error own = *e;
	if (own.status == NACRE_INVALID || own.status == NACRE_UNSUPPORTED ||
	    own.status == NACRE_BAD_DATA)
		own.status = of_file;
	return fail_with(&own);
}

static nacre_model *open_model(const char *path, bool no_compile, int *code)
{
	nacre_error e = {0};
	nacre_model *m =
	    nacre_load_with(NULL, path, (nacre_load_options){.no_compile = no_compile}, &e);
	*code = m ? 0 : fail_for(&e, NACRE_BAD_MODEL);
	return m;
}

/* The array of "X.npy", of "DATA.npz:NAME", or of a "DATA.npz" that holds one. */
static nacre_tensor *load_array(const char *path, nacre_error *e)
{
	const char *colon = strstr(path, ".npz:");
	if (!colon && !ends_with(path, ".npz"))
		return nacre_npy_load(NULL, path, e);
	int n = colon ? (int)(colon - path) + 4 : (int)strlen(path);
	char *archive = format_text("%.*s", n, path);
	nacre_npz *file = nacre_npz_open(NULL, archive, e);
	const char *name = colon ? colon + 5 : nacre_npz_name(file, 0);
	nacre_tensor *t = NULL;
	if (file && !colon && nacre_npz_count(file) != 1) {
		e->status = NACRE_INVALID;
		snprintf(e->text, sizeof e->text, "%.200s holds %lld arrays: expected %.200s:NAME",
			 archive, (long long)nacre_npz_count(file), archive);
	} else if (file) {
		t = nacre_npz_tensor(file, name, e);
	}
	nacre_npz_free(file);
	free(archive);
	return t;
}

static nacre_tensor *open_array(const char *path, int *code)
{
	nacre_error e = {0};
	nacre_tensor *t = load_array(path, &e);
	if (!t)
		*code = fail_for(&e, NACRE_BAD_DATA);
	else if (!nacre_tensor_rank(t))
		*code = fail(NACRE_BAD_DATA, "%s: expected samples, got one number", path);
	return t;
}

/* A data set of those arrays; NULL after an error. */
static nacre_dataset *open_arrays(const text_list *x, const text_list *y, int *code)
{
	nacre_tensor *t[2 * NACRE_MAX_COLUMNS] = {0};
	nacre_dataset *data = NULL;
	int n = 0;
	if (x->n + y->n > NACRE_MAX_COLUMNS)
		*code = fail(NACRE_INVALID, "expected at most %d arrays, got %d", NACRE_MAX_COLUMNS,
			     x->n + y->n);
	for (; n < x->n + y->n && !*code; n++)
		t[n] = open_array(n < x->n ? x->item[n] : y->item[n - x->n], code);
	for (int i = 1; i < n && !*code; i++)
		if (nacre_tensor_shape(t[i])[0] != nacre_tensor_shape(t[0])[0])
			*code = fail(NACRE_BAD_DATA, "%s has %lld samples, %s %lld", x->item[0],
				     (long long)nacre_tensor_shape(t[0])[0],
				     i < x->n ? x->item[i] : y->item[i - x->n],
				     (long long)nacre_tensor_shape(t[i])[0]);
	if (!*code) {
		data = nacre_dataset_new(NULL, x->n, (const nacre_tensor *const *)t, y->n,
					 (const nacre_tensor *const *)t + x->n);
		if (!data)
			*code = fail(NACRE_NO_MEMORY, "out of memory");
		else if (nacre_dataset_error(data)->status)
			*code = fail_for(nacre_dataset_error(data), NACRE_BAD_DATA);
	}
	for (int i = 0; i < n; i++)
		nacre_tensor_free(t[i]);
	if (*code) {
		nacre_dataset_free(data);
		return NULL;
	}
	return data;
}

/* A model and its samples. */
typedef struct job {
	nacre_model *m;
	nacre_dataset *data;
	nacre_tensor *weight;
} job;

static void job_free(job *j)
{
	nacre_tensor_free(j->weight);
	nacre_dataset_free(j->data);
	nacre_model_free(j->m);
}

/* What fit and evaluate ended with. */
static int job_end(const job *j)
{
	const nacre_error *e = nacre_model_error(j->m);
	if (!e->status)
		return 0;
	if (nacre_is_compiled(j->m) || e->status != NACRE_INVALID)
		return fail_for(e, NACRE_BAD_DATA);
	int code = fail_for(e, NACRE_BAD_MODEL);
	hint("the file says of no optimizer and no loss: compile the model before it is saved");
	return code;
}

/* One that can be trained or measured, with inputs and targets. */
static int job_open(job *j, const char *model, const arrays *a)
{
	int code = 0;
	if (!a->x.n || !a->y.n) {
		code = fail(NACRE_INVALID, "expected --%s: the array of %s",
			    a->x.n ? "y Y.npy" : "x X.npy",
			    a->x.n ? "what the output should be" : "the input");
		hint("once for each %s of the model", a->x.n ? "output" : "input");
		return code;
	}
	j->m = open_model(model, false, &code);
	if (!code)
		j->data = open_arrays(&a->x, &a->y, &code);
	if (!code && a->sample_weight)
		j->weight = open_array(a->sample_weight, &code);
	return code;
}

/* Before the work is done: whether a model can be written under that name. */
static int check_output(const char *path)
{
	static const char *const written[] = {".keras", ".weights.h5", ".safetensors"};
	for (int i = 0; i < COUNT(written); i++)
		if (ends_with(path, written[i]))
			return 0;
	int code = fail(NACRE_INVALID, "%s: the name tells no format of models", path);
	hint("expected .keras, .weights.h5 or .safetensors");
	return code;
}

/* -- predict ----------------------------------------------------------------------------------- */
/* All outputs in one file, named as savez names them. */
static int save_together(nacre_tensor *const *y, int n, const char *path)
{
	nacre_error e = {0};
	nacre_named_tensor item[NACRE_MAX_PORTS];
	char name[NACRE_MAX_PORTS][16];
	for (int i = 0; i < n; i++) {
		snprintf(name[i], sizeof name[i], "arr_%d", i);
		item[i] = (nacre_named_tensor){name[i], y[i]};
	}
	return nacre_npz_save(path, n, item, &e) ? fail_with(&e) : 0;
}

/* "Y.npy" of several outputs: "Y_0.npy", "Y_1.npy" ... */
static int save_outputs(nacre_tensor *const *y, int n, const char *path)
{
	int code = 0, stem = (int)(strlen(path) - strlen(".npy"));
	if (ends_with(path, ".npz"))
		return save_together(y, n, path);
	for (int i = 0; i < n && !code; i++) {
		nacre_error e = {0};
		char *name = n == 1 ? copy_text(path) : format_text("%.*s_%d.npy", stem, path, i);
		if (nacre_npy_save(y[i], name, &e))
			code = fail_with(&e);
		free(name);
	}
	return code;
}

int model_predict(int n, char **operand, const char *output, bool fast)
{
	nacre_tensor *y[NACRE_MAX_PORTS] = {0};
	text_list x = {0}, none = {0};
	job j = {0};
	int code;
	if (!ends_with(output, ".npy") && !ends_with(output, ".npz"))
		return fail(NACRE_INVALID, "expected --output Y.npy: where the predictions go");
	if (n - 1 > COUNT(x.item))
		return fail(NACRE_INVALID, "expected at most %d arrays, got %d", COUNT(x.item),
			    n - 1);
	while (x.n < n - 1) {
		x.item[x.n] = operand[x.n + 1];
		x.n++;
	}
	j.m = open_model(operand[0], true, &code);
	if (!code) {
		nacre_set_fast_convolution(j.m, fast);
		j.data = open_arrays(&x, &none, &code);
	}
	if (!code && !nacre_predict(j.m, j.data, .outputs = y))
		code = fail_for(nacre_model_error(j.m), NACRE_BAD_DATA);
	int outputs = nacre_model_outputs(j.m);
	if (!code)
		code = save_outputs(y, outputs, output);
	for (int i = 0; i < outputs; i++)
		nacre_tensor_free(y[i]);
	job_free(&j);
	return code;
}

/* -- evaluate ---------------------------------------------------------------------------------- */
typedef struct measured {
	const char *model;
	int64_t samples;
	bool json;
} measured;

static int put_measured(void *context, nacre_model *m, const nacre_logs *logs)
{
	const measured *w = context;
	json_out j = {.to = stdout};
	(void)m;
	if (!w->json) {
		char text[40];
		printf("%s, %lld samples\n", w->model, (long long)w->samples);
		for (int i = 0; i < logs->n; i++)
			printf("  %-24s %s\n", logs->name[i], number_text(text, logs->value[i]));
		return 0;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "model", w->model);
	json_whole(&j, "samples", w->samples);
	json_open(&j, "score", '{');
	for (int i = 0; i < logs->n; i++)
		json_number(&j, logs->name[i], logs->value[i]);
	json_close(&j, '}');
	json_close(&j, '}');
	return 0;
}

int model_evaluate(const char *model, const arrays *data, int64_t batch, const common_options *o)
{
	job j = {0};
	int code = job_open(&j, model, data);
	if (!code) {
		measured w = {model, nacre_dataset_size(j.data), o->json};
		nacre_evaluate(j.m, j.data, .batch_size = batch, .verbose = NACRE_SILENT,
			       .sample_weight = j.weight,
			       .callbacks = {{.context = &w, .on_test_end = put_measured}});
		code = job_end(&j);
	}
	job_free(&j);
	return code;
}

/* -- train ------------------------------------------------------------------------------------- */
static int after_batch(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)context, (void)m, (void)batch, (void)logs;
	return signal_came != 0;
}

static void json_history(const model_training *t, const job *trained)
{
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "model", t->model);
	json_text(&j, "output", t->output);
	json_whole(&j, "samples", nacre_dataset_size(trained->data));
	json_whole(&j, "epochs", nacre_history_epochs(trained->m));
	json_whole(&j, "iterations", nacre_iterations(trained->m));
	json_open(&j, "history", '{');
	for (int i = 0; nacre_history_name(trained->m, i); i++) {
		const char *name = nacre_history_name(trained->m, i);
		json_open(&j, name, '[');
		for (int k = 0; k < nacre_history_epochs(trained->m); k++)
			json_number(&j, NULL, nacre_history(trained->m, name, k));
		json_close(&j, ']');
	}
	json_close(&j, '}');
	json_close(&j, '}');
}

static int fit(const job *j, const model_training *t, const common_options *o)
{
	nacre_fit_options fit = {
	    .data = j->data,
	    .epochs = t->epochs ? (int)t->epochs : 1,
	    .batch_size = t->batch,
	    .sample_weight = j->weight,
	    .no_shuffle = t->no_shuffle,
	    .verbose = o->quiet || o->json ? NACRE_SILENT : NACRE_AUTO,
	    .callbacks = {{.on_batch_end = after_batch}},
	};
	if (t->csv_log)
		fit.callbacks[1] = nacre_csv_logger(t->csv_log);
	catch_signals();
	nacre_set_seed(j->m, (uint64_t)t->seed);
	nacre_fit_with(j->m, fit);
	int code = job_end(j), last = nacre_history_epochs(j->m) - 1;
	if (!code && last >= 0 && !isfinite(nacre_history(j->m, "loss", last))) {
		code =
		    fail(NACRE_NOT_FINITE, "the loss is not a finite number in epoch %d", last + 1);
		hint("are all inputs finite, and is the learning rate of %g not too high?",
		     nacre_learning_rate(j->m));
	}
	return code;
}

/* The optimizer goes on where the file left it. */
int model_train(const model_training *t, const common_options *o)
{
	job j = {0};
	if (!t->output)
		return fail(NACRE_INVALID, "expected --output OUT.keras: where the model goes");
	int code = check_output(t->output);
	if (!code)
		code = job_open(&j, t->model, &t->data);
	if (!code)
		code = fit(&j, t, o);
	if (!code && nacre_save(j.m, t->output))
		code = fail_with(nacre_model_error(j.m));
	if (!code && o->json)
		json_history(t, &j);
	else if (!code && !o->quiet)
		printf("saved %s\n", t->output);
	job_free(&j);
	return code ? code : signal_came ? 128 + signal_came : 0;
}

/* -- summary, info, convert -------------------------------------------------------------------- */
static void json_layers(json_out *j, nacre_model *m)
{
	json_open(j, "layers", '[');
	for (int i = 0; i < nacre_model_layers(m); i++) {
		nacre_layer *layer = nacre_model_layer(m, i);
		json_open(j, NULL, '{');
		json_text(j, "name", nacre_layer_name(layer));
		json_text(j, "class", nacre_layer_class(layer));
		json_bool(j, "trainable", nacre_layer_trainable(layer));
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void json_outputs(json_out *j, nacre_model *m)
{
	json_open(j, "outputs", '[');
	for (int i = 0; i < nacre_model_outputs(m); i++) {
		nacre_value *y = nacre_model_output_value(m, i);
		json_open(j, NULL, '[');
		for (int k = 0; k < nacre_value_rank(y); k++)
			json_whole(j, NULL, nacre_value_shape(y)[k]);
		json_close(j, ']');
	}
	json_close(j, ']');
}

static void json_model(const char *path, nacre_model *m)
{
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "file", path);
	json_text(&j, "format", ends_with(path, ".keras") ? "keras" :
				ends_with(path, ".h5")	  ? "h5"
							  : "tfjs");
	json_text(&j, "model", nacre_model_name(m));
	json_layers(&j, m);
	json_outputs(&j, m);
	json_whole(&j, "parameters", nacre_model_parameters(m));
	json_whole(&j, "trainable_parameters", nacre_model_trainable_parameters(m));
	json_whole(&j, "non_trainable_parameters", nacre_model_non_trainable_parameters(m));
	json_number(&j, "flops", nacre_model_flops(m));
	json_bool(&j, "compiled", nacre_is_compiled(m));
	if (nacre_is_compiled(m)) {
		json_whole(&j, "iterations", nacre_iterations(m));
		json_number(&j, "learning_rate", nacre_learning_rate(m));
	}
	json_close(&j, '}');
}

int model_summary(const char *model, const common_options *o)
{
	int code;
	/* without the optimizer, whose numbers are none of the model's */
	nacre_model *m = open_model(model, true, &code);
	if (!code && o->json)
		json_model(model, m);
	else if (!code && nacre_summary(m))
		code = fail_with(nacre_model_error(m));
	nacre_model_free(m);
	return code;
}

static void print_info(const char *path, nacre_model *m, const char *why)
{
	char name[160];
	printf("%s: model \"%s\", %d layers, %lld parameters, %.6g flops a sample\n", path,
	       nacre_model_name(m), nacre_model_layers(m), (long long)nacre_model_parameters(m),
	       nacre_model_flops(m));
	for (int i = 0; i < nacre_model_layers(m); i++) {
		nacre_layer *layer = nacre_model_layer(m, i);
		printf("  %s  %s\n", cell_text(name, nacre_layer_name(layer), 32),
		       nacre_layer_class(layer));
	}
	if (nacre_is_compiled(m))
		printf("compiled: %lld steps so far, learning rate %g\n",
		       (long long)nacre_iterations(m), nacre_learning_rate(m));
	else
		printf("%s%s\n", *why ? "cannot be trained here: " : "not compiled", why);
}

int model_info(const char *model, const common_options *o)
{
	nacre_error e = {0};
	int code = 0;
	nacre_model *m = nacre_load(NULL, model, &e);
	if (!m) /* it may be how it trains that is not known */
		m = open_model(model, true, &code);
	if (!code && o->json)
		json_model(model, m);
	else if (!code)
		print_info(model, m, e.text);
	nacre_model_free(m);
	return code;
}

int model_plot(const char *model, const nacre_plot_options *drawing, const common_options *o)
{
	int code = 0;
	if (!drawing->path || strcmp(drawing->path, "-") == 0)
		return fail(NACRE_INVALID, "expected -o FILE.svg or -o FILE.dot to draw a model");
	nacre_model *m = open_model(model, true, &code);
	if (!code && nacre_plot_model_with(m, *drawing))
		code = fail_with(nacre_model_error(m));
	if (!code && o->json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "input", model);
		json_text(&j, "output", drawing->path);
		json_whole(&j, "layers", nacre_model_layers(m));
		json_close(&j, '}');
	}
	nacre_model_free(m);
	return code;
}

int model_convert(const char *in, const char *out, const common_options *o)
{
	int code = check_output(out);
	if (code)
		return code;
	/* weights files hold no optimizer, so it need not be one that is known */
	nacre_model *m = open_model(in, !ends_with(out, ".keras"), &code);
	if (!code && nacre_save(m, out))
		code = fail_with(nacre_model_error(m));
	if (!code && o->json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "input", in);
		json_text(&j, "output", out);
		json_whole(&j, "parameters", nacre_model_parameters(m));
		json_close(&j, '}');
	} else if (!code && !o->quiet) {
		printf("%s: %lld parameters\n", out, (long long)nacre_model_parameters(m));
	}
	nacre_model_free(m);
	return code;
}
