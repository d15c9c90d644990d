/* SPDX-License-Identifier: MIT
 *
 * model.h - the inside of a model.
 *
 *   model.c     defining: layers, values, names
 *   weights.c   drawing, reading and writing weights
 *   compile.c   compiling: checks, what is asked of each output
 *   build.c     programs: forward, loss, gradient, update for one batch size
 *   source.c    how a data set is fed to a model, and the buffers of its batches
 *   loop.c      batches through a program; evaluate and predict
 *   fit.c       epochs, validation, callbacks
 *   explain.c   what a prediction depends on
 *   history.c, progress.c, summary.c, plot.c, save.c
 */
#ifndef NC_TRAIN_MODEL_H
#define NC_TRAIN_MODEL_H

#include "compile/program.h"
#include "data/data.h"
#include "nacre/model.h"
#include "nn/layer.h"
#include "nn/metric.h"
#include "nn/optimizer.h"

enum {
	NC_MAX_PROGRAMS = 16, /* kept for the next use */
	NC_OWN_LOGS = 6,      /* names that callbacks may add */
	NC_MAX_MEANS = 1 + NACRE_MAX_PORTS + NACRE_MAX_METRICS,
	NC_MAX_LOGS = 2 * NC_MAX_MEANS + NC_OWN_LOGS,
	NC_LOG_NAME = 72
};

/* A symbolic value: what a layer gives, or an input. */
struct nacre_value {
	nacre_model *model;
	nacre_layer *layer;
	int call; /* which call of its layer, from 0 */
	nacre_dtype dtype;
	int rank;
	int64_t shape[NACRE_MAX_RANK]; /* [-1, ...] */
	nacre_node *node, *now;        /* in the scratch graph; in the one that is being made */
	size_t mark; /* for walks over the model */
	nacre_node *mask, *mask_now;   /* which steps are no padding; NULL: none is */
	int output;                    /* which of its call */
	struct nacre_value *more;      /* the next output of the same call */
};

typedef struct nc_apply { /* one call of a layer */
	nacre_layer *layer;
	int n;
	nacre_value **x, *y;
	struct nc_apply *next;
} nc_apply;

/* NC_ACCUMULATE: as NC_TRAIN, but gradients are added up; NC_GRADIENT: they are kept as they are,
 * multiplied by the loss scale, and NC_APPLY makes a step of them, NC_APPLY_ACCUMULATE adds them
 * up; NC_AFTER: averages and constraints.  The last three see no batch.  NC_SAMPLE: as NC_PREDICT,
 * with layers that act as in training. */
typedef enum nc_mode {
	NC_TRAIN,
	NC_EVALUATE,
	NC_PREDICT,
	NC_SAMPLE,
	NC_ACCUMULATE,
	NC_GRADIENT,
	NC_APPLY,
	NC_APPLY_ACCUMULATE,
	NC_AFTER
} nc_mode;
static inline bool nc_mode_trains(nc_mode mode)
{
	return mode == NC_TRAIN || mode == NC_ACCUMULATE || mode == NC_GRADIENT;
}
static inline bool nc_mode_predicts(nc_mode mode)
{
	return mode == NC_PREDICT || mode == NC_SAMPLE;
}
static inline bool nc_mode_has_batch(nc_mode mode)
{
	return mode < NC_APPLY;
}

/* How target i arrives: its form is part of a program.  Where samples are weighted, the weights
 * come as one more, after those of the outputs. */
typedef struct nc_target {
	nc_feed feed;
	int rank; /* of a sample */
	int64_t shape[NACRE_MAX_RANK];
} nc_target;

typedef struct nc_run { /* a program for one batch size; the last used comes first */
	nc_mode mode;
	int64_t rows;
	int n_targets;
	nc_target target[NACRE_MAX_PORTS + 1];
	nacre_program *program;
	const nacre_model *map; /* of the data, which the program begins with; NULL: none */
	struct nc_run *next;
} nc_run;

typedef struct nc_note {
	const char *key, *text; /* text NULL: taken away again */
	struct nc_note *next;
} nc_note;

