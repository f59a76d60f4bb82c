/*
 * See period.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include "panel/period.h"

#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

static const char *const grain_names[] = {"hour", "day", "week", "month", "quarter", "year"};

/* 1970-01-01 was a Thursday: week 0 is the one it lies in */
#define MONDAY_OFFSET	3

#define EPOCH_DAYS		(POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE)

#define FEWEST_DAYS		64
#define MOST_DAYS		16384	/* 45 years */

AmGrain
am_grain(const char *name, int length)
{
	for (int i = 0; i < (int) lengthof(grain_names); i++)
		if ((int) strlen(grain_names[i]) == length && memcmp(grain_names[i], name, length) == 0)
			return (AmGrain) i;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unknown grain \"%.*s\"", Min(length, 60), name),
			 errhint("Grains are hour, day, week, month, quarter and year.")));
}

pg_tz *
am_zone(const char *name)
{
	char		string[TZ_STRLEN_MAX + 1];
	pg_tz	   *zone;

	strlcpy(string, name, sizeof(string));
	zone = pg_tzset(string);
	if (!zone)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("time zone \"%s\" not recognized", string),
				 errhint("SELECT name FROM pg_timezone_names lists the names, such as Europe/Berlin.")));
	return zone;
}

static void
local_time(TimestampTz at, pg_tz *zone, struct pg_tm *local)
{
	fsec_t		fraction;
	int			offset;

	if (timestamp2tm(at, &offset, local, &fraction, NULL, zone) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("timestamp out of range")));
}

static int64
period_of_date(const struct pg_tm *local, AmGrain grain)
{
	int64		day;

	switch (grain)
	{
		case AM_GRAIN_YEAR:
			return local->tm_year - 1970;
		case AM_GRAIN_QUARTER:
			return (int64) (local->tm_year - 1970) * 4 + (local->tm_mon - 1) / 3;
		case AM_GRAIN_MONTH:
			return (int64) (local->tm_year - 1970) * 12 + local->tm_mon - 1;
		default:
			day = date2j(local->tm_year, local->tm_mon, local->tm_mday) - UNIX_EPOCH_JDATE;
			return grain == AM_GRAIN_DAY ? day : am_floor_div(day + MONDAY_OFFSET, 7);
	}
}

/* Hours are counted in UTC, so that they are consecutive through a change of clocks */
static int64
hour_of(TimestampTz at)
{
	return am_floor_div(at, USECS_PER_HOUR) + (int64) EPOCH_DAYS * 24;
}

int64
am_period(TimestampTz at, AmGrain grain, pg_tz *zone)
{
	struct pg_tm local;

	if (TIMESTAMP_NOT_FINITE(at))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("an infinite time lies in no period"),
				 errhint("Leave such rows out: WHERE isfinite(at).")));
	if (grain == AM_GRAIN_HOUR)
		return hour_of(at);
	local_time(at, zone, &local);
	return period_of_date(&local, grain);
}

DateADT
am_period_first_day(int64 period, AmGrain grain)
{
	int64		number = period;
	int64		day;
	int64		year;
	int			month = 1;

	/* far beyond any date, and small enough for the arithmetic below */
	if (number > INT64CONST(100000000000) || number < -INT64CONST(100000000000))
		number = INT64CONST(100000000000);
	switch (grain)
	{
		case AM_GRAIN_HOUR:
			day = am_floor_div(number, 24);
			break;
		case AM_GRAIN_DAY:
			day = number;
			break;
		case AM_GRAIN_WEEK:
			day = number * 7 - MONDAY_OFFSET;
			break;
		default:
			if (grain == AM_GRAIN_MONTH)
			{
				year = am_floor_div(number, 12);
				month = (int) (number - year * 12) + 1;
			}
			else if (grain == AM_GRAIN_QUARTER)
			{
				year = am_floor_div(number, 4);
				month = (int) (number - year * 4) * 3 + 1;
			}
			else
				year = number;
			year += 1970;
			if (!IS_VALID_JULIAN(year, month, 1))
				day = PG_INT32_MAX;
			else
				day = date2j((int) year, month, 1) - UNIX_EPOCH_JDATE;
	}
	day -= EPOCH_DAYS;
	if (day < PG_INT32_MIN || day > PG_INT32_MAX || !IS_VALID_DATE((DateADT) day))
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("period " INT64_FORMAT " of grain %s has no date", period, grain_names[grain])));
	return (DateADT) day;
}

