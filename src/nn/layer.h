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
#include "nacre/constraint.h"
#include "nacre/layer.h"
#include "nacre/layers_more.h"
#include "nacre/op.h"

enum { NC_NAME_SIZE = 64, NC_MAX_OUTPUTS = 8 };

typedef enum nc_option_kind {
	NC_OPTION_BOOL,
	NC_OPTION_INT,
	NC_OPTION_I64,
	NC_OPTION_F64,
	NC_OPTION_SHAPE, /* int64_t [NACRE_MAX_RANK], up to the first 0 */
	NC_OPTION_DTYPE,
	NC_OPTION_ACTIVATION,
	NC_OPTION_INITIALIZER,
	NC_OPTION_REGULARIZER,
	NC_OPTION_CHOICE, /* int: which word of `function`, "valid|same" */
	NC_OPTION_SIZES,  /* int64_t [NACRE_MAX_RANK], up to the first 0; one stands for all */
	NC_OPTION_TEXT,   /* const char *; the layer copies it */
	NC_OPTION_PAIRS,  /* int64_t [number][2]: before and after on each of `number` axes */
	NC_OPTION_NUMBERS, /* nacre_numbers; the layer copies them */
	NC_OPTION_TEXTS,   /* nacre_texts; the layer copies them */
	NC_OPTION_LAYER,   /* nacre_layer *: the layer's own, freed with it */
	NC_OPTION_CONSTRAINT, /* "kernel_constraint": of the weight kernel */
	NC_OPTION_ACTIVITY, /* a regularizer, of the output */
	NC_OPTION_RANGE    /* double: a number, or with the double at `more` (not 0) a range */
} nc_option_kind;

typedef struct nc_option {
	const char *name;
	nc_option_kind kind;
	size_t offset;
	double number;        /* what 0 stands for */
	double low, high;     /* of numbers, both included */
	const char *function; /* what NULL stands for: name of an activation or initializer */
	const char *keras;    /* its name in Keras's files; "!x": the opposite of x; NULL: `name`;
				 "": see NC_OPT_APART */
	size_t more;          /* offset of an initializer's own options (0: there are none), of the
				 end of a range */
} nc_option;

#define NC_OPT_ALL(kind, type, field, number, low, high, function, keras, more)                    \
	{                                                                                          \
#field, NC_OPTION_##kind, offsetof(type, field), number, low, high, function, keras, more  \
	}
#define NC_OPT_NUMBER(kind, type, field, number, low, high)                                        \
	NC_OPT_ALL(kind, type, field, number, low, high, NULL, NULL, 0)
#define NC_OPT_BOOL(type, field) NC_OPT_NUMBER(BOOL, type, field, 0, 0, 1)
/* where 0 must be what Keras calls true: no_bias, use_bias */
#define NC_OPT_NOT(type, field, keras)                                                             \
	NC_OPT_ALL(BOOL, type, field, 0, 0, 1, NULL, "!" keras, 0)
#define NC_OPT_SHAPE(type, field) NC_OPT_NUMBER(SHAPE, type, field, 0, 0, 0)
#define NC_OPT_SIZES(type, field) NC_OPT_NUMBER(SIZES, type, field, 0, 0, 0)
#define NC_OPT_SIZES_OR(type, field, number) NC_OPT_NUMBER(SIZES, type, field, number, 0, 0)
/* where 0 is a size, and -1 stands for it */
#define NC_OPT_SIZES_OR_ZERO(type, field) NC_OPT_NUMBER(SIZES, type, field, 0, -1, 0)
/* 0 is none, which files write as null; in a shape -1 is */
#define NC_OPT_OR_NULL(kind, type, field, low, high)                                               \
	NC_OPT_ALL(kind, type, field, 0, low, high, "null", NULL, 0)
#define NC_OPT_CHOICE(type, field, words) NC_OPT_ALL(CHOICE, type, field, 0, 0, 0, words, NULL, 0)
/* the first word is none: 0 stands for word `number` */
#define NC_OPT_CHOICE_OR(type, field, number, words)                                               \
	NC_OPT_ALL(CHOICE, type, field, number, 0, 0, "default|" words, NULL, 0)
