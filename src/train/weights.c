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

nacre_status nacre_set_weight(nacre_model *m, const char *name, const nacre_tensor *value)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	nc_weight *w = find(m, "set_weight", name);
	if (!w)
		return m->error.status;
	const nacre_variable *v = w->variable;
	char want[128], got[128];
	bool same = value && value->rank == v->rank;
	for (int i = 0; same && i < v->rank; i++)
		same = value->shape[i] == v->shape[i];
	if (!same)
		return nc_model_fail(m, false, NACRE_INVALID, "set_weight: %s is %s, the value %s",
				     name, nc_shape_text(want, v->rank, v->shape),
				     value ? nc_shape_text(got, value->rank, value->shape)
					   : "NULL");
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_convert(value, v->dtype, &e);
	if (!t || nacre_variable_write(w->variable, t, &e))
		nc_model_take(m, false, "set_weight", &e);
	else
		w->drawn = true;
	nacre_tensor_free(t);
	return m->error.status;
}
