/*
 * Plans of queries for query_scan.h: what can be read branch by branch, and
 * whether several processes can do it.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_QUERY_PLAN_H
#define AM_QUERY_PLAN_H

#include "common/compat.h"

#include "nodes/params.h"
#include "nodes/plannodes.h"

typedef struct AmQueryPlan
{
	PlannedStmt *statement;
	bool		shareable;		/* any process would get the same rows, if it ran a branch */
} AmQueryPlan;

/* Plans a SELECT, whose parameters are given; an error if it is anything else */
extern AmQueryPlan am_query_plan(const char *query, ParamListInfo parameters);

/* Whether it is planned as a union of branches, or a scan, whatever its parameters: what this is made for */
extern bool am_query_has_branches(const char *query, ParamListInfo parameters);

extern int	am_query_columns(const PlannedStmt *statement);

/* The type of a column; of a domain its base type */
extern Oid	am_query_column_type(const PlannedStmt *statement, int column);

/*
 * Hash joins whose outer side, at the bottom, is a scan of a table: what it
 * finds can be kept and fed to them.  Each process joins its own rows, and so
 * has to hash the inner sides itself: they should cost little beside the scan.
 */
extern bool am_is_joined_scan(Plan *plan);

/* As many as the planner would take to read that much */
extern int	am_workers_for_pages(double pages);

#endif							/* AM_QUERY_PLAN_H */
