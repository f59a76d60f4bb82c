/*
 * See cusum.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "stats/binomial.h"
#include "warning/cusum.h"
#include "warning/run_length.h"

#define SWEEPS			8		/* of the fit of units and periods */
#define HOLIDAY			0.2		/* periods with less than this of the usual index make no level */
#define COUNTS_TO_TRIM	3.0		/* smaller levels are plain means: trimming skewed counts is biased */
#define NOW_ROWS		4		/* the level now, where nothing has dropped */
#define LARGEST_STEP	(AM_CUSUM_CLIP - AM_CUSUM_SLACK)
#define SHARE_AT_ONCE	0.8
#define ALPHA			0.05
#define CACHED			1024

/* What is usual before a row */
typedef struct Baseline
{
	double		level;			/* per unit of the index; NaN: not known */
	int			n;				/* rows it rests on */
	double		numerator;		/* of the dispersion */
	double		denominator;
} Baseline;

typedef struct Series
{
	int64_t		n;
	const int64_t *period;
	const double *x;
	double	   *index;
	Baseline   *baseline;
} Series;

/* Where the recursion stands */
typedef struct Run
{
	double		s;
	int64_t		since;			/* row, -1: S is 0 */
	int64_t		alarm;			/* row, -1: none since then */
	double		level;			/* those in use */
	double		phi;
	int			rows;			/* that the level rests on */
	double		h;
	int64_t		scored;			/* rows */
} Run;

typedef struct CachedRun
{
	double		mean;
	double		phi;
	double		h;
	int			rows;
	double		length;
} CachedRun;

typedef struct Work
{
	const AmCusumOptions *options;
	int64_t		first;			/* period */
	int64_t		n_periods;
	double	   *x;				/* sums by period */
	double	   *size;
	double	   *numerator;		/* of the dispersion, pooled */
	double	   *denominator;
	double		h;
	double		wanted;			/* run length, for the Poisson form */
	CachedRun	cache[CACHED];
} Work;

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return x < y ? -1 : x > y;
}

/* Of rows [from, to): the level, trimmed by an eighth on either side, and the parts of the dispersion */
static void
find_baseline(const Series *series, int64_t from, int64_t to, Baseline *baseline)
{
	double		ratios[AM_CUSUM_WINDOW];
	double		low;
	double		high;
	double		mean_index = 0;
	double		sum_x = 0;
	double		sum_index = 0;
	int			n = 0;

	baseline->level = NAN;
	baseline->n = 0;
	baseline->numerator = baseline->denominator = 0;
	for (int64_t i = from; i < to; i++)
		mean_index += series->index[i];
	mean_index /= (double) (to - from);
	for (int64_t i = from; i < to; i++)
		if (series->index[i] > HOLIDAY * mean_index)
		{
			ratios[n++] = series->x[i] / series->index[i];
			sum_x += series->x[i];
			sum_index += series->index[i];
		}
	if (n < AM_CUSUM_LEAST)
		return;
	baseline->n = n;
	baseline->level = sum_x / sum_index;
	if (baseline->level * mean_index >= COUNTS_TO_TRIM)
	{
		qsort(ratios, n, sizeof(double), compare_doubles);
		low = ratios[n / 8];
		high = ratios[n - 1 - n / 8];
		sum_x = sum_index = 0;
		for (int64_t i = from; i < to; i++)
			if (series->index[i] > HOLIDAY * mean_index &&
				series->x[i] / series->index[i] >= low && series->x[i] / series->index[i] <= high)
			{
				sum_x += series->x[i];
				sum_index += series->index[i];
			}
		baseline->level = sum_x / sum_index;
	}
	/* of successive differences: a lasting shift counts once */
	for (int64_t i = from + 1; i < to; i++)
		if (series->index[i] > HOLIDAY * mean_index && series->index[i - 1] > HOLIDAY * mean_index)
		{
			double		step = (series->x[i] - baseline->level * series->index[i]) -
				(series->x[i - 1] - baseline->level * series->index[i - 1]);

			baseline->numerator += step * step;
			baseline->denominator += baseline->level * (series->index[i] + series->index[i - 1]);
		}
}

