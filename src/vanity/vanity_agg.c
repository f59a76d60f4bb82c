/*
 * vanity(), gaming(), gaming_units() and gaming_scan(): SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <math.h>

#include "access/htup_details.h"
#include "fmgr.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/memory.h"
#include "common/options.h"
#include "common/rows.h"
#include "panel/panel_state.h"
#include "vanity/gaming.h"
#include "vanity/vanity.h"

#define TARGET_FROM		0		/* settings of gaming() */
#define TARGET_VALUE	1

static const AmPanelArguments vanity_arguments = {
	.x_name = "metric",
	.y_name = "outcome",
	.only_positive = true,
	.quality = 5,
	.options = 6
};

static const AmPanelArguments gaming_arguments = {
	.x_name = "metric",
	.y_name = "outcome",
	.only_positive = true,
	.settings = {5, 6},
	.setting_names = {"target_from", "target_value"},
	.setting_types = {'l', 'f'},
	.quality = 7,
	.options = 8
};

static const AmPanelArguments scan_arguments = {
	.x_name = "metric",
	.y_name = "outcome",
	.only_positive = true,
	.settings = {5},
	.setting_names = {"target_value"},
	.setting_types = {'f'},
	.quality = 6,
	.options = 7
};

PG_FUNCTION_INFO_V1(am_vanity_int8_trans);
Datum
am_vanity_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &vanity_arguments);
}

PG_FUNCTION_INFO_V1(am_vanity_text_trans);
Datum
am_vanity_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &vanity_arguments);
}

PG_FUNCTION_INFO_V1(am_vanity_uuid_trans);
Datum
am_vanity_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &vanity_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_int8_trans);
Datum
am_gaming_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &gaming_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_text_trans);
Datum
am_gaming_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &gaming_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_uuid_trans);
Datum
am_gaming_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &gaming_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_scan_int8_trans);
Datum
am_gaming_scan_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &scan_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_scan_text_trans);
Datum
am_gaming_scan_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &scan_arguments);
}

PG_FUNCTION_INFO_V1(am_gaming_scan_uuid_trans);
Datum
am_gaming_scan_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &scan_arguments);
}

/* What the sentences call things */
typedef struct Names
{
	char	   *metric;
	char	   *outcome;
	char	   *unit;
	char	   *grain;
} Names;

static const Names default_names = {"activity", "outcomes", "rep", "period"};

/* In a sentence a longer name is cut, between characters */
#define LONGEST_NAME	63

static bool
read_name(AmOptionReader *reader, Names *names)
{
	char	   *name;
	char	  **which;

	if (am_option_is(reader, "metric @", &name))
		which = &names->metric;
	else if (am_option_is(reader, "outcome @", &name))
		which = &names->outcome;
	else if (am_option_is(reader, "unit @", &name))
		which = &names->unit;
	else if (am_option_is(reader, "grain @", &name))
		which = &names->grain;
	else
		return false;
	name[pg_mbcliplen(name, (int) strlen(name), LONGEST_NAME)] = '\0';
	*which = name;
	return true;
}

static void
read_vanity_options(const char *text, AmVanityOptions *options, Names *names)
{
	AmOptionReader reader;
	int64		from;
	int64		to;

	memset(options, 0, sizeof(*options));
	options->target_value = NAN;
	*names = default_names;
	am_options_start(&reader, text);
	while (am_options_next(&reader))
	{
		if (am_option_is(&reader, "lag prior #..#", &from, &to))
		{
			if (from < 1 || to < from || to > 1000)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("lag prior " INT64_FORMAT ".." INT64_FORMAT " is not a range of lags from 1 to 1000", from, to)));
			options->lag_prior_from = (int) from;
			options->lag_prior_to = (int) to;
		}
		else if (am_option_is(&reader, "target % from #", &options->target_value, &options->target_from))
			options->has_target = true;
		else if (am_option_is(&reader, "target from #", &options->target_from))
		{
			options->has_target = true;
			options->target_value = NAN;
		}
		else if (am_option_is(&reader, "definition changed #", &options->changed_at))
			options->has_change = true;
		else if (!read_name(&reader, names))
			am_option_unknown(&reader, "lag prior 2..6, target 40 from 2870, definition changed 2870, metric 'calls', outcome 'wins', unit 'rep', grain 'week'");
	}
	if (options->has_target && options->target_value <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target is %g", options->target_value),
				 errhint("A target is above zero.")));
}

