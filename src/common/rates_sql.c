/*
 * wilson() and newcombe(): SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"

#include "common/rows.h"
#include "stats/rates.h"

PG_FUNCTION_INFO_V1(am_wilson_sql);
Datum
am_wilson_sql(PG_FUNCTION_ARGS)
{
	double		successes = PG_GETARG_FLOAT8(0);
	double		n = PG_GETARG_FLOAT8(1);
	double		low;
	double		high;
	TupleDesc	columns;
	Datum		values[2];
	bool		nulls[2] = {false};

	if (!(successes >= 0 && successes <= n) || !isfinite(n))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%g successes out of %g are not a share", successes, n)));
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "wilson must return a row");
	am_wilson(successes, n, AM_Z95, &low, &high);
	am_set_float(values, nulls, 0, low);
	am_set_float(values, nulls, 1, high);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

static void
check_trials(const char *side, int64 successes, int64 trials)
{
	if (successes >= 0 && successes <= trials)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%lld successes out of %lld are not a share", (long long) successes, (long long) trials),
			 errdetail("successes_%s is %lld, trials_%s is %lld.", side, (long long) successes, side, (long long) trials),
			 errhint("Successes are counted among the trials: from 0 to their number. The order is successes_a, trials_a, successes_b, trials_b.")));
}

PG_FUNCTION_INFO_V1(am_newcombe_sql);
Datum
am_newcombe_sql(PG_FUNCTION_ARGS)
{
	double		successes_a = (double) PG_GETARG_INT64(0);
	double		trials_a = (double) PG_GETARG_INT64(1);
	double		successes_b = (double) PG_GETARG_INT64(2);
	double		trials_b = (double) PG_GETARG_INT64(3);
	double		low;
	double		high;
	TupleDesc	columns;
	Datum		values[4];
	bool		nulls[4] = {false};

	check_trials("a", PG_GETARG_INT64(0), PG_GETARG_INT64(1));
	check_trials("b", PG_GETARG_INT64(2), PG_GETARG_INT64(3));
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "newcombe must return a row");
	am_newcombe(successes_a, trials_a, successes_b, trials_b, AM_Z95, &low, &high);
	am_set_float(values, nulls, 0, successes_a / trials_a - successes_b / trials_b);
	am_set_float(values, nulls, 1, low);
	am_set_float(values, nulls, 2, high);
	am_set_float(values, nulls, 3, am_two_rates_p(successes_a, trials_a, successes_b, trials_b));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
