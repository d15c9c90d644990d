/* SPDX-License-Identifier: MIT
 *
 * map.c - a model that the batches of a data set go through before they reach another one.
 *
 * It is put before the other in the graph of each program (build.c), so it costs no copy and no
 * waiting, and its random numbers are keyed like those of any layer.
 */
#include <string.h>

#include "train/model.h"

nacre_status nacre_dataset_map(nacre_dataset *d, nacre_model *map)
{
	if (!d)
		return NACRE_INVALID;
	if (d->error.status)
		return d->error.status;
	int n = d->n_inputs, all = d->n_inputs + d->n_targets;
	if (map && map->error.status)
		return nc_fail(&d->error, map->error.status, "dataset_map: %s", map->error.text);
	if (map && ((map->n_inputs != n && map->n_inputs != all) ||
		    map->n_outputs != map->n_inputs))
		return nc_fail(&d->error, NACRE_INVALID,
			       "dataset_map: expected a model of %d inputs and outputs, or of %d "
			       "with the targets, got %d and %d",
			       n, all, map->n_inputs, map->n_outputs);
	if (map && !nc_model_draw(map))
		return nc_fail(&d->error, map->error.status, "dataset_map: %s", map->error.text);
	d->map = map;
	return NACRE_OK;
}

bool nc_map_check(const nacre_model *map, nacre_model *m, const char *what)
{
	char want[128], got[128];
	if (map == m) {
		nc_model_fail(m, false, NACRE_INVALID, "%s: the data is mapped by the model itself",
			      what);
		return false;
	}
	for (int i = 0; i < m->n_inputs; i++) {
		const nacre_value *x = m->input[i], *y = map->output[i];
		bool same = x->dtype == y->dtype && x->rank == y->rank;
		for (int k = 1; same && k < x->rank; k++)
			same = x->shape[k] == y->shape[k];
		if (same)
			continue;
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: %s expects samples of %s, the map of the data gives %s", what,
			      x->layer->name, nc_shape_text(want, x->rank - 1, x->shape + 1),
			      nc_shape_text(got, y->rank - 1, y->shape + 1));
		return false;
	}
	return true;
}

/* Labels become one-hot vectors where the map takes those. */
bool nc_map_target(const nacre_model *map, nacre_model *m, int i, const nc_column *c, nc_target *t,
		   const char *what)
{
	const nacre_value *v = map->input[m->n_inputs + i], *y = map->output[m->n_inputs + i];
	const nc_loss *row = nc_loss_row(nc_loss_of(m, i));
	char want[128], got[128];
	bool labels = v->rank == 2 && v->shape[1] > 1 && c->width == 1 && v->dtype == NACRE_F32;
	t->feed = labels ? NC_FEED_ONE_HOT : v->dtype == NACRE_I32 ? NC_FEED_I32 : NC_FEED_F32;
	if (labels) {
		t->rank = 1;
		t->shape[0] = v->shape[1];
	}
	bool same = t->rank == v->rank - 1;
	for (int k = 0; same && k < t->rank; k++)
		same = t->shape[k] == v->shape[k + 1];
	if (!same)
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: the map expects targets of %s, the data has %s", what,
			      nc_shape_text(want, v->rank - 1, v->shape + 1),
			      nc_shape_text(got, t->rank, t->shape));
	else if (row && y->dtype != NACRE_I32 &&
		 (row->targets == NC_TARGET_LABELS || row->targets == NC_TARGET_WHOLE))
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: the loss expects labels, the map of the data gives %s of %s: "
			      "categorical_crossentropy takes those",
			      what, nacre_dtype_name(y->dtype),
			      nc_shape_text(want, y->rank - 1, y->shape + 1));
	return !m->error.status;
}
