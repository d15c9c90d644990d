/* SPDX-License-Identifier: MIT
 *
 * help.h - for tests of models: runtimes that print into a buffer or count allocations, small data.
 */
#ifndef NACRE_TEST_TRAIN_HELP_H
#define NACRE_TEST_TRAIN_HELP_H

#include <nacre.h>

#include "test.h"

typedef struct printed {
	char text[65536];
	size_t size;
	nacre_stream last;
} printed;

static inline void print_into(void *context, nacre_stream stream, const char *text, size_t size)
{
	printed *p = context;
	p->last = stream;
	if (size > sizeof p->text - 1 - p->size)
		size = sizeof p->text - 1 - p->size;
	memcpy(p->text + p->size, text, size);
	p->text[p->size += size] = 0;
}

/* A runtime that prints into `out`, or nothing if it is NULL. */
static inline nacre_runtime *quiet(printed *out, int terminal)
{
	nacre_runtime_options o = {.threads = 1};
	o.output.silent = !out;
	o.output.terminal = terminal;
	o.output.write = out ? print_into : NULL;
	o.output.context = out;
	nacre_error e = {0};
	nacre_runtime *rt = nacre_runtime_new(&o, &e);
	CHECK_STR(e.text, "");
	return rt;
}

/* n samples of `in` numbers in -1 .. 1, always the same ones */
static inline nacre_tensor *numbers(nacre_runtime *rt, int64_t n, int64_t in)
{
	nacre_tensor *t = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){n, in}, NULL);
	uint64_t s = 12345;
	for (int64_t i = 0; t && i < n * in; i++) {
		s = s * 6364136223846793005u + 1442695040888963407u;
		nacre_tensor_set(t, i, (double)(s >> 40) * 0x1p-23 - 1);
	}
	return t;
}

/* label of a sample: which of its first `classes` numbers is the largest */
static inline nacre_tensor *labels_of(nacre_runtime *rt, const nacre_tensor *x, int classes)
{
	int64_t n = x ? nacre_tensor_shape(x)[0] : 0, in = x ? nacre_tensor_shape(x)[1] : 0;
	nacre_tensor *t = nacre_tensor_new(rt, NACRE_U8, 1, &n, NULL);
	for (int64_t i = 0; t && i < n; i++) {
		int best = 0;
		for (int c = 1; c < classes; c++)
			if (nacre_tensor_get(x, i * in + c) > nacre_tensor_get(x, i * in + best))
				best = c;
		nacre_tensor_set(t, i, best);
	}
	return t;
}

static inline nacre_dataset *classes(nacre_runtime *rt, int64_t n, int64_t in, int count)
{
	nacre_tensor *x = numbers(rt, n, in), *y = labels_of(rt, x, count);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return d;
}

/* target: the sum of the numbers of a sample, [n, 1] */
static inline nacre_dataset *sums(nacre_runtime *rt, int64_t n, int64_t in)
{
	nacre_tensor *x = numbers(rt, n, in);
	nacre_tensor *y = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){n, 1}, NULL);
	for (int64_t i = 0; x && y && i < n; i++) {
		double sum = 0;
		for (int64_t k = 0; k < in; k++)
			sum += nacre_tensor_get(x, i * in + k);
		nacre_tensor_set(y, i, sum);
	}
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return d;
}

/* in -> hidden relu -> out softmax, compiled with Adam and accuracy */
static inline nacre_model *classifier(nacre_runtime *rt, int64_t in, int64_t hidden, int64_t out)
{
	nacre_model *m = nacre_sequential_in(rt, "classifier");
	nacre_add(m, nacre_input(in));
	nacre_add(m, nacre_dense(hidden, .activation = nacre_relu));
	nacre_add(m, nacre_dense(out, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(0.01), .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	return m;
}

/* Models must have no error at the end. */
#define CHECK_FINE(m) CHECK_STR(nacre_model_error(m)->text, "")

#endif
