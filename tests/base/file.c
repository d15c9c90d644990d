/* SPDX-License-Identifier: MIT
 *
 * Files: what is read and refused, replacing as a whole, and every system call failing in turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "test.h"

static char folder[64], path[128];
static nc_memory memory;

static void begin(void)
{
	snprintf(folder, sizeof folder, "/tmp/nacre-test-XXXXXX");
	CHECK(mkdtemp(folder) != NULL);
	snprintf(path, sizeof path, "%s/model.npz", folder);
	nc_memory_init(&memory, NULL);
}

static int entries(void)
{
	int n = 0;
	DIR *d = opendir(folder);
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static int descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static void end(void)
{
	test_remove_folder(folder);
	CHECK_EQ(memory.blocks, 0);
}

static void put(const char *where, const void *data, size_t n)
{
	int fd = open(where, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	CHECK(fd >= 0 && write(fd, data, n) == (ssize_t)n);
	close(fd);
}

static bool holds(const char *where, const void *data, size_t n)
{
	nc_bytes b;
	nacre_error e = {0};
	bool same =
	    !nc_file_read(&memory, where, 0, &b, &e) && b.size == n && !memcmp(b.data, data, n);
	nc_bytes_free(&memory, &b);
	return same;
}

/* -- reading ------------------------------------------------------------------------------------*/
TEST(read_and_map)
{
	begin();
	static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 300000};
	static uint8_t data[300000];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 31 >> 3);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		put(path, data, sizes[i]);
		nc_bytes b;
		nacre_error e = {0};
		CHECK_EQ(nc_file_read(&memory, path, sizes[i], &b, &e), NACRE_OK);
		CHECK(b.data && !b.mapped && b.size == sizes[i]);
		CHECK(!memcmp(b.data, data, sizes[i]));
		nc_bytes_free(&memory, &b);
		nc_bytes_free(&memory, &b);
		CHECK_EQ(nc_file_map(path, &b, &e), NACRE_OK);
		CHECK(b.data && b.mapped && b.size == sizes[i]);
		CHECK(!memcmp(b.data, data, sizes[i]));
		nc_bytes_free(&memory, &b);
		nc_bytes_free(&memory, &b);
		CHECK(!b.data);
		if (sizes[i] > 1) {
			CHECK_EQ(nc_file_read(&memory, path, sizes[i] - 1, &b, &e), NACRE_BAD_DATA);
			CHECK(strstr(e.text, path) && !b.data);
		}
	}
	CHECK(nc_file_exists(path));
	end();
	CHECK(!nc_file_exists(path));
}

TEST(what_cannot_be_read)
{
	begin();
	char fifo[128];
	snprintf(fifo, sizeof fifo, "%s/fifo", folder);
	CHECK_EQ(mkfifo(fifo, 0666), 0);
	const char *const bad[] = {path, folder, fifo, "/dev/zero", "", "/etc/passwd/x"};
	int before = descriptors();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		for (int map = 0; map < 2; map++) {
			nacre_error e = {0};
			nc_bytes b = {.size = 5};
			nacre_status s = map ? nc_file_map(bad[i], &b, &e)
					     : nc_file_read(&memory, bad[i], 0, &b, &e);
			CHECK_EQ(s, NACRE_IO);
			CHECK_EQ(e.status, NACRE_IO);
			CHECK(strstr(e.text, bad[i]) && strlen(e.text) > strlen(bad[i]) + 5);
			CHECK(!b.data && !b.size);
			nc_bytes_free(&memory, &b);
		}
	CHECK_EQ(descriptors(), before);
	nacre_error e = {0};
	nc_bytes b;
	nc_file_read(&memory, path, 0, &b, &e);
	CHECK(strstr(e.text, "No such file"));
	end();
}

TEST(a_file_may_be_larger_than_memory)
{
	begin();
	put(path, "x", 1);
	CHECK_EQ(truncate(path, (off_t)1 << 42), 0); /* a hole of 4 TiB */
	nacre_error e = {0};
	nc_bytes b;
	CHECK_EQ(nc_file_read(&memory, path, 1 << 30, &b, &e), NACRE_BAD_DATA);
	CHECK(strstr(e.text, "4398046511104") && strstr(e.text, "1073741824"));
	end();
}

/* -- replacing ----------------------------------------------------------------------------------*/
static nacre_status replace(const char *where, const char *text, nacre_error *e)
{
	nc_writer w;
	nc_writer_open(&w, where, e);
	for (const char *p = text; *p; p++)
		nc_writer_write(&w, p, 1);
	nc_writer_write(&w, NULL, 0);
	return nc_writer_finish(&w);
}

