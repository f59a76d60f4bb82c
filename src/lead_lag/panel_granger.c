/*
 * See panel_granger.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag_forecast.h"
#include "lead_lag/panel_granger.h"
#include "stats/distributions.h"
#include "stats/least_squares.h"

/* The regression of one unit; returns its rows, wald is NaN where there is none */
static size_t
one_unit(const int64_t *period, const double *x, const double *y, size_t n, int order,
		 double **column, double *target, double *wald)
{
	AmLeastSquares fit;
	size_t		in_a_row = 0,
				rows = 0,
				i;
	int			j;

	*wald = NAN;
	for (i = 0; i < n; i++)
	{
		in_a_row = i > 0 && am_periods_between(period[i - 1], period[i]) == 1 ? in_a_row + 1 : 0;
		if (in_a_row < (size_t) order)
			continue;
		for (j = 0; j < order; j++)
		{
			column[j][rows] = y[i - 1 - j];
			column[order + j][rows] = x[i - 1 - j];
		}
		target[rows++] = y[i];
	}
	if (rows < 2 * (size_t) order + 2)
		return rows;
	if (am_least_squares(&fit, (const double *const *) column, 2 * order, target, rows) && fit.rss > 0)
	{
		double		explained = 0;

		for (j = order; j < 2 * order; j++)
			explained += fit.effect[j] * fit.effect[j];
		*wald = explained / (fit.rss / fit.df);
	}
	am_least_squares_free(&fit);
	return rows;
}

void
am_panel_granger(const AmPanel *panel, int order, AmPanelGranger *result, AmGrangerUnit *per_unit)
{
	double		K = order;
	double		sum = 0,
				expected = 0,
				variance = 0;
	double	  **column = am_host_alloc(2 * (size_t) order * sizeof(double *));
	double	   *target;
	size_t		longest = 0,
				from,
				to;
	int			j;

	for (from = 0; from < panel->n; from = to)
	{
		for (to = from + 1; to < panel->n && panel->unit[to] == panel->unit[from];)
			to++;
		if (to - from > longest)
			longest = to - from;
	}
	for (j = 0; j < 2 * order; j++)
		column[j] = am_host_alloc(longest * sizeof(double));
	target = am_host_alloc(longest * sizeof(double));

	result->units = 0;
	for (j = 0; j < panel->n_units; j++)
		per_unit[j].wald = per_unit[j].p = NAN;
	for (from = 0; from < panel->n; from = to)
	{
		AmGrangerUnit *unit = &per_unit[panel->unit[from]];
		double		T;

		AM_CHECK_INTERRUPTS();
		for (to = from + 1; to < panel->n && panel->unit[to] == panel->unit[from];)
			to++;
		T = (double) one_unit(panel->period + from, panel->x + from, panel->y + from, to - from, order, column, target, &unit->wald);
		if (isnan(unit->wald))
			continue;
		unit->p = am_chi2_sf(unit->wald, K);
		result->units++;
		sum += unit->wald;
		/* the moments of K times F with K and T - 2K - 1 degrees of freedom */
		if (T > 2 * K + 5)
		{
			expected += K * (T - 2 * K - 1) / (T - 2 * K - 3);
			variance += 2 * K * (T - 2 * K - 1) * (T - 2 * K - 1) * (T - K - 3) /
				((T - 2 * K - 3) * (T - 2 * K - 3) * (T - 2 * K - 5));
		}
		else
			expected = NAN;
	}

	result->wbar = result->zbar = result->p_zbar = result->ztilde = result->p_ztilde = NAN;
	if (result->units > 0)
	{
		double		N = result->units;

		result->wbar = sum / N;
		result->zbar = sqrt(N / (2 * K)) * (result->wbar - K);
		result->p_zbar = 2 * am_norm_sf(fabs(result->zbar));
		if (!isnan(expected))
		{
			result->ztilde = (sum - expected) / sqrt(variance);
			result->p_ztilde = 2 * am_norm_sf(fabs(result->ztilde));
		}
	}
	am_host_free(target);
	for (j = 0; j < 2 * order; j++)
		am_host_free(column[j]);
	am_host_free(column);
}
