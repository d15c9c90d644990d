/* SPDX-License-Identifier: MIT
 *
 * dataset.c - making data sets from tensors, slicing them, asking them.
 */
#include <stdio.h>

#include "data/data.h"

static nacre_dataset *new_dataset(nacre_runtime *runtime)
{
	nacre_runtime *rt = nc_runtime(runtime);
	nacre_dataset *d = rt ? nc_zero_alloc(nc_runtime_memory(rt), sizeof *d) : NULL;
	if (d)
		d->runtime = rt;
	return d;
}

void nc_maker_drop(nc_maker *k)
{
	if (k && atomic_fetch_sub(&k->count, 1) == 1)
		k->release(k);
}

void nacre_dataset_free(nacre_dataset *dataset)
{
	if (!dataset)
		return;
	for (int i = 0; i < NACRE_MAX_COLUMNS; i++) {
		nacre_tensor_free(dataset->column[i].tensor);
		nc_maker_drop(dataset->column[i].maker);
	}
	nc_free(nc_runtime_memory(dataset->runtime), dataset, sizeof *dataset);
}

/* A tensor of the set's own, over the same storage if it is contiguous. */
static nacre_tensor *share(const nacre_tensor *t, nacre_error *e)
{
	if (!nacre_tensor_contiguous(t))
		return nacre_tensor_convert(t, t->dtype, e);
	size_t offset = (size_t)(t->data - (uint8_t *)t->storage->data);
	return nc_tensor_view(t->runtime, t->storage, offset, t->dtype, t->rank, t->shape, e);
}

static int64_t sample_width(const nacre_tensor *t)
{
	int64_t width = 1; /* a part of a tensor's size: it cannot overflow, unless n is 0 */
	return nc_shape_size(t->rank - 1, t->shape + 1, &width) ? width : 0;
}

static nacre_status add(nacre_dataset *d, int i, const nacre_tensor *t)
{
	if (d->column[i].maker)
		return NACRE_OK;
	bool input = i < d->n_inputs;
	const char *kind = input ? "input" : "target";
	int number = input ? i : i - d->n_inputs;
	if (!t)
		return nc_fail(&d->error, NACRE_INVALID, "data set: %s %d is NULL", kind, number);
	if (t->rank < 1)
		return nc_fail(&d->error, NACRE_INVALID,
			       "data set: %s %d has no axis of samples: its rank is 0", kind,
			       number);
	if (i == 0)
		d->size = t->shape[0];
	if (t->shape[0] != d->size)
		return nc_fail(&d->error, NACRE_INVALID,
			       "data set: %s %d has %lld samples, input 0 has %lld", kind, number,
			       (long long)t->shape[0], (long long)d->size);
	nc_column *c = &d->column[i];
	c->tensor = share(t, &d->error);
	c->width = sample_width(t);
	c->scale = 1;
	return d->error.status;
}

nacre_dataset *nacre_dataset_new(nacre_runtime *runtime, int n_inputs,
				 const nacre_tensor *const *inputs, int n_targets,
				 const nacre_tensor *const *targets)
{
	nacre_dataset *d = new_dataset(runtime);
	if (!d)
		return NULL;
	if (n_inputs < 1 || n_targets < 0 || n_inputs > NACRE_MAX_COLUMNS ||
	    n_targets > NACRE_MAX_COLUMNS - n_inputs || !inputs || (n_targets && !targets)) {
		nc_fail(&d->error, NACRE_INVALID,
			"data set: expected 1 to %d inputs and targets, got %d and %d%s",
			NACRE_MAX_COLUMNS, n_inputs, n_targets,
			!inputs || !targets ? " (NULL)" : "");
		return d;
	}
	d->n_inputs = n_inputs;
	d->n_targets = n_targets;
	for (int i = 0; i < n_inputs + n_targets && !d->error.status; i++)
		add(d, i, i < n_inputs ? inputs[i] : targets[i - n_inputs]);
	if (d->error.status)
		d->size = 0;
	return d;
}

