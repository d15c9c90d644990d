/* SPDX-License-Identifier: MIT
 *
 * reference.c - the functions of the reference backend that no other test compares with numbers
 * worked out by hand: random numbers, optimizers' updates, sorting at length.
 */
#include "nacre/op.h"
#include "support/cases.h"
#include "support/eval.h"
#include "test.h"

TEST(every_op_has_a_function)
{
	for (int i = 0; i < NC_OP_COUNT; i++) {
		CHECK(nc_ref_at(i) != NULL);
		CHECK_EQ(nc_op_at(i)->index, i);
	}
	CHECK(!nc_ref_at(-1) && !nc_ref_at(NC_OP_COUNT) && !nc_op_at(-1) && !nc_op_at(NC_OP_COUNT));
}

/* every case runs, on float and integer inputs, and integers stay integers of their type */
TEST(every_case_runs)
{
	for (int op = 0; op < NC_OP_COUNT; op++)
		for (int which = 0, n = op_case_count(op); which < n; which++) {
			op_case c;
			if (!op_case_make(op, which, NACRE_F32, &c)) {
				test_failed(__FILE__, __LINE__, "%s %d: %s", nc_op_at(op)->name,
					    which, nacre_graph_error(c.g)->text);
				op_case_free(&c);
				continue;
			}
			CHECK(nc_graph_check(c.g));
			double *v[CASE_INPUTS];
			for (int i = 0; i < c.n_in; i++) {
				v[i] = malloc((size_t)nc_node_size(c.in[i]) * sizeof(double) + 1);
				op_case_values(&c, i, v[i]);
			}
			evaluation e = eval_graph(c.g, c.n_in, c.in, v, 7, 1);
			const double *y = eval_of(&e, c.out);
			for (int64_t i = 0; y && i < nc_node_size(c.out); i++) {
				uint64_t room = 0;
				nc_element_set(c.out->dtype, &room, 0, y[i]);
				double back = nc_element(c.out->dtype, &room, 0);
				bool exact = back == y[i] || nc_dtype_is_float(c.out->dtype);
				if (!exact)
					test_failed(__FILE__, __LINE__, "%s %d: %g is no %s",
						    c.out->op->name, which, y[i],
						    nacre_dtype_name(c.out->dtype));
			}
			eval_free(&e);
			for (int i = 0; i < c.n_in; i++)
				free(v[i]);
			op_case_free(&c);
		}
}

static void moments(const double *v, int64_t n, double *mean, double *deviation)
{
	double s = 0, q = 0;
	for (int64_t i = 0; i < n; i++)
		s += v[i];
	*mean = s / (double)n;
	for (int64_t i = 0; i < n; i++)
		q += (v[i] - *mean) * (v[i] - *mean);
	*deviation = sqrt(q / (double)n);
}

TEST(random_numbers)
{
	enum { N = 40000 };
	nacre_graph *g = nacre_graph_new(NULL);
	int64_t shape[] = {N};
	nacre_node *u = nacre_random(g, NACRE_UNIFORM, NACRE_F32, 1, shape, -1, 3);
	nacre_node *z = nacre_random(g, NACRE_NORMAL, NACRE_F32, 1, shape, 5, 2);
	nacre_node *t = nacre_random(g, NACRE_TRUNCATED_NORMAL, NACRE_F32, 1, shape, 1, 0.5);
	nacre_node *b = nacre_random(g, NACRE_BERNOULLI, NACRE_BOOL, 1, shape, 0.25, 0);
	nacre_node *again = nacre_random(g, NACRE_UNIFORM, NACRE_F32, 1, shape, -1, 3);
	evaluation e = eval_graph(g, 0, NULL, NULL, 3, 0),
		   same = eval_graph(g, 0, NULL, NULL, 3, 0);
	evaluation next = eval_graph(g, 0, NULL, NULL, 3, 1);
	double mean, deviation;
	moments(eval_of(&e, u), N, &mean, &deviation);
	CHECK_NEAR(mean, 1, 0.03);
	CHECK_NEAR(deviation, 4 / sqrt(12), 0.03);
	moments(eval_of(&e, z), N, &mean, &deviation);
	CHECK_NEAR(mean, 5, 0.06);
	CHECK_NEAR(deviation, 2, 0.06);
	for (int i = 0; i < N; i++) {
		CHECK(eval_of(&e, u)[i] >= -1 && eval_of(&e, u)[i] < 3);
		CHECK(eval_of(&e, t)[i] >= 0 && eval_of(&e, t)[i] <= 2);
		CHECK(eval_of(&e, b)[i] == 0 || eval_of(&e, b)[i] == 1);
	}
	moments(eval_of(&e, b), N, &mean, &deviation);
	CHECK_NEAR(mean, 0.25, 0.015);
	size_t bytes = N * sizeof(double);
	CHECK(!memcmp(eval_of(&e, z), eval_of(&same, z), bytes));
	CHECK(memcmp(eval_of(&e, z), eval_of(&next, z), bytes));  /* another step */
	CHECK(memcmp(eval_of(&e, u), eval_of(&e, again), bytes)); /* another op */
	eval_free(&e);
	eval_free(&same);
	eval_free(&next);
	nacre_graph_free(g);
}

