/* SPDX-License-Identifier: MIT
 *
 * plot.c - nacre plot: curves of a history, and a table of confusions, as SVG; the graph of a
 * model's layers, which the library draws; sheets of augmented pictures (augment.c).
 *
 * A picture carries both looks: its style sheet follows the viewer's prefers-color-scheme.  Blue
 * and orange are told apart by colour-blind eyes too, and validation is dashed.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "model.h"
#include "tabular.h"

typedef struct plot_options {
	common_options common;
	const char *output, *title;
	int confusion, log, theme;
	int types, across, closed;
	const char *augment;
	int64_t samples, size, seed;
} plot_options;

#define AT(field) offsetof(plot_options, field)
static const option options[] = {
    {"output", 'o', TEXT, AT(output), "FILE.svg", "-", 0, 0,
     "where the picture goes; of a model also .dot, .png, .pdf"},
    {"confusion", 0, FLAG, AT(confusion), NULL, NULL, 0, 0,
     "the table holds true and predicted classes: draw who is taken for whom"},
    {"title", 0, TEXT, AT(title), "TEXT", NULL, 0, 0, "a line above the picture"},
    {"log", 0, FLAG, AT(log), NULL, NULL, 0, 0, "logarithmic vertical axes"},
    {"theme", 0, CHOICE, AT(theme), "auto|light|dark", "auto", 0, 0, "auto: as the viewer prefers"},
    {"types", 0, FLAG, AT(types), NULL, NULL, 0, 0,
     "of a model: types of numbers and what is trained"},
    {"across", 0, FLAG, AT(across), NULL, NULL, 0, 0, "of a model: from left to right"},
    {"closed", 0, FLAG, AT(closed), NULL, NULL, 0, 0, "of a model: a nested model is one box"},
    {"augment", 0, TEXT, AT(augment), "LAYERS", NULL, 0, 0,
     "the operands are pictures: draw what augmentation makes of them. A list of layers, each "
     "with a factor if wanted, or a model in a file"},
    {"samples", 0, WHOLE, AT(samples), "N", "15", 1, 1000, "with --augment: of each picture"},
    {"size", 0, WHOLE, AT(size), "PIXELS", "128", 1, 4096,
     "with --augment and a list: the side of a picture"},
    {"seed", 0, WHOLE, AT(seed), "N", "0", 0, 1e15, "with --augment: of the random numbers"},
};

/* -- SVG --------------------------------------------------------------------------------------- */
static void put_escaped(FILE *to, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '<')
			fprintf(to, "&lt;");
		else if (c == '>')
			fprintf(to, "&gt;");
		else if (c == '&')
			fprintf(to, "&amp;");
		else if (c == '"')
			fprintf(to, "&quot;");
		else
			fputc(c < 0x20 || c == 0x7f ? ' ' : c, to);
	}
}

static void put_text(FILE *to, double x, double y, const char *class, const char *anchor,
		     const char *s)
{
	fprintf(to, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, class,
		anchor);
	put_escaped(to, s);
	fprintf(to, "</text>\n");
}

static void put_style(FILE *to, int theme)
{
	static const char light[] = ".bg{fill:#ffffff}.text,.small,.title{fill:#1f2933}"
				    ".grid{stroke:#e4e7eb}.axis{stroke:#7b8794}"
				    ".train{stroke:#0b6bcb}.train.dot{fill:#0b6bcb}"
				    ".validation{stroke:#c2410c}.validation.dot{fill:#c2410c}"
				    ".cell{fill:#0b5cad}.on{fill:#ffffff}.off{fill:#1f2933}";
	static const char dark[] = ".bg{fill:#14181d}.text,.small,.title{fill:#e4e7eb}"
				   ".grid{stroke:#2d3540}.axis{stroke:#8794a3}"
				   ".train{stroke:#6cb6ff}.train.dot{fill:#6cb6ff}"
				   ".validation{stroke:#ffa45c}.validation.dot{fill:#ffa45c}"
				   ".cell{fill:#2f7fd6}.on{fill:#ffffff}.off{fill:#e4e7eb}";
	fprintf(to,
		"<style>text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica "
		"Neue',Arial,sans-serif;font-size:12px}.title{font-size:15px;font-weight:600}"
		".small{font-size:11px}.grid,.axis{stroke-width:1;fill:none}"
		".curve{stroke-width:2;fill:none;stroke-linejoin:round;stroke-linecap:round}"
		".validation.curve{stroke-dasharray:6 4}.dot{stroke:none}%s",
		theme == 2 ? dark : light);
	if (theme == 0)
		fprintf(to, "@media (prefers-color-scheme:dark){%s}", dark);
	fprintf(to, "</style>\n");
}

