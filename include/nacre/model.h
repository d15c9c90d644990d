/* SPDX-License-Identifier: MIT
 *
 * nacre/model.h - models: layers in a row or in a graph, trained and used.
 *
 *     nacre_model *m = nacre_sequential("mnist");
 *     nacre_add(m, nacre_input(784));
 *     nacre_add(m, nacre_dense(512, .activation = nacre_relu));
 *     nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
 *     nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy,
 *                      .metrics = { nacre_accuracy });
 *     nacre_fit(m, train, .epochs = 5, .batch_size = 128);
 *     nacre_result r = nacre_evaluate(m, test);
 *     nacre_save(m, "mnist.safetensors");
 *     return nacre_report(m);
 *
 * A model keeps the first error that happened to it, and does nothing more from then on; every
 * function accepts NULL.  So calls may follow each other without a check, and the error is read
 * once at the end: nacre_report() prints it, nacre_model_error() gives it.
 *
 * One model is used by one thread at a time; models share nothing but their runtime.
 */
#ifndef NACRE_MODEL_H
#define NACRE_MODEL_H

#include "callback.h"
#include "data.h"
#include "layer.h"
#include "loss.h"
#include "metric.h"
#include "optimizer.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_value nacre_value;

enum { NACRE_MAX_PORTS = 8, NACRE_MAX_METRICS = 16 };

/* -- making one -----------------------------------------------------------------------------------
 * NULL: no memory.  The _in forms take a runtime, which must outlive the model. */
nacre_model *nacre_sequential(const char *name);
nacre_model *nacre_functional(const char *name);
nacre_model *nacre_sequential_in(nacre_runtime *runtime, const char *name);
nacre_model *nacre_functional_in(nacre_runtime *runtime, const char *name);
void nacre_model_free(nacre_model *model);

/* The seed of weights, dropout and the order of samples; 0 at first.  Equal seeds give equal bits,
 * on any number of threads.  Those of a model out of a file are there: it may be set at any time.
 * Else to be set before the weights are drawn, which happens at the first
 * compile, predict, save or look at a weight. */
nacre_status nacre_set_seed(nacre_model *model, uint64_t seed);

/* The policy (nacre/layer.h) of the layers that are added or applied from now on and have none of
 * their own; float32 at first. */
nacre_status nacre_set_policy(nacre_model *model, nacre_policy policy);

/* 1: predict may compute convolutions of 3x3 by F(4x4, 3x3), which multiplies a quarter as often as
 * the direct way and rounds ten times as much: at most 3e-6 of the sum of the absolute products
 * were seen.  For models that are mostly such convolutions (VGG); 0 at first.  Training and
 * evaluate do not ask for it. */
nacre_status nacre_set_fast_convolution(nacre_model *model, int on);

/* Sequential: one layer after the other, the first a nacre_input().  The layer is the model's from
 * now on; if the model is NULL or has an error, it is freed. */
nacre_status nacre_add(nacre_model *model, nacre_layer *layer);

/* Functional: values instead of numbers, of shape [None, ...].
 *
 *     nacre_value *a = nacre_model_input(m, nacre_input(784));
 *     nacre_value *x = nacre_apply(nacre_dense(64, .activation = nacre_relu), a);
 *     x = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){a, x});
 *     nacre_model_output(m, nacre_apply(nacre_dense(10), x));
 *
 * A layer may be applied several times: its weights are shared.  After an error these return a
 * value that stands for nothing; only a NULL model or value yields NULL, and then a layer that
 * belongs to no model remains the caller's: who minds losing a few when there is no memory for a
 * model looks whether nacre_functional() gave NULL before going on. */
