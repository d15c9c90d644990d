/* SPDX-License-Identifier: MIT
 *
 * gradient.c - the gradient of every op, first and second, against central differences in double
 * precision.  An op without a case fails the run.
 */
#include "nacre/op.h"
#include "support/cases.h"
#include "support/eval.h"
#include "test.h"

static const double step = 1e-6;

typedef struct problem {
	op_case c;
	nacre_node *weight; /* placeholder: loss = sum(out * weight) */
	nacre_node *loss;
	nacre_node *wrt[CASE_INPUTS + 1], *gradient[CASE_INPUTS + 1];
	int n_wrt, n_forward; /* nodes up to the loss */
	double *value[CASE_INPUTS + 1];
} problem;

static int64_t total(const problem *p)
{
	int64_t n = 0;
	for (int i = 0; i < p->c.n_in; i++)
		n += nc_node_size(p->c.in[i]);
	return n;
}

static nacre_node *weighted(problem *p, nacre_node *y)
{
	op_case *c = &p->c;
	int i = c->n_in++;
	c->in[i] = nacre_placeholder(c->g, "weight", y->dtype, y->rank, y->shape);
	c->low[i] = 0.5;
	c->high[i] = 2;
	p->value[i] = malloc((size_t)nc_node_size(y) * sizeof(double) + 1);
	op_case_values(c, i, p->value[i]);
	return nacre_cast(nacre_sum(nacre_times(y, c->in[i]), NACRE_ALL_AXES, false), NACRE_F64);
}

static void problem_free(problem *p)
{
	for (int i = 0; i < p->c.n_in; i++)
		free(p->value[i]);
	op_case_free(&p->c);
}

static double loss_at(const problem *p)
{
	nacre_graph part = *p->c.g;
	part.n = p->n_forward;
	evaluation e = eval_graph(&part, p->c.n_in, p->c.in, p->value, 1, 0);
	double v = eval_of(&e, p->loss)[0];
	eval_free(&e);
	return v;
}

/* the largest error of the gradients, relative to 1e-1 + |expected| */
static double worst(problem *p)
{
	evaluation e = eval_graph(p->c.g, p->c.n_in, p->c.in, p->value, 1, 0);
	double largest = 0;
	for (int i = 0, k = 0; k < p->n_wrt; i++) {
		if (p->c.in[i] != p->wrt[k])
			continue;
		const double *got = eval_of(&e, p->gradient[k]);
		for (int64_t j = 0; j < nc_node_size(p->wrt[k]); j++) {
			double x = p->value[i][j];
			p->value[i][j] = x + step;
			double up = loss_at(p);
			p->value[i][j] = x - step;
			double down = loss_at(p);
			p->value[i][j] = x;
			double want = (up - down) / (2 * step);
			double off = fabs(got[j] - want) / (0.1 + fabs(want));
			if (!(off <= largest))
				largest = off;
		}
		k++;
	}
	eval_free(&e);
	return largest;
}

static bool differentiate(problem *p)
{
	p->n_forward = p->c.g->n;
	p->n_wrt = 0;
	for (int i = 0; i < p->c.n_in; i++)
		if (nc_dtype_is_float(p->c.in[i]->dtype))
			p->wrt[p->n_wrt++] = p->c.in[i];
	nacre_status s = nacre_grad(p->loss, p->n_wrt, p->wrt, p->gradient);
	for (int i = 0; i < p->n_wrt && !s; i++)
		CHECK(nc_same_shape(p->wrt[i], p->gradient[i]));
	return s == NACRE_OK && nc_graph_check(p->c.g);
}

