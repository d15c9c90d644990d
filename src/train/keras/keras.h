/* SPDX-License-Identifier: MIT
 *
 * keras.h - Keras's files: .keras (zip of config.json and model.weights.h5), .weights.h5, and the
 * .h5 of Keras 2.
 *
 *   load.c       files: what is where; nacre_load
 *   read.c       config.json: the model and its layers
 *   option.c     the options of a layer, by its table, out of a config
 *   function.c   activations, initializers, regularizers; constraint.c
 *   training.c   compile_config, both ways; optimizer.c: its optimizers and schedules
 *   own.c        layers of the program's own, both ways
 *   lookup.c     layers that look texts and numbers up, both ways
 *   write.c      the model and its layers as config.json
 *   order.c      the order in which Keras keeps layers and weights, and their places in a file
 *   weights.c    weights and the optimizer's state, both ways; legacy.c: those of Keras 2
 *   save.c       files, written
 *
 * Names of classes and functions are looked up in Nacre's tables.  Nothing in a file is ever run.
 */
#ifndef NC_KERAS_H
#define NC_KERAS_H

#include "format/hdf5.h"
#include "format/json_tree.h"
#include "format/json_write.h"
#include "format/zip.h"
#include "nacre/save.h"
#include "train/model.h"
#include "train/nested.h"

enum {
	NC_KERAS_CONFIG = 16 << 20, /* the largest config.json */
	NC_KERAS_LAYERS = 1 << 14,
	/* Weights take at most so many bytes for one of the file, and NC_KERAS_SMALL more. */
	NC_KERAS_EXPANSION = 64,
	NC_KERAS_SMALL = 1 << 20
};

/* What a model is read from. */
typedef struct nc_keras {
	nacre_runtime *runtime;
	nacre_model *model;
	nc_arena *arena; /* for as long as the reading lasts */
	nacre_error *error;
	const nc_bytes *file; /* what is read */
	const nc_zip *archive;  /* in it, and the member that is read while it is checked; NULL */
	nc_zip_data *unchecked;
	const char *part;   /* "config.json": begins the error's text */
	const char *where;  /* the layer that is being read, or NULL */
	size_t room;        /* bytes that weights may take */
	int promised;       /* vocabularies that are still to come from the archive */
	const char *prefix; /* of the names of weights in a model inside of the model, or NULL */
} nc_keras;

/* "part: where: text"; returns false */
bool nc_keras_fail(nc_keras *k, nacre_status status, const char *format, ...) NC_PRINTF(3, 4);
bool nc_keras_no_memory(nc_keras *k);

/* -- config.json, read ------------------------------------------------------------------------- */
/* The model; k->model is set as soon as there is one, for the caller to free. */
bool nc_keras_read_model(nc_keras *k, const nc_json_value *config);

/* A layer out of its object; NULL after an error. */
nacre_layer *nc_keras_read_layer(nc_keras *k, const nc_json_value *object);

/* The class of the program's own that an object is of; NULL: none that is registered. */
const nacre_layer_functions *nc_keras_own(nc_keras *k, const nc_json_value *object);
/* A layer of the program's own once more, through its config; NULL after an error. */
nacre_layer *nc_own_again(const nacre_layer *l, nc_arena *a, nacre_error *e);
nacre_layer *nc_keras_read_own(nc_keras *k, const nacre_layer_functions *f,
			       const nc_json_value *config, const char *name);
/* IntegerLookup, StringLookup, Hashing: their options are not all in their tables. */
bool nc_keras_is_lookup(const nc_layer_class *class);
bool nc_keras_read_lookup(nc_keras *k, const nc_layer_class *class, void *options,
			  const nc_json_value *config);
/* The vocabularies that are files of the archive instead. */
bool nc_keras_read_assets(nc_keras *k, const nc_zip *z);
/* A text can go into one layer that looks it up, and nowhere else: "", or what is wrong. */
const char *nc_keras_wrong_texts(const nacre_model *m);
/* Whether v is an object of a class of Keras: its name and config.  One of somebody's own, or of
 * code, is refused.  `what`: "layer", "optimizer". */
