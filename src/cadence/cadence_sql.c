/*
 * cadence_steps(), cadence_match() and burstiness(): SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "cadence/cadence.h"
#include "common/memory.h"

static AmCadence *
parse(const text *cadence_text)
{
	AmCadenceFault fault;
	const char *string = VARDATA_ANY(cadence_text);
	int			length = VARSIZE_ANY_EXHDR(cadence_text);
	AmCadence  *cadence = am_cadence_parse(string, length, &fault);

	if (!cadence)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid cadence at position %d: %s",
						pg_mbstrlen_with_len(string, (int) fault.offset) + 1, fault.message),
				 errdetail("The cadence is \"%.*s\".", pg_mbcliplen(string, length, 400), string),
				 fault.hint[0] ? errhint("%s", fault.hint) :
				 errhint("A cadence looks like: call on day 0 +-1 -> email on day 2 +-1 -> (call | 'voice mail') on day 5 +-2")));
	return cadence;
}

/* The cadence of the call before, if it is the same text; kept with the call */
typedef struct KeptCadence
{
	text	   *source;
	AmCadence  *cadence;
} KeptCadence;

static AmCadence *
cadence_argument(FunctionCallInfo fcinfo, int argument)
{
	text	   *source = PG_GETARG_TEXT_PP(argument);
	int			length = VARSIZE_ANY_EXHDR(source);
	KeptCadence *kept = fcinfo->flinfo->fn_extra;
	MemoryContext caller;
	AmCadence  *cadence;

	if (kept && VARSIZE_ANY_EXHDR(kept->source) == length && memcmp(VARDATA_ANY(kept->source), VARDATA_ANY(source), length) == 0)
		return kept->cadence;
	caller = MemoryContextSwitchTo(fcinfo->flinfo->fn_mcxt);
	cadence = parse(source);
	kept = palloc(sizeof(*kept));
	kept->source = cstring_to_text_with_len(VARDATA_ANY(source), length);
	kept->cadence = cadence;
	fcinfo->flinfo->fn_extra = kept;
	MemoryContextSwitchTo(caller);
	return cadence;
}

/* cadence_steps(cadence) */
PG_FUNCTION_INFO_V1(am_cadence_steps);
Datum
am_cadence_steps(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmCadence  *cadence = parse(PG_GETARG_TEXT_PP(0));

	InitMaterializedSRF(fcinfo, 0);
	for (int s = 0; s < cadence->n_steps; s++)
	{
		const AmCadenceStep *step = &cadence->steps[s];
		Datum		values[5];
		bool		nulls[5] = {false};
		Datum		kinds[AM_CADENCE_MAX_KINDS];
		int			n = 0;

		for (int k = 0; k < cadence->n_kinds; k++)
			if (cadence->kinds[k].group == step->group)
				kinds[n++] = PointerGetDatum(cstring_to_text_with_len(cadence->kinds[k].name, cadence->kinds[k].length));
		values[0] = Int32GetDatum(s + 1);
		values[1] = CStringGetTextDatum(step->label);
		values[2] = PointerGetDatum(construct_array(kinds, n, TEXTOID, -1, false, TYPALIGN_INT));
		values[3] = Int32GetDatum(step->day);
		values[4] = Int32GetDatum(step->tolerance);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
refuse_activities(const char *message)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s", message),
			 errhint("Give the day and the kind of each activity, in order of day, day 0 being that of the start.")));
}

/* cadence_match(cadence, days, kinds, last_day, stop_day) */
PG_FUNCTION_INFO_V1(am_cadence_match_sql);
Datum
am_cadence_match_sql(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	AmCadence  *cadence;
	ArrayType  *array;
	Datum	   *datums;
	bool	   *nulls;
	int32	   *days;
	int		   *groups;
	int		   *filled;
	int32		step_day[AM_CADENCE_MAX_STEPS];
	int			n;
	int			n_kinds;
	bool		stopped = !PG_ARGISNULL(4);
	int32		last_day;
	int32		stop_day = stopped ? PG_GETARG_INT32(4) : 0;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < 4; i++)
		if (PG_ARGISNULL(i))
			return (Datum) 0;
	cadence = cadence_argument(fcinfo, 0);
	last_day = PG_GETARG_INT32(3);
	array = PG_GETARG_ARRAYTYPE_P(1);
	deconstruct_array(array, INT4OID, sizeof(int32), true, TYPALIGN_INT, &datums, &nulls, &n);
	days = am_palloc_array(int32, (Size) n + 1);
	groups = am_palloc_array(int, (Size) n + 1);
	filled = am_palloc_array(int, (Size) n + 1);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			refuse_activities("a day is null");
		days[i] = DatumGetInt32(datums[i]);
		if (i > 0 && days[i] < days[i - 1])
			refuse_activities("days are not in order");
	}
	array = PG_GETARG_ARRAYTYPE_P(2);
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &datums, &nulls, &n_kinds);
	if (n_kinds != n)
		refuse_activities(psprintf("there are %d days and %d kinds", n, n_kinds));
	for (int i = 0; i < n; i++)
		groups[i] = nulls[i] ? -1 :
			am_cadence_group(cadence, VARDATA_ANY(DatumGetTextPP(datums[i])), VARSIZE_ANY_EXHDR(DatumGetTextPP(datums[i])));
	am_cadence_match(cadence, days, groups, n, step_day, filled);

	for (int s = 0; s < cadence->n_steps; s++)
	{
		const AmCadenceStep *step = &cadence->steps[s];
		int			end = step->day + step->tolerance;
		bool		done = step_day[s] != PG_INT32_MIN;
		Datum		values[6];
		bool		no[6] = {false};
		const char *status;

		if (done)
			status = step_day[s] < step->day ? "early" : step_day[s] > step->day ? "late" : "on time";
		else if (stopped && stop_day <= end)
			status = "stopped";
		else
			status = last_day <= end ? "open" : "missed";
		values[0] = Int32GetDatum(s + 1);
		values[1] = CStringGetTextDatum(step->label);
		values[2] = Int32GetDatum(step->day);
		values[3] = CStringGetTextDatum(status);
		no[4] = no[5] = !done;
		values[4] = Int32GetDatum(step_day[s]);
		values[5] = Int32GetDatum(done ? step_day[s] - step->day : 0);
		tuplestore_putvalues(result->setResult, result->setDesc, values, no);
	}
	return (Datum) 0;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* burstiness(times) */
PG_FUNCTION_INFO_V1(am_burstiness_sql);
Datum
am_burstiness_sql(PG_FUNCTION_ARGS)
{
	Datum	   *datums;
	bool	   *nulls;
	double	   *times;
	int			n;
	int			known = 0;
	double		burstiness;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &datums, &nulls, &n);
	times = am_palloc_array(double, (Size) n + 1);
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			continue;
		times[known] = DatumGetFloat8(datums[i]);
		if (!isfinite(times[known]))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("value %d of times is %g", i + 1, times[known]),
					 errhint("Give numbers that are finite.")));
		known++;
	}
	qsort(times, known, sizeof(double), compare_doubles);
	burstiness = am_burstiness(times, known);
	if (!isfinite(burstiness))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(burstiness);
}
