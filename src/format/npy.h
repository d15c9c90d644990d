/* SPDX-License-Identifier: MIT
 *
 * npy.h - NumPy's NPY: \x93NUMPY, version, header length, a Python literal, data.
 */
#ifndef NC_NPY_H
#define NC_NPY_H

#include "base/base.h"
#include "tensor/tensor.h"

typedef struct nc_npy {
	nacre_dtype dtype;
	bool big_endian, fortran;
	int rank;
	int64_t shape[NACRE_MAX_RANK];
	int64_t count; /* elements */
	size_t data;   /* bytes before the data, which fill the rest */
} nc_npy;

enum { NC_NPY_HEADER_LIMIT = 10000 }; /* NumPy's own */

nacre_status nc_npy_parse(const uint8_t *bytes, size_t size, nc_npy *out, nacre_error *e);

/* A tensor of its own memory from a whole file; a transposed view for Fortran order. */
nacre_tensor *nc_npy_decode(nacre_runtime *rt, const uint8_t *bytes, size_t size, nacre_error *e);

/* The header of a version 1.0 file with this type and shape into `out`; its length, a multiple of
 * 64, or 0 if the type has no NumPy name. */
enum { NC_NPY_HEADER = 320 };
size_t nc_npy_header(nacre_dtype dtype, int rank, const int64_t *shape, char out[NC_NPY_HEADER]);

#endif
