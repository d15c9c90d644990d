/* SPDX-License-Identifier: MIT
 *
 * optimizer.h - the inside of optimizers: what each keeps and how it updates.
 */
#ifndef NC_NN_OPTIMIZER_H
#define NC_NN_OPTIMIZER_H

#include "ir/ir.h"
#include "nacre/op.h"
#include "nacre/optimizer.h"

/* slots: of a kind, and with the average, the accumulated and the kept gradient */
enum { NC_KIND_SLOTS = 3, NC_MAX_SLOTS = NC_KIND_SLOTS + 3, NC_RATES = 4 };

/* Updates are one op (update), or composed of ops (next): where options ask for more. */
typedef struct nacre_optimizer_kind {
	const char *name, *keras; /* "adam", "Adam" */
	nacre_optimizer defaults; /* of numbers that are 0 */
	/* Numbers kept for each weight beside it; NULL: none or no more. */
	const char *slot[NC_KIND_SLOTS];
	int (*slots)(const nacre_optimizer *o);
	/* rate[0 .. 3] of step t = 1, 2, ... for the learning rate lr; [1] is that of the decay;
	 * those of one op are the first two */
	bool four;  /* its one op reads all rates, else two */
	void (*rates)(const nacre_optimizer *o, double lr, int64_t t, double rate[NC_RATES]);
	nacre_node *(*update)(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			      nacre_node *g, nacre_node *rate);
	/* The new weight, from one that is decayed already; new slots into `kept` (NULL: as it
	 * was). rate: scalars. */
	nacre_node *(*next)(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			    nacre_node *g, nacre_node *const *rate, nacre_node **kept);
	/* Where not all slots have the weight's shape: that of slot s; returns the rank. */
	int (*shape)(int s, int rank, const int64_t *shape, int64_t *out);
	bool copies; /* slot 0 begins as the weight */
} nc_optimizer_kind;

/* Fills in kind and learning rate where 0, and checks. */
nacre_status nc_optimizer_check(nacre_optimizer *o, nacre_error *e);
/* Clips gradients in place as the options say; NULL among them after an error of the graph. */
void nc_optimizer_clip(const nacre_optimizer *o, int n, nacre_node **g);

/* How many slots a weight has; slot s: its name, its shape (returns the rank), its first value
 * (false: it begins as the weight). */
int nc_optimizer_slots(const nacre_optimizer *o);
const char *nc_optimizer_slot_name(const nacre_optimizer *o, int s);
int nc_optimizer_slot_shape(const nacre_optimizer *o, int s, int rank, const int64_t *shape,
			    int64_t *out);
bool nc_optimizer_slot_start(const nacre_optimizer *o, int s, double *value);
/* The slots beside those of the kind: -1 where there is none. */
int nc_optimizer_average(const nacre_optimizer *o);
int nc_optimizer_accumulator(const nacre_optimizer *o);
int nc_optimizer_gradient(const nacre_optimizer *o); /* between two programs of one step alone */
/* The optimizer as it treats the weight of that name. */
nacre_optimizer nc_optimizer_for(const nacre_optimizer *o, const char *name, int rank);
/* How many rates its update reads: the size of the placeholder. */
int nc_optimizer_rates(const nacre_optimizer *o);
/* The effects of a step on one weight, at most 1 + NC_KIND_SLOTS; returns how many. */
int nc_optimizer_update(const nacre_optimizer *o, nacre_node *w, nacre_node *const *slot,
			nacre_node *g, nacre_node *rate, nacre_node **effect);

/* optimizer_more.c: kinds that are composed of ops */
enum { NC_SGD, NC_RMSPROP, NC_ADAM, NC_ADAMW, NC_MORE_KINDS };
extern const nc_optimizer_kind nc_more_kinds[];
extern const int nc_n_more_kinds;
const nc_optimizer_kind *nc_optimizer_kind_at(int i); /* NULL past the end */
nacre_optimizer nc_optimizer_new(const nc_optimizer_kind *kind, nacre_optimizer options);
/* 1 - beta^t, exact where beta^t is near 1 */
double nc_rest_of_power(double beta, int64_t t);

#endif
