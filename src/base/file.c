/* SPDX-License-Identifier: MIT
 *
 * file.c - whole files: read, mapped, replaced.
 *
 * All system calls go through nc_file_calls, so that tests can make each of them fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"

static int call_open(const char *path, int flags, unsigned mode)
{
	return open(path, flags, mode);
}

nc_file_table nc_file_calls = {
	.open = call_open,
	.read = read,
	.write = write,
	.fsync = fsync,
	.rename = rename,
	.close = close,
	.map = mmap,
};

double nc_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* "path: cannot read: No such file or directory"; errno says why */
static nacre_status io_error(nacre_error *e, const char *path, const char *what)
{
	char buffer[128];
	return nc_fail(e, NACRE_IO, "%.300s: cannot %s: %s", path, what,
		       strerror_r(errno, buffer, sizeof buffer));
}

static int open_again(const char *path, int flags, unsigned mode)
{
	int fd;
	do
		fd = nc_file_calls.open(path, flags | O_CLOEXEC, mode);
	while (fd < 0 && errno == EINTR);
	return fd;
}

/* -- reading ------------------------------------------------------------------------------------*/
/* Opens a regular file and tells its size.  O_NONBLOCK: a FIFO must not hang us. */
static int open_regular(const char *path, size_t *size, nacre_error *e)
{
	int fd = open_again(path, O_RDONLY | O_NONBLOCK, 0);
	struct stat s;
	if (fd < 0) {
		io_error(e, path, "open");
		return -1;
	}
	if (fstat(fd, &s)) {
		io_error(e, path, "open");
	} else if (!S_ISREG(s.st_mode)) {
		nc_fail(e, NACRE_IO, "%.300s: not a regular file", path);
	} else if ((uintmax_t)s.st_size > PTRDIFF_MAX) {
		nc_fail(e, NACRE_IO, "%.300s: too large: %jd bytes", path, (intmax_t)s.st_size);
	} else {
		*size = (size_t)s.st_size;
		return fd;
	}
	nc_file_calls.close(fd);
	return -1;
}

