/* SPDX-License-Identifier: MIT
 *
 * errors.c - misuse, and the whole text that tells of it.
 */
#include "nacre/op.h"
#include "op/table.h"
#include "test.h"

#define S(...)                                                                                     \
	(int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[])                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

typedef struct world {
	nacre_graph *g, *other;
	nacre_node *a;     /* f32 [4, 3] */
	nacre_node *b;     /* f32 [2, 5] */
	nacre_node *i;     /* i32 [3] */
	nacre_node *c;     /* bool [4, 3] */
	nacre_node *d;     /* f64 [4, 3] */
	nacre_node *s;     /* f32 [] */
	nacre_node *none;  /* f32 [4, 0] */
	nacre_node *rate;  /* f32 [2] */
	nacre_node *w, *m; /* variables, f32 [4, 3] */
	nacre_node *far;   /* of the other graph */
	nacre_variable *vw, *vm;
} world;

static void make(world *q)
{
	nacre_error e = {0};
	nacre_graph *g = q->g = nacre_graph_new(NULL);
	q->other = nacre_graph_new(NULL);
	q->a = nacre_placeholder(g, "a", NACRE_F32, S(4, 3));
	q->b = nacre_placeholder(g, "b", NACRE_F32, S(2, 5));
	q->i = nacre_placeholder(g, "i", NACRE_I32, S(3));
	q->c = nacre_placeholder(g, "c", NACRE_BOOL, S(4, 3));
	q->d = nacre_placeholder(g, "d", NACRE_F64, S(4, 3));
	q->s = nacre_placeholder(g, "s", NACRE_F32, 0, NULL);
	q->none = nacre_placeholder(g, "none", NACRE_F32, S(4, 0));
	q->rate = nacre_placeholder(g, "rate", NACRE_F32, S(2));
	q->far = nacre_placeholder(q->other, "far", NACRE_F32, S(4, 3));
	q->vw = nacre_variable_new(NULL, "w", NACRE_F32, S(4, 3), NULL, &e);
	q->vm = nacre_variable_new(NULL, "m", NACRE_F32, S(4, 3), NULL, &e);
	q->w = nacre_use(g, q->vw);
	q->m = nacre_use(g, q->vm);
}

static void drop(world *q)
{
	nacre_graph_free(q->g);
	nacre_graph_free(q->other);
	nacre_variable_free(q->vw);
	nacre_variable_free(q->vm);
}

static int checked;

/* the expression fails with this text, and everything after it with NULL and the same text */
#define REFUSED(expression, want)                                                                  \
	do {                                                                                       \
		world q;                                                                           \
		make(&q);                                                                          \
		nacre_graph *g = q.g;                                                              \
		(void)g;                                                                           \
		CHECK((expression) == NULL);                                                       \
		CHECK_STR(nacre_graph_error(q.g)->text, want);                                     \
		CHECK_EQ(nacre_graph_error(q.g)->status, NACRE_INVALID);                           \
		CHECK(nacre_neg(q.a) == NULL);                                                     \
		CHECK_STR(nacre_graph_error(q.g)->text, want);                                     \
		CHECK(!nc_graph_check(q.g));                                                       \
		drop(&q);                                                                          \
		checked++;                                                                         \
	} while (0)

