/* SPDX-License-Identifier: MIT
 *
 * graph.c - graphs as text, the check of a graph's form.  Ops of the test's own stand in for those
 * of the op table, which this room does not know.
 */
#include "ir/ir.h"
#include "test.h"

typedef struct attr {
	bool flag, unset;
	int number, order[NACRE_MAX_RANK];
	unsigned axes;
	int64_t sizes[NACRE_MAX_RANK], large;
	double real;
	nacre_dtype dtype;
	nc_dims shape;
	int hidden;
} attr;

static bool infer_source(nacre_node *y)
{
	y->dtype = NACRE_F32;
	y->rank = 2;
	y->shape[0] = 2;
	y->shape[1] = 3;
	return true;
}

static int inferred = 0; /* what the rule of `like` adds to the first size */

static bool infer_like(nacre_node *y)
{
	y->dtype = y->in[0]->dtype;
	y->rank = y->in[0]->rank;
	memcpy(y->shape, y->in[0]->shape, sizeof(y->shape));
	y->shape[0] += inferred;
	return true;
}

static bool infer_failing(nacre_node *y)
{
	return nc_node_fail(y, "never with %d inputs", y->n_in);
}

static bool infer_huge(nacre_node *y)
{
	y->rank = 2;
	y->shape[0] = y->shape[1] = INT64_C(1) << 33;
	return true;
}

static const nc_field fields[] = {{"flag", NC_FIELD_BOOL, offsetof(attr, flag)},
				  {"unset", NC_FIELD_BOOL, offsetof(attr, unset)},
				  {"number", NC_FIELD_INT, offsetof(attr, number)},
				  {"order", NC_FIELD_ORDER, offsetof(attr, order)},
				  {"axes", NC_FIELD_AXES, offsetof(attr, axes)},
				  {"sizes", NC_FIELD_SIZES, offsetof(attr, sizes)},
				  {"large", NC_FIELD_I64, offsetof(attr, large)},
				  {"real", NC_FIELD_F64, offsetof(attr, real)},
				  {"dtype", NC_FIELD_DTYPE, offsetof(attr, dtype)},
				  {"shape", NC_FIELD_SHAPE, offsetof(attr, shape)},
				  {"hidden", NC_FIELD_HIDDEN, offsetof(attr, hidden)},
				  {0}};
static const nc_op source = {.name = "source", .flags = NC_OP_SOURCE, .infer = infer_source};
static const nc_op like = {.name = "like", .min_in = 1, .max_in = 3, .infer = infer_like};
static const nc_op full = {.name = "full",
			   .min_in = 1,
			   .max_in = 1,
			   .attr_size = sizeof(attr),
			   .fields = fields,
			   .infer = infer_like};
static const nc_op failing = {.name = "failing", .max_in = 2, .infer = infer_failing};
static const nc_op huge = {.name = "huge", .infer = infer_huge};
static const nc_op effect = {
	.name = "effect", .min_in = 1, .max_in = 1, .flags = NC_OP_EFFECT, .infer = infer_like};

static void note(void *context, const nacre_node *n, nc_text *out)
{
	nc_text_add(out, "  # %s%d", (const char *)context, n->id);
}

static nacre_graph *example(void)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nc_node_new(g, &source, 0, NULL, NULL);
	nacre_node_set_name(x, "an \"input\"");
	nacre_node *y = nc_node_new(g, &like, 2, (nacre_node *[]){x, x}, NULL);
	attr a = {true, false, -7, {1, 0}, 5, {3, 4}, INT64_C(1) << 40, 0.5, NACRE_I8, {1, {9}}, 3};
	nc_node_new(g, &full, 1, &y, &a);
	return g;
}

TEST(text)
{
	nacre_graph *g = example();
	nc_text t;
	nc_text_init(&t, nc_runtime_memory(g->runtime));
	nc_graph_text(g, &t, NULL, NULL);
	CHECK_STR(t.data, "%0 = source() : f32 [2, 3]  an \"input\"\n"
			  "%1 = like(%0, %0) : f32 [2, 3]\n"
			  "%2 = full(%1) flag=true number=-7 order=[1, 0] axes={0, 2} sizes=[3, 4] "
			  "large=1099511627776 real=0.5 dtype=i8 shape=[9] : f32 [2, 3]\n");
	nc_text_free(&t);
	nc_text_init(&t, nc_runtime_memory(g->runtime));
	char mark[] = "n";
	nc_graph_text(g, &t, note, mark);
	CHECK(strstr(t.data, "%1 = like(%0, %0) : f32 [2, 3]  # n1\n"));
	nc_text_free(&t);
	nacre_graph_free(g);
}