/* runs one effect on w = 1, m = 0.5, v = 0.25, g = 2, rate = {0.1, 0.3} */
static void expect_update(nacre_node *(*make)(nacre_node **n), double w, double m, double v)
{
	nacre_error error = {0};
	nacre_graph *g = nacre_graph_new(NULL);
	static const double start[3] = {1, 0.5, 0.25};
	const double want[3] = {w, m, v};
	nacre_variable *variable[3];
	nacre_node *n[5];
	for (int i = 0; i < 3; i++) {
		variable[i] =
			nacre_variable_new(NULL, "w", NACRE_F64, 1, (int64_t[]){1}, NULL, &error);
		*(double *)variable[i]->data = start[i];
		n[i] = nacre_use(g, variable[i]);
	}
	double gradient[] = {2}, rate[] = {0.1, 0.3}, *values[] = {gradient, rate};
	nacre_node *in[2] = {nacre_placeholder(g, "g", NACRE_F64, 1, (int64_t[]){1}),
			     nacre_placeholder(g, "rate", NACRE_F32, 1, (int64_t[]){2})};
	n[3] = in[0];
	n[4] = in[1];
	if (!make(n))
		test_failed(__FILE__, __LINE__, "%s", nacre_graph_error(g)->text);
	evaluation e = eval_graph(g, 2, in, values, 0, 0);
	for (int i = 0; i < 3; i++)
		CHECK_NEAR(eval_of(&e, n[i])[0], want[i], 1e-12);
	eval_free(&e);
	nacre_graph_free(g);
	for (int i = 0; i < 3; i++)
		nacre_variable_free(variable[i]);
}

static nacre_node *assign(nacre_node **n)
{
	return nacre_assign(n[0], n[3]);
}

static nacre_node *sgd(nacre_node **n)
{
	return nacre_update_sgd(n[0], n[3], n[4], 0.1);
}

static nacre_node *momentum(nacre_node **n)
{
	return nacre_update_momentum(n[0], n[1], n[3], n[4], 0.9, false, 0);
}

static nacre_node *nesterov(nacre_node **n)
{
	return nacre_update_momentum(n[0], n[1], n[3], n[4], 0.9, true, 0);
}

static nacre_node *rmsprop(nacre_node **n)
{
	return nacre_update_rmsprop(n[0], n[2], n[3], n[4], 0.9, 0.01, 0);
}

static nacre_node *adam(nacre_node **n)
{
	return nacre_update_adam(n[0], n[1], n[2], n[3], n[4], 0.9, 0.99, 0.001, 0.1);
}

TEST(updates)
{
	expect_update(assign, 2, 0.5, 0.25);
	expect_update(sgd, 1 - 0.03 - 0.2, 0.5, 0.25);
	expect_update(momentum, 1 + 0.25, 0.25, 0.25);
	expect_update(nesterov, 1 + 0.9 * 0.25 - 0.2, 0.25, 0.25);
	double v = 0.9 * 0.25 + 0.1 * 4;
	expect_update(rmsprop, 1 - 0.2 / sqrt(v + 0.01), 0.5, v);
	double m = 0.5 + 1.5 * 0.1, u = 0.25 + 3.75 * 0.01;
	expect_update(adam, 0.97 - 0.1 * m / (sqrt(u) + 0.001), m, u);
}

TEST(sorting_at_length)
{
	enum { N = 5000 };
	double *x = malloc(2 * N * sizeof(*x));
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *in = nacre_placeholder(g, "x", NACRE_F64, 2, (int64_t[]){N, 2});
	nacre_node *y = nacre_sort(in, 0, false), *i = nacre_argsort(in, 0, true);
	for (int k = 0; k < 2 * N; k++)
		x[k] = floor(test_uniform(-50, 50)); /* many ties */
	evaluation e = eval_graph(g, 1, &in, &x, 0, 0);
	const double *s = eval_of(&e, y), *p = eval_of(&e, i);
	for (int k = 2; k < 2 * N; k++) {
		CHECK(s[k - 2] <= s[k]);
		double a = x[2 * (int)p[k - 2] + k % 2], b = x[2 * (int)p[k] + k % 2];
		CHECK(a > b || (a == b && p[k - 2] < p[k]));
	}
	eval_free(&e);
	nacre_graph_free(g);
	free(x);
}
