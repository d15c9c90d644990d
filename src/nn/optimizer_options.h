/* SPDX-License-Identifier: MIT
 *
 * optimizer_options.h - the options of optimizers and schedules as tables.
 */
#ifndef NC_NN_OPTIMIZER_OPTIONS_H
#define NC_NN_OPTIMIZER_OPTIONS_H

#include "nn/layer.h"
#include "nn/optimizer.h"

enum { NC_MOST_FIELDS = 48 };

/* All but the learning rate, and the lists of names. */
typedef struct nc_optimizer_field {
	nc_option option;
	bool none;         /* 0 is null in a file of Keras's */
	const char *kinds; /* of which it is; NULL: of all */
} nc_optimizer_field;
const nc_optimizer_field *nc_optimizer_field_at(size_t i); /* NULL past the end */
bool nc_optimizer_field_is_of(const nc_optimizer_field *f, const nacre_optimizer *o);

/* Those of dynamic loss scaling, which in Keras is an optimizer around another. */
extern const nc_option nc_scaling_options[];

typedef struct nc_schedule_kind {
	const char *keras;
	nacre_schedule fresh; /* with its defaults */
	const nc_option *options;
} nc_schedule_kind;
bool nc_schedule_kind_at(size_t i, nc_schedule_kind *out); /* false past the end */
/* The options of the one that has lists of boundaries and values. */
extern const nc_option nc_schedule_pieces[];

#endif
