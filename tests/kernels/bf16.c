/* SPDX-License-Identifier: MIT
 *
 * bf16.c - products of bf16 of every kernel set that this CPU runs: bit for bit against one scalar
 * chain of pairs of multiply-adds, for every format of operands, odd sizes, batches and any number
 * of threads; and panels rounded to bf16 in pairs.
 */
#include "support.h"

static uint16_t bf16(float x)
{
	uint32_t u;
	memcpy(&u, &x, 4);
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

static float wide(uint16_t h)
{
	uint32_t u = (uint32_t)h << 16;
	float f;
	memcpy(&f, &u, 4);
	return f;
}

static float random_bf16(void)
{
	return wide(bf16((float)test_uniform(-1, 1)));
}

/* as the set does it: v2 has no fused multiply-add */
static float step(const nc_kernels *k, float sum, float a, float b)
{
	if (strcmp(k->isa, "v2"))
		return fmaf(a, b, sum);
	volatile float product = a * b;
	return sum + product;
}

typedef struct product {
	int64_t m, n, k, batch;
	float *a, *b; /* [batch][m][k], [batch][k][n], exact in bf16 */
	nc_gemm g;
} product;

static void store(uint16_t *to, int64_t at, float x)
{
	uint16_t h = bf16(x);
	memcpy(to + at, &h, 2);
}

/* The operands as the product gets them: memory ends where they end. */
static void place(product *p, const nc_kernels *k, bool a_trans, nc_b_format format, int pad)
{
	nc_gemm *g = &p->g;
	int64_t lda = (a_trans ? p->m : p->k) + pad, lines = a_trans ? p->k : p->m;
	*g = (nc_gemm){.m = p->m, .n = p->n, .k = p->k, .pairs = k->pairs, .a_trans = a_trans};
	g->b_format = format;
	g->nr = k->gemm_width(p->n);
	g->batch = p->batch;
	g->lda = lda;
	g->batch_a = lines * lda;
	uint16_t *a = guarded((size_t)(p->batch * lines * lda) * 2);
	for (int64_t q = 0; q < p->batch; q++)
		for (int64_t i = 0; i < p->m; i++)
			for (int64_t l = 0; l < p->k; l++)
				store(a, q * lines * lda + (a_trans ? l * lda + i : i * lda + l),
				      p->a[(q * p->m + i) * p->k + l]);
	int64_t w = g->nr, rows = p->k, columns = p->n, size;
	if (format == NC_B_PANELS_TRANSPOSED) {
		g->ldb = w = k->gemm_width(p->k);
		rows = p->n;
		columns = p->k;
	} else if (format != NC_B_PANELS)
		g->ldb = (format == NC_B_ROWS ? p->n : p->k) + pad;
	size = format == NC_B_ROWS      ? p->k * g->ldb
	       : format == NC_B_COLUMNS ? p->n * g->ldb
					: (columns + w - 1) / w * w * ((rows + 1) / 2) * 2;
	g->batch_b = size;
	uint16_t *b = guarded((size_t)(p->batch * size) * 2);
	bool panels = format == NC_B_PANELS || format == NC_B_PANELS_TRANSPOSED;
	if (panels)
		memset(b, 0, (size_t)(p->batch * size) * 2);
	for (int64_t q = 0; q < p->batch; q++)
		for (int64_t l = 0; l < p->k; l++)
			for (int64_t j = 0; j < p->n; j++) {
				int64_t row = format == NC_B_PANELS ? l : j,
					column = format == NC_B_PANELS ? j : l;
				int64_t at = format == NC_B_ROWS      ? l * g->ldb + j
					     : format == NC_B_COLUMNS ? j * g->ldb + l
					     : ((column / w * ((rows + 1) / 2) + row / 2) * w +
						column % w) * 2 + row % 2;
				store(b, q * size + at, p->b[(q * p->k + l) * p->n + j]);
			}
	g->a = (const float *)(const void *)a;
	g->b = (const float *)(const void *)b;
}

/* every thread with scratch of its own; the order of threads does not matter */
static void run(const nc_kernels *k, const nc_gemm *g, int nt)
{
	size_t bytes = k->gemm_scratch(g, nt);
	for (int tid = nt - 1; tid >= 0; tid--) {
		float *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
		if (!scratch)
			exit(2);
		memset(scratch, 0x7f, bytes);
		k->gemm(g, tid, nt, scratch);
		free(scratch);
	}
}

static void check(const nc_kernels *k, product *p, const float *want)
{
	int64_t ldc = p->n + 1, size = p->m * ldc;
	float *first = NULL;
	p->g.ldc = ldc;
	p->g.batch_c = size;
	FOR_TEAMS(nt)
	{
		float *c = calloc((size_t)(p->batch * size + 1), sizeof *c);
		if (!c)
			exit(2);
		p->g.c = c;
		run(k, &p->g, nt);
		bool right = true;
		for (int64_t i = 0; i < p->batch * p->m; i++)
			right = right && !memcmp(c + i * ldc, want + i * p->n, (size_t)p->n * 4);
		if (!right)
			test_failed(__FILE__, __LINE__,
				    "%s: m %d n %d k %d batch %d a_trans %d format %d nt %d",
				    k->isa, (int)p->m, (int)p->n, (int)p->k, (int)p->batch,
				    p->g.a_trans, (int)p->g.b_format, nt);
		if (first)
			CHECK(!memcmp(first, c, (size_t)(p->batch * size) * 4));
		else
			first = c;
		if (first != c)
			free(c);
	}
	free(first);
}

static void product_of(const nc_kernels *k, int64_t m, int64_t n, int64_t kk, int64_t batch)
{
	product p = {.m = m, .n = n, .k = kk, .batch = batch};
	p.a = malloc((size_t)(batch * m * kk + 1) * 4);
	p.b = malloc((size_t)(batch * kk * n + 1) * 4);
	float *want = malloc((size_t)(batch * m * n) * 4);
	if (!p.a || !p.b || !want)
		exit(2);
	for (int64_t i = 0; i < batch * m * kk; i++)
		p.a[i] = random_bf16();
	for (int64_t i = 0; i < batch * kk * n; i++)
		p.b[i] = random_bf16();
	for (int64_t i = 0; i < batch * m; i++)
		for (int64_t j = 0; j < n; j++) {
			const float *a = p.a + i * kk, *b = p.b + i / m * kk * n + j;
			float sum = 0;
			for (int64_t l = 0; l < kk; l += 2) {
				if (l + 1 < kk)
					sum = step(k, sum, a[l + 1], b[(l + 1) * n]);
				sum = step(k, sum, a[l], b[l * n]);
			}
			want[i * n + j] = sum;
		}
	for (int format = NC_B_PANELS; format <= NC_B_PANELS_TRANSPOSED; format++)
		for (int a_trans = 0; a_trans < 2; a_trans++) {
			place(&p, k, a_trans, (nc_b_format)format, (int)(test_random() % 3));
			check(k, &p, want);
			guarded_release();
		}
	free(p.a);
	free(p.b);
	free(want);
}

TEST(products_of_every_format_and_size)
{
	static const int64_t sizes[][4] = {{1, 1, 1, 1},    {1, 40, 2, 1},   {2, 33, 7, 1},
					   {13, 17, 5, 1},  {12, 64, 64, 1}, {25, 100, 31, 1},
					   {110, 50, 3, 1}, {5, 9, 11, 3},   {4, 32, 16, 8},
					   {30, 48, 1701, 1}, {8, 200, 2600, 1}};
	FOR_ISAS(k)
	{
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			product_of(k, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
		for (int i = 0; i < 6; i++)
			product_of(k, 1 + (int64_t)(test_random() % 40),
				   1 + (int64_t)(test_random() % 90),
				   1 + (int64_t)(test_random() % 70), 1);
	}
}

TEST(panels_rounded_in_pairs)
{
	static const float odd[] = {0, -0.f, INFINITY, -INFINITY, NAN, 1e-40f, 3.3895314e38f,
				    1.00390625f, 1.01171875f};
	FOR_ISAS(k)
	for (int64_t rows = 1; rows < 6; rows++) {
		int nr = k->gemm_width(70);
		int64_t panels = 3, pairs = (rows + 1) / 2;
		float *from = guarded((size_t)(panels * rows * nr) * 4);
		uint16_t *to = guarded((size_t)(panels * pairs * nr) * 4);
		for (int64_t i = 0; i < panels * rows * nr; i++)
			from[i] = i < 9 ? odd[i] : (float)test_uniform(-3, 3);
		k->narrow(rows, nr, from, to, 2, 3);
		k->narrow(rows, nr, from, to, 0, 2);
		bool right = true;
		for (int64_t p = 0; p < panels; p++)
			for (int64_t i = 0; i < 2 * pairs; i++)
				for (int64_t j = 0; j < nr; j++) {
					uint16_t want =
					    i < rows ? bf16(from[(p * rows + i) * nr + j]) : 0;
					right = right &&
						to[((p * pairs + i / 2) * nr + j) * 2 + i % 2] ==
						    want;
				}
		CHECK(right);
		guarded_release();
	}
}
