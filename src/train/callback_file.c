/* SPDX-License-Identifier: MIT
 *
 * callback_file.c - callbacks that write files: the model, a table of the epochs.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "format/append.h"
#include "train/callback.h"

/* -- model checkpoint -------------------------------------------------------------------------- */
typedef struct saving {
	nc_object object;
	nacre_model_checkpoint_options o;
	nc_monitor monitor;
	const char *path;
	int epoch;
	struct {
		double best; /* NaN: none yet */
		int64_t since, seen;
	} now;
} saving;

typedef struct field { /* of the path: "{name:0width.precisionkind}" */
	char name[NC_LOG_NAME];
	int width, precision; /* -1: not given */
	bool zeros;
	char kind; /* d f e g, 0: not given */
} field;

static int digits(const char **at)
{
	int n = 0;
	if (!(**at >= '0' && **at <= '9'))
		return -1;
	for (; **at >= '0' && **at <= '9'; (*at)++)
		n = n < 1000 ? 10 * n + **at - '0' : n;
	return n;
}

/* Reads a field after its brace; NULL: it is none that is known. */
static const char *read_field(const char *at, field *f)
{
	size_t n = strcspn(at, ":}");
	*f = (field){.width = -1, .precision = -1};
	if (n == 0 || n >= sizeof f->name)
		return NULL;
	memcpy(f->name, at, n);
	at += n;
	if (*at == ':') {
		at++;
		f->zeros = *at == '0';
		f->width = digits(&at);
		if (*at == '.') {
			at++;
			f->precision = digits(&at);
		}
		if (*at && strchr("dfeg", *at))
			f->kind = *at++;
	}
	return *at == '}' && f->width < 100 && f->precision < 40 ? at + 1 : NULL;
}

static void add_field(nc_text *out, const field *f, double value, bool whole)
{
	int width = f->width > 0 ? f->width : 0;
	int precision = f->precision >= 0 ? f->precision : 6;
	char kind = f->kind ? f->kind : whole ? 'd' : f->precision >= 0 ? 'g' : 0;
	if (kind == 'd')
		nc_text_add(out, f->zeros ? "%0*lld" : "%*lld", width, (long long)value);
	else if (kind == 'f')
		nc_text_add(out, f->zeros ? "%0*.*f" : "%*.*f", width, precision, value);
	else if (kind == 'e')
		nc_text_add(out, f->zeros ? "%0*.*e" : "%*.*e", width, precision, value);
	else if (kind == 'g')
		nc_text_add(out, f->zeros ? "%0*.*g" : "%*.*g", width, precision, value);
	else
		nc_text_add(out, "%*s", width, nc_double_text(value).text);
}

static nacre_status make_path(nc_text *out, const char *path, int epoch, int64_t batch,
			      const nacre_logs *logs, nacre_error *e)
{
	for (const char *at = path; *at;) {
		if ((*at != '{' && *at != '}') || at[1] == *at) {
			nc_text_add(out, "%c", *at);
			at += at[1] == *at && (*at == '{' || *at == '}') ? 2 : 1;
			continue;
		}
		field f;
		const char *next = *at == '{' ? read_field(at + 1, &f) : NULL;
		if (!next)
			return nc_fail(e, NACRE_INVALID,
				       "expected a field such as {epoch:02d} or {val_loss:.2f} at "
				       "\"%.40s\"",
				       at);
		int i = 0;
		while (i < logs->n && strcmp(logs->name[i], f.name) != 0)
			i++;
		if (strcmp(f.name, "epoch") == 0)
			add_field(out, &f, epoch + 1, true);
		else if (strcmp(f.name, "batch") == 0 && batch >= 0)
			add_field(out, &f, (double)(batch + 1), true);
		else if (i < logs->n && f.kind != 'd')
			add_field(out, &f, logs->value[i], false);
		else
			return nc_fail(e, NACRE_INVALID, "there is no %s%.60s",
				       i < logs->n ? "whole " : "", f.name);
		at = next;
	}
	return out->failed ? nc_no_memory(e, out->size) : NACRE_OK;
}

static int saving_train_begin(void *context, nacre_model *m)
{
	saving *s = context;
	if (nc_object_bad(&s->object, m))
		return 1;
	s->now.best = s->o.initial_value_threshold != 0 ? s->o.initial_value_threshold : NAN;
	s->now.since = s->now.seen = 0;
	return s->o.save_best_only && !nc_monitor_begin(&s->monitor, m);
}

