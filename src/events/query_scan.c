/*
 * See query_scan.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "events/query_scan.h"

#include "access/sysattr.h"
#include "access/tableam.h"
#include "catalog/pg_am_d.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type_d.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "port/atomics.h"
#include "rewrite/rewriteManip.h"
#include "storage/bufmgr.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "events/query_plan.h"
#include "events/stage_kind.h"

/* A part of the plan that makes rows, and where they have the columns of the query */
typedef struct Branch
{
	PlanState  *state;
	AttrNumber	columns[AM_SCAN_MAX_COLUMNS];	/* of the branch's rows, from 1 */

	/* A branch that is a scan of a table which table_scan.h can do, or joins small things to such a scan */
	SeqScanState *scan;			/* else NULL */
	bool	   *wanted;			/* attributes that are read */
	ProjectionInfo *projection; /* of a scan that is not joined */
	HashJoinState *join;		/* that the scan is the outer side of; NULL = it is the branch */
	bool	   *excludes;		/* branches of the table, from the first, that have no row which this one has */
	Tuplestorestate *rows;		/* that the scan has found for the join */
} Branch;

struct AmQueryScan
{
	QueryDesc  *query;
	MemoryContext scratch;		/* of a row */
	int			n_columns;
	bool		is_varlena[AM_SCAN_MAX_COLUMNS];
	int			n_branches;
	Branch	   *branches;		/* scans last, those of a table together */
	int			n_plans;		/* of them no scans */
	int			n_tables;		/* that are scanned */
	int		   *tables;			/* for each the first branch; and the end */
	double		pages;			/* of all tables */
};

struct AmQueryShare
{
	pg_atomic_uint32 next;		/* of plans */
	int			n_branches;		/* which every process has to find */
	int			n_plans;
	int			n_tables;
	Size		scans;			/* of the tables: where, from the start of the share */
	Size		scan_size;
	int			plans[FLEXIBLE_ARRAY_MEMBER];	/* branches that are no scans, the dearest first */
};

int
am_query_workers(const AmQueryScan *scan)
{
	if (scan->n_tables == 0 && scan->n_branches == 1)
		return 0;
	return am_workers_for_pages(scan->pages);
}

/*
 * Finding the branches
 */

/* The attributes that a scan needs; false if it needs more than attributes */
static bool
find_wanted(Branch *branch, const List *targets)
{
	const Scan *plan = (const Scan *) branch->scan->ss.ps.plan;
	Bitmapset  *numbers = NULL;
	int			number = -1;

	pull_varattnos((Node *) targets, plan->scanrelid, &numbers);
	pull_varattnos((Node *) plan->plan.qual, plan->scanrelid, &numbers);
	branch->wanted = palloc0(RelationGetDescr(branch->scan->ss.ss_currentRelation)->natts * sizeof(bool));
	while ((number = bms_next_member(numbers, number)) >= 0)
	{
		AttrNumber	attribute = (AttrNumber) (number + FirstLowInvalidHeapAttributeNumber);

		if (attribute <= 0)
			return false;
		branch->wanted[attribute - 1] = true;
	}
	return true;
}

static SeqScanState *
scan_of_heap(PlanState *state)
{
	SeqScanState *scan = (SeqScanState *) state;
	const FormData_pg_class *relation;

	if (!IsA(state, SeqScanState) || state->plan->parallel_aware || !scan->ss.ss_currentRelation)
		return NULL;
	relation = scan->ss.ss_currentRelation->rd_rel;
	return (relation->relkind == RELKIND_RELATION || relation->relkind == RELKIND_MATVIEW) &&
		relation->relam == HEAP_TABLE_AM_OID ? scan : NULL;
}

