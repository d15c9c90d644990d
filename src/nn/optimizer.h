/* SPDX-License-Identifier: MIT
 *
 * optimizer.h - the inside of optimizers: what each keeps and how it updates.
 */
#ifndef NC_NN_OPTIMIZER_H
#define NC_NN_OPTIMIZER_H

#include "ir/ir.h"
#include "nacre/op.h"
#include "nacre/optimizer.h"

enum { NC_MAX_SLOTS = 2 };

typedef struct nacre_optimizer_kind {
	const char *name, *keras;           /* "adam", "Adam" */
	double learning_rate, weight_decay; /* defaults */
	/* Numbers kept for each weight beside it; NULL: none or no more. */
	const char *slot[NC_MAX_SLOTS];
	int (*slots)(const nacre_optimizer *o);
	/* rate[0], rate[1] of step t = 1, 2, ... for the learning rate lr */
	void (*rates)(const nacre_optimizer *o, double lr, int64_t t, double rate[2]);
	nacre_node *(*update)(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			      nacre_node *g, nacre_node *rate);
} nc_optimizer_kind;

/* Fills in kind and learning rate where 0, and checks. */
nacre_status nc_optimizer_check(nacre_optimizer *o, nacre_error *e);
/* Clips gradients in place as the options say; NULL among them after an error of the graph. */
void nc_optimizer_clip(const nacre_optimizer *o, int n, nacre_node **g);

#endif
