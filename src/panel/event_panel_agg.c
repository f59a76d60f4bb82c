/*
 * event_panel(source, unit, at, kind, status, value, quality, since, until,
 * options) and event_panel_rows: SQL glue.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/event_panel.h"

#include "access/xact.h"
#include "catalog/pg_collation_d.h"
#include "catalog/pg_type_d.h"
#include "funcapi.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/varlena.h"

#include "common/arguments.h"
#include "common/memory.h"
#include "common/rows.h"
#include "events/status.h"

#define MOST_ROWS	(INT64CONST(1) << 26)

enum
{
	ARG_STATE, ARG_SOURCE, ARG_UNIT, ARG_AT, ARG_KIND, ARG_STATUS, ARG_VALUE, ARG_QUALITY, ARG_SINCE, ARG_UNTIL, ARG_OPTIONS
};

static AmEventPanel *
first_row(FunctionCallInfo fcinfo, AmUnitType type)
{
	MemoryContext context;
	Aggref	   *aggref = AggGetAggref(fcinfo);
	AmEventPanel *panel;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "event_panel called outside an aggregate");
	if (PG_ARGISNULL(ARG_OPTIONS))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("options of event_panel are null"),
				 errhint("Name the columns: grain 'week', zone 'UTC', count 'call', sum 'won'.")));
	panel = am_event_panel_create(context, type, text_to_cstring(PG_GETARG_TEXT_PP(ARG_OPTIONS)));
	panel->has_since = !PG_ARGISNULL(ARG_SINCE);
	panel->since = panel->has_since ? PG_GETARG_TIMESTAMPTZ(ARG_SINCE) : 0;
	panel->has_until = !PG_ARGISNULL(ARG_UNTIL);
	panel->until = panel->has_until ? PG_GETARG_TIMESTAMPTZ(ARG_UNTIL) : 0;
	panel->constant = aggref && am_is_literal(aggref, ARG_SINCE) && am_is_literal(aggref, ARG_UNTIL) &&
		am_is_literal(aggref, ARG_OPTIONS);
	return panel;
}

static void
check_settings(FunctionCallInfo fcinfo, const AmEventPanel *panel)
{
	bool		same = PG_ARGISNULL(ARG_SINCE) != panel->has_since && PG_ARGISNULL(ARG_UNTIL) != panel->has_until &&
		(!panel->has_since || PG_GETARG_TIMESTAMPTZ(ARG_SINCE) == panel->since) &&
		(!panel->has_until || PG_GETARG_TIMESTAMPTZ(ARG_UNTIL) == panel->until) &&
		!PG_ARGISNULL(ARG_OPTIONS);

	if (same)
	{
		text	   *options = PG_GETARG_TEXT_PP(ARG_OPTIONS);
		Size		length = VARSIZE_ANY_EXHDR(options);

		same = strncmp(VARDATA_ANY(options), panel->plan.text, length) == 0 && panel->plan.text[length] == '\0';
	}
	if (!same)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("since, until or options change within a group"),
				 errhint("Pass the same values for all rows, or GROUP BY them.")));
}

static inline AmEventUnit *
find_unit(FunctionCallInfo fcinfo, AmEventPanel *panel, AmUnitType type)
{
	if (type == AM_UNIT_INT8)
		return am_event_panel_int64_unit(panel, PG_GETARG_INT64(ARG_UNIT));
	if (type == AM_UNIT_UUID)
		return am_event_panel_unit(panel, (const char *) PG_GETARG_UUID_P(ARG_UNIT)->data, UUID_LEN);
	else
	{
		text	   *unit = PG_GETARG_TEXT_PP(ARG_UNIT);

		return am_event_panel_unit(panel, VARDATA_ANY(unit), VARSIZE_ANY_EXHDR(unit));
	}
}

static inline Datum
transition(FunctionCallInfo fcinfo, AmUnitType type)
{
	AmEventPanel *panel;
	AmEventUnit *unit;
	TimestampTz at = 0;
	int			source = PG_ARGISNULL(ARG_SOURCE) ? 1 : PG_GETARG_INT32(ARG_SOURCE);
	double		value = 0;
	double		quality = 0;
	text	   *kind = NULL;

	if (PG_ARGISNULL(ARG_STATE))
		panel = first_row(fcinfo, type);
	else
	{
		panel = (AmEventPanel *) PG_GETARG_POINTER(ARG_STATE);
		if (unlikely(!panel->constant))
			check_settings(fcinfo, panel);
	}
	if (source < 1 || source > panel->plan.n_sources)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("source is %d, the options name %d", source, panel->plan.n_sources)));
	if (!PG_ARGISNULL(ARG_STATUS))
	{
		text	   *status = PG_GETARG_TEXT_PP(ARG_STATUS);

		if (!am_status_is_done(VARDATA_ANY(status), VARSIZE_ANY_EXHDR(status)))
			PG_RETURN_POINTER(panel);
	}
	if (!PG_ARGISNULL(ARG_AT))
	{
		at = PG_GETARG_TIMESTAMPTZ(ARG_AT);
		if (TIMESTAMP_NOT_FINITE(at))
			am_period(at, panel->plan.grain, panel->plan.zone); /* says so */
	}
	if (PG_ARGISNULL(ARG_UNIT))
		PG_RETURN_POINTER(panel);
	unit = find_unit(fcinfo, panel, type);
	if (PG_ARGISNULL(ARG_AT))
	{
		unit->timeless = true;
		PG_RETURN_POINTER(panel);
	}
	if (!PG_ARGISNULL(ARG_KIND))
		kind = PG_GETARG_TEXT_PP(ARG_KIND);
	if (!PG_ARGISNULL(ARG_VALUE))
		value = PG_GETARG_FLOAT8(ARG_VALUE);
	if (!PG_ARGISNULL(ARG_QUALITY))
		quality = PG_GETARG_FLOAT8(ARG_QUALITY);
	am_event_panel_add(panel, unit, source, at,
					   kind ? VARDATA_ANY(kind) : NULL, kind ? VARSIZE_ANY_EXHDR(kind) : 0,
					   PG_ARGISNULL(ARG_VALUE) ? NULL : &value, PG_ARGISNULL(ARG_QUALITY) ? NULL : &quality);
	PG_RETURN_POINTER(panel);
}

