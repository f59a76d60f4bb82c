/*
 * What a lag collects over the units, and the row that comes of it; see
 * lead_lag_work.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <math.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag_work.h"
#include "stats/distributions.h"
#include "stats/rates.h"

/*
 * Keeps z finite, and free of the rounding of r, which atanh magnifies by
 * 1 / (1 - r^2).  Units with |r| = 1 are not left out: a perfect relation is
 * one.
 */
#define R_MAX			(1.0 - 1e-9)

/* z of units closer than this are copies of one series */
#define SAME_Z			1e-10

/* z below this is 0, and has no sign */
#define ZERO_Z			1e-12

/* Pairs of rows of a unit that lie a number of periods apart */
typedef struct PairWalk
{
	const int64_t *period;
	size_t		n;
	uint64_t	distance;
	size_t		early;
	size_t		late;
} PairWalk;

static void
pair_start(PairWalk *walk, const int64_t *period, size_t n, int lag)
{
	walk->period = period;
	walk->n = n;
	walk->distance = lag < 0 ? -(uint64_t) lag : (uint64_t) lag;
	walk->early = 0;
	walk->late = 0;
}

/* moves to the next pair; the caller steps off it by adding 1 to early and late */
static inline bool
pair_next(PairWalk *walk)
{
	while (walk->late < walk->n)
	{
		uint64_t	apart = am_periods_between(walk->period[walk->early], walk->period[walk->late]);

		if (apart == walk->distance)
			return true;
		if (apart < walk->distance)
			walk->late++;
		else
			walk->early++;
	}
	return false;
}

static inline double
clamp_r(double r, double limit)
{
	return r > limit ? limit : r < -limit ? -limit : r;
}

/*
 * Moments
 */

static void
moments_init(AmLlMoments *m)
{
	int			c;

	memset(m, 0, sizeof(*m));
	for (c = 0; c < COLUMNS; c++)
	{
		m->min[c] = INFINITY;
		m->max[c] = -INFINITY;
	}
}

static void
moments_merge(AmLlMoments *m, double weight, double x, double y, double xx, double xy, double yy)
{
	double		total = m->weight + weight;
	double		share = weight / total;
	double		dx = x - m->mean[X];
	double		dy = y - m->mean[Y];

	m->xx += xx + dx * dx * m->weight * share;
	m->xy += xy + dx * dy * m->weight * share;
	m->yy += yy + dy * dy * m->weight * share;
	m->mean[X] += dx * share;
	m->mean[Y] += dy * share;
	m->weight = total;
}

static inline void
moments_range(AmLlMoments *m, int c, double v)
{
	if (v < m->min[c])
		m->min[c] = v;
	if (v > m->max[c])
		m->max[c] = v;
}

/* equal values reached by different additions differ by rounding; the largest is of order 1 */
static bool
varies(const AmLlMoments *m)
{
	return m->max[X] - m->min[X] > NOISE && m->max[Y] - m->min[Y] > NOISE;
}

static double
moments_r(const AmLlMoments *m)
{
	double		denominator = sqrt(m->xx) * sqrt(m->yy);

	if (!(denominator > 0))
		return NAN;
	return clamp_r(m->xy / denominator, 1);
}

void
am_ll_sum_init(AmLlSum *sum)
{
	memset(sum, 0, sizeof(*sum));
	moments_init(&sum->pooled);
	moments_init(&sum->between);
	moments_init(&sum->within);
}

/*
 * The raw columns: r_pooled, r_between, r_within of the pairs of one unit
 */

void
am_ll_add_raw(AmLlSum *sum, const AmLlWork *work, int32_t unit, int lag)
{
	size_t		start = work->start[unit];
	const double *dev[COLUMNS];
	double		scale[COLUMNS];
	double		mean[COLUMNS] = {0, 0};
	double		spread[COLUMNS];
	double		base[COLUMNS];
	double		rescale[COLUMNS];
	double		xx = 0,
				xy = 0,
				yy = 0;
	AmLlMoments range;
	PairWalk	walk;
	size_t		n = 0;
	int			c;

	moments_init(&range);
	for (c = 0; c < COLUMNS; c++)
	{
		dev[c] = work->dev[c] + start;
		scale[c] = ldexp(1, -work->dev_exponent[c]);
	}

	pair_start(&walk, work->period + start, work->start[unit + 1] - start, lag);
	for (; pair_next(&walk); walk.early++, walk.late++)
	{
		double		x = dev[X][lag >= 0 ? walk.early : walk.late] * scale[X];
		double		y = dev[Y][lag >= 0 ? walk.late : walk.early] * scale[Y];

		mean[X] += x;
		mean[Y] += y;
		moments_range(&range, X, x);
		moments_range(&range, Y, y);
		n++;
	}
	if (n == 0)
		return;

	for (c = 0; c < COLUMNS; c++)
	{
		spread[c] = range.max[c] - range.min[c];
		mean[c] = spread[c] == 0 ? range.min[c] : mean[c] / n;
	}
	pair_start(&walk, work->period + start, work->start[unit + 1] - start, lag);
	for (; pair_next(&walk); walk.early++, walk.late++)
	{
		double		x = dev[X][lag >= 0 ? walk.early : walk.late] * scale[X] - mean[X];
		double		y = dev[Y][lag >= 0 ? walk.late : walk.early] * scale[Y] - mean[Y];

		xx += x * x;
		xy += x * y;
		yy += y * y;
	}

	moments_merge(&sum->within, (double) n, 0, 0, xx, xy, yy);

	for (c = 0; c < COLUMNS; c++)
	{
		rescale[c] = ldexp(1, work->dev_exponent[c] - work->base_exponent[c]);
		base[c] = ldexp(work->first[c][unit] - work->first[c][0], -work->base_exponent[c]);
		moments_range(&sum->pooled, c, base[c] + range.min[c] * rescale[c]);
		moments_range(&sum->pooled, c, base[c] + range.max[c] * rescale[c]);
		base[c] += mean[c] * rescale[c];
		moments_range(&sum->between, c, base[c]);
	}
	moments_merge(&sum->pooled, (double) n, base[X], base[Y],
				  xx * rescale[X] * rescale[X], xy * rescale[X] * rescale[Y],
				  yy * rescale[Y] * rescale[Y]);
	moments_merge(&sum->between, 1, base[X], base[Y], 0, 0, 0);
}

