/* SPDX-License-Identifier: MIT
 *
 * compile.c - compiling a model: the checks, which loss and which metrics each output has, the
 * learning rate.
 */
#include <string.h>

#include "train/model.h"

/* -- what each output has ---------------------------------------------------------------------- */
nacre_loss_function *nc_loss_of(const nacre_model *m, int i)
{
	return m->how.losses[i] ? m->how.losses[i] : m->how.loss;
}

const nacre_loss_options *nc_loss_options_of(const nacre_model *m, int i)
{
	static const nacre_loss_options none;
	const nacre_loss_options *own = &m->how.losses_options[i];
	return m->how.losses[i] && memcmp(own, &none, sizeof none) != 0 ? own
									: &m->how.loss_options;
}

bool nc_metric_covers(const nacre_model *m, int k, int i)
{
	int of = m->how.metric_options[k].output;
	return of == 0 || of == NACRE_OUTPUT(i);
}

int nc_metric_width(const nacre_model *m, int k)
{
	return m->how.metric_options[k].output ? 1 : m->n_outputs;
}

bool nc_metric_is_own(const nacre_model *m, int k)
{
	return m->n_outputs > 1 && m->how.metric_options[k].output;
}

int nc_metric_output(const nacre_model *m, int k)
{
	int at = 1 + nc_n_losses(m);
	for (int i = 0; i < k; i++)
		at += nc_metric_width(m, i);
	return at;
}

/* -- compile ----------------------------------------------------------------------------------- */
static bool check_losses(nacre_model *m, const nacre_compile_options *o)
{
	nacre_error e = {0};
	if (nc_loss_check(&o->loss_options, &e))
		nc_model_take(m, true, "compile", &e);
	for (int i = 0; i < m->n_outputs && !m->error.status; i++)
		if (!o->loss && !o->losses[i])
			nc_model_fail(m, true, NACRE_INVALID, "compile: output %d has no loss", i);
		else if (nc_loss_check(&o->losses_options[i], &e))
			nc_model_take(m, true, "compile", &e);
	return !m->error.status;
}

static bool check_metrics(nacre_model *m, const nacre_compile_options *o)
{
	nacre_error e = {0};
	for (int k = 0; k < NACRE_MAX_METRICS && o->metrics[k] && !m->error.status; k++) {
		int of = o->metric_options[k].output;
		if (nc_loss_check(&o->metric_options[k], &e))
			nc_model_take(m, true, "compile", &e);
		else if (of < 0 || of > m->n_outputs)
			nc_model_fail(m, true, NACRE_INVALID,
				      "compile: metric %d is of output %d, the model has %d", k,
				      of - 1, m->n_outputs);
	}
	return !m->error.status;
}

nacre_status nacre_compile_with(nacre_model *m, nacre_compile_options o)
{
	if (!m)
		return NACRE_NO_MEMORY;
	if (!nc_model_ready(m, "compile", false))
		return m->error.status;
	nacre_error e = {0};
	if (nc_optimizer_check(&o.optimizer, &e))
		return nc_model_take(m, true, "compile", &e);
	if (!check_losses(m, &o) || !check_metrics(m, &o))
		return m->error.status;
	if (m->training)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "compile: the model is being trained");
	m->has_after = o.optimizer.use_ema;
	for (nacre_layer *l = m->layers; l; l = l->next) {
		const char *unknown = nc_layer_unknown_constraint(l);
		m->has_after |= l->n_constraints > 0;
		if (unknown)
			return nc_model_fail(m, true, NACRE_INVALID,
					     "compile: %s: a constraint of \"%s\", which is no "
					     "weight of the layer",
					     l->name, unknown);
	}
	nc_model_drop_programs(m);
	nc_model_drop_slots(m);
	nc_model_refresh(m);
	if (!nc_model_draw(m))
		return m->error.status;
	m->how = o;
	for (m->n_metrics = 0; m->n_metrics < NACRE_MAX_METRICS && o.metrics[m->n_metrics];)
		m->n_metrics++;
	m->learning_rate = (double)(float)o.optimizer.learning_rate; /* Keras keeps it in f32 */
	m->iterations = 0;
	m->loss_scale = (float)o.optimizer.initial_scale;
	m->scale_steps = m->skipped = 0;
	m->compiled = true;
	return NACRE_OK;
}

int64_t nacre_iterations(const nacre_model *m)
{
	return m ? m->iterations : 0;
}

double nacre_learning_rate(const nacre_model *m)
{
	if (m && m->compiled && m->how.optimizer.schedule.function)
		return (double)(float)nacre_schedule_at(&m->how.optimizer.schedule, m->iterations);
	return m ? m->learning_rate : 0;
}

nacre_status nacre_set_learning_rate(nacre_model *m, double rate)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!(rate >= 0 && rate <= 1e30))
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_learning_rate: expected 0 to 1e+30, got %g", rate);
	if (m->compiled && m->how.optimizer.schedule.function)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_learning_rate: the optimizer follows a schedule");
	m->learning_rate = (double)(float)rate;
	return NACRE_OK;
}

double nacre_loss_scale(const nacre_model *m)
{
	if (!m || !m->compiled)
		return 1;
	const nacre_optimizer *o = &m->how.optimizer;
	return o->dynamic_loss_scale       ? (double)m->loss_scale
	       : o->loss_scale_factor != 0 ? o->loss_scale_factor
					   : 1;
}

bool nacre_is_compiled(const nacre_model *m)
{
	return m && m->compiled;
}