/* p->c is made; checks both derivatives once */
static bool agrees(problem *p, char *text, size_t size)
{
	for (int i = 0; i < p->c.n_in; i++) {
		p->value[i] = malloc((size_t)nc_node_size(p->c.in[i]) * sizeof(double) + 1);
		op_case_values(&p->c, i, p->value[i]);
	}
	p->loss = weighted(p, p->c.out);
	if (!p->loss || !differentiate(p)) {
		snprintf(text, size, "%s", nacre_graph_error(p->c.g)->text);
		return false;
	}
	double off = worst(p);
	if (!(off < 1e-5)) {
		snprintf(text, size, "gradient off by %.3g", off);
		return false;
	}
	if (total(p) > 60)
		return true;
	nacre_node *sum = NULL;
	int n = p->n_wrt;
	if (p->c.n_in + n > CASE_INPUTS)
		return true;
	for (int i = 0; i < n; i++) {
		nacre_node *s = weighted(p, p->gradient[i]);
		sum = sum ? nacre_plus(sum, s) : s;
	}
	p->loss = sum;
	if (!sum || !differentiate(p)) {
		snprintf(text, size, "second: %s", nacre_graph_error(p->c.g)->text);
		return false;
	}
	off = worst(p);
	snprintf(text, size, "second derivative off by %.3g", off);
	return off < 1e-5;
}

/* A kink may lie within a step of a random value: such a case is tried again with others. */
static void check_case(const char *name, int which, bool (*make)(problem *p, int op, int which),
		       int op)
{
	char text[600] = "";
	for (int attempt = 0; attempt < 3; attempt++) {
		problem p = {0};
		if (!make(&p, op, which)) {
			test_failed(__FILE__, __LINE__, "%s: case %d: %s", name, which,
				    nacre_graph_error(p.c.g)->text);
			problem_free(&p);
			return;
		}
		bool ok = agrees(&p, text, sizeof(text));
		problem_free(&p);
		if (ok)
			return;
	}
	test_failed(__FILE__, __LINE__, "%s: case %d: %s", name, which, text);
}

static bool make_op(problem *p, int op, int which)
{
	return op_case_make(op, which, NACRE_F64, &p->c) && p->c.out->op == nc_op_at(op);
}

static bool make_composite(problem *p, int op, int which)
{
	(void)op;
	return composite_case_make(which, NACRE_F64, &p->c);
}

TEST(every_op_with_a_gradient)
{
	for (int op = 0; op < NC_OP_COUNT; op++) {
		const nc_op *o = nc_op_at(op);
		int count = op_case_count(op), tried = 0;
		if (count < 20)
			test_failed(__FILE__, __LINE__, "%s has %d cases", o->name, count);
		if (!o->grad || o->flags & NC_OP_NO_GRADIENT)
			continue;
		for (int which = 0; which < count; which++) {
			op_case c;
			bool floats = op_case_make(op, which, NACRE_F64, &c) &&
				      nc_dtype_is_float(c.out->dtype) &&
				      nc_dtype_is_float(c.in[c.n_in - 1]->dtype);
			floats |= op == NC_OP_gather || op == NC_OP_take_along_axis ||
				  op == NC_OP_max_pool_at || op == NC_OP_max_unpool;
			bool large = c.out && nc_node_size(c.out) > 500; /* for the backends */
			op_case_free(&c);
			if (!floats || large)
				continue;
			check_case(o->name, which, make_op, op);
			tried++;
		}
		if (tried < 20)
			test_failed(__FILE__, __LINE__, "%s: %d cases", o->name, tried);
	}
}

TEST(every_composite)
{
	for (int i = 0; i < composite_case_count(); i++)
		check_case(composite_case_name(i), i, make_composite, 0);
}

/* an op that says that it has none counts as a constant */
TEST(ops_without_a_gradient)
{
	for (int op = 0; op < NC_OP_COUNT; op++) {
		const nc_op *o = nc_op_at(op);
		if (!(o->flags & NC_OP_NO_GRADIENT)) {
			CHECK(o->grad || o->flags & NC_OP_SOURCE || op == NC_OP_arange);
			continue;
		}
		op_case c;
		CHECK(op_case_make(op, 13, NACRE_F32, &c));
		if (!(o->flags & NC_OP_EFFECT) && c.n_in && nc_dtype_is_float(c.in[0]->dtype)) {
			nacre_node *loss =
				nacre_sum(nacre_cast(c.out, NACRE_F32), NACRE_ALL_AXES, false);
			nacre_node *d = NULL;
			CHECK_EQ(nacre_grad(loss, 1, &c.in[0], &d), NACRE_OK);
			CHECK(d && d->op == &nc_op_fill && ((nc_attr_fill *)d->attr)->value == 0);
			CHECK(d && nc_same_shape(d, c.in[0]));
		}
		op_case_free(&c);
	}
}

