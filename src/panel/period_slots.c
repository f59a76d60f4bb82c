/*
 * See period_slots.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "panel/period_slots.h"

static int
compare_periods(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return (left > right) - (left < right);
}

size_t
am_period_slots(const int64_t *period, size_t n, size_t *slot_of)
{
	int64_t		from = period[0],
				to = period[0];
	int64_t    *distinct;
	size_t		i,
				n_distinct = 0;

	for (i = 1; i < n; i++)
	{
		if (period[i] < from)
			from = period[i];
		if (period[i] > to)
			to = period[i];
	}
	if (am_periods_between(from, to) < 4 * (uint64_t) n + 1024)
	{
		for (i = 0; i < n; i++)
			slot_of[i] = (size_t) am_periods_between(from, period[i]);
		return (size_t) am_periods_between(from, to) + 1;
	}

	distinct = am_host_alloc(n * sizeof(int64_t));
	memcpy(distinct, period, n * sizeof(int64_t));
	qsort(distinct, n, sizeof(int64_t), compare_periods);
	for (i = 0; i < n; i++)
		if (n_distinct == 0 || distinct[n_distinct - 1] != distinct[i])
			distinct[n_distinct++] = distinct[i];
	AM_CHECK_INTERRUPTS();
	for (i = 0; i < n; i++)
	{
		const int64_t *found = bsearch(&period[i], distinct, n_distinct, sizeof(int64_t), compare_periods);

		slot_of[i] = (size_t) (found - distinct);
	}
	am_host_free(distinct);
	return n_distinct;
}
