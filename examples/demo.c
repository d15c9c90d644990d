/* SPDX-License-Identifier: MIT
 *
 * demo.c - learns to read handwritten digits, then shows some of the test digits in the terminal:
 * a few that it reads right, and the ones it was most sure about and yet got wrong.
 *
 *     demo [FILE.safetensors]      saves the weights there, if a file is named
 */
#include <stdio.h>
#include <string.h>

#include <nacre.h>

enum { SIDE = 28, ACROSS = 3, RIGHT = 3, WRONG = 6 };

typedef struct answer {
	int64_t sample;
	int label, guess;
	double sure;
} answer;

/* Two rows of pixels make one row of text: half blocks, where a pixel is dark or not. */
static void draw(const nacre_dataset *test, const answer *a, int n)
{
	static const char *const block[] = {" ", "▀", "▄", "█"};
	float pixel[ACROSS][SIDE * SIDE];
	for (int k = 0; k < n; k++)
		if (nacre_dataset_sample(test, a[k].sample, pixel[k], NULL))
			memset(pixel[k], 0, sizeof pixel[k]);
	for (int y = 2; y < SIDE - 2; y += 2, puts(""))
		for (int k = 0; k < n; k++, printf("  "))
			for (int x = 2; x < SIDE - 2; x++)
				printf("%s", block[(pixel[k][y * SIDE + x] > 0.35f) +
						   2 * (pixel[k][(y + 1) * SIDE + x] > 0.35f)]);
	for (int k = 0; k < n; k++) {
		char text[64];
		if (a[k].guess == a[k].label)
			snprintf(text, sizeof text, "a %d, %.1f %% sure", a[k].guess,
				 100 * a[k].sure);
		else
			snprintf(text, sizeof text, "%d? is %d, %.1f %% sure", a[k].guess,
				 a[k].label, 100 * a[k].sure);
		printf("%-26s", text);
	}
	puts("\n");
}

static answer read_answer(const nacre_dataset *test, const nacre_tensor *p, int64_t sample)
{
	answer a = {sample, (int)nacre_dataset_label(test, sample), 0, 0};
	for (int c = 0; c < 10; c++) {
		double v = nacre_tensor_get(p, sample * 10 + c);
		if (v > a.sure) {
			a.sure = v;
			a.guess = c;
		}
	}
	return a;
}

/* Keeps the n surest, in order. */
static void keep(answer *best, int *n, int room, answer a)
{
	int i = *n < room ? (*n)++ : room;
	for (; i > 0 && best[i - 1].sure < a.sure; i--)
		if (i < room)
			best[i] = best[i - 1];
	if (i < room)
		best[i] = a;
}

static void show(const nacre_dataset *test, const nacre_tensor *p)
{
	answer right[RIGHT] = {{0}}, wrong[WRONG] = {{0}};
	int n_right = 0, n_wrong = 0;
	int64_t mistakes = 0, n = nacre_dataset_size(test);
	for (int64_t i = 0; i < n; i++) {
		answer a = read_answer(test, p, i);
		if (a.guess != a.label) {
			mistakes++;
			keep(wrong, &n_wrong, WRONG, a);
		} else if (n_right < RIGHT)
			right[n_right++] = a;
	}
	printf("\nSome of the %lld test digits:\n\n", (long long)n);
	draw(test, right, n_right);
	printf("It got %lld wrong; of these it was surest about:\n\n", (long long)mistakes);
	for (int i = 0; i < n_wrong; i += ACROSS)
		draw(test, wrong + i, n_wrong - i < ACROSS ? n_wrong - i : ACROSS);
}

int main(int argc, char **argv)
{
	nacre_dataset *train = nacre_mnist(NACRE_TRAIN), *test = nacre_mnist(NACRE_TEST);

	nacre_model *m = nacre_sequential("digits");
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_summary(m);

	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	nacre_fit(m, train, .epochs = 5, .batch_size = 128);
	nacre_result r = nacre_evaluate(m, test);
	if (!r.status)
		printf("test loss %.4f, accuracy %.4f\n", r.loss, r.metric[0]);

	nacre_tensor *p = nacre_predict(m, test, .batch_size = 1000);
	if (p)
		show(test, p);
	nacre_tensor_free(p);
	if (argc > 1 && nacre_save(m, argv[1]) == NACRE_OK)
		printf("weights saved in %s\n", argv[1]);
	int status = nacre_report(m);
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	return status;
}
