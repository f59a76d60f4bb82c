/*
 * See query_plan.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/query_plan.h"

#include "catalog/pg_class.h"
#include "catalog/pg_proc.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "parser/analyze.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"

#include "events/table_scan.h"

static bool
is_unsafe_function(Oid function, void *context)
{
	return func_parallel(function) != PROPARALLEL_SAFE || func_volatile(function) == PROVOLATILE_VOLATILE;
}

/* Does a query choose among rows, or number them? */
static bool
has_choice(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		return query->limitCount || query->limitOffset || query->windowClause != NIL || query->hasDistinctOn ||
			query_tree_walker(query, has_choice, context, 0);
	}
	return expression_tree_walker(node, has_choice, context);
}

/* A subquery that has one answer for all rows: every process asks it, and may see what it chooses from in another order */
static bool
is_unsteady(Node *node)
{
	Node	   *query;

	if (!IsA(node, SubLink))
		return false;
	query = ((SubLink *) node)->subselect;
	return !contain_vars_of_level(query, 1) && has_choice(query, NULL);
}

/* What a worker may not do, or what would not give the same rows there */
static bool
has_unsafe_part(Node *node, void *context)
{
	if (!node)
		return false;
	if (IsA(node, NextValueExpr) || IsA(node, CoerceToDomain) || IsA(node, TableSampleClause) || is_unsteady(node))
		return true;
	if (check_functions_in_node(node, is_unsafe_function, context))
		return true;
	if (IsA(node, Query))
	{
		Query	   *query = (Query *) node;

		return query->rowMarks != NIL || query->hasModifyingCTE ||
			query_tree_walker(query, has_unsafe_part, context, 0);
	}
	return expression_tree_walker(node, has_unsafe_part, context);
}

static Plan *
plan_below(Plan *plan)
{
	return IsA(plan, SubqueryScan) ? ((SubqueryScan *) plan)->subplan : outerPlan(plan);
}

static List *
plans_of(Plan *plan)
{
	return IsA(plan, Append) ? ((Append *) plan)->appendplans :
		IsA(plan, MergeAppend) ? ((MergeAppend *) plan)->mergeplans : NIL;
}

/* Would each process that runs it get the same rows?  Not where the order of rows decides, which the plan leaves open. */
static bool
is_repeatable(Plan *plan)
{
	ListCell   *cell;

	if (!plan)
		return true;
	switch (nodeTag(plan))
	{
		case T_Result:
		case T_SeqScan:
		case T_IndexScan:
		case T_IndexOnlyScan:
		case T_BitmapHeapScan:
		case T_ValuesScan:
		case T_FunctionScan:
		case T_SubqueryScan:
		case T_Append:
		case T_MergeAppend:
		case T_NestLoop:
		case T_MergeJoin:
		case T_HashJoin:
		case T_Hash:
		case T_Material:
		case T_Memoize:
		case T_Sort:
		case T_IncrementalSort:
		case T_Agg:
			break;
		case T_BitmapIndexScan:
		case T_BitmapAnd:
		case T_BitmapOr:
			return true;
		default:
			return false;
	}
	foreach(cell, plans_of(plan))
		if (!is_repeatable(lfirst(cell)))
			return false;
	return is_repeatable(plan_below(plan)) && is_repeatable(innerPlan(plan));
}

static bool
has_unsafe_node(Plan *plan, const PlannedStmt *statement)
{
	ListCell   *cell;

	if (!plan || IsA(plan, BitmapAnd) || IsA(plan, BitmapOr))
		return false;
	if (IsA(plan, ForeignScan) || IsA(plan, CustomScan) || IsA(plan, Gather) || IsA(plan, GatherMerge))
		return true;
	/* every process runs these for itself */
	foreach(cell, plan->initPlan)
		if (!is_repeatable(list_nth(statement->subplans, lfirst_node(SubPlan, cell)->plan_id - 1)))
			return true;
	foreach(cell, plans_of(plan))
		if (has_unsafe_node(lfirst(cell), statement))
			return true;
	return has_unsafe_node(plan_below(plan), statement) || has_unsafe_node(innerPlan(plan), statement);
}

static bool
is_shareable(Query *query, PlannedStmt *statement)
{
	ListCell   *cell;

	if (has_unsafe_part((Node *) query, NULL) || has_unsafe_node(statement->planTree, statement) || statement->rowMarks != NIL)
		return false;
	foreach(cell, statement->subplans)
		if (has_unsafe_node(lfirst(cell), statement))
			return false;
	/* children of partitioned tables among them */
	foreach(cell, statement->rtable)
	{
		RangeTblEntry *entry = lfirst(cell);

		if (entry->rtekind == RTE_RELATION &&
			(get_rel_persistence(entry->relid) == RELPERSISTENCE_TEMP || entry->relkind == RELKIND_FOREIGN_TABLE))
			return false;
	}
	return true;
}

