/*
 * lead_lag(unit, period, x, y, max_lag [, options]) and lead_lag_verdict: SQL
 * glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "common/options.h"
#include "common/rows.h"
#include "lead_lag/lead_lag.h"
#include "panel/panel_state.h"

#define ALPHA			0.05
#define LARGEST_LAG		1000
#define ROW_COLUMNS		15
#define LONGEST_SEASON	100000

static const AmPanelArguments arguments = {
	.x_name = "x",
	.y_name = "y",
	.options = 6,
	.settings = {5},
	.setting_names = {"max_lag"},
	.setting_types = {'i'}
};

/* the overloads with controls: double precision[] before the options */
static const AmPanelArguments arguments_with_controls = {
	.x_name = "x",
	.y_name = "y",
	.controls = 6,
	.options = 7,
	.settings = {5},
	.setting_names = {"max_lag"},
	.setting_types = {'i'}
};

PG_FUNCTION_INFO_V1(am_lead_lag_int8_trans);
Datum
am_lead_lag_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments);
}

PG_FUNCTION_INFO_V1(am_lead_lag_text_trans);
Datum
am_lead_lag_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments);
}

PG_FUNCTION_INFO_V1(am_lead_lag_uuid_trans);
Datum
am_lead_lag_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments);
}

PG_FUNCTION_INFO_V1(am_lead_lag_int8_controls_trans);
Datum
am_lead_lag_int8_controls_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments_with_controls);
}

PG_FUNCTION_INFO_V1(am_lead_lag_text_controls_trans);
Datum
am_lead_lag_text_controls_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments_with_controls);
}

PG_FUNCTION_INFO_V1(am_lead_lag_uuid_controls_trans);
Datum
am_lead_lag_uuid_controls_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments_with_controls);
}

static void
read_options(const AmPanelState *state, AmLeadLagOptions *options)
{
	AmOptionReader reader;

	int64		season;

	*options = am_lead_lag_defaults();
	/* a value that is not known is not zero */
	options->fill_zero = !state->has_unknown;
	am_options_start(&reader, state->options);
	while (am_options_next(&reader))
	{
		if (am_option_is(&reader, "no prewhitening"))
			options->prewhiten = false;
		else if (am_option_is(&reader, "keep period means"))
			options->remove_period_means = false;
		else if (am_option_is(&reader, "no filling"))
			options->fill_zero = false;
		else if (am_option_is(&reader, "rank"))
			options->rank = true;
		else if (am_option_is(&reader, "difference"))
			options->difference = AM_DIFFERENCE_YES;
		else if (am_option_is(&reader, "difference auto"))
			options->difference = AM_DIFFERENCE_AUTO;
		else if (am_option_is(&reader, "no differencing"))
			options->difference = AM_DIFFERENCE_NO;
		else if (am_option_is(&reader, "season #", &season))
		{
			if (season < 2 || season > LONGEST_SEASON)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("season is " INT64_FORMAT " periods", season),
						 errhint("Give the periods of a cycle, such as 52 for weeks or 12 for months.")));
			options->season = (int) season;
		}
		else
			am_option_unknown(&reader, "rank, difference, difference auto, no differencing, season N, no prewhitening, keep period means, no filling");
	}
}

PG_FUNCTION_INFO_V1(am_lead_lag_final);
Datum
am_lead_lag_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmLeadLagOptions options;
	AmLeadLagRow *rows;
	uint64		periods;
	Datum	   *datums;
	int			n_rows;
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	columns;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "lead_lag final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (!OidIsValid(row_type))
		elog(ERROR, "lead_lag final function does not know its result type");
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	read_options(state, &options);
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	options.max_lag = state->settings_known[0] ? (int) state->settings[0].integer : am_lead_lag_default_max_lag(&panel);
	if (options.max_lag < 0 || options.max_lag > LARGEST_LAG)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_lag is %d", options.max_lag),
				 errhint("Give 0 to %d periods, or NULL for a quarter of the periods, at most 12.", LARGEST_LAG)));
	periods = am_lead_lag_periods(&panel);
	/* a panel of one period has no lags to choose among, and its verdict says so */
	if (periods > 1 && options.max_lag >= periods)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_lag is %d, but the longest unit has only " UINT64_FORMAT " periods", options.max_lag, periods),
				 errhint("Give at most " UINT64_FORMAT ", or NULL for a quarter of the periods.", periods - 1)));
	if (options.fill_zero && am_lead_lag_missing(&panel) > Min(AM_LL_MAX_FILLED, (uint64) state->limit))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("panel has too many missing periods to fill with zeros"),
				 errhint("Use a coarser grain, the option 'no filling', or more work_mem.")));

	n_rows = 2 * options.max_lag + 1;
	rows = am_palloc_array(AmLeadLagRow, n_rows);
	am_lead_lag(&panel, &options, rows);

	datums = am_palloc_array(Datum, n_rows);
	columns = lookup_rowtype_tupdesc(row_type, -1);
	Assert(columns->natts == ROW_COLUMNS);
	for (int i = 0; i < n_rows; i++)
	{
		const AmLeadLagRow *row = &rows[i];
		Datum		values[ROW_COLUMNS];
		bool		nulls[ROW_COLUMNS] = {false};
		char		method[128];

		values[0] = Int32GetDatum(row->lag);
		values[1] = Int64GetDatum(row->n);
		values[2] = Int32GetDatum(row->units);
		am_set_float(values, nulls, 3, row->r);
		am_set_float(values, nulls, 4, row->low);
		am_set_float(values, nulls, 5, row->high);
		am_set_float(values, nulls, 6, row->p);
		am_set_float(values, nulls, 7, row->p_holm);
		am_set_float(values, nulls, 8, row->r_pooled);
		am_set_float(values, nulls, 9, row->r_between);
		am_set_float(values, nulls, 10, row->r_within);
		am_set_float(values, nulls, 11, row->sign_share);
		am_set_float(values, nulls, 12, row->forecast_gain);
		am_set_float(values, nulls, 13, row->p_strict);
		am_lead_lag_method(row, method, sizeof(method));
		nulls[14] = method[0] == '\0';
		values[14] = nulls[14] ? (Datum) 0 : CStringGetTextDatum(method);
		datums[i] = HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
	}
	ReleaseTupleDesc(columns);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, n_rows, row_type, -1, false, TYPALIGN_DOUBLE));
}

