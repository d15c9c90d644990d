/* SPDX-License-Identifier: MIT
 *
 * conv.c - convolutions by F(2x2, 3x3) and F(4x4, 3x3), and gradients by the filter that way and of
 * few channels, against sums in double, on every instruction set: the error is bounded by the sum
 * of the absolute products; bits are the same on any number of threads.
 */
#include "base/runtime.h"
#include "nacre/op.h"
#include "test.h"

typedef struct shape {
	int64_t n, h, w, ci, co;
	int64_t pad, k; /* k: of the window */
} shape;

static int64_t out_size(const shape *s, int64_t in)
{
	return in + 2 * s->pad - s->k + 1;
}

typedef struct arrays { /* values, and sums of absolute products */
	nacre_tensor *x, *f, *bias, *dy;
	double *y, *y_abs, *df, *df_abs;
} arrays;

static nacre_tensor *random_tensor(int rank, const int64_t *sizes)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, sizes, NULL);
	float *v = nacre_tensor_data(t);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		v[i] = (float)(test_random() % 2001) / 1000 - 1;
	return t;
}

/* one place of y and of the filter: what they give each other */
static void direct_place(const shape *s, arrays *a, int64_t at_x, int64_t at_y, int64_t at_f)
{
	const float *x = (float *)nacre_tensor_data(a->x) + at_x * s->ci;
	const float *f = (float *)nacre_tensor_data(a->f) + at_f * s->ci * s->co;
	const float *dy = (float *)nacre_tensor_data(a->dy) + at_y * s->co;
	for (int64_t i = 0; i < s->ci; i++)
		for (int64_t j = 0; j < s->co; j++) {
			double p = (double)x[i] * f[i * s->co + j], q = (double)x[i] * dy[j];
			int64_t k = (at_f * s->ci + i) * s->co + j;
			a->y[at_y * s->co + j] += p;
			a->y_abs[at_y * s->co + j] += fabs(p);
			a->df[k] += q;
			a->df_abs[k] += fabs(q);
		}
}

static void direct(const shape *s, arrays *a)
{
	int64_t oh = out_size(s, s->h), ow = out_size(s, s->w);
	for (int64_t o = 0; o < s->n * oh * ow; o++)
		for (int64_t k = 0, size = s->k; k < size * size; k++) {
			int64_t n = o / (oh * ow), i = o / ow % oh + k / size - s->pad;
			int64_t j = o % ow + k % size - s->pad;
			if (i >= 0 && i < s->h && j >= 0 && j < s->w)
				direct_place(s, a, (n * s->h + i) * s->w + j, o, k);
		}
}

static arrays arrays_new(const shape *s)
{
	int64_t oh = out_size(s, s->h), ow = out_size(s, s->w);
	arrays a = {.x = random_tensor(4, (int64_t[]){s->n, s->h, s->w, s->ci}),
		    .f = random_tensor(4, (int64_t[]){s->k, s->k, s->ci, s->co}),
		    .bias = random_tensor(1, (int64_t[]){s->co}),
		    .dy = random_tensor(4, (int64_t[]){s->n, oh, ow, s->co})};
	size_t y = (size_t)nacre_tensor_size(a.dy), f = (size_t)nacre_tensor_size(a.f);
	a.y = calloc(y, sizeof *a.y), a.y_abs = calloc(y, sizeof *a.y);
	a.df = calloc(f, sizeof *a.df), a.df_abs = calloc(f, sizeof *a.df);
	direct(s, &a);
	return a;
}

static void arrays_free(arrays *a)
{
	nacre_tensor_free(a->x), nacre_tensor_free(a->f);
	nacre_tensor_free(a->bias), nacre_tensor_free(a->dy);
	free(a->y), free(a->y_abs), free(a->df), free(a->df_abs);
}

static void note_winograd(void *found, const char *pass, const char *text)
{
	(void)pass;
	*(int *)found |= (strstr(text, "conv winograd") ? 1 : 0) |
			 (strstr(text, "conv winograd 4x4") ? 2 : 0) |
			 (strstr(text, "conv filter winograd") ? 4 : 0);
}

