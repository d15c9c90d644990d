/* SPDX-License-Identifier: MIT
 *
 * program.c - compiling and running: what is fused, in which order effects happen, what is refused,
 * and that neither threads nor failed allocations change anything.
 */
#include "compile/program.h"
#include "base/runtime.h"
#include "nacre/graph.h"
#include "nacre/op.h"
#include "test.h"
#include "train/countdown.h"

typedef struct mlp {
	nacre_graph *g;
	nacre_node *in[3], *out[6]; /* x, y, rate -> loss, probabilities, four updates */
	nacre_variable *w[4], *m[4], *v[4];
} mlp;

static const int64_t shapes[4][2] = {{70, 96}, {96, 0}, {96, 10}, {10, 0}};

static void free_mlp(mlp *n)
{
	for (int i = 0; i < 4; i++) {
		nacre_variable_free(n->w[i]);
		nacre_variable_free(n->m[i]);
		nacre_variable_free(n->v[i]);
	}
	nacre_graph_free(n->g);
}

static bool make_mlp(nacre_runtime *rt, mlp *n, int64_t batch)
{
	nacre_error e = {0};
	memset(n, 0, sizeof *n);
	n->g = nacre_graph_new(rt);
	n->in[0] = nacre_placeholder(n->g, "x", NACRE_F32, 2, (int64_t[]){batch, 70});
	n->in[1] = nacre_placeholder(n->g, "y", NACRE_F32, 2, (int64_t[]){batch, 10});
	n->in[2] = nacre_placeholder(n->g, "rate", NACRE_F32, 1, (int64_t[]){2});
	nacre_node *u[4], *d[4];
	for (int i = 0; i < 4; i++) {
		int rank = i % 2 ? 1 : 2;
		nacre_tensor *t = nacre_tensor_new(rt, NACRE_F32, rank, shapes[i], &e);
		for (int64_t k = 0; t && k < nacre_tensor_size(t); k++)
			nacre_tensor_set(t, k, 0.1 * sin((double)k * 1.7 + i));
		n->w[i] = nacre_variable_new(rt, "w", NACRE_F32, rank, shapes[i], t, &e);
		n->m[i] = nacre_variable_new(rt, "m", NACRE_F32, rank, shapes[i], NULL, &e);
		n->v[i] = nacre_variable_new(rt, "v", NACRE_F32, rank, shapes[i], NULL, &e);
		nacre_tensor_free(t);
		u[i] = nacre_use(n->g, n->w[i]);
	}
	nacre_node *keep =
	    nacre_random(n->g, NACRE_BERNOULLI, NACRE_F32, 2, (int64_t[]){batch, 96}, 0.8, 0);
	nacre_node *h =
	    nacre_times(nacre_relu(nacre_plus(nacre_matmul(n->in[0], u[0]), u[1])), keep);
	nacre_node *z = nacre_plus(nacre_matmul(h, u[2]), u[3]);
	nacre_node *each =
	    nacre_sum(nacre_times(n->in[1], nacre_log_softmax(z)), NACRE_LAST_AXIS, false);
	n->out[0] = nacre_mean(nacre_neg(each), NACRE_ALL_AXES, false);
	n->out[1] = nacre_softmax(z);
	nacre_grad(n->out[0], 4, u, d);
	for (int i = 0; i < 4; i++)
		n->out[2 + i] =
		    nacre_update_adam(u[i], nacre_use(n->g, n->m[i]), nacre_use(n->g, n->v[i]),
				      d[i], n->in[2], 0.9, 0.999, 1e-7, 0);
	return n->g && !nacre_graph_error(n->g)->status;
}

static nacre_tensor *filled(nacre_runtime *rt, const nacre_node *n, double a)
{
	nacre_tensor *t =
	    nacre_tensor_new(rt, NACRE_F32, nacre_node_rank(n), nacre_node_shape(n), NULL);
	for (int64_t i = 0; t && i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, a * cos((double)i * 0.37));
	return t;
}

