/* SPDX-License-Identifier: MIT
 *
 * backends.h - the backends that there are.
 */
#ifndef NC_BACKENDS_H
#define NC_BACKENDS_H

#include "compile/backend.h"

extern const nc_backend nc_backend_cpu, nc_backend_reference;

#endif