TEST(types)
{
	REFUSED(nacre_plus(q.a, q.d), "add: types differ: f32 and f64");
	REFUSED(nacre_plus(q.c, q.c), "add: numbers expected, got bool");
	REFUSED(nacre_exp(q.i), "exp: floating-point numbers expected, got i32");
	REFUSED(nacre_neg(q.c), "neg: numbers expected, got bool");
	REFUSED(nacre_select(q.a, q.a, q.a), "select: a condition of bool expected, got f32");
	REFUSED(nacre_select(q.c, q.a, q.d), "select: types differ: f32 and f64");
	REFUSED(nacre_matmul(q.a, q.d), "matmul: types differ: f32 and f64");
	REFUSED(nacre_matmul(q.c, q.c), "matmul: numbers expected, got bool");
	REFUSED(nacre_softmax(q.i), "softmax: floating-point numbers expected, got i32");
	REFUSED(nacre_mean(q.i, NACRE_ALL_AXES, false),
		"mean: floating-point numbers expected, got i32");
	REFUSED(nacre_any(q.a, NACRE_ALL_AXES, false), "any: bool expected, got f32");
	REFUSED(nacre_sum(q.c, NACRE_ALL_AXES, false), "sum: numbers expected, got bool");
	REFUSED(nacre_cast(q.a, (nacre_dtype)77), "cast: 77 is no data type");
	REFUSED(nacre_scale(q.i, 0.5), "fill: 0.5 is no i32");
	REFUSED(nacre_gather(q.a, q.a, 0), "gather: indices of i32 or i64 expected, got f32");
	REFUSED(nacre_one_hot(q.a, 3, NACRE_F32),
		"one_hot: indices of i32 or i64 expected, got f32");
	REFUSED(nacre_concat(2, (nacre_node *[]){q.a, q.d}, 0),
		"concat: types differ: f32 and f64");
	REFUSED(nacre_cumsum(q.c, 0, false, false), "cumsum: numbers expected, got bool");
}

TEST(shapes)
{
	REFUSED(nacre_plus(q.a, q.b), "add: shapes do not broadcast: [4, 3] and [2, 5]");
	REFUSED(nacre_select(q.c, q.a, q.b), "select: shapes do not broadcast: [4, 3] and [2, 5]");
	REFUSED(nacre_select(q.c, q.b, q.b), "select: shapes do not broadcast: [4, 3] and [2, 5]");
	REFUSED(nacre_matmul(q.a, q.b), "matmul: inner sizes differ: [4, 3] and [2, 5]");
	REFUSED(nacre_matmul_transposed(q.a, q.b, true, false),
		"matmul: inner sizes differ: [4, 3] transposed and [2, 5]");
	REFUSED(nacre_matmul(q.i, q.a),
		"matmul: matrices (rank 2 or more) expected, got [3] and [4, 3]");
	REFUSED(nacre_matmul(nacre_fill(g, NACRE_F32, S(2, 1, 1), 0),
			     nacre_fill(g, NACRE_F32, S(3, 1, 1), 0)),
		"matmul: leading sizes do not broadcast: [2, 1, 1] and [3, 1, 1]");
	REFUSED(nacre_reshape(q.a, S(5, 2)),
		"reshape: [4, 3] has another number of elements than [5, 2]");
	REFUSED(nacre_reshape(q.a, S(5, -1)), "reshape: [4, 3] does not fit into [5, None]");
	REFUSED(nacre_reshape(q.a, S(-1, -1)), "reshape: impossible shape [None, None]");
	REFUSED(nacre_reshape(q.none, S(0, -1)), "reshape: [4, 0] does not fit into [0, None]");
	REFUSED(nacre_reshape(q.a, 9, (int64_t[9]){12, 1, 1, 1, 1, 1, 1, 1, 1}),
		"reshape: a rank of 0 to 8 expected, got 9");
	REFUSED(nacre_broadcast(q.a, S(4, 4)), "broadcast: [4, 3] cannot be stretched to [4, 4]");
	REFUSED(nacre_broadcast(q.a, S(3)), "broadcast: [4, 3] cannot be stretched to [3]");
	REFUSED(nacre_concat(2, (nacre_node *[]){q.a, q.b}, 0),
		"concat: shapes differ outside axis 0: [4, 3] and [2, 5]");
	REFUSED(nacre_stack(2, (nacre_node *[]){q.a, q.b}, 0),
		"stack: shapes differ: [4, 3] and [2, 5]");
	REFUSED(nacre_scatter_add(q.a, q.i, q.a, 0),
		"scatter_add: updates of [3, 3] expected, got [4, 3]");
	REFUSED(nacre_take_along_axis(q.a, q.i, 0),
		"take_along_axis: indices of [4, 3] expected but for axis 0, got [3]");
	REFUSED(nacre_max(q.none, NACRE_LAST_AXIS, false),
		"max: no numbers along the axes of [4, 0]");
	REFUSED(nacre_argmax(q.none, 1), "argmax: no numbers along axis 1 of [4, 0]");
	REFUSED(nacre_fill(g, NACRE_F32, S(INT64_C(1) << 40, INT64_C(1) << 40), 0),
		"fill: a value of shape [1099511627776, 1099511627776] is too large");
	REFUSED(nacre_fill(g, NACRE_F32, S(3, -2), 0), "fill: negative size in shape [3, -2]");
	REFUSED(nacre_placeholder(g, "x", NACRE_F32, -1, NULL),
		"placeholder: a rank of 0 to 8 expected, got -1");
	REFUSED(nacre_placeholder(g, "x", NACRE_F32, 2, NULL), "placeholder: the shape is NULL");
	REFUSED(nacre_placeholder(g, "x", (nacre_dtype)99, 0, NULL),
		"placeholder: 99 is no data type");
	REFUSED(nacre_constant(g, NACRE_F32, S(3), NULL), "constant: the data are NULL");
	REFUSED(nacre_arange(g, NACRE_I32, -1, 0, 1), "arange: negative size -1");
	REFUSED(nacre_arange(g, NACRE_U8, 300, 0, 1), "arange: 0, 1 ... 299 are not all u8");
	REFUSED(nacre_one_hot(q.i, -1, NACRE_F32), "one_hot: a depth >= 0 expected, got -1");
}