PG_FUNCTION_INFO_V1(am_event_panel_int8_trans);
Datum
am_event_panel_int8_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_UNIT_INT8);
}

PG_FUNCTION_INFO_V1(am_event_panel_text_trans);
Datum
am_event_panel_text_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_UNIT_TEXT);
}

PG_FUNCTION_INFO_V1(am_event_panel_uuid_trans);
Datum
am_event_panel_uuid_trans(PG_FUNCTION_ARGS)
{
	return transition(fcinfo, AM_UNIT_UUID);
}

static bytea *
panel_bytes(AmEventPanel *panel, bool free_cells)
{
	StringInfoData out;

	pq_begintypsend(&out);
	am_event_panel_write(panel, &out, free_cells);
	return pq_endtypsend(&out);
}

PG_FUNCTION_INFO_V1(am_event_panel_serial);
Datum
am_event_panel_serial(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "event_panel serialisation function called outside an aggregate");
	PG_RETURN_BYTEA_P(panel_bytes((AmEventPanel *) PG_GETARG_POINTER(0), false));
}

PG_FUNCTION_INFO_V1(am_event_panel_final);
Datum
am_event_panel_final(PG_FUNCTION_ARGS)
{
	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "event_panel final function called outside an aggregate");
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_BYTEA_P(panel_bytes((AmEventPanel *) PG_GETARG_POINTER(0), true));
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_event_panel_combine);
Datum
am_event_panel_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "event_panel combine function called outside an aggregate");
	if (!PG_ARGISNULL(1))
	{
		StringInfo	bytes = (StringInfo) PG_GETARG_POINTER(1);
		AmEventPanel *state = PG_ARGISNULL(0) ? NULL : (AmEventPanel *) PG_GETARG_POINTER(0);

		PG_RETURN_POINTER(am_event_panel_read(state, context, bytes->data, bytes->len));
	}
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}

