/* SPDX-License-Identifier: MIT
 *
 * nacre/graph.h - the level below layers: graphs of ops, gradients, programs.
 *
 *     nacre_graph *g = nacre_graph_new(NULL);
 *     nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, 2, (int64_t[]){4, 2});
 *     nacre_node *w = nacre_use(g, weights);                     // a nacre_variable
 *     nacre_node *loss = nacre_mean(nacre_square(nacre_matmul(x, w)), NACRE_ALL_AXES, false);
 *     nacre_node *dw;
 *     nacre_grad(loss, 1, &w, &dw);                   // nodes again: differentiate twice
 *     nacre_node *step = nacre_assign(w, nacre_minus(w, dw));
 *     nacre_program *p = nacre_program_new(NULL, 1, &x, 2, (nacre_node *[]){loss, step}, NULL, &e);
 *     nacre_program_run(p, (nacre_tensor *[]){data}, (nacre_tensor *[]){result, NULL}, &e);
 *
 * A node is one value: it has a data type and a shape, known when it is made.  Functions that
 * make nodes (here and in nacre/op.h) check their arguments at once; the graph keeps the first
 * error, and from then on they return NULL.  Everything in a graph lives until the graph is freed.
 * A program is a graph made ready to run: simplified, fused, laid out, its memory planned.
 */
#ifndef NACRE_GRAPH_H
#define NACRE_GRAPH_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_graph nacre_graph;
typedef struct nacre_node nacre_node;
typedef struct nacre_variable nacre_variable;
typedef struct nacre_program nacre_program;

nacre_graph *nacre_graph_new(nacre_runtime *runtime); /* NULL: no memory */
void nacre_graph_free(nacre_graph *graph);
const nacre_error *nacre_graph_error(const nacre_graph *graph); /* status NACRE_OK: none */

/* The graph as text, a line a node, or as Graphviz, through the runtime's output. */
void nacre_graph_print(const nacre_graph *graph);
void nacre_graph_print_dot(const nacre_graph *graph);

/* Sources of values.
 *   placeholder  given anew at each run
 *   scalar       one number, rank 0
 *   fill         one number in every place
 *   constant     `data`: row-major, of the given type; copied
 *   use          the value of a variable; using it twice in a graph gives the same node */
nacre_node *nacre_placeholder(nacre_graph *graph, const char *name, nacre_dtype dtype, int rank,
			      const int64_t *shape);
nacre_node *nacre_scalar(nacre_graph *graph, nacre_dtype dtype, double value);
nacre_node *nacre_fill(nacre_graph *graph, nacre_dtype dtype, int rank, const int64_t *shape,
		       double value);
nacre_node *nacre_constant(nacre_graph *graph, nacre_dtype dtype, int rank, const int64_t *shape,
			   const void *data);
nacre_node *nacre_use(nacre_graph *graph, nacre_variable *variable);

/* Effects: change variables when the program has read everything it reads of them.  An effect is
 * no value: list it among the outputs of a program.  `variable` is what nacre_use() gave.  (An
 * output that is itself a variable shows its value after the run.) */
nacre_node *nacre_assign(nacre_node *variable, nacre_node *value);

nacre_dtype nacre_node_dtype(const nacre_node *node);
int nacre_node_rank(const nacre_node *node);
const int64_t *nacre_node_shape(const nacre_node *node);
nacre_graph *nacre_node_graph(const nacre_node *node);
void nacre_node_set_name(nacre_node *node, const char *name); /* for prints and error texts */

/* gradient[i] = d sum(loss) / d wrt[i]: new nodes of the same graph, zeros where the loss does not
 * depend on it.  An op without a gradient on the way (nacre_argmax ...) counts as a constant. */
nacre_status nacre_grad(nacre_node *loss, int n, nacre_node *const *wrt, nacre_node **gradient);

/* -- variables: numbers that stay from run to run --------------------------------------------
 * The compiler may store a variable in another order than its logical one (packed panels);
 * read and write convert.  `value` may be NULL: zeros. */
nacre_variable *nacre_variable_new(nacre_runtime *runtime, const char *name, nacre_dtype dtype,
				   int rank, const int64_t *shape, const nacre_tensor *value,
				   nacre_error *error);
void nacre_variable_free(nacre_variable *variable); /* after the programs that use it */
const char *nacre_variable_name(const nacre_variable *variable);
nacre_dtype nacre_variable_dtype(const nacre_variable *variable);
int nacre_variable_rank(const nacre_variable *variable);
const int64_t *nacre_variable_shape(const nacre_variable *variable);
nacre_tensor *nacre_variable_read(const nacre_variable *variable, nacre_error *error); /* a copy */
nacre_status nacre_variable_write(nacre_variable *variable, const nacre_tensor *value,
				  nacre_error *error);

/* -- programs ---------------------------------------------------------------------------------*/
typedef struct nacre_program_options {
	const char *backend; /* NULL or "cpu"; "reference": plain C in double precision, slow */
	int no_optimize;     /* 1: leave out every optional pass (as does NACRE_OPT=0) */
	/* 1: convolutions of 3x3 by F(4x4, 3x3) where that is faster: a quarter of the direct way's
	 * multiplications, some ten times its rounding error; for inference */
	int fast_convolution;
	uint64_t seed;       /* of the random ops */
	/* If set, called before and after each pass with the whole program as text; the last call
	 * has the kernels chosen, bytes and flops. `dot` asks for Graphviz instead. */
	void (*trace)(void *context, const char *pass, const char *text);
	void *trace_context;
	int dot;
} nacre_program_options;

/* Compiles what the outputs need.  `inputs` are the placeholders, in the order of the run's
 * tensors.  Neither the graph nor the nodes are needed afterwards; the variables are. */
nacre_program *nacre_program_new(nacre_runtime *runtime, int n_inputs, nacre_node *const *inputs,
				 int n_outputs, nacre_node *const *outputs,
				 const nacre_program_options *options, nacre_error *error);
void nacre_program_free(nacre_program *program);

/* Runs once.  inputs[i]: contiguous, with the type and shape of its placeholder, unchanged until
 * the call returns.  outputs[i] receives output i; NULL where it is not wanted or an effect.
 * Allocates nothing. */
nacre_status nacre_program_run(nacre_program *program, nacre_tensor *const *inputs,
			       nacre_tensor *const *outputs, nacre_error *error);

/* Random ops are keyed by seed, step and op; the step counts the runs, from 0. */
void nacre_program_set_step(nacre_program *program, uint64_t step);

size_t nacre_program_workspace(const nacre_program *program); /* bytes, planned beforehand */
double nacre_program_flops(const nacre_program *program);     /* of one run */

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