static nacre_status read_all(int fd, const char *path, uint8_t *data, size_t size, nacre_error *e)
{
	for (size_t n = 0; n < size;) {
		ssize_t got = nc_file_calls.read(fd, data + n, size - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return io_error(e, path, "read");
		if (!got)
			return nc_fail(e, NACRE_IO, "%.300s: ends after %zu of %zu bytes", path, n,
				       size);
		n += (size_t)got;
	}
	return NACRE_OK;
}

nacre_status nc_file_read(nc_memory *m, const char *path, size_t limit, nc_bytes *out,
			  nacre_error *e)
{
	*out = (nc_bytes){0};
	size_t size;
	int fd = open_regular(path, &size, e);
	if (fd < 0)
		return NACRE_IO;
	nacre_status status = NACRE_OK;
	uint8_t *data = NULL;
	if (limit && size > limit)
		status = nc_fail(e, NACRE_BAD_DATA, "%.300s: expected at most %zu bytes, got %zu",
				 path, limit, size);
	else if (!(data = nc_alloc(m, size)))
		status = nc_no_memory(e, size);
	else
		status = read_all(fd, path, data, size, e);
	nc_file_calls.close(fd);
	if (status == NACRE_OK)
		*out = (nc_bytes){data, size, false};
	else
		nc_free(m, data, size);
	return status;
}

nacre_status nc_file_head(nc_memory *m, const char *path, size_t most, nc_bytes *out, size_t *size,
			  nacre_error *e)
{
	*out = (nc_bytes){0};
	int fd = open_regular(path, size, e);
	if (fd < 0)
		return NACRE_IO;
	size_t n = *size < most ? *size : most;
	uint8_t *data = nc_alloc(m, n);
	nacre_status status = data ? read_all(fd, path, data, n, e) : nc_no_memory(e, n);
	nc_file_calls.close(fd);
	if (status == NACRE_OK)
		*out = (nc_bytes){data, n, false};
	else
		nc_free(m, data, n);
	return status;
}

nacre_status nc_file_map(const char *path, nc_bytes *out, nacre_error *e)
{
	static const uint8_t empty[1]; /* the system maps no file of 0 bytes */
	*out = (nc_bytes){0};
	size_t size;
	int fd = open_regular(path, &size, e);
	if (fd < 0)
		return NACRE_IO;
	void *data = (void *)(uintptr_t)empty;
	if (size)
		data = nc_file_calls.map(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	int reason = errno;
	nc_file_calls.close(fd);
	errno = reason;
	if (data == MAP_FAILED)
		return io_error(e, path, "map");
	*out = (nc_bytes){data, size, true};
	return NACRE_OK;
}

void nc_file_forget(const nc_bytes *b, const void *from, size_t n)
{
	enum { PAGE = 65536 }; /* a multiple of the system's, whatever that is */
	uintptr_t start = b && b->mapped ? (uintptr_t)b->data : 0, p = (uintptr_t)from;
	if (!start || p < start || p - start > b->size || n > b->size - (p - start))
		return;
	uintptr_t first = nc_round_up(p, PAGE), end = (p + n) / PAGE * PAGE;
	if (first < end) /* a wish: its failure is harmless */
		madvise((void *)first, end - first, MADV_DONTNEED);
}

void nc_bytes_free(nc_memory *m, nc_bytes *b)
{
	void *data = (void *)(uintptr_t)b->data;
	if (!b->mapped)
		nc_free(m, data, b->size);
	else if (b->size)
		munmap(data, b->size);
	*b = (nc_bytes){0};
}

bool nc_file_exists(const char *path)
{
	struct stat s;
	return !stat(path, &s);
}

/* -- replacing ----------------------------------------------------------------------------------*/
static nacre_status writer_status(const nc_writer *w)
{
	if (!w->failed)
		return NACRE_OK;
	return w->error && w->error->status != NACRE_OK ? w->error->status : NACRE_IO;
}

/* The folder that a path lies in. */
static void folder_of(const char *path, char *folder, size_t size)
{
	const char *slash = strrchr(path, '/');
	int length = !slash ? 1 : slash == path ? 1 : (int)(slash - path);
	snprintf(folder, size, "%.*s", length, slash ? path : ".");
}

/* Who writes to a link wants to change what it points to, not to lose the link. */
static nacre_status resolve(nc_writer *w, const char *path)
{
	struct stat s;
	char real[PATH_MAX];
	if (!lstat(path, &s) && S_ISLNK(s.st_mode) && realpath(path, real))
		path = real;
	size_t n = strlen(path);
	if (!n || n >= sizeof w->path)
		return nc_fail(w->error, NACRE_INVALID, "a path of %zu bytes: expected 1 to %zu", n,
			       sizeof w->path - 1);
	memcpy(w->path, path, n + 1);
	return NACRE_OK;
}

/* A file of the same process number may be left from before or be another thread's. */
static int open_temporary(nc_writer *w)
{
	for (int i = 0; i < 100; i++) {
		int n = snprintf(w->temporary, sizeof w->temporary, "%s.tmp.%ld", w->path,
				 (long)getpid());
		if (i)
			snprintf(w->temporary + n, sizeof w->temporary - (size_t)n, ".%d", i);
		int fd = open_again(w->temporary, O_WRONLY | O_CREAT | O_EXCL, 0666);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

nacre_status nc_writer_open(nc_writer *w, const char *path, nacre_error *e)
{
	*w = (nc_writer){.fd = -1, .error = e, .failed = true};
	nacre_status status = resolve(w, path);
	if (status)
		return status;
	struct stat old;
	bool exists = !stat(w->path, &old);
	if (exists && !S_ISREG(old.st_mode))
		return nc_fail(e, NACRE_IO, "%.300s: not a regular file", path);
	w->fd = open_temporary(w);
	if (w->fd < 0)
		return io_error(e, path, "write");
	/* The new file may be read by whoever could read the old one; a file system that knows no
	 * modes refuses, and has nothing to lose by it. */
	if (exists && fchmod(w->fd, old.st_mode & 0777))
		errno = 0;
	w->failed = false;
	return NACRE_OK;
}

nacre_status nc_writer_write(nc_writer *w, const void *data, size_t n)
{
	const char *p = data;
	while (n && !w->failed) {
		ssize_t written = nc_file_calls.write(w->fd, p, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written == 0)
			errno = ENOSPC;
		if (written <= 0) {
			w->failed = true;
			io_error(w->error, w->path, "write");
			break;
		}
		p += written;
		n -= (size_t)written;
	}
	return writer_status(w);
}

static int fsync_again(int fd)
{
	int rc;
	do
		rc = nc_file_calls.fsync(fd);
	while (rc && errno == EINTR);
	return rc;
}

static int rename_again(const char *from, const char *to)
{
	int rc;
	do
		rc = nc_file_calls.rename(from, to);
	while (rc && errno == EINTR);
	return rc;
}

/* After EINTR the descriptor is closed all the same, and what was written is on the disk. */
static int close_synced(int fd)
{
	return nc_file_calls.close(fd) && errno != EINTR ? -1 : 0;
}

static void fail(nc_writer *w, const char *what)
{
	w->failed = true;
	io_error(w->error, w->path, what);
}

nacre_status nc_writer_finish(nc_writer *w)
{
	if (w->failed) {
		nc_writer_abandon(w);
		return writer_status(w);
	}
	char folder[sizeof w->path];
	folder_of(w->path, folder, sizeof folder);
	int folder_fd = open_again(folder, O_RDONLY | O_DIRECTORY, 0);
	if (folder_fd < 0 && errno != EACCES) /* a folder that may be written but not read */
		fail(w, "open its folder");
	int fd = w->fd;
	w->fd = -1;
	int unsynced = fsync_again(fd);
	if (unsynced)
		fail(w, "write");
	if (close_synced(fd) && !unsynced)
		fail(w, "write");
	if (!w->failed && rename_again(w->temporary, w->path))
		fail(w, "replace");
	if (w->failed)
		unlink(w->temporary);
	else if (folder_fd >= 0 && fsync_again(folder_fd) && errno == EIO)
		fail(w, "flush its folder (the new file is in place)");
	if (folder_fd >= 0)
		nc_file_calls.close(folder_fd);
	return writer_status(w);
}

void nc_writer_abandon(nc_writer *w)
{
	if (w->fd < 0)
		return;
	nc_file_calls.close(w->fd);
	unlink(w->temporary);
	w->fd = -1;
	w->failed = true;
}