static int saving_epoch_begin(void *context, nacre_model *m, int epoch)
{
	(void)m;
	((saving *)context)->epoch = epoch;
	return 0;
}

/* Whether this one is to be saved; says why, or why not. */
static bool wanted(saving *s, nacre_model *m, int epoch, const nacre_logs *logs, const char *path)
{
	double v, best = s->now.best;
	bool better = true;
	if (s->o.save_best_only) {
		if (!nc_monitor_get(&s->monitor, m, logs, &v))
			return true; /* as Keras does */
		better = nc_monitor_better(&s->monitor, v, best);
		s->now.best = better ? v : best;
	}
	if (s->o.verbose && !s->o.save_best_only)
		nc_print(m->runtime, NACRE_OUT, "Epoch %d: saving model to %s\n", epoch + 1, path);
	else if (s->o.verbose && better)
		nc_print(m->runtime, NACRE_OUT,
			 "Epoch %d: %s improved from %.5f to %.5f, saving model to %s\n", epoch + 1,
			 s->monitor.name, isnan(best) ? (double)INFINITY : best, v, path);
	else if (s->o.verbose)
		nc_print(m->runtime, NACRE_OUT, "Epoch %d: %s did not improve from %.5f\n",
			 epoch + 1, s->monitor.name, best);
	return better;
}

static int save(saving *s, nacre_model *m, int epoch, int64_t batch, const nacre_logs *logs)
{
	nacre_error e = {0};
	nc_text path;
	nc_text_init(&path, &m->runtime->memory);
	if (!make_path(&path, s->path, epoch, batch, logs, &e) &&
	    wanted(s, m, epoch, logs, path.data) && !nc_make_folders(path.data, false, &e))
		nacre_save(m, path.data);
	nc_text_free(&path);
	if (e.status)
		nc_model_take(m, false, "model_checkpoint", &e);
	return m->error.status != NACRE_OK;
}

static int saving_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	saving *s = context;
	return s->o.save_freq == 0 && save(s, m, epoch, -1, logs);
}

/* Batches are counted across epochs, whose numbers begin anew. */
static int saving_batch_end(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	saving *s = context;
	if (s->o.save_freq == 0)
		return 0;
	s->now.since += batch + 1 <= s->now.seen ? batch + 1 : batch + 1 - s->now.seen;
	s->now.seen = batch + 1;
	if (s->now.since < s->o.save_freq)
		return 0;
	s->now.since = 0;
	return save(s, m, m->at ? m->at->epoch : s->epoch, batch, logs);
}

static nacre_callback_state saving_state(void *context)
{
	saving *s = context;
	return (nacre_callback_state){&s->now, sizeof s->now, 0, NULL};
}

nacre_callback nacre_model_checkpoint_new(nacre_model_checkpoint_options o)
{
	saving *s = nc_object_new(sizeof *s);
	if (!s)
		return nc_no_callback();
	s->o = o;
	s->path = nc_object_string(&s->object, o.path, NULL);
	s->monitor = (nc_monitor){.what = "model_checkpoint",
				  .name = nc_object_string(&s->object, o.monitor, "val_loss"),
				  .direction = o.mode};
	if (!o.path || !o.path[0])
		nc_fail(&s->object.error, NACRE_INVALID, "model_checkpoint: expected a path");
	if (o.save_freq < 0)
		nc_fail(&s->object.error, NACRE_INVALID,
			"model_checkpoint: save_freq: expected at least 0, got %lld",
			(long long)o.save_freq);
	return (nacre_callback){.context = s,
				.on_train_begin = saving_train_begin,
				.on_epoch_begin = saving_epoch_begin,
				.on_epoch_end = saving_epoch_end,
				.on_train_batch_end = saving_batch_end,
				.state = saving_state,
				.release = nc_object_release,
				.name = "model_checkpoint"};
}

/* -- a table of the epochs --------------------------------------------------------------------- */
typedef struct table {
	nc_object object;
	nacre_csv_logger_options o;
	const char *path, *separator;
	nc_appender file;
	bool header; /* is to be written */
	int n;       /* columns after the epoch; 0: not known yet */
	char name[2 * NC_MAX_LOGS][NC_LOG_NAME + 4];
} table;

/* A row that was cut off when a process was killed goes; true: something is left. */
static bool repair(table *t, nacre_error *e)
{
	nc_bytes b;
	if (!nc_file_exists(t->path) || nc_file_read(t->object.memory, t->path, 0, &b, e))
		return false;
	size_t n = b.size;
	while (n && b.data[n - 1] != '\n')
		n--;
	if (n < b.size && truncate(t->path, (off_t)n))
		nc_fail(e, NACRE_IO, "%.300s: cannot cut off its last row", t->path);
	nc_bytes_free(t->object.memory, &b);
	return n;
}

