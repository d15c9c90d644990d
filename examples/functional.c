/* SPDX-License-Identifier: MIT
 *
 * functional.c - layers as a graph: two inputs, a layer used twice, a sum past a layer, a joint.
 *
 * The task: two points of the plane; are they on the same side of the unit circle?
 */
#include <stdio.h>

#include <nacre.h>

enum { SAMPLES = 4000 };

static double next_number(uint64_t *state) /* -1.5 .. 1.5 */
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (double)(*state >> 40) / (double)(1 << 24) * 3 - 1.5;
}

static nacre_dataset *points(void)
{
	int64_t pair[] = {SAMPLES, 2}, one[] = {SAMPLES, 1};
	nacre_tensor *a = nacre_tensor_new(NULL, NACRE_F32, 2, pair, NULL);
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_F32, 2, pair, NULL);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, one, NULL);
	uint64_t state = 1;
	for (int i = 0; i < SAMPLES && a && b && t; i++) {
		double x = next_number(&state), y = next_number(&state);
		double u = next_number(&state), v = next_number(&state);
		nacre_tensor_set(a, 2 * i, x);
		nacre_tensor_set(a, 2 * i + 1, y);
		nacre_tensor_set(b, 2 * i, u);
		nacre_tensor_set(b, 2 * i + 1, v);
		nacre_tensor_set(t, i, (x * x + y * y < 1) == (u * u + v * v < 1));
	}
	const nacre_tensor *inputs[] = {a, b}, *targets[] = {t};
	nacre_dataset *d = nacre_dataset_new(NULL, 2, inputs, 1, targets);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(t);
	return d;
}

int main(void)
{
	nacre_dataset *data = points();
	nacre_model *m = nacre_functional("same side");
	nacre_value *a = nacre_model_input(m, nacre_input(2));
	nacre_value *b = nacre_model_input(m, nacre_input(2));

	/* both points go through the same two layers */
	nacre_layer *look = nacre_dense(32, .activation = nacre_relu, .name = "look");
	nacre_layer *judge = nacre_dense(16, .activation = nacre_tanh, .name = "judge");
	a = nacre_apply(judge, nacre_apply(look, a));
	b = nacre_apply(judge, nacre_apply(look, b));

	nacre_value *x = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){a, b});
	nacre_value *y = nacre_apply(nacre_dense(32, .activation = nacre_relu), x);
	y = nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){x, y});
	nacre_model_output(m, nacre_apply(nacre_dense(1, .activation = nacre_sigmoid), y));
	nacre_summary(m);

	nacre_compile(m, .optimizer = nacre_adam(.learning_rate = 0.005),
		      .loss = nacre_binary_crossentropy, .metrics = {nacre_accuracy});
	nacre_fit(m, data, .epochs = 20, .validation_split = 0.25, .verbose = NACRE_LINE);
	printf("accuracy on new points: %.3f\n", nacre_history(m, "val_accuracy", 19));

	int status = nacre_report(m);
	nacre_model_free(m);
	nacre_dataset_free(data);
	return status;
}
