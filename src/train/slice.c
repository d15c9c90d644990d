/* SPDX-License-Identifier: MIT
 *
 * slice.c - how many samples a prediction computes at a time.  What a layer gives should still be
 * in the cache when the next one reads it, which large images are not in large batches; but all
 * weights are read again for every slice.  Bits do not depend on it: samples do not meet in a
 * prediction.
 *
 * Bytes that a sample costs in slices of c samples, from the graph of one sample:
 *     weights / c + (all that products and pools read and give, if c times the most that one of
 *                    them does is more than the cache keeps)
 */
#include "compile/compile.h"
#include "train/model.h"
#include "train/nested.h"

enum { KEEPS = 16 << 20 }; /* bytes: half of a third-level cache */

typedef struct traffic { /* bytes of a sample */
	double weights, all, most;
} traffic;

static traffic traffic_of(const nacre_model *m)
{
	traffic t = {0};
	for (int i = 0; i < m->scratch->n; i++) {
		const nacre_node *n = m->scratch->node[i];
		if (nc_is(n, NC_OP_variable))
			t.weights += (double)nc_node_bytes(n);
		if (!nc_is(n, NC_OP_conv) && !nc_is(n, NC_OP_matmul) && !nc_is(n, NC_OP_max_pool))
			continue;
		double here = (double)(nc_node_bytes(n) + nc_node_bytes(n->in[0]));
		t.all += here;
		t.most = here > t.most ? here : t.most;
	}
	return t;
}

static double cost(const traffic *t, int64_t c)
{
	return t->weights / (double)c + ((double)c * t->most > KEEPS ? t->all : 0);
}

/* does a layer run the program's own code, which may look at all samples of a batch? */
static bool has_code(const nacre_model *m)
{
	for (const nacre_layer *l = m->layers; l; l = l->next) {
		const nacre_model *inner = nc_nested_model(l);
		if (inner ? has_code(inner) : l->class->code)
			return true;
	}
	return false;
}

int64_t nc_model_at_once(const nacre_model *m, int64_t batch)
{
	if (has_code(m) || (m->map && has_code(m->map)))
		return batch;
	traffic t = traffic_of(m);
	int64_t best = batch;
	for (int64_t c = batch / 2; c >= 1; c /= 2)
		if (cost(&t, c) < cost(&t, best))
			best = c;
	return best;
}
