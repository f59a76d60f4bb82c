/*
 * Fits behind the vanity score and the gaming test: the two-way margin fit
 * of the outcome (equal to a Poisson regression with unit and period
 * effects), the deviation of the metric, and the score test of one window of
 * lags.
 *
 * Everything works on the rows as they come, sorted by unit and period, so
 * that memory does not depend on how far apart the periods lie, and all sums
 * have a fixed order.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "vanity/vanity_fit.h"

#define MARGIN_SWEEPS		12
#define RESIDUAL_SWEEPS		6
#define CLIP_SDS			2.5
#define DECILE_RANGE_SDS	2.563	/* q90 - q10 of a normal distribution, in sds */
#define FEWEST_ROWS			10		/* of a window */
#define SHORT_BLOCK			12		/* rows of a unit that cannot afford a trend ... */
#define SHORT_SIDE			16		/* ... and of its rows on one side of a split */
#define LONG_BLOCK			80		/* rows that can afford a bent one */

#define LOG_2PI				1.8378770664093454836

static void *
zeroed(size_t count, size_t size)
{
	void	   *chunk = am_host_alloc(count * size + 1);

	memset(chunk, 0, count * size + 1);
	return chunk;
}

static int
compare_doubles(const void *a, const void *b)
{
	double		x = *(const double *) a;
	double		y = *(const double *) b;

	return (x > y) - (x < y);
}

static int
compare_periods(const void *a, const void *b)
{
	int64_t		x = *(const int64_t *) a;
	int64_t		y = *(const int64_t *) b;

	return (x > y) - (x < y);
}

double
am_vf_quantile(double *v, size_t n, double p)
{
	double		at = (double) (n - 1) * p;
	size_t		below = (size_t) at;
	double		part = at - (double) below;

	qsort(v, n, sizeof(double), compare_doubles);
	if (below + 1 >= n)
		return v[n - 1];
	return v[below] + part * (v[below + 1] - v[below]);
}

double
am_vf_log_normal(double value, double mean, double variance)
{
	double		distance = value - mean;

	return -0.5 * (LOG_2PI + log(variance) + distance * distance / variance);
}

/* how many periods later b is than a; right even where the difference of signed numbers would overflow */
static uint64_t
periods_between(int64_t a, int64_t b)
{
	return (uint64_t) b - (uint64_t) a;
}

/* rank of each row's period among the distinct periods, and the time scale */
static void
rank_periods(AmVanityFit *fit)
{
	int64_t    *distinct = am_host_alloc(fit->n * sizeof(int64_t) + 1);
	size_t		n = fit->n;
	size_t		n_distinct = 0;
	double		span;

	memcpy(distinct, fit->period, n * sizeof(int64_t));
	qsort(distinct, n, sizeof(int64_t), compare_periods);
	for (size_t i = 0; i < n; i++)
	{
		if (n_distinct == 0 || distinct[n_distinct - 1] != distinct[i])
			distinct[n_distinct++] = distinct[i];
	}
	fit->n_periods = (int32_t) n_distinct;
	span = n_distinct ? (double) periods_between(distinct[0], distinct[n_distinct - 1]) : 0;

	for (size_t i = 0; i < n; i++)
	{
		size_t		low;
		size_t		high;

		fit->time[i] = span > 0 ? 2.0 * (double) periods_between(distinct[0], fit->period[i]) / span - 1.0 : 0.0;

		/* in most rows the period follows that of the row before */
		if (i > 0 && fit->column[i - 1] + 1 < fit->n_periods &&
			distinct[fit->column[i - 1] + 1] == fit->period[i])
		{
			fit->column[i] = fit->column[i - 1] + 1;
			continue;
		}
		low = 0;
		high = n_distinct - 1;
		while (low < high)
		{
			size_t		middle = low + (high - low) / 2;

			if (distinct[middle] < fit->period[i])
				low = middle + 1;
			else
				high = middle;
		}
		fit->column[i] = (int32_t) low;
	}
	am_host_free(distinct);
}

/* the rows of a split panel are on one of its sides */
static bool
after_split(const AmVanityFit *fit, size_t row)
{
	return fit->split && fit->period[row] >= fit->split_at;
}

/* median number of rows of a block of one side, which decides how much trend can be afforded */
static double
median_block(AmVanityFit *fit, bool after)
{
	size_t		n_sizes = 0;

	for (size_t i = 0; i < fit->n; i++)
	{
		if (after_split(fit, i) != after)
			continue;
		if (i == 0 || fit->block[i] != fit->block[i - 1])
			fit->spread[n_sizes++] = 0;
		fit->spread[n_sizes - 1]++;
	}
	return n_sizes > 0 ? am_vf_quantile(fit->spread, n_sizes, 0.5) : 0;
}

