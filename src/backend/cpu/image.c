/* SPDX-License-Identifier: MIT
 *
 * image.c - images resampled: affine maps, and bands of weights along an axis.
 */
#include "backend/cpu/cpu.h"
#include "nacre/augment.h"
#include "op/attr.h"
#include "op/resize.h"

static void run_affine(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->affine(s->args, tid, nt);
}

static void run_affine_adjoint(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->affine_adjoint(s->args, tid, nt);
}

bool nc_cpu_lower_affine(nc_compile *c, nacre_node *y)
{
	static const int fills[] = {[NACRE_FILL_REFLECT] = NC_FILL_REFLECT,
				    [NACRE_FILL_WRAP] = NC_FILL_WRAP,
				    [NACRE_FILL_CONSTANT] = NC_FILL_CONSTANT,
				    [NACRE_FILL_NEAREST] = NC_FILL_NEAREST,
				    [NACRE_FILL_MIRROR] = NC_FILL_MIRROR};
	const nc_attr_affine *attr = y->attr;
	const int64_t *in = y->in[0]->shape;
	bool adjoint = nc_is(y, NC_OP_affine_adjoint);
	if (y->dtype != NACRE_F32)
		return false;
	int from = nc_plain(c, y->in[0]), transform = nc_plain(c, y->in[1]), to = nc_plain(c, y);
	if (from < 0 || transform < 0 || to < 0 || nc_node_size(y) == 0)
		return nc_node_size(y) == 0;
	double bytes = (double)nc_node_bytes(y) + (double)nc_node_bytes(y->in[0]);
	nc_step *s = nc_cpu_step(c, adjoint ? run_affine_adjoint : run_affine, sizeof(nc_affine),
				 y->op->name, y, y->op->flops(y), bytes);
	if (!s)
		return false;
	nc_affine *a = s->args;
	*a = (nc_affine){.n = in[0],
			 .h = in[1],
			 .w = in[2],
			 .c = in[3],
			 .height = attr->height,
			 .width = attr->width,
			 .nearest = attr->interpolation == NACRE_NEAREST,
			 .fill = fills[attr->fill],
			 .value = (float)attr->value};
	return nc_reads(c, &a->from, from, 0) && nc_reads(c, &a->transform, transform, 0) &&
	       nc_writes(c, &a->to, to, 0);
}

/* -- resize: the band as a table, in the program's arena ------------------------------------------
 */
typedef struct band {
	int64_t rows, width;
	int64_t *first;
	int32_t *count;
	float *weight; /* [rows][width] */
} band;

/* Which places row i of the matrix (or of its transpose) reads. */
static void measure(const nc_resampling *r, bool adjoint, band *b)
{
	int64_t from, to;
	double sum;
	for (int64_t i = 0; i < r->out; i++) {
		nc_resampling_span(r, i, &from, &to, &sum);
		if (!adjoint) {
			b->first[i] = from;
			b->count[i] = (int32_t)(to - from);
		}
		for (int64_t k = from; k < to && adjoint; k++) { /* spans move up: no gaps */
			b->first[k] = b->count[k] ? b->first[k] : i;
			b->count[k] = (int32_t)(i - b->first[k] + 1);
		}
	}
	for (int64_t i = 0; i < b->rows; i++)
		b->width = nc_max(b->width, b->count[i]);
}

static void fill(const nc_resampling *r, bool adjoint, band *b)
{
	int64_t from, to;
	double sum;
	for (int64_t i = 0; i < r->out; i++) {
		nc_resampling_span(r, i, &from, &to, &sum);
		for (int64_t k = from; k < to; k++) {
			float w = (float)(nc_resampling_weight(r, i, k) / sum);
			if (adjoint)
				b->weight[k * b->width + i - b->first[k]] = w;
			else
				b->weight[i * b->width + k - from] = w;
		}
	}
}

static bool make_band(nc_compile *c, const nc_resampling *r, bool adjoint, band *b)
{
	nc_arena *arena = &c->graph->arena;
	size_t rows = (size_t)(adjoint ? r->in : r->out), n;
	b->rows = (int64_t)rows;
	b->first = nc_arena_alloc(arena, rows * sizeof *b->first);
	b->count = nc_arena_alloc(arena, rows * sizeof *b->count);
	if (!b->first || !b->count)
		return nc_fail_memory(c);
	for (size_t i = 0; i < rows; i++) {
		b->first[i] = 0;
		b->count[i] = 0;
	}
	b->width = 1;
	measure(r, adjoint, b);
	b->weight = nc_mul(rows, (size_t)b->width, &n) && n <= SIZE_MAX / sizeof *b->weight
			? nc_arena_alloc(arena, n * sizeof *b->weight)
			: NULL;
	if (!b->weight)
		return nc_fail_memory(c);
	for (size_t i = 0; i < n; i++)
		b->weight[i] = 0;
	for (size_t i = 0; i < rows; i++) /* a row that nothing reads: 0 times some place */
		b->count[i] = b->count[i] ? b->count[i] : 1;
	fill(r, adjoint, b);
	return true;
}

static void run_resample(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->resample(s->args, tid, nt);
}

bool nc_cpu_lower_resize(nc_compile *c, nacre_node *y)
{
	const nc_attr_resize *attr = y->attr;
	const nacre_node *x = y->in[0];
	nc_resample shape = {.out = attr->size};
	if (y->dtype != NACRE_F32)
		return false;
	nc_cpu_axis(x, attr->axis, &shape.outer, &shape.in, &shape.inner);
	int from = nc_plain(c, y->in[0]), to = nc_plain(c, y);
	if (from < 0 || to < 0 || nc_node_size(y) == 0)
		return nc_node_size(y) == 0;
	nc_resampling r = {shape.in, shape.out, attr->method, attr->antialias};
	band b = {0};
	if (attr->adjoint)
		r = (nc_resampling){shape.out, shape.in, attr->method, attr->antialias};
	if (!make_band(c, &r, attr->adjoint, &b))
		return false;
	double bytes = (double)nc_node_bytes(y) + (double)nc_node_bytes(x);
	nc_step *s = nc_cpu_step(c, run_resample, sizeof shape, "resample", y,
				 2 * (double)b.width * (double)nc_node_size(y), bytes);
	if (!s)
		return false;
	nc_resample *a = s->args;
	*a = shape;
	a->width = b.width;
	a->first = b.first;
	a->count = b.count;
	a->weight = b.weight;
	return nc_reads(c, &a->x, from, 0) && nc_writes(c, &a->y, to, 0);
}
