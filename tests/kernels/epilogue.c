/* SPDX-License-Identifier: MIT
 *
 * epilogue.c - programs on the finished tiles of a matrix product.  The product has k = 1, so that
 * its elements are known to the bit.
 */
#include "program.h"

typedef struct where { /* element (i, j) of an operand or result */
	nc_access access;
	int64_t row, column, rows;
	int nr;
} where;

static int64_t place(const where *w, int64_t i, int64_t j)
{
	if (w->access == NC_SCALAR)
		return 0;
	if (w->access == NC_PANEL)
		return (j / w->nr * w->rows + i) * w->nr + j % w->nr;
	return i * w->row + j * w->column;
}

static where random_operand(nc_operand *o, int64_t m, int64_t n, int nr)
{
	int64_t ld = n + pick(0, 3), elements, panels = (n + nr - 1) / nr;
	where w = {(nc_access)pick(0, 3), n, 1, m, nr};
	o->type = pick(0, 2) ? NC_V_F32 : (nc_vtype)pick(0, NC_V_BOOL);
	o->access = w.access;
	if (w.access == NC_STRIDED) {
		static const int kinds[][2] = {{1, 0}, {0, 1}, {0, 0}, {-1, 1}, {-1, 1}, {1, -1}};
		const int *kind = kinds[pick(0, 5)];
		w.row = kind[0] < 0 ? ld : kind[0];
		w.column = kind[1] < 0 ? m : kind[1];
	}
	elements = place(&w, m - 1, n - 1) + 1;
	if (w.access == NC_PANEL)
		elements = panels * m * nr;
	o->stride[0] = w.row;
	o->stride[1] = w.column;
	void *data = guarded((size_t)(elements * type_bytes[o->type]));
	randomize(o->type, data, elements);
	o->data = data;
	return w;
}

static where random_result(nc_result *r, int64_t m, int64_t n, int nr, int64_t *bytes)
{
	where w = {(nc_access[]){NC_FLAT, NC_STRIDED, NC_PANEL}[pick(0, 2)], n, 1, m, nr};
	if (w.access == NC_STRIDED)
		w.row += pick(0, 5);
	r->type = pick(0, 2) ? NC_V_F32 : (nc_vtype)pick(0, NC_V_BOOL);
	r->access = w.access;
	r->stride[0] = w.row;
	r->stride[1] = 1;
	int64_t elements = w.access == NC_PANEL ? (n + nr - 1) / nr * m * nr : (m - 1) * w.row + n;
	*bytes = elements * type_bytes[r->type];
	r->data = guarded((size_t)*bytes);
	return w;
}

static void check_one(const nc_kernels *k, const nc_vm *vm, int j, const where *w, int64_t bytes,
		      const float *want)
{
	const nc_result *r = &vm->result[j];
	int64_t m = vm->size[0], n = vm->size[1], wrong = 0, touched = 0;
	for (int64_t i = 0; i < m; i++)
		for (int64_t c = 0; c < n; c++)
			wrong += !holds(r->type, r->data, place(w, i, c),
					want[(i * n + c) * vm->n_results + j]);
	int64_t padded = (n + w->nr - 1) / w->nr * w->nr;
	for (int64_t c = n; w->access == NC_PANEL && c < padded; c++)
		for (int64_t i = 0; i < m; i++)
			wrong += get(r->type, r->data, place(w, i, c)) != 0;
	for (int64_t i = 0; w->access != NC_PANEL && i + 1 < m; i++)
		for (int64_t b = (i * w->row + n) * type_bytes[r->type];
		     b < (i + 1) * w->row * type_bytes[r->type] && b < bytes; b++)
			touched += ((unsigned char *)r->data)[b] != 0x5a;
	if (wrong || touched)
		test_failed(__FILE__, __LINE__,
			    "%s %ldx%ld nr %d result %d type %d access %d: %ld wrong, %ld touched",
			    k->isa, (long)m, (long)n, w->nr, j, r->type, w->access, (long)wrong,
			    (long)touched);
}

static void run_gemm(const nc_kernels *k, const nc_gemm *g, int nt)
{
	size_t bytes = (k->gemm_scratch(g, nt) + 63) / 64 * 64 + 64;
	for (int t = 0; t < nt; t++) {
		void *scratch = aligned_alloc(64, bytes);
		k->gemm(g, t, nt, scratch);
		free(scratch);
	}
}

/* f32 of the given strides */
static where plain_operand(nc_operand *o, nc_access access, int64_t row, int64_t column, int64_t m,
			   int64_t n)
{
	where w = {access, row, column, m, 0};
	int64_t elements = place(&w, m - 1, n - 1) + 1;
	void *data = guarded((size_t)elements * 4);
	*o = (nc_operand){data, NC_V_F32, access, {row, column}};
	randomize(NC_V_F32, data, elements);
	return w;
}

/* Some of: add a bias, times a row, add a row, add a residual, relu, at most a number; mostly in
 * this order, which kernels do without the interpreter. */
