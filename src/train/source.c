/* SPDX-License-Identifier: MIT
 *
 * source.c - a data set as one model reads it: checked once, then fed batch by batch.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/lookup.h"
#include "train/model.h"

static bool equal(int rank, const int64_t *a, int other_rank, const int64_t *b)
{
	return rank == other_rank && (rank == 0 || memcmp(a, b, (size_t)rank * sizeof *a) == 0);
}

static bool add_column(nc_source *s, nacre_model *m, const nc_column *c, nc_feed feed,
		       int64_t classes, bool whole, const char *name, const char *what)
{
	char label[128];
	nacre_error e = {0};
	snprintf(label, sizeof label, "%s: %s", what, name);
	if (whole && (classes == 0 || c->classes == 0 || c->classes > classes) &&
	    nc_column_check(c, label, classes, &e)) {
		nc_model_take(m, false, NULL, &e);
		return false;
	}
	s->batch.column[s->batch.n++] =
	    (nc_batch_column){.column = c, .feed = feed, .classes = classes};
	return true;
}

/* What leads into an integer_lookup without an index for unknown numbers has none of them: found
 * out here, since a program cannot fail. */
static bool known(nacre_model *m, const nacre_model *first, const nacre_value *v,
		  const nc_column *column, const char *what)
{
	for (const nc_apply *c = first->calls; c && column->tensor; c = c->next) {
		bool memory;
		if (c->x[0] != v || c->layer->class != &nc_class_integer_lookup ||
		    nc_lookup_of(c->layer).unknown || nc_lookup_of(c->layer).invert)
			continue;
		int64_t i = nc_lookup_missing(c->layer, column->tensor, &memory);
		if (memory && i < 0)
			continue;
		if (memory)
			nc_model_fail(m, false, NACRE_INVALID,
				      "%s: %s: %g of sample %lld is not in the vocabulary, and "
				      "num_oov_indices is 0",
				      what, c->layer->name, nacre_tensor_get(column->tensor, i),
				      (long long)(i / nc_max(column->width, 1)));
		else
			nc_model_fail(m, false, NACRE_NO_MEMORY, "%s: out of memory", what);
		return false;
	}
	return true;
}

static bool open_input(nc_source *s, nacre_model *m, int i, const char *what)
{
	const nc_column *c = nc_dataset_input(s->data, i);
	const nacre_value *v = s->map ? s->map->input[i] : m->input[i];
	const int64_t *shape;
	int rank = nc_column_shape(c, &shape);
	char name[32], want[128], got[128];
	if (!equal(rank, shape, v->rank - 1, v->shape + 1)) {
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: %s expects samples of %s, the data has %s", what, v->layer->name,
			      nc_shape_text(want, v->rank - 1, v->shape + 1),
			      nc_shape_text(got, rank, shape));
		return false;
	}
	snprintf(name, sizeof name, "input %d", i);
	bool whole = v->dtype == NACRE_I32;
	return known(m, s->map ? s->map : m, v, c, what) &&
	       add_column(s, m, c, whole ? NC_FEED_I32 : NC_FEED_F32, 0, whole, name, what);
}

static bool integers(const nc_column *c)
{
	return !nc_dtype_is_float(c->tensor->dtype) && c->tensor->dtype != NACRE_BOOL;
}

/* How target i is fed, by what the loss wants and whether it looks like labels: one for each row of
 * the output's last axis. */
static bool open_target(nc_source *s, nacre_model *m, int i, const char *what)
{
	const nc_column *c = nc_dataset_target(s->data, i);
	const nacre_value *y = m->output[i];
	const nc_loss *row = nc_loss_row(nc_loss_of(m, i));
	const int64_t *shape;
	int rank = nc_column_shape(c, &shape), out = y->rank - 1;
	int64_t classes = out > 0 ? y->shape[out] : 1;
	bool same = equal(rank, shape, out, y->shape + 1);
	bool less = equal(rank, shape, out - 1, y->shape + 1);
	bool one =
	    rank > 0 && shape[rank - 1] == 1 && equal(rank - 1, shape, out - 1, y->shape + 1);
	bool labels = classes > 1 && !same && (less || one);
	nc_target *t = &s->target[s->n_targets++];
	*t = (nc_target){.feed = NC_FEED_F32, .rank = rank};
	memcpy(t->shape, shape, (size_t)rank * sizeof *shape);
	if (s->map && s->map->n_inputs > m->n_inputs) {
		if (!nc_map_target(s->map, m, i, c, t, what))
			return false;
		classes = t->rank ? t->shape[t->rank - 1] : 1;
	} else if (labels && row && row->targets == NC_TARGET_ONE_HOT) {
		t->feed = NC_FEED_ONE_HOT;
		t->rank = out;
		memcpy(t->shape, y->shape + 1, (size_t)out * sizeof *shape);
	} else if ((labels && !row && integers(c)) ||
		   (row && (row->targets == NC_TARGET_LABELS || row->targets == NC_TARGET_WHOLE)))
		t->feed = NC_FEED_I32;
	/* a class to ignore need not be one that there is */
	if (row && t->feed != NC_FEED_ONE_HOT &&
	    (row->targets == NC_TARGET_WHOLE || nc_loss_options_of(m, i)->ignore_class))
		classes = 0;
	bool whole = t->feed != NC_FEED_F32;
	char name[32];
	snprintf(name, sizeof name, "target %d", i);
	return add_column(s, m, c, t->feed, whole ? classes : 0, whole, name, what);
}

