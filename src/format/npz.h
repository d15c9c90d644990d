/* SPDX-License-Identifier: MIT
 *
 * npz.h - NumPy's NPZ: a zip archive whose members are NPY files, "name.npy".
 */
#ifndef NC_NPZ_H
#define NC_NPZ_H

#include "format/zip.h"
#include "nacre/format.h"
#include "tensor/tensor.h"

typedef struct nc_npz {
	nc_zip zip;
	const char **name; /* of each member, without ".npy" */
} nc_npz;

/* Checks the archive and the names; `out` needs nc_npz_close only on success. */
nacre_status nc_npz_open(nc_memory *m, const uint8_t *bytes, size_t size, nc_npz *out,
			 nacre_error *e);
void nc_npz_close(nc_npz *z);
/* Array i, a copy, checked against its checksum; NULL after an error. */
nacre_tensor *nc_npz_tensor(nacre_runtime *rt, const nc_npz *z, size_t i, nacre_error *e);

/* The archive of n arrays, each stored, in the order given. */
nacre_status nc_npz_write(nc_memory *m, int64_t n, const nacre_named_tensor *tensors, nc_sink sink,
			  nacre_error *e);

#endif