void
am_ll_add_z(AmLlZSum *sum, const AmLlSeries *series, double denominator, int lag)
{
	PairWalk	walk;
	size_t		n = 0;
	double		xy = 0,
				z,
				delta;

	pair_start(&walk, series->period, series->n, lag);
	for (; pair_next(&walk); walk.early++, walk.late++)
	{
		xy += series->value[X][lag >= 0 ? walk.early : walk.late] *
			series->value[Y][lag >= 0 ? walk.late : walk.early];
		n++;
	}
	if (n < MIN_PAIRS)
		return;

	z = atanh(clamp_r(xy / denominator, R_MAX));
	if (sum->units == 0 || z < sum->min)
		sum->min = z;
	if (sum->units == 0 || z > sum->max)
		sum->max = z;
	if (sum->units == 0 || n < sum->fewest)
		sum->fewest = n;
	sum->n += n;
	sum->units++;
	sum->positive += z > ZERO_Z;
	sum->negative += z < -ZERO_Z;
	sum->exchanged += (double) n / ((double) series->n * series->n);
	delta = z - sum->mean;
	sum->mean += delta / sum->units;
	sum->ss += delta * (z - sum->mean);
}

/*
 * t over units needs units that differ.  Copies of one series are one series,
 * and so are two units after removal of period means: each is the mirror
 * image of the other.  There, and for a single unit, p and interval are those
 * of one series with the fewest pairs.
 */
static bool
is_one_series(const AmLlZSum *sum, bool means_removed)
{
	return sum->units == 1 || (sum->units == 2 && means_removed) || sum->max - sum->min <= SAME_Z;
}

static double
strict_p(const AmLlZSum *sum, bool means_removed, bool sparse, int controls)
{
	double		df = sum->units - 1;
	double		p;

	if (sum->units == 0)
		return NAN;
	if (is_one_series(sum, means_removed))
		return am_correlation_p(tanh(sum->mean), (double) sum->fewest - 2 - controls);
	p = am_t_two_sided(sum->mean / sqrt(sum->ss / df / sum->units), df);
	if (sparse)
		p = fmax(p, 2 * am_norm_sf(fabs(sum->mean) * sum->units / sqrt(sum->exchanged)));
	return p;
}

/* From the sums of a lag to its row; controls were partialled out */
void
am_ll_finish_row(AmLeadLagRow *row, const AmLlSum *sums, bool means_removed, bool sparse, int controls)
{
	const AmLlZSum *sum = &sums->plain;
	double		low = NAN,
				high = NAN;

	row->n = sum->n;
	row->units = sum->units;
	row->r = row->p = row->sign_share = row->forecast_gain = NAN;
	row->r_pooled = varies(&sums->pooled) ? moments_r(&sums->pooled) : NAN;
	row->r_between = varies(&sums->between) ? moments_r(&sums->between) : NAN;
	row->r_within = moments_r(&sums->within);
	if (row->lag > 0 && sums->errors.own > 1e-24 * sums->errors.outcome)
		row->forecast_gain = 1 - sums->errors.with_x / sums->errors.own;

	if (sum->units > 0)
	{
		int32_t		with_sign = sum->mean > ZERO_Z ? sum->positive :
			sum->mean < -ZERO_Z ? sum->negative :
			sum->units - sum->positive - sum->negative;

		row->r = tanh(sum->mean);
		row->sign_share = (double) with_sign / sum->units;
		if (is_one_series(sum, means_removed))
		{
			double		df = (double) sum->fewest - 2 - controls;

			row->p = am_correlation_p(row->r, df);
			if (df > 1)
			{
				low = sum->mean - AM_Z95 / sqrt(df - 1);
				high = sum->mean + AM_Z95 / sqrt(df - 1);
			}
		}
		else
		{
			double		df = sum->units - 1;
			double		error = sqrt(sum->ss / df / sum->units);
			double		reach = am_t_quantile(0.975, df) * error;

			row->p = am_t_two_sided(sum->mean / error, df);
			low = sum->mean - reach;
			high = sum->mean + reach;
		}
	}
	row->low = tanh(low);
	row->high = tanh(high);
	row->p_strict = strict_p(&sums->strict, means_removed, sparse, controls);
}
