/* SPDX-License-Identifier: MIT
 *
 * mnist.c - handwritten digits: the whole of training, testing and saving a network.
 */
#include <stdio.h>

#include <nacre.h>

int main(void)
{
	nacre_dataset *train = nacre_mnist(NACRE_TRAIN), *test = nacre_mnist(NACRE_TEST);

	nacre_model *m = nacre_sequential("mnist");
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));

	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy,
			 .metrics = { nacre_accuracy });
	nacre_fit(m, train, .epochs = 5, .batch_size = 128);
	nacre_result r = nacre_evaluate(m, test);
	printf("test loss %.4f, accuracy %.4f\n", r.loss, r.metric[0]);

	nacre_save(m, "mnist.safetensors");
	int status = nacre_report(m);   /* writes the first error there was, if any; 0 if none */
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	return status;
}
