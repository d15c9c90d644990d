/* SPDX-License-Identifier: MIT
 *
 * nacre/save.h - whole models in files, those of Keras.
 *
 *     nacre_save(m, "mnist.keras");
 *     nacre_model *again = nacre_load(NULL, "mnist.keras", &error);
 *
 * nacre_save() and nacre_load_weights() (nacre/model.h) know these files by their extension:
 *   .keras        the layers, the weights; of a compiled model also how it trains, the moments and
 *                 the step: training goes on where it was, here or in Keras 3
 *   .weights.h5   the weights
 *   .h5           read alone: models and weights of Keras 2
 *   model.json    read alone: models of TensorFlow.js (the layers format), with the files of
 *                 weights that it names, which lie in the same folder; also quantized ones.
 *                 Without a modelTopology it holds weights alone: nacre_load() then makes the
 *                 network of nacre/applications.h to which they belong, if they do
 *   .safetensors  the weights, by name
 *
 * Nothing in a file is ever run: a Lambda layer, and every class or function that neither Nacre
 * knows nor the program registered (nacre_register_layer(), in layers_more.h), is refused by name,
 * as is an option that would change what a layer does.  The same model gives the same bytes.
 */
#ifndef NACRE_SAVE_H
#define NACRE_SAVE_H

#include "model.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_load_options {
	int no_compile; /* 1: leave out how it trains, which the file may say */
} nacre_load_options;

/* A model out of a .keras file, an .h5 of Keras 2 or a model.json: what it is, is seen from the
 * contents.  NULL on failure.  runtime NULL: the default one. */
nacre_model *nacre_load(nacre_runtime *runtime, const char *path, nacre_error *error);
nacre_model *nacre_load_with(nacre_runtime *runtime, const char *path, nacre_load_options options,
			     nacre_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
