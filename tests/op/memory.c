/* SPDX-License-Identifier: MIT
 *
 * memory.c - the n-th allocation fails, for every n, while graphs with gradients are built.
 */
#include "nacre/op.h"
#include "op/table.h"
#include "test.h"

typedef struct meter {
	long left; /* allocations until none succeeds; < 0: no limit */
	long held;
} meter;

static void *reallocate(void *context, void *block, size_t old, size_t size)
{
	meter *m = context;
	if (size == 0) {
		m->held -= block != NULL;
		free(block);
		return NULL;
	}
	if (m->left == 0)
		return NULL;
	m->left -= m->left > 0;
	void *p = NULL;
	if (posix_memalign(&p, 64, size))
		return NULL;
	if (block) {
		memcpy(p, block, old < size ? old : size);
		free(block);
	} else
		m->held++;
	return p;
}

#define S(...)                                                                                     \
	(int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[])                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

/* a network, its gradient twice, updates, texts; false with an error of the graph */
static bool build(nacre_graph *g, nacre_variable *v, nacre_variable *m)
{
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, S(5, 4)), *w = nacre_use(g, v);
	nacre_node *h = nacre_tanh(nacre_matmul(x, w)), *parts[3] = {h, h, h};
	h = nacre_concat(3, parts, 1);
	h = nacre_plus(h, nacre_slice_axis(nacre_stack(3, parts, 1), 1, 0, 1) ? h : NULL);
	h = nacre_plus(nacre_product(nacre_softmax(h), NACRE_LAST_AXIS, true),
		       nacre_sort(h, 1, true));
	h = nacre_einsum("ij,kj->ik", h, h);
	float data[1000] = {0};
	h = nacre_plus(h, nacre_constant(g, NACRE_F32, S(5, 5), data));
	nacre_node *big = nacre_constant(g, NACRE_F32, S(1000), data);
	h = nacre_plus(h, nacre_sum(big, NACRE_ALL_AXES, false));
	nacre_node *loss = nacre_logsumexp(h, NACRE_ALL_AXES, false), *dw = NULL, *d2 = NULL;
	nacre_node_set_name(loss, "a name for the loss");
	nacre_status s = nacre_grad(loss, 1, &w, &dw);
	CHECK(!loss || (s == NACRE_OK) == (dw != NULL));
	nacre_grad(nacre_sum(nacre_square(dw), NACRE_ALL_AXES, false), 1, &w, &d2);
	nacre_node *rate = nacre_placeholder(g, "rate", NACRE_F32, S(2));
	return nacre_update_momentum(w, nacre_use(g, m), nacre_plus(dw, d2), rate, 0.9, true, 0);
}

static bool attempt(nacre_runtime *rt, long allocations, meter *count)
{
	nacre_error e = {0};
	float data[24] = {1, 2, 3};
	count->left = -1;
	nacre_tensor *t = nacre_tensor_wrap(rt, NACRE_F32, S(4, 6), data, NULL, NULL, &e);
	count->left = allocations;
	nacre_variable *v = nacre_variable_new(rt, "v", NACRE_F32, S(4, 6), t, &e);
	nacre_variable *m = v ? nacre_variable_new(rt, "m", NACRE_F32, S(4, 6), NULL, &e) : NULL;
	bool ok = m != NULL,
	     laid = m && !nc_variable_relayout(v, 4, &e) && !nc_variable_relayout(v, 8, &e);
	nacre_tensor *back = laid ? nacre_variable_read(v, &e) : NULL;
	if (back)
		CHECK(!memcmp(nacre_tensor_data(back), data, sizeof(data)));
	if (m)
		CHECK_EQ(e.status, back ? NACRE_OK : NACRE_NO_MEMORY);
	nacre_tensor_free(back);
	nacre_graph *g = back ? nacre_graph_new(rt) : NULL;
	if (g) {
		ok = build(g, v, m);
		CHECK(ok == (nacre_graph_error(g)->status == NACRE_OK));
		if (!ok)
			CHECK_EQ(nacre_graph_error(g)->status, NACRE_NO_MEMORY);
		nc_text text;
		nc_text_init(&text, nc_runtime_memory(rt));
		nc_graph_text(g, &text, NULL, NULL);
		nc_graph_dot(g, &text, NULL, NULL);
		ok = ok && !text.failed && text.size > 1000;
		nc_text_free(&text);
	} else
		ok = false;
	nacre_graph_free(g);
	nacre_variable_free(v);
	nacre_variable_free(m);
	nacre_tensor_free(t);
	return ok;
}

TEST(every_allocation_fails_once)
{
	meter m = {-1, 0};
	nacre_error e = {0};
	nacre_runtime_options o = {.threads = 1, .allocator = {reallocate, &m}};
	nacre_runtime *rt = nacre_runtime_new(&o, &e);
	CHECK(rt != NULL);
	if (!rt)
		return;
	long held = m.held, n = 0;
	for (; n < 5000; n++) {
		bool ok = attempt(rt, n, &m);
		m.left = -1;
		if (m.held != held) {
			test_failed(__FILE__, __LINE__, "%ld blocks held after failure %ld",
				    m.held - held, n);
			break;
		}
		if (ok)
			break;
	}
	CHECK(n > 10 && n < 5000);
	nacre_runtime_free(rt);
	CHECK_EQ(m.held, 0);
}
