/* SPDX-License-Identifier: MIT
 *
 * gemm.c - the matrix product and the optimizers' updates of every kernel set that this CPU runs:
 * bit for bit against one scalar chain of multiply-adds, for every format, size, width of a panel,
 * epilogue and number of threads; nothing outside the given buffers may be touched.
 */
#include "base/runtime.h"
#include "kernels/kernels.h"
#include "test.h"

enum { GUARD = 48 /* of 64-byte lines: blocks stay aligned */, MAX_THREADS = 7 };
#define CANARY 0x7fa5a5a5u /* a NaN: whoever reads it shows it */

/* -- buffers between guards
 * ------------------------------------------------------------------------ */
typedef struct block {
	float *all, *data;
	int64_t n;
} block;

static void fill_canary(float *p, int64_t n)
{
	uint32_t canary = CANARY;
	for (int64_t i = 0; i < n; i++)
		memcpy(p + i, &canary, 4);
}

static bool is_canary(const float *p)
{
	uint32_t x;
	memcpy(&x, p, 4);
	return x == CANARY;
}

/* data is 64-byte aligned plus `offset` floats */
static block block_new(int64_t n, int offset)
{
	size_t floats = (size_t)(n + 2 * GUARD + offset);
	block b = {.n = n};
	b.all = aligned_alloc(64, (floats * 4 + 63) / 64 * 64);
	if (!b.all)
		exit(2);
	fill_canary(b.all, (int64_t)floats);
	b.data = b.all + GUARD + offset;
	return b;
}

static block block_random(int64_t n, int offset)
{
	block b = block_new(n, offset);
	for (int64_t i = 0; i < n; i++)
		b.data[i] = (float)test_uniform(-1, 1);
	return b;
}

static void block_free(block *b)
{
	bool kept = true;
	for (float *p = b->all; p < b->data; p++)
		kept = kept && is_canary(p);
	for (int i = 0; i < GUARD; i++)
		kept = kept && is_canary(b->data + b->n + i);
	CHECK(kept);
	free(b->all);
}

/* the same bits, or NaNs */
static bool same(const float *a, const float *b, int64_t n)
{
	bool all = true;
	for (int64_t i = 0; i < n; i++)
		all = all && ((a[i] != a[i] && b[i] != b[i]) || !memcmp(a + i, b + i, sizeof *a));
	return all;
}

/* -- kernel sets
 * ------------------------------------------------------------------------------------ */
static const nc_kernels *kernels_of(int i) /* that this CPU runs; NULL past the end */
{
	const char *isa = nc_cpu_isa(i);
	return isa ? nc_kernels_named(isa) : NULL;
}

/* the widths of panels that a kernel set uses */
static int widths_of(const nc_kernels *k, int *nr)
{
	int count = 0;
	for (int n = 1; n < 600; n++) {
		int w = k->gemm_width(n), i = 0;
		while (i < count && nr[i] != w)
			i++;
		if (i == count && count < 8)
			nr[count++] = w;
	}
	return count;
}

static void team(const nc_kernels *k, const nc_gemm *g, int nt)
{
	size_t bytes = k->gemm_scratch(g, nt);
	for (int tid = 0; tid < nt; tid++) {
		block scratch = block_new((int64_t)(bytes + 3) / 4, 0);
		k->gemm(g, tid, nt, scratch.data);
		block_free(&scratch);
	}
}

/* one step of a chain as the set does it: v2 has no fused multiply-add */
static float step(const nc_kernels *k, float sum, float a, float b)
{
	if (strcmp(k->isa, "v2"))
		return fmaf(a, b, sum);
	volatile float product = a * b;
	return sum + product;
}

/* -- a product and what it must give
 * ---------------------------------------------------------------- */
typedef struct problem {
	int64_t m, n, k, batch;
	bool a_trans;
	nc_b_format format;
	int nr;
	nc_gemm g;
	block a, b, want; /* want: [batch][m][n] */
} problem;

