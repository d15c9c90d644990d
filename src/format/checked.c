/* SPDX-License-Identifier: MIT
 *
 * checked.c - safetensors with a checksum: a damaged file is refused, whatever was damaged.
 */
#include "format/checked.h"

#include <stdio.h>
#include <string.h>

#include "base/crc.h"
#include "base/runtime.h"
#include "format/load.h"
#include "format/safetensors.h"

enum { DIGITS = 8 };
static const char key[] = "crc32c", zeros[] = "00000000", mark[] = "\"crc32c\":\"";

/* Where the digits stand in the header; NULL: nowhere. */
static char *find_digits(char *header, size_t size)
{
	char *at = memmem(header, size, mark, sizeof mark - 1);
	if (!at || (size_t)(header + size - at) < sizeof mark - 1 + DIGITS)
		return NULL;
	return at + sizeof mark - 1;
}

static size_t tensor_bytes(const nacre_tensor *t)
{
	return (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype);
}

static nacre_status write(const char *path, const nc_text *header, int64_t n,
			  const nacre_named_tensor **order, nacre_error *e)
{
	nc_writer w;
	if (nc_writer_open(&w, path, e))
		return e->status;
	nc_writer_write(&w, header->data, header->size);
	for (int64_t i = 0; i < n; i++)
		nc_writer_write(&w, order[i]->tensor->data, tensor_bytes(order[i]->tensor));
	return nc_writer_finish(&w);
}

/* Puts the checksum into a header that holds zeros in its place. */
static nacre_status seal(nc_text *header, int64_t n, const nacre_named_tensor **order,
			 nacre_error *e)
{
	char digits[DIGITS + 1], *at = find_digits(header->data, header->size);
	if (!at)
		return nc_fail(e, NACRE_FAILED, "checkpoint: the header has no place for the sum");
	uint32_t crc = nc_crc32c(0, header->data, header->size);
	for (int64_t i = 0; i < n; i++)
		crc = nc_crc32c(crc, order[i]->tensor->data, tensor_bytes(order[i]->tensor));
	snprintf(digits, sizeof digits, "%08x", crc);
	memcpy(at, digits, DIGITS);
	return NACRE_OK;
}

nacre_status nc_checked_save(nacre_runtime *rt, const char *path, int64_t n,
			     const nacre_named_tensor *tensors, int64_t n_metadata,
			     const nacre_metadata *metadata, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(rt);
	size_t k = (size_t)n_metadata + 1,
	       bytes = ((size_t)n + k) * sizeof(void *) + k * sizeof(nacre_metadata);
	const void **order = nc_alloc(m, bytes);
	nacre_error own = {0};
	nc_text header;
	if (!order)
		return nc_no_memory(e, bytes);
	const nacre_named_tensor **sorted = (const nacre_named_tensor **)order;
	const nacre_metadata **keys = (const nacre_metadata **)(order + n);
	nacre_metadata *all = (nacre_metadata *)(order + n + k);
	memcpy(all, metadata, (size_t)n_metadata * sizeof *all);
	all[n_metadata] = (nacre_metadata){key, zeros};
	nc_text_init(&header, m);
	nacre_status s =
	    nc_safetensors_header(n, tensors, sorted, (int64_t)k, all, keys, &header, &own);
	s = s ? s : seal(&header, n, sorted, &own);
	s = s ? s : write(path, &header, n, sorted, &own);
	nc_text_free(&header);
	nc_free(m, order, bytes);
	return s ? nc_fail(e, s, "%s", own.text) : NACRE_OK;
}

/* The digits count as zeros, so the file is summed up in three parts. */
static bool sound(const nc_bytes *b)
{
	if (b->size < 8)
		return false;
	uint64_t header = nc_little64(b->data);
	if (header > b->size - 8)
		return false;
	const char *first = (const char *)b->data;
	const char *at = find_digits((char *)(uintptr_t)first, (size_t)header + 8);
	if (!at)
		return false;
	char digits[DIGITS + 1];
	const char *rest = at + DIGITS;
	uint32_t crc = nc_crc32c(0, first, (size_t)(at - first));
	crc = nc_crc32c(crc, zeros, DIGITS);
	crc = nc_crc32c(crc, rest, (size_t)(first + b->size - rest));
	snprintf(digits, sizeof digits, "%08x", crc);
	return memcmp(digits, at, DIGITS) == 0;
}

nacre_safetensors *nc_checked_open(nacre_runtime *rt, const char *path, nacre_error *e)
{
	nc_bytes b;
	if (nc_file_map(path, &b, e))
		return NULL;
	bool ok = sound(&b);
	nc_bytes_free(nc_runtime_memory(rt), &b);
	if (!ok) {
		nc_fail(e, NACRE_BAD_DATA,
			"%.300s: damaged, or no checkpoint: the checksum is wrong", path);
		return NULL;
	}
	return nacre_safetensors_open(rt, path, e);
}
