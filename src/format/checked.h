/* SPDX-License-Identifier: MIT
 *
 * checked.h - safetensors files with a checksum over all their bytes, for checkpoints.
 *
 * The metadata holds "crc32c": 8 lower-case hexadecimal digits, the CRC-32C of the whole file with
 * these digits taken as "00000000".  Other readers see an ordinary safetensors file.
 */
#ifndef NC_CHECKED_H
#define NC_CHECKED_H

#include "base/base.h"
#include "nacre/format.h"

/* As nacre_safetensors_save(), with the checksum; the tensors must be contiguous. */
nacre_status nc_checked_save(nacre_runtime *rt, const char *path, int64_t n,
			     const nacre_named_tensor *tensors, int64_t n_metadata,
			     const nacre_metadata *metadata, nacre_error *e);
/* Opens a file whose checksum is right; NULL otherwise. */
nacre_safetensors *nc_checked_open(nacre_runtime *rt, const char *path, nacre_error *e);

#endif
