/* SPDX-License-Identifier: MIT
 *
 * npz.c - reading and writing NPZ files, by the readers and writers of zip and of NPY.
 */
#include "format/npz.h"

#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "format/npy.h"

#define ENDING ".npy"

/* -- bytes ------------------------------------------------------------------------------------- */
/* "x" of "x.npy"; NULL after an error. */
static const char *array_name(nc_arena *a, const nc_zip_member *member, nacre_error *e)
{
	size_t n = member->name_size, end = strlen(ENDING);
	if (n < end || memcmp(member->name + n - end, ENDING, end) != 0) {
		nc_fail(e, NACRE_UNSUPPORTED, "NPZ: member %s is no array (NAME.npy)",
			nc_quote(member->name, n).text);
		return NULL;
	}
	char *name = nc_arena_alloc(a, n - end + 1);
	if (!name) {
		nc_no_memory(e, n);
		return NULL;
	}
	memcpy(name, member->name, n - end);
	return name;
}

nacre_status nc_npz_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_npz *out,
			 nacre_error *e)
{
	nacre_status s = nc_zip_open(m, bytes, size, &out->zip, e);
	if (s)
		return s;
	nc_zip *z = &out->zip;
	nacre_error own = {0};
	out->name = nc_arena_alloc(&z->arena, z->n * sizeof *out->name);
	if (!out->name)
		nc_no_memory(&own, z->n * sizeof *out->name);
	for (size_t i = 0; i < z->n && !own.status; i++)
		out->name[i] = array_name(&z->arena, z->member[i], &own);
	if (!own.status)
		return NACRE_OK;
	nc_zip_close(z);
	return nc_fail(e, own.status, "%s", own.text);
}

void nc_npz_close(nc_npz *z)
{
	nc_zip_close(&z->zip);
}

nacre_tensor *nc_npz_tensor(nacre_runtime *rt, const nc_npz *z, size_t i, nacre_error *e)
{
	nc_zip_data d;
	nacre_error own = {0};
	if (nc_zip_read(&z->zip, z->zip.member[i], &d, e))
		return NULL;
	nacre_tensor *t = nc_npy_decode(rt, d.data, d.size, &own);
	nc_zip_data_free(&z->zip, &d);
	if (!t)
		nc_fail(e, own.status, "NPZ: array %s: %s",
			nc_quote(z->name[i], strlen(z->name[i])).text, own.text);
	return t;
}

typedef struct array { /* as a file of its own */
	char header[NC_NPY_HEADER];
	size_t n, bytes;
	const void *data;
} array;

static nacre_status produce(void *context, const nc_sink *sink)
{
	const array *a = context;
	nacre_status s = nc_put(sink, a->header, a->n);
	return s ? s : nc_put(sink, a->data, a->bytes);
}

static nacre_status add_array(nc_zip_writer *z, const char *member, const nacre_tensor *t,
			      nacre_error *e)
{
	array a = {.data = t->data,
		   .bytes = (size_t)nacre_tensor_size(t) * nacre_dtype_size(t->dtype)};
	a.n = nc_npy_header(t->dtype, t->rank, t->shape, a.header);
	if (!a.n)
		return nc_fail(e, NACRE_UNSUPPORTED,
			       "NPZ: NumPy has no type for %s; convert the tensor to f32 first",
			       nacre_dtype_name(t->dtype));
	if (nacre_tensor_contiguous(t))
		return nc_zip_add_from(z, member, produce, &a);
	nacre_tensor *copy = nacre_tensor_convert(t, t->dtype, e);
	if (!copy)
		return NACRE_NO_MEMORY;
	a.data = copy->data;
	nacre_status s = nc_zip_add_from(z, member, produce, &a);
	nacre_tensor_free(copy);
	return s;
}

nacre_status nc_npz_write(nc_memory *m, int64_t n, const nacre_named_tensor *tensors, nc_sink sink,
			  nacre_error *e)
{
	nc_zip_writer z;
	nc_text member;
	nacre_status s = NACRE_OK;
	nc_text_init(&member, m);
	nc_zip_start(&z, m, sink, e);
	for (int64_t i = 0; i < n && !s; i++) {
		member.size = 0;
		nc_text_add(&member, "%s" ENDING, tensors[i].name);
		s = member.failed ? nc_no_memory(e, strlen(tensors[i].name))
				  : add_array(&z, member.data, tensors[i].tensor, e);
	}
	z.status = z.status ? z.status : s;
	nc_text_free(&member);
	return nc_zip_finish(&z);
}

