/*
 * activity_cusum() and the run lengths of CUSUMs: SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include <float.h>
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
#include "panel/panel_state.h"
#include "warning/cusum.h"
#include "warning/run_length.h"

#define LARGEST_H		100
#define MOST_SILENT		1000

static const AmPanelArguments arguments = {
	.x_name = "x",
	.only_positive = true,
	.quality = 4,
	.options = 5
};

PG_FUNCTION_INFO_V1(am_activity_cusum_int8_trans);
Datum
am_activity_cusum_int8_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_INT8, &arguments);
}

PG_FUNCTION_INFO_V1(am_activity_cusum_text_trans);
Datum
am_activity_cusum_text_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_TEXT, &arguments);
}

PG_FUNCTION_INFO_V1(am_activity_cusum_uuid_trans);
Datum
am_activity_cusum_uuid_trans(PG_FUNCTION_ARGS)
{
	return am_panel_transition(fcinfo, AM_UNIT_UUID, &arguments);
}

static void
refuse_option(const char *what, double value, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s is %g", what, value),
			 errhint("%s", hint)));
}

static double
periods_per_year(const char *grain)
{
	static const struct
	{
		const char *grain;
		double		periods;
	}			years[] = {{"hour", 24 * 365.2425}, {"day", 365.2425}, {"week", 52.1775}, {"month", 12}, {"quarter", 4}, {"year", 1}};

	for (int i = 0; i < lengthof(years); i++)
		if (pg_strcasecmp(years[i].grain, grain) == 0)
			return years[i].periods;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown grain \"%s\"", grain),
			 errhint("Grains are hour, day, week, month, quarter and year.")));
}

static void
read_options(const char *text, AmCusumOptions *options)
{
	AmOptionReader reader;
	int64		silent;
	char	   *grain = "week";

	memset(options, 0, sizeof(*options));
	options->h = options->false_alarms = NAN;
	am_options_start(&reader, text);
	while (am_options_next(&reader))
	{
		if (am_option_is(&reader, "h %", &options->h))
		{
			if (!(options->h > 0 && options->h <= LARGEST_H))
				refuse_option("h", options->h, "Give a threshold above 0, up to 100; 5 is usual, 4 sees more and errs more often.");
		}
		else if (am_option_is(&reader, "false alarms per year %", &options->false_alarms))
		{
			if (!(options->false_alarms > 0))
				refuse_option("false alarms per year", options->false_alarms, "Give how many a year are bearable over all units, such as 6.");
		}
		else if (am_option_is(&reader, "silent #", &silent))
		{
			if (silent < 0 || silent > MOST_SILENT)
				refuse_option("silent", (double) silent, "Give a number of periods from 0 to 1000.");
			options->silent = (int) silent;
		}
		else if (am_option_is(&reader, "poisson"))
			options->poisson = true;
		else if (!am_option_is(&reader, "grain @", &grain))
			am_option_unknown(&reader, "h 5, false alarms per year 6, grain 'week', poisson, silent 8");
	}
	if (!isnan(options->h) && !isnan(options->false_alarms))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("options h and false alarms per year exclude each other"),
				 errhint("The number of false alarms sets h: leave one of them out.")));
	if (options->poisson && !isnan(options->h) && options->h * 2 != floor(options->h * 2))
		refuse_option("h", options->h, "With poisson, h is a multiple of 0.5.");
	options->periods_per_year = periods_per_year(grain);
}

static const char *
reason_text(AmCusumReason reason)
{
	switch (reason)
	{
		case AM_CUSUM_TOO_FEW:
			return "too few periods to tell what is usual";
		case AM_CUSUM_NOTHING_USUAL:
			return "nothing is usual: the level is zero";
		case AM_CUSUM_GONE:
			return "no row for so long that it is taken to have left";
		case AM_CUSUM_DEFINED:
			break;
	}
	return NULL;
}

static HeapTuple
row_tuple(TupleDesc columns, AmPanelState *state, const AmCusumRow *row)
{
	Datum		values[18];
	bool		nulls[18] = {false};
	bool		defined = row->reason == AM_CUSUM_DEFINED;

	nulls[0] = row->unit < 0;
	values[0] = row->unit < 0 ? (Datum) 0 : CStringGetTextDatum(am_panel_unit_name(state, row->unit));
	values[1] = Int64GetDatum(row->period);
	nulls[2] = !defined;
	values[2] = BoolGetDatum(row->alarm);
	nulls[3] = !defined || !row->has_alarm_period;
	values[3] = Int64GetDatum(row->alarm_period);
	nulls[4] = !defined || !row->has_since;
	values[4] = Int64GetDatum(row->since);
	am_set_float(values, nulls, 5, defined ? row->level_now : NAN);
	am_set_float(values, nulls, 6, defined ? row->usual_level : NAN);
	am_set_float(values, nulls, 7, defined ? row->change : NAN);
	am_set_float(values, nulls, 8, defined ? row->cusum : NAN);
	am_set_float(values, nulls, 9, defined ? row->threshold : NAN);
	am_set_float(values, nulls, 10, defined ? row->false_alarm_every : NAN);
	values[11] = Int64GetDatum(row->n);
	am_set_float(values, nulls, 12, defined ? row->phi : NAN);
	am_set_float(values, nulls, 13, defined ? row->share_down : NAN);
	nulls[14] = !defined || row->unit >= 0;
	values[14] = BoolGetDatum(row->at_once);
	nulls[15] = defined;
	values[15] = defined ? (Datum) 0 : CStringGetTextDatum(reason_text(row->reason));
	return heap_form_tuple(columns, values, nulls);
}

PG_FUNCTION_INFO_V1(am_activity_cusum_final);
Datum
am_activity_cusum_final(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	AmPanel		panel;
	AmCusumOptions options;
	AmCusumRow *rows;
	int32		n;
	double	   *weighted;
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	columns;
	Datum	   *datums;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "activity_cusum final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	read_options(state->options, &options);
	am_panel_finish(state, &panel);
	am_panel_check_span(&panel);
	weighted = am_palloc_array(double, panel.n + 1);
	if (am_panel_weigh(&panel, weighted, NULL))
		panel.x = weighted;
	rows = am_palloc_array(AmCusumRow, (Size) panel.n_units + 1);
	n = am_cusum(&panel, &options, rows, NULL);

	columns = lookup_rowtype_tupdesc(row_type, -1);
	datums = am_palloc_array(Datum, (Size) n + 1);
	for (int32 i = 0; i < n; i++)
		datums[i] = HeapTupleGetDatum(row_tuple(columns, state, &rows[i]));
	ReleaseTupleDesc(columns);
	PG_RETURN_ARRAYTYPE_P(construct_array(datums, n, row_type, -1, false, TYPALIGN_DOUBLE));
}

static void
check_positive(const char *name, double value, double least)
{
	if (!(value >= least) || !isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s is %g", name, value),
				 least > 0 ? errhint("It is at least %g.", least) : errhint("It is 0 or more.")));
}

/* cusum_run_length(mean, phi, change, h, level_rows) */
PG_FUNCTION_INFO_V1(am_cusum_run_length_sql);
Datum
am_cusum_run_length_sql(PG_FUNCTION_ARGS)
{
	double		mean = PG_GETARG_FLOAT8(0);
	double		phi = PG_GETARG_FLOAT8(1);
	double		change = PG_GETARG_FLOAT8(2);
	double		h = PG_GETARG_FLOAT8(3);
	int32		rows = PG_GETARG_INT32(4);
	double		length;

	check_positive("mean", mean, DBL_MIN);
	check_positive("level_rows", rows, 0);
	check_positive("phi", phi, 1);
	check_positive("1 + change", 1 + change, 0);
	check_positive("h", h, DBL_MIN);
	length = am_cusum_arl_estimated(mean, phi, 1 + change, h, rows);
	if (!isfinite(length))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(length);
}

/* poisson_cusum_run_length(mean, k, h, head_start, upwards) */
PG_FUNCTION_INFO_V1(am_poisson_cusum_run_length_sql);
Datum
am_poisson_cusum_run_length_sql(PG_FUNCTION_ARGS)
{
	double		mean = PG_GETARG_FLOAT8(0);
	double		k = PG_GETARG_FLOAT8(1);
	double		h = PG_GETARG_FLOAT8(2);
	double		head_start = PG_GETARG_FLOAT8(3);
	double		length;

	check_positive("mean", mean, DBL_MIN);
	length = am_poisson_cusum_arl(mean, k, h, head_start, PG_GETARG_BOOL(4));
	if (isnan(length))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("k %g, h %g and head_start %g make no Poisson CUSUM", k, h, head_start),
				 errhint("They are multiples of 0.5: k above 0, h up to 100, head_start at least 0 and below h.")));
	if (isinf(length))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(length);
}
