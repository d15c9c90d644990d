/* SPDX-License-Identifier: MIT
 *
 * cpu.h - the inside of the CPU backend: how groups become kernel calls.
 *
 *   cpu.c      the backend, and the table from op to lowering function
 *   vm.c       elementwise groups and epilogues -> programs of the tile interpreter
 *   matmul.c   products with their epilogues
 *   conv.c     convolutions likewise, and their gradients
 *   pool.c     pools
 *   rows.c     reductions, softmax, cumulative sums: along an axis
 *   move.c     copies of all kinds
 *   index.c    gather, scatter, one-hot
 *   image.c    images resampled
 *   effect.c   updates, assignments, random numbers
 * What has no lowering here, or an odd data type, runs through the reference backend.
 */
#ifndef NC_CPU_H
#define NC_CPU_H

#include "backend/backends.h"
#include "compile/backend.h"
#include "kernels/kernels.h"

static inline const nc_kernels *nc_cpu_kernels(const nc_compile *c)
{
	return nc_kernels_named(c->runtime->isa);
}

/* A new step that calls a kernel; its args start zeroed. */
nc_step *nc_cpu_step(nc_compile *c, nc_step_fn *run, size_t args_size, const char *kernel,
		     const nacre_node *n, double flops, double bytes);
#define NC_KERNELS(step) ((const nc_kernels *)(step)->table)

/* -- vm.c -----------------------------------------------------------------------------------*/
/* The types that the interpreter loads and stores; false: none of them. */
bool nc_cpu_vtype(nacre_dtype d, nc_vtype *out);
bool nc_cpu_elementwise(const nacre_node *n);
typedef struct nc_vm_build {
	nc_vm vm;
	nacre_node
	    *operand[NC_VM_OPERANDS]; /* the nodes behind vm.operand; [0] is NULL in an epilogue */
	nacre_node *result[NC_VM_OUTPUTS];
	int value[NC_VM_OUTPUTS]; /* of the results; of a sum of columns its partial sums */
} nc_vm_build;
/* false: too large, or an access that the interpreter does not have.  Pointers stay NULL. */
bool nc_cpu_vm_build(nc_compile *c, const nc_group *g, nc_vm_build *out);
/* Asks for the values of the nodes before the step is made, since that may make steps. */
bool nc_cpu_vm_prepare(nc_compile *c, nc_vm_build *b);
/* Connects the pointers of the vm inside the last step's args with these values. */
bool nc_cpu_vm_connect(nc_compile *c, const nc_vm_build *b, nc_vm *vm);
/* Is n a gradient that only goes into updates of weights in panels?  Then it is written in these
 * panels, to the second's value. */
bool nc_cpu_only_updates_panels(const nc_compile *c, const nacre_node *n);
int nc_cpu_panels_value(nc_compile *c, nacre_node *n);
bool nc_cpu_lower_elementwise(nc_compile *c, const nc_group *g);

/* The variable if n is one in panels of these kernels (another runtime's may have other widths). */
const nacre_variable *nc_cpu_in_panels(const nc_compile *c, const nacre_node *n);

/* A weight in panels, cast to bf16 for the right-hand side of products and nothing else: it is put
 * into panels of pairs at once. */
bool nc_cpu_narrowed(const nc_compile *c, const nacre_node *n);
bool nc_cpu_lower_narrow(nc_compile *c, nacre_node *n);

/* A step that sums [rows, columns] at `from` over the rows into y (rows.c). */
bool nc_cpu_sum(nc_compile *c, nacre_node *y, int64_t rows, int64_t columns, int from);

/* -- matmul.c -------------------------------------------------------------------------------*/
bool nc_cpu_product(const nacre_node *y); /* of types that the kernels multiply */
bool nc_cpu_accepts_matmul(nc_compile *c, const nc_group *g);
bool nc_cpu_lower_matmul(nc_compile *c, const nc_group *g);
double nc_cpu_epilogue_bytes(const nc_vm_build *b);

/* -- conv.c: convolutions and their input's gradient ----------------------------------------*/
bool nc_cpu_accepts_conv(nc_compile *c, const nc_group *g);
bool nc_cpu_lower_conv(nc_compile *c, const nc_group *g);
/* A step that makes `to` zeros, as many as n has. */
bool nc_cpu_zero(nc_compile *c, nacre_node *n, int to);

/* -- one node each; false with no error recorded: not for this backend, use the reference ---*/
typedef bool nc_cpu_lower(nc_compile *c, nacre_node *n);
nc_cpu_lower nc_cpu_lower_reduce, nc_cpu_lower_arg_reduce, nc_cpu_lower_softmax,
    nc_cpu_lower_cumsum, nc_cpu_lower_transpose, nc_cpu_lower_broadcast, nc_cpu_lower_slice,
    nc_cpu_lower_pad, nc_cpu_lower_concat, nc_cpu_lower_reverse, nc_cpu_lower_gather,
    nc_cpu_lower_scatter_add, nc_cpu_lower_one_hot, nc_cpu_lower_update, nc_cpu_lower_assign,
    nc_cpu_lower_random, nc_cpu_lower_conv_filter, nc_cpu_lower_pool, nc_cpu_lower_affine,
    nc_cpu_lower_resize;

static inline int nc_cpu_update_rule(const nacre_node *u)
{
	const nc_attr_update *a = u->attr;
	return nc_is_rule(u->op->index) ? NC_UPDATE_ADAGRAD + a->rule
					: u->op->index - NC_OP_update_sgd;
}

/* [outer][n][inner] around an axis */
static inline void nc_cpu_axis(const nacre_node *x, int axis, int64_t *outer, int64_t *n,
			       int64_t *inner)
{
	*outer = *inner = 1;
	for (int i = 0; i < x->rank; i++)
		*(i < axis    ? outer
		  : i == axis ? n
			      : inner) = i == axis  ? x->shape[i]
					 : i < axis ? *outer * x->shape[i]
						    : *inner * x->shape[i];
}
static inline void nc_cpu_strides(const nacre_node *n, int64_t *stride)
{
	int64_t s = 1;
	for (int i = n->rank - 1; i >= 0; i--) {
		stride[i] = s;
		s *= n->shape[i];
	}
}

/* A step that copies `from` (elements at the strides, from byte offset) to `to`. */
bool nc_cpu_copy(nc_compile *c, const nacre_node *n, const char *kernel, const nc_copy *shape,
		 int from, int64_t from_offset, int to, int64_t to_offset);
bool nc_cpu_fill(nc_compile *c, nacre_node *n, int to);
bool nc_cpu_unpack(nc_compile *c, nacre_node *variable, int from, int to);

#endif
