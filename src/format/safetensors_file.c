/* SPDX-License-Identifier: MIT
 *
 * safetensors_file.c - an open file: a mapping, its description, and views of it.
 */
#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "format/safetensors.h"

struct nacre_safetensors {
	nacre_runtime *runtime;
	nc_storage *storage; /* the whole file */
	nc_safetensors description;
};

/* What a storage needs to give a mapping back. */
typedef struct mapping {
	nc_memory *memory;
	nc_bytes bytes;
} mapping;

static void unmap(void *context, void *data)
{
	mapping *m = context;
	(void)data;
	nc_bytes_free(m->memory, &m->bytes);
	nc_free(m->memory, m, sizeof *m);
}

static nc_storage *map_file(nc_memory *m, const char *path, nacre_error *e)
{
	mapping *map = nc_zero_alloc(m, sizeof *map);
	if (!map) {
		nc_no_memory(e, sizeof *map);
		return NULL;
	}
	map->memory = m;
	if (nc_file_map(path, &map->bytes, e)) {
		nc_free(m, map, sizeof *map);
		return NULL;
	}
	/* the storage never writes; tensors of a mapping are read-only by contract */
	void *data = (void *)(uintptr_t)map->bytes.data;
	nc_storage *s = nc_storage_wrap(m, data, map->bytes.size, unmap, map, e);
	if (!s)
		unmap(map, data);
	return s;
}

nacre_safetensors *nacre_safetensors_open(nacre_runtime *runtime, const char *path,
					  nacre_error *error)
{
	nacre_error own = {0};
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt || !path) {
		nc_fail(error, NACRE_INVALID, "safetensors_open: %s",
			rt ? "the path is NULL" : "there is no default runtime");
		return NULL;
	}
	nc_memory *m = nc_runtime_memory(rt);
	nacre_safetensors *f = nc_zero_alloc(m, sizeof *f);
	if (!f) {
		nc_no_memory(error, sizeof *f);
		return NULL;
	}
	f->runtime = rt;
	f->storage = map_file(m, path, &own);
	if (!f->storage) {
		nc_fail(error, own.status, "%s", own.text);
		nc_free(m, f, sizeof *f);
		return NULL;
	}
	if (nc_safetensors_parse(m, f->storage->data, f->storage->size, &f->description, &own)) {
		nc_fail_in(error, path, &own);
		nc_storage_drop(f->storage);
		nc_free(m, f, sizeof *f);
		return NULL;
	}
	return f;
}

void nacre_safetensors_free(nacre_safetensors *file)
{
	if (!file)
		return;
	nc_memory *m = nc_runtime_memory(file->runtime);
	nc_safetensors_clear(&file->description);
	nc_storage_drop(file->storage);
	nc_free(m, file, sizeof *file);
}

const nc_bytes *nc_safetensors_bytes(const nacre_safetensors *file, const nacre_tensor *view)
{
	const mapping *map = file->storage->context;
	return view->storage == file->storage ? &map->bytes : NULL;
}

int64_t nacre_safetensors_count(const nacre_safetensors *file)
{
	return file ? (int64_t)file->description.tensors.n : 0;
}

static const nc_safetensors_entry *entry(const nacre_safetensors *file, int64_t i)
{
	return i >= 0 && i < nacre_safetensors_count(file) ? file->description.tensors.item[i]
							   : NULL;
}

const char *nacre_safetensors_name(const nacre_safetensors *file, int64_t i)
{
	const nc_safetensors_entry *t = entry(file, i);
	return t ? t->name.data : NULL;
}

const char *nacre_safetensors_dtype(const nacre_safetensors *file, int64_t i)
{
	const nc_safetensors_entry *t = entry(file, i);
	return t ? t->dtype : NULL;
}

static nacre_tensor *not_found(const nacre_safetensors *file, const char *name, nacre_error *e)
{
	char names[300];
	size_t n = 0;
	names[0] = '\0';
	for (int64_t i = 0; i < nacre_safetensors_count(file) && i < 4; i++) {
		const nc_json_string *s = file->description.tensors.by_name[i];
		nc_quoted q = nc_quote(s->data, s->size);
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "; it has ",
				      q.text); /* 4 of at most 65 bytes */
	}
	nc_fail(e, NACRE_INVALID, "safetensors: no tensor %s among the %lld of the file%s%s",
		nc_quote(name, strlen(name)).text, (long long)nacre_safetensors_count(file), names,
		nacre_safetensors_count(file) > 4 ? ", ..." : "");
	return NULL;
}

nacre_tensor *nacre_safetensors_tensor(const nacre_safetensors *file, const char *name,
				       nacre_error *error)
{
	if (!file || !name) {
		nc_fail(error, NACRE_INVALID, "safetensors_tensor: the %s is NULL",
			file ? "name" : "file");
		return NULL;
	}
	const nc_safetensors_entry *t =
	    nc_item_find(&file->description.tensors, name, strlen(name));
	if (!t)
		return not_found(file, name, error);
	nc_quoted q = nc_quote(name, strlen(name));
	if (t->native < 0 || t->rank > NACRE_MAX_RANK) {
		nc_fail(error, NACRE_UNSUPPORTED, "safetensors: tensor %s: %s of rank %d", q.text,
			t->dtype, t->rank);
		return NULL;
	}
	nacre_dtype dtype = (nacre_dtype)t->native;
	nacre_error own = {0};
	size_t offset = file->description.data + (size_t)t->begin;
	const uint8_t *data = (const uint8_t *)file->storage->data + offset;
	nacre_tensor *view = NULL;
	if (dtype == NACRE_BOOL)
		nc_check_bools(data, (int64_t)(t->end - t->begin), &own);
	if (own.status) {
		;
	} else if ((uintptr_t)data % nacre_dtype_size(dtype)) {
		view = nacre_tensor_new(file->runtime, dtype, t->rank, t->shape, &own);
		if (view)
			memcpy(view->data, data, (size_t)(t->end - t->begin));
	} else {
		view = nc_tensor_view(file->runtime, file->storage, offset, dtype, t->rank,
				      t->shape, &own);
	}
	if (!view)
		nc_fail(error, own.status, "safetensors: tensor %s: %s", q.text, own.text);
	return view;
}

const char *nacre_safetensors_metadata(const nacre_safetensors *file, const char *key)
{
	const nc_safetensors_string *s =
	    file && key ? nc_item_find(&file->description.metadata, key, strlen(key)) : NULL;
	return s ? s->value.data : NULL;
}

int64_t nacre_safetensors_metadata_count(const nacre_safetensors *file)
{
	return file ? (int64_t)file->description.metadata.n : 0;
}

const char *nacre_safetensors_metadata_key(const nacre_safetensors *file, int64_t i)
{
	if (i < 0 || i >= nacre_safetensors_metadata_count(file))
		return NULL;
	const nc_safetensors_string *s = file->description.metadata.item[i];
	return s->key.data;
}