/* -- threads --------------------------------------------------------------------------------*/
static uint64_t trained_bits(int threads, uint64_t seed)
{
	nacre_runtime_options o = {.threads = threads};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	mlp n;
	nacre_error e = {0};
	CHECK(make_mlp(rt, &n, 128));
	nacre_program_options po = {.seed = seed};
	nacre_program *p = nacre_program_new(rt, 3, n.in, 6, n.out, &po, &e);
	CHECK_STR(e.text, "");
	nacre_tensor *in[3];
	for (int i = 0; i < 3; i++)
		in[i] = filled(rt, n.in[i], i == 2 ? 0.001 : 1);
	for (int i = 0; i < 20 && p; i++)
		nacre_program_run(p, in, NULL, &e);
	uint64_t hash = 1469598103934665603u;
	for (int i = 0; i < 4; i++) {
		nacre_tensor *t = nacre_variable_read(n.w[i], &e);
		const uint8_t *bytes = nacre_tensor_data(t);
		for (int64_t k = 0; k < nacre_tensor_size(t) * 4; k++)
			hash = (hash ^ bytes[k]) * 1099511628211u;
		nacre_tensor_free(t);
	}
	for (int i = 0; i < 3; i++)
		nacre_tensor_free(in[i]);
	nacre_program_free(p);
	free_mlp(&n);
	nacre_runtime_free(rt);
	return hash;
}

TEST(same_bits_on_any_number_of_threads)
{
	static const int threads[] = {1, 2, 3, 4, 7, 2};
	uint64_t first = trained_bits(1, 1);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(trained_bits(threads[i], 1), first);
	CHECK(trained_bits(2, 2) != first);
}

/* -- what is fused --------------------------------------------------------------------------*/
typedef struct seen {
	char passes[200], program[20000];
} seen;

static void watch(void *context, const char *pass, const char *text)
{
	seen *s = context;
	strncat(s->passes, pass, sizeof s->passes - strlen(s->passes) - 1);
	strncat(s->passes, " ", sizeof s->passes - strlen(s->passes) - 1);
	if (strcmp(pass, "program") == 0)
		snprintf(s->program, sizeof s->program, "%s", text);
}

static int count(const char *text, const char *word)
{
	int n = 0;
	for (const char *s = text; (s = strstr(s, word)); s++)
		n++;
	return n;
}

static void traced(seen *s, int no_optimize, int dot)
{
	mlp n;
	nacre_error e = {0};
	memset(s, 0, sizeof *s);
	CHECK(make_mlp(NULL, &n, 16));
	nacre_program_options o = {
	    .trace = watch, .trace_context = s, .no_optimize = no_optimize, .dot = dot};
	nacre_program *p = nacre_program_new(NULL, 3, n.in, 6, n.out, &o, &e);
	CHECK(p != NULL);
	CHECK(nacre_program_flops(p) > 2.0 * 16 * (2 * 70 * 96 + 3 * 96 * 10));
	CHECK(nacre_program_workspace(p) > 0);
	nacre_program_free(p);
	free_mlp(&n);
}

TEST(a_training_step_is_fused)
{
	seen s;
	traced(&s, 0, 0);
	CHECK_STR(s.passes, "graph simplify fuse schedule program ");
	CHECK_EQ(count(s.program, "matmul+update"), 2);   /* both weights, in the epilogue */
	CHECK_EQ(count(s.program, "matmul+epilogue"), 3); /* forward twice, the hidden gradient */
	CHECK_EQ(count(s.program, " pack "), 0);
	traced(&s, 1, 0);
	CHECK_EQ(count(s.program, "matmul+"), 0);
	traced(&s, 0, 1);
	CHECK_EQ(count(s.program, "digraph"), 1);
	CHECK(count(s.program, " -> ") > 5);
}

/* -- effects --------------------------------------------------------------------------------*/
static double value_of(nacre_variable *v)
{
	nacre_tensor *t = nacre_variable_read(v, NULL);
	double x = nacre_tensor_get(t, 0);
	nacre_tensor_free(t);
	return x;
}

