/* SPDX-License-Identifier: MIT
 *
 * tabular.c - the network behind a recipe, and the file that holds both.
 *
 * The metadata of the file has one entry, "nacre.table": JSON with the task, the target, the
 * columns and the hidden layers.  Reading believes none of it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tabular.h"

#define KEY "nacre.table"

/* -- the network ------------------------------------------------------------------------------- */
int tabular_build(tabular *m, uint64_t seed)
{
	bool classes = m->recipe.task == TASK_CLASSIFICATION;
	m->model = nacre_sequential("table");
	nacre_set_seed(m->model, seed);
	nacre_add(m->model, nacre_input(m->recipe.width));
	for (int i = 0; i < m->n_hidden; i++) {
		nacre_add(m->model, nacre_dense(m->hidden[i], .activation = nacre_relu,
						.kernel_initializer = nacre_he_normal));
		if (m->dropout > 0)
			nacre_add(m->model, nacre_dropout(m->dropout));
	}
	nacre_add(m->model, nacre_dense(classes ? m->recipe.n_classes : 1,
					.activation = classes ? nacre_softmax : nacre_linear));
	const nacre_error *e = nacre_model_error(m->model);
	return e->status ? fail_with(e) : 0;
}

/* Weight i of all layers; NULL past the end. */
static nacre_variable *weight_at(nacre_model *m, int i)
{
	for (int k = 0; k < nacre_model_layers(m); k++) {
		nacre_layer *layer = nacre_model_layer(m, k);
		int n = nacre_layer_weights(layer);
		if (i < n)
			return nacre_layer_weight(layer, i);
		i -= n;
	}
	return NULL;
}

static int count_weights(nacre_model *m)
{
	int n = 0;
	while (weight_at(m, n))
		n++;
	return n;
}

nacre_tensor **weights_read(nacre_model *m, int *n)
{
	*n = count_weights(m);
	nacre_tensor **weight = take((size_t)*n, sizeof(void *));
	for (int i = 0; i < *n; i++) {
		weight[i] = nacre_get_weight(m, nacre_variable_name(weight_at(m, i)));
		if (!weight[i]) {
			weights_free(weight, *n);
			return NULL;
		}
	}
	return weight;
}

bool weights_write(nacre_model *m, nacre_tensor *const *weight)
{
	bool ok = true;
	for (int i = 0; i < count_weights(m) && ok; i++)
		ok = !nacre_set_weight(m, nacre_variable_name(weight_at(m, i)), weight[i]);
	return ok;
}

void weights_free(nacre_tensor **weight, int n)
{
	for (int i = 0; i < n && weight; i++)
		nacre_tensor_free(weight[i]);
	free(weight);
}

void tabular_free(tabular *m)
{
	nacre_model_free(m->model);
	recipe_free(&m->recipe);
	*m = (tabular){0};
}

/* -- writing ----------------------------------------------------------------------------------- */
static void write_feature(json_out *j, const feature *f)
{
	json_open(j, NULL, '{');
	json_text(j, "name", f->name);
	json_text(j, "kind", f->category ? "category" : "number");
	json_bool(j, "missing", f->missing);
	if (f->category) {
		json_bool(j, "other", f->other);
		json_open(j, "values", '[');
		for (int i = 0; i < f->n; i++)
			json_text(j, NULL, f->value[i]);
		json_close(j, ']');
	} else {
		json_number(j, "mean", f->mean);
		json_number(j, "deviation", f->deviation);
	}
	json_close(j, '}');
}

static void write_recipe(json_out *j, const tabular *m)
{
	const recipe *r = &m->recipe;
	json_open(j, NULL, '{');
	json_whole(j, "version", 1);
	json_text(j, "nacre", nacre_version());
	json_text(j, "task", task_names[r->task]);
	json_open(j, "target", '{');
	json_text(j, "name", r->target);
	if (r->task == TASK_CLASSIFICATION) {
		json_open(j, "classes", '[');
		for (int i = 0; i < r->n_classes; i++)
			json_text(j, NULL, r->label[i]);
		json_close(j, ']');
	} else {
		json_number(j, "mean", r->mean);
		json_number(j, "deviation", r->deviation);
	}
	json_close(j, '}');
	json_open(j, "columns", '[');
	for (int i = 0; i < r->n; i++)
		write_feature(j, &r->feature[i]);
	json_close(j, ']');
	json_open(j, "hidden", '[');
	for (int i = 0; i < m->n_hidden; i++)
		json_whole(j, NULL, m->hidden[i]);
	json_close(j, ']');
	json_number(j, "dropout", m->dropout);
	json_close(j, '}');
}

