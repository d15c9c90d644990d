/* SPDX-License-Identifier: MIT
 *
 * training.c - compile_config: losses and metrics by their tables, both ways.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/keras/keras.h"

/* -- options of losses and metrics ------------------------------------------------------------- */
#define OPTIONS nacre_loss_options
/* 1 for the default: so that a 0 in a file becomes NACRE_ZERO, not the default */
#define NUMBER(field) NC_OPT_NUMBER(F64, OPTIONS, field, 1, -1e300, 1e300)
#define NAMED(kind, field, keras) NC_OPT_ALL(kind, OPTIONS, field, 0, 0, 0, NULL, keras, 0)
#define CHOICE(field, keras, words) NC_OPT_ALL(CHOICE, OPTIONS, field, 0, 0, 0, words, keras, 0)
static const nc_option options[] = {
    NC_OPT_BOOL(OPTIONS, from_logits),
    NC_OPT_NUMBER(F64, OPTIONS, label_smoothing, 0, 0, 1),
    NUMBER(delta),
    NUMBER(alpha),
    NUMBER(beta),
    NUMBER(gamma),
    NUMBER(margin),
    NUMBER(q),
    NAMED(BOOL, balance, "apply_class_balancing"),
    NAMED(BOOL, keep_self, "!remove_diagonal"),
    NC_OPT_NUMBER(INT, OPTIONS, axis, 0, 0, 0),
    CHOICE(reduction, NULL, "sum_over_batch_size|sum|mean_with_sample_weight|none"),
    CHOICE(curve, NULL, "ROC|PR"),
    CHOICE(summation, "summation_method", "interpolation|minoring|majoring"),
    CHOICE(average, NULL, "macro|micro|weighted"),
    NC_OPT_NUMBER(INT, OPTIONS, k, 0, 0, 0),
    NAMED(INT, k, "top_k"),
    NAMED(INT, thresholds, "num_thresholds"),
    NAMED(INT, classes, "num_classes"),
    NAMED(INT, regressors, "num_regressors"),
    NAMED(F64, at, "recall"),
    NAMED(F64, at, "precision"),
    NAMED(F64, at, "sensitivity"),
    NAMED(F64, at, "specificity"),
    NC_OPT_END,
};
#undef OPTIONS

static const nc_keras_harmless read_apart[] = {
    {"ignore_class", NULL},
    {"class_id", NULL},
    {"threshold", NULL},
    {"thresholds", NULL},
    {"target_class_ids", NULL},
    {"fn", NULL},
    {"sparse_y_true", NULL},
    {"sparse_y_pred", NULL},
    {"multi_label", "false"},
    {"class_aggregation", "\"uniform_average\""},
    {"label_weights", NULL},
    {"reduction", "\"auto\""},
    {NULL, NULL},
};

static bool whole(const nc_json_value *v, double low, double high)
{
	return v->kind == NC_JSON_NUMBER && v->number >= low && v->number <= high &&
	       v->number == floor(v->number);
}

/* What the table cannot say. */
static bool read_others(nc_keras *k, const nc_json_value *config, nacre_loss_options *o)
{
	static const char *const class_keys[] = {"ignore_class", "class_id"};
	for (int i = 0; i < 2; i++) {
		const nc_json_value *v = nc_json_get(config, class_keys[i]);
		if (!v || v->kind == NC_JSON_NULL)
			continue;
		if (!whole(v, -1000000, 1000000))
			return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected a class, got %s",
					     class_keys[i], nc_json_show(v).text);
		*(i ? &o->class_id : &o->ignore_class) = NACRE_CLASS((int)v->number);
	}
	const nc_json_value *t = nc_json_get(config, "threshold");
	if (!t || t->kind == NC_JSON_NULL)
		t = nc_json_get(config, "thresholds");
	if (nc_json_as(t, NC_JSON_ARRAY) && t->n == 1)
		t = t->first;
	if (nc_json_as(t, NC_JSON_NUMBER))
		o->threshold = t->number == 0 ? NACRE_ZERO : t->number;
	else if (t && t->kind != NC_JSON_NULL && !nc_json_get(config, "num_thresholds"))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "thresholds: expected one number, got %s",
				     nc_json_show(t).text);
	const nc_json_value *ids =
	    nc_json_as(nc_json_get(config, "target_class_ids"), NC_JSON_ARRAY);
	for (const nc_json_value *i = ids ? ids->first : NULL; i; i = i->next) {
		if (!whole(i, 0, 63))
			return nc_keras_fail(k, NACRE_UNSUPPORTED,
					     "target_class_ids: expected classes 0 to 63, got %s",
					     nc_json_show(i).text);
		o->target_classes |= (uint64_t)1 << (int)i->number;
	}
	return true;
}

