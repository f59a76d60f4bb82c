/*
 * Since when might a metric be worked to?  The period with the largest
 * two-sample z, for callers who know no date.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "vanity/vanity_fit.h"

#define FEWEST_PERIODS	4		/* before and after */
#define TRIMMED			0.15	/* of the rows on either side are not searched (Andrews 1993) */

/* sums over the rows of one period */
typedef struct PeriodSums
{
	int64_t		period;
	double		rows;
	double		hits;			/* rows on the target */
	double		level;			/* ln metric less its unit's mean */
	double		square;
} PeriodSums;

/* z of a mean after against before, from sums of both */
static double
two_sample_z(double sum0, double n0, double sum1, double n1, double variance)
{
	return variance > 0 ? (sum1 / n1 - sum0 / n0) / sqrt(variance * (1 / n0 + 1 / n1)) : 0;
}

static PeriodSums *
sum_periods(const AmPanel *panel, const AmGamingTarget *target)
{
	AmVanityFit fit;
	PeriodSums *sums;
	bool		has_value = isfinite(target->value) && target->value > 0;
	double		height = 0.1 * target->value;
	bool		whole = true;
	size_t		start = 0;

	am_vf_init(&fit, panel, target->has_change, target->changed_at, NAN);
	sums = am_host_alloc(((size_t) fit.n_periods + 1) * sizeof(PeriodSums));
	memset(sums, 0, ((size_t) fit.n_periods + 1) * sizeof(PeriodSums));
	for (size_t i = 0; i < panel->n && whole; i++)
		whole = panel->x[i] == floor(panel->x[i]);
	if (whole && !(height > 2))
		height = 2;

	/* a change of definition makes blocks of their own, so that it is no jump */
	while (start < panel->n)
	{
		size_t		end = start;
		double		mean = 0;

		for (; end < panel->n && fit.block[end] == fit.block[start]; end++)
			mean += fit.log_x[end];
		mean /= (double) (end - start);
		for (; start < end; start++)
		{
			PeriodSums *sum = &sums[fit.column[start]];
			double		level = fit.log_x[start] - mean;

			sum->period = panel->period[start];
			sum->rows++;
			sum->level += level;
			sum->square += level * level;
			if (has_value && panel->x[start] >= target->value && panel->x[start] < target->value + height)
				sum->hits++;
		}
	}
	am_vf_free(&fit);
	return sums;
}

bool
am_gaming_scan(const AmPanel *panel, AmGamingTarget *target, double *z)
{
	PeriodSums *sums;
	PeriodSums	before;
	PeriodSums	all;
	int32_t		n_periods = 0;
	double		variance;

	target->searched = true;
	*z = NAN;
	if (panel->n == 0)
		return false;
	sums = sum_periods(panel, target);
	memset(&before, 0, sizeof(before));
	memset(&all, 0, sizeof(all));
	for (; sums[n_periods].rows > 0; n_periods++)
	{
		all.rows += sums[n_periods].rows;
		all.hits += sums[n_periods].hits;
		all.level += sums[n_periods].level;
		all.square += sums[n_periods].square;
	}
	variance = all.square / all.rows;
	for (int32_t t = 0; t + FEWEST_PERIODS <= n_periods; t++)
	{
		double		after = all.rows - before.rows;

		if (t >= FEWEST_PERIODS && before.rows >= TRIMMED * all.rows && after >= TRIMMED * all.rows)
		{
			double		p = all.hits / all.rows;
			double		here = fmax(two_sample_z(before.hits, before.rows, all.hits - before.hits, after, p * (1 - p)),
									two_sample_z(before.level, before.rows, all.level - before.level, after, variance));

			if (isnan(*z) || here > *z)
			{
				*z = here;
				target->from = sums[t].period;
			}
		}
		before.rows += sums[t].rows;
		before.hits += sums[t].hits;
		before.level += sums[t].level;
	}
	am_host_free(sums);
	return *z > 0;
}
