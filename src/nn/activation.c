/* SPDX-License-Identifier: MIT
 *
 * activation.c - the activations, and their names.
 */
#include "nn/activation.h"

#include <string.h>

#include "ir/ir.h"

static nacre_node *number(nacre_node *x, double value)
{
	return x ? nacre_scalar(x->graph, x->dtype, value) : NULL;
}

static nacre_node *positive(nacre_node *x)
{
	return nacre_greater(x, number(x, 0));
}

nacre_node *nacre_linear(nacre_node *x)
{
	return x;
}

nacre_node *nacre_leaky_relu_slope(nacre_node *x, double negative_slope)
{
	return nacre_select(positive(x), x, nacre_scale(x, negative_slope));
}

nacre_node *nacre_leaky_relu(nacre_node *x)
{
	return nacre_leaky_relu_slope(x, 0.2);
}

/* expm1 sees min(x, 0): where x is large it must not overflow, not even unused, for its gradient is
 * multiplied by 0 */
nacre_node *nacre_elu_alpha(nacre_node *x, double alpha)
{
	nacre_node *low = nacre_expm1(nacre_minimum(x, number(x, 0)));
	return nacre_select(positive(x), x, nacre_scale(low, alpha));
}

nacre_node *nacre_elu(nacre_node *x)
{
	return nacre_elu_alpha(x, 1);
}

nacre_node *nacre_selu(nacre_node *x)
{
	return nacre_scale(nacre_elu_alpha(x, 1.6732632423543772), 1.0507009873554805);
}

/* sqrt(2 / pi) (x + 0.044715 x^3) */
nacre_node *nacre_gelu_tanh(nacre_node *x)
{
	nacre_node *cube = nacre_times(x, nacre_square(x));
	nacre_node *inner = nacre_plus(x, nacre_scale(cube, 0.044715));
	nacre_node *p = nacre_add_number(nacre_tanh(nacre_scale(inner, 0.79788456080286536)), 1);
	return nacre_times(nacre_scale(x, 0.5), p);
}

nacre_node *nacre_silu(nacre_node *x)
{
	return nacre_times(x, nacre_sigmoid(x));
}

/* The first name of a function is the one it is shown by. */
static const struct row {
	const char *name;
	nacre_activation_function *function;
} rows[] = {
    {"linear", nacre_linear},
    {"relu", nacre_relu},
    {"sigmoid", nacre_sigmoid},
    {"tanh", nacre_tanh},
    {"softmax", nacre_softmax},
    {"leaky_relu", nacre_leaky_relu},
    {"elu", nacre_elu},
    {"selu", nacre_selu},
    {"gelu", nacre_gelu},
    {"silu", nacre_silu},
    {"swish", nacre_silu},
    {"softplus", nacre_softplus},
    {"exponential", nacre_exp},
    {"relu6", nacre_relu6},
    {"celu", nacre_celu},
    {"mish", nacre_mish},
    {"glu", nacre_glu},
    {"softsign", nacre_softsign},
    {"squareplus", nacre_squareplus},
    {"log_sigmoid", nacre_log_sigmoid},
    {"log_softmax", nacre_log_softmax},
    {"hard_sigmoid", nacre_hard_sigmoid},
    {"hard_silu", nacre_hard_silu},
    {"hard_swish", nacre_hard_silu},
    {"hard_tanh", nacre_hard_tanh},
    {"sparse_sigmoid", nacre_sparse_sigmoid},
    {"sparse_plus", nacre_sparse_plus},
    {"threshold", nacre_threshold},
    {"hard_shrink", nacre_hard_shrink},
    {"soft_shrink", nacre_soft_shrink},
    {"tanh_shrink", nacre_tanh_shrink},
    {"sparsemax", nacre_sparsemax},
};

const char *nc_activation_at(int i)
{
	return i >= 0 && (size_t)i < sizeof rows / sizeof *rows ? rows[i].name : NULL;
}

nacre_activation_function *nacre_activation_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].function;
	return NULL;
}

const char *nacre_activation_name(nacre_activation_function *function)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].function == function)
			return rows[i].name;
	return NULL;
}
