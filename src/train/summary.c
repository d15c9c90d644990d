/* SPDX-License-Identifier: MIT
 *
 * summary.c - a model as a table, drawn as Keras draws it on 80 columns.
 *
 *     Layer (type)       Output Shape     Param #
 *     dense (Dense)      (None, 512)      401,920
 *
 * A model that is no chain has a fourth column: where the inputs of each layer come from.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/model.h"

enum { COLUMNS = 4, CELL = 400 };

typedef struct table {
	nc_text text;
	int columns, rows;
	const int *width; /* of the text of each */
} table;

typedef struct row {
	char cell[COLUMNS][CELL];
} row;

static void rule(table *t, const char *left, const char *line, const char *cross, const char *right)
{
	nc_text_add(&t->text, "%s", left);
	for (int c = 0; c < t->columns; c++) {
		for (int i = 0; i < t->width[c] + 2; i++)
			nc_text_add(&t->text, "%s", line);
		nc_text_add(&t->text, "%s", c + 1 < t->columns ? cross : right);
	}
	nc_text_add(&t->text, "\n");
}

/* Bytes of the next line of s, at most `width` columns (a byte is one unless it goes on a UTF-8
 * sequence): up to the last space that fits, else cut. */
static int line_length(const char *s, int width)
{
	int columns = 0, space = 0, i = 0;
	for (; s[i]; i++) {
		bool starts = (s[i] & 0xc0) != 0x80;
		if (starts && columns == width)
			return s[i] == ' ' ? i : space ? space : i;
		columns += starts;
		if (s[i] == ' ')
			space = i;
	}
	return i;
}

static int columns_of(const char *s, int bytes)
{
	int n = 0;
	for (int i = 0; i < bytes; i++)
		n += (s[i] & 0xc0) != 0x80;
	return n;
}

static void add_row(table *t, const row *r, const char *bar)
{
	const char *rest[COLUMNS];
	bool more = true;
	for (int c = 0; c < t->columns; c++)
		rest[c] = r->cell[c];
	while (more) {
		more = false;
		for (int c = 0; c < t->columns; c++) {
			int n = line_length(rest[c], t->width[c]);
			int pad = t->width[c] - columns_of(rest[c], n);
			bool right = c == 2;
			nc_text_add(&t->text, "%s %*s%.*s%*s ", bar, right ? pad : 0, "", n,
				    rest[c], right ? 0 : pad, "");
			rest[c] += n;
			while (*rest[c] == ' ')
				rest[c]++;
			more |= *rest[c] != 0;
		}
		nc_text_add(&t->text, "%s\n", bar);
	}
}

/* 401920 as 401,920 */
static const char *grouped(char buffer[32], int64_t n)
{
	char digits[24];
	int length = snprintf(digits, sizeof digits, "%lld", (long long)n), k = 0;
	for (int i = 0; i < length; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[k++] = ',';
		buffer[k++] = digits[i];
	}
	buffer[k] = 0;
	return buffer;
}

static void total(table *t, const char *what, int64_t n, int64_t bytes)
{
	static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
	char text[32];
	double size = (double)bytes;
	int u = 0;
	for (; size >= 1024 && u < 5; u++)
		size /= 1024;
	nc_text_add(&t->text, " %s: %s (%.2f %s)\n", what, grouped(text, n), size, units[u]);
}

void nc_value_shape_text(const nacre_value *v, char *text, size_t size)
{
	size_t n = 0;
	text[0] = 0;
	for (int i = 0; i < v->rank && n < size; i++) {
		n += (size_t)snprintf(text + n, size - n, i ? ", " : "(");
		if (n < size && v->shape[i] < 0)
			n += (size_t)snprintf(text + n, size - n, "None");
		else if (n < size)
			n += (size_t)snprintf(text + n, size - n, "%lld", (long long)v->shape[i]);
	}
	if (n < size)
		snprintf(text + n, size - n, "%s)", v->rank == 1 ? "," : "");
}