static float *b_place(const problem *p, int64_t product, int64_t k, int64_t j)
{
	const nc_gemm *g = &p->g;
	float *b = p->b.data + product * g->batch_b;
	switch (p->format) {
	case NC_B_PANELS:
		return b + (j / g->nr * p->k + k) * g->nr + j % g->nr;
	case NC_B_ROWS:
		return b + k * g->ldb + j;
	case NC_B_COLUMNS:
		return b + j * g->ldb + k;
	default:
		return b + (k / g->ldb * p->n + j) * g->ldb + k % g->ldb;
	}
}

static void problem_b(problem *p, const nc_kernels *k)
{
	nc_gemm *g = &p->g;
	int64_t size = 0, pad = (int64_t)(test_random() % 3);
	switch (p->format) {
	case NC_B_PANELS:
		size = (p->n + p->nr - 1) / p->nr * p->nr * p->k;
		break;
	case NC_B_ROWS:
		g->ldb = p->n + pad;
		size = p->k * g->ldb;
		break;
	case NC_B_COLUMNS:
		g->ldb = p->k + pad;
		size = p->n * g->ldb;
		break;
	default:
		g->ldb = k->gemm_width(p->k);
		size = (p->k + g->ldb - 1) / g->ldb * g->ldb * p->n;
	}
	g->batch_b = size;
	p->b = block_random(size * p->batch, (int)(test_random() % 2));
	g->b = p->b.data;
	if (p->format == NC_B_PANELS) /* past the last column lie zeros */
		for (int64_t q = 0; q < p->batch; q++)
			for (int64_t i = 0; i < p->k; i++)
				for (int64_t j = p->n; j < (p->n + p->nr - 1) / p->nr * p->nr; j++)
					p->b.data[q * size + (j / p->nr * p->k + i) * p->nr +
						  j % p->nr] = 0;
}

/* What is special in the operands of the problems that are made next: columns of zeros in some rows
 * of A, which kernels leave out; an infinity in B, which makes a NaN of a zero; products too small
 * for a float, whose sum is a zero of either sign on its way. */
enum { NOTHING, ZEROS, INFINITE, TINY_PRODUCTS };
static int special;

static void make_special(problem *p)
{
	float *a = p->a.data, *b = p->b.data, sign[2] = {0.f, -0.f};
	for (int64_t l = 0; special && l < p->k; l++)
		for (int64_t i = 0, end; i < p->m; i = end) {
			end = i + 1 + (int64_t)(test_random() % 40);
			end = end < p->m ? end : p->m;
			float zero = sign[test_random() % 2];
			for (int64_t r = i; test_random() % 8 && r < end; r++)
				a[p->a_trans ? l * p->g.lda + r : r * p->g.lda + l] = zero;
		}
	for (int64_t i = 0; special == TINY_PRODUCTS && i < p->a.n; i++)
		a[i] *= 1e-24f;
	for (int64_t i = 0; special == TINY_PRODUCTS && i < p->b.n; i++)
		b[i] *= 1e-24f;
	if (special == INFINITE && p->n && p->k)
		*b_place(p, 0, (int64_t)(test_random() % (uint64_t)p->k),
			 (int64_t)(test_random() % (uint64_t)p->n)) = -INFINITY;
}

