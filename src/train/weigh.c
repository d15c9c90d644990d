/* SPDX-License-Identifier: MIT
 *
 * weigh.c - weights of samples: given, or by the class of their target.
 */
#include <string.h>

#include "train/model.h"

/* The weights become one more target, which build.c multiplies the losses by. */
static bool take(nc_source *s, nacre_model *m, nacre_tensor *w, const char *what)
{
	if (s->batch.n == NACRE_MAX_COLUMNS || s->n_targets != m->n_outputs) {
		nacre_tensor_free(w);
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: no room for weights beside %d inputs and targets", what,
			      s->batch.n);
		return false;
	}
	int64_t width = s->size ? nacre_tensor_size(w) / s->size : 0;
	s->weight = w;
	s->weight_column = (nc_column){.tensor = w, .width = width, .scale = 1};
	s->batch.column[s->batch.n++] =
	    (nc_batch_column){.column = &s->weight_column, .feed = NC_FEED_F32};
	nc_target *t = &s->target[s->n_targets++];
	*t = (nc_target){.feed = NC_FEED_F32, .rank = w->rank - 1};
	memcpy(t->shape, w->shape + 1, (size_t)t->rank * sizeof *t->shape);
	return true;
}

bool nc_source_weigh(nc_source *s, nacre_model *m, const nacre_tensor *weight, int64_t begin,
		     const char *what)
{
	nacre_error e = {0};
	char text[128];
	if (weight->rank < 1 || weight->shape[0] < begin + s->size) {
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: sample_weight: expected a weight for each of %lld samples, "
			      "got %s",
			      what, (long long)(begin + s->size),
			      nc_shape_text(text, weight->rank, weight->shape));
		return false;
	}
	nacre_tensor *part = nacre_tensor_slice(weight, 0, begin, begin + s->size, 1, &e);
	nacre_tensor *w = part ? nacre_tensor_convert(part, NACRE_F32, &e) : NULL;
	nacre_tensor_free(part);
	if (!w) {
		nc_model_take(m, false, what, &e);
		return false;
	}
	return take(s, m, w, what);
}

/* The class of sample i: its label, or where the largest of its numbers is. */
static int64_t class_of(const nc_column *c, int64_t i)
{
	int64_t best = 0;
	double most = nc_element(c->tensor->dtype, c->tensor->data, i * c->width);
	if (c->width == 1)
		return most >= 0 && most < 1e15 ? (int64_t)most : -1;
	for (int64_t k = 1; k < c->width; k++) {
		double v = nc_element(c->tensor->dtype, c->tensor->data, i * c->width + k);
		if (v > most) {
			most = v;
			best = k;
		}
	}
	return best;
}

bool nc_source_weigh_classes(nc_source *s, nacre_model *m, int n, const double *weight,
			     const char *what)
{
	const nc_column *c = nc_dataset_target(s->data, 0);
	nacre_error e = {0};
	if (n < 1 || s->n_targets != 1 || c->tensor->rank > 2) {
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: class_weight: expected weights and one target of a label or a "
			      "row of numbers",
			      what);
		return false;
	}
	nacre_tensor *w = nacre_tensor_new(m->runtime, NACRE_F32, 1, &s->size, &e);
	if (!w) {
		nc_model_take(m, false, what, &e);
		return false;
	}
	for (int64_t i = 0; i < s->size; i++) {
		int64_t class = class_of(c, i);
		nacre_tensor_set(w, i, class >= 0 && class < n ? weight[class] : 1);
	}
	return take(s, m, w, what);
}

void nc_source_close(nc_source *s)
{
	nacre_tensor_free(s->weight);
	s->weight = NULL;
}