/* forward: relu(conv + bias); else the filter's gradient.  Kernels found must hold all of `bit`. */
static nacre_tensor *run(nacre_runtime *r, const shape *s, const arrays *a, bool forward, int fast,
			 int bit)
{
	nacre_graph *g = nacre_graph_new(r);
	nacre_node *in[3] = {
	    nacre_placeholder(g, "x", NACRE_F32, 4, nacre_tensor_shape(a->x)),
	    forward ? nacre_placeholder(g, "f", NACRE_F32, 4, nacre_tensor_shape(a->f))
		    : nacre_placeholder(g, "dy", NACRE_F32, 4, nacre_tensor_shape(a->dy)),
	    nacre_placeholder(g, "b", NACRE_F32, 1, &s->co)};
	nacre_tensor *fed[3] = {a->x, forward ? a->f : a->dy, a->bias};
	nacre_window w = {
	    .size = {s->k, s->k}, .before = {s->pad, s->pad}, .after = {s->pad, s->pad}};
	nacre_node *y = forward ? nacre_relu(nacre_plus(nacre_conv(in[0], in[1], w), in[2]))
				: nacre_conv_filter(in[0], in[1], w);
	int found = 0;
	nacre_error error = {0};
	nacre_program_options o = {
	    .fast_convolution = fast, .trace = note_winograd, .trace_context = &found};
	nacre_program *p = nacre_program_new(r, forward ? 3 : 2, in, 1, &y, &o, &error);
	CHECK_STR(error.text, "");
	nacre_tensor *out =
	    nacre_tensor_new(NULL, NACRE_F32, 4, nacre_tensor_shape(forward ? a->dy : a->f), NULL);
	CHECK_EQ(nacre_program_run(p, fed, &out, &error), NACRE_OK);
	CHECK_EQ(found & bit, bit);
	nacre_program_free(p);
	nacre_graph_free(g);
	return out;
}

/* the largest error, in units of the sums of absolute products */
static double error_of(const nacre_tensor *got, const double *want, const double *sums,
		       const nacre_tensor *bias)
{
	double worst = 0;
	int64_t co = bias ? nacre_tensor_size(bias) : 1;
	for (int64_t i = 0; i < nacre_tensor_size(got); i++) {
		double y = want[i] + (bias ? nacre_tensor_get(bias, i % co) : 0);
		y = bias && y < 0 ? 0 : y;
		worst = fmax(worst, fabs(nacre_tensor_get(got, i) - y) / (sums[i] + 1));
	}
	return worst;
}

static void check(const char *isa, const shape *s, const arrays *a, bool forward, int fast, int bit,
		  double bound)
{
	nacre_tensor *first = NULL;
	for (int threads = 1; threads <= 7; threads += 2) {
		nacre_runtime_options o = {.threads = threads, .isa = isa};
		nacre_runtime *r = nacre_runtime_new(&o, NULL);
		nacre_tensor *out = run(r, s, a, forward, fast, bit);
		double e = forward ? error_of(out, a->y, a->y_abs, a->bias)
				   : error_of(out, a->df, a->df_abs, NULL);
		if (!(e <= bound))
			test_failed(__FILE__, __LINE__,
				    "%s %s of [%lld, %lld, %lld, %lld] to %lld by %d: error %.2g",
				    isa, forward ? "conv" : "filter", (long long)s->n,
				    (long long)s->h, (long long)s->w, (long long)s->ci,
				    (long long)s->co, fast ? 4 : 2, e);
		if (first)
			CHECK(memcmp(nacre_tensor_data(first), nacre_tensor_data(out),
				     (size_t)nacre_tensor_size(out) * sizeof(float)) == 0);
		else
			first = out;
		if (out != first)
			nacre_tensor_free(out);
		nacre_runtime_free(r);
	}
	nacre_tensor_free(first);
}

static void check_all(const shape *s, size_t n, bool forward, int fast, int bit, double bound)
{
	for (; n > 0; n--, s++) {
		arrays a = arrays_new(s);
		for (int i = 0; nc_cpu_isa(i); i++)
			check(nc_cpu_isa(i), s, &a, forward, fast, bit, bound);
		arrays_free(&a);
	}
}