static AmPanelState *
final_state(FunctionCallInfo fcinfo)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "panel final function called outside an aggregate");
	return (AmPanelState *) PG_GETARG_POINTER(0);
}

static TupleDesc
result_columns(FunctionCallInfo fcinfo, int n)
{
	Oid			type = get_fn_expr_rettype(fcinfo->flinfo);
	TupleDesc	columns;

	if (!OidIsValid(type))
		elog(ERROR, "final function does not know its result type");
	columns = lookup_rowtype_tupdesc_copy(type, -1);
	if (columns->natts != n)
		elog(ERROR, "result type has %d columns, not %d", columns->natts, n);
	return columns;
}

PG_FUNCTION_INFO_V1(am_vanity_final);
Datum
am_vanity_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmVanityOptions options;
	AmVanityResult result;
	Names		names;
	char		sentence[2048];
	TupleDesc	columns;
	Datum		values[28];
	bool		nulls[28] = {false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = final_state(fcinfo);
	read_vanity_options(state->options, &options, &names);
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	am_vanity(&panel, &options, &result);
	am_vanity_sentence(&result, &options, names.metric, names.outcome, names.unit, names.grain,
					   sentence, sizeof(sentence));

	columns = result_columns(fcinfo, lengthof(values));
	am_set_float(values, nulls, 0, result.score);
	values[1] = CStringGetTextDatum(am_vanity_verdict_name(result.verdict));
	am_set_float(values, nulls, 2, result.confidence);
	nulls[3] = nulls[4] = !result.has_window;
	values[3] = Int32GetDatum(result.lag_from);
	values[4] = Int32GetDatum(result.lag_to);
	am_set_float(values, nulls, 5, result.elasticity);
	am_set_float(values, nulls, 6, result.low);
	am_set_float(values, nulls, 7, result.high);
	am_set_float(values, nulls, 8, result.no_progress);
	am_set_float(values, nulls, 9, result.only_rises);
	am_set_float(values, nulls, 10, result.is_outcome);
	am_set_float(values, nulls, 11, result.p_gamed);
	am_set_float(values, nulls, 12, result.wrong_way);
	am_set_float(values, nulls, 13, result.follows);
	am_set_float(values, nulls, 14, result.same_week);
	am_set_float(values, nulls, 15, result.saturated);
	am_set_float(values, nulls, 16, result.empty_high);
	am_set_float(values, nulls, 17, result.quality_gain);
	am_set_float(values, nulls, 18, result.reliability);
	am_set_float(values, nulls, 19, result.size_share);
	am_set_float(values, nulls, 20, result.time_share);
	am_set_float(values, nulls, 21, result.within_share);
	am_set_float(values, nulls, 22, result.smallest_visible);
	values[23] = Int64GetDatum(result.n);
	values[24] = Int32GetDatum(result.units);
	values[25] = Int32GetDatum(result.periods);
	values[26] = Int64GetDatum(result.outcomes);
	values[27] = CStringGetTextDatum(sentence);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

static void
read_gaming_options(const char *text, AmGamingTarget *target, Names *names)
{
	AmOptionReader reader;

	*names = default_names;
	am_options_start(&reader, text);
	while (am_options_next(&reader))
	{
		if (am_option_is(&reader, "definition changed #", &target->changed_at))
			target->has_change = true;
		else if (!read_name(&reader, names))
			am_option_unknown(&reader, "definition changed 2870, metric 'calls', outcome 'wins', unit 'rep', grain 'week'");
	}
}

static double
target_value(const AmPanelState *state, int setting)
{
	double		value = state->settings[setting].number;

	if (!state->settings_known[setting])
		return NAN;
	if (!(value > 0 && isfinite(value)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("target_value is %g", value),
				 errhint("A target is above zero; NULL where its value is not known.")));
	return value;
}

static void
run_gaming(AmPanelState *state, AmPanel *panel, AmGamingTarget *target, AmGamingResult *result, double **suspicion, Names *names)
{
	if (!state->settings_known[TARGET_FROM])
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("target_from is null"),
				 errhint("Give the number of the period from which the target held, as period_no() counts; gaming_scan() looks for it.")));
	memset(target, 0, sizeof(*target));
	target->from = state->settings[TARGET_FROM].integer;
	target->value = target_value(state, TARGET_VALUE);
	read_gaming_options(state->options, target, names);
	am_panel_finish(state, panel);
	am_panel_check_span(panel);
	*suspicion = am_palloc_array(double, panel->n_units + 1);
	am_gaming(panel, target, result, *suspicion);
}