TEST(replace_a_file)
{
	begin();
	nacre_error e = {0};
	CHECK_EQ(replace(path, "first", &e), NACRE_OK);
	CHECK(holds(path, "first", 5));
	chmod(path, 0640);
	CHECK_EQ(replace(path, "the second", &e), NACRE_OK);
	CHECK(holds(path, "the second", 10));
	struct stat s;
	CHECK(!stat(path, &s) && (s.st_mode & 0777) == 0640);
	CHECK_EQ(entries(), 1);
	char name[128] = "";
	CHECK(getcwd(name, sizeof name) && !chdir(folder));
	CHECK_EQ(replace("local", "by name alone", &e), NACRE_OK);
	CHECK(holds("local", "by name alone", 13));
	CHECK(!chdir(name));
	end();
}

TEST(abandon_leaves_the_old_file)
{
	begin();
	put(path, "old", 3);
	nc_writer w;
	nacre_error e = {0};
	int before = descriptors();
	CHECK_EQ(nc_writer_open(&w, path, &e), NACRE_OK);
	CHECK_EQ(nc_writer_write(&w, "new", 3), NACRE_OK);
	CHECK_EQ(entries(), 2);
	nc_writer_abandon(&w);
	nc_writer_abandon(&w);
	CHECK_EQ(entries(), 1);
	CHECK(holds(path, "old", 3));
	CHECK(nc_writer_write(&w, "x", 1) != NACRE_OK);
	CHECK(nc_writer_finish(&w) != NACRE_OK);
	CHECK_EQ(replace(path, "newer", NULL), NACRE_OK);
	nc_writer_open(&w, path, &e);
	nc_writer_finish(&w);
	nc_writer_abandon(&w); /* after a finish: nothing */
	CHECK(holds(path, "", 0));
	CHECK_EQ(descriptors(), before);
	end();
}

TEST(two_writers_of_one_file)
{
	begin();
	nc_writer a, b;
	nacre_error e = {0};
	CHECK_EQ(nc_writer_open(&a, path, &e), NACRE_OK);
	CHECK_EQ(nc_writer_open(&b, path, &e), NACRE_OK);
	nc_writer_write(&a, "aaaa", 4);
	nc_writer_write(&b, "bb", 2);
	CHECK_EQ(nc_writer_finish(&a), NACRE_OK);
	CHECK(holds(path, "aaaa", 4));
	CHECK_EQ(nc_writer_finish(&b), NACRE_OK);
	CHECK(holds(path, "bb", 2));
	CHECK_EQ(entries(), 1);
	end();
}

TEST(a_link_stays_a_link)
{
	begin();
	char link[128];
	snprintf(link, sizeof link, "%s/latest", folder);
	put(path, "old", 3);
	CHECK_EQ(symlink("model.npz", link), 0);
	CHECK_EQ(replace(link, "new", NULL), NACRE_OK);
	struct stat s;
	CHECK(!lstat(link, &s) && S_ISLNK(s.st_mode));
	CHECK(holds(path, "new", 3));
	end();
}

TEST(what_cannot_be_written)
{
	begin();
	char inside[200], long_path[3000];
	snprintf(inside, sizeof inside, "%s/none/x", folder);
	memset(long_path, 'p', sizeof long_path);
	long_path[2999] = 0;
	const char *const bad[] = {folder, inside, "/dev/null", "", long_path};
	int before = descriptors();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		nacre_error e = {0};
		nacre_status s = replace(bad[i], "text", &e);
		CHECK_EQ(s, e.status);
		CHECK(s == NACRE_IO || s == NACRE_INVALID);
		CHECK(strlen(e.text) > 10);
		CHECK(replace(bad[i], "text", NULL) != NACRE_OK);
	}
	CHECK_EQ(descriptors(), before);
	CHECK_EQ(entries(), 0);
	end();
}

/* -- every call fails in turn -------------------------------------------------------------------*/
static const nc_file_table *real;
static int calls, fail_at, reason;
static bool renamed, folder_synced_badly;

static bool fails(void)
{
	if (++calls != fail_at)
		return false;
	errno = reason;
	return true;
}
static int bad_open(const char *name, int flags, unsigned mode)
{
	return fails() ? -1 : real->open(name, flags, mode);
}
/* reason 0: read and write do less than they are asked for, always */
static size_t less(size_t n)
{
	return reason || n < 2 ? n : 1 + test_random() % (n - 1);
}
static ssize_t bad_read(int fd, void *data, size_t n)
{
	return fails() ? -1 : real->read(fd, data, less(n));
}
static ssize_t bad_write(int fd, const void *data, size_t n)
{
	return fails() ? -1 : real->write(fd, data, less(n));
}
static int bad_fsync(int fd)
{
	if (!fails())
		return real->fsync(fd);
	folder_synced_badly = renamed;
	return -1;
}
static int bad_rename(const char *from, const char *to)
{
	if (fails())
		return -1;
	renamed = true;
	return real->rename(from, to);
}
static int bad_close(int fd)
{
	bool bad = fails();
	int keep = errno, rc = real->close(fd); /* the system closes it, whatever it says */
	errno = keep;
	return bad ? -1 : rc;
}
static void *bad_map(void *at, size_t n, int protection, int flags, int fd, off_t offset)
{
	return fails() ? MAP_FAILED : real->map(at, n, protection, flags, fd, offset);
}
static const nc_file_table bad = {bad_open,   bad_read,  bad_write, bad_fsync,
				  bad_rename, bad_close, bad_map};

