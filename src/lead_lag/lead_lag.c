/*
 * Which of two panel columns moves first; see lead_lag.h.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/am_host.h"
#include "lead_lag/lead_lag.h"
#include "lead_lag/lead_lag_forecast.h"
#include "lead_lag/lead_lag_prepare.h"
#include "stats/autoregression.h"
#include "stats/distributions.h"
#include "stats/multiplicity.h"
#include "stats/rates.h"

/*
 * Keeps z finite, and free of the rounding of r, which atanh magnifies by
 * 1 / (1 - r^2).  Units with |r| = 1 are not left out: a perfect relation is
 * one.
 */
#define R_MAX			(1.0 - 1e-9)

/* a residual this many ulps wide is what is left of a constant */
#define NOISE			(32 * DBL_EPSILON)

/* z of units closer than this are copies of one series */
#define SAME_Z			1e-10

/* z below this is 0, and has no sign */
#define ZERO_Z			1e-12

#define MIN_PAIRS		3		/* per unit and lag */

/* the two columns */
enum
{
	X, Y, COLUMNS
};

/*
 * The panel, zero-filled if wanted.  Columns are kept as deviations from the
 * first value of their unit, scaled by a power of two where the
 * exponents would get near the ends of the range.
 */
typedef struct Work
{
	size_t		n;
	int32_t		n_units;
	size_t	   *start;			/* n_units + 1 */
	size_t		longest;		/* rows of the longest unit */
	int64_t    *period;
	double	   *dev[COLUMNS];
	double	   *first[COLUMNS]; /* per unit */
	int			dev_exponent[COLUMNS];	/* of the largest deviation inside a unit */
	int			base_exponent[COLUMNS]; /* ... and of the first values from the very first */
} Work;

/* What is subtracted from every unit in one period */
typedef struct Slot
{
	int32_t		units;
	double		sum[COLUMNS];	/* of deviations */
	double		sum_low[COLUMNS];	/* its rounding errors (Neumaier) */
	double		level[COLUMNS]; /* of first values */
	double		level_low[COLUMNS];
	double		size[COLUMNS];	/* largest absolute value that took part */
} Slot;

/* Means and centred products, merged as Chan, Golub and LeVeque do */
typedef struct Moments
{
	double		weight;
	double		mean[COLUMNS];
	double		xx,
				xy,
				yy;
	double		min[COLUMNS];
	double		max[COLUMNS];
} Moments;

/* The z of the units at one lag */
typedef struct ZSum
{
	int64_t		n;
	int32_t		units;
	int32_t		positive;
	int32_t		negative;
	size_t		fewest;			/* pairs of the unit with the fewest */
	double		mean;
	double		ss;
	double		min;
	double		max;
	double		exchanged;		/* variances of the units' r if their periods are exchanged, added up */
} ZSum;

/* What one lag collects over the units */
typedef struct LagSum
{
	ZSum		plain;
	ZSum		strict;
	Moments		pooled;
	Moments		between;
	Moments		within;
	AmForecastErrors errors;
} LagSum;

/* One unit after the transformations; rows without both u and v are gone */
typedef struct Series
{
	size_t		n;
	const int64_t *period;
	const double *value[COLUMNS];
} Series;

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

static int
exponent_of(double v)
{
	int			e = 0;

	if (v != 0)
		frexp(v, &e);
	return e;
}

/* sum + low together hold the sum to about twice the precision */
static inline void
add_exactly(double *sum, double *low, double v)
{
	double		t = *sum + v;

	*low += fabs(*sum) >= fabs(v) ? (*sum - t) + v : (v - t) + *sum;
	*sum = t;
}

/*
 * Moments
 */

static void
moments_init(Moments *m)
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
moments_merge(Moments *m, double weight, double x, double y, double xx, double xy, double yy)
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
moments_range(Moments *m, int c, double v)
{
	if (v < m->min[c])
		m->min[c] = v;
	if (v > m->max[c])
		m->max[c] = v;
}

/* equal values reached by different additions differ by rounding; the largest is of order 1 */
static bool
varies(const Moments *m)
{
	return m->max[X] - m->min[X] > NOISE && m->max[Y] - m->min[Y] > NOISE;
}

