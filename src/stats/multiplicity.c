/*
 * Adjusted p-values: Bonferroni, Holm (1979), Hochberg (1988), Benjamini &
 * Hochberg (1995), Benjamini & Yekutieli (2001) and single-step Sidak (1967).
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/am_host.h"
#include "stats/multiplicity.h"

#define ITEMS_PER_CHECK 4096

typedef struct RankedP
{
	double		p;
	size_t		index;
} RankedP;

static int
compare_ranked(const void *left, const void *right)
{
	const RankedP *a = (const RankedP *) left;
	const RankedP *b = (const RankedP *) right;

	if (a->p != b->p)
		return a->p < b->p ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* what p, the rank-th smallest of m, becomes before the adjusted are made monotone */
static double
adjust_one(double p, double rank, double m, double harmonic, AmAdjustment method)
{
	switch (method)
	{
		case AM_ADJUST_BONFERRONI:
			return m * p;
		case AM_ADJUST_HOLM:
		case AM_ADJUST_HOCHBERG:
			return (m - rank + 1) * p;
		case AM_ADJUST_BH:
			return m / rank * p;
		case AM_ADJUST_BY:
			return harmonic * (m / rank) * p;
		case AM_ADJUST_SIDAK:
			return -expm1(m * log1p(-p));
	}
	return NAN;
}

void
am_p_adjust(const double *p, size_t n, AmAdjustment method, double *adjusted)
{
	RankedP    *ranked;
	double		harmonic = 0;
	double		running;
	bool		from_top;
	size_t		m = 0;
	size_t		i;

	if (n == 0)
		return;

	ranked = (RankedP *) am_host_alloc(n * sizeof(RankedP));
	for (i = 0; i < n; i++)
	{
		/* what is no probability is no test */
		if (p[i] >= 0 && p[i] <= 1)
		{
			ranked[m].p = p[i];
			ranked[m].index = i;
			m++;
		}
		adjusted[i] = NAN;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	qsort(ranked, m, sizeof(RankedP), compare_ranked);

	/* smallest terms first: fewest digits lost */
	if (method == AM_ADJUST_BY)
		for (i = m; i > 0; i--)
			harmonic += 1.0 / i;

	/* step-down methods carry the largest upwards, step-up the smallest downwards */
	from_top = (method == AM_ADJUST_HOCHBERG || method == AM_ADJUST_BH || method == AM_ADJUST_BY);
	running = from_top ? 1 : 0;
	for (i = 0; i < m; i++)
	{
		size_t		at = from_top ? m - 1 - i : i;
		double		one = adjust_one(ranked[at].p, (double) at + 1, (double) m, harmonic, method);

		if (from_top ? one < running : one > running)
			running = one;
		if (running > 1)
			running = 1;
		adjusted[ranked[at].index] = running;
		if (i % ITEMS_PER_CHECK == 0)
			AM_CHECK_INTERRUPTS();
	}
	am_host_free(ranked);
}
