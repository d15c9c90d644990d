/* SPDX-License-Identifier: MIT
 *
 * zip.h - zip archives in memory (.keras, .npz): the members by name, and a writer of stored ones.
 *
 * Only the central directory is believed, and only where the local headers agree with it.  Members
 * are stored or deflated; encryption, links, several disks, names that lead outside, names that
 * occur twice, and members that share bytes are refused.
 */
#ifndef NC_ZIP_H
#define NC_ZIP_H

#include "base/base.h"
#include "base/pool.h"
#include "format/sink.h"

enum {
	NC_ZIP_MEMBERS = 65535,
	/* a member may be so many times larger than what is stored of it ... */
	NC_ZIP_EXPANSION = 100,
	/* ... or have this size whatever it says */
	NC_ZIP_SMALL = 16 << 20
};

typedef struct nc_zip_member {
	const char *name; /* terminated, UTF-8, relative; that of a folder ends with a slash */
	size_t name_size;
	size_t header, data; /* places in the file */
	size_t stored, size; /* bytes there, and of the member */
	uint32_t crc;
	bool deflated;
} nc_zip_member;

typedef struct nc_zip {
	nc_memory *memory;
	nc_arena arena;
	const uint8_t *bytes; /* the archive, which must outlive this */
	size_t size;
	nc_zip_member **member;  /* in the order of the directory */
	nc_zip_member **by_name; /* sorted */
	size_t n;
	/* which its user may set: */
	const nc_bytes *file; /* the archive, if it is mapped: what was checked need not stay */
	nc_pool *pool;        /* whose threads compute checksums */
} nc_zip;

/* Checks all but the contents; `out` needs nc_zip_close only on success. */
nacre_status nc_zip_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_zip *out,
			 nacre_error *e);
void nc_zip_close(nc_zip *z);
const nc_zip_member *nc_zip_find(const nc_zip *z, const char *name); /* NULL: there is none */

typedef struct nc_zip_part {
	const uint8_t *data;
	size_t size;
	uint32_t crc;
} nc_zip_part;

/* The contents, checked against the checksum: of a stored member the bytes of the archive
 * themselves, of a deflated one memory that nc_zip_data_free gives back. */
typedef struct nc_zip_data {
	const uint8_t *data;
	size_t size;
	bool owned, unchecked;
	nc_zip_part *part; /* what was seen, in no order: n of room */
	size_t n, room;
} nc_zip_data;
nacre_status nc_zip_read(const nc_zip *z, const nc_zip_member *member, nc_zip_data *out,
			 nacre_error *e);
void nc_zip_data_free(const nc_zip *z, nc_zip_data *d);
/* For much that is gone over only once: the same, but the bytes of a stored member come before
 * they are checked.  Whoever goes over some of them tells their CRC-32; nc_zip_check sees to
 * the others and tells whether all are right.  Until then nothing may be kept that came of them. */
nacre_status nc_zip_borrow(const nc_zip *z, const nc_zip_member *member, nc_zip_data *out,
			   nacre_error *e);
nacre_status nc_zip_seen(const nc_zip *z, nc_zip_data *d, const void *bytes, size_t n,
			 uint32_t crc, nacre_error *e);
nacre_status nc_zip_check(const nc_zip *z, const nc_zip_member *member, nc_zip_data *d,
			  nacre_error *e);

/* -- writing: start, add members, finish.  The first error stays, and later calls do nothing. */
typedef struct nc_zip_writer {
	nc_memory *memory;
	nc_arena arena;
	nc_sink sink;
	nacre_error *error;
	nacre_status status;
	struct nc_zip_written *first, *last;
	size_t n;
	uint64_t at;
	uint64_t large;      /* sizes and offsets from here on need zip64 records: 2^32 - 1 */
	uint16_t date, time; /* of all members, as DOS has them: 1980-01-01 00:00 */
} nc_zip_writer;

void nc_zip_start(nc_zip_writer *z, nc_memory *m, nc_sink sink, nacre_error *e);
void nc_zip_date(nc_zip_writer *z, int year, int month, int day, int hour, int minute, int second);
nacre_status nc_zip_add(nc_zip_writer *z, const char *name, const void *data, size_t n);
/* A member that is never in memory as a whole: `produce` is called twice, first for the size and
 * the checksum, which stand in front of the data, and must write the same bytes again. */
typedef nacre_status nc_producer(void *context, const nc_sink *sink);
nacre_status nc_zip_add_from(nc_zip_writer *z, const char *name, nc_producer *produce,
			     void *context);
nacre_status nc_zip_finish(nc_zip_writer *z); /* the directory; also after an error, to clean up */

bool nc_zip_name_ok(const char *name, size_t size); /* fit for a member, or a folder of them */

#endif
