/* SPDX-License-Identifier: MIT
 *
 * image_cache.c - pictures that were decoded.
 *
 * A file of it: a head of 32 bytes ("nacre images 1\n", a key of files and options, the bytes of a
 * record, how many there are; little-endian as the machine is), then for each slot a checksum of
 * its record, of 8 bytes with a mark, and the record.  A record is there if its checksum is right:
 * so a file that was cut off, or written by two at once, is no harm.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/crc.h"
#include "data/image_data.h"

enum { MARK = 0x6e633031 };

typedef struct head {
	char magic[16];
	uint64_t key;
	uint32_t record, n;
} head;

typedef struct check {
	uint32_t crc, mark;
} check;

/* -- in memory --------------------------------------------------------------------------------- */
nacre_status nc_image_cache_memory(nc_image_cache *c, nc_memory *m, size_t n, size_t record,
				   nacre_error *e)
{
	size_t bytes;
	*c = (nc_image_cache){.memory = m, .record = record, .n = n, .fd = -1};
	if (!nc_mul(n, record, &bytes))
		return nc_no_memory(e, SIZE_MAX);
	c->data = nc_alloc(m, bytes);
	c->state = nc_zero_alloc(m, n * sizeof *c->state);
	if (c->data && c->state)
		return NACRE_OK;
	nc_image_cache_close(c);
	return nc_fail(
	    e, NACRE_NO_MEMORY,
	    "out of memory for a cache of %zu pictures, %zu bytes; cache_file needs none", n,
	    bytes);
}

/* -- in a file --------------------------------------------------------------------------------- */
static bool read_at(int fd, void *data, size_t n, uint64_t at)
{
	uint8_t *p = data;
	while (n) {
		ssize_t got = pread(fd, p, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		n -= (size_t)got;
		at += (uint64_t)got;
	}
	return true;
}

static bool write_at(int fd, const void *data, size_t n, uint64_t at)
{
	const uint8_t *p = data;
	while (n) {
		ssize_t put = pwrite(fd, p, n, (off_t)at);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
		at += (uint64_t)put;
	}
	return true;
}

nacre_status nc_image_cache_file(nc_image_cache *c, nc_memory *m, const char *path, size_t n,
				 size_t record, uint64_t key, nacre_error *e)
{
	head want = {
	    .magic = "nacre images 1\n", .key = key, .record = (uint32_t)record, .n = (uint32_t)n};
	head got;
	char reason[128];
	*c = (nc_image_cache){.memory = m, .record = record, .n = n, .head = sizeof want};
	if (n > UINT32_MAX || record > UINT32_MAX) {
		c->fd = -1;
		return nc_fail(e, NACRE_INVALID, "%.300s: %zu pictures of %zu bytes are too many",
			       path, n, record);
	}
	c->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
	if (c->fd < 0)
		return nc_fail(e, NACRE_IO, "%.300s: cannot open the cache: %s", path,
			       strerror_r(errno, reason, sizeof reason));
	if (read_at(c->fd, &got, sizeof got, 0)) {
		if (memcmp(got.magic, want.magic, sizeof got.magic))
			nc_fail(e, NACRE_IO, "%.300s: is no cache of pictures: left as it is",
				path);
		else if (memcmp(&got, &want, sizeof got) == 0)
			return NACRE_OK;
	} else if (lseek(c->fd, 0, SEEK_END) != 0) {
		nc_fail(e, NACRE_IO, "%.300s: is no cache of pictures: left as it is", path);
	}
	if (!e->status && (ftruncate(c->fd, 0) || !write_at(c->fd, &want, sizeof want, 0)))
		nc_fail(e, NACRE_IO, "%.300s: cannot write the cache: %s", path,
			strerror_r(errno, reason, sizeof reason));
	if (e->status)
		nc_image_cache_close(c);
	return e->status;
}

static uint64_t place(const nc_image_cache *c, size_t slot)
{
	return c->head + (uint64_t)slot * (c->record + sizeof(check));
}

/* -- both -------------------------------------------------------------------------------------- */
bool nc_image_cache_get(nc_image_cache *c, size_t slot, void *out)
{
	check k;
	if (c->data) {
		if (atomic_load_explicit(&c->state[slot], memory_order_acquire) != 2)
			return false;
		memcpy(out, c->data + slot * c->record, c->record);
		return true;
	}
	return c->fd >= 0 && read_at(c->fd, &k, sizeof k, place(c, slot)) && k.mark == MARK &&
	       read_at(c->fd, out, c->record, place(c, slot) + sizeof k) &&
	       nc_crc32c(0, out, c->record) == k.crc;
}

void nc_image_cache_put(nc_image_cache *c, size_t slot, const void *data)
{
	unsigned char none = 0;
	if (c->data) {
		if (!atomic_compare_exchange_strong(&c->state[slot], &none, 1))
			return;
		memcpy(c->data + slot * c->record, data, c->record);
		atomic_store_explicit(&c->state[slot], 2, memory_order_release);
	} else if (c->fd >= 0) {
		check k = {nc_crc32c(0, data, c->record), MARK};
		if (write_at(c->fd, data, c->record, place(c, slot) + sizeof k))
			write_at(c->fd, &k, sizeof k, place(c, slot));
	}
}

void nc_image_cache_close(nc_image_cache *c)
{
	nc_free(c->memory, c->data, c->n * c->record);
	nc_free(c->memory, c->state, c->n * sizeof *c->state);
	if (c->fd >= 0)
		close(c->fd);
	*c = (nc_image_cache){.memory = c->memory, .fd = -1};
}
