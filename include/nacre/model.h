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
 * on any number of threads.  To be set before the weights are drawn, which happens at the first
 * compile, predict, save or look at a weight. */
nacre_status nacre_set_seed(nacre_model *model, uint64_t seed);

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
int nacre_value_rank(const nacre_value *value);
const int64_t *nacre_value_shape(const nacre_value *value); /* borrowed; the batch is -1 */

/* -- looking at it ----------------------------------------------------------------------------- */
const char *nacre_model_name(const nacre_model *model);
int nacre_model_layers(const nacre_model *model);
nacre_layer *nacre_model_layer(const nacre_model *model, int i); /* borrowed; NULL: out of range */
nacre_layer *nacre_get_layer(const nacre_model *model, const char *name); /* NULL: there is none */
int nacre_model_outputs(const nacre_model *model);
nacre_value *nacre_model_output_value(nacre_model *model, int i); /* NULL: out of range */
int64_t nacre_model_parameters(const nacre_model *model); /* numbers in all weights */
/* Prints the layers, their shapes and numbers of parameters as Keras does. */
nacre_status nacre_summary(nacre_model *model);
/* A copy of a weight by name, "dense/kernel"; the caller frees it.  NULL on failure.  And back:
 * of any float type, the shape must be equal. */
nacre_tensor *nacre_get_weight(nacre_model *model, const char *name);
nacre_status nacre_set_weight(nacre_model *model, const char *name, const nacre_tensor *value);

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
 * Compiling again starts with new moments; weights stay. */
typedef struct nacre_compile_options {
	nacre_optimizer optimizer;        /* rmsprop */
	nacre_loss_function *loss;        /* of every output */
	nacre_loss_options loss_options;
	/* of every output; they end at the first NULL */
	nacre_loss_function *metrics[NACRE_MAX_METRICS];
	nacre_loss_options metric_options[NACRE_MAX_METRICS];
	/* where outputs differ: of output i, if given */
	nacre_loss_function *losses[NACRE_MAX_PORTS];
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
	nacre_dataset *validation_data;
	double validation_split; /* 0 .. 1: the last part of the data is for this; 0: none */
	int64_t validation_batch_size; /* batch_size */
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
	/* in the order of compile's metrics; if there are several outputs, the mean over them */
	double metric[NACRE_MAX_METRICS];
} nacre_result;

typedef struct nacre_evaluate_options {
	nacre_dataset *data;
	int64_t batch_size; /* 32 */
	int verbose;        /* nacre_verbose */
	nacre_callback callbacks[NACRE_MAX_CALLBACKS];
	const nacre_tensor *sample_weight; /* as in nacre_fit_options */
} nacre_evaluate_options;
nacre_result nacre_evaluate_with(nacre_model *model, nacre_evaluate_options options);

typedef struct nacre_predict_options {
	nacre_dataset *data;
	int64_t batch_size;     /* 32 */
	int verbose;            /* nacre_verbose */
	nacre_tensor **outputs; /* NULL, or room for every output */
	nacre_callback callbacks[NACRE_MAX_CALLBACKS];
} nacre_predict_options;
/* The first output for all samples, [n, ...]; the caller frees it.  With .outputs the others come
 * too, and [0] is what is returned.  NULL after an error. */
nacre_tensor *nacre_predict_with(nacre_model *model, nacre_predict_options options);
/* the same for one input given as a tensor */
nacre_tensor *nacre_predict_tensor(nacre_model *model, const nacre_tensor *x);

/* One step on all samples of a data set as one batch; the result is from before the update. */
nacre_result nacre_train_on_batch(nacre_model *model, nacre_dataset *batch);
nacre_result nacre_test_on_batch(nacre_model *model, nacre_dataset *batch);

int64_t nacre_iterations(const nacre_model *model); /* steps trained since compile */
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