#define NC_OPT_TEXT(type, field) NC_OPT_NUMBER(TEXT, type, field, 0, 0, 0)
#define NC_OPT_PAIRS(type, field, axes) NC_OPT_NUMBER(PAIRS, type, field, axes, 0, 0)
#define NC_OPT_NUMBERS(type, field) NC_OPT_NUMBER(NUMBERS, type, field, 0, 0, 0)
#define NC_OPT_LAYER(type, field) NC_OPT_NUMBER(LAYER, type, field, 0, 0, 0)
/* field and the field `end`; standard: what zeros stand for, "0.02,0.33"; NULL: 0; "null": none */
#define NC_OPT_RANGE(type, field, end, low, high, standard)                                        \
	NC_OPT_ALL(RANGE, type, field, 0, low, high, standard, NULL, offsetof(type, end))
#define NC_OPT_REGULARIZER(type, field) NC_OPT_NUMBER(REGULARIZER, type, field, 0, 0, 0)
#define NC_OPT_CONSTRAINT(type, field) NC_OPT_NUMBER(CONSTRAINT, type, field, 0, 0, 0)
#define NC_OPT_ACTIVITY(type, field) NC_OPT_NUMBER(ACTIVITY, type, field, 0, 0, 0)
#define NC_OPT_FUNCTION(kind, type, field, function)                                               \
	NC_OPT_ALL(kind, type, field, 0, 0, 0, function, NULL, 0)
