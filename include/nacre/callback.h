/* SPDX-License-Identifier: MIT
 *
 * nacre/callback.h - what happens beside training: stopping, saving, logging, learning rates.
 *
 *     nacre_fit(m, train, .epochs = 100, .validation_data = test, .callbacks = {
 *             nacre_early_stopping(.patience = 3, .restore_best_weights = 1),
 *             nacre_model_checkpoint("best-{epoch:02d}-{val_loss:.2f}.safetensors",
 *                                    .save_best_only = 1),
 *             nacre_backup_and_restore("backup"),
 *             nacre_csv_logger("log.csv") });
 *
 * Each of these makes an object that belongs to the call it is given to, which releases it at its
 * end, whatever happens: it serves once, and nothing is to be freed.  Making one cannot fail
 * visibly; what is wrong with its options is told when training begins.  Names, defaults and rules
 * are Keras's; where 0 itself is wanted but is not the default, give NACRE_ZERO.
 *
 * Your own callback is a struct of functions: see nacre_callback.
 */
#ifndef NACRE_CALLBACK_H
#define NACRE_CALLBACK_H

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct nacre_model nacre_model;

/* Names and values so far: "loss", the metrics, at the end of an epoch also "val_loss" ... */
typedef struct nacre_logs {
	int n;
	const char *const *name;
	const double *value;
} nacre_logs;
/* The value of that name; NaN: there is none. */
double nacre_logs_get(const nacre_logs *logs, const char *name);
/* From on_epoch_end: one more value of this epoch (or another for one that is there), for the
 * callbacks that come after and for the history.  At most 6 names. */
nacre_status nacre_log_value(nacre_model *model, const char *name, double value);

/* What a checkpoint must hold so that a resumed training goes on exactly: `size` plain bytes, and
 * tensors.  They are read when a checkpoint is written, and filled in when training resumes, after
 * on_train_begin; the tensors must have the same types and shapes then. */
typedef struct nacre_callback_state {
	void *data;
	size_t size;
	int n_tensors;
	nacre_tensor *const *tensors;
} nacre_callback_state;

/* Any may be NULL.  Epochs and batches count from 0.  A nonzero return stops: training after this
 * batch or epoch, an evaluation or prediction after this batch (predictions of the rest are 0).
 * The model may be evaluated, saved and looked at meanwhile, not trained or freed.  Validation
 * within fit calls the _test_ hooks.  When training resumes in the middle of an epoch,
 * on_epoch_begin is not called for it again. */
typedef struct nacre_callback {
	void *context;
	int (*on_train_begin)(void *context, nacre_model *model);
	int (*on_train_end)(void *context, nacre_model *model, const nacre_logs *logs);
	int (*on_epoch_begin)(void *context, nacre_model *model, int epoch);
	int (*on_epoch_end)(void *context, nacre_model *model, int epoch, const nacre_logs *logs);
	/* batches of training: both names are called */
	int (*on_batch_begin)(void *context, nacre_model *model, int64_t batch);
	int (*on_batch_end)(void *context, nacre_model *model, int64_t batch,
			    const nacre_logs *logs);
	int (*on_train_batch_begin)(void *context, nacre_model *model, int64_t batch);
	int (*on_train_batch_end)(void *context, nacre_model *model, int64_t batch,
				  const nacre_logs *logs);
	int (*on_test_begin)(void *context, nacre_model *model);
	int (*on_test_end)(void *context, nacre_model *model, const nacre_logs *logs);
	int (*on_test_batch_begin)(void *context, nacre_model *model, int64_t batch);
	int (*on_test_batch_end)(void *context, nacre_model *model, int64_t batch,
				 const nacre_logs *logs);
	int (*on_predict_begin)(void *context, nacre_model *model);
	int (*on_predict_end)(void *context, nacre_model *model);
	int (*on_predict_batch_begin)(void *context, nacre_model *model, int64_t batch);
	int (*on_predict_batch_end)(void *context, nacre_model *model, int64_t batch);

	void (*release)(void *context); /* the call it was given to ends */
	nacre_callback_state (*state)(void *context);
	const char *name; /* finds the state again: "early_stopping" */
	int last;         /* 1: its hooks are called after those of the others */
} nacre_callback;

enum { NACRE_MAX_CALLBACKS = 8 };

/* Which way a monitored value gets better.  AUTO knows "loss", the losses and the metrics of
 * Nacre by their names, with or without "val_"; for your own say which. */
typedef enum nacre_direction { NACRE_DIRECTION_AUTO, NACRE_MIN, NACRE_MAX } nacre_direction;

/* -- early stopping: ends training when a value has not become better for `patience` epochs -------
 * Better: by more than min_delta.  Whether it stopped or not, at the end the weights of the best
 * epoch come back if that is wanted. */
typedef struct nacre_early_stopping_options {
	int reserved;        /* 0 */
	const char *monitor; /* "val_loss" */
	double min_delta;
	int patience; /* 0: at the first epoch that is not better */
	int verbose;  /* 1: says so */
	nacre_direction mode;
	double baseline; /* 0: none; else being better counts only beyond this */
	int restore_best_weights;
	int start_from_epoch; /* epochs before are not looked at */
} nacre_early_stopping_options;
nacre_callback nacre_early_stopping_new(nacre_early_stopping_options options);

/* -- reduce the learning rate when a value has not become better for `patience` epochs ------------
 * rate = max(rate factor, min_lr); then for `cooldown` epochs nothing is counted.  Logs
 * "learning_rate". */
