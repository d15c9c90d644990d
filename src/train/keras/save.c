/* SPDX-License-Identifier: MIT
 *
 * save.c - .keras and .weights.h5, written beside the old file and put in its place when complete.
 *
 * The same model gives the same bytes: there is no date in them but zip's first.
 */
#include <string.h>

#include "format/zip.h"
#include "train/keras/keras.h"

#define KERAS_VERSION "3.15.1" /* whose form this is */

typedef struct output {
	nc_arena arena;
	nc_hdf5_tree tree;
	nc_keras_list held;
	nc_text config, notes;
} output;

static void output_free(output *o)
{
	nc_hdf5_tree_free(&o->tree);
	nc_keras_list_free(&o->held);
	nc_text_free(&o->config);
	nc_text_free(&o->notes);
	nc_arena_free(&o->arena);
}

static void output_init(output *o, nacre_model *m, nacre_error *e)
{
	nc_memory *memory = &m->runtime->memory;
	nc_arena_init(&o->arena, memory);
	nc_hdf5_tree_init(&o->tree, memory, e);
	nc_text_init(&o->config, memory);
	nc_text_init(&o->notes, memory);
	o->held = (nc_keras_list){.memory = memory};
}

static nacre_status make_config(nacre_model *m, output *o, nacre_error *e)
{
	nc_json_out w = {.out = &o->config};
	if (!nc_keras_write_model(m, &o->arena, &w, e))
		return e->status ? e->status : nc_no_memory(e, 0);
	if (o->config.failed)
		return nc_no_memory(e, o->config.size);
	if (w.wrong)
		return nc_fail(e, NACRE_UNSUPPORTED,
			       "a name that is no UTF-8, or a number that is not finite");
	return NACRE_OK;
}

static nacre_status produce(void *context, const nc_sink *sink)
{
	return nc_hdf5_write(context, sink);
}

static nacre_status write_archive(output *o, const nc_sink *sink, nc_memory *memory, nacre_error *e)
{
	static const char metadata[] =
	    "{\"keras_version\": \"" KERAS_VERSION "\", \"date_saved\": \"1980-01-01@00:00:00\"}";
	nc_zip_writer z;
	nc_zip_start(&z, memory, *sink, e);
	nc_zip_add(&z, "metadata.json", metadata, sizeof metadata - 1);
	nc_zip_add(&z, "config.json", o->config.data, o->config.size);
	nc_zip_add_from(&z, "model.weights.h5", produce, &o->tree);
	if (o->notes.size)
		nc_zip_add(&z, "nacre.json", o->notes.data, o->notes.size);
	return nc_zip_finish(&z);
}

/* Everything is made before the first byte is written. */
static nacre_status save(nacre_model *m, const char *path, bool whole, nacre_error *e)
{
	output o;
	nc_writer w;
	output_init(&o, m, e);
	if (whole && (make_config(m, &o, e) || !nc_notes_write(m, &o.notes, e))) {
		output_free(&o);
		return e->status;
	}
	nc_keras_put_weights(m, &o.arena, whole && m->compiled, &o.tree, &o.held, e);
	if (!e->status && !nc_writer_open(&w, path, e)) {
		nc_sink sink = nc_sink_writer(&w);
		if (whole ? write_archive(&o, &sink, &m->runtime->memory, e)
			  : nc_hdf5_write(&o.tree, &sink))
			nc_writer_abandon(&w);
		else
			nc_writer_finish(&w);
	}
	output_free(&o);
	return e->status;
}

nacre_status nc_keras_save(nacre_model *m, const char *path, nacre_error *e)
{
	return save(m, path, true, e);
}

nacre_status nc_keras_save_weights(nacre_model *m, const char *path, nacre_error *e)
{
	return save(m, path, false, e);
}
