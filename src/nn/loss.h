/* SPDX-License-Identifier: MIT
 *
 * loss.h - what a model must know of a loss: which kind of targets it wants.
 */
#ifndef NC_NN_LOSS_H
#define NC_NN_LOSS_H

#include "ir/ir.h"
#include "nacre/loss.h"
#include "nacre/metric.h"

typedef enum nc_targets {
	NC_TARGET_NUMBERS, /* f32, as they are */
	NC_TARGET_LABELS,  /* i32, index of a class */
	NC_TARGET_ONE_HOT, /* f32 per class; labels are expanded */
} nc_targets;

typedef struct nc_loss {
	const char *name;
	nacre_loss_function *function;
	nc_targets targets;
} nc_loss;

/* The row of a function; NULL for one of the user's. */
const nc_loss *nc_loss_row(nacre_loss_function *function);
const nc_loss *nc_loss_at(int i); /* NULL past the end */

#endif
