/* SPDX-License-Identifier: MIT
 *
 * compile.h - from a graph to a program.
 *
 *   simplify   graph -> graph: constants, identities, equal nodes, transposes into products
 *   layout     which variables are kept in panels
 *   fuse       graph -> groups: nodes that one kernel call computes
 *   schedule   groups in order: inputs first, effects after the last read of what they change
 *   lower      groups -> steps (the backend)
 *   plan       values -> offsets in the workspace; barriers between steps
 */
#ifndef NC_COMPILE_H
#define NC_COMPILE_H

#include "compile/program.h"
#include "op/table.h"

typedef struct nc_backend nc_backend;

/* Nodes computed together, in the order of their ids.  `anchor` is the product whose epilogue the
 * others are, or NULL; `effect` the update that consumes the anchor's tiles, or NULL. */
typedef struct nc_group {
	int n, capacity;
	nacre_node **node;
	nacre_node *anchor, *effect;
	int order; /* position in the schedule */
} nc_group;

typedef struct nc_compile {
	nacre_runtime *runtime;
	const nc_backend *backend;
	nacre_program *program;
	nacre_graph *graph;
	nc_arena arena; /* of everything that is needed while compiling only */
	nacre_error *error;
	bool optimize, fast_convolution;

	int n_outputs;
	nacre_node **output;
	int *users; /* per node: head of its list of users in `edge`, -1: none */
	struct nc_edge {
		nacre_node *user;
		int next;
	} * edge;
	bool *is_output; /* per node: a program output */
	int *group_of;   /* per node: index in group, -1: none */
	int n_groups;
	nc_group *group;
	int *order; /* schedule: indices of groups */

	/* per node: the value that holds it plain, as a scalar, or in the variable's panels */
	int *plain, *scalar, *native;
} nc_compile;

/* Each returns false after recording an error. */
bool nc_simplify(nc_compile *c);
bool nc_find_users(nc_compile *c);
bool nc_fuse(nc_compile *c);
bool nc_choose_layouts(nc_compile *c);
bool nc_schedule(nc_compile *c);
bool nc_lower(nc_compile *c);
bool nc_plan(nc_compile *c);

bool nc_fail_memory(nc_compile *c);
static inline bool nc_is(const nacre_node *n, int op_index)
{
	return n->op->index == op_index;
}
static inline bool nc_is_product(const nacre_node *n) /* computed in tiles: has an epilogue */
{
	return nc_is(n, NC_OP_matmul) || nc_is(n, NC_OP_conv) || nc_is(n, NC_OP_conv_input);
}
static inline bool
nc_is_update(const nacre_node *n) /* of an optimizer: in[n_in - 2] is its gradient */
{
	return n->op->index >= NC_OP_update_sgd && n->op->index <= NC_OP_update_two;
}
/* Is the variable one of those that the effect changes? */
bool nc_changes(const nacre_node *effect, const nacre_node *variable);
/* What n is another name of: n itself, or what is behind its reshapes. */
static inline const nacre_node *nc_renamed(const nacre_node *n)
{
	while (n->op->flags & NC_OP_RESHAPES)
		n = n->in[0];
	return n;
}
/* true if every user of n is a member of g (and n is no output of the program) */
bool nc_only_used_in(const nc_compile *c, const nacre_node *n, int group);

/* -- for backends: values and steps ---------------------------------------------------------*/
int nc_value_new(nc_compile *c, nc_where where, size_t size); /* -1: no memory */
size_t nc_node_bytes(const nacre_node *n);
/* The value that holds node n row-major, with a conversion step if it is kept otherwise;
 * for a node that is computed later: where it shall be written. -1: error. */
int nc_plain(nc_compile *c, nacre_node *n);
/* The value with one element of n if n is a fill or has one element; -1 if it is neither. */
int nc_scalar(nc_compile *c, nacre_node *n);
/* A variable's own storage, in its layout. */
int nc_storage_of(nc_compile *c, nacre_node *variable);
int nc_temporary(nc_compile *c, size_t size);

nc_step *nc_step_new(nc_compile *c, nc_step_fn *run, size_t args_size, const char *kernel,
		     const nacre_node *node); /* NULL: no memory; valid until the next one */
/* Record that *field shall hold value's address + offset, and that the last step uses it. */
bool nc_reads(nc_compile *c, const void *field, int value, size_t offset);
bool nc_writes(nc_compile *c, const void *field, int value, size_t offset);
/* The last step makes `value` (-1: something that only steps of the same kind read) from one node
 * alone.  If that is a variable which this program does not change, the step runs once for each of
 * its versions. */
void nc_keep(nc_compile *c, const nacre_node *variable, int value);

/* -- printing -------------------------------------------------------------------------------*/
typedef struct nc_trace {
	void (*call)(void *context, const char *pass, const char *text);
	void *context;
	bool dot;
} nc_trace;
void nc_trace_graph(nc_compile *c, const nc_trace *t, const char *pass);
void nc_trace_groups(nc_compile *c, const nc_trace *t, const char *pass);
void nc_trace_program(nc_compile *c, const nc_trace *t, const char *pass);

#endif
