/* SPDX-License-Identifier: MIT
 *
 * mnist.h - where the files of MNIST, and of other sets, are looked for.
 */
#ifndef NC_MNIST_H
#define NC_MNIST_H

#include "base/base.h"
#include "nacre/data.h"

enum { NC_MNIST_PATH = 1000 };

/* Folder i of a search into `out`: "" where there is none at that step; false past the last. */
typedef bool nc_mnist_search(int i, char out[NC_MNIST_PATH]);

/* $NACRE_DATA/<set>, the source tree, the installed files, ../share/nacre/<set> by the library. */
bool nc_data_place(int i, const char *set, char out[NC_MNIST_PATH]);
/* of mnist */
bool nc_mnist_place(int i, char out[NC_MNIST_PATH]);

/* The paths of the images and the labels: in `folder`, or, if NULL, in the first place with both.
 */
nacre_status nc_mnist_find(nacre_mnist_part part, const char *folder, nc_mnist_search *place,
			   char images[NC_MNIST_PATH], char labels[NC_MNIST_PATH], nacre_error *e);

#endif
