/* SPDX-License-Identifier: MIT
 *
 * vm.c - elementwise groups as programs of the tile interpreter.
 *
 * The iteration space is the shape of the group; what lies outside is an operand with its strides
 * there; members get registers, which are free again after their last reader.  A broadcast or a
 * cast that loading does anyway costs no instruction: it is the operand itself.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "op/attr.h"

bool nc_cpu_vtype(nacre_dtype d, nc_vtype *out)
{
	switch (d) {
	case NACRE_F32:
		*out = NC_V_F32;
		return true;
	case NACRE_F16:
		*out = NC_V_F16;
		return true;
	case NACRE_BF16:
		*out = NC_V_BF16;
		return true;
	case NACRE_I8:
		*out = NC_V_I8;
		return true;
	case NACRE_U8:
		*out = NC_V_U8;
		return true;
	case NACRE_I32:
		*out = NC_V_I32;
		return true;
	case NACRE_BOOL:
		*out = NC_V_BOOL;
		return true;
	default:
		return false;
	}
}

const nacre_variable *nc_cpu_in_panels(const nc_compile *c, const nacre_node *n)
{
	const nacre_variable *v = nc_variable_of(n);
	return v && v->panel && v->panel == nc_cpu_kernels(c)->gemm_width(v->shape[v->rank - 1])
		   ? v
		   : NULL;
}

/* The interpreter's own types.  bf16 is f32 inside: only what is stored is rounded. */
static bool computes(nacre_dtype d)
{
	return d == NACRE_F32 || d == NACRE_BOOL || d == NACRE_BF16;
}

bool nc_cpu_elementwise(const nacre_node *n)
{
	nc_vtype t;
	if (!computes(n->dtype))
		return false;
	if (nc_is(n, NC_OP_cast)) /* i32 goes through f32: that would round twice */
		return nc_cpu_vtype(n->in[0]->dtype, &t) &&
		       !(n->dtype == NACRE_BF16 && n->in[0]->dtype == NACRE_I32);
	if (!(n->op->flags & NC_OP_ELEMENTWISE) && !nc_is(n, NC_OP_broadcast) &&
	    !nc_is(n, NC_OP_stop_gradient))
		return false;
	for (int i = 0; i < n->n_in; i++)
		if (!computes(n->in[i]->dtype))
			return false;
	return true;
}

/* -- sums -----------------------------------------------------------------------------------*/
/* How the interpreter sums a node of this shape along the way: [total / row][row] over all rows (a
 * row is one number where everything is summed) or along them.  false: it does not. */
static bool sum_access(const nacre_node *sum, const nacre_node *of, int64_t *row, nc_access *access)
{
	enum { FEW = 2048, SHORT = 256, ROWS = 16 };
	unsigned axes = ((const nc_attr_reduce *)sum->attr)->axes;
	int64_t outer = 1, n = 1, inner = 1, total = nc_node_size(of);
	if (sum->dtype != NACRE_F32 || of->dtype != NACRE_F32 || total < FEW)
		return false;
	for (int d = 0; d < of->rank; d++)
		if (of->shape[d] == 1)
			continue;
		else if (!(axes >> d & 1))
			*(n > 1 ? &inner : &outer) *= of->shape[d];
		else if (inner > 1)
			return false;
		else
			n *= of->shape[d];
	*access = outer == 1 ? NC_SUM_COLUMNS : NC_SUM_ROWS;
	*row = outer == 1 ? inner : n;
	return outer == 1 ? n >= ROWS : inner == 1 && n >= SHORT;
}

static const nacre_node *space_of(const nc_group *g)
{
	int i = g->n - 1;
	while (i > 0 && nc_is(g->node[i], NC_OP_sum))
		i--;
	return g->node[i];
}

typedef struct build {
	nc_compile *c;
	const nc_group *g;
	const nacre_node *space;
	nc_vm_build *out;
	int *slot;                  /* per member: register, or NC_VM_REGISTERS + operand */
	int owner[NC_VM_REGISTERS]; /* member that holds the register, -1: free */
	int *last; /* per member: last member that reads it; g->n if it is a result */
} build;

static int member_index(const build *b, const nacre_node *n)
{
	for (int i = 0; i < b->g->n; i++)
		if (b->g->node[i] == n)
			return i;
	return -1;
}