static int
trend_degree(double median, int shortest)
{
	return median < shortest ? 0 : median < LONG_BLOCK ? 1 : 2;
}

static int
block_degree(const AmVanityFit *fit, size_t row)
{
	int			degree = !fit->split ? fit->degree : after_split(fit, row) ? fit->degree_after : fit->degree_before;

	return degree < fit->degree ? degree : fit->degree;
}

static void
find_earlier_rows(AmVanityFit *fit)
{
	for (size_t i = 0; i < fit->n; i++)
	{
		size_t		j = i;

		while (j > 0 && fit->unit[j - 1] == fit->unit[i])
		{
			uint64_t	k;

			j--;
			k = periods_between(fit->period[j], fit->period[i]);
			if (k > AM_VF_AUTOCORRELATIONS)
				break;
			fit->back[i * AM_VF_AUTOCORRELATIONS + (size_t) (k - 1)] = (unsigned char) (i - j);
		}
	}
}

/*
 * Counts are multiples of their smallest value, or small whole numbers;
 * anything else is an amount, whose tail would drown the rest.
 */
static bool
is_amount(const double *y, size_t n, double tail)
{
	double		least = HUGE_VAL;
	bool		whole = true;
	bool		multiples = true;

	for (size_t i = 0; i < n; i++)
	{
		if (y[i] > 0 && y[i] < least)
			least = y[i];
		if (y[i] != floor(y[i]))
			whole = false;
	}
	for (size_t i = 0; i < n && multiples; i++)
	{
		double		ratio = y[i] / least;

		if (fabs(ratio - floor(ratio + 0.5)) > 1e-9 * ratio)
			multiples = false;
	}
	return !multiples && !(whole && tail <= 100);
}

static void
load_outcome(AmVanityFit *fit, const double *outcome)
{
	double		most = 0;
	int			exponent;
	size_t		positive = 0;

	for (size_t i = 0; i < fit->n; i++)
	{
		fit->y[i] = outcome[i] > 0 ? outcome[i] : 0;
		if (fit->y[i] > most)
			most = fit->y[i];
		if (fit->y[i] > 0)
			fit->spread[positive++] = fit->y[i];
	}
	if (positive == 0)
		return;

	{
		double		tail = am_vf_quantile(fit->spread, positive, 0.9);

		if (is_amount(fit->y, fit->n, tail))
		{
			for (size_t i = 0; i < fit->n; i++)
			{
				if (fit->y[i] > tail)
					fit->y[i] = tail;
			}
		}
	}

	/* the elasticity does not know the unit of the outcome; squares of huge or tiny numbers would leave the range */
	if (most > 1e60 || most < 1e-60)
	{
		frexp(most, &exponent);
		for (size_t i = 0; i < fit->n; i++)
			fit->y[i] = ldexp(fit->y[i], -exponent);
	}
}

static void
load_metric(AmVanityFit *fit, const double *metric, double given)
{
	bool		whole = true;
	double		sum = 0;
	double		most = 0;
	double		c = 0.5;
	size_t		positive = 0;

	for (size_t i = 0; i < fit->n; i++)
	{
		fit->x[i] = metric[i] > 0 ? metric[i] : 0;
		if (fit->x[i] != floor(fit->x[i]))
			whole = false;
		if (fit->x[i] > 0)
		{
			positive++;
			sum += fit->x[i];
			if (fit->x[i] > most)
				most = fit->x[i];
		}
	}
	if (!whole)
	{
		c = 0.05 * (isfinite(sum) ? sum / (double) positive : most);
		if (!(c > 0))
			c = most;
	}
	fit->c = c = given > 0 ? given : c;
	for (size_t i = 0; i < fit->n; i++)
	{
		double		shifted = fit->x[i] + c;

		fit->log_x[i] = log(isfinite(shifted) ? shifted : fit->x[i]);
	}
}

