/* SPDX-License-Identifier: MIT
 *
 * augment.h - sheets of augmented pictures, a part of nacre plot.
 */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "command.h"

typedef struct augment_options {
	const char *layers; /* "random_flip,random_rotation:0.1", or a model's file */
	const char *output;
	int64_t samples, size, seed;
} augment_options;
/* 0, or the exit code after an error was printed. */
int augment_plot(int n, char **image, const augment_options *o, const common_options *common);

#endif