static void put_head(FILE *to, double width, double height, const plot_options *o,
		     const char *standard_title, const char *description)
{
	fprintf(to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
		"viewBox=\"0 0 %.0f %.0f\" role=\"img\">\n<title>",
		width, height, width, height);
	put_escaped(to, o->title ? o->title : standard_title);
	fprintf(to, "</title>\n<desc>");
	put_escaped(to, description);
	fprintf(to, "</desc>\n");
	put_style(to, o->theme);
	fprintf(to, "<rect class=\"bg\" width=\"100%%\" height=\"100%%\"/>\n");
	if (o->title)
		put_text(to, width / 2, 24, "title", "middle", o->title);
}

/* -- axes -------------------------------------------------------------------------------------- */
typedef struct axis {
	double low, high, step; /* log: of the exponent of ten */
	bool log;
} axis;

/* 1, 2 or 5 times a power of ten: the least that gives at most n steps. */
static double round_step(double range, int n, bool whole)
{
	double step = pow(10, floor(log10(range / n)));
	static const double times[] = {1, 2, 5, 10};
	int i = 0;
	while (i < 3 && range / (step * times[i]) > n)
		i++;
	step *= times[i];
	return whole && step < 1 ? 1 : step;
}

/* The nearest of 1, 2, 5 times a power of ten below (-1) or above (1), as exponent. */
static double round_exponent(double v, int side)
{
	static const double mark[] = {0, 0.30102999566398120, 0.69897000433601880, 1};
	double power = floor(v + 1e-9), rest = v - power;
	int i = side < 0 ? 3 : 0;
	while (side < 0 && i > 0 && mark[i] > rest + 1e-9)
		i--;
	while (side > 0 && i < 3 && mark[i] < rest - 1e-9)
		i++;
	return power + mark[i];
}

static axis make_axis(double low, double high, bool log)
{
	axis a = {low, high, 1, log};
	if (log) {
		a.low = round_exponent(log10(low), -1);
		a.high = round_exponent(log10(high), 1);
		a.high += a.high > a.low ? 0 : 1;
		return a;
	}
	if (!(a.high - a.low > 1e-12 * fabs(a.high))) { /* a flat line: some room on both sides */
		double room = fabs(a.high) > 0 ? 0.1 * fabs(a.high) : 1;
		a.low -= room;
		a.high += room;
	}
	a.step = round_step(a.high - a.low, 5, false);
	a.low = floor(a.low / a.step + 1e-9) * a.step;
	a.high = ceil(a.high / a.step - 1e-9) * a.step;
	return a;
}

static double place(const axis *a, double v)
{
	return ((a->log ? log10(v) : v) - a->low) / (a->high - a->low);
}

static void tick_text(char buffer[40], const axis *a, double v)
{
	double shown = a->log ? pow(10, v) : fabs(v) < a->step / 2 ? 0 : v;
	int digits = (int)ceil(-log10(a->step) - 1e-9);
	if (a->log || fabs(shown) >= 1e6 || (fabs(shown) > 0 && fabs(shown) < 1e-4))
		snprintf(buffer, 40, "%.3g", shown);
	else
		snprintf(buffer, 40, "%.*f", digits > 0 ? digits : 0, shown);
}

/* The tick behind v; the first for v below the axis; NaN: there is none. */
static double next_tick(const axis *a, double v)
{
	double next;
	if (!a->log)
		next = v < a->low ? a->low : v + a->step;
	else if (v < a->low)
		next = a->low;
	else if (a->high - a->low > 4) /* many decades: powers of ten alone */
		next = floor(v + 1e-9) + 1;
	else
		next = round_exponent(v + 1e-6, 1);
	return next <= a->high + 1e-6 * fabs(a->step) ? next : NAN;
}

/* -- curves ------------------------------------------------------------------------------------ */
enum { PANEL_W = 440, PANEL_H = 290, LEFT = 66, RIGHT = 20, TOP = 34, BOTTOM = 44 };
enum { MAX_PANELS = 64 };

typedef struct panel {
	int column[2]; /* training, validation; -1: there is none */
} panel;