/* -- operands -------------------------------------------------------------------------------*/
/* strides of n, stretched to the space: aligned at the last axis */
static void stretch(const nacre_node *n, const nacre_node *space, int64_t *stride)
{
	int64_t own[NACRE_MAX_RANK];
	nc_cpu_strides(n, own);
	for (int d = 0; d < space->rank; d++) {
		int k = d - (space->rank - n->rank);
		stride[d] = k < 0 || n->shape[k] == 1 ? 0 : own[k];
	}
}

/* In an epilogue the space is [m, n] whatever the rank: all axes but the last must go together. */
static bool flatten_rows(const nacre_node *space, int64_t *stride)
{
	int64_t row = 0, expect = 0;
	bool first = true;
	for (int d = space->rank - 2; d >= 0; d--) {
		if (space->shape[d] == 1)
			continue;
		if (first)
			row = expect = stride[d];
		else if (stride[d] != expect)
			return false;
		first = false;
		expect *= space->shape[d];
	}
	stride[1] = space->rank >= 1 ? stride[space->rank - 1] : 0;
	stride[0] = row;
	return true;
}

static int add_operand(build *b, nacre_node *n)
{
	nc_vm *vm = &b->out->vm;
	nc_vtype type;
	for (int i = 0; i < vm->n_operands; i++)
		if (b->out->operand[i] == n)
			return NC_VM_REGISTERS + i;
	if (vm->n_operands == NC_VM_OPERANDS || !nc_cpu_vtype(n->dtype, &type))
		return -1;
	nc_operand *o = &vm->operand[vm->n_operands];
	*o = (nc_operand){.type = type};
	if (b->g->anchor && nc_cpu_in_panels(b->c, n) && nc_same_shape(n, b->space)) {
		o->access = NC_PANEL;
	} else if (nc_is(n, NC_OP_fill) || nc_node_size(n) == 1) {
		o->access = NC_SCALAR;
	} else {
		o->access = nc_same_shape(n, b->space) && !b->g->anchor ? NC_FLAT : NC_STRIDED;
		int64_t stride[NACRE_MAX_RANK + 2] = {0};
		stretch(n, b->space, stride);
		if (b->g->anchor && !flatten_rows(b->space, stride))
			return -1;
		memcpy(o->stride, stride, sizeof o->stride);
	}
	b->out->operand[vm->n_operands] = n;
	return NC_VM_REGISTERS + vm->n_operands++;
}

static int source(build *b, nacre_node *n)
{
	int i = member_index(b, n);
	return i >= 0 ? b->slot[i] : add_operand(b, n);
}

/* -- registers and code ---------------------------------------------------------------------*/
static void find_last_uses(build *b)
{
	int group = b->c->group_of[b->g->node[0]->id];
	for (int i = 0; i < b->g->n; i++) {
		const nacre_node *n = b->g->node[i];
		b->last[i] = i;
		for (int k = i + 1; k < b->g->n; k++)
			for (int j = 0; j < b->g->node[k]->n_in; j++)
				if (b->g->node[k]->in[j] == n)
					b->last[i] = k;
		if (!nc_only_used_in(b->c, n, group))
			b->last[i] = b->g->n;
	}
	/* a member that is only another name of its input keeps the input's register busy */
	for (int i = b->g->n - 1; i >= 0; i--) {
		const nacre_node *n = b->g->node[i];
		if (n->op->flags & NC_OP_ELEMENTWISE || n == b->g->anchor || !n->n_in)
			continue;
		int from = member_index(b, n->in[0]);
		if (from >= 0 && b->last[from] < b->last[i])
			b->last[from] = b->last[i];
	}
}

static bool emit(build *b, int member, int op, const int *src, int n_src)
{
	nc_vm *vm = &b->out->vm;
	for (int r = 0; r < NC_VM_REGISTERS; r++)
		if (b->owner[r] >= 0 && b->last[b->owner[r]] <= member)
			b->owner[r] = -1;
	int dst = 0;
	while (dst < NC_VM_REGISTERS && b->owner[dst] >= 0)
		dst++;
	if (dst == NC_VM_REGISTERS || vm->n_code == NC_VM_CODE)
		return false;
	nc_code *k = &vm->code[vm->n_code++];
	*k = (nc_code){.op = (uint8_t)op, .dst = (uint8_t)dst};
	for (int i = 0; i < n_src; i++)
		k->src[i] = (uint8_t)src[i];
	b->owner[dst] = member;
	b->slot[member] = dst;
	return true;
}

