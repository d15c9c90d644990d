/* SPDX-License-Identifier: MIT
 *
 * conv.c - convolutions against oneDNN, in one process and by turns: forward with bias and relu,
 * the gradients by the input and by the filter.
 *
 *     bench_conv [threads [part of a title]]
 *
 * oneDNN runs directly in the layout that it likes best, directly on NHWC, and by Winograd's way
 * where it has one, which is F(4x4): it multiplies half as often as our F(2x2), and its error is
 * larger; forward we have that too, for programs that ask for it.  Its arrays lie in its own
 * layouts already, and its filters are laid out before the clock starts, as ours are.  A layer is
 * compared with the faster direct one, and with its Winograd.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "base/base.h"
#include "base/runtime.h"
#include "compile/program.h"
#include "nacre/graph.h"
#include "nacre/op.h"
#include "nacre/runtime.h"

#ifdef HAVE_DNNL
#include <dnnl.h>
#endif

enum { ROUNDS = 15, WAYS = 5 };

typedef struct layer {
	const char *title;
	int64_t n, size, ci, co, k, stride, pad;
} layer;

static const layer layers[] = {
    {"3x3, 64 channels, 32 of 56x56", 32, 56, 64, 64, 3, 1, 1},
    {"3x3, 128 channels, 32 of 28x28", 32, 28, 128, 128, 3, 1, 1},
    {"3x3, 256 channels, 32 of 14x14", 32, 14, 256, 256, 3, 1, 1},
    {"3x3, 512 channels, 32 of 7x7", 32, 7, 512, 512, 3, 1, 1},
    {"3x3, 32 to 64, 128 of 28x28", 128, 28, 32, 64, 3, 1, 1},
    {"5x5, 1 to 32, 128 of 28x28", 128, 28, 1, 32, 5, 1, 2},
    {"3x3, 1 to 32, 128 of 28x28", 128, 28, 1, 32, 3, 1, 0},
    {"3x3, 3 to 16, 128 of 32x32", 128, 32, 3, 16, 3, 1, 1},
    {"7x7 by 2, 3 to 64, 8 of 224x224", 8, 224, 3, 64, 7, 2, 3},
};
enum { LAYERS = sizeof layers / sizeof *layers };

typedef enum pass { FORWARD, BY_INPUT, BY_FILTER, PASSES } pass;
static const char *const pass_names[] = {"forward", "by input", "by filter"};

static int64_t out_size(const layer *l)
{
	return (l->size + 2 * l->pad - l->k) / l->stride + 1;
}

static void fail(const char *what)
{
	fprintf(stderr, "bench_conv: %s\n", what);
	exit(1);
}

/* -- ours -------------------------------------------------------------------------------------- */
typedef struct contender {
	const char *name;
	void (*run)(struct contender *c);
	nacre_program *program;
	nacre_graph *graph;
	nacre_variable *variable[2];
	float *array[2];
#ifdef HAVE_DNNL
	dnnl_primitive_t primitive;
	dnnl_exec_arg_t args[4];
	int n_args;
#endif
} contender;

static void run_ours(contender *c)
{
	nc_program_execute(c->program);
}

static nacre_node *fed(contender *c, int i, int64_t n, int64_t size, int64_t channels)
{
	c->array[i] = aligned_alloc(64, (size_t)(n * size * size * channels * 4 + 63) / 64 * 64);
	if (!c->array[i])
		fail("out of memory");
	bench_fill(c->array[i], n * size * size * channels);
	return nacre_placeholder(c->graph, i ? "dy" : "x", NACRE_F32, 4,
				 (int64_t[]){n, size, size, channels});
}

static nacre_node *weight(contender *c, int i, int rank, const int64_t *shape)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, NULL);
	if (!t)
		fail("out of memory");
	bench_fill(nacre_tensor_data(t), nacre_tensor_size(t));
	c->variable[i] = nacre_variable_new(NULL, "w", NACRE_F32, rank, shape, t, NULL);
	nacre_tensor_free(t);
	return nacre_use(c->graph, c->variable[i]);
}

