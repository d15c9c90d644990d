/* SPDX-License-Identifier: MIT
 *
 * callback_tensorboard.c - scalars, histograms and the graph of the layers as event files.
 */
#include <stdio.h>
#include <string.h>

#include "format/tfevents.h"
#include "train/callback.h"

enum { TRAIN, VALIDATION, PATH = 900 };
static const char *const parts[] = {[TRAIN] = "train", [VALIDATION] = "validation"};

typedef struct board {
	nc_object object;
	nacre_tensorboard_options o;
	const char *folder;
	nc_tfevents file[2];
	bool open[2];
} board;

static int failed(nacre_model *m, const nacre_error *e)
{
	if (e->status)
		nc_model_take(m, false, "tensorboard", e);
	return e->status != NACRE_OK;
}

/* The file of a part, opened at its first use; NULL: the model has an error now. */
static nc_tfevents *file_of(board *b, nacre_model *m, int part)
{
	char folder[PATH + 16];
	nacre_error e = {0};
	if (b->open[part])
		return &b->file[part];
	snprintf(folder, sizeof folder, "%s/%s", b->folder, parts[part]);
	b->open[part] = !nc_make_folders(folder, true, &e);
	if (b->open[part])
		nc_tfevents_open(&b->file[part], b->object.memory, folder, &e);
	return failed(m, &e) ? NULL : &b->file[part];
}

static void scalar(board *b, nacre_model *m, int part, int64_t step, double value,
		   const char *before, const char *name, const char *after)
{
	char tag[2 * NC_LOG_NAME];
	nc_tfevents *w = file_of(b, m, part);
	snprintf(tag, sizeof tag, "%s%.70s%s", before, name, after);
	if (w)
		nc_event_scalar(&w->out, nc_wall(), step, tag, (float)value);
}

static int flush(board *b, nacre_model *m, bool now)
{
	nacre_error e = {0};
	for (int i = 0; i < 2; i++)
		if (b->open[i])
			now ? nc_tfevents_flush(&b->file[i], &e)
			    : nc_tfevents_tick(&b->file[i], &e);
	return failed(m, &e);
}

/* -- the graph --------------------------------------------------------------------------------- */
/* The name of a value's node: its layer's; "dense.1" is the second call of a layer. */
static const char *node_name(const nacre_value *v, char name[NC_NAME_SIZE + 16])
{
	snprintf(name, NC_NAME_SIZE + 16, v->call ? "%s.%d" : "%s", v->layer->name, v->call);
	return name;
}

static void add_node(nc_buffer *graph, const nacre_value *y, int n, nacre_value *const *x,
		     const char *text)
{
	char name[NC_NAME_SIZE + 16], in[NACRE_MAX_PORTS][NC_NAME_SIZE + 16];
	const char *input[NACRE_MAX_PORTS];
	n = (int)nc_min(n, NACRE_MAX_PORTS);
	for (int i = 0; i < n; i++)
		input[i] = node_name(x[i], in[i]);
	nc_graph_add(graph, &(nc_graph_node){.name = node_name(y, name),
					     .op = y->layer->class->name,
					     .text = text,
					     .n = n,
					     .input = input,
					     .rank = y->rank,
					     .shape = y->shape});
}

static bool write_graph(board *b, nacre_model *m)
{
	nc_tfevents *w = file_of(b, m, TRAIN);
	if (!w)
		return false;
	nc_buffer graph;
	nc_buffer_init(&graph, b->object.memory, &w->error);
	for (int i = 0; i < m->n_inputs; i++)
		add_node(&graph, m->input[i], 0, NULL, NULL);
	for (nc_apply *a = m->calls; a; a = a->next) {
		nc_text text;
		nc_text_init(&text, b->object.memory);
		nc_layer_text(a->layer, &text);
		add_node(&graph, a->y, a->n, a->x, text.failed ? NULL : text.data);
		nc_text_free(&text);
	}
	nc_graph_end(&graph);
	nc_event_graph(&w->out, nc_wall(), &graph);
	return true;
}

