/* SPDX-License-Identifier: MIT
 *
 * nested.h - a model as a layer of another one.
 */
#ifndef NC_TRAIN_NESTED_H
#define NC_TRAIN_NESTED_H

#include "train/model.h"

/* Two classes beside those of layer.def, by the kind of the model inside; their ids follow. */
enum { NC_LAYER_SEQUENTIAL = NC_LAYERS, NC_LAYER_FUNCTIONAL, NC_ALL_LAYERS };

/* The model is the layer's from here on; it has one output.  NULL: no memory, it is freed. */
nacre_layer *nc_nested_new(nacre_model *inner, const char *name);
/* The model inside of a layer; NULL: it is another kind of layer. */
nacre_model *nc_nested_model(const nacre_layer *l);

#endif