static problem problem_new(const nc_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t batch,
			   bool a_trans, nc_b_format format, int nr)
{
	problem p = {m, n, kk, batch, a_trans, format, nr, {0}, {0}, {0}, {0}};
	int64_t pad = (int64_t)(test_random() % 3);
	p.g = (nc_gemm){.m = m,
			.n = n,
			.k = kk,
			.a_trans = a_trans,
			.b_format = format,
			.nr = nr,
			.batch = batch};
	p.g.lda = (a_trans ? m : kk) + pad;
	p.g.batch_a = (a_trans ? kk : m) * p.g.lda;
	p.a = block_random(p.g.batch_a * batch, (int)(test_random() % 2));
	p.g.a = p.a.data;
	problem_b(&p, k);
	make_special(&p);
	p.want = block_new(batch * m * n, 0);
	for (int64_t q = 0; q < batch; q++)
		for (int64_t i = 0; i < m; i++)
			for (int64_t j = 0; j < n; j++) {
				const float *a = p.g.a + q * p.g.batch_a;
				float sum = 0;
				for (int64_t l = 0; l < kk; l++)
					sum =
					    step(k, sum,
						 a_trans ? a[l * p.g.lda + i] : a[i * p.g.lda + l],
						 *b_place(&p, q, l, j));
				p.want.data[(q * m + i) * n + j] = sum + 0.f; /* -0 becomes 0 */
			}
	return p;
}

static void problem_free(problem *p)
{
	block_free(&p->a);
	block_free(&p->b);
	block_free(&p->want);
}

static void say(const problem *p, const nc_kernels *k, int nt, const char *what)
{
	test_failed(__FILE__, __LINE__,
		    "%s: %s differs, m %d n %d k %d batch %d a_trans %d format %d nr %d nt %d",
		    k->isa, what, (int)p->m, (int)p->n, (int)p->k, (int)p->batch, p->a_trans,
		    (int)p->format, p->nr, nt);
}

