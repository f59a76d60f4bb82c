/*
 * proof_of_work(): SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/typcache.h"

#include "common/rows.h"
#include "panel/panel_state.h"
#include "vanity/proof_of_work.h"

#define VALUE		0			/* settings */
#define LAG_FROM	1
#define LAG_TO		2

static const AmPanelArguments arguments = {
	.x_name = "metric",
	.y_name = "outcome",
	.only_positive = true,
	.settings = {5, 6, 7},
	.setting_names = {"value", "lag_from", "lag_to"},
	.setting_types = {'f', 'i', 'i'}
};

PG_FUNCTION_INFO_V1(am_proof_of_work_int8_trans);
Datum
am_proof_of_work_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments);
}

PG_FUNCTION_INFO_V1(am_proof_of_work_text_trans);
Datum
am_proof_of_work_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments);
}

PG_FUNCTION_INFO_V1(am_proof_of_work_uuid_trans);
Datum
am_proof_of_work_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments);
}

static int
lag_setting(const AmPanelState *state, int setting)
{
	int64		lag = state->settings[setting].integer;

	if (!state->settings_known[setting])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s is null", arguments.setting_names[setting]),
				 errhint("Give the window in which the outcome is awaited, such as 1, 4: the four periods that follow.")));
	if (lag < 0 || lag > AM_PROOF_LONGEST_LAG)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is " INT64_FORMAT, arguments.setting_names[setting], lag),
				 errhint("Lags are 0 to %d periods.", AM_PROOF_LONGEST_LAG)));
	return (int) lag;
}

static void
set_share(Datum *values, bool *nulls, int column, const AmProofShare *share)
{
	am_set_float(values, nulls, column, share->share);
	am_set_float(values, nulls, column + 1, share->low);
	am_set_float(values, nulls, column + 2, share->high);
	values[column + 3] = Int64GetDatum(share->n);
}

PG_FUNCTION_INFO_V1(am_proof_of_work_final);
Datum
am_proof_of_work_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmProofOfWork result;
	double		value = NAN;
	int			lag_from;
	int			lag_to;
	TupleDesc	columns;
	Datum		values[23];
	bool		nulls[23] = {false};

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "proof_of_work final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	if (state->settings_known[VALUE])
	{
		value = state->settings[VALUE].number;
		if (!(value > 0 && isfinite(value)))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("value is %g", value),
					 errhint("A target is above zero; NULL takes the top third of each unit instead.")));
	}
	lag_from = lag_setting(state, LAG_FROM);
	lag_to = lag_setting(state, LAG_TO);
	if (lag_from > lag_to)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag_from %d is after lag_to %d", lag_from, lag_to),
				 errhint("The window runs from lag_from to lag_to periods after a row.")));
	am_panel_finish(state, &panel);
	am_proof_of_work(&panel, value, lag_from, lag_to, &result);

	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE || columns->natts != lengthof(values))
		elog(ERROR, "proof_of_work final function has another result type");
	values[0] = CStringGetTextDatum(am_proof_verdict_name(result.verdict));
	set_share(values, nulls, 1, &result.met);
	set_share(values, nulls, 5, &result.empty_high);
	set_share(values, nulls, 9, &result.empty_low);
	am_set_float(values, nulls, 13, result.proof);
	am_set_float(values, nulls, 14, result.low);
	am_set_float(values, nulls, 15, result.high);
	am_set_float(values, nulls, 16, result.own_proof);
	am_set_float(values, nulls, 17, result.own_low);
	am_set_float(values, nulls, 18, result.own_high);
	am_set_float(values, nulls, 19, result.floor);
	values[20] = Int64GetDatum(result.longest_run);
	values[21] = Int32GetDatum(panel.n_units);
	values[22] = Int64GetDatum(result.outcomes);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
