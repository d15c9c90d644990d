/* SPDX-License-Identifier: MIT
 *
 * append.c - files that grow.
 */
#include "format/append.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static nacre_status io_error(nacre_error *e, const char *path)
{
	char buffer[128];
	return nc_fail(e, NACRE_IO, "%.300s: cannot write: %s", path,
		       strerror_r(errno, buffer, sizeof buffer));
}

nacre_status nc_append_open(nc_appender *a, const char *path, nc_append_mode mode, bool *exists,
			    nacre_error *e)
{
	static const int flags[] = {
	    [NC_APPEND_NEW] = O_EXCL, [NC_APPEND_REPLACE] = O_TRUNC, [NC_APPEND_GO_ON] = O_APPEND};
	size_t n = strlen(path);
	a->fd = -1;
	if (exists)
		*exists = false;
	if (!n || n >= sizeof a->path)
		return nc_fail(e, NACRE_INVALID, "a path of %zu bytes: expected 1 to %zu", n,
			       sizeof a->path - 1);
	memcpy(a->path, path, n + 1);
	do
		a->fd =
		    nc_file_calls.open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags[mode], 0666);
	while (a->fd < 0 && errno == EINTR);
	if (a->fd >= 0)
		return NACRE_OK;
	if (exists && errno == EEXIST) {
		*exists = true;
		return NACRE_OK;
	}
	return io_error(e, path);
}

nacre_status nc_append(nc_appender *a, const void *data, size_t n, nacre_error *e)
{
	const char *p = data;
	while (n) {
		ssize_t written = nc_file_calls.write(a->fd, p, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = ENOSPC;
		if (written <= 0)
			return io_error(e, a->path);
		p += written;
		n -= (size_t)written;
	}
	return NACRE_OK;
}

nacre_status nc_append_close(nc_appender *a, nacre_error *e)
{
	int fd = a->fd;
	a->fd = -1;
	if (fd >= 0 && nc_file_calls.close(fd) && errno != EINTR)
		return io_error(e, a->path);
	return NACRE_OK;
}