TEST(axes)
{
	REFUSED(nacre_softmax_axis(q.a, 2), "softmax: axis 2 is outside a value of rank 2");
	REFUSED(nacre_softmax_axis(q.a, -3), "softmax: axis -3 is outside a value of rank 2");
	REFUSED(nacre_softmax(q.s), "softmax: axis -1 is outside a value of rank 0");
	REFUSED(nacre_sum(q.a, NACRE_AXIS(2), false), "sum: axis 2 is outside a value of rank 2");
	REFUSED(nacre_sum(q.s, NACRE_LAST_AXIS, false), "sum: a value of rank 0 has no last axis");
	REFUSED(nacre_gather(q.a, q.i, 2), "gather: axis 2 is outside a value of rank 2");
	REFUSED(nacre_concat(2, (nacre_node *[]){q.a, q.a}, 5),
		"concat: axis 5 is outside a value of rank 2");
	REFUSED(nacre_expand_dims(q.a, 4), "expand_dims: axis 4 is outside a value of rank 3");
	REFUSED(nacre_squeeze(q.a, NACRE_AXIS(0)), "squeeze: axis 0 of [4, 3] is not 1");
	REFUSED(nacre_transpose(q.a, (int[]){0, 0}),
		"transpose: the order must name each of 2 axes once, got 0 at 1");
	REFUSED(nacre_transpose(q.a, (int[]){0, 7}),
		"transpose: the order must name each of 2 axes once, got 7 at 1");
	REFUSED(nacre_transpose(q.a, NULL), "transpose: the order is NULL");
	REFUSED(nacre_slice_axis(q.a, 0, 2, 5), "slice: axis 0: 2 to 5 is outside a size of 4");
	REFUSED(nacre_slice_axis(q.a, 0, 3, 2), "slice: axis 0: 3 to 2 is outside a size of 4");
	REFUSED(nacre_slice_axis(q.a, 0, -1, 2), "slice: axis 0: -1 to 2 is outside a size of 4");
	REFUSED(nacre_slice(q.a, (int64_t[]){0, 0}, (int64_t[]){4, 3}, (int64_t[]){1, 0}),
		"slice: axis 1: a step > 0 expected, got 0");
	REFUSED(nacre_pad(q.a, (int64_t[]){0, -1}, (int64_t[]){0, 0}, NULL, 0),
		"pad: axis 1: sizes >= 0 expected, got -1 before, 0 after, 0 between");
	REFUSED(nacre_pad(q.a, (int64_t[]){0, 0}, (int64_t[]){0, INT64_MAX}, NULL, 0),
		"pad: axis 1 of [4, 3] grows too large");
	REFUSED(nacre_reverse(q.a, NACRE_AXIS(3)), "reverse: axis 3 is outside a value of rank 2");
	REFUSED(nacre_top_k(q.a, 4, NULL), "top_k: 0 <= k <= 3 expected, got 4");
	REFUSED(nacre_sort(q.s, 0, false), "sort: axis 0 is outside a value of rank 0");
	REFUSED(nacre_clip(q.a, 1, 0), "clip: low <= high expected, got 1 and 0");
	REFUSED(nacre_random(g, NACRE_UNIFORM, NACRE_F32, 0, NULL, 1, 0),
		"random: a <= b expected, got 1 and 0");
	REFUSED(nacre_random(g, NACRE_BERNOULLI, NACRE_F32, 0, NULL, 1.5, 0),
		"random: a probability of 0 to 1 expected, got 1.5");
	REFUSED(nacre_random(g, NACRE_NORMAL, NACRE_I32, 0, NULL, 0, 1),
		"random: a floating-point type expected, got i32");
	REFUSED(nacre_random(g, NACRE_NORMAL, NACRE_F32, 0, NULL, 0, -1),
		"random: a standard deviation >= 0 expected, got -1");
}