static bool add_member(build *b, int i)
{
	nacre_node *n = b->g->node[i];
	int src[3] = {0, 0, 0};
	if (nc_is(n, NC_OP_sum))
		return true; /* a result */
	if (n == b->g->anchor) {
		b->slot[i] = NC_VM_REGISTERS; /* operand 0: the tile */
		return true;
	}
	for (int j = 0; j < n->n_in; j++)
		if ((src[j] = source(b, n->in[j])) < 0)
			return false;
	if (n->op->flags & NC_OP_ELEMENTWISE)
		return emit(b, i, n->op->element, src, n->n_in);
	if (nc_is(n, NC_OP_cast) && n->dtype == NACRE_BOOL && n->in[0]->dtype != NACRE_BOOL) {
		if (!emit(b, i, NC_E_logical_not, src, 1))
			return false;
		src[0] = b->slot[i];
		return emit(b, i, NC_E_logical_not, src, 1);
	}
	b->slot[i] = src[0]; /* cast, broadcast, stop_gradient: loading did it */
	return true;
}

bool nc_cpu_only_updates_panels(const nc_compile *c, const nacre_node *n)
{
	if (n->rank < 2 || c->is_output[n->id])
		return false;
	int group = c->group_of[n->id];
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next) {
		const nacre_node *u = c->edge[e].user;
		if (c->group_of[u->id] == group)
			continue;
		if (!nc_is_update(u) || u->in[u->n_in - 2] != n || !nc_cpu_in_panels(c, u->in[0]))
			return false;
		for (int i = 0; i < u->n_in; i++)
			if (u->in[i] == n && i != u->n_in - 2)
				return false;
	}
	return true;
}

static bool add_sum(build *b, nacre_node *sum)
{
	nc_vm *vm = &b->out->vm;
	nc_access access;
	int64_t row;
	int from = member_index(b, sum->in[0]);
	if (b->g->anchor || from < 0 || vm->n_results == NC_VM_OUTPUTS ||
	    !sum_access(sum, b->space, &row, &access) || (vm->row && vm->row != row))
		return false;
	vm->row = row;
	vm->chunk = nc_vm_sum_chunk(nc_node_size(b->space), row);
	b->out->result[vm->n_results] = sum;
	vm->result[vm->n_results++] =
	    (nc_result){.type = NC_V_F32, .src = (uint8_t)b->slot[from], .access = access};
	return true;
}

static bool add_results(build *b)
{
	nc_vm *vm = &b->out->vm;
	for (int i = 0; i < b->g->n; i++) {
		nacre_node *n = b->g->node[i];
		nc_vtype type;
		if (nc_is(n, NC_OP_sum)) {
			if (!add_sum(b, n))
				return false;
			continue;
		}
		if (b->last[i] < b->g->n || nc_only_used_in(b->c, n, b->c->group_of[n->id]))
			continue;
		if (vm->n_results == NC_VM_OUTPUTS || !nc_cpu_vtype(n->dtype, &type))
			return false;
		nc_result *r = &vm->result[vm->n_results];
		*r = (nc_result){.type = type, .src = (uint8_t)b->slot[i], .access = NC_FLAT};
		if (b->g->anchor && nc_cpu_only_updates_panels(b->c, n)) {
			r->access = NC_PANEL;
		} else if (b->g->anchor) {
			r->access = NC_STRIDED;
			r->stride[0] = n->rank ? n->shape[n->rank - 1] : 1;
			r->stride[1] = 1;
		}
		b->out->result[vm->n_results++] = n;
	}
	return true;
}

