/* SPDX-License-Identifier: MIT
 *
 * fuzz_idx.c - fuzz target: IDX from memory, plain or gzip.  A plain file has only one form, so
 * what was read is written back and must be the same bytes; and packed into a gzip file, which no
 * mutation would get the checksum of right, it must be read, or refused, just the same.
 */
#include <string.h>

#include "format/gzip.h"
#include "format/idx.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_big(uint8_t *p, uint64_t v, size_t n)
{
	while (n--) {
		p[n] = (uint8_t)v;
		v >>= 8;
	}
}

static void write_idx_again(nacre_runtime *rt, const nacre_tensor *t, const uint8_t *data,
			    size_t size)
{
	nc_memory *m = nc_runtime_memory(rt);
	size_t n = nacre_dtype_size(t->dtype), element = data[2] == 0x0b ? 2 : n;
	uint8_t *out = nc_zero_alloc(m, size);
	FUZZ_CHECK(out);
	out[2] = data[2];
	out[3] = (uint8_t)t->rank;
	for (int i = 0; i < t->rank; i++)
		put_big(out + 4 + 4 * i, (uint64_t)t->shape[i], 4);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++) {
		uint64_t v = 0;
		memcpy(&v, t->data + (size_t)i * n, n);
		put_big(out + 4 + 4 * t->rank + (size_t)i * element, v, element);
	}
	FUZZ_CHECK(!memcmp(out, data, size));
	nc_free(m, out, size);
}

#ifdef NACRE_HAVE_ZLIB
#include <zlib.h>

static void read_packed(nacre_runtime *rt, const nacre_tensor *t, const uint8_t *data, size_t size)
{
	static z_stream z; /* kept: it is slow to make */
	if (!z.state)
		FUZZ_CHECK(deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 1, 0) == Z_OK);
	FUZZ_CHECK(deflateReset(&z) == Z_OK);
	nc_memory *m = nc_runtime_memory(rt);
	size_t room = deflateBound(&z, (uLong)size);
	uint8_t *packed = nc_alloc(m, room);
	FUZZ_CHECK(packed);
	z.next_in = (z_const Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = packed;
	z.avail_out = (uInt)room;
	FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
	nacre_tensor *u = nc_idx_decode(rt, packed, z.total_out, NULL);
	FUZZ_CHECK(!u == !t);
	FUZZ_CHECK(!u || (u->dtype == t->dtype && u->rank == t->rank &&
			  nacre_tensor_size(u) == nacre_tensor_size(t)));
	if (u && nacre_tensor_size(u))
		FUZZ_CHECK(!memcmp(u->data, t->data,
				   (size_t)nacre_tensor_size(u) * nacre_dtype_size(u->dtype)));
	nacre_tensor_free(u);
	nc_free(m, packed, room);
}
#else
static void read_packed(nacre_runtime *rt, const nacre_tensor *t, const uint8_t *data, size_t size)
{
	(void)rt, (void)t, (void)data, (void)size;
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nacre_runtime *rt = fuzz_runtime();
	nacre_error e = {0};
	nacre_tensor *t = nc_idx_decode(rt, data, size, &e);
	FUZZ_CHECK(!t == (e.status != NACRE_OK));
	if (t && !nc_gzip_is(data, size))
		write_idx_again(rt, t, data, size);
	if (!nc_gzip_is(data, size))
		read_packed(rt, t, data, size);
	bool accepted = t;
	nacre_tensor_free(t);
	return fuzz_done(accepted);
}