typedef struct nc_history {
	int n_names, epochs;
	char name[NC_MAX_LOGS][NC_LOG_NAME];
	double *value;    /* [epochs][NC_MAX_LOGS] */
	int64_t capacity; /* epochs */
} nc_history;

/* Running loss, those of several outputs, and metrics.  Of losses, and of metrics that are means
 * over samples, the sum over batches of rows times mean; of the others the sums of all that they
 * gave, one after another. */
typedef struct nc_means {
	int n;
	double sum[NC_MAX_MEANS], rows, value[NC_MAX_MEANS];
	nc_memory *memory;
	double *state; /* NULL: no metric has one, or no batch was added yet */
	int64_t n_state;
} nc_means;

/* Where a fit stands: with weights, moments and steps all that its rest depends on. */
typedef struct nc_training {
	const nacre_callback *callbacks;
	int epoch;      /* in progress, or the next */
	int64_t batch;  /* of it, the next; 0: it has not begun */
	int64_t first;  /* batch of the data that it begins with */
	int64_t order;  /* key of the order of samples */
	nc_means means; /* of its batches so far */
	bool stop;      /* after this batch or epoch */
	bool resumed;   /* all this came from a checkpoint */
	int64_t samples, batch_size, steps; /* steps: of an epoch, at most */
	bool shuffled;
	bool validates;
	bool epoch_ends; /* on_epoch_end is being called, with these: */
	nacre_logs logs;
	const char *name[NC_MAX_LOGS];
	double value[NC_MAX_LOGS];
} nc_training;

struct nacre_model {
	nacre_runtime *runtime;
	nc_arena arena;
	nacre_error error;
	bool broken; /* by an error of defining or compiling */
	bool sequential, compiled, training;
	nacre_policy policy; /* of layers that come and have none */
	bool nested; /* it is a layer of another model: it grows no more */
	const char *name;
	uint64_t seed;
	bool fast_convolution;
	bool drawn; /* some weights were, from the seed */
	size_t *room; /* as in nc_call */

	nacre_graph *scratch; /* batch 1: yields shapes */
	nacre_value nothing;  /* what stands for a value after an error */
	nacre_layer *layers, **layers_end;
	int n_layers, n_inputs, n_outputs;
	nc_apply *calls, **calls_end;
	nacre_value *input[NACRE_MAX_PORTS], *output[NACRE_MAX_PORTS];

	nacre_compile_options how;
	int n_metrics;
	int n_slots; /* moments: slots of the optimizer for each trainable weight */
	nacre_variable **slot;
	double learning_rate;
	int64_t iterations, epochs; /* steps since compile; epochs ever begun */
	float rate[NC_RATES], after[2];
	/* dynamic loss scaling: the scale, finite steps since it changed, steps left out */
	float loss_scale;
	int64_t scale_steps, skipped;
	bool has_after; /* some weight has an average or a constraint */
	nc_training *at; /* NULL: not within fit */
	nc_run *runs;
	const nacre_model *map; /* of the data that is being read; NULL: none */
	nc_note *notes; /* in the order in which they came */
	nc_history history;
};

/* Keeps the first error; `breaks`: of defining or compiling.  Returns the status. */
nacre_status nc_model_fail(nacre_model *m, bool breaks, nacre_status status, const char *format,
			   ...) NC_PRINTF(4, 5);
/* Takes an error over, with "what: " before it. */
nacre_status nc_model_take(nacre_model *m, bool breaks, const char *what, const nacre_error *e);
/* Whether the model may be used: defined, without an error.  Records what is missing. */
bool nc_model_ready(nacre_model *m, const char *what, bool compiled);
static inline uint64_t nc_mix(uint64_t seed, uint64_t k) /* splitmix64 */
{
	uint64_t z = seed + (k + 1) * 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}
/* nc_mix(seed, ...) */
enum { NC_SEED_WEIGHTS = 1, NC_SEED_ORDER = 2, NC_SEED_PROGRAM = 3, NC_SEED_NOISE = 4 };

