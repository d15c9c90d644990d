/* SPDX-License-Identifier: MIT
 *
 * loop.c - data through a model once: evaluate, predict, single batches.
 */
#include <math.h>
#include <string.h>

#include "train/callback.h"

static nacre_result no_result(const nacre_model *m)
{
	nacre_result r = {.status = nacre_model_error(m)->status, .loss = NAN};
	for (int i = 0; i < NACRE_MAX_METRICS; i++)
		r.metric[i] = NAN;
	for (int i = 0; i < NACRE_MAX_PORTS; i++)
		r.output_loss[i] = NAN;
	return r;
}

static nacre_result result(const nacre_model *m, const nc_means *a)
{
	nacre_result r = {.status = NACRE_OK, .loss = a->value[0]};
	int losses = nc_n_losses(m);
	for (int i = 0; i < NACRE_MAX_PORTS; i++)
		r.output_loss[i] = i < losses ? a->value[1 + i] : NAN;
	for (int i = 0; i < m->n_metrics; i++)
		r.metric[i] = a->value[1 + losses + i];
	return r;
}

/* -- evaluate ---------------------------------------------------------------------------------- */
bool nc_evaluate(nacre_model *m, nc_source *s, int64_t batch_size, int64_t steps, int verbose,
		 const char *what, const nacre_callback *callbacks, nc_means *out)
{
	bool stop = false;
	nc_feeder f;
	nc_progress line;
	char name[NC_MAX_MEANS][NC_LOG_NAME];
	const char *names[NC_MAX_MEANS];
	*out = (nc_means){0};
	nc_means_begin(out, m);
	if (!nc_feeder_open(&f, m, s, NC_EVALUATE, batch_size, what))
		return false;
	if (steps > 0)
		f.batches = nc_min(f.batches, steps);
	for (int i = 0; i < out->n; i++)
		names[i] = nc_metric_name(m, i, name[i]);
	nacre_logs logs = {out->n, names, out->value};
	nc_progress_begin(&line, m, verbose, f.batches);
	nc_progress_count(&line, &f);
	nc_feeder_first(&f, 0);
	NC_CALL(callbacks, stop, on_test_begin, m);
	for (int64_t i = 0; i < f.batches && !stop; i++) {
		NC_CALL(callbacks, stop, on_test_batch_begin, m, i);
		nacre_program *p = m->error.status ? NULL : nc_feeder_step(&f, i);
		if (!p || !nc_means_add(out, m, p, nc_feeder_rows(&f, i)))
			break;
		NC_CALL(callbacks, stop, on_test_batch_end, m, i, &logs);
		nc_progress_draw(&line, i + 1, &logs, stop || i + 1 == f.batches);
	}
	if (m->error.status)
		nc_progress_break(&line);
	nc_feeder_close(&f);
	nc_means_end(out);
	NC_CALL(callbacks, stop, on_test_end, m, &logs);
	return !m->error.status;
}

static bool steps_are_sound(nacre_model *m, int64_t steps)
{
	if (steps < 0)
		nc_model_fail(m, false, NACRE_INVALID,
			      "evaluate: steps: expected at least 1, got %lld", (long long)steps);
	return steps >= 0;
}

nacre_result nacre_evaluate_with(nacre_model *m, nacre_evaluate_options o)
{
	nc_source s = {0};
	nc_means means;
	int verbose = o.verbose == NACRE_AUTO ? NACRE_BAR : o.verbose;
	if (!nc_model_ready(m, "evaluate", true) ||
	    !nc_source_open(&s, m, o.data, NC_EVALUATE, "evaluate") ||
	    (o.sample_weight && !nc_source_weigh(&s, m, o.sample_weight, 0, "evaluate")) ||
	    !steps_are_sound(m, o.steps) ||
	    !nc_evaluate(m, &s, o.batch_size, o.steps, verbose, "evaluate", o.callbacks, &means)) {
		nc_callbacks_release(o.callbacks);
		nc_source_close(&s);
		return no_result(m);
	}
	nc_callbacks_release(o.callbacks);
	nc_source_close(&s);
	return result(m, &means);
}

/* -- predict ----------------------------------------------------------------------------------- */
static bool make_outputs(nacre_model *m, int64_t n, nacre_tensor **out)
{
	for (int i = 0; i < m->n_outputs; i++) {
		const nacre_value *v = m->output[i];
		int64_t shape[NACRE_MAX_RANK];
		nacre_error e = {0};
		memcpy(shape, v->shape, sizeof shape);
		shape[0] = n;
		out[i] = nacre_tensor_new(m->runtime,
					  v->dtype == NACRE_BF16 ? NACRE_F32 : v->dtype, v->rank,
					  shape, &e);
		if (!out[i]) {
			nc_model_take(m, false, "predict", &e);
			return false;
		}
	}
	return true;
}

/* rows of every output of batch i */
static void collect(const nacre_model *m, const nc_feeder *f, const nacre_program *p, int64_t i,
		    nacre_tensor *const *out)
{
	for (int k = 0; k < m->n_outputs; k++) {
		int64_t size = nacre_tensor_size(out[k]) / f->source->size;
		size_t row = (size_t)size * nacre_dtype_size(out[k]->dtype);
		memcpy(out[k]->data + (size_t)(i * f->batch_size) * row, nc_program_result(p, k),
		       (size_t)nc_feeder_rows(f, i) * row);
	}
}

