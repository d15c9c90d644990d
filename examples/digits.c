/* SPDX-License-Identifier: MIT
 *
 * digits.c - handwritten digits by a convolutional network, Keras's example for MNIST; see
 * docs/digits.md.
 *
 *     digits [EPOCHS [SAMPLES]]      12 epochs of all 60,000
 */
#include <stdio.h>
#include <stdlib.h>

#include <nacre.h>

/* The rate falls to 0 along a cosine: a constant one leaves the weights moving to and fro. */
static nacre_model *network(double steps)
{
	nacre_model *m = nacre_sequential("digits");
	nacre_add(m, nacre_input(28, 28, 1));
	nacre_add(m, nacre_conv2d(32, {3, 3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
	nacre_add(m, nacre_conv2d(64, {3, 3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dropout(0.5));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(.schedule = nacre_cosine_decay(0.003, steps)),
		      .loss = nacre_categorical_crossentropy, .metrics = {nacre_accuracy});
	return m;
}

int main(int argc, char **argv)
{
	int epochs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 12;
	long samples = argc > 2 ? strtol(argv[2], NULL, 10) : 60000;
	nacre_dataset *all = nacre_mnist(NACRE_TRAIN, .image = 1);
	nacre_dataset *test = nacre_mnist(NACRE_TEST, .image = 1);
	nacre_dataset *train = nacre_dataset_slice(all, 0, samples);
	nacre_model *m = network((double)(epochs * ((samples + 127) / 128)));

	nacre_summary(m);
	nacre_fit(m, train, .epochs = epochs, .batch_size = 128);
	nacre_result r = nacre_evaluate(m, test, .batch_size = 500, .verbose = NACRE_SILENT);
	nacre_save(m, "digits.keras");
	int status = nacre_report(m); /* writes the first error there was, if any; 0 if none */
	if (!status)
		printf("test: loss %.4f, accuracy %.4f; saved digits.keras\n", r.loss, r.metric[0]);

	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	nacre_dataset_free(all);
	return status != 0;
}