static contender ours(const layer *l, pass p, int fast)
{
	contender c = {.name = fast ? "nacre, F(4x4)" : "nacre",
		       .run = run_ours,
		       .graph = nacre_graph_new(NULL)};
	nacre_window w = {.size = {l->k, l->k}, .stride = {l->stride, l->stride}};
	w.before[0] = w.before[1] = w.after[0] = w.after[1] = l->pad;
	int64_t filter[4] = {l->k, l->k, l->ci, l->co}, out = out_size(l);
	nacre_node *in[2] = {NULL}, *y;
	int n_in = 1;
	if (p == FORWARD) {
		in[0] = fed(&c, 0, l->n, l->size, l->ci);
		y = nacre_conv(in[0], weight(&c, 0, 4, filter), w);
		y = nacre_relu(nacre_plus(y, weight(&c, 1, 1, &l->co)));
	} else if (p == BY_INPUT) {
		in[0] = fed(&c, 0, l->n, out, l->co);
		y = nacre_conv_input(in[0], weight(&c, 0, 4, filter), w,
				     (int64_t[]){l->size, l->size});
	} else {
		in[0] = fed(&c, 0, l->n, l->size, l->ci);
		in[1] = fed(&c, 1, l->n, out, l->co);
		y = nacre_conv_filter(in[0], in[1], w);
		n_in = 2;
	}
	nacre_error e = {0};
	nacre_program_options o = {.fast_convolution = fast};
	c.program = nacre_program_new(NULL, n_in, in, 1, &y, &o, &e);
	if (!c.program)
		fail(e.text);
	for (int i = 0; i < n_in; i++)
		nc_program_bind(c.program, i, c.array[i]);
	return c;
}

/* -- oneDNN ------------------------------------------------------------------------------------ */
#ifdef HAVE_DNNL
static dnnl_engine_t engine;
static dnnl_stream_t stream;

static void run_dnnl(contender *c)
{
	if (dnnl_primitive_execute(c->primitive, stream, c->n_args, c->args) != dnnl_success ||
	    dnnl_stream_wait(stream) != dnnl_success)
		fail("oneDNN failed");
}

static void add_argument(contender *c, const_dnnl_primitive_desc_t pd, dnnl_query_t what, int arg)
{
	const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md(pd, what, 0);
	dnnl_memory_t m;
	void *data = NULL;
	if (dnnl_memory_create(&m, md, engine, DNNL_MEMORY_ALLOCATE) != dnnl_success ||
	    dnnl_memory_get_data_handle(m, &data) != dnnl_success)
		fail("oneDNN has no memory");
	bench_fill(data, (int64_t)(dnnl_memory_desc_get_size(md) / sizeof(float)));
	c->args[c->n_args++] = (dnnl_exec_arg_t){arg, m};
}

typedef struct shapes {
	dnnl_memory_desc_t x, w, b, y;
	dnnl_dims_t stride, pad;
} shapes;

static dnnl_primitive_desc_t forward_of(const shapes *s, dnnl_alg_kind_t way, bool training)
{
	dnnl_convolution_desc_t d;
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t ops;
	dnnl_primitive_desc_t pd = NULL;
	dnnl_primitive_attr_create(&attr);
	dnnl_post_ops_create(&ops);
	if (!training) {
		dnnl_post_ops_append_eltwise(ops, 1, dnnl_eltwise_relu, 0, 0);
		dnnl_primitive_attr_set_post_ops(attr, ops);
	}
	dnnl_convolution_forward_desc_init(
	    &d, training ? dnnl_forward_training : dnnl_forward_inference, way, &s->x, &s->w, &s->b,
	    &s->y, s->stride, s->pad, s->pad);
	if (dnnl_primitive_desc_create(&pd, &d, attr, engine, NULL) != dnnl_success)
		pd = NULL;
	dnnl_post_ops_destroy(ops);
	dnnl_primitive_attr_destroy(attr);
	return pd;
}