nacre_value *nacre_model_input(nacre_model *model, nacre_layer *input);
nacre_value *nacre_apply(nacre_layer *layer, nacre_value *x);
nacre_value *nacre_apply_n(nacre_layer *layer, int n, nacre_value *const *x);
nacre_status nacre_model_output(nacre_model *model, nacre_value *y); /* the next output */
/* Output i of a call that gave y, which is output 0: for layers that have several. */
nacre_value *nacre_value_output(nacre_value *y, int i);
/* A model as a layer, of its inputs and outputs.  The model belongs to the layer from now on, and
 * so to the model that the layer is applied in.  It may still be used by itself, with the same
 * weights, whose names get the model's before them: "encoder/dense/kernel".  It grows no more. */
nacre_layer *nacre_nested(nacre_model *model);
/* Cuts the model off after a layer: what comes after it is forgotten and freed, with layers and
 * inputs that nothing else needs, and the layer's output is the model's, which is no longer
 * compiled (and, if it is sequential, may grow again).  Returns that value, of the layer's last
 * call.  So a network that was loaded gets another top; what is frozen stays as it is, batch
 * normalization too:
 *
 *     nacre_model *base = nacre_load(NULL, "mobilenet.keras", &error);
 *     nacre_cut(base, "conv_pw_13_relu");
 *     nacre_layer *body = nacre_nested(base);
 *     nacre_layer_set_trainable(body, false);
 *     nacre_add(m, nacre_input(224, 224, 3));
 *     nacre_add(m, body);
 *     nacre_add(m, nacre_global_average_pooling2d());
 *     nacre_add(m, nacre_dense(5, nacre_softmax));
 *     ... compile, fit; then thaw what shall be tuned, compile with a smaller rate, fit */
nacre_value *nacre_cut(nacre_model *model, const char *layer);
int nacre_value_rank(const nacre_value *value);
const int64_t *nacre_value_shape(const nacre_value *value); /* borrowed; the batch is -1 */

/* -- looking at it ----------------------------------------------------------------------------- */
const char *nacre_model_name(const nacre_model *model);
int nacre_model_layers(const nacre_model *model);
nacre_layer *nacre_model_layer(const nacre_model *model, int i); /* borrowed; NULL: out of range */
nacre_layer *nacre_get_layer(const nacre_model *model, const char *name); /* NULL: there is none */
int nacre_model_outputs(const nacre_model *model);
nacre_value *nacre_model_output_value(nacre_model *model, int i); /* NULL: out of range */
int nacre_model_inputs(const nacre_model *model);
nacre_value *nacre_model_input_value(nacre_model *model, int i);
int64_t nacre_model_parameters(const nacre_model *model); /* numbers in all weights */
/* Of those that fit() changes; the rest of them. */
int64_t nacre_model_trainable_parameters(const nacre_model *model);
int64_t nacre_model_non_trainable_parameters(const nacre_model *model);
/* Floating-point operations of predicting one sample: those of products, convolutions and the like,
 * a multiplication with its addition counted as two.  NaN after an error. */
double nacre_model_flops(nacre_model *model);
/* A model of the same layers, shared and nested ones alike, with weights of its own that are not
 * drawn yet; not compiled.  A layer of your own is made again by its get_config and from_config;
 * one with a context but without them is an error.  NULL after an error, which is recorded in
 * `model`.  The caller frees it. */
nacre_model *nacre_model_clone(nacre_model *model);
/* Prints the layers, their shapes and numbers of parameters as Keras does. */
nacre_status nacre_summary(nacre_model *model);
/* Draws the graph of the layers as Keras's plot_model(): a box for each layer with its name, class
 * and shapes, an arrow for each value, a frame around each nested model; a layer that is applied
 * several times has the arrows of all its calls.  By the extension of the path: ".dot" (or ".gv")
 * is a description in Graphviz's language and always works; ".svg", ".png" and ".pdf" are made of
 * it by Graphviz's program dot, which is run; without it NACRE_UNSUPPORTED and a text that says
 * so.  The file is replaced as a whole.
 *
 *     nacre_plot_model(m, "model.svg", .left_to_right = 1); */