/* -- the iteration space --------------------------------------------------------------------*/
static void set_space(build *b)
{
	nc_vm *vm = &b->out->vm;
	const nacre_node *s = b->space;
	vm->total = nc_node_size(s);
	if (b->g->anchor) {
		int64_t n = s->rank ? s->shape[s->rank - 1] : 1;
		vm->rank = 2;
		vm->size[0] = n ? vm->total / n : 0;
		vm->size[1] = n;
		return;
	}
	/* neighbouring axes that every strided operand walks as one are one */
	for (int d = 0; d < s->rank; d++) {
		if (s->shape[d] == 1)
			continue;
		int k = vm->rank - 1;
		bool joins = k >= 0;
		for (int i = 0; i < vm->n_operands && joins; i++) {
			const nc_operand *o = &vm->operand[i];
			joins =
			    o->access != NC_STRIDED || o->stride[k] == o->stride[d] * s->shape[d];
		}
		if (!joins)
			k = vm->rank++;
		vm->size[k] = joins ? vm->size[k] * s->shape[d] : s->shape[d];
		for (int i = 0; i < vm->n_operands; i++)
			vm->operand[i].stride[k] = vm->operand[i].stride[d];
	}
	if (vm->rank == 0) {
		vm->rank = 1;
		vm->size[0] = 1;
	}
}

bool nc_cpu_vm_build(nc_compile *c, const nc_group *g, nc_vm_build *out)
{
	enum { MOST = NC_VM_CODE };
	int slot[MOST], last[MOST];
	if (g->n > MOST)
		return false;
	memset(out, 0, sizeof *out);
	build b = {.c = c, .g = g, .space = space_of(g), .out = out, .slot = slot, .last = last};
	for (int i = 0; i < g->n; i++)
		if (!nc_is(g->node[i], NC_OP_sum) && !nc_same_shape(g->node[i], b.space))
			return false;
	for (int r = 0; r < NC_VM_REGISTERS; r++)
		b.owner[r] = -1;
	if (g->anchor)
		out->vm.n_operands = 1;
	find_last_uses(&b);
	for (int i = 0; i < g->n; i++)
		if (!add_member(&b, i))
			return false;
	if (!add_results(&b))
		return false;
	set_space(&b);
	return true;
}

static int operand_value(nc_compile *c, nacre_node *n, nc_access access)
{
	return access == NC_SCALAR  ? nc_scalar(c, n)
	       : access == NC_PANEL ? nc_storage_of(c, n)
				    : nc_plain(c, n);
}

int nc_cpu_panels_value(nc_compile *c, nacre_node *n)
{
	if (c->native[n->id] < 0) {
		int64_t columns = n->shape[n->rank - 1], rows = nc_node_size(n) / columns;
		int64_t nr = nc_cpu_kernels(c)->gemm_width(columns),
			panels = (columns + nr - 1) / nr;
		c->native[n->id] = nc_temporary(c, (size_t)(panels * nr * rows) * sizeof(float));
	}
	return c->native[n->id];
}

/* floats of partial sums of columns */
static int64_t partial_size(const nc_vm *vm)
{
	return (vm->total + vm->chunk - 1) / vm->chunk * nc_vm_sum_width(vm->row);
}

static int result_value(nc_compile *c, nacre_node *n, const nc_vm *vm, nc_access access)
{
	return access == NC_PANEL ? nc_cpu_panels_value(c, n)
	       : access == NC_SUM_COLUMNS
		   ? nc_temporary(c, (size_t)partial_size(vm) * sizeof(float))
		   : nc_plain(c, n);
}

bool nc_cpu_vm_prepare(nc_compile *c, nc_vm_build *b)
{
	for (int i = 0; i < b->vm.n_operands; i++)
		if (b->operand[i] && operand_value(c, b->operand[i], b->vm.operand[i].access) < 0)
			return false;
	for (int i = 0; i < b->vm.n_results; i++) {
		b->value[i] = result_value(c, b->result[i], &b->vm, b->vm.result[i].access);
		if (b->value[i] < 0)
			return false;
	}
	return true;
}

bool nc_cpu_vm_connect(nc_compile *c, const nc_vm_build *b, nc_vm *vm)
{
	for (int i = 0; i < vm->n_operands; i++) {
		nacre_node *n = b->operand[i];
		if (n && !nc_reads(c, &vm->operand[i].data,
				   operand_value(c, n, vm->operand[i].access), 0))
			return false;
	}
	for (int i = 0; i < vm->n_results; i++)
		if (!nc_writes(c, &vm->result[i].data, b->value[i], 0))
			return false;
	return true;
}

