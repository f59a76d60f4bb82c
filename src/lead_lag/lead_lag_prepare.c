/*
 * See lead_lag_prepare.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag_forecast.h"
#include "lead_lag/lead_lag_prepare.h"

#define MIN_ROWS	4			/* of a unit whose drift is looked at */

static const double *
source_column(const AmPanel *panel, int c)
{
	return c == 0 ? panel->x : c == 1 ? panel->y : panel->control[c - 2];
}

static void
fill(AmPreparedPanel *prepared, const AmPanel *panel, bool fill_zero)
{
	uint64_t	missing = fill_zero ? am_lead_lag_missing(panel) : 0;
	size_t		n,
				i,
				row = 0;
	int			c;

	if (missing > AM_LL_MAX_FILLED)
		missing = 0;
	n = panel->n + (size_t) missing;
	prepared->n_columns = 2 + panel->n_controls;
	prepared->unit = am_host_alloc(n * sizeof(int32_t));
	prepared->period = am_host_alloc(n * sizeof(int64_t));
	prepared->column = am_host_alloc((size_t) prepared->n_columns * sizeof(double *));
	for (c = 0; c < prepared->n_columns; c++)
		prepared->column[c] = am_host_alloc(n * sizeof(double));
	for (i = 0; i < panel->n; i++)
	{
		if (missing > 0 && i > 0 && panel->unit[i] == panel->unit[i - 1])
		{
			int64_t		p;

			for (p = panel->period[i - 1] + 1; p < panel->period[i]; p++)
			{
				prepared->unit[row] = panel->unit[i];
				prepared->period[row] = p;
				for (c = 0; c < prepared->n_columns; c++)
					prepared->column[c][row] = 0;
				row++;
			}
		}
		prepared->unit[row] = panel->unit[i];
		prepared->period[row] = panel->period[i];
		for (c = 0; c < prepared->n_columns; c++)
			prepared->column[c][row] = source_column(panel, c)[i];
		row++;
	}
	prepared->panel = *panel;
	prepared->panel.n = row;
}

static size_t
end_of_unit(const AmPreparedPanel *prepared, size_t from)
{
	size_t		to = from + 1;

	while (to < prepared->panel.n && prepared->unit[to] == prepared->unit[from])
		to++;
	return to;
}

static void
take_off_season(double *v, const int64_t *period, size_t n, int season)
{
	double	   *sum = am_host_alloc((size_t) season * sizeof(double));
	size_t	   *many = am_host_alloc((size_t) season * sizeof(size_t));
	size_t		i;
	int			phase;

	memset(many, 0, (size_t) season * sizeof(size_t));
	for (phase = 0; phase < season; phase++)
		sum[phase] = 0;
	for (i = 0; i < n; i++)
	{
		phase = (int) (am_periods_between(period[0], period[i]) % (uint64_t) season);
		sum[phase] += v[i];
		many[phase]++;
	}
	for (i = 0; i < n; i++)
	{
		phase = (int) (am_periods_between(period[0], period[i]) % (uint64_t) season);
		v[i] -= sum[phase] / many[phase];
	}
	am_host_free(many);
	am_host_free(sum);
}

/* Autocorrelation at lag 1; NaN where it has none */
static double
drift(const double *v, const int64_t *period, size_t n)
{
	double		largest = 0,
				mean = 0,
				ss = 0,
				lagged = 0,
				before = 0;
	size_t		i;

	if (n < MIN_ROWS)
		return NAN;
	for (i = 0; i < n; i++)
		largest = fmax(largest, fabs(v[i] / 2 - v[0] / 2));
	if (largest == 0)
		return NAN;
	for (i = 0; i < n; i++)
		mean += (v[i] / 2 - v[0] / 2) / largest;
	mean /= n;
	for (i = 0; i < n; i++)
	{
		double		d = (v[i] / 2 - v[0] / 2) / largest - mean;

		ss += d * d;
		if (i > 0 && am_periods_between(period[i - 1], period[i]) == 1)
			lagged += before * d;
		before = d;
	}
	return lagged / ss;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		left = *(const double *) a;
	double		right = *(const double *) b;

	return (left > right) - (left < right);
}