typedef struct nacre_plot_options {
	const char *path;
	int no_shapes;
	int show_dtype, show_trainable;
	int left_to_right; /* else from top to bottom */
	int no_expand;     /* 1: a nested model is one box */
} nacre_plot_options;
nacre_status nacre_plot_model_with(nacre_model *model, nacre_plot_options options);
#ifndef __cplusplus
#define nacre_plot_model(model, ...)                                                               \
	nacre_plot_model_with((model), (nacre_plot_options){.path = __VA_ARGS__})
#endif
/* A copy of a weight by name, "dense/kernel"; the caller frees it.  NULL on failure.  And back:
 * of any float type, the shape must be equal. */
nacre_tensor *nacre_get_weight(nacre_model *model, const char *name);
nacre_status nacre_set_weight(nacre_model *model, const char *name, const nacre_tensor *value);
/* All of them, in the model's order: how many, their names (borrowed; NULL: out of range), copies
 * of all into `values` (the caller frees each; NULLs after an error), and back: all must fit, or
 * none is changed. */
int nacre_model_weights(const nacre_model *model);
const char *nacre_model_weight_name(const nacre_model *model, int i);
nacre_status nacre_get_weights(nacre_model *model, nacre_tensor **values);
nacre_status nacre_set_weights(nacre_model *model, int n, const nacre_tensor *const *values);

/* Texts that go with the model into a .keras file and come back from it, for what the layers do not
 * tell: the names of classes, say.  Keras passes over them.  Borrowed; NULL: there is no such note.
 * Set to NULL: taken away. */
const char *nacre_note(const nacre_model *model, const char *key);
nacre_status nacre_set_note(nacre_model *model, const char *key, const char *text);

/* -- errors ------------------------------------------------------------------------------------ */
const nacre_error *nacre_model_error(const nacre_model *model); /* never NULL */
/* Prints "name: text" of the first error, if there was one, on the runtime's error stream, and
 * returns its status: 0 if there was none. */
int nacre_report(nacre_model *model);
/* Forgets an error of running, loading or saving that was dealt with.  One of defining or compiling
 * stays: the model is not whole.  Returns the status that is left. */
nacre_status nacre_clear_error(nacre_model *model);

/* -- compile: how to train ------------------------------------------------------------------------
 * The loss of the model is the sum over its outputs of loss_weight times loss, plus regularizers.
 * Where there are several outputs the logs have the loss of each too, without its weight, named
 * after its layer: "value_loss"; a metric of one output is "value_mae", and one of every output,
 * "mae", is the mean over them.
 *
 *     .losses = {nacre_mse, nacre_sparse_categorical_crossentropy},
 *     .losses_options = {{0}, {.from_logits = 1}}, .loss_weights = {1, 0.5},
 *     .metrics = {nacre_mae, nacre_accuracy},
 *     .metric_options = {{.output = NACRE_OUTPUT(0)}, {.output = NACRE_OUTPUT(1)}},
 *
 * Compiling again starts with new moments; weights stay. */
typedef struct nacre_compile_options {
	nacre_optimizer optimizer;        /* rmsprop */
	nacre_loss_function *loss;        /* of every output */
	nacre_loss_options loss_options;
	/* of every output, or with metric_options[k].output of one; they end at the first NULL */
	nacre_loss_function *metrics[NACRE_MAX_METRICS];
	nacre_loss_options metric_options[NACRE_MAX_METRICS];
	/* where outputs differ: of output i, if given */
	nacre_loss_function *losses[NACRE_MAX_PORTS];
	/* of losses[i]; where it is all zero: loss_options */
	nacre_loss_options losses_options[NACRE_MAX_PORTS];
	double loss_weights[NACRE_MAX_PORTS]; /* 0: 1; NACRE_ZERO: 0 */
	const char *backend; /* as in nacre_program_options */
	int no_optimize;
} nacre_compile_options;
nacre_status nacre_compile_with(nacre_model *model, nacre_compile_options options);

