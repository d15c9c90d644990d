/* SPDX-License-Identifier: MIT
 *
 * random_graphs.c - graphs that nobody would write: optimized equals unoptimized equals reference,
 * and the memory plan never lets two live values meet.
 *
 * Only continuous ops, so that a rounding difference cannot flip a branch.
 */
#include "compile/program.h"
#include "nacre/graph.h"
#include "nacre/op.h"
#include "test.h"

enum { GRAPHS = 600, NODES = 28, POOL = 64 };

typedef struct random_graph {
	nacre_graph *g;
	nacre_node *in[3], *pool[POOL];
	int n;
	nacre_variable *w[2], *m[2], *v[2];
	nacre_node *use[2];
} random_graph;

static int pick(int n)
{
	return (int)(test_random() % (uint64_t)n);
}
static nacre_node *any(random_graph *r)
{
	return r->pool[pick(r->n)];
}
static void add(random_graph *r, nacre_node *n)
{
	if (n && r->n < POOL && nc_node_size(n) <= 4000)
		r->pool[r->n++] = n;
}

static bool fits(const nacre_node *a, const nacre_node *b)
{
	for (int i = 1; i <= a->rank && i <= b->rank; i++) {
		int64_t x = a->shape[a->rank - i], y = b->shape[b->rank - i];
		if (x != y && x != 1 && y != 1)
			return false;
	}
	return true;
}

static nacre_node *tame(nacre_node *x) /* keeps values near 1 */
{
	return nacre_tanh(x);
}

static nacre_node *unary(nacre_node *x)
{
	switch (pick(12)) {
	case 0:
		return nacre_exp(tame(x));
	case 1:
		return nacre_sigmoid(x);
	case 2:
		return nacre_neg(x);
	case 3:
		return nacre_softplus(x);
	case 4:
		return nacre_square(tame(x));
	case 5:
		return nacre_scale(x, 0.5);
	case 6:
		return nacre_add_number(x, 0);
	case 7:
		return nacre_scale(x, 1);
	case 8:
		return nacre_log(nacre_add_number(nacre_square(x), 1));
	case 9:
		return nacre_erf(x);
	case 10:
		return nacre_sqrt(nacre_add_number(nacre_square(x), 0.5));
	default:
		return nacre_neg(nacre_neg(x));
	}
}

static nacre_node *binary(random_graph *r, nacre_node *x)
{
	for (int i = 0; i < 20; i++) {
		nacre_node *y = any(r);
		if (!fits(x, y))
			continue;
		switch (pick(5)) {
		case 0:
			return nacre_plus(x, y);
		case 1:
			return nacre_minus(x, y);
		case 2:
			return nacre_times(tame(x), tame(y));
		case 3:
			return nacre_divide(x, nacre_add_number(nacre_square(y), 1));
		default:
			return nacre_plus(nacre_times(tame(x), nacre_sigmoid(y)), y);
		}
	}
	return x;
}

static nacre_node *product(random_graph *r, nacre_node *x)
{
	for (int i = 0; i < 40 && x->rank >= 2; i++) {
		nacre_node *y = pick(3) ? any(r) : r->use[pick(2)];
		bool ta = pick(2), tb = pick(2);
		if (y->rank != 2)
			continue;
		if (x->rank > 2)
			ta = false;
		if (x->shape[ta ? x->rank - 2 : x->rank - 1] == y->shape[tb ? 1 : 0])
			return nacre_scale(nacre_matmul_transposed(tame(x), y, ta, tb), 0.3);
	}
	return x;
}

static nacre_node *move(random_graph *r, nacre_node *x)
{
	int64_t flat[1] = {-1};
	int order[NACRE_MAX_RANK];
	for (int i = 0; i < x->rank; i++)
		order[i] = x->rank - 1 - i;
	switch (pick(7)) {
	case 0:
		return nacre_transpose(x, order);
	case 1:
		return nacre_reshape(x, 1, flat);
	case 2:
		return x->rank
			   ? nacre_concat(2, (nacre_node *[]){x, nacre_sigmoid(x)}, pick(x->rank))
			   : x;
	case 3:
		return x->rank && x->shape[0] > 1 ? nacre_slice_axis(x, 0, 1, x->shape[0]) : x;
	case 4:
		return nacre_reverse(x, x->rank ? NACRE_AXIS(pick(x->rank)) : 0);
	case 5:
		return nacre_expand_dims(x, 0);
	default:
		return x->rank < 3 ? nacre_stack(2, (nacre_node *[]){x, nacre_neg(x)}, 0) : any(r);
	}
}

static nacre_node *reduce(nacre_node *x)
{
	unsigned axes = x->rank ? (unsigned)test_random() & ((1u << x->rank) - 1) : 0;
	switch (pick(5)) {
	case 0:
		return nacre_mean(x, axes, pick(2));
	case 1:
		return x->rank ? nacre_softmax(x) : x;
	case 2:
		return x->rank ? nacre_log_softmax_axis(x, pick(x->rank)) : x;
	case 3:
		return x->rank ? nacre_scale(nacre_cumsum(x, pick(x->rank), pick(2), pick(2)), 0.3)
			       : x;
	default:
		return nacre_scale(nacre_sum(x, axes, pick(2)), 0.2);
	}
}

