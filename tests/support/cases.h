/* SPDX-License-Identifier: MIT
 *
 * cases.h - small graphs for every op: what the tests of gradients, of backends and of the memory
 * plan run.  A case is one op on placeholders, of many shapes: 0, 1, odd, stretched, rank 0 to 8.
 */
#ifndef NACRE_TEST_CASES_H
#define NACRE_TEST_CASES_H

#include "op/table.h"

enum { CASE_INPUTS = 8, CASE_VARIABLES = 4 };

typedef struct op_case {
	nacre_graph *g;
	int n_in;
	nacre_node *in[CASE_INPUTS]; /* placeholders */
	nacre_node *out;             /* the op's node; for effects no value */
	/* the values of in[i] are to lie in low .. high; whole: integers, both ends included */
	double low[CASE_INPUTS], high[CASE_INPUTS];
	bool whole[CASE_INPUTS];
	int n_variables; /* of effects: filled with random values; freed with the case */
	nacre_variable *variable[CASE_VARIABLES];
} op_case;

/* Cases of an op (0: it has none, which a test should refuse).  The first FLOAT_CASES of an op that
 * takes floats have float inputs of the type asked for; more of them may have integers. */
enum { FLOAT_CASES = 24 };
int op_case_count(int op_index);
bool op_case_make(int op_index, int which, nacre_dtype float_dtype, op_case *out);
void op_case_free(op_case *c);

/* the same for functions that emit several ops: mean, einsum, clip ... */
int composite_case_count(void);
const char *composite_case_name(int which);
bool composite_case_make(int which, nacre_dtype float_dtype, op_case *out);

/* random values for in[i], as many as its shape has */
void op_case_values(const op_case *c, int i, double *values);

#endif