bool nc_keras_class(nc_keras *k, const nc_json_value *v, const char *what, const char **name,
		    const nc_json_value **config);
/* Sets options from `config` by their table.  Keys of neither are refused unless they say nothing;
 * `also`: those of the class that are harmless with a value, ends with NULL. */
typedef struct nc_keras_harmless {
	const char *key, *value; /* value NULL: whatever it is */
} nc_keras_harmless;
bool nc_keras_options(nc_keras *k, const nc_option *table, void *options,
		      const nc_json_value *config, const nc_keras_harmless *also);
const char *nc_keras_option_name(const nc_option *o); /* without the "!" */

bool nc_keras_activation(nc_keras *k, const char *key, const nc_json_value *v,
			 nacre_activation_function **out);
bool nc_keras_initializer(nc_keras *k, const char *key, const nc_json_value *v,
			  nacre_initializer_function **out, nacre_initializer_options *options);
bool nc_keras_regularizer(nc_keras *k, const char *key, const nc_json_value *v,
			  nacre_regularizer *out);

/* compile_config or training_config; compiles the model. */
bool nc_keras_read_training(nc_keras *k, const nc_json_value *config);
bool nc_keras_read_optimizer(nc_keras *k, const nc_json_value *v, nacre_optimizer *out);

/* -- config.json, written; errors name what cannot be -------------------------------------------
 */
bool nc_keras_write_model(nacre_model *m, nc_arena *a, nc_json_out *w, nacre_error *e);
bool nc_keras_write_training(nacre_model *m, nc_json_out *w, nacre_error *e);
bool nc_keras_write_optimizer(const nacre_model *m, nc_json_out *w, nacre_error *e);
bool nc_keras_write_initializer(const char *layer, const char *key, nacre_initializer_function *f,
				const nacre_initializer_options *o, nc_json_out *w, nacre_error *e);
bool nc_keras_write_regularizer(const char *layer, const char *key, const nacre_regularizer *r,
				nc_json_out *w, nacre_error *e);
/* All of its object but the closing bracket; refused if nothing tells what its context is. */
bool nc_keras_write_own(const nacre_layer *l, const char *key, nc_arena *a, nc_json_out *w,
			nacre_error *e);
void nc_keras_write_base(const nacre_layer *l, nc_json_out *w); /* name, trainable, dtype */
bool nc_keras_write_lookup(const nacre_layer *l, nc_json_out *w, nacre_error *e);
void nc_keras_write_choice(const nc_option *o, const void *field, nc_json_out *w);
/* kernel_constraint ..., and activity_regularizer: what a layer has beside its table */
bool nc_keras_read_constraints(nc_keras *k, const nc_json_value *config, nacre_layer *l);
bool nc_keras_is_constraint(const char *key);
bool nc_keras_write_constraints(const nacre_layer *l, nc_json_out *w, nacre_error *e);
/* {"module": module, "class_name": name, "config": { */
void nc_keras_write_class(nc_json_out *w, const char *key, const char *module, const char *name);
/* } and what ends every object, without its bracket */
void nc_keras_write_class_end(nc_json_out *w);

/* KLDivergence -> kl_divergence and back, into 64 bytes */
const char *nc_keras_snake(char *out, const char *name);
const char *nc_keras_camel(char *out, const char *name);

/* -- order and places ---------------------------------------------------------------------------
 */
/* The layers as `model.layers` has them; for functional models with the inputs. */
typedef struct nc_keras_order {
	size_t n;
	nacre_layer **layer;
} nc_keras_order;
bool nc_keras_order_of(nacre_model *m, nc_arena *a, nc_keras_order *out, nacre_error *e);