static void
find_baselines(Series *series)
{
	for (int64_t i = 0; i < series->n; i++)
	{
		int64_t		to = i - AM_CUSUM_GUARD;
		int64_t		from = to - AM_CUSUM_WINDOW < 0 ? 0 : to - AM_CUSUM_WINDOW;

		AM_CHECK_INTERRUPTS();
		if (to - from >= AM_CUSUM_LEAST)
			find_baseline(series, from, to, &series->baseline[i]);
		else
		{
			series->baseline[i].level = NAN;
			series->baseline[i].n = 0;
			series->baseline[i].numerator = series->baseline[i].denominator = 0;
		}
	}
}

/* max(1, half own, half that of all); whichever is known where one is not */
static double
dispersion(const Baseline *own, double numerator, double denominator)
{
	double		phi = own->denominator > 0 ? own->numerator / own->denominator : NAN;
	double		pooled = denominator > 0 ? numerator / denominator : NAN;

	if (isnan(phi))
		phi = pooled;
	else if (!isnan(pooled))
		phi = 0.5 * phi + 0.5 * pooled;
	return phi > 1 ? phi : 1;
}

/*
 * The sum over the rows of a series.  While it is above zero the level stays
 * what it was before, for as long as a window: after that the new level is
 * the usual one.  At most one step above the threshold, so that an alarm ends
 * soon after the drop does.
 */
static void
run_series(const Work *work, const Series *series, bool pooled, Run *run, double *path, int64_t path_rows)
{
	const AmCusumOptions *options = work->options;

	run->s = 0;
	run->since = run->alarm = -1;
	run->level = run->phi = NAN;
	run->rows = 0;
	run->h = work->h;
	run->scored = 0;
	for (int64_t i = 0; i < path_rows; i++)
		path[i] = NAN;
	for (int64_t i = 0; i < series->n; i++)
	{
		const Baseline *baseline = &series->baseline[i];
		double		mean;
		double		step;
		double		largest = LARGEST_STEP;

		if (run->since >= 0 && i - run->since >= AM_CUSUM_HOLD)
		{
			run->s = 0;
			run->since = run->alarm = -1;
		}
		if (run->since < 0)
		{
			int64_t		t = series->period[i] - work->first;

			if (isnan(baseline->level))
				continue;
			run->level = baseline->level;
			run->rows = baseline->n;
			run->phi = pooled ? dispersion(baseline, work->numerator[t], work->denominator[t]) :
				dispersion(baseline, 0, 0);
		}
		run->scored++;
		mean = run->level * series->index[i];
		if (options->poisson && run->level > 0)
		{
			double		usual = run->level;
			double		k = am_poisson_cusum_k(usual);

			if (run->since < 0 && isnan(options->h))
				run->h = am_poisson_cusum_threshold(usual, k, work->wanted);
			largest = k * series->index[i];
			step = largest - series->x[i];
		}
		else
			step = -am_cusum_z(series->x[i], mean, run->phi) - AM_CUSUM_SLACK;
		run->s = fmin(fmax(0, run->s + step), run->h + largest);
		if (i < path_rows)
			path[i] = run->s;
		if (!(run->s > 0))
		{
			run->s = 0;
			run->since = run->alarm = -1;
			continue;
		}
		if (run->since < 0)
			run->since = i;
		if (run->alarm < 0 && run->s >= run->h)
			run->alarm = i;
	}
}

/* Run lengths of means that agree in two digits are one */
static double
run_length(Work *work, double mean, double phi, double h, int rows)
{
	double		scale = pow(10, floor(log10(mean)) - 1);
	CachedRun  *cached;

	mean = floor(mean / scale + 0.5) * scale;
	phi = floor(phi * 20 + 0.5) / 20;
	cached = &work->cache[(size_t) fmod(floor(mean / scale + 0.5) * 31 + phi * 20 * 7 + fabs(log10(scale)) * 3 + rows * 13, CACHED)];
	if (!(cached->mean == mean && cached->phi == phi && cached->h == h && cached->rows == rows))
	{
		cached->mean = mean;
		cached->phi = phi;
		cached->h = h;
		cached->rows = rows;
		cached->length = am_cusum_arl_estimated(mean, phi, 1, h, rows);
	}
	return cached->length;
}