static double
moments_r(const Moments *m)
{
	double		denominator = sqrt(m->xx) * sqrt(m->yy);

	if (!(denominator > 0))
		return NAN;
	return clamp_r(m->xy / denominator, 1);
}

/*
 * Loading
 */

uint64_t
am_lead_lag_missing(const AmPanel *panel)
{
	uint64_t	missing = 0;
	size_t		i;

	for (i = 1; i < panel->n; i++)
	{
		if (panel->unit[i] == panel->unit[i - 1])
		{
			uint64_t	gap = am_periods_between(panel->period[i - 1], panel->period[i]) - 1;

			missing = gap > UINT64_MAX - missing ? UINT64_MAX : missing + gap;
		}
	}
	return missing;
}

static void
load(Work *work, const AmPanel *panel, bool fill_zero)
{
	uint64_t	missing = fill_zero ? am_lead_lag_missing(panel) : 0;
	int			shift[COLUMNS];
	int32_t		next = 0;
	size_t		i,
				row = 0;
	int			c;

	if (missing > AM_LL_MAX_FILLED)
	{
		fill_zero = false;
		missing = 0;
	}

	memset(work, 0, sizeof(*work));
	work->n = panel->n + (size_t) missing;
	work->n_units = panel->n_units;
	work->start = am_host_alloc(((size_t) panel->n_units + 1) * sizeof(size_t));
	work->period = am_host_alloc(work->n * sizeof(int64_t));
	for (c = 0; c < COLUMNS; c++)
	{
		const double *column = c == X ? panel->x : panel->y;
		double		largest = 0;
		int			e;

		work->dev[c] = am_host_alloc(work->n * sizeof(double));
		work->first[c] = am_host_alloc((size_t) panel->n_units * sizeof(double));
		for (i = 0; i < (size_t) panel->n_units; i++)
			work->first[c][i] = 0;
		for (i = 0; i < panel->n; i++)
			if (fabs(column[i]) > largest)
				largest = fabs(column[i]);
		e = exponent_of(largest);
		shift[c] = e > 900 ? 900 - e : e < -500 ? -500 - e : 0;
	}

	for (i = 0; i < panel->n; i++)
	{
		int32_t		unit = panel->unit[i];
		double		value[COLUMNS];

		value[X] = ldexp(panel->x[i], shift[X]);
		value[Y] = ldexp(panel->y[i], shift[Y]);
		if (i == 0 || unit != panel->unit[i - 1])
		{
			/* differencing may have left units without rows */
			while (next <= unit)
				work->start[next++] = row;
			work->first[X][unit] = value[X];
			work->first[Y][unit] = value[Y];
		}
		else if (fill_zero)
		{
			int64_t		p;

			for (p = panel->period[i - 1] + 1; p < panel->period[i]; p++)
			{
				work->period[row] = p;
				work->dev[X][row] = -work->first[X][unit];
				work->dev[Y][row] = -work->first[Y][unit];
				row++;
			}
		}
		work->period[row] = panel->period[i];
		work->dev[X][row] = value[X] - work->first[X][unit];
		work->dev[Y][row] = value[Y] - work->first[Y][unit];
		row++;
	}
	while (next <= panel->n_units)
		work->start[next++] = row;

	for (i = 0; i < (size_t) work->n_units; i++)
		if (work->start[i + 1] - work->start[i] > work->longest)
			work->longest = work->start[i + 1] - work->start[i];

	for (c = 0; c < COLUMNS; c++)
	{
		double		dev = 0,
					base = 0;

		for (i = 0; i < work->n; i++)
			if (fabs(work->dev[c][i]) > dev)
				dev = fabs(work->dev[c][i]);
		for (i = 0; i < (size_t) work->n_units; i++)
			if (work->start[i + 1] > work->start[i] && fabs(work->first[c][i] - work->first[c][0]) > base)
				base = fabs(work->first[c][i] - work->first[c][0]);
		work->dev_exponent[c] = exponent_of(dev);
		work->base_exponent[c] = exponent_of(base);
		/* so that 2 to the minus these is finite */
		if (dev == 0 || work->dev_exponent[c] < -1000)
			work->dev_exponent[c] = -1000;
		if (work->base_exponent[c] < work->dev_exponent[c] || base == 0)
			work->base_exponent[c] = work->dev_exponent[c];
	}
}

