/* SPDX-License-Identifier: MIT
 *
 * composites.c - cases of the functions that emit several ops.
 */
#include "support/cases.h"

#include "nacre/op.h"
#include "test.h"

static nacre_node *input(op_case *c, nacre_dtype dtype, int rank, const int64_t *shape)
{
	int i = c->n_in++;
	c->in[i] = nacre_placeholder(c->g, NULL, dtype, rank, shape);
	c->low[i] = -2;
	c->high[i] = 2;
	return c->in[i];
}

#define X(...)                                                                                     \
	input(c, d, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)),                     \
	      (int64_t[]){__VA_ARGS__})

/* COMPOSITE(name, expression) */
#define COMPOSITES(COMPOSITE)                                                                      \
	COMPOSITE("mean", nacre_mean(X(3, 4), NACRE_ALL_AXES, false))                              \
	COMPOSITE("mean of an axis", nacre_mean(X(3, 4, 2), NACRE_AXIS(1), true))                  \
	COMPOSITE("mean of nothing", nacre_mean(X(3, 0), NACRE_LAST_AXIS, true))                   \
	COMPOSITE("variance", nacre_variance(X(3, 5), NACRE_LAST_AXIS, false))                     \
	COMPOSITE("variance of all", nacre_variance(X(2, 3, 2), NACRE_ALL_AXES, true))             \
	COMPOSITE("logsumexp", nacre_logsumexp(X(3, 5), NACRE_LAST_AXIS, false))                   \
	COMPOSITE("logsumexp, kept", nacre_logsumexp(X(3, 5, 2), NACRE_AXIS(1), true))             \
	COMPOSITE("clip", nacre_clip(X(7, 3), -0.5, 1))                                            \
	COMPOSITE("add_number", nacre_add_number(X(4), 3))                                         \
	COMPOSITE("scale", nacre_scale(X(4, 2), -3))                                               \
	COMPOSITE("softmax", nacre_softmax(X(2, 3, 5)))                                            \
	COMPOSITE("log_softmax", nacre_log_softmax(X(2, 3, 5)))                                    \
	COMPOSITE("stack", nacre_stack(3, (nacre_node *[]){X(2, 3), X(2, 3), X(2, 3)}, 1))         \
	COMPOSITE("stack at the end", nacre_stack(2, (nacre_node *[]){X(3), X(3)}, -1))            \
	COMPOSITE("expand_dims", nacre_expand_dims(X(2, 3), -1))                                   \
	COMPOSITE("squeeze", nacre_squeeze(X(1, 3, 1), NACRE_ALL_AXES))                            \
	COMPOSITE("slice_axis", nacre_slice_axis(X(4, 5), 1, 1, 4))                                \
	COMPOSITE("top_k", nacre_top_k(X(3, 7), 3, NULL))                                          \
	COMPOSITE("einsum ij,jk->ik", nacre_einsum("ij,jk->ik", X(3, 4), X(4, 5)))                 \
	COMPOSITE("einsum ij,jk->ki", nacre_einsum("ij,jk->ki", X(3, 4), X(4, 5)))                 \
	COMPOSITE("einsum ij,kj->ik", nacre_einsum("ij,kj->ik", X(3, 4), X(5, 4)))                 \
	COMPOSITE("einsum bij,bjk->bik", nacre_einsum("bij,bjk->bik", X(2, 3, 4), X(2, 4, 5)))     \
	COMPOSITE("einsum bqhd,bkhd->bhqk",                                                        \
		  nacre_einsum("bqhd,bkhd->bhqk", X(2, 3, 2, 4), X(2, 5, 2, 4)))                   \
	COMPOSITE("einsum bhqk,bkhd->bqhd",                                                        \
		  nacre_einsum("bhqk,bkhd->bqhd", X(2, 2, 3, 5), X(2, 5, 2, 4)))                   \
	COMPOSITE("einsum i,j->ij", nacre_einsum("i,j->ij", X(3), X(4)))                           \
	COMPOSITE("einsum i,i->", nacre_einsum("i,i->", X(5), X(5)))                               \
	COMPOSITE("einsum ijk,kl->il", nacre_einsum("ijk,kl->il", X(2, 3, 4), X(4, 5)))            \
	COMPOSITE("einsum abc,cbd->da", nacre_einsum("abc,cbd->da", X(2, 3, 4), X(4, 3, 2)))       \
	COMPOSITE("einsum ab,ab->ab", nacre_einsum("ab,ab->ab", X(2, 3), X(2, 3)))                 \
	COMPOSITE("einsum ij->ji", nacre_einsum("ij->ji", X(2, 3), NULL))                          \
	COMPOSITE("einsum ijk->k", nacre_einsum("ijk->k", X(2, 3, 4), NULL))                       \
	COMPOSITE("einsum of nothing", nacre_einsum("ij,jk->ik", X(3, 0), X(0, 2)))

enum { COUNT = 0
#define ONE(name, expression) +1
	COMPOSITES(ONE)
};

static const char *const names[COUNT] = {
#define NAME(name, expression) name,
	COMPOSITES(NAME)
};

int composite_case_count(void)
{
	return COUNT;
}

const char *composite_case_name(int which)
{
	return names[which];
}

bool composite_case_make(int which, nacre_dtype d, op_case *c)
{
	int i = 0;
	memset(c, 0, sizeof(*c));
	c->g = nacre_graph_new(NULL);
	if (!c->g)
		return false;
#define MAKE(name, expression)                                                                     \
	if (which == i++)                                                                          \
		c->out = expression;
	COMPOSITES(MAKE)
	return c->out != NULL;
}