/* -- histograms -------------------------------------------------------------------------------- */
static bool write_weights(board *b, nacre_model *m, int epoch)
{
	nacre_error e = {0};
	nc_tfevents *w = file_of(b, m, TRAIN);
	for (nacre_layer *l = m->layers; w && l && !e.status; l = l->next)
		for (int i = 0; i < l->n_weights && !e.status; i++) {
			char tag[256];
			const nacre_variable *v = l->weight[i].variable;
			nacre_tensor *t = nacre_variable_read(v, &e), *f;
			snprintf(tag, sizeof tag, "%.200s/histogram", nacre_variable_name(v));
			f = t ? nacre_tensor_convert(t, NACRE_F32, &e) : NULL;
			if (f)
				nc_event_histogram(&w->out, nc_wall(), epoch, tag,
						   nacre_tensor_size(f), nacre_tensor_data(f));
			nacre_tensor_free(f);
			nacre_tensor_free(t);
		}
	return w && !failed(m, &e);
}

/* -- hooks ------------------------------------------------------------------------------------- */
static int board_train_begin(void *context, nacre_model *m)
{
	board *b = context;
	if (nc_object_bad(&b->object, m) || !file_of(b, m, TRAIN) ||
	    (!b->o.no_graph && !write_graph(b, m)))
		return 1;
	return flush(b, m, true);
}

static int board_batch_end(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	board *b = context;
	(void)batch;
	if (b->o.update_freq == 0 || m->iterations % b->o.update_freq)
		return 0;
	for (int i = 0; i < logs->n; i++)
		scalar(b, m, TRAIN, m->iterations, logs->value[i], "batch_", logs->name[i], "");
	return m->error.status || flush(b, m, false);
}

static int board_epoch_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	board *b = context;
	bool rate = false;
	for (int i = 0; i < logs->n; i++) {
		const char *name = logs->name[i];
		bool validation = strncmp(name, "val_", 4) == 0;
		rate |= strcmp(name, "learning_rate") == 0;
		scalar(b, m, validation ? VALIDATION : TRAIN, epoch, logs->value[i], "epoch_",
		       validation ? name + 4 : name, "");
	}
	if (!rate)
		scalar(b, m, TRAIN, epoch, nacre_learning_rate(m), "epoch_", "learning_rate", "");
	if (b->o.histogram_freq && epoch % b->o.histogram_freq == 0 && !write_weights(b, m, epoch))
		return 1;
	return m->error.status || flush(b, m, true);
}

static int board_test_end(void *context, nacre_model *m, const nacre_logs *logs)
{
	board *b = context;
	if (nc_object_bad(&b->object, m))
		return 1;
	for (int i = 0; i < logs->n; i++)
		scalar(b, m, VALIDATION, m->iterations, logs->value[i], "evaluation_",
		       logs->name[i], "_vs_iterations");
	return m->error.status || flush(b, m, true);
}

static int board_train_end(void *context, nacre_model *m, const nacre_logs *logs)
{
	board *b = context;
	nacre_error e = {0};
	(void)logs;
	for (int i = 0; i < 2; i++) {
		if (b->open[i])
			nc_tfevents_close(&b->file[i], &e);
		b->open[i] = false;
	}
	failed(m, &e);
	return 0;
}

static void board_release(void *context)
{
	board *b = context;
	for (int i = 0; i < 2; i++)
		if (b->open[i])
			nc_tfevents_close(&b->file[i], NULL);
	nc_object_release(b);
}

nacre_callback nacre_tensorboard_new(nacre_tensorboard_options o)
{
	board *b = nc_object_new(sizeof *b);
	if (!b)
		return nc_no_callback();
	b->o = o;
	b->folder = nc_object_string(&b->object, o.folder, "logs");
	if (b->folder && (!b->folder[0] || strlen(b->folder) >= PATH))
		nc_fail(&b->object.error, NACRE_INVALID,
			"tensorboard: expected a folder of 1 to %d bytes", PATH - 1);
	if (o.histogram_freq < 0 || o.update_freq < 0)
		nc_fail(&b->object.error, NACRE_INVALID,
			"tensorboard: %s: expected at least 0, got %lld",
			o.histogram_freq < 0 ? "histogram_freq" : "update_freq",
			(long long)(o.histogram_freq < 0 ? o.histogram_freq : o.update_freq));
	return (nacre_callback){.context = b,
				.on_train_begin = board_train_begin,
				.on_train_batch_end = board_batch_end,
				.on_epoch_end = board_epoch_end,
				.on_test_end = board_test_end,
				.on_train_end = board_train_end,
				.release = board_release,
				.name = "tensorboard"};
}
