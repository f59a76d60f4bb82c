/*
 * Deserialisation of the states of all aggregates: the bytes themselves, as a
 * StringInfo, which the combine function that follows at once reads.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "fmgr.h"
#include "lib/stringinfo.h"

PG_FUNCTION_INFO_V1(am_state_deserial);
Datum
am_state_deserial(PG_FUNCTION_ARGS)
{
	bytea	   *bytes = PG_GETARG_BYTEA_PP(0);
	StringInfo	state;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "deserialisation function called outside an aggregate");
	/* in the short-lived context: combine copies what must live */
	state = makeStringInfo();
	appendBinaryStringInfo(state, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	PG_RETURN_POINTER(state);
}