/* mu = level of the block x level of the period, by fitting the margins in turn */
static void
fit_margins(AmVanityFit *fit)
{
	double	   *a = fit->block_sum;
	double	   *b = zeroed(fit->n_periods, sizeof(double));

	for (int32_t t = 0; t < fit->n_periods; t++)
		b[t] = 1;
	for (int sweep = 0; sweep < MARGIN_SWEEPS; sweep++)
	{
		AM_CHECK_INTERRUPTS();
		memset(a, 0, (size_t) fit->n_blocks * sizeof(double));
		memset(fit->block_weight, 0, (size_t) fit->n_blocks * sizeof(double));
		for (size_t i = 0; i < fit->n; i++)
		{
			a[fit->block[i]] += fit->y[i];
			fit->block_weight[fit->block[i]] += b[fit->column[i]];
		}
		for (int32_t r = 0; r < fit->n_blocks; r++)
			a[r] = fit->block_weight[r] > 0 ? a[r] / fit->block_weight[r] : 0;

		memset(b, 0, (size_t) fit->n_periods * sizeof(double));
		memset(fit->column_weight, 0, (size_t) fit->n_periods * sizeof(double));
		for (size_t i = 0; i < fit->n; i++)
		{
			b[fit->column[i]] += fit->y[i];
			fit->column_weight[fit->column[i]] += a[fit->block[i]];
		}
		for (int32_t t = 0; t < fit->n_periods; t++)
			b[t] = fit->column_weight[t] > 0 ? b[t] / fit->column_weight[t] : 0;
	}
	for (size_t i = 0; i < fit->n; i++)
		fit->mu[i] = a[fit->block[i]] * b[fit->column[i]];
	am_host_free(b);
}

static void
fit_outcome(AmVanityFit *fit)
{
	double		chi = 0;
	double		squares = 0;
	double		total = 0;
	double		mean_square = 0;
	size_t		expected = 0;

	fit_margins(fit);
	for (size_t i = 0; i < fit->n; i++)
	{
		fit->e[i] = fit->y[i] - fit->mu[i];
		total += fit->y[i] * fit->y[i];
		squares += fit->e[i] * fit->e[i];
		fit->spread[i] = 0;
		if (fit->mu[i] > 0)
		{
			chi += fit->e[i] * fit->e[i] / fit->mu[i];
			fit->spread[i] = fit->e[i] / sqrt(fit->mu[i]);
			expected++;
		}
	}
	fit->phi = expected > 0 ? chi / (double) expected : 0;
	fit->outcome_varies = squares > AM_VF_NOISE * AM_VF_NOISE * total;

	for (size_t i = 0; i < fit->n; i++)
		mean_square += fit->spread[i] * fit->spread[i];
	if (expected > 0)
		mean_square /= (double) expected;
	for (int k = 0; k < AM_VF_AUTOCORRELATIONS; k++)
	{
		double		sum = 0;
		size_t		pairs = 0;

		for (size_t i = 0; i < fit->n; i++)
		{
			unsigned char up = fit->back[i * AM_VF_AUTOCORRELATIONS + (size_t) k];

			if (up > 0 && fit->mu[i] > 0 && fit->mu[i - up] > 0)
			{
				sum += fit->spread[i] * fit->spread[i - up];
				pairs++;
			}
		}
		fit->rho_e[k] = pairs > 0 && mean_square > 0 ? sum / (double) pairs / mean_square : 0;
	}
}

/*
 * Trend of the rows at work: within each block a line and a parabola,
 * orthogonal under the weights to each other and to the constant.  A block
 * too short for one gets zeros.
 */
static void
prepare_trends(AmVanityFit *fit, const AmVfRows *rows)
{
	size_t		start = 0;

	while (start < rows->m)
	{
		int32_t		block = fit->block[rows->row[start]];
		size_t		end = start;
		double		weight = 0;
		double		mean = 0;
		double		square = 0;
		double		cube = 0;
		double		left = 0;

		while (end < rows->m && fit->block[rows->row[end]] == block)
		{
			weight += rows->w[end];
			mean += rows->w[end] * fit->time[rows->row[end]];
			end++;
		}
		mean /= weight;
		for (size_t i = start; i < end; i++)
		{
			double		t = fit->time[rows->row[i]] - mean;

			fit->linear[i] = t;
			square += rows->w[i] * t * t;
			cube += rows->w[i] * t * t * t;
		}
		for (size_t i = start; i < end; i++)
		{
			double		t = fit->linear[i];

			fit->quadratic[i] = square > 0 ? t * t - square / weight - cube / square * t : 0;
			left += rows->w[i] * fit->quadratic[i] * fit->quadratic[i];
		}
		for (size_t i = start; i < end; i++)
		{
			if (end - start < 2 || !(square > 0))
				fit->linear[i] = 0;
			if (end - start < 3 || !(left > 1e-20 * square * square / weight))
				fit->quadratic[i] = 0;
		}
		start = end;
	}
}