/* -- files ------------------------------------------------------------------------------------- */
struct nacre_npz {
	nacre_runtime *runtime;
	nc_bytes bytes;
	nc_npz archive;
};

nacre_npz *nacre_npz_open(nacre_runtime *runtime, const char *path, nacre_error *error)
{
	nacre_error own = {0};
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt || !path) {
		nc_fail(error, NACRE_INVALID, "npz_open: %s",
			rt ? "the path is NULL" : "there is no default runtime");
		return NULL;
	}
	nc_memory *m = nc_runtime_memory(rt);
	nacre_npz *f = nc_zero_alloc(m, sizeof *f);
	if (!f) {
		nc_no_memory(error, sizeof *f);
		return NULL;
	}
	f->runtime = rt;
	if (nc_file_map(path, &f->bytes, &own)) {
		nc_fail(error, own.status, "%s", own.text);
		nc_free(m, f, sizeof *f);
		return NULL;
	}
	if (nc_npz_open(m, f->bytes.data, f->bytes.size, &f->archive, &own)) {
		nc_fail_in(error, path, &own);
		nc_bytes_free(m, &f->bytes);
		nc_free(m, f, sizeof *f);
		return NULL;
	}
	return f;
}

void nacre_npz_free(nacre_npz *file)
{
	if (!file)
		return;
	nc_memory *m = nc_runtime_memory(file->runtime);
	nc_npz_close(&file->archive);
	nc_bytes_free(m, &file->bytes);
	nc_free(m, file, sizeof *file);
}

int64_t nacre_npz_count(const nacre_npz *file)
{
	return file ? (int64_t)file->archive.zip.n : 0;
}

const char *nacre_npz_name(const nacre_npz *file, int64_t i)
{
	return i >= 0 && i < nacre_npz_count(file) ? file->archive.name[i] : NULL;
}

nacre_tensor *nacre_npz_tensor(const nacre_npz *file, const char *name, nacre_error *error)
{
	if (!file || !name) {
		nc_fail(error, NACRE_INVALID, "npz_tensor: the %s is NULL", file ? "name" : "file");
		return NULL;
	}
	for (size_t i = 0; i < file->archive.zip.n; i++)
		if (strcmp(file->archive.name[i], name) == 0)
			return nc_npz_tensor(file->runtime, &file->archive, i, error);
	nc_fail(error, NACRE_INVALID, "NPZ: no array %s among the %lld of the file",
		nc_quote(name, strlen(name)).text, (long long)nacre_npz_count(file));
	return NULL;
}

nacre_status nacre_npz_save(const char *path, int64_t n, const nacre_named_tensor *tensors,
			    nacre_error *error)
{
	nacre_error own = {0};
	nc_writer w;
	bool given = path && n >= 0 && (tensors || !n);
	for (int64_t i = 0; given && i < n; i++)
		given = tensors[i].name && tensors[i].tensor;
	if (!given)
		return nc_fail(error, NACRE_INVALID,
			       "npz_save: a path and named tensors are needed");
	nacre_runtime *rt = nc_runtime(n ? tensors[0].tensor->runtime : NULL);
	if (!rt)
		return nc_fail(error, NACRE_INVALID, "there is no default runtime");
	if (nc_writer_open(&w, path, &own))
		return nc_fail(error, own.status, "%s", own.text);
	nacre_error inner = {0};
	if (nc_npz_write(nc_runtime_memory(rt), n, tensors, nc_sink_writer(&w), &inner)) {
		nc_writer_abandon(&w);
		if (own.status)
			return nc_fail(error, own.status, "%s", own.text);
		return nc_fail_in(error, path, &inner);
	}
	return nc_writer_finish(&w) ? nc_fail(error, own.status, "%s", own.text) : NACRE_OK;
}
