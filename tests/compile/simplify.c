/* SPDX-License-Identifier: MIT
 *
 * simplify.c - each rule on a small graph: what is left, as text.
 */
#include "nacre/graph.h"
#include "nacre/op.h"
#include "test.h"

static char left[4000];

static void watch(void *context, const char *pass, const char *text)
{
	(void)context;
	if (strcmp(pass, "simplify") == 0)
		snprintf(left, sizeof left, "%s", text);
}

/* the graph of y after the pass: "op op op" in order, without sources */
static const char *ops_left(int n, nacre_node *const *in, nacre_node *y)
{
	static char ops[1000];
	nacre_error e = {0};
	nacre_program_options o = {.trace = watch};
	nacre_program *p = nacre_program_new(NULL, n, in, 1, &y, &o, &e);
	CHECK_STR(e.text, "");
	nacre_program_free(p);
	size_t used = 0;
	ops[0] = 0;
	for (const char *line = left; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		char name[40] = "";
		if (sscanf(line, "%%%*d = %39[^(]", name) != 1 || !strcmp(name, "placeholder") ||
		    !strcmp(name, "fill"))
			continue;
		used += (size_t)snprintf(ops + used, sizeof ops - used, "%s%s", used ? " " : "",
					 name);
	}
	return ops;
}

typedef struct fixture {
	nacre_graph *g;
	nacre_node *x, *y, *in[2]; /* x: [3, 4], y: [4, 5] */
} fixture;

static fixture make(void)
{
	fixture f = {.g = nacre_graph_new(NULL)};
	f.x = f.in[0] = nacre_placeholder(f.g, "x", NACRE_F32, 2, (int64_t[]){3, 4});
	f.y = f.in[1] = nacre_placeholder(f.g, "y", NACRE_F32, 2, (int64_t[]){4, 5});
	return f;
}

TEST(identities_go)
{
	fixture f = make();
	static const int swap[] = {1, 0};
	nacre_node *x = f.x;
	nacre_node *same[] = {
	    nacre_add_number(x, 0),
	    nacre_scale(x, 1),
	    nacre_neg(nacre_neg(x)),
	    nacre_cast(x, NACRE_F32),
	    nacre_reshape(nacre_reshape(x, 1, (int64_t[]){12}), 2, (int64_t[]){3, 4}),
	    nacre_transpose(nacre_transpose(x, swap), swap),
	    nacre_stop_gradient(x),
	    nacre_slice_axis(x, 0, 0, 3),
	    nacre_concat(1, &x, 0),
	    nacre_broadcast(x, 2, (int64_t[]){3, 4}),
	    nacre_divide(x, nacre_scalar(f.g, NACRE_F32, 1)),
	    nacre_minus(x, nacre_scalar(f.g, NACRE_F32, 0)),
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++)
		CHECK_STR(ops_left(2, f.in, nacre_exp(same[i])), "exp");
	nacre_graph_free(f.g);
}

TEST(convolutions_widen_instead_of_a_pad)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *in[2] = {
	    nacre_placeholder(g, "x", NACRE_F32, 4, (int64_t[]){2, 5, 6, 3}),
	    nacre_placeholder(g, "f", NACRE_F32, 4, (int64_t[]){3, 3, 3, 8})};
	static const int64_t space[] = {0, 1, 0, 0}, also[] = {0, 0, 2, 0};
	static const int64_t channels[] = {0, 0, 0, 3};
	static const int64_t none[4] = {0};
	nacre_window w = {.stride = {2, 2}, .before = {1, 0}};
	nacre_node *padded = nacre_pad(in[0], space, also, NULL, 0);
	nacre_node *dy = nacre_relu(nacre_conv(padded, in[1], w));
	CHECK_STR(ops_left(2, in, dy), "conv relu");
	CHECK(strstr(left, "before=[2, 0] after=[0, 2]") != NULL);
	nacre_node *df = nacre_conv_filter(padded, dy, (nacre_window){.size = {3, 3},
								       .stride = {2, 2},
								       .before = {1, 0}});
	CHECK_STR(ops_left(2, in, df), "conv relu conv_filter");
	CHECK_STR(ops_left(2, in, nacre_conv(nacre_pad(in[0], space, also, NULL, 1), in[1], w)),
		  "pad conv");
	CHECK_STR(ops_left(2, in, nacre_conv(nacre_pad(in[0], none, channels, NULL, 0),
					     nacre_pad(in[1], (int64_t[]){0, 0, 1, 0},
						       (int64_t[]){0, 0, 2, 0}, NULL, 0),
					     w)),
		  "pad pad conv");
	nacre_graph_free(g);
}

