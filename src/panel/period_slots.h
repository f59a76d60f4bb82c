/*
 * Periods of a panel as small numbers, to index arrays by.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_PERIOD_SLOTS_H
#define AM_PERIOD_SLOTS_H

#include <stddef.h>
#include <stdint.h>

/* how many periods later to is; right even where the difference of signed numbers would overflow */
static inline uint64_t
am_periods_between(int64_t from, int64_t to)
{
	return (uint64_t) to - (uint64_t) from;
}

/*
 * Gives each of n > 0 periods a slot, ascending with the period, the same for
 * the same.  Returns the number of slots; some may have no period.
 */
extern size_t am_period_slots(const int64_t *period, size_t n, size_t *slot_of);

#endif							/* AM_PERIOD_SLOTS_H */
