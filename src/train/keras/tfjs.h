/* SPDX-License-Identifier: MIT
 *
 * tfjs.h - the layers format of TensorFlow.js: model.json, and beside it files of weights (shards).
 *
 *   modelTopology    the model as Keras 2 writes it; null: weights alone
 *   weightsManifest  [{"paths": [...], "weights": [{"name", "shape", "dtype", "quantization"}]}]:
 *                    the numbers of a group's weights, one after another, little-endian, are the
 *                    bytes of its files, one after another
 *   quantization     {"dtype": "uint8" or "uint16", "scale", "min"}: q scale + min;
 *                    {"dtype": "float16"}
 *
 * A name of a shard that is more than the name of a file in the same folder is refused.
 */
#ifndef NC_TRAIN_KERAS_TFJS_H
#define NC_TRAIN_KERAS_TFJS_H

#include "nacre/save.h"
#include "train/model.h"

/* Where shards come from, by name. */
typedef struct nc_tfjs_source {
	nacre_status (*open)(void *context, const char *name, nc_bytes *out, nacre_error *e);
	void *context;
} nc_tfjs_source;

/* Whether a file begins as a model.json does. */
bool nc_tfjs_is(const uint8_t *data, size_t size);
/* A model out of the bytes of a model.json.  `e` must hold no error. */
nacre_model *nc_tfjs_decode(nacre_runtime *rt, const uint8_t *json, size_t size,
			    const nc_tfjs_source *source, nacre_error *e);
/* The same from files; the errors name the path. */
nacre_model *nc_tfjs_load(nacre_runtime *rt, const char *path, nacre_error *e);
/* Weights alone, into a model.  A row of src/train/save.c. */
nacre_status nc_tfjs_load_weights(nacre_model *m, const char *path, nacre_error *e);

#endif
