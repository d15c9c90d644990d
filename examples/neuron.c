/* SPDX-License-Identifier: MIT
 *
 * neuron.c - one neuron, y = f(w x + b), and what each activation f makes of it.
 *
 * Draws y for x from -4 to 4, with w = 1 and b = 0 or as given:  neuron 2 -1
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <nacre.h>

enum { WIDTH = 65, HEIGHT = 13 };

static const char *const names[] = {"linear", "relu", "leaky_relu", "elu",  "selu",
				    "gelu",   "silu", "softplus",   "tanh", "sigmoid"};

static void plot(const char *name, const nacre_tensor *y)
{
	double low = -2, high = 4;
	char screen[HEIGHT][WIDTH + 1];
	int zero = (int)lround(high / (high - low) * (HEIGHT - 1));
	for (int r = 0; r < HEIGHT; r++) {
		for (int c = 0; c < WIDTH; c++)
			screen[r][c] = c == WIDTH / 2 ? '|' : r == zero ? '-' : ' ';
		screen[r][WIDTH] = 0;
	}
	for (int c = 0; c < WIDTH; c++) {
		double at = (high - nacre_tensor_get(y, c)) / (high - low) * (HEIGHT - 1);
		if (at > -0.5 && at < HEIGHT - 0.5)
			screen[(int)lround(at)][c] = '*';
	}
	printf("%s\n", name);
	for (int r = 0; r < HEIGHT; r++)
		printf("%6.1f  %s\n", high - (high - low) * r / (HEIGHT - 1), screen[r]);
	puts("");
}

int main(int argc, char **argv)
{
	double w = argc > 1 ? strtod(argv[1], NULL) : 1, b = argc > 2 ? strtod(argv[2], NULL) : 0;
	nacre_error e = {0};
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){WIDTH, 1}, &e);
	for (int c = 0; x && c < WIDTH; c++)
		nacre_tensor_set(x, c, 8.0 * c / (WIDTH - 1) - 4);
	printf("y = f(%g x + %g), x from -4 to 4\n\n", w, b);
	int status = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++) {
		nacre_model *m = nacre_sequential(names[i]);
		nacre_add(m, nacre_input(1));
		nacre_add(m, nacre_dense(1, .activation = nacre_activation_named(names[i]),
					 .kernel_initializer = nacre_constant_value,
					 .kernel_initializer_options = {.value = w},
					 .bias_initializer = nacre_constant_value,
					 .bias_initializer_options = {.value = b}));
		nacre_tensor *y = nacre_predict_tensor(m, x);
		if (y)
			plot(names[i], y);
		nacre_tensor_free(y);
		status = nacre_report(m);
		nacre_model_free(m);
	}
	nacre_tensor_free(x);
	return status;
}