static void inject(int n, int why)
{
	calls = 0;
	fail_at = n;
	reason = why;
	renamed = folder_synced_badly = false;
}

static const int reasons[] = {EIO, ENOSPC, EINTR, EMFILE, 0};
enum { REASONS = 5, TEXT = 5000 };
static char old_text[100], new_text[TEXT];

static nacre_status write_in_parts(nacre_error *e)
{
	nc_writer w;
	nc_writer_open(&w, path, e);
	for (int i = 0; i < TEXT; i += 250)
		nc_writer_write(&w, new_text + i, 250);
	return nc_writer_finish(&w);
}

TEST(writing_survives_every_failure)
{
	begin();
	memset(old_text, 'o', sizeof old_text);
	for (int i = 0; i < TEXT; i++)
		new_text[i] = (char)('a' + i % 26);
	nc_file_table saved = nc_file_calls;
	int before = descriptors(), injected = 0;
	for (int r = 0; r < REASONS; r++)
		for (int n = 1, done = 0; !done; n++) {
			put(path, old_text, sizeof old_text);
			inject(reasons[r] ? n : 0, reasons[r]);
			real = &saved;
			nc_file_calls = bad;
			nacre_error e = {0};
			nacre_status s = write_in_parts(&e);
			nc_file_calls = saved;
			done = calls < n || !reasons[r];
			injected += !done;
			CHECK_EQ(s, e.status);
			if (s) {
				CHECK_EQ(s, NACRE_IO);
				CHECK(strstr(e.text, path));
				CHECK(reasons[r] != EINTR && !done);
			}
			if (!s || folder_synced_badly)
				CHECK(holds(path, new_text, TEXT));
			else
				CHECK(holds(path, old_text, sizeof old_text));
			CHECK_EQ(entries(), 1);
			CHECK_EQ(descriptors(), before);
		}
	CHECK(injected > 80);
	end();
}

TEST(reading_survives_every_failure)
{
	begin();
	for (int i = 0; i < TEXT; i++)
		new_text[i] = (char)('a' + i % 26);
	put(path, new_text, TEXT);
	nc_file_table saved = nc_file_calls;
	int before = descriptors();
	for (int map = 0; map < 2; map++)
		for (int r = 0; r < REASONS; r++)
			for (int n = 1, done = 0; !done; n++) {
				inject(reasons[r] ? n : 0, reasons[r]);
				real = &saved;
				nc_file_calls = bad;
				nacre_error e = {0};
				nc_bytes b;
				nacre_status s = map ? nc_file_map(path, &b, &e)
						     : nc_file_read(&memory, path, 0, &b, &e);
				nc_file_calls = saved;
				done = calls < n || !reasons[r];
				CHECK_EQ(s, e.status);
				if (s)
					CHECK(s == NACRE_IO && !b.data && strstr(e.text, path));
				else
					CHECK(b.size == TEXT && !memcmp(b.data, new_text, TEXT));
				if (reasons[r] == EINTR && !map)
					CHECK_EQ(s, NACRE_OK);
				nc_bytes_free(&memory, &b);
				CHECK_EQ(descriptors(), before);
				CHECK_EQ(memory.blocks, 0);
			}
	end();
}

static ssize_t read_nothing(int fd, void *data, size_t n)
{
	(void)fd;
	(void)data;
	(void)n;
	return 0;
}
static ssize_t write_nothing(int fd, const void *data, size_t n)
{
	(void)fd;
	(void)data;
	(void)n;
	return 0;
}

TEST(a_file_that_shrinks_and_a_disk_that_takes_nothing)
{
	begin();
	put(path, "old", 3);
	nc_file_table saved = nc_file_calls;
	nc_file_calls.read = read_nothing;
	nc_file_calls.write = write_nothing;
	nacre_error read_error = {0}, write_error = {0};
	nc_bytes b;
	CHECK_EQ(nc_file_read(&memory, path, 0, &b, &read_error), NACRE_IO);
	CHECK_EQ(replace(path, "new", &write_error), NACRE_IO);
	nc_file_calls = saved;
	CHECK(strstr(read_error.text, "ends after 0 of 3 bytes"));
	CHECK(strstr(write_error.text, "No space left"));
	CHECK(holds(path, "old", 3));
	end();
}

TEST(time_goes_on)
{
	double a = nc_now();
	usleep(2000);
	double b = nc_now();
	CHECK(b - a >= 0.0019 && b - a < 10);
}