/* odd edges, one tile, several blocks, several samples a block, planes outside */
static const shape shapes[] = {{1, 4, 4, 16, 16, 1, 3},   {2, 7, 9, 17, 20, 1, 3},
			       {1, 30, 35, 40, 33, 0, 3}, {5, 8, 8, 130, 70, 1, 3},
			       {3, 7, 7, 300, 40, 1, 3},  {2, 14, 13, 48, 200, 1, 3}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

TEST(forward)
{
	check_all(shapes, SHAPES, true, 0, 1, 5e-7);
}

TEST(forward_with_tiles_of_four)
{
	check_all(shapes, SHAPES, true, 1, 2, 5e-6);
}

/* 512 tiles and more; fewer chunks than threads, which share panels then */
TEST(by_filter)
{
	static const shape deep[] = {{9, 16, 15, 16, 33, 1, 3},
				     {32, 8, 7, 70, 80, 1, 3},
				     {2, 34, 32, 130, 140, 1, 3}};
	check_all(deep, 3, false, 0, 4, 5e-7);
}

/* several runs of the window in a tile */
TEST(by_filter_of_one_channel)
{
	static const shape thin[] = {{3, 9, 11, 1, 32, 0, 3}, {2, 12, 13, 1, 20, 2, 5},
				     {1, 7, 8, 1, 16, 1, 3},  {40, 6, 6, 1, 8, 1, 3},
				     {2, 9, 9, 3, 32, 0, 1},  {3, 10, 9, 2, 40, 1, 4}};
	check_all(thin, 6, false, 0, 0, 5e-7);
}

/* swish or relu with a cap of depthwise(x) * scale + shift; the same bits however it is computed */
static nacre_tensor *depthwise(nacre_runtime *r, nacre_tensor *const *fed, nacre_window w,
			       bool swish, int no_optimize)
{
	static const char *const names[] = {"x", "f", "scale", "shift"};
	nacre_graph *g = nacre_graph_new(r);
	nacre_node *in[4];
	for (int i = 0; i < 4; i++)
		in[i] = nacre_placeholder(g, names[i], NACRE_F32, nacre_tensor_rank(fed[i]),
					  nacre_tensor_shape(fed[i]));
	nacre_node *y = nacre_plus(nacre_times(nacre_conv(in[0], in[1], w), in[2]), in[3]);
	nacre_node *limited = nacre_minimum(nacre_relu(y), nacre_scalar(g, NACRE_F32, 1.5));
	y = swish ? nacre_times(y, nacre_sigmoid(y)) : limited;
	nacre_error error = {0};
	nacre_program_options o = {.no_optimize = no_optimize};
	nacre_program *p = nacre_program_new(r, 4, in, 1, &y, &o, &error);
	CHECK_STR(error.text, "");
	nacre_tensor *out = nacre_tensor_new(NULL, NACRE_F32, 4, nacre_node_shape(y), NULL);
	CHECK_EQ(nacre_program_run(p, fed, &out, &error), NACRE_OK);
	nacre_program_free(p);
	nacre_graph_free(g);
	return out;
}

static int64_t pick(int64_t low, int64_t high)
{
	return low + (int64_t)(test_random() % (uint64_t)(high - low + 1));
}

/* windows with a kernel of their own and without, edges, channels in whole vectors and not */
TEST(depthwise_with_an_epilogue)
{
	static const int64_t channels[] = {3, 16, 20, 48, 70}, sizes[] = {3, 5, 2, 7, 1};
	for (int round = 0; round < 60; round++) {
		int64_t c = channels[pick(0, 4)], k = sizes[pick(0, 4)];
		int64_t l = sizes[pick(0, 4)], d = pick(1, 4) / 4 + 1;
		nacre_window w = {.stride = {pick(1, 2), pick(1, 2)}, .groups = c};
		for (int i = 0; i < 2; i++)
			w.dilation[i] = d, w.before[i] = pick(0, i ? l : k),
			w.after[i] = pick(0, 3);
		nacre_tensor *fed[] = {
		    random_tensor(4, (int64_t[]){pick(1, 3), d * k + pick(0, 8),
						 d * l + pick(0, 12), c}),
		    random_tensor(4, (int64_t[]){k, l, 1, c}), random_tensor(1, &c),
		    random_tensor(1, &c)};
		for (int i = 0; nc_cpu_isa(i); i++) {
			nacre_runtime_options o = {.threads = 1 + round % 3, .isa = nc_cpu_isa(i)};
			nacre_runtime *r = nacre_runtime_new(&o, NULL);
			nacre_tensor *fused = depthwise(r, fed, w, round % 2, 0);
			nacre_tensor *plain = depthwise(r, fed, w, round % 2, 1);
			for (int64_t e = 0; e < nacre_tensor_size(plain); e++)
				if (nacre_tensor_get(fused, e) != nacre_tensor_get(plain, e)) {
					test_failed(__FILE__, __LINE__,
						    "%s round %d: element %lld is %.9g, not %.9g",
						    o.isa, round, (long long)e,
						    nacre_tensor_get(fused, e),
						    nacre_tensor_get(plain, e));
					break;
				}
			nacre_tensor_free(fused);
			nacre_tensor_free(plain);
			nacre_runtime_free(r);
		}
		for (int i = 0; i < 4; i++)
			nacre_tensor_free(fed[i]);
	}
}