static double
level_between(const Series *series, int64_t from, int64_t to)
{
	double		x = 0;
	double		index = 0;

	for (int64_t i = from; i < to; i++)
	{
		x += series->x[i];
		index += series->index[i];
	}
	return index > 0 ? x / index : NAN;
}

/* scale: what the index is in the period that the levels are told for */
static void
fill_row(Work *work, const Series *series, const Run *run, double scale, AmCusumRow *row)
{
	int64_t		last = series->n - 1;
	int64_t		from = run->since >= 0 ? run->since : 0;

	row->period = series->period[last];
	row->n = series->n;
	row->level_now = row->usual_level = row->change = row->cusum = row->threshold = row->false_alarm_every = row->phi = NAN;
	row->alarm = row->has_since = row->has_alarm_period = false;
	row->since = row->alarm_period = 0;
	row->share_down = NAN;
	row->at_once = false;
	row->reason = run->scored == 0 || isnan(run->level) ? AM_CUSUM_TOO_FEW :
		run->level > 0 ? AM_CUSUM_DEFINED : AM_CUSUM_NOTHING_USUAL;
	if (row->reason != AM_CUSUM_DEFINED)
		return;
	row->alarm = run->s >= run->h;
	row->has_since = run->since >= 0;
	row->since = row->has_since ? series->period[run->since] : 0;
	row->has_alarm_period = run->alarm >= 0;
	row->alarm_period = row->has_alarm_period ? series->period[run->alarm] : 0;
	if (!row->has_alarm_period)
		from = series->n > NOW_ROWS ? series->n - NOW_ROWS : 0;
	row->level_now = level_between(series, from, series->n) * scale;
	row->usual_level = run->level * scale;
	row->change = row->level_now / row->usual_level - 1;
	row->cusum = run->s;
	row->threshold = run->h;
	row->phi = run->phi;
	if (work->options->poisson)
		row->false_alarm_every = am_poisson_cusum_arl(run->level, am_poisson_cusum_k(run->level), run->h, 0, false);
	else
		row->false_alarm_every = run_length(work, row->usual_level, run->phi, run->h, run->rows);
}

/* The sizes of units and the index of periods: x is about size times index (margin fit) */
static void
fit_margins(const AmPanel *panel, Work *work, double *size)
{
	double	   *index = am_host_alloc(work->n_periods * sizeof(double));

	for (int64_t t = 0; t < work->n_periods; t++)
		index[t] = 1;
	memset(work->x, 0, work->n_periods * sizeof(double));
	for (size_t i = 0; i < panel->n; i++)
		work->x[panel->period[i] - work->first] += panel->x[i];
	for (int sweep = 0; sweep < SWEEPS; sweep++)
	{
		AM_CHECK_INTERRUPTS();
		memset(work->size, 0, work->n_periods * sizeof(double));
		for (size_t i = 0; i < panel->n;)
		{
			int32_t		unit = panel->unit[i];
			size_t		end = i;
			double		x = 0;
			double		expected = 0;

			for (; end < panel->n && panel->unit[end] == unit; end++)
			{
				x += panel->x[end];
				expected += index[panel->period[end] - work->first];
			}
			size[unit] = expected > 0 ? x / expected : 0;
			for (; i < end; i++)
				work->size[panel->period[i] - work->first] += size[unit];
		}
		for (int64_t t = 0; t < work->n_periods; t++)
			index[t] = work->size[t] > 0 ? work->x[t] / work->size[t] : 1;
	}
	am_host_free(index);
}

