/*
 * What the aggregates over a panel share: transition, serialisation, combine.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/panel_state.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#define STATE_VERSION	3
#define MOST_CONTROLS	20

static void
refuse_change(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s changes within a group", what),
			 errhint("Pass the same value for all rows, or GROUP BY it.")));
}

static AmPanelSetting
setting_value(FunctionCallInfo fcinfo, int argument, char type)
{
	AmPanelSetting setting;

	switch (type)
	{
		case 'i':
			setting.integer = PG_GETARG_INT32(argument);
			break;
		case 'l':
			setting.integer = PG_GETARG_INT64(argument);
			break;
		default:
			setting.number = PG_GETARG_FLOAT8(argument);
	}
	return setting;
}

/* By their bits, so that NaN is the same as NaN */
static bool
same_setting(AmPanelSetting a, AmPanelSetting b)
{
	return a.integer == b.integer;
}

static bool
same_options(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static AmPanelState *
first_row(FunctionCallInfo fcinfo, AmUnitType type, const AmPanelArguments *arguments)
{
	MemoryContext context;
	AmPanelState *state;

	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "panel transition function called outside an aggregate");
	state = am_panel_state_create(context, type);
	for (int i = 0; i < AM_PANEL_SETTINGS; i++)
	{
		int			argument = arguments->settings[i];

		if (argument == 0 || argument >= PG_NARGS() || PG_ARGISNULL(argument))
			continue;
		state->settings_known[i] = true;
		state->settings[i] = setting_value(fcinfo, argument, arguments->setting_types[i]);
	}
	if (arguments->options > 0 && arguments->options < PG_NARGS() && !PG_ARGISNULL(arguments->options))
		state->options = MemoryContextStrdup(context, text_to_cstring(PG_GETARG_TEXT_PP(arguments->options)));
	return state;
}

static void
check_settings(FunctionCallInfo fcinfo, const AmPanelState *state, const AmPanelArguments *arguments)
{
	for (int i = 0; i < AM_PANEL_SETTINGS; i++)
	{
		int			argument = arguments->settings[i];

		if (argument == 0 || argument >= PG_NARGS())
			continue;
		if (PG_ARGISNULL(argument) == state->settings_known[i] ||
			(state->settings_known[i] &&
			 !same_setting(setting_value(fcinfo, argument, arguments->setting_types[i]), state->settings[i])))
			refuse_change(arguments->setting_names[i]);
	}
	if (arguments->options > 0 && arguments->options < PG_NARGS())
	{
		if (PG_ARGISNULL(arguments->options) != (state->options == NULL))
			refuse_change("options");
		if (state->options)
		{
			text	   *options = PG_GETARG_TEXT_PP(arguments->options);
			Size		length = VARSIZE_ANY_EXHDR(options);

			if (length != strlen(state->options) || memcmp(VARDATA_ANY(options), state->options, length) != 0)
				refuse_change("options");
		}
	}
}

static uint32
unit_number(FunctionCallInfo fcinfo, AmPanelState *state)
{
	if (state->unit_type == AM_UNIT_INT8)
	{
		/* bytes that sort as the numbers do */
		uint64		word = pg_hton64((uint64) PG_GETARG_INT64(1) ^ (UINT64CONST(1) << 63));

		return am_panel_unit(state, (const char *) &word, sizeof(word));
	}
	if (state->unit_type == AM_UNIT_UUID)
		return am_panel_unit(state, (const char *) PG_GETARG_UUID_P(1)->data, UUID_LEN);
	else
	{
		text	   *unit = PG_GETARG_TEXT_PP(1);

		return am_panel_unit(state, VARDATA_ANY(unit), VARSIZE_ANY_EXHDR(unit));
	}
}