static void
unload(Work *work)
{
	int			c;

	am_host_free(work->start);
	am_host_free(work->period);
	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(work->dev[c]);
		am_host_free(work->first[c]);
	}
}

/*
 * The raw columns: r_pooled, r_between, r_within of the pairs of one unit
 */

static void
add_raw(LagSum *sum, const Work *work, int32_t unit, int lag)
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
	Moments		range;
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

/*
 * Period means
 */

static int
compare_periods(const void *a, const void *b)
{
	int64_t		left = *(const int64_t *) a;
	int64_t		right = *(const int64_t *) b;

	return (left > right) - (left < right);
}

/* numbers the periods that occur; returns how many */
static size_t
number_periods(const Work *work, size_t *slot_of)
{
	int64_t		from = work->period[0],
				to = work->period[0];
	int64_t    *distinct;
	size_t		i,
				n = 0;

	for (i = 1; i < work->n; i++)
	{
		if (work->period[i] < from)
			from = work->period[i];
		if (work->period[i] > to)
			to = work->period[i];
	}
	if (am_periods_between(from, to) < 4 * (uint64_t) work->n + 1024)
	{
		for (i = 0; i < work->n; i++)
			slot_of[i] = (size_t) am_periods_between(from, work->period[i]);
		return (size_t) am_periods_between(from, to) + 1;
	}

	distinct = am_host_alloc(work->n * sizeof(int64_t));
	memcpy(distinct, work->period, work->n * sizeof(int64_t));
	qsort(distinct, work->n, sizeof(int64_t), compare_periods);
	for (i = 0; i < work->n; i++)
		if (n == 0 || distinct[n - 1] != distinct[i])
			distinct[n++] = distinct[i];
	AM_CHECK_INTERRUPTS();
	for (i = 0; i < work->n; i++)
	{
		const int64_t *found = bsearch(&work->period[i], distinct, n, sizeof(int64_t), compare_periods);

		slot_of[i] = (size_t) (found - distinct);
	}
	am_host_free(distinct);
	return n;
}

/*
 * The mean of a period is that of the deviations plus that of the units'
 * first values.  Kept apart, the second cancels exactly as long as the same
 * units are present, however large the offsets are.
 */
static Slot *
period_slots(const Work *work, size_t *slot_of)
{
	size_t		n_slots = number_periods(work, slot_of);
	Slot	   *slots = am_host_alloc(n_slots * sizeof(Slot));
	int32_t		unit;
	size_t		i;
	int			c;

	memset(slots, 0, n_slots * sizeof(Slot));
	for (unit = 0; unit < work->n_units; unit++)
	{
		AM_CHECK_INTERRUPTS();
		for (i = work->start[unit]; i < work->start[unit + 1]; i++)
		{
			Slot	   *slot = &slots[slot_of[i]];

			slot->units++;
			for (c = 0; c < COLUMNS; c++)
			{
				double		first = work->first[c][unit];
				double		dev = work->dev[c][i];

				add_exactly(&slot->sum[c], &slot->sum_low[c], dev);
				add_exactly(&slot->level[c], &slot->level_low[c], first - work->first[c][0]);
				slot->size[c] = fmax(slot->size[c], fmax(fabs(first), fabs(first + dev)));
			}
		}
	}
	return slots;
}

/*
 * One column of one unit, period means removed if there are slots, demeaned,
 * scaled by a power of two to below 2; returns whether it varies.
 */
static bool
transform(const Work *work, int32_t unit, int c, const Slot *slots, const size_t *slot_of,
		  double *out, int *exponent)
{
	size_t		start = work->start[unit];
	size_t		n = work->start[unit + 1] - start;
	double		noise = 0,
				min = 0,
				max = 0,
				mean = 0;
	double		first = 0,
				first_level = 0;
	size_t		i;

	*exponent = 0;
	for (i = 0; i < n; i++)
	{
		double		v = work->dev[c][start + i];

		if (slots)
		{
			const Slot *slot = &slots[slot_of[start + i]];
			double		level = (slot->level[c] + slot->level_low[c]) / slot->units;

			v -= (slot->sum[c] + slot->sum_low[c]) / slot->units;
			if (i == 0)
			{
				first = v;
				first_level = level;
			}
			v = (v - first) - (level - first_level);
			noise = fmax(noise, slot->size[c] * NOISE);
		}
		out[i] = v;
		min = fmin(min, v);
		max = fmax(max, v);
	}
	if (max - min <= noise)
		return false;

	*exponent = exponent_of(fmax(max, -min));
	for (i = 0; i < n; i++)
	{
		out[i] = ldexp(out[i], -*exponent);
		mean += out[i];
	}
	mean /= n;
	for (i = 0; i < n; i++)
		out[i] -= mean;
	return true;
}

