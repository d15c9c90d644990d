/* SPDX-License-Identifier: MIT
 *
 * vm.c - the tile interpreter: random programs over random spaces, all types and ways of access,
 * for every instruction set and several team sizes.
 */
#include "program.h"

static int64_t offset_of(const nc_vm *vm, int64_t i, const int64_t *stride)
{
	int64_t at = 0;
	for (int d = vm->rank - 1; d >= 0; d--) {
		at += i % vm->size[d] * stride[d];
		i /= vm->size[d];
	}
	return at;
}

static void random_space(nc_vm *vm)
{
	static const int64_t odd[] = {0,   1,   2,   7,    15,   16,   17,
				      511, 512, 513, 1024, 4095, 4096, 9001};
	vm->rank = (int)pick(0, 5);
	vm->total = 1;
	for (int d = 0; d < vm->rank; d++) {
		int64_t most = vm->total > 500 ? 3 : vm->total > 50 ? 20 : 300;
		vm->size[d] = vm->rank == 1 ? odd[pick(0, 13)] : pick(pick(0, 30) ? 1 : 0, most);
		vm->total *= vm->size[d];
	}
}

/* strides of a dense array whose dimensions are permuted, some broadcast and reversed; gives the
 * elements it has, and in *first the place of index 0 */
static int64_t random_strides(const nc_vm *vm, int64_t *stride, int64_t *first, bool broadcast)
{
	int order[8];
	int64_t elements = 1;
	*first = 0;
	for (int d = 0; d < vm->rank; d++)
		order[d] = vm->rank - 1 - d;
	if (pick(0, 1))
		for (int d = vm->rank - 1; d > 0; d--) {
			int k = (int)pick(0, d), t = order[d];
			order[d] = order[k];
			order[k] = t;
		}
	for (int k = 0; k < vm->rank; k++) {
		int d = order[k];
		stride[d] = elements;
		if (broadcast && pick(0, 2) == 0) {
			stride[d] = 0;
			continue;
		}
		if (pick(0, 5) == 0 && vm->size[d] > 0) {
			*first += elements * (vm->size[d] - 1);
			stride[d] = -elements;
		}
		elements *= vm->size[d];
	}
	return elements;
}

static void random_operand(const nc_vm *vm, nc_operand *o)
{
	int64_t n = vm->total, first = 0;
	o->type = pick(0, 1) ? NC_V_F32 : (nc_vtype)pick(0, NC_V_BOOL);
	o->access = (nc_access)pick(NC_FLAT, NC_STRIDED);
	if (o->access == NC_SCALAR)
		n = 1;
	if (o->access == NC_STRIDED)
		n = random_strides(vm, o->stride, &first, true);
	char *p = guarded((size_t)n * (size_t)type_bytes[o->type]);
	randomize(o->type, p, n);
	o->data = p + first * type_bytes[o->type];
}

typedef struct memory_of_result {
	char *start;
	int64_t bytes;
} memory_of_result;

static memory_of_result random_result(const nc_vm *vm, nc_result *r)
{
	int64_t n = vm->total, first = 0;
	r->type = pick(0, 1) ? NC_V_F32 : (nc_vtype)pick(0, NC_V_BOOL);
	r->access = pick(0, 3) ? NC_FLAT : NC_STRIDED;
	if (r->access == NC_STRIDED)
		n = random_strides(vm, r->stride, &first, false);
	memory_of_result m = {NULL, n * type_bytes[r->type]};
	m.start = guarded((size_t)m.bytes);
	r->data = m.start + first * type_bytes[r->type];
	return m;
}

static void expected(const nc_vm *vm, float *want)
{
	for (int64_t i = 0; i < vm->total; i++) {
		float x[NC_VM_OPERANDS];
		for (int o = 0; o < vm->n_operands; o++) {
			const nc_operand *p = &vm->operand[o];
			int64_t at = p->access == NC_FLAT     ? i
				     : p->access == NC_SCALAR ? 0
							      : offset_of(vm, i, p->stride);
			x[o] = get(p->type, p->data, at);
		}
		evaluate(vm, x, want + i * vm->n_results);
	}
}

static void run_team(const nc_kernels *k, const nc_vm *vm, int nt)
{
	for (int t = 0; t < nt; t++) {
		size_t bytes = k->vm_scratch(vm);
		void *scratch = aligned_alloc(64, (bytes + 63) / 64 * 64);
		k->vm(vm, (t + 1) % nt, nt, scratch);
		free(scratch);
	}
}

static void check_results(const nc_kernels *k, const nc_vm *vm, int nt, const float *want)
{
	for (int j = 0; j < vm->n_results; j++) {
		const nc_result *r = &vm->result[j];
		for (int64_t i = 0; i < vm->total; i++) {
			int64_t at = r->access == NC_FLAT ? i : offset_of(vm, i, r->stride);
			float w = want[i * vm->n_results + j];
			if (!holds(r->type, r->data, at, w)) {
				test_failed(__FILE__, __LINE__,
					    "%s nt %d: result %d type %d [%ld of %ld] = %g, not %g",
					    k->isa, nt, j, r->type, (long)i, (long)vm->total,
					    get(r->type, r->data, at), w);
				break;
			}
		}
	}
}

