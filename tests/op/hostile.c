/* SPDX-License-Identifier: MIT
 *
 * hostile.c - arguments that nobody should give: every function refuses them with a text or makes
 * a node whose gradient is a graph in order, and which can be evaluated.
 */
#include <limits.h>

#include "nacre/op.h"
#include "support/eval.h"
#include "test.h"

enum { GRAPHS = 3000, STEPS = 16, POOL = 24, SMALL = 2000 };

static int64_t wild(void)
{
	static const int64_t edge[] = {
		0,         1,         -1, 2, 3, INT64_MAX, INT64_MIN,       INT64_MAX - 1,
		INT32_MAX, INT32_MIN, 7,  8, 9, -2,        INT64_C(1) << 40};
	uint64_t r = test_random();
	if (r % 3)
		return (int64_t)(test_random() % 5);
	return r % 5 ? edge[test_random() % 15] : (int64_t)test_random();
}

static int wild_int(void)
{
	return (int)wild();
}

static double wild_double(void)
{
	static const double edge[] = {0, 1, -1, NAN, INFINITY, -INFINITY, 1e300, 0.5};
	return edge[test_random() % 8];
}

typedef struct pool {
	nacre_graph *g;
	nacre_node *node[POOL];
	int n;
} pool;

static nacre_node *any(const pool *p)
{
	return test_random() % 64 ? p->node[test_random() % (uint64_t)p->n] : NULL;
}

static void sizes(int64_t *s)
{
	for (int i = 0; i < NACRE_MAX_RANK; i++)
		s[i] = wild();
}

static nacre_node *move(const pool *p, nacre_node *x)
{
	int64_t a[NACRE_MAX_RANK], b[NACRE_MAX_RANK], c[NACRE_MAX_RANK];
	int order[NACRE_MAX_RANK];
	nacre_node *parts[3] = {x, any(p), any(p)};
	sizes(a);
	sizes(b);
	sizes(c);
	for (int i = 0; i < NACRE_MAX_RANK; i++)
		order[i] = test_random() % 8 ? (int)(test_random() % 3) : wild_int();
	bool null = test_random() % 16 == 0;
	switch (test_random() % 10) {
	case 0:
		return nacre_reshape(x, wild_int(), null ? NULL : a);
	case 1:
		return nacre_transpose(x, null ? NULL : order);
	case 2:
		return nacre_broadcast(x, wild_int(), null ? NULL : a);
	case 3:
		return nacre_slice(x, a, null ? NULL : b, test_random() % 2 ? c : NULL);
	case 4:
		return nacre_slice_axis(x, wild_int(), wild(), wild());
	case 5:
		return nacre_pad(x, a, b, test_random() % 2 ? c : NULL, wild_double());
	case 6:
		return nacre_concat((int)(test_random() % 4), parts, wild_int());
	case 7:
		return nacre_stack((int)(test_random() % 4), parts, wild_int());
	case 8:
		return nacre_expand_dims(x, wild_int());
	default:
		return nacre_squeeze(x, (unsigned)wild());
	}
}

static nacre_node *reduce(nacre_node *x)
{
	unsigned axes = (unsigned)wild();
	bool keep = test_random() % 2;
	switch (test_random() % 8) {
	case 0:
		return nacre_sum(x, axes, keep);
	case 1:
		return nacre_mean(x, axes, keep);
	case 2:
		return nacre_max(x, axes, keep);
	case 3:
		return nacre_product(x, axes, keep);
	case 4:
		return nacre_variance(x, axes, keep);
	case 5:
		return nacre_logsumexp(x, axes, keep);
	case 6:
		return nacre_any(x, axes, keep);
	default:
		return nacre_reverse(x, axes);
	}
}

static nacre_node *along(const pool *p, nacre_node *x)
{
	int axis = wild_int();
	nacre_node *k;
	switch (test_random() % 9) {
	case 0:
		return nacre_softmax_axis(x, axis);
	case 1:
		return nacre_argmax(x, axis);
	case 2:
		return nacre_gather(x, any(p), axis);
	case 3:
		return nacre_scatter_add(x, any(p), any(p), axis);
	case 4:
		return nacre_take_along_axis(x, any(p), axis);
	case 5:
		return nacre_one_hot(x, wild(), (nacre_dtype)(test_random() % 12));
	case 6:
		return nacre_cumsum(x, axis, axis & 1, axis & 2);
	case 7:
		return nacre_sort(x, axis, axis & 1);
	default:
		return nacre_top_k(x, wild(), &k);
	}
}

static nacre_node *combine(const pool *p, nacre_node *x)
{
	static const char *const equations[] = {"ij,jk->ik", "i,i->",     "",        "->",
						",->",       "ab->ba",    "i,j->ij", "ij,",
						"a\x80->a",  "ij,ik->jk", " -> "};
	nacre_node *y = any(p);
	switch (test_random() % 10) {
	case 0:
		return nacre_plus(x, y);
	case 1:
		return nacre_divide(x, y);
	case 2:
		return nacre_pow(x, y);
	case 3:
		return nacre_matmul_transposed(x, y, test_random() % 2, test_random() % 2);
	case 4:
		return nacre_einsum(equations[test_random() % 11], x, y);
	case 5:
		return nacre_select(y, x, any(p));
	case 6:
		return nacre_clip(x, wild_double(), wild_double());
	case 7:
		return nacre_cast(x, (nacre_dtype)(test_random() % 11));
	case 8:
		return nacre_scale(x, wild_double());
	default:
		return nacre_tanh(x);
	}
}

