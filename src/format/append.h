/* SPDX-License-Identifier: MIT
 *
 * append.h - files that grow: logs.  What is given at once is written at once, as far as the system
 * lets it; a file that is cut off in the middle of its last line or record is what remains of a
 * process that was killed.
 */
#ifndef NC_APPEND_H
#define NC_APPEND_H

#include "base/base.h"

typedef enum nc_append_mode {
	NC_APPEND_NEW,     /* must not be there yet */
	NC_APPEND_REPLACE, /* is emptied */
	NC_APPEND_GO_ON
} nc_append_mode;

typedef struct nc_appender {
	int fd; /* -1: closed */
	char path[1000];
} nc_appender;

/* `exists`, if given, becomes true where NC_APPEND_NEW met a file; that is no error. */
nacre_status nc_append_open(nc_appender *a, const char *path, nc_append_mode mode, bool *exists,
			    nacre_error *e);
nacre_status nc_append(nc_appender *a, const void *data, size_t n, nacre_error *e);
nacre_status nc_append_close(nc_appender *a, nacre_error *e);

#endif