static void random_chain(nc_vm *vm, where *in, where *out, int64_t *bytes, int nr)
{
	static const struct {
		int op, operand;
	} links[] = {{NC_E_add, 1}, {NC_E_mul, 4},  {NC_E_add, 5},
		     {NC_E_add, 2}, {NC_E_relu, 0}, {NC_E_minimum, 3}};
	enum { LINKS = sizeof links / sizeof *links };
	int64_t m = vm->size[0], n = vm->size[1];
	bool flat = pick(0, 1);
	vm->n_operands = 6, vm->n_results = 1;
	in[1] = plain_operand(&vm->operand[1], NC_STRIDED, 0, 1, m, n);
	in[2] = plain_operand(&vm->operand[2], flat ? NC_FLAT : NC_STRIDED, flat ? n : n + 3, 1, m,
			      n);
	in[3] = plain_operand(&vm->operand[3], NC_SCALAR, 0, 0, m, n);
	in[4] = plain_operand(&vm->operand[4], NC_STRIDED, 0, 1, m, n);
	in[5] = plain_operand(&vm->operand[5], NC_STRIDED, 0, 1, m, n);
	do
		*out = random_result(&vm->result[0], m, n, nr, bytes);
	while (vm->result[0].type != NC_V_F32 && pick(0, 9));
	int order[LINKS] = {0, 1, 2, 3, 4, 5}, at = NC_VM_REGISTERS;
	for (int i = 0; i < 2 && !pick(0, 3); i++) {
		int a = (int)pick(0, LINKS - 1), b = (int)pick(0, LINKS - 1), was = order[a];
		order[a] = order[b], order[b] = was;
	}
	for (int i = 0; i < LINKS; i++) {
		if (!pick(0, 2))
			continue;
		int op = links[order[i]].op, dst = vm->n_code;
		int more = NC_VM_REGISTERS + links[order[i]].operand;
		bool swapped = (op == NC_E_add || op == NC_E_mul) && pick(0, 1);
		nc_code *code = &vm->code[vm->n_code++];
		*code = (nc_code){.op = (uint8_t)op, .dst = (uint8_t)dst};
		code->src[swapped] = (uint8_t)at;
		code->src[!swapped] = (uint8_t)more;
		at = dst;
	}
	vm->result[0].src = (uint8_t)at;
}

/* y = y * sigmoid(y) put behind a chain, and done to `count` numbers by the interpreter */
static void add_swish(const nc_kernels *k, nc_vm *vm, float *want, int64_t count)
{
	uint8_t at = vm->result[0].src, sigmoid = 14, y = 15;
	vm->code[vm->n_code++] = (nc_code){NC_E_sigmoid, sigmoid, {at}};
	vm->code[vm->n_code++] = (nc_code){NC_E_mul, y, {at, sigmoid}};
	vm->result[0].src = y;
	nc_vm flat = {.rank = 1,
		      .size = {count},
		      .total = count,
		      .n_operands = 1,
		      .n_code = 2,
		      .n_results = 1,
		      .operand = {{want, NC_V_F32, NC_FLAT, {0}}},
		      .code = {{NC_E_sigmoid, 0, {NC_VM_REGISTERS}},
			       {NC_E_mul, 1, {NC_VM_REGISTERS, 0}}},
		      .result = {{want, NC_V_F32, 1, NC_FLAT, {0}}}};
	void *scratch = aligned_alloc(64, (k->vm_scratch(&flat) + 127) / 64 * 64);
	k->vm(&flat, 0, 1, scratch);
	free(scratch);
}

static void one_round(const nc_kernels *k, bool chain)
{
	int64_t m = pick(1, 40), n = pick(0, 1) ? pick(1, 150) : pick(1, 6) * 16;
	int nr = k->gemm_width(n);
	nc_vm vm = {.rank = 2,
		    .size = {m, n},
		    .total = m * n,
		    .n_operands = (int)pick(1, 5),
		    .n_results = (int)pick(1, 3)};
	where in[NC_VM_OPERANDS], out[NC_VM_OUTPUTS];
	int64_t bytes[NC_VM_OUTPUTS];
	float *a = guarded_floats(m), *b = guarded_floats(n);
	float *want = malloc((size_t)(m * n * NC_VM_OUTPUTS) * sizeof *want);
	if (chain)
		random_chain(&vm, in, out, bytes, nr);
	for (int o = 1; !chain && o < vm.n_operands; o++)
		in[o] = random_operand(&vm.operand[o], m, n, nr);
	for (int j = 0; !chain && j < vm.n_results; j++)
		out[j] = random_result(&vm.result[j], m, n, nr, &bytes[j]);
	if (!chain)
		random_code(&vm, vm.n_operands);
	for (int64_t i = 0; i < m; i++)
		for (int64_t c = 0; c < n; c++) {
			float x[NC_VM_OPERANDS] = {a[i] * b[c]};
			for (int o = 1; o < vm.n_operands; o++)
				x[o] = get(vm.operand[o].type, vm.operand[o].data,
					   place(&in[o], i, c));
			evaluate(&vm, x, want + (i * n + c) * vm.n_results);
		}
	if (chain && !pick(0, 2))
		add_swish(k, &vm, want, m * n);
	nc_gemm g = {.m = m,
		     .n = n,
		     .k = 1,
		     .a = a,
		     .lda = 1,
		     .b = b,
		     .ldb = n,
		     .b_format = NC_B_ROWS,
		     .nr = nr,
		     .vm = &vm};
	FOR_TEAMS(nt)
	{
		for (int j = 0; j < vm.n_results; j++)
			memset(vm.result[j].data, 0x5a, (size_t)bytes[j]);
		run_gemm(k, &g, nt);
		for (int j = 0; j < vm.n_results; j++)
			check_one(k, &vm, j, &out[j], bytes[j], want);
	}
	free(want);
	guarded_release();
}

TEST(random_epilogues)
{
	for (int round = 0; round < 400; round++)
		FOR_ISAS(k)
	one_round(k, false);
}

TEST(chains)
{
	for (int round = 0; round < 1000; round++)
		FOR_ISAS(k)
	one_round(k, true);
}