static void
check_value(AmPanelState *state, const AmPanelCell *cell, double value, const char *name, bool only_positive)
{
	if (isfinite(value) && (!only_positive || value >= 0))
		return;
	ereport(ERROR,
			(errcode(isfinite(value) ? ERRCODE_INVALID_PARAMETER_VALUE : ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
			 errmsg("%s is %g", name, value),
	/* the options of a report say which of its metrics it is */
			 errdetail("Unit \"%s\", period " INT64_FORMAT "%s%s.",
					   state->unit_type == AM_UNIT_TEXT ?
					   pnstrdup(state->units[cell->unit].bytes, state->units[cell->unit].length) :
					   am_panel_unit_name(state, (int32) cell->unit), cell->period,
					   state->options ? " of " : "", state->options ? state->options : ""),
			 isfinite(value) ? errhint("It has to be a count or an amount of at least 0.") :
			 errhint("Leave such rows out, or give NULL where the value is not known.")));
}

/*
 * The controls of a row, or NULL where the row has none or one that is not
 * known; their number is the same in all rows.
 */
static double *
read_controls(FunctionCallInfo fcinfo, AmPanelState *state, int argument)
{
	ArrayType  *array;
	Datum	   *values;
	bool	   *nulls;
	int			n;
	double	   *controls;

	if (PG_ARGISNULL(argument))
		return NULL;
	array = PG_GETARG_ARRAYTYPE_P(argument);
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("controls is an array of %d dimensions", ARR_NDIM(array)),
				 errhint("Give one number for each control: ARRAY[emails, meetings].")));
	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	if (n > MOST_CONTROLS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%d controls", n),
				 errhint("Give at most %d.", MOST_CONTROLS)));
	if (state->n_controls >= 0 && state->n_controls != n)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the number of controls changes within a group, from %d to %d", state->n_controls, n),
				 errhint("Give NULL where a control is not known: ARRAY[emails, NULL].")));
	state->n_controls = n;
	controls = palloc0((n + 1) * sizeof(double));
	for (int i = 0; i < n; i++)
	{
		if (nulls[i])
			return NULL;
		controls[i] = DatumGetFloat8(values[i]);
	}
	return controls;
}

/* Arguments: state, unit, period, x, y unless it has no name, then as `arguments` says */
Datum
am_panel_transition(FunctionCallInfo fcinfo, AmUnitType type, const AmPanelArguments *arguments)
{
	AmPanelState *state;
	AmPanelCell cell;
	double	   *controls = NULL;
	bool		has_y = arguments->y_name != NULL;
	bool		has_controls = arguments->controls > 0 && arguments->controls < PG_NARGS();

	if (PG_ARGISNULL(0))
		state = first_row(fcinfo, type, arguments);
	else
	{
		state = (AmPanelState *) PG_GETARG_POINTER(0);
		check_settings(fcinfo, state, arguments);
	}

	if (PG_ARGISNULL(1) || PG_ARGISNULL(2))
		PG_RETURN_POINTER(state);
	if (has_controls)
		controls = read_controls(fcinfo, state, arguments->controls);
	if (PG_ARGISNULL(3) || (has_y && PG_ARGISNULL(4)) || (has_controls && !controls))
	{
		state->has_unknown = true;
		PG_RETURN_POINTER(state);
	}
	cell.unit = unit_number(fcinfo, state);
	cell.period = PG_GETARG_INT64(2);
	cell.x = PG_GETARG_FLOAT8(3);
	cell.y = has_y ? PG_GETARG_FLOAT8(4) : 0;
	cell.qualities = 0;
	cell.quality = 0;
	cell.pair = 0;
	check_value(state, &cell, cell.x, arguments->x_name, arguments->only_positive);
	if (has_y)
		check_value(state, &cell, cell.y, arguments->y_name, arguments->only_positive);
	if (arguments->quality > 0 && arguments->quality < PG_NARGS() && !PG_ARGISNULL(arguments->quality))
	{
		cell.qualities = 1;
		cell.quality = PG_GETARG_FLOAT8(arguments->quality);
		state->has_quality = true;
		check_value(state, &cell, cell.quality, "quality", true);
		if (cell.quality > 1)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("quality is %g", cell.quality),
					 errhint("Quality is a share from 0 to 1; divide per cents by 100.")));
	}
	for (int i = 0; controls && i < state->n_controls; i++)
		check_value(state, &cell, controls[i], "a control", false);
	am_panel_add(state, &cell);
	for (int i = 0; controls && i < state->n_controls; i += 2)
	{
		cell.pair = (uint32) i / 2 + 1;
		cell.qualities = 0;
		cell.quality = 0;
		cell.x = controls[i];
		cell.y = controls[i + 1];	/* 0 after the last */
		am_panel_add(state, &cell);
	}
	if (controls)
		pfree(controls);
	PG_RETURN_POINTER(state);
}

