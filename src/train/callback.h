/* SPDX-License-Identifier: MIT
 *
 * callback.h - the inside of callbacks: calling them, and what the objects of the library share.
 */
#ifndef NC_TRAIN_CALLBACK_H
#define NC_TRAIN_CALLBACK_H

#include "train/model.h"

/* Calls `event` of every callback of the array, those that come last at the end; a nonzero answer
 * sets `stop`. */
#define NC_CALL(callbacks, stop, event, ...)                                                       \
	do {                                                                                       \
		const nacre_callback *c_ = (callbacks);                                            \
		for (int k_ = 0; c_ && k_ < 2 * NACRE_MAX_CALLBACKS; k_++) {                       \
			const nacre_callback *d_ = &c_[k_ % NACRE_MAX_CALLBACKS];                  \
			bool now_ = !d_->last == (k_ < NACRE_MAX_CALLBACKS);                       \
			if (!nc_is_callback(d_))                                                   \
				k_ = k_ < NACRE_MAX_CALLBACKS ? NACRE_MAX_CALLBACKS - 1            \
							      : 2 * NACRE_MAX_CALLBACKS;           \
			else if (now_ && d_->event && d_->event(d_->context, ##__VA_ARGS__))       \
				(stop) = true;                                                     \
		}                                                                                  \
	} while (0)

bool nc_is_callback(const nacre_callback *c); /* not all zero */
/* The call that they were given to is over. */
void nc_callbacks_release(const nacre_callback *c);

/* -- objects: each context begins with one ----------------------------------------------------- */
typedef struct nc_object {
	nc_memory *memory;
	size_t size;
	nc_arena arena;
	nacre_error error; /* of the options: told when training begins */
} nc_object;

/* A context of `size` bytes, zero but for its nc_object; NULL: no memory. */
void *nc_object_new(size_t size);
void nc_object_release(void *object); /* fits nacre_callback.release */
/* The model takes over what is wrong with the object; true if there is something. */
bool nc_object_bad(nc_object *o, nacre_model *m);
/* A copy of a string of the options, or of `number` if it is NULL. */
char *nc_object_string(nc_object *o, const char *s, const char *number);
/* The callback that says that there was no memory for a callback. */
nacre_callback nc_no_callback(void);

/* -- a value that is to get better ------------------------------------------------------------- */
typedef struct nc_monitor {
	const char *what, *name; /* "early_stopping", "val_loss" */
	nacre_direction direction;
	double min_delta;
	bool told; /* that the value is not there */
} nc_monitor;
/* Finds the direction where it is AUTO; false: the model has an error now. */
bool nc_monitor_begin(nc_monitor *a, nacre_model *m);
/* The value; false: there is none, of which the user is told once. */
bool nc_monitor_get(nc_monitor *a, nacre_model *m, const nacre_logs *logs, double *value);
/* v is better than the best so far (NaN: there was none) by more than min_delta. */
bool nc_monitor_better(const nc_monitor *a, double v, double best);

/* -- text -------------------------------------------------------------------------------------- */
/* As Python prints a float: the fewest digits that give the same number back. */
typedef struct nc_digits {
	char text[40];
} nc_digits;
nc_digits nc_double_text(double x);
/* Makes the folders of a path; `whole`: the path itself is one. */
nacre_status nc_make_folders(const char *path, bool whole, nacre_error *e);

/* -- checkpoints (checkpoint.c) ---------------------------------------------------------------- */
nacre_status nc_checkpoint_save(nacre_model *m, const char *path, nacre_error *e);
/* Changes nothing unless the file is sound and fits; a file that is not sound gives BAD_DATA or IO,
 * one that does not fit BAD_MODEL. */
nacre_status nc_checkpoint_load(nacre_model *m, const char *path, nacre_error *e);

#endif