/* What a metric is called in the logs, if that is not its function's name. */
static bool read_name(nc_keras *k, const char *name, nacre_loss_function *f, nacre_loss_options *o)
{
	const char *usual = nacre_loss_name(f);
	if (usual && strcmp(usual, name) == 0)
		return true;
	o->name = nc_arena_string(&k->model->arena, name);
	return o->name || nc_keras_no_memory(k);
}

/* The row of a name or of a class; "accuracy" is both, and they differ. */
static nacre_loss_function *function_of(const char *name, bool class)
{
	const nc_loss *row = NULL;
	for (int i = 0; class && (row = nc_loss_at(i)); i++)
		if (row->keras && strcmp(row->keras, name) == 0)
			return row->function;
	char snake[NC_NAME_SIZE];
	nacre_loss_function *f = nacre_loss_named(name);
	return f ? f : nacre_loss_named(nc_keras_snake(snake, name));
}

static bool read_function(nc_keras *k, const nc_json_value *v, const char *what,
			  nacre_loss_function **out, nacre_loss_options *o)
{
	const char *name;
	const nc_json_value *config = NULL;
	bool class = v->kind != NC_JSON_STRING;
	*o = (nacre_loss_options){0};
	if (!class)
		name = v->text.data;
	else if (!nc_keras_class(k, v, what, &name, &config))
		return false;
	if (class && nc_json_as(config, NC_JSON_STRING)) { /* a function by its name */
		name = config->text.data;
		class = false;
	}
	if (class && strcmp(name, "MeanMetricWrapper") == 0 &&
	    nc_json_as(nc_json_get(config, "fn"), NC_JSON_STRING)) {
		name = nc_json_get(config, "fn")->text.data;
		class = false;
	}
	*out = function_of(name, class);
	if (!*out)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "unknown %s \"%.60s\"", what, name);
	if (!nc_json_as(config, NC_JSON_OBJECT))
		return true;
	k->where = what;
	if (!nc_keras_options(k, options, o, config, read_apart) || !read_others(k, config, o))
		return false;
	k->where = NULL;
	if (o->axis == -1)
		o->axis = 0;
	if (o->label_smoothing == NACRE_ZERO)
		o->label_smoothing = 0;
	return true;
}

/* -- reading ----------------------------------------------------------------------------------- */
/* The value for output i of what may be given for each output: by place, or by its layer's name. */
static const nc_json_value *of_output(const nacre_model *m, const nc_json_value *v, int i)
{
	if (nc_json_as(v, NC_JSON_ARRAY)) {
		const nc_json_value *item = v->first;
		while (item && i-- > 0)
			item = item->next;
		return item;
	}
	return nc_json_get(v, m->output[i]->layer->name);
}

static bool read_losses(nc_keras *k, const nc_json_value *v, nacre_compile_options *how)
{
	nacre_model *m = k->model;
	bool each = nc_json_as(v, NC_JSON_ARRAY) ||
		    (nc_json_as(v, NC_JSON_OBJECT) && !nc_json_get(v, "class_name"));
	if (!v || v->kind == NC_JSON_NULL)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "the model was compiled without a loss");
	if (!each)
		return read_function(k, v, "loss", &how->loss, &how->loss_options);
	for (int i = 0; i < m->n_outputs; i++) {
		const nc_json_value *one = of_output(m, v, i);
		if (!one || one->kind == NC_JSON_NULL)
			return nc_keras_fail(k, NACRE_UNSUPPORTED, "loss: output %d has none", i);
		if (!read_function(k, one, "loss", &how->losses[i], &how->losses_options[i]))
			return false;
	}
	return true;
}

static bool read_loss_weights(nc_keras *k, const nc_json_value *v, nacre_compile_options *how)
{
	for (int i = 0; i < k->model->n_outputs && v && v->kind != NC_JSON_NULL; i++) {
		const nc_json_value *one =
		    v->kind == NC_JSON_NUMBER ? v : of_output(k->model, v, i);
		if (!nc_json_as(one, NC_JSON_NUMBER))
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "loss_weights: expected numbers, got %s",
					     nc_json_show(one).text);
		how->loss_weights[i] = one->number == 0 ? NACRE_ZERO : one->number;
	}
	return true;
}