/* centres; returns the root of the sum of squares, 0 where the column is constant */
static double
centre(double *v, size_t n)
{
	double		min = v[0],
				max = v[0],
				mean = 0,
				ss = 0;
	size_t		i;

	for (i = 1; i < n; i++)
	{
		min = fmin(min, v[i]);
		max = fmax(max, v[i]);
	}
	/* values are of order 1 */
	if (max - min <= NOISE)
		return 0;
	for (i = 0; i < n; i++)
		mean += v[i] - min;
	mean = min + mean / n;
	for (i = 0; i < n; i++)
	{
		v[i] -= mean;
		ss += v[i] * v[i];
	}
	return sqrt(ss);
}

/*
 * The AR(1) filter of x on both columns.  A gap breaks the
 * series: a filtered value needs its predecessor.  Returns the rows left.
 */
static size_t
prewhiten(const int64_t *period, size_t n, double *const t[COLUMNS],
		  int64_t *kept_period, double *const filtered[COLUMNS])
{
	double		lagged = 0,
				ss = 0,
				phi;
	size_t		i,
				kept = 0;

	for (i = 0; i < n; i++)
	{
		ss += t[X][i] * t[X][i];
		if (i > 0 && am_periods_between(period[i - 1], period[i]) == 1)
			lagged += t[X][i - 1] * t[X][i];
	}
	phi = lagged / ss;
	for (i = 1; i < n; i++)
	{
		if (am_periods_between(period[i - 1], period[i]) != 1)
			continue;
		filtered[X][kept] = t[X][i] - phi * t[X][i - 1];
		filtered[Y][kept] = t[Y][i] - phi * t[Y][i - 1];
		kept_period[kept++] = period[i];
	}
	return kept;
}

static void
add_z(ZSum *sum, const Series *series, double denominator, int lag)
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
is_one_series(const ZSum *sum, bool means_removed)
{
	return sum->units == 1 || (sum->units == 2 && means_removed) || sum->max - sum->min <= SAME_Z;
}

