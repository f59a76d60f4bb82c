/*
 * funnel_scan(): a funnel over a plain table, funnel_query_scan(): one over
 * the branches of a query, both read below the executor; and whether a table
 * or a query can be read so.
 *
 * The answer is that of the aggregate over the same rows.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_source.h"

#include "access/relation.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/params.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "funnel/funnel_parallel.h"
#include "funnel/funnel_rows.h"

static bool
are_event_types(const AmFunnelQuestion *question, bool is_utc)
{
	const AmTableColumn *columns = question->columns;

	return am_is_key_type(columns[AM_EVENT_ENTITY].type) &&
		am_is_time_type(columns[AM_EVENT_AT].type, is_utc) &&
		am_is_text_type(columns[AM_EVENT_KIND].type) &&
		(question->n_columns == AM_EVENT_STATUS || am_is_text_type(columns[AM_EVENT_STATUS].type));
}

/* Finds the columns; false where one needs SQL to be read */
static bool
find_columns(AmFunnelQuestion *question, Relation relation, const text *const names[], const text *tz)
{
	AmTableColumn *columns = question->columns;

	question->n_columns = names[AM_EVENT_STATUS] ? AM_EVENT_COLUMNS : AM_EVENT_STATUS;
	for (int c = 0; c < question->n_columns; c++)
		if (!names[c] || !am_table_column(relation, text_to_cstring(names[c]), &columns[c]))
			return false;
	return are_event_types(question, tz && pg_strcasecmp(text_to_cstring(tz), "UTC") == 0);
}

static void
read_alone(const AmFunnelQuestion *question, text *spec_text, AmFunnelSource *source,
		   TupleDesc columns, HeapTuple *steps, int *n_steps)
{
	AmFunnelState *state =
		am_funnel_question_state(question, spec_text,
								 am_event_log_create(CurrentMemoryContext, am_funnel_entity_type(question), false));
	AmFunnelReading *reading = palloc(sizeof(AmFunnelReading));

	source->seen = palloc(sizeof(AmFunnelSeen));
	am_funnel_seen_init(source->seen, state->plan->spec);
	am_funnel_fill(question, state, source);
	am_funnel_start_reading(state, reading);
	am_event_log_read(state->log, am_funnel_match_entity, reading);
	am_funnel_match_free(reading->match);
	am_funnel_form_rows(&reading->tally, am_funnel_absent_kinds, state, columns, steps);
	*n_steps = state->plan->spec->n_steps;
}

/* Arguments first ... first + 2: since, entry_until, as_of */
static void
set_times(AmFunnelQuestion *question, FunctionCallInfo fcinfo, int first)
{
	question->has_since = !PG_ARGISNULL(first);
	question->since = question->has_since ? PG_GETARG_TIMESTAMPTZ(first) : 0;
	question->entry_until = PG_ARGISNULL(first + 1) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(first + 1);
	question->has_as_of = !PG_ARGISNULL(first + 2);
	question->as_of = question->has_as_of ? PG_GETARG_TIMESTAMPTZ(first + 2) : 0;
}

/* Answers in rows of the function's result; all memory but theirs is freed */
static void
answer(ReturnSetInfo *result, const AmFunnelQuestion *question, text *spec_text, AmFunnelSource *source)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "funnel of a table", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	HeapTuple	steps[AM_FUNNEL_MAX_STEPS];
	int			n_steps;

	source->snapshot = RegisterSnapshot(GetActiveSnapshot());
	if (!am_funnel_parallel(question, spec_text, source, result->setDesc, steps, &n_steps))
		read_alone(question, spec_text, source, result->setDesc, steps, &n_steps);
	UnregisterSnapshot(source->snapshot);
	for (int step = 0; step < n_steps; step++)
		tuplestore_puttuple(result->setResult, steps[step]);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

#define text_argument(n)	(PG_ARGISNULL(n) ? NULL : PG_GETARG_TEXT_PP(n))

/*
 * funnel_scannable(events regclass, entity text, at text, kind text, status text, tz text) returns boolean
 *
 * status: the column that tells what was not done, NULL = no such column.
 */