/* h, and the run length that the Poisson form is to have */
static void
choose_threshold(Work *work, Series *series, int32_t n_units)
{
	const AmCusumOptions *options = work->options;
	double	   *levels = am_host_alloc((n_units + 1) * sizeof(double));
	double	   *phis = am_host_alloc((n_units + 1) * sizeof(double));
	double		rows = 0;
	int32_t		n = 0;

	work->h = isnan(options->h) ? AM_CUSUM_DEFAULT_H : options->h;
	work->wanted = AM_CUSUM_POISSON_RUN;
	for (int32_t unit = 0; unit < n_units; unit++)
	{
		const Baseline *baseline = &series[unit].baseline[series[unit].n - 1];
		int64_t		t = series[unit].period[series[unit].n - 1] - work->first;

		if (!(baseline->level > 0))
			continue;
		rows += baseline->n;
		levels[n] = baseline->level;
		phis[n++] = dispersion(baseline, work->numerator[t], work->denominator[t]);
	}
	if (isnan(options->h) && !isnan(options->false_alarms) && n > 0)
	{
		work->wanted = n * options->periods_per_year / options->false_alarms;
		qsort(levels, n, sizeof(double), compare_doubles);
		qsort(phis, n, sizeof(double), compare_doubles);
		if (!options->poisson)
			work->h = am_cusum_threshold(levels[n / 2], phis[n / 2], rows / n, work->wanted);
	}
	am_host_free(levels);
	am_host_free(phis);
}

/* All units together; and how many of them are down since it began */
static void
run_together(Work *work, const Series *units, int32_t n_units, const int64_t *real_rows, AmCusumRow *row)
{
	Series		all;
	Run			run;
	int64_t    *period = am_host_alloc(work->n_periods * sizeof(int64_t));
	double	   *x = am_host_alloc(work->n_periods * sizeof(double));
	double	   *ratios = am_host_alloc((n_units + 1) * sizeof(double));
	double		down = 0;
	int32_t		n = 0;

	all.n = 0;
	all.period = period;
	all.x = x;
	all.index = am_host_alloc(work->n_periods * sizeof(double));
	all.baseline = am_host_alloc(work->n_periods * sizeof(Baseline));
	for (int64_t t = 0; t < work->n_periods; t++)
		if (work->size[t] > 0)
		{
			period[all.n] = work->first + t;
			x[all.n] = work->x[t];
			all.index[all.n++] = work->size[t];
		}
	if (all.n == 0)
	{
		/* nothing was ever done */
		period[0] = work->first + work->n_periods - 1;
		x[0] = 0;
		all.index[0] = 1;
		all.n = 1;
	}
	find_baselines(&all);
	run_series(work, &all, false, &run, NULL, 0);
	fill_row(work, &all, &run, all.index[all.n - 1], row);
	row->unit = -1;
	if (all.n == 1 && !(x[0] > 0))
		row->reason = AM_CUSUM_NOTHING_USUAL;
	if (row->has_since)
	{
		for (int32_t unit = 0; unit < n_units; unit++)
		{
			const Series *s = &units[unit];
			double		since = 0;
			double		before = 0;
			int64_t		rows = 0;
			int64_t		first = real_rows[unit];

			while (first > 0 && s->period[first - 1] >= row->since)
				first--;
			rows = real_rows[unit] - first;
			if (rows == 0 || first < AM_CUSUM_LEAST)
				continue;
			for (int64_t i = first; i < real_rows[unit]; i++)
				since += s->x[i];
			for (int64_t i = first > AM_CUSUM_WINDOW ? first - AM_CUSUM_WINDOW : 0; i < first; i++)
				before += s->x[i];
			if (!(before > 0))
				continue;
			ratios[n] = since / (double) rows / (before / (double) (first > AM_CUSUM_WINDOW ? AM_CUSUM_WINDOW : first));
			down += ratios[n++] < 1;
		}
		if (n > 0)
		{
			row->share_down = down / n;
			qsort(ratios, n, sizeof(double), compare_doubles);
			/* by chance each is down as often as up; and it is not one of them whose fall is that of all */
			row->at_once = row->alarm && row->share_down >= SHARE_AT_ONCE && am_binomial_upper(down, n, 0.5) <= ALPHA &&
				ratios[n / 2] - 1 <= row->change / 2;
		}
	}
	am_host_free(all.index);
	am_host_free(all.baseline);
	am_host_free(period);
	am_host_free(x);
	am_host_free(ratios);
}

