/* SPDX-License-Identifier: MIT
 *
 * weights.c - drawing, reading and writing weights; what hangs on them.
 */
#include <string.h>

#include "train/model.h"

bool nc_model_draw(nacre_model *m)
{
	uint64_t seed = nc_mix(m->seed, NC_SEED_WEIGHTS), k = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++, k++) {
			nacre_error e = {0};
			if (l->weight[i].drawn || l->weight[i].variable->written)
				continue;
			if (nc_weight_initialize(&l->weight[i], nc_mix(seed, k), &e)) {
				nc_model_take(m, false, NULL, &e);
				return false;
			}
			l->weight[i].drawn = true;
			m->drawn = true;
		}
	return true;
}

void nc_model_drop_programs(nacre_model *m)
{
	for (nc_run *r = m->runs, *next; r; r = next) {
		next = r->next;
		nacre_program_free(r->program);
		nc_free(&m->runtime->memory, r, sizeof *r);
	}
	m->runs = NULL;
}

void nc_model_drop_slots(nacre_model *m)
{
	for (int i = 0; i < m->n_slots && m->slot; i++)
		nacre_variable_free(m->slot[i]);
	nc_free(&m->runtime->memory, m->slot, m->slot ? (size_t)m->n_slots * sizeof *m->slot : 0);
	m->slot = NULL;
	m->n_slots = 0;
}

int64_t nacre_model_parameters(const nacre_model *m)
{
	int64_t n = 0;
	for (nacre_layer *l = m ? m->layers : NULL; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			n += nc_layer_parameters(l, i);
	return n;
}

int64_t nacre_model_trainable_parameters(const nacre_model *m)
{
	int64_t n = 0;
	for (nacre_layer *l = m ? m->layers : NULL; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			n += l->weight[i].trainable && !l->frozen ? nc_layer_parameters(l, i) : 0;
	return n;
}

int64_t nacre_model_non_trainable_parameters(const nacre_model *m)
{
	return nacre_model_parameters(m) - nacre_model_trainable_parameters(m);
}

static nc_weight *find(nacre_model *m, const char *what, const char *name)
{
	for (nacre_layer *l = m->layers; l && name; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			if (strcmp(nacre_variable_name(l->weight[i].variable), name) == 0)
				return &l->weight[i];
	nc_model_fail(m, false, NACRE_INVALID, "%s: there is no weight \"%s\"", what,
		      name ? name : "(null)");
	return NULL;
}

nacre_tensor *nacre_get_weight(nacre_model *m, const char *name)
{
	if (!m || m->error.status || !nc_model_draw(m))
		return NULL;
	nc_weight *w = find(m, "get_weight", name);
	nacre_error e = {0};
	nacre_tensor *t = w ? nacre_variable_read(w->variable, &e) : NULL;
	if (w && !t)
		nc_model_take(m, false, "get_weight", &e);
	return t;
}

static nacre_status set(nacre_model *m, const char *what, nc_weight *w, const nacre_tensor *value)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_convert(value, w->variable->dtype, &e);
	if (!t || nacre_variable_write(w->variable, t, &e))
		nc_model_take(m, false, what, &e);
	else
		w->drawn = true;
	nacre_tensor_free(t);
	return m->error.status;
}

static bool fits(nacre_model *m, const char *what, const nc_weight *w, const nacre_tensor *value)
{
	const nacre_variable *v = w->variable;
	char want[128], got[128];
	bool same = value && value->rank == v->rank;
	for (int i = 0; same && i < v->rank; i++)
		same = value->shape[i] == v->shape[i];
	if (!same)
		nc_model_fail(m, false, NACRE_INVALID, "%s: %s is %s, the value %s", what,
			      nacre_variable_name(v), nc_shape_text(want, v->rank, v->shape),
			      value ? nc_shape_text(got, value->rank, value->shape) : "NULL");
	return same;
}

nacre_status nacre_set_weight(nacre_model *m, const char *name, const nacre_tensor *value)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	nc_weight *w = find(m, "set_weight", name);
	return w && fits(m, "set_weight", w, value) ? set(m, "set_weight", w, value)
						    : m->error.status;
}

/* -- all of them ------------------------------------------------------------------------------- */
static nc_weight *weight_at(const nacre_model *m, int i)
{
	for (nacre_layer *l = m && i >= 0 ? m->layers : NULL; l; i -= l->n_weights, l = l->next)
		if (i < l->n_weights)
			return &l->weight[i];
	return NULL;
}

int nacre_model_weights(const nacre_model *m)
{
	int n = 0;
	for (nacre_layer *l = m ? m->layers : NULL; l; l = l->next)
		n += l->n_weights;
	return n;
}

const char *nacre_model_weight_name(const nacre_model *m, int i)
{
	const nc_weight *w = weight_at(m, i);
	return w ? nacre_variable_name(w->variable) : NULL;
}

nacre_status nacre_get_weights(nacre_model *m, nacre_tensor **values)
{
	int n = nacre_model_weights(m);
	nacre_error e = {0};
	for (int i = 0; i < n && values; i++)
		values[i] = NULL;
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!values)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "get_weights: expected room for %d tensors, got NULL", n);
	if (!nc_model_draw(m))
		return m->error.status;
	for (int i = 0; i < n; i++)
		if (!(values[i] = nacre_variable_read(weight_at(m, i)->variable, &e))) {
			nc_model_take(m, false, "get_weights", &e);
			break;
		}
	for (int i = 0; i < n && m->error.status; i++) {
		nacre_tensor_free(values[i]);
		values[i] = NULL;
	}
	return m->error.status;
}

nacre_status nacre_set_weights(nacre_model *m, int n, const nacre_tensor *const *values)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (n != nacre_model_weights(m) || (n && !values))
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_weights: the model has %d weights, got %d",
				     nacre_model_weights(m), values ? n : 0);
	for (int i = 0; i < n; i++)
		if (!fits(m, "set_weights", weight_at(m, i), values[i]))
			return m->error.status;
	for (int i = 0; i < n && !m->error.status; i++)
		set(m, "set_weights", weight_at(m, i), values[i]);
	return m->error.status;
}
