/* SPDX-License-Identifier: MIT
 *
 * build.h - what the builders of applications share.  A builder holds the value at its end; every
 * function appends a layer to it and gives the new end.
 */
#ifndef NC_TRAIN_APPLICATIONS_BUILD_H
#define NC_TRAIN_APPLICATIONS_BUILD_H

#include "base/base.h"
#include "nacre/applications.h"
#include "nacre/convolution.h"

typedef struct nc_builder {
	nacre_model *model;
	nacre_application_options o; /* defaults filled in */
	nacre_value *x;
	char name[64], text[64]; /* of the layer; of the model */
} nc_builder;

/* false: no memory for a model.  `standard`: what zeros in the options stand for. */
bool nc_builder_start(nc_builder *b, const nacre_application_options *o,
		      const nacre_application_options *standard);
/* Sets the output, reads the weights, hands the model over. */
nacre_model *nc_builder_finish(nc_builder *b);
/* The name of the next layer. */
const char *nc_builder_name(nc_builder *b, const char *format, ...) NC_PRINTF(2, 3);
nacre_value *nc_builder_add(nc_builder *b, nacre_layer *layer);
nacre_value *nc_builder_merge(nc_builder *b, nacre_layer *layer, nacre_value *x, nacre_value *y);
/* Global pooling as the options say, or none. */
void nc_builder_pool(nc_builder *b, const char *average, const char *max);
int64_t nc_builder_channels(const nc_builder *b); /* of the end */
/* zeros around for a window of `size` at stride 2: fewer before where the size is even */
nacre_layer *nc_builder_pad(const nc_builder *b, int64_t size, const char *name);
/* v rounded to a multiple of 8, but not down by more than a tenth */
int64_t nc_builder_round(double v);

#endif
