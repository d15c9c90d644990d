/* SPDX-License-Identifier: MIT
 *
 * nacre/format.h - files of tensors: IDX, NPY, NPZ, safetensors.
 *
 * Readers believe nothing: every count, size and offset is checked against the bytes that are
 * there before memory is taken, names that occur twice are refused, and the error names the file,
 * the place, what was expected and what came.  Writers put a new file beside the old one, flush it
 * to the disk and rename it: the old file stands until the new one is complete.
 * Loaders return NULL on failure and explain it in `error` (which may be NULL).
 */
#ifndef NACRE_FORMAT_H
#define NACRE_FORMAT_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -- IDX, the format of MNIST: big-endian numbers after a small header; plain or gzipped
 * Types u8, i8, i32, f32, f64; i16 becomes i32.  Rank 1 to 8. */
nacre_tensor *nacre_idx_load(nacre_runtime *runtime, const char *path, nacre_error *error);

/* -- NPY, NumPy's array file, versions 1 to 3
 * Types f2 f4 f8 i1 u1 i4 i8 b1, of either byte order; C or Fortran order (the latter gives a
 * transposed view).  Saved as version 1.0, little-endian, C order; bf16 has no NumPy type. */
nacre_tensor *nacre_npy_load(nacre_runtime *runtime, const char *path, nacre_error *error);
nacre_status nacre_npy_save(const nacre_tensor *tensor, const char *path, nacre_error *error);

/* -- safetensors: named tensors and a few strings
 * An open file is mapped, not read: a tensor taken from it is a view of the mapping, which lives
 * until the last view is freed (the file object may go before).  Such tensors are read-only, and
 * the file must not be changed in place meanwhile; replacing it by a rename, as the writer here
 * does, is fine.  A tensor that is not aligned to its element size in the file is copied. */
typedef struct nacre_safetensors nacre_safetensors;

nacre_safetensors *nacre_safetensors_open(nacre_runtime *runtime, const char *path,
					  nacre_error *error);
void nacre_safetensors_free(nacre_safetensors *file);

/* The tensors in the order in which they lie in the file; i outside 0 .. count-1: NULL. */
int64_t nacre_safetensors_count(const nacre_safetensors *file);
const char *nacre_safetensors_name(const nacre_safetensors *file, int64_t i);
const char *nacre_safetensors_dtype(const nacre_safetensors *file, int64_t i); /* "F32" */
/* A new view of the tensor of that name.  Fails if there is none, or if its type or rank (more than
 * 8) is one that Nacre's tensors cannot have. */
nacre_tensor *nacre_safetensors_tensor(const nacre_safetensors *file, const char *name,
				       nacre_error *error);
/* The strings of "__metadata__": by key (NULL: no such key); the keys in the order of the file. */
const char *nacre_safetensors_metadata(const nacre_safetensors *file, const char *key);
int64_t nacre_safetensors_metadata_count(const nacre_safetensors *file);
const char *nacre_safetensors_metadata_key(const nacre_safetensors *file, int64_t i);

typedef struct nacre_named_tensor {
	const char *name;
	const nacre_tensor *tensor;
} nacre_named_tensor;
typedef struct nacre_metadata {
	const char *key, *value;
} nacre_metadata;

/* Writes n tensors, larger elements first, then by name, and the metadata by key (NULL, 0: none).
 * Names and keys are UTF-8 and unique; "__metadata__" is no name of a tensor. */
nacre_status nacre_safetensors_save(const char *path, int64_t n, const nacre_named_tensor *tensors,
				    int64_t n_metadata, const nacre_metadata *metadata,
				    nacre_error *error);

/* -- NPZ, NumPy's file of several arrays: a zip archive of NPY files
 * An open file is mapped; an array is read, and its checksum tested, when it is asked for: a tensor
 * of its own memory.  Members may be stored (savez) or, with zlib, deflated (savez_compressed: one
 * may be 100 times larger than what is stored of it, or 16 MiB).  Saved as savez does. */
typedef struct nacre_npz nacre_npz;

nacre_npz *nacre_npz_open(nacre_runtime *runtime, const char *path, nacre_error *error);
void nacre_npz_free(nacre_npz *file);
int64_t nacre_npz_count(const nacre_npz *file);
const char *nacre_npz_name(const nacre_npz *file, int64_t i); /* "x" of x.npy; NULL past the end */
nacre_tensor *nacre_npz_tensor(const nacre_npz *file, const char *name, nacre_error *error);
/* Names are UTF-8, unique, and relative paths; the arrays lie in the order given. */
nacre_status nacre_npz_save(const char *path, int64_t n, const nacre_named_tensor *tensors,
			    nacre_error *error);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
