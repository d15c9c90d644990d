/* SPDX-License-Identifier: MIT
 *
 * flowers.c - flowers told apart by a network that was trained on other pictures: transfer, then
 * fine-tuning; see docs/flowers.md.
 *
 *     flowers mobilenet/model.json [SAMPLES]     a MobileNet trained on ImageNet
 *     flowers scratch [SAMPLES]                  the same network with weights drawn at random
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

enum { SIZE = 128, BATCH = 32 };
enum { HEAD_EPOCHS = 40, TUNE_EPOCHS = 8, SCRATCH_EPOCHS = 20 };

/* Four fifths of the photos, or the last fifth, or only the first n of either: the files are in an
 * order drawn by the seed, so that both have all classes. */
static nacre_dataset *photos(nacre_subset part, long n)
{
	nacre_dataset *all = nacre_flowers(.data = {.image = {.height = SIZE, .width = SIZE},
						    .validation_split = 0.2,
						    .subset = part,
						    .batch_size = BATCH});
	nacre_dataset_set_scale(all, 0, 1 / 127.5, -1); /* what the weights expect: -1 .. 1 */
	if (!n || nacre_dataset_size(all) <= n)
		return all;
	nacre_dataset *some = nacre_dataset_slice(all, 0, n);
	nacre_dataset_free(all);
	return some;
}

/* What the frozen layers make of every photo, computed once: training the head is then a matter of
 * seconds. */
static nacre_dataset *features_of(nacre_model *base, nacre_dataset *photos)
{
	nacre_tensor *x = nacre_predict(base, photos, .verbose = NACRE_BAR);
	nacre_dataset *features =
	    nacre_dataset_from_tensors(NULL, x, nacre_dataset_target(photos, 0));
	nacre_tensor_free(x);
	return features;
}

static void compile(nacre_model *m, double rate)
{
	nacre_compile(m, .optimizer = nacre_adam(.learning_rate = rate),
		      .loss = nacre_sparse_categorical_crossentropy, .metrics = {nacre_accuracy});
}

static nacre_model *new_head(void)
{
	nacre_model *head = nacre_sequential("head");
	nacre_add(head, nacre_input(1, 1, 256));
	nacre_add(head, nacre_flatten());
	nacre_add(head, nacre_batch_normalization());
	nacre_add(head, nacre_dropout(0.3));
	nacre_add(head, nacre_dense(5, .activation = nacre_softmax));
	compile(head, 1e-3);
	return head;
}

/* Lets the upper blocks learn, batch normalization too: the photos are much more blurred than those
 * of ImageNet, and their statistics are others. */
static void thaw_top(nacre_layer *body, nacre_model *base)
{
	bool top = false;
	nacre_layer_set_trainable(body, true);
	for (int i = 0; i < nacre_model_layers(base); i++) {
		nacre_layer *l = nacre_model_layer(base, i);
		top |= strcmp(nacre_layer_name(l), "conv_dw_4") == 0;
		nacre_layer_set_trainable(l, top);
	}
}

static nacre_model *transfer(const char *path, nacre_dataset *train, nacre_dataset *test)
{
	/* nacre_load(NULL, path, &error) would do, but for photos of 224 x 224 */
	nacre_model *base =
	    nacre_mobilenet(.alpha = 0.25, .input_shape = {SIZE, SIZE, 3}, .weights = path);
	nacre_model *head = new_head();
	if (nacre_report(base)) {
		nacre_model_free(head);
		return base;
	}
	nacre_cut(base, "global_average_pooling2d");
	printf("features of %lld and %lld photos\n", (long long)nacre_dataset_size(train),
	       (long long)nacre_dataset_size(test));
	nacre_dataset *x = features_of(base, train), *unseen = features_of(base, test);
	nacre_fit(head, x, .epochs = HEAD_EPOCHS, .validation_data = unseen,
		  .verbose = NACRE_SILENT);
	nacre_result r = nacre_evaluate(head, unseen, .verbose = NACRE_SILENT);
	printf("new head: accuracy %.4f\n", r.metric[0]);

	nacre_model *m = nacre_sequential("flowers");
	nacre_layer *body = nacre_nested(base);
	nacre_add(m, nacre_input(SIZE, SIZE, 3));
	nacre_add(m, body);
	nacre_add(m, nacre_nested(head));
	thaw_top(body, base);
	compile(m, 5e-4);
	nacre_fit(m, train, .epochs = TUNE_EPOCHS, .validation_data = test);
	nacre_dataset_free(x);
	nacre_dataset_free(unseen);
	return m;
}

static nacre_model *scratch(nacre_dataset *train, nacre_dataset *test)
{
	nacre_model *m = nacre_mobilenet(.alpha = 0.25, .input_shape = {SIZE, SIZE, 3},
					 .classes = 5);
	compile(m, 1e-3);
	nacre_fit(m, train, .epochs = SCRATCH_EPOCHS, .validation_data = test);
	return m;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: flowers MODEL.json|scratch [SAMPLES]\n");
		return 2;
	}
	long n = argc > 2 ? strtol(argv[2], NULL, 10) : 0;
	nacre_dataset *train = photos(NACRE_SUBSET_TRAINING, n);
	nacre_dataset *test = photos(NACRE_SUBSET_VALIDATION, n);
	bool alone = strcmp(argv[1], "scratch") == 0;
	nacre_model *m = alone ? scratch(train, test) : transfer(argv[1], train, test);

	nacre_result r = nacre_evaluate(m, test, .verbose = NACRE_SILENT);
	if (!alone)
		nacre_save(m, "flowers.keras");
	int status = m ? nacre_report(m) : 1;
	if (!status)
		printf("%s: %lld photos not seen in training: loss %.4f, accuracy %.4f\n", argv[1],
		       (long long)nacre_dataset_size(test), r.loss, r.metric[0]);
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	return status != 0;
}
