/* SPDX-License-Identifier: MIT
 *
 * progress.c - the line that Keras draws:
 *
 *     12/469 ━━━━━━━━━━ 3s 7ms/step - accuracy: 0.8123 - loss: 0.5512
 *
 * While running: the time that is left; at the end: the time it took.  Drawn at most every 0.05 s,
 * so it costs one look at the clock a step.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/model.h"

enum { BAR = 20, LINE = 1600 };
#define EVERY 0.05

void nc_progress_begin(nc_progress *p, nacre_model *m, int verbose, int64_t steps)
{
	*p = (nc_progress){.model = m, .verbose = verbose, .steps = steps};
	p->terminal = m->runtime->output.terminal;
	if (verbose > 0)
		p->start = nc_now();
}

void nc_progress_count(nc_progress *p, const nc_feeder *f)
{
	const nc_maker *k = nc_dataset_maker(f->source->data, NULL);
	p->unit = k ? k->unit : NULL;
	p->rows = f->batch_size;
}

static void add(char line[LINE], const char *format, ...) NC_PRINTF(2, 3);
static void add(char line[LINE], const char *format, ...)
{
	size_t n = strlen(line);
	va_list args;
	va_start(args, format);
	vsnprintf(line + n, LINE - n, format, args);
	va_end(args);
}

static void add_left(char line[LINE], double seconds)
{
	int64_t s = (int64_t)seconds;
	if (s > 3600)
		add(line, " %lld:%02lld:%02lld", (long long)(s / 3600), (long long)(s / 60 % 60),
		    (long long)(s % 60));
	else if (s > 60)
		add(line, " %lld:%02lld", (long long)(s / 60), (long long)(s % 60));
	else
		add(line, " %llds", (long long)s);
}

static void add_unit(char line[LINE], double step)
{
	if (step >= 1 || step == 0)
		add(line, " %.0fs/step", step);
	else if (step >= 1e-3)
		add(line, " %.0fms/step", step * 1e3);
	else
		add(line, " %.0fus/step", step * 1e6);
}

/* those of training by name, then those of validation by name, as Keras sorts them */
static void add_logs(char line[LINE], const nacre_logs *logs)
{
	for (int validation = 0; validation < 2; validation++) {
		const char *after = "";
		for (;;) {
			int best = -1;
			for (int i = 0; i < logs->n; i++) {
				const char *s = logs->name[i];
				if ((strncmp(s, "val_", 4) == 0) == validation &&
				    strcmp(s, after) > 0 &&
				    (best < 0 || strcmp(s, logs->name[best]) < 0))
					best = i;
			}
			if (best < 0)
				break;
			double v = logs->value[best];
			after = logs->name[best];
			add(line, fabs(v) > 1e-3 || v != v ? " - %s: %.4f" : " - %s: %.4e", after,
			    v);
		}
	}
}

static int digits(int64_t n)
{
	int d = 1;
	while ((n /= 10) > 0)
		d++;
	return d;
}

static void add_bar(const nc_progress *p, char line[LINE], int64_t done)
{
	int full = (int)((double)BAR * (double)done / (double)p->steps);
	add(line, "%s%*lld/%lld%s ", p->terminal ? "\033[1m" : "", digits(p->steps),
	    (long long)done, (long long)p->steps, p->terminal ? "\033[0m" : "");
	if (p->terminal && full)
		add(line, "\033[32m");
	for (int i = 0; i < BAR; i++) {
		if (p->terminal && i == full)
			add(line, "\033[0m\033[37m");
		add(line, "━");
	}
	if (p->terminal)
		add(line, "\033[0m");
}

void nc_progress_draw(nc_progress *p, int64_t done, const nacre_logs *logs, bool end)
{
	if (p->verbose <= 0)
		return;
	double now = nc_now(), step;
	if (done == 1 && p->first == 0)
		p->first = now;
	if (!nc_progress_wanted(p, end) || (!end && now - p->drawn < EVERY))
		return;
	p->drawn = now;
	/* the first step compiles, so it does not count where there are others */
	step = done > 1 ? (now - p->first) / (double)(done - 1) : now - p->start;
	char line[LINE] = "";
	if (p->verbose == NACRE_LINE) {
		add(line, "%lld/%lld - %.0fs -", (long long)done, (long long)p->steps,
		    now - p->start);
		add_unit(line, step);
	} else {
		add_bar(p, line, done);
		if (end)
			add(line, " %.0fs", now - p->start);
		else
			add_left(line, step * (double)(p->steps - done));
		add_unit(line, step);
	}
	if (p->unit && step > 0)
		add(line, " %.0f %s/s", (double)p->rows / step, p->unit);
	if (logs)
		add_logs(line, logs);
	int width = (int)strlen(line), rest = p->width > width ? p->width - width : 0;
	bool redraw = p->terminal && p->verbose == NACRE_BAR;
	nc_print(p->model->runtime, NACRE_OUT, "%s%s%*s%s", redraw ? "\r" : "", line, rest, "",
		 end ? "\n" : "");
	p->width = end ? 0 : width;
}

void nc_progress_break(nc_progress *p)
{
	if (p->width)
		nc_print(p->model->runtime, NACRE_OUT, "\n");
	p->width = 0;
}
