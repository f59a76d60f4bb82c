/*
 * panel_dose_response(unit, period, x, y, lag_from, lag_to): SQL glue.
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

#include "common/rows.h"
#include "lead_lag/panel_dose.h"
#include "panel/panel_state.h"

#define COLUMNS		37

static const AmPanelArguments arguments = {
	.x_name = "x",
	.y_name = "y",
	.only_positive = true,
	.settings = {5, 6},
	.setting_names = {"lag_from", "lag_to"},
	.setting_types = {'i', 'i'}
};

PG_FUNCTION_INFO_V1(am_panel_dose_int8_trans);
Datum
am_panel_dose_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments);
}

PG_FUNCTION_INFO_V1(am_panel_dose_text_trans);
Datum
am_panel_dose_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments);
}

PG_FUNCTION_INFO_V1(am_panel_dose_uuid_trans);
Datum
am_panel_dose_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments);
}

/* the lags of the arguments, -1: to be looked for */
static void
read_lags(const AmPanelState *state, const AmPanel *panel, int *from, int *to)
{
	uint64		periods = am_lead_lag_periods(panel);

	*from = *to = -1;
	if (!state->settings_known[0])
	{
		if (state->settings_known[1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("lag_to is " INT64_FORMAT ", but lag_from is NULL", state->settings[1].integer),
					 errhint("Give both, or neither for the lag at which lead_lag() finds x to lead y.")));
		return;
	}
	*from = (int) state->settings[0].integer;
	*to = state->settings_known[1] ? (int) state->settings[1].integer : *from;
	if (*from < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag_from is %d", *from),
				 errhint("Give the periods after which more x shows in y, 0 or more.")));
	if (*to < *from || *to - *from > AM_DOSE_WIDEST)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag_to is %d, lag_from is %d", *to, *from),
				 errhint("Give lag_from to lag_from + %d, or NULL for lag_from.", AM_DOSE_WIDEST)));
	/* one lag more than lag_to is in the regression; a panel of one period gets its average */
	if (periods > 2 && (uint64) *to + 1 >= periods)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag_to is %d, but the longest unit has only " UINT64_FORMAT " periods", *to, periods),
				 errhint("Give at most " UINT64_FORMAT ".", periods - 2)));
}

static void
set_estimate(Datum *values, bool *nulls, int column, AmEstimate estimate)
{
	am_set_float(values, nulls, column, estimate.value);
	am_set_float(values, nulls, column + 1, estimate.low);
	am_set_float(values, nulls, column + 2, estimate.high);
}

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text ? CStringGetTextDatum(text) : (Datum) 0;
}

PG_FUNCTION_INFO_V1(am_panel_dose_final);
Datum
am_panel_dose_final(PG_FUNCTION_ARGS)
{
	static const char *const curves[AM_CURVES] = {"linear", "logarithmic", "quadratic", "saturating"};
	AmPanelState *state;
	AmPanel		panel;
	AmPanelDose dose;
	TupleDesc	columns;
	Datum		values[COLUMNS];
	bool		nulls[COLUMNS] = {false};
	bool		fill_zero;
	int			from,
				to;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "panel_dose_response final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "panel_dose_response must return a row");
	Assert(columns->natts == COLUMNS);
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	read_lags(state, &panel, &from, &to);
	/* as lead_lag() does: a missing period is 0, but not where something is not known */
	fill_zero = !state->has_unknown;
	if (fill_zero && am_lead_lag_missing(&panel) > Min(AM_LL_MAX_FILLED, (uint64) state->limit))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("panel has too many missing periods to fill with zeros"),
				 errhint("Use a coarser grain, or more work_mem.")));
	am_panel_dose(&panel, from, to, fill_zero, &dose);

	set_text(values, nulls, 0, dose.searched ? am_lead_lag_verdict_name(dose.verdict) : NULL);
	values[1] = Int32GetDatum(dose.lag_from);
	values[2] = Int32GetDatum(dose.lag_to);
	nulls[1] = nulls[2] = !dose.has_lag;
	am_set_float(values, nulls, 3, dose.total_x);
	am_set_float(values, nulls, 4, dose.total_y);
	set_estimate(values, nulls, 5, dose.average);
	values[8] = Int64GetDatum(dose.n);
	values[9] = Int32GetDatum(dose.units);
	values[10] = Int32GetDatum(dose.periods);
	am_set_float(values, nulls, 11, dose.usual_x);
	am_set_float(values, nulls, 12, dose.usual_y);
	set_estimate(values, nulls, 13, dose.elasticity);
	am_set_float(values, nulls, 16, dose.p);
	set_text(values, nulls, 17, dose.reason != AM_DOSE_DEFINED ? NULL : dose.clustered ? "clustered" : "dispersion");
	set_estimate(values, nulls, 18, dose.marginal);
	set_estimate(values, nulls, 21, dose.below);
	set_estimate(values, nulls, 24, dose.above);
	am_set_float(values, nulls, 27, dose.p_bend);
	set_text(values, nulls, 28, dose.best_curve < 0 ? NULL : curves[dose.best_curve]);
	am_set_float(values, nulls, 29, dose.curve[AM_CURVE_LINEAR].aic);
	am_set_float(values, nulls, 30, dose.curve[AM_CURVE_LOGARITHMIC].aic);
	am_set_float(values, nulls, 31, dose.curve[AM_CURVE_SATURATING].aic);
	am_set_float(values, nulls, 32, dose.best_curve < 0 ? NAN : dose.curve[dose.best_curve].parameter[0]);
	am_set_float(values, nulls, 33, dose.best_curve < 0 ? NAN : dose.curve[dose.best_curve].parameter[1]);
	am_set_float(values, nulls, 34, dose.curve[AM_CURVE_SATURATING].parameter[0]);
	am_set_float(values, nulls, 35, dose.curve[AM_CURVE_SATURATING].parameter[1]);
	set_text(values, nulls, 36, am_panel_dose_reason(dose.reason));
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