TEST(effects_come_after_the_last_read)
{
	nacre_error e = {0};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_tensor *one = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, NULL),
		     *y = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, NULL);
	nacre_tensor_set(one, 0, 1);
	nacre_variable *a = nacre_variable_new(NULL, "a", NACRE_F32, 0, NULL, one, &e);
	nacre_variable *b = nacre_variable_new(NULL, "b", NACRE_F32, 0, NULL, one, &e);
	nacre_node *x = nacre_use(g, a), *z = nacre_use(g, b);
	/* both assignments, and the sum, work on what the variables were before */
	nacre_node *out[3] = {nacre_assign(x, nacre_add_number(z, 1)),
			      nacre_assign(z, nacre_scale(x, 10)), nacre_plus(x, z)};
	nacre_program *p = nacre_program_new(NULL, 0, NULL, 3, out, NULL, &e);
	CHECK_STR(e.text, "");
	for (int run = 0; run < 2; run++) {
		double was_a = value_of(a), was_b = value_of(b);
		nacre_program_run(p, NULL, (nacre_tensor *[]){NULL, NULL, y}, &e);
		CHECK_NEAR(nacre_tensor_get(y, 0), was_a + was_b, 0);
		CHECK_NEAR(value_of(a), was_b + 1, 0);
		CHECK_NEAR(value_of(b), was_a * 10, 0);
	}
	nacre_program_free(p);
	nacre_graph_free(g);
	nacre_variable_free(a);
	nacre_variable_free(b);
	nacre_tensor_free(one);
	nacre_tensor_free(y);
}

/* -- results in variables, sums on the way --------------------------------------------------*/
enum { ROWS = 60, COLUMNS = 301, SIZE = ROWS * COLUMNS };

typedef struct pair {
	nacre_graph *g;
	nacre_variable *a, *b, *c;
	nacre_node *out[8];
} pair;

static nacre_tensor *waves(double by)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){ROWS, COLUMNS}, NULL);
	for (int i = 0; i < SIZE; i++)
		nacre_tensor_set(t, i, sin(by * i));
	return t;
}

/* a := b + 1 and b := 10 a, read elsewhere too; c := 0.9 c + a^2, read nowhere else; squares of a
 * summed along rows, columns, both; what the new b and the old a make, when that sum is known */
static void make_pair(pair *p)
{
	nacre_error e = {0};
	nacre_tensor *x = waves(0.1), *y = waves(0.7);
	p->g = nacre_graph_new(NULL);
	p->a = nacre_variable_new(NULL, "a", NACRE_F32, 2, (int64_t[]){ROWS, COLUMNS}, x, &e);
	p->b = nacre_variable_new(NULL, "b", NACRE_F32, 2, (int64_t[]){ROWS, COLUMNS}, y, &e);
	p->c = nacre_variable_new(NULL, "c", NACRE_F32, 2, (int64_t[]){ROWS, COLUMNS}, x, &e);
	nacre_node *a = nacre_use(p->g, p->a), *b = nacre_use(p->g, p->b);
	nacre_node *c = nacre_use(p->g, p->c);
	nacre_node *new_b = nacre_scale(a, 10), *square = nacre_square(a);
	nacre_node *all = nacre_sum(nacre_square(new_b), NACRE_ALL_AXES, false);
	p->out[0] = nacre_assign(a, nacre_add_number(b, 1));
	p->out[1] = nacre_assign(b, new_b);
	p->out[2] = nacre_sum(square, NACRE_LAST_AXIS, false);
	p->out[3] = nacre_sum(square, NACRE_AXIS(0), false);
	p->out[4] = all;
	p->out[5] = nacre_times(nacre_plus(nacre_scale(new_b, 0.5), a), all);
	p->out[6] = nacre_plus(nacre_reverse(a, NACRE_AXIS(0)), b);
	p->out[7] = nacre_assign(c, nacre_plus(nacre_scale(c, 0.9), square));
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	CHECK_STR(e.text, "");
}

static void free_pair(pair *p)
{
	nacre_graph_free(p->g);
	nacre_variable_free(p->a);
	nacre_variable_free(p->b);
	nacre_variable_free(p->c);
}