static nacre_node *source(nacre_graph *g)
{
	int64_t shape[NACRE_MAX_RANK];
	sizes(shape);
	int rank = test_random() % 8 ? (int)(test_random() % 4) : wild_int();
	nacre_dtype dtype = test_random() % 8 ? NACRE_F32 : (nacre_dtype)wild_int();
	switch (test_random() % 4) {
	case 0:
		return nacre_fill(g, dtype, rank, shape, wild_double());
	case 1:
		return nacre_arange(g, dtype, wild(), wild_double(), wild_double());
	case 2:
		return nacre_placeholder(g, "x", dtype, rank, shape);
	default:
		return nacre_random(g, (nacre_random_kind)(test_random() % 6), dtype, rank, shape,
				    wild_double(), wild_double());
	}
}

static void begin(pool *p)
{
	p->g = nacre_graph_new(NULL);
	p->n = 0;
	p->node[p->n++] = nacre_fill(p->g, NACRE_F32, 2, (int64_t[]){3, 4}, 1);
	p->node[p->n++] = nacre_arange(p->g, NACRE_F32, 4, 1, 1);
	p->node[p->n++] = nacre_arange(p->g, NACRE_I32, 3, -1, 2);
	p->node[p->n++] = nacre_scalar(p->g, NACRE_F32, 2);
	p->node[p->n++] = nacre_fill(p->g, NACRE_BOOL, 2, (int64_t[]){1, 4}, 1);
	p->node[p->n++] = nacre_fill(p->g, NACRE_F32, 3, (int64_t[]){2, 0, 4}, 1);
}

/* small enough in every node to be evaluated */
static bool small(const nacre_graph *g)
{
	for (int i = 0; i < g->n; i++)
		if (nc_node_size(g->node[i]) > SMALL)
			return false;
	return true;
}

static void finish(pool *p)
{
	nacre_node *last = p->node[p->n - 1], *d[2], *wrt[2] = {p->node[0], p->node[1]};
	if (nc_dtype_is_float(last->dtype)) {
		nacre_status s = nacre_grad(last, 2, wrt, d);
		CHECK(s == NACRE_OK ? nc_same_shape(d[0], wrt[0]) && nc_same_shape(d[1], wrt[1])
				    : !d[0] && !d[1]);
		if (s != NACRE_OK) /* what was accepted has a gradient */
			test_failed(__FILE__, __LINE__, "%s", nacre_graph_error(p->g)->text);
	}
	CHECK(nc_graph_check(p->g));
	if (small(p->g) && !nacre_graph_error(p->g)->status) {
		double none[1] = {0}, *value[1] = {none};
		evaluation e = eval_graph(p->g, 0, NULL, value, 1, 1);
		eval_free(&e);
	}
}

TEST(nothing_crashes)
{
	int refused = 0, made = 0;
	for (int k = 0; k < GRAPHS; k++) {
		pool p;
		begin(&p);
		for (int i = 0; i < STEPS; i++) {
			nacre_node *x = any(&p);
			nacre_node *y;
			uint64_t r = test_random() % 16;
			y = r < 6    ? combine(&p, x)
			    : r < 9  ? move(&p, x)
			    : r < 12 ? reduce(x)
			    : r < 15 ? along(&p, x)
				     : source(p.g);
			if (nacre_graph_error(p.g)->status) {
				CHECK(!y && nacre_graph_error(p.g)->text[0]);
				memset(&p.g->error, 0, sizeof(p.g->error)); /* and on we go */
				refused++;
				continue;
			}
			made += y != NULL;
			if (y && p.n < POOL && nc_node_size(y) <= SMALL)
				p.node[p.n++] = y;
		}
		finish(&p);
		nacre_graph_free(p.g);
	}
	CHECK(refused > GRAPHS && made > GRAPHS); /* about as many of either */
}

/* A size of 0 beside a large one: nothing to do, and nothing may be looped over. */
TEST(large_beside_nothing)
{
	int64_t large = INT64_C(1) << 50;
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_fill(g, NACRE_F32, 2, (int64_t[]){0, large}, 1), *dx;
	nacre_node *i = nacre_fill(g, NACRE_I32, 1, (int64_t[]){0}, 0);
	nacre_node *k = nacre_fill(g, NACRE_I32, 2, (int64_t[]){0, large}, 0);
	nacre_node *y = nacre_softmax_axis(x, 0);
	y = nacre_plus(y, nacre_log_softmax_axis(x, 0));
	y = nacre_plus(y, nacre_cumsum(x, 0, false, false));
	y = nacre_plus(y, nacre_sort(x, 0, true));
	y = nacre_plus(y, nacre_gather(x, i, 0));
	y = nacre_plus(y, nacre_scatter_add(x, i, x, 0));
	y = nacre_plus(y, nacre_take_along_axis(x, k, 0));
	y = nacre_plus(y, nacre_scatter_add_along_axis(x, k, x, 0));
	y = nacre_plus(y, nacre_broadcast(x, 3, (int64_t[]){1, 0, large}));
	y = nacre_matmul(y, nacre_fill(g, NACRE_F32, 2, (int64_t[]){large, 0}, 1));
	y = nacre_plus(y, nacre_cast(nacre_argmax(nacre_reshape(x, 3, (int64_t[]){large, 1, 0}), 1),
				     NACRE_F32)
				  ? y
				  : NULL);
	CHECK(y != NULL);
	evaluation e = eval_graph(g, 0, NULL, NULL, 0, 0);
	eval_free(&e);
	CHECK_EQ(nacre_grad(y, 1, &x, &dx), NACRE_OK); /* has sums of nothing: large */
	CHECK(nc_graph_check(g));
	nacre_graph_free(g);
}
