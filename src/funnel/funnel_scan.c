/*
 * funnel_scan(): a funnel over a plain table, read below the executor, and
 * funnel_scannable(): whether a table can be read so.
 *
 * The answer is that of the aggregate over the same rows.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_scan.h"

#include "access/htup_details.h"
#include "access/relation.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "events/status.h"
#include "funnel/funnel_rows.h"

typedef struct Filling
{
	const AmFunnelQuestion *question;
	AmFunnelState *state;
	Oid			entity_type;
	bool		has_status;
	bool		has_since;
	bool		has_rows;
} Filling;

/* Finds the columns; false where one needs SQL to be read */
static bool
find_columns(AmFunnelQuestion *question, Relation relation, const text *const names[], const text *tz)
{
	AmTableColumn *columns = question->columns;

	question->n_columns = names[AM_EVENT_STATUS] ? AM_EVENT_COLUMNS : AM_EVENT_STATUS;
	for (int c = 0; c < question->n_columns; c++)
		if (!names[c] || !am_table_column(relation, text_to_cstring(names[c]), &columns[c]))
			return false;
	return am_is_key_type(columns[AM_EVENT_ENTITY].type) &&
		am_is_time_type(columns[AM_EVENT_AT].type, tz && pg_strcasecmp(text_to_cstring(tz), "UTC") == 0) &&
		am_is_text_type(columns[AM_EVENT_KIND].type) &&
		(!names[AM_EVENT_STATUS] || am_is_text_type(columns[AM_EVENT_STATUS].type));
}

static void
take_event(void *arg, const Datum *values, const bool *nulls)
{
	Filling    *filling = arg;
	AmFunnelState *state = filling->state;
	TimestampTz at = nulls[AM_EVENT_AT] ? 0 : DatumGetTimestampTz(values[AM_EVENT_AT]);
	const void *kind;
	uint64		stamp;

	if (filling->has_status && !nulls[AM_EVENT_STATUS])
	{
		const void *status = DatumGetPointer(values[AM_EVENT_STATUS]);

		if (!am_status_is_done(VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status)))
			return;
	}
	if (filling->has_since && !nulls[AM_EVENT_AT] && at < filling->question->since)
		return;
	if (unlikely(!filling->has_rows))
	{
		/* no rows, no objection: as the aggregate */
		filling->has_rows = true;
		if (state->has_as_of)
			am_funnel_check_time(state->plan, state->as_of, "as_of");
	}
	if (nulls[AM_EVENT_AT] || nulls[AM_EVENT_KIND])
		return;
	kind = DatumGetPointer(values[AM_EVENT_KIND]);
	if (!am_funnel_state_event(state, !nulls[AM_EVENT_ENTITY], at, VARDATA_ANY(kind), VARSIZE_ANY_EXHDR(kind), &stamp))
		return;

	switch (filling->entity_type)
	{
		case INT8OID:
			am_event_log_add_int64(state->log, DatumGetInt64(values[AM_EVENT_ENTITY]), stamp);
			break;
		case INT4OID:
			am_event_log_add_int64(state->log, DatumGetInt32(values[AM_EVENT_ENTITY]), stamp);
			break;
		case INT2OID:
			am_event_log_add_int64(state->log, DatumGetInt16(values[AM_EVENT_ENTITY]), stamp);
			break;
		case UUIDOID:
			am_event_log_add_bytes(state->log, (const char *) DatumGetUUIDP(values[AM_EVENT_ENTITY])->data, UUID_LEN, stamp);
			break;
		default:
			am_event_log_add_bytes(state->log, VARDATA_ANY(DatumGetPointer(values[AM_EVENT_ENTITY])),
								   VARSIZE_ANY_EXHDR(DatumGetPointer(values[AM_EVENT_ENTITY])), stamp);
	}
}

AmEntityType
am_funnel_entity_type(const AmFunnelQuestion *question)
{
	Oid			type = question->columns[AM_EVENT_ENTITY].type;

	return am_is_text_type(type) || type == UUIDOID ? AM_ENTITY_BYTES : AM_ENTITY_INT64;
}

AmFunnelState *
am_funnel_question_state(const AmFunnelQuestion *question, text *spec_text, AmEventLog *log)
{
	AmFunnelState *state = am_funnel_state_create(spec_text, log);

	state->has_as_of = question->has_as_of;
	state->as_of = question->as_of;
	state->entry_since = question->has_since ? question->since : DT_NOBEGIN;
	state->entry_until = question->entry_until;
	return state;
}

void
am_funnel_fill(const AmFunnelQuestion *question, AmFunnelState *state, Relation relation,
			   Snapshot snapshot, ParallelTableScanDesc parallel)
{
	Filling		filling;

	filling.question = question;
	filling.state = state;
	filling.entity_type = question->columns[AM_EVENT_ENTITY].type;
	filling.has_status = question->n_columns > AM_EVENT_STATUS;
	/* where a late start counts, what came before the entries has to be seen */
	filling.has_since = question->has_since && !(state->plan->spec->options & AM_FUNNEL_COUNT_SKIPPED);
	filling.has_rows = false;
	am_table_scan(relation, snapshot, parallel, question->columns, question->n_columns, take_event, &filling);
}

static void
read_alone(const AmFunnelQuestion *question, text *spec_text, Relation relation, Snapshot snapshot,
		   TupleDesc columns, HeapTuple *steps, int *n_steps)
{
	AmFunnelState *state =
		am_funnel_question_state(question, spec_text,
								 am_event_log_create(CurrentMemoryContext, am_funnel_entity_type(question), false));
	AmFunnelReading *reading = palloc(sizeof(AmFunnelReading));

	am_funnel_fill(question, state, relation, snapshot, NULL);
	am_funnel_start_reading(state, reading);
	am_event_log_read(state->log, am_funnel_match_entity, reading);
	am_funnel_match_free(reading->match);
	am_funnel_form_rows(&reading->tally, am_funnel_absent_kinds, state, columns, steps);
	*n_steps = state->plan->spec->n_steps;
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
	Relation	relation;
	Snapshot	snapshot;
	MemoryContext caller;
	MemoryContext context;
	HeapTuple	steps[AM_FUNNEL_MAX_STEPS];
	int			n_steps;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("no relation is given"),
				 errhint("Give the name of a table, such as 'crm.activity'.")));
	if (PG_ARGISNULL(1))
		am_funnel_refuse_null_spec();

	memset(&question, 0, sizeof(question));
	question.table = PG_GETARG_OID(0);
	question.has_since = !PG_ARGISNULL(2);
	question.since = question.has_since ? PG_GETARG_TIMESTAMPTZ(2) : 0;
	question.entry_until = PG_ARGISNULL(3) ? DT_NOEND : PG_GETARG_TIMESTAMPTZ(3);
	question.has_as_of = !PG_ARGISNULL(4);
	question.as_of = question.has_as_of ? PG_GETARG_TIMESTAMPTZ(4) : 0;

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

	context = AllocSetContextCreate(CurrentMemoryContext, "funnel of a table", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	if (!am_funnel_parallel(&question, PG_GETARG_TEXT_PP(1), relation, snapshot, result->setDesc, steps, &n_steps))
		read_alone(&question, PG_GETARG_TEXT_PP(1), relation, snapshot, result->setDesc, steps, &n_steps);
	UnregisterSnapshot(snapshot);
	relation_close(relation, NoLock);
	for (int step = 0; step < n_steps; step++)
		tuplestore_puttuple(result->setResult, steps[step]);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