TEST(random_programs)
{
	for (int round = 0; round < 600; round++) {
		nc_vm vm = {.n_results = (int)pick(1, pick(0, 9) ? 3 : NC_VM_OUTPUTS)};
		memory_of_result memory[NC_VM_OUTPUTS];
		random_space(&vm);
		vm.n_operands = (int)pick(1, pick(0, 9) ? 5 : NC_VM_OPERANDS);
		for (int o = 0; o < vm.n_operands; o++)
			random_operand(&vm, &vm.operand[o]);
		for (int j = 0; j < vm.n_results; j++)
			memory[j] = random_result(&vm, &vm.result[j]);
		random_code(&vm, vm.n_operands);
		float *want = malloc((size_t)(vm.total * vm.n_results + 1) * sizeof *want);
		expected(&vm, want);
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				for (int j = 0; j < vm.n_results; j++)
					memset(memory[j].start, 0x5a, (size_t)memory[j].bytes);
				run_team(k, &vm, nt);
				check_results(k, &vm, nt, want);
			}
		}
		free(want);
		guarded_release();
	}
}

/* Numbers of each image, and of each channel of each: the same over many tiles, then others; images
 * end within a tile or not. */
TEST(bands)
{
	static const int64_t pixels[] = {2048, 2049, 3000, 4096, 5000, 1000};
	for (int round = 0; round < 40; round++) {
		const int64_t c = pick(1, 5), n = pick(1, 5), size = pixels[pick(0, 5)];
		nc_vm vm = {.rank = 3, .size = {n, size, c}, .n_operands = 3, .n_results = 1};
		vm.total = n * size * c;
		float *x = guarded_floats(vm.total), *y = guarded_floats(vm.total);
		const nc_vtype types[] = {NC_V_F32, NC_V_BOOL, NC_V_U8};
		for (int o = 1; o < 3; o++) {
			const int64_t channel = o == 1 ? 0 : 1, image = o == 1 ? 1 : c;
			const nc_vtype type = types[pick(0, 2)];
			char *p = guarded((size_t)(n * image) * (size_t)type_bytes[type]);
			randomize(type, p, n * image);
			vm.operand[o] = (nc_operand){p, type, NC_STRIDED, {image, 0, channel}};
		}
		vm.operand[0] = (nc_operand){x, NC_V_F32, NC_FLAT, {0}};
		vm.result[0] = (nc_result){y, NC_V_F32, 0, NC_FLAT, {0}};
		random_code(&vm, 3);
		float *want = malloc((size_t)vm.total * sizeof *want);
		expected(&vm, want);
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				memset(y, 0x5a, (size_t)vm.total * sizeof *y);
				run_team(k, &vm, nt);
				check_results(k, &vm, nt, want);
			}
		}
		free(want);
		guarded_release();
	}
}

/* a result may take the place of a flat operand, if no result is a bare operand */
TEST(in_place)
{
	for (int round = 0; round < 200; round++) {
		nc_vm vm = {.n_results = (int)pick(1, 3), .n_operands = 3};
		random_space(&vm);
		float *data[3], *saved[3];
		size_t bytes = (size_t)vm.total * sizeof(float);
		for (int o = 0; o < 3; o++) {
			data[o] = guarded_floats(vm.total);
			saved[o] = guarded_floats(vm.total);
			memcpy(saved[o], data[o], bytes);
			vm.operand[o] = (nc_operand){data[o], NC_V_F32, NC_FLAT, {0}};
		}
		for (int j = 0; j < vm.n_results; j++)
			vm.result[j] = (nc_result){data[j], NC_V_F32, 0, NC_FLAT, {0}};
		random_code(&vm, 3);
		for (int j = 0; j < vm.n_results; j++)
			if (vm.result[j].src >= NC_VM_REGISTERS)
				vm.result[j].src = vm.code[vm.n_code - 1].dst;
		float *want = malloc((size_t)(vm.total * vm.n_results + 1) * sizeof *want);
		expected(&vm, want);
		FOR_ISAS(k)
		{
			FOR_TEAMS(nt)
			{
				for (int o = 0; o < 3; o++)
					memcpy(data[o], saved[o], bytes);
				run_team(k, &vm, nt);
				check_results(k, &vm, nt, want);
			}
		}
		free(want);
		guarded_release();
	}
}

/* Sums of rows and of columns beside a result; rows that fill tiles, share them, or span them. */
static double column_sum(const nc_vm *vm, const float *partial, int64_t column)
{
	int64_t width = nc_vm_sum_width(vm->row), chunks = (vm->total + vm->chunk - 1) / vm->chunk;
	double sum = 0;
	for (int64_t c = 0; c < chunks; c++)
		for (int64_t i = column; i < width; i += vm->row)
			sum += partial[c * width + i];
	return sum;
}