/* -- fit --------------------------------------------------------------------------------------- */
typedef enum nacre_verbose {
	NACRE_SILENT = -1,
	NACRE_AUTO = 0, /* fit, evaluate: the bar; predict: silent */
	NACRE_BAR = 1,  /* redrawn on a terminal, else one line an epoch */
	NACRE_LINE = 2  /* one plain line an epoch */
} nacre_verbose;

typedef struct nacre_fit_options {
	nacre_dataset *data;
	int epochs;         /* 1 */
	int64_t batch_size; /* 32; a last, smaller batch is kept */
	/* 0: an epoch is all data once.  Else so many batches: the next epoch goes on behind them,
	 * and where the data ends the epoch ends too, as in Keras */
	int64_t steps_per_epoch;
	nacre_dataset *validation_data;
	double validation_split; /* 0 .. 1: the last part of the data is for this; 0: none */
	int64_t validation_batch_size; /* batch_size */
	int64_t validation_steps;      /* the first so many batches alone; 0: all */
	int validation_freq;           /* 1: every epoch */
	/* A weight for each sample, [n], or for each of its values, [n, ...]; the loss is the sum
	 * of weight times value over the number of values, as in Keras
	 * (loss_options.reduction).  With validation_split its last part is for validation. */
	const nacre_tensor *sample_weight, *validation_sample_weight;
	/* Or by class: samples whose (only) target is label i count class_weight[i] times. */
	const double *class_weight;
	int n_class_weights;
	int no_shuffle; /* 1: samples in their order; else in a new order every epoch */
	int verbose;    /* nacre_verbose */
	int initial_epoch;
	nacre_callback callbacks[NACRE_MAX_CALLBACKS]; /* ends at one that is all zero */
} nacre_fit_options;

/* Trains.  Labels of whole numbers are expanded to one-hot vectors where the loss is
 * categorical_crossentropy.  The data is checked first: shapes, labels, sample counts. */
nacre_status nacre_fit_with(nacre_model *model, nacre_fit_options options);

/* The history of the last fit: a value for each epoch.  name: "loss", "accuracy", "val_loss" ...
 * NaN: there is none. */
int nacre_history_epochs(const nacre_model *model);
double nacre_history(const nacre_model *model, const char *name, int epoch);
/* Names in the history; NULL past the end. */
const char *nacre_history_name(const nacre_model *model, int i);

/* -- evaluate, predict ------------------------------------------------------------------------- */
typedef struct nacre_result {
	nacre_status status;
	double loss; /* NaN after an error */
	/* in the order of compile's metrics; of one of several outputs, the mean over them */
	double metric[NACRE_MAX_METRICS];
	double output_loss[NACRE_MAX_PORTS]; /* where there are several outputs; else NaN */
} nacre_result;

typedef struct nacre_evaluate_options {
	nacre_dataset *data;
	int64_t batch_size; /* 32 */
	int verbose;        /* nacre_verbose */
	nacre_callback callbacks[NACRE_MAX_CALLBACKS];
	const nacre_tensor *sample_weight; /* as in nacre_fit_options */
	int64_t steps;                     /* the first so many batches alone; 0: all */
} nacre_evaluate_options;
nacre_result nacre_evaluate_with(nacre_model *model, nacre_evaluate_options options);

typedef struct nacre_predict_options {
	nacre_dataset *data;
	int64_t batch_size;     /* 32 */
	int verbose;            /* nacre_verbose */
	nacre_tensor **outputs; /* NULL, or room for every output */
	nacre_callback callbacks[NACRE_MAX_CALLBACKS];
	/* k > 0: layers act as in training (dropout drops, augmentation changes images, but nothing
	 * is learned), with random numbers that depend on the model's seed and on k */
	int training;
} nacre_predict_options;
/* The first output for all samples, [n, ...]; the caller frees it.  Where neither a bar nor
 * callbacks count batches, large images are computed a few at a time, so that what a layer gives is
 * still in the cache when the next one reads it; the bits are the same.  With .outputs the others
 * come too, and [0] is what is returned.  NULL after an error. */
