/*
 * The rows of a query, branch by branch, by one process or by several.
 *
 * A view of events is mostly a UNION ALL, and a partitioned table a union of
 * partitions.  The planner plans such a query, and the executor sees to its
 * rights and runs what is below the union; but its rows are taken where the
 * branches make them, not carried through the nodes above, and what is a scan
 * of a table is read as table_scan.h does.  Several processes share such
 * scans page by page; any other branch is run by one of them.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_QUERY_SCAN_H
#define AM_QUERY_SCAN_H

#include "common/compat.h"

#include "datatype/timestamp.h"
#include "nodes/plannodes.h"
#include "utils/snapshot.h"

#include "events/table_scan.h"

/* One process's end of a query that runs */
typedef struct AmQueryScan AmQueryScan;

/* In shared memory: which branches are taken, and scans that are shared */
typedef struct AmQueryShare AmQueryShare;

/* As many workers as the planner would take to read all its tables */
extern int	am_query_workers(const AmQueryScan *scan);

/* Checks the rights and makes ready a query of at most AM_SCAN_MAX_COLUMNS.  query: its text, for messages. */
extern AmQueryScan *am_query_scan_begin(PlannedStmt *statement, const char *query);
extern void am_query_scan_end(AmQueryScan *scan);

extern Size am_query_share_size(const AmQueryScan *scan, Snapshot snapshot);
extern void am_query_share_init(const AmQueryScan *scan, AmQueryShare *share, Snapshot snapshot);

/*
 * What the visitor wants to see at any rate: rows of some kinds.  A branch that
 * cannot have any of them is left to the end, and read only if it is wanted
 * then: its times are in a range.
 */
typedef struct AmKindName
{
	const char *name;
	int			length;
} AmKindName;

typedef struct AmTimeRange
{
	TimestampTz earliest;
	TimestampTz latest;			/* before the earliest: there are none */
} AmTimeRange;

typedef struct AmWantedKinds
{
	int			n_kinds;
	AmKindName *kinds;
	int			kind;			/* columns of the query, from 0 */
	int			at;
	bool		(*wants_others) (void *arg, const AmTimeRange *times);
} AmWantedKinds;

/* Visits all rows; with a share, those of the branches and pages that this process takes */
extern void am_query_scan_run(AmQueryScan *scan, AmQueryShare *share, const AmWantedKinds *wanted,
							  AmRowVisitor visit, void *arg);

#endif							/* AM_QUERY_SCAN_H */
