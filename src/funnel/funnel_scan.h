/*
 * A funnel over a plain table, read below the executor: by one process
 * (funnel_scan.c) or by several (funnel_parallel.c).
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_SCAN_H
#define AM_FUNNEL_SCAN_H

#include "common/compat.h"

#include "access/htup.h"
#include "fmgr.h"
#include "storage/dsm.h"
#include "storage/shm_toc.h"

#include "events/table_scan.h"
#include "funnel/funnel_state.h"

/* Columns of an events table, in the order they are asked for */
enum
{
	AM_EVENT_ENTITY, AM_EVENT_AT, AM_EVENT_KIND, AM_EVENT_STATUS, AM_EVENT_COLUMNS
};

/* What is asked, the same for all processes that work on it; flat, for shared memory */
typedef struct AmFunnelQuestion
{
	Oid			table;
	int			n_columns;		/* without a status every event counts as done */
	AmTableColumn columns[AM_EVENT_COLUMNS];
	bool		has_since;
	bool		has_as_of;
	TimestampTz since;			/* attempts start in [since, entry_until) */
	TimestampTz as_of;
	TimestampTz entry_until;	/* DT_NOEND = no bound */
} AmFunnelQuestion;

extern AmEntityType am_funnel_entity_type(const AmFunnelQuestion *question);
extern AmFunnelState *am_funnel_question_state(const AmFunnelQuestion *question, text *spec_text, AmEventLog *log);

/* Reads the table into the state's log; parallel: NULL, or this process's part of a shared scan */
extern void am_funnel_fill(const AmFunnelQuestion *question, AmFunnelState *state, Relation relation,
						   Snapshot snapshot, ParallelTableScanDesc parallel);

/* With workers, where they are allowed, worth it and to be had; else false */
extern bool am_funnel_parallel(const AmFunnelQuestion *question, text *spec_text, Relation relation, Snapshot snapshot,
							   TupleDesc columns, HeapTuple *steps, int *n_steps);

/* What a worker does */
extern PGDLLEXPORT void am_funnel_worker(dsm_segment *segment, shm_toc *toc);

#endif							/* AM_FUNNEL_SCAN_H */