/* A branch that is a scan of a table makes the columns of the query and no others */
static bool
prepare_scan(Branch *branch, int n_columns)
{
	PlanState  *state = branch->state;
	List	   *targets = NIL;

	MemoryContext caller;

	branch->scan = scan_of_heap(state);
	if (!branch->scan)
		return false;
	/* the executor's lists grow */
	caller = MemoryContextSwitchTo(state->state->es_query_cxt);
	for (int c = 0; c < n_columns; c++)
	{
		TargetEntry *target = list_nth_node(TargetEntry, state->plan->targetlist, branch->columns[c] - 1);

		targets = lappend(targets, makeTargetEntry(target->expr, (AttrNumber) (c + 1), NULL, false));
	}
	if (find_wanted(branch, targets))
	{
		branch->projection =
			ExecBuildProjectionInfo(targets, state->ps_ExprContext,
									ExecInitExtraTupleSlot(state->state, ExecTypeFromTL(targets), &TTSOpsVirtual),
									state, branch->scan->ss.ss_ScanTupleSlot->tts_tupleDescriptor);
		for (int c = 0; c < n_columns; c++)
			branch->columns[c] = (AttrNumber) (c + 1);
	}
	MemoryContextSwitchTo(caller);
	return branch->projection != NULL;
}

static bool
prepare_join(Branch *branch)
{
	PlanState  *state = branch->state;

	if (!am_is_joined_scan(state->plan))
		return false;
	for (; IsA(state, HashJoinState); state = outerPlanState(state))
		branch->join = (HashJoinState *) state;
	branch->scan = scan_of_heap(state);
	/* all that is known of a row is kept, but not where it is */
	return branch->scan && find_wanted(branch, state->plan->targetlist);
}

/* Where a subquery's rows have the columns; false if they are made from them */
static bool
map_columns(const List *targets, int n_columns, const AttrNumber *columns, AttrNumber *below)
{
	for (int c = 0; c < n_columns; c++)
	{
		Node	   *expression = (Node *) ((TargetEntry *) list_nth(targets, columns[c] - 1))->expr;

		/* the same bits under another type */
		while (IsA(expression, RelabelType))
			expression = (Node *) ((RelabelType *) expression)->arg;
		if (!IsA(expression, Var) || ((Var *) expression)->varattno <= 0)
			return false;
		below[c] = ((Var *) expression)->varattno;
	}
	return true;
}

static void
find_branches(AmQueryScan *scan, PlanState *state, const AttrNumber *columns)
{
	Branch	   *branch;

	if (IsA(state, AppendState))
	{
		AppendState *append = (AppendState *) state;

		if (!append->as_prune_state && append->as_nasyncplans == 0 && !state->plan->parallel_aware)
		{
			for (int i = 0; i < append->as_nplans; i++)
				find_branches(scan, append->appendplans[i], columns);
			return;
		}
	}
	else if (IsA(state, SubqueryScanState) && !state->qual)
	{
		AttrNumber	below[AM_SCAN_MAX_COLUMNS];

		if (map_columns(state->plan->targetlist, scan->n_columns, columns, below))
		{
			find_branches(scan, ((SubqueryScanState *) state)->subplan, below);
			return;
		}
	}

	scan->branches = scan->branches ? repalloc(scan->branches, (scan->n_branches + 1) * sizeof(Branch)) : palloc(sizeof(Branch));
	branch = &scan->branches[scan->n_branches++];
	memset(branch, 0, sizeof(Branch));
	branch->state = state;
	memcpy(branch->columns, columns, scan->n_columns * sizeof(AttrNumber));
	if (!prepare_scan(branch, scan->n_columns) && !prepare_join(branch))
	{
		branch->scan = NULL;
		branch->join = NULL;
	}
}

static Oid
table_of_branch(const Branch *branch)
{
	return branch->scan ? RelationGetRelid(branch->scan->ss.ss_currentRelation) : InvalidOid;
}

/* By table and place in the plan: every process comes to the same order */
static int
compare_branches(const void *a, const void *b)
{
	const Branch *left = a;
	const Branch *right = b;

	if (table_of_branch(left) != table_of_branch(right))
		return table_of_branch(left) < table_of_branch(right) ? -1 : 1;
	return left->state->plan->plan_node_id - right->state->plan->plan_node_id;
}

static void
order_branches(AmQueryScan *scan)
{
	qsort(scan->branches, scan->n_branches, sizeof(Branch), compare_branches);
	scan->tables = palloc((scan->n_branches + 1) * sizeof(int));
	for (int i = 0; i < scan->n_branches; i++)
	{
		if (!scan->branches[i].scan)
			scan->n_plans++;
		else if (i == 0 || table_of_branch(&scan->branches[i - 1]) != table_of_branch(&scan->branches[i]))
			scan->tables[scan->n_tables++] = i;
	}
	scan->tables[scan->n_tables] = scan->n_branches;
}