/*
 * event_panel_rows
 */

typedef struct NamedUnit
{
	const AmEventUnit *unit;
	text	   *name;
} NamedUnit;

static text *
unit_name(AmUnitType type, const AmEventUnit *unit)
{
	uint64		word;

	if (type == AM_UNIT_TEXT)
		return cstring_to_text_with_len(unit->bytes, (int) unit->length);
	if (type == AM_UNIT_UUID)
		return cstring_to_text(DatumGetCString(DirectFunctionCall1(uuid_out, PointerGetDatum(unit->bytes))));
	memcpy(&word, unit->bytes, sizeof(word));
	return cstring_to_text(psprintf(INT64_FORMAT, (int64) (pg_ntoh64(word) ^ (UINT64CONST(1) << 63))));
}

static int
compare_names(const void *a, const void *b)
{
	text	   *left = ((const NamedUnit *) a)->name;
	text	   *right = ((const NamedUnit *) b)->name;

	return varstr_cmp(VARDATA_ANY(left), VARSIZE_ANY_EXHDR(left), VARDATA_ANY(right), VARSIZE_ANY_EXHDR(right),
					  DEFAULT_COLLATION_OID);
}

/* The periods that all rows need */
typedef struct Span
{
	int64		first;			/* of all units; first > last = none */
	int64		last;
	int64		since;			/* of since, and of the last moment before it and before until */
	int64		before;
	int64		until;
	int64		running;		/* the one that is not over */
} Span;

static Span
read_span(const AmEventPanel *panel)
{
	AmGrain		grain = panel->plan.grain;
	pg_tz	   *zone = panel->plan.zone;
	TimestampTz now = GetCurrentTransactionStartTimestamp();
	Span		span = {PG_INT64_MAX, PG_INT64_MIN};

	for (uint32 i = 0; i < panel->n_units; i++)
	{
		span.first = Min(span.first, panel->units[i].first);
		span.last = Max(span.last, panel->units[i].last);
	}
	if (panel->has_since)
	{
		span.since = am_period(panel->since, grain, zone);
		span.before = am_period(panel->since - 1, grain, zone);
	}
	if (panel->has_until)
	{
		am_period(panel->until, grain, zone);	/* refuses infinity */
		span.until = am_period(panel->until - 1, grain, zone);
	}
	span.running = am_period(panel->has_until ? Min(panel->until, now) : now, grain, zone);
	return span;
}

/* The periods that a unit has rows for; none if first is after last */
static void
find_rows(const AmEventPanel *panel, const AmEventUnit *unit, const Span *span, int64 *first, int64 *last)
{
	/* a unit without any time is a rep of the roster who did nothing yet */
	bool		has_times = unit->first <= unit->last;

	*first = has_times ? unit->first : span->first;
	*last = has_times ? unit->last : span->last;
	if (span->first > span->last)
	{
		/* nobody has times: the range that was asked for is all there is */
		if (!panel->has_since || !panel->has_until)
			return;
		*first = span->since;
		*last = span->until;
	}
	if (panel->has_since)
		*first = Max(*first, span->since);
	if (panel->has_until)
		*last = Min(*last, span->until);
}

static void
check_rows(const AmEventPanel *panel, const Span *span)
{
	int64		rows = 0;

	for (uint32 i = 0; i < panel->n_units; i++)
	{
		int64		first;
		int64		last;

		find_rows(panel, &panel->units[i], span, &first, &last);
		if (first > last)
			continue;
		rows += last - first + 1;
		/* no date for it: say so before rows are made */
		am_period_first_day(first, panel->plan.grain);
		am_period_first_day(last, panel->plan.grain);
		if (rows > MOST_ROWS)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("panel is too large"),
					 errdetail("A panel has at most " INT64_FORMAT " pairs of unit and period.", MOST_ROWS),
					 errhint("Use a coarser grain, or leave out times that are far apart.")));
	}
}

