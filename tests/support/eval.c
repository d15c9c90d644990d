/* SPDX-License-Identifier: MIT
 *
 * eval.c - walks a graph in order; every value is an array of doubles of its own.
 */
#include "support/eval.h"

#include "test.h"

static void read_variable(const nacre_node *n, double *y)
{
	const nacre_variable *v = ((const nc_attr_variable *)n->attr)->variable;
	nacre_error e = {0};
	nacre_tensor *t = nacre_variable_read(v, &e);
	for (int64_t i = 0; t && i < nc_node_size(n); i++)
		y[i] = nacre_tensor_get(t, i);
	nacre_tensor_free(t);
}

evaluation eval_graph(const nacre_graph *g, int n_in, nacre_node *const *in, double *const *value,
		      uint64_t seed, uint64_t step)
{
	evaluation e = {g->n, calloc((size_t)g->n + 1, sizeof(double *))};
	nc_ref_context context = {seed, step};
	for (int i = 0; i < g->n; i++) {
		const nacre_node *n = g->node[i];
		double **inputs = calloc((size_t)n->n_in + 1, sizeof(double *));
		for (int k = 0; k < n->n_in; k++)
			inputs[k] = e.value[n->in[k]->id];
		size_t bytes = (size_t)nc_node_size(n) * sizeof(double);
		if (!(n->op->flags & NC_OP_EFFECT))
			e.value[i] = calloc(1, bytes + 1);
		for (int k = 0; k < n_in; k++)
			if (in[k] == n && bytes)
				memcpy(e.value[i], value[k], bytes);
		if (n->op == &nc_op_variable)
			read_variable(n, e.value[i]);
		nc_ref_at(n->op->index)(n, inputs, e.value[i], &context);
		free(inputs);
	}
	return e;
}

void eval_free(evaluation *e)
{
	for (int i = 0; i < e->n; i++)
		free(e->value[i]);
	free(e->value);
}