static double
strict_p(const ZSum *sum, bool means_removed, bool sparse, int controls)
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
static void
finish_row(AmLeadLagRow *row, const LagSum *sums, bool means_removed, bool sparse, int controls)
{
	const ZSum *sum = &sums->plain;
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

/*
 * Takes off t what regressors leave no doubt about: modified Gram-Schmidt,
 * twice, as once is not enough for nearly dependent ones.  All columns are
 * centred and of order 1.  Returns how many regressors count; the others are
 * spanned by those before.
 */
static int
orthonormalise(double *const *regressor, int k, size_t n, const double **kept)
{
	int			rank = 0,
				j,
				l,
				pass;
	size_t		i;

	for (j = 0; j < k; j++)
	{
		double	   *q = regressor[j];
		double		before = 0,
					after = 0;

		for (i = 0; i < n; i++)
			before += q[i] * q[i];
		for (pass = 0; pass < 2; pass++)
			for (l = 0; l < rank; l++)
			{
				double		product = 0;

				for (i = 0; i < n; i++)
					product += kept[l][i] * q[i];
				for (i = 0; i < n; i++)
					q[i] -= product * kept[l][i];
			}
		for (i = 0; i < n; i++)
			after += q[i] * q[i];
		if (!(after > 1e-20 * before))
			continue;
		after = sqrt(after);
		for (i = 0; i < n; i++)
			q[i] /= after;
		kept[rank++] = q;
	}
	return rank;
}

/* The residual; false if nothing is left but rounding */
static bool
take_off(double *t, size_t n, const double *const *q, int rank)
{
	double		before = 0,
				after = 0;
	int			l;
	size_t		i;

	for (i = 0; i < n; i++)
		before += t[i] * t[i];
	for (l = 0; l < 2 * rank; l++)
	{
		double		product = 0;

		for (i = 0; i < n; i++)
			product += q[l % rank][i] * t[i];
		for (i = 0; i < n; i++)
			t[i] -= product * q[l % rank][i];
	}
	for (i = 0; i < n; i++)
		after += t[i] * t[i];
	return rank == 0 || after > 1e-24 * before;
}

/*
 * Removal of period means takes the same off every unit, so a season that
 * comes as a factor stays: large units have more of it than the mean, small
 * units less, in both columns alike.  Here a unit loses its share of the
 * period instead: its own mean times what all units present had, over the sum
 * of their means.  Only for columns without negative values, where a factor
 * has a meaning.
 */
typedef struct Shares
{
	bool		usable[COLUMNS];
	double	   *mean[COLUMNS];	/* per unit, in units of 2^exponent */
	double	   *factor[COLUMNS];	/* per slot */
	int			exponent[COLUMNS];
} Shares;

/* value of a row, in units of 2^exponent; not below 0 where the column was not */
static inline double
scaled_value(const Work *work, int32_t unit, int c, size_t row, int exponent)
{
	return fmax(0, ldexp(work->first[c][unit] + work->dev[c][row], -exponent));
}

static void
shares_start(Shares *shares, const Work *work, const size_t *slot_of, const double *const column[COLUMNS], size_t n)
{
	size_t		n_slots = 0,
				i;
	int			c;

	for (i = 0; i < work->n; i++)
		if (slot_of[i] >= n_slots)
			n_slots = slot_of[i] + 1;
	for (c = 0; c < COLUMNS; c++)
	{
		double	   *of_means = am_host_alloc(n_slots * sizeof(double));
		double		largest = 0;
		int32_t		unit;

		shares->usable[c] = true;
		for (i = 0; i < n; i++)
			if (column[c][i] < 0)
				shares->usable[c] = false;
		shares->mean[c] = am_host_alloc((size_t) work->n_units * sizeof(double));
		shares->factor[c] = am_host_alloc(n_slots * sizeof(double));
		for (i = 0; i < n_slots; i++)
			shares->factor[c][i] = of_means[i] = 0;
		for (unit = 0; unit < work->n_units; unit++)
			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
				largest = fmax(largest, work->first[c][unit] + work->dev[c][i]);
		shares->exponent[c] = exponent_of(largest);
		for (unit = 0; unit < work->n_units; unit++)
		{
			size_t		rows = work->start[unit + 1] - work->start[unit];
			double		sum = 0;

			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
			{
				double		v = scaled_value(work, unit, c, i, shares->exponent[c]);

				sum += v;
				shares->factor[c][slot_of[i]] += v;
			}
			shares->mean[c][unit] = rows > 0 ? sum / rows : 0;
			for (i = work->start[unit]; i < work->start[unit + 1]; i++)
				of_means[slot_of[i]] += shares->mean[c][unit];
		}
		for (i = 0; i < n_slots; i++)
			shares->factor[c][i] = of_means[i] > 0 ? shares->factor[c][i] / of_means[i] : 0;
		am_host_free(of_means);
	}
}

static void
shares_end(Shares *shares)
{
	int			c;

	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(shares->mean[c]);
		am_host_free(shares->factor[c]);
	}
}

/* One column of one unit less its share of the periods, centred, of order 1; returns whether it varies */
static bool
transform_by_share(const Work *work, int32_t unit, int c, const Shares *shares, const size_t *slot_of, double *out)
{
	size_t		start = work->start[unit];
	size_t		n = work->start[unit + 1] - start;
	double		largest = 0,
				size = 0,
				mean = 0;
	int			exponent;
	size_t		i;

	for (i = 0; i < n; i++)
	{
		double		v = scaled_value(work, unit, c, start + i, shares->exponent[c]);

		size = fmax(size, v);
		out[i] = v - shares->mean[c][unit] * shares->factor[c][slot_of[start + i]];
		mean += out[i];
	}
	mean /= n;
	for (i = 0; i < n; i++)
	{
		out[i] -= mean;
		largest = fmax(largest, fabs(out[i]));
	}
	if (largest <= size * NOISE)
		return false;
	exponent = exponent_of(largest);
	for (i = 0; i < n; i++)
		out[i] = ldexp(out[i], -exponent);
	return true;
}

