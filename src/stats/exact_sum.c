/*
 * Exact summation by growing expansions (Shewchuk 1997, "Adaptive precision
 * floating-point arithmetic", theorem 10), rounded once at the end.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "stats/exact_sum.h"

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