int tabular_save(tabular *m, const char *path)
{
	char *text = NULL;
	size_t size = 0;
	nacre_error e = {0};
	FILE *to = open_memstream(&text, &size);
	json_out j = {.to = to};
	if (!to)
		return fail(NACRE_NO_MEMORY, "out of memory");
	write_recipe(&j, m);
	bool bad = ferror(to);
	if (fclose(to) || bad) {
		free(text);
		return fail(NACRE_NO_MEMORY, "out of memory");
	}
	int n;
	nacre_tensor **weight = weights_read(m->model, &n);
	nacre_named_tensor *item = take((size_t)n, sizeof *item);
	for (int i = 0; i < n && weight; i++)
		item[i] =
		    (nacre_named_tensor){nacre_variable_name(weight_at(m->model, i)), weight[i]};
	nacre_metadata metadata = {KEY, text};
	if (weight)
		nacre_safetensors_save(path, n, item, 1, &metadata, &e);
	else
		e = *nacre_model_error(m->model);
	weights_free(weight, n);
	free(item);
	free(text);
	return e.status ? fail_with(&e) : 0;
}

/* -- reading ----------------------------------------------------------------------------------- */
static bool sane(double mean, double deviation)
{
	return isfinite(mean) && isfinite(deviation) && deviation > 0;
}

static char **read_texts(const json *list, int most, int *n)
{
	*n = json_length(list);
	if (*n > most)
		return NULL;
	char **text = take((size_t)*n, sizeof *text);
	int i = 0;
	for (const json *c = list->child; c; c = c->next, i++)
		text[i] = copy_text(c->kind == JSON_TEXT ? c->text : "");
	return text;
}

static bool read_feature(recipe *r, const json *j)
{
	feature *f = &r->feature[r->n++]; /* at once: freed with the recipe whatever happens */
	const char *name = json_get_text(j, "name"), *kind = json_get_text(j, "kind");
	const json *missing = json_get(j, "missing", JSON_BOOL);
	const json *other = json_get(j, "other", JSON_BOOL);
	const json *values = json_get(j, "values", JSON_LIST);
	f->name = copy_text(name ? name : "");
	f->missing = missing && missing->number > 0;
	f->category = kind && strcmp(kind, "category") == 0;
	if (!name || !kind || !missing || (!f->category && strcmp(kind, "number")))
		return false;
	if (f->category) {
		f->other = other && other->number > 0;
		f->value = values ? read_texts(values, NACRE_MAX_CATEGORIES, &f->n) : NULL;
		if (!f->value)
			f->n = 0;
		for (int i = 1; i < f->n; i++)
			if (strcmp(f->value[i - 1], f->value[i]) >= 0)
				return false;
		if (!f->value || !other)
			return false;
	} else {
		f->mean = json_get_number(j, "mean");
		f->deviation = json_get_number(j, "deviation");
		if (!sane(f->mean, f->deviation))
			return false;
	}
	f->at = r->width;
	r->width += feature_inputs(f);
	return true;
}

static bool read_target(recipe *r, const json *j)
{
	const json *target = json_get(j, "target", JSON_OBJECT);
	const json *classes = json_get(target, "classes", JSON_LIST);
	const char *name = json_get_text(target, "name"), *kind = json_get_text(j, "task");
	if (!name || !kind)
		return false;
	r->target = copy_text(name);
	if (strcmp(kind, task_names[TASK_CLASSIFICATION]) == 0) {
		r->task = TASK_CLASSIFICATION;
		r->label =
		    classes ? read_texts(classes, NACRE_MAX_CATEGORIES, &r->n_classes) : NULL;
		if (!r->label)
			r->n_classes = 0;
		return r->n_classes >= 2;
	}
	r->task = TASK_REGRESSION;
	r->mean = json_get_number(target, "mean");
	r->deviation = json_get_number(target, "deviation");
	return strcmp(kind, task_names[TASK_REGRESSION]) == 0 && sane(r->mean, r->deviation);
}