static int64_t parameters(const nacre_layer *l)
{
	int64_t n = 0;
	for (int i = 0; i < l->n_weights; i++)
		n += nc_layer_parameters(l, i);
	return n;
}

static void layer_row(table *t, const nacre_value *v, const nc_apply *a)
{
	row r;
	memset(&r, 0, sizeof r);
	snprintf(r.cell[0], CELL, "%s (%s)", v->layer->name, v->layer->class->name);
	nc_value_shape_text(v, r.cell[1], CELL);
	grouped(r.cell[2], parameters(v->layer));
	size_t n = 0;
	snprintf(r.cell[3], CELL, "-");
	for (int i = 0; a && i < a->n && n < CELL - 1; i++)
		n += (size_t)snprintf(r.cell[3] + n, CELL - n, "%s%s[%d][0]", i ? ", " : "",
				      a->x[i]->layer->name, a->x[i]->call);
	if (t->rows++)
		rule(t, "├", "─", "┼", "┤");
	add_row(t, &r, "│");
}

/* One input, and each layer takes what the one before gives. */
static bool is_chain(const nacre_model *m)
{
	const nacre_value *v = m->input[0];
	if (m->n_inputs != 1 || m->n_outputs != 1)
		return false;
	for (const nc_apply *a = m->calls; a; v = a->y, a = a->next)
		if (a->n != 1 || a->x[0] != v || a->y->call > 0)
			return false;
	return m->output[0] == v;
}

static void rows(table *t, const nacre_model *m)
{
	rule(t, "┏", "━", "┳", "┓");
	add_row(t, &(row){{"Layer (type)", "Output Shape", "Param #", "Connected to"}}, "┃");
	rule(t, "┡", "━", "╇", "┩");
	for (int i = 0; i < m->n_inputs && !m->sequential; i++)
		layer_row(t, m->input[i], NULL);
	for (const nc_apply *a = m->calls; a; a = a->next)
		if (a->y->call == 0)
			layer_row(t, a->y, a);
	rule(t, "└", "─", "┴", "┘");
}

static void totals(table *t, const nacre_model *m)
{
	int64_t all = 0, trainable = 0, moments = 0;
	for (const nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++) {
			all += nc_layer_parameters(l, i);
			trainable +=
			    l->weight[i].trainable && !l->frozen ? nc_layer_parameters(l, i) : 0;
		}
	for (int i = 0; i < m->n_slots; i++) {
		int64_t n = 0;
		if (nc_shape_size(m->slot[i]->rank, m->slot[i]->shape, &n))
			moments += n;
	}
	if (m->iterations) /* Keras counts the step and the learning rate too */
		moments += 2;
	total(t, "Total params", all + moments, 4 * (all + moments));
	total(t, "Trainable params", trainable, 4 * trainable);
	total(t, "Non-trainable params", all - trainable, 4 * (all - trainable));
	if (moments)
		total(t, "Optimizer params", moments, 4 * moments);
}

nacre_status nacre_summary(nacre_model *m)
{
	static const int chain[] = {31, 22, 13}, graph[] = {19, 17, 10, 17};
	if (!nc_model_ready(m, "summary", false))
		return nacre_model_error(m)->status;
	bool simple = m->sequential || is_chain(m);
	table t = {.columns = simple ? 3 : 4, .width = simple ? chain : graph};
	nc_text_init(&t.text, &m->runtime->memory);
	nc_text_add(&t.text, "Model: \"%s\"\n", m->name);
	rows(&t, m);
	totals(&t, m);
	if (t.text.failed)
		nc_model_fail(m, false, NACRE_NO_MEMORY, "summary: out of memory");
	else
		nc_print(m->runtime, NACRE_OUT, "%s", t.text.data);
	nc_text_free(&t.text);
	return m->error.status;
}

double nacre_model_flops(nacre_model *m)
{
	nacre_program *p = NULL;
	if (nc_model_ready(m, "flops", false))
		p = nc_model_program(m, NC_PREDICT, 1, 0, NULL);
	return p ? nacre_program_flops(p) : NAN;
}