PG_FUNCTION_INFO_V1(am_funnel_scannable);
Datum
am_funnel_scannable(PG_FUNCTION_ARGS)
{
	const text *names[AM_EVENT_COLUMNS] = {text_argument(1), text_argument(2), text_argument(3), text_argument(4)};
	AmFunnelQuestion question;
	Relation	relation;
	bool		scannable;

	if (PG_ARGISNULL(0))
		PG_RETURN_BOOL(false);
	relation = try_relation_open(PG_GETARG_OID(0), AccessShareLock);
	if (!relation)
		PG_RETURN_BOOL(false);
	scannable = find_columns(&question, relation, names, text_argument(5)) &&
		am_table_may_read(relation, question.columns, question.n_columns) &&
		am_table_is_plain(relation, question.columns, question.n_columns);
	/* as a query does: the table stays as it is to the end of the transaction */
	relation_close(relation, NoLock);
	PG_RETURN_BOOL(scannable);
}

/*
 * funnel_scan(events regclass, spec text, since timestamptz, entry_until timestamptz, as_of timestamptz,
 * entity text, at text, kind text, status text, tz text) returns setof funnel_step
 */
PG_FUNCTION_INFO_V1(am_funnel_scan);
Datum
am_funnel_scan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const text *names[AM_EVENT_COLUMNS] = {text_argument(5), text_argument(6), text_argument(7), text_argument(8)};
	AmFunnelQuestion question;
	AmFunnelSource source;
	Relation	relation;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("no relation is given"),
				 errhint("Give the name of a table, such as 'crm.activity'.")));
	if (PG_ARGISNULL(1))
		am_funnel_refuse_null_spec();

	memset(&question, 0, sizeof(question));
	memset(&source, 0, sizeof(source));
	question.table = PG_GETARG_OID(0);
	set_times(&question, fcinfo, 2);

	relation = relation_open(question.table, AccessShareLock);
	if (!find_columns(&question, relation, names, text_argument(9)))
		question.n_columns = 0;
	else if (!am_table_may_read(relation, question.columns, question.n_columns))
		am_table_refuse(relation);
	if (question.n_columns == 0 || !am_table_is_plain(relation, question.columns, question.n_columns))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot read these columns of \"%s\" directly", RelationGetRelationName(relation)),
				 errhint("Use funnel_report().")));

	source.relation = relation;
	answer(result, &question, PG_GETARG_TEXT_PP(1), &source);
	relation_close(relation, NoLock);
	return (Datum) 0;
}

/* $1 of a query: since */
static ParamListInfo
query_parameters(const AmFunnelQuestion *question)
{
	ParamListInfo parameters = makeParamList(1);

	parameters->params[0].ptype = TIMESTAMPTZOID;
	parameters->params[0].pflags = PARAM_FLAG_CONST;
	parameters->params[0].isnull = !question->has_since;
	parameters->params[0].value = TimestampTzGetDatum(question->since);
	return parameters;
}

/*
 * funnel_query_scannable(query text) returns boolean
 */
PG_FUNCTION_INFO_V1(am_funnel_query_scannable);
Datum
am_funnel_query_scannable(PG_FUNCTION_ARGS)
{
	AmFunnelQuestion question;

	memset(&question, 0, sizeof(question));
	PG_RETURN_BOOL(am_query_has_branches(text_to_cstring(PG_GETARG_TEXT_PP(0)), query_parameters(&question)));
}

/*
 * funnel_query_scan(query text, spec text, since timestamptz, entry_until timestamptz, as_of timestamptz)
 * returns setof funnel_step
 *
 * query: SELECT of entity, at, kind and, if there is one, status, of types that funnel_scannable() takes; $1: since.
 */
PG_FUNCTION_INFO_V1(am_funnel_query_scan);
Datum
am_funnel_query_scan(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmFunnelQuestion question;
	AmFunnelSource source;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("no query is given")));
	if (PG_ARGISNULL(1))
		am_funnel_refuse_null_spec();
	memset(&question, 0, sizeof(question));
	memset(&source, 0, sizeof(source));
	set_times(&question, fcinfo, 2);

	source.query_text = text_to_cstring(PG_GETARG_TEXT_PP(0));
	source.plan = am_query_plan(source.query_text, query_parameters(&question));
	question.n_columns = am_query_columns(source.plan.statement);
	for (int c = 0; c < Min(question.n_columns, AM_EVENT_COLUMNS); c++)
		question.columns[c].type = am_query_column_type(source.plan.statement, c);
	if (question.n_columns < AM_EVENT_STATUS || question.n_columns > AM_EVENT_COLUMNS || !are_event_types(&question, false))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("not a query of events"),
				 errdetail("It gives entity, at, kind and perhaps status: a text, integer or uuid, a timestamp with time zone, and texts.")));
	source.query = am_query_scan_begin(source.plan.statement, source.query_text);
	answer(result, &question, PG_GETARG_TEXT_PP(1), &source);
	am_query_scan_end(source.query);
	return (Datum) 0;
}
