/*
 * Exact summation by growing expansions (Shewchuk 1997, "Adaptive precision
 * floating-point arithmetic", theorem 10), rounded once at the end.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "stats/exact_sum.h"

/*
 * Parts that do not overlap may hold few bits each.  Packs them, so that each
 * is below half a unit in the last place of the next (Shewchuk, figure 15).
 */
static void
pack(AmExactSum *sum)
{
	double		rest = sum->parts[sum->n - 1];
	int			bottom = sum->n - 1;
	int			kept = 0;

	for (int i = sum->n - 2; i >= 0; i--)
	{
		double		high = rest + sum->parts[i];
		double		low = sum->parts[i] - (high - rest);

		if (low != 0)
		{
			sum->parts[bottom--] = high;
			rest = low;
		}
		else
			rest = high;
	}
	sum->parts[bottom] = rest;

	rest = sum->parts[bottom];
	for (int i = bottom + 1; i < sum->n; i++)
	{
		double		high = sum->parts[i] + rest;
		double		low = rest - (high - sum->parts[i]);

		if (low != 0)
			sum->parts[kept++] = low;
		rest = high;
	}
	sum->parts[kept++] = rest;
	sum->n = kept;
}

void
am_exact_add(AmExactSum *sum, double term)
{
	int			kept = 0;

	/* once it has overflowed it stays so */
	if (sum->n == 1 && isnan(sum->parts[0]))
		return;
	if (!isfinite(term))
	{
		sum->n = 1;
		sum->parts[0] = NAN;
		return;
	}
	if (sum->n == AM_EXACT_PARTS)
		pack(sum);

	for (int i = 0; i < sum->n; i++)
	{
		double		part = sum->parts[i];
		double		high = term + part;
		double		virtual_part = high - term;
		double		low = (term - (high - virtual_part)) + (part - virtual_part);

		if (!isfinite(high))
		{
			sum->n = 1;
			sum->parts[0] = NAN;
			return;
		}
		if (low != 0)
			sum->parts[kept++] = low;
		term = high;
	}
	if (term != 0 || kept == 0)
		sum->parts[kept++] = term;
	sum->n = kept;
}

double
am_exact_round(const AmExactSum *sum)
{
	int			i = sum->n - 1;
	double		high;
	double		low = 0;

	if (i < 0)
		return 0;
	high = sum->parts[i];
	while (i > 0)
	{
		double		before = high;

		i--;
		high = before + sum->parts[i];
		low = sum->parts[i] - (high - before);
		if (low != 0)
			break;
	}

	/* a tie was rounded to even, but the parts below may say which way it leans */
	if (i > 0 && ((low < 0 && sum->parts[i - 1] < 0) || (low > 0 && sum->parts[i - 1] > 0)))
	{
		double		twice = low * 2;
		double		other = high + twice;

		if (twice == other - high)
			high = other;
	}
	return high;
}
