/* SPDX-License-Identifier: MIT
 *
 * fit.c - training: epochs of batches, validation, callbacks.
 */
#include <math.h>
#include <string.h>

#include "train/callback.h"

typedef struct fit {
	nacre_model *m;
	const nacre_fit_options *o;
	nacre_dataset *train, *validation; /* the parts, if the data is split */
	nc_source source, validation_source;
	bool validate;
	nc_feeder feeder;
	int64_t *order;
	nc_training at;
	double value[NC_MAX_LOGS];
	const char *name[NC_MAX_LOGS];
	nc_progress line;
} fit;

#define CALL(f, event, ...) NC_CALL((f)->o->callbacks, (f)->at.stop, event, (f)->m, ##__VA_ARGS__)

static nacre_logs logs_of(const fit *f, int n)
{
	return (nacre_logs){n, f->name, f->value};
}

/* -- the options ------------------------------------------------------------------------------- */
static bool check(nacre_model *m, const nacre_fit_options *o)
{
	if (m->training)
		nc_model_fail(m, false, NACRE_INVALID, "fit: the model is being trained");
	else if (o->epochs < 0)
		nc_model_fail(m, false, NACRE_INVALID, "fit: epochs: expected at least 1, got %d",
			      o->epochs);
	else if (o->initial_epoch < 0)
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: initial_epoch: expected at least 0, got %d", o->initial_epoch);
	else if (o->batch_size < 0 || o->validation_batch_size < 0)
		nc_model_fail(
		    m, false, NACRE_INVALID, "fit: %s: expected at least 1, got %lld",
		    o->batch_size < 0 ? "batch_size" : "validation_batch_size",
		    (long long)(o->batch_size < 0 ? o->batch_size : o->validation_batch_size));
	else if (!(o->validation_split >= 0 && o->validation_split < 1))
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: validation_split: expected 0 <= split < 1, got %g",
			      o->validation_split);
	else if (o->validation_split > 0 && o->validation_data)
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: expected validation_split or validation_data, got both");
	else if (o->validation_freq < 0)
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: validation_freq: expected at least 1, got %d",
			      o->validation_freq);
	else if (o->steps_per_epoch < 0 || o->validation_steps < 0)
		nc_model_fail(
		    m, false, NACRE_INVALID, "fit: %s: expected at least 1, got %lld",
		    o->steps_per_epoch < 0 ? "steps_per_epoch" : "validation_steps",
		    (long long)(o->steps_per_epoch < 0 ? o->steps_per_epoch : o->validation_steps));
	return !m->error.status;
}

/* The last part of the data is for validation: samples floor(n (1 - split)) and on. */
static bool split(fit *f)
{
	nacre_model *m = f->m;
	int64_t n = nacre_dataset_size(f->o->data);
	int64_t at = (int64_t)floor((double)n * (1 - f->o->validation_split));
	if (!nacre_dataset_error(f->o->data)->status && (at == 0 || at == n)) {
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: validation_split: %g of %lld samples leaves %s part empty",
			      f->o->validation_split, (long long)n,
			      at ? "the validation" : "the training");
		return false;
	}
	if (nacre_dataset_error(f->o->data)->status)
		return true; /* told where the data is opened */
	f->train = nacre_dataset_slice(f->o->data, 0, at);
	f->validation = nacre_dataset_slice(f->o->data, at, n);
	if (!f->train || !f->validation)
		nc_model_fail(m, false, NACRE_NO_MEMORY, "fit: out of memory");
	return !m->error.status;
}

/* The weights of a part that was split off lie behind those of the rest. */
static bool weigh(fit *f)
{
	const nacre_fit_options *o = f->o;
	nacre_model *m = f->m;
	const nacre_tensor *v = o->validation_sample_weight;
	nc_source *s = &f->validation_source;
	if (o->sample_weight && o->n_class_weights)
		nc_model_fail(m, false, NACRE_INVALID,
			      "fit: expected sample_weight or class_weight, got both");
	else if (o->sample_weight && f->validation &&
		 !nc_source_weigh(s, m, o->sample_weight, f->source.size, "fit: validation"))
		return false;
	else if (v && f->validate && !f->validation &&
		 !nc_source_weigh(s, m, v, 0, "fit: validation"))
		return false;
	else if (o->sample_weight)
		return nc_source_weigh(&f->source, m, o->sample_weight, 0, "fit");
	else if (o->n_class_weights)
		return nc_source_weigh_classes(&f->source, m, o->n_class_weights, o->class_weight,
					       "fit");
	return !m->error.status;
}