typedef struct metrics { /* being read */
	nacre_compile_options *how;
	int n;
	bool weighted;
	const char *what;
} metrics;

static bool read_metric(nc_keras *k, const nc_json_value *v, int output, metrics *to)
{
	nacre_compile_options *how = to->how;
	if (to->n == NACRE_MAX_METRICS)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "more than %d metrics",
				     NACRE_MAX_METRICS);
	nacre_loss_options *o = &how->metric_options[to->n];
	nacre_loss_function **f = &how->metrics[to->n];
	const nc_json_value *name = nc_json_get(nc_json_get(v, "config"), "name");
	if (!read_function(k, v, "metric", f, o))
		return false;
	if (v->kind == NC_JSON_STRING)
		name = v;
	if (nc_json_as(name, NC_JSON_STRING) && !read_name(k, name->text.data, *f, o))
		return false;
	o->weighted = to->weighted;
	o->output = output;
	to->n++;
	return true;
}

/* One, or a list of them, or none. */
static bool read_metric_list(nc_keras *k, const nc_json_value *v, int output, metrics *to)
{
	if (!v || v->kind == NC_JSON_NULL)
		return true;
	if (v->kind != NC_JSON_ARRAY)
		return read_metric(k, v, output, to);
	for (const nc_json_value *i = v->first; i; i = i->next) {
		if (i->kind == NC_JSON_ARRAY || i->kind == NC_JSON_NULL)
			return nc_keras_fail(k, NACRE_UNSUPPORTED,
					     "%s: expected metrics, got %s in a list", to->what,
					     nc_json_show(i).text);
		if (!read_metric(k, i, output, to))
			return false;
	}
	return true;
}

/* Every key must be the name of an output. */
static bool check_outputs(nc_keras *k, const nc_json_value *v, const char *what)
{
	const nacre_model *m = k->model;
	for (const nc_json_value *i = v->first; i; i = i->next) {
		int n = 0;
		while (n < m->n_outputs && strcmp(m->output[n]->layer->name, i->key.data) != 0)
			n++;
		if (n == m->n_outputs)
			return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: there is no output \"%.60s\"",
					     what, i->key.data);
	}
	return true;
}

/* A list with something for each output, an object by the outputs' names, or (of one output, and of
 * Keras 2) a list for every output. */
static bool read_metrics(nc_keras *k, const nc_json_value *v, metrics *to)
{
	const nacre_model *m = k->model;
	bool named = nc_json_as(v, NC_JSON_OBJECT) && !nc_json_get(v, "class_name");
	if (!v || v->kind == NC_JSON_NULL)
		return true;
	if (v->kind != NC_JSON_ARRAY && !named)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "%s: expected a list, got %s", to->what,
				     nc_json_show(v).text);
	if (named && !check_outputs(k, v, to->what))
		return false;
	bool nested = v->n == 1 && v->first->kind == NC_JSON_ARRAY;
	bool each = named || nested || (m->n_outputs > 1 && v->n == (size_t)m->n_outputs);
	if (!each)
		return read_metric_list(k, v, 0, to);
	for (int i = 0; i < m->n_outputs; i++)
		if (!read_metric_list(k, of_output(m, v, i),
				      m->n_outputs > 1 ? NACRE_OUTPUT(i) : 0, to))
			return false;
	return true;
}

bool nc_keras_read_training(nc_keras *k, const nc_json_value *config)
{
	nacre_compile_options how = {.loss = NULL};
	metrics plain = {.how = &how, .what = "metrics"};
	const nc_json_value *optimizer = nc_json_get(config, "optimizer");
	if (!optimizer)
		optimizer = nc_json_get(config, "optimizer_config"); /* Keras 2 */
	k->where = NULL;
	if (optimizer && optimizer->kind != NC_JSON_NULL &&
	    !nc_keras_read_optimizer(k, optimizer, &how.optimizer))
		return false;
	if (!read_losses(k, nc_json_get(config, "loss"), &how) ||
	    !read_loss_weights(k, nc_json_get(config, "loss_weights"), &how) ||
	    !read_metrics(k, nc_json_get(config, "metrics"), &plain))
		return false;
	metrics weighted = {&how, plain.n, true, "weighted_metrics"};
	if (!read_metrics(k, nc_json_get(config, "weighted_metrics"), &weighted))
		return false;
	if (nacre_compile_with(k->model, how))
		return nc_keras_fail(k, k->model->error.status, "%s", k->model->error.text);
	return true;
}

