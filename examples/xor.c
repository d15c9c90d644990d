/* SPDX-License-Identifier: MIT
 *
 * xor.c - the level below layers: ops, gradients, and a training loop of one's own.
 *
 * Two inputs, four hidden neurons, one output, plain gradient descent.  Exclusive or is the
 * smallest problem that one neuron cannot learn.
 */
#include <stdio.h>

#include <nacre.h>

static const float inputs[] = {0, 0, 0, 1, 1, 0, 1, 1}, wanted[] = {0, 1, 1, 0};

/* Where the numbers begin matters: all equal, and the hidden neurons would stay equal. */
static nacre_variable *weight(const char *name, int64_t rows, int64_t columns, uint64_t seed,
			      nacre_error *e)
{
	int64_t shape[] = {rows, columns};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, shape, e);
	if (!t)
		return NULL;
	nacre_initializer_options wide = {.stddev = 1};
	nacre_random_normal(t, seed, &wide, e);
	nacre_variable *v = nacre_variable_new(NULL, name, NACRE_F32, 2, shape, t, e);
	nacre_tensor_free(t);
	return v;
}

int main(void)
{
	nacre_error e = {0};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_variable *v[4] = {
	    weight("w1", 2, 4, 1, &e),
	    weight("b1", 1, 4, 2, &e),
	    weight("w2", 4, 1, 3, &e),
	    weight("b2", 1, 1, 4, &e),
	};
	nacre_node *w[4], *dw[4], *output[6];
	for (int i = 0; i < 4; i++)
		w[i] = nacre_use(g, v[i]);

	/* forward: x [4, 2] -> hidden [4, 4] -> y [4, 1] */
	nacre_node *x = nacre_constant(g, NACRE_F32, 2, (int64_t[]){4, 2}, inputs);
	nacre_node *t = nacre_constant(g, NACRE_F32, 2, (int64_t[]){4, 1}, wanted);
	nacre_node *hidden = nacre_tanh(nacre_plus(nacre_matmul(x, w[0]), w[1]));
	nacre_node *y = nacre_sigmoid(nacre_plus(nacre_matmul(hidden, w[2]), w[3]));
	nacre_node *loss = nacre_mean(nacre_binary_crossentropy(t, y, NULL), NACRE_ALL_AXES, false);

	/* backward: more nodes of the same graph; and w = w - 1/2 dw */
	nacre_grad(loss, 4, w, dw);
	for (int i = 0; i < 4; i++)
		output[i] = nacre_assign(w[i], nacre_minus(w[i], nacre_scale(dw[i], 0.5)));
	output[4] = loss;
	output[5] = y;

	nacre_program *step = nacre_program_new(NULL, 0, NULL, 6, output, NULL, &e);
	nacre_tensor *l = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, &e);
	nacre_tensor *p = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){4, 1}, &e);
	for (int i = 0; i <= 1000 && !e.status; i++) {
		nacre_program_run(step, NULL, (nacre_tensor *[]){NULL, NULL, NULL, NULL, l, p}, &e);
		if (i % 100 == 0)
			printf("step %4d  loss %.4f\n", i, nacre_tensor_get(l, 0));
	}
	for (int i = 0; i < 4; i++)
		printf("%g xor %g = %.3f\n", inputs[2 * i], inputs[2 * i + 1],
		       nacre_tensor_get(p, i));

	if (e.status)
		fprintf(stderr, "xor: %s\n", e.text);
	nacre_tensor_free(l);
	nacre_tensor_free(p);
	nacre_program_free(step);
	for (int i = 0; i < 4; i++)
		nacre_variable_free(v[i]);
	nacre_graph_free(g);
	return (int)e.status;
}
