/* SPDX-License-Identifier: MIT
 *
 * ir.h - graphs and nodes: the one intermediate form of models, losses, gradients and updates.
 *
 * A node is one value made by one op from other nodes of its graph; it never changes after it was
 * made.  Nodes are numbered in the order in which they were made, so inputs come before their
 * users: walking the array is walking in topological order.  An op is a name with rules attached
 * (below); the rules live in src/op, one file a family.
 */
#ifndef NC_IR_H
#define NC_IR_H

#include "base/base.h"
#include "base/runtime.h"
#include "nacre/graph.h"
#include "tensor/tensor.h"

typedef struct nc_op nc_op;

struct nacre_node {
	nacre_graph *graph;
	const nc_op *op;
	int id; /* index in graph->node */
	nacre_dtype dtype;
	int rank;
	int64_t shape[NACRE_MAX_RANK];
	int n_in;
	nacre_node **in;
	void *attr; /* op->attr_size bytes, zeroed where unset: memcmp compares; or NULL */
	const char *name; /* or NULL */
};

struct nacre_graph {
	nacre_runtime *runtime;
	nc_arena arena;
	nacre_error error;
	int n, capacity;
	nacre_node **node;
	uint32_t random_ops; /* how many were made: the next one's key */
};

typedef struct nc_dims {
	int rank;
	int64_t size[NACRE_MAX_RANK];
} nc_dims;

/* One attribute of an op: for printing and error texts. */
typedef enum nc_field_kind {
	NC_FIELD_BOOL, NC_FIELD_INT, NC_FIELD_I64, NC_FIELD_F64, NC_FIELD_DTYPE,
	NC_FIELD_SHAPE,	   /* nc_dims */
	NC_FIELD_AXES,	   /* unsigned, bit i for axis i */
	NC_FIELD_ORDER,	   /* int[], an entry for each axis of the first input */
	NC_FIELD_SIZES,	   /* int64_t[], likewise */
	NC_FIELD_SPATIAL,  /* int64_t[], an entry for each but the first and last axis of it */
	NC_FIELD_VARIABLE, /* nacre_variable * */
	NC_FIELD_HIDDEN
} nc_field_kind;
typedef struct nc_field {
	const char *name;
	nc_field_kind kind;
	size_t offset;
} nc_field;

enum nc_op_flags {
	NC_OP_ELEMENTWISE = 1, /* a row of elementwise.def; broadcasts */
	NC_OP_SOURCE = 2,      /* no inputs, not computed: placeholder, variable, constant */
	NC_OP_EFFECT = 4,      /* changes variables; in[0 .. targets-1] are variable nodes */
	NC_OP_RANDOM = 8,      /* never merged with an equal one */
	NC_OP_COMMUTES = 16,
	NC_OP_NO_GRADIENT = 32, /* counts as a constant */
	NC_OP_RESHAPES = 64    /* same elements in the same order: costs nothing */
};

struct nc_op {
	const char *name;
	int index; /* its row in op.def */
	int min_in, max_in;
	unsigned flags;
	int element; /* enum nc_elementwise, or -1 */
	int targets; /* of an effect */
	size_t attr_size;
	const nc_field *fields; /* ends with a NULL name */
	/* Sets dtype, rank and shape of y from inputs and attributes, or fails (nc_node_fail). */
	bool (*infer)(nacre_node *y);
	/* dx[i] = sum dy * d y / d in[i], as new nodes; leave NULL where there is none. */
	void (*grad)(nacre_node *y, nacre_node *dy, nacre_node **dx);
	double (*flops)(const nacre_node *y); /* NULL: none worth counting */
	const char *keras, *onnx;	       /* names there, or NULL */
};

/* Makes a node: copies inputs and attributes, runs the shape rule.  NULL if the graph has an error,
 * an input is NULL or of another graph, or the rule fails.  attr: op->attr_size bytes. */
nacre_node *nc_node_new(nacre_graph *g, const nc_op *op, int n_in, nacre_node *const *in,
			const void *attr);
/* Records 'op "name": text' (without the name if there is none) as the graph's error; always
 * returns false. */
bool nc_node_fail(nacre_node *n, const char *format, ...) NC_PRINTF(2, 3);
/* Records "text" as the error of g, which may be NULL; always returns NULL. */
nacre_node *nc_graph_fail(nacre_graph *g, const char *format, ...) NC_PRINTF(2, 3);
/* The graph of the first input that is not NULL; NULL if there is none. */
nacre_graph *nc_graph_of(int n, nacre_node *const *in);

static inline int64_t nc_node_size(const nacre_node *n)
{
	int64_t size = 1;
	for (int i = 0; i < n->rank; i++)
		size *= n->shape[i];
	return size;
}
static inline bool nc_same_shape(const nacre_node *a, const nacre_node *b)
{
	if (a->rank != b->rank)
		return false;
	for (int i = 0; i < a->rank; i++)
		if (a->shape[i] != b->shape[i])
			return false;
	return true;
}

/* -- text: a line a node; mark (may be NULL) adds a note to a node's line ----------------------*/
typedef void nc_mark(void *context, const nacre_node *n, nc_text *out);
void nc_graph_text(const nacre_graph *g, nc_text *out, nc_mark *mark, void *context);
void nc_graph_dot(const nacre_graph *g, nc_text *out, nc_mark *mark, void *context);
/* "%7 = matmul(%3, %5) transpose_a=true : f32 [128, 512]  name", no newline */
void nc_node_text(const nacre_node *n, nc_text *out);

/* Every rule of the form that a node must keep (inputs earlier, shapes as the rule says ...);
 * false and an error in the graph if one is broken.  Run on compiled graphs in debug builds. */
bool nc_graph_check(nacre_graph *g);

/* -- variables ----------------------------------------------------------------------------------*/
/* Storage layout: 0 plain row-major; else panels of this width: [ceil(n/nr)][k][nr] of [k, n]. */
struct nacre_variable {
	nacre_runtime *runtime;
	char *name;
	size_t name_size;
	nacre_dtype dtype;
	int rank;
	int64_t shape[NACRE_MAX_RANK];
	int panel;
	bool written;	/* it was given a value since it was made */
	uint64_t version; /* counts the changes of data */
	int programs;	/* that were compiled against this layout: it is fixed while > 0 */
	void *data;	/* in that layout; its address never changes while a program uses it */
	size_t size;	/* bytes of data */
};
/* Bytes that a variable takes in a layout; false: overflow. */
bool nc_variable_bytes(const nacre_variable *v, int panel, size_t *out);
/* Its numbers, row-major and of its type, at any address.  `file` and `crc` as in nc_transfer: they
 * may lie in a mapped file, and their checksum may be asked for. */
void nc_variable_set(nacre_variable *v, const void *plain, const nc_bytes *file, uint32_t *crc);
/* Rearranges the data; only while no program uses the variable. */
nacre_status nc_variable_relayout(nacre_variable *v, int panel, nacre_error *e);

#endif