/* A position in the query is no position in the statement that the client has sent */
static void
tell_query(void *query)
{
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position);
		internalerrquery(query);
	}
}

static Query *
analyze(const char *query, ParamListInfo parameters)
{
	ErrorContextCallback teller = {error_context_stack, tell_query, unconstify(char *, query)};
	List	   *parsed = pg_parse_query(query);
	Oid			types[AM_SCAN_MAX_COLUMNS];
	List	   *rewritten = NIL;
	Query	   *select = NULL;

	error_context_stack = &teller;
	Assert(parameters->numParams <= AM_SCAN_MAX_COLUMNS);
	for (int i = 0; i < parameters->numParams; i++)
		types[i] = parameters->params[i].ptype;
	if (list_length(parsed) == 1)
		rewritten = pg_analyze_and_rewrite_fixedparams(linitial_node(RawStmt, parsed), query, types, parameters->numParams, NULL);
	if (list_length(rewritten) == 1)
		select = linitial_node(Query, rewritten);
	error_context_stack = teller.previous;
	if (!select || select->commandType != CMD_SELECT || select->utilityStmt)
		ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("one SELECT is wanted")));
	return select;
}

AmQueryPlan
am_query_plan(const char *query, ParamListInfo parameters)
{
	Query	   *select = analyze(query, parameters);
	AmQueryPlan plan;

	/* planning scribbles on its input */
	plan.statement = pg_plan_query(copyObject(select), query, 0, parameters);
	if (!CommandIsReadOnly(plan.statement))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("a query of events may only read"),
				 errhint("Leave out FOR UPDATE and the like, and WITH clauses that write.")));
	plan.statement->jitFlags = PGJIT_NONE;
	plan.shareable = is_shareable(select, plan.statement);
	return plan;
}

/* As a worker reads it: before 16 a plan that is handed over has costs of two digits */
static Cost
handed_over(Cost cost)
{
	char	   *digits = psprintf("%.2f", cost);

	cost = strtod(digits, NULL);
	pfree(digits);
	return cost;
}

bool
am_is_joined_scan(Plan *plan)
{
	Cost		inner_cost = 0;

	if (!IsA(plan, HashJoin))
		return false;
	for (; IsA(plan, HashJoin); plan = outerPlan(plan))
	{
		JoinType	type = ((HashJoin *) plan)->join.jointype;

		if (plan->parallel_aware || !is_repeatable(innerPlan(plan)) ||
			(type != JOIN_INNER && type != JOIN_LEFT && type != JOIN_SEMI && type != JOIN_ANTI))
			return false;
		inner_cost += handed_over(innerPlan(plan)->total_cost);
	}
	return IsA(plan, SeqScan) && inner_cost * 4 <= handed_over(plan->total_cost);
}

/* The cost of the largest branch that one process has to run */
static Cost
largest_branch(Plan *plan)
{
	Cost		largest = 0;
	ListCell   *cell;

	if (IsA(plan, SubqueryScan) && plan->qual == NIL)
		return largest_branch(((SubqueryScan *) plan)->subplan);
	if (!IsA(plan, Append))
		return IsA(plan, SeqScan) || am_is_joined_scan(plan) ? 0 : plan->total_cost;
	foreach(cell, ((Append *) plan)->appendplans)
		largest = Max(largest, largest_branch(lfirst(cell)));
	return largest;
}

bool
am_query_has_branches(const char *query, ParamListInfo parameters)
{
	Query	   *select = analyze(query, parameters);
	/* for any values: a range of time that excludes all rows would hide what the query is */
	PlannedStmt *statement = pg_plan_query(copyObject(select), query, 0, NULL);
	Plan	   *plan = statement->planTree;

	while (IsA(plan, SubqueryScan) && plan->qual == NIL)
		plan = ((SubqueryScan *) plan)->subplan;
	if (!IsA(plan, Append) && !IsA(plan, SeqScan))
		return false;
	/* one branch is most of it: the planner may know how to divide that */
	return largest_branch(plan) * 2 <= plan->total_cost ||
		!pg_plan_query(select, query, CURSOR_OPT_PARALLEL_OK, NULL)->parallelModeNeeded;
}

int
am_query_columns(const PlannedStmt *statement)
{
	return ExecCleanTargetListLength(statement->planTree->targetlist);
}

Oid
am_query_column_type(const PlannedStmt *statement, int column)
{
	return getBaseType(exprType((Node *) list_nth_node(TargetEntry, statement->planTree->targetlist, column)->expr));
}

int
am_workers_for_pages(double pages)
{
	int			workers;
	double		threshold = Max(min_parallel_table_scan_size, 1);

	if (pages < min_parallel_table_scan_size)
		return 0;
	for (workers = 1; pages >= threshold * 3 && workers < max_parallel_workers_per_gather; workers++)
		threshold *= 3;
	return Min(workers, max_parallel_workers_per_gather);
}
