/* SPDX-License-Identifier: MIT
 *
 * backends.c - the list of backends.
 */
#include <string.h>

#include "backend/backends.h"

const nc_backend *nc_backend_named(const char *name)
{
	static const nc_backend *const list[] = {&nc_backend_cpu, &nc_backend_reference};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (strcmp(list[i]->name, name) == 0)
			return list[i];
	return NULL;
}