static double
float_column(Datum *values, bool *nulls, int column)
{
	return nulls[column] ? NAN : DatumGetFloat8(values[column]);
}

/* The rows that a user may have written by hand: refuse what lead_lag() cannot have returned */
static int
read_rows(ArrayType *array, AmLeadLagRow **rows)
{
	Datum	   *datums;
	bool	   *nulls;
	int			n;
	TupleDesc	columns = lookup_rowtype_tupdesc(ARR_ELEMTYPE(array), -1);

	deconstruct_array(array, ARR_ELEMTYPE(array), -1, false, TYPALIGN_DOUBLE, &datums, &nulls, &n);
	*rows = am_palloc_array(AmLeadLagRow, Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		HeapTupleData tuple;
		HeapTupleHeader header;
		Datum		values[ROW_COLUMNS];
		bool		missing[ROW_COLUMNS];
		AmLeadLagRow *row = &(*rows)[i];

		if (!nulls[i])
		{
			header = DatumGetHeapTupleHeader(datums[i]);
			tuple.t_len = HeapTupleHeaderGetDatumLength(header);
			tuple.t_data = header;
			heap_deform_tuple(&tuple, columns, values, missing);
		}
		if (nulls[i] || missing[0] || missing[1] || missing[2] ||
			(i > 0 && DatumGetInt32(values[0]) <= row[-1].lag))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("row %d is not one of lead_lag()", i + 1),
					 errdetail("Rows have a lag, n and units, and come in order of lag.")));
		row->lag = DatumGetInt32(values[0]);
		row->n = DatumGetInt64(values[1]);
		row->units = DatumGetInt32(values[2]);
		row->r = float_column(values, missing, 3);
		row->low = float_column(values, missing, 4);
		row->high = float_column(values, missing, 5);
		row->p = float_column(values, missing, 6);
		row->p_holm = float_column(values, missing, 7);
		row->r_pooled = float_column(values, missing, 8);
		row->r_between = float_column(values, missing, 9);
		row->r_within = float_column(values, missing, 10);
		row->sign_share = float_column(values, missing, 11);
		row->forecast_gain = float_column(values, missing, 12);
		row->p_strict = float_column(values, missing, 13);
		am_lead_lag_read_method(row, missing[14] ? "" : TextDatumGetCString(values[14]));
	}
	ReleaseTupleDesc(columns);
	return n;
}

/* lead_lag_verdict(lead_lag_row[], x text, y text, grain text): a NULL array gives a NULL row */
PG_FUNCTION_INFO_V1(am_lead_lag_verdict_sql);
Datum
am_lead_lag_verdict_sql(PG_FUNCTION_ARGS)
{
	AmLeadLagRow *rows;
	int			n_rows;
	int			decided;
	AmLeadLagVerdict verdict;
	char	   *names[3];
	char		sentence[2048];
	TupleDesc	columns;
	Datum		values[11];
	bool		nulls[11] = {false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &columns) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "lead_lag_verdict must return a row");
	for (int i = 0; i < 3; i++)
	{
		static const char *const defaults[] = {"x", "y", "period"};

		names[i] = PG_ARGISNULL(i + 1) ? pstrdup(defaults[i]) : text_to_cstring(PG_GETARG_TEXT_PP(i + 1));
	}
	n_rows = read_rows(PG_GETARG_ARRAYTYPE_P(0), &rows);
	if (n_rows == 0)
		PG_RETURN_NULL();
	verdict = am_lead_lag_verdict(rows, n_rows, ALPHA, &decided);
	am_lead_lag_sentence(rows, n_rows, verdict, decided, names[0], names[1], names[2], sentence, sizeof(sentence));

	values[0] = CStringGetTextDatum(am_lead_lag_verdict_name(verdict));
	values[9] = CStringGetTextDatum(sentence);
	if (decided < 0)
		for (int i = 1; i < lengthof(values); i++)
			nulls[i] = i != 9;
	else
	{
		const AmLeadLagRow *row = &rows[decided];

		values[1] = Int32GetDatum(row->lag);
		am_set_float(values, nulls, 2, row->r);
		am_set_float(values, nulls, 3, row->low);
		am_set_float(values, nulls, 4, row->high);
		am_set_float(values, nulls, 5, row->p_holm);
		am_set_float(values, nulls, 6, row->sign_share);
		am_set_float(values, nulls, 7, row->forecast_gain);
		values[8] = Int64GetDatum(row->n);
		am_set_float(values, nulls, 10, row->p_strict);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}