static const int thread_counts[] = {1, 2, 3, 4, MAX_THREADS};
#define EACH_NT(nt)                                                                                \
	for (int i_##nt = 0, nt; i_##nt < 5 && (nt = thread_counts[i_##nt], true); i_##nt++)

static void check_plain(const nc_kernels *k, problem *p)
{
	EACH_NT(nt)
	{
		int64_t ldc = p->n + nt % 3;
		p->g.ldc = ldc;
		p->g.batch_c = p->m * ldc;
		block c = block_new(p->batch * p->m * ldc, nt % 2);
		p->g.c = c.data;
		team(k, &p->g, nt);
		bool right = true;
		for (int64_t i = 0; i < p->batch * p->m; i++) {
			right = right && same(c.data + i * ldc, p->want.data + i * p->n, p->n);
			for (int64_t j = p->n; j < ldc; j++)
				right = right && is_canary(c.data + i * ldc + j);
		}
		if (!right)
			say(p, k, nt, "C");
		block_free(&c);
	}
}

/* relu(product + bias) * mask, to rows and to panels; the mask comes from panels */
static void check_vm(const nc_kernels *k, problem *p)
{
	int64_t m = p->m, n = p->n, width = (n + p->nr - 1) / p->nr * p->nr, ld = n + 1;
	block bias = block_random(n, 0), mask = block_random(m * width, 0);
	EACH_NT(nt)
	{
		block y = block_new(m * ld, 0), panels = block_new(m * width, 0);
		nc_vm vm = {.rank = 2,
			    .size = {m, n},
			    .total = m * n,
			    .n_operands = 3,
			    .n_code = 3,
			    .n_results = 2};
		vm.operand[1] = (nc_operand){bias.data, NC_V_F32, NC_STRIDED, {0, 1}};
		vm.operand[2] = (nc_operand){mask.data, NC_V_F32, NC_PANEL, {0}};
		vm.code[0] = (nc_code){NC_E_add, 0, {NC_VM_REGISTERS, NC_VM_REGISTERS + 1, 0}};
		vm.code[1] = (nc_code){NC_E_relu, 1, {0, 0, 0}};
		vm.code[2] = (nc_code){NC_E_mul, 2, {1, NC_VM_REGISTERS + 2, 0}};
		vm.result[0] = (nc_result){y.data, NC_V_F32, 1, NC_STRIDED, {ld, 1}};
		vm.result[1] = (nc_result){panels.data, NC_V_F32, 2, NC_PANEL, {0}};
		p->g.vm = &vm;
		p->g.c = NULL;
		team(k, &p->g, nt);
		p->g.vm = NULL;
		bool right = true;
		for (int64_t i = 0; i < m; i++)
			for (int64_t j = 0; j < n; j++) {
				int64_t at = (j / p->nr * m + i) * p->nr + j % p->nr;
				float x = p->want.data[i * n + j] + bias.data[j];
				x = x > 0 ? x : 0;
				right = right && y.data[i * ld + j] == x;
				right = right && panels.data[at] == x * mask.data[at];
			}
		for (int64_t i = 0; i < m; i++)
			right = right && is_canary(y.data + i * ld + n);
		if (!right)
			say(p, k, nt, "the result of the program");
		block_free(&y);
		block_free(&panels);
	}
	block_free(&bias);
	block_free(&mask);
}

static nc_update update_of(int rule)
{
	switch (rule) {
	case NC_UPDATE_SGD:
		return (nc_update){.rule = rule, .decay = 0.01};
	case NC_UPDATE_MOMENTUM:
		return (nc_update){.rule = rule, .a = 0.9};
	case NC_UPDATE_MOMENTUM + 100: /* nesterov */
		return (nc_update){.rule = NC_UPDATE_MOMENTUM, .a = 0.9, .b = 1, .decay = 0.02};
	case NC_UPDATE_RMSPROP:
		return (nc_update){.rule = rule, .a = 0.9, .c = 1e-7};
	default:
		return (nc_update){
		    .rule = NC_UPDATE_ADAM, .a = 0.9, .b = 0.999, .c = 1e-7, .decay = 0.004};
	}
}
static const int rules[] = {NC_UPDATE_SGD, NC_UPDATE_MOMENTUM, NC_UPDATE_MOMENTUM + 100,
			    NC_UPDATE_RMSPROP, NC_UPDATE_ADAM};
static const float rate[2] = {0.013f, 0.01f};

static block block_copy(const block *b)
{
	block c = block_new(b->n, 0);
	memcpy(c.data, b->data, (size_t)b->n * sizeof(float));
	return c;
}

/* state of a parameter: v is never negative */
static void state_new(int64_t n, block *w, block *m, block *v)
{
	*w = block_random(n, 0);
	*m = block_random(n, 0);
	*v = block_random(n, 0);
	for (int64_t i = 0; i < n; i++)
		v->data[i] = fabsf(v->data[i]);
}

/* an update fused into the product gives the bits of the update of the stored gradient */
static void check_update(const nc_kernels *k, problem *p, int rule)
{
	int64_t width = (p->n + p->nr - 1) / p->nr * p->nr, total = p->m * width;
	block w, m, v, g = block_new(total, 0);
	state_new(total, &w, &m, &v);
	for (int64_t i = 0; i < p->m; i++)
		for (int64_t j = 0; j < width; j++) {
			int64_t at = (j / p->nr * p->m + i) * p->nr + j % p->nr;
			g.data[at] = j < p->n ? p->want.data[i * p->n + j] : 0;
			if (j >= p->n)
				w.data[at] = m.data[at] = v.data[at] = 0;
		}
	block w1 = block_copy(&w), m1 = block_copy(&m), v1 = block_copy(&v);
	nc_update u = update_of(rule);
	u.rate = rate, u.n = total, u.g = g.data, u.w = w1.data, u.m = m1.data, u.v = v1.data;
	k->update(&u, 0, 1);
	EACH_NT(nt)
	{
		block w2 = block_copy(&w), m2 = block_copy(&m), v2 = block_copy(&v);
		u.g = NULL, u.w = w2.data, u.m = m2.data, u.v = v2.data;
		p->g.update = &u;
		p->g.c = NULL;
		team(k, &p->g, nt);
		p->g.update = NULL;
		if (!same(w1.data, w2.data, total) || !same(m1.data, m2.data, total) ||
		    !same(v1.data, v2.data, total))
			say(p, k, nt, "the fused update");
		block_free(&w2);
		block_free(&m2);
		block_free(&v2);
	}
	block *all[] = {&w, &m, &v, &g, &w1, &m1, &v1};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		block_free(all[i]);
}

static void check_all(const nc_kernels *k, int64_t m, int64_t n, int64_t kk, int nr)
{
	for (int trans = 0; trans < 2; trans++)
		for (int format = 0; format < 4; format++) {
			problem p = problem_new(k, m, n, kk, 1, trans, (nc_b_format)format, nr);
			check_plain(k, &p);
			check_vm(k, &p);
			check_update(k, &p, rules[test_random() % 5]);
			problem_free(&p);
		}
}

/* -- tests
 * ------------------------------------------------------------------------------------------- */
TEST(kernel_table)
{
	int count = 0;
	for (; nc_kernels_at(count); count++) {
		CHECK(nc_kernels_named(nc_kernels_at(count)->isa) == nc_kernels_at(count));
		CHECK(nc_kernels_at(count)->vector >= 4);
	}
	CHECK(count >= 1);
	CHECK(!nc_kernels_at(-1));
	CHECK(!nc_kernels_named("none"));
	CHECK(!nc_kernels_named(NULL));
	CHECK(kernels_of(0) != NULL);
}

TEST(gemm_widths)
{
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		CHECK(k->gemm_width(0) > 0);
		CHECK(k->gemm_width(INT64_MAX) > 0);
		CHECK(k->gemm_width(1) == k->vector);
		for (int64_t n = 1; n < 3000; n++) {
			int nr = k->gemm_width(n);
			CHECK(nr % k->vector == 0 && nr <= 4 * k->vector);
			CHECK((n + nr - 1) / nr * nr < n + 2 * k->vector || n > 2 * nr);
		}
	}
}

