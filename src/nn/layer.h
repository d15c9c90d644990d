/* SPDX-License-Identifier: MIT
 *
 * layer.h - the inside of a layer: its class, its options, its weights, and how it is called.
 *
 * A class says once what its options are (name, kind, place, default, range); defaults, checks and
 * texts are read from that table.  A layer is called on nodes: with a scratch graph of batch 1 when
 * the model is defined, which yields shapes and makes the weights, and again for each program.
 */
#ifndef NC_NN_LAYER_H
#define NC_NN_LAYER_H

#include "ir/ir.h"
#include "nacre/layer.h"
#include "nacre/op.h"

enum { NC_MAX_WEIGHTS = 8, NC_NAME_SIZE = 64 };

typedef enum nc_option_kind {
	NC_OPTION_BOOL,
	NC_OPTION_INT,
	NC_OPTION_I64,
	NC_OPTION_F64,
	NC_OPTION_SHAPE, /* int64_t [NACRE_MAX_RANK], up to the first 0 */
	NC_OPTION_DTYPE,
	NC_OPTION_ACTIVATION,
	NC_OPTION_INITIALIZER,
	NC_OPTION_REGULARIZER
} nc_option_kind;

typedef struct nc_option {
	const char *name;
	nc_option_kind kind;
	size_t offset;
	double number;        /* what 0 stands for */
	double low, high;     /* of numbers, both included */
	const char *function; /* what NULL stands for: name of an activation or initializer */
} nc_option;

#define NC_OPT_NUMBER(kind, type, field, number, low, high)                                        \
	{                                                                                          \
#field, NC_OPTION_##kind, offsetof(type, field), number, low, high, NULL           \
	}
#define NC_OPT_BOOL(type, field) NC_OPT_NUMBER(BOOL, type, field, 0, 0, 1)
#define NC_OPT_SHAPE(type, field) NC_OPT_NUMBER(SHAPE, type, field, 0, 0, 0)
#define NC_OPT_REGULARIZER(type, field) NC_OPT_NUMBER(REGULARIZER, type, field, 0, 0, 0)
#define NC_OPT_FUNCTION(kind, type, field, function)                                               \
	{                                                                                          \
#field, NC_OPTION_##kind, offsetof(type, field), 0, 0, 0, function                 \
	}
#define NC_OPT_END                                                                                 \
	{                                                                                          \
		NULL, NC_OPTION_BOOL, 0, 0, 0, 0, NULL                                             \
	}

/* A call of layers on the nodes of one graph. */
typedef struct nc_effect {
	nacre_node *node;
	struct nc_effect *next;
} nc_effect;
typedef struct nc_call {
	nacre_runtime *runtime;
	nacre_graph *graph;
	nacre_error *error; /* the first that happens, with the layer's name */
	bool training;
	nc_effect *effects,
	    **effects_end;   /* in the graph's arena: changes of variables, in training */
	nacre_node *penalty; /* the sum of the losses that layers add; NULL: none yet */
} nc_call;

typedef struct nc_layer_class {
	const char *name, *snake; /* "Dense", "dense" */
	size_t options_size;
	const nc_option *options; /* ends with NC_OPT_END */
	int min_in, max_in;       /* inputs */
	/* Beyond the table: whether the options make sense together.  NULL: always. */
	bool (*check)(nacre_layer *l);
	/* Makes the weights for inputs of these shapes.  NULL: there are none. */
	bool (*build)(nc_call *c, nacre_layer *l, int n, nacre_node *const *x);
	/* The output; NULL after an error. */
	nacre_node *(*call)(nc_call *c, nacre_layer *l, int n, nacre_node *const *x);
} nc_layer_class;

typedef struct nc_weight {
	const char *name; /* "kernel" */
	nacre_variable *variable;
	bool trainable; /* as far as the layer's class is concerned */
	bool drawn;     /* initialized, or set by somebody */
	nacre_initializer_function *initializer;
	nacre_initializer_options initializer_options;
	nacre_regularizer regularizer;
} nc_weight;

struct nacre_layer {
	const nc_layer_class *class;
	nc_memory *memory;
	nacre_error error;
	char name[NC_NAME_SIZE];
	void *owner;       /* the model; NULL: nobody's yet */
	nacre_layer *next; /* in the owner's list */
	bool built, frozen;
	int n_weights;
	nc_weight weight[NC_MAX_WEIGHTS];
	_Alignas(16) unsigned char options[];
};

/* Copies the options, fills in defaults, checks.  NULL: no memory. */
nacre_layer *nc_layer_new(const nc_layer_class *class, const void *options, const char *name);
/* "name: text" as the error of the call; returns false */
bool nc_layer_fail(nc_call *c, const nacre_layer *l, const char *format, ...) NC_PRINTF(3, 4);
/* Records "snake: text" in the layer itself; for check functions; returns false */
bool nc_layer_refuse(nacre_layer *l, const char *format, ...) NC_PRINTF(2, 3);
/* Appends a weight; for build functions. */
bool nc_layer_add_weight(nc_call *c, nacre_layer *l, const char *name, int rank,
			 const int64_t *shape, nacre_initializer_function *initializer,
			 const nacre_initializer_options *options, nacre_regularizer regularizer,
			 bool trainable);
/* The node of weight i in the call's graph. */
nacre_node *nc_layer_use(nc_call *c, nacre_layer *l, int i);
/* Builds if need be, and calls; errors carry the layer's name. */
nacre_node *nc_layer_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x);
/* Adds the regularizers of the layer's weights to the penalty. */
void nc_layer_penalty(nc_call *c, nacre_layer *l);
/* Axis -rank .. rank-1, but not the batch's, as 1 .. rank-1; -1 after an error. */
int nc_layer_axis(nc_call *c, const nacre_layer *l, int axis, int rank);
void nc_call_effect(nc_call *c, nacre_node *effect);
/* "Dense(units=512, activation=relu)": the options that are not the default */
void nc_layer_text(const nacre_layer *l, nc_text *out);
nacre_status nc_weight_initialize(nc_weight *w, uint64_t seed, nacre_error *e);

static inline int64_t nc_layer_parameters(const nacre_layer *l, int i)
{
	int64_t n = 1;
	for (int d = 0; d < nacre_variable_rank(l->weight[i].variable); d++)
		n *= nacre_variable_shape(l->weight[i].variable)[d];
	return n;
}

extern const nc_layer_class nc_class_input;
static inline const nacre_input_options *nc_input_options(const nacre_layer *l)
{
	return (const nacre_input_options *)l->options;
}
/* entries up to the first 0 */
static inline int nc_shape_rank(const int64_t *shape)
{
	int rank = 0;
	while (rank < NACRE_MAX_RANK && shape[rank])
		rank++;
	return rank;
}

#endif