TEST(results_go_to_variables_and_sums_at_once)
{
	pair fast, plain;
	seen s = {"", ""};
	nacre_error e = {0};
	nacre_tensor *y[2][8] = {{NULL}};
	make_pair(&fast);
	make_pair(&plain);
	nacre_program *p[2] = {
	    nacre_program_new(
		NULL, 0, NULL, 8, fast.out,
		&(nacre_program_options){.trace = watch, .trace_context = &s}, &e),
	    nacre_program_new(NULL, 0, NULL, 8, plain.out,
			      &(nacre_program_options){.no_optimize = 1}, &e)};
	CHECK_STR(e.text, "");
	for (int k = 0; k < 2; k++)
		for (int i = 2; i < 7; i++)
			y[k][i] = filled(NULL, fast.out[i], 0);
	for (int run = 0; run < 3; run++) {
		for (int k = 0; k < 2; k++)
			nacre_program_run(p[k], NULL, y[k], &e);
		for (int i = 2; i < 7; i++)
			for (int64_t j = 0; j < nacre_tensor_size(y[0][i]); j++) {
				double want = nacre_tensor_get(y[1][i], j);
				double had = nacre_tensor_get(y[0][i], j);
				if (!(fabs(had - want) <= 1e-5 * fabs(want) + 1e-5))
					test_failed(__FILE__, __LINE__,
						    "run %d, output %d [%d]: %g, not %g", run, i,
						    (int)j, had, want);
			}
		CHECK_NEAR(value_of(fast.a), value_of(plain.a), 1e-5);
		CHECK_NEAR(value_of(fast.b), value_of(plain.b), 1e-5);
		CHECK_NEAR(value_of(fast.c), value_of(plain.c), 1e-5);
	}
	CHECK_EQ(count(s.program, " assign               assign "), 2); /* a and b */
	for (int k = 0; k < 2; k++) {
		for (int i = 2; i < 7; i++)
			nacre_tensor_free(y[k][i]);
		nacre_program_free(p[k]);
	}
	free_pair(&fast);
	free_pair(&plain);
}

/* -- misuse ---------------------------------------------------------------------------------*/
TEST(misuse_is_named)
{
	mlp n;
	nacre_error e = {0};
	CHECK(make_mlp(NULL, &n, 4));
	nacre_program_new(NULL, 1, n.in, 1, n.out, NULL, &e);
	CHECK_STR(e.text, "program: placeholder \"y\" is not among the inputs");
	e = (nacre_error){0};
	nacre_program_new(NULL, 3, n.in, 0, n.out, NULL, &e);
	CHECK_STR(e.text, "program: expected at least one output, got 0");
	e = (nacre_error){0};
	nacre_program_new(NULL, 3, n.in, 1, (nacre_node *[]){NULL}, NULL, &e);
	CHECK_STR(e.text, "program: output 0 is NULL");
	e = (nacre_error){0};
	nacre_program_new(NULL, 1, n.out, 1, n.out, NULL, &e);
	CHECK_STR(e.text, "program: input 0 is no placeholder of the outputs' graph");
	e = (nacre_error){0};
	nacre_program_options o = {.backend = "tpu"};
	nacre_program_new(NULL, 3, n.in, 1, n.out, &o, &e);
	CHECK_STR(e.text, "program: expected backend \"cpu\" or \"reference\", got \"tpu\"");
	e = (nacre_error){0};
	nacre_program *p = nacre_program_new(NULL, 3, n.in, 6, n.out, NULL, &e);
	nacre_tensor *in[3] = {filled(NULL, n.in[0], 1), filled(NULL, n.in[1], 1), NULL};
	CHECK_EQ(nacre_program_run(p, in, NULL, &e), NACRE_INVALID);
	CHECK_STR(e.text, "program: input 2 (rate) is NULL");
	e = (nacre_error){0};
	in[2] = nacre_tensor_new(NULL, NACRE_F64, 1, (int64_t[]){3}, NULL);
	nacre_program_run(p, in, NULL, &e);
	CHECK_STR(e.text, "program: input 2 (rate): expected f32 [2], got f64 [3]");
	e = (nacre_error){0};
	nacre_program_run(NULL, in, NULL, &e);
	CHECK_STR(e.text, "program: the program is NULL");
	for (int i = 0; i < 3; i++)
		nacre_tensor_free(in[i]);
	nacre_program_free(p);
	nacre_program_free(NULL);
	free_mlp(&n);
}