static bool open(fit *f)
{
	const nacre_fit_options *o = f->o;
	nacre_model *m = f->m;
	if (o->validation_split > 0 && !split(f))
		return false;
	if (!nc_source_open(&f->source, m, f->train ? f->train : o->data, NC_TRAIN, "fit"))
		return false;
	nacre_dataset *v = f->validation ? f->validation : o->validation_data;
	f->validate = v != NULL;
	if (v && !nc_source_open(&f->validation_source, m, v, NC_EVALUATE, "fit: validation"))
		return false;
	if (!weigh(f))
		return false;
	if (!nc_feeder_open(&f->feeder, m, &f->source, NC_TRAIN, o->batch_size, "fit"))
		return false;
	if (!o->no_shuffle) {
		size_t bytes;
		if (nc_mul((size_t)f->source.size, sizeof *f->order, &bytes))
			f->order = nc_alloc(&m->runtime->memory, bytes);
		if (!f->order) {
			nc_model_fail(m, false, NACRE_NO_MEMORY,
				      "fit: out of memory for the order of samples");
			return false;
		}
		f->feeder.order = f->order;
	}
	f->at = (nc_training){.callbacks = o->callbacks,
			      .epoch = o->initial_epoch,
			      .order = m->epochs,
			      .means.n = nc_n_means(m),
			      .samples = f->source.size,
			      .batch_size = f->feeder.batch_size,
			      .steps = o->steps_per_epoch ? o->steps_per_epoch : f->feeder.batches,
			      .shuffled = f->order,
			      .validates = f->validate};
	nc_history_begin(m, f->validate);
	for (int i = 0; i < NC_MAX_LOGS; i++) {
		f->name[i] = m->history.name[i];
		f->value[i] = NAN;
	}
	return true;
}

static void close(fit *f)
{
	nc_feeder_close(&f->feeder);
	if (f->order)
		nc_free(&f->m->runtime->memory, f->order,
			(size_t)f->source.size * sizeof *f->order);
	nc_means_end(&f->at.means);
	nc_source_close(&f->source);
	nc_source_close(&f->validation_source);
	nacre_dataset_free(f->train);
	nacre_dataset_free(f->validation);
}

/* -- an epoch ---------------------------------------------------------------------------------- */
/* An epoch of a given number of steps goes on where the one before ended, but not past the end of
 * the data. */
static int64_t steps_of(const fit *f)
{
	return nc_min(f->at.steps, f->feeder.batches - f->at.first);
}

static bool train(fit *f)
{
	nacre_model *m = f->m;
	nc_training *at = &f->at;
	if (!at->batch)
		nc_means_begin(&at->means, m);
	if (!at->first)
		at->order = m->epochs;
	nacre_error e = {0};
	if (f->order &&
	    nc_dataset_order(
		f->source.data,
		nc_random_stream(nc_mix(m->seed, NC_SEED_ORDER), (uint64_t)at->order, 0), f->order,
		&e)) {
		nc_model_take(m, false, "fit", &e);
		return false;
	}
	m->epochs = at->order + 1;
	int64_t steps = steps_of(f);
	if (at->batch < steps)
		nc_feeder_first(&f->feeder, at->first + at->batch);
	nacre_logs logs = logs_of(f, at->means.n);
	if (at->batch)
		memcpy(f->value, at->means.value, (size_t)logs.n * sizeof *f->value);
	for (int64_t i = at->batch; i < steps && !at->stop; i++) {
		CALL(f, on_batch_begin, i);
		CALL(f, on_train_batch_begin, i);
		nacre_program *p =
		    m->error.status ? NULL : nc_feeder_step(&f->feeder, at->first + i);
		if (!p ||
		    !nc_means_add(&at->means, m, p, nc_feeder_rows(&f->feeder, at->first + i)))
			break;
		memcpy(f->value, at->means.value, (size_t)logs.n * sizeof *f->value);
		at->batch = i + 1;
		CALL(f, on_batch_end, i, &logs);
		CALL(f, on_train_batch_end, i, &logs);
		nc_progress_draw(&f->line, i + 1, &logs, false);
	}
	return !m->error.status;
}

