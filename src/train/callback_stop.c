/* SPDX-License-Identifier: MIT
 *
 * callback_stop.c - early stopping, a stop at NaN.
 */
#include <math.h>
#include <string.h>

#include "train/callback.h"

/* -- early stopping ---------------------------------------------------------------------------- */
typedef struct early_stopping {
	nc_object object;
	nacre_early_stopping_options o;
	nc_monitor monitor;
	struct {             /* what a checkpoint holds */
		double best; /* NaN: none yet */
		int32_t wait, best_epoch, stopped_epoch, kept;
	} now;
	nacre_model *model;
	int n;               /* weights that are kept, if they are to come back */
	nacre_tensor **best; /* in the arena */
} early_stopping;

static void drop_best(early_stopping *s)
{
	for (int i = 0; i < s->n; i++)
		nacre_tensor_free(s->best[i]);
	s->n = 0;
}

/* Copies all weights into `best`, or back. */
static bool copy_weights(early_stopping *s, nacre_model *m, bool back)
{
	nacre_error e = {0};
	int k = 0;
	for (nacre_layer *l = m->layers; l && !e.status; l = l->next)
		for (int i = 0; i < l->n_weights && !e.status; i++, k++) {
			nacre_variable *v = l->weight[i].variable;
			if (back) {
				nacre_variable_write(v, s->best[k], &e);
				continue;
			}
			nacre_tensor *t = nacre_variable_read(v, &e);
			if (t)
				nacre_tensor_copy(s->best[k], t, &e);
			nacre_tensor_free(t);
		}
	if (e.status)
		nc_model_take(m, false, "early_stopping", &e);
	return !e.status;
}

/* Room for the best weights: the present ones. */
static bool make_best(early_stopping *s, nacre_model *m)
{
	nacre_error e = {0};
	int n = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		n += l->n_weights;
	drop_best(s);
	s->best = nc_arena_alloc(&s->object.arena, (size_t)n * sizeof *s->best);
	if (!s->best)
		nc_no_memory(&e, (size_t)n * sizeof *s->best);
	for (nacre_layer *l = m->layers; l && !e.status; l = l->next)
		for (int i = 0; i < l->n_weights && !e.status; i++) {
			s->best[s->n] = nacre_variable_read(l->weight[i].variable, &e);
			s->n += s->best[s->n] != NULL;
		}
	if (e.status)
		nc_model_take(m, false, "early_stopping", &e);
	return !e.status;
}

static int stopping_train_begin(void *context, nacre_model *m)
{
	early_stopping *s = context;
	if (nc_object_bad(&s->object, m) || !nc_monitor_begin(&s->monitor, m))
		return 1;
	memset(&s->now, 0, sizeof s->now);
	s->now.best = NAN;
	return s->o.restore_best_weights && !make_best(s, m);
}

static bool keep(early_stopping *s, nacre_model *m, int epoch)
{
	s->now.best_epoch = epoch;
	s->now.kept = s->o.restore_best_weights;
	return !s->now.kept || copy_weights(s, m, false);
}

static int stopping_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	early_stopping *s = context;
	double v;
	if (!nc_monitor_get(&s->monitor, m, logs, &v) || epoch < s->o.start_from_epoch)
		return 0;
	if (s->o.restore_best_weights && !s->now.kept && !keep(s, m, epoch))
		return 1;
	s->now.wait++;
	if (nc_monitor_better(&s->monitor, v, s->now.best)) {
		s->now.best = v;
		if (s->o.baseline == 0 || nc_monitor_better(&s->monitor, v, s->o.baseline))
			s->now.wait = 0;
		return !keep(s, m, epoch);
	}
	if (s->now.wait < s->o.patience || epoch == 0)
		return 0;
	s->now.stopped_epoch = epoch;
	return 1;
}

static int stopping_train_end(void *context, nacre_model *m, const nacre_logs *logs)
{
	early_stopping *s = context;
	(void)logs;
	if (m->error.status)
		return 0;
	if (s->now.stopped_epoch && s->o.verbose)
		nc_print(m->runtime, NACRE_OUT, "Epoch %d: early stopping\n",
			 s->now.stopped_epoch + 1);
	if (!s->now.kept)
		return 0;
	if (s->o.verbose)
		nc_print(m->runtime, NACRE_OUT,
			 "Restoring model weights from the end of the best epoch: %d.\n",
			 s->now.best_epoch + 1);
	return !copy_weights(s, m, true);
}

static nacre_callback_state stopping_state(void *context)
{
	early_stopping *s = context;
	return (nacre_callback_state){&s->now, sizeof s->now, s->n, s->best};
}

static void stopping_release(void *context)
{
	drop_best(context);
	nc_object_release(context);
}

nacre_callback nacre_early_stopping_new(nacre_early_stopping_options o)
{
	early_stopping *s = nc_object_new(sizeof *s);
	if (!s)
		return nc_no_callback();
	s->o = o;
	s->monitor = (nc_monitor){.what = "early_stopping",
				  .name = nc_object_string(&s->object, o.monitor, "val_loss"),
				  .direction = o.mode,
				  .min_delta = o.min_delta};
	if (o.patience < 0 || o.start_from_epoch < 0)
		nc_fail(&s->object.error, NACRE_INVALID,
			"early_stopping: %s: expected at least 0, got %d",
			o.patience < 0 ? "patience" : "start_from_epoch",
			o.patience < 0 ? o.patience : o.start_from_epoch);
	if (!isfinite(o.min_delta) || !isfinite(o.baseline))
		nc_fail(&s->object.error, NACRE_INVALID,
			"early_stopping: min_delta, baseline: expected numbers, got %g, %g",
			o.min_delta, o.baseline);
	return (nacre_callback){.context = s,
				.on_train_begin = stopping_train_begin,
				.on_epoch_end = stopping_epoch_end,
				.on_train_end = stopping_train_end,
				.state = stopping_state,
				.release = stopping_release,
				.name = "early_stopping"};
}

/* -- terminate on nan -------------------------------------------------------------------------- */
static int nan_batch_end(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)context;
	if (isfinite(nacre_logs_get(logs, "loss")))
		return 0;
	nc_print(m->runtime, NACRE_OUT, "Batch %lld: Invalid loss, terminating training\n",
		 (long long)batch);
	return 1;
}

nacre_callback nacre_terminate_on_nan(void)
{
	return (nacre_callback){.on_train_batch_end = nan_batch_end, .name = "terminate_on_nan"};
}