/* -- allocation failure ---------------------------------------------------------------------*/
/* builds, compiles, runs twice; true if nothing failed */
static bool whole_life(void)
{
	nacre_runtime_options o = {.threads = 2, .allocator = {reallocate, NULL}};
	nacre_error e = {0};
	nacre_runtime *rt = nacre_runtime_new(&o, &e);
	if (!rt) {
		CHECK_EQ(e.status, NACRE_NO_MEMORY);
		return false;
	}
	mlp n;
	bool ok = make_mlp(rt, &n, 4);
	nacre_program *p = ok ? nacre_program_new(rt, 3, n.in, 6, n.out, NULL, &e) : NULL;
	if (ok && !p)
		CHECK_EQ(e.status, NACRE_NO_MEMORY);
	nacre_tensor *in[3] = {0};
	for (int i = 0; i < 3 && p; i++)
		in[i] = filled(rt, n.in[i], 1);
	for (int i = 0; i < 2 && p && in[0] && in[1] && in[2]; i++)
		CHECK_EQ(nacre_program_run(p, in, NULL, &e), NACRE_OK);
	ok = p && in[0] && in[1] && in[2];
	for (int i = 0; i < 3; i++)
		nacre_tensor_free(in[i]);
	nacre_program_free(p);
	free_mlp(&n);
	nacre_runtime_free(rt);
	CHECK_EQ(state.blocks, 0);
	return ok;
}

TEST(allocation_may_fail_anywhere)
{
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		long n = 0;
		bool ok;
		do {
			state = (countdown){.left = n++, .for_ever = for_ever};
			ok = whole_life();
		} while ((!ok || state.failed) && n < 5000);
		CHECK(n < 5000);
	}
}

/* What is made from a weight alone (here the filter that Winograd's way reads) stays from run to
 * run until the weight changes: by hand, or by another program. */
static void conv_runs(nacre_program *p, nacre_tensor *x, nacre_tensor *y, double first)
{
	nacre_error e = {0};
	CHECK_EQ(nacre_program_run(p, &x, &y, &e), NACRE_OK);
	CHECK(fabs(nacre_tensor_get(y, 0) - first) <= 1e-3 * fabs(first));
}

TEST(what_a_weight_makes_is_kept_until_it_changes)
{
	nacre_error e = {0};
	int64_t shape[4] = {3, 3, 16, 16};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, 4, (int64_t[]){1, 8, 8, 16});
	nacre_node *ones = nacre_fill(g, NACRE_F32, 4, shape, 1);
	nacre_node *rate = nacre_placeholder(g, "rate", NACRE_F32, 1, (int64_t[]){2});
	nacre_tensor *xt = filled(NULL, x, 1), *rt = filled(NULL, rate, 0);
	nacre_variable *w = nacre_variable_new(NULL, "w", NACRE_F32, 4, shape, NULL, &e);
	nacre_tensor *wt = nacre_tensor_new(NULL, NACRE_F32, 4, shape, &e);
	for (int64_t i = 0; i < 64 * 16; i++)
		nacre_tensor_set(xt, i, 1);
	for (int64_t i = 0; i < 9 * 256; i++)
		nacre_tensor_set(wt, i, 0.5);
	nacre_node *y = nacre_conv(x, nacre_use(g, w), (nacre_window){0});
	nacre_node *update = nacre_update_sgd(nacre_use(g, w), ones, rate, 0);
	nacre_program *run = nacre_program_new(NULL, 1, &x, 1, &y, NULL, &e);
	nacre_program *train = nacre_program_new(NULL, 1, &rate, 1, &update, NULL, &e);
	CHECK(run && train);
	nacre_tensor *yt = filled(NULL, y, 0);
	nacre_tensor_set(rt, 0, -0.25); /* w grows by 0.25 */
	conv_runs(run, xt, yt, 0);
	nacre_variable_write(w, wt, &e);
	conv_runs(run, xt, yt, 72);
	conv_runs(run, xt, yt, 72);
	CHECK_EQ(nacre_program_run(train, &rt, NULL, &e), NACRE_OK);
	conv_runs(run, xt, yt, 108);
	nacre_program_free(run);
	nacre_program_free(train);
	nacre_tensor_free(xt);
	nacre_tensor_free(yt);
	nacre_tensor_free(rt);
	nacre_tensor_free(wt);
	nacre_graph_free(g);
	nacre_variable_free(w);
}