static void
sweep_trends(AmVanityFit *fit, AmVfRows *rows)
{
	size_t		start = 0;

	while (start < rows->m)
	{
		int32_t		block = fit->block[rows->row[start]];
		size_t		end = start;
		double		weight = 0;
		double		sum0 = 0;
		double		sum1 = 0;
		double		norm1 = 0;
		double		sum2 = 0;
		double		norm2 = 0;
		int			degree = block_degree(fit, rows->row[start]);

		while (end < rows->m && fit->block[rows->row[end]] == block)
		{
			double		wz = rows->w[end] * rows->z[end];

			weight += rows->w[end];
			sum0 += wz;
			if (degree >= 1)
			{
				sum1 += wz * fit->linear[end];
				norm1 += rows->w[end] * fit->linear[end] * fit->linear[end];
			}
			if (degree >= 2)
			{
				sum2 += wz * fit->quadratic[end];
				norm2 += rows->w[end] * fit->quadratic[end] * fit->quadratic[end];
			}
			end++;
		}
		sum0 /= weight;
		sum1 = norm1 > 0 ? sum1 / norm1 : 0;
		sum2 = norm2 > 0 ? sum2 / norm2 : 0;
		for (size_t i = start; i < end; i++)
		{
			rows->z[i] -= sum0;
			if (sum1 != 0)
				rows->z[i] -= sum1 * fit->linear[i];
			if (sum2 != 0)
				rows->z[i] -= sum2 * fit->quadratic[i];
		}
		start = end;
	}
}

void
am_vf_residualise(AmVanityFit *fit, AmVfRows *rows, int sweeps)
{
	if (fit->degree >= 1)
		prepare_trends(fit, rows);
	memset(fit->column_weight, 0, (size_t) fit->n_periods * sizeof(double));
	for (size_t i = 0; i < rows->m; i++)
		fit->column_weight[fit->column[rows->row[i]]] += rows->w[i];

	for (int sweep = 0; sweep < sweeps; sweep++)
	{
		AM_CHECK_INTERRUPTS();
		memset(fit->column_sum, 0, (size_t) fit->n_periods * sizeof(double));
		for (size_t i = 0; i < rows->m; i++)
			fit->column_sum[fit->column[rows->row[i]]] += rows->w[i] * rows->z[i];
		for (int32_t t = 0; t < fit->n_periods; t++)
		{
			if (fit->column_weight[t] > 0)
				fit->column_sum[t] /= fit->column_weight[t];
		}
		for (size_t i = 0; i < rows->m; i++)
			rows->z[i] -= fit->column_sum[fit->column[rows->row[i]]];
		sweep_trends(fit, rows);
	}
}

/* keeps the deviations of one side in bounds; returns their robust sd */
static double
clip_deviation(AmVanityFit *fit, bool after, double largest)
{
	size_t		m = 0;
	double		sd;
	double		bound;

	for (size_t i = 0; i < fit->n; i++)
	{
		if (after_split(fit, i) == after)
			fit->spread[m++] = fit->d[i];
	}
	if (m == 0)
		return 0;
	sd = am_vf_quantile(fit->spread, m, 0.9);
	sd = (sd - am_vf_quantile(fit->spread, m, 0.1)) / DECILE_RANGE_SDS;
	bound = CLIP_SDS * sd;
	if (!(bound > AM_VF_NOISE * largest))
		return sd;
	for (size_t i = 0; i < fit->n; i++)
	{
		if (after_split(fit, i) == after)
			fit->d[i] = fmin(fmax(fit->d[i], -bound), bound);
	}
	return sd;
}

/* d = ln metric without period means and trends, in bounds */
static void
fit_deviation(AmVanityFit *fit)
{
	AmVfRows	rows;
	double		largest = 0;
	double		size = 0;

	am_vf_rows_alloc(fit, &rows);
	rows.m = fit->n;
	for (size_t i = 0; i < fit->n; i++)
	{
		rows.row[i] = i;
		rows.z[i] = fit->log_x[i];
		rows.w[i] = 1;
	}
	am_vf_residualise(fit, &rows, RESIDUAL_SWEEPS);
	memcpy(fit->d, rows.z, fit->n * sizeof(double));
	for (size_t i = 0; i < fit->n; i++)
	{
		if (fabs(fit->d[i]) > largest)
			largest = fabs(fit->d[i]);
		if (fabs(fit->log_x[i]) > size)
			size = fabs(fit->log_x[i]);
	}
	fit->metric_varies = largest > AM_VF_NOISE * (1 + size);

	fit->sd = clip_deviation(fit, false, largest);
	if (fit->split)
		clip_deviation(fit, true, largest);
	am_vf_rows_free(&rows);
}