/* compile.c: the loss of output i, and its options */
nacre_loss_function *nc_loss_of(const nacre_model *m, int i);
const nacre_loss_options *nc_loss_options_of(const nacre_model *m, int i);
/* Whether metric k is one of output i; of how many it is; whether of one of several. */
bool nc_metric_covers(const nacre_model *m, int k, int i);
int nc_metric_width(const nacre_model *m, int k);
bool nc_metric_is_own(const nacre_model *m, int k);
/* Losses of outputs that are shown beside the whole: none where there is one output. */
static inline int nc_n_losses(const nacre_model *m)
{
	return m->n_outputs > 1 ? m->n_outputs : 0;
}
static inline int nc_n_means(const nacre_model *m)
{
	return 1 + nc_n_losses(m) + m->n_metrics;
}
/* Where in the outputs of a program those of metric k begin; k = n_metrics: past the last. */
int nc_metric_output(const nacre_model *m, int k);

/* model.c: from here on the layer is the model's, whatever happens. */
bool nc_model_adopt(nacre_model *m, nacre_layer *l);

/* nested.c: which weights of nested models are trainable */
void nc_model_refresh(nacre_model *m);

/* weights.c */
bool nc_model_draw(nacre_model *m); /* what was not drawn or set yet */
void nc_model_drop_programs(nacre_model *m);
void nc_model_drop_slots(nacre_model *m);

/* note.c: as a JSON object, nothing if there are none; and back */
bool nc_notes_write(const nacre_model *m, nc_text *out, nacre_error *e);
bool nc_notes_read(nacre_model *m, const void *data, size_t size, nc_arena *arena, nacre_error *e);

/* build.c: the program for a batch of `rows` samples, made if there is none; NULL after an error.
 * Inputs: the model's inputs, then (but for predict) the targets, then (train) the rates.  Outputs:
 * loss, losses of several outputs, metrics, and of gradients 1 if all are finite; or the outputs.
 * Good until the next call but one. */
nacre_program *nc_model_program(nacre_model *m, nc_mode mode, int64_t rows, int n_targets,
				const nc_target *target);

/* slice.c: how many samples of a batch a prediction best computes at a time */
int64_t nc_model_at_once(const nacre_model *m, int64_t batch);

/* build.c: calls the layers of `of` on what its inputs are now, for a batch of `rows`; what goes
 * wrong is an error of m.  And: takes the graph's error over, if it has one; whether m has none
 * then. */
bool nc_model_calls(nacre_model *m, const nacre_model *of, nc_call *c, int64_t rows);
bool nc_model_sound(nacre_model *m, const nacre_graph *g);

/* build.c: the optimizer's moments, if they are not there yet: in the order of the trainable
 * weights, `*per` for each. */
bool nc_model_slots(nacre_model *m, int *per);

/* source.c */
typedef struct nc_source {
	nacre_dataset *data;
	nacre_model *map; /* the data's; NULL: none */
	int64_t size;
	int n_targets;
	nc_target target[NACRE_MAX_PORTS + 1];
	nc_batch batch; /* columns without `out` */
	nacre_tensor *weight;	/* of the samples, f32; NULL: 1 */
	nc_column weight_column;
} nc_source;
/* Checks that the data fits the model; `what` begins the error: "fit". */
bool nc_source_open(nc_source *s, nacre_model *m, nacre_dataset *data, nc_mode mode,
		    const char *what);

/* map.c: whether a map fits a model, by its sizes; and how target i reaches it, where it takes
 * targets */
bool nc_map_check(const nacre_model *map, nacre_model *m, const char *what);
bool nc_map_target(const nacre_model *map, nacre_model *m, int i, const nc_column *c,
		   nc_target *t, const char *what);

/* Weighs the samples of an open source by a tensor [n, ...], of which they are begin, begin + 1
 * ...; or by the class of their target (at most one of the two). */
bool nc_source_weigh(nc_source *s, nacre_model *m, const nacre_tensor *weight, int64_t begin,
		     const char *what);
