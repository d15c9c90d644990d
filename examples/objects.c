/* SPDX-License-Identifier: MIT
 *
 * objects.c - ten kinds of things in pictures of 32 x 32 told apart by a ResNet-20, trained on
 * pictures that are changed at random; see docs/objects.md.
 *
 *     objects [EPOCHS [SAMPLES]]      18 epochs of all 50,000; writes objects.csv, objects.keras
 */
#include <stdio.h>
#include <stdlib.h>

#include <nacre.h>

enum { SIDE = 32, BATCH = 128 };

/* CIFAR-10, decoded once; at most n pictures of it, in an order drawn by the seed. */
static nacre_dataset *pictures(nacre_mnist_part part, int64_t n)
{
	nacre_dataset *all = nacre_cifar10(part, .data = {.cache = 1, .image.dtype = NACRE_U8});
	nacre_dataset_set_scale(all, 0, 1 / 127.5, -1); /* -1 .. 1: what is shifted in is grey */
	nacre_dataset *some = all;
	if (n < nacre_dataset_size(all)) {
		some = nacre_dataset_slice(all, 0, n);
		nacre_dataset_free(all);
	}
	return some;
}

/* In training every picture is shifted by up to 4 pixels, and every other one is mirrored. */
static nacre_model *changes(void)
{
	nacre_model *m = nacre_sequential("changes");
	nacre_add(m, nacre_input(SIDE, SIDE, 3));
	nacre_add(m, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	nacre_add(m, nacre_random_translation(4.0 / SIDE, 4.0 / SIDE,
					      .fill_mode = NACRE_FILL_CONSTANT,
					      .interpolation = NACRE_NEAREST));
	return m;
}

/* The rate grows to 0.2 in a tenth of the steps, and falls to 0 along a cosine. */
static void compile(nacre_model *m, double steps)
{
	nacre_schedule rate = nacre_cosine_decay(0.01, 0.9 * steps, .warmup_target = 0.2,
						 .warmup_steps = 0.1 * steps);
	nacre_compile(m, .optimizer = nacre_sgd(.momentum = 0.9, .nesterov = 1, .schedule = rate,
						.weight_decay = 0.003),
		      .loss = nacre_sparse_categorical_crossentropy, .metrics = {nacre_accuracy});
}

int main(int argc, char **argv)
{
	int epochs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 18;
	long samples = argc > 2 ? strtol(argv[2], NULL, 10) : 50000;
	nacre_dataset *train = pictures(NACRE_TRAIN, samples);
	nacre_dataset *test = pictures(NACRE_TEST, samples);
	nacre_model *map = changes(), *m = nacre_resnet20();

	nacre_dataset_map(train, map);
	compile(m, (double)epochs * (double)((samples + BATCH - 1) / BATCH));
	nacre_fit(m, train, .epochs = epochs, .batch_size = BATCH, .validation_data = test,
		  .callbacks = {nacre_csv_logger("objects.csv")});
	nacre_result r = nacre_evaluate(m, test, .batch_size = BATCH, .verbose = NACRE_SILENT);
	nacre_save(m, "objects.keras");
	int status = nacre_report(m); /* writes the first error there was, if any; 0 if none */
	if (!status)
		printf("saved objects.keras; test: loss %.4f, accuracy %.4f; in training: accuracy "
		       "%.4f\n",
		       r.loss, r.metric[0], nacre_history(m, "accuracy", epochs - 1));

	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	nacre_model_free(map);
	return status != 0;
}
