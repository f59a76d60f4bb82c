/*
 * See funnel_attempt.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_attempt.h"

#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static const char *const stop_names[] = {
	[AM_STOP_CONVERTED] = "converted",
	[AM_STOP_STILL_OPEN] = "still open",
	[AM_STOP_TIMED_OUT] = "timed out",
	[AM_STOP_EXCLUDED] = "excluded",
	[AM_STOP_BROKEN] = "broken"
};

/* of funnel_attempt, from 0 */
enum
{
	COLUMN_LEVEL, COLUMN_STOP, COLUMN_EXCLUDED_BY, COLUMN_ENDED, COLUMN_TIMES, COLUMN_FIRST_REACHED, COLUMN_PASSED_OVER,
	N_COLUMNS
};

ArrayType *
am_funnel_times_array(const AmFunnelPlan *plan, const int64 *times, uint64 taken, int n)
{
	Datum		values[AM_FUNNEL_MAX_STEPS];
	bool		nulls[AM_FUNNEL_MAX_STEPS];
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		nulls[i] = !(taken & (UINT64CONST(1) << i));
		values[i] = nulls[i] ? (Datum) 0 : TimestampTzGetDatum(plan->origin + times[i]);
	}
	return construct_md_array(values, nulls, 1, &n, &lower, TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

Datum
am_funnel_attempt_form(const AmFunnelPlan *plan, const AmFunnelAttempt *attempt, TupleDesc columns)
{
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS] = {false};

	values[COLUMN_LEVEL] = Int32GetDatum(attempt->level);
	values[COLUMN_STOP] = CStringGetTextDatum(stop_names[attempt->stop]);
	nulls[COLUMN_EXCLUDED_BY] = attempt->stop != AM_STOP_EXCLUDED;
	if (!nulls[COLUMN_EXCLUDED_BY])
		values[COLUMN_EXCLUDED_BY] = CStringGetTextDatum(plan->excluders[attempt->excluded_by]);
	nulls[COLUMN_ENDED] = attempt->stop == AM_STOP_CONVERTED || attempt->stop == AM_STOP_STILL_OPEN;
	if (!nulls[COLUMN_ENDED])
		values[COLUMN_ENDED] = TimestampTzGetDatum(plan->origin + attempt->ended);
	values[COLUMN_TIMES] = PointerGetDatum(am_funnel_times_array(plan, attempt->times, attempt->taken, plan->spec->n_steps));
	values[COLUMN_FIRST_REACHED] = PointerGetDatum(am_funnel_times_array(plan, attempt->first_reached + 1, PG_UINT64_MAX, attempt->level));
	values[COLUMN_PASSED_OVER] = BoolGetDatum(attempt->passed_over);
	return HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
}

static AmFunnelStop
stop_of(const char *name)
{
	for (int stop = 0; stop < lengthof(stop_names); stop++)
		if (strcmp(name, stop_names[stop]) == 0)
			return (AmFunnelStop) stop;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("\"%s\" is no way for an attempt to end", name)));
}

static int
role_of_kinds(const AmFunnelPlan *plan, const char *kinds)
{
	for (int role = 0; role < plan->spec->n_roles; role++)
		if (plan->excluders[role] && strcmp(plan->excluders[role], kinds) == 0)
			return role;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("the funnel specification does not exclude \"%s\"", kinds)));
}

static void
refuse_attempt(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("an attempt does not fit the funnel specification"),
			 errhint("Pass what funnel_attempts gave for the same specification.")));
}

/* The times of an array of exactly n elements; which of them are there */
static uint64
read_times(const AmFunnelPlan *plan, Datum array, int n, int64 *times)
{
	Datum	   *values;
	bool	   *nulls;
	int			n_values;
	uint64		taken = 0;

	deconstruct_array(DatumGetArrayTypeP(array), TIMESTAMPTZOID, 8, FLOAT8PASSBYVAL, TYPALIGN_DOUBLE,
					  &values, &nulls, &n_values);
	if (n_values != n)
		refuse_attempt();
	for (int i = 0; i < n; i++)
		if (!nulls[i])
		{
			times[i] = DatumGetTimestampTz(values[i]) - plan->origin;
			taken |= UINT64CONST(1) << i;
		}
	pfree(values);
	pfree(nulls);
	return taken;
}

void
am_funnel_attempt_read(const AmFunnelPlan *plan, HeapTupleHeader header, TupleDesc columns, AmFunnelAttempt *attempt)
{
	HeapTupleData tuple;
	Datum		values[N_COLUMNS];
	bool		nulls[N_COLUMNS];

	if (columns->natts != N_COLUMNS)
		elog(ERROR, "an attempt at a funnel has %d columns", columns->natts);
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	heap_deform_tuple(&tuple, columns, values, nulls);
	if (nulls[COLUMN_LEVEL] || nulls[COLUMN_STOP] || nulls[COLUMN_TIMES] || nulls[COLUMN_FIRST_REACHED])
		refuse_attempt();
	attempt->level = DatumGetInt32(values[COLUMN_LEVEL]);
	if (attempt->level < 1 || attempt->level > plan->spec->n_steps)
		refuse_attempt();
	attempt->stop = stop_of(TextDatumGetCString(values[COLUMN_STOP]));
	attempt->excluded_by = 0;
	if (attempt->stop == AM_STOP_EXCLUDED)
	{
		if (nulls[COLUMN_EXCLUDED_BY])
			refuse_attempt();
		attempt->excluded_by = role_of_kinds(plan, TextDatumGetCString(values[COLUMN_EXCLUDED_BY]));
	}
	attempt->ended = nulls[COLUMN_ENDED] ? 0 : DatumGetTimestampTz(values[COLUMN_ENDED]) - plan->origin;
	attempt->passed_over = !nulls[COLUMN_PASSED_OVER] && DatumGetBool(values[COLUMN_PASSED_OVER]);
	attempt->taken = read_times(plan, values[COLUMN_TIMES], plan->spec->n_steps, attempt->times);
	if (read_times(plan, values[COLUMN_FIRST_REACHED], attempt->level, attempt->first_reached + 1) !=
		(attempt->level == 64 ? PG_UINT64_MAX : (UINT64CONST(1) << attempt->level) - 1))
		refuse_attempt();
}