/* x = 0 in one, two and all places: the products of the others */
TEST(product_of_zeros)
{
	double cases[4][4] = {{2, 0, 3, 4}, {0, 0, 3, 4}, {0, 0, 0, 0}, {1, 2, 3, 0}};
	double want[4][4] = {{0, 24, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 6}};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F64, 1, (int64_t[]){4});
	nacre_node *y = nacre_product(x, NACRE_ALL_AXES, false), *dx, *d2;
	CHECK_EQ(nacre_grad(y, 1, &x, &dx), NACRE_OK);
	nacre_node *first = nacre_slice_axis(dx, 0, 0, 1);
	CHECK_EQ(nacre_grad(first, 1, &x, &d2), NACRE_OK);
	double second[4][4] = {{0, 12, 0, 0}, {0, 12, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 6}};
	for (int i = 0; i < 4; i++) {
		double *in[] = {cases[i]};
		evaluation e = eval_graph(g, 1, &x, in, 0, 0);
		for (int k = 0; k < 4; k++)
			CHECK_EQ(eval_of(&e, dx)[k], want[i][k]);
		for (int k = 1; k < 3; k++) /* d/dx[k] of x[1] x[2] x[3] */
			CHECK_EQ(eval_of(&e, d2)[k], second[i][k]);
		eval_free(&e);
	}
	nacre_graph_free(g);
}

TEST(ties_share_the_gradient)
{
	double x_value[] = {1, 3, 3, 2, 3}, *in[] = {x_value};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F64, 1, (int64_t[]){5}), *dx, *dr;
	nacre_grad(nacre_max(x, NACRE_ALL_AXES, true), 1, &x, &dx);
	nacre_grad(nacre_relu(nacre_add_number(x, -3)), 1, &x, &dr);
	evaluation e = eval_graph(g, 1, &x, in, 0, 0);
	for (int i = 0; i < 5; i++) {
		CHECK_NEAR(eval_of(&e, dx)[i], x_value[i] == 3 ? 1. / 3 : 0, 1e-15);
		CHECK_EQ(eval_of(&e, dr)[i], 0); /* relu's at 0 is 0 */
	}
	eval_free(&e);
	nacre_graph_free(g);
}

TEST(what_grad_returns)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, 1, (int64_t[]){3});
	nacre_node *y = nacre_placeholder(g, "y", NACRE_F32, 1, (int64_t[]){2});
	nacre_node *wrt[4] = {x, y, NULL, NULL}, *d[4];
	nacre_node *s = nacre_times(nacre_stop_gradient(x), x);
	wrt[2] = s;
	CHECK_EQ(nacre_grad(s, 3, wrt, d), NACRE_OK);
	CHECK(d[1]->op == &nc_op_fill && d[1]->shape[0] == 2); /* does not depend: zeros */
	CHECK(d[2]->op == &nc_op_fill && ((nc_attr_fill *)d[2]->attr)->value == 1);
	double v[] = {1, 2, 5}, *in[] = {v};
	evaluation e = eval_graph(g, 1, &x, in, 0, 0);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(eval_of(&e, d[0])[i], v[i]); /* not 2 v */
	eval_free(&e);
	/* a node made after the loss, and a used-twice input */
	nacre_node *late = nacre_neg(x), *square = nacre_times(x, x), *ds[2];
	nacre_node *wrt2[2] = {late, x};
	CHECK_EQ(nacre_grad(square, 2, wrt2, ds), NACRE_OK);
	e = eval_graph(g, 1, &x, in, 0, 0);
	CHECK_EQ(eval_of(&e, ds[0])[0], 0);
	CHECK_EQ(eval_of(&e, ds[1])[2], 10);
	eval_free(&e);
	CHECK_EQ(nacre_grad(NULL, 1, &x, d), NACRE_INVALID);
	CHECK(d[0] == NULL);
	nacre_graph_free(g);
}