static void
set_gaming(const AmGamingResult *result, const char *sentence, Datum *values, bool *nulls)
{
	am_set_float(values, nulls, 0, result->p_gamed);
	am_set_float(values, nulls, 1, result->bunch);
	am_set_float(values, nulls, 2, result->surge);
	am_set_float(values, nulls, 3, result->quality_fall);
	am_set_float(values, nulls, 4, result->did);
	am_set_float(values, nulls, 5, result->fill);
	am_set_float(values, nulls, 6, result->yield);
	am_set_float(values, nulls, 7, result->keep);
	am_set_float(values, nulls, 8, result->share_at_target);
	am_set_float(values, nulls, 9, result->share_before);
	values[10] = Int64GetDatum(result->n_before);
	values[11] = Int64GetDatum(result->n_after);
	values[12] = CStringGetTextDatum(sentence);
}

PG_FUNCTION_INFO_V1(am_gaming_final);
Datum
am_gaming_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmGamingTarget target;
	AmGamingResult result;
	double	   *suspicion;
	Names		names;
	char		sentence[2048];
	TupleDesc	columns;
	Datum		values[13];
	bool		nulls[13] = {false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = final_state(fcinfo);
	run_gaming(state, &panel, &target, &result, &suspicion, &names);
	am_gaming_sentence(&result, target.value, names.metric, names.outcome, names.unit, names.grain, sentence, sizeof(sentence));

	columns = result_columns(fcinfo, lengthof(values));
	set_gaming(&result, sentence, values, nulls);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

PG_FUNCTION_INFO_V1(am_gaming_scan_final);
Datum
am_gaming_scan_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmGamingTarget target;
	AmGamingResult result;
	Names		names;
	double		z;
	bool		found;
	char		sentence[2048];
	TupleDesc	columns;
	Datum		values[15];
	bool		nulls[15] = {false};

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = final_state(fcinfo);
	memset(&target, 0, sizeof(target));
	target.value = target_value(state, 0);
	read_gaming_options(state->options, &target, &names);
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	found = am_gaming_scan(&panel, &target, &z);
	if (!found)
		target.from = PG_INT64_MAX;
	am_gaming(&panel, &target, &result, NULL);
	am_gaming_scan_sentence(&result, &target, z, names.metric, names.outcome, names.unit, names.grain, sentence, sizeof(sentence));

	columns = result_columns(fcinfo, lengthof(values));
	set_gaming(&result, sentence, values, nulls);
	nulls[13] = !found;
	values[13] = Int64GetDatum(target.from);
	am_set_float(values, nulls, 14, z);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(columns), values, nulls)));
}

PG_FUNCTION_INFO_V1(am_gaming_units_final);
Datum
am_gaming_units_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmGamingTarget target;
	AmGamingResult result;
	double	   *suspicion;
	Names		names;
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	columns;
	Datum	   *datums;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = final_state(fcinfo);
	run_gaming(state, &panel, &target, &result, &suspicion, &names);
	columns = lookup_rowtype_tupdesc(row_type, -1);
	datums = am_palloc_array(Datum, panel.n_units + 1);
	for (int32 unit = 0; unit < panel.n_units; unit++)
	{
		Datum		values[2];
		bool		nulls[2] = {false};

		values[0] = CStringGetTextDatum(am_panel_unit_name(state, unit));
		am_set_float(values, nulls, 1, suspicion[unit]);
		datums[unit] = HeapTupleGetDatum(heap_form_tuple(columns, values, nulls));
	}
	ReleaseTupleDesc(columns);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, panel.n_units, row_type, -1, false, TYPALIGN_DOUBLE));
}
