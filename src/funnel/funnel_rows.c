/*
 * See funnel_rows.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "funnel/funnel_rows.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "common/rows.h"
#include "funnel/funnel_plan.h"

/* Starts a part of a note */
static StringInfo
part(StringInfo note)
{
	if (note->len > 0)
		appendStringInfoString(note, "; ");
	return note;
}

static void
note_exclusions(const AmFunnelTally *tally, int step, StringInfo note)
{
	const AmFunnelSpec *spec = tally->spec;
	const char *separator = "excluded by ";

	if (tally->counts[step].excluded == 0)
		return;
	part(note);
	for (int role = 0; role < spec->n_roles; role++)
	{
		int64		n = tally->excluded_by[step * spec->n_roles + role];

		if (n == 0)
			continue;
		appendStringInfo(note, "%s%s: " INT64_FORMAT, separator, am_funnel_role_kinds(spec, role), n);
		separator = ", ";
	}
}

/* Can whoever stops at this step wait for the next one for ever? */
static bool
never_times_out(const AmFunnelSpec *spec, int step)
{
	if (spec->within != AM_NO_LIMIT)
		return false;
	for (uint64 next = am_steps_after(spec, step); next; next &= next - 1)
		if (spec->steps[pg_rightmost_one_pos64(next)].limit == AM_NO_LIMIT)
			return true;
	return false;
}

static bool
has_exclusions(const AmFunnelSpec *spec)
{
	for (int role = 0; role < spec->n_roles; role++)
		if (spec->roles[role].excludes)
			return true;
	return (spec->options & AM_FUNNEL_STRICT_ORDER) != 0;
}

/* Why a value is zero or missing, and what else a reader has to know; NULL if nothing */
static char *
step_note(const AmFunnelTally *tally, int step, AmAbsentKinds absent, void *arg)
{
	const AmFunnelSpec *spec = tally->spec;
	const AmFunnelCount *count = &tally->counts[step];
	StringInfoData note;
	bool		any_order = (spec->options & AM_FUNNEL_ANY_ORDER) != 0;
	bool		absent_kinds;
	int			first_open = 0;

	initStringInfo(&note);
	if (absent)
		absent(arg, step, &note);
	absent_kinds = note.len > 0;
	if (!absent_kinds && step == 0 && count->reached == 0)
		appendStringInfoString(&note, "nobody entered: rates are not defined");
	else if (!absent_kinds && step > 0 && tally->counts[step - 1].reached == 0)
		appendStringInfoString(&note, "nobody reached the step before: the rate is not defined");
	else if (!absent_kinds && step > 0 && count->reached == 0)
		appendStringInfoString(&note, "nobody took this step in time after the one before");

	while (first_open < spec->n_steps - 1 &&
		   (tally->counts[first_open].still_open == 0 || !never_times_out(spec, first_open)))
		first_open++;
	if (step == first_open && step < spec->n_steps - 1)
		appendStringInfoString(part(&note), has_exclusions(spec) ?
							   "no within: whoever stopped and was not excluded counts as still open" :
							   "no within: whoever stopped counts as still open");
	if (spec->steps[step].optional && !any_order && count->reached > 0)
		appendStringInfo(part(&note), "optional: " INT64_FORMAT " of " INT64_FORMAT " took it", count->taken, count->reached);
	else if (count->taken < count->reached && !any_order)
		appendStringInfo(part(&note), INT64_FORMAT " of " INT64_FORMAT " skipped it", count->reached - count->taken, count->reached);
	note_exclusions(tally, step, &note);
	if (step == 0 && tally->came_late > 0 && !any_order && !absent_kinds)
		appendStringInfo(part(&note), INT64_FORMAT " took later steps without it, and are left out", tally->came_late);
	if (count->passed_over > 0)
		appendStringInfo(part(&note), INT64_FORMAT " went on without the next step", count->passed_over);
	if (count->reached > count->entities)
		appendStringInfo(part(&note), INT64_FORMAT " attempts of " INT64_FORMAT "%s", count->reached, count->entities,
						 count->entities == 1 ? " entity" : " entities");
	return note.len > 0 ? note.data : NULL;
}

