/* SPDX-License-Identifier: MIT
 *
 * fuzz_zip.c - fuzz target: zip archives from memory.  Members that were read are written, stored,
 * and read again.
 */
#include <string.h>

#include "format/zip.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool copy_members(const nc_zip *z, nc_zip_writer *w)
{
	bool ok = true;
	for (size_t i = 0; i < z->n && ok; i++) {
		const nc_zip_member *m = z->member[i];
		nc_zip_data d;
		nacre_error e = {0};
		nacre_status s = nc_zip_read(z, m, &d, &e);
		FUZZ_CHECK(s == e.status && nc_zip_find(z, m->name) == m);
		ok = !s;
		FUZZ_CHECK(s || d.size == m->size);
		if (ok && m->name[m->name_size - 1] != '/')
			FUZZ_CHECK(!nc_zip_add(w, m->name, d.data, d.size));
		nc_zip_data_free(z, &d);
	}
	return ok;
}

static void check_copy(const nc_zip *z, const nc_buffer *b)
{
	nc_zip again;
	FUZZ_CHECK(!nc_zip_open(z->memory, b->data, b->size, &again, NULL));
	for (size_t i = 0; i < again.n; i++) {
		const nc_zip_member *m = again.member[i];
		const nc_zip_member *from = nc_zip_find(z, m->name);
		nc_zip_data d;
		FUZZ_CHECK(from && from->size == m->size && from->crc == m->crc);
		FUZZ_CHECK(!nc_zip_read(&again, m, &d, NULL));
		nc_zip_data_free(&again, &d);
	}
	nc_zip_close(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nc_memory *m = nc_runtime_memory(fuzz_runtime());
	nc_zip z;
	nacre_error e = {0};
	nacre_status s = nc_zip_open(m, data, size, &z, &e);
	FUZZ_CHECK(s == e.status);
	bool ok = !s;
	if (ok) {
		nc_buffer b;
		nc_zip_writer w;
		nc_buffer_init(&b, m, &e);
		nc_zip_start(&w, m, nc_sink_buffer(&b), &e);
		ok = copy_members(&z, &w);
		FUZZ_CHECK(!nc_zip_finish(&w));
		check_copy(&z, &b);
		nc_buffer_free(&b);
		nc_zip_close(&z);
	}
	return fuzz_done(ok);
}
