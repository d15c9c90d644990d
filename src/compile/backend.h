/* SPDX-License-Identifier: MIT
 *
 * backend.h - what a backend must offer to the compiler.
 */
#ifndef NC_BACKEND_H
#define NC_BACKEND_H

#include "compile/compile.h"

struct nc_backend {
	const char *name;
	/* May n be a member of an elementwise group at all? (types that its vectors know) */
	bool (*elementwise)(const nacre_node *n);
	/* Is n, of bf16 in or out, computed in f32, with casts around it? */
	bool (*widens)(const nacre_node *n);
	/* Can one step compute this group?  Asked while it grows. */
	bool (*accepts)(nc_compile *c, const nc_group *g);
	/* Panel width in which a weight [k, n] should be kept; 0: plain. */
	int (*panel)(nc_compile *c, int64_t k, int64_t n);
	/* Adds the steps of a group.  false after recording an error. */
	bool (*lower)(nc_compile *c, const nc_group *g);
	/* Adds a step that unpacks a variable kept in panels into a plain value. */
	bool (*unpack)(nc_compile *c, nacre_node *variable, int from, int to);
	/* Adds a step that fills value with the number of node n, a fill. */
	bool (*fill)(nc_compile *c, nacre_node *n, int to);
};

/* NULL: no backend of that name */
const nc_backend *nc_backend_named(const char *name);

#endif