bool nc_source_weigh_classes(nc_source *s, nacre_model *m, int n, const double *weight,
			     const char *what);
void nc_source_close(nc_source *s);

/* step.c: one training step of batch i of a feeder, around the program's run */
typedef struct nc_feeder nc_feeder;
nacre_program *nc_step_begin(nc_feeder *f, int64_t i); /* its program, bound but for columns */
bool nc_step_end(nacre_model *m, const nacre_program *p); /* behind its run */
bool nc_step_finish(nacre_model *m); /* at the end of training: averages become the weights */


struct nc_feeder { /* two buffers: one is read by a step while the next is filled */
	nacre_model *model;
	nc_source *source;
	nc_mode mode;
	uint64_t step; /* of NC_SAMPLE: that of its first batch */
	int64_t batch_size, batches;
	const int64_t *order; /* of the samples; NULL: as they are */
	uint8_t *buffer;
	size_t bytes, offset[NACRE_MAX_COLUMNS]; /* of one of the two */
	nc_batch batch;                          /* being filled */
	nc_making making;                        /* of it */
};
/* of the batches of a source, if `asked` (0: not) were asked for */
int64_t nc_batch_size(const nc_source *s, int64_t asked);
bool nc_feeder_open(nc_feeder *f, nacre_model *m, nc_source *s, nc_mode mode, int64_t batch_size,
		    const char *what);
void nc_feeder_close(nc_feeder *f);
void nc_feeder_first(nc_feeder *f, int64_t batch); /* fills the batch that comes first */
int64_t nc_feeder_rows(const nc_feeder *f, int64_t batch);
/* Runs batch i through its program and fills batch i + 1 meanwhile; NULL after an error. */
nacre_program *nc_feeder_step(nc_feeder *f, int64_t i);

/* loop.c */
void nc_means_begin(nc_means *a, nacre_model *m);
/* false: the model has an error now */
bool nc_means_add(nc_means *a, nacre_model *m, const nacre_program *p, int64_t rows);
void nc_means_end(nc_means *a); /* values stay */
/* `steps`: the most batches; 0: all */
bool nc_evaluate(nacre_model *m, nc_source *s, int64_t batch_size, int64_t steps, int verbose,
		 const char *what, const nacre_callback *callbacks, nc_means *out);

/* history.c */
void nc_history_begin(nacre_model *m, bool validation);
bool nc_history_add(nacre_model *m, const double *value); /* of all names */
int nc_history_place(nacre_model *m, const char *name); /* made if need be; -1: no room */
void nc_history_set(nacre_model *m, int place, double value); /* in the last epoch */
void nc_history_free(nacre_model *m);
/* 0: "loss"; then those of nc_means */
const char *nc_metric_name(const nacre_model *m, int i, char buffer[NC_LOG_NAME]);

/* summary.c: "(None, 784)", as Keras writes it */
enum { NC_SHAPE_TEXT = 24 * NACRE_MAX_RANK };
void nc_value_shape_text(const nacre_value *v, char *text, size_t size);

/* progress.c: the line of a loop */
typedef struct nc_progress {
	nacre_model *model;
	int verbose;
	bool terminal;
	int64_t steps;
	double start, first, drawn; /* seconds */
	const char *unit;           /* of what `rows` are in a step: "images"; NULL: not shown */
	int64_t rows;
	int width;
} nc_progress;
void nc_progress_begin(nc_progress *p, nacre_model *m, int verbose, int64_t steps);
/* The samples of a feeder are shown by the second, where that says something. */
void nc_progress_count(nc_progress *p, const nc_feeder *f);
static inline bool nc_progress_wanted(const nc_progress *p, bool end)
{
	return p->verbose > 0 && (end || (p->verbose == NACRE_BAR && p->terminal));
}
/* `done` steps are done; `end`: the last line, which stays.  logs: NULL for none */
void nc_progress_draw(nc_progress *p, int64_t done, const nacre_logs *logs, bool end);
void nc_progress_break(nc_progress *p); /* ends a drawn line before something else is printed */

#endif
