/* SPDX-License-Identifier: MIT
 *
 * isa.c - the kernels of one instruction set.  Compiled once for each, with the flags of that set
 * and NC_ISA as its name: what differs between them is the width of a vector and the number of
 * registers. Exports one symbol, nc_kernels_<isa>.
 */
#include "kernels.h"

#include "share.h"
#include "vec.h"

#include "vmath.inc"

#include "vm.inc"

#include "pack.inc"
#include "ukr.inc"
#include "update.inc"

#include "gemm.inc"

#include "index.inc"
#include "move.inc"
#include "reduce.inc"
#include "rows.inc"
#include "scan.inc"
#include "softmax.inc"

#define NAME_(isa) nc_kernels_##isa
#define NAME(isa) NAME_(isa)
#define TEXT_(isa) #isa
#define TEXT(isa) TEXT_(isa)

extern const nc_kernels NAME(NC_ISA);
const nc_kernels NAME(NC_ISA) = {
    .isa = TEXT(NC_ISA),
    .vector = VL,
    .gemm_width = gemm_width,
    .gemm = gemm_run,
    .gemm_scratch = gemm_scratch,
    .pack = pack,
    .unpack = unpack,
    .vm = vm_run,
    .vm_scratch = vm_scratch,
    .update = update_run,
    .reduce = reduce_run,
    .arg_reduce = arg_reduce_run,
    .softmax = softmax_run,
    .copy = copy_run,
    .fill = fill_run,
    .gather = gather_run,
    .scatter = scatter_run,
    .one_hot = one_hot_run,
    .cumsum = cumsum_run,
    .rows = rows_run,
};
