/*
 * panel_granger(unit, period, x, y, lag_order): SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "common/memory.h"
#include "common/rows.h"
#include "lead_lag/lead_lag_prepare.h"
#include "lead_lag/panel_granger.h"
#include "panel/panel_state.h"

#define LARGEST_ORDER	100

static const AmPanelArguments arguments = {
	.x_name = "x",
	.y_name = "y",
	.settings = {5},
	.setting_names = {"lag_order"},
	.setting_types = {'i'}
};

PG_FUNCTION_INFO_V1(am_panel_granger_int8_trans);
Datum
am_panel_granger_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments);
}

PG_FUNCTION_INFO_V1(am_panel_granger_text_trans);
Datum
am_panel_granger_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments);
}

PG_FUNCTION_INFO_V1(am_panel_granger_uuid_trans);
Datum
am_panel_granger_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments);
}

static Datum
float_array(const AmGrangerUnit *units, int n, bool p)
{
	Datum	   *values = am_palloc_array(Datum, n + 1);
	bool	   *nulls = am_palloc_array(bool, n + 1);
	int			lower = 1;

	for (int i = 0; i < n; i++)
	{
		double		v = p ? units[i].p : units[i].wald;

		nulls[i] = isnan(v);
		values[i] = Float8GetDatum(v);
	}
	return PointerGetDatum(construct_md_array(values, nulls, 1, &n, &lower, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

PG_FUNCTION_INFO_V1(am_panel_granger_final);
Datum
am_panel_granger_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmPreparedPanel filled;
	AmLeadLagOptions options = {0};
	AmPanelGranger result;
	AmGrangerUnit *per_unit;
	TupleDesc	columns;
	Datum	   *names;
	Datum		values[10];
	bool		nulls[10] = {false};
	int64		order;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "panel_granger final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "panel_granger must return a row");
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	order = state->settings_known[0] ? state->settings[0].integer : 1;
	if (order < 1 || order > LARGEST_ORDER)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("lag_order is " INT64_FORMAT, order),
				 errhint("Give 1 to %d periods; NULL is 1.", LARGEST_ORDER)));
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	/* as lead_lag() does: a missing period is 0, but not where something is not known */
	options.fill_zero = !state->has_unknown;
	if (options.fill_zero && am_lead_lag_missing(&panel) > Min(AM_LL_MAX_FILLED, (uint64) state->limit))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("panel has too many missing periods to fill with zeros"),
				 errhint("Use a coarser grain, or more work_mem.")));
	am_lead_lag_prepare(&filled, &panel, &options);
	per_unit = am_palloc_array(AmGrangerUnit, panel.n_units + 1);
	am_panel_granger(&filled.panel, (int) order, &result, per_unit);

	names = am_palloc_array(Datum, panel.n_units + 1);
	for (int i = 0; i < panel.n_units; i++)
		names[i] = CStringGetTextDatum(am_panel_unit_name(state, i));
	values[0] = Int32GetDatum((int32) order);
	values[1] = Int32GetDatum(result.units);
	am_set_float(values, nulls, 2, result.wbar);
	am_set_float(values, nulls, 3, result.zbar);
	am_set_float(values, nulls, 4, result.p_zbar);
	am_set_float(values, nulls, 5, result.ztilde);
	am_set_float(values, nulls, 6, result.p_ztilde);
	values[7] = PointerGetDatum(construct_array(names, panel.n_units, TEXTOID, -1, false, TYPALIGN_INT));
	values[8] = float_array(per_unit, panel.n_units, false);
	values[9] = float_array(per_unit, panel.n_units, true);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
