/* SPDX-License-Identifier: MIT
 *
 * nacre/data.h - data sets: what nacre_fit() reads.
 *
 * A data set is a list of samples; a sample has one or more inputs and any number of targets.
 * Behind each stands one tensor whose first axis counts the samples: [n, ...].  Its storage is
 * shared, not copied, and its type is kept (images as u8 take a quarter of the memory of f32):
 * numbers become f32, y = x * scale + offset, while a batch is put together.
 *
 *     nacre_dataset *train = nacre_mnist(NACRE_TRAIN);
 *     nacre_dataset *mine = nacre_dataset_from_tensors(NULL, x, y);  // x, y: [n, ...]
 *     nacre_dataset_set_scale(mine, 0, 1.0 / 255, 0);
 *
 * Errors are sticky: a data set that could not be made is still an object, with no samples and an
 * error that tells why (nacre_dataset_error); NULL comes back only when there was no memory even
 * for that.  Every function accepts NULL.
 */
#ifndef NACRE_DATA_H
#define NACRE_DATA_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_dataset nacre_dataset;

enum { NACRE_MAX_COLUMNS = 16 }; /* inputs and targets of a data set together */

/* One input x, one target y (NULL: none), of equal first sizes.  The tensors may be freed at once.
 * A tensor that is not contiguous is copied, once. */
nacre_dataset *nacre_dataset_from_tensors(nacre_runtime *runtime, const nacre_tensor *x,
					  const nacre_tensor *y);
/* Several of each: at least one input, at most NACRE_MAX_COLUMNS in all. */
nacre_dataset *nacre_dataset_new(nacre_runtime *runtime, int n_inputs,
				 const nacre_tensor *const *inputs, int n_targets,
				 const nacre_tensor *const *targets);
void nacre_dataset_free(nacre_dataset *dataset);

/* Samples begin .. end-1 as a data set of its own (it may outlive this one): training and
 * validation parts.  0 <= begin <= end <= size. */
nacre_dataset *nacre_dataset_slice(const nacre_dataset *dataset, int64_t begin, int64_t end);

/* Input i is fed as x * scale + offset in f32; at first scale is 1, offset 0. */
nacre_status nacre_dataset_set_scale(nacre_dataset *dataset, int input, double scale,
				     double offset);
/* Target i holds labels 0 .. classes-1; checked here, once.  0: it holds no labels. */
nacre_status nacre_dataset_set_classes(nacre_dataset *dataset, int target, int64_t classes);

/* The first error; status NACRE_OK: none. */
const nacre_error *nacre_dataset_error(const nacre_dataset *dataset);
int64_t nacre_dataset_size(const nacre_dataset *dataset); /* samples; 0 after an error */
int nacre_dataset_inputs(const nacre_dataset *dataset);
int nacre_dataset_targets(const nacre_dataset *dataset);
/* The tensor behind an input or a target, borrowed: its type, and its shape [n, ...]; NULL when
 * there is none, as where samples are made when they are needed (nacre/image_data.h). */
const nacre_tensor *nacre_dataset_input(const nacre_dataset *dataset, int input);
const nacre_tensor *nacre_dataset_target(const nacre_dataset *dataset, int target);
int64_t nacre_dataset_classes(const nacre_dataset *dataset, int target); /* 0: not known */
/* The shape of one sample of an input, borrowed, and its rank; NULL when there is none. */
const int64_t *nacre_dataset_shape(const nacre_dataset *dataset, int input, int *rank);

/* Input 0 of one sample as it is fed to a model: `x` has room for the product of its shape without
 * the first axis.  And the whole number in target 0: -1 where there is none. */
nacre_status nacre_dataset_sample(const nacre_dataset *dataset, int64_t index, float *x,
				  nacre_error *error);
int64_t nacre_dataset_label(const nacre_dataset *dataset, int64_t index);

/* -- MNIST
 * 60,000 (NACRE_TRAIN) or 10,000 (NACRE_TEST) handwritten digits by LeCun, Cortes and Burges.
 * Input: x: [n, 784], u8, fed as x / 255; with .image = 1: [n, 28, 28, 1].  Target: labels
 * 0 .. 9, u8.
 *
 *     nacre_mnist(NACRE_TRAIN)
 *     nacre_mnist(NACRE_TEST, .folder = "my/mnist", .image = 1)
 *
 * The four files keep their usual names (train-images-idx3-ubyte ...), with or without ".gz".  They
 * come with Nacre and are looked for in $NACRE_DATA/mnist, in the data folder of the source tree
 * that the library was built from, where it was installed, and in ../share/nacre/mnist beside
 * the library itself.  A folder given is the only one looked at.  If nothing is found the error
 * lists the folders. */
typedef enum nacre_mnist_part { NACRE_TRAIN, NACRE_TEST } nacre_mnist_part;

typedef struct nacre_mnist_options {
	nacre_mnist_part part;
	const char *folder;     /* NULL: search */
	int image;              /* 1: samples are [28, 28, 1], not [784] */
	nacre_runtime *runtime; /* NULL: the default one */
} nacre_mnist_options;

nacre_dataset *nacre_mnist_open(const nacre_mnist_options *options);
nacre_dataset *nacre_mnist_from(nacre_mnist_part part, const char *folder);
#ifdef __cplusplus
static inline nacre_dataset *nacre_mnist(nacre_mnist_part part)
{
	return nacre_mnist_from(part, 0);
}
#else
#define nacre_mnist(...) nacre_mnist_open(&(nacre_mnist_options){.part = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
