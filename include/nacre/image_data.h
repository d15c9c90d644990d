/* SPDX-License-Identifier: MIT
 *
 * nacre/image_data.h - data sets of pictures in folders, decoded while the model trains.
 *
 *     nacre_dataset *train = nacre_image_dataset_from_directory(
 *         "photos", .image.height = 96, .image.width = 96, .validation_split = 0.2,
 *         .subset = NACRE_SUBSET_TRAINING);
 *     nacre_dataset *test = nacre_image_dataset_from_directory(
 *         "photos", .image.height = 96, .image.width = 96, .validation_split = 0.2,
 *         .subset = NACRE_SUBSET_VALIDATION);
 *     nacre_fit(m, train, .epochs = 10, .validation_data = test);
 *
 * "photos" holds a folder for each class, photos/cat/..., photos/dog/...: classes are numbered in
 * the order of their names (of bytes).  Files lie in them at any depth; a name is a picture's if it
 * ends in .png, .jpg, .jpeg, .jpe, .bmp, .dib, .ppm, .pgm, .pnm or .pbm, in letters of either case.
 * Files are told by their contents, so a PNG called .jpg is read.  Other names are listed as
 * problems and left out; those that begin with a dot are passed over.
 *
 * The samples are x: [height, width, channels], 0 .. 255, as f32; a Rescaling layer or
 * nacre_dataset_set_scale() brings them to what the model wants.  They are read, decoded and
 * resized by the threads of the runtime while the step before is computed.  Order and bits do not
 * depend on how many threads there are.  A batch in nacre_fit() is of any files of the set: its
 * order is new in every epoch.
 */
#ifndef NACRE_IMAGE_DATA_H
#define NACRE_IMAGE_DATA_H

#include "data.h"
#include "image.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* The target: a label, i32 [n]; a row with a 1 at the label, f32 [n, classes]; of two classes 0 or
 * 1, f32 [n, 1]; none. */
typedef enum nacre_label_mode {
	NACRE_LABEL_INT,
	NACRE_LABEL_CATEGORICAL,
	NACRE_LABEL_BINARY,
	NACRE_LABEL_NONE
} nacre_label_mode;

typedef enum nacre_subset {
	NACRE_SUBSET_ALL,
	NACRE_SUBSET_TRAINING,
	NACRE_SUBSET_VALIDATION
} nacre_subset;

/* Files that are empty, damaged, cut off, too large, or no pictures in spite of their names:
 *   REFUSE  the data set has an error that names the first.  The heads of all files are read when
 *           it is made; damage behind them is found when the picture is wanted, and ends fit.
 *   CHECK   the same, but all are decoded when it is made: nothing can turn up later
 *   SKIP    as CHECK, but such files are left out, and listed as problems */
typedef enum nacre_bad_files {
	NACRE_BAD_FILES_REFUSE,
	NACRE_BAD_FILES_CHECK,
	NACRE_BAD_FILES_SKIP
} nacre_bad_files;

typedef struct nacre_image_dataset_options {
	const char *folder;
	/* Size (256 x 256 if 0), colour (RGB if not said), interpolation, aspect, limits; of u8 the
	 * numbers are whole, and a cache is a quarter as large. */
	nacre_image_options image;
	nacre_label_mode label_mode;
	/* The classes in an order of one's own: names of folders, some or all. */
	const char *const *class_names;
	int n_class_names;
	int64_t batch_size; /* for fit, evaluate and predict where they are given none; 0: 32 */
	/* The files are put in an order drawn by the seed; then the last floor(split * n) are for
	 * validation. */
	int no_shuffle; /* 1: in the order of their names, class by class */
	uint64_t seed;
	double validation_split; /* 0 <= split < 1, with a subset other than ALL */
	nacre_subset subset;
	/* Decoded once, then kept: in memory, or in a file, which later runs with the same files
	 * and options use too.  The file is a cache: it may be deleted at any time.  Each data set
	 * needs its own. */
	int cache;
	int64_t cache_limit; /* bytes; a cache in memory that would be larger is not made; 0: any */
	const char *cache_file;
	/* 0: in every epoch any order.  n: as a window of n samples would give that moves over them
	 * (tf.data's shuffle(n)), so that neighbours on the disk stay near each other. */
	int64_t shuffle_window;
	nacre_bad_files bad_files;
	int follow_links;       /* 1: into folders that are links */
	nacre_runtime *runtime; /* NULL: the default one */
} nacre_image_dataset_options;

/* NULL only when there was no memory even for the error. */
nacre_dataset *nacre_image_dataset_open(const nacre_image_dataset_options *options);
#ifndef __cplusplus
#define nacre_image_dataset_from_directory(...)                                                    \
	nacre_image_dataset_open(&(nacre_image_dataset_options){.folder = __VA_ARGS__})
#endif

/* Of such data sets, borrowed: the classes; the path of a sample; what was left out, as "path:
 * why" (the first 100).  NULL past the end, and of other data sets. */
const char *nacre_dataset_class_name(const nacre_dataset *dataset, int i);
const char *nacre_dataset_file(const nacre_dataset *dataset, int64_t sample);
int64_t nacre_dataset_problems(const nacre_dataset *dataset);
const char *nacre_dataset_problem(const nacre_dataset *dataset, int64_t i);

/* -- sets that are known
 * Looked for as MNIST is (nacre/data.h), under these names; script/data unpacks them there.  All
 * options but those named count; a folder given is the only one looked at.
 *
 *   nacre_cifar10(NACRE_TRAIN)  cifar10-jpeg/train (50,000) or test (10,000), JPEG copies of the
 *                               CIFAR-10 pictures by Krizhevsky, Nair and Hinton: 32 x 32 RGB, 10
 *                               classes
 *   nacre_orl_faces()           orl-faces/orl_faces: 40 people, 10 pictures each, by AT&T
 *                               Laboratories Cambridge: 112 x 92 grey; classes s1 ... s40
 *   nacre_flowers()             flowers-small/flowers: 4,317 photos, 128 x 128 RGB, 5 classes */
typedef struct nacre_image_set_options {
	nacre_mnist_part part; /* of cifar10 */
	nacre_image_dataset_options data;
} nacre_image_set_options;
nacre_dataset *nacre_cifar10_open(const nacre_image_set_options *options);
nacre_dataset *nacre_orl_faces_open(const nacre_image_set_options *options);
nacre_dataset *nacre_flowers_open(const nacre_image_set_options *options);
#ifndef __cplusplus
#define nacre_cifar10(...) nacre_cifar10_open(&(nacre_image_set_options){.part = __VA_ARGS__})
#define nacre_orl_faces(...)                                                                       \
	nacre_orl_faces_open(&(nacre_image_set_options){.part = NACRE_TRAIN, __VA_ARGS__})
#define nacre_flowers(...)                                                                         \
	nacre_flowers_open(&(nacre_image_set_options){.part = NACRE_TRAIN, __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
