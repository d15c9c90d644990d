/* SPDX-License-Identifier: MIT
 *
 * load.c - Keras's files: what is in them, and the order in which it is read.
 *
 * Files are mapped; nothing in them is believed before it is checked, nothing is written outside of
 * memory, and no other file is opened.
 */
#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "format/zip.h"
#include "nacre/save.h"
#include "train/keras/keras.h"
#include "train/keras/tfjs.h"

static bool is_zip(const nc_bytes *b)
{
	return b->size >= 4 && memcmp(b->data, "PK", 2) == 0;
}

/* The attribute `name` of the root as JSON; NULL: not there, or an error. */
static const nc_json_value *attribute_json(nc_keras *k, const nc_hdf5 *f, const char *name)
{
	const nc_hdf5_attribute *a = nc_hdf5_attribute_find(f->root, name);
	const char *text;
	size_t size;
	nacre_error inner = {0};
	if (!a)
		return NULL;
	k->part = name;
	if (nc_hdf5_string(f, a, 0, &text, &size, &inner)) {
		nc_keras_fail(k, inner.status, "%s", inner.text);
		return NULL;
	}
	if (size > NC_KERAS_CONFIG) {
		nc_keras_fail(k, NACRE_UNSUPPORTED, "%zu bytes, more than %d", size,
			      NC_KERAS_CONFIG);
		return NULL;
	}
	return nc_json_tree(text, size, k->arena, name, k->error);
}

/* -- .keras ------------------------------------------------------------------------------------ */
typedef bool member_reader(nc_keras *k, const uint8_t *data, size_t size, void *context);

/* Hands the contents of a member to `read`. */
static bool with_member(nc_keras *k, const nc_zip *z, const char *name, member_reader *read,
			void *context)
{
	const nc_zip_member *member = nc_zip_find(z, name);
	nc_zip_data data;
	k->part = name;
	if (!member)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "the archive does not hold it");
	if (nc_zip_read(z, member, &data, k->error))
		return false;
	bool good = read(k, data.data, data.size, context);
	nc_zip_data_free(z, &data);
	return good;
}

static bool read_config(nc_keras *k, const uint8_t *data, size_t size, void *context)
{
	const nc_json_value **out = context;
	if (size > NC_KERAS_CONFIG)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "%zu bytes, more than %d", size,
				     NC_KERAS_CONFIG);
	/* the tree's texts are copies: the data may go */
	*out = nc_json_tree(data, size, k->arena, k->part, k->error);
	return *out;
}

static bool read_notes(nc_keras *k, const uint8_t *data, size_t size, void *context)
{
	(void)context;
	if (size > NC_KERAS_CONFIG)
		return nc_keras_fail(k, NACRE_UNSUPPORTED, "%zu bytes, more than %d", size,
				     NC_KERAS_CONFIG);
	return nc_notes_read(k->model, data, size, k->arena, k->error);
}

static bool is_legacy(const nc_hdf5 *f)
{
	return nc_hdf5_find(f, NULL, "model_weights") ||
	       nc_hdf5_attribute_find(f->root, "layer_names");
}

static bool read_tree(nc_keras *k, const uint8_t *data, size_t size, void *context)
{
	const bool *optimizer = context;
	nc_hdf5 f;
	if (nc_hdf5_open(&k->runtime->memory, data, size, &f, k->error))
		return false;
	bool good = is_legacy(&f) ? nc_keras_read_legacy(k, &f, *optimizer)
				  : nc_keras_read_weights(k, &f, *optimizer);
	nc_hdf5_close(&f);
	return good;
}

/* Weights of a model that is given up if they are bad: they are checked while they are read.  That
 * the archive is damaged explains every other error. */
static bool with_weights(nc_keras *k, const nc_zip *z, bool *optimizer)
{
	const char *name = "model.weights.h5";
	const nc_zip_member *member = nc_zip_find(z, name);
	nc_zip_data data;
	nacre_error damage = {0};
	if (!member)
		return with_member(k, z, name, read_tree, optimizer);
	k->part = name;
	if (nc_zip_borrow(z, member, &data, k->error))
		return false;
	k->archive = z;
	k->unchecked = &data;
	bool good = read_tree(k, data.data, data.size, optimizer);
	k->archive = NULL;
	k->unchecked = NULL;
	if (nc_zip_check(z, member, &data, &damage)) {
		*k->error = damage;
		good = false;
	}
	nc_zip_data_free(z, &data);
	return good;
}

static bool compile_from(nc_keras *k, const nc_json_value *config, const nacre_load_options *o,
			 bool *compiled)
{
	const nc_json_value *loss = nc_json_get(config, "loss"); /* null: it never was compiled */
	*compiled = loss && loss->kind != NC_JSON_NULL && !o->no_compile;
	return !*compiled || nc_keras_read_training(k, config);
}

static bool load_archive(nc_keras *k, const nc_bytes *bytes, const nacre_load_options *o)
{
	nc_zip z;
	const nc_json_value *top = NULL;
	bool compiled;
	if (nc_zip_open(&k->runtime->memory, bytes->data, bytes->size, &z, k->error))
		return false;
	z.file = bytes;
	z.pool = k->runtime->pool;
	bool good = with_member(k, &z, "config.json", read_config, &top) &&
		    nc_keras_read_model(k, top) && nc_keras_read_assets(k, &z) &&
		    compile_from(k, nc_json_get(top, "compile_config"), o, &compiled) &&
		    with_weights(k, &z, &compiled) &&
		    (!nc_zip_find(&z, "nacre.json") ||
		     with_member(k, &z, "nacre.json", read_notes, NULL));
	nc_zip_close(&z);
	return good;
}

