/* SPDX-License-Identifier: MIT
 *
 * loss.c - losses and metrics against numbers worked out by hand, stable forms at extremes, and
 * shapes that do not fit.
 */
#include "run.h"

static const nacre_loss_options logits = {.from_logits = 1};

TEST(categorical)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *t = f32(g, 2, 3, (float[]){0, 1, 0, 0, 0, 1});
	nacre_node *p = f32(g, 2, 3, (float[]){0.05f, 0.9f, 0.05f, 0.1f, 0.8f, 0.1f});
	CHECK_NODE(nacre_categorical_crossentropy(t, p, NULL), 1e-6, -log(0.9), -log(0.1));
	/* probabilities are divided by their sum: twice as large gives the same */
	CHECK_NODE(nacre_categorical_crossentropy(t, nacre_scale(p, 2), NULL), 1e-6, -log(0.9),
		   -log(0.1));
	double l = log(exp(1) + exp(2) + exp(3));
	nacre_node *x = f32(g, 2, 3, (float[]){1, 2, 3, 3, 2, 1});
	CHECK_NODE(nacre_categorical_crossentropy(t, x, &logits), 1e-6, l - 2, l - 1);
	CHECK_NODE(nacre_categorical_crossentropy(t, nacre_softmax(x), NULL), 1e-6, l - 2, l - 1);
	/* smoothing 0.3: targets 0.1, 0.8, 0.1 */
	nacre_loss_options s = {.label_smoothing = 0.3};
	CHECK_NODE(nacre_categorical_crossentropy(t, p, &s), 1e-6,
		   -0.8 * log(0.9) - 0.2 * log(0.05), -0.9 * log(0.1) - 0.1 * log(0.8));
	nacre_graph_free(g);
}

TEST(clipped_and_not)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *t = f32(g, 1, 2, (float[]){1, 0});
	/* probability 0: clipped to 1e-7 */
	CHECK_NODE(nacre_categorical_crossentropy(t, f32(g, 1, 2, (float[]){0, 1}), NULL), 1e-6,
		   -log(1e-7));
	/* by the logits behind a softmax: exact */
	nacre_node *x = f32(g, 1, 2, (float[]){-100, 100});
	CHECK_NODE(nacre_categorical_crossentropy(t, nacre_softmax(x), NULL), 1e-6, 200);
	nacre_node *dx = NULL;
	nacre_grad(nacre_categorical_crossentropy(t, nacre_softmax(x), NULL), 1, &x, &dx);
	CHECK_NODE(dx, 1e-6, -1, 1);
	nacre_graph_free(g);
}

TEST(sparse)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *t = i32(g, 2, (int32_t[]){1, 2});
	nacre_node *p = f32(g, 2, 3, (float[]){0.05f, 0.9f, 0.05f, 0.1f, 0.8f, 0.1f});
	CHECK_NODE(nacre_sparse_categorical_crossentropy(t, p, NULL), 1e-6, -log(0.9), -log(0.1));
	CHECK_NODE(nacre_sparse_categorical_crossentropy(nacre_expand_dims(t, -1), p, NULL), 1e-6,
		   -log(0.9), -log(0.1));
	nacre_node *f = f32(g, 0, 2, (float[]){1, 2});
	CHECK_NODE(nacre_sparse_categorical_crossentropy(f, p, NULL), 1e-6, -log(0.9), -log(0.1));
	nacre_node *x = f32(g, 2, 3, (float[]){1, 2, 3, 3, 2, 1}), *dx = NULL;
	double l = log(exp(1) + exp(2) + exp(3)), z = exp(l);
	CHECK_NODE(nacre_sparse_categorical_crossentropy(t, x, &logits), 1e-6, l - 2, l - 1);
	nacre_grad(nacre_sparse_categorical_crossentropy(t, nacre_softmax(x), NULL), 1, &x, &dx);
	CHECK_NODE(dx, 1e-6, exp(1) / z, exp(2) / z - 1, exp(3) / z, exp(3) / z, exp(2) / z,
		   exp(1) / z - 1);
	nacre_graph_free(g);
}

TEST(binary)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *t = f32(g, 2, 2, (float[]){1, 0, 1, 1});
	nacre_node *p = f32(g, 2, 2, (float[]){0.9f, 0.2f, 0.5f, 0});
	CHECK_NODE(nacre_binary_crossentropy(t, p, NULL), 1e-6, -(log(0.9) + log(0.8)) / 2,
		   -(log(0.5) + log(1e-7)) / 2);
	nacre_node *x = f32(g, 2, 2, (float[]){2, -1, 300, -300});
	double first = (log1p(exp(-2)) + log1p(exp(-1))) / 2;
	CHECK_NODE(nacre_binary_crossentropy(t, x, &logits), 1e-6, first, 150);
	CHECK_NODE(nacre_binary_crossentropy(t, nacre_sigmoid(x), NULL), 1e-6, first, 150);
	nacre_node *dx = NULL;
	nacre_grad(nacre_binary_crossentropy(t, nacre_sigmoid(x), NULL), 1, &x, &dx);
	CHECK_NODE(dx, 1e-6, (1 / (1 + exp(-2)) - 1) / 2, 1 / (1 + exp(1)) / 2, 0, -0.5);
	nacre_loss_options s = {.label_smoothing = 0.2}; /* 0.9 and 0.1 */
	CHECK_NODE(nacre_binary_crossentropy(t, p, &s), 1e-6,
		   -(0.9 * log(0.9) + 0.1 * log(0.1) + 0.1 * log(0.2) + 0.9 * log(0.8)) / 2,
		   -(log(0.5) + 0.9 * log(1e-7) + 0.1 * log(1 - 1e-7)) / 2);
	nacre_graph_free(g);
}