nacre_tensor *nacre_predict_with(nacre_model *model, nacre_predict_options options);
/* the same for one input given as a tensor */
nacre_tensor *nacre_predict_tensor(nacre_model *model, const nacre_tensor *x);

/* -- a model before the data ----------------------------------------------------------------------
 * From now on all that a data set gives goes through `map` first: its batches, not its samples, and
 * within the program of the step, on all threads, so that equal seeds give equal bits.  Its layers
 * act as in training where the data is trained on, and as in prediction where it is evaluated or
 * predicted: images are augmented in fit, and only resized or rescaled elsewhere.  It is no part of
 * the model that is trained, and its weights stay as they are.
 *
 *     nacre_model *map = nacre_sequential("augment");
 *     nacre_add(map, nacre_input(32, 32, 3));
 *     nacre_add(map, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
 *     nacre_dataset_map(train, map);
 *
 * map has as many inputs and outputs as the data has inputs; or as many as it has inputs and
 * targets together, in this order: then it changes targets too (nacre_mix_up()).  Where such an
 * input is [None, classes] and the data has labels, it gets them as one-hot vectors.  Slices made
 * from now on have the same map.  NULL: none any more.  The map is borrowed: it must live as long
 * as the data set is used, by one thread at a time, and grow no more. */
nacre_status nacre_dataset_map(nacre_dataset *dataset, nacre_model *map);

/* One step on all samples of a data set as one batch; the result is from before the update.  With
 * .sample_weight or .class_weight as in nacre_fit_options (of the tests the former alone):
 *     nacre_train_on_batch_with(m, (nacre_batch_options){.data = batch, .sample_weight = w}); */
typedef struct nacre_batch_options {
	nacre_dataset *data;
	const nacre_tensor *sample_weight;
	const double *class_weight;
	int n_class_weights;
} nacre_batch_options;
nacre_result nacre_train_on_batch_with(nacre_model *model, nacre_batch_options options);
nacre_result nacre_test_on_batch_with(nacre_model *model, nacre_batch_options options);
nacre_result nacre_train_on_batch(nacre_model *model, nacre_dataset *batch);
nacre_result nacre_test_on_batch(nacre_model *model, nacre_dataset *batch);
/* The first output, which the caller frees; `outputs`: NULL, or room for all of them. */
nacre_tensor *nacre_predict_on_batch(nacre_model *model, nacre_dataset *batch,
				     nacre_tensor **outputs);

bool nacre_is_compiled(const nacre_model *model);
int64_t nacre_iterations(const nacre_model *model); /* steps trained since compile */
/* What the loss is multiplied by now: 1, or as the optimizer's loss scaling says. */
double nacre_loss_scale(const nacre_model *model);
double nacre_learning_rate(const nacre_model *model);
/* From the next step on.  An optimizer with a schedule has no rate that could be set. */
nacre_status nacre_set_learning_rate(nacre_model *model, double rate);

#ifndef __cplusplus
#define nacre_compile(model, ...) nacre_compile_with((model), (nacre_compile_options){__VA_ARGS__})
#define nacre_fit(model, ...) nacre_fit_with((model), (nacre_fit_options){.data = __VA_ARGS__})
#define nacre_evaluate(model, ...)                                                                 \
	nacre_evaluate_with((model), (nacre_evaluate_options){.data = __VA_ARGS__})
#define nacre_predict(model, ...)                                                                  \
	nacre_predict_with((model), (nacre_predict_options){.data = __VA_ARGS__})
#endif

/* -- files ----------------------------------------------------------------------------------------
 * By extension: ".safetensors" holds the weights, by name ("dense/kernel"), ".weights.h5" as Keras
 * keeps them, ".keras" the whole model; see nacre/save.h, also for making a model out of a file.
 * The file is replaced as a whole.  Loading wants exactly the model's weights, and changes none if
 * one does not fit. */
nacre_status nacre_save(nacre_model *model, const char *path);
nacre_status nacre_load_weights(nacre_model *model, const char *path);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