nacre_dataset *nc_dataset_made(nacre_runtime *rt, nc_maker *k, int64_t size, int n_targets,
			       const nacre_tensor *const *targets)
{
	nacre_dataset *d = new_dataset(rt);
	if (!d) {
		nc_maker_drop(k);
		return NULL;
	}
	nc_column *c = &d->column[0];
	c->maker = k;
	c->scale = 1;
	if (!nc_shape_size(k->rank, k->shape, &c->width))
		nc_fail(&d->error, NACRE_INVALID, "data set: a sample is too large");
	d->n_inputs = 1;
	d->n_targets = n_targets;
	d->size = size;
	for (int i = 0; i < n_targets && !d->error.status; i++)
		add(d, 1 + i, targets[i]);
	if (d->error.status)
		d->size = 0;
	return d;
}

nc_maker *nc_dataset_maker(const nacre_dataset *d, int64_t *first)
{
	if (first)
		*first = d ? d->column[0].first : 0;
	return d ? d->column[0].maker : NULL;
}

nacre_dataset *nacre_dataset_from_tensors(nacre_runtime *runtime, const nacre_tensor *x,
					  const nacre_tensor *y)
{
	return nacre_dataset_new(runtime, 1, &x, y ? 1 : 0, &y);
}

nacre_dataset *nacre_dataset_slice(const nacre_dataset *dataset, int64_t begin, int64_t end)
{
	nacre_dataset *d = dataset ? new_dataset(dataset->runtime) : NULL;
	if (!d)
		return NULL;
	d->error = dataset->error;
	if (!d->error.status && (begin < 0 || end < begin || end > dataset->size))
		nc_fail(&d->error, NACRE_INVALID,
			"data set: samples %lld .. %lld asked for, it has 0 .. %lld",
			(long long)begin, (long long)end, (long long)dataset->size);
	if (d->error.status)
		return d;
	d->n_inputs = dataset->n_inputs;
	d->n_targets = dataset->n_targets;
	d->map = dataset->map;
	d->batch_size = dataset->batch_size;
	d->shuffle_window = dataset->shuffle_window;
	for (int i = 0; i < d->n_inputs + d->n_targets && !d->error.status; i++) {
		d->column[i] = dataset->column[i];
		if (d->column[i].maker) {
			atomic_fetch_add(&d->column[i].maker->count, 1);
			d->column[i].first += begin;
			continue;
		}
		d->column[i].tensor =
		    nacre_tensor_slice(dataset->column[i].tensor, 0, begin, end, 1, &d->error);
	}
	d->size = d->error.status ? 0 : end - begin;
	return d;
}

nacre_status nacre_dataset_set_scale(nacre_dataset *dataset, int input, double scale, double offset)
{
	if (!dataset)
		return NACRE_INVALID;
	if (dataset->error.status)
		return dataset->error.status;
	/* beyond the largest f32 a cast would be undefined; NaN fails too */
	if (input < 0 || input >= dataset->n_inputs || !(scale >= -3e38 && scale <= 3e38) ||
	    !(offset >= -3e38 && offset <= 3e38))
		return nc_fail(&dataset->error, NACRE_INVALID,
			       "data set: set_scale(input %d of %d, scale %g, offset %g)", input,
			       dataset->n_inputs, scale, offset);
	dataset->column[input].scale = (float)scale;
	dataset->column[input].offset = (float)offset;
	return NACRE_OK;
}

nacre_status nacre_dataset_set_classes(nacre_dataset *dataset, int target, int64_t classes)
{
	if (!dataset)
		return NACRE_INVALID;
	if (dataset->error.status)
		return dataset->error.status;
	if (target < 0 || target >= dataset->n_targets || classes < 0)
		return nc_fail(&dataset->error, NACRE_INVALID,
			       "data set: set_classes(target %d of %d, %lld)", target,
			       dataset->n_targets, (long long)classes);
	nc_column *c = &dataset->column[dataset->n_inputs + target];
	char what[32];
	snprintf(what, sizeof what, "target %d", target);
	if (classes && nc_column_check(c, what, classes, &dataset->error))
		return dataset->error.status;
	c->classes = classes;
	return NACRE_OK;
}

const nacre_error *nacre_dataset_error(const nacre_dataset *dataset)
{
	static const nacre_error none = {NACRE_NO_MEMORY, "no data set: out of memory"};
	return dataset ? &dataset->error : &none;
}

int64_t nacre_dataset_size(const nacre_dataset *dataset)
{
	return dataset && !dataset->error.status ? dataset->size : 0;
}

int nacre_dataset_inputs(const nacre_dataset *dataset)
{
	return dataset ? dataset->n_inputs : 0;
}

