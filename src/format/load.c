/* SPDX-License-Identifier: MIT
 *
 * load.c - what the readers share.
 */
#include "format/load.h"

#include <stdio.h>
#include <string.h>

static void swap_bytes(void *data, int64_t n, int element)
{
	uint8_t *p = data;
	for (int64_t i = 0; i < n; i++, p += element) {
		if (element == 2) {
			uint16_t v;
			memcpy(&v, p, 2);
			v = __builtin_bswap16(v);
			memcpy(p, &v, 2);
		} else if (element == 4) {
			uint32_t v;
			memcpy(&v, p, 4);
			v = __builtin_bswap32(v);
			memcpy(p, &v, 4);
		} else if (element == 8) {
			uint64_t v;
			memcpy(&v, p, 8);
			v = __builtin_bswap64(v);
			memcpy(p, &v, 8);
		}
	}
}

void nc_from_big(void *data, int64_t n, int element)
{
	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && element > 1)
		swap_bytes(data, n, element);
}

void nc_from_little(void *data, int64_t n, int element)
{
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ && element > 1)
		swap_bytes(data, n, element);
}

nacre_status nc_fail_in(nacre_error *e, const char *path, const nacre_error *inner)
{
	return nc_fail(e, inner->status, "%.300s: %s", path, inner->text);
}

nacre_tensor *nc_load(nacre_runtime *runtime, const char *path, nc_decoder *decode, nacre_error *e)
{
	nacre_runtime *rt = nc_runtime(runtime);
	nc_bytes bytes;
	if (!rt) {
		nc_fail(e, NACRE_INVALID, "there is no default runtime");
		return NULL;
	}
	if (!path) {
		nc_fail(e, NACRE_INVALID, "the path is NULL");
		return NULL;
	}
	if (nc_file_map(path, &bytes, e))
		return NULL;
	nacre_error inner = {0};
	nacre_tensor *t = decode(rt, bytes.data, bytes.size, &inner);
	if (!t)
		nc_fail_in(e, path, &inner);
	nc_bytes_free(nc_runtime_memory(rt), &bytes);
	return t;
}

nc_quoted nc_quote(const char *data, size_t size)
{
	enum { MOST = 60 };
	nc_quoted q;
	size_t n = size < MOST ? size : MOST;
	q.text[0] = '"';
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)data[i];
		q.text[1 + i] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
	}
	/* do not cut a character of UTF-8 in two */
	while (n && n < size && ((uint8_t)data[n] & 0xc0) == 0x80)
		n--;
	snprintf(q.text + 1 + n, sizeof q.text - 1 - n, n < size ? "...\"" : "\"");
	return q;
}

nacre_status nc_check_bools(const uint8_t *data, int64_t n, nacre_error *e)
{
	for (int64_t i = 0; i < n; i++)
		if (data[i] > 1)
			return nc_fail(e, NACRE_BAD_DATA,
				       "element %lld of a bool tensor is %d, expected 0 or 1",
				       (long long)i, data[i]);
	return NACRE_OK;
}

static void sink(void **item, size_t i, size_t n, int (*compare)(const void *, const void *))
{
	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && compare(item[child], item[child + 1]) < 0)
			child++;
		if (compare(item[i], item[child]) >= 0)
			return;
		void *t = item[i];
		item[i] = item[child];
		item[child] = t;
	}
}

void nc_sort(void **item, size_t n, int (*compare)(const void *, const void *))
{
	for (size_t i = n / 2; i-- > 0;)
		sink(item, i, n, compare);
	while (n > 1) {
		n--;
		void *t = item[0];
		item[0] = item[n];
		item[n] = t;
		sink(item, 0, n, compare);
	}
}