typedef struct history {
	const nacre_table *t;
	int epoch; /* column; -1: rows are counted */
	double first, last;
	int n;
	panel panel[MAX_PANELS];
} history;

static double epoch_of(const history *h, int64_t row)
{
	return h->epoch < 0 ? (double)row : nacre_table_number(h->t, row, h->epoch);
}

static bool usable(const plot_options *o, double v)
{
	return isfinite(v) && (!o->log || v > 0);
}

static void put_curve(FILE *to, const history *h, const plot_options *o, int column,
		      const char *class, const double box[4], const axis *y)
{
	bool pen = false, few = nacre_table_rows(h->t) <= 25;
	double range = h->last > h->first ? h->last - h->first : 1;
	fprintf(to, "<path class=\"%s curve\" d=\"", class);
	for (int pass = 0; pass < 1 + few; pass++) {
		for (int64_t i = 0; i < nacre_table_rows(h->t); i++) {
			double v = nacre_table_number(h->t, i, column), e = epoch_of(h, i);
			if (!usable(o, v) || e != e) {
				pen = false;
				continue;
			}
			double px =
			    box[0] + box[2] * (h->last > h->first ? (e - h->first) / range : 0.5);
			double py = box[1] + box[3] * (1 - place(y, v));
			if (pass)
				fprintf(to,
					"<circle class=\"%s dot\" cx=\"%.1f\" cy=\"%.1f\" "
					"r=\"2.5\"/>\n",
					class, px, py);
			else
				fprintf(to, "%s%.1f %.1f", pen ? "L" : "M", px, py);
			pen = true;
		}
		if (!pass)
			fprintf(to, "\"/>\n");
	}
}

static void put_axes(FILE *to, const history *h, const double box[4], const axis *y)
{
	char text[40];
	for (double v = next_tick(y, y->low - 1); v == v; v = next_tick(y, v)) {
		double at = box[1] + box[3] * (1 - (v - y->low) / (y->high - y->low));
		tick_text(text, y, v);
		fprintf(to, "<path class=\"grid\" d=\"M%.1f %.1fh%.1f\"/>\n", box[0], at, box[2]);
		put_text(to, box[0] - 8, at + 4, "small", "end", text);
	}
	double range = h->last - h->first, step = round_step(range > 0 ? range : 1, 8, true);
	for (double e = ceil(h->first / step) * step; e <= h->last + 1e-9; e += step) {
		double at = box[0] + box[2] * (range > 0 ? (e - h->first) / range : 0.5);
		fprintf(to, "<path class=\"axis\" d=\"M%.1f %.1fv4\"/>\n", at, box[1] + box[3]);
		snprintf(text, sizeof text, "%.0f", e);
		put_text(to, at, box[1] + box[3] + 17, "small", "middle", text);
	}
	fprintf(to, "<path class=\"axis\" d=\"M%.1f %.1fh%.1f\"/>\n", box[0], box[1] + box[3],
		box[2]);
	put_text(to, box[0] + box[2] / 2, box[1] + box[3] + 35, "small", "middle", "epoch");
}

static void put_panel(FILE *to, const history *h, const plot_options *o, const panel *p, double x0,
		      double y0)
{
	static const char *const class[] = {"train", "validation"};
	double box[4] = {x0 + LEFT, y0 + TOP, PANEL_W - LEFT - RIGHT, PANEL_H - TOP - BOTTOM};
	double low = INFINITY, high = -INFINITY;
	for (int k = 0; k < 2; k++)
		for (int64_t i = 0; p->column[k] >= 0 && i < nacre_table_rows(h->t); i++) {
			double v = nacre_table_number(h->t, i, p->column[k]);
			low = usable(o, v) && v < low ? v : low;
			high = usable(o, v) && v > high ? v : high;
		}
	axis y = make_axis(low <= high ? low : 1, low <= high ? high : 1, o->log);
	const char *name = nacre_table_name(h->t, p->column[p->column[0] < 0]);
	put_text(to, box[0], y0 + 20, "title", "start", name);
	put_axes(to, h, box, &y);
	for (int k = 0; k < 2; k++)
		if (p->column[k] >= 0 && low <= high)
			put_curve(to, h, o, p->column[k], class[k], box, &y);
}