int nacre_dataset_targets(const nacre_dataset *dataset)
{
	return dataset ? dataset->n_targets : 0;
}

const nacre_tensor *nacre_dataset_input(const nacre_dataset *dataset, int input)
{
	return dataset && input >= 0 && input < dataset->n_inputs ? dataset->column[input].tensor
								  : NULL;
}

const nacre_tensor *nacre_dataset_target(const nacre_dataset *dataset, int target)
{
	return dataset && target >= 0 && target < dataset->n_targets
		   ? dataset->column[dataset->n_inputs + target].tensor
		   : NULL;
}

const int64_t *nacre_dataset_shape(const nacre_dataset *dataset, int input, int *rank)
{
	const int64_t *shape = NULL;
	if (rank)
		*rank = 0;
	if (!dataset || dataset->error.status || input < 0 || input >= dataset->n_inputs)
		return NULL;
	int n = nc_column_shape(&dataset->column[input], &shape);
	if (rank)
		*rank = n;
	return shape;
}

int64_t nacre_dataset_classes(const nacre_dataset *dataset, int target)
{
	return nacre_dataset_target(dataset, target)
		   ? dataset->column[dataset->n_inputs + target].classes
		   : 0;
}

nacre_status nacre_dataset_sample(const nacre_dataset *dataset, int64_t index, float *x,
				  nacre_error *error)
{
	if (!dataset || !x)
		return nc_fail(error, NACRE_INVALID, "dataset_sample: the %s is NULL",
			       x ? "data set" : "buffer");
	if (dataset->error.status)
		return nc_fail(error, dataset->error.status, "%s", dataset->error.text);
	if (index < 0 || index >= dataset->size)
		return nc_fail(error, NACRE_INVALID,
			       "dataset_sample: sample %lld asked for, there are %lld",
			       (long long)index, (long long)dataset->size);
	nc_making making = {0};
	nc_batch b = {.kernels = nc_kernels_named(dataset->runtime->isa),
		      .making = &making,
		      .rows = 1,
		      .first = index,
		      .n = 1,
		      .column = {{&dataset->column[0], NC_FEED_F32, 0, x}}};
	nc_batch_assemble(&b, (nc_team){.size = 1});
	return making.error.status ? nc_fail(error, making.error.status, "%s", making.error.text)
				   : NACRE_OK;
}

int64_t nacre_dataset_label(const nacre_dataset *dataset, int64_t index)
{
	if (index < 0 || index >= nacre_dataset_size(dataset) || !dataset->n_targets)
		return -1;
	const nc_column *c = nc_dataset_target(dataset, 0);
	if (c->width != 1 || (!c->classes && nc_dtype_is_float(c->tensor->dtype)))
		return -1;
	return (int64_t)nc_element(c->tensor->dtype, c->tensor->data, index);
}

/* -- order ------------------------------------------------------------------------------------- */
/* Place i takes one of the window at random, and the next sample takes the room that it leaves. */
static nacre_status by_window(const nacre_dataset *d, nc_random r, int64_t *out, nacre_error *e)
{
	enum { PIECE = 256 };
	const int64_t n = d->size, window = nc_min(d->shuffle_window, n);
	nc_memory *m = nc_runtime_memory(d->runtime);
	int64_t *held = nc_alloc(m, (size_t)window * sizeof *held);
	float draw[PIECE];
	if (!held)
		return nc_no_memory(e, (size_t)window * sizeof *held);
	for (int64_t i = 0; i < window; i++)
		held[i] = i;
	for (int64_t i = 0; i < n; i++) {
		if (i % PIECE == 0)
			nc_random_uniform(r, i, nc_min(i + PIECE, n), draw);
		int64_t left = nc_min(window, n - i);
		int64_t k = nc_min((int64_t)((double)draw[i % PIECE] * (double)left), left - 1);
		out[i] = held[k];
		held[k] = i + window < n ? i + window : held[left - 1];
	}
	nc_free(m, held, (size_t)window * sizeof *held);
	return NACRE_OK;
}

nacre_status nc_dataset_order(const nacre_dataset *d, nc_random r, int64_t *out, nacre_error *e)
{
	if (d->shuffle_window)
		return by_window(d, r, out, e);
	nc_random_permutation(r, d->size, out);
	return NACRE_OK;
}
