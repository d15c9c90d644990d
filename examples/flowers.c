/* SPDX-License-Identifier: MIT
 *
 * flowers.c - flowers told apart by a network that was trained on other pictures and is trained
 * further on these, which are changed at random; see docs/flowers.md.
 *
 *     flowers mobilenet/model.json [EPOCHS [SAMPLES]]     a MobileNet trained on ImageNet
 *     flowers scratch [EPOCHS [SAMPLES]]                  the same with weights drawn at random
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

enum { SIZE = 192, CLASSES = 5, BATCH = 32, EPOCHS = 20 };

/* Four fifths of the photos, or the last fifth, or only the first n of either: the files are in an
 * order drawn by the seed, so that both have all classes. */
static nacre_dataset *photos(nacre_subset part, int64_t n)
{
	nacre_dataset *all = nacre_flowers(
	    .data = {.image = {.height = SIZE, .width = SIZE, .dtype = NACRE_U8},
		     .validation_split = 0.2,
		     .subset = part,
		     .cache = 1});
	nacre_dataset_set_scale(all, 0, 1 / 127.5, -1); /* what the weights expect: -1 .. 1 */
	if (!n || nacre_dataset_size(all) <= n)
		return all;
	nacre_dataset *some = nacre_dataset_slice(all, 0, n);
	nacre_dataset_free(all);
	return some;
}

/* No photo is seen twice the same: mirrored, turned, nearer or farther, moved, paler. */
static nacre_model *changes(void)
{
	nacre_model *m = nacre_sequential("changes");
	nacre_add(m, nacre_input(SIZE, SIZE, 3));
	nacre_add(m, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	nacre_add(m, nacre_random_rotation(0.05));
	nacre_add(m, nacre_random_zoom(0.2, .width_factor = 0.2));
	nacre_add(m, nacre_random_translation(0.1, 0.1));
	nacre_add(m, nacre_random_contrast(0.2, .factor_high = 0.2, .value_range = {-1, 1}));
	return m;
}

static nacre_node *reversed(int n, nacre_node *const *x, void *context)
{
	(void)n, (void)context;
	return nacre_reverse(x[0], NACRE_AXIS(2));
}

static nacre_model *mirror(void)
{
	nacre_model *m = nacre_sequential("mirror");
	nacre_add(m, nacre_input(SIZE, SIZE, 3));
	nacre_add(m, nacre_lambda(reversed));
	return m;
}

/* The network without its head, and a new head.  All of it learns, for the photos are much more
 * blurred than those of ImageNet.  The rate grows in a tenth of the steps, and falls to 0. */
static nacre_model *network(const char *weights, double steps)
{
	nacre_model *body = nacre_mobilenet(.alpha = 0.25, .input_shape = {SIZE, SIZE, 3},
					    .weights = weights);
	nacre_model *m = nacre_sequential("flowers");
	nacre_cut(body, "conv_pw_13_relu");
	nacre_add(m, nacre_input(SIZE, SIZE, 3));
	nacre_add(m, nacre_nested(body));
	nacre_add(m, nacre_global_average_pooling2d());
	nacre_add(m, nacre_dropout(0.2));
	nacre_add(m, nacre_dense(CLASSES, .activation = nacre_softmax));
	nacre_schedule rate = nacre_cosine_decay(1e-4, 0.9 * steps, .warmup_target = 3e-3,
						 .warmup_steps = 0.1 * steps);
	nacre_compile(m, .optimizer = nacre_adamw(.schedule = rate, .weight_decay = 0.05),
		      .loss = nacre_categorical_crossentropy,
		      .loss_options = {.label_smoothing = 0.1}, .metrics = {nacre_accuracy});
	return m;
}

/* The share of the photos whose class is the likeliest; with b, by the sum of both answers. */
static double accuracy(const nacre_tensor *a, const nacre_tensor *b, const nacre_dataset *photos)
{
	int64_t n = nacre_dataset_size(photos), right = 0;
	for (int64_t i = 0; a && b && i < n; i++) {
		const float *x = (const float *)nacre_tensor_data(a) + i * CLASSES;
		const float *y = (const float *)nacre_tensor_data(b) + i * CLASSES;
		int best = 0;
		for (int k = 1; k < CLASSES; k++)
			if (x[k] + y[k] > x[best] + y[best])
				best = k;
		right += best == nacre_dataset_label(photos, i);
	}
	return (double)right / (double)n;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: flowers MODEL.json|scratch [EPOCHS [SAMPLES]]\n");
		return 2;
	}
	int epochs = argc > 2 ? (int)strtol(argv[2], NULL, 10) : EPOCHS;
	long n = argc > 3 ? strtol(argv[3], NULL, 10) : 0;
	bool alone = strcmp(argv[1], "scratch") == 0;
	nacre_dataset *train = photos(NACRE_SUBSET_TRAINING, n);
	nacre_dataset *test = photos(NACRE_SUBSET_VALIDATION, n);
	double batches = (double)(nacre_dataset_size(train) / BATCH + 1);
	nacre_model *m = network(alone ? NULL : argv[1], epochs * batches);
	nacre_model *map = changes(), *turn = mirror();

	nacre_dataset_map(train, map);
	nacre_fit(m, train, .epochs = epochs, .batch_size = BATCH,
		  .callbacks = {nacre_csv_logger("flowers.csv")});
	if (!alone)
		nacre_save(m, "flowers.keras");
	nacre_tensor *y = nacre_predict(m, test);
	nacre_dataset_map(test, turn);
	nacre_tensor *mirrored = nacre_predict(m, test);
	int status = m ? nacre_report(m) : 1;
	if (!status)
		printf("%lld photos not seen in training, as they are: %.4f\n"
		       "%s, and with what it says of them mirrored: accuracy %.4f\n",
		       (long long)nacre_dataset_size(test), accuracy(y, y, test), argv[1],
		       accuracy(y, mirrored, test));
	nacre_tensor_free(y);
	nacre_tensor_free(mirrored);
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	nacre_model_free(map);
	nacre_model_free(turn);
	return status != 0;
}
