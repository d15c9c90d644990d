/* SPDX-License-Identifier: MIT
 *
 * schedule.h - what others must know of schedules: whether one can be, and its numbers.
 */
#ifndef NC_NN_SCHEDULE_H
#define NC_NN_SCHEDULE_H

#include "base/base.h"
#include "nacre/schedule.h"

/* A schedule without a function passes: there is none. */
nacre_status nc_schedule_check(const nacre_schedule *s, nacre_error *e);

#endif