/* Do x or y drift in half of the units? */
static bool
drifts(const AmPreparedPanel *prepared)
{
	double	   *r = am_host_alloc(((size_t) prepared->panel.n_units + 1) * sizeof(double));
	bool		found = false;
	int			c;

	for (c = 0; c < 2; c++)
	{
		size_t		from,
					to,
					n = 0;

		for (from = 0; from < prepared->panel.n; from = to)
		{
			double		one;

			AM_CHECK_INTERRUPTS();
			to = end_of_unit(prepared, from);
			one = drift(prepared->column[c] + from, prepared->period + from, to - from);
			if (!isnan(one))
				r[n++] = one;
		}
		qsort(r, n, sizeof(double), compare_doubles);
		if (n > 0 && (r[(n - 1) / 2] + r[n / 2]) / 2 > AM_LL_DRIFT)
			found = true;
	}
	am_host_free(r);
	return found;
}

/* Halved where they overflow: a factor for all changes no correlation */
static void
take_differences(AmPreparedPanel *prepared)
{
	size_t		n = prepared->panel.n;
	size_t		i,
				kept = 0;
	int			c;

	for (c = 0; c < prepared->n_columns; c++)
	{
		double	   *v = prepared->column[c];
		double		factor = 1;

		for (i = 1; i < n; i++)
			if (!isfinite(v[i] - v[i - 1]))
				factor = 0.5;
		/* from the end, where the value before is still there */
		for (i = n; i-- > 1;)
			v[i] = v[i] * factor - v[i - 1] * factor;
	}
	for (i = 1; i < n; i++)
	{
		if (prepared->unit[i] != prepared->unit[i - 1] ||
			am_periods_between(prepared->period[i - 1], prepared->period[i]) != 1)
			continue;
		/* kept < i: what the next round reads is not touched */
		for (c = 0; c < prepared->n_columns; c++)
			prepared->column[c][kept] = prepared->column[c][i];
		prepared->unit[kept] = prepared->unit[i];
		prepared->period[kept++] = prepared->period[i];
	}
	prepared->panel.n = kept;
}

typedef struct Ranked
{
	double		value;
	size_t		at;
} Ranked;

static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *left = a;
	const Ranked *right = b;

	return (left->value > right->value) - (left->value < right->value);
}

/* Ranks from 1, ties in the middle: order among equals does not matter */
static void
take_ranks(double *v, size_t n)
{
	Ranked	   *sorted = am_host_alloc(n * sizeof(Ranked));
	size_t		from,
				to,
				i;

	for (i = 0; i < n; i++)
	{
		sorted[i].value = v[i];
		sorted[i].at = i;
	}
	qsort(sorted, n, sizeof(Ranked), compare_ranked);
	for (from = 0; from < n; from = to)
	{
		for (to = from + 1; to < n && sorted[to].value == sorted[from].value;)
			to++;
		for (i = from; i < to; i++)
			v[sorted[i].at] = (double) (from + to + 1) / 2;
	}
	am_host_free(sorted);
}

void
am_lead_lag_prepare(AmPreparedPanel *prepared, const AmPanel *panel, const AmLeadLagOptions *options)
{
	size_t		from,
				to;
	int			c;

	memset(prepared, 0, sizeof(*prepared));
	fill(prepared, panel, options->fill_zero);
	for (from = 0; options->season > 1 && from < prepared->panel.n; from = to)
	{
		AM_CHECK_INTERRUPTS();
		to = end_of_unit(prepared, from);
		for (c = 0; c < prepared->n_columns; c++)
			take_off_season(prepared->column[c] + from, prepared->period + from, to - from, options->season);
	}
	if (options->difference == AM_DIFFERENCE_YES ||
		(options->difference == AM_DIFFERENCE_AUTO && drifts(prepared)) ||
		(options->difference == AM_DIFFERENCE_SINGLE && panel->n_units == 1 && drifts(prepared)))
	{
		take_differences(prepared);
		prepared->differenced = true;
	}
	for (from = 0; options->rank && from < prepared->panel.n; from = to)
	{
		AM_CHECK_INTERRUPTS();
		to = end_of_unit(prepared, from);
		for (c = 0; c < prepared->n_columns; c++)
			take_ranks(prepared->column[c] + from, to - from);
	}
	prepared->panel.unit = prepared->unit;
	prepared->panel.period = prepared->period;
	prepared->panel.x = prepared->column[0];
	prepared->panel.y = prepared->column[1];
	prepared->panel.quality = NULL;
	prepared->panel.control = (const double *const *) prepared->column + 2;
}

void
am_lead_lag_prepared_free(AmPreparedPanel *prepared)
{
	int			c;

	for (c = 0; c < prepared->n_columns; c++)
		am_host_free(prepared->column[c]);
	am_host_free(prepared->column);
	am_host_free(prepared->period);
	am_host_free(prepared->unit);
}
