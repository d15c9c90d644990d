/* SPDX-License-Identifier: MIT
 *
 * isa.c - the kernels of one instruction set.  Compiled once for each, with the flags of that set
 * and NC_ISA as its name: what differs between them is the width of a vector and the number of
 * registers. Exports nc_kernels_<isa>, and for v4 also v4_bf16.
 */
#include "kernels.h"

#include "share.h"
#include "vec.h"
#include "lanes.h"

#include "vmath.inc"

#include "chain.inc"
#include "reduce.inc"
#include "vm.inc"

#include "pack.inc"
#include "bf16.inc"
#include "pairs.inc"
#include "ukr.inc"
#include "update.inc"
#include "nonzero.inc"

#include "gemm.inc"

#include "conv.inc"
#include "winograd.inc"
#include "winograd_filter.inc"
#include "depthwise.inc"
#include "pool.inc"

#include "affine.inc"
#include "index.inc"
#include "move.inc"
#include "resample.inc"
#include "rows.inc"
#include "scan.inc"
#include "softmax.inc"

#define NAME_(isa) nc_kernels_##isa
#define NAME(isa) NAME_(isa)
#define TEXT_(isa) #isa
#define TEXT(isa) TEXT_(isa)

static const nc_pairs pair_tiles = PAIR_TILES;

extern const nc_kernels NAME(NC_ISA);
const nc_kernels NAME(NC_ISA) = {
    .isa = TEXT(NC_ISA),
    .pairs = &pair_tiles,
#include "set.inc"
};

#ifdef NC_ISA_BF16 /* the same with tiles of AVX-512 BF16 */
extern const nc_pairs nc_pairs_v4_bf16;
extern const nc_kernels nc_kernels_v4_bf16;
const nc_kernels nc_kernels_v4_bf16 = {
    .isa = "v4_bf16",
    .pairs = &nc_pairs_v4_bf16,
#include "set.inc"
};
#endif
