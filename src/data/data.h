/* SPDX-License-Identifier: MIT
 *
 * data.h - the inside of a data set, and how rows of it become the inputs of a step.
 *
 * A batch is put together by the threads of a job: each converts its contiguous share of the rows,
 * so the next batch can be made inside the job that runs a step, or by a job of its own.  Nothing
 * there can fail or allocates: what could be wrong with the values of labels is found out once,
 * by nc_column_check, when a data set is bound to a model.
 */
#ifndef NC_DATA_H
#define NC_DATA_H

#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"
#include "kernels/kernels.h"
#include "nacre/data.h"
#include "tensor/tensor.h"

/* One input or target of all samples. */
typedef struct nc_column {
	nacre_tensor *tensor; /* [n, ...], contiguous */
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
};

static inline const nc_column *nc_dataset_input(const nacre_dataset *d, int i)
{
	return &d->column[i];
}
static inline const nc_column *nc_dataset_target(const nacre_dataset *d, int i)
{
	return &d->column[d->n_inputs + i];
}

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

typedef struct nc_batch {
	const nc_kernels *kernels;
	int64_t rows;
	const int64_t *index; /* [rows]: which samples; NULL: first, first + 1, ... */
	int64_t first;
	int n;
	nc_batch_column column[NACRE_MAX_COLUMNS];
} nc_batch;

/* The calling thread's share of the rows: rows * tid / size .. rows * (tid + 1) / size.  The bits
 * written do not depend on how many share.  No barrier: the reader of the batch needs one. */
void nc_batch_assemble(const nc_batch *b, nc_team team);

#endif