static double
rounded_sum(const AmCellSum *sum)
{
	double		value = am_cell_round(sum);

	if (!isfinite(value))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("sum overflows")));
	return value;
}

static double
column_value(const AmEventPanel *panel, const AmEventUnit *unit, int64 cell, const AmEventColumn *column)
{
	const AmCellSum *sums;

	if (!column->is_sum)
		return (double) unit->counts[cell * panel->plan.n_counts + column->cell];
	sums = am_event_unit_sums(panel, unit, cell);
	return sums ? rounded_sum(sums + column->cell) : 0;
}

/*
 * event_panel_rows(panel bytea) returns table (unit, period, period_start,
 * is_complete, columns, quality)
 */
PG_FUNCTION_INFO_V1(am_event_panel_rows);
Datum
am_event_panel_rows(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext context;
	MemoryContext row_context;
	MemoryContext caller;
	bytea	   *bytes;
	AmEventPanel *panel;
	const AmEventPlan *plan;
	NamedUnit  *names;
	Datum	   *columns;
	Span		span;

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
		return (Datum) 0;
	context = AllocSetContextCreate(CurrentMemoryContext, "event panel", ALLOCSET_DEFAULT_SIZES);
	row_context = AllocSetContextCreate(context, "row of an event panel", ALLOCSET_DEFAULT_SIZES);
	caller = MemoryContextSwitchTo(context);
	bytes = PG_GETARG_BYTEA_PP(0);
	panel = am_event_panel_read(NULL, context, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	plan = &panel->plan;
	span = read_span(panel);
	check_rows(panel, &span);
	names = am_palloc_array(NamedUnit, panel->n_units + 1);
	columns = am_palloc_array(Datum, plan->n_columns);
	for (uint32 i = 0; i < panel->n_units; i++)
	{
		names[i].unit = &panel->units[i];
		names[i].name = unit_name(panel->unit_type, &panel->units[i]);
	}
	qsort(names, panel->n_units, sizeof(NamedUnit), compare_names);

	for (uint32 i = 0; i < panel->n_units; i++)
	{
		const AmEventUnit *unit = names[i].unit;
		int64		first;
		int64		last;

		find_rows(panel, unit, &span, &first, &last);
		for (int64 period = first; period <= last; period++)
		{
			Datum		values[6];
			bool		nulls[6] = {false};
			int64		cell = period - unit->base;
			bool		has_cell = cell >= 0 && cell < unit->n;
			const AmCellSum *sums = has_cell ? am_event_unit_sums(panel, unit, cell) : NULL;

			CHECK_FOR_INTERRUPTS();
			MemoryContextSwitchTo(row_context);
			for (int c = 0; c < plan->n_columns; c++)
				columns[c] = Float8GetDatum(has_cell ? column_value(panel, unit, cell, &plan->columns[c]) : 0);
			values[0] = PointerGetDatum(names[i].name);
			values[1] = Int64GetDatum(period);
			values[2] = DateADTGetDatum(am_period_first_day(period, plan->grain));
			values[3] = BoolGetDatum((!panel->has_since || period > span.before) && period < span.running);
			values[4] = PointerGetDatum(construct_array(columns, plan->n_columns, FLOAT8OID, sizeof(double),
														FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
			if (sums && sums[plan->n_sums].terms > 0)
				am_set_float(values, nulls, 5, rounded_sum(sums + plan->n_sums) / (double) sums[plan->n_sums].terms);
			else
				nulls[5] = true;
			tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
			MemoryContextReset(row_context);
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	return (Datum) 0;
}