TEST(constants_are_folded)
{
	fixture f = make();
	nacre_node *two = nacre_scalar(f.g, NACRE_F32, 2),
		   *c = nacre_exp(nacre_times(two, nacre_sqrt(two)));
	CHECK_STR(ops_left(2, f.in, nacre_plus(f.x, c)), "add");
	nacre_node *ones = nacre_fill(f.g, NACRE_F32, 2, (int64_t[]){3, 4}, 1);
	CHECK_STR(ops_left(2, f.in, nacre_times(f.x, nacre_sum(ones, NACRE_ALL_AXES, false))),
		  "mul");
	nacre_graph_free(f.g);
}

TEST(equal_nodes_are_one)
{
	fixture f = make();
	nacre_node *a = nacre_tanh(nacre_exp(f.x)), *b = nacre_tanh(nacre_exp(f.x));
	CHECK_STR(ops_left(2, f.in, nacre_times(a, b)), "exp tanh mul");
	/* random numbers are drawn twice */
	nacre_node *r = nacre_random(f.g, NACRE_UNIFORM, NACRE_F32, 2, (int64_t[]){3, 4}, 0, 1);
	nacre_node *s = nacre_random(f.g, NACRE_UNIFORM, NACRE_F32, 2, (int64_t[]){3, 4}, 0, 1);
	CHECK_STR(ops_left(2, f.in, nacre_minus(r, s)), "random random sub");
	nacre_graph_free(f.g);
}

TEST(transposes_go_into_products)
{
	fixture f = make();
	static const int swap[] = {1, 0};
	nacre_node *t = nacre_matmul(nacre_transpose(f.y, swap), nacre_transpose(f.x, swap));
	CHECK_STR(ops_left(2, f.in, t), "matmul");
	nacre_graph_free(f.g);
}

TEST(stretching_is_left_to_the_elementwise_op)
{
	fixture f = make();
	nacre_node *row = nacre_sum(f.x, NACRE_AXIS(0), false);
	nacre_node *wide = nacre_broadcast(row, 2, (int64_t[]){3, 4});
	CHECK_STR(ops_left(2, f.in, nacre_times(f.x, wide)), "sum mul");
	/* but somebody has to make the shape */
	CHECK_STR(ops_left(2, f.in, nacre_exp(wide)), "sum broadcast exp");
	nacre_graph_free(f.g);
}

TEST(dead_nodes_go)
{
	fixture f = make();
	nacre_matmul(f.x, f.y);
	CHECK_STR(ops_left(2, f.in, nacre_neg(f.x)), "neg");
	nacre_graph_free(f.g);
}

/* The product of bf16 with sums of f32 takes the place of the one that rounds them. */
TEST(what_the_last_pass_replaces_goes)
{
	fixture f = make();
	nacre_node *a = nacre_cast(f.x, NACRE_BF16), *b = nacre_cast(f.y, NACRE_BF16);
	nacre_node *sums = nacre_cast(nacre_matmul(a, b), NACRE_F32);
	CHECK_STR(ops_left(2, f.in, sums), "cast cast matmul");
	CHECK(strstr(left, "wide=true") != NULL);
	CHECK(strstr(left, "%5") == NULL); /* numbered from 0 without a gap */
	nacre_graph_free(f.g);
}
