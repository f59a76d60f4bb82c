/*
 * wilson(successes, n): SQL glue.
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
