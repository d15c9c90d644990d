/* SPDX-License-Identifier: MIT
 *
 * lower.h - any node as one step of plain C: what the reference backend does with all of them, and
 * the CPU backend with those that it has no kernel for.
 */
#ifndef NC_REFERENCE_LOWER_H
#define NC_REFERENCE_LOWER_H

#include "compile/backend.h"

bool nc_reference_lower_node(nc_compile *c, nacre_node *n);

#endif