/* Do the conditions of one scan say that those of another of the table are not true? */
static bool
is_exclusive(const Branch *branch, const Branch *other)
{
	const Scan *plan = (const Scan *) branch->scan->ss.ps.plan;
	const Scan *other_plan = (const Scan *) other->scan->ss.ps.plan;
	List	   *conditions = plan->plan.qual;
	List	   *other_conditions = copyObject(other_plan->plan.qual);

	if (conditions == NIL || other_conditions == NIL ||
		contain_mutable_functions((Node *) conditions) || contain_mutable_functions((Node *) other_conditions))
		return false;
	/* the same table goes by another number */
	ChangeVarNodes((Node *) other_conditions, other_plan->scanrelid, plan->scanrelid, 0);
	return predicate_refuted_by(other_conditions, conditions, true) || predicate_refuted_by(conditions, other_conditions, true);
}

static void
find_exclusions(AmQueryScan *scan)
{
	for (int table = 0; table < scan->n_tables; table++)
	{
		Branch	   *branches = &scan->branches[scan->tables[table]];
		int			n = scan->tables[table + 1] - scan->tables[table];

		for (int i = 0; i < n; i++)
		{
			branches[i].excludes = palloc0(n * sizeof(bool));
			for (int other = i + 1; other < n; other++)
				branches[i].excludes[other] = is_exclusive(&branches[i], &branches[other]);
		}
	}
}

static double
count_pages(const EState *estate)
{
	double		pages = 0;

	for (Index i = 0; i < estate->es_range_table_size; i++)
		if (estate->es_relations[i] && RELKIND_HAS_STORAGE(estate->es_relations[i]->rd_rel->relkind))
			pages += RelationGetNumberOfBlocks(estate->es_relations[i]);
	return pages;
}

AmQueryScan *
am_query_scan_begin(PlannedStmt *statement, const char *query)
{
	AmQueryScan *scan = palloc0(sizeof(AmQueryScan));
	AttrNumber	columns[AM_SCAN_MAX_COLUMNS];
	TupleDesc	description;

	scan->scratch = AllocSetContextCreate(CurrentMemoryContext, "values of a query", ALLOCSET_SMALL_SIZES);
	scan->query = CreateQueryDesc(statement, query, GetActiveSnapshot(), InvalidSnapshot, None_Receiver, NULL, NULL, 0);
	ExecutorStart(scan->query, 0);
	description = scan->query->tupDesc;
	Assert(description->natts <= AM_SCAN_MAX_COLUMNS);
	scan->n_columns = description->natts;
	for (int c = 0; c < scan->n_columns; c++)
	{
		columns[c] = (AttrNumber) (c + 1);
		scan->is_varlena[c] = TupleDescAttr(description, c)->attlen == -1;
	}
	find_branches(scan, scan->query->planstate, columns);
	order_branches(scan);
	find_exclusions(scan);
	scan->pages = count_pages(scan->query->estate);
	return scan;
}

void
am_query_scan_end(AmQueryScan *scan)
{
	ExecutorFinish(scan->query);
	ExecutorEnd(scan->query);
	FreeQueryDesc(scan->query);
	MemoryContextDelete(scan->scratch);
}

/*
 * Sharing
 */

static Cost
cost_of(const AmQueryScan *scan, int branch)
{
	return scan->branches[branch].state->plan->total_cost;
}

static Size
head_size(const AmQueryScan *scan)
{
	return BUFFERALIGN(add_size(offsetof(AmQueryShare, plans), mul_size(scan->n_plans, sizeof(int))));
}

static Relation
table_of(const AmQueryScan *scan, int table)
{
	return scan->branches[scan->tables[table]].scan->ss.ss_currentRelation;
}

/* The same for all, as all are heaps */
static Size
scan_size(const AmQueryScan *scan, Snapshot snapshot)
{
	return scan->n_tables == 0 ? 0 : BUFFERALIGN(table_parallelscan_estimate(table_of(scan, 0), snapshot));
}

static ParallelTableScanDesc
shared_scan(AmQueryShare *share, int table)
{
	return share ? (ParallelTableScanDesc) ((char *) share + share->scans + table * share->scan_size) : NULL;
}

