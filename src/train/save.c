/* SPDX-License-Identifier: MIT
 *
 * save.c - weights to files and back, by extension.
 */
#include <string.h>

#include "format/safetensors.h"
#include "nacre/format.h"
#include "train/keras/keras.h"
#include "train/keras/tfjs.h"
#include "train/model.h"

/* The formats, once: a row each. */
typedef struct format {
	const char *extension;
	nacre_status (*save)(nacre_model *m, const char *path, nacre_error *e);
	nacre_status (*load)(nacre_model *m, const char *path, nacre_error *e);
} format;

typedef struct list { /* a tensor for every weight */
	nc_memory *memory;
	size_t n;
	nacre_named_tensor *item;
} list;

static size_t count(const nacre_model *m)
{
	size_t n = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		n += (size_t)l->n_weights;
	return n;
}

static bool list_new(list *a, nacre_model *m, nacre_error *e)
{
	*a = (list){.memory = &m->runtime->memory, .n = count(m)};
	a->item = nc_zero_alloc(a->memory, (a->n + 1) * sizeof *a->item);
	if (!a->item)
		nc_no_memory(e, a->n * sizeof *a->item);
	return a->item;
}

static void list_free(list *a)
{
	for (size_t i = 0; i < a->n && a->item; i++)
		nacre_tensor_free((nacre_tensor *)(uintptr_t)a->item[i].tensor);
	nc_free(a->memory, a->item, a->item ? (a->n + 1) * sizeof *a->item : 0);
}

/* -- safetensors ------------------------------------------------------------------------------- */
static nacre_status save_safetensors(nacre_model *m, const char *path, nacre_error *e)
{
	list a;
	size_t k = 0;
	if (!list_new(&a, m, e))
		return e->status;
	for (nacre_layer *l = m->layers; l && !e->status; l = l->next)
		for (int i = 0; i < l->n_weights && !e->status; i++, k++) {
			a.item[k].name = nacre_variable_name(l->weight[i].variable);
			a.item[k].tensor = nacre_variable_read(l->weight[i].variable, e);
		}
	if (!e->status)
		nacre_safetensors_save(path, (int64_t)a.n, a.item, 0, NULL, e);
	list_free(&a);
	return e->status;
}

/* The tensor for a weight, as its type: a view of the file if it is that there.  NULL after an
 * error. */
static nacre_tensor *load_one(const nacre_safetensors *file, const char *path,
			      const nacre_variable *v, nacre_error *e)
{
	char want[128], got[128];
	nacre_error own = {0};
	nacre_tensor *t = nacre_safetensors_tensor(file, nacre_variable_name(v), &own),
		     *converted = NULL;
	if (!t) {
		nc_fail(e, own.status ? own.status : NACRE_NO_MEMORY, "%s",
			own.status ? own.text : "out of memory");
		return NULL;
	}
	bool same = t->rank == v->rank;
	for (int i = 0; same && i < v->rank; i++)
		same = t->shape[i] == v->shape[i];
	if (!same)
		nc_fail(e, NACRE_BAD_MODEL, "%s: %s is %s there, %s in the model", path,
			nacre_variable_name(v), nc_shape_text(got, t->rank, t->shape),
			nc_shape_text(want, v->rank, v->shape));
	else if (t->dtype == v->dtype)
		return t;
	else
		converted = nacre_tensor_convert(t, v->dtype, e);
	nacre_tensor_free(t);
	return converted;
}

static bool known(const nacre_model *m, const char *name)
{
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			if (strcmp(nacre_variable_name(l->weight[i].variable), name) == 0)
				return true;
	return false;
}

/* Reads and checks everything before a weight is changed. */
static nacre_status load_safetensors(nacre_model *m, const char *path, nacre_error *e)
{
	list a = {0};
	size_t k = 0;
	nacre_safetensors *file = nacre_safetensors_open(m->runtime, path, e);
	if (!file || !list_new(&a, m, e)) {
		nacre_safetensors_free(file);
		return e->status ? e->status
				 : nc_fail(e, NACRE_NO_MEMORY, "%s: out of memory", path);
	}
	for (int64_t i = 0; i < nacre_safetensors_count(file) && !e->status; i++)
		if (!known(m, nacre_safetensors_name(file, i)))
			nc_fail(e, NACRE_BAD_MODEL, "%s: the model has no weight \"%s\"", path,
				nacre_safetensors_name(file, i));
	for (nacre_layer *l = m->layers; l && !e->status; l = l->next)
		for (int i = 0; i < l->n_weights && !e->status; i++, k++)
			a.item[k].tensor = load_one(file, path, l->weight[i].variable, e);
	k = 0;
	for (nacre_layer *l = m->layers; l && !e->status; l = l->next)
		for (int i = 0; i < l->n_weights && !e->status; i++, k++) {
			const nacre_tensor *t = a.item[k].tensor; /* as the weight is, contiguous */
			nc_variable_set(l->weight[i].variable, t->data,
					nc_safetensors_bytes(file, t), NULL);
			l->weight[i].drawn = true;
		}
	list_free(&a);
	nacre_safetensors_free(file);
	return e->status;
}

/* -- the table --------------------------------------------------------------------------------- */
static const format formats[] = {
	{".safetensors", save_safetensors, load_safetensors},
	{".keras", nc_keras_save, nc_keras_load_weights},
	{".weights.h5", nc_keras_save_weights, nc_keras_load_weights},
	{".h5", NULL, nc_keras_load_weights}, /* of Keras 2 */
	{".json", NULL, nc_tfjs_load_weights}, /* of TensorFlow.js */
};

static const format *format_of(nacre_model *m, const char *what, const char *path, bool saves)
{
	size_t n = path ? strlen(path) : 0;
	for (size_t i = 0; i < sizeof formats / sizeof *formats && path; i++) {
		size_t k = strlen(formats[i].extension);
		if (n > k && strcmp(path + n - k, formats[i].extension) == 0)
			return &formats[i];
	}
	nc_text known_ones;
	nc_text_init(&known_ones, &m->runtime->memory);
	const char *comma = "";
	for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
		if (!saves || formats[i].save) {
			nc_text_add(&known_ones, "%s%s", comma, formats[i].extension);
			comma = ", ";
		}
	nc_model_fail(m, false, path ? NACRE_UNSUPPORTED : NACRE_INVALID,
		      "%s: expected a file name that ends in %s, got %s%s%s", what,
		      known_ones.failed ? ".safetensors" : known_ones.data, path ? "\"" : "",
		      path ? path : "NULL", path ? "\"" : "");
	nc_text_free(&known_ones);
	return NULL;
}

nacre_status nacre_save(nacre_model *m, const char *path)
{
	if (!nc_model_ready(m, "save", false))
		return nacre_model_error(m)->status;
	const format *f = format_of(m, "save", path, true);
	nacre_error e = {0};
	if (f && !f->save)
		nc_model_fail(m, false, NACRE_UNSUPPORTED,
			      "save: files that end in %s are read alone; save as .keras",
			      f->extension);
	else if (f && nc_model_draw(m) && f->save(m, path, &e))
		nc_model_take(m, false, "save", &e);
	return m->error.status;
}

nacre_status nacre_load_weights(nacre_model *m, const char *path)
{
	if (!nc_model_ready(m, "load_weights", false))
		return nacre_model_error(m)->status;
	const format *f = format_of(m, "load_weights", path, false);
	nacre_error e = {0};
	if (f && f->load(m, path, &e))
		nc_model_take(m, false, "load_weights", &e);
	return m->error.status;
}
