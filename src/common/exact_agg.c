/*
 * exact_sum(x) and exact_avg(x): SQL glue for sums that do not depend on the
 * order of rows, the plan or the number of workers.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "common/int.h"
#include "fmgr.h"
#include "libpq/pqformat.h"

#include "stats/exact_sum.h"

#define STATE_VERSION	1

typedef struct ExactState
{
	int64		n;
	AmExactSum	sum;
} ExactState;

static ExactState *
create_state(FunctionCallInfo fcinfo)
{
	MemoryContext context;
	ExactState *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "exact_sum called outside an aggregate");
	state = MemoryContextAlloc(context, sizeof(ExactState));
	state->n = 0;
	am_exact_start(&state->sum);
	return state;
}

PG_FUNCTION_INFO_V1(am_exact_trans);
Datum
am_exact_trans(PG_FUNCTION_ARGS)
{
	ExactState *state = PG_ARGISNULL(0) ? create_state(fcinfo) : (ExactState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		double		term = PG_GETARG_FLOAT8(1);

		if (!isfinite(term))
			ereport(ERROR,
					(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
					 errmsg("a value to be summed is %g", term),
					 errhint("Leave such rows out, or give NULL where the value is not known.")));
		am_exact_add(&state->sum, term);
		state->n++;
	}
	PG_RETURN_POINTER(state);
}

/* Format: byte version, int64 count, int32 parts, each a float8 */
PG_FUNCTION_INFO_V1(am_exact_serial);
Datum
am_exact_serial(PG_FUNCTION_ARGS)
{
	const ExactState *state = (const ExactState *) PG_GETARG_POINTER(0);
	StringInfoData out;

	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendint64(&out, state->n);
	pq_sendint32(&out, state->sum.n);
	for (int i = 0; i < state->sum.n; i++)
		pq_sendfloat8(&out, state->sum.parts[i]);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_exact_combine);
Datum
am_exact_combine(PG_FUNCTION_ARGS)
{
	ExactState *state = PG_ARGISNULL(0) ? create_state(fcinfo) : (ExactState *) PG_GETARG_POINTER(0);

	if (!PG_ARGISNULL(1))
	{
		StringInfo	in = (StringInfo) PG_GETARG_POINTER(1);
		int			version = pq_getmsgbyte(in);
		int64		n;
		int			parts;

		if (version != STATE_VERSION)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("cannot read a sum of version %d", version)));
		n = pq_getmsgint64(in);
		parts = (int) pq_getmsgint(in, 4);
		if (n < 0 || parts < 0 || parts > AM_EXACT_PARTS || (n == 0) != (parts == 0) ||
			pg_add_s64_overflow(state->n, n, &state->n))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("cannot read a damaged sum")));
		for (int i = 0; i < parts; i++)
			am_exact_add(&state->sum, pq_getmsgfloat8(in));
		pq_getmsgend(in);
	}
	PG_RETURN_POINTER(state);
}

static Datum
final_sum(FunctionCallInfo fcinfo, bool mean)
{
	const ExactState *state;
	double		sum;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (const ExactState *) PG_GETARG_POINTER(0);
	if (state->n == 0)
		PG_RETURN_NULL();
	sum = am_exact_round(&state->sum);
	if (!isfinite(sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum overflows")));
	PG_RETURN_FLOAT8(mean ? sum / (double) state->n : sum);
}

PG_FUNCTION_INFO_V1(am_exact_sum_final);
Datum
am_exact_sum_final(PG_FUNCTION_ARGS)
{
	return final_sum(fcinfo, false);
}

PG_FUNCTION_INFO_V1(am_exact_avg_final);
Datum
am_exact_avg_final(PG_FUNCTION_ARGS)
{
	return final_sum(fcinfo, true);
}
