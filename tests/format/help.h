/* SPDX-License-Identifier: MIT
 *
 * help.h - what the tests of file formats share: files under /tmp, a runtime whose allocator fails
 * when told to, and system calls that do.
 */
#ifndef TEST_FORMAT_HELP_H
#define TEST_FORMAT_HELP_H

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/runtime.h"
#include "test.h"

/* -- files */
static inline const char *temporary(const char *name)
{
	static char path[4][200];
	static int turn;
	char *p = path[turn++ % 4];
	snprintf(p, sizeof path[0], "/tmp/nacre-test-%ld-%s", (long)getpid(), name);
	return p;
}

static inline void put_file(const char *path, const void *data, size_t n)
{
	FILE *f = fopen(path, "wb");
	CHECK(f && fwrite(data, 1, n, f) == n);
	if (f)
		fclose(f);
}

static inline size_t get_file(const char *path, void *data, size_t room)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(data, 1, room, f) : 0;
	if (f)
		fclose(f);
	return n;
}

/* -- memory that runs out */
typedef struct test_memory {
	int64_t calls, fail_at; /* the call with this number fails; 0: none */
	bool forever;           /* and all after it */
	int64_t failures;
	size_t bytes, peak;
} test_memory;

static inline void *test_reallocate(void *context, void *block, size_t old_size, size_t new_size)
{
	test_memory *m = context;
	if (!new_size) {
		m->bytes -= block ? old_size : 0;
		free(block);
		return NULL;
	}
	m->calls++;
	if (m->fail_at && (m->calls == m->fail_at || (m->forever && m->calls > m->fail_at))) {
		m->failures++;
		return NULL;
	}
	void *p;
	if (posix_memalign(&p, 64, new_size))
		return NULL;
	if (block) {
		memcpy(p, block, old_size < new_size ? old_size : new_size);
		free(block);
	}
	m->bytes += new_size - old_size;
	m->peak = m->bytes > m->peak ? m->bytes : m->peak;
	return p;
}

static inline nacre_runtime *test_runtime(test_memory *m)
{
	*m = (test_memory){0};
	nacre_runtime *rt = nacre_runtime_new(
	    &(nacre_runtime_options){.threads = 1, .allocator = {test_reallocate, m}}, NULL);
	CHECK(rt);
	return rt;
}

/* `action` again and again with the allocation n = 1, 2, ... failing, once and for ever, until none
 * is hit.  It returns whether it succeeded; after a failure nothing may be left. */
static inline void fail_each_allocation(bool (*action)(nacre_runtime *rt, nacre_error *e))
{
	for (int forever = 0; forever < 2; forever++) {
		test_memory m;
		nacre_runtime *rt = test_runtime(&m);
		size_t before = m.bytes;
		int64_t n = 0, failures;
		do {
			nacre_error e = {0};
			n++;
			m.calls = 0;
			m.fail_at = n;
			m.forever = forever;
			m.failures = 0;
			bool ok = action(rt, &e);
			failures = m.failures;
			m.fail_at = 0;
			CHECK(ok == !e.status);
			CHECK(!failures == ok);
			CHECK(ok || e.status == NACRE_NO_MEMORY);
			CHECK(ok || e.text[0]);
			CHECK_EQ(m.bytes, before);
		} while (failures && n < 10000);
		CHECK(n > 1);
		nacre_runtime_free(rt);
		CHECK_EQ(m.bytes, 0);
	}
}

/* -- system calls that fail */
static nc_file_table real_calls;
static int64_t io_calls, io_fail_at;
static int io_error;
static bool io_failed;

static inline bool io_fails(void)
{
	if (++io_calls != io_fail_at)
		return false;
	errno = io_error;
	return io_failed = true;
}

static inline int bad_open(const char *path, int flags, unsigned mode)
{
	return io_fails() ? -1 : real_calls.open(path, flags, mode);
}
static inline ssize_t bad_read(int fd, void *data, size_t n)
{
	return io_fails() ? -1 : real_calls.read(fd, data, n);
}
static inline ssize_t bad_write(int fd, const void *data, size_t n)
{
	return io_fails() ? -1
			  : real_calls.write(fd, data, n > 7 ? n / 2 : n); /* short ones, too */
}
static inline int bad_fsync(int fd)
{
	return io_fails() ? -1 : real_calls.fsync(fd);
}
static inline int bad_rename(const char *from, const char *to)
{
	return io_fails() ? -1 : real_calls.rename(from, to);
}
static inline int bad_close(int fd)
{
	int rc = real_calls.close(fd); /* the descriptor is gone even when close reports an error */
	return io_fails() ? -1 : rc;
}
static inline void *bad_map(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return io_fails() ? (void *)-1 : real_calls.map(at, n, protection, flags, fd, offset);
}

/* Call n fails with this errno; n = 0: all go through, and are counted. */
static inline void fail_call(int64_t n, int error)
{
	if (!real_calls.open)
		real_calls = nc_file_calls;
	nc_file_calls = (nc_file_table){bad_open,   bad_read,  bad_write, bad_fsync,
					bad_rename, bad_close, bad_map};
	io_calls = 0;
	io_fail_at = n;
	io_error = error;
	io_failed = false;
}
static inline void restore_calls(void)
{
	if (real_calls.open)
		nc_file_calls = real_calls;
}

#endif
