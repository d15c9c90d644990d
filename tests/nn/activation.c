/* SPDX-License-Identifier: MIT
 *
 * activation.c - activations against the same formulas in double, and their gradients at places
 * where careless forms give NaN.
 */
#include "run.h"

static double reference(const char *name, double x)
{
	double elu = x > 0 ? x : expm1(x), s = 1 / (1 + exp(-x));
	if (!strcmp(name, "linear"))
		return x;
	if (!strcmp(name, "relu"))
		return x > 0 ? x : 0;
	if (!strcmp(name, "sigmoid"))
		return s;
	if (!strcmp(name, "tanh"))
		return tanh(x);
	if (!strcmp(name, "leaky_relu"))
		return x > 0 ? x : 0.2 * x;
	if (!strcmp(name, "elu"))
		return elu;
	if (!strcmp(name, "selu"))
		return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * elu);
	if (!strcmp(name, "gelu"))
		return x * 0.5 * (1 + erf(x / sqrt(2)));
	if (!strcmp(name, "silu"))
		return x * s;
	if (!strcmp(name, "softplus"))
		return x > 30 ? x : log1p(exp(x));
	return NAN;
}

static const char *const all[] = {"linear", "relu", "sigmoid", "tanh", "leaky_relu",
				  "elu",    "selu", "gelu",    "silu", "softplus"};
enum { NAMES = sizeof all / sizeof *all, POINTS = 61 };

TEST(values)
{
	for (int k = 0; k < NAMES; k++) {
		float x[POINTS];
		double want[POINTS];
		for (int i = 0; i < POINTS; i++) {
			x[i] = (float)(i - 30) * 0.37f;
			want[i] = reference(all[k], (double)x[i]);
		}
		nacre_graph *g = nacre_graph_new(NULL);
		nacre_activation_function *f = nacre_activation_named(all[k]);
		CHECK(f);
		CHECK_STR(nacre_activation_name(f), all[k]);
		check_node(all[k], __LINE__, f(f32(g, 0, POINTS, x)), POINTS, want, 2e-6);
		nacre_graph_free(g);
	}
}

TEST(gradients)
{
	for (int k = 0; k < NAMES; k++) {
		float x[] = {-500, -90, -3, -0.5f, 0.5f, 3, 90, 500};
		double want[8];
		for (int i = 0; i < 8; i++) {
			double h = 1e-5;
			want[i] = (reference(all[k], (double)x[i] + h) -
				   reference(all[k], (double)x[i] - h)) /
				  (2 * h);
		}
		nacre_graph *g = nacre_graph_new(NULL);
		nacre_node *in = f32(g, 0, 8, x), *dx = NULL;
		nacre_grad(nacre_activation_named(all[k])(in), 1, &in, &dx);
		check_node(all[k], __LINE__, dx, 8, want, 1e-5);
		nacre_graph_free(g);
	}
}

TEST(softmax_of_large_numbers)
{
	nacre_graph *g = nacre_graph_new(NULL);
	float x[] = {1000, 1000, -1000, 0, 0, 0};
	CHECK_NODE(nacre_softmax(f32(g, 2, 3, x)), 1e-6, 0.5, 0.5, 0, 1 / 3., 1 / 3., 1 / 3.);
	nacre_graph_free(g);
}

TEST(with_parameters)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = f32(g, 0, 2, (float[]){-2, 3});
	CHECK_NODE(nacre_leaky_relu_slope(x, 0.3), 1e-6, -0.6, 3);
	CHECK_NODE(nacre_elu_alpha(x, 2), 1e-6, 2 * expm1(-2), 3);
	CHECK_NODE(nacre_gelu_tanh(x), 1e-6, -(1 + tanh(sqrt(2 / M_PI) * (-2 - 0.044715 * 8))),
		   1.5 * (1 + tanh(sqrt(2 / M_PI) * (3 + 0.044715 * 27))));
	nacre_graph_free(g);
}

TEST(names)
{
	CHECK(!nacre_activation_named("gelo"));
	CHECK(!nacre_activation_named(NULL));
	CHECK(!nacre_activation_name(NULL));
	CHECK(nacre_activation_named("swish") == nacre_silu);
	CHECK_STR(nacre_activation_name(nacre_silu), "silu");
}

TEST(null_in_null_out)
{
	for (int k = 0; k < NAMES; k++)
		CHECK(nacre_activation_named(all[k])(NULL) == NULL);
}
