/* SPDX-License-Identifier: MIT
 *
 * program.h - a compiled graph: a list of kernel calls over one planned workspace.
 *
 * Compiling makes values (places where numbers lie) and steps (calls with their arguments).  The
 * arguments hold plain pointers; a patch remembers which value a pointer stands for, so that
 * another input or a moved workspace is a walk over the patches and nothing is looked up while
 * running.
 */
#ifndef NC_PROGRAM_H
#define NC_PROGRAM_H

#include "base/base.h"
#include "base/pool.h"
#include "ir/ir.h"

typedef enum nc_where { NC_AT_WORKSPACE, NC_AT_INPUT, NC_AT_VARIABLE, NC_AT_CONSTANT } nc_where;

typedef struct nc_value {
	nc_where where;
	size_t size;     /* bytes */
	size_t offset;   /* in the workspace */
	bool kept;       /* from run to run */
	void *data;      /* resolved; NULL for an input that is not bound yet */
	int first, last; /* steps that make it and use it last; -1: none */
	int patch;       /* head of its list of patches, -1: none */
	nacre_variable *variable;
} nc_value;

typedef struct nc_patch {
	void **field;
	size_t offset; /* bytes from the value's start */
	int next;
} nc_patch;

typedef struct nc_step nc_step;
typedef void nc_step_fn(const nc_step *s, int tid, int nt, void *scratch);

typedef struct nc_use {
	int value;
	bool write;
	int next;
} nc_use;

struct nc_step {
	nc_step_fn *run;
	const void *table; /* the backend's: kernels of the ISA */
	void *args;
	bool serial;  /* too small to share: thread 0 alone */
	bool barrier; /* wait for all threads before it */
	/* What the step makes follows from this variable alone and is kept: it is idle until the
	 * variable has another version than the one that was seen last. */
	const nacre_variable *of;
	uint64_t seen;
	bool idle;
	int use;      /* head of its list of uses, -1: none */
	const char *kernel;
	size_t scratch; /* bytes a thread */
	double flops, bytes;
	const nacre_node *node; /* the one that is named in prints */
};

struct nacre_program {
	nacre_runtime *runtime;
	nacre_graph *graph; /* the compiled form: attributes of steps live in its arena */
	int n_values, n_steps, n_patches, n_uses, n_inputs, n_outputs, n_variables,
	    variables_capacity;
	int values_capacity, steps_capacity, patches_capacity, uses_capacity;
	nc_value *value;
	nc_step *step;
	nc_patch *patch;
	nc_use *use;
	int *input;  /* values of the inputs; -1: not used by any output */
	int *output; /* values of the outputs; -1: an effect */
	struct nc_spec {
		nacre_dtype dtype;
		int rank;
		int64_t shape[NACRE_MAX_RANK];
		char name[64];
	} * spec; /* of the inputs, then the outputs */
	nacre_variable **variable;
	uint8_t *workspace;
	size_t workspace_size;
	uint8_t *scratch;
	size_t scratch_size; /* a thread */
	int scratch_threads;
	bool parallel; /* some step is worth sharing */
	bool remembers; /* some step may be idle */
	int n_changed; /* the first of the variables: those that a run changes */
	double flops;
	uint64_t seed, run; /* keys of the random ops */
	nc_job *side;
	void *side_arg;
	/* where other work takes the CPUs: see run_shared */
	double best; /* seconds of the quickest shared run */
	int slow, alone;
};

/* -- running without tensors: what the trainer uses ----------------------------------------------
 */
/* Data of input i: contiguous, of its type and shape, valid until the next bind. */
void nc_program_bind(nacre_program *p, int input, const void *data);
/* Runs once.  All inputs must be bound.  Cannot fail. */
void nc_program_execute(nacre_program *p);
/* The same; `side` runs first on the same threads, in the same fork-join. */
void nc_program_execute_with(nacre_program *p, nc_job *side, void *arg);
/* Output i of the last run: row-major; NULL for an effect. */
const void *nc_program_result(const nacre_program *p, int output);

#endif