/* -- writing ----------------------------------------------------------------------------------- */
/* What one rate is asked for at: the name of the other one. */
static const char *rate_key(const char *class)
{
	static const char *const rows[][2] = {
	    {"RecallAtPrecision", "precision"},
	    {"PrecisionAtRecall", "recall"},
	    {"SensitivityAtSpecificity", "specificity"},
	    {"SpecificityAtSensitivity", "sensitivity"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i][0], class) == 0)
			return rows[i][1];
	return NULL;
}

/* Recall and its kin call theirs thresholds. */
static const char *threshold_key(const char *class)
{
	static const char *const many[] = {"Precision",      "Recall",        "TruePositives",
					   "FalsePositives", "TrueNegatives", "FalseNegatives"};
	for (size_t i = 0; i < sizeof many / sizeof *many; i++)
		if (strcmp(many[i], class) == 0)
			return "thresholds";
	return "threshold";
}

static void write_options(const nacre_loss_options *o, const char *class, nc_json_out *w)
{
	if (o->average == NACRE_AVERAGE_MACRO &&
	    (strcmp(class, "F1Score") == 0 || strcmp(class, "FBetaScore") == 0))
		nc_json_put_text(w, "average", "macro"); /* Keras's default is none */
	if (rate_key(class))
		nc_json_put_number(w, rate_key(class), o->at == 0 ? 0.5 : o->at);
	for (const nc_option *f = options; f->name; f++) {
		const char *key = nc_keras_option_name(f);
		double value = nc_option_number(f, (const char *)o + f->offset);
		int length;
		char word[NC_NAME_SIZE];
		bool twice = f->kind != NC_OPTION_CHOICE && f->keras && f->keras[0] != '!' &&
			     f > options && f[-1].offset == f->offset;
		bool rate = f->offset == offsetof(nacre_loss_options, at);
		if (value == 0 || twice || rate)
			continue;
		if (f->kind == NC_OPTION_BOOL)
			nc_json_put_bool(w, key, f->keras && f->keras[0] == '!' ? false : true);
		else if (f->kind == NC_OPTION_CHOICE) {
			const char *from = nc_option_word(f, (int)value, &length);
			snprintf(word, sizeof word, "%.*s", from ? length : 0, from ? from : "");
			nc_json_put_text(w, key, word);
		} else if (f->kind == NC_OPTION_INT)
			nc_json_put_whole(w, key, (int64_t)value);
		else
			nc_json_put_number(w, key, value == NACRE_ZERO ? 0 : value);
	}
	if (o->ignore_class)
		nc_json_put_whole(w, "ignore_class",
				  o->ignore_class > 0 ? o->ignore_class - 1 : o->ignore_class);
	if (o->class_id)
		nc_json_put_whole(w, "class_id", o->class_id > 0 ? o->class_id - 1 : o->class_id);
	if (o->threshold != 0)
		nc_json_put_number(w, threshold_key(class),
				   o->threshold == NACRE_ZERO ? 0 : o->threshold);
	if (o->target_classes) {
		nc_json_open(w, "target_class_ids", '[');
		for (int i = 0; i < 64; i++)
			if (o->target_classes >> i & 1)
				nc_json_put_whole(w, NULL, i);
		nc_json_close(w, ']');
	}
}

static bool plain(nacre_loss_options o)
{
	o.weighted = o.output = 0;
	o.name = NULL;
	return memcmp(&o, &(nacre_loss_options){0}, sizeof o) == 0;
}

/* The class of a function; NULL: Keras has it by its name alone. */
static const char *class_of(const nc_loss *row, bool metric)
{
	if (metric && row->function == nacre_log_cosh)
		return "LogCoshError";
	if (row->function == nacre_mse)
		row = nc_loss_row(nacre_mean_squared_error);
	else if (row->function == nacre_mae)
		row = nc_loss_row(nacre_mean_absolute_error);
	return row->keras;
}

