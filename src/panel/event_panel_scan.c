/*
 * event_panel_scan(): an event_panel() over columns of plain tables, read
 * below the executor, and event_panel_scannable(): whether they can be read so.
 *
 * The answer is that of the aggregate over the same rows.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/event_panel.h"

#include "access/relation.h"
#include "catalog/pg_type_d.h"
#include "fmgr.h"
#include "libpq/pqformat.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include "common/memory.h"
#include "events/status.h"
#include "events/table_scan.h"

/* What is read of a table; of these only the first two have to be there */
enum
{
	COLUMN_UNIT, COLUMN_AT, COLUMN_KIND, COLUMN_STATUS, COLUMN_VALUE, COLUMN_QUALITY, COLUMNS
};

typedef struct Source
{
	Relation	relation;
	int			n_columns;
	AmTableColumn columns[COLUMNS];
	int			index[COLUMNS]; /* among those read, -1 = not there */
} Source;

typedef struct Reading
{
	AmEventPanel *panel;
	const Source *source;
	int			number;
	MemoryContext scratch;		/* for what is made of a numeric */
} Reading;

static bool
is_number(Oid type)
{
	return type == FLOAT8OID || type == FLOAT4OID || type == INT8OID || type == INT4OID || type == INT2OID || type == NUMERICOID;
}

static bool
is_readable(int column, Oid type, bool is_utc)
{
	switch (column)
	{
		case COLUMN_UNIT:
			return am_is_key_type(type);
		case COLUMN_AT:
			return am_is_time_type(type, is_utc);
		case COLUMN_KIND:
		case COLUMN_STATUS:
			return am_is_text_type(type);
		default:
			return is_number(type);
	}
}

static AmUnitType
unit_type(const Source *source)
{
	Oid			type = source->columns[source->index[COLUMN_UNIT]].type;

	return am_is_text_type(type) ? AM_UNIT_TEXT : type == UUIDOID ? AM_UNIT_UUID : AM_UNIT_INT8;
}

/* Finds the columns of a source; false where one needs SQL to be read */
static bool
find_columns(Source *source, const Datum *names, const bool *nulls, bool is_utc)
{
	source->n_columns = 0;
	for (int c = 0; c < COLUMNS; c++)
	{
		AmTableColumn *column = &source->columns[source->n_columns];

		source->index[c] = -1;
		if (nulls[c])
		{
			if (c <= COLUMN_AT)
				return false;
			continue;
		}
		if (!am_table_column(source->relation, TextDatumGetCString(names[c]), column) ||
			!is_readable(c, column->type, is_utc))
			return false;
		source->index[c] = source->n_columns++;
	}
	return true;
}

static void
read_arrays(FunctionCallInfo fcinfo, Datum **tables, int *n_tables, Datum **names, bool **nulls)
{
	bool	   *table_nulls;
	int			n_names;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(0), REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT, tables, &table_nulls, n_tables);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false, TYPALIGN_INT, names, nulls, &n_names);
	if (*n_tables == 0 || *n_tables > AM_EVENT_PANEL_MAX_SOURCES || n_names != *n_tables * COLUMNS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("an event panel needs tables, and %d columns of each", COLUMNS)));
	for (int i = 0; i < *n_tables; i++)
		if (table_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("no relation is given")));
}

static bool
is_utc(text *tz)
{
	return pg_strcasecmp(text_to_cstring(tz), "UTC") == 0;
}

/* event_panel_scannable(tables regclass[], columns text[], tz text) returns boolean */
PG_FUNCTION_INFO_V1(am_event_panel_scannable);
Datum
am_event_panel_scannable(PG_FUNCTION_ARGS)
{
	Datum	   *tables;
	Datum	   *names;
	bool	   *nulls;
	int			n;
	bool		utc = is_utc(PG_GETARG_TEXT_PP(2));
	bool		scannable = true;
	AmUnitType	type = 0;

	read_arrays(fcinfo, &tables, &n, &names, &nulls);
	for (int i = 0; i < n && scannable; i++)
	{
		Source		source;

		source.relation = try_relation_open(DatumGetObjectId(tables[i]), AccessShareLock);
		if (!source.relation)
			PG_RETURN_BOOL(false);
		scannable = find_columns(&source, names + i * COLUMNS, nulls + i * COLUMNS, utc) &&
			(i == 0 || unit_type(&source) == type) &&
			am_table_may_read(source.relation, source.columns, source.n_columns) &&
			am_table_is_plain(source.relation, source.columns, source.n_columns);
		if (scannable)
			type = unit_type(&source);
		/* as a query does: the table stays as it is to the end of the transaction */
		relation_close(source.relation, NoLock);
	}
	PG_RETURN_BOOL(scannable);
}

static double
numeric_value(const Reading *reading, Datum value)
{
	MemoryContext caller = MemoryContextSwitchTo(reading->scratch);
	double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8, value));

	MemoryContextSwitchTo(caller);
	MemoryContextReset(reading->scratch);
	return number;
}

static inline double
number_value(const Reading *reading, Datum value, Oid type)
{
	switch (type)
	{
		case FLOAT8OID:
			return DatumGetFloat8(value);
		case FLOAT4OID:
			return DatumGetFloat4(value);
		case INT8OID:
			return (double) DatumGetInt64(value);
		case INT4OID:
			return DatumGetInt32(value);
		case INT2OID:
			return DatumGetInt16(value);
		default:
			return numeric_value(reading, value);
	}
}