bool nc_source_open(nc_source *s, nacre_model *m, nacre_dataset *d, nc_mode mode, const char *what)
{
	*s = (nc_source){.data = d, .map = d ? d->map : NULL};
	nacre_error e = *nacre_dataset_error(d);
	if (!d)
		nc_model_fail(m, false, NACRE_INVALID, "%s: the data set is NULL", what);
	else if (e.status)
		nc_model_take(m, false, what, &e);
	else if (d->size == 0)
		nc_model_fail(m, false, NACRE_INVALID, "%s: the data set has no samples", what);
	else if (d->n_inputs != m->n_inputs)
		nc_model_fail(m, false, NACRE_INVALID, "%s: the model has %d input%s, the data %d",
			      what, m->n_inputs, m->n_inputs == 1 ? "" : "s", d->n_inputs);
	else if (!nc_mode_predicts(mode) && d->n_targets != m->n_outputs)
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: the model has %d output%s, the data %d target%s", what,
			      m->n_outputs, m->n_outputs == 1 ? "" : "s", d->n_targets,
			      d->n_targets == 1 ? "" : "s");
	if (m->error.status || (s->map && !nc_map_check(s->map, m, what)))
		return false;
	s->size = d->size;
	s->batch.kernels = nc_kernels_named(m->runtime->isa);
	for (int i = 0; i < m->n_inputs; i++)
		if (!open_input(s, m, i, what))
			return false;
	for (int i = 0; i < m->n_outputs && !nc_mode_predicts(mode); i++)
		if (!open_target(s, m, i, what))
			return false;
	return true;
}

/* -- batches ----------------------------------------------------------------------------------- */
int64_t nc_batch_size(const nc_source *s, int64_t asked)
{
	int64_t usual = s->data->batch_size ? s->data->batch_size : 32;
	return nc_min(asked ? asked : usual, s->size);
}

bool nc_feeder_open(nc_feeder *f, nacre_model *m, nc_source *s, nc_mode mode, int64_t batch_size,
		    const char *what)
{
	*f = (nc_feeder){.model = m, .source = s, .mode = mode};
	if (batch_size < 0) {
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: batch_size: expected at least 1, got %lld", what,
			      (long long)batch_size);
		return false;
	}
	f->batch_size = nc_batch_size(s, batch_size);
	f->batches = (s->size + f->batch_size - 1) / f->batch_size;
	size_t bytes = 0, part = 0;
	bool fits = true;
	for (int i = 0; i < s->batch.n; i++) {
		const nc_batch_column *c = &s->batch.column[i];
		f->offset[i] = bytes;
		fits = fits &&
		       nc_mul(nc_feed_bytes(c->column, c->feed, c->classes), (size_t)f->batch_size,
			      &part) &&
		       nc_add(bytes, nc_round_up(part, NC_ALIGN), &bytes);
	}
	f->bytes = bytes;
	fits = fits && nc_mul(bytes, 2, &bytes);
	f->buffer = fits ? nc_alloc(&m->runtime->memory, bytes) : NULL;
	if (f->buffer)
		return true;
	nc_model_fail(m, false, NACRE_NO_MEMORY, "%s: out of memory for batches of %lld", what,
		      (long long)f->batch_size);
	return false;
}

void nc_feeder_close(nc_feeder *f)
{
	if (f->buffer)
		nc_free(&f->model->runtime->memory, f->buffer, 2 * f->bytes);
	f->buffer = NULL;
}

int64_t nc_feeder_rows(const nc_feeder *f, int64_t i)
{
	return nc_min(f->batch_size, f->source->size - i * f->batch_size);
}

static uint8_t *place(const nc_feeder *f, int64_t i, int column)
{
	return f->buffer + (size_t)(i & 1) * f->bytes + f->offset[column];
}

static void aim(nc_feeder *f, int64_t i)
{
	nc_batch *b = &f->batch;
	*b = f->source->batch;
	f->making = (nc_making){0};
	b->making = &f->making;
	b->rows = nc_feeder_rows(f, i);
	b->first = i * f->batch_size;
	b->index = f->order ? f->order + b->first : NULL;
	for (int k = 0; k < b->n; k++)
		b->column[k].out = place(f, i, k);
}

static void assemble(void *arg, nc_team team)
{
	nc_batch_assemble(arg, team);
}

void nc_feeder_first(nc_feeder *f, int64_t batch)
{
	aim(f, batch);
	nc_pool_run(f->model->runtime->pool, assemble, &f->batch);
}

nacre_program *nc_feeder_step(nc_feeder *f, int64_t i)
{
	nacre_model *m = f->model;
	const nc_source *s = f->source;
	if (f->making.error.status) { /* of this batch: it was put together before */
		nc_model_take(m, false, NULL, &f->making.error);
		return NULL;
	}
	m->map = s->map;
	nacre_program *p = f->mode == NC_TRAIN
			       ? nc_step_begin(f, i)
			       : nc_model_program(m, f->mode, nc_feeder_rows(f, i), s->n_targets,
						  s->target);
	if (!p)
		return NULL;
	if (f->mode == NC_SAMPLE)
		nacre_program_set_step(p, f->step + (uint64_t)i);
	for (int k = 0; k < s->batch.n; k++)
		nc_program_bind(p, k, place(f, i, k));
	if (i + 1 < f->batches) {
		aim(f, i + 1);
		nc_program_execute_with(p, assemble, &f->batch);
	} else
		nc_program_execute(p);
	return f->mode == NC_TRAIN && !nc_step_end(m, p) ? NULL : p;
}