/* A filter of an order chosen by AIC, of a series without gaps; returns the rows left, 0 if it has none */
static size_t
prewhiten_by_aic(const int64_t *period, size_t n, double *const t[COLUMNS],
				 int64_t *kept_period, double *const filtered[COLUMNS], int *order)
{
	AmAutoregression ar;
	size_t		kept = 0;

	if (am_autoregression(&ar, t[X], n, am_ar_default_order(n), AM_AR_YULE_WALKER) && n > (size_t) ar.order)
	{
		*order = ar.order;
		kept = n - ar.order;
		am_ar_filter(ar.phi, ar.order, t[X], n, filtered[X]);
		am_ar_filter(ar.phi, ar.order, t[Y], n, filtered[Y]);
		memcpy(kept_period, period + ar.order, kept * sizeof(int64_t));
	}
	am_autoregression_free(&ar);
	return kept;
}

/* What the units share while they are looked at one by one */
typedef struct Scratch
{
	double	   *t[COLUMNS];
	double	   *filtered[COLUMNS];
	int64_t    *kept_period;
	double	  **regressor;		/* the controls */
	const double **kept;
} Scratch;

/*
 * From the columns of a unit in scratch->t to its z at all lags; t is left
 * centred, not filtered.
 */
static void
add_unit(LagSum *sums, bool strict, int max_lag, const AmLeadLagOptions *options, bool by_aic,
		 const int64_t *period, size_t n, Scratch *scratch, int *order)
{
	double		root[COLUMNS];
	double	  **columns = options->prewhiten ? scratch->filtered : scratch->t;
	Series		series;
	int			i,
				c;

	series.n = n;
	series.period = period;
	if (options->prewhiten)
	{
		if (by_aic && am_periods_between(period[0], period[n - 1]) == n - 1)
			series.n = prewhiten_by_aic(period, n, scratch->t, scratch->kept_period, scratch->filtered, order);
		else
			series.n = prewhiten(period, n, scratch->t, scratch->kept_period, scratch->filtered);
		series.period = scratch->kept_period;
	}
	if (series.n < MIN_PAIRS)
		return;
	for (c = 0; c < COLUMNS; c++)
	{
		series.value[c] = columns[c];
		root[c] = centre(columns[c], series.n);
	}
	if (root[X] == 0 || root[Y] == 0)
		return;
	for (i = 0; i < 2 * max_lag + 1; i++)
	{
		AM_CHECK_INTERRUPTS();
		add_z(strict ? &sums[i].strict : &sums[i].plain, &series, root[X] * root[Y], i - max_lag);
	}
}

uint64_t
am_lead_lag_periods(const AmPanel *panel)
{
	uint64_t	longest = 0;
	size_t		i,
				start = 0;

	for (i = 0; i < panel->n; i++)
	{
		uint64_t	span;

		if (panel->unit[i] != panel->unit[start])
			start = i;
		span = am_periods_between(panel->period[start], panel->period[i]);
		if (span >= longest)
			longest = span < UINT64_MAX ? span + 1 : span;
	}
	return longest;
}

int
am_lead_lag_default_max_lag(const AmPanel *panel)
{
	uint64_t	most = am_lead_lag_periods(panel) / 4;

	return most > 12 ? 12 : most < 1 ? 1 : (int) most;
}

AmLeadLagOptions
am_lead_lag_defaults(void)
{
	AmLeadLagOptions options = {0};

	options.max_lag = 12;
	options.remove_period_means = true;
	options.prewhiten = true;
	options.fill_zero = true;
	options.difference = AM_DIFFERENCE_SINGLE;
	options.ar_by_aic = true;
	return options;
}

/* The columns that are correlated, and what is subtracted from them */
typedef struct Moved
{
	Work		work;
	Slot	   *slots;			/* NULL: period means are kept */
	size_t	   *slot_of;
} Moved;

static void
moved_start(Moved *moved, const AmPanel *panel, bool fill_zero, bool remove)
{
	load(&moved->work, panel, fill_zero);
	moved->slots = NULL;
	moved->slot_of = NULL;
	if (remove && moved->work.n > 0)
	{
		moved->slot_of = am_host_alloc(moved->work.n * sizeof(size_t));
		moved->slots = period_slots(&moved->work, moved->slot_of);
	}
}

