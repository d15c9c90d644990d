/* SPDX-License-Identifier: MIT
 *
 * cut.c - a model cut off after one of its layers, so that another top can be put on it.
 */
#include <string.h>

#include "op/table.h"
#include "train/model.h"

/* The first of a call's outputs that is needed; NULL: none is. */
static const nacre_value *needed(const nc_apply *a)
{
	const nacre_value *v = a->y;
	while (v && !v->mark)
		v = v->more;
	return v;
}

/* Marks what `end` depends on; calls are in an order in which inputs come first. */
static bool mark_needed(nacre_model *m, nacre_value *end)
{
	size_t n = 0, k = 0;
	for (const nc_apply *a = m->calls; a; a = a->next, n++)
		for (nacre_value *v = a->y; v; v = v->more)
			v->mark = 0;
	for (int i = 0; i < m->n_inputs; i++)
		m->input[i]->mark = 0;
	nc_apply **call = nc_alloc(&m->runtime->memory, (n + 1) * sizeof(nc_apply *));
	if (!call)
		return false;
	for (nc_apply *a = m->calls; a; a = a->next)
		call[k++] = a;
	end->mark = 1;
	while (k-- > 0)
		for (int i = 0; needed(call[k]) && i < call[k]->n; i++)
			call[k]->x[i]->mark = 1;
	nc_free(&m->runtime->memory, call, (n + 1) * sizeof(nc_apply *));
	return true;
}

/* Takes out calls and inputs that are not marked; calls are counted anew for each layer. */
static void drop_calls(nacre_model *m)
{
	int inputs = 0;
	for (int i = 0; i < m->n_inputs; i++)
		if (m->input[i]->mark)
			m->input[inputs++] = m->input[i];
	m->n_inputs = inputs;
	for (nc_apply **at = &m->calls; *at;)
		if (needed(*at))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	m->calls_end = &m->calls;
	for (nc_apply *a = m->calls; a; a = a->next) {
		int calls = 0;
		for (const nc_apply *b = m->calls; b != a; b = b->next)
			calls += b->layer == a->layer;
		for (nacre_value *v = a->y; v; v = v->more)
			v->call = calls;
		m->calls_end = &a->next;
	}
}

static bool is_used(const nacre_model *m, const nacre_layer *l)
{
	for (int i = 0; i < m->n_inputs; i++)
		if (m->input[i]->layer == l)
			return true;
	for (const nc_apply *a = m->calls; a; a = a->next)
		if (a->layer == l)
			return true;
	return false;
}

static void drop_layers(nacre_model *m)
{
	nacre_layer **at = &m->layers;
	while (*at) {
		nacre_layer *l = *at;
		if (is_used(m, l)) {
			at = &l->next;
			continue;
		}
		*at = l->next;
		m->n_layers--;
		for (int i = 0; i < l->n_weights; i++)
			nc_forget(m->scratch, l->weight[i].variable);
		nacre_layer_free(l);
	}
	m->layers_end = at;
}

/* What the last call of a layer gave, or an input. */
static nacre_value *output_of(nacre_model *m, const nacre_layer *l)
{
	nacre_value *found = NULL;
	for (int i = 0; i < m->n_inputs; i++)
		if (m->input[i]->layer == l)
			found = m->input[i];
	for (const nc_apply *a = m->calls; a; a = a->next)
		if (a->layer == l)
			found = a->y;
	return found;
}

nacre_value *nacre_cut(nacre_model *m, const char *layer)
{
	if (!m)
		return NULL;
	if (m->error.status)
		return &m->nothing;
	nacre_value *end = output_of(m, nacre_get_layer(m, layer));
	if (m->nested)
		nc_model_fail(m, false, NACRE_INVALID, "cut: the model is a layer already");
	else if (!end)
		nc_model_fail(m, false, NACRE_INVALID, "cut: there is no layer \"%s\"",
			      layer ? layer : "(NULL)");
	if (m->error.status)
		return &m->nothing;
	nc_model_drop_programs(m);
	nc_model_drop_slots(m);
	if (!mark_needed(m, end)) {
		nc_model_fail(m, false, NACRE_NO_MEMORY, "cut: out of memory");
		return &m->nothing;
	}
	drop_calls(m);
	drop_layers(m);
	m->compiled = false;
	m->iterations = 0;
	m->n_metrics = 0;
	memset(&m->how, 0, sizeof m->how);
	m->output[0] = end;
	m->n_outputs = m->sequential ? 1 : 0;
	if (!m->sequential)
		nacre_model_output(m, end);
	return end;
}