static inline AmEventUnit *
find_unit(AmEventPanel *panel, Datum value, Oid type)
{
	switch (type)
	{
		case INT8OID:
			return am_event_panel_int64_unit(panel, DatumGetInt64(value));
		case INT4OID:
			return am_event_panel_int64_unit(panel, DatumGetInt32(value));
		case INT2OID:
			return am_event_panel_int64_unit(panel, DatumGetInt16(value));
		case UUIDOID:
			return am_event_panel_unit(panel, (const char *) DatumGetUUIDP(value)->data, UUID_LEN);
		default:
			return am_event_panel_unit(panel, VARDATA_ANY(DatumGetPointer(value)), VARSIZE_ANY_EXHDR(DatumGetPointer(value)));
	}
}

static void
take_event(void *arg, const Datum *values, const bool *nulls)
{
	const Reading *reading = arg;
	const Source *source = reading->source;
	AmEventPanel *panel = reading->panel;
	AmEventUnit *unit;
	TimestampTz at = 0;
	const void *name = NULL;
	double		numbers[2];
	bool		has_number[2] = {false, false};
	int			c = source->index[COLUMN_STATUS];

	if (c >= 0 && !nulls[c])
	{
		name = DatumGetPointer(values[c]);
		if (!am_status_is_done(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name)))
			return;
		name = NULL;
	}
	c = source->index[COLUMN_AT];
	if (!nulls[c])
	{
		at = DatumGetTimestampTz(values[c]);
		if (unlikely(TIMESTAMP_NOT_FINITE(at)))
			am_period(at, panel->plan.grain, panel->plan.zone); /* says so */
	}
	if (nulls[source->index[COLUMN_UNIT]])
		return;
	unit = find_unit(panel, values[source->index[COLUMN_UNIT]], source->columns[source->index[COLUMN_UNIT]].type);
	if (nulls[c])
	{
		unit->timeless = true;
		return;
	}
	c = source->index[COLUMN_KIND];
	if (c >= 0 && !nulls[c])
		name = DatumGetPointer(values[c]);
	for (int i = 0; i < 2; i++)
	{
		c = source->index[COLUMN_VALUE + i];
		if (c >= 0 && !nulls[c])
		{
			has_number[i] = true;
			numbers[i] = number_value(reading, values[c], source->columns[c].type);
		}
	}
	am_event_panel_add(panel, unit, reading->number, at,
					   name ? VARDATA_ANY(name) : NULL, name ? VARSIZE_ANY_EXHDR(name) : 0,
					   has_number[0] ? &numbers[0] : NULL, has_number[1] ? &numbers[1] : NULL);
}

/*
 * event_panel_scan(tables regclass[], columns text[], since timestamptz, until timestamptz, tz text, options text)
 * returns bytea
 */
PG_FUNCTION_INFO_V1(am_event_panel_scan);
Datum
am_event_panel_scan(PG_FUNCTION_ARGS)
{
	Datum	   *tables;
	Datum	   *names;
	bool	   *nulls;
	int			n;
	bool		utc;
	Snapshot	snapshot;
	MemoryContext context;
	MemoryContext scratch;
	MemoryContext caller;
	AmEventPanel *panel = NULL;
	StringInfoData out;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || PG_ARGISNULL(4) || PG_ARGISNULL(5))
		PG_RETURN_NULL();
	read_arrays(fcinfo, &tables, &n, &names, &nulls);
	utc = is_utc(PG_GETARG_TEXT_PP(4));
	context = AllocSetContextCreate(CurrentMemoryContext, "event panel of tables", ALLOCSET_DEFAULT_SIZES);
	scratch = AllocSetContextCreate(context, "a number of a row", ALLOCSET_SMALL_SIZES);
	caller = MemoryContextSwitchTo(context);
	snapshot = RegisterSnapshot(GetActiveSnapshot());
	for (int i = 0; i < n; i++)
	{
		Source		source;
		Reading		reading;

		source.relation = relation_open(DatumGetObjectId(tables[i]), AccessShareLock);
		if (!find_columns(&source, names + i * COLUMNS, nulls + i * COLUMNS, utc))
			source.n_columns = 0;
		else if (!am_table_may_read(source.relation, source.columns, source.n_columns))
			am_table_refuse(source.relation);
		if (source.n_columns == 0 || (panel && panel->unit_type != unit_type(&source)) ||
			!am_table_is_plain(source.relation, source.columns, source.n_columns))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot read these columns of \"%s\" directly", RelationGetRelationName(source.relation)),
					 errhint("Use metric_panel().")));
		if (!panel)
		{
			panel = am_event_panel_create(context, unit_type(&source), text_to_cstring(PG_GETARG_TEXT_PP(5)));
			panel->has_since = !PG_ARGISNULL(2);
			panel->since = panel->has_since ? PG_GETARG_TIMESTAMPTZ(2) : 0;
			panel->has_until = !PG_ARGISNULL(3);
			panel->until = panel->has_until ? PG_GETARG_TIMESTAMPTZ(3) : 0;
			if (panel->plan.n_sources != n)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("%d tables are given, the options name %d", n, panel->plan.n_sources)));
		}
		reading.panel = panel;
		reading.source = &source;
		reading.number = i + 1;
		reading.scratch = scratch;
		am_table_scan(source.relation, snapshot, NULL, source.columns, source.n_columns, take_event, &reading);
		relation_close(source.relation, NoLock);
	}
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(caller);
	pq_begintypsend(&out);
	am_event_panel_write(panel, &out, true);
	MemoryContextDelete(context);
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}