static int table_train_begin(void *context, nacre_model *m)
{
	table *t = context;
	nacre_error e = {0};
	if (nc_object_bad(&t->object, m))
		return 1;
	nc_append_close(&t->file, NULL);
	t->n = 0;
	t->header = true;
	if (!nc_make_folders(t->path, false, &e)) {
		t->header = !t->o.append || !repair(t, &e);
		if (!e.status)
			nc_append_open(&t->file, t->path,
				       t->o.append ? NC_APPEND_GO_ON : NC_APPEND_REPLACE, NULL, &e);
	}
	if (e.status)
		nc_model_take(m, false, "csv_logger", &e);
	return e.status != NACRE_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The logs by name; if none is of validation, a column for that of each. */
static void choose_columns(table *t, const nacre_logs *logs)
{
	bool validation = false;
	t->n = (int)nc_min(logs->n, NC_MAX_LOGS);
	for (int i = 0; i < t->n; i++) {
		snprintf(t->name[i], sizeof t->name[i], "%s", logs->name[i]);
		validation |= strncmp(t->name[i], "val_", 4) == 0;
	}
	qsort(t->name, (size_t)t->n, sizeof *t->name, by_name);
	for (int i = 0; i < t->n && !validation; i++)
		snprintf(t->name[t->n + i], sizeof t->name[i], "val_%.70s", t->name[i]);
	t->n *= validation ? 1 : 2;
}

static void add_cell(nc_text *row, const table *t, const char *s)
{
	nc_text_add(row, "%s", t->separator);
	if (!strpbrk(s, "\"\r\n") && !strstr(s, t->separator)) {
		nc_text_add(row, "%s", s);
		return;
	}
	nc_text_add(row, "\"");
	for (; *s; s++)
		nc_text_add(row, *s == '"' ? "\"%c" : "%c", *s);
	nc_text_add(row, "\"");
}

static int table_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	table *t = context;
	nacre_error e = {0};
	nc_text row;
	nc_text_init(&row, t->object.memory);
	if (t->n == 0)
		choose_columns(t, logs);
	if (t->header) {
		nc_text_add(&row, "epoch");
		for (int i = 0; i < t->n; i++)
			add_cell(&row, t, t->name[i]);
		nc_text_add(&row, "\n");
	}
	nc_text_add(&row, "%d", epoch);
	for (int i = 0; i < t->n; i++) {
		int k = 0;
		while (k < logs->n && strcmp(logs->name[k], t->name[i]) != 0)
			k++;
		add_cell(&row, t, k < logs->n ? nc_double_text(logs->value[k]).text : "NA");
	}
	nc_text_add(&row, "\n");
	t->header = false;
	if (row.failed)
		nc_no_memory(&e, row.size);
	else
		nc_append(&t->file, row.data, row.size, &e);
	nc_text_free(&row);
	if (e.status)
		nc_model_take(m, false, "csv_logger", &e);
	return e.status != NACRE_OK;
}

static int table_train_end(void *context, nacre_model *m, const nacre_logs *logs)
{
	table *t = context;
	nacre_error e = {0};
	(void)logs;
	if (nc_append_close(&t->file, &e))
		nc_model_take(m, false, "csv_logger", &e);
	return 0;
}

static void table_release(void *context)
{
	nc_append_close(&((table *)context)->file, NULL);
	nc_object_release(context);
}

nacre_callback nacre_csv_logger_new(nacre_csv_logger_options o)
{
	table *t = nc_object_new(sizeof *t);
	if (!t)
		return nc_no_callback();
	t->o = o;
	t->file.fd = -1;
	t->path = nc_object_string(&t->object, o.path, NULL);
	t->separator = nc_object_string(&t->object, o.separator, ",");
	if (!o.path || !o.path[0])
		nc_fail(&t->object.error, NACRE_INVALID, "csv_logger: expected a path");
	if (o.separator && !o.separator[0])
		nc_fail(&t->object.error, NACRE_INVALID, "csv_logger: the separator is empty");
	return (nacre_callback){.context = t,
				.on_train_begin = table_train_begin,
				.on_epoch_end = table_epoch_end,
				.on_train_end = table_train_end,
				.release = table_release,
				.name = "csv_logger"};
}