static void check_sums(const nc_kernels *k, const nc_vm *vm, const float *x, const float *columns,
		       const float *rows)
{
	int64_t row = vm->row, lines = vm->total / row;
	for (int64_t j = 0; j < row; j++) {
		double want = 0;
		for (int64_t i = 0; i < lines; i++)
			want += (double)x[i * row + j] * x[i * row + j];
		if (fabs(column_sum(vm, columns, j) - want) > 1e-5 * want + 1e-30)
			test_failed(__FILE__, __LINE__, "%s: column %ld of [%ld, %ld]", k->isa,
				    (long)j, (long)lines, (long)row);
	}
	for (int64_t i = 0; rows && i < lines; i++) {
		double want = 0;
		for (int64_t j = 0; j < row; j++)
			want += (double)x[i * row + j] * x[i * row + j];
		if (fabs(rows[i] - want) > 1e-5 * want + 1e-30)
			test_failed(__FILE__, __LINE__, "%s: row %ld of [%ld, %ld]", k->isa,
				    (long)i, (long)lines, (long)row);
	}
}

TEST(sums)
{
	static const int64_t lengths[] = {1, 2, 3, 16, 24, 100, 256, 300, 511, 512, 513, 700, 3125};
	for (int round = 0; round < 60; round++) {
		const int64_t row = lengths[pick(0, 12)], lines = pick(1, 40000 / row);
		const bool both = pick(0, 1);
		nc_vm vm = {.rank = 1, .row = row, .n_operands = 1, .n_code = 1, .n_results = 2};
		vm.size[0] = vm.total = lines * row;
		vm.chunk = nc_vm_sum_chunk(vm.total, row);
		const int64_t floats =
		    (vm.total + vm.chunk - 1) / vm.chunk * nc_vm_sum_width(row);
		float *x = guarded_floats(vm.total), *y = guarded_floats(vm.total);
		float *columns = guarded_floats(floats), *rows = guarded_floats(lines);
		for (int64_t i = 0; i < vm.total; i++)
			x[i] = (float)pick(-1000, 1000) / 999;
		vm.operand[0] = (nc_operand){x, NC_V_F32, NC_FLAT, {0}};
		vm.code[0] = (nc_code){NC_E_square, 0, {NC_VM_REGISTERS, 0, 0}};
		vm.result[0] = (nc_result){y, NC_V_F32, 0, NC_FLAT, {0}};
		vm.result[1] = (nc_result){columns, NC_V_F32, 0, NC_SUM_COLUMNS, {0}};
		if (both)
			vm.result[vm.n_results++] =
			    (nc_result){rows, NC_V_F32, 0, NC_SUM_ROWS, {0}};
		FOR_ISAS(k)
		{
			float *first = malloc((size_t)floats * sizeof *first);
			FOR_TEAMS(nt)
			{
				memset(columns, 0x5a, (size_t)floats * sizeof *columns);
				memset(rows, 0x5a, (size_t)lines * sizeof *rows);
				run_team(k, &vm, nt);
				check_sums(k, &vm, x, columns, both ? rows : NULL);
				for (int64_t i = 0; i < vm.total; i++)
					if (!same_float(y[i], x[i] * x[i]))
						test_failed(__FILE__, __LINE__, "result");
				if (nt == 1)
					memcpy(first, columns, (size_t)floats * sizeof *first);
				CHECK(memcmp(first, columns, (size_t)floats * sizeof *first) == 0);
			}
			free(first);
		}
		guarded_release();
	}
}

/* every half and bfloat there is, to f32 and back */
TEST(all_halves)
{
	enum { N = 65536 };
	for (nc_vtype type = NC_V_F16; type <= NC_V_BF16; type++) {
		uint16_t *x = guarded(N * sizeof *x), *y = guarded(N * sizeof *y);
		float *f = guarded_floats(N);
		for (int i = 0; i < N; i++)
			x[i] = (uint16_t)i;
		nc_vm vm = {.rank = 1, .size = {N}, .total = N, .n_operands = 1, .n_results = 2};
		vm.operand[0] = (nc_operand){x, type, NC_FLAT, {0}};
		vm.result[0] = (nc_result){f, NC_V_F32, NC_VM_REGISTERS, NC_FLAT, {0}};
		vm.result[1] = (nc_result){y, type, NC_VM_REGISTERS, NC_FLAT, {0}};
		FOR_ISAS(k)
		{
			run_team(k, &vm, 2);
			int wrong = 0;
			for (int i = 0; i < N; i++)
				wrong += !same_float(f[i], get(type, x, i)) ||
					 (f[i] == f[i] && x[i] != y[i]);
			CHECK_EQ(wrong, 0);
		}
		guarded_release();
	}
}