/* with options of its own beside it: kernel_initializer, kernel_initializer_options */
#define NC_OPT_INITIALIZER(type, field, function)                                                  \
	NC_OPT_ALL(INITIALIZER, type, field, 0, 0, 0, function, NULL,                              \
		   offsetof(type, field##_options))
#define NC_OPT_NAMED(kind, type, field, keras)                                                     \
	NC_OPT_ALL(kind, type, field, 0, 0, 0, NULL, keras, 0)
/* files have it in another form, which code of its own reads and writes */
#define NC_OPT_APART(kind, type, field, number, low, high)                                         \
	NC_OPT_ALL(kind, type, field, number, low, high, NULL, "", 0)
#define NC_OPT_END                                                                                 \
	{                                                                                          \
		NULL, NC_OPTION_BOOL, 0, 0, 0, 0, NULL, NULL, 0                                    \
	}

typedef enum nc_layer_id {
#define LAYER(id) NC_LAYER_##id,
#include "nn/layer.def"
#undef LAYER
	NC_LAYERS
} nc_layer_id;

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
	bool apart; /* images that layers give are nodes of their own: no later op is built on what
		       is behind them, as max_pool would be on what comes before a relu */
	nc_effect *effects,
	    **effects_end;   /* in the graph's arena: changes of variables, in training */
	nacre_node *penalty; /* the sum of the losses that layers add; NULL: none yet */
	/* A mask stands beside a value: bool [n, steps], false where a step is padding.  `mask`: of
	 * each input of the layer that is called, to be set before nc_layer_call(), which forgets
	 * it; NULL: none has one.  mask_out: what it leaves for its output. */
	nacre_node *const *mask;
	nacre_node *mask_out;
	size_t *room; /* bytes that new weights may take in all; NULL: any number */
	nacre_policy policy; /* of layers that have none */
	/* While a layer is called: its weights are seen in this type. */
	bool autocast;
	nacre_dtype compute;
	/* Outputs of the layer beyond the one that its call returns, and their masks. */
	int n_more;
	nacre_node *more[NC_MAX_OUTPUTS - 1], *more_mask[NC_MAX_OUTPUTS - 1];
} nc_call;

/* What becomes of masks, unless the call sets c->mask_out. */
typedef enum nc_masks {
	NC_MASKS_END,  /* here */
	NC_MASKS_KEEP, /* the first input's is the output's */
	NC_MASKS_ANY   /* if all inputs have one: where any of them is true */
} nc_masks;

/* In which types a class computes; its policy says the type of computing (policy.h). */
typedef enum nc_types {
	NC_TYPES_COMPUTE, /* that: inputs and weights are cast to it */
	NC_TYPES_WIDE,    /* the same, but f32 instead of bf16; the output is cast */
	NC_TYPES_F32,     /* f32 always; the output is cast */
	NC_TYPES_INDEX,   /* inputs are no measurements but numbers of something: as they are */
	NC_TYPES_KEEP /* inputs and weights as they are: layers inside have their own policies */
} nc_types;

typedef struct nc_layer_class {
	nc_layer_id id;           /* its row in layer.def */
	const char *name, *snake; /* "Dense", "dense" */
	size_t options_size;
	const nc_option *options; /* ends with NC_OPT_END */
	int min_in, max_in;       /* inputs */
	int axes;                 /* of space, of layers that come for one, two and three */
	bool arguments;           /* several inputs are arguments in Keras, not a list */
	nc_masks masks;
	nc_types types;
	/* Freezes or thaws the layers inside, and tells again which of l's weights are trainable.
	 * NULL: there are none but those of options. */
	void (*refresh)(nacre_layer *l, bool freeze, bool thaw);
	bool code; /* it holds functions of the program: no file can name it */
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
	bool borrowed;       /* of a layer inside this one, which frees it */
	nacre_node *instead; /* what nc_layer_use() gives during a call; NULL: the variable */
	bool trainable; /* as far as the layer's class is concerned */
	bool drawn;     /* initialized, or set by somebody */
	nacre_initializer_function *initializer;
	nacre_initializer_options initializer_options;
	nacre_regularizer regularizer;
} nc_weight;

enum { NC_MAX_CONSTRAINTS = 4 };
typedef struct nc_constraint {
	char weight[32]; /* its name, "kernel" */
	nacre_constraint constraint;
} nc_constraint;

struct nacre_layer {
	const nc_layer_class *class;
	nc_memory *memory;
	nacre_error error;
	char name[NC_NAME_SIZE];
	void *owner;       /* the model; NULL: nobody's yet */
	nacre_layer *next; /* in the owner's list */
	size_t mark;       /* for walks over the model */
	bool built, frozen;
	nacre_policy policy;
	nacre_regularizer activity; /* of the output */
	int n_constraints;
	nc_constraint constraint[NC_MAX_CONSTRAINTS];
	int n_weights, weights_capacity;
	nc_weight *weight;
	nc_arena arena;     /* what the options point to */
	const char *prefix; /* before the names of weights; NULL: none */
	void (*release)(void *context); /* of a layer of the program's own; NULL: none */
	void *context;
	_Alignas(16) unsigned char options[];
};

/* Keras's name of a class in small letters, MyLayer -> my_layer, into NC_NAME_SIZE bytes. */
const char *nc_snake_case(char *out, const char *name);
/* Copies the options, fills in defaults, checks.  NULL: no memory. */
nacre_layer *nc_layer_new(const nc_layer_class *class, const void *options, const char *name);
/* The same of one with a layer inside, which is freed with it, also if there is no memory. */
nacre_layer *nc_layer_around(const nc_layer_class *class, const void *options, const char *name,
			     nacre_layer *inner);
/* "name: text" as the error of the call; returns false */
bool nc_layer_fail(nc_call *c, const nacre_layer *l, const char *format, ...) NC_PRINTF(3, 4);
/* "name: part: text" with the error that the part had; none: no memory */
bool nc_layer_take(nc_call *c, const nacre_layer *l, const char *part, const nacre_error *e);
/* Records "snake: text" in the layer itself; for check functions; returns false */
bool nc_layer_refuse(nacre_layer *l, const char *format, ...) NC_PRINTF(2, 3);
/* Appends a weight; for build functions. */
bool nc_layer_add_weight(nc_call *c, nacre_layer *l, const char *name, int rank,
			 const int64_t *shape, nacre_initializer_function *initializer,
			 const nacre_initializer_options *options, nacre_regularizer regularizer,
			 bool trainable);
/* The same of another type than f32, with a value instead of an initializer. */
bool nc_layer_add_state(nc_call *c, nacre_layer *l, const char *name, nacre_dtype dtype, int rank,
			const int64_t *shape, double value);
/* Calls a layer inside of l.  Its weights become l's too, after those that l has. */
nacre_node *nc_layer_call_inner(nc_call *c, nacre_layer *l, nacre_layer *inner, int n,
				nacre_node *const *x);
/* Makes the weights of `inner` l's too, after those that l has. */
bool nc_layer_borrow(nc_call *c, nacre_layer *l, const nacre_layer *inner);
void nc_call_add_loss(nc_call *c, nacre_node *loss); /* in training and evaluation */
/* The node of weight i in the call's graph. */
nacre_node *nc_layer_use(nc_call *c, nacre_layer *l, int i);
/* Builds if need be, and calls; errors carry the layer's name. */
nacre_node *nc_layer_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x);
/* The weight that a key "kernel_constraint" of the layer is about, into NC_NAME_SIZE bytes; and the
 * key of a weight. */