TEST(einsum)
{
	REFUSED(nacre_einsum("ii,ij->j", q.a, q.b),
		"einsum \"ii,ij->j\": i is repeated in the first input");
	REFUSED(nacre_einsum("ij,jk", q.a, q.b), "einsum \"ij,jk\": -> expected at \"\"");
	REFUSED(nacre_einsum("ij->i", q.a, q.b), "einsum \"ij->i\": a comma expected at \"->i\"");
	REFUSED(nacre_einsum("ij,jk->ik", q.a, q.b), "einsum \"ij,jk->ik\": j is both 3 and 2");
	REFUSED(nacre_einsum("ijk,jk->i", q.a, q.b),
		"einsum \"ijk,jk->i\": 3 letters for an input of shape [4, 3]");
	REFUSED(nacre_einsum("ij->k", q.a, NULL), "einsum \"ij->k\": k is in no input");
	REFUSED(nacre_einsum("...i->i", q.a, NULL),
		"einsum \"...i->i\": -> expected at \"...i->i\"");
	REFUSED(nacre_einsum("ij->i9", q.a, NULL), "einsum \"ij->i9\": the end expected at \"9\"");
	REFUSED(nacre_einsum("abcdefghi->a", q.a, NULL),
		"einsum \"abcdefghi->a\": more than 8 letters in the first input");
	REFUSED(nacre_einsum(NULL, q.a, NULL), "einsum: the equation is NULL");
	REFUSED(nacre_einsum("ij,kl->il", q.a, q.far),
		"einsum \"ij,kl->il\": the inputs are nodes of two graphs");
}

TEST(graphs_and_effects)
{
	REFUSED(nacre_plus(q.a, q.far), "add: input 1 is a node of another graph");
	REFUSED(nacre_plus(q.a, NULL), "add: input 1 is NULL");
	REFUSED(nacre_plus(NULL, q.a), "add: input 0 is NULL");
	REFUSED(nacre_stack(2, (nacre_node *[]){q.a, NULL}, 0), "stack: input 1 is NULL");
	REFUSED(nacre_use(g, NULL), "variable: the variable is NULL");
	REFUSED(nacre_assign(q.a, q.a),
		"assign: a variable expected as input 0, got a placeholder");
	REFUSED(nacre_assign(q.w, q.b), "assign: shape [4, 3] expected, got [2, 5]");
	REFUSED(nacre_assign(q.w, q.d), "assign: types differ: f32 and f64");
	REFUSED(nacre_neg(nacre_assign(q.w, q.a)),
		"neg: input 0 is an effect (assign), not a value");
	REFUSED(nacre_update_sgd(q.w, q.a, q.a, 0),
		"update_sgd: a rate of f32 [2] expected, got f32 [4, 3]");
	REFUSED(nacre_update_momentum(q.w, q.w, q.a, q.rate, 0.9, false, 0),
		"update_momentum: inputs 0 and 1 are the same variable");
	REFUSED(nacre_update_momentum(q.w, q.a, q.a, q.rate, 0.9, false, 0),
		"update_momentum: a variable expected as input 1, got a placeholder");
	REFUSED(nacre_update_rmsprop(q.w, q.m, q.b, q.rate, 0.9, 1e-7, 0),
		"update_rmsprop: shape [4, 3] expected, got [2, 5]");
	REFUSED(nacre_update_sgd(q.w, q.a, q.rate, NAN),
		"update_sgd: an option is not a finite number");
}