static bool validate(fit *f)
{
	nc_means means;
	const nacre_fit_options *o = f->o;
	int64_t size = o->validation_batch_size ? o->validation_batch_size : o->batch_size;
	if (!nc_evaluate(f->m, &f->validation_source, size, o->validation_steps, NACRE_SILENT,
			 "fit: validation", o->callbacks, &means))
		return false;
	memcpy(f->value + means.n, means.value, (size_t)means.n * sizeof *means.value);
	return true;
}

/* The values of the epoch; callbacks may add some. */
static bool end_epoch(fit *f, int e, int n)
{
	nacre_model *m = f->m;
	nc_training *at = &f->at;
	if (!nc_history_add(m, f->value))
		return false;
	memcpy(at->name, f->name, sizeof at->name);
	memcpy(at->value, f->value, sizeof at->value);
	at->logs = (nacre_logs){n, at->name, at->value};
	at->epoch = e + 1;
	at->first += at->batch;
	at->batch = 0;
	if (at->first >= f->feeder.batches) {
		at->first = 0;
		at->order = m->epochs;
	}
	at->epoch_ends = true;
	CALL(f, on_epoch_end, e, &at->logs);
	at->epoch_ends = false;
	return !m->error.status;
}

static bool epoch(fit *f, int e, int epochs)
{
	nacre_model *m = f->m;
	const nacre_fit_options *o = f->o;
	int freq = o->validation_freq ? o->validation_freq : 1, n = nc_n_means(m);
	int verbose = o->verbose == NACRE_AUTO ? NACRE_BAR : o->verbose;
	for (int i = 0; i < NC_MAX_LOGS; i++)
		f->value[i] = NAN;
	f->at.epoch = e;
	if (verbose > 0)
		nc_print(m->runtime, NACRE_OUT, "Epoch %d/%d\n", e + 1, epochs);
	nc_progress_begin(&f->line, m, verbose, steps_of(f));
	nc_progress_count(&f->line, &f->feeder);
	if (f->at.batch)
		f->line.first = f->line.start; /* those before were another process's */
	if (!f->at.batch) {
		CALL(f, on_epoch_begin, e);
		if (m->error.status || f->at.stop)
			return !m->error.status;
	}
	bool ok = train(f);
	bool due = f->validate && (e + 1) % freq == 0;
	ok = ok && (!due || validate(f));
	if (!ok) {
		nc_progress_break(&f->line);
		return false;
	}
	nacre_logs logs = logs_of(f, due ? 2 * n : n);
	nc_progress_draw(&f->line, f->line.steps, &logs, true);
	return end_epoch(f, e, logs.n);
}

/* Where it was interrupted in the middle of an epoch, `stop` is for after that one. */
static void run(fit *f)
{
	nacre_model *m = f->m;
	const nacre_fit_options *o = f->o;
	int epochs = o->epochs ? o->epochs : 1;
	m->training = true;
	m->at = &f->at;
	CALL(f, on_train_begin);
	for (int e = f->at.epoch; e < epochs && !m->error.status; e++)
		if ((f->at.stop && !f->at.batch) || !epoch(f, e, epochs))
			break;
	if (!m->error.status)
		nc_step_finish(m);
	nacre_logs logs = f->at.logs.n ? f->at.logs : logs_of(f, m->history.n_names);
	CALL(f, on_train_end, &logs);
	m->training = false;
	m->at = NULL;
}

nacre_status nacre_fit_with(nacre_model *m, nacre_fit_options o)
{
	fit f = {.m = m, .o = &o};
	if (!nc_model_ready(m, "fit", true) || !check(m, &o)) {
		nc_callbacks_release(o.callbacks);
		return nacre_model_error(m)->status;
	}
	if (open(&f))
		run(&f);
	close(&f);
	nc_callbacks_release(o.callbacks);
	return m->error.status;
}
