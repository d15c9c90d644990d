/* SPDX-License-Identifier: MIT
 *
 * eval.h - the value of every node of a graph, by the reference functions alone: no compiler.
 */
#ifndef NACRE_TEST_EVAL_H
#define NACRE_TEST_EVAL_H

#include "backend/reference/reference.h"

typedef struct evaluation {
	int n;
	double **value; /* of each node; NULL for effects */
} evaluation;

/* Runs nodes 0 .. g->n-1.  value[i] is copied to the placeholder in[i]; a variable's value is read
 * from it, and effects change only the copy.  The graph must have no error. */
evaluation eval_graph(const nacre_graph *g, int n_in, nacre_node *const *in, double *const *value,
		      uint64_t seed, uint64_t step);
void eval_free(evaluation *e);
static inline double *eval_of(const evaluation *e, const nacre_node *n)
{
	return e->value[n->id];
}

#endif
