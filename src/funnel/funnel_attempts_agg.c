/*
 * funnel_of_attempts(attempts funnel_attempt[], spec text, as_of timestamptz):
 * one row of input for each entity, its attempts.
 *
 * The tally is that of funnel(); the attempts were made by funnel_attempts.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_attempt.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "funnel/funnel_rows.h"

typedef struct AttemptsState
{
	AmFunnelPlan *plan;
	TimestampTz as_of;
	AmFunnelTally tally;
} AttemptsState;

static void
close_tally(Datum arg)
{
	am_funnel_tally_end((AmFunnelTally *) DatumGetPointer(arg));
}

PG_FUNCTION_INFO_V1(am_funnel_of_attempts_trans);
Datum
am_funnel_of_attempts_trans(PG_FUNCTION_ARGS)
{
	MemoryContext context;
	MemoryContext caller;
	AttemptsState *state = PG_ARGISNULL(0) ? NULL : (AttemptsState *) PG_GETARG_POINTER(0);
	ArrayType  *array;
	Oid			row_type;
	TupleDesc	columns;
	Datum	   *rows;
	bool	   *nulls;
	int			n;
	int			level = 0;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "funnel transition function called outside an aggregate");
	if (PG_ARGISNULL(2))
		am_funnel_refuse_null_spec();
	if (PG_ARGISNULL(3))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("as_of is null")));
	if (!state)
	{
		caller = MemoryContextSwitchTo(context);
		state = palloc0(sizeof(AttemptsState));
		state->plan = am_funnel_plan_create(context, PG_GETARG_TEXT_PP(2));
		state->as_of = PG_GETARG_TIMESTAMPTZ(3);
		am_funnel_check_time(state->plan, state->as_of, "as_of");
		am_funnel_tally_init(&state->tally, state->plan->spec, state->as_of - state->plan->origin, am_budget());
		MemoryContextSwitchTo(caller);
		AggRegisterCallback(fcinfo, close_tally, PointerGetDatum(&state->tally));
	}
	else if (!am_same_text(state->plan->text, PG_GETARG_TEXT_PP(2)))
		am_funnel_refuse_change("funnel specification");
	else if (state->as_of != PG_GETARG_TIMESTAMPTZ(3))
		am_funnel_refuse_change("as_of");
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);

	array = PG_GETARG_ARRAYTYPE_P(1);
	row_type = ARR_ELEMTYPE(array);
	columns = lookup_rowtype_tupdesc(row_type, -1);
	deconstruct_array(array, row_type, -1, false, TYPALIGN_DOUBLE, &rows, &nulls, &n);
	caller = MemoryContextSwitchTo(context);
	for (int i = 0; i < n; i++)
	{
		AmFunnelAttempt attempt;

		if (nulls[i])
			continue;
		MemoryContextSwitchTo(caller);
		am_funnel_attempt_read(state->plan, DatumGetHeapTupleHeader(rows[i]), columns, &attempt);
		MemoryContextSwitchTo(context);
		am_funnel_tally_add(&state->tally, &attempt);
		level = Max(level, attempt.level);
	}
	am_funnel_tally_entity(&state->tally, level, false);
	MemoryContextSwitchTo(caller);
	ReleaseTupleDesc(columns);
	PG_RETURN_POINTER(state);
}

PG_FUNCTION_INFO_V1(am_funnel_of_attempts_final);
Datum
am_funnel_of_attempts_final(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "funnel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	return am_funnel_rows(fcinfo, &((AttemptsState *) PG_GETARG_POINTER(0))->tally, NULL, NULL);
}