static void
moved_end(Moved *moved)
{
	if (moved->slots)
	{
		am_host_free(moved->slots);
		am_host_free(moved->slot_of);
	}
	unload(&moved->work);
}

/* Most are zero, zeros that are filled in counted */
static bool
is_sparse(const double *column, const AmPanel *panel, bool fill_zero)
{
	uint64_t	missing = fill_zero ? am_lead_lag_missing(panel) : 0;
	uint64_t	zeros = missing > AM_LL_MAX_FILLED ? 0 : missing;
	uint64_t	n = panel->n + zeros;
	size_t		i;

	for (i = 0; i < panel->n; i++)
		zeros += column[i] == 0;
	return zeros > n / 2;
}

/* Two controls at a time are a panel of their own, the last one twice if their number is odd */
static AmPanel
control_panel(const AmPanel *panel, int pair)
{
	AmPanel		controls = *panel;

	controls.x = panel->control[2 * pair];
	controls.y = panel->control[2 * pair + 1 < panel->n_controls ? 2 * pair + 1 : 2 * pair];
	controls.n_controls = 0;
	return controls;
}

void
am_lead_lag(const AmPanel *panel, const AmLeadLagOptions *options, AmLeadLagRow *rows)
{
	int			max_lag = options->max_lag;
	int			n_rows = 2 * max_lag + 1;
	int			n_controls = panel->n_controls;
	int			n_pairs = (n_controls + 1) / 2;
	bool		remove = options->remove_period_means && panel->n_units > 1 && panel->n > 0;
	bool		by_aic = options->ar_by_aic && panel->n_units == 1;
	bool		prepare = options->rank || options->season > 1 || n_controls > 0 ||
		options->difference == AM_DIFFERENCE_YES || options->difference == AM_DIFFERENCE_AUTO ||
		(options->difference == AM_DIFFERENCE_SINGLE && panel->n_units == 1);
	AmPreparedPanel prepared;
	Work		raw;
	Moved		moved;
	Moved	   *controls;
	Scratch		scratch;
	LagSum	   *sums = am_host_alloc((size_t) n_rows * sizeof(LagSum));
	double	   *p = am_host_alloc((size_t) n_rows * sizeof(double));
	int32_t		unit;
	bool		sparse = is_sparse(panel->x, panel, options->fill_zero) || is_sparse(panel->y, panel, options->fill_zero);
	bool		by_share;
	const double *column[COLUMNS];
	Shares		shares;
	int			order = 0,
				y_exponent,
				i,
				c;

	memset(sums, 0, (size_t) n_rows * sizeof(LagSum));
	for (i = 0; i < n_rows; i++)
	{
		moments_init(&sums[i].pooled);
		moments_init(&sums[i].between);
		moments_init(&sums[i].within);
	}

	if (prepare)
	{
		load(&raw, panel, options->fill_zero);
		am_lead_lag_prepare(&prepared, panel, options);
		moved_start(&moved, &prepared.panel, false, remove);
	}
	else
	{
		moved_start(&moved, panel, options->fill_zero, remove);
		raw = moved.work;
	}
	column[X] = prepare ? prepared.panel.x : panel->x;
	column[Y] = prepare ? prepared.panel.y : panel->y;
	by_share = moved.slots != NULL;
	if (by_share)
	{
		shares_start(&shares, &moved.work, moved.slot_of, column, prepare ? prepared.panel.n : panel->n);
		by_share = shares.usable[X] && shares.usable[Y];
	}
	controls = am_host_alloc((size_t) n_pairs * sizeof(Moved));
	for (i = 0; i < n_pairs; i++)
	{
		AmPanel		pair = control_panel(&prepared.panel, i);

		moved_start(&controls[i], &pair, false, remove);
	}
	for (c = 0; c < COLUMNS; c++)
	{
		scratch.t[c] = am_host_alloc(moved.work.longest * sizeof(double));
		scratch.filtered[c] = am_host_alloc(moved.work.longest * sizeof(double));
	}
	scratch.kept_period = am_host_alloc(moved.work.longest * sizeof(int64_t));
	scratch.regressor = am_host_alloc((size_t) n_controls * sizeof(double *));
	scratch.kept = am_host_alloc((size_t) n_controls * sizeof(double *));
	for (i = 0; i < n_controls; i++)
		scratch.regressor[i] = am_host_alloc(moved.work.longest * sizeof(double));
	y_exponent = remove ? moved.work.base_exponent[Y] : moved.work.dev_exponent[Y];

	for (unit = 0; unit < moved.work.n_units; unit++)
	{
		const int64_t *period = moved.work.period + moved.work.start[unit];
		size_t		n = moved.work.start[unit + 1] - moved.work.start[unit];
		int			exponent[COLUMNS];
		int			ignored;
		int			rank = 0;
		bool		x_varies,
					y_varies;

		for (i = 0; i < n_rows && !options->only_test; i++)
		{
			AM_CHECK_INTERRUPTS();
			add_raw(&sums[i], &raw, unit, i - max_lag);
		}

		x_varies = transform(&moved.work, unit, X, moved.slots, moved.slot_of, scratch.t[X], &exponent[X]);
		y_varies = transform(&moved.work, unit, Y, moved.slots, moved.slot_of, scratch.t[Y], &exponent[Y]);
		if (!x_varies || !y_varies)
			continue;

		for (i = max_lag + 1; i < n_rows && !options->only_test; i++)
		{
			AM_CHECK_INTERRUPTS();
			am_lead_lag_forecast(&sums[i].errors, period, n, scratch.t[X], scratch.t[Y], ldexp(1, exponent[Y] - y_exponent), i - max_lag);
		}

		for (i = 0; i < n_controls; i++)
			if (transform(&controls[i / 2].work, unit, i % 2, controls[i / 2].slots, controls[i / 2].slot_of, scratch.regressor[rank], &ignored))
				rank++;
		rank = orthonormalise(scratch.regressor, rank, n, scratch.kept);
		/* with so few periods there is nothing that the controls do not explain */
		if (n < (size_t) rank + MIN_PAIRS)
			continue;
		if (!take_off(scratch.t[X], n, scratch.kept, rank) || !take_off(scratch.t[Y], n, scratch.kept, rank))
			continue;
		add_unit(sums, false, max_lag, options, by_aic, period, n, &scratch, &order);
		if (!by_share)
			continue;

		/* the filter left x and y as they were */
		for (c = 0; c < COLUMNS; c++)
			if (!transform_by_share(&moved.work, unit, c, &shares, moved.slot_of, scratch.t[c]) ||
				!take_off(scratch.t[c], n, scratch.kept, rank))
				break;
		if (c == COLUMNS)
			add_unit(sums, true, max_lag, options, by_aic, period, n, &scratch, &order);
	}

	for (i = 0; i < n_rows; i++)
	{
		if (!by_share)
			sums[i].strict = sums[i].plain;
		rows[i].lag = i - max_lag;
		finish_row(&rows[i], &sums[i], remove, sparse, n_controls);
		rows[i].differenced = prepare && prepared.differenced;
		rows[i].ranked = options->rank;
		rows[i].season = options->season > 1 ? options->season : 0;
		rows[i].controls = n_controls;
		rows[i].order = order;
		p[i] = rows[i].p;
	}
	am_p_adjust(p, (size_t) n_rows, AM_ADJUST_HOLM, p);
	for (i = 0; i < n_rows; i++)
	{
		rows[i].p_holm = p[i];
		p[i] = rows[i].p_strict;
	}
	am_p_adjust(p, (size_t) n_rows, AM_ADJUST_HOLM, p);
	for (i = 0; i < n_rows; i++)
		rows[i].p_strict = p[i];

	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(scratch.t[c]);
		am_host_free(scratch.filtered[c]);
	}
	for (i = 0; i < n_controls; i++)
		am_host_free(scratch.regressor[i]);
	am_host_free(scratch.regressor);
	am_host_free(scratch.kept);
	am_host_free(scratch.kept_period);
	for (i = 0; i < n_pairs; i++)
		moved_end(&controls[i]);
	am_host_free(controls);
	if (moved.slots)
		shares_end(&shares);
	moved_end(&moved);
	if (prepare)
	{
		am_lead_lag_prepared_free(&prepared);
		unload(&raw);
	}
	am_host_free(p);
	am_host_free(sums);
}
