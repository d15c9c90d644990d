/* SPDX-License-Identifier: MIT
 *
 * callback.c - what callbacks share: objects, logs, watching a value.
 */
#include "train/callback.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool nc_is_callback(const nacre_callback *c)
{
	return c->context || c->release || c->state || c->on_train_begin || c->on_train_end ||
	       c->on_epoch_begin || c->on_epoch_end || c->on_batch_begin || c->on_batch_end ||
	       c->on_train_batch_begin || c->on_train_batch_end || c->on_test_begin ||
	       c->on_test_end || c->on_test_batch_begin || c->on_test_batch_end ||
	       c->on_predict_begin || c->on_predict_end || c->on_predict_batch_begin ||
	       c->on_predict_batch_end;
}

void nc_callbacks_release(const nacre_callback *c)
{
	for (int i = 0; i < NACRE_MAX_CALLBACKS && nc_is_callback(&c[i]); i++)
		if (c[i].release)
			c[i].release(c[i].context);
}

/* -- objects ----------------------------------------------------------------------------------- */
void *nc_object_new(size_t size)
{
	nacre_runtime *rt = nc_runtime(NULL);
	nc_object *o = rt ? nc_zero_alloc(&rt->memory, size) : NULL;
	if (!o)
		return NULL;
	o->memory = &rt->memory;
	o->size = size;
	nc_arena_init(&o->arena, o->memory);
	return o;
}

void nc_object_release(void *object)
{
	nc_object *o = object;
	if (!o)
		return;
	nc_arena_free(&o->arena);
	nc_free(o->memory, o, o->size);
}

bool nc_object_bad(nc_object *o, nacre_model *m)
{
	if (o->error.status)
		nc_model_take(m, false, NULL, &o->error);
	return o->error.status;
}

char *nc_object_string(nc_object *o, const char *s, const char *number)
{
	const char *from = s ? s : number;
	char *copy = nc_arena_string(&o->arena, from);
	if (from && !copy)
		nc_no_memory(&o->error, strlen(from) + 1);
	return copy;
}

static int no_memory(void *context, nacre_model *m)
{
	(void)context;
	nc_model_fail(m, false, NACRE_NO_MEMORY, "out of memory for a callback");
	return 1;
}

nacre_callback nc_no_callback(void)
{
	return (nacre_callback){
	    .on_train_begin = no_memory, .on_test_begin = no_memory, .on_predict_begin = no_memory};
}

/* -- logs -------------------------------------------------------------------------------------- */
nacre_status nacre_log_value(nacre_model *m, const char *name, double value)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	nc_training *at = m->at;
	if (!at || !at->epoch_ends)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "log: expected to be called at the end of an epoch");
	if (!name || !name[0] || strlen(name) >= NC_LOG_NAME)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "log: a name of %zu bytes: expected 1 to %d",
				     name ? strlen(name) : 0, NC_LOG_NAME - 1);
	int place = nc_history_place(m, name), i = 0;
	if (place < 0)
		return nc_model_fail(m, false, NACRE_INVALID, "log: %s: more than %d names", name,
				     NC_MAX_LOGS);
	nc_history_set(m, place, value);
	while (i < at->logs.n && strcmp(at->name[i], name) != 0)
		i++;
	at->name[i] = m->history.name[place];
	at->value[i] = value;
	at->logs.n = i < at->logs.n ? at->logs.n : i + 1;
	return NACRE_OK;
}

/* -- watching a value -------------------------------------------------------------------------- */
static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t k = strlen(end);
	return n >= k && memcmp(s + n - k, end, k) == 0;
}

/* Values that are better when they are larger. */
static const char *const larger[] = {"accuracy", "acc",         "auc", "precision", "recall",
				     "f1_score", "fbeta_score", "iou", "r2_score"};

