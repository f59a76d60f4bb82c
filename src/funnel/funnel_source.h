/*
 * Where a funnel reads its events below the executor: a plain table, or the
 * branches of a query.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_FUNNEL_SOURCE_H
#define AM_FUNNEL_SOURCE_H

#include "common/compat.h"

#include "storage/spin.h"

#include "events/query_plan.h"
#include "events/query_scan.h"
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
	Oid			table;			/* invalid: a query */
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

/* What all processes that read events have seen so far */
typedef struct AmFunnelSeen
{
	slock_t		mutex;
	bool		has_events;
	TimestampTz latest;
	int			n_absent;		/* kinds of the specification */
	bool		is_present[AM_FUNNEL_MAX_KINDS];
} AmFunnelSeen;

/* Where events are read: a table or a query, and what processes that read it share */
typedef struct AmFunnelSource
{
	AmFunnelSeen *seen;
	Relation	relation;
	Snapshot	snapshot;
	ParallelTableScanDesc shared_scan;
	AmQueryPlan plan;
	const char *query_text;
	AmQueryScan *query;
	AmQueryShare *shared_query;
} AmFunnelSource;

/* Reads it into the state's log, or this process's part of it */
extern void am_funnel_fill(const AmFunnelQuestion *question, AmFunnelState *state, const AmFunnelSource *source);

/* Tells the others what this process has seen, and is told */
extern void am_funnel_seen_init(AmFunnelSeen *seen, const AmFunnelSpec *spec);
extern void am_funnel_seen_exchange(AmFunnelSeen *seen, AmFunnelState *state);

#endif							/* AM_FUNNEL_SOURCE_H */