TEST(gemm_small_sizes)
{
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (int w = 0; w < widths; w++)
			for (int m = 0; m < 4; m++)
				for (int n = 0; n < 3; n++)
					for (int kk = 0; kk < 3; kk++)
						check_all(k, m, n, kk, nr[w]);
	}
}

TEST(gemm_every_row_count)
{
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (int w = 0; w < widths; w++)
			for (int m = 1; m < 28; m++)
				check_all(k, m, 2 * nr[w] + 1 + (int)(test_random() % 7),
					  9 + m % 2 * 8, nr[w]);
	}
}

/* few columns: vectors lie along the rows; several blocks, several passes, rests of rows */
TEST(gemm_few_columns)
{
	static const int depths[] = {0, 1, 15, 16, 23, 130, 1700};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (int n = 1; n < 14; n++) {
			int m = (int)(test_random() % 14) + k->vector * (n % 3 + 1);
			for (int w = 0; w < widths; w++)
				check_all(k, m, n, depths[(n + w) % 6], nr[w]);
			check_all(k, n % 4 ? m : 150 + m, n, depths[n % 7], k->gemm_width(n));
		}
		check_all(k, 40, 5, 8300, k->gemm_width(5));
	}
}

TEST(gemm_random_sizes)
{
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (int t = 0; t < 24; t++)
			check_all(k, 1 + (int)(test_random() % 70), 1 + (int)(test_random() % 260),
				  (int)(test_random() % 90), nr[t % widths]);
	}
}

/* several passes over k, several blocks of rows and groups of panels, rows far apart (copied) */
TEST(gemm_long)
{
	static const int sizes[][3] = {
	    {1, 300, 1900}, {2, 130, 900},  {1, 1100, 90},   {3, 700, 33},    {3, 70, 801},
	    {20, 70, 1700}, {230, 40, 30},  {110, 33, 1030}, {30, 560, 1024}, {26, 1040, 256},
	    {512, 10, 64},  {13, 17, 5000}, {5, 66, 9000},   {40, 40, 9001},  {230, 10, 8200}};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
			int w = nr[(int)(test_random() % 8) % widths];
			for (int f = 0; f < 8; f++) {
				problem p = problem_new(k, sizes[s][0], sizes[s][1], sizes[s][2], 1,
							f % 2, (nc_b_format)(f / 2), w);
				check_plain(k, &p);
				if (f % 3 == 0)
					check_vm(k, &p);
				if (f % 3 == 1)
					check_update(k, &p, rules[test_random() % 5]);
				problem_free(&p);
			}
		}
	}
}

