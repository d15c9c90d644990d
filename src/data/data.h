/* SPDX-License-Identifier: MIT
 *
 * data.h - the inside of a data set, and how rows of it become the inputs of a step.
 *
 * A batch is put together by the threads of a job: each converts its contiguous share of the rows,
 * so the next batch can be made inside the job that runs a step, or by a job of its own.  Nothing
 * there can fail or allocates, but for samples that are made: what could be wrong with the values
 * of labels is found out once, by nc_column_check, when a data set is bound to a model.
 */
#ifndef NC_DATA_H
#define NC_DATA_H

#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"
#include "kernels/kernels.h"
#include "nacre/data.h"
#include "tensor/tensor.h"

typedef struct nacre_model nacre_model;

/* Samples that are made when a batch is put together, by the threads that do so. */
typedef struct nc_maker nc_maker;
struct nc_maker {
	atomic_int count; /* columns that share it */
	int rank;
	int64_t shape[NACRE_MAX_RANK]; /* of a sample */
	const char *unit;              /* what a progress line counts: "images" */
	/* Sample i, in f32.  Called by several threads at once; the bits depend on i alone. */
	nacre_status (*make)(nc_maker *k, int64_t i, float *out, nacre_error *e);
	void (*release)(nc_maker *k);
};
void nc_maker_drop(nc_maker *k); /* k may be NULL */

/* One input or target of all samples. */
typedef struct nc_column {
	nacre_tensor *tensor; /* [n, ...], contiguous; NULL: they are made */
	nc_maker *maker;      /* of at most one column, an input; else NULL */
	int64_t first;        /* what is sample 0 here is sample `first` of the maker */
	int64_t width;        /* elements of a sample */
	float scale, offset;  /* inputs: fed as x * scale + offset; targets: 1, 0 */
	int64_t classes;      /* targets: labels 0 .. classes-1, already checked; 0: not known */
} nc_column;

struct nacre_dataset {
	nacre_runtime *runtime;
	nacre_error error;
	int64_t size; /* samples; 0 after an error */
	int n_inputs, n_targets;
	nc_column column[NACRE_MAX_COLUMNS]; /* the inputs, then the targets */
	int64_t batch_size;     /* where none is asked for; 0: not said */
	int64_t shuffle_window; /* 0: all of it */
	nacre_model *map; /* borrowed, for train/: what batches go through first; NULL: nothing */
};

static inline const nc_column *nc_dataset_input(const nacre_dataset *d, int i)
{
	return &d->column[i];
}
static inline const nc_column *nc_dataset_target(const nacre_dataset *d, int i)
{
	return &d->column[d->n_inputs + i];
}

/* The shape of a sample of a column. */
static inline int nc_column_shape(const nc_column *c, const int64_t **shape)
{
	*shape = c->maker ? c->maker->shape : c->tensor->shape + 1;
	return c->maker ? c->maker->rank : c->tensor->rank - 1;
}

/* A data set whose input 0 is made; takes the maker over, whatever happens.  targets as in
 * nacre_dataset_new().  NULL: no memory. */
nacre_dataset *nc_dataset_made(nacre_runtime *rt, nc_maker *k, int64_t size, int n_targets,
			       const nacre_tensor *const *targets);
/* The maker of a data set, and which of its samples is sample 0; NULL: none. */
nc_maker *nc_dataset_maker(const nacre_dataset *d, int64_t *first);

/* The order of the samples in an epoch: any, or, with a shuffle window, each place drawn from the
 * next so many that were not yet. */
nacre_status nc_dataset_order(const nacre_dataset *d, nc_random r, int64_t *out, nacre_error *e);

/* How a column enters a batch. */
typedef enum nc_feed {
	NC_FEED_F32,    /* f32 [rows][width]: x * scale + offset */
	NC_FEED_I32,    /* i32 [rows][width]: labels, token ids */
	NC_FEED_ONE_HOT /* f32 [rows][width * classes]: 1 at the label, else 0 */
} nc_feed;

/* Whether every value of a column is a whole number in 0 .. classes-1 (for NC_FEED_I32 and
 * NC_FEED_ONE_HOT); classes 0: in the range of i32.  `what` names it in the error: "target 0: label
 * 12 of sample 345 is outside 0..9". */
nacre_status nc_column_check(const nc_column *c, const char *what, int64_t classes, nacre_error *e);

/* Bytes of one row of a batch. */
size_t nc_feed_bytes(const nc_column *c, nc_feed feed, int64_t classes);

typedef struct nc_batch_column {
	const nc_column *column;
	nc_feed feed;
	int64_t classes; /* of NC_FEED_ONE_HOT */
	void *out;       /* rows * nc_feed_bytes(), at least 4-byte aligned */
} nc_batch_column;

/* Of one batch, where samples are made: who takes which row, and the first that failed. */
typedef struct nc_making {
	int64_t next;
	int busy;
	int64_t row;
	nacre_error error;
} nc_making;

typedef struct nc_batch {
	const nc_kernels *kernels;
	int64_t rows;
	const int64_t *index; /* [rows]: which samples; NULL: first, first + 1, ... */
	int64_t first;
	nc_making *making; /* zeroed before; may be NULL if no column has a maker */
	int n;
	nc_batch_column column[NACRE_MAX_COLUMNS];
} nc_batch;

/* The calling thread's share of the rows: rows * tid / size .. rows * (tid + 1) / size, and, of
 * those that are made, one after another until there are no more; what fails there becomes zeros
 * and an error in `making`.  The bits written do not depend on how many share.  No barrier: the
 * reader of the batch needs one. */
void nc_batch_assemble(const nc_batch *b, nc_team team);

#endif