static bool read_recipe(tabular *m, const json *j)
{
	recipe *r = &m->recipe;
	const json *columns = json_get(j, "columns", JSON_LIST);
	const json *hidden = json_get(j, "hidden", JSON_LIST);
	double version = json_get_number(j, "version");
	int n = json_length(columns);
	if (!(version >= 1 && version <= 1) || !columns || !hidden || n < 1 || n > 65536 ||
	    json_length(hidden) > MAX_HIDDEN || !read_target(r, j))
		return false;
	r->feature = take((size_t)n, sizeof *r->feature);
	for (const json *c = columns->child; c; c = c->next)
		if (!read_feature(r, c))
			return false;
	for (const json *c = hidden->child; c; c = c->next) {
		if (c->kind != JSON_NUMBER || !(c->number >= 1 && c->number <= MAX_UNITS))
			return false;
		m->hidden[m->n_hidden++] = (int64_t)c->number;
	}
	m->dropout = json_get_number(j, "dropout");
	return m->dropout >= 0 && m->dropout < 1;
}

/* Numbers in all weights: of the network that is described, and in the file.  Compared before any
 * memory is taken for the former. */
static double described(const tabular *m)
{
	double n = 0, in = (double)m->recipe.width;
	for (int i = 0; i <= m->n_hidden; i++) {
		double out = i < m->n_hidden                         ? (double)m->hidden[i]
			     : m->recipe.task == TASK_CLASSIFICATION ? m->recipe.n_classes
								     : 1;
		n += (in + 1) * out;
		in = out;
	}
	return n;
}

static double stored(const nacre_safetensors *file)
{
	double n = 0;
	for (int64_t i = 0; i < nacre_safetensors_count(file); i++) {
		nacre_tensor *t =
		    nacre_safetensors_tensor(file, nacre_safetensors_name(file, i), NULL);
		n += t ? (double)nacre_tensor_size(t) : 0;
		nacre_tensor_free(t);
	}
	return n;
}

static int read_weights(tabular *m, const nacre_safetensors *file, const char *path)
{
	int n = count_weights(m->model);
	if (n != nacre_safetensors_count(file))
		return fail(NACRE_BAD_MODEL, "%s: expected %d weights, got %lld", path, n,
			    (long long)nacre_safetensors_count(file));
	for (int i = 0; i < n; i++) {
		nacre_error e = {0};
		const char *name = nacre_variable_name(weight_at(m->model, i));
		nacre_tensor *t = nacre_safetensors_tensor(file, name, &e);
		if (t && nacre_set_weight(m->model, name, t))
			e = *nacre_model_error(m->model);
		nacre_tensor_free(t);
		if (e.status)
			return fail(e.status == NACRE_NO_MEMORY ? e.status : NACRE_BAD_MODEL,
				    "%s: %s", path, e.text);
	}
	return 0;
}

int tabular_load(tabular *m, const char *path)
{
	nacre_error e = {0};
	*m = (tabular){0};
	nacre_safetensors *file = nacre_safetensors_open(NULL, path, &e);
	if (!file) {
		if (e.status == NACRE_BAD_DATA || e.status == NACRE_UNSUPPORTED)
			e.status = NACRE_BAD_MODEL;
		return fail_with(&e);
	}
	const char *text = nacre_safetensors_metadata(file, KEY);
	json *j = text ? json_parse(text) : NULL;
	int code = 0;
	if (!text) {
		code = fail(NACRE_BAD_MODEL,
			    "%s: expected a model made by nacre train, but there "
			    "is no \"" KEY "\" in its metadata",
			    path);
		hint("nacre info %s shows what it holds", path);
	} else if (!j || !read_recipe(m, j)) {
		code = fail(NACRE_BAD_MODEL,
			    "%s: \"" KEY "\" in its metadata is damaged, or made "
			    "by a newer version",
			    path);
	}
	if (!code && fabs(described(m) - stored(file)) > 0)
		code = fail(NACRE_BAD_MODEL, "%s: expected %.0f numbers in all weights, got %.0f",
			    path, described(m), stored(file));
	if (!code)
		code = tabular_build(m, 0);
	if (!code)
		code = read_weights(m, file, path);
	json_free(j);
	nacre_safetensors_free(file);
	if (code)
		tabular_free(m);
	return code;
}
