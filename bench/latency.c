/* SPDX-License-Identifier: MIT
 *
 * latency.c - how soon: the small times of a network inside another program, on one thread.
 *
 *     bench/latency        prints a line for each, with the bar that it should stay under
 *
 *   compile  784-512-10 with Adam: graph, gradient and program, from nothing to ready to run
 *   model    the same through layers: to the end of the first training step, weights drawn too
 *   predict  784-512-10, one sample: the program's run; and nacre_predict() as a whole
 *   step     4-4-1, tanh, plain SGD, one sample: the program's run; and nacre_train_on_batch()
 *
 * Times are the first (everything cold), the median and the best of many; bars are for the median.
 * Training must make the loss smaller, or nothing is printed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <nacre.h>

#include "bench.h"

enum { MANY = 20000, SOME = 60 };

static nacre_error error;
static double times[MANY];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of times[0 .. n-1], in microseconds; bar 0: none was set. */
static void show(const char *name, int n, double bar)
{
	double first = times[0] * 1e6;
	bench_sort(times, n);
	double median = times[n / 2] * 1e6;
	printf("name=%s first_us=%.2f median_us=%.2f best_us=%.2f", name, first, median,
	       times[0] * 1e6);
	if (bar > 0)
		printf(" bar_us=%.1f %s", bar, median <= bar ? "ok" : "MISSED");
	printf("\n");
}

static void must(int good)
{
	if (good)
		return;
	fprintf(stderr, "latency: %s\n", error.text[0] ? error.text : "a check failed");
	exit(1);
}

static nacre_tensor *tensor(int rank, const int64_t *shape)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, &error);
	must(t != NULL);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, (double)(i * 7919 % 1009) / 1009 - 0.5);
	return t;
}

/* -- at the level of ops: a network of two layers -- */
enum { WEIGHTS = 4 };

typedef struct net {
	int64_t rows, in, hidden, out;
	nacre_variable *weight[WEIGHTS], *m[WEIGHTS], *v[WEIGHTS];
} net;

static net net_new(int64_t rows, int64_t in, int64_t hidden, int64_t out)
{
	net n = {.rows = rows, .in = in, .hidden = hidden, .out = out};
	const int64_t shape[WEIGHTS][2] = {{in, hidden}, {hidden}, {hidden, out}, {out}};
	for (int i = 0; i < WEIGHTS; i++) {
		int rank = i % 2 ? 1 : 2;
		nacre_tensor *t = tensor(rank, shape[i]);
		n.weight[i] = nacre_variable_new(NULL, "w", NACRE_F32, rank, shape[i], t, &error);
		n.m[i] = nacre_variable_new(NULL, "m", NACRE_F32, rank, shape[i], NULL, &error);
		n.v[i] = nacre_variable_new(NULL, "v", NACRE_F32, rank, shape[i], NULL, &error);
		nacre_tensor_free(t);
		must(n.weight[i] && n.m[i] && n.v[i]);
	}
	return n;
}

static void net_free(net *n)
{
	for (int i = 0; i < WEIGHTS; i++) {
		nacre_variable_free(n->weight[i]);
		nacre_variable_free(n->m[i]);
		nacre_variable_free(n->v[i]);
	}
}

static nacre_node *forward(const net *n, nacre_graph *g, nacre_node *x, nacre_node **w,
			   nacre_activation_function *hidden)
{
	for (int i = 0; i < WEIGHTS; i++)
		w[i] = nacre_use(g, n->weight[i]);
	nacre_node *h = hidden(nacre_plus(nacre_matmul(x, w[0]), w[1]));
	return nacre_plus(nacre_matmul(h, w[2]), w[3]);
}

/* One step, from nothing to a program; inputs x, y, rate; outputs loss and the updates. */
static nacre_program *train_program(const net *n, int classes)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, 2, (int64_t[]){n->rows, n->in});
	nacre_node *y = nacre_placeholder(g, "y", NACRE_F32, 2, (int64_t[]){n->rows, n->out});
	nacre_node *rate = nacre_placeholder(g, "rate", NACRE_F32, 1, (int64_t[]){2});
	nacre_node *w[WEIGHTS], *dw[WEIGHTS] = {NULL}, *outputs[1 + WEIGHTS];
	nacre_node *p = forward(n, g, x, w, classes ? nacre_relu : nacre_tanh);
	nacre_node *losses = classes ? nacre_categorical_crossentropy(y, nacre_softmax(p), NULL)
				     : nacre_mean_squared_error(y, p, NULL);
	outputs[0] = nacre_mean(losses, NACRE_ALL_AXES, false);
	nacre_grad(outputs[0], WEIGHTS, w, dw);
	for (int i = 0; i < WEIGHTS; i++)
		outputs[1 + i] =
		    classes ? nacre_update_adam(w[i], nacre_use(g, n->m[i]), nacre_use(g, n->v[i]),
						dw[i], rate, 0.9, 0.999, 1e-7, 0)
			    : nacre_update_sgd(w[i], dw[i], rate, 0);
	nacre_program *program = nacre_program_new(NULL, 3, (nacre_node *[]){x, y, rate},
						   1 + WEIGHTS, outputs, NULL, &error);
	nacre_graph_free(g);
	must(program != NULL);
	return program;
}

static nacre_program *predict_program(const net *n)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_placeholder(g, "x", NACRE_F32, 2, (int64_t[]){n->rows, n->in});
	nacre_node *w[WEIGHTS], *p = nacre_softmax(forward(n, g, x, w, nacre_relu));
	nacre_program *program = nacre_program_new(NULL, 1, &x, 1, &p, NULL, &error);
	nacre_graph_free(g);
	must(program != NULL);
	return program;
}