/* Adam beside the sums of the next tile: whole tiles and all kinds of rests */
TEST(gemm_adam)
{
	static const int rows[] = {11, 12, 13, 24, 25, 40, 100, 130};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++)
		for (size_t r = 0; r < 8; r++)
			for (int format = 0; format < 4; format++) {
				int nr = 2 * k->vector;
				problem p =
				    problem_new(k, rows[r], nr * (1 + (int)r % 3) + (int)r / 2,
						71 + (int)r, 1, true, (nc_b_format)format, nr);
				check_update(k, &p, NC_UPDATE_ADAM);
				problem_free(&p);
			}
}

/* k that are left out of some tiles change no bit */
TEST(gemm_zeros)
{
	static const int sizes[][3] = {{13, 200, 40}, {128, 130, 70}, {107, 65, 33}, {30, 300, 513},
				       {97, 72, 801}, {14, 40, 9000}, {50, 30, 64}};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (int s = 0; s < 7 * 4; s++) {
			const int *size = sizes[s / 4];
			special = 1 + (int)(test_random() % 3);
			for (int trans = 0; trans < 2; trans++) {
				problem p = problem_new(k, size[0], size[1], size[2], 1, trans,
							(nc_b_format)(s % 4),
							nr[(int)(test_random() % 8) % widths]);
				check_plain(k, &p);
				if (special != INFINITE)
					check_vm(k, &p);
				check_update(k, &p, s % 2 ? NC_UPDATE_ADAM : rules[s % 5]);
				problem_free(&p);
			}
		}
	}
	special = NOTHING;
}

TEST(gemm_batches)
{
	static const int sizes[][4] = {
	    {2, 5, 7, 3}, {3, 33, 40, 35}, {8, 17, 20, 9}, {3, 64, 70, 64}, {13, 1, 50, 60}};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++)
		for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
			for (int f = 0; f < 8; f++) {
				problem p = problem_new(k, sizes[s][1], sizes[s][2], sizes[s][3],
							sizes[s][0], f % 2, (nc_b_format)(f / 2),
							k->gemm_width(sizes[s][2]));
				check_plain(k, &p);
				problem_free(&p);
			}
}

/* The chain is as near the exact sum as a chain must be, k roundings of at most half a unit each
 * (two a step without fused multiply-add): a check of the reference above. */
TEST(gemm_against_double)
{
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		problem p = problem_new(k, 37, 41, 300, 1, false, NC_B_ROWS, k->gemm_width(41));
		for (int64_t r = 0; r < p.m; r++)
			for (int64_t c = 0; c < p.n; c++) {
				double sum = 0, size = 0;
				for (int64_t l = 0; l < p.k; l++) {
					double x = (double)p.g.a[r * p.g.lda + l] *
						   (double)p.g.b[l * p.g.ldb + c];
					sum += x;
					size += fabs(x);
				}
				CHECK_NEAR(p.want.data[r * p.n + c], sum,
					   2 * (double)p.k * 0x1p-24 * size);
			}
		problem_free(&p);
	}
}

