/* SPDX-License-Identifier: MIT
 *
 * values.c - results worked out by hand: movement, indices, scans, reductions, einsum.
 */
#include "nacre/op.h"
#include "support/eval.h"
#include "test.h"

static nacre_graph *g;

static nacre_node *numbers(int rank, const int64_t *shape, const double *v)
{
	return nacre_constant(g, NACRE_F64, rank, shape, v);
}

static nacre_node *counting(int rank, const int64_t *shape) /* 0, 1, 2 ... */
{
	double v[200];
	for (int i = 0; i < 200; i++)
		v[i] = i;
	return numbers(rank, shape, v);
}

static nacre_node *indices(int rank, const int64_t *shape, const int32_t *v)
{
	return nacre_constant(g, NACRE_I32, rank, shape, v);
}

static void expect_at(int line, nacre_node *y, const char *shape, int n, const double *want)
{
	char text[128];
	if (!y) {
		test_failed(__FILE__, line, "%s", nacre_graph_error(g)->text);
		return;
	}
	nc_shape_text(text, y->rank, y->shape);
	if (strcmp(text, shape))
		test_failed(__FILE__, line, "shape %s, expected %s", text, shape);
	else if (nc_node_size(y) != n)
		test_failed(__FILE__, line, "%d numbers expected, of shape %s", n, text);
	else {
		evaluation e = eval_graph(g, 0, NULL, NULL, 0, 0);
		const double *v = eval_of(&e, y);
		for (int i = 0; i < n; i++)
			if (!(fabs(v[i] - want[i]) <= 1e-12 * (1 + fabs(want[i]))) &&
			    !(v[i] != v[i] && want[i] != want[i]) && v[i] != want[i])
				test_failed(__FILE__, line, "[%d] = %.17g, expected %.17g", i, v[i],
					    want[i]);
		eval_free(&e);
	}
	if (!nc_graph_check(g))
		test_failed(__FILE__, line, "%s", nacre_graph_error(g)->text);
}

#define S(...)                                                                                     \
	(int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[])                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define EXPECT(y, shape, ...)                                                                      \
	expect_at(__LINE__, y, shape, (int)(sizeof((double[]){__VA_ARGS__}) / 8),                  \
		  (double[]){__VA_ARGS__})
#define EXPECT_NONE(y, shape) expect_at(__LINE__, y, shape, 0, (double[]){0})

static void begin(void)
{
	g = nacre_graph_new(NULL);
}

static void end(void)
{
	nacre_graph_free(g);
	g = NULL;
}

TEST(movement)
{
	begin();
	nacre_node *x = counting(S(2, 3));
	EXPECT(nacre_reshape(x, S(3, -1)), "[3, 2]", 0, 1, 2, 3, 4, 5);
	CHECK(nacre_reshape(x, S(2, 3)) == x);
	EXPECT(nacre_transpose(x, (int[]){1, 0}), "[3, 2]", 0, 3, 1, 4, 2, 5);
	EXPECT(nacre_transpose(x, (int[]){-1, 0}), "[3, 2]", 0, 3, 1, 4, 2, 5);
	CHECK(nacre_transpose(x, (int[]){0, 1}) == x);
	EXPECT(nacre_transpose(counting(S(2, 1, 3)), (int[]){2, 0, 1}), "[3, 2, 1]", 0, 3, 1, 4, 2,
	       5);
	EXPECT(nacre_broadcast(counting(S(2, 1)), S(2, 2, 2)), "[2, 2, 2]", 0, 0, 1, 1, 0, 0, 1, 1);
	EXPECT_NONE(nacre_broadcast(counting(S(1)), S(3, 0)), "[3, 0]");
	EXPECT(nacre_slice(x, (int64_t[]){0, 0}, (int64_t[]){2, 3}, (int64_t[]){1, 2}), "[2, 2]", 0,
	       2, 3, 5);
	EXPECT(nacre_slice_axis(x, -1, 1, 2), "[2, 1]", 1, 4);
	EXPECT_NONE(nacre_slice_axis(x, 0, 1, 1), "[0, 3]");
	EXPECT(nacre_reverse(x, NACRE_LAST_AXIS), "[2, 3]", 2, 1, 0, 5, 4, 3);
	EXPECT(nacre_reverse(x, NACRE_ALL_AXES), "[2, 3]", 5, 4, 3, 2, 1, 0);
	EXPECT(nacre_expand_dims(nacre_slice_axis(x, 0, 0, 1), 1), "[1, 1, 3]", 0, 1, 2);
	EXPECT(nacre_expand_dims(x, -1), "[2, 3, 1]", 0, 1, 2, 3, 4, 5);
	EXPECT(nacre_squeeze(counting(S(1, 2, 1)), NACRE_AXIS(0)), "[2, 1]", 0, 1);
	EXPECT(nacre_squeeze(counting(S(1, 2, 1)), NACRE_ALL_AXES), "[2]", 0, 1);
	end();
}

