/*
 * The tally of a funnel as an array of funnel_step.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_ROWS_H
#define AM_FUNNEL_ROWS_H

#include "common/compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

#include "funnel/funnel_tally.h"

/* Writes which kinds of a step do not occur, if it is known; nothing if all do */
typedef void (*AmAbsentKinds) (void *arg, int step, StringInfo note);

/* For a function that returns funnel_step[]; finishes the tally */
extern Datum am_funnel_rows(FunctionCallInfo fcinfo, AmFunnelTally *tally, AmAbsentKinds absent, void *arg);

#endif							/* AM_FUNNEL_ROWS_H */
