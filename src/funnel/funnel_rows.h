/*
 * The tally of a funnel as an array of funnel_step.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_ROWS_H
#define AM_FUNNEL_ROWS_H

#include "common/compat.h"

#include "access/htup.h"
#include "access/tupdesc.h"
#include "fmgr.h"
#include "lib/stringinfo.h"

#include "funnel/funnel_tally.h"

/* Writes which kinds of a step do not occur, if it is known; nothing if all do */
typedef void (*AmAbsentKinds) (void *arg, int step, StringInfo note);

/* One funnel_step for each step; finishes the tally */
extern void am_funnel_form_rows(AmFunnelTally *tally, AmAbsentKinds absent, void *arg,
								TupleDesc columns, HeapTuple *steps);

/* For a function that returns funnel_step[] */
extern Datum am_funnel_rows(FunctionCallInfo fcinfo, AmFunnelTally *tally, AmAbsentKinds absent, void *arg);

#endif							/* AM_FUNNEL_ROWS_H */