TEST(pad_and_concat)
{
	begin();
	nacre_node *x = counting(S(3));
	EXPECT(nacre_pad(x, (int64_t[]){1}, (int64_t[]){2}, NULL, 9), "[6]", 9, 0, 1, 2, 9, 9);
	EXPECT(nacre_pad(x, (int64_t[]){0}, (int64_t[]){1}, (int64_t[]){2}, 7), "[8]", 0, 7, 7, 1,
	       7, 7, 2, 7);
	EXPECT(nacre_pad(counting(S(0, 1)), (int64_t[]){1, 0}, (int64_t[]){1, 0}, (int64_t[]){5, 0},
			 3),
	       "[2, 1]", 3, 3);
	nacre_node *a = counting(S(2, 1)), *b = counting(S(2, 2)), *c = counting(S(2, 0));
	EXPECT(nacre_concat(3, (nacre_node *[]){a, b, c}, 1), "[2, 3]", 0, 0, 1, 1, 2, 3);
	EXPECT(nacre_concat(2, (nacre_node *[]){b, b}, -2), "[4, 2]", 0, 1, 2, 3, 0, 1, 2, 3);
	CHECK(nacre_concat(1, &a, 0) == a);
	EXPECT(nacre_stack(2, (nacre_node *[]){x, x}, 0), "[2, 3]", 0, 1, 2, 0, 1, 2);
	EXPECT(nacre_stack(2, (nacre_node *[]){x, x}, -1), "[3, 2]", 0, 0, 1, 1, 2, 2);
	end();
}

TEST(by_index)
{
	begin();
	nacre_node *x = counting(S(3, 2)), *i = indices(S(4), (int32_t[]){2, 0, -1, 3});
	EXPECT(nacre_gather(x, i, 0), "[4, 2]", 4, 5, 0, 1, 0, 0, 0, 0);
	EXPECT(nacre_gather(x, indices(0, NULL, (int32_t[]){1}), 1), "[3]", 1, 3, 5);
	EXPECT(nacre_gather(x, indices(S(1, 2), (int32_t[]){1, 1}), -1), "[3, 1, 2]", 1, 1, 3, 3, 5,
	       5);
	nacre_node *u = numbers(S(4, 2), (double[]){10, 20, 30, 40, 50, 60, 70, 80});
	EXPECT(nacre_scatter_add(x, i, u, 0), "[3, 2]", 30, 41, 2, 3, 14, 25);
	nacre_node *twice = indices(S(2), (int32_t[]){1, 1});
	EXPECT(nacre_scatter_add(counting(S(3)), twice, numbers(S(2), (double[]){5, 6}), 0), "[3]",
	       0, 12, 2);
	nacre_node *along = indices(S(3, 3), (int32_t[]){1, 0, 2, 0, 0, 1, -1, 1, 1});
	EXPECT(nacre_take_along_axis(x, along, 1), "[3, 3]", 1, 0, 0, 2, 2, 3, 0, 5, 5);
	nacre_node *ones = nacre_fill(g, NACRE_F64, S(3, 3), 1);
	EXPECT(nacre_scatter_add_along_axis(x, along, ones, 1), "[3, 2]", 1, 2, 4, 4, 4, 7);
	EXPECT(nacre_one_hot(indices(S(3), (int32_t[]){1, 3, -1}), 3, NACRE_F32), "[3, 3]", 0, 1, 0,
	       0, 0, 0, 0, 0, 0);
	EXPECT(nacre_arange(g, NACRE_I32, 4, 3, -2), "[4]", 3, 1, -1, -3);
	end();
}