static void
send_text(StringInfo out, const char *text)
{
	pq_sendint32(out, text ? (int32) strlen(text) : -1);
	if (text)
		pq_sendbytes(out, text, (int) strlen(text));
}

/*
 * Format: byte version, byte unit type, settings (byte known, int64 or float8), options
 * (int32 length or -1, bytes), two flags, int32
 * controls or -1, units (int32 count, each int32
 * length, bytes), cells (int64 count, each int32 unit, int32 qualities, int32
 * pair, int64 period, three float8).
 */
PG_FUNCTION_INFO_V1(am_panel_serial);
Datum
am_panel_serial(PG_FUNCTION_ARGS)
{
	AmPanelState *state;
	StringInfoData out;

	if (!AggCheckCallContext(fcinfo, NULL))
		elog(ERROR, "panel serialisation function called outside an aggregate");
	state = (AmPanelState *) PG_GETARG_POINTER(0);
	pq_begintypsend(&out);
	pq_sendbyte(&out, STATE_VERSION);
	pq_sendbyte(&out, state->unit_type);
	for (int i = 0; i < AM_PANEL_SETTINGS; i++)
	{
		pq_sendbyte(&out, state->settings_known[i]);
		pq_sendint64(&out, state->settings[i].integer);
	}
	send_text(&out, state->options);
	pq_sendbyte(&out, state->has_quality);
	pq_sendbyte(&out, state->has_unknown);
	pq_sendint32(&out, state->n_controls);
	pq_sendint32(&out, state->n_units);
	for (uint32 i = 0; i < state->n_units; i++)
	{
		pq_sendint32(&out, state->units[i].length);
		pq_sendbytes(&out, state->units[i].bytes, state->units[i].length);
	}
	pq_sendint64(&out, state->n);
	for (Size i = 0; i < state->n; i++)
	{
		const AmPanelCell *cell = &state->cells[i];

		pq_sendint32(&out, cell->unit);
		pq_sendint32(&out, cell->qualities);
		pq_sendint32(&out, cell->pair);
		pq_sendint64(&out, cell->period);
		pq_sendfloat8(&out, cell->x);
		pq_sendfloat8(&out, cell->y);
		pq_sendfloat8(&out, cell->quality);
	}
	PG_RETURN_BYTEA_P(pq_endtypsend(&out));
}

/* Settings of a state that is joined to another; takes them over where that one is new */
static void
join_settings(AmPanelState *state, bool is_new, const bool *known, const AmPanelSetting *settings, const char *options)
{
	for (int i = 0; i < AM_PANEL_SETTINGS; i++)
	{
		if (is_new)
		{
			state->settings_known[i] = known[i];
			state->settings[i] = settings[i];
		}
		else if (state->settings_known[i] != known[i] || (known[i] && !same_setting(state->settings[i], settings[i])))
			refuse_change("an argument that must be constant");
	}
	if (is_new)
		state->options = options ? MemoryContextStrdup(state->context, options) : NULL;
	else if (!same_options(state->options, options))
		refuse_change("options");
}

static AmPanelState *
combined_state(FunctionCallInfo fcinfo, AmUnitType type, bool *is_new)
{
	MemoryContext context;

	*is_new = PG_ARGISNULL(0);
	if (!*is_new)
		return (AmPanelState *) PG_GETARG_POINTER(0);
	if (!AggCheckCallContext(fcinfo, &context))
		elog(ERROR, "panel combine function called outside an aggregate");
	return am_panel_state_create(context, type);
}

static void
refuse_damaged(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
			 errmsg("cannot read a damaged panel state")));
}