static void time_runs(nacre_program *p, nacre_tensor **inputs, nacre_tensor **outputs)
{
	for (int i = 0; i < MANY; i++) {
		double start = now();
		nacre_status failed = nacre_program_run(p, inputs, outputs, &error);
		times[i] = now() - start;
		must(!failed);
	}
}

/* With new weights each time, which the compiler then stores anew, and with those of the last. */
static net time_compile(void)
{
	net n = {0};
	nacre_program *p = NULL;
	for (int i = 0; i < SOME; i++) {
		nacre_program_free(p);
		net_free(&n);
		n = net_new(128, 784, 512, 10);
		double start = now();
		p = train_program(&n, 1);
		times[i] = now() - start;
	}
	show("compile", SOME, 5000);
	for (int i = 0; i < SOME; i++) {
		nacre_program_free(p);
		double start = now();
		p = train_program(&n, 1);
		times[i] = now() - start;
	}
	show("compile-again", SOME, 0);

	nacre_tensor *in[] = {tensor(2, (int64_t[]){128, 784}), tensor(2, (int64_t[]){128, 10}),
			      tensor(1, (int64_t[]){2})};
	nacre_tensor *loss[1 + WEIGHTS] = {tensor(0, NULL)};
	for (int64_t i = 0; i < 1280; i++)
		nacre_tensor_set(in[1], i, i % 10 == i / 10 % 10);
	nacre_tensor_set(in[2], 0, 0.001);
	double before = 0;
	for (int i = 0; i < 10; i++) {
		must(!nacre_program_run(p, in, loss, &error));
		before = i ? before : nacre_tensor_get(loss[0], 0);
	}
	must(nacre_tensor_get(loss[0], 0) < before);
	for (int i = 0; i < 3; i++)
		nacre_tensor_free(in[i]);
	nacre_tensor_free(loss[0]);
	nacre_program_free(p);
	return n;
}

static void ops(void)
{
	net big = time_compile();
	big.rows = 1;
	nacre_program *p = predict_program(&big);
	nacre_tensor *x = tensor(2, (int64_t[]){1, 784}), *y = tensor(2, (int64_t[]){1, 10});
	time_runs(p, &x, &y);
	show("predict-program", MANY, 0);
	nacre_program_free(p);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	net_free(&big);

	net small = net_new(1, 4, 4, 1);
	p = train_program(&small, 0);
	nacre_tensor *in[] = {tensor(2, (int64_t[]){1, 4}), tensor(2, (int64_t[]){1, 1}),
			      tensor(1, (int64_t[]){2})};
	nacre_tensor *out[1 + WEIGHTS] = {tensor(0, NULL)};
	nacre_tensor_set(in[2], 0, 0.01);
	must(!nacre_program_run(p, in, out, &error));
	double before = nacre_tensor_get(out[0], 0);
	time_runs(p, in, out);
	must(nacre_tensor_get(out[0], 0) < before);
	show("step-program", MANY, 3);
	nacre_program_free(p);
	for (int i = 0; i < 3; i++)
		nacre_tensor_free(in[i]);
	nacre_tensor_free(out[0]);
	net_free(&small);
}

/* -- the same through layers -- */

static nacre_model *digits(void)
{
	nacre_model *m = nacre_sequential("digits");
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy);
	return m;
}

static void model_must(nacre_model *m)
{
	error = *nacre_model_error(m);
	must(!error.status);
}

static void layers(void)
{
	nacre_tensor *x = tensor(2, (int64_t[]){128, 784}), *y = tensor(2, (int64_t[]){128, 10});
	nacre_dataset *batch = nacre_dataset_from_tensors(NULL, x, y);
	nacre_model *m = NULL;
	for (int i = 0; i < SOME; i++) {
		nacre_model_free(m);
		double start = now();
		m = digits();
		nacre_train_on_batch(m, batch);
		times[i] = now() - start;
		model_must(m);
	}
	show("model-first-step", SOME, 0);
	nacre_tensor *one = nacre_tensor_slice(x, 0, 0, 1, 1, &error);
	must(one != NULL);
	for (int i = 0; i < MANY; i++) {
		double start = now();
		nacre_tensor *p = nacre_predict_tensor(m, one);
		times[i] = now() - start;
		nacre_tensor_free(p);
	}
	model_must(m);
	show("predict", MANY, 0);
	nacre_tensor_free(one);
	nacre_model_free(m);
	nacre_dataset_free(batch);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

static void small_model(void)
{
	nacre_tensor *x = tensor(2, (int64_t[]){1, 4}), *y = tensor(2, (int64_t[]){1, 1});
	nacre_dataset *batch = nacre_dataset_from_tensors(NULL, x, y);
	nacre_model *m = nacre_sequential("small");
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(4, .activation = nacre_tanh));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = nacre_sgd(), .loss = nacre_mse);
	double before = 0, after = 0;
	for (int i = 0; i < MANY; i++) {
		double start = now();
		after = nacre_train_on_batch(m, batch).loss;
		times[i] = now() - start;
		before = i ? before : after;
	}
	model_must(m);
	must(after < before);
	show("step", MANY, 3);
	nacre_model_free(m);
	nacre_dataset_free(batch);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

int main(void)
{
	must(!nacre_runtime_set_threads(NULL, 1));
	ops();
	layers();
	small_model();
	return 0;
}