/* A variable and its place: "layers/dense_1/vars/0". */
typedef struct nc_keras_place {
	const char *path;
	nacre_layer *layer; /* NULL: of the optimizer */
	nacre_variable *variable;
	/* Keras keeps more there than is kept here: the weight, and its two slots before this one
	 */
	const nacre_variable *weight, *rows, *columns;
} nc_keras_place;
typedef struct nc_keras_places {
	size_t n, n_groups;
	nc_keras_place *place;
	const char **group; /* "layers/dense_1": every layer, also without weights */
} nc_keras_places;
bool nc_keras_places_of(nacre_model *m, nc_arena *a, nc_keras_places *out, nacre_error *e);
/* Where slot s of a weight stands among the others, whether it is there, and what comes after all.
 */
int nc_keras_slot_group(const nacre_optimizer *o, int s);
bool nc_keras_slot_is_kept(const nacre_optimizer *o, const nacre_variable *v, int s);
/* One that is here for the order alone: of Adafactor's r, c of vectors, v of all else. */
bool nc_keras_slot_is_idle(const nacre_optimizer *o, const nacre_variable *v, int s);
bool nc_keras_slot_after(const nacre_optimizer *o, int64_t t, double *out);
bool nc_keras_is_trained(const nc_keras_place *p);
/* An optimizer that scales the loss stands around one that makes the steps: the variables of both
 * in a row, those of the inner one a second time in their own group. */
#define NC_KERAS_SCALED "LossScaleOptimizer"
#define NC_KERAS_SCALED_NAME "loss_scale_optimizer"
#define NC_KERAS_VARS "optimizer/vars"
#define NC_KERAS_INNER_VARS "optimizer/inner_optimizer/vars"
/* The slots, in Keras's order, in a group of variables from `first` on. */
bool nc_keras_slots_of(nacre_model *m, nc_arena *a, const char *group, int first,
		       nc_keras_places *out, nacre_error *e);

static inline bool nc_model_has_schedule(const nacre_model *m)
{
	return m->how.optimizer.schedule.function;
}

/* -- weights ------------------------------------------------------------------------------------
 */
/* Weights and, if asked for, the state of the optimizer, from a tree as Keras 3 or Keras 2 writes
 * it.  All are read and checked before one is changed. */
bool nc_keras_read_weights(nc_keras *k, const nc_hdf5 *f, bool optimizer);
bool nc_keras_read_legacy(nc_keras *k, const nc_hdf5 *f, bool optimizer);
/* Tensors for places, then written all at once: for the two above. */
typedef struct nc_keras_list {
	nc_memory *memory;
	size_t n, room;
	struct nc_keras_item {
		nacre_variable *variable;
		nacre_tensor *tensor; /* NULL: the bytes of the file are just what it takes */
		const uint8_t *plain;
	} * item;
} nc_keras_list;
bool nc_keras_list_add(nc_keras *k, nc_keras_list *list, const nc_hdf5 *f,
		       const nc_hdf5_object *from, const char *path, nacre_variable *v);
bool nc_keras_list_write(nc_keras *k, nc_keras_list *list);
void nc_keras_list_free(nc_keras_list *list);
bool nc_keras_scalar(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *o, double *out);

/* The tree of the weights (and the optimizer's state); `held` keeps the tensors until the tree is
 * freed. */
nacre_status nc_keras_put_weights(nacre_model *m, nc_arena *a, bool optimizer, nc_hdf5_tree *t,
				  nc_keras_list *held, nacre_error *e);

/* -- files --------------------------------------------------------------------------------------
 */
/* A whole model from the bytes of a file.  `e` must hold no error. */
nacre_model *nc_keras_decode(nacre_runtime *rt, const uint8_t *data, size_t size,
			     const nacre_load_options *o, nacre_error *e);
/* rows of src/train/save.c */
nacre_status nc_keras_save(nacre_model *m, const char *path, nacre_error *e);
nacre_status nc_keras_save_weights(nacre_model *m, const char *path, nacre_error *e);
nacre_status nc_keras_load_weights(nacre_model *m, const char *path, nacre_error *e);

#endif