TEST(scans)
{
	begin();
	nacre_node *x = numbers(S(2, 3), (double[]){1, 2, 4, 10, 20, 40});
	EXPECT(nacre_cumsum(x, 1, false, false), "[2, 3]", 1, 3, 7, 10, 30, 70);
	EXPECT(nacre_cumsum(x, 1, true, false), "[2, 3]", 0, 1, 3, 0, 10, 30);
	EXPECT(nacre_cumsum(x, 1, false, true), "[2, 3]", 7, 6, 4, 70, 60, 40);
	EXPECT(nacre_cumsum(x, 1, true, true), "[2, 3]", 6, 4, 0, 60, 40, 0);
	EXPECT(nacre_cumsum(x, 0, false, false), "[2, 3]", 1, 2, 4, 11, 22, 44);
	nacre_node *s = numbers(S(6), (double[]){2, NAN, 1, 2, -INFINITY, 3}), *where;
	EXPECT(nacre_sort(s, 0, false), "[6]", -INFINITY, 1, 2, 2, 3, NAN);
	EXPECT(nacre_sort(s, 0, true), "[6]", 3, 2, 2, 1, -INFINITY, NAN);
	EXPECT(nacre_argsort(s, 0, false), "[6]", 4, 2, 0, 3, 5, 1);
	EXPECT(nacre_argsort(s, 0, true), "[6]", 5, 0, 3, 2, 4, 1); /* equal ones in order */
	EXPECT(nacre_sort(x, 0, true), "[2, 3]", 10, 20, 40, 1, 2, 4);
	EXPECT(nacre_top_k(x, 2, &where), "[2, 2]", 4, 2, 40, 20);
	EXPECT(where, "[2, 2]", 2, 1, 2, 1);
	EXPECT(nacre_argmax(s, 0), "[]", 1); /* NaN counts as largest */
	EXPECT(nacre_argmin(s, 0), "[]", 4);
	EXPECT(nacre_argmax(numbers(S(2, 3), (double[]){1, 5, 5, 7, 0, 7}), 1), "[2]", 1, 0);
	end();
}

TEST(reductions)
{
	begin();
	nacre_node *x = counting(S(2, 3));
	EXPECT(nacre_sum(x, NACRE_ALL_AXES, false), "[]", 15);
	EXPECT(nacre_sum(x, NACRE_AXIS(0), true), "[1, 3]", 3, 5, 7);
	EXPECT(nacre_sum(x, NACRE_LAST_AXIS, false), "[2]", 3, 12);
	EXPECT(nacre_sum(x, 0, false), "[2, 3]", 0, 1, 2, 3, 4, 5);
	EXPECT(nacre_mean(x, NACRE_LAST_AXIS, false), "[2]", 1, 4);
	EXPECT(nacre_variance(x, NACRE_LAST_AXIS, false), "[2]", 2. / 3, 2. / 3);
	EXPECT(nacre_product(x, NACRE_AXIS(0), false), "[3]", 0, 4, 10);
	EXPECT(nacre_max(x, NACRE_AXIS(0), false), "[3]", 3, 4, 5);
	EXPECT(nacre_min(x, NACRE_AXIS(1), true), "[2, 1]", 0, 3);
	nacre_node *none = counting(S(2, 0));
	EXPECT(nacre_sum(none, NACRE_AXIS(1), false), "[2]", 0, 0);
	EXPECT(nacre_product(none, NACRE_AXIS(1), false), "[2]", 1, 1);
	EXPECT(nacre_mean(none, NACRE_AXIS(1), false), "[2]", 0, 0);
	EXPECT_NONE(nacre_max(none, NACRE_AXIS(0), false), "[0]");
	nacre_node *big = numbers(S(3), (double[]){1000, 1000, -INFINITY});
	EXPECT(nacre_logsumexp(big, NACRE_ALL_AXES, false), "[]", 1000 + log(2));
	nacre_node *minus = numbers(S(2), (double[]){-INFINITY, -INFINITY});
	EXPECT(nacre_logsumexp(minus, NACRE_ALL_AXES, true), "[1]", -INFINITY);
	nacre_node *b = nacre_greater(x, nacre_scalar(g, NACRE_F64, 3.5));
	EXPECT(nacre_any(b, NACRE_AXIS(1), false), "[2]", 0, 1);
	EXPECT(nacre_all(b, NACRE_AXIS(0), false), "[3]", 0, 0, 0);
	nacre_node *no_bools = nacre_cast(none, NACRE_BOOL);
	EXPECT(nacre_any(no_bools, NACRE_LAST_AXIS, false), "[2]", 0, 0);
	EXPECT(nacre_all(no_bools, NACRE_LAST_AXIS, false), "[2]", 1, 1);
	EXPECT(nacre_softmax(numbers(S(2), (double[]){1000, 1000})), "[2]", 0.5, 0.5);
	end();
}