static void put_legend(FILE *to, double x, double y, const char *class, const char *name)
{
	fprintf(to, "<path class=\"%s curve\" d=\"M%.1f %.1fh28\"/>\n", class, x, y - 4);
	put_text(to, x + 36, y, "text", "start", name);
}

static int read_history(history *h, const nacre_table *t, const char *path)
{
	h->t = t;
	h->epoch = nacre_table_find(t, "epoch");
	for (int c = 0; c < nacre_table_columns(t) && h->n < MAX_PANELS; c++) {
		const char *name = nacre_table_name(t, c);
		char other[160];
		bool validation = strncmp(name, "val_", 4) == 0;
		if (c == h->epoch || nacre_table_kind(t, c) != NACRE_COLUMN_NUMBER)
			continue;
		snprintf(other, sizeof other, "%s%.100s", validation ? "" : "val_",
			 validation ? name + 4 : name);
		int pair = nacre_table_find(t, other);
		if (validation && pair >= 0)
			continue; /* drawn with its partner */
		h->panel[h->n++] = validation ? (panel){{-1, c}} : (panel){{c, pair}};
	}
	if (h->n == MAX_PANELS)
		warn("%s: no more than %d metrics are drawn", path, MAX_PANELS);
	if (!h->n || !nacre_table_rows(t)) {
		int code = fail(NACRE_BAD_DATA, "%s: there is nothing to draw: no %s", path,
				h->n ? "rows" : "column of numbers");
		hint("expected a header (epoch,loss,val_loss ...) and a line an epoch, as "
		     "nacre train --history writes");
		return code;
	}
	h->first = h->last = epoch_of(h, 0);
	for (int64_t i = 1; i < nacre_table_rows(t); i++) {
		double e = epoch_of(h, i);
		h->first = e < h->first ? e : h->first;
		h->last = e > h->last ? e : h->last;
	}
	return isfinite(h->first) && isfinite(h->last)
		   ? 0
		   : fail(NACRE_BAD_DATA, "%s: the first epoch is missing", path);
}

static void draw_history(FILE *to, const history *h, const plot_options *o)
{
	int across = h->n > 1 ? 2 : 1, down = (h->n + across - 1) / across;
	double head = o->title ? 64 : 40;
	bool training = false, validation = false;
	char text[200];
	snprintf(text, sizeof text, "%d %s over %lld epochs", h->n,
		 h->n == 1 ? "metric" : "metrics", (long long)nacre_table_rows(h->t));
	put_head(to, across * PANEL_W, head + down * PANEL_H, o, "training history", text);
	for (int i = 0; i < h->n; i++) {
		training |= h->panel[i].column[0] >= 0;
		validation |= h->panel[i].column[1] >= 0;
	}
	double x = LEFT;
	if (training) {
		put_legend(to, x, head - 12, "train", "training");
		x += 120;
	}
	if (validation)
		put_legend(to, x, head - 12, "validation", "validation");
	for (int i = 0; i < h->n; i++)
		put_panel(to, h, o, &h->panel[i], i % across * PANEL_W,
			  head + i / across * PANEL_H);
	fprintf(to, "</svg>\n");
}

/* -- confusion --------------------------------------------------------------------------------- */
enum { MAX_CLASSES = 60 };

typedef struct confusion {
	int n;
	const char *name[MAX_CLASSES];
	int64_t count[MAX_CLASSES][MAX_CLASSES]; /* true, predicted */
} confusion;

static int class_index(confusion *c, const char *name)
{
	int i = 0;
	while (i < c->n && strcmp(c->name[i], name))
		i++;
	return i;
}

static int by_name(const void *a, const void *b)
{
	double x, y;
	const char *s = *(const char *const *)a, *t = *(const char *const *)b;
	if (nacre_parse_number(s, &x) && nacre_parse_number(t, &y) && (x < y || x > y))
		return x < y ? -1 : 1;
	return strcmp(s, t);
}