const char *nc_constraint_weight(const nacre_layer *l, const char *key, char *out);
const char *nc_constraint_key(const nacre_layer *l, const char *weight, char *out);
/* Takes the options of these kinds over: they stand in the layer's own lists from here on. */
void nc_option_constrain(nacre_layer *l, const nc_option *o, const void *field);
const char *nc_constraint_name(const nacre_constraint *c); /* "MaxNorm"; NULL: one's own */
/* A weight of the layer, as its constraints leave it; w itself if it has none. */
nacre_node *nc_layer_constrained(const nacre_layer *l, const nc_weight *weight, nacre_node *w);
/* The name in a constraint that no weight has; NULL: there is none. */
const char *nc_layer_unknown_constraint(const nacre_layer *l);
nacre_node *nc_orthogonal_penalty(nacre_node *w, double factor, bool columns);
/* Adds the regularizers of the layer's weights to the penalty. */
void nc_layer_penalty(nc_call *c, nacre_layer *l);
/* Axis -rank .. rank-1, but not the batch's, as 1 .. rank-1; -1 after an error. */
int nc_layer_axis(nc_call *c, const nacre_layer *l, int axis, int rank);
/* A list of such axes, ended by 0, as bits; {0}: the last axis.  0 after an error. */
unsigned nc_layer_axes(nc_call *c, const nacre_layer *l, const int64_t *axes, int rank);
/* Whether the rank of an input is `rank` (its least, if negative); else false and an error that
 * says what was expected, "[None, steps, size]". */
bool nc_layer_rank(nc_call *c, const nacre_layer *l, const nacre_node *x, int rank,
		   const char *expected);
bool nc_layer_floats(nc_call *c, const nacre_layer *l, const nacre_node *x); /* or an error */
void nc_call_effect(nc_call *c, nacre_node *effect);
/* option.c: copies what a TEXT or NUMBERS points to; takes a LAYER over */
void nc_option_take(nacre_layer *l, const nc_option *o, void *field);
void nc_option_range_check(nacre_layer *l, const nc_option *o); /* and fills in the default */
void nc_option_list_text(const nc_option *o, const void *field, nc_text *out);
/* The layer that is an option; NULL: it is none, or not given. */
nacre_layer *nc_option_layer(const nacre_layer *l, const nc_option *o);
/* The first of those: the layer that this one wraps; NULL: there is none. */
nacre_layer *nc_layer_inner(const nacre_layer *l);
/* What a RANGE means: a number f alone is -f .. f, cut off at the lowest that it may be. */
typedef struct nc_range {
	double low, high;
} nc_range;
nc_range nc_option_range(const nacre_layer *l, const nc_option *o);
nc_range nc_layer_range(const nacre_layer *l, const char *name); /* of the option of that name */
/* of BOOL, INT, I64, F64, CHOICE */
double nc_option_number(const nc_option *o, const void *field);
bool nc_option_is_default(const nc_option *o, const void *field);
/* Word i of a choice, not terminated; NULL past the end. */
const char *nc_option_word(const nc_option *o, int i, int *length);
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

#define LAYER(id) extern const nc_layer_class nc_class_##id;
#include "nn/layer.def"
#undef LAYER
extern const nc_layer_class *const nc_layer_classes[NC_LAYERS];
/* By Keras's name, "Dense"; NULL: there is none. */
const nc_layer_class *nc_layer_class_named(const char *name);

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
