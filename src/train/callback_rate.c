/* SPDX-License-Identifier: MIT
 *
 * callback_rate.c - callbacks that set the learning rate: by a function, or on a plateau.
 */
#include <math.h>
#include <string.h>

#include "train/callback.h"

/* Called by hand, outside of fit, there is nowhere to log to. */
static bool log_rate(nacre_model *m)
{
	return !m->at || !nacre_log_value(m, "learning_rate", nacre_learning_rate(m));
}

/* -- on a plateau ------------------------------------------------------------------------------ */
typedef struct plateau {
	nc_object object;
	nacre_reduce_lr_on_plateau_options o;
	nc_monitor monitor;
	struct {
		double best; /* NaN: none yet */
		int32_t wait, cooldown;
	} now;
} plateau;

static int plateau_train_begin(void *context, nacre_model *m)
{
	plateau *p = context;
	if (nc_object_bad(&p->object, m) || !nc_monitor_begin(&p->monitor, m))
		return 1;
	memset(&p->now, 0, sizeof p->now);
	p->now.best = NAN;
	return 0;
}

static bool reduce(plateau *p, nacre_model *m, int epoch)
{
	double rate = nacre_learning_rate(m);
	if (!(rate > (double)(float)p->o.min_lr))
		return true;
	rate = fmax(rate * p->o.factor, p->o.min_lr);
	if (nacre_set_learning_rate(m, rate))
		return false;
	if (p->o.verbose)
		nc_print(m->runtime, NACRE_OUT,
			 "Epoch %d: ReduceLROnPlateau reducing learning rate to %s.\n", epoch + 1,
			 nc_double_text(rate).text);
	p->now.cooldown = p->o.cooldown;
	p->now.wait = 0;
	return true;
}

static int plateau_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	plateau *p = context;
	double v;
	if (!log_rate(m))
		return 1;
	if (!nc_monitor_get(&p->monitor, m, logs, &v))
		return 0;
	if (p->now.cooldown > 0) {
		p->now.cooldown--;
		p->now.wait = 0;
	}
	if (nc_monitor_better(&p->monitor, v, p->now.best)) {
		p->now.best = v;
		p->now.wait = 0;
	} else if (p->now.cooldown == 0 && ++p->now.wait >= p->o.patience)
		return !reduce(p, m, epoch);
	return 0;
}

static nacre_callback_state plateau_state(void *context)
{
	plateau *p = context;
	return (nacre_callback_state){&p->now, sizeof p->now, 0, NULL};
}

nacre_callback nacre_reduce_lr_on_plateau_new(nacre_reduce_lr_on_plateau_options o)
{
	plateau *p = nc_object_new(sizeof *p);
	if (!p)
		return nc_no_callback();
	nacre_error *e = &p->object.error;
	o.factor = o.factor != 0 ? o.factor : 0.1;
	o.patience = o.patience ? o.patience : 10;
	o.min_delta = o.min_delta != 0 ? o.min_delta : 1e-4;
	p->o = o;
	p->monitor = (nc_monitor){.what = "reduce_lr_on_plateau",
				  .name = nc_object_string(&p->object, o.monitor, "val_loss"),
				  .direction = o.mode,
				  .min_delta = o.min_delta};
	if (!(o.factor > 0 && o.factor < 1))
		nc_fail(e, NACRE_INVALID,
			"reduce_lr_on_plateau: factor: expected more than 0 and less than 1, got "
			"%g",
			o.factor);
	if (o.patience < 0 || o.cooldown < 0)
		nc_fail(e, NACRE_INVALID, "reduce_lr_on_plateau: %s: expected at least 0, got %d",
			o.patience < 0 ? "patience" : "cooldown",
			o.patience < 0 ? o.patience : o.cooldown);
	if (!(o.min_lr >= 0 && o.min_lr <= 1e30) || !isfinite(o.min_delta))
		nc_fail(e, NACRE_INVALID,
			"reduce_lr_on_plateau: min_lr, min_delta: expected numbers from 0 on, got "
			"%g, %g",
			o.min_lr, o.min_delta);
	return (nacre_callback){.context = p,
				.on_train_begin = plateau_train_begin,
				.on_epoch_end = plateau_epoch_end,
				.state = plateau_state,
				.release = nc_object_release,
				.name = "reduce_lr_on_plateau"};
}

/* -- by a function ----------------------------------------------------------------------------- */
typedef struct scheduler {
	nc_object object;
	nacre_learning_rate_scheduler_options o;
} scheduler;

static int scheduler_train_begin(void *context, nacre_model *m)
{
	scheduler *s = context;
	return nc_object_bad(&s->object, m);
}

static int scheduler_epoch_begin(void *context, nacre_model *m, int epoch)
{
	scheduler *s = context;
	double rate = s->o.function(s->o.context, epoch, nacre_learning_rate(m));
	if (nacre_set_learning_rate(m, rate))
		return 1;
	if (s->o.verbose)
		nc_print(m->runtime, NACRE_OUT,
			 "Epoch %d: LearningRateScheduler setting learning rate to %s.\n",
			 epoch + 1, nc_double_text(rate).text);
	return 0;
}

static int scheduler_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	(void)context, (void)epoch, (void)logs;
	return !log_rate(m);
}

nacre_callback nacre_learning_rate_scheduler_new(nacre_learning_rate_scheduler_options o)
{
	scheduler *s = nc_object_new(sizeof *s);
	if (!s)
		return nc_no_callback();
	s->o = o;
	if (!o.function)
		nc_fail(&s->object.error, NACRE_INVALID,
			"learning_rate_scheduler: the function is NULL");
	return (nacre_callback){.context = s,
				.on_train_begin = scheduler_train_begin,
				.on_epoch_begin = scheduler_epoch_begin,
				.on_epoch_end = scheduler_epoch_end,
				.release = nc_object_release,
				.name = "learning_rate_scheduler"};
}