/* -- whole models of Keras 2 ------------------------------------------------------------------- */
static bool load_tree(nc_keras *k, const nc_bytes *bytes, const nacre_load_options *o)
{
	nc_hdf5 f;
	bool compiled;
	k->part = "model_config";
	if (nc_hdf5_open(&k->runtime->memory, bytes->data, bytes->size, &f, k->error))
		return false;
	const nc_json_value *top = attribute_json(k, &f, "model_config");
	if (!top && !k->error->status)
		nc_keras_fail(k, NACRE_BAD_MODEL,
			      "the file holds no model, but weights alone: give them to "
			      "nacre_load_weights");
	const nc_json_value *training = NULL;
	bool good = top && nc_keras_read_model(k, top);
	if (good && k->promised)
		good =
		    nc_keras_fail(k, NACRE_UNSUPPORTED, "a layer's vocabulary is not in the file");
	if (good && !o->no_compile) {
		training = attribute_json(k, &f, "training_config");
		good = !k->error->status;
	}
	good = good && compile_from(k, training, o, &compiled);
	k->part = "model_weights";
	good = good && nc_keras_read_legacy(k, &f, compiled);
	nc_hdf5_close(&f);
	return good;
}

/* -- the whole --------------------------------------------------------------------------------- */
static nacre_model *decode(nacre_runtime *rt, const nc_bytes *bytes, const nacre_load_options *o,
			   nacre_error *e)
{
	nc_arena arena;
	nc_arena_init(&arena, &rt->memory);
	nc_keras k = {.runtime = rt, .arena = &arena, .error = e, .file = bytes,
		      .part = "config.json"};
	if (!nc_mul(bytes->size, NC_KERAS_EXPANSION, &k.room) ||
	    !nc_add(k.room, NC_KERAS_SMALL, &k.room))
		k.room = SIZE_MAX;
	bool good = is_zip(bytes) ? load_archive(&k, bytes, o) : load_tree(&k, bytes, o);
	nc_arena_free(&arena);
	if (good)
		return k.model;
	nacre_model_free(k.model);
	if (!e->status)
		nc_no_memory(e, 0);
	return NULL;
}

nacre_model *nc_keras_decode(nacre_runtime *rt, const uint8_t *data, size_t size,
			     const nacre_load_options *o, nacre_error *e)
{
	return decode(rt, &(nc_bytes){.data = data, .size = size}, o, e);
}

static nacre_model *load(nacre_runtime *rt, const char *path, const nacre_load_options *o,
			 nacre_error *e)
{
	nc_bytes bytes;
	nacre_error inner = {0};
	if (nc_file_map(path, &bytes, e))
		return NULL;
	bool other = nc_tfjs_is(bytes.data, bytes.size);
	nacre_model *m = other ? NULL : decode(rt, &bytes, o, &inner);
	nc_bytes_free(&rt->memory, &bytes);
	if (other)
		return nc_tfjs_load(rt, path, e);
	if (!m)
		nc_fail_in(e, path, &inner);
	return m;
}

nacre_model *nacre_load_with(nacre_runtime *runtime, const char *path, nacre_load_options options,
			     nacre_error *error)
{
	nacre_error ignored = {0}, *e = error ? error : &ignored;
	nacre_runtime *rt = nc_runtime(runtime);
	*e = (nacre_error){0};
	if (!rt)
		nc_no_memory(e, 0);
	else if (!path)
		nc_fail(e, NACRE_INVALID, "load: the path is NULL");
	else
		return load(rt, path, &options, e);
	return NULL;
}

nacre_model *nacre_load(nacre_runtime *runtime, const char *path, nacre_error *error)
{
	return nacre_load_with(runtime, path, (nacre_load_options){0}, error);
}

nacre_status nc_keras_load_weights(nacre_model *m, const char *path, nacre_error *e)
{
	nc_bytes bytes;
	nc_arena arena;
	nc_zip z;
	nacre_error inner = {0};
	bool optimizer = false, good;
	if (nc_file_map(path, &bytes, e))
		return e->status;
	nc_arena_init(&arena, &m->runtime->memory);
	nc_keras k = {
	    .runtime = m->runtime, .model = m, .arena = &arena, .error = &inner, .file = &bytes,
	    .part = "weights"};
	if (!is_zip(&bytes))
		good = read_tree(&k, bytes.data, bytes.size, &optimizer);
	else if (nc_zip_open(&m->runtime->memory, bytes.data, bytes.size, &z, &inner))
		good = false;
	else {
		z.file = &bytes;
		z.pool = m->runtime->pool;
		good = with_member(&k, &z, "model.weights.h5", read_tree, &optimizer);
		nc_zip_close(&z);
	}
	nc_arena_free(&arena);
	nc_bytes_free(&m->runtime->memory, &bytes);
	if (good)
		return NACRE_OK;
	if (!inner.status)
		nc_no_memory(&inner, 0);
	return nc_fail_in(e, path, &inner);
}