static nacre_node *grad(nacre_node *loss, nacre_node *wrt)
{
	nacre_node *d = wrt;
	CHECK_EQ(nacre_grad(loss, 1, &wrt, &d), NACRE_INVALID);
	return d;
}

TEST(gradients)
{
	REFUSED(grad(q.i, q.a), "grad: a loss of floating-point numbers expected, got i32");
	REFUSED(grad(q.a, q.i), "grad: wrt[0] (placeholder of i32) has no gradient");
	REFUSED(grad(q.a, NULL), "grad: wrt[0] is NULL");
	REFUSED(grad(q.a, q.far), "grad: wrt[0] is a node of another graph");
	REFUSED(grad(nacre_assign(q.w, q.a), q.w),
		"grad: the loss is an effect (assign), not a value");
}

TEST(null_in_null_out)
{
	nacre_node *d[1] = {NULL};
	CHECK(!nacre_plus(NULL, NULL) && !nacre_exp(NULL) && !nacre_sum(NULL, 1, false));
	CHECK(!nacre_reshape(NULL, 0, NULL) && !nacre_matmul(NULL, NULL) &&
	      !nacre_concat(0, NULL, 0));
	CHECK(!nacre_einsum("i->i", NULL, NULL) && !nacre_scale(NULL, 1) &&
	      !nacre_clip(NULL, 0, 1));
	CHECK(!nacre_one_hot(NULL, 3, NACRE_F32) && !nacre_top_k(NULL, 1, d) &&
	      !nacre_cast(NULL, NACRE_F64));
	CHECK(!nacre_placeholder(NULL, "x", NACRE_F32, 0, NULL) && !nacre_use(NULL, NULL));
	CHECK(!nacre_fill(NULL, NACRE_F32, 0, NULL, 0) && !nacre_arange(NULL, NACRE_F32, 1, 0, 1));
	CHECK(!nacre_stack(1, d, 0) && !nacre_gather(NULL, NULL, 0) && !nacre_squeeze(NULL, 1));
	CHECK(!nacre_assign(NULL, NULL) && !nacre_update_sgd(NULL, NULL, NULL, 0));
	CHECK(!nacre_pad(NULL, NULL, NULL, NULL, 0) && !nacre_slice(NULL, NULL, NULL, NULL));
	CHECK(!nacre_constant(NULL, NACRE_F32, 0, NULL, NULL) && !nacre_stop_gradient(NULL));
	CHECK(!nacre_random(NULL, NACRE_UNIFORM, NACRE_F32, 0, NULL, 0, 1) &&
	      !nacre_variance(NULL, 1, 0));
	CHECK(!nacre_logsumexp(NULL, 1, false) && !nacre_any(NULL, 1, false) &&
	      !nacre_argmax(NULL, 0));
	CHECK_EQ(nacre_node_rank(NULL), 0);
	CHECK(!nacre_node_shape(NULL) && !nacre_node_graph(NULL));
	nacre_node_set_name(NULL, "x");
	nacre_graph_free(NULL);
	CHECK(nacre_graph_error(NULL)->status == NACRE_NO_MEMORY);
}

TEST(names_in_texts)
{
	world q;
	make(&q);
	nacre_node *y = nacre_neg(q.a);
	nacre_node_set_name(y, "dense_1");
	nc_node_fail(y, "%d units expected", 3);
	CHECK_STR(nacre_graph_error(q.g)->text, "neg \"dense_1\": 3 units expected");
	drop(&q);
	CHECK(checked >= 90);
}