int32_t
am_cusum(const AmPanel *panel, const AmCusumOptions *options, AmCusumRow *rows, double *path)
{
	int32_t		n_units = panel->n_units;
	Work	   *work;
	Series	   *series;
	double	   *size;
	int64_t    *real_rows;
	int64_t		last;
	int64_t		first_row = 0;
	size_t		start = 0;

	if (panel->n == 0)
		return 0;
	work = am_host_alloc(sizeof(*work));
	memset(work, 0, sizeof(*work));
	work->options = options;
	work->first = last = panel->period[0];
	for (size_t i = 0; i < panel->n; i++)
	{
		work->first = panel->period[i] < work->first ? panel->period[i] : work->first;
		last = panel->period[i] > last ? panel->period[i] : last;
	}
	work->n_periods = last - work->first + 1;
	work->x = am_host_alloc(work->n_periods * sizeof(double));
	work->size = am_host_alloc(work->n_periods * sizeof(double));
	work->numerator = am_host_alloc(work->n_periods * sizeof(double));
	work->denominator = am_host_alloc(work->n_periods * sizeof(double));
	memset(work->numerator, 0, work->n_periods * sizeof(double));
	memset(work->denominator, 0, work->n_periods * sizeof(double));
	size = am_host_alloc(n_units * sizeof(double));
	fit_margins(panel, work, size);

	series = am_host_alloc(n_units * sizeof(Series));
	real_rows = am_host_alloc(n_units * sizeof(int64_t));
	for (int32_t unit = 0; unit < n_units; unit++)
	{
		Series	   *s = &series[unit];
		size_t		end = start;
		int64_t		silent;
		int64_t    *period;
		double	   *x;

		AM_CHECK_INTERRUPTS();
		while (end < panel->n && panel->unit[end] == unit)
			end++;
		real_rows[unit] = (int64_t) (end - start);
		silent = last - panel->period[end - 1];
		if (silent > options->silent)
			silent = options->silent;
		s->n = real_rows[unit] + silent;
		s->period = period = am_host_alloc(s->n * sizeof(int64_t));
		s->x = x = am_host_alloc(s->n * sizeof(double));
		s->index = am_host_alloc(s->n * sizeof(double));
		s->baseline = am_host_alloc(s->n * sizeof(Baseline));
		for (int64_t i = 0; i < s->n; i++)
		{
			bool		real = i < real_rows[unit];
			int64_t		t;
			double		others;

			period[i] = real ? panel->period[start + i] : period[i - 1] + 1;
			x[i] = real ? panel->x[start + i] : 0;
			t = period[i] - work->first;
			/* what the others did, over what is usual for them */
			others = work->size[t] - (real ? size[unit] : 0);
			s->index[i] = others > 1e-9 * work->size[t] ? fmax(0, work->x[t] - x[i]) / others : 1;
		}
		start = end;
		find_baselines(s);
		for (int64_t i = 0; i < s->n; i++)
		{
			work->numerator[period[i] - work->first] += s->baseline[i].numerator;
			work->denominator[period[i] - work->first] += s->baseline[i].denominator;
		}
	}

	choose_threshold(work, series, n_units);
	for (int32_t unit = 0; unit < n_units; unit++)
	{
		Run			run;

		AM_CHECK_INTERRUPTS();
		run_series(work, &series[unit], true, &run, path ? path + first_row : NULL, path ? real_rows[unit] : 0);
		first_row += real_rows[unit];
		fill_row(work, &series[unit], &run, 1, &rows[unit]);
		rows[unit].unit = unit;
		if (options->silent > 0 && last - rows[unit].period > 0)
			rows[unit].reason = AM_CUSUM_GONE;
	}
	if (n_units > 1)
		run_together(work, series, n_units, real_rows, &rows[n_units]);

	for (int32_t unit = 0; unit < n_units; unit++)
	{
		am_host_free((void *) series[unit].period);
		am_host_free((void *) series[unit].x);
		am_host_free(series[unit].index);
		am_host_free(series[unit].baseline);
	}
	am_host_free(series);
	am_host_free(real_rows);
	am_host_free(size);
	am_host_free(work->x);
	am_host_free(work->size);
	am_host_free(work->numerator);
	am_host_free(work->denominator);
	am_host_free(work);
	return n_units + (n_units > 1);
}
