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

/* What one lag collects over the units */
typedef struct LagSum
{
	int64_t		n;
	int32_t		units;
	int32_t		positive;
	int32_t		negative;
	size_t		fewest;			/* pairs of the unit with the fewest */
	double		mean_z;
	double		ss_z;
	double		min_z;
	double		max_z;
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
			work->start[unit] = row;
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
	work->start[panel->n_units] = row;

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
			if (fabs(work->first[c][i] - work->first[c][0]) > base)
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
add_z(LagSum *sum, const Series *series, double denominator, int lag)
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
	if (sum->units == 0 || z < sum->min_z)
		sum->min_z = z;
	if (sum->units == 0 || z > sum->max_z)
		sum->max_z = z;
	if (sum->units == 0 || n < sum->fewest)
		sum->fewest = n;
	sum->n += n;
	sum->units++;
	sum->positive += z > ZERO_Z;
	sum->negative += z < -ZERO_Z;
	delta = z - sum->mean_z;
	sum->mean_z += delta / sum->units;
	sum->ss_z += delta * (z - sum->mean_z);
}

/*
 * From the sums of a lag to its row.
 *
 * t over units needs units that differ.  Copies of one series are one series,
 * and so are two units after removal of period means: each is the mirror
 * image of the other.  There, and for a single unit, p and interval are those
 * of one series with the fewest pairs.
 */
static void
finish_row(AmLeadLagRow *row, const LagSum *sum, bool means_removed)
{
	double		low = NAN,
				high = NAN;

	row->n = sum->n;
	row->units = sum->units;
	row->r = row->p = row->sign_share = row->forecast_gain = NAN;
	row->r_pooled = varies(&sum->pooled) ? moments_r(&sum->pooled) : NAN;
	row->r_between = varies(&sum->between) ? moments_r(&sum->between) : NAN;
	row->r_within = moments_r(&sum->within);
	if (row->lag > 0 && sum->errors.own > 1e-24 * sum->errors.outcome)
		row->forecast_gain = 1 - sum->errors.with_x / sum->errors.own;

	if (sum->units > 0)
	{
		int32_t		with_sign = sum->mean_z > ZERO_Z ? sum->positive :
			sum->mean_z < -ZERO_Z ? sum->negative :
			sum->units - sum->positive - sum->negative;

		row->r = tanh(sum->mean_z);
		row->sign_share = (double) with_sign / sum->units;
		if (sum->units == 1 || (sum->units == 2 && means_removed) || sum->max_z - sum->min_z <= SAME_Z)
		{
			row->p = am_correlation_p(row->r, (double) sum->fewest - 2);
			if (sum->fewest > 3)
			{
				low = sum->mean_z - AM_Z95 / sqrt((double) sum->fewest - 3);
				high = sum->mean_z + AM_Z95 / sqrt((double) sum->fewest - 3);
			}
		}
		else
		{
			double		df = sum->units - 1;
			double		error = sqrt(sum->ss_z / df / sum->units);
			double		reach = am_t_quantile(0.975, df) * error;

			row->p = am_t_two_sided(sum->mean_z / error, df);
			low = sum->mean_z - reach;
			high = sum->mean_z + reach;
		}
	}
	row->low = tanh(low);
	row->high = tanh(high);
}

int
am_lead_lag_default_max_lag(const AmPanel *panel)
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
		if (span > longest)
			longest = span;
	}
	longest = longest / 4 + (longest % 4 == 3);	/* (longest + 1) / 4 */
	return longest > 12 ? 12 : longest < 1 ? 1 : (int) longest;
}

void
am_lead_lag(const AmPanel *panel, const AmLeadLagOptions *options, AmLeadLagRow *rows)
{
	int			max_lag = options->max_lag;
	int			n_rows = 2 * max_lag + 1;
	bool		remove = options->remove_period_means && panel->n_units > 1 && panel->n > 0;
	Work		work;
	LagSum	   *sums = am_host_alloc((size_t) n_rows * sizeof(LagSum));
	double	   *p = am_host_alloc((size_t) n_rows * sizeof(double));
	size_t	   *slot_of = NULL;
	Slot	   *slots = NULL;
	double	   *t[COLUMNS];
	double	   *filtered[COLUMNS];
	int64_t    *kept_period;
	int32_t		unit;
	int			y_exponent,
				i,
				c;

	memset(sums, 0, (size_t) n_rows * sizeof(LagSum));
	for (i = 0; i < n_rows; i++)
	{
		moments_init(&sums[i].pooled);
		moments_init(&sums[i].between);
		moments_init(&sums[i].within);
	}

	load(&work, panel, options->fill_zero);
	if (remove)
	{
		slot_of = am_host_alloc(work.n * sizeof(size_t));
		slots = period_slots(&work, slot_of);
	}
	for (c = 0; c < COLUMNS; c++)
	{
		t[c] = am_host_alloc(work.longest * sizeof(double));
		filtered[c] = am_host_alloc(work.longest * sizeof(double));
	}
	kept_period = am_host_alloc(work.longest * sizeof(int64_t));
	y_exponent = remove ? work.base_exponent[Y] : work.dev_exponent[Y];

	for (unit = 0; unit < work.n_units; unit++)
	{
		const int64_t *period = work.period + work.start[unit];
		size_t		n = work.start[unit + 1] - work.start[unit];
		int			exponent[COLUMNS];
		double		root[COLUMNS];
		Series		series;
		bool		x_varies,
					y_varies;

		for (i = 0; i < n_rows; i++)
		{
			AM_CHECK_INTERRUPTS();
			add_raw(&sums[i], &work, unit, i - max_lag);
		}

		x_varies = transform(&work, unit, X, slots, slot_of, t[X], &exponent[X]);
		y_varies = transform(&work, unit, Y, slots, slot_of, t[Y], &exponent[Y]);
		if (!x_varies || !y_varies)
			continue;

		for (i = max_lag + 1; i < n_rows; i++)
		{
			AM_CHECK_INTERRUPTS();
			am_lead_lag_forecast(&sums[i].errors, period, n, t[X], t[Y], ldexp(1, exponent[Y] - y_exponent), i - max_lag);
		}

		series.n = n;
		series.period = period;
		series.value[X] = t[X];
		series.value[Y] = t[Y];
		if (options->prewhiten)
		{
			series.n = prewhiten(period, n, t, kept_period, filtered);
			series.period = kept_period;
			series.value[X] = filtered[X];
			series.value[Y] = filtered[Y];
		}
		if (series.n < MIN_PAIRS)
			continue;
		for (c = 0; c < COLUMNS; c++)
			root[c] = centre(options->prewhiten ? filtered[c] : t[c], series.n);
		if (root[X] == 0 || root[Y] == 0)
			continue;
		for (i = 0; i < n_rows; i++)
		{
			AM_CHECK_INTERRUPTS();
			add_z(&sums[i], &series, root[X] * root[Y], i - max_lag);
		}
	}

	for (i = 0; i < n_rows; i++)
	{
		rows[i].lag = i - max_lag;
		finish_row(&rows[i], &sums[i], remove);
		p[i] = rows[i].p;
	}
	am_p_adjust(p, (size_t) n_rows, AM_ADJUST_HOLM, p);
	for (i = 0; i < n_rows; i++)
		rows[i].p_holm = p[i];

	for (c = 0; c < COLUMNS; c++)
	{
		am_host_free(t[c]);
		am_host_free(filtered[c]);
	}
	am_host_free(kept_period);
	if (remove)
	{
		am_host_free(slots);
		am_host_free(slot_of);
	}
	unload(&work);
	am_host_free(p);
	am_host_free(sums);
}
