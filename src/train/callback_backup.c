/* SPDX-License-Identifier: MIT
 *
 * callback_backup.c - backup and restore: a folder of checkpoints, from which fit goes on.
 *
 * A file is named by the number of steps done, "checkpoint-000000001234.safetensors".  The end of
 * an epoch replaces that of its last batch.  Saving comes after all other callbacks, so that their
 * state is that of the same moment.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "train/callback.h"

enum { DIGITS = 12, PATH = 1000 };
static const char start[] = "checkpoint-", end[] = ".safetensors";

typedef struct backup {
	nc_object object;
	nacre_backup_and_restore_options o;
	const char *folder;
} backup;

static void path_of(const backup *b, int64_t number, char path[PATH])
{
	snprintf(path, PATH, "%s/%s%0*lld%s", b->folder, start, DIGITS, (long long)number, end);
}

/* The number in the name of a checkpoint; -1: it is none.  `temporary`: of one being written. */
static int64_t number_of(const char *name, bool temporary)
{
	int64_t n = 0;
	size_t k = sizeof start - 1;
	if (strncmp(name, start, k) != 0)
		return -1;
	for (int digits = 0; name[k] >= '0' && name[k] <= '9'; k++, digits++) {
		if (digits == 18)
			return -1;
		n = 10 * n + name[k] - '0';
	}
	if (k < sizeof start - 1 + DIGITS || strncmp(name + k, end, sizeof end - 1) != 0)
		return -1;
	const char *rest = name + k + sizeof end - 1;
	return (temporary ? strncmp(rest, ".tmp.", 5) == 0 : !*rest) ? n : -1;
}

/* The largest number below `limit`; -1: there is none. */
static int64_t newest_below(const backup *b, int64_t limit)
{
	int64_t best = -1;
	DIR *d = opendir(b->folder);
	for (struct dirent *f; d && (f = readdir(d));) {
		int64_t n = number_of(f->d_name, false);
		if (n < limit && n > best)
			best = n;
	}
	if (d)
		closedir(d);
	return best;
}

/* Removes what a killed process was writing, and at the end the checkpoints. */
static void clean(const backup *b, bool all)
{
	char path[PATH];
	DIR *d = opendir(b->folder);
	for (struct dirent *f; d && (f = readdir(d));)
		if (number_of(f->d_name, true) >= 0 || (all && number_of(f->d_name, false) >= 0)) {
			int n = snprintf(path, sizeof path, "%s/%s", b->folder, f->d_name);
			if (n > 0 && n < PATH)
				unlink(path);
		}
	if (d)
		closedir(d);
}

static int backup_train_begin(void *context, nacre_model *m)
{
	backup *b = context;
	nacre_error e = {0}, first = {0};
	char path[PATH];
	if (nc_object_bad(&b->object, m))
		return 1;
	if (nc_make_folders(b->folder, true, &e)) {
		nc_model_take(m, false, "backup_and_restore", &e);
		return 1;
	}
	clean(b, false);
	for (int64_t n = INT64_MAX; (n = newest_below(b, n)) >= 0; e = (nacre_error){0}) {
		path_of(b, n, path);
		if (!nc_checkpoint_load(m, path, &e)) {
			if (b->o.verbose)
				nc_print(m->runtime, NACRE_OUT, "Resuming from %s.\n", path);
			return 0;
		}
		if (!first.status)
			first = e;
		if (e.status != NACRE_BAD_DATA && e.status != NACRE_IO)
			break;
		nc_print(m->runtime, NACRE_ERR, "backup_and_restore: %s\n", e.text);
	}
	if (first.status && e.status)
		nc_model_take(m, false, "backup_and_restore", &e);
	else if (first.status)
		nc_model_take(m, false, "backup_and_restore: no checkpoint is sound", &first);
	return first.status != NACRE_OK;
}

/* The new one is complete before an old one goes. */
static int save(backup *b, nacre_model *m)
{
	char path[PATH];
	nacre_error e = {0};
	int64_t n = m->iterations;
	path_of(b, n, path);
	if (m->error.status || nc_checkpoint_save(m, path, &e)) {
		if (!m->error.status)
			nc_model_take(m, false, "backup_and_restore", &e);
		return 1;
	}
	for (int kept = 1; (n = newest_below(b, n)) >= 0; kept++) {
		path_of(b, n, path);
		if (kept >= b->o.keep)
			unlink(path);
	}
	return 0;
}

static int backup_batch_end(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	backup *b = context;
	(void)batch, (void)logs;
	return b->o.save_freq && m->iterations % b->o.save_freq == 0 && save(b, m);
}

static int backup_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	(void)epoch, (void)logs;
	return save(context, m);
}

static int backup_train_end(void *context, nacre_model *m, const nacre_logs *logs)
{
	backup *b = context;
	(void)logs;
	if (m->error.status || b->o.keep_at_end)
		return 0;
	clean(b, true);
	if (rmdir(b->folder)) /* others may have put something there */
		errno = 0;
	return 0;
}

nacre_callback nacre_backup_and_restore_new(nacre_backup_and_restore_options o)
{
	backup *b = nc_object_new(sizeof *b);
	if (!b)
		return nc_no_callback();
	b->o = o;
	b->o.keep = o.keep ? o.keep : 2;
	b->folder = nc_object_string(&b->object, o.folder, NULL);
	if (!o.folder || !o.folder[0] || strlen(o.folder) > PATH - 64)
		nc_fail(&b->object.error, NACRE_INVALID,
			"backup_and_restore: expected a folder of 1 to %d bytes", PATH - 64);
	if (o.keep < 0 || o.save_freq < 0)
		nc_fail(&b->object.error, NACRE_INVALID,
			"backup_and_restore: %s: expected at least %d, got %lld",
			o.keep < 0 ? "keep" : "save_freq", o.keep < 0,
			(long long)(o.keep < 0 ? o.keep : o.save_freq));
	return (nacre_callback){.context = b,
				.on_train_begin = backup_train_begin,
				.on_train_batch_end = backup_batch_end,
				.on_epoch_end = backup_epoch_end,
				.on_train_end = backup_train_end,
				.release = nc_object_release,
				.name = "backup_and_restore",
				.last = 1};
}