/* Batches that nobody counts, by a bar or callbacks, may be smaller than they were asked for. */
static int64_t slice(const nacre_model *m, const nc_source *s, const nacre_predict_options *o)
{
	int64_t batch = nc_batch_size(s, o->batch_size);
	bool counted = o->verbose > 0 || nc_is_callback(o->callbacks);
	return o->training || counted || batch < 2 ? o->batch_size : nc_model_at_once(m, batch);
}

static bool predict(nacre_model *m, const nacre_predict_options *o, nacre_tensor **out)
{
	nc_source s;
	nc_feeder f;
	nc_progress line;
	nc_mode mode = o->training > 0 ? NC_SAMPLE : NC_PREDICT;
	if (!nc_source_open(&s, m, o->data, mode, "predict") || !nc_model_draw(m) ||
	    !make_outputs(m, s.size, out) ||
	    !nc_feeder_open(&f, m, &s, mode, slice(m, &s, o), "predict"))
		return false;
	f.step = (uint64_t)o->training << 32;
	bool stop = false;
	nc_progress_begin(&line, m, o->verbose, f.batches);
	nc_progress_count(&line, &f);
	nc_feeder_first(&f, 0);
	NC_CALL(o->callbacks, stop, on_predict_begin, m);
	for (int64_t i = 0; i < f.batches && !stop; i++) {
		NC_CALL(o->callbacks, stop, on_predict_batch_begin, m, i);
		nacre_program *p = m->error.status ? NULL : nc_feeder_step(&f, i);
		if (!p)
			break;
		collect(m, &f, p, i, out);
		NC_CALL(o->callbacks, stop, on_predict_batch_end, m, i);
		nc_progress_draw(&line, i + 1, NULL, stop || i + 1 == f.batches);
	}
	nc_feeder_close(&f);
	NC_CALL(o->callbacks, stop, on_predict_end, m);
	return !m->error.status;
}

nacre_tensor *nacre_predict_with(nacre_model *m, nacre_predict_options o)
{
	nacre_tensor *out[NACRE_MAX_PORTS] = {NULL};
	bool ok = nc_model_ready(m, "predict", false) && predict(m, &o, out);
	nc_callbacks_release(o.callbacks);
	for (int i = 0; m && i < m->n_outputs; i++) {
		if (!ok || (i > 0 && !o.outputs)) {
			nacre_tensor_free(out[i]);
			out[i] = NULL;
		}
		if (o.outputs)
			o.outputs[i] = out[i];
	}
	return out[0];
}

nacre_tensor *nacre_predict_tensor(nacre_model *m, const nacre_tensor *x)
{
	if (!m || m->error.status)
		return NULL;
	if (!x) {
		nc_model_fail(m, false, NACRE_INVALID, "predict: the tensor is NULL");
		return NULL;
	}
	nacre_dataset *d = nacre_dataset_from_tensors(m->runtime, x, NULL);
	if (!d) {
		nc_model_fail(m, false, NACRE_NO_MEMORY, "predict: out of memory");
		return NULL;
	}
	nacre_tensor *y = nacre_predict_with(m, (nacre_predict_options){.data = d});
	nacre_dataset_free(d);
	return y;
}

/* -- single batches ---------------------------------------------------------------------------- */
static bool weigh(nc_source *s, nacre_model *m, const nacre_batch_options *o, const char *what)
{
	if (o->sample_weight && o->n_class_weights)
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: expected sample_weight or class_weight, got both", what);
	else if (o->sample_weight)
		return nc_source_weigh(s, m, o->sample_weight, 0, what);
	else if (o->n_class_weights)
		return nc_source_weigh_classes(s, m, o->n_class_weights, o->class_weight, what);
	return !m->error.status;
}

static nacre_result one_batch(nacre_model *m, const nacre_batch_options *o, nc_mode mode,
			      const char *what)
{
	nc_source s = {0};
	nc_feeder f;
	if (!nc_model_ready(m, what, true) || !nc_source_open(&s, m, o->data, mode, what) ||
	    !weigh(&s, m, o, what) || !nc_feeder_open(&f, m, &s, mode, s.size, what)) {
		nc_source_close(&s);
		return no_result(m);
	}
	nc_feeder_first(&f, 0);
	nacre_program *p = nc_feeder_step(&f, 0);
	nc_means means = {0};
	nc_means_begin(&means, m);
	bool ok = p && nc_means_add(&means, m, p, s.size);
	nc_means_end(&means);
	nc_feeder_close(&f);
	nc_source_close(&s);
	return ok ? result(m, &means) : no_result(m);
}

nacre_result nacre_train_on_batch(nacre_model *m, nacre_dataset *batch)
{
	return nacre_train_on_batch_with(m, (nacre_batch_options){.data = batch});
}

nacre_result nacre_train_on_batch_with(nacre_model *m, nacre_batch_options o)
{
	return one_batch(m, &o, NC_TRAIN, "train_on_batch");
}

nacre_result nacre_test_on_batch_with(nacre_model *m, nacre_batch_options o)
{
	return one_batch(m, &o, NC_EVALUATE, "test_on_batch");
}

nacre_result nacre_test_on_batch(nacre_model *m, nacre_dataset *batch)
{
	return nacre_test_on_batch_with(m, (nacre_batch_options){.data = batch});
}

nacre_tensor *nacre_predict_on_batch(nacre_model *m, nacre_dataset *batch, nacre_tensor **outputs)
{
	return nacre_predict_with(
	    m, (nacre_predict_options){
		   .data = batch, .batch_size = nacre_dataset_size(batch), .outputs = outputs});
}