void
am_vf_set_degree(AmVanityFit *fit, int degree)
{
	fit->degree_before += degree - fit->degree;
	fit->degree_after += degree - fit->degree;
	fit->degree = degree;
	fit_deviation(fit);
}

void
am_vf_init(AmVanityFit *fit, const AmPanel *panel, bool split, int64_t split_at, double c)
{
	size_t		n = panel->n;

	memset(fit, 0, sizeof(*fit));
	fit->n = n;
	fit->n_units = panel->n_units;
	fit->split = split;
	fit->split_at = split_at;
	fit->unit = panel->unit;
	fit->period = panel->period;
	fit->column = zeroed(n, sizeof(int32_t));
	fit->time = zeroed(n, sizeof(double));
	fit->block = zeroed(n, sizeof(int32_t));
	fit->x = zeroed(n, sizeof(double));
	fit->log_x = zeroed(n, sizeof(double));
	fit->y = zeroed(n, sizeof(double));
	fit->mu = zeroed(n, sizeof(double));
	fit->e = zeroed(n, sizeof(double));
	fit->d = zeroed(n, sizeof(double));
	fit->back = zeroed(n, AM_VF_AUTOCORRELATIONS);
	fit->linear = zeroed(n, sizeof(double));
	fit->quadratic = zeroed(n, sizeof(double));
	fit->spread = zeroed(n, sizeof(double));
	fit->used = zeroed(n, 1);

	rank_periods(fit);
	for (size_t i = 0; i < n; i++)
	{
		bool		same = i > 0 && fit->unit[i] == fit->unit[i - 1] &&
			(!split || (fit->period[i] >= split_at) == (fit->period[i - 1] >= split_at));

		fit->block[i] = i == 0 ? 0 : same ? fit->block[i - 1] : fit->block[i - 1] + 1;
	}
	fit->n_blocks = n > 0 ? fit->block[n - 1] + 1 : 0;
	fit->column_sum = zeroed(fit->n_periods, sizeof(double));
	fit->column_weight = zeroed(fit->n_periods, sizeof(double));
	fit->block_sum = zeroed(fit->n_blocks, sizeof(double));
	fit->block_weight = zeroed(fit->n_blocks, sizeof(double));
	if (n == 0)
		return;

	if (split)
	{
		fit->degree_before = trend_degree(median_block(fit, false), SHORT_SIDE);
		fit->degree_after = trend_degree(median_block(fit, true), SHORT_SIDE);
		fit->degree = fit->degree_before > fit->degree_after ? fit->degree_before : fit->degree_after;
	}
	else
		fit->degree = trend_degree(median_block(fit, false), SHORT_BLOCK);
	find_earlier_rows(fit);
	load_outcome(fit, panel->y);
	load_metric(fit, panel->x, c);
	fit_outcome(fit);
	fit_deviation(fit);
}

void
am_vf_free(AmVanityFit *fit)
{
	am_host_free(fit->column);
	am_host_free(fit->time);
	am_host_free(fit->block);
	am_host_free(fit->x);
	am_host_free(fit->log_x);
	am_host_free(fit->y);
	am_host_free(fit->mu);
	am_host_free(fit->e);
	am_host_free(fit->d);
	am_host_free(fit->back);
	am_host_free(fit->linear);
	am_host_free(fit->quadratic);
	am_host_free(fit->spread);
	am_host_free(fit->used);
	am_host_free(fit->column_sum);
	am_host_free(fit->column_weight);
	am_host_free(fit->block_sum);
	am_host_free(fit->block_weight);
}

void
am_vf_rows_alloc(const AmVanityFit *fit, AmVfRows *rows)
{
	rows->m = 0;
	rows->row = am_host_alloc(fit->n * sizeof(size_t) + 1);
	rows->z = am_host_alloc(fit->n * sizeof(double) + 1);
	rows->w = am_host_alloc(fit->n * sizeof(double) + 1);
}

void
am_vf_rows_free(AmVfRows *rows)
{
	am_host_free(rows->row);
	am_host_free(rows->z);
	am_host_free(rows->w);
}