void
am_funnel_form_rows(AmFunnelTally *tally, AmAbsentKinds absent, void *arg, TupleDesc columns, HeapTuple *steps)
{
	const AmFunnelSpec *spec = tally->spec;
	AmFunnelRow rows[AM_FUNNEL_MAX_STEPS];

	am_funnel_tally_finish(tally, rows);
	for (int step = 0; step < spec->n_steps; step++)
	{
		Datum		values[28];
		bool		nulls[28] = {false};
		char	   *note = step_note(tally, step, absent, arg);
		const AmFunnelRow *row = &rows[step];
		const AmFunnelCount *count = &tally->counts[step];

		Assert(columns->natts == lengthof(values));
		values[0] = Int32GetDatum(step + 1);
		values[1] = CStringGetTextDatum(am_funnel_step_label(spec, step));
		values[2] = Int64GetDatum(count->reached);
		am_set_float(values, nulls, 3, row->step_rate);
		am_set_float(values, nulls, 4, row->step_rate_low);
		am_set_float(values, nulls, 5, row->step_rate_high);
		am_set_float(values, nulls, 6, row->overall_rate);
		am_set_float(values, nulls, 7, row->overall_rate_low);
		am_set_float(values, nulls, 8, row->overall_rate_high);
		values[9] = Int64GetDatum(count->still_open);
		values[10] = Int64GetDatum(count->timed_out);
		values[11] = Int64GetDatum(count->excluded);
		values[12] = Int64GetDatum(count->broken);
		am_set_float(values, nulls, 13, row->eventual_rate);
		am_set_float(values, nulls, 14, row->median_days);
		am_set_float(values, nulls, 15, row->p90_days);
		am_set_float(values, nulls, 16, row->median_days_from_start);
		nulls[17] = note == NULL;
		if (note)
			values[17] = CStringGetTextDatum(note);
		am_set_float(values, nulls, 18, row->eventual_rate_low);
		am_set_float(values, nulls, 19, row->eventual_rate_high);
		am_set_float(values, nulls, 20, row->mean_days);
		am_set_float(values, nulls, 21, row->mean_days_from_start);
		am_set_float(values, nulls, 22, row->p90_days_from_start);
		values[23] = Int64GetDatum(count->taken);
		values[24] = Int64GetDatum(count->entities);
		am_set_float(values, nulls, 25, row->overall_eventual_rate);
		am_set_float(values, nulls, 26, row->overall_eventual_rate_low);
		am_set_float(values, nulls, 27, row->overall_eventual_rate_high);
		steps[step] = heap_form_tuple(columns, values, nulls);
	}
}

Datum
am_funnel_rows(FunctionCallInfo fcinfo, AmFunnelTally *tally, AmAbsentKinds absent, void *arg)
{
	Oid			row_type = get_element_type(get_fn_expr_rettype(fcinfo->flinfo));
	TupleDesc	columns;
	HeapTuple	steps[AM_FUNNEL_MAX_STEPS];
	Datum		values[AM_FUNNEL_MAX_STEPS];

	if (!OidIsValid(row_type))
		elog(ERROR, "a function of funnel rows does not know its result type");
	columns = lookup_rowtype_tupdesc(row_type, -1);
	am_funnel_form_rows(tally, absent, arg, columns, steps);
	ReleaseTupleDesc(columns);
	for (int step = 0; step < tally->spec->n_steps; step++)
		values[step] = HeapTupleGetDatum(steps[step]);
	PG_RETURN_ARRAYTYPE_P(construct_array(values, tally->spec->n_steps, row_type, -1, false, TYPALIGN_DOUBLE));
}