static void
allocate_days(AmPeriodClock *clock, uint32 n)
{
	clock->days = MemoryContextAlloc(clock->context, n * sizeof(AmClockDay));
	clock->n_days = n;
	clock->misses = 0;
	for (uint32 i = 0; i < n; i++)
		clock->days[i].day = PG_INT32_MIN;
}

void
am_clock_init(AmPeriodClock *clock, MemoryContext context, AmGrain grain, pg_tz *zone)
{
	clock->grain = grain;
	clock->zone = zone;
	clock->context = context;
	allocate_days(clock, FEWEST_DAYS);
}

/* Whether the zone has one offset from UTC for all of the day that starts here */
static bool
is_regular(TimestampTz start, pg_tz *zone)
{
	pg_time_t	from = start / USECS_PER_SEC + (pg_time_t) EPOCH_DAYS * SECS_PER_DAY;
	pg_time_t	boundary;
	long		offset[2];
	int			is_summer[2];

	/* times near the ends are rare: let them be computed */
	if (start < MIN_TIMESTAMP || start >= END_TIMESTAMP - USECS_PER_DAY)
		return false;
	switch (pg_next_dst_boundary(&from, &offset[0], &is_summer[0], &boundary, &offset[1], &is_summer[1], zone))
	{
		case 0:
			return true;
		case 1:
			return boundary >= from + SECS_PER_DAY;
		default:
			return false;
	}
}

int64
am_clock_miss(AmPeriodClock *clock, TimestampTz at, int64 day)
{
	AmClockDay *entry = &clock->days[(uint32) day & (clock->n_days - 1)];
	TimestampTz start = day * USECS_PER_DAY;
	struct pg_tm local;
	int64		second_of_day;

	if (clock->grain == AM_GRAIN_HOUR)
		return hour_of(at);
	if (entry->day == day)
		return am_period(at, clock->grain, clock->zone);	/* irregular */
	if (++clock->misses > clock->n_days && clock->n_days < MOST_DAYS)
	{
		pfree(clock->days);
		allocate_days(clock, clock->n_days * 4);
		entry = &clock->days[(uint32) day & (clock->n_days - 1)];
	}
	entry->day = (int32) day;
	if (!is_regular(start, clock->zone))
	{
		entry->first = AM_CLOCK_IRREGULAR;
		return am_period(at, clock->grain, clock->zone);
	}
	local_time(start, clock->zone, &local);
	second_of_day = (local.tm_hour * MINS_PER_HOUR + local.tm_min) * SECS_PER_MINUTE + local.tm_sec;
	entry->first = (int32) period_of_date(&local, clock->grain);
	entry->midnight = start + USECS_PER_DAY - second_of_day * USECS_PER_SEC;
	entry->second = second_of_day == 0 ? entry->first : (int32) am_period(entry->midnight, clock->grain, clock->zone);
	return at < entry->midnight ? entry->first : entry->second;
}

static AmGrain
grain_argument(text *name)
{
	return am_grain(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

/* period_no(at timestamptz, grain text, tz text) returns bigint */
PG_FUNCTION_INFO_V1(am_period_no);
Datum
am_period_no(PG_FUNCTION_ARGS)
{
	AmGrain		grain = grain_argument(PG_GETARG_TEXT_PP(1));
	char		zone[TZ_STRLEN_MAX + 1];

	text_to_cstring_buffer(PG_GETARG_TEXT_PP(2), zone, sizeof(zone));
	PG_RETURN_INT64(am_period(PG_GETARG_TIMESTAMPTZ(0), grain, am_zone(zone)));
}

/* period_start(period bigint, grain text) returns date: the first day of a period (for hours, the day in UTC) */
PG_FUNCTION_INFO_V1(am_period_start);
Datum
am_period_start(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(am_period_first_day(PG_GETARG_INT64(0), grain_argument(PG_GETARG_TEXT_PP(1))));
}