typedef struct nacre_reduce_lr_on_plateau_options {
	int reserved;        /* 0 */
	const char *monitor; /* "val_loss" */
	double factor;       /* 0.1; below 1 */
	int patience;        /* 10 */
	int verbose;
	nacre_direction mode;
	double min_delta; /* 0.0001; NACRE_ZERO for 0 */
	int cooldown;
	double min_lr;
} nacre_reduce_lr_on_plateau_options;
nacre_callback nacre_reduce_lr_on_plateau_new(nacre_reduce_lr_on_plateau_options options);

/* -- the learning rate of each epoch by a function of the epoch and the rate so far ---------------
 * Logs "learning_rate".  Not together with a schedule of the optimizer. */
typedef double nacre_rate_function(void *context, int epoch, double rate);
typedef struct nacre_learning_rate_scheduler_options {
	nacre_rate_function *function;
	void *context;
	int verbose;
} nacre_learning_rate_scheduler_options;
nacre_callback nacre_learning_rate_scheduler_new(nacre_learning_rate_scheduler_options options);

/* -- stops when the loss is no finite number any more ------------------------------------------ */
nacre_callback nacre_terminate_on_nan(void);

/* -- saves the model, as nacre_save(), at the end of epochs or every save_freq batches ------------
 * In the path "{epoch}", "{batch}" (both from 1) and the names of the logs are replaced, in
 * Python's form: "{epoch:02d}", "{val_loss:.2f}".  Folders on the way are made. */
typedef struct nacre_model_checkpoint_options {
	const char *path;
	const char *monitor; /* "val_loss" */
	int verbose;
	int save_best_only; /* 1: only when the monitored value is better than ever, or not there */
	nacre_direction mode;
	int64_t save_freq;              /* 0: every epoch; else every so many batches */
	double initial_value_threshold; /* 0: none; else what the first best must be better than */
} nacre_model_checkpoint_options;
nacre_callback nacre_model_checkpoint_new(nacre_model_checkpoint_options options);

/* -- resuming: checkpoints in a folder of its own, from which an interrupted fit goes on ----------
 * The same program, run again, continues where the newest checkpoint was written, and ends with the
 * very bits that it would have ended with: a checkpoint holds weights, the optimizer's moments,
 * seed and step, the epoch with its order of samples and place in it, running metrics, history,
 * learning rate, and the state of the other callbacks.  Killing the process or the machine at any
 * moment costs no more than the steps since: files are replaced as a whole, each has a checksum
 * over all its bytes, and the newest that is sound is taken.  If there are checkpoints but none is
 * sound, or it was made by another model, optimizer or data size, fit fails and says why.
 * When fit ends well, the checkpoints are deleted. */
typedef struct nacre_backup_and_restore_options {
	const char *folder; /* made if it is not there; for one model alone */
	int64_t save_freq;  /* 0: every epoch; else every so many batches, and every epoch */
	int keep;           /* 2: how many checkpoints stay */
	int keep_at_end;    /* 1: they also stay after fit ended well */
	int verbose;
} nacre_backup_and_restore_options;
nacre_callback nacre_backup_and_restore_new(nacre_backup_and_restore_options options);

/* The same file for a training loop of your own (nacre_train_on_batch): weights, moments, steps,
 * seed, learning rate.  The model must be compiled. */
nacre_status nacre_checkpoint_save(nacre_model *model, const char *path);
nacre_status nacre_checkpoint_load(nacre_model *model, const char *path);

/* -- a table of the epochs: "epoch,accuracy,loss,val_accuracy,val_loss" ---------------------------
 * epoch counts from 0; then the logs by name; "NA" where an epoch has none.  Every row is on the
 * disk's way when the epoch ends.  Without validation in the first epoch there are columns for it
 * all the same, as in Keras. */
typedef struct nacre_csv_logger_options {
	const char *path;
	const char *separator; /* "," */
	int append;            /* 1: goes on with a file that is there, without a second header */
} nacre_csv_logger_options;
nacre_callback nacre_csv_logger_new(nacre_csv_logger_options options);

/* -- event files for TensorBoard, in FOLDER/train and FOLDER/validation ---------------------------
 * Scalars of each epoch: "epoch_loss", ..., "epoch_learning_rate"; with update_freq also
 * "batch_loss" ...; of evaluations "evaluation_loss_vs_iterations" ...  Weights as
 * "dense/kernel/histogram"; the layers as a graph. */
typedef struct nacre_tensorboard_options {
	const char *folder;  /* "logs" */
	int histogram_freq;  /* 0: none; else every so many epochs */
	int no_graph;        /* 1: the graph is left out */
	int64_t update_freq; /* 0: every epoch; else also every so many batches */
} nacre_tensorboard_options;
nacre_callback nacre_tensorboard_new(nacre_tensorboard_options options);

#ifndef __cplusplus
#define nacre_early_stopping(...)                                                                  \
	nacre_early_stopping_new((nacre_early_stopping_options){.reserved = 0, __VA_ARGS__})
#define nacre_reduce_lr_on_plateau(...)                                                            \
	nacre_reduce_lr_on_plateau_new(                                                            \
	    (nacre_reduce_lr_on_plateau_options){.reserved = 0, __VA_ARGS__})
#define nacre_learning_rate_scheduler(...)                                                         \
	nacre_learning_rate_scheduler_new(                                                         \
	    (nacre_learning_rate_scheduler_options){.function = __VA_ARGS__})
#define nacre_model_checkpoint(...)                                                                \
	nacre_model_checkpoint_new((nacre_model_checkpoint_options){.path = __VA_ARGS__})
#define nacre_backup_and_restore(...)                                                              \
	nacre_backup_and_restore_new((nacre_backup_and_restore_options){.folder = __VA_ARGS__})
#define nacre_csv_logger(...) nacre_csv_logger_new((nacre_csv_logger_options){.path = __VA_ARGS__})
#define nacre_tensorboard(...)                                                                     \
	nacre_tensorboard_new((nacre_tensorboard_options){.folder = __VA_ARGS__})
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