static int count_confusions(confusion *c, const nacre_table *t, const char *path)
{
	int column[2] = {nacre_table_find(t, "true"), nacre_table_find(t, "predicted")};
	if (column[0] < 0 || column[1] < 0) {
		column[0] = 0;
		column[1] = 1;
	}
	if (nacre_table_columns(t) < 2) {
		int code =
		    fail(NACRE_BAD_DATA, "%s: expected two columns, true and predicted", path);
		hint("nacre evaluate --labels FILE writes such a table");
		return code;
	}
	for (int64_t i = 0; i < nacre_table_rows(t); i++)
		for (int k = 0; k < 2; k++) {
			const char *name = nacre_table_text(t, i, column[k]);
			if (class_index(c, name) < c->n)
				continue;
			if (c->n == MAX_CLASSES)
				return fail(NACRE_BAD_DATA, "%s: more than %d classes", path,
					    MAX_CLASSES);
			c->name[c->n++] = name;
		}
	qsort(c->name, (size_t)c->n, sizeof *c->name, by_name);
	for (int64_t i = 0; i < nacre_table_rows(t); i++)
		c->count[class_index(c, nacre_table_text(t, i, column[0]))]
			[class_index(c, nacre_table_text(t, i, column[1]))]++;
	return c->n ? 0 : fail(NACRE_BAD_DATA, "%s: there are no rows", path);
}

static void put_cell(FILE *to, const confusion *c, int a, int b, const double at[3])
{
	char text[40];
	int64_t n = c->count[a][b], sum = 0;
	for (int k = 0; k < c->n; k++)
		sum += c->count[a][k];
	double share = sum ? (double)n / (double)sum : 0;
	double x = at[0] + b * at[2], y = at[1] + a * at[2];
	fprintf(to, "<g><title>");
	put_escaped(to, c->name[a]);
	fprintf(to, " taken for ");
	put_escaped(to, c->name[b]);
	fprintf(to, ": %lld of %lld</title>", (long long)n, (long long)sum);
	fprintf(to,
		"<rect class=\"cell\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
		"fill-opacity=\"%.3f\"/>",
		x + 0.5, y + 0.5, at[2] - 1, at[2] - 1, 0.05 + 0.95 * share);
	const char *class = share > 0.75 ? "on" : "off";
	snprintf(text, sizeof text, "%lld", (long long)n);
	if (n || at[2] >= 40)
		put_text(to, x + at[2] / 2, y + at[2] / 2 + (at[2] >= 48 ? 0 : 4), class, "middle",
			 text);
	if (at[2] >= 48) {
		snprintf(text, sizeof text, "%.0f %%", 100 * share);
		fprintf(to,
			"<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"middle\" "
			"font-size=\"10\" style=\"font-size:10px;opacity:.8\">%s</text>",
			x + at[2] / 2, y + at[2] / 2 + 14, class, text);
	}
	fprintf(to, "</g>\n");
}

static void draw_confusion(FILE *to, const confusion *c, const plot_options *o)
{
	char text[200];
	int longest = 4;
	int64_t hits = 0, all = 0;
	for (int a = 0; a < c->n; a++) {
		int length = (int)strlen(c->name[a]);
		longest = length > longest ? length : longest;
		hits += c->count[a][a];
		for (int b = 0; b < c->n; b++)
			all += c->count[a][b];
	}
	longest = longest > 16 ? 16 : longest;
	double cell = c->n <= 6 ? 64 : c->n <= 12 ? 48 : c->n <= 24 ? 32 : 22;
	double head = o->title ? 64 : 40, left = 40 + 7.2 * longest;
	double at[3] = {left, head, cell}, side = cell * c->n;
	double below = cell < 7.2 * longest ? 12 + 5.2 * longest : 24;
	snprintf(text, sizeof text, "%lld rows, %d classes, accuracy %.4f", (long long)all, c->n,
		 (double)hits / (double)all);
	double width = left + side + 24, least = left + 7 * (double)strlen(text) + 16;
	put_head(to, width > least ? width : least, head + side + below + 40, o, "confusion", text);
	put_text(to, left, head - 14, "text", "start", text);
	for (int a = 0; a < c->n; a++) {
		char name[160];
		int length = (int)strlen(c->name[a]);
		double middle = (a + 0.5) * cell;
		cell_text(name, c->name[a], length > 16 ? 16 : length);
		put_text(to, left - 8, head + middle + 4, "text", "end", name);
		if (below > 24)
			fprintf(to, "<g transform=\"rotate(-40 %.1f %.1f)\">", left + middle,
				head + side + 14);
		put_text(to, left + middle, head + side + (below > 24 ? 14 : 18), "text",
			 below > 24 ? "end" : "middle", name);
		if (below > 24)
			fprintf(to, "</g>\n");
		for (int b = 0; b < c->n; b++)
			put_cell(to, c, a, b, at);
	}
	put_text(to, left + side / 2, head + side + below + 20, "small", "middle", "predicted");
	fprintf(to, "<g transform=\"rotate(-90 16 %.1f)\">", head + side / 2);
	put_text(to, 16, head + side / 2, "small", "middle", "true");
	fprintf(to, "</g>\n</svg>\n");
}

