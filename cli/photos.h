/* SPDX-License-Identifier: MIT
 *
 * photos.h - models of photos: a folder for each class to a trained model, and its answers.
 *
 * The model is a .keras file.  What the layers do not tell stands in it as the note "nacre.photos":
 * JSON with the names of the classes, the colour, and how pixels become the model's numbers.
 *
 * All return 0, or the exit code after an error was printed.
 */
#ifndef PHOTOS_H
#define PHOTOS_H

#include "command.h"

bool is_folder(const char *path);
bool is_picture(const char *path); /* by its first bytes */
/* Whether `model` is one of photos; loads it into *m then. */
bool photos_model(const char *path, nacre_model **m, int *code);

/* A model of pictures, and what its numbers mean. */
typedef struct photos {
	nacre_model *m;
	int64_t height, width, channels;
	double scale, offset; /* number of the model = pixel * scale + offset */
	int n;                /* 0: the names are not known */
	char **class_name;
	nacre_model *base; /* of --from: what is in front of m */
	int epochs;
} photos;
#define PIXEL_RANGES "auto|0..255|0..1|-1..1"
/* One in a file; `pixels`: which word of PIXEL_RANGES.  photos_free() in any case. */
int photos_open(photos *p, const char *path, int pixels);
void photos_free(photos *p);
nacre_image_color photos_color(int64_t channels);
/* Pictures that can be read, in [n, height, width, channels] of 0 .. 255; file[i]: which they are,
 * *good: how many; the others are errors on stderr, and *code.  NULL: none. */
nacre_tensor *photos_load(const photos *p, int n, char **pictures, int *file, int *good, int *code);

typedef struct photos_options {
	const char *model, *from, *output, *hidden, *history;
	int pixels, skip_bad;
	int64_t epochs, fine_tune, batch, patience, seed, size;
	double validation, test, rate, dropout;
} photos_options;
int photos_train(const char *folder, const photos_options *p, const common_options *o);
/* Prints the `top` likeliest classes of each picture; takes the model over. */
int photos_predict(nacre_model *m, int n, char **pictures, int64_t top, const char *output,
		   const common_options *o);
int photos_info(const char *path, const common_options *o);

#endif
