/* SPDX-License-Identifier: MIT
 *
 * policy.c - dtype policies: their names and types, and what a layer's class makes of them.
 */
#include "nn/policy.h"

#include <string.h>

static const struct {
	const char *name;
	nacre_dtype compute, variable;
} policies[NACRE_POLICIES] = {
    [NACRE_POLICY_DEFAULT] = {NULL, NACRE_F32, NACRE_F32},
    [NACRE_FLOAT32] = {"float32", NACRE_F32, NACRE_F32},
    [NACRE_FLOAT64] = {"float64", NACRE_F64, NACRE_F64},
    [NACRE_MIXED_BFLOAT16] = {"mixed_bfloat16", NACRE_BF16, NACRE_F32},
};

static bool valid(nacre_policy p)
{
	return (unsigned)p < NACRE_POLICIES;
}

const char *nacre_policy_name(nacre_policy p)
{
	return valid(p) ? policies[p].name : NULL;
}

nacre_policy nc_policy_named(const char *name, size_t size)
{
	for (int p = NACRE_FLOAT32; p < NACRE_POLICIES; p++)
		if (strlen(policies[p].name) == size && !memcmp(policies[p].name, name, size))
			return (nacre_policy)p;
	return NACRE_POLICY_DEFAULT;
}

nacre_dtype nc_policy_compute(nacre_policy p)
{
	return policies[p].compute;
}

nacre_dtype nc_policy_variable(nacre_policy p)
{
	return policies[p].variable;
}

nacre_layer *nacre_layer_set_policy(nacre_layer *l, nacre_policy p)
{
	if (!l)
		return NULL;
	if (!valid(p))
		nc_layer_refuse(l, "policy: %d is none", (int)p);
	else if (l->built && p != l->policy)
		nc_layer_refuse(l, "policy: the layer has its weights already");
	else
		l->policy = p;
	return l;
}

nacre_policy nacre_layer_policy(const nacre_layer *l)
{
	return l ? l->policy : NACRE_POLICY_DEFAULT;
}

nacre_dtype nc_layer_gives(const nacre_layer *l)
{
	return policies[l->policy].compute;
}

nacre_dtype nc_layer_computes(const nacre_layer *l)
{
	nacre_dtype compute = policies[l->policy].compute;
	switch (l->class->types) {
	case NC_TYPES_WIDE:
		return compute == NACRE_BF16 ? NACRE_F32 : compute;
	case NC_TYPES_F32:
		return NACRE_F32;
	default:
		return compute;
	}
}

nacre_node *const *nc_layer_inputs(nc_call *c, const nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_dtype compute = nc_layer_computes(l);
	bool keeps = l->class->types == NC_TYPES_KEEP || l->class->types == NC_TYPES_INDEX;
	bool same = true;
	for (int i = 0; i < n; i++)
		same = same && (!nc_dtype_is_float(x[i]->dtype) || x[i]->dtype == compute);
	if (keeps || same)
		return x;
	nacre_node **cast = nc_arena_alloc(&c->graph->arena, (size_t)n * sizeof *cast);
	if (!cast) {
		nc_no_memory(c->error, (size_t)n * sizeof *cast);
		return NULL;
	}
	for (int i = 0; i < n; i++)
		if (!(cast[i] = nc_cast_float(x[i], compute)))
			return NULL;
	return cast;
}