/*
 * The rows of a unit are consecutive and without duplicates, so the row of
 * lag "from" moves along with the row, and the window is complete if the row
 * width - 1 further up has just that period.
 */
void
am_vf_window_rows(AmVanityFit *fit, int from, int width, AmVfRows *rows)
{
	size_t		j = 0;

	rows->m = 0;
	for (size_t i = 0; i < fit->n; i++)
	{
		double		sum = 0;
		bool		whole = true;

		if (fit->unit[j] != fit->unit[i] && j < i)
			j = i;
		if (from >= 0)
		{
			while (j < i && (fit->unit[j] != fit->unit[i] ||
							 periods_between(fit->period[j], fit->period[i]) > (uint64_t) from))
				j++;
			if (periods_between(fit->period[j], fit->period[i]) != (uint64_t) from)
				continue;
		}
		else
		{
			if (j < i)
				j = i;
			while (j + 1 < fit->n && fit->unit[j + 1] == fit->unit[i] &&
				   periods_between(fit->period[i], fit->period[j]) < (uint64_t) (-from))
				j++;
			if (fit->unit[j] != fit->unit[i] ||
				periods_between(fit->period[i], fit->period[j]) != (uint64_t) (-from))
				continue;
		}
		if (!(fit->mu[i] > 0))
			continue;
		for (int k = 0; k < width && whole; k++)
		{
			if ((size_t) k > j || fit->unit[j - (size_t) k] != fit->unit[i] ||
				periods_between(fit->period[j - (size_t) k], fit->period[j]) != (uint64_t) k)
				whole = false;
			else
				sum += fit->d[j - (size_t) k];
		}
		if (!whole)
			continue;
		rows->row[rows->m] = i;
		rows->z[rows->m] = sum / width;
		rows->w[rows->m] = fit->mu[i];
		rows->m++;
	}
}

double
am_vf_inflation(AmVanityFit *fit, const AmVfRows *rows)
{
	double		mean_square = 0;
	double		inflation = 1;

	for (size_t i = 0; i < rows->m; i++)
	{
		fit->spread[rows->row[i]] = rows->z[i];
		fit->used[rows->row[i]] = 1;
		mean_square += rows->z[i] * rows->z[i];
	}
	if (rows->m > 0)
		mean_square /= (double) rows->m;
	for (int k = 0; k < AM_VF_AUTOCORRELATIONS && mean_square > 0; k++)
	{
		double		sum = 0;
		size_t		pairs = 0;

		for (size_t i = 0; i < rows->m; i++)
		{
			size_t		row = rows->row[i];
			unsigned char up = fit->back[row * AM_VF_AUTOCORRELATIONS + (size_t) k];

			if (up > 0 && fit->used[row - up])
			{
				sum += rows->z[i] * fit->spread[row - up];
				pairs++;
			}
		}
		if (pairs > 0)
			inflation += 2.0 * (1.0 - (double) (k + 1) / (AM_VF_AUTOCORRELATIONS + 1)) *
				(sum / (double) pairs / mean_square) * fit->rho_e[k];
	}
	for (size_t i = 0; i < rows->m; i++)
		fit->used[rows->row[i]] = 0;
	return inflation > 1 ? inflation : 1;
}

void
am_vf_window(AmVanityFit *fit, int from, int width, AmVfRows *rows, AmVanityWindow *window)
{
	double		raw = 0;
	double		information = 0;
	double		score = 0;
	double		sandwich = 0;
	double		variance;

	am_vf_window_rows(fit, from, width, rows);
	for (size_t i = 0; i < rows->m; i++)
		raw += rows->w[i] * rows->z[i] * rows->z[i];
	am_vf_residualise(fit, rows, RESIDUAL_SWEEPS);
	for (size_t i = 0; i < rows->m; i++)
	{
		double		ze = rows->z[i] * fit->e[rows->row[i]];

		information += rows->w[i] * rows->z[i] * rows->z[i];
		score += ze;
		sandwich += ze * ze;
	}

	window->from = from;
	window->width = width;
	window->n = (int64_t) rows->m;
	window->information = information;
	window->b = NAN;
	window->se = NAN;
	window->good = false;
	if (rows->m < FEWEST_ROWS || !(information > AM_VF_NOISE * raw))
		return;
	variance = (0.5 * sandwich + 0.5 * fit->phi * information) * am_vf_inflation(fit, rows);
	window->b = score / information;
	window->se = sqrt(variance) / information;
	window->good = isfinite(window->b) && isfinite(window->se) && window->se > 0;
}