TEST(distances)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *t = f32(g, 2, 2, (float[]){1, 2, 3, 4});
	nacre_node *p = f32(g, 2, 2, (float[]){1.5f, 0, 3, 9});
	CHECK_NODE(nacre_mean_squared_error(t, p, NULL), 1e-6, (0.25 + 4) / 2, 12.5);
	CHECK_NODE(nacre_mse(t, p, NULL), 1e-6, (0.25 + 4) / 2, 12.5);
	CHECK_NODE(nacre_mean_absolute_error(t, p, NULL), 1e-6, 1.25, 2.5);
	CHECK_NODE(nacre_mae(t, p, NULL), 1e-6, 1.25, 2.5);
	CHECK_NODE(nacre_huber(t, p, NULL), 1e-6, (0.125 + 1.5) / 2, 4.5 / 2);
	nacre_loss_options o = {.delta = 3};
	CHECK_NODE(nacre_huber(t, p, &o), 1e-6, (0.125 + 2) / 2, (15 - 4.5) / 2);
	/* [n] and [n, 1] */
	nacre_node *a = f32(g, 0, 2, (float[]){1, 2}), *b = f32(g, 2, 1, (float[]){4, 0});
	CHECK_NODE(nacre_mse(a, b, NULL), 1e-6, 9, 4);
	CHECK_NODE(nacre_mse(b, a, NULL), 1e-6, 9, 4);
	nacre_graph_free(g);
}

TEST(accuracy)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *p = f32(g, 3, 3, (float[]){0.1f, 0.8f, 0.1f, 0.4f, 0.4f, 0.2f, 0, 0, 1});
	nacre_node *t = f32(g, 3, 3, (float[]){0, 1, 0, 0, 1, 0, 0, 0, 1});
	/* of equal ones the first counts */
	CHECK_NODE(nacre_categorical_accuracy(t, p, NULL), 0, 1, 0, 1);
	CHECK_NODE(nacre_accuracy(t, p, NULL), 0, 1, 0, 1);
	nacre_node *l = i32(g, 3, (int32_t[]){1, 0, 0});
	CHECK_NODE(nacre_sparse_categorical_accuracy(l, p, NULL), 0, 1, 1, 0);
	CHECK_NODE(nacre_accuracy(l, p, NULL), 0, 1, 1, 0);
	CHECK_NODE(nacre_accuracy(nacre_expand_dims(l, -1), p, NULL), 0, 1, 1, 0);
	/* 0.5 itself is no */
	nacre_node *q = f32(g, 4, 1, (float[]){0.5f, 0.51f, 0.2f, 0.9f});
	nacre_node *b = f32(g, 0, 4, (float[]){0, 1, 1, 1});
	CHECK_NODE(nacre_binary_accuracy(b, q, NULL), 0, 1, 1, 0, 1);
	CHECK_NODE(nacre_accuracy(b, q, NULL), 0, 1, 1, 0, 1);
	CHECK_NODE(nacre_accuracy(i32(g, 4, (int32_t[]){0, 1, 1, 1}), q, NULL), 0, 1, 1, 0, 1);
	nacre_loss_options o = {.threshold = 0.6};
	CHECK_NODE(nacre_accuracy(b, q, &o), 0, 1, 0, 0, 1);
	nacre_graph_free(g);
}

TEST(shapes_that_do_not_fit)
{
	static const char *const all[] = {
	    "categorical_crossentropy: the target is f32 [2, 3], the output f32 [2, 4]",
	    "binary_crossentropy: the target is f32 [2, 3], the output f32 [2, 4]",
	    "mean_squared_error: the target is f32 [2, 3], the output f32 [2, 4]",
	    "mean_absolute_error: the target is f32 [2, 3], the output f32 [2, 4]",
	    "huber: the target is f32 [2, 3], the output f32 [2, 4]",
	    "categorical_accuracy: the target is f32 [2, 3], the output f32 [2, 4]",
	    "binary_accuracy: the target is f32 [2, 3], the output f32 [2, 4]",
	    ("sparse_categorical_crossentropy: the target is i32 [2, 3], the output f32 [2, 4]: "
	     "expected a label for each row of the output"),
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		nacre_graph *g = nacre_graph_new(NULL);
		char name[64] = "";
		memcpy(name, all[i], (size_t)(strchr(all[i], ':') - all[i]));
		nacre_node *t = nacre_fill(g, NACRE_F32, 2, (int64_t[]){2, 3}, 0);
		nacre_node *p = nacre_fill(g, NACRE_F32, 2, (int64_t[]){2, 4}, 0);
		CHECK(nacre_loss_named(name)(t, p, NULL) == NULL);
		CHECK_STR(nacre_graph_error(g)->text, all[i]);
		nacre_graph_free(g);
	}
}

TEST(names)
{
	CHECK(nacre_loss_named("mse") == nacre_mse);
	CHECK(nacre_loss_named("accuracy") == nacre_accuracy);
	CHECK(!nacre_loss_named("accurate"));
	CHECK(!nacre_loss_named(NULL));
	CHECK_STR(nacre_loss_name(nacre_huber), "huber");
	CHECK(!nacre_loss_name(NULL));
	CHECK(nacre_accuracy(NULL, NULL, NULL) == NULL);
	CHECK(nacre_binary_crossentropy(NULL, NULL, NULL) == NULL);
}
