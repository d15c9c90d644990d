/* SPDX-License-Identifier: MIT
 *
 * step.c - what stands around the program of a training step: its rates, gradients that are added
 * up over several batches, the loss scale, averages and constraints of weights.
 */
#include <math.h>

#include "train/model.h"

static int64_t every(const nacre_model *m)
{
	int64_t n = m->how.optimizer.gradient_accumulation_steps;
	return n > 1 ? n : 1;
}

nacre_program *nc_step_begin(nc_feeder *f, int64_t i)
{
	nacre_model *m = f->model;
	const nc_source *s = f->source;
	const nacre_optimizer *o = &m->how.optimizer;
	double rate[NC_RATES] = {0};
	bool step = (m->iterations + 1) % every(m) == 0, scaled = o->dynamic_loss_scale;
	nacre_program *p = nc_model_program(m,
					    scaled ? NC_GRADIENT
					    : step ? NC_TRAIN
						   : NC_ACCUMULATE,
					    nc_feeder_rows(f, i), s->n_targets, s->target);
	if (!p)
		return NULL;
	m->learning_rate = nacre_learning_rate(m);
	if (!(m->learning_rate >= 0 && m->learning_rate < (double)INFINITY)) {
		nc_model_fail(m, false, NACRE_NOT_FINITE,
			      "the schedule gives step %lld a learning rate of %g",
			      (long long)m->iterations, m->learning_rate);
		return NULL;
	}
	if (step) {
		o->kind->rates(o, m->learning_rate, m->iterations / every(m) + 1, rate);
		for (int k = 0; k < NC_RATES; k++)
			m->rate[k] = (float)rate[k];
	}
	if (scaled)
		nc_program_bind(p, s->batch.n, &m->loss_scale);
	else if (step)
		nc_program_bind(p, s->batch.n, m->rate);
	nacre_program_set_step(p, (uint64_t)(m->iterations + m->skipped));
	m->iterations += !scaled;
	return p;
}

/* The step of gradients that were kept, where they are finite; and the next loss scale, after
 * Keras's LossScaleOptimizer.  `stepped`: whether there was one. */
static bool scaled_step(nacre_model *m, const nacre_program *p, bool *stepped)
{
	const nacre_optimizer *o = &m->how.optimizer;
	const float *finite = nc_program_result(p, nc_metric_output(m, m->n_metrics));
	bool step = (m->iterations + 1) % every(m) == 0;
	*stepped = *finite != 0;
	if (!*stepped) {
		m->loss_scale *= 0.5f;
		m->scale_steps = 0;
		m->skipped++;
		return true;
	}
	nacre_program *apply =
	    nc_model_program(m, step ? NC_APPLY : NC_APPLY_ACCUMULATE, 0, 0, NULL);
	if (!apply)
		return false;
	nc_program_bind(apply, 0, &m->loss_scale);
	if (step)
		nc_program_bind(apply, 1, m->rate);
	nc_program_execute(apply);
	m->iterations++;
	if (++m->scale_steps == o->dynamic_growth_steps) {
		m->scale_steps = 0;
		m->loss_scale *= 2;
	}
	return true;
}

/* Where a step changed nothing (gradients were only added up), averages go on all the same, as
 * Keras's do. */
static bool average(nacre_model *m)
{
	const nacre_optimizer *o = &m->how.optimizer;
	nacre_program *p = nc_model_program(m, NC_AFTER, 0, 0, NULL);
	if (!p)
		return false;
	int64_t t = (m->iterations - 1) / every(m);
	int64_t often = o->ema_overwrite_frequency;
	m->after[0] = t == 0 ? 0 : (float)o->ema_momentum;
	m->after[1] = often && (t + 1) % often == 0;
	nc_program_bind(p, 0, m->after);
	nc_program_execute(p);
	return true;
}

bool nc_step_end(nacre_model *m, const nacre_program *p)
{
	bool stepped = true;
	if (m->how.optimizer.dynamic_loss_scale && !scaled_step(m, p, &stepped))
		return false;
	return !stepped || !m->has_after || average(m);
}

bool nc_step_finish(nacre_model *m)
{
	const nacre_optimizer *o = &m->how.optimizer;
	int k = 0, per = nc_optimizer_slots(o);
	if (!o->use_ema || !m->slot || m->iterations == 0)
		return true;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++) {
			if (!l->weight[i].trainable || l->frozen)
				continue;
			nacre_error e = {0};
			nacre_variable *from = m->slot[k * per + nc_optimizer_average(o)];
			nacre_tensor *t = nacre_variable_read(from, &e);
			if (!t || nacre_variable_write(l->weight[i].variable, t, &e))
				nc_model_take(m, false, "fit", &e);
			nacre_tensor_free(t);
			k++;
		}
	return !m->error.status;
}