Size
am_query_share_size(const AmQueryScan *scan, Snapshot snapshot)
{
	return add_size(head_size(scan), mul_size(scan->n_tables, scan_size(scan, snapshot)));
}

void
am_query_share_init(const AmQueryScan *scan, AmQueryShare *share, Snapshot snapshot)
{
	pg_atomic_init_u32(&share->next, 0);
	share->n_branches = scan->n_branches;
	share->n_plans = scan->n_plans;
	share->n_tables = scan->n_tables;
	share->scans = head_size(scan);
	share->scan_size = scan_size(scan, snapshot);
	for (int i = 0; i < scan->n_plans; i++)
	{
		int			place = i;

		for (; place > 0 && cost_of(scan, share->plans[place - 1]) < cost_of(scan, i); place--)
			share->plans[place] = share->plans[place - 1];
		share->plans[place] = i;
	}
	for (int i = 0; i < scan->n_tables; i++)
		table_parallelscan_initialize(table_of(scan, i), shared_scan(share, i), snapshot);
}

/*
 * Running
 */

/* Rows on their way from a branch to the visitor */
typedef struct Passing
{
	AmQueryScan *scan;
	AmRowVisitor visit;
	void	   *arg;
	Branch	   *branches;		/* of a scan: all of the table */
	int			n_branches;
	TupleTableSlot *slot;		/* its attributes */
} Passing;

static pg_attribute_always_inline void
pass_row(Passing *passing, const Branch *branch, TupleTableSlot *slot)
{
	AmQueryScan *scan = passing->scan;
	Datum		values[AM_SCAN_MAX_COLUMNS];
	bool		nulls[AM_SCAN_MAX_COLUMNS];
	bool		scratch_used = false;

	for (int c = 0; c < scan->n_columns; c++)
	{
		int			place = branch->columns[c] - 1;

		values[c] = slot->tts_values[place];
		nulls[c] = slot->tts_isnull[place];
		if (scan->is_varlena[c] && !nulls[c] && unlikely(am_is_elsewhere(values[c])))
		{
			values[c] = am_whole_value(values[c], scan->scratch);
			scratch_used = true;
		}
	}
	passing->visit(passing->arg, values, nulls);
	if (scratch_used)
		MemoryContextReset(scan->scratch);
}

static void
pass_attributes(void *arg, HeapTuple row)
{
	Passing    *passing = arg;

	const bool *excluded = NULL;

	for (int i = 0; i < passing->n_branches; i++)
	{
		const Branch *branch = &passing->branches[i];
		ExprContext *context = branch->scan->ss.ps.ps_ExprContext;
		ExprState  *qual = branch->scan->ss.ps.qual;

		if (excluded && excluded[i])
			continue;
		if (!qual || ExecQual(qual, context))
		{
			if (branch->join)
				tuplestore_puttuple(branch->rows, row);
			else
				pass_row(passing, branch, ExecProject(branch->projection));
			excluded = branch->excludes;
		}
		if (!context->ecxt_per_tuple_memory->isReset)
			ResetExprContext(context);
	}
}

/* All branches that scan a table, in one scan */
static void
run_scan(Passing *passing, int table, ParallelTableScanDesc parallel)
{
	AmQueryScan *scan = passing->scan;
	int			first = scan->tables[table];
	Relation	relation = table_of(scan, table);
	int			n_attributes = RelationGetDescr(relation)->natts;
	bool	   *wanted = palloc0(n_attributes * sizeof(bool));
	TupleTableSlot *slot = scan->branches[first].scan->ss.ss_ScanTupleSlot;

	passing->branches = &scan->branches[first];
	passing->n_branches = scan->tables[table + 1] - first;
	passing->slot = slot;
	for (int i = 0; i < passing->n_branches; i++)
	{
		Branch	   *branch = &passing->branches[i];

		branch->scan->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
		if (branch->join)
			branch->rows = tuplestore_begin_heap(false, false, work_mem);
		for (int a = 0; a < n_attributes; a++)
			wanted[a] |= branch->wanted[a];
	}
	/* all attributes count as read, so that nobody looks for the row behind them */
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, n_attributes * sizeof(bool));
	memset(slot->tts_values, 0, n_attributes * sizeof(Datum));
	slot->tts_flags &= ~TTS_FLAG_EMPTY;
	slot->tts_nvalid = (AttrNumber) n_attributes;
	am_table_scan_attributes(relation, scan->query->snapshot, parallel, wanted, slot->tts_values, slot->tts_isnull,
							 pass_attributes, passing);
	ExecClearTuple(slot);
	pfree(wanted);
}