TEST(dot)
{
	nacre_graph *g = example();
	nc_text t;
	nc_text_init(&t, nc_runtime_memory(g->runtime));
	nc_graph_dot(g, &t, NULL, NULL);
	CHECK(!strncmp(t.data,
		       "digraph nacre {\n\tn0 [shape=ellipse, "
		       "label=\"%0 source an \\\"input\\\"\\nf32 [2, 3]\"];\n",
		       70));
	CHECK(strstr(t.data, "\tn0 -> n1;\n\tn0 -> n1;\n"));
	CHECK(strstr(t.data, "\tn1 -> n2;\n}\n"));
	nc_text_free(&t);
	nacre_graph_free(g);
}

static void collect(void *context, nacre_stream stream, const char *text, size_t size)
{
	CHECK_EQ(stream, NACRE_OUT);
	char *all = context;
	size_t n = strlen(all);
	if (n + size < 4000) {
		memcpy(all + n, text, size);
		all[n + size] = 0;
	}
}

TEST(print)
{
	char all[4000] = "";
	nacre_error e = {0};
	nacre_runtime_options o = {.output = {.write = collect, .context = all}};
	nacre_runtime *rt = nacre_runtime_new(&o, &e);
	nacre_graph *g = nacre_graph_new(rt);
	nc_node_new(g, &source, 0, NULL, NULL);
	nacre_graph_print(g);
	nacre_graph_print_dot(g);
	nacre_graph_print(NULL);
	CHECK(!strncmp(all, "%0 = source() : f32 [2, 3]\ndigraph nacre {\n", 42));
	nacre_graph_free(g);
	nacre_runtime_free(rt);
}

#define BROKEN(change, want)                                                                       \
	do {                                                                                       \
		nacre_graph *g = example();                                                        \
		CHECK(nc_graph_check(g));                                                          \
		change;                                                                            \
		CHECK(!nc_graph_check(g));                                                         \
		CHECK_STR(nacre_graph_error(g)->text, "graph check: node " want);                  \
		nacre_graph_free(g);                                                               \
	} while (0)

TEST(check)
{
	BROKEN(g->node[1]->id = 2, "%2 (like) is not where its number says");
	BROKEN(g->node[1]->n_in = 0, "%1 (like) has a wrong number of inputs");
	BROKEN(g->node[1]->in[1] = g->node[2],
	       "%1 (like) has an input that does not come before it");
	BROKEN(g->node[1]->in[0] = NULL, "%1 (like) has an input that does not come before it");
	BROKEN(g->node[0]->op = &effect;
	       g->node[0]->n_in = 0, "%0 (effect) has a wrong number of inputs");
	BROKEN(g->node[1]->dtype = NACRE_F64,
	       "%1 (like) has another type or shape than its rule gives");
	BROKEN(g->node[1]->shape[1] = 4, "%1 (like) has another type or shape than its rule gives");
	BROKEN(g->node[2]->attr = NULL, "%2 (full) has wrong attributes");
	BROKEN(inferred = 1, "%1 (like) has another type or shape than its rule gives");
	inferred = 0;
}

TEST(errors_stick)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nc_node_new(g, &source, 0, NULL, NULL);
	nacre_node *e = nc_node_new(g, &effect, 1, &x, NULL);
	CHECK(x && e && g->n == 2);
	CHECK(!nc_node_new(g, &failing, 1, &x, NULL));
	CHECK_STR(nacre_graph_error(g)->text, "failing: never with 1 inputs");
	CHECK(!nc_node_new(g, &like, 1, &x, NULL));
	CHECK(!nc_node_new(g, &huge, 0, NULL, NULL));
	CHECK_EQ(g->n, 2);
	CHECK_STR(nacre_graph_error(g)->text, "failing: never with 1 inputs");
	nacre_graph_free(g);

	static const struct {
		const nc_op *op;
		int n_in;
		const char *text;
	} cases[] = {
		{&like, 0, "like: 1 inputs expected, got 0"},
		{&like, 4, "like: 3 inputs expected, got 4"},
		{&source, 1, "source: 0 inputs expected, got 1"},
		{&huge, 0, "huge: a value of shape [8589934592, 8589934592] is too large"},
	};
	for (int i = 0; i < 4; i++) {
		g = nacre_graph_new(NULL);
		x = nc_node_new(g, &source, 0, NULL, NULL);
		CHECK(!nc_node_new(g, cases[i].op, cases[i].n_in, (nacre_node *[]){x, x, x, x},
				   NULL));
		CHECK_STR(nacre_graph_error(g)->text, cases[i].text);
		nacre_graph_free(g);
	}
}

TEST(many_nodes_stay_in_place)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nc_node_new(g, &source, 0, NULL, NULL), *first = x;
	for (int i = 0; i < 5000; i++)
		x = nc_node_new(g, &like, 1, &x, NULL);
	CHECK(x && x->id == 5000 && g->node[0] == first && g->node[5000] == x);
	CHECK(nc_graph_of(3, (nacre_node *[]){NULL, x, NULL}) == g);
	CHECK(nc_graph_of(1, (nacre_node *[]){NULL}) == NULL);
	CHECK(nc_graph_check(g));
	nacre_graph_free(g);
}