static void build(random_graph *r)
{
	static const int64_t sizes[] = {1, 2, 3, 5, 8, 17, 33};
	int64_t d[4];
	for (int i = 0; i < 4; i++)
		d[i] = sizes[pick(7)];
	memset(r, 0, sizeof *r);
	r->g = nacre_graph_new(NULL);
	r->in[0] = nacre_placeholder(r->g, "x", NACRE_F32, 2, (int64_t[]){d[0], d[1]});
	r->in[1] = nacre_placeholder(r->g, "b", NACRE_F32, 1, (int64_t[]){d[2]});
	r->in[2] = nacre_placeholder(r->g, "rate", NACRE_F32, 1, (int64_t[]){2});
	for (int i = 0; i < 2; i++) {
		int64_t shape[2] = {d[1 + i], d[2 + i]};
		nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, shape, NULL);
		for (int64_t k = 0; k < shape[0] * shape[1]; k++)
			nacre_tensor_set(t, k, test_uniform(-1, 1));
		r->w[i] = nacre_variable_new(NULL, i ? "w1" : "w0", NACRE_F32, 2, shape, t, NULL);
		r->m[i] = nacre_variable_new(NULL, "m", NACRE_F32, 2, shape, NULL, NULL);
		r->v[i] = nacre_variable_new(NULL, "v", NACRE_F32, 2, shape, NULL, NULL);
		nacre_tensor_free(t);
		r->use[i] = nacre_use(r->g, r->w[i]);
		add(r, r->use[i]);
	}
	add(r, r->in[0]);
	add(r, r->in[1]);
	add(r, nacre_matmul(r->in[0], r->use[0]));
	for (int i = 0; i < NODES; i++) {
		nacre_node *x = any(r), *y = NULL;
		switch (pick(6)) {
		case 0:
			y = unary(x);
			break;
		case 1:
		case 2:
			y = binary(r, x);
			break;
		case 3:
			y = product(r, x);
			break;
		case 4:
			y = move(r, x);
			break;
		default:
			y = reduce(x);
			break;
		}
		add(r, y);
	}
}

static void destroy(random_graph *r)
{
	for (int i = 0; i < 2; i++) {
		nacre_variable_free(r->w[i]);
		nacre_variable_free(r->m[i]);
		nacre_variable_free(r->v[i]);
	}
	nacre_graph_free(r->g);
}

static nacre_tensor *fresh(const nacre_node *n, double low, double high)
{
	nacre_tensor *t = nacre_tensor_new(NULL, n->dtype, n->rank, n->shape, NULL);
	for (int64_t i = 0; i < nc_node_size(n); i++)
		nacre_tensor_set(t, i, low == high ? low : test_uniform(low, high));
	return t;
}

/* values that are alive in the same step and lie in the workspace do not overlap */
static void check_plan(const nacre_program *p)
{
	for (int i = 0; i < p->n_values; i++)
		for (int j = 0; j < i; j++) {
			const nc_value *a = &p->value[i], *b = &p->value[j];
			if (a->where != NC_AT_WORKSPACE || b->where != NC_AT_WORKSPACE ||
			    a->first < 0 || b->first < 0)
				continue;
			bool meet = a->first <= b->last && b->first <= a->last;
			bool touch =
			    a->offset < b->offset + b->size && b->offset < a->offset + a->size;
			CHECK(!(meet && touch));
			CHECK(a->offset + a->size <= p->workspace_size);
		}
}

enum { OUT = 4 };

static void run(random_graph *r, nacre_node **out, nacre_tensor **in, nacre_tensor **result,
		const char *backend, int no_optimize)
{
	nacre_error e = {0};
	nacre_program_options o = {.backend = backend, .no_optimize = no_optimize};
	nacre_program *p = nacre_program_new(NULL, 3, r->in, OUT, out, &o, &e);
	CHECK_STR(e.text, "");
	if (!p)
		return;
	check_plan(p);
	for (int i = 0; i < OUT; i++)
		result[i] = fresh(out[i], 7, 7);
	CHECK_EQ(nacre_program_run(p, in, result, &e), NACRE_OK);
	nacre_program_free(p);
}

static void compare(nacre_tensor *a, nacre_tensor *b, const char *what, int graph)
{
	double scale = 1;
	for (int64_t i = 0; i < nacre_tensor_size(b); i++)
		scale = fmax(scale, fabs(nacre_tensor_get(b, i)));
	for (int64_t i = 0; i < nacre_tensor_size(b); i++) {
		double x = nacre_tensor_get(a, i), y = nacre_tensor_get(b, i);
		if (!(fabs(x - y) <= 2e-4 * scale)) {
			test_failed(__FILE__, __LINE__,
				    "graph %d, %s: element %lld: %g, reference %g", graph, what,
				    (long long)i, x, y);
			return;
		}
	}
}