TEST(pack_and_back)
{
	static const int sizes[][2] = {{0, 5},   {5, 0},   {1, 1},   {7, 3},    {8, 16},
				       {19, 50}, {33, 97}, {64, 64}, {100, 128}};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++) {
		int nr[8], widths = widths_of(k, nr);
		for (size_t t = 0; t < 18 * (size_t)widths; t++) {
			int64_t kk = sizes[t % 9][0], n = sizes[t % 9][1];
			int w = nr[t / 18];
			bool trans = t / 9 % 2;
			int64_t ldb = (trans ? kk : n) + 1, count = (n + w - 1) / w;
			block b = block_random((trans ? n : kk) * ldb, 1),
			      back = block_new(kk * (n + 2), 0);
			block panels = block_new(count * kk * w, 0);
			k->pack(kk, n, w, b.data, ldb, trans, panels.data, 0, count / 2);
			k->pack(kk, n, w, b.data, ldb, trans, panels.data, count / 2, count);
			k->unpack(kk, n, w, panels.data, back.data, n + 2);
			bool right = true;
			for (int64_t r = 0; r < kk; r++)
				for (int64_t c = 0; c < count * w; c++) {
					float x = panels.data[(c / w * kk + r) * w + c % w];
					float y =
					    c >= n ? 0 : b.data[trans ? c * ldb + r : r * ldb + c];
					right = right && x == y &&
						(c >= n || back.data[r * (n + 2) + c] == y);
				}
			CHECK(right);
			block_free(&b);
			block_free(&panels);
			block_free(&back);
		}
	}
}

/* one element by the formulas of nacre/op.h, in double */
static void update_double(const nc_update *u, int rule, double g, double *w, double *m, double *v)
{
	double lr = (double)rate[0];
	*w -= *w * u->decay * (double)rate[1];
	switch (rule) {
	case NC_UPDATE_SGD:
		*w -= lr * g;
		break;
	case NC_UPDATE_MOMENTUM:
	case NC_UPDATE_MOMENTUM + 100:
		*m = u->a * *m - lr * g;
		*w += u->b != 0 ? u->a * *m - lr * g : *m;
		break;
	case NC_UPDATE_RMSPROP:
		*v = u->a * *v + (1 - u->a) * g * g;
		*w -= lr * g / sqrt(*v + u->c);
		break;
	default:
		*m += (g - *m) * (1 - u->a);
		*v += (g * g - *v) * (1 - u->b);
		*w -= lr * *m / (sqrt(*v) + u->c);
	}
}

TEST(updates_against_double)
{
	static const int sizes[] = {0, 1, 3, 4, 15, 16, 17, 63, 100, 1000, 4097};
	const nc_kernels *k;
	for (int i = 0; (k = kernels_of(i)); i++)
		for (size_t t = 0; t < 5 * sizeof sizes / sizeof *sizes; t++) {
			int rule = rules[t % 5], n = sizes[t / 5];
			block w, m, v, g = block_random(n, 0);
			state_new(n, &w, &m, &v);
			EACH_NT(nt)
			{
				block w1 = block_copy(&w), m1 = block_copy(&m), v1 = block_copy(&v);
				nc_update u = update_of(rule);
				bool has_m = rule != NC_UPDATE_SGD && rule != NC_UPDATE_RMSPROP;
				u.rate = rate, u.n = n, u.g = g.data, u.w = w1.data;
				u.m = has_m ? m1.data : NULL;
				u.v = rule >= NC_UPDATE_RMSPROP && rule < 100 ? v1.data : NULL;
				for (int tid = 0; tid < nt; tid++)
					k->update(&u, tid, nt);
				for (int e = 0; e < n; e++) {
					double x = w.data[e], y = m.data[e], z = v.data[e];
					update_double(&u, rule, g.data[e], &x, &y, &z);
					CHECK_NEAR(w1.data[e], x, 2e-6 * fmax(1, fabs(x)));
					CHECK_NEAR(m1.data[e], y, 1e-6);
					CHECK_NEAR(v1.data[e], z, 1e-6);
				}
				block_free(&w1);
				block_free(&m1);
				block_free(&v1);
			}
			block_free(&w);
			block_free(&m);
			block_free(&v);
			block_free(&g);
		}
}