static dnnl_primitive_desc_t backward_of(const shapes *s, dnnl_alg_kind_t way, pass p)
{
	dnnl_primitive_desc_t hint = forward_of(s, way, true), pd = NULL;
	dnnl_convolution_desc_t d;
	if (!hint)
		return NULL;
	if (p == BY_INPUT)
		dnnl_convolution_backward_data_desc_init(&d, way, &s->x, &s->w, &s->y, s->stride,
							 s->pad, s->pad);
	else
		dnnl_convolution_backward_weights_desc_init(&d, way, &s->x, &s->w, NULL, &s->y,
							    s->stride, s->pad, s->pad);
	if (dnnl_primitive_desc_create(&pd, &d, NULL, engine, hint) != dnnl_success)
		pd = NULL;
	dnnl_primitive_desc_destroy(hint);
	return pd;
}

/* false: oneDNN has no such way */
static bool theirs(contender *c, const layer *l, pass p, const char *name, dnnl_alg_kind_t way,
		   dnnl_format_tag_t tag)
{
	shapes s = {.stride = {l->stride, l->stride}, .pad = {l->pad, l->pad}};
	int64_t out = out_size(l);
	dnnl_dims_t xs = {l->n, l->ci, l->size, l->size}, ws = {l->co, l->ci, l->k, l->k};
	dnnl_dims_t bs = {l->co}, ys = {l->n, l->co, out, out};
	dnnl_memory_desc_init_by_tag(&s.x, 4, xs, dnnl_f32, tag);
	dnnl_memory_desc_init_by_tag(&s.w, 4, ws, dnnl_f32, dnnl_format_tag_any);
	dnnl_memory_desc_init_by_tag(&s.b, 1, bs, dnnl_f32, dnnl_a);
	dnnl_memory_desc_init_by_tag(&s.y, 4, ys, dnnl_f32, tag);
	*c = (contender){.name = name, .run = run_dnnl};
	dnnl_primitive_desc_t pd =
	    p == FORWARD ? forward_of(&s, way, false) : backward_of(&s, way, p);
	if (!pd)
		return false;
	if (dnnl_primitive_create(&c->primitive, pd) != dnnl_success)
		fail("oneDNN gives no primitive");
	if (p != BY_INPUT)
		add_argument(c, pd, dnnl_query_src_md, DNNL_ARG_SRC);
	else
		add_argument(c, pd, dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC);
	if (p != BY_FILTER)
		add_argument(c, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
	else
		add_argument(c, pd, dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS);
	if (p == FORWARD) {
		c->args[c->n_args] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, NULL};
		if (dnnl_memory_create(&c->args[c->n_args++].memory, &s.b, engine,
				       DNNL_MEMORY_ALLOCATE) != dnnl_success)
			fail("oneDNN has no memory");
		add_argument(c, pd, dnnl_query_dst_md, DNNL_ARG_DST);
	} else {
		add_argument(c, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
	}
	dnnl_primitive_desc_destroy(pd);
	return true;
}
#endif

static int contenders_of(contender *c, const layer *l, pass p)
{
	int n = 1;
	c[0] = ours(l, p, 0);
	if (p == FORWARD && l->k == 3 && l->ci > 3)
		c[n++] = ours(l, p, 1);
#ifdef HAVE_DNNL
	n += theirs(c + n, l, p, "oneDNN, its layout", dnnl_convolution_direct,
		    dnnl_format_tag_any);
	n += theirs(c + n, l, p, "oneDNN, NHWC", dnnl_convolution_direct, dnnl_nhwc);
	n += theirs(c + n, l, p, "oneDNN, Winograd", dnnl_convolution_winograd,
		    dnnl_format_tag_any);
#endif
	return n;
}

static void contender_free(contender *c)
{
	nacre_program_free(c->program);
	nacre_graph_free(c->graph);
	for (int i = 0; i < 2; i++) {
		nacre_variable_free(c->variable[i]);
		free(c->array[i]);
	}
#ifdef HAVE_DNNL
	for (int i = 0; i < c->n_args; i++)
		dnnl_memory_destroy(c->args[i].memory);
	if (c->primitive)
		dnnl_primitive_destroy(c->primitive);
#endif
}

/* -- measuring --------------------------------------------------------------------------------- */
typedef enum peer { DIRECT, WINOGRAD, PEERS } peer;
static const char *const peer_names[] = {"direct", "Winograd"};

/* ratio: medians of the peers, the faster direct one and Winograd, to ours, which is F(4x4) beside
 * Winograd where it is offered; infinite without a peer */
static void measure(const layer *l, pass p, int threads, double ratio[PEERS])
{
	contender c[WAYS];
	double seconds[WAYS][ROUNDS], own[PEERS] = {0};
	int n = contenders_of(c, l, p);
	double out = (double)out_size(l);
	double work = 2 * (double)l->n * out * out * (double)(l->k * l->k * l->ci * l->co);
	int calls = (int)(0.01 / (work / (100e9 * threads))) + 1;
	for (int r = -1; r < ROUNDS; r++)
		for (int k = 0; k < n; k++) {
			if (threads > 1) /* let the others' threads go to sleep */
				usleep(10000);
			c[k].run(&c[k]);
			double t = nc_now();
			for (int i = 0; i < calls; i++)
				c[k].run(&c[k]);
			if (r >= 0)
				seconds[k][r] = (nc_now() - t) / calls;
		}
	for (int k = 0; k < n; k++) {
		bench_sort(seconds[k], ROUNDS);
		double median = seconds[k][ROUNDS / 2], best = seconds[k][0];
		printf("  %-10s %-20s %10.1f us %10.1f us %7.1f %7.1f GFLOP/s\n", pass_names[p],
		       c[k].name, median * 1e6, best * 1e6, work / median * 1e-9,
		       work / best * 1e-9);
		peer which = strstr(c[k].name, peer_names[WINOGRAD]) ? WINOGRAD : DIRECT;
		if (k == 0)
			own[DIRECT] = own[WINOGRAD] = median;
		else if (c[k].program)
			own[WINOGRAD] = median;
		else if (median / own[which] < ratio[which])
			ratio[which] = median / own[which];
		contender_free(&c[k]);
	}
	for (int k = 0; k < PEERS; k++)
		if (ratio[k] < INFINITY)
			printf("  %-10s %.2f times oneDNN, %s\n", "", ratio[k], peer_names[k]);
	fflush(stdout);
}

typedef struct mean {
	double logs, worst;
	int n;
} mean;

static void count(mean *m, double ratio)
{
	if (ratio == INFINITY)
		return;
	m->worst = m->n && m->worst < ratio ? m->worst : ratio;
	m->logs += log(ratio);
	m->n++;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	const char *part = argc > 2 ? argv[2] : "";
	char text[16];
	snprintf(text, sizeof text, "%d", threads);
	if (!getenv("OMP_NUM_THREADS") || strcmp(getenv("OMP_NUM_THREADS"), text)) {
		setenv("OMP_NUM_THREADS", text, 1); /* oneDNN reads it at its start */
		execv("/proc/self/exe", argv);
	}
	if (nacre_runtime_set_threads(nacre_runtime_default(), threads))
		fail("cannot compute on so many threads");
#ifdef HAVE_DNNL
	if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
	    dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success)
		fail("oneDNN does not start");
#endif
	mean means[PASSES][PEERS] = {0};
	printf("%d thread(s); median and best of %d rounds\n", threads, ROUNDS);
	for (int i = 0; i < LAYERS; i++) {
		if (!strstr(layers[i].title, part))
			continue;
		printf("%s\n", layers[i].title);
		/* nothing stands before a first layer that would want its gradient by the input */
		for (int p = 0; p < PASSES; p++) {
			double ratio[PEERS] = {INFINITY, INFINITY};
			if (p == BY_INPUT && layers[i].ci <= 3)
				continue;
			measure(&layers[i], (pass)p, threads, ratio);
			for (int k = 0; k < PEERS; k++)
				count(&means[p][k], ratio[k]);
		}
	}
	for (int k = 0; k < PEERS; k++)
		for (int p = 0; p < PASSES; p++)
			if (means[p][k].n)
				printf(
				    "%s, against %s: %.2f (geometric mean of %d), at worst %.2f\n",
				    pass_names[p], peer_names[k],
				    exp(means[p][k].logs / means[p][k].n), means[p][k].n,
				    means[p][k].worst);
	return 0;
}