TEST(random_graphs_agree)
{
	for (int i = 0; i < GRAPHS; i++) {
		random_graph r;
		build(&r);
		nacre_node *out[OUT];
		out[0] = r.pool[r.n - 1];
		out[1] = any(&r);
		nacre_node *loss = nacre_mean(nacre_square(tame(out[0])), NACRE_ALL_AXES, false);
		nacre_grad(loss, 2, r.use, out + 2);
		CHECK_STR(nacre_graph_error(r.g)->text, "");
		CHECK(nc_graph_check(r.g));
		nacre_tensor *in[3] = {fresh(r.in[0], -1, 1), fresh(r.in[1], -1, 1),
				       fresh(r.in[2], 0.01, 0.01)};
		nacre_tensor *ref[OUT] = {0}, *plain[OUT] = {0}, *fast[OUT] = {0};
		run(&r, out, in, ref, "reference", 0);
		run(&r, out, in, plain, "cpu", 1);
		run(&r, out, in, fast, "cpu", 0);
		for (int k = 0; k < OUT; k++) {
			if (ref[k] && plain[k] && fast[k]) {
				compare(plain[k], ref[k], "unoptimized", i);
				compare(fast[k], ref[k], "optimized", i);
			}
			nacre_tensor_free(ref[k]);
			nacre_tensor_free(plain[k]);
			nacre_tensor_free(fast[k]);
		}
		for (int k = 0; k < 3; k++)
			nacre_tensor_free(in[k]);
		destroy(&r);
	}
}

/* Training steps: what the variables are after three updates. */
static void train(random_graph *r, nacre_node *loss, nacre_tensor **in, const char *backend,
		  int no_optimize, nacre_tensor **w)
{
	nacre_node *d[2], *out[3] = {loss, NULL, NULL};
	nacre_error e = {0};
	nacre_grad(loss, 2, r->use, d);
	for (int k = 0; k < 2; k++)
		out[1 + k] =
		    nacre_update_adam(r->use[k], nacre_use(r->g, r->m[k]), nacre_use(r->g, r->v[k]),
				      d[k], r->in[2], 0.9, 0.999, 1e-3, 0.01);
	nacre_program_options o = {.backend = backend, .no_optimize = no_optimize};
	nacre_program *p = nacre_program_new(NULL, 3, r->in, 3, out, &o, &e);
	CHECK_STR(e.text, "");
	for (int i = 0; p && i < 3; i++)
		nacre_program_run(p, in, NULL, &e);
	nacre_program_free(p);
	for (int k = 0; k < 2; k++)
		w[k] = nacre_variable_read(r->w[k], NULL);
}

static void reset(random_graph *r, nacre_tensor **start)
{
	nacre_tensor *zero;
	for (int k = 0; k < 2; k++) {
		nacre_variable_write(r->w[k], start[k], NULL);
		zero = nacre_tensor_new(NULL, NACRE_F32, 2, nacre_variable_shape(r->w[k]), NULL);
		nacre_variable_write(r->m[k], zero, NULL);
		nacre_variable_write(r->v[k], zero, NULL);
		nacre_tensor_free(zero);
	}
}

TEST(random_training_agrees)
{
	for (int i = 0; i < GRAPHS / 3; i++) {
		random_graph r;
		build(&r);
		nacre_node *loss = nacre_mean(nacre_square(tame(nacre_matmul(r.in[0], r.use[0]))),
					      NACRE_ALL_AXES, false);
		loss = nacre_plus(
		    loss, nacre_mean(nacre_square(tame(r.pool[r.n - 1])), NACRE_ALL_AXES, false));
		if (i % 2) /* a regularizer: the gradient is no bare product any more */
			loss = nacre_plus(loss, nacre_scale(nacre_sum(nacre_square(r.use[0]),
								      NACRE_ALL_AXES, false),
							    0.01));
		nacre_tensor *in[3] = {fresh(r.in[0], -1, 1), fresh(r.in[1], -1, 1),
				       fresh(r.in[2], 0.01, 0.01)};
		nacre_tensor *start[2], *w[3][2];
		for (int k = 0; k < 2; k++)
			start[k] = nacre_variable_read(r.w[k], NULL);
		static const char *const backend[] = {"reference", "cpu", "cpu"};
		for (int run = 0; run < 3; run++) {
			reset(&r, start);
			train(&r, loss, in, backend[run], run == 1, w[run]);
		}
		for (int k = 0; k < 2; k++) {
			compare(w[1][k], w[0][k], "weights, unoptimized", i);
			compare(w[2][k], w[0][k], "weights, optimized", i);
			for (int run = 0; run < 3; run++)
				nacre_tensor_free(w[run][k]);
			nacre_tensor_free(start[k]);
		}
		for (int k = 0; k < 3; k++)
			nacre_tensor_free(in[k]);
		destroy(&r);
	}
}
