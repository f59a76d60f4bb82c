/*
 * Periods by number: consecutive integers for hours, days, weeks from Monday,
 * months, quarters and years of a time zone.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "common/compat.h"

#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

typedef enum Grain
{
	GRAIN_HOUR,
	GRAIN_DAY,
	GRAIN_WEEK,
	GRAIN_MONTH,
	GRAIN_QUARTER,
	GRAIN_YEAR
} Grain;

static const char *const grain_names[] = {"hour", "day", "week", "month", "quarter", "year"};

/* 1970-01-01 was a Thursday: week 0 is the one it lies in */
#define MONDAY_OFFSET	3

static Grain
read_grain(text *name)
{
	const char *string = VARDATA_ANY(name);
	int			length = VARSIZE_ANY_EXHDR(name);

	for (int i = 0; i < (int) lengthof(grain_names); i++)
		if ((int) strlen(grain_names[i]) == length && memcmp(grain_names[i], string, length) == 0)
			return (Grain) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown grain \"%.*s\"", Min(length, 60), string),
			 errhint("Grains are hour, day, week, month, quarter and year.")));
}

static pg_tz *
read_zone(text *name)
{
	char		string[TZ_STRLEN_MAX + 1];
	pg_tz	   *zone;

	text_to_cstring_buffer(name, string, sizeof(string));
	zone = pg_tzset(string);
	if (!zone)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", string),
				 errhint("SELECT name FROM pg_timezone_names lists the names, such as Europe/Berlin.")));
	return zone;
}

static int64
floor_div(int64 a, int64 b)
{
	int64		quotient = a / b;

	return a % b < 0 ? quotient - 1 : quotient;
}

/*
 * period_no(at timestamptz, grain text, tz text) returns bigint.  Hours are
 * counted in UTC, so that they are consecutive through a change of clocks.
 */
PG_FUNCTION_INFO_V1(am_period_no);
Datum
am_period_no(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_GETARG_TIMESTAMPTZ(0);
	Grain		grain = read_grain(PG_GETARG_TEXT_PP(1));
	pg_tz	   *zone = read_zone(PG_GETARG_TEXT_PP(2));
	struct pg_tm local;
	fsec_t		fraction;
	int			offset;
	int64		day;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite time lies in no period"),
				 errhint("Leave such rows out: WHERE isfinite(at).")));
	if (grain == GRAIN_HOUR)
		PG_RETURN_INT64(floor_div(at, USECS_PER_HOUR) +
						(int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * 24);
	if (timestamp2tm(at, &offset, &local, &fraction, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
	switch (grain)
	{
		case GRAIN_YEAR:
			PG_RETURN_INT64(local.tm_year - 1970);
		case GRAIN_QUARTER:
			PG_RETURN_INT64((int64) (local.tm_year - 1970) * 4 + (local.tm_mon - 1) / 3);
		case GRAIN_MONTH:
			PG_RETURN_INT64((int64) (local.tm_year - 1970) * 12 + local.tm_mon - 1);
		default:
			break;
	}
	day = date2j(local.tm_year, local.tm_mon, local.tm_mday) - UNIX_EPOCH_JDATE;
	PG_RETURN_INT64(grain == GRAIN_DAY ? day : floor_div(day + MONDAY_OFFSET, 7));
}

/* period_start(period bigint, grain text) returns date: the first day of a period (for hours, the day in UTC) */
PG_FUNCTION_INFO_V1(am_period_start);
Datum
am_period_start(PG_FUNCTION_ARGS)
{
	int64		period = PG_GETARG_INT64(0);
	Grain		grain = read_grain(PG_GETARG_TEXT_PP(1));
	int64		day;
	int64		year;
	int			month = 1;

	/* far beyond any date, and small enough for the arithmetic below */
	if (period > INT64CONST(100000000000) || period < -INT64CONST(100000000000))
		period = INT64CONST(100000000000);
	switch (grain)
	{
		case GRAIN_HOUR:
			day = floor_div(period, 24);
			break;
		case GRAIN_DAY:
			day = period;
			break;
		case GRAIN_WEEK:
			day = period * 7 - MONDAY_OFFSET;
			break;
		default:
			if (grain == GRAIN_MONTH)
			{
				year = floor_div(period, 12);
				month = (int) (period - year * 12) + 1;
			}
			else if (grain == GRAIN_QUARTER)
			{
				year = floor_div(period, 4);
				month = (int) (period - year * 4) * 3 + 1;
			}
			else
				year = period;
			year += 1970;
			if (!IS_VALID_JULIAN(year, month, 1))
				day = PG_INT32_MAX;
			else
				day = date2j((int) year, month, 1) - UNIX_EPOCH_JDATE;
	}
	day += UNIX_EPOCH_JDATE - POSTGRES_EPOCH_JDATE;
	if (day < PG_INT32_MIN || day > PG_INT32_MAX || !IS_VALID_DATE((DateADT) day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("period " INT64_FORMAT " of grain %s has no date", PG_GETARG_INT64(0), grain_names[grain])));
	PG_RETURN_DATEADT((DateADT) day);
}