/* A name where that says all, else an object. */
static bool write_function(nacre_loss_function *f, const nacre_loss_options *o, const char *key,
			   const char *module, nc_json_out *w, nacre_error *e)
{
	const nc_loss *row = nc_loss_row(f);
	const char *class = row ? class_of(row, strcmp(module, "keras.metrics") == 0) : NULL;
	if (row && plain(*o) && (key || !row->keras) &&
	    (!o->name || nacre_loss_named(o->name) == f)) {
		nc_json_put_text(w, key, o->name ? o->name : row->name);
		return true;
	}
	if (!class) {
		nc_fail(e, NACRE_UNSUPPORTED, "compile: a %s of one's own%s%s cannot be saved",
			key ? "loss" : "metric", row ? ", as is one with options of " : "",
			row ? row->name : "");
		return false;
	}
	nc_keras_write_class(w, key, module, class);
	if (o->name)
		nc_json_put_text(w, "name", o->name);
	write_options(o, class, w);
	nc_keras_write_class_end(w);
	nc_json_close(w, '}');
	return true;
}

/* Metrics of output i (-1: all that there are), as items of an open list. */
static bool write_metric_list(const nacre_model *m, bool weighted, int i, nc_json_out *w,
			      nacre_error *e)
{
	for (int k = 0; k < m->n_metrics; k++)
		if (!!m->how.metric_options[k].weighted == weighted &&
		    (i < 0 || nc_metric_covers(m, k, i)) &&
		    !write_function(m->how.metrics[k], &m->how.metric_options[k], NULL,
				    "keras.metrics", w, e))
			return false;
	return true;
}

/* Of several outputs a list for each: what Keras takes. */
static bool write_metrics(const nacre_model *m, bool weighted, nc_json_out *w, nacre_error *e)
{
	int n = 0;
	for (int k = 0; k < m->n_metrics; k++)
		n += !!m->how.metric_options[k].weighted == weighted;
	const char *key = weighted ? "weighted_metrics" : "metrics";
	if (!n) {
		nc_json_put_null(w, key);
		return true;
	}
	nc_json_open(w, key, '[');
	if (m->n_outputs == 1 && !write_metric_list(m, weighted, -1, w, e))
		return false;
	for (int i = 0; i < m->n_outputs && m->n_outputs > 1; i++) {
		nc_json_open(w, NULL, '[');
		if (!write_metric_list(m, weighted, i, w, e))
			return false;
		nc_json_close(w, ']');
	}
	nc_json_close(w, ']');
	return true;
}

static bool write_losses(const nacre_model *m, nc_json_out *w, nacre_error *e)
{
	bool each = false, weights = false;
	for (int i = 0; i < m->n_outputs; i++) {
		each |= m->how.losses[i] != NULL;
		weights |= m->how.loss_weights[i] != 0;
	}
	each |= weights && m->n_outputs > 1; /* as many losses as weights */
	if (!each &&
	    !write_function(m->how.loss, &m->how.loss_options, "loss", "keras.losses", w, e))
		return false;
	if (each) {
		nc_json_open(w, "loss", '[');
		for (int i = 0; i < m->n_outputs; i++)
			if (!write_function(nc_loss_of(m, i), nc_loss_options_of(m, i), NULL,
					    "keras.losses", w, e))
				return false;
		nc_json_close(w, ']');
	}
	if (!weights) {
		nc_json_put_null(w, "loss_weights");
		return true;
	}
	nc_json_open(w, "loss_weights", '[');
	for (int i = 0; i < m->n_outputs; i++) {
		double x = m->how.loss_weights[i];
		nc_json_put_number(w, NULL, x == 0 ? 1 : x == NACRE_ZERO ? 0 : x);
	}
	nc_json_close(w, ']');
	return true;
}

bool nc_keras_write_training(nacre_model *m, nc_json_out *w, nacre_error *e)
{
	nc_json_open(w, "compile_config", '{');
	if (!nc_keras_write_optimizer(m, w, e) || !write_losses(m, w, e) ||
	    !write_metrics(m, false, w, e) || !write_metrics(m, true, w, e))
		return false;
	nc_json_put_bool(w, "run_eagerly", false);
	nc_json_put_whole(w, "steps_per_execution", 1);
	nc_json_put_bool(w, "jit_compile", true);
	nc_json_close(w, '}');
	return true;
}