bool nc_monitor_begin(nc_monitor *a, nacre_model *m)
{
	a->told = false;
	if (a->direction != NACRE_DIRECTION_AUTO)
		return true;
	const char *s = strncmp(a->name, "val_", 4) == 0 ? a->name + 4 : a->name;
	size_t n = strlen(s), k = n;
	char name[NC_LOG_NAME];
	while (k > 0 && s[k - 1] >= '0' && s[k - 1] <= '9')
		k--;
	if (k > 1 && k < n && s[k - 1] == '_')
		n = k - 1; /* a second one of its kind: "mae_1" */
	for (size_t i = 0; i < sizeof larger / sizeof *larger; i++)
		if (ends_with(s, n, larger[i]))
			a->direction = NACRE_MAX;
	snprintf(name, sizeof name, "%.*s", (int)nc_min((int64_t)n, NC_LOG_NAME - 1), s);
	if (a->direction == NACRE_DIRECTION_AUTO &&
	    (strcmp(name, "loss") == 0 || nacre_loss_named(name)))
		a->direction = NACRE_MIN;
	if (a->direction == NACRE_DIRECTION_AUTO)
		nc_model_fail(m, false, NACRE_INVALID,
			      "%s: whether %.60s is better small or large is not known: give "
			      ".mode = NACRE_MIN or NACRE_MAX",
			      a->what, a->name);
	return a->direction != NACRE_DIRECTION_AUTO;
}

bool nc_monitor_get(nc_monitor *a, nacre_model *m, const nacre_logs *logs, double *value)
{
	for (int i = 0; i < logs->n; i++)
		if (strcmp(logs->name[i], a->name) == 0) {
			*value = logs->value[i];
			return true;
		}
	if (!a->told) {
		nc_text names;
		nc_text_init(&names, &m->runtime->memory);
		for (int i = 0; i < logs->n; i++)
			nc_text_add(&names, "%s%s", i ? ", " : "", logs->name[i]);
		nc_print(m->runtime, NACRE_ERR, "%s: there is no %.60s; there are: %s\n", a->what,
			 a->name, names.data && !names.failed ? names.data : "");
		nc_text_free(&names);
	}
	a->told = true;
	return false;
}

bool nc_monitor_better(const nc_monitor *a, double v, double best)
{
	if (isnan(best))
		return !isnan(v);
	double delta = fabs(a->min_delta);
	return a->direction == NACRE_MAX ? v - delta > best : v + delta < best;
}

/* -- text -------------------------------------------------------------------------------------- */
nc_digits nc_double_text(double x)
{
	nc_digits out;
	if (!isfinite(x)) {
		snprintf(out.text, sizeof out.text, "%s",
			 isnan(x) ? "nan"
			 : x > 0  ? "inf"
				  : "-inf");
		return out;
	}
	int digits = 1;
	do
		snprintf(out.text, sizeof out.text, "%.*e", digits - 1, x);
	while (digits++ < 17 && strtod(out.text, NULL) != x);
	int exponent = (int)strtol(strchr(out.text, 'e') + 1, NULL, 10);
	if (exponent >= -4 && exponent < 16)
		snprintf(out.text, sizeof out.text, "%.*f", (int)nc_max(digits - 2 - exponent, 1),
			 x);
	for (char *c = out.text; *c; c++) /* the locale may have another point */
		if (!strchr("0123456789+-e", *c))
			*c = '.';
	return out;
}

nacre_status nc_make_folders(const char *path, bool whole, nacre_error *e)
{
	char part[1000];
	size_t n = strlen(path);
	if (!n || n >= sizeof part)
		return nc_fail(e, NACRE_INVALID, "a path of %zu bytes: expected 1 to %zu", n,
			       sizeof part - 1);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && (i < n || !whole))
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		if (mkdir(part, 0777) && errno != EEXIST && (i == n || errno != EACCES)) {
			char buffer[128];
			return nc_fail(e, NACRE_IO, "%.300s: cannot make the folder: %s", part,
				       strerror_r(errno, buffer, sizeof buffer));
		}
	}
	return NACRE_OK;
}
