/* SPDX-License-Identifier: MIT
 *
 * history.c - names and values of every epoch, and the logs that callbacks see.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/model.h"

/* Keras's name of metric k, or "metric_2"; of one of several outputs "value_mae"; `more` stands
 * before the metric's own. */
static void plain_name(const nacre_model *m, int k, const char *more, char out[NC_LOG_NAME])
{
	char own[24];
	const nacre_loss_options *o = &m->how.metric_options[k];
	const char *name = o->name ? o->name : nacre_loss_name(m->how.metrics[k]);
	snprintf(own, sizeof own, "metric_%d", k + 1);
	if (nc_metric_is_own(m, k))
		snprintf(out, NC_LOG_NAME, "%.40s_%s%.20s", m->output[o->output - 1]->layer->name,
			 more, name ? name : own);
	else
		snprintf(out, NC_LOG_NAME, "%s%.60s", more, name ? name : own);
}

/* How many metrics before k, or of those that are not weighted all, have its name. */
static int same_before(const nacre_model *m, int k, bool weighted)
{
	char name[NC_LOG_NAME], other[NC_LOG_NAME];
	int n = 0;
	plain_name(m, k, "", name);
	for (int i = 0; i < m->n_metrics; i++) {
		bool of = !!m->how.metric_options[i].weighted;
		bool first = !of && m->how.metric_options[k].weighted;
		plain_name(m, i, "", other);
		n += of == weighted && (first || i < k) && strcmp(name, other) == 0;
	}
	return n;
}

/* As Keras names them: where a name was there before, a weighted metric becomes "weighted_mae",
 * and others get a number. */
static void metric_name(const nacre_model *m, int k, char out[NC_LOG_NAME])
{
	bool weighted = m->how.metric_options[k].weighted;
	int plain = same_before(m, k, false), before = weighted ? same_before(m, k, true) : plain;
	bool marked = weighted && plain + before > 0;
	int number = marked && !plain ? before - 1 : before;
	plain_name(m, k, marked ? "weighted_" : "", out);
	size_t n = strlen(out);
	if (number > 0)
		snprintf(out + n, NC_LOG_NAME - n, "_%d", number);
}

const char *nc_metric_name(const nacre_model *m, int i, char buffer[NC_LOG_NAME])
{
	int losses = nc_n_losses(m);
	if (i == 0)
		return memcpy(buffer, "loss", 5);
	if (i <= losses)
		snprintf(buffer, NC_LOG_NAME, "%.60s_loss", m->output[i - 1]->layer->name);
	else
		metric_name(m, i - 1 - losses, buffer);
	return buffer;
}

void nc_history_begin(nacre_model *m, bool validation)
{
	nc_history *h = &m->history;
	int n = nc_n_means(m);
	h->epochs = 0;
	h->n_names = validation ? 2 * n : n;
	for (int i = 0; i < n; i++) {
		char name[NC_LOG_NAME];
		nc_metric_name(m, i, h->name[i]);
		memcpy(name, h->name[i], sizeof name);
		snprintf(h->name[n + i], NC_LOG_NAME, "val_%.60s", name);
	}
}

bool nc_history_add(nacre_model *m, const double *value)
{
	nc_history *h = &m->history;
	if (h->epochs == h->capacity) {
		const size_t row = NC_MAX_LOGS * sizeof *h->value;
		int64_t capacity = h->capacity ? 2 * h->capacity : 16;
		double *v = nc_realloc(&m->runtime->memory, h->value, (size_t)h->capacity * row,
				       (size_t)capacity * row);
		if (!v) {
			nc_model_fail(m, false, NACRE_NO_MEMORY,
				      "fit: out of memory for the history");
			return false;
		}
		h->value = v;
		h->capacity = capacity;
	}
	double *row = h->value + (size_t)h->epochs++ * NC_MAX_LOGS;
	for (int i = 0; i < NC_MAX_LOGS; i++)
		row[i] = i < h->n_names ? value[i] : NAN;
	return true;
}

int nc_history_place(nacre_model *m, const char *name)
{
	nc_history *h = &m->history;
	for (int i = 0; i < h->n_names; i++)
		if (strcmp(h->name[i], name) == 0)
			return i;
	if (h->n_names == NC_MAX_LOGS || strlen(name) >= NC_LOG_NAME)
		return -1;
	snprintf(h->name[h->n_names], NC_LOG_NAME, "%s", name);
	return h->n_names++;
}

void nc_history_set(nacre_model *m, int place, double value)
{
	nc_history *h = &m->history;
	if (h->epochs > 0)
		h->value[(size_t)(h->epochs - 1) * NC_MAX_LOGS + (size_t)place] = value;
}

void nc_history_free(nacre_model *m)
{
	nc_history *h = &m->history;
	nc_free(&m->runtime->memory, h->value,
		(size_t)h->capacity * NC_MAX_LOGS * sizeof *h->value);
	*h = (nc_history){0};
}

int nacre_history_epochs(const nacre_model *m)
{
	return m ? m->history.epochs : 0;
}

const char *nacre_history_name(const nacre_model *m, int i)
{
	return m && i >= 0 && i < m->history.n_names ? m->history.name[i] : NULL;
}

double nacre_history(const nacre_model *m, const char *name, int epoch)
{
	for (int i = 0; m && name && i < m->history.n_names; i++)
		if (strcmp(m->history.name[i], name) == 0 && epoch >= 0 &&
		    epoch < m->history.epochs)
			return m->history.value[(size_t)epoch * NC_MAX_LOGS + (size_t)i];
	return NAN;
}

double nacre_logs_get(const nacre_logs *logs, const char *name)
{
	for (int i = 0; logs && name && i < logs->n; i++)
		if (strcmp(logs->name[i], name) == 0)
			return logs->value[i];
	return NAN;
}
