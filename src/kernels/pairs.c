/* SPDX-License-Identifier: MIT
 *
 * pairs.c - the tiles of products of bf16 with AVX-512 BF16: all that the set "v4_bf16" has beyond
 * "v4", whose other kernels it shares.
 */
#include <stddef.h>

#include "pairs.inc"

extern const nc_pairs nc_pairs_v4_bf16;
const nc_pairs nc_pairs_v4_bf16 = PAIR_TILES;