static void
run_plan(Passing *passing, const Branch *branch)
{
	MemoryContext memory = passing->scan->query->estate->es_query_cxt;
	AttrNumber	last = 0;

	for (int c = 0; c < passing->scan->n_columns; c++)
		last = Max(last, branch->columns[c]);
	for (;;)
	{
		MemoryContext caller;
		TupleTableSlot *slot;

		CHECK_FOR_INTERRUPTS();
		caller = MemoryContextSwitchTo(memory);
		slot = ExecProcNode(branch->state);
		MemoryContextSwitchTo(caller);
		if (TupIsNull(slot))
			break;
		slot_getsomeattrs(slot, last);
		pass_row(passing, branch, slot);
	}
}

/*
 * Joins of the rows that a scan has found
 */

/* Stands for the scan */
typedef struct Feeder
{
	PlanState	state;
	Branch	   *branch;
	TupleTableSlot *row;
} Feeder;

static TupleTableSlot *
feed(PlanState *state)
{
	Feeder	   *feeder = (Feeder *) state;
	SeqScanState *scan = feeder->branch->scan;
	TupleTableSlot *slot = scan->ss.ss_ScanTupleSlot;
	bool		should_free;

	CHECK_FOR_INTERRUPTS();
	ResetExprContext(scan->ss.ps.ps_ExprContext);
	if (!tuplestore_gettupleslot(feeder->branch->rows, true, false, feeder->row))
		return ExecClearTuple(slot);
	ExecForceStoreMinimalTuple(ExecFetchSlotMinimalTuple(feeder->row, &should_free), slot, false);
	Assert(!should_free);
	scan->ss.ps.ps_ExprContext->ecxt_scantuple = slot;
	return scan->ss.ps.ps_ProjInfo ? ExecProject(scan->ss.ps.ps_ProjInfo) : slot;
}

static void
run_join(Passing *passing, Branch *branch)
{
	PlanState  *scan = &branch->scan->ss.ps;
	Feeder		feeder;

	feeder.state = *scan;
	feeder.state.ExecProcNode = feed;
	feeder.branch = branch;
	feeder.row = MakeSingleTupleTableSlot(branch->scan->ss.ss_ScanTupleSlot->tts_tupleDescriptor, &TTSOpsMinimalTuple);
	outerPlanState(branch->join) = &feeder.state;
	run_plan(passing, branch);
	outerPlanState(branch->join) = scan;
	ExecDropSingleTupleTableSlot(feeder.row);
	tuplestore_end(branch->rows);
}

/*
 * Branches of other kinds
 */

static bool
is_constant_kind(const Const *constant, const AmKindName *kind)
{
	const text *name = DatumGetTextPP(constant->constvalue);

	return VARSIZE_ANY_EXHDR(name) == kind->length && memcmp(VARDATA_ANY(name), kind->name, kind->length) == 0;
}

static bool
is_stage_kind(Oid function)
{
	FmgrInfo	info;

	fmgr_info(function, &info);
	return info.fn_addr == am_stage_kind;
}

/* Can rows of the branch be of a kind that is wanted? */
static bool
may_be_wanted(const Branch *branch, const AmWantedKinds *wanted)
{
	const Node *expression = (const Node *)
		list_nth_node(TargetEntry, branch->state->plan->targetlist, branch->columns[wanted->kind] - 1)->expr;

	for (int i = 0; i < wanted->n_kinds; i++)
	{
		const AmKindName *kind = &wanted->kinds[i];

		if (IsA(expression, Const) && ((const Const *) expression)->consttype == TEXTOID)
		{
			if (!((const Const *) expression)->constisnull && is_constant_kind((const Const *) expression, kind))
				return true;
		}
		else if (!IsA(expression, FuncExpr) || !is_stage_kind(((const FuncExpr *) expression)->funcid) ||
				 !am_is_reserved_kind(kind->name, kind->length))
			return true;
	}
	return false;
}

