/* SPDX-License-Identifier: MIT
 *
 * activation.h - the table of activations, for tests that walk it.
 */
#ifndef NC_NN_ACTIVATION_H
#define NC_NN_ACTIVATION_H

#include "nacre/activation.h"

const char *nc_activation_at(int i); /* the name in row i; NULL past the end */

#endif
