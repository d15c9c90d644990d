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

typedef struct photos_options {
	const char *model, *from, *output, *hidden, *history;
	int pixels, skip_bad;
	int64_t epochs, batch, patience, seed, size;
	double validation, test, rate, dropout;
} photos_options;
int photos_train(const char *folder, const photos_options *p, const common_options *o);
/* Prints the `top` likeliest classes of each picture; takes the model over. */
int photos_predict(nacre_model *m, int n, char **pictures, int64_t top, const char *output,
		   const common_options *o);
int photos_info(const char *path, const common_options *o);

#endif