TEST(matmul_and_einsum)
{
	begin();
	nacre_node *a = counting(S(2, 3)), *b = counting(S(3, 2));
	EXPECT(nacre_matmul(a, b), "[2, 2]", 10, 13, 28, 40);
	EXPECT(nacre_matmul_transposed(a, a, false, true), "[2, 2]", 5, 14, 14, 50);
	EXPECT(nacre_matmul_transposed(a, a, true, false), "[3, 3]", 9, 12, 15, 12, 17, 22, 15, 22,
	       29);
	EXPECT(nacre_matmul(counting(S(2, 1, 2)), counting(S(2, 1))), "[2, 1, 1]", 1, 3);
	EXPECT(nacre_matmul(counting(S(1, 0)), counting(S(0, 2))), "[1, 2]", 0, 0);
	EXPECT(nacre_einsum("ij,jk->ik", a, b), "[2, 2]", 10, 13, 28, 40);
	EXPECT(nacre_einsum(" i j, j k -> k i ", a, b), "[2, 2]", 10, 28, 13, 40);
	EXPECT(nacre_einsum("ij,kj->ik", a, a), "[2, 2]", 5, 14, 14, 50);
	EXPECT(nacre_einsum("ij->ji", a, NULL), "[3, 2]", 0, 3, 1, 4, 2, 5);
	EXPECT(nacre_einsum("ij->", a, NULL), "[]", 15);
	EXPECT(nacre_einsum("ij,ij->", a, a), "[]", 55);
	EXPECT(nacre_einsum("ij,ij->i", a, a), "[2]", 5, 50);
	EXPECT(nacre_einsum("ij,kl->", a, b), "[]", 225);
	EXPECT(nacre_einsum("i,j->ji", counting(S(2)), counting(S(3))), "[3, 2]", 0, 0, 0, 1, 0, 2);
	EXPECT(nacre_einsum("bij,bj->bi", counting(S(2, 1, 2)), counting(S(2, 2))), "[2, 1]", 1,
	       13);
	end();
}

TEST(integers_and_bools)
{
	begin();
	nacre_node *a = indices(S(4), (int32_t[]){7, -7, 7, 5}),
		   *b = indices(S(4), (int32_t[]){2, 2, -2, 0});
	EXPECT(nacre_divide(a, b), "[4]", 3, -3, -3, INT32_MAX); /* towards zero; clamped */
	EXPECT(nacre_floor_divide(a, b), "[4]", 3, -4, -4, INT32_MAX);
	EXPECT(nacre_mod(a, b), "[4]", 1, 1, -1, 0);
	EXPECT(nacre_times(a, b), "[4]", 14, -14, -14, 0);
	nacre_node *f = numbers(S(5), (double[]){1.9, -1.9, NAN, 1e10, 0});
	EXPECT(nacre_cast(f, NACRE_I32), "[5]", 1, -1, 0, INT32_MAX, 0);
	EXPECT(nacre_cast(f, NACRE_U8), "[5]", 1, 0, 0, 255, 0);
	EXPECT(nacre_cast(f, NACRE_BOOL), "[5]", 1, 1, 1, 1, 0);
	EXPECT(nacre_is_nan(f), "[5]", 0, 0, 1, 0, 0);
	EXPECT(nacre_select(nacre_is_nan(f), nacre_scalar(g, NACRE_F64, 3), f), "[5]", 1.9, -1.9, 3,
	       1e10, 0);
	EXPECT(nacre_clip(f, -1, 1), "[5]", 1, -1, NAN, 1, 0);
	EXPECT(nacre_round(numbers(S(4), (double[]){0.5, 1.5, 2.5, -0.5})), "[4]", 0, 2, 2, 0);
	EXPECT(nacre_relu(f), "[5]", 1.9, 0, NAN, 1e10, 0);
	CHECK_EQ(nacre_node_dtype(nacre_less(a, b)), NACRE_BOOL);
	end();
}

TEST(stable_functions)
{
	begin();
	nacre_node *x = numbers(S(4), (double[]){-1000, 0, 1000, NAN});
	EXPECT(nacre_sigmoid(x), "[4]", 0, 0.5, 1, NAN);
	EXPECT(nacre_softplus(x), "[4]", 0, log(2), 1000, NAN);
	nacre_node *small = numbers(S(1), (double[]){1e-12});
	EXPECT(nacre_expm1(small), "[1]", expm1(1e-12));
	EXPECT(nacre_log1p(small), "[1]", log1p(1e-12));
	end();
}
