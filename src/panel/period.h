/*
 * Periods by number: consecutive integers for hours, days, weeks from Monday,
 * months, quarters and years of a time zone.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PERIOD_H
#define AM_PERIOD_H

#include "common/compat.h"

#include "datatype/timestamp.h"
#include "pgtime.h"
#include "utils/date.h"

typedef enum AmGrain
{
	AM_GRAIN_HOUR,
	AM_GRAIN_DAY,
	AM_GRAIN_WEEK,
	AM_GRAIN_MONTH,
	AM_GRAIN_QUARTER,
	AM_GRAIN_YEAR
} AmGrain;

/* By name; an error where there is none of it */
extern AmGrain am_grain(const char *name, int length);
extern pg_tz *am_zone(const char *name);

/* The period of a time; an error where it is infinite */
extern int64 am_period(TimestampTz at, AmGrain grain, pg_tz *zone);

/* Its first day; an error where there is no such date */
extern DateADT am_period_first_day(int64 period, AmGrain grain);

/*
 * A day of UTC as a zone sees it.  If its clocks do not change in it, a day
 * has one midnight at most, so two periods at most.
 */
typedef struct AmClockDay
{
	TimestampTz midnight;		/* from here on it is the second period */
	int32		day;			/* since 2000 */
	int32		first;			/* period; AM_CLOCK_IRREGULAR = the clocks change */
	int32		second;
} AmClockDay;

#define AM_CLOCK_IRREGULAR	PG_INT32_MIN

/* Numbers the periods of many times */
typedef struct AmPeriodClock
{
	AmGrain		grain;
	pg_tz	   *zone;
	MemoryContext context;
	AmClockDay *days;			/* by the low bits of their number */
	uint32		n_days;			/* a power of two */
	uint32		misses;			/* since it grew */
} AmPeriodClock;

extern void am_clock_init(AmPeriodClock *clock, MemoryContext context, AmGrain grain, pg_tz *zone);

/* The period of a time whose day is not at hand */
extern int64 am_clock_miss(AmPeriodClock *clock, TimestampTz at, int64 day);

static inline int64
am_floor_div(int64 a, int64 b)
{
	int64		quotient = a / b;

	return a % b < 0 ? quotient - 1 : quotient;
}

/* As am_period; at is finite */
static inline int64
am_clock_period(AmPeriodClock *clock, TimestampTz at)
{
	int64		day = am_floor_div(at, USECS_PER_DAY);
	const AmClockDay *entry = &clock->days[(uint32) day & (clock->n_days - 1)];

	if (unlikely(entry->day != day || entry->first == AM_CLOCK_IRREGULAR))
		return am_clock_miss(clock, at, day);
	return at < entry->midnight ? entry->first : entry->second;
}

#endif							/* AM_PERIOD_H */