/* The scan of a table that a column comes from, through nodes that may drop rows, but change none; NULL if there is none */
static SeqScanState *
find_source(PlanState *state, AttrNumber *column)
{
	while (!IsA(state, SeqScanState))
	{
		const Var  *variable = (const Var *) list_nth_node(TargetEntry, state->plan->targetlist, *column - 1)->expr;

		if (!IsA(variable, Var) || variable->varattno <= 0)
			return NULL;
		switch (nodeTag(state))
		{
			case T_SubqueryScanState:
				state = ((SubqueryScanState *) state)->subplan;
				break;
			case T_WindowAggState:
			case T_SortState:
			case T_IncrementalSortState:
			case T_UniqueState:
			case T_MaterialState:
				state = outerPlanState(state);
				break;
			default:
				return NULL;
		}
		*column = variable->varattno;
	}
	return (SeqScanState *) state;
}

static void
take_time(void *arg, const Datum *values, const bool *nulls)
{
	AmTimeRange *range = arg;

	if (nulls[0])
		return;
	range->earliest = Min(range->earliest, DatumGetTimestampTz(values[0]));
	range->latest = Max(range->latest, DatumGetTimestampTz(values[0]));
}

/* What the times of the branch's rows are within: those of the table that it is made from */
static AmTimeRange
times_of(AmQueryScan *scan, const Branch *branch, int at)
{
	static const AmTimeRange any = {DT_NOBEGIN, DT_NOEND};
	AttrNumber	column = branch->columns[at];
	SeqScanState *source = find_source(branch->state, &column);
	AmTimeRange range = {DT_NOEND, DT_NOBEGIN};
	AmQueryScan times = *scan;
	Branch		time = {0};
	int			tables[] = {0, 1};
	bool		excludes = false;
	Passing		passing;

	if (!source || exprType((Node *) list_nth_node(TargetEntry, source->ss.ps.plan->targetlist, column - 1)->expr) != TIMESTAMPTZOID)
		return any;
	times.n_columns = 1;
	times.is_varlena[0] = false;
	times.branches = &time;
	times.tables = tables;
	time.state = &source->ss.ps;
	time.columns[0] = column;
	if (!prepare_scan(&time, 1))
		return any;
	time.excludes = &excludes;
	passing.scan = &times;
	passing.visit = take_time;
	passing.arg = &range;
	run_scan(&passing, 0, NULL);
	return range;
}

/* A branch that is left to the end */
typedef struct LateBranch
{
	Branch	   *branch;
	AmTimeRange times;
} LateBranch;

void
am_query_scan_run(AmQueryScan *scan, AmQueryShare *share, const AmWantedKinds *wanted, AmRowVisitor visit, void *arg)
{
	LateBranch *late = palloc(scan->n_plans * sizeof(LateBranch));
	int			n_late = 0;
	Passing		passing;

	if (share && (share->n_branches != scan->n_branches || share->n_plans != scan->n_plans || share->n_tables != scan->n_tables))
		elog(ERROR, "a worker has found other branches of a query than the leader");
	memset(&passing, 0, sizeof(passing));
	passing.scan = scan;
	passing.visit = visit;
	passing.arg = arg;
	for (uint32 i = 0; (i = share ? pg_atomic_fetch_add_u32(&share->next, 1) : i) < (uint32) scan->n_plans; i++)
	{
		Branch	   *branch = &scan->branches[share ? share->plans[i] : (int) i];

		if (may_be_wanted(branch, wanted))
			run_plan(&passing, branch);
		else
			late[n_late++] = (LateBranch) {branch, times_of(scan, branch, wanted->at)};
	}
	for (int i = 0; i < scan->n_tables; i++)
		run_scan(&passing, i, shared_scan(share, i));
	for (int i = scan->n_plans; i < scan->n_branches; i++)
		if (scan->branches[i].join)
			run_join(&passing, &scan->branches[i]);
	for (int i = 0; i < n_late; i++)
		if (wanted->wants_others(arg, &late[i].times))
			run_plan(&passing, late[i].branch);
	pfree(late);
}
