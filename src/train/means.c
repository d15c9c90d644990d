/* SPDX-License-Identifier: MIT
 *
 * means.c - loss and metrics over the batches of an epoch.
 *
 * A program's outputs are the loss, those of the model's outputs if there are several, then for
 * each metric, for each output that it is of, what the batch adds to its sums.  Sums are kept in
 * double.
 */
#include <string.h>

#include "train/model.h"

void nc_means_begin(nc_means *a, nacre_model *m)
{
	nc_means_end(a);
	*a = (nc_means){.n = nc_n_means(m), .memory = &m->runtime->memory};
}

void nc_means_end(nc_means *a)
{
	if (a->state)
		nc_free(a->memory, a->state, (size_t)a->n_state * sizeof *a->state);
	a->state = NULL;
	a->n_state = 0;
}

static int64_t size_of(const nacre_program *p, int output)
{
	const struct nc_spec *s = &p->spec[p->n_inputs + output];
	int64_t n = 1;
	for (int i = 0; i < s->rank; i++)
		n *= s->shape[i];
	return n;
}

/* Whether metric k is one number a batch: its mean. */
static bool is_mean(const nacre_model *m, const nacre_program *p, int k)
{
	return nc_metric_width(m, k) == 1 && size_of(p, nc_metric_output(m, k)) == 1 &&
	       nc_metric_is_mean(m->how.metrics[k], &m->how.metric_options[k]);
}

static bool make_state(nc_means *a, nacre_model *m, const nacre_program *p)
{
	int64_t n = 0;
	for (int k = 0; k < m->n_metrics; k++)
		for (int i = 0; i < nc_metric_width(m, k) && !is_mean(m, p, k); i++)
			n += size_of(p, nc_metric_output(m, k) + i);
	if (a->state && n != a->n_state) {
		nc_model_fail(m, false, NACRE_BAD_DATA,
			      "the metrics so far are %lld numbers, those of this data %lld",
			      (long long)a->n_state, (long long)n);
		return false;
	}
	if (a->state || n == 0)
		return true;
	a->state = nc_zero_alloc(a->memory, (size_t)n * sizeof *a->state);
	if (a->state)
		a->n_state = n;
	else
		nc_model_fail(m, false, NACRE_NO_MEMORY, "out of memory for the metrics");
	return a->state;
}

/* Metric k, of several outputs the mean; its sums begin at *state. */
static double with_state(nc_means *a, nacre_model *m, const nacre_program *p, int k, int64_t rows,
			 double **state)
{
	const nacre_loss_options *o = &m->how.metric_options[k];
	nacre_loss_function *f = m->how.metrics[k];
	double value = 0;
	int width = nc_metric_width(m, k);
	for (int i = 0; i < width; i++) {
		int output = nc_metric_output(m, k) + i;
		const float *v = nc_program_result(p, output);
		int64_t n = size_of(p, output);
		double factor = n == 1 && nc_metric_is_mean(f, o) ? (double)rows : 1;
		for (int64_t j = 0; j < n; j++)
			(*state)[j] += factor * (double)v[j];
		value += nc_metric_finish(f, *state, n, a->rows, o);
		*state += n;
	}
	return value / width;
}

bool nc_means_add(nc_means *a, nacre_model *m, const nacre_program *p, int64_t rows)
{
	if (!make_state(a, m, p))
		return false;
	double *state = a->state;
	a->rows += (double)rows;
	for (int i = 0; i < a->n; i++) {
		int k = i - 1 - nc_n_losses(m);
		if (k >= 0 && !is_mean(m, p, k)) {
			a->value[i] = with_state(a, m, p, k, rows, &state);
			continue;
		}
		const float *v = nc_program_result(p, k < 0 ? i : nc_metric_output(m, k));
		a->sum[i] += (double)rows * (double)*v;
		a->value[i] = a->sum[i] / a->rows;
	}
	return true;
}