/* -- the command ------------------------------------------------------------------------------- */
static void report(const plot_options *o, const char *path, const history *h)
{
	json_out j = {.to = stdout};
	if (!o->common.json || strcmp(o->output, "-") == 0)
		return;
	json_open(&j, NULL, '{');
	json_text(&j, "input", path);
	json_text(&j, "output", o->output);
	json_open(&j, "panels", '[');
	for (int i = 0; i < h->n; i++)
		json_text(&j, NULL,
			  nacre_table_name(h->t, h->panel[i].column[h->panel[i].column[0] < 0]));
	json_close(&j, ']');
	json_close(&j, '}');
}

#define OF_MODELS "types,across,closed"
#define OF_PICTURES "samples,size,seed"

static int run_model(const char *path, const plot_options *o)
{
	nacre_plot_options drawing = {.path = o->output,
				      .show_dtype = o->types,
				      .show_trainable = o->types,
				      .left_to_right = o->across,
				      .no_expand = o->closed};
	int code = refuse_given(&plot_command, &o->common, false, "output," OF_MODELS, MODEL_FILE);
	return code ? code : model_plot(path, &drawing, &o->common);
}

static int run_pictures(int n, char **picture, const plot_options *o)
{
	augment_options sheet = {o->augment, o->output, o->samples, o->size, o->seed};
	int code = refuse_given(&plot_command, &o->common, false, "augment,output," OF_PICTURES,
				"--augment");
	return code ? code : augment_plot(n, picture, &sheet, &o->common);
}

static int run(int n, char **operand, const void *given)
{
	const plot_options *o = given;
	sink s = {0};
	if (o->augment)
		return run_pictures(n, operand, o);
	if (n > 1)
		return fail(NACRE_INVALID,
			    "expected one operand, got %d: only --augment takes more", n);
	if (is_model(operand[0]))
		return run_model(operand[0], o);
	int code =
	    refuse_given(&plot_command, &o->common, true, OF_MODELS "," OF_PICTURES, "a table");
	nacre_table *t =
	    code ? NULL : open_table(operand[0], &(table_options){0}, o->common.quiet, &code);
	if (!t)
		return code;
	history *h = take(1, sizeof *h);
	confusion *c = take(1, sizeof *c);
	code = o->confusion ? count_confusions(c, t, operand[0]) : read_history(h, t, operand[0]);
	if (!code)
		code = sink_open(&s, o->output);
	if (!code) {
		if (o->confusion)
			draw_confusion(s.to, c, o);
		else
			draw_history(s.to, h, o);
		code = sink_close(&s, true);
	}
	if (!code)
		report(o, operand[0], h);
	free(h);
	free(c);
	nacre_table_free(t);
	return code;
}

const command plot_command = {
    .name = "plot",
    .operands = "TABLE.csv|MODEL.keras|PICTURE...",
    .least = 1,
    .most = 16,
    .summary = "draw training curves, confusions or a model's graph",
    .text = "Curves: a header and a line an epoch, as nacre train --history and Keras's CSVLogger "
	    "write them; a metric and its val_ partner share a panel. Confusions: columns true and "
	    "predicted, as nacre evaluate --labels writes them. The pictures look right on light "
	    "and dark pages.\n\n"
	    "A model (.keras, .h5): its layers with their shapes, and what goes from where to "
	    "where, as Keras's plot_model. A .dot file is a description that needs nothing; "
	    ".svg, .png and .pdf are made of it by Graphviz's program dot, if it is installed.\n\n"
	    "Pictures (--augment): a sheet of what training would see of them, the picture itself "
	    "first; of several pictures a line each. Written as .png, .jpg or .ppm. A factor "
	    "follows a colon; random_flip:1 is upside down, random_flip:2 both ways.",
    .examples = "nacre plot history.csv -o curves.svg\n"
		"nacre plot model.keras -o graph.svg\n"
		"nacre plot --augment random_flip,random_rotation:0.05 cat.jpg -o sheet.png\n"
		"nacre plot --confusion labels.csv -o confusion.svg",
    .options = options,
    .n_options = COUNT(options),
    .size = sizeof(plot_options),
    .run = run,
};