static bool
is_unit_length(AmUnitType type, int length)
{
	return type == AM_UNIT_INT8 ? length == sizeof(int64) : type == AM_UNIT_UUID ? length == UUID_LEN : length >= 0;
}

#define CELL_BYTES	40			/* as it is serialised */

static AmPanelState *
absorb_bytes(FunctionCallInfo fcinfo, StringInfo in)
{
	int			version = pq_getmsgbyte(in);
	AmUnitType	type = pq_getmsgbyte(in);
	bool		is_new;
	AmPanelState *state;
	bool		known[AM_PANEL_SETTINGS];
	AmPanelSetting settings[AM_PANEL_SETTINGS];
	int			length;
	char	   *options;
	int32		n_controls;
	uint32		n_units;
	uint32	   *numbers;
	bool	   *used;
	int64		n;

	if (version != STATE_VERSION)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("cannot read a panel state of version %d", version)));
	if (type != AM_UNIT_INT8 && type != AM_UNIT_TEXT && type != AM_UNIT_UUID)
		refuse_damaged();
	state = combined_state(fcinfo, type, &is_new);
	if (state->unit_type != type)
		refuse_damaged();
	for (int i = 0; i < AM_PANEL_SETTINGS; i++)
	{
		known[i] = pq_getmsgbyte(in) != 0;
		settings[i].integer = pq_getmsgint64(in);
	}
	length = (int) pq_getmsgint(in, 4);
	options = length != -1 ? pnstrdup(pq_getmsgbytes(in, length), length) : NULL;
	join_settings(state, is_new, known, settings, options);
	state->has_quality |= pq_getmsgbyte(in) != 0;
	state->has_unknown |= pq_getmsgbyte(in) != 0;
	n_controls = (int32) pq_getmsgint(in, 4);
	if (n_controls >= 0 && state->n_controls >= 0 && state->n_controls != n_controls)
		refuse_change("the number of controls");
	state->n_controls = Max(state->n_controls, n_controls);
	n_units = pq_getmsgint(in, 4);
	/* no more memory than for what is there */
	if (n_units > (in->len - in->cursor) / sizeof(uint32))
		refuse_damaged();
	numbers = palloc(Max(n_units, 1) * sizeof(uint32));
	used = palloc0(Max(n_units, 1) * sizeof(bool));
	for (uint32 i = 0; i < n_units; i++)
	{
		length = (int) pq_getmsgint(in, 4);
		if (!is_unit_length(type, length))
			refuse_damaged();
		numbers[i] = am_panel_unit(state, pq_getmsgbytes(in, length), length);
	}
	n = pq_getmsgint64(in);
	if (n < 0 || n > (in->len - in->cursor) / CELL_BYTES)
		refuse_damaged();
	for (int64 i = 0; i < n; i++)
	{
		AmPanelCell cell;
		uint32		unit = pq_getmsgint(in, 4);

		if (unit >= n_units)
			refuse_damaged();
		used[unit] = true;
		cell.unit = numbers[unit];
		cell.qualities = pq_getmsgint(in, 4);
		cell.pair = pq_getmsgint(in, 4);
		cell.period = pq_getmsgint64(in);
		cell.x = pq_getmsgfloat8(in);
		cell.y = pq_getmsgfloat8(in);
		cell.quality = pq_getmsgfloat8(in);
		am_panel_add(state, &cell);
	}
	pq_getmsgend(in);
	/* a unit is there because of its rows: the methods rely on it */
	for (uint32 i = 0; i < n_units; i++)
		if (!used[i])
			refuse_damaged();
	pfree(used);
	pfree(numbers);
	return state;
}

/* The other state is always one from am_state_deserial: partial plans serialise whatever they pass on */
PG_FUNCTION_INFO_V1(am_panel_combine);
Datum
am_panel_combine(PG_FUNCTION_ARGS)
{
	if (!PG_ARGISNULL(1))
		PG_RETURN_POINTER(absorb_bytes(fcinfo, (StringInfo) PG_GETARG_POINTER(1)));
	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(PG_GETARG_DATUM(0));
}