static void run_vm(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->vm(s->args, tid, nt, scratch);
}

/* -- results in variables -------------------------------------------------------------------*/
/* Does anything but group g and the assignment still read, or write, the variable afterwards? */
static bool needed_after(const nc_compile *c, const nacre_node *n, const nc_group *g,
			 const nacre_node *assignment)
{
	if (c->is_output[n->id])
		return true;
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next) {
		const nacre_node *u = c->edge[e].user;
		if (u == assignment)
			continue;
		if (nc_changes(u, n))
			return true;
		if (u->op->flags & NC_OP_RESHAPES ? needed_after(c, u, g, assignment)
						  : c->group[c->group_of[u->id]].order > g->order)
			return true;
	}
	return false;
}

/* The variable to which n is assigned, and nothing else than element by element: n may then be
 * written there at once, which saves a copy.  NULL: there is none. */
static nacre_node *home(const nc_compile *c, const nc_group *g, const nc_vm_build *b,
			const nacre_node *n)
{
	const nacre_node *assignment = NULL;
	for (int e = c->users[n->id]; e >= 0; e = c->edge[e].next)
		if (nc_is(c->edge[e].user, NC_OP_assign) && c->edge[e].user->in[1] == n)
			assignment = c->edge[e].user;
	if (!c->optimize || !assignment || c->is_output[n->id])
		return NULL;
	nacre_node *to = assignment->in[0];
	if (nc_variable_of(to)->panel || to->dtype != n->dtype ||
	    needed_after(c, to, g, assignment))
		return NULL;
	for (int i = 0; i < b->vm.n_operands; i++)
		if (nc_renamed(b->operand[i]) == to && b->vm.operand[i].access != NC_FLAT)
			return NULL;
	return to;
}

static bool settle_results(nc_compile *c, const nc_group *g, const nc_vm_build *b)
{
	for (int i = 0; i < b->vm.n_results; i++) /* see vm.inc */
		if (b->vm.result[i].src >= NC_VM_REGISTERS)
			return true;
	for (int i = 0; i < b->vm.n_results; i++) {
		const nacre_node *n = b->result[i];
		nacre_node *to = home(c, g, b, n);
		if (to && c->plain[n->id] < 0 && (c->plain[n->id] = nc_storage_of(c, to)) < 0)
			return false;
	}
	return true;
}

static bool finish_sums(nc_compile *c, const nc_vm_build *b)
{
	for (int i = 0; i < b->vm.n_results; i++)
		if (b->vm.result[i].access == NC_SUM_COLUMNS &&
		    !nc_cpu_sum(c, b->result[i], partial_size(&b->vm) / b->vm.row, b->vm.row,
				b->value[i]))
			return false;
	return true;
}

bool nc_cpu_lower_elementwise(nc_compile *c, const nc_group *g)
{
	nc_vm_build *b = nc_arena_alloc(&c->arena, sizeof *b);
	if (!b)
		return nc_fail_memory(c);
	const nacre_node *n = space_of(g);
	if (!nc_cpu_vm_build(c, g, b)) {
		nc_fail(c->error, NACRE_FAILED, "no elementwise program for \"%s\"", n->op->name);
		return false;
	}
	if (!settle_results(c, g, b) || !nc_cpu_vm_prepare(c, b))
		return false;
	if (b->vm.total == 0)
		return true;
	double bytes = 0;
	for (int i = 0; i < b->vm.n_operands; i++)
		bytes +=
		    b->vm.operand[i].access == NC_SCALAR ? 0 : (double)nc_node_bytes(b->operand[i]);
	for (int i = 0; i < b->vm.n_results; i++)
		bytes += (double)nc_node_bytes(b->result[i]);
	nc_step *s = nc_cpu_step(c, run_vm, sizeof(nc_vm), "elementwise", n,
				 (double)b->vm.total * b->vm.n_code, bytes);
	if (!s)
		return false;
	nc_vm *vm = s->args;
	*vm = b->vm;
	s->scratch = nc_cpu_kernels(c)->vm_scratch(vm);
	return nc_cpu_vm_connect(c, b, vm) && finish_sums(c, b);
}
