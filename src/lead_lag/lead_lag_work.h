/*
 * The parts that a lead/lag profile is made of: the columns of the panel,
 * without what all units share (lead_lag_columns.c), and what a lag collects
 * over the units (lead_lag_sums.c).  Private to src/lead_lag.
 *
 * Portions Copyright (c) 2026, activity_metrics contributors
 * PostgreSQL licence, see LICENSE.
 */
#ifndef AM_LEAD_LAG_WORK_H
#define AM_LEAD_LAG_WORK_H

#include <float.h>
#include <math.h>
#include <stdbool.h>

#include "lead_lag/lead_lag.h"
#include "lead_lag/lead_lag_forecast.h"

/* a residual this many ulps wide is what is left of a constant */
#define NOISE			(32 * DBL_EPSILON)

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
typedef struct AmLlWork
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
} AmLlWork;

/* What is subtracted from every unit in one period */
typedef struct AmLlSlot
{
	int32_t		units;
	double		sum[COLUMNS];	/* of deviations */
	double		sum_low[COLUMNS];	/* its rounding errors (Neumaier) */
	double		level[COLUMNS]; /* of first values */
	double		level_low[COLUMNS];
	double		size[COLUMNS];	/* largest absolute value that took part */
} AmLlSlot;

/*
 * Removal of period means takes the same off every unit, so a season that
 * comes as a factor stays: large units have more of it than the mean, small
 * units less, in both columns alike.  Here a unit loses its share of the
 * period instead: its own mean times what all units present had, over the sum
 * of their means.  Only for columns without negative values, where a factor
 * has a meaning.
 */
typedef struct AmLlShares
{
	bool		usable[COLUMNS];
	double	   *mean[COLUMNS];	/* per unit, in units of 2^exponent */
	double	   *factor[COLUMNS];	/* per slot */
	int			exponent[COLUMNS];
} AmLlShares;

/* Means and centred products, merged as Chan, Golub and LeVeque do */
typedef struct AmLlMoments
{
	double		weight;
	double		mean[COLUMNS];
	double		xx,
				xy,
				yy;
	double		min[COLUMNS];
	double		max[COLUMNS];
} AmLlMoments;

/* The z of the units at one lag */
typedef struct AmLlZSum
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
} AmLlZSum;

/* What one lag collects over the units */
typedef struct AmLlSum
{
	AmLlZSum	plain;
	AmLlZSum	strict;
	AmLlMoments pooled;
	AmLlMoments between;
	AmLlMoments within;
	AmForecastErrors errors;
} AmLlSum;

/* One unit after the transformations; rows without both u and v are gone */
typedef struct AmLlSeries
{
	size_t		n;
	const int64_t *period;
	const double *value[COLUMNS];
} AmLlSeries;

static inline int
exponent_of(double v)
{
	int			e = 0;

	if (v != 0)
		frexp(v, &e);
	return e;
}

/*
 * Columns
 */

extern void am_ll_load(AmLlWork *work, const AmPanel *panel, bool fill_zero);
extern void am_ll_unload(AmLlWork *work);

/* what is subtracted in each period; slot_of, a row's, has room for all rows, of which there are some */
extern AmLlSlot *am_ll_period_slots(const AmLlWork *work, size_t *slot_of);

/*
 * One column of one unit, period means removed if there are slots, demeaned,
 * scaled by a power of two to below 2; returns whether it varies.
 */
extern bool am_ll_transform(const AmLlWork *work, int32_t unit, int c, const AmLlSlot *slots, const size_t *slot_of,
							double *out, int *exponent);

/* column: n values each, as they were before rows were filled in */
extern void am_ll_shares_start(AmLlShares *shares, const AmLlWork *work, const size_t *slot_of,
							   const double *const column[COLUMNS], size_t n);
extern void am_ll_shares_end(AmLlShares *shares);

/* One column of one unit less its share of the periods, centred, of order 1; returns whether it varies */
extern bool am_ll_transform_by_share(const AmLlWork *work, int32_t unit, int c, const AmLlShares *shares,
									 const size_t *slot_of, double *out);

/*
 * Sums
 */

extern void am_ll_sum_init(AmLlSum *sum);

/* r_pooled, r_between and r_within: the pairs of one unit */
extern void am_ll_add_raw(AmLlSum *sum, const AmLlWork *work, int32_t unit, int lag);

/* z of one unit; denominator: the root of the product of the sums of squares */
extern void am_ll_add_z(AmLlZSum *sum, const AmLlSeries *series, double denominator, int lag);

/* From the sums of a lag to its row; controls were partialled out */
extern void am_ll_finish_row(AmLeadLagRow *row, const AmLlSum *sums, bool means_removed, bool sparse, int controls);

#endif							/* AM_LEAD_LAG_WORK_H */
